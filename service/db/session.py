"""Connections and statements: SQLAlchemy compiles each statement once, the driver's cursor runs it.

Rules kept here:

* a statement is written in SQLAlchemy Core with `bindparam`; nothing is ever formatted into SQL;
* one `Tx` is one open transaction on one connection; it neither commits nor rolls back: the ledger commits, and
  `Database.read` gives snapshots that are thrown away;
* SQLite runs with WAL, synchronous=FULL, foreign keys, recursive triggers (else REPLACE gets past the append-only
  triggers) and secure_delete; PostgreSQL with its defaults.

Why the driver's cursor: SQLAlchemy's execution layer alone costs as much as a decision (docs/adr/0004-ledger.md).
"""

from __future__ import annotations

import sqlite3
import threading
from collections import namedtuple
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any, Final, Protocol

import psycopg
from sqlalchemy import Executable
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.engine import Dialect, make_url

from service.errors import BadInputError, UnavailableError

DRIVER_ERRORS: Final = (sqlite3.Error, psycopg.Error)
BUSY_TIMEOUT_S: Final = 10.0
MMAP_BYTES: Final = 2_000_000_000
"""How much of its file SQLite sees through the page cache itself: a decision among a million grants looks into a dozen
pages, and copying each costs as much as looking."""


class Cursor(Protocol):
    """The part of a DB-API cursor that is used here."""

    rowcount: int

    def execute(self, sql: Any, params: Any = ..., /) -> Any:
        """Run one statement."""

    def executemany(self, sql: Any, params: Any, /) -> Any:
        """Run one statement for each of many parameters."""

    def fetchall(self) -> list[Any]:
        """Return the rows that are left."""

    def fetchone(self) -> Any:
        """Return the next row, or None."""


class Prepared:
    """A statement compiled for one dialect: its text, its fixed parameters and the type of its rows."""

    __slots__ = ("fixed", "row", "sql")

    def __init__(self, statement: Executable, dialect: Dialect) -> None:
        compiled = statement.compile(dialect=dialect, compile_kwargs={"render_postcompile": True})  # type: ignore[attr-defined]  # every Executable used here is a ClauseElement
        self.sql: str = str(compiled)
        self.fixed: Mapping[str, Any] = {k: v for k, v in compiled.params.items() if v is not None}
        names = [column.name for column in getattr(statement, "selected_columns", ())]
        self.row: Any = namedtuple("Row", names, rename=True) if names else None  # noqa: PYI024  # fields are only known here


class Tx:
    """One open transaction. Rows come back as named tuples; what was selected names the fields."""

    __slots__ = ("_cursor", "_database", "before_write", "log_size")

    def __init__(self, database: Database, cursor: Cursor) -> None:
        self._database = database
        self._cursor = cursor
        self.log_size = 0  # set by the ledger: the index that the job's first entry will have
        self.before_write: Any = None  # set by the ledger: opens the job's savepoint at its first change

    def all(self, statement: Executable, /, **params: Any) -> list[Any]:
        """Run a query and return all its rows."""
        prepared = self._database.prepare(statement)
        self._execute(prepared.sql, {**prepared.fixed, **params})
        return [prepared.row._make(row) for row in self._cursor.fetchall()]

    def one(self, statement: Executable, /, **params: Any) -> Any:
        """Run a query and return its first row, or None."""
        prepared = self._database.prepare(statement)
        self._execute(prepared.sql, {**prepared.fixed, **params} if prepared.fixed else params)
        row = self._cursor.fetchone()
        return None if row is None else prepared.row._make(row)

    def value(self, statement: Executable, /, **params: Any) -> Any:
        """Run a query and return the first column of its first row, or None."""
        row = self.one(statement, **params)
        return None if row is None else row[0]

    def run(self, statement: Executable, /, **params: Any) -> int:
        """Run an INSERT, UPDATE or DELETE and return how many rows it touched."""
        if self.before_write is not None:
            self.before_write()
        prepared = self._database.prepare(statement)
        self._execute(prepared.sql, {**prepared.fixed, **params})
        return self._cursor.rowcount

    def run_many(self, statement: Executable, rows: Sequence[Mapping[str, Any]]) -> None:
        """Run an INSERT once for each row, in few round trips."""
        if not rows:
            return
        if self.before_write is not None:
            self.before_write()
        prepared = self._database.prepare(statement)
        self._cursor.executemany(prepared.sql, [{**prepared.fixed, **row} for row in rows])

    def _execute(self, sql: str, params: Mapping[str, Any]) -> None:
        try:
            self._cursor.execute(sql, params)
        except psycopg.DataError as error:
            if error.sqlstate is not None:
                raise
            # The driver sent nothing (PostgreSQL takes no NUL), so the transaction is sound: only this request is bad.
            raise BadInputError from error

    def command(self, sql: str) -> None:
        """Run a transaction command (SAVEPOINT and the like); never one made from input."""
        self._cursor.execute(sql)


class Database:
    """One database by its URL: ``sqlite:///file`` or ``postgresql+psycopg://…``."""

    def __init__(self, url: str) -> None:
        self.url = make_url(url)
        self.is_sqlite = self.url.get_backend_name() == "sqlite"
        self.dialect: Dialect = sqlite.dialect(paramstyle="named") if self.is_sqlite else postgresql.psycopg.dialect()  # type: ignore[no-untyped-call]  # untyped upstream
        self._prepared: dict[Executable, Prepared] = {}
        self._idle: list[Any] = []
        self._lock = threading.Lock()

    def prepare(self, statement: Executable) -> Prepared:
        """Return the compiled form of a statement; each statement object is compiled once."""
        prepared = self._prepared.get(statement)
        if prepared is None:
            prepared = self._prepared[statement] = Prepared(statement, self.dialect)
        return prepared

    def connect(self) -> Any:
        """Open a connection in which nothing begins or commits by itself."""
        try:
            return self._connect_sqlite() if self.is_sqlite else self._connect_postgres()
        except DRIVER_ERRORS as error:
            raise UnavailableError from error

    def _connect_sqlite(self) -> sqlite3.Connection:
        connection = sqlite3.connect(
            self.url.database or ":memory:", isolation_level=None, check_same_thread=False, timeout=BUSY_TIMEOUT_S
        )
        for pragma in (
            "journal_mode=WAL",
            "synchronous=FULL",
            "foreign_keys=ON",
            "recursive_triggers=ON",
            "secure_delete=ON",
            f"mmap_size={MMAP_BYTES}",
        ):
            connection.execute(f"PRAGMA {pragma}")
        return connection

    def _connect_postgres(self) -> psycopg.Connection[Any]:
        dsn = self.url.set(drivername="postgresql").render_as_string(hide_password=False)
        return psycopg.connect(dsn, autocommit=True)

    @property
    def begin_write(self) -> str:
        """The command that opens a writing transaction (SQLite takes its one write lock at once)."""
        return "BEGIN IMMEDIATE" if self.is_sqlite else "BEGIN"

    @contextmanager
    def read(self) -> Iterator[Tx]:
        """Give a snapshot to read from; whatever is written in it is thrown away."""
        connection, healthy = self._borrow(), False
        try:
            cursor = connection.cursor()
            cursor.execute("BEGIN" if self.is_sqlite else "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY")
            try:
                yield Tx(self, cursor)
            finally:
                cursor.execute("ROLLBACK")
                healthy = True
        except DRIVER_ERRORS as error:
            raise UnavailableError from error
        finally:
            if healthy:
                self._give_back(connection)
            else:
                connection.close()

    def _borrow(self) -> Any:
        with self._lock:
            if self._idle:
                return self._idle.pop()
        return self.connect()

    def _give_back(self, connection: Any) -> None:
        with self._lock:
            self._idle.append(connection)

    def close(self) -> None:
        """Close the idle connections; connections in use close with their users."""
        with self._lock:
            while self._idle:
                self._idle.pop().close()

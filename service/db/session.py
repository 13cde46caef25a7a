"""Connections and statements: SQLAlchemy compiles each statement once, the driver's cursor runs it.

Rules kept here:

* a statement is written in SQLAlchemy Core with `bindparam`; nothing is ever formatted into SQL;
* one `Tx` is one open transaction on one connection; it neither commits nor rolls back: the ledger commits, and
  `Database.read` gives snapshots that are thrown away;
* a transaction belongs to one firm at a time: PostgreSQL shows it that firm's rows and no others, so that a query
  that forgets its filter finds nothing of another firm (docs/adr/0015-row-level-security.md). The setting ends with the
  transaction, so a pooled connection carries nothing over. SQLite has no such wall, and no statement is spent on it;
* SQLite runs with WAL, synchronous=FULL, foreign keys, recursive triggers (else REPLACE gets past the append-only
  triggers) and secure_delete; PostgreSQL with limits on how long a statement, a lock and an idle transaction may last,
  and over a network with verified TLS only (`service.db.safety`).

Why the driver's cursor: SQLAlchemy's execution layer alone costs as much as a decision (docs/adr/0004-ledger.md).
"""

from __future__ import annotations

import select as polling
import sqlite3
from collections import namedtuple
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any, Final, Protocol

import psycopg
from sqlalchemy import Executable
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.engine import Dialect, make_url

from service.db.pool import Pool
from service.db.safety import require_verified
from service.errors import BadInputError, UnavailableError

DRIVER_ERRORS: Final = (sqlite3.Error, psycopg.Error)
BUSY_TIMEOUT_S: Final = 10.0
CONNECT_TIMEOUT_S: Final = 5
CONNECTIONS: Final = 10  # that reads share, where nothing else is said
EVERY_LOG: Final = "*"
MOST_PREPARED: Final = 4096  # statements kept compiled; the service has some hundreds of its own
"""In place of a firm, for what looks after all of them: the list of logs may be read, and nothing else."""
_SET_FIRM: Final = "SELECT set_config('muniment.firm', %(firm)s, true)"
_LIMITS: Final = (
    "SET statement_timeout = '60s'; SET lock_timeout = '10s'; SET idle_in_transaction_session_timeout = '300s'"
)
MMAP_BYTES: Final = 2_000_000_000
"""How much of its file SQLite sees through the page cache itself: a decision among a million grants looks into a dozen
pages, and copying each costs as much as looking."""


LOG_TABLES: Final = ("log_entries", "log_intents", "log_tiles")
"""The tables whose rows the ledger keeps back within a batch; a query that names one has them written first."""


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

    __slots__ = ("fixed", "of_log", "row", "sql")

    def __init__(self, statement: Executable, dialect: Dialect) -> None:
        compiled = statement.compile(dialect=dialect, compile_kwargs={"render_postcompile": True})  # type: ignore[attr-defined]  # every Executable used here is a ClauseElement
        self.sql: str = str(compiled)
        self.of_log = any(name in self.sql for name in LOG_TABLES)
        self.fixed: Mapping[str, Any] = {k: v for k, v in compiled.params.items() if v is not None}
        names = [column.name for column in getattr(statement, "selected_columns", ())]
        self.row: Any = namedtuple("Row", names, rename=True) if names else None  # noqa: PYI024  # fields are only known here


class Tx:
    """One open transaction. Rows come back as named tuples; what was selected names the fields."""

    __slots__ = ("_cursor", "_database", "before_log_use", "before_write", "firm_id", "log_size", "openings")

    def __init__(self, database: Database, cursor: Cursor, firm_id: str = "") -> None:
        self._database = database
        self._cursor = cursor
        self.firm_id = firm_id
        self.log_size = 0  # set by the ledger: the index that the job's first entry will have
        self.openings: Mapping[str, Sequence[Any]] = {}  # set by the ledger: not yet written, by membership
        self.before_write: Any = None  # set by the ledger: opens the job's savepoint at its first change
        self.before_log_use: Any = None  # set by the ledger: writes out the entries that it has kept back

    @property
    def is_sqlite(self) -> bool:
        """Say which of the two databases this is, for a statement that they plan differently."""
        return self._database.is_sqlite

    def turn_to(self, firm_id: str) -> None:
        """See the rows of this firm (or of this log's owner) from here on, and no others'.

        Not between a job's first write and its end: undoing the write would undo the turn.
        """
        if firm_id != self.firm_id:
            self.firm_id = firm_id
            if not self._database.is_sqlite:
                self._execute(_SET_FIRM, {"firm": firm_id})

    def all(self, statement: Executable, /, **params: Any) -> list[Any]:
        """Run a query and return all its rows."""
        prepared = self._prepared(statement)
        self._execute(prepared.sql, {**prepared.fixed, **params})
        return [prepared.row._make(row) for row in self._cursor.fetchall()]

    def one(self, statement: Executable, /, **params: Any) -> Any:
        """Run a query and return its first row, or None."""
        prepared = self._prepared(statement)
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
        return self.run_for_ledger(statement, **params)

    def run_for_ledger(self, statement: Executable, /, **params: Any) -> int:
        """Do the same for the ledger itself: what it writes belongs to no job, and no savepoint undoes it."""
        prepared = self._database.prepare(statement)
        self._execute(prepared.sql, {**prepared.fixed, **params})
        return self._cursor.rowcount

    def _prepared(self, statement: Executable) -> Prepared:
        prepared = self._database.prepare(statement)
        if prepared.of_log and self.before_log_use is not None:
            self.before_log_use()
        return prepared

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
    """One database by its URL: ``sqlite:///file`` or ``postgresql+psycopg://…``.

    Args:
        connections: how many reads there may be at once; the ledger's connection comes on top.

    Raises:
        UnsafeError: it lies across a network, and the URL does not ask for verified TLS.
    """

    def __init__(self, url: str, connections: int = CONNECTIONS) -> None:
        self.url = make_url(url)
        self.is_sqlite = self.url.get_backend_name() == "sqlite"
        self.dialect: Dialect = sqlite.dialect(paramstyle="named") if self.is_sqlite else postgresql.psycopg.dialect()  # type: ignore[no-untyped-call]  # untyped upstream
        if not self.is_sqlite:
            require_verified(self.url)
        self._prepared: dict[Executable, Prepared] = {}
        self.pool = Pool(self.connect, self.is_usable, connections)

    def prepare(self, statement: Executable) -> Prepared:
        """Return the compiled form of a statement; each statement object is compiled once."""
        prepared = self._prepared.get(statement)
        if prepared is None:
            if len(self._prepared) >= MOST_PREPARED:  # statements are made of snapshots too, which come and go
                self._prepared = {}
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
        _, how = self.dialect.create_connect_args(self.url)
        connection = psycopg.connect(**{"connect_timeout": CONNECT_TIMEOUT_S, **how}, autocommit=True)
        try:
            connection.execute(_LIMITS)
        except BaseException:
            connection.close()
            raise
        return connection

    def is_usable(self, connection: Any) -> bool:
        """Say whether an idle connection is still there: a server that ends one says so, and nothing else is due."""
        if self.is_sqlite:
            return True
        if connection.closed:
            return False
        poll = polling.poll()
        poll.register(connection.fileno(), polling.POLLIN)
        return not poll.poll(0)

    @property
    def begin_write(self) -> str:
        """The command that opens a writing transaction (SQLite takes its one write lock at once)."""
        return "BEGIN IMMEDIATE" if self.is_sqlite else "BEGIN"

    @property
    def begin_read(self) -> str:
        """The command that opens a snapshot."""
        return "BEGIN" if self.is_sqlite else "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY"

    def begin(self, connection: Any, command: str, firm_id: str) -> Tx:
        """Open a transaction of a firm on a connection: one round trip."""
        cursor = connection.cursor()
        if self.is_sqlite:
            cursor.execute(command)
        else:
            with connection.pipeline():
                cursor.execute(command)
                cursor.execute(_SET_FIRM, {"firm": firm_id})
        return Tx(self, cursor, firm_id)

    @contextmanager
    def read(self, firm_id: str) -> Iterator[Tx]:
        """Give a snapshot of a firm to read from; whatever is written in it is thrown away.

        Args:
            firm_id: whose rows are seen: a firm's id, the deployment log's, or `EVERY_LOG`.

        Raises:
            UnavailableError: the database is away, or all connections are lent.
        """
        lent, healthy = self.pool.borrow(), False
        try:
            tx = self.begin(lent.connection, self.begin_read, firm_id)
            try:
                yield tx
            finally:
                tx.command("ROLLBACK")
                healthy = True
        except DRIVER_ERRORS as error:
            raise UnavailableError from error
        finally:
            self.pool.give_back(lent, healthy=healthy)

    def close(self) -> None:
        """Close the idle connections; connections in use close with their users."""
        self.pool.close()

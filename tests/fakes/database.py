"""A real database whose connections fail on request, and count what they commit.

Operations for `tests.fakes.faults.Faults`: ``connect``, ``begin``, ``commit``, ``rollback``, ``execute`` (any other
statement) and ``fetch`` (its rows). A commit planned with ``stored=True`` is committed, and its answer is lost.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from typing import Any

import psycopg

from service.db.session import CONNECTIONS, Database
from tests.fakes.faults import Faults


class FaultyDatabase(Database):
    """Hands out connections with faults."""

    def __init__(self, url: str, connections: int = CONNECTIONS) -> None:
        super().__init__(url, connections)
        self.faults = Faults()
        self.connections = 0
        self._due: tuple[int, bool] | None = None

    def fail_commit(self, *, after: int = 0, stored: bool = False) -> None:
        """Let ``after`` commits pass, then let one fail."""
        self._due = (after, stored)

    def commit_comes(self) -> None:
        """Plan the fault that is due, if it is."""
        if self._due is not None:
            after, stored = self._due
            self._due = (after - 1, stored) if after else None
            if not after:
                self.faults.plan("commit", self.error, stored=stored)

    @property
    def error(self) -> type[Exception]:
        """What this driver raises when the connection is lost."""
        return sqlite3.OperationalError if self.is_sqlite else psycopg.OperationalError

    @property
    def commits(self) -> int:
        """How many transactions were asked to commit."""
        return self.faults.calls.count("commit")

    def connect(self) -> Any:
        """Open a connection whose cursors fail as planned."""
        self.faults.before("connect")
        self.connections += 1
        connection = super().connect()
        self.faults.after("connect")
        return FaultyConnection(connection, self)


class FaultyConnection:
    """A connection of the driver, watched."""

    def __init__(self, connection: Any, database: FaultyDatabase) -> None:
        self._connection, self._database = connection, database

    def cursor(self) -> Any:
        return FaultyCursor(self._connection.cursor(), self._database)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._connection, name)


class FaultyCursor:
    """A cursor of the driver, watched."""

    def __init__(self, cursor: Any, database: FaultyDatabase) -> None:
        self._cursor, self._database, self._faults = cursor, database, database.faults

    def execute(self, sql: Any, *params: Any) -> Any:
        word = str(sql).split()[0].lower()
        ends = word == "rollback" and "savepoint" not in str(sql).lower()
        operation = word if word in ("begin", "commit") or ends else "execute"
        if operation == "commit":
            self._database.commit_comes()
        self._faults.before(operation)
        result = self._cursor.execute(sql, *params)
        self._faults.after(operation)
        return result

    def executemany(self, sql: Any, params: Any) -> Any:
        self._faults.before("execute")
        result = self._cursor.executemany(sql, params)
        self._faults.after("execute")
        return result

    def fetchone(self) -> Any:
        return self._fetched(self._cursor.fetchone)

    def fetchall(self) -> Any:
        return self._fetched(self._cursor.fetchall)

    def _fetched(self, fetch: Callable[[], Any]) -> Any:
        self._faults.before("fetch")
        result = fetch()
        self._faults.after("fetch")
        return result

    def __getattr__(self, name: str) -> Any:
        return getattr(self._cursor, name)

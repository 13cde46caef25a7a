"""Connections that are lent: so many at once, alive, not too old; whoever finds none is told in time."""

from __future__ import annotations

import threading
import time
from dataclasses import dataclass, field
from typing import Any

import pytest
from psycopg import sql
from sqlalchemy import select

from service.db import pool as module
from service.db.models import logs
from service.db.pool import RECYCLE_S, Pool
from service.db.session import Database
from service.errors import UnavailableError
from tests.fakes.database import FaultyDatabase
from tests.postgres import PostgresServer


@dataclass
class _Connection:
    number: int
    closed: bool = False

    def close(self) -> None:
        self.closed = True


@dataclass
class _Server:
    """Counts the connections it gives, and says which it has dropped."""

    now: float = 0.0
    made: list[_Connection] = field(default_factory=list)
    dropped: set[int] = field(default_factory=set)
    is_away: bool = False

    def connect(self) -> _Connection:
        if self.is_away:
            raise UnavailableError
        self.made.append(_Connection(len(self.made)))
        return self.made[-1]

    def pool(self, most: int = 2) -> Pool:
        return Pool(self.connect, lambda connection: connection.number not in self.dropped, most, lambda: self.now)


def _use(pool: Pool, *, healthy: bool = True) -> Any:
    lent = pool.borrow()
    pool.give_back(lent, healthy=healthy)
    return lent.connection


def test_the_last_one_given_back_is_lent_first() -> None:
    server = _Server()
    pool = server.pool()
    first, second = pool.borrow(), pool.borrow()
    pool.give_back(first, healthy=True)
    pool.give_back(second, healthy=True)
    assert [_use(pool) for _ in range(3)] == [second.connection] * 3
    assert len(server.made) == 2


def test_whoever_finds_all_lent_waits_and_gets_the_first_that_comes_back() -> None:
    pool, got = _Server().pool(most=1), []
    lent = pool.borrow()
    waiting = threading.Thread(target=lambda: got.append(_use(pool)))
    waiting.start()
    waiting.join(0.1)
    assert got == []
    pool.give_back(lent, healthy=True)
    waiting.join(10)
    assert got == [lent.connection]


def test_nobody_waits_for_ever(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "BORROW_S", 0.05)
    pool = _Server().pool(most=1)
    lent = pool.borrow()
    with pytest.raises(UnavailableError) as told:
        pool.borrow()
    assert told.value.status == 503
    assert told.value.retry_after_s
    pool.give_back(lent, healthy=True)
    assert _use(pool) is lent.connection


def test_there_are_never_more_than_the_most_whatever_happens_to_them() -> None:
    server, out, seen = _Server(), [0], []
    pool, lock = server.pool(most=3), threading.Lock()

    def using(number: int) -> None:
        for turn in range(50):
            lent = pool.borrow()
            with lock:
                out[0] += 1
                seen.append(out[0])
            time.sleep(0)
            with lock:
                out[0] -= 1
            pool.give_back(lent, healthy=(number + turn) % 7 != 0)

    threads = [threading.Thread(target=using, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert max(seen) <= 3
    assert pool.lent() == 0
    assert sum(not connection.closed for connection in server.made) <= 3


def test_one_that_failed_is_closed_and_its_place_is_free() -> None:
    server = _Server()
    pool = server.pool(most=1)
    broken = _use(pool, healthy=False)
    assert broken.closed
    assert _use(pool) is not broken


def test_one_that_the_server_dropped_is_not_lent() -> None:
    server = _Server()
    pool = server.pool(most=1)
    dropped = _use(pool)
    server.dropped.add(dropped.number)
    assert _use(pool).number == 1
    assert dropped.closed


def test_one_that_is_old_is_not_kept() -> None:
    server = _Server()
    pool = server.pool()
    server.now = RECYCLE_S - 1
    first = _use(pool)
    server.now += RECYCLE_S - 1
    assert _use(pool) is first
    server.now += 1
    assert _use(pool) is first
    assert first.closed
    assert _use(pool) is not first


def test_a_connection_that_cannot_be_had_takes_no_place() -> None:
    server = _Server(is_away=True)
    pool = server.pool(most=1)
    for _ in range(3):
        with pytest.raises(UnavailableError):
            pool.borrow()
    server.is_away = False
    _use(pool)


def test_closing_closes_what_is_idle() -> None:
    server = _Server()
    pool = server.pool()
    lent = pool.borrow()
    idle = _use(pool)
    pool.close()
    assert idle.closed
    assert not lent.connection.closed
    pool.give_back(lent, healthy=True)
    pool.close()
    assert lent.connection.closed


# On a real server ---------------------------------------------------------------------------------------------------

_END = """SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity
           WHERE usename = 'app' AND datname = {} AND pid <> pg_backend_pid()"""


def test_a_read_after_the_server_ended_all_connections_finds_a_fresh_one(
    postgres_server: PostgresServer, migrated_postgres_url: str
) -> None:
    database = FaultyDatabase(migrated_postgres_url)
    for connections in (1, 2, 3):
        with database.read("logs_0") as tx:
            assert tx.all(select(logs.c.id)) == []
        assert database.connections == connections
        name = database.url.database or ""
        postgres_server.run(sql.SQL(_END).format(sql.Literal(name)))
    database.close()


def test_a_read_ends_where_another_cannot_begin(migrated_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "BORROW_S", 0.05)
    database = Database(migrated_url, connections=1)
    with database.read("logs_0"):
        with pytest.raises(UnavailableError), database.read("logs_0"):
            pass
        assert database.pool.lent() == 1
    with database.read("logs_0") as tx:
        assert tx.all(select(logs.c.id)) == []
    assert database.pool.lent() == 0
    database.close()


def test_statements_locks_and_idle_transactions_have_their_limits(migrated_postgres_url: str) -> None:
    connection = Database(migrated_postgres_url).connect()
    query = """SELECT current_setting('statement_timeout'), current_setting('lock_timeout'),
                      current_setting('idle_in_transaction_session_timeout')"""
    assert connection.execute(query).fetchone() == ("1min", "10s", "5min")
    connection.close()

"""Connections: snapshots that are thrown away and handed back, and the settings that promises rest on."""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from sqlalchemy import bindparam, insert, select

from service.db.models import agreements, logs
from service.db.session import EVERY_LOG, Database, Tx
from service.errors import BadInputError, UnavailableError
from tests.fakes.database import FaultyDatabase

_LOG = {
    "kind": "firm",
    "origin": "o",
    "size": 0,
    "time_ms": 0,
    "verifier_key": "v",
    "key_id": "k",
    "signing_key": b"s",
    "created_at": 1,
}
_IDS = select(logs.c.id).order_by(logs.c.id)


def _write(database: Database, log_id: str) -> None:
    connection = database.connect()
    tx = database.begin(connection, database.begin_write, log_id)
    tx.run(insert(logs), id=log_id, **_LOG)
    tx.command("COMMIT")
    connection.close()


def _ids(database: Database) -> list[str]:
    with database.read(EVERY_LOG) as tx:
        return [row.id for row in tx.all(_IDS)]


def test_a_read_sees_one_moment_whatever_is_committed_meanwhile(migrated_url: str) -> None:
    database = Database(migrated_url)
    with database.read("log_1") as tx:
        assert tx.all(_IDS) == []
        _write(database, "log_1")
        assert tx.all(_IDS) == []
    assert _ids(database) == ["log_1"]
    database.close()


def test_what_is_written_in_a_read_is_thrown_away(migrated_sqlite_url: str) -> None:
    database = Database(migrated_sqlite_url)
    with database.read("log_1") as tx:
        tx.run(insert(logs), id="log_1", **_LOG)
        assert len(tx.all(_IDS)) == 1
    assert _ids(database) == []
    database.close()


def test_postgres_refuses_to_write_in_a_read(migrated_postgres_url: str) -> None:
    database = Database(migrated_postgres_url)
    with pytest.raises(UnavailableError), database.read("log_1") as tx:
        tx.run(insert(logs), id="log_1", **_LOG)
    assert _ids(database) == []
    database.close()


def test_connections_are_used_again_also_after_errors(migrated_url: str) -> None:
    database = FaultyDatabase(migrated_url)
    for _ in range(5):
        assert _ids(database) == []
        with pytest.raises(ZeroDivisionError), database.read("log_1"):
            raise ZeroDivisionError
    assert database.connections == 1
    database.close()


@contextmanager
def _breaking(database: FaultyDatabase) -> Iterator[Tx]:
    """A read whose connection is lost: the query fails, and the ROLLBACK after it."""
    with database.read("log_1") as tx:
        database.faults.plan("execute", database.error)
        database.faults.plan("rollback", database.error)
        yield tx


def test_a_connection_that_broke_is_not_used_again(migrated_url: str) -> None:
    database = FaultyDatabase(migrated_url)
    assert _ids(database) == []
    with pytest.raises(UnavailableError), _breaking(database) as tx:
        tx.all(_IDS)
    assert _ids(database) == []
    assert database.connections == 2
    database.close()


def test_readers_at_once_have_connections_of_their_own(migrated_url: str) -> None:
    database, barrier, seen = FaultyDatabase(migrated_url), threading.Barrier(4, timeout=10), []

    def reading() -> None:
        with database.read("log_1") as tx:
            barrier.wait()
            seen.append(tx.all(_IDS))

    threads = [threading.Thread(target=reading) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert seen == [[]] * 4
    assert database.connections == 4
    database.close()


@pytest.mark.parametrize("url", ["sqlite:////nowhere/at/all.db", "postgresql+psycopg://app@/none?host=/nowhere"])
def test_a_database_that_is_not_there_is_unavailable(url: str) -> None:
    with pytest.raises(UnavailableError), Database(url).read("log_1"):
        pass


def test_values_are_bound_and_never_part_of_the_statement(migrated_url: str) -> None:
    database = Database(migrated_url)
    _write(database, "log_1")
    one = select(logs.c.id).where(logs.c.id == bindparam("id"))
    with database.read("log_1") as tx:
        assert tx.one(one, id="x' OR '1'='1") is None
        assert tx.one(one, id='"; DROP TABLE logs; --') is None
        assert tx.value(one, id="log_1") == "log_1"
        assert tx.value(one, id="log_2") is None
    assert database.prepare(one) is database.prepare(one)
    database.close()


def test_fixed_values_of_a_statement_are_bound_with_it(migrated_url: str) -> None:
    database = Database(migrated_url)
    _write(database, "log_1")
    with database.read("log_1") as tx:
        assert tx.one(select(logs.c.id).where(logs.c.kind == "firm")).id == "log_1"
        assert tx.all(select(agreements.c.id).where(agreements.c.kind == "nda")) == []
        assert tx.one(select(logs.c.id).where(logs.c.kind == "firm", logs.c.id == bindparam("id")), id="log_2") is None
    database.close()


def test_a_nul_is_the_requests_own_fault_and_the_transaction_goes_on(migrated_postgres_url: str) -> None:
    database = Database(migrated_postgres_url)
    one = select(logs.c.id).where(logs.c.id == bindparam("id"))
    with database.read("log_1") as tx:
        with pytest.raises(BadInputError):
            tx.one(one, id="log_\0")
        assert tx.all(_IDS) == []
    database.close()


def test_sqlite_runs_with_the_settings_that_promises_rest_on(migrated_sqlite_url: str) -> None:
    connection: sqlite3.Connection = Database(migrated_sqlite_url).connect()
    wanted = {"journal_mode": "wal", "synchronous": 2, "foreign_keys": 1, "recursive_triggers": 1, "secure_delete": 1}
    found = {}
    for name in wanted:
        pragma = "PRAGMA " + name
        found[name] = connection.execute(pragma).fetchone()[0]
    assert found == wanted
    connection.close()

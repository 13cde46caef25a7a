"""Revision 0001 with data: what it guards against change, and that it goes down to nothing and up to the same."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from importlib import import_module
from typing import Any

import psycopg
import pytest
from sqlalchemy import Engine, Table, create_engine, inspect, text
from sqlalchemy.exc import DatabaseError

from service.db import schema
from service.db.models import metadata
from service.db.session import Database
from tests.migrated import owner_of
from tests.migrations.rows import a_row, content, fill

WRITTEN_ONCE: tuple[str, ...] = import_module("migrations.versions.0001_initial").WRITTEN_ONCE


@pytest.fixture
def filled(migrated_url: str) -> Iterator[Engine]:
    """A database with three rows in every table."""
    engine = create_engine(owner_of(migrated_url))
    fill(engine)
    yield engine
    engine.dispose()


def test_every_table_takes_rows_and_gives_them_back(filled: Engine) -> None:
    assert {name: len(rows) for name, rows in content(filled).items()} == dict.fromkeys(metadata.tables, 3)


def test_with_data_it_goes_down_to_nothing_and_up_to_the_same(filled: Engine, migrated_url: str) -> None:
    before, database = content(filled), Database(owner_of(migrated_url))
    filled.dispose()
    schema.downgrade(database, "base")
    assert set(inspect(filled).get_table_names()) <= {"alembic_version"}
    if not database.is_sqlite:
        with filled.connect() as connection:
            query = text("SELECT count(*) FROM pg_proc WHERE proname LIKE 'muniment%'")
            assert connection.execute(query).scalar() == 0
    filled.dispose()
    schema.upgrade(database)
    fill(filled)
    assert content(filled) == before


@pytest.mark.parametrize("table", WRITTEN_ONCE)
def test_what_is_written_once_takes_no_update_and_no_delete(filled: Engine, table: str) -> None:
    column = next(c.name for c in metadata.tables[table].columns if not c.primary_key)
    before = content(filled)[table]
    for attack in (
        "UPDATE @table SET @column = @column",
        "DELETE FROM @table",
        "DELETE FROM @table WHERE 1 = 1",
    ):
        with pytest.raises(DatabaseError, match="written once"), filled.begin() as connection:
            connection.execute(text(_filled_in(attack, table=table, column=column)))
    assert content(filled)[table] == before


@pytest.mark.parametrize("table", WRITTEN_ONCE)
def test_replace_does_not_get_past_the_triggers(migrated_sqlite_url: str, table: str) -> None:
    engine = create_engine(migrated_sqlite_url)
    fill(engine)
    before, model = content(engine)[table], metadata.tables[table]
    key = next(iter(model.primary_key)).name
    names, marks = ", ".join(model.columns.keys()), ", ".join(f":{name}" for name in model.columns.keys())  # noqa: SIM118
    connection = Database(migrated_sqlite_url).connect()  # as the service connects: with recursive triggers
    for attack in (
        "INSERT OR REPLACE INTO @table (@names) VALUES (@marks)",
        "REPLACE INTO @table (@names) VALUES (@marks)",
        "UPDATE OR REPLACE @table SET @key = :@key",
        "INSERT INTO @table (@names) VALUES (@marks) ON CONFLICT DO UPDATE SET @key = @key",
    ):
        with pytest.raises(sqlite3.Error, match="written once"):
            connection.execute(_filled_in(attack, table=table, names=names, marks=marks, key=key), a_row(model, 1))
    connection.close()
    assert content(engine)[table] == before
    engine.dispose()


@pytest.mark.parametrize("table", WRITTEN_ONCE)
def test_postgres_refuses_truncate_and_upsert(migrated_postgres_url: str, table: str) -> None:
    engine = create_engine(owner_of(migrated_postgres_url))
    fill(engine)
    before, model = content(engine)[table], metadata.tables[table]
    key = next(iter(model.primary_key)).name
    with psycopg.connect(engine.url.set(drivername="postgresql").render_as_string(), autocommit=True) as connection:
        for attack in (
            "TRUNCATE @table CASCADE",
            "TRUNCATE @table RESTART IDENTITY CASCADE",
            "INSERT INTO @table SELECT * FROM @table ON CONFLICT (@all) DO UPDATE SET @key = excluded.@key",
            "MERGE INTO @table USING (SELECT 1) AS one ON true WHEN MATCHED THEN DELETE",
        ):
            with pytest.raises(psycopg.Error, match="written once"):
                connection.execute(_filled_in(attack, table=table, all=_keys(model), key=key).encode())
    assert content(engine)[table] == before
    engine.dispose()


def _filled_in(attack: str, **words: str) -> str:
    for word, value in words.items():
        attack = attack.replace(f"@{word}", value)
    return attack


def _keys(table: Table) -> str:
    return ", ".join(column.name for column in table.primary_key)


def test_all_that_an_auditor_reads_is_written_once() -> None:
    assert set(WRITTEN_ONCE) >= {"log_entries", "log_tiles", "log_checkpoints", "signatures", "certificates"}
    assert set(WRITTEN_ONCE) <= set(metadata.tables)


@pytest.mark.parametrize(
    ("table", "wrong"),
    [
        ("logs", {"kind": "other"}),
        ("people", {"side": "neither"}),
        ("people", {"side": "vendor", "vendor_id": None}),
        ("people", {"side": "firm"}),
        ("engagements", {"status": "open"}),
        ("engagements", {"ends_at": 0, "starts_at": 0}),
        ("memberships", {"side": "vendor", "engagement_id": None}),
        ("grants", {"not_after": 0, "not_before": 0}),
    ],
)
def test_rows_that_contradict_themselves_are_refused(filled: Engine, table: str, wrong: dict[str, Any]) -> None:
    model = metadata.tables[table]
    row = {**a_row(model, 1), "id": "another"}
    row |= {name: f"unique_{name}" for name in ("number",) if name in row}
    if "email_index" in row:
        row["email_index"] = b"unique"
    with filled.connect() as connection:
        connection.execute(model.insert(), row)
        connection.rollback()
        with pytest.raises(DatabaseError, match=r"(?i)check"):
            connection.execute(model.insert(), {**row, **wrong})

"""Revision 0006 with data: what was granted and asked stays, by itself; the new tables have the walls of the others."""

from __future__ import annotations

from importlib import import_module
from typing import Any

import pytest
from sqlalchemy import create_engine, func, inspect, select, text
from sqlalchemy.exc import ProgrammingError

from service.db import schema
from service.db.models import asks, grants, metadata
from service.db.session import Database
from tests.migrated import owner_of
from tests.migrations.rows import as_it_is, fill, fill_as_it_is, there

MIGRATION: Any = import_module("migrations.versions.0006_tasks")
NEW = set(MIGRATION.TABLES)


def test_everything_else_keeps_its_rows_up_and_down_and_nothing_is_of_a_task(database_url: str) -> None:
    schema.upgrade(Database(database_url), "0005")
    # As whoever owns the tables, who sees all firms' rows when asking for them.
    seeing = {} if database_url.startswith("sqlite") else {"options": "-cmuniment.firm=*"}
    engine = create_engine(database_url, connect_args=seeing)
    with engine.begin() as connection:
        assert not NEW & set(there(connection))
        fill_as_it_is(connection)
        before = as_it_is(connection)
    engine.dispose()
    schema.upgrade(Database(database_url), "0006")
    with engine.connect() as connection:
        found = as_it_is(connection, *NEW)
        assert {name: rows for name, rows in found.items() if name not in {"grants", "asks"}} == {
            name: rows for name, rows in before.items() if name not in {"grants", "asks"}
        }
        for table in (grants, asks):
            assert found[table.name] == [(*row, None) for row in before[table.name]]
            assert connection.execute(select(table.c.task_id)).scalars().all() == [None]
    engine.dispose()
    schema.downgrade(Database(database_url), "0005")
    with engine.connect() as connection:
        assert as_it_is(connection) == before
        assert not NEW & set(inspect(connection).get_table_names())
    engine.dispose()


def test_the_new_tables_show_a_firm_its_own_rows_and_are_not_emptied(migrated_postgres_url: str) -> None:
    owner, app = create_engine(owner_of(migrated_postgres_url)), create_engine(migrated_postgres_url)
    fill(owner)
    for table in sorted(NEW):
        with app.connect() as connection:
            count = select(func.count()).select_from(metadata.tables[table])
            assert connection.execute(count).scalar() == 0
            connection.execute(text("SELECT set_config('muniment.firm', 'logs_1', true)"))
            assert connection.execute(count).scalar() == 1
        for attack in (f"DELETE FROM {table}", f"TRUNCATE {table}"):  # noqa: S608  # the same
            with app.connect() as connection, pytest.raises(ProgrammingError, match="permission denied"):
                connection.execute(text(attack))
    owner.dispose()
    app.dispose()

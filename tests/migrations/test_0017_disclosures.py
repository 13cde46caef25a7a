"""Revision 0017 with data: everything that was there stays, up and down; disclosures come and go."""

from __future__ import annotations

from sqlalchemy import create_engine, inspect

from service.db import schema
from service.db.models import metadata
from service.db.session import Database
from tests.migrated import owner_of
from tests.migrations.rows import a_row, content, fill

NEW = {"disclosures"}


def test_everything_else_keeps_its_rows_up_and_down(migrated_url: str) -> None:
    database, engine = Database(owner_of(migrated_url)), create_engine(owner_of(migrated_url))
    schema.downgrade(database, "0016")
    assert not NEW & set(inspect(engine).get_table_names())
    fill(engine)
    before = content(engine)
    schema.upgrade(database, "0017")
    assert {name: rows for name, rows in content(engine).items() if name not in NEW} == before
    with engine.begin() as connection:
        for name in sorted(NEW):
            connection.execute(metadata.tables[name].insert(), a_row(metadata.tables[name], 1))
    schema.downgrade(database, "0016")
    assert content(engine) == before
    engine.dispose()

"""Revision 0011 with data: all that was there stays, up and down; engagements that were there have no overlay."""

from __future__ import annotations

from sqlalchemy import create_engine, inspect, select

from service.db import schema
from service.db.models import engagements
from service.db.session import Database
from tests.migrated import owner_of
from tests.migrations.rows import FIRMS, content, fill


def test_everything_keeps_its_rows_up_and_down(migrated_url: str) -> None:
    database, engine = Database(owner_of(migrated_url)), create_engine(owner_of(migrated_url))
    schema.downgrade(database, "0010")
    assert "overlay" not in {column["name"] for column in inspect(engine).get_columns("engagements")}
    fill(engine)
    before = content(engine)
    schema.upgrade(database, "0011")
    after = content(engine)
    assert {name: rows for name, rows in after.items() if name != "engagements"} == {
        name: rows for name, rows in before.items() if name != "engagements"
    }
    with engine.begin() as connection:
        assert list(connection.execute(select(engagements.c.overlay)).scalars()) == [""] * len(FIRMS)
    schema.downgrade(database, "0010")
    assert content(engine) == before
    engine.dispose()

"""Revision 0016 with data: everything that was there stays, up and down; no token is a seat's, nobody is contained."""

from __future__ import annotations

from typing import Any

from sqlalchemy import create_engine, inspect, select

from service.db import schema
from service.db.models import memberships, metadata, tokens
from service.db.session import Database
from tests.migrated import owner_of
from tests.migrations.rows import FIRMS, a_row, content, fill

NEW = ("signins", "seats")
CHANGED = {"memberships", "tokens"}
BEFORE = "0012"


def _without(rows: Any) -> Any:
    return {name: found for name, found in rows.items() if name not in {*NEW, *CHANGED}}


def test_everything_keeps_its_rows_up_and_down(migrated_url: str) -> None:
    database, engine = Database(owner_of(migrated_url)), create_engine(owner_of(migrated_url))
    schema.downgrade(database, BEFORE)
    assert not set(NEW) & set(inspect(engine).get_table_names())
    fill(engine)
    before = content(engine)
    schema.upgrade(database, "0016")
    assert _without(content(engine)) == _without(before)
    with engine.begin() as connection:
        assert list(connection.execute(select(tokens.c.seat_id)).scalars()) == [None] * len(FIRMS)
        assert list(connection.execute(select(memberships.c.contained_at)).scalars()) == [None] * len(FIRMS)
        for name in NEW:
            connection.execute(metadata.tables[name].insert(), a_row(metadata.tables[name], 1))
    schema.downgrade(database, BEFORE)
    assert content(engine) == before
    engine.dispose()

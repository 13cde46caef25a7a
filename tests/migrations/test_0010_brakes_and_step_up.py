"""Revision 0010 with data: everything that was there stays, up and down; nobody is stepped up or braked by it."""

from __future__ import annotations

from typing import Any

from sqlalchemy import create_engine, inspect, select

from service.brakes.marks import MARKS
from service.db import schema
from service.db.models import engagements, memberships, metadata, tokens
from service.db.session import Database
from tests.migrated import owner_of
from tests.migrations.rows import FIRMS, a_row, content, fill

NEW = {"authenticators", "openings"}
CHANGED = {"engagements", "memberships", "tokens"}


def _without(rows: Any) -> Any:
    return {name: found for name, found in rows.items() if name not in NEW | CHANGED}


def test_everything_keeps_its_rows_up_and_down(migrated_url: str) -> None:
    database, engine = Database(owner_of(migrated_url)), create_engine(owner_of(migrated_url))
    schema.downgrade(database, "0009")
    assert not NEW & set(inspect(engine).get_table_names())
    fill(engine)
    before = content(engine)
    schema.upgrade(database, "0010")
    assert _without(content(engine)) == _without(before)
    with engine.begin() as connection:
        marks = connection.execute(select(*(engagements.c[name] for name in MARKS))).all()
        assert [row._asdict() for row in marks] == [dict(MARKS)] * len(FIRMS)
        assert list(connection.execute(select(tokens.c.stepped_up_until)).scalars()) == [0] * len(FIRMS)
        assert set(connection.execute(select(memberships.c.braked_at)).scalars()) == {None}
        for name in sorted(NEW):
            connection.execute(metadata.tables[name].insert(), a_row(metadata.tables[name], 1))
    schema.downgrade(database, "0009")
    assert content(engine) == before
    engine.dispose()

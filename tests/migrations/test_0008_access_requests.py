"""Revision 0008 with data: everything that was there stays, up and down; engagements that were there stay closed."""

from __future__ import annotations

from typing import Any

import pytest
from sqlalchemy import create_engine, inspect, select, text
from sqlalchemy.exc import IntegrityError

from service.db import schema
from service.db.models import engagements, metadata
from service.db.session import Database
from tests.migrated import owner_of
from tests.migrations.rows import FIRMS, a_row, content, fill

NEW = {"access_requests", "on_calls"}


def _without(rows: Any, table: str) -> Any:
    return {name: found for name, found in rows.items() if name not in {*NEW, table}}


def test_everything_else_keeps_its_rows_up_and_down(migrated_url: str) -> None:
    database, engine = Database(owner_of(migrated_url)), create_engine(owner_of(migrated_url))
    schema.downgrade(database, "0007")
    assert not NEW & set(inspect(engine).get_table_names())
    fill(engine)
    before = content(engine)
    schema.upgrade(database, "0008")
    assert _without(content(engine), "engagements") == _without(before, "engagements")
    with engine.begin() as connection:
        assert list(connection.execute(select(engagements.c.withheld)).scalars()) == ["invisible"] * len(FIRMS)
        for name in sorted(NEW):
            connection.execute(metadata.tables[name].insert(), a_row(metadata.tables[name], 1))
    schema.downgrade(database, "0007")
    assert content(engine) == before
    engine.dispose()


def test_an_engagement_declares_one_of_two_words(migrated_url: str) -> None:
    engine = create_engine(owner_of(migrated_url))
    fill(engine)
    with pytest.raises(IntegrityError), engine.begin() as connection:
        connection.execute(text("UPDATE engagements SET withheld = 'everything'"))
    engine.dispose()

"""Revision 0013 with data: documents may be moved, their table is the same otherwise, and down takes it back."""

from __future__ import annotations

from typing import Any

import pytest
from sqlalchemy import create_engine, inspect, select, update
from sqlalchemy.exc import IntegrityError

from service.db import schema
from service.db.models import documents, metadata, moves, revisions
from service.db.session import Database
from tests.migrated import owner_of
from tests.migrations.rows import FIRMS, a_row, content, fill

NEW = {"moves"}


def _without(rows: Any, *tables: str) -> Any:
    return {name: found for name, found in rows.items() if name not in {*NEW, *tables}}


def test_everything_else_keeps_its_rows_up_and_down(migrated_url: str) -> None:
    database, engine = Database(owner_of(migrated_url)), create_engine(owner_of(migrated_url))
    schema.downgrade(database, "0012")
    assert not NEW & set(inspect(engine).get_table_names())
    fill(engine)
    before = content(engine)
    schema.upgrade(database, "0013")
    assert _without(content(engine), "revisions") == _without(before, "revisions")
    with engine.begin() as connection:
        assert [tuple(row) for row in connection.execute(select(revisions.c.moved_from))] == [(None,)] * len(FIRMS)
        connection.execute(metadata.tables["moves"].insert(), a_row(moves, 1))
    schema.downgrade(database, "0012")
    assert content(engine) == before
    engine.dispose()


def test_what_was_moved_counts_as_taken_back_where_moving_is_not_known(migrated_url: str) -> None:
    database, engine = Database(owner_of(migrated_url)), create_engine(owner_of(migrated_url))
    fill(engine)
    with engine.begin() as connection:
        connection.execute(update(documents).values(state="moved"))
    schema.downgrade(database, "0012")
    with engine.begin() as connection:
        assert {row.state for row in connection.execute(select(documents.c.state))} == {"taken_back"}
    with pytest.raises(IntegrityError), engine.begin() as connection:
        connection.execute(update(documents).values(state="moved"))
    schema.upgrade(database, "0013")
    with engine.begin() as connection:
        connection.execute(update(documents).values(state="moved"))
    engine.dispose()


@pytest.mark.parametrize("state", ["gone", "", "Moved"])
def test_a_document_is_in_no_other_state(migrated_url: str, state: str) -> None:
    engine = create_engine(owner_of(migrated_url))
    fill(engine)
    with pytest.raises(IntegrityError), engine.begin() as connection:
        connection.execute(update(documents).values(state=state))
    engine.dispose()


@pytest.mark.parametrize("column", ["from_document_id", "to_document_id"])
def test_a_document_goes_and_comes_once(migrated_url: str, column: str) -> None:
    engine = create_engine(owner_of(migrated_url))
    fill(engine)
    with engine.begin() as connection:
        first = connection.execute(select(moves.c[column]).order_by(moves.c.id)).scalars().first()
    assert first is not None
    with pytest.raises(IntegrityError), engine.begin() as connection:
        connection.execute(update(moves).values({column: first}))
    engine.dispose()

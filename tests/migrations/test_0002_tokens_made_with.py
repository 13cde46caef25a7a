"""Revision 0002 with data: tokens that were there keep all they had, up and down."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from sqlalchemy import Engine, create_engine, inspect, select

from service.db import schema
from service.db.models import metadata, tokens
from service.db.session import Database
from tests.migrations.rows import a_row

LATER = {"made_with", "stepped_up_until", "seat_id"}
KEPT = [name for name in tokens.columns.keys() if name not in LATER]  # noqa: SIM118  # a collection, no dict


@pytest.fixture
def before(database_url: str) -> Iterator[Engine]:
    """A database at the revision before, with a row in every table."""
    schema.upgrade(Database(database_url), "0001")
    engine = create_engine(database_url)
    with engine.begin() as connection:
        tables = set(inspect(connection).get_table_names())
        for table in (each for each in metadata.sorted_tables if each.name in tables):
            there = {column["name"] for column in inspect(connection).get_columns(table.name)}
            row = {name: value for name, value in a_row(table, 1).items() if name in there}
            connection.execute(table.insert(), row)
    yield engine
    engine.dispose()


def _tokens(engine: Engine, *columns: str) -> list[tuple[Any, ...]]:
    with engine.connect() as connection:
        wanted = [tokens.columns[name] for name in columns or KEPT]
        return [tuple(row) for row in connection.execute(select(*wanted))]


def test_a_token_that_was_there_keeps_all_it_had_and_was_made_with_nobody_knows_which(
    before: Engine, database_url: str
) -> None:
    kept = _tokens(before)
    assert len(kept) == 1
    before.dispose()
    schema.upgrade(Database(database_url), "0002")
    assert _tokens(before) == kept
    assert _tokens(before, "made_with") == [(None,)]
    assert "ix_tokens_made_with" in {index["name"] for index in inspect(before).get_indexes("tokens")}
    before.dispose()
    schema.downgrade(Database(database_url), "0001")
    assert _tokens(before) == kept
    assert "made_with" not in {column["name"] for column in inspect(before).get_columns("tokens")}

"""Revision 0003 with data: everything that was there stays, up and down; what was on its way goes with its tables."""

from __future__ import annotations

from sqlalchemy import create_engine, inspect

from service.db import schema
from service.db.models import metadata
from service.db.session import Database
from tests.migrations.rows import a_row, as_it_is, fill_as_it_is

NEW = {"uploads", "upload_pieces"}


def test_everything_else_keeps_its_rows_up_and_down(database_url: str) -> None:
    schema.upgrade(Database(database_url), "0002")
    engine = create_engine(database_url)
    assert not NEW & set(inspect(engine).get_table_names())
    with engine.begin() as connection:
        fill_as_it_is(connection)
        before = as_it_is(connection)
    engine.dispose()
    schema.upgrade(Database(database_url), "0003")
    with engine.begin() as connection:
        for table in metadata.sorted_tables:
            if table.name in NEW:
                connection.execute(table.insert(), a_row(table, 1))
        assert as_it_is(connection, *NEW) == before
    engine.dispose()
    schema.downgrade(Database(database_url), "0002")
    assert not NEW & set(inspect(engine).get_table_names())
    with engine.connect() as connection:
        assert as_it_is(connection) == before
    engine.dispose()

"""Revision 0015 with data: nobody looked into what was there; what is found from then on comes and goes."""

from __future__ import annotations

from sqlalchemy import create_engine, select, update

from service.db import schema
from service.db.models import revisions
from service.db.session import Database
from tests.migrated import owner_of
from tests.migrations.rows import FIRMS, content, fill


def test_revisions_keep_their_rows_up_and_down_and_say_that_nobody_looked(migrated_url: str) -> None:
    database, engine = Database(owner_of(migrated_url)), create_engine(owner_of(migrated_url))
    schema.downgrade(database, "0014")
    fill(engine)
    before = content(engine)
    schema.upgrade(database, "0015")
    with engine.begin() as connection:
        assert [row.hidden for row in connection.execute(select(revisions.c.hidden))] == [None] * len(FIRMS)
        connection.execute(update(revisions).values(hidden="comments=3"))
    schema.downgrade(database, "0014")
    assert content(engine) == before
    schema.upgrade(database, "0015")
    engine.dispose()

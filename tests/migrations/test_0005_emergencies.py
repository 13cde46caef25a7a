"""Revision 0005 with data: everything that was there stays, up and down; emergencies go with their table."""

from __future__ import annotations

from sqlalchemy import create_engine, select, text

from service.db import schema
from service.db.models import emergencies
from service.db.session import Database
from tests.migrated import owner_of
from tests.migrations.rows import a_row, content, fill

_WALLS = """
SELECT relrowsecurity, relforcerowsecurity, ARRAY(SELECT polname::text FROM pg_policy WHERE polrelid = c.oid ORDER BY 1)
  FROM pg_class c WHERE relname = 'emergencies'"""


def test_everything_else_keeps_its_rows_up_and_down(migrated_url: str) -> None:
    database, engine = Database(owner_of(migrated_url)), create_engine(owner_of(migrated_url))
    schema.downgrade(database, "0004")
    fill(engine)
    before = content(engine)
    assert "emergencies" not in before
    engine.dispose()
    schema.upgrade(database, "0005")
    assert content(engine) == {**before, "emergencies": []}
    with engine.begin() as connection:
        connection.execute(emergencies.insert(), a_row(emergencies, 1))
        assert len(connection.execute(select(emergencies)).all()) == 1
    engine.dispose()
    schema.downgrade(database, "0004")
    assert content(engine) == before
    engine.dispose()


def test_a_firm_sees_its_own_emergencies_alone(migrated_postgres_url: str) -> None:
    owner = create_engine(owner_of(migrated_postgres_url))
    with owner.connect() as connection:
        assert tuple(connection.execute(text(_WALLS)).one()) == (True, True, ["firm", "owner"])
    owner.dispose()

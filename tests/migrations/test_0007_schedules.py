"""Revision 0007 with data: everything that was there stays, up and down; schedules go with their table."""

from __future__ import annotations

from sqlalchemy import create_engine, inspect, select, text

from service.db import schema
from service.db.models import schedules
from service.db.session import Database
from tests.migrated import owner_of
from tests.migrations.rows import a_row, content, fill

_WALLS = """
SELECT relrowsecurity, relforcerowsecurity, ARRAY(SELECT polname::text FROM pg_policy WHERE polrelid = c.oid ORDER BY 1)
  FROM pg_class c WHERE relname = 'schedules'"""


def test_everything_else_keeps_its_rows_up_and_down(migrated_url: str) -> None:
    database, engine = Database(owner_of(migrated_url)), create_engine(owner_of(migrated_url))
    schema.downgrade(database, "0006")
    fill(engine)
    before = content(engine)
    assert "schedules" not in before
    engine.dispose()
    schema.upgrade(database, "0007")
    assert content(engine) == {**before, "schedules": []}
    with engine.begin() as connection:
        connection.execute(schedules.insert(), a_row(schedules, 1))
        connection.execute(schedules.insert(), {**a_row(schedules, 2), "membership_id": None})
        assert len(connection.execute(select(schedules)).all()) == 2
    engine.dispose()
    schema.downgrade(database, "0006")
    assert content(engine) == before
    engine.dispose()


def test_what_a_decision_looks_up_has_its_index(migrated_url: str) -> None:
    engine = create_engine(owner_of(migrated_url))
    (found,) = inspect(engine).get_indexes("schedules")
    assert found["column_names"] == ["engagement_id", "membership_id"]
    engine.dispose()


def test_a_firm_sees_its_own_schedules_alone(migrated_postgres_url: str) -> None:
    owner = create_engine(owner_of(migrated_postgres_url))
    with owner.connect() as connection:
        assert tuple(connection.execute(text(_WALLS)).one()) == (True, True, ["firm", "owner"])
    owner.dispose()

"""Revision 0018 with data: everything stays, up and down; a limited seat is shut when its limit is forgotten."""

from __future__ import annotations

from typing import Any

from sqlalchemy import create_engine, select, update

from service.db import schema
from service.db.models import memberships
from service.db.session import Database
from tests.migrated import owner_of
from tests.migrations.rows import FIRMS, content, fill

BEFORE = "0017"


def _without(rows: Any) -> Any:
    return {name: found for name, found in rows.items() if name != "memberships"}


def test_everything_keeps_its_rows_up_and_down(migrated_url: str) -> None:
    database, engine = Database(owner_of(migrated_url)), create_engine(owner_of(migrated_url))
    schema.downgrade(database, BEFORE)
    fill(engine)
    before = content(engine)
    schema.upgrade(database, "0018")
    assert _without(content(engine)) == _without(before)
    with engine.begin() as connection:
        assert list(connection.execute(select(memberships.c.matter_id)).scalars()) == [None] * len(FIRMS)
    schema.downgrade(database, BEFORE)
    assert content(engine) == before
    engine.dispose()


def test_a_limited_seat_is_shut_before_its_limit_is_forgotten(migrated_url: str) -> None:
    database, engine = Database(owner_of(migrated_url)), create_engine(owner_of(migrated_url))
    schema.downgrade(database, BEFORE)
    fill(engine)
    schema.upgrade(database, "0018")
    with engine.begin() as connection:
        seats = sorted(connection.execute(select(memberships.c.id)).scalars())
        connection.execute(update(memberships).values(suspended=0))
        limited = update(memberships).where(memberships.c.id == seats[0])
        connection.execute(limited.values(matter_id="mtr_" + "0" * 32))
    schema.downgrade(database, BEFORE)
    with engine.begin() as connection:
        rows = connection.execute(select(memberships.c.id, memberships.c.suspended)).all()
    assert {row.id: row.suspended for row in rows} == {seat: int(seat == seats[0]) for seat in seats}
    engine.dispose()

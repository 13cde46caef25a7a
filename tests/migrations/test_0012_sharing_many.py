"""Revision 0012 with data: grants that were there stay as they were, made by hand; shares and bulk acts come and go."""

from __future__ import annotations

from typing import Any

import pytest
from sqlalchemy import create_engine, inspect, select, update
from sqlalchemy.exc import IntegrityError

from service.db import schema
from service.db.models import grants, metadata, standing_shares
from service.db.session import Database
from tests.migrated import owner_of
from tests.migrations.rows import FIRMS, a_row, content, fill

NEW = {"bulk_grants", "standing_shares"}


def _without(rows: Any, *tables: str) -> Any:
    return {name: found for name, found in rows.items() if name not in {*NEW, *tables}}


def test_everything_else_keeps_its_rows_up_and_down(migrated_url: str) -> None:
    database, engine = Database(owner_of(migrated_url)), create_engine(owner_of(migrated_url))
    schema.downgrade(database, "0012")
    schema.downgrade(database, "0011")
    assert not NEW & set(inspect(engine).get_table_names())
    fill(engine)
    before = content(engine)
    schema.upgrade(database, "0012")
    assert _without(content(engine), "grants") == _without(before, "grants")
    with engine.begin() as connection:
        made_with = connection.execute(select(grants.c.bulk_id, grants.c.standing_id)).all()
        assert [tuple(row) for row in made_with] == [(None, None)] * len(FIRMS)
        for name in sorted(NEW):
            connection.execute(metadata.tables[name].insert(), a_row(metadata.tables[name], 1))
    schema.downgrade(database, "0011")
    assert content(engine) == before
    engine.dispose()


@pytest.mark.parametrize(
    "change",
    [
        {"sensitivity": "privileged"},
        {"role": "paralegal"},  # beside a member
        {"membership_id": None},  # for nobody
        {"not_after": 0},
    ],
)
def test_a_standing_share_reaches_so_far_and_is_for_one_member_or_one_role(
    migrated_url: str, change: dict[str, Any]
) -> None:
    engine = create_engine(owner_of(migrated_url))
    fill(engine)
    with pytest.raises(IntegrityError), engine.begin() as connection:
        connection.execute(update(standing_shares).values(change))
    engine.dispose()

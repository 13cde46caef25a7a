"""Revision 0009 with data: what was there demands nothing more and stays; what was recorded goes down with it."""

from __future__ import annotations

from typing import Any

import pytest
from sqlalchemy import Table, create_engine, select, update
from sqlalchemy.exc import IntegrityError

from service.db import schema
from service.db.models import duties, engagements, grants, matters, standbys
from service.db.session import Database
from tests.migrated import owner_of
from tests.migrations.rows import FIRMS, a_row, content, fill

TOUCHED = {"engagements", "matters", "duties", "grants", "standbys"}


def _without(rows: Any) -> Any:
    return {name: found for name, found in rows.items() if name not in TOUCHED}


def test_everything_keeps_its_rows_up_and_down_and_what_was_recorded_is_forgotten(migrated_url: str) -> None:
    database, engine = Database(owner_of(migrated_url)), create_engine(owner_of(migrated_url))
    schema.downgrade(database, "0008")
    fill(engine)
    before = content(engine)
    schema.upgrade(database, "0009")
    assert _without(content(engine)) == _without(before)
    recorded = {**a_row(duties, 7), "id": "dut_7", "evidence_id": "dut_7", "firm_id": FIRMS[0], "waived": None}
    with engine.begin() as connection:
        for table in (engagements, matters):
            assert list(connection.execute(select(table.c.owed)).scalars()) == [0] * len(FIRMS)
        stands = connection.execute(select(duties.c.note, duties.c.waived, duties.c.recorded_by, duties.c.version))
        assert [tuple(row) for row in stands] == [(None, None, None, 1)] * len(FIRMS)
        connection.execute(duties.insert(), recorded)
        assert list(connection.execute(select(grants.c.standby_id)).scalars()) == [None] * len(FIRMS)
        connection.execute(standbys.insert(), a_row(standbys, 1))
    schema.downgrade(database, "0008")
    assert content(engine) == before
    engine.dispose()


@pytest.mark.parametrize(("table", "bits"), [(engagements, 16), (engagements, 1), (matters, 2), (matters, 1)])
def test_nobody_demands_what_is_not_his_to_demand(migrated_url: str, table: Table, bits: int) -> None:
    engine = create_engine(owner_of(migrated_url))
    fill(engine)
    with pytest.raises(IntegrityError), engine.begin() as connection:
        connection.execute(update(table).values(owed=bits))
    engine.dispose()


def test_there_is_one_waiver_a_subject_kind_and_engagement_and_any_number_of_evidence(migrated_url: str) -> None:
    engine = create_engine(owner_of(migrated_url))
    fill(engine)
    row = a_row(duties, 1)
    with engine.begin() as connection:
        connection.execute(duties.insert(), {**row, "id": "dut_a", "waived": None})
        connection.execute(duties.insert(), {**row, "id": "dut_b", "waived": None})
    with pytest.raises(IntegrityError), engine.begin() as connection:
        connection.execute(duties.insert(), {**row, "id": "dut_c", "waived": 1})
    engine.dispose()

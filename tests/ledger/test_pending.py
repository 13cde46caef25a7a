"""What a batch keeps back reaches the tables as if each row had been written at once."""

from __future__ import annotations

import asyncio
from functools import partial
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import select

from service.db.models import log_entries, log_intents
from service.db.session import Tx
from service.errors import BadStateError
from service.ledger import Job, Moment, Outcome
from service.ledger.pending import MOST_ROWS, Pending
from tests.ledger.desk import FIRM, Desk, adding, draft

_INDEXES = select(log_entries.c.idx).order_by(log_entries.c.idx)
_OPEN = select(log_intents.c.idx).order_by(log_intents.c.idx)


def _seen(tx: Tx, _moment: Moment) -> Outcome[int]:
    return Outcome(len(tx.all(_INDEXES)))


def _plain(number: int, _tx: Tx, _moment: Moment) -> Outcome[None]:
    return Outcome(None, (draft(number),))


def _writes_and_fails(tx: Tx, moment: Moment) -> Outcome[None]:
    adding(90)(tx, moment)
    tx.all(_INDEXES)  # what is pending is not written out into what this job is about to undo
    raise BadStateError


async def _together(desk: Desk, *jobs: Job[Any]) -> list[Any]:
    return list(await asyncio.gather(*(desk.ledger.submit(FIRM, job) for job in jobs), return_exceptions=True))


async def test_a_job_sees_the_entries_of_those_before_it_in_its_batch(desk: Desk) -> None:
    done = await _together(desk, *(partial(_plain, number) for number in range(5)), _seen)
    assert done[-1].result == 5


async def test_a_job_that_is_undone_takes_no_entry_of_another_with_it(desk: Desk) -> None:
    before, failing, after = partial(_plain, 1), _writes_and_fails, partial(_plain, 2)
    done = await _together(desk, before, before, failing, after, failing, after)
    assert [isinstance(each, BadStateError) for each in done] == [False, False, True, False, True, False]
    assert desk.vendors() == []
    assert len(desk.recorded()) == 4


@pytest.mark.parametrize("entries", [1, 2, 3, MOST_ROWS - 1, MOST_ROWS, MOST_ROWS + 1, 3 * MOST_ROWS + 7])
async def test_any_number_of_entries_is_written_in_order_with_all_their_intents(desk: Desk, entries: int) -> None:
    drafts = tuple(draft(number, announces=True, type="document.opening") for number in range(entries))
    await desk.ledger.submit(FIRM, lambda _tx, _moment: Outcome(None, drafts))
    with desk.database.read(FIRM) as tx:
        assert [row.idx for row in tx.all(_INDEXES)] == [row.idx for row in tx.all(_OPEN)] == list(range(entries))
    ends = tuple(
        draft(number, closes=number, type="document.opened", data={"of": number}) for number in range(0, entries, 2)
    )
    await desk.ledger.submit(FIRM, lambda _tx, _moment: Outcome(None, ends))
    with desk.database.read(FIRM) as tx:
        assert [row.idx for row in tx.all(_OPEN)] == list(range(1, entries, 2))
    assert len(desk.recorded()) == entries + len(ends)


@given(st.integers(0, 500))
def test_few_statements_write_many_rows(rows: int) -> None:
    class Counting:
        def __init__(self) -> None:
            self.sizes: list[int] = []

        def run_for_ledger(self, _statement: object, **params: object) -> None:
            self.sizes.append(len(params) - 1)

    counting = Counting()
    Pending(closed=[("log", number) for number in range(rows)]).write(counting)  # type: ignore[arg-type]  # counts only
    assert sum(counting.sizes) == rows
    assert len(counting.sizes) <= rows // MOST_ROWS + MOST_ROWS.bit_length()

"""What the writer leaves in the tables: tiles at their boundaries, chains, intents and their outcomes."""

from __future__ import annotations

from functools import partial

import pytest
from sqlalchemy import select, update

from audit.entry import decode
from audit.tiles import TILE_WIDTH
from service.db.models import log_entries, log_intents, log_tiles, logs
from service.db.session import Tx
from service.ledger import Draft, Moment, Outcome, SealedPayload
from tests.ledger.desk import ENGAGEMENTS, FIRM, Desk, adding, draft, vendor
from tests.logs import check_logs
from tests.scale import count

_TILES = select(log_tiles.c.level, log_tiles.c.idx).order_by(log_tiles.c.level, log_tiles.c.idx)
_INTENTS = select(log_intents)


def _tiles(desk: Desk) -> list[tuple[int, int]]:
    with desk.database.read(FIRM) as tx:
        return [tuple(row) for row in tx.all(_TILES)]


def _leaving(drafts: tuple[Draft, ...], _tx: Tx, _moment: Moment) -> Outcome[None]:
    return Outcome(None, drafts)


async def _fill(desk: Desk, entries: int) -> None:
    """Let the log grow by so many entries, some of them in one job."""
    while entries:
        some = min(entries, 100)
        drafts = tuple(draft(number) for number in range(some))
        await desk.ledger.submit(FIRM, partial(_leaving, drafts))
        entries -= some


async def test_a_tile_is_there_with_its_256th_entry_and_not_before(desk: Desk) -> None:
    await _fill(desk, TILE_WIDTH - 1)
    assert _tiles(desk) == []
    await desk.add(1)
    assert _tiles(desk) == [(0, 0)]
    await _fill(desk, TILE_WIDTH - 1)
    assert _tiles(desk) == [(0, 0)]
    await desk.add(2)
    assert _tiles(desk) == [(0, 0), (0, 1)]
    check_logs(desk.database)


async def test_a_job_that_crosses_a_tile_writes_it_whole(desk: Desk) -> None:
    await _fill(desk, TILE_WIDTH - 3)
    await desk.ledger.submit(FIRM, lambda _tx, _moment: Outcome(None, tuple(draft(i) for i in range(7))))
    assert _tiles(desk) == [(0, 0)]
    assert len(check_logs(desk.database)[FIRM]) == TILE_WIDTH + 4


@pytest.mark.long
async def test_the_65536th_entry_completes_a_tile_of_the_second_level(desk: Desk) -> None:
    await _fill(desk, TILE_WIDTH * TILE_WIDTH - 1)
    assert (1, 0) not in _tiles(desk)
    await desk.add(1)
    assert (1, 0) in _tiles(desk)
    check_logs(desk.database)


async def test_a_tile_of_a_batch_that_failed_is_written_with_the_next(desk: Desk) -> None:
    await _fill(desk, TILE_WIDTH - 1)
    desk.database.faults.plan("commit", desk.database.error)
    with pytest.raises(Exception, match="ledger_unavailable"):
        await desk.add(1)
    assert _tiles(desk) == []
    await desk.add(1)
    assert _tiles(desk) == [(0, 0)]
    check_logs(desk.database)


async def test_the_chain_of_an_engagement_runs_on_across_jobs_and_batches(desk: Desk) -> None:
    for number in range(1, 3 * len(ENGAGEMENTS), 2):
        await desk.add(number, draft(number), draft(number), draft(0), draft(number + 2))
    entries = [e for e in check_logs(desk.database)[FIRM] if (e.subjects or {}).get("engagement") == ENGAGEMENTS[1]]
    assert [entry.eseq for entry in entries] == list(range(len(entries)))
    assert entries[0].eprev == "0" * 64
    assert len(entries) > 3


async def test_a_refused_neighbour_leaves_no_gap_in_a_chain(desk: Desk) -> None:
    def failing(_tx: Tx, _moment: Moment) -> Outcome[None]:
        raise ZeroDivisionError

    await desk.add(1)
    with pytest.raises(ZeroDivisionError):
        await desk.ledger.submit(FIRM, failing)
    await desk.add(3, draft(1))
    assert [entry.eseq for entry in check_logs(desk.database)[FIRM]] == [0, 1]


async def test_an_intent_is_open_until_its_outcome_and_names_who_announced_it(desk: Desk) -> None:
    announced = await desk.add(1, draft(1, type="document.opening", outcome="allowed", announces=True))
    with desk.database.read(FIRM) as tx:
        [row] = tx.all(_INTENTS)
    assert (row.idx, row.engagement_id) == (announced.indexes[0], ENGAGEMENTS[1])
    assert row.instance.startswith("req_")
    check_logs(desk.database)
    await desk.add(3, draft(3, type="document.opened", closes=0, data={"of": 0}))
    with desk.database.read(FIRM) as tx:
        assert tx.all(_INTENTS) == []
    check_logs(desk.database)


async def test_a_payload_lies_beside_its_entry_and_only_its_commitment_in_it(desk: Desk) -> None:
    payload = SealedPayload("ab" * 32, b"sealed names", "per_" + "1" * 32)
    await desk.add(1, draft(1, payload=payload))
    with desk.database.read(FIRM) as tx:
        [row] = tx.all(select(log_entries))
    assert (row.payload, row.payload_holder) == (b"sealed names", payload.holder)
    assert decode(row.body).payload == payload.commitment
    assert b"sealed" not in row.body


def _shorten(tx: Tx, _moment: Moment) -> Outcome[int]:
    tx.turn_to(FIRM)
    return Outcome(tx.run(update(logs).values(size=0)))


async def test_a_log_whose_head_was_tampered_with_takes_no_entry(desk: Desk) -> None:
    """The head says less than there is: the place is taken, and entries are written once."""
    await desk.add(1)
    await desk.ledger.submit("", _shorten)
    with pytest.raises(Exception, match="ledger_unavailable"):
        await desk.add(2)
    assert desk.vendors() == [vendor(1)]


async def test_what_a_job_sees_as_the_logs_size_is_the_place_of_its_entry(desk: Desk) -> None:
    seen = []

    def looking(tx: Tx, moment: Moment) -> Outcome[int]:
        seen.append(tx.log_size)
        return adding(len(seen))(tx, moment)

    places = [(await desk.ledger.submit(FIRM, looking)).indexes[0] for _ in range(count(60))]
    assert places == seen

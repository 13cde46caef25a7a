"""The ledger as its callers see it: order, shared commits, refusals, faults, two writers, the end."""

from __future__ import annotations

import asyncio
import threading
from typing import Any

import psycopg
import pytest
from sqlalchemy import insert, select

from audit.errors import EntryError
from service.db.ids import new_id
from service.db.models import vendors
from service.db.session import Tx
from service.errors import (
    BadStateError,
    ClockBehindError,
    LedgerUnavailableError,
    NotFoundError,
    OutcomeUnknownError,
    UnauthenticatedError,
)
from service.ledger import NO_LOG, Ledger, Moment, Outcome, Refused
from service.ledger.fate import PAUSES_S
from service.ledger.ledger import BATCH_JOBS
from service.ledger.writer import ATTEMPTS
from tests.fakes.database import FaultyDatabase
from tests.ledger.desk import FIRM, OTHER_FIRM, Desk, adding, draft, vendor
from tests.logs import check_logs
from tests.scale import count
from tests.world import START_MS


def _blocked(desk: Desk) -> threading.Event:
    """Keep the writer busy until the event is set, so that what comes meanwhile waits together."""
    begun, go = threading.Event(), threading.Event()

    def job(_tx: Tx, _moment: Moment) -> Outcome[None]:
        begun.set()
        go.wait(10)
        return Outcome(None)

    desk.ledger.post(NO_LOG, job)
    begun.wait(10)
    return go


async def _together(desk: Desk, *jobs: Any) -> list[Any]:
    """Hand in jobs so that they share a batch; the errors are among the answers."""
    go = _blocked(desk)
    asked = [asyncio.ensure_future(desk.ledger.submit(FIRM, job)) for job in jobs]
    await asyncio.sleep(0.01)
    go.set()
    return list(await asyncio.gather(*asked, return_exceptions=True))


async def test_change_facts_and_entry_are_there_together(desk: Desk) -> None:
    recorded = await desk.add(1, draft(1, facts=("assigned", "live"), rule="policy.csv:7"))
    assert desk.vendors() == desk.recorded() == [vendor(1)]
    [entry] = check_logs(desk.database)[FIRM]
    assert (recorded.result, recorded.indexes, entry.facts) == (1, (0,), ("assigned", "live"))
    assert recorded.moment.ms == entry.time == START_MS


async def test_an_entry_that_cannot_be_written_takes_its_change_along(desk: Desk) -> None:
    desk.database.faults.plan("commit", desk.database.error)
    with pytest.raises(LedgerUnavailableError):
        await desk.add(1)
    assert desk.vendors() == desk.recorded() == []


async def test_log_order_is_decision_order_with_many_callers(desk: Desk) -> None:
    decided: list[int] = []

    def deciding(number: int) -> Any:
        job = adding(number)

        def decide(tx: Tx, moment: Moment) -> Outcome[int]:
            decided.append(number)
            return job(tx, moment)

        return decide

    jobs = count(6000)
    answers = await asyncio.gather(*(desk.ledger.submit(FIRM, deciding(number)) for number in range(jobs)))
    assert [answer.result for answer in answers] == list(range(jobs))
    assert desk.recorded() == [vendor(number) for number in decided]
    assert all(decided[answer.indexes[0]] == answer.result for answer in answers)


async def test_waiting_jobs_share_one_commit(desk: Desk) -> None:
    before = desk.database.commits
    answers = await _together(desk, *(adding(number) for number in range(BATCH_JOBS)))
    assert [answer.result for answer in answers] == list(range(BATCH_JOBS))
    assert desk.database.commits - before == 2  # that of the job that kept the writer busy, and one for all the others


async def test_a_batch_is_bounded(desk: Desk) -> None:
    before = desk.database.commits
    await _together(desk, *(adding(number) for number in range(BATCH_JOBS + 1)))
    assert desk.database.commits - before == 3


async def test_a_failing_job_is_rolled_back_alone_and_its_neighbours_are_answered(desk: Desk) -> None:
    def failing(tx: Tx, moment: Moment) -> Outcome[int]:
        adding(2)(tx, moment)
        raise ZeroDivisionError

    first, broken, last = await _together(desk, adding(1), failing, adding(3))
    assert (first.result, last.result) == (1, 3)
    assert isinstance(broken, ZeroDivisionError)
    assert desk.vendors() == desk.recorded() == [vendor(1), vendor(3)]


async def test_a_refused_job_leaves_its_entry_and_not_its_change(desk: Desk) -> None:
    def refused(tx: Tx, moment: Moment) -> Outcome[int]:
        adding(2)(tx, moment)
        raise Refused(NotFoundError(), (draft(2, outcome="refused"),))

    _, answer, _ = await _together(desk, adding(1), refused, adding(3))
    assert isinstance(answer, NotFoundError)
    assert desk.vendors() == [vendor(1), vendor(3)]
    assert desk.recorded() == [vendor(1), vendor(2), vendor(3)]


async def test_a_draft_too_large_to_encode_fails_only_its_job(desk: Desk) -> None:
    large = draft(2, data={"words": ["x" * 100] * 60})
    _, answer, _ = await _together(desk, adding(1), adding(2, draft(4), large), adding(3))
    assert isinstance(answer, EntryError)
    assert desk.vendors() == desk.recorded() == [vendor(1), vendor(3)]


async def test_text_that_the_driver_cannot_send_fails_only_its_job(desk: Desk) -> None:
    def with_nul(tx: Tx, moment: Moment) -> Outcome[int]:
        tx.run(insert(vendors), id="vnd_\0", firm_id=FIRM, name=b"", created_at=moment.s)
        raise BadStateError  # where the database takes it

    first, answer, last = await _together(desk, adding(1), with_nul, adding(3))
    assert (first.result, last.result) == (1, 3)
    assert isinstance(answer, Exception)
    assert not isinstance(answer, LedgerUnavailableError)
    assert desk.vendors() == desk.recorded() == [vendor(1), vendor(3)]


@pytest.mark.parametrize("operation", ["begin", "execute", "commit"])
async def test_when_a_batch_fails_nobody_is_told_done_and_the_next_goes_on_afresh(desk: Desk, operation: str) -> None:
    await desk.add(1)
    go, connections = _blocked(desk), desk.database.connections
    asked = [asyncio.ensure_future(desk.add(number)) for number in range(2, 12)]
    await asyncio.sleep(0.01)
    if operation == "commit":
        desk.database.faults.plan("commit", desk.database.error)  # the busy one's
    desk.database.faults.plan(operation, desk.database.error)
    go.set()
    answers = await asyncio.gather(*asked, return_exceptions=True)
    assert all(isinstance(answer, LedgerUnavailableError) for answer in answers)
    assert desk.vendors() == desk.recorded() == [vendor(1)]
    assert (await desk.add(20)).result == 20
    assert desk.database.connections > connections
    assert desk.vendors()[-1] == desk.recorded()[-1] == vendor(20)


async def test_a_commit_whose_answer_is_lost_is_looked_for_and_told_as_done(desk: Desk) -> None:
    await desk.add(1)
    desk.database.faults.plan("commit", desk.database.error, stored=True)
    recorded = await desk.add(2, draft(2, ends_access=True), draft(3))
    assert (recorded.result, recorded.indexes) == (2, (1, 2))
    assert desk.ledger.endings == 1
    assert desk.vendors() == [vendor(1), vendor(2)]
    assert desk.recorded() == [vendor(1), vendor(2), vendor(3)]
    assert (await desk.add(3)).indexes == (3,)


async def test_a_commit_that_failed_is_told_as_such_and_another_may_have_its_place(desk: Desk) -> None:
    await desk.add(1)
    desk.database.faults.plan("commit", desk.database.error)
    with pytest.raises(LedgerUnavailableError) as told:
        await desk.add(2)
    assert not isinstance(told.value, OutcomeUnknownError)
    assert (await desk.add(3)).indexes == (1,)
    assert desk.vendors() == desk.recorded() == [vendor(1), vendor(3)]


@pytest.mark.parametrize("stored", [True, False])
async def test_while_the_database_stays_away_a_lost_answer_is_told_as_unknown(desk: Desk, stored: bool) -> None:
    desk.database.faults.plan("commit", desk.database.error, stored=stored)
    desk.database.faults.plan("connect", desk.database.error, times=len(PAUSES_S))
    with pytest.raises(OutcomeUnknownError):
        await desk.add(1, draft(1, ends_access=True))
    assert desk.ledger.endings == 1  # perhaps: whoever reads is decided again
    assert desk.vendors() == desk.recorded() == ([vendor(1)] if stored else [])


async def test_a_lost_answer_of_a_change_without_an_entry_is_told_as_unknown(desk: Desk) -> None:
    def silently(tx: Tx, moment: Moment) -> Outcome[None]:
        adding(1)(tx, moment)
        return Outcome(None)

    desk.database.faults.plan("commit", desk.database.error, stored=True)
    with pytest.raises(OutcomeUnknownError):
        await desk.ledger.submit(FIRM, silently)


async def test_a_lost_answer_of_jobs_that_changed_nothing_is_told_as_nothing_happened(desk: Desk) -> None:
    desk.database.faults.plan("commit", desk.database.error, stored=True)
    with pytest.raises(LedgerUnavailableError) as told:
        await desk.ledger.submit(FIRM, lambda _tx, _moment: Outcome(None))
    assert not isinstance(told.value, OutcomeUnknownError)


async def test_a_lost_answer_is_told_by_what_each_job_came_to(desk: Desk) -> None:
    def refused(_tx: Tx, _moment: Moment) -> Outcome[int]:
        raise Refused(NotFoundError(), (draft(2, outcome="refused"),))

    desk.database.fail_commit(after=1, stored=True)  # not that of the job which keeps the writer busy
    first, no, last = await _together(desk, adding(1), refused, adding(3))
    assert (first.result, last.result) == (1, 3)
    assert isinstance(no, NotFoundError)
    assert desk.recorded() == [vendor(1), vendor(2), vendor(3)]


@pytest.mark.parametrize("error", [psycopg.errors.SerializationFailure, psycopg.errors.DeadlockDetected])
@pytest.mark.parametrize("operation", ["execute", "commit"])
async def test_a_batch_that_the_database_undid_is_run_again(desk: Desk, operation: str, error: type[Exception]) -> None:
    await desk.add(1)
    go, connections = _blocked(desk), desk.database.connections
    asked = [asyncio.ensure_future(desk.add(number)) for number in range(2, 12)]
    await asyncio.sleep(0.01)
    desk.database.faults.plan(operation, error, times=ATTEMPTS - 1)
    go.set()
    assert [answer.result for answer in await asyncio.gather(*asked)] == list(range(2, 12))
    assert desk.database.connections == connections
    assert desk.recorded() == [vendor(number) for number in range(1, 12)]


async def test_a_batch_that_is_undone_again_and_again_is_told_as_unavailable(desk: Desk) -> None:
    desk.database.faults.plan("execute", psycopg.errors.SerializationFailure, times=ATTEMPTS)
    with pytest.raises(LedgerUnavailableError):
        await desk.add(1)
    assert desk.vendors() == desk.recorded() == []
    await desk.add(2)


async def test_without_a_database_every_caller_is_told_and_it_recovers_by_itself(desk: Desk) -> None:
    desk.database.faults.plan("commit", desk.database.error)
    desk.database.faults.plan("connect", desk.database.error, times=len(PAUSES_S) + 2)
    for _ in range(3):
        with pytest.raises(LedgerUnavailableError):
            await desk.add(1)
    assert (await desk.add(1)).indexes == (0,)
    assert desk.recorded() == [vendor(1)]


async def test_time_never_goes_back_and_a_clock_far_behind_is_refused(desk: Desk) -> None:
    await desk.add(1)
    desk.clock.now_ms -= 5_000
    assert (await desk.add(2)).moment.ms == START_MS  # a little behind: the log's own time
    desk.clock.now_ms -= 1
    with pytest.raises(ClockBehindError):
        await desk.add(3)
    assert desk.vendors() == desk.recorded() == [vendor(1), vendor(2)]
    desk.clock.now_ms = START_MS + 1
    assert (await desk.add(3)).moment.ms == START_MS + 1
    assert desk.recorded() == [vendor(1), vendor(2), vendor(3)]


async def test_a_log_that_is_not_there_is_nobodys(desk: Desk) -> None:
    with pytest.raises(UnauthenticatedError):
        await desk.ledger.submit("frm_" + "c" * 32, adding(1))
    assert desk.vendors() == []


async def test_a_job_without_a_log_may_not_leave_entries(desk: Desk) -> None:
    with pytest.raises(LedgerUnavailableError):
        await desk.ledger.submit("", adding(1))
    assert desk.vendors() == []


async def test_each_log_has_its_own_places(desk: Desk) -> None:
    jobs = [(FIRM, adding(n)) if n % 3 else (OTHER_FIRM, adding(n, firm_id=OTHER_FIRM)) for n in range(30)]
    await asyncio.gather(*(desk.ledger.submit(log_id, job) for log_id, job in jobs))
    assert desk.recorded() == [vendor(n) for n in range(30) if n % 3]
    assert desk.recorded(OTHER_FIRM) == [vendor(n) for n in range(30) if not n % 3]


async def test_jobs_of_two_firms_in_one_batch_see_each_their_own_rows_on_postgres(desk: Desk) -> None:
    """Also after a neighbour of the other firm was refused, failed, or was rolled back after writing."""
    seen: list[tuple[str, set[str]]] = []

    def looking(firm_id: str, number: int, how: str) -> Any:
        def job(tx: Tx, moment: Moment) -> Outcome[None]:
            if how != "reads":
                adding(number, firm_id=firm_id)(tx, moment)
            seen.append((firm_id, {row.firm_id for row in tx.all(select(vendors.c.firm_id))}))
            if how == "refused":
                raise Refused(NotFoundError(), (draft(number, outcome="refused"),))
            if how == "fails":
                raise ZeroDivisionError
            return Outcome(None, (draft(number),))

        return job

    for number, firm_id in enumerate((FIRM, OTHER_FIRM)):
        await desk.ledger.submit(firm_id, adding(number, firm_id=firm_id))
    before, go = desk.database.commits, _blocked(desk)
    hows = ("reads", "writes", "refused", "fails")
    asked = [
        asyncio.ensure_future(desk.ledger.submit(firm_id, looking(firm_id, 10 + number, hows[number % 4])))
        for number, firm_id in enumerate((FIRM, OTHER_FIRM) * 8)
    ]
    await asyncio.sleep(0.01)
    go.set()
    await asyncio.gather(*asked, return_exceptions=True)
    assert desk.database.commits - before == 2
    assert len(seen) == len(asked)
    if not desk.database.is_sqlite:
        assert all(found == {firm_id} for firm_id, found in seen)
    check_logs(desk.database)


async def test_a_job_that_forgets_its_firm_writes_nothing_into_another_on_postgres(desk: Desk) -> None:
    if desk.database.is_sqlite:
        return
    with pytest.raises(LedgerUnavailableError):
        await desk.ledger.submit(FIRM, adding(1, firm_id=OTHER_FIRM))
    assert desk.vendors() == []
    assert check_logs(desk.database)[OTHER_FIRM] == []


async def test_two_processes_make_one_valid_log(desk: Desk, migrated_url: str) -> None:
    database = FaultyDatabase(migrated_url)
    second = Ledger(database, desk.clock, new_id("req", 1, bytes))
    second.start()
    jobs = 2 * count(1000)
    try:
        ledgers = (desk.ledger, second)
        answers = await asyncio.gather(*(ledgers[n % 2].submit(FIRM, adding(n)) for n in range(jobs)))
    finally:
        second.stop()
        database.close()
    order = {answer.indexes[0]: answer.result for answer in answers}
    assert desk.recorded() == [vendor(order[index]) for index in range(jobs)]


async def test_endings_grow_only_once_they_are_durable(desk: Desk) -> None:
    await desk.add(1)
    assert desk.ledger.endings == 0
    desk.database.faults.plan("commit", desk.database.error)
    with pytest.raises(LedgerUnavailableError):
        await desk.add(2, draft(2, ends_access=True))
    assert desk.ledger.endings == 0
    await desk.add(2, draft(2, ends_access=True), draft(3, ends_access=True))
    assert desk.ledger.endings == 2


async def test_stop_writes_what_waits_and_refuses_what_comes_later(desk: Desk) -> None:
    go = _blocked(desk)
    asked = [asyncio.ensure_future(desk.add(number)) for number in range(200)]
    await asyncio.sleep(0.01)
    desk.ledger.post(FIRM, adding(500))
    go.set()
    await asyncio.to_thread(desk.ledger.stop)
    assert [answer.result for answer in await asyncio.gather(*asked)] == list(range(200))
    assert desk.recorded() == [vendor(number) for number in (*range(200), 500)]
    with pytest.raises(LedgerUnavailableError):
        await desk.add(1000)
    desk.ledger.post(FIRM, adding(1000))  # nobody waits: nothing is raised
    assert vendor(1000) not in desk.vendors()


async def test_whoever_asks_while_it_stops_is_answered(desk: Desk) -> None:
    """No job may slip in behind the end of the queue: its caller would wait for ever."""
    go = _blocked(desk)
    stopping = asyncio.ensure_future(asyncio.to_thread(desk.ledger.stop))
    await asyncio.sleep(0.02)
    with pytest.raises(LedgerUnavailableError):
        await asyncio.wait_for(desk.add(1), 5)
    go.set()
    await stopping


async def test_a_caller_who_gives_up_leaves_his_record(desk: Desk) -> None:
    go = _blocked(desk)
    asked = asyncio.ensure_future(desk.add(1))
    await asyncio.sleep(0.01)
    asked.cancel()
    go.set()
    await desk.add(3)
    assert desk.recorded() == [vendor(1), vendor(3)]


def test_a_thread_without_a_loop_gets_results_and_errors(desk: Desk) -> None:
    assert desk.ledger.run(FIRM, adding(1)).result == 1
    with pytest.raises(UnauthenticatedError):
        desk.ledger.run("frm_" + "c" * 32, adding(2))


async def test_a_posted_job_that_fails_is_logged_without_its_words(
    desk: Desk, caplog: pytest.LogCaptureFixture
) -> None:
    def failing(_tx: Tx, _moment: Moment) -> Outcome[None]:
        raise BadStateError("canary words")

    desk.ledger.post(FIRM, failing)
    await desk.add(1)
    assert "an outcome could not be recorded" in caplog.text
    assert "canary" not in caplog.text

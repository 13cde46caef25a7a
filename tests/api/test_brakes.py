"""Brakes over HTTP: who opens too much within an hour is slowed, then suspended; an attorney sees and resumes him."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from typing import Any

import pytest
from sqlalchemy import func, select

from service import downloads
from service.acts import Caller
from service.brakes import forgetting
from service.db.models import openings
from service.db.session import Database
from service.errors import NotFoundError
from service.ledger import Ledger
from service.tokens import parse
from tests.api.entries import another_firm, entries
from tests.doctor.tampering import tamper
from tests.world import Engagement, Person, findings

KIB = 1024
WIDE = {"slow_documents": 1000, "slow_bytes": 1 << 40, "stop_documents": 2000, "stop_bytes": 1 << 41}


@pytest.fixture
def waited(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """How long bodies were made to wait, in seconds; nobody really waits."""
    found: list[float] = []

    async def pause(seconds: float) -> None:
        found.append(round(seconds, 3))

    monkeypatch.setattr(downloads, "pause", pause)
    return found


async def _set(engagement: Engagement, **marks: int) -> None:
    path = f"/engagements/{engagement.id}/brakes"
    await engagement.attorney.change("PUT", path, {**WIDE, **marks})


async def _papers(engagement: Engagement, seat: Person, count: int, size: int = KIB) -> list[str]:
    found = [(await engagement.document(b"x" * size))["document_id"] for _ in range(count)]
    for each in found:
        await engagement.grant(seat, each)
    return [f"/documents/{each}/content" for each in found]


async def _member(engagement: Engagement, seat: Person) -> Any:
    listed = (await engagement.attorney.get(f"/engagements/{engagement.id}/members"))["items"]
    return next(each for each in listed if each["id"] == seat.membership_id)


def _counted(engagement: Engagement) -> tuple[int, int]:
    with engagement.world.services.database.read(engagement.world.firm_id) as tx:
        row = tx.one(select(func.sum(openings.c.counted).label("n"), func.sum(openings.c.size_bytes).label("b")))
    return int(row.n or 0), int(row.b or 0)


# Slowing --------------------------------------------------------------------------------------------------------------


async def test_above_the_lower_mark_each_body_waits_longer(engagement: Engagement, waited: list[float]) -> None:
    seat = await engagement.member()
    papers = await _papers(engagement, seat, 6)
    await _set(engagement, slow_documents=2, stop_documents=6)
    for each in papers:
        await seat.get(each)
    assert waited == [5.75, 10.5, 15.25, 20.0]
    await seat.get(papers[0])  # not one more, and not one less
    assert waited[4:] == [20.0]


async def test_bytes_count_like_documents(engagement: Engagement, waited: list[float]) -> None:
    seat = await engagement.member()
    [paper] = await _papers(engagement, seat, 1, 10 * KIB)
    await _set(engagement, slow_bytes=20 * KIB, stop_bytes=40 * KIB)
    for _ in range(4):
        await seat.get(paper)
    assert waited == [10.5, 20.0]
    assert (await seat.ask("GET", paper)).status_code == 404
    assert (await _member(engagement, seat))["brake"]["size_bytes"] == 50 * KIB


async def test_many_ranges_are_one_document_and_the_bytes_that_were_sent(
    engagement: Engagement, waited: list[float]
) -> None:
    seat = await engagement.member()
    papers = await _papers(engagement, seat, 2, 10 * KIB)
    await _set(engagement, slow_documents=1)
    for start in range(0, 100, 10):
        found = await seat.ask("GET", papers[0], headers={"range": f"bytes={start}-{start + 9}"})
        assert found.status_code == 206
    assert _counted(engagement) == (1, 100)
    assert waited == []
    await seat.get(papers[1])
    assert len(waited) == 1


async def test_what_announces_no_bytes_counts_nothing(engagement: Engagement) -> None:
    seat = await engagement.member()
    [paper] = await _papers(engagement, seat, 1)
    tag = (await seat.ask("HEAD", paper)).headers["etag"]
    assert (await seat.ask("GET", paper, headers={"if-none-match": tag})).status_code == 304
    assert (await seat.ask("GET", paper, headers={"range": "bytes=99999-"})).status_code == 416
    assert _counted(engagement) == (0, 0)


async def test_bytes_that_never_left_are_given_back(engagement: Engagement) -> None:
    seat = await engagement.member()
    [paper] = await _papers(engagement, seat, 1, 700 * KIB)
    caller = Caller(parse(seat.token), "req_" + "0" * 32)
    opened = await downloads.open_document(engagement.world.services, caller, paper.split("/")[2])
    assert isinstance(opened, downloads.Download)
    assert _counted(engagement) == (1, 700 * KIB)
    pieces = opened.pieces()
    sent = len(await anext(pieces))
    await pieces.aclose()
    await seat.get("/me")  # behind the outcome in the queue
    assert _counted(engagement) == (1, sent)


async def test_access_that_ends_while_a_body_waits_ends_it(
    engagement: Engagement, monkeypatch: pytest.MonkeyPatch
) -> None:
    seat, lead = await engagement.member(), engagement.attorney
    papers = await _papers(engagement, seat, 2)
    await _set(engagement, slow_documents=1)

    async def pause(_seconds: float) -> None:
        path = f"/members/{seat.membership_id}"
        await lead.change("POST", f"{path}/suspension", match=path)

    monkeypatch.setattr(downloads, "pause", pause)
    await seat.get(papers[0])
    refused = await seat.ask("GET", papers[1])
    assert (refused.status_code, refused.json()["code"]) == (403, "access_ended")
    await lead.get("/me")
    outcome = [each for each in entries(engagement.world) if each["type"] == "document.opened"][-1]
    assert (outcome["outcome"], outcome["data"]["bytes"]) == ("aborted", 0)


async def test_a_body_that_waits_holds_up_nobody_else(engagement: Engagement, monkeypatch: pytest.MonkeyPatch) -> None:
    seat, other = await engagement.member(), await engagement.member()
    papers = await _papers(engagement, seat, 2)
    await engagement.grant(other, papers[0].split("/")[2])
    await _set(engagement, slow_documents=1)
    going = asyncio.Event()

    async def pause(_seconds: float) -> None:
        await going.wait()

    monkeypatch.setattr(downloads, "pause", pause)
    await seat.get(papers[0])
    waiting = asyncio.create_task(seat.get(papers[1]))
    for _ in range(3):
        await other.get(papers[0])
    assert not waiting.done()
    going.set()
    assert await waiting == b"x" * KIB


# Suspending -----------------------------------------------------------------------------------------------------------


async def test_over_the_higher_mark_the_service_suspends_and_the_attorney_sees_why(
    engagement: Engagement, waited: list[float]
) -> None:
    seat, world = await engagement.member(), engagement.world
    papers = await _papers(engagement, seat, 4)
    await _set(engagement, slow_documents=2, stop_documents=3)
    for each in papers[:3]:
        await seat.get(each)
    endings = world.services.ledger.endings
    unknown = await seat.ask("GET", f"/documents/doc_{'0' * 32}/content")
    for each in (papers[3], papers[0], f"/documents/{papers[0].split('/')[2]}"):
        refused = await seat.ask("GET", each)
        assert refused.status_code == 404
        assert {**refused.json(), "instance": ""} == {**unknown.json(), "instance": ""}
    assert world.services.ledger.endings > endings  # his open bodies are decided again
    assert (await seat.get("/me"))["membership"]["suspended"] is True
    member = await _member(engagement, seat)
    assert member["state"] == "suspended"
    assert (member["brake"]["documents"], member["brake"]["size_bytes"]) == (4, 4 * KIB)
    [entry] = [each for each in entries(world) if each["type"] == "member.braked"]
    assert entry["actor"] == {"system": "brake"}
    assert entry["subjects"] == {
        "engagement": engagement.id,
        "membership": seat.membership_id,
        "person": seat.person_id,
    }
    assert (entry["data"]["documents"], entry["data"]["stop_documents"], entry["data"]["suspended"]) == (4, 3, True)
    opening = [each for each in entries(world) if each["type"] == "document.opening"]
    assert len(opening) == 3  # the one that was too much was never announced
    assert await findings(world.services) == []
    assert len(waited) == 1
    tamper(world.services.database, "UPDATE memberships SET braked_documents = 1 WHERE id = ?", seat.membership_id)
    [found] = await findings(world.services)
    assert (found.code, found.differs) == ("membership_changed", ("braked_documents: row 1, log 4",))


async def test_resumed_he_begins_anew(engagement: Engagement, waited: list[float]) -> None:
    seat, lead = await engagement.member(), engagement.attorney
    papers = await _papers(engagement, seat, 3)
    await _set(engagement, slow_documents=1, stop_documents=2)
    for each in papers:
        await seat.ask("GET", each)
    path = f"/members/{seat.membership_id}"
    resumed = await lead.change("DELETE", f"{path}/suspension", match=path)
    assert (resumed["state"], resumed["brake"]) == ("running", None)
    assert _counted(engagement) == (0, 0)
    waited.clear()
    await seat.get(papers[2])
    assert waited == []
    await seat.get(papers[1])
    await seat.get(papers[0], 404)
    assert await findings(engagement.world.services) == []


async def test_a_suspension_by_hand_tells_of_no_brake(engagement: Engagement) -> None:
    seat, path = await engagement.member(), ""
    path = f"/members/{seat.membership_id}"
    suspended = await engagement.attorney.change("POST", f"{path}/suspension", match=path)
    assert (suspended["state"], suspended["brake"]) == ("suspended", None)


async def test_an_hour_later_it_counts_no_more_and_is_deleted(engagement: Engagement, waited: list[float]) -> None:
    seat, world = await engagement.member(), engagement.world
    papers = await _papers(engagement, seat, 4)
    await _set(engagement, slow_documents=1, stop_documents=2)
    await seat.get(papers[0])
    world.sleep(1800)
    await seat.get(papers[1])
    world.sleep(1800)
    await seat.get(papers[2])
    assert len(waited) == 2
    await forgetting.forget(world.services)
    assert _counted(engagement) == (2, 2 * KIB)
    world.sleep(3600)
    await forgetting.forget(world.services)
    await forgetting.forget(world.services)
    assert _counted(engagement) == (0, 0)


async def test_each_member_has_a_count_of_his_own_and_people_of_the_firm_none(
    engagement: Engagement, waited: list[float]
) -> None:
    first, second = await engagement.member(), await engagement.member()
    papers = await _papers(engagement, first, 2)
    for each in papers:
        await engagement.grant(second, each.split("/")[2])
    await _set(engagement, slow_documents=1, stop_documents=2)
    for seat in (first, second):
        await seat.get(papers[0])
    for _ in range(3):
        for each in papers:
            await engagement.attorney.get(each)
    assert waited == []
    assert _counted(engagement) == (2, 2 * KIB)


# Races ----------------------------------------------------------------------------------------------------------------


@pytest.fixture
async def beside(engagement: Engagement) -> AsyncIterator[Any]:
    """The same installation, as a second process would have it: a ledger and a connection of its own."""
    services = engagement.world.services
    database = Database(str(services.database.url.render_as_string(hide_password=False)))
    ledger = Ledger(database, services.clock, "req_" + "1" * 32)
    ledger.start()
    yield replace(services, database=database, ledger=ledger)
    ledger.stop()
    database.close()


async def test_at_once_and_from_two_processes_no_more_than_the_mark_gets_through(
    engagement: Engagement, beside: Any, waited: list[float]
) -> None:
    seat, world = await engagement.member(), engagement.world
    papers = await _papers(engagement, seat, 12)
    await _set(engagement, stop_documents=5, slow_documents=5)
    caller = Caller(parse(seat.token), "req_" + "0" * 32)

    async def opened(services: Any, path: str) -> bool:
        try:
            found = await downloads.open_document(services, caller, path.split("/")[2])
        except NotFoundError:
            return False
        assert isinstance(found, downloads.Download)
        await found.whole()
        found.post_outcome("done")
        return True

    both = (world.services, beside)
    results = await asyncio.gather(*(opened(services, each) for each in papers for services in both))
    await seat.get("/me")
    revisions = {each["subjects"]["revision"] for each in entries(world) if each["type"] == "document.opening"}
    assert len(revisions) == 5
    assert 5 <= sum(results) <= 10  # a document that counts already may be had from both
    assert len([each for each in entries(world) if each["type"] == "member.braked"]) == 1
    assert waited == []


# Setting --------------------------------------------------------------------------------------------------------------


async def test_marks_are_set_by_who_may_change_the_engagement_and_recorded(engagement: Engagement) -> None:
    lead, path = engagement.attorney, f"/engagements/{engagement.id}/brakes"
    stood = await lead.get(path)
    assert stood["stop_documents"] == 200
    response = await lead.ask("PUT", path, json=WIDE)
    assert response.status_code == 428
    assert (await lead.ask("PUT", path, json=WIDE, headers={"if-match": '"x"'})).status_code == 412
    assert (await lead.change("PUT", path, WIDE)) == {"engagement_id": engagement.id, **WIDE}
    [entry] = [each for each in entries(engagement.world) if each["type"] == "engagement.brakes_set"]
    assert (entry["data"]["stop_documents_before"], entry["data"]["stop_documents"]) == (200, 2000)
    await lead.change("PUT", path, {**WIDE, "slow_documents": 0, "stop_documents": 1})
    assert await findings(engagement.world.services) == []


async def test_nobody_else_sees_or_sets_them(engagement: Engagement) -> None:
    world, path = engagement.world, f"/engagements/{engagement.id}/brakes"
    seat, stranger = await engagement.member(), await world.attorney("Stranger")
    foreign = await (await another_firm(world)).attorney()
    for who, status in ((seat, 403), (world.owner, 403), (stranger, 404), (foreign, 404)):
        assert (await who.ask("GET", path)).status_code == status
        assert (await who.ask("PUT", path, json=WIDE, headers={"if-match": '"x"'})).status_code == status


@pytest.mark.parametrize(
    "wrong",
    [
        {"slow_documents": 3, "stop_documents": 2},
        {"slow_bytes": 3, "stop_bytes": 2},
        {"slow_documents": 0, "stop_documents": 0},
        {"slow_documents": -1},
        {"stop_documents": 1_000_001},
        {"stop_bytes": "1"},
        {"more": 1},
    ],
)
async def test_marks_of_another_form_or_out_of_order_are_refused(engagement: Engagement, wrong: dict[str, Any]) -> None:
    path = f"/engagements/{engagement.id}/brakes"
    await engagement.attorney.change("PUT", path, {**WIDE, **wrong}, 422)

"""Who can see what, and why: of a person, of a matter, at a time ahead, and behind a wall that is not raised yet."""

from __future__ import annotations

import json
from typing import Any

from sqlalchemy import select

from service.db.models import log_entries
from tests.world import DAY_S, Engagement, World, rfc3339


async def _shared(engagement: Engagement, count: int = 3) -> tuple[Any, list[str], list[Any]]:
    """A paralegal who was handed some papers, the first for viewing only."""
    seat = await engagement.member()
    papers = sorted([(await engagement.document(f"paper {n}".encode()))["document_id"] for n in range(count)])
    grants = [
        await engagement.grant(seat, paper, ("view",) if n == 0 else ("view", "download"))
        for n, paper in enumerate(papers)
    ]
    return seat, papers, grants


def _newest(world: World) -> Any:
    with world.services.database.read(world.firm_id) as tx:
        rows = tx.all(select(log_entries.c.idx, log_entries.c.body).where(log_entries.c.log_id == world.firm_id))
    return json.loads(max(rows, key=lambda row: row.idx).body)


def _size(world: World) -> int:
    with world.services.database.read(world.firm_id) as tx:
        return len(tx.all(select(log_entries.c.idx).where(log_entries.c.log_id == world.firm_id)))


async def test_of_a_person_each_paper_is_told_with_rule_facts_grant_and_giver(engagement: Engagement) -> None:
    seat, papers, grants = await _shared(engagement)
    await engagement.document(b"never handed out")
    before = _size(engagement.world)
    told = await engagement.attorney.get(f"/people/{seat.person_id}/access?engagement_id={engagement.id}")
    assert [item["document_id"] for item in told["items"]] == papers
    assert told["at"] == told["as_of"] == rfc3339(engagement.world.now)
    for item, grant in zip(told["items"], grants, strict=True):
        (access,) = item["access"]
        assert access["membership_id"] == seat.membership_id
        assert access["grants"] == [
            {"id": grant["id"], "granted_by": engagement.attorney.membership_id, "standing_id": None}
        ]
        assert access["reasons"][0]["allowed"]
        assert access["reasons"][0]["rule"].startswith("policy.csv:")
        assert access["reasons"][0]["facts"] == ["assigned", "duties", "live", "window"]
    assert told["items"][0]["access"][0]["reasons"][1]["why_not"] == "ability_missing"
    entry = _newest(engagement.world)
    assert _size(engagement.world) == before + 1
    assert (entry["type"], entry["action"], entry["data"]["count"]) == ("list.read", "person:access", 3)
    assert entry["subjects"]["person"] == seat.person_id
    assert "at" not in entry["data"]


async def test_of_a_person_pages_go_on_where_they_ended(engagement: Engagement) -> None:
    seat, papers, _ = await _shared(engagement)
    cursor: str | None = ""
    path = f"/people/{seat.person_id}/access?engagement_id={engagement.id}&limit=2"
    found: list[Any] = []
    while cursor is not None:
        page = await engagement.attorney.get(path + (f"&cursor={cursor}" if cursor else ""))
        found += [item["document_id"] for item in page["items"]]
        cursor = page["next_cursor"]
    assert found == papers


async def test_an_attorney_is_told_of_his_own_matters_papers_only(engagement: Engagement) -> None:
    seat, papers, _ = await _shared(engagement)
    path = f"/people/{seat.person_id}/access?engagement_id={engagement.id}"
    # Another attorney puts a part of his matter into the same engagement and hands out a paper of it.
    world, other = engagement.world, await engagement.world.attorney()
    matter = await other.post("/matters", {"number": "2027-9999", "client": "Other"})
    await world.owner.post(f"/engagements/{engagement.id}/members", {"person_id": other.person_id, "role": "attorney"})
    part = await other.post(f"/engagements/{engagement.id}/parts", {"matter_id": matter["id"], "caption": "Other"})
    paper = (await other.upload(engagement.id, part["id"], b"other", sensitivity="confidential"))["document_id"]
    body = {
        "membership_id": seat.membership_id,
        "abilities": ["view"],
        "not_after": rfc3339(world.now + DAY_S),
        "purpose": "Read.",
    }
    await other.post(f"/documents/{paper}/grants", body)
    assert [item["document_id"] for item in (await engagement.attorney.get(path))["items"]] == papers
    assert [item["document_id"] for item in (await other.get(path))["items"]] == [paper]
    (sees,) = [
        row
        for row in (await other.get(f"/matters/{matter['id']}/access"))["items"]
        if row["person_id"] == seat.person_id
    ]
    assert (sees["views"], sees["downloads"]) == (1, 0)
    await other.get(f"/matters/{engagement.matter_id}/access", 404)


async def test_who_is_not_in_the_engagement_is_not_there(engagement: Engagement) -> None:
    other = await (await engagement.world.engagement()).member()
    lead = engagement.attorney
    await lead.get(f"/people/{other.person_id}/access?engagement_id={engagement.id}", 404)
    await lead.get(f"/people/%00/access?engagement_id={engagement.id}", 404)
    await lead.get(f"/people/{other.person_id}/access", 422)
    assert (await lead.get(f"/people/{engagement.world.owner.person_id}/access?engagement_id={engagement.id}"))[
        "items"
    ] == []


async def test_of_a_matter_everybody_who_sees_anything_is_told_with_numbers(engagement: Engagement) -> None:
    seat, papers, _ = await _shared(engagement)
    nobody = await engagement.member()
    await engagement.document(b"never handed out")
    found = (await engagement.attorney.get(f"/matters/{engagement.matter_id}/access"))["items"]
    numbers = {row["person_id"]: (row["views"], row["downloads"]) for row in found}
    assert numbers == {seat.person_id: (3, 2), engagement.attorney.person_id: (4, 4)}
    assert nobody.person_id not in numbers
    assert len(papers) == 3
    cursor: str | None = ""
    path = f"/matters/{engagement.matter_id}/access?limit=1"
    paged: list[Any] = []
    while cursor is not None:
        page = await engagement.attorney.get(path + (f"&cursor={cursor}" if cursor else ""))
        paged += page["items"]
        cursor = page["next_cursor"]
    assert paged == found


async def test_at_a_time_ahead_dates_count_as_they_will_then(engagement: Engagement) -> None:
    seat, papers, _ = await _shared(engagement)  # granted for 14 days
    world, lead = engagement.world, engagement.attorney
    person = f"/people/{seat.person_id}/access?engagement_id={engagement.id}"
    matter = f"/matters/{engagement.matter_id}/access?limit=50"
    document = f"/documents/{papers[0]}/access?person_id={seat.person_id}"
    end = world.now + 14 * DAY_S
    for at, count in ((end - 1, 3), (end, 0)):
        told = await lead.get(f"{person}&at={rfc3339(at)}")
        assert len(told["items"]) == count
        assert (told["as_of"], told["at"]) == (rfc3339(world.now), rfc3339(at))
        assert _newest(world)["data"]["at"] == at
        rows = {row["person_id"]: row for row in (await lead.get(f"{matter}&at={rfc3339(at)}"))["items"]}
        assert (seat.person_id in rows) == bool(count)
        (access,) = (await lead.get(f"{document}&at={rfc3339(at)}"))["items"]
        assert access["sees"] == bool(count)
        assert access["reasons"][0]["why_not"] == (None if count else "expired")
        assert _newest(world)["data"] == {"at": at}
    # What was said of then is what happens then.
    world.sleep(14 * DAY_S - 1)
    assert (await seat.ask("GET", f"/documents/{papers[0]}")).status_code == 200
    world.sleep(1)
    assert (await seat.ask("GET", f"/documents/{papers[0]}")).status_code == 404


async def test_the_past_and_the_far_future_are_refused_in_a_sentence(engagement: Engagement) -> None:
    seat, papers, _ = await _shared(engagement, 1)
    now, lead = engagement.world.now, engagement.attorney
    for path in (
        f"/people/{seat.person_id}/access?engagement_id={engagement.id}&",
        f"/matters/{engagement.matter_id}/access?",
        f"/documents/{papers[0]}/access?",
    ):
        past = await lead.get(f"{path}at={rfc3339(now - 1)}", 422)
        assert "lies in the past" in past["detail"]
        far = await lead.get(f"{path}at={rfc3339(now + 366 * DAY_S + 1)}", 422)
        assert "366 days" in far["detail"]
        await lead.get(f"{path}at={rfc3339(now + 366 * DAY_S)}")
        await lead.get(f"{path}at={rfc3339(now)}")
        await lead.get(f"{path}at=tomorrow", 422)


async def test_asking_about_a_time_changes_nothing(engagement: Engagement) -> None:
    seat, _, _ = await _shared(engagement, 1)
    world = engagement.world
    at = rfc3339(world.now + 30 * DAY_S)
    before = (_size(world), world.now)
    await engagement.attorney.get(f"/people/{seat.person_id}/access?engagement_id={engagement.id}&at={at}")
    assert (_size(world), world.now) == (before[0] + 1, before[1])
    assert _newest(world)["time"] < (world.now + DAY_S) * 1000  # the log did not go ahead


# Walls ----------------------------------------------------------------------------------------------------------------


async def test_a_wall_takes_what_its_preview_said(engagement: Engagement) -> None:
    seat, papers, _ = await _shared(engagement)
    world, lead = engagement.world, engagement.attorney
    between = {"person_id": seat.person_id, "matter_id": engagement.matter_id}
    before = _size(world)
    for asker in (lead, world.owner):
        told = await asker.post("/wall-previews", between, 200)
        (loss,) = told["losses"]
        assert loss["membership_id"] == seat.membership_id
        assert loss["lost"] == {
            "document:list": 3,
            "document:view": 3,
            "document:text": 0,
            "document:download": 2,
            "document:revise": 0,
        }
        entry = _newest(world)
        assert (entry["action"], entry["type"]) == ("wall:preview", "list.read")
        assert entry["subjects"] == {"matter": engagement.matter_id, "person": seat.person_id}
    assert _size(world) == before + 2
    assert (await world.owner.get("/walls"))["items"] == []
    assert (await seat.ask("GET", f"/documents/{papers[0]}")).status_code == 200
    await lead.post("/walls", {**between, "reason": "The other side."})
    listed = await seat.get(f"/engagements/{engagement.id}/documents")
    assert listed["items"] == []
    await lead.post("/wall-previews", between, 409)


async def test_a_preview_of_a_wall_is_the_same_out_of_hours_and_from_elsewhere(engagement: Engagement) -> None:
    seat, _, _ = await _shared(engagement)
    between = {"person_id": seat.person_id, "matter_id": engagement.matter_id}
    before = await engagement.attorney.post("/wall-previews", between, 200)
    shut = {"hours": [{"days": ["sun"], "opens": "03:00", "shuts": "03:01"}], "networks": ["203.0.113.0/24"]}
    await engagement.attorney.post(f"/engagements/{engagement.id}/schedules", shut)
    assert (await engagement.attorney.post("/wall-previews", between, 200))["losses"] == before["losses"] != []


async def test_a_preview_of_a_wall_is_for_who_may_raise_it(engagement: Engagement) -> None:
    seat, _, _ = await _shared(engagement, 1)
    world, stranger = engagement.world, await engagement.world.attorney()
    between = {"person_id": seat.person_id, "matter_id": engagement.matter_id}
    await stranger.post("/wall-previews", between, 404)
    await seat.post("/wall-previews", between, 403)
    await engagement.attorney.post("/wall-previews", {**between, "person_id": "per_" + "0" * 32}, 404)
    assert (await world.owner.post("/wall-previews", {**between, "person_id": stranger.person_id}, 200))["losses"] == []
    loss = await world.owner.post("/wall-previews", {**between, "person_id": engagement.attorney.person_id}, 200)
    assert loss["losses"][0]["lost"]["document:revise"] == 1

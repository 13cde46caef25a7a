"""The register: reviewers see papers by label and number, and nothing opens a title to them."""

from __future__ import annotations

import json
from typing import Any

from tests.api.entries import another_firm, entries
from tests.world import Engagement, Person, World


async def _reviewer(engagement: Engagement, *, seat: bool = False) -> Person:
    world = engagement.world
    person = await world.owner.post("/people", {"email": f"r{next(world.numbers)}@firm.test", "name": "Rae Reviewer"})
    body = {"person_id": person["id"], "role": "reviewer"}
    path = f"/engagements/{engagement.id}/members" if seat else "/members"
    who = engagement.attorney if seat else world.owner
    return await world.sign_in(person["id"], (await who.post(path, body))["id"])


async def _register(who: Person, engagement: Engagement, status: int = 200, query: str = "") -> Any:
    return await who.get(f"/engagements/{engagement.id}/register{query}", status)


async def test_papers_are_told_by_label_and_number_without_titles(engagement: Engagement, world: World) -> None:
    reviewer, seat = await _reviewer(engagement), await engagement.member()
    first = (await engagement.document(title="Tanager", label="billing"))["document_id"]
    await engagement.ask(seat, ("correspondence",))
    world.sleep(1)
    own = (await seat.upload(engagement.id, engagement.part_id, b"Waxwing", title="Tanager"))["document_id"]
    before = len(entries(world, "list.read"))
    told = await _register(reviewer, engagement)
    assert {line["id"] for line in told["items"]} == {first, own}
    line, other = sorted(told["items"], key=lambda one: one["id"] != first)
    assert (line["title"], line["title_until"]) == (None, None)
    shown = {name: line[name] for name in ("label", "sensitivity", "state", "revisions", "size_bytes", "total_bytes")}
    assert shown == {
        "label": "billing",
        "sensitivity": "confidential",
        "state": "confirmed",
        "revisions": 1,
        "size_bytes": 7,
        "total_bytes": 7,
    }
    assert line["matter_id"] == engagement.matter_id
    assert other["state"] == "to_look_at"
    assert "Tanager" not in json.dumps(told)
    listed = entries(world, "list.read")[before:]
    assert [(one["action"], one["data"]["count"]) for one in listed] == [("register:read", 2)]
    for path in (f"/documents/{first}", f"/documents/{first}/content", f"/engagements/{engagement.id}/documents"):
        await reviewer.get(path, 403)


async def test_a_revised_paper_counts_its_revisions(engagement: Engagement) -> None:
    reviewer, paper = await _reviewer(engagement), (await engagement.document(b"one"))["document_id"]
    card = await engagement.attorney.ask("GET", f"/documents/{paper}")
    headers = {"if-match": card.headers["etag"], "content-type": "text/plain"}
    done = await engagement.attorney.ask("PUT", f"/documents/{paper}/content", content=b"twofold", headers=headers)
    assert done.status_code in {200, 201}, done.text
    (line,) = (await _register(reviewer, engagement))["items"]
    assert (line["revisions"], line["size_bytes"], line["total_bytes"]) == (2, 7, 10)


async def test_pages_are_whole_and_each_is_an_entry(engagement: Engagement) -> None:
    reviewer = await _reviewer(engagement)
    papers = sorted([(await engagement.document())["document_id"] for _ in range(3)])
    first = await _register(reviewer, engagement, query="?limit=2")
    second = await _register(reviewer, engagement, query=f"?limit=2&cursor={first['next_cursor']}")
    assert [line["id"] for line in (*first["items"], *second["items"])] == papers
    assert second["next_cursor"] is None


async def test_a_seat_in_one_engagement_reaches_its_register_alone(engagement: Engagement, world: World) -> None:
    other, seat = await world.engagement(), await _reviewer(engagement, seat=True)
    paper = (await engagement.document())["document_id"]
    await other.document()
    assert [line["id"] for line in (await _register(seat, engagement))["items"]] == [paper]
    nothing = await seat.get("/engagements/eng_" + "0" * 32 + "/register", 404)
    refused = await _register(seat, other, 404)
    assert {**refused, "instance": ""} == {**nothing, "instance": ""}
    foreign = await (await another_firm(world)).engagement()
    await _register(await _reviewer(engagement), foreign, 404)


async def test_a_wall_binds_who_reviews(engagement: Engagement, world: World) -> None:
    reviewer, other = await _reviewer(engagement), await _reviewer(engagement)
    await engagement.document()
    wall = {"person_id": reviewer.person_id, "matter_id": engagement.matter_id, "reason": "Kin."}
    await world.owner.post("/walls", wall)
    assert (await _register(reviewer, engagement))["items"] == []
    assert len((await _register(other, engagement))["items"]) == 1


async def test_nobody_else_reads_it(engagement: Engagement, world: World) -> None:
    seat, manager = await engagement.member(), await engagement.member("vendor_manager")
    for who in (world.owner, engagement.attorney, seat, manager):
        await _register(who, engagement, 403)

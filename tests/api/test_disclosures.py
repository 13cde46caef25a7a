"""Disclosures: an attorney opens titles to one reviewer; each that he is told is an entry, and nothing else opens."""

from __future__ import annotations

import json
from typing import Any

from service.disclosures import MOST_S
from tests.api.entries import another_firm, entries
from tests.world import DAY_S, Engagement, Person, World, rfc3339


async def _of_firm(world: World, role: str, engagement: Engagement | None = None) -> Person:
    person = await world.owner.post("/people", {"email": f"r{next(world.numbers)}@firm.test", "name": "Rae Reviewer"})
    path = "/members" if engagement is None else f"/engagements/{engagement.id}/members"
    who = world.owner if engagement is None else engagement.attorney
    return await world.sign_in(person["id"], (await who.post(path, {"person_id": person["id"], "role": role}))["id"])


def _body(engagement: Engagement, reviewer: Person, *papers: str, ends_s: int = DAY_S) -> dict[str, Any]:
    return {
        "membership_id": reviewer.membership_id,
        "document_ids": list(papers),
        "reason": "He compares them.",
        "not_after": rfc3339(engagement.world.now + ends_s),
    }


async def _disclose(
    engagement: Engagement, reviewer: Person, *papers: str, status: int = 201, who: Person | None = None, **more: Any
) -> Any:
    path = f"/engagements/{engagement.id}/disclosures"
    return await (who or engagement.attorney).post(path, _body(engagement, reviewer, *papers, **more), status)


async def _paper(engagement: Engagement, title: str = "Tanager", **more: Any) -> str:
    return str((await engagement.document(title=title, **more))["document_id"])


async def _titles(reviewer: Person, engagement: Engagement, query: str = "") -> dict[str, str | None]:
    told = await reviewer.get(f"/engagements/{engagement.id}/register{query}")
    return {line["id"]: line["title"] for line in told["items"]}


async def test_exactly_the_disclosed_titles_are_told_and_each_is_an_entry(engagement: Engagement, world: World) -> None:
    reviewer, other = await _of_firm(world, "reviewer"), await _of_firm(world, "reviewer", engagement)
    papers = [await _paper(engagement, f"Tanager {n}", sensitivity="attorney_only") for n in range(3)]
    made = (await _disclose(engagement, reviewer, *papers[:2]))["items"]
    assert [each["document_id"] for each in made] == papers[:2]
    told = await reviewer.get(f"/engagements/{engagement.id}/register")
    lines = {line["id"]: (line["title"], line["title_until"]) for line in told["items"]}
    assert [lines[paper] for paper in papers] == [
        ("Tanager 0", made[0]["not_after"]),
        ("Tanager 1", made[1]["not_after"]),
        (None, None),
    ]
    opened = entries(world, "title.opened")
    assert {(one["subjects"]["document"], one["subjects"]["disclosure"]) for one in opened} == {
        (each["document_id"], each["id"]) for each in made
    }
    assert len(opened) == len(made)
    assert {(one["action"], one["actor"]["membership"]) for one in opened} == {("title:read", reviewer.membership_id)}
    assert opened[0]["facts"] == ["disclosed", "duties", "window"]
    assert set((await _titles(other, engagement)).values()) == {None}
    assert len(entries(world, "title.opened")) == 2
    page = await _titles(reviewer, engagement, "?limit=1")  # a page tells what is on it
    assert len(entries(world, "title.opened")) == 2 + sum(title is not None for title in page.values())
    for path in (f"/documents/{papers[0]}", f"/documents/{papers[0]}/content", f"/documents/{papers[0]}/text"):
        await reviewer.get(path, 403)


async def test_neither_title_nor_reason_stands_in_the_log(engagement: Engagement, world: World) -> None:
    reviewer, paper = await _of_firm(world, "reviewer"), await _paper(engagement)
    made = (await _disclose(engagement, reviewer, paper))["items"][0]
    await _titles(reviewer, engagement)
    created = entries(world, "disclosure.created")
    assert [one["subjects"]["membership"] for one in created] == [reviewer.membership_id]
    assert created[0]["holder"] == engagement.part_id  # the reason is beside it, sealed
    text = json.dumps(entries(world))
    assert "Tanager" not in text
    assert "compares" not in text
    assert made["reason"] == "He compares them."


async def test_it_ends_to_the_second(engagement: Engagement, world: World) -> None:
    reviewer, paper = await _of_firm(world, "reviewer"), await _paper(engagement)
    await _disclose(engagement, reviewer, paper, ends_s=60)
    world.sleep(59)
    assert await _titles(reviewer, engagement) == {paper: "Tanager"}
    world.sleep(1)
    before = len(entries(world, "title.opened"))
    assert await _titles(reviewer, engagement) == {paper: None}
    assert len(entries(world, "title.opened")) == before


async def test_an_attorney_ends_it_early_once_and_as_it_stands(engagement: Engagement, world: World) -> None:
    reviewer, papers = await _of_firm(world, "reviewer"), [await _paper(engagement) for _ in range(2)]
    first, second = (await _disclose(engagement, reviewer, *papers))["items"]
    path = f"/disclosures/{first['id']}"
    assert (await engagement.attorney.ask("DELETE", path)).status_code == 428
    stale = {"if-match": '"dsc-9"'}
    assert (await engagement.attorney.ask("DELETE", path, headers=stale)).status_code == 412
    ended = await engagement.attorney.change("DELETE", path)
    assert ended["ended_at"] == rfc3339(world.now)
    await engagement.attorney.change("DELETE", path, status=409)
    assert await _titles(reviewer, engagement) == {papers[0]: None, papers[1]: "Tanager"}
    assert [one["subjects"]["disclosure"] for one in entries(world, "disclosure.ended")] == [first["id"]]
    listed = await engagement.attorney.get(f"/engagements/{engagement.id}/disclosures")
    assert {one["id"]: one["ended_at"] is None for one in listed["items"]} == {first["id"]: False, second["id"]: True}


async def test_it_outlives_who_made_it_and_another_of_the_team_ends_it(engagement: Engagement, world: World) -> None:
    reviewer, paper, maker = await _of_firm(world, "reviewer"), await _paper(engagement), await world.attorney()
    team = f"/matters/{engagement.matter_id}/team/{maker.person_id}"
    assert (await engagement.attorney.ask("PUT", team)).status_code == 204
    made = (await _disclose(engagement, reviewer, paper, who=maker))["items"][0]
    await world.owner.change("DELETE", f"/members/{maker.membership_id}")
    assert await _titles(reviewer, engagement) == {paper: "Tanager"}
    await engagement.attorney.change("DELETE", f"/disclosures/{made['id']}")
    assert await _titles(reviewer, engagement) == {paper: None}


async def test_a_paper_that_is_gone_shows_nothing_and_a_corrected_one_stays(
    engagement: Engagement, world: World
) -> None:
    reviewer, lead, seat = await _of_firm(world, "reviewer"), engagement.attorney, await engagement.member()
    corrected, moved = await _paper(engagement), await _paper(engagement)
    await engagement.ask(seat, ("correspondence",))
    sent = await seat.upload(engagement.id, engagement.part_id, b"Dunlin", title="Tanager")
    taken_back = sent["document_id"]
    await _disclose(engagement, reviewer, corrected, moved, taken_back)
    assert set((await _titles(reviewer, engagement)).values()) == {"Tanager"}
    await lead.change("PATCH", f"/documents/{corrected}", {"label": "billing", "title": "Waxwing"})
    number = f"2027-{next(world.numbers):04}"
    matter = await lead.post("/matters", {"number": number, "client": "Rosa Diaz"})
    part = {"matter_id": matter["id"], "caption": "Diaz v. Acme"}
    other = await lead.post(f"/engagements/{engagement.id}/parts", part)
    await lead.change(
        "POST", f"/documents/{moved}/move", {"part_id": other["id"]}, status=201, match=f"/documents/{moved}"
    )
    await seat.change("DELETE", f"/documents/{taken_back}", status=204)
    before = len(entries(world, "title.opened"))
    told = await _titles(reviewer, engagement)
    assert {paper: told[paper] for paper in (corrected, moved, taken_back)} == {
        corrected: "Waxwing",
        moved: None,
        taken_back: None,
    }
    assert [title for title in told.values() if title] == ["Waxwing"]  # where it went, nothing was disclosed
    assert len(entries(world, "title.opened")) == before + 1


async def test_a_suspended_or_walled_reviewer_is_told_nothing(engagement: Engagement, world: World) -> None:
    reviewer, paper = await _of_firm(world, "reviewer"), await _paper(engagement)
    await _disclose(engagement, reviewer, paper)
    member = f"/members/{reviewer.membership_id}"
    await world.owner.change("POST", f"{member}/suspension", match=member)
    await reviewer.get(f"/engagements/{engagement.id}/register", 403)
    await world.owner.change("DELETE", f"{member}/suspension", match=member)
    assert await _titles(reviewer, engagement) == {paper: "Tanager"}
    before = len(entries(world, "title.opened"))
    about = {"person_id": reviewer.person_id, "matter_id": engagement.matter_id, "reason": "Kin."}
    await world.owner.post("/walls", about)
    assert await _titles(reviewer, engagement) == {}
    assert len(entries(world, "title.opened")) == before
    await _disclose(engagement, reviewer, paper, status=409)  # and nothing further is disclosed to him


async def test_only_reviewers_who_reach_the_engagement_are_told(engagement: Engagement, world: World) -> None:
    paper, other = await _paper(engagement), await world.engagement()
    for role in ("attorney", "coordinator"):
        refused = await _disclose(engagement, await _of_firm(world, role), paper, status=403)
        assert refused["code"] == "above_ceiling"
    await _disclose(engagement, world.owner, paper, status=403)
    foreign = await another_firm(world)
    for nobody in (
        await engagement.member(),
        await _of_firm(world, "reviewer", other),
        await _of_firm(foreign, "reviewer"),
    ):
        await _disclose(engagement, nobody, paper, status=404)
    ended = await _of_firm(world, "reviewer")
    await world.owner.change("DELETE", f"/members/{ended.membership_id}")
    await _disclose(engagement, ended, paper, status=409)
    assert entries(world, "disclosure.created") == []


async def test_only_attorneys_of_the_matter_disclose_list_read_and_end(engagement: Engagement, world: World) -> None:
    reviewer, paper = await _of_firm(world, "reviewer"), await _paper(engagement)
    made = (await _disclose(engagement, reviewer, paper))["items"][0]
    seat, lists = await engagement.member(), f"/engagements/{engagement.id}/disclosures"
    await engagement.grant(seat, paper)
    coordinator, away = await _of_firm(world, "coordinator", engagement), await another_firm(world)
    team = f"/matters/{engagement.matter_id}/team/{coordinator.person_id}"
    assert (await engagement.attorney.ask("PUT", team)).status_code == 204
    for who, disclosing, listing in (
        (world.owner, 403, 403),
        (seat, 403, 403),
        (coordinator, 403, 403),
        (reviewer, 403, 403),
        (await world.attorney(), 404, 404),
        (away.owner, 403, 403),
        (await away.attorney(), 404, 404),
    ):
        await _disclose(engagement, reviewer, paper, status=disclosing, who=who)
        await who.get(lists, listing)
        for method in ("GET", "DELETE"):  # and what is there answers as what is not
            there, nothing = [
                await who.ask(method, f"/disclosures/{each}", headers={"if-match": made["etag"]})
                for each in (made["id"], "dsc_" + "0" * 32)
            ]
            assert there.status_code == nothing.status_code == listing
            assert {**there.json(), "instance": ""} == {**nothing.json(), "instance": ""}
    assert len(entries(world, "disclosure.created")) == 1
    assert entries(world, "disclosure.ended") == []
    assert (await engagement.attorney.get(f"/disclosures/{made['id']}"))["reason"] == "He compares them."


async def test_papers_of_another_place_and_more_than_may_be_are_refused(engagement: Engagement, world: World) -> None:
    reviewer, paper = await _of_firm(world, "reviewer"), await _paper(engagement)
    elsewhere = await _paper(await world.engagement())
    for papers in ((elsewhere,), (paper, elsewhere), (paper, "doc_" + "0" * 32)):
        await _disclose(engagement, reviewer, *papers, status=404)
    await _disclose(engagement, reviewer, *(["doc_" + "0" * 32] * 101), status=422)
    for ends_s in (MOST_S + 60, 0, -DAY_S):
        refused = await _disclose(engagement, reviewer, paper, status=422, ends_s=ends_s)
        assert refused["field"] == "not_after"
    assert entries(world, "disclosure.created") == []
    await _disclose(engagement, reviewer, paper, paper, ends_s=MOST_S)  # one paper, named twice, is one
    assert len(entries(world, "disclosure.created")) == 1


async def test_sent_again_it_is_made_once_and_the_longer_of_two_counts(engagement: Engagement, world: World) -> None:
    reviewer, paper = await _of_firm(world, "reviewer"), await _paper(engagement)
    path, headers = f"/engagements/{engagement.id}/disclosures", {"idempotency-key": "k" * 24}
    body = _body(engagement, reviewer, paper, ends_s=60)
    first = await engagement.attorney.post(path, body, headers=headers)
    assert await engagement.attorney.post(path, body, headers=headers) == first
    longer = (await _disclose(engagement, reviewer, paper, ends_s=120))["items"][0]
    (line,) = (await reviewer.get(f"/engagements/{engagement.id}/register"))["items"]
    assert (line["title"], line["title_until"]) == ("Tanager", longer["not_after"])
    assert len(entries(world, "title.opened")) == 1

"""Emergencies over HTTP: what breaking the glass opens, for how long, for whom, and who looks afterwards."""

from __future__ import annotations

from typing import Any

import pytest

from tests.api.entries import another_firm, entries
from tests.world import DAY_S, Engagement, Person, World, rfc3339

HOUR_S = 3600
NOBODYS = "emg_" + "0" * 32


async def _body(engagement: Engagement, **more: Any) -> dict[str, Any]:
    matter = await engagement.attorney.get(f"/matters/{engagement.matter_id}")
    closes_at = rfc3339(engagement.world.now + HOUR_S)
    return {"matter_number": matter["number"], "reason": "Nobody can be reached.", "closes_at": closes_at, **more}


async def _proven(world: World, name: str) -> Person:
    """An attorney who has just proved that it is he."""
    attorney = await world.attorney(name)
    await world.step_up(attorney)
    return attorney


async def _declared(engagement: Engagement, stranger: Person) -> Any:
    return await stranger.post("/emergencies", await _body(engagement))


def _content(document: Any) -> str:
    return f"/documents/{document['document_id']}/content"


# What it opens --------------------------------------------------------------------------------------------------------


async def test_an_emergency_opens_the_matters_papers_for_its_hours_and_nothing_else(engagement: Engagement) -> None:
    world, stranger = engagement.world, await _proven(engagement.world, "Stranger")
    paper = await engagement.document(b"what the hearing needs")
    elsewhere = await (await world.engagement()).document()
    await stranger.get(_content(paper), 404)
    assert (await stranger.get(f"/engagements/{engagement.id}/documents"))["items"] == []
    await _declared(engagement, stranger)
    assert await stranger.get(_content(paper)) == b"what the hearing needs"
    assert [each["id"] for each in (await stranger.get(f"/engagements/{engagement.id}/documents"))["items"]] == [
        paper["document_id"]
    ]
    assert (await stranger.get(f"/matters/{engagement.matter_id}"))["id"] == engagement.matter_id
    await stranger.get(_content(elsewhere), 404)
    body = {"membership_id": (await engagement.member()).membership_id, "abilities": ["view"]}
    body |= {"not_after": rfc3339(world.now + DAY_S), "purpose": "Read."}
    await stranger.post(f"/documents/{paper['document_id']}/grants", body, 404)  # it reads, it hands nothing on
    world.sleep(HOUR_S - 1)
    await stranger.get(_content(paper))
    world.sleep(1)
    await stranger.get(_content(paper), 404)
    assert (await stranger.get(f"/engagements/{engagement.id}/documents"))["items"] == []


async def test_every_read_says_that_the_glass_was_broken(engagement: Engagement) -> None:
    stranger, paper = await _proven(engagement.world, "Stranger"), await engagement.document()
    await _declared(engagement, stranger)
    await stranger.get(_content(paper))
    read = next(
        entry
        for entry in reversed(entries(engagement.world))
        if (entry.get("actor") or {}).get("person") == stranger.person_id and "break_glass" in (entry["facts"] or ())
    )
    assert read["subjects"]["document"] == paper["document_id"]


async def test_a_wall_beats_it(engagement: Engagement) -> None:
    stranger, paper = await _proven(engagement.world, "Stranger"), await engagement.document()
    declared = await _declared(engagement, stranger)
    wall = {"person_id": stranger.person_id, "matter_id": engagement.matter_id, "reason": "He was theirs."}
    await engagement.attorney.post("/walls", wall)
    await stranger.get(_content(paper), 404)
    body = await _body(engagement)
    unknown = await stranger.post("/emergencies", {**body, "matter_number": "nowhere"}, 404)
    walled = await stranger.post("/emergencies", body, 404)
    assert {**walled, "instance": ""} == {**unknown, "instance": ""}
    await stranger.change("DELETE", f"/emergencies/{declared['id']}", status=404)


async def test_nobody_but_an_attorney_declares_one(engagement: Engagement) -> None:
    body, seat = await _body(engagement), await engagement.member()
    await seat.post("/emergencies", body, 403)
    await engagement.world.owner.post("/emergencies", body, 403)
    foreign = (await another_firm(engagement.world)).owner
    await foreign.post("/emergencies", body, 403)


async def test_an_attorney_of_another_firm_finds_no_such_matter(engagement: Engagement) -> None:
    foreign = await _proven(await another_firm(engagement.world), "Foreign")
    await foreign.post("/emergencies", await _body(engagement), 404)


# Its end and its review -----------------------------------------------------------------------------------------------


async def test_who_declared_it_ends_it_and_so_does_the_team(engagement: Engagement) -> None:
    paper = await engagement.document()
    for ends_himself in (True, False):
        stranger = await _proven(engagement.world, "Stranger")
        made = await stranger.ask("POST", "/emergencies", json=await _body(engagement))
        path = f"/emergencies/{made.json()['id']}"
        if ends_himself:
            tag = {"if-match": made.headers["etag"]}
            assert (await stranger.ask("DELETE", path, headers=tag)).status_code == 200
        else:
            await engagement.attorney.change("DELETE", path)
        await stranger.get(_content(paper), 404)
        await engagement.attorney.change("DELETE", path, status=409)


async def test_who_is_in_by_an_emergency_learns_of_no_other(engagement: Engagement) -> None:
    first, second = await _proven(engagement.world, "First"), await _proven(engagement.world, "Second")
    declared = await _declared(engagement, first)
    await _declared(engagement, second)
    path = f"/emergencies/{declared['id']}"
    await second.get(path, 404)
    assert (await second.ask("DELETE", path, headers={"if-match": f'"{declared["id"]}-1"'})).status_code == 404
    assert (await second.get("/emergencies", params={"matter_id": engagement.matter_id}, status=404))["code"]


async def test_somebody_else_reviews_it_once_and_when_it_is_over(engagement: Engagement) -> None:
    world, lead = engagement.world, engagement.attorney
    stranger = await _proven(world, "Stranger")
    path = f"/emergencies/{(await _declared(engagement, stranger))['id']}"
    verdict = {"verdict": "not_justified", "note": "The deputy was there."}
    await lead.change("POST", f"{path}/review", verdict, 409, match=path)
    world.sleep(HOUR_S)
    await stranger.post(f"{path}/review", verdict, 404, headers={"if-match": '"x"'})
    named = await lead.ask("PUT", f"/matters/{engagement.matter_id}/team/{stranger.person_id}")
    assert named.status_code == 204
    refused = await stranger.change("POST", f"{path}/review", verdict, 403, match=path)
    assert refused["code"] == "second_person_needed"
    reviewed = await lead.change("POST", f"{path}/review", verdict, match=path)
    assert (reviewed["verdict"], reviewed["note"]) == ("not_justified", "The deputy was there.")
    assert reviewed["reviewed_by"] == lead.membership_id
    await world.owner.change("POST", f"{path}/review", verdict, 409, match=path)


async def test_who_has_three_waiting_for_a_review_opens_no_more(engagement: Engagement) -> None:
    world, stranger = engagement.world, await _proven(engagement.world, "Stranger")
    paths = []
    for _ in range(3):
        paths.append(f"/emergencies/{(await _declared(engagement, stranger))['id']}")
        await engagement.attorney.change("DELETE", paths[-1])
    await stranger.post("/emergencies", await _body(engagement), 409)
    await world.owner.change("POST", f"{paths[0]}/review", {"verdict": "justified", "note": "Well."}, match=paths[0])
    await _declared(engagement, stranger)


async def test_one_at_a_time_and_the_same_request_once(engagement: Engagement) -> None:
    stranger, body = await _proven(engagement.world, "Stranger"), await _body(engagement)
    key = {"idempotency-key": "a-key-of-sixteen-letters"}
    first = await stranger.post("/emergencies", body, headers=key)
    assert (await stranger.post("/emergencies", body, headers=key))["id"] == first["id"]
    await stranger.post("/emergencies", body, 409)


@pytest.mark.parametrize("seconds", [-1, 0, 299, 4 * HOUR_S + 1, DAY_S])
async def test_it_lasts_from_five_minutes_to_four_hours(engagement: Engagement, seconds: int) -> None:
    stranger = await _proven(engagement.world, "Stranger")
    body = await _body(engagement, closes_at=rfc3339(engagement.world.now + seconds))
    refused = await stranger.post("/emergencies", body, 422)
    assert refused["field"] == "closes_at"


# Who hears of it ------------------------------------------------------------------------------------------------------


async def test_the_team_and_the_owner_read_why_and_strangers_nothing(engagement: Engagement) -> None:
    world, stranger = engagement.world, await _proven(engagement.world, "Stranger")
    declared = await _declared(engagement, stranger)
    place = {"matter_id": engagement.matter_id}
    for reader, params in ((engagement.attorney, place), (world.owner, place), (world.owner, {})):
        listed = (await reader.get("/emergencies", params=params))["items"]
        assert [(each["id"], each["reason"]) for each in listed] == [(declared["id"], "Nobody can be reached.")]
        assert (await reader.get(f"/emergencies/{declared['id']}"))["person_id"] == stranger.person_id
    await _assert_unknown(await world.attorney("Other"), declared["id"], 404)
    await _assert_unknown(await engagement.member(), declared["id"], 403)
    await _assert_unknown((await another_firm(world)).owner, declared["id"], 404)


async def _assert_unknown(reader: Person, emergency_id: str, status: int) -> None:
    found, nobodys = [await reader.get(f"/emergencies/{each}", status) for each in (emergency_id, NOBODYS)]
    assert {**found, "instance": ""} == {**nobodys, "instance": ""}


async def test_reason_and_note_stand_in_no_entry(engagement: Engagement) -> None:
    world: World = engagement.world
    await _declared(engagement, await _proven(world, "Stranger"))
    assert "Nobody can be reached" not in str(entries(world))

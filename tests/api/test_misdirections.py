"""Papers that were not meant for a member: closed to him at once, and the attorneys are told what he saw."""

from __future__ import annotations

from typing import Any

import pytest

from tests.api.entries import another_firm, entries
from tests.world import DAY_S, Engagement, Person, World, findings, rfc3339

NOTHING = "doc_" + "0" * 32


async def _paper(engagement: Engagement, **more: Any) -> str:
    return str((await engagement.document(**more))["document_id"])


async def _held(engagement: Engagement, seat: Person) -> str:
    paper = await _paper(engagement)
    await engagement.grant(seat, paper)
    return paper


async def _say(seat: Person, paper: str, status: int = 201, note: str | None = "Not my client.") -> Any:
    return await seat.post(f"/documents/{paper}/misdirection", {} if note is None else {"note": note}, status)


async def _acknowledge(who: Person, said: Any, status: int = 200, **body: Any) -> Any:
    headers = {"if-match": said["etag"]}
    return await who.post(f"/misdirections/{said['id']}/acknowledgment", body, status, headers=headers)


async def _listed(who: Person, engagement: Engagement) -> list[Any]:
    return list((await who.get(f"/engagements/{engagement.id}/misdirections"))["items"])


async def _seen(seat: Person, engagement: Engagement) -> set[str]:
    return {item["id"] for item in (await seat.get(f"/engagements/{engagement.id}/documents"))["items"]}


async def _named(engagement: Engagement, role: str = "attorney") -> Person:
    """Somebody else of the firm, on the matter's team."""
    world = engagement.world
    person = await world.owner.post("/people", {"email": f"t{next(world.numbers)}@firm.test", "name": "Tara Team"})
    member = await world.owner.post("/members", {"person_id": person["id"], "role": role})
    named = await engagement.attorney.ask("PUT", f"/matters/{engagement.matter_id}/team/{person['id']}")
    assert named.status_code == 204, named.text
    return await world.sign_in(person["id"], member["id"])


# Saying it ------------------------------------------------------------------------------------------------------------


async def test_it_is_closed_at_once_with_an_entry_for_each_grant(engagement: Engagement, world: World) -> None:
    seat, other = await engagement.member(), await engagement.member()
    paper, kept = await _held(engagement, seat), await _held(engagement, seat)
    await engagement.grant(other, paper)
    await engagement.task(seat, (paper,), days=3)
    said = await _say(seat, paper)
    assert {name: said[name] for name in ("document_id", "note", "number", "label", "openings")} == {
        "document_id": paper,
        "note": "Not my client.",
        "number": None,
        "label": None,
        "openings": None,
    }
    assert await _seen(seat, engagement) == {kept}
    for path in (f"/documents/{paper}", f"/documents/{paper}/content"):
        await seat.get(path, 404)
    await other.get(f"/documents/{paper}/content")
    (entry,) = entries(world, "misdirection.created")
    ended = [each for each in entries(world, "grant.revoked") if each["subjects"].get("misdirection") == said["id"]]
    live = [g for g in (await engagement.attorney.get(f"/documents/{paper}/grants"))["items"] if not g["revoked_at"]]
    assert [g["person_id"] for g in live] == [other.person_id]
    assert sorted("task" in each["subjects"] for each in ended) == [False, True], "by hand, and with the task"
    assert "Not my client." not in str(entry)
    assert await findings(world.services) == []


async def test_said_twice_it_is_as_never_granted(engagement: Engagement) -> None:
    seat = await engagement.member()
    paper = await _held(engagement, seat)
    await _say(seat, paper)
    again, nothing = await _say(seat, paper, 404), await _say(seat, NOTHING, 404)
    assert {**again, "instance": ""} == {**nothing, "instance": ""}


async def test_nobody_says_it_of_what_he_cannot_see(engagement: Engagement, world: World) -> None:
    seat, other = await engagement.member(), await engagement.member()
    unsigned = await engagement.member(signed=False)
    paper, hidden = await _held(engagement, other), await _paper(engagement)
    await engagement.grant(unsigned, paper)
    foreign = await (await another_firm(world)).engagement()
    for document in (paper, hidden, await _paper(foreign), NOTHING, "doc", "grt_" + "0" * 32):
        await _say(seat, document, 404)
    await _say(unsigned, paper, 404)
    await _say(engagement.attorney, paper, 403)
    await _say(world.owner, paper, 403)
    assert entries(world, "misdirection.created") == []
    await other.get(f"/documents/{paper}")


async def test_ones_own_unconfirmed_paper_is_taken_back_instead(engagement: Engagement) -> None:
    seat = await engagement.member()
    await engagement.ask(seat, ("correspondence",))
    added = await seat.upload(engagement.id, engagement.part_id, b"mine")
    refused = await _say(seat, added["document_id"], 409)
    assert "Take it back" in refused["detail"]


async def test_what_an_overlay_hides_is_not_told_by_the_answer(engagement: Engagement) -> None:
    seat = await engagement.member()
    paper, listed = await _held(engagement, seat), await _held(engagement, seat)
    path = f"/engagements/{engagement.id}/overlay"
    await engagement.attorney.change("PUT", path, {"rows": ["*,document:view,correspondence,*,never"]})
    await _say(seat, listed)  # he sees its title in the list
    await engagement.attorney.change("PUT", path, {"rows": ["*,document:list,correspondence,*,never"]})
    refused, nothing = await _say(seat, paper, 404), await _say(seat, NOTHING, 404)
    assert {**refused, "instance": ""} == {**nothing, "instance": ""}


# It stays closed ------------------------------------------------------------------------------------------------------


async def test_neither_standing_nor_standby_shares_hand_it_out_again(engagement: Engagement) -> None:
    seat, adder = await engagement.member(), await engagement.member()
    paper, world = await _held(engagement, seat), engagement.world
    sealed = await engagement.standby(seat, paper)
    await _say(seat, paper)
    refused = await seat.post(
        f"/standbys/{sealed['id']}/opening", {"reason": "Night."}, 409, headers={"if-match": sealed["etag"]}
    )
    assert "Nothing in it" in refused["detail"]
    world.sleep(1)
    anew = await engagement.standby(seat, paper)
    await seat.post(f"/standbys/{anew['id']}/opening", {"reason": "N."}, 200, headers={"if-match": anew["etag"]})
    assert adder.person_id != seat.person_id
    assert await _seen(seat, engagement) == {paper}, "an attorney sealed it for him by name, after he had said so"


async def test_sharing_by_label_passes_him_over_and_a_grant_by_hand_does_not(engagement: Engagement) -> None:
    seat = await engagement.member()
    paper = await _held(engagement, seat)
    await _say(seat, paper)
    many = {
        "membership_id": seat.membership_id,
        "part_id": engagement.part_id,
        "labels": ["correspondence"],
        "sensitivity": "confidential",
        "abilities": ["view"],
        "not_after": rfc3339(engagement.world.now + DAY_S),
        "purpose": "All.",
        "dry_run": True,
    }
    shown = await engagement.attorney.post(f"/engagements/{engagement.id}/grants", many, 200)
    assert shown["left_out"] == [{"reason": "not_meant", "count": 1, "document_ids": [paper]}]
    await engagement.grant(seat, paper)
    await seat.get(f"/documents/{paper}")


async def test_to_a_coordinator_it_is_closed_though_no_grant_opened_it(engagement: Engagement, world: World) -> None:
    coordinator, other = await _named(engagement, "coordinator"), await _named(engagement, "coordinator")
    paper, kept = await _paper(engagement), await _paper(engagement)
    said = await _say(coordinator, paper)
    await coordinator.get(f"/documents/{paper}", 404)
    await coordinator.get(f"/documents/{paper}/grants", 404)
    assert paper not in await _seen(coordinator, engagement)
    assert kept in await _seen(coordinator, engagement)
    assert paper in await _seen(other, engagement)
    (told,) = await _listed(engagement.attorney, engagement)
    assert told["openings"] == []
    await _acknowledge(engagement.attorney, told, meant_for_him=True)
    await coordinator.get(f"/documents/{paper}")
    assert paper in await _seen(coordinator, engagement)
    (own,) = await _listed(coordinator, engagement)
    assert (own["id"], own["number"], own["closed_until"] is None) == (said["id"], None, False)
    assert await _listed(other, engagement) == []
    assert await findings(world.services) == []


# Who is told ----------------------------------------------------------------------------------------------------------


async def test_attorneys_are_told_what_he_had_opened_and_close_it_once(engagement: Engagement, world: World) -> None:
    seat, off_team = await engagement.member(), await world.attorney("Otto Off")
    colleague = await _named(engagement)
    paper = await _held(engagement, seat)
    await seat.get(f"/documents/{paper}/content")
    world.sleep(1)
    said = await _say(seat, paper)
    for who in (engagement.attorney, colleague):
        assert (await who.get("/me"))["misdirections"] == 1
        (told,) = await _listed(who, engagement)
        assert [one["act"] for one in told["openings"]] == ["document:download"]
        assert (told["note"], told["number"] is None) == ("Not my client.", False)
    assert (await off_team.get("/me"))["misdirections"] == 0
    assert (await seat.get("/me"))["misdirections"] == 0
    await off_team.get(f"/misdirections/{said['id']}", 404)
    await _acknowledge(off_team, said, 404)
    await _acknowledge(seat, said, 403)
    closed = await _acknowledge(colleague, said, answer="Delete your copy.")
    assert (closed["closed_until"], closed["acknowledged_by"]) == (None, colleague.membership_id)
    await _acknowledge(engagement.attorney, closed, 409)
    await _acknowledge(engagement.attorney, said, 412)
    assert (await engagement.attorney.get("/me"))["misdirections"] == 0
    (own,) = await _listed(seat, engagement)
    assert (own["answer"], own["acknowledged_by"], own["openings"]) == ("Delete your copy.", None, None)
    assert (await seat.get(f"/misdirections/{said['id']}"))["number"] is None
    assert await findings(world.services) == []


@pytest.mark.parametrize("befalls", ["walled", "unnamed"])
async def test_who_is_not_of_the_matter_any_more_is_not_told(engagement: Engagement, befalls: str) -> None:
    seat, colleague = await engagement.member(), await _named(engagement)
    said = await _say(seat, await _held(engagement, seat))
    if befalls == "walled":
        wall = {"person_id": colleague.person_id, "matter_id": engagement.matter_id, "reason": "Kin."}
        await engagement.world.owner.post("/walls", wall)
    else:
        gone = await engagement.attorney.ask("DELETE", f"/matters/{engagement.matter_id}/team/{colleague.person_id}")
        assert gone.status_code == 204
    await colleague.get(f"/misdirections/{said['id']}", 404)
    await _acknowledge(colleague, said, 404)
    assert (await colleague.get("/me"))["misdirections"] == 0


async def test_other_members_learn_nothing(engagement: Engagement, world: World) -> None:
    seat, other, manager = (
        await engagement.member(),
        await engagement.member(),
        await engagement.member("vendor_manager"),
    )
    said = await _say(seat, await _held(engagement, seat))
    away = await (await another_firm(world)).engagement()
    for who, code in ((other, 404), (away.attorney, 404), (manager, 403)):
        await who.get(f"/misdirections/{said['id']}", code)
        await who.get("/misdirections/msd_" + "0" * 32, code)
    for who, code in ((other, 403), (away.attorney, 404), (manager, 403)):
        await _acknowledge(who, said, code)
    assert await _listed(other, engagement) == []
    await manager.get(f"/engagements/{engagement.id}/misdirections", 403)

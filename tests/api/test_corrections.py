"""Correcting a confirmed paper: what may be held no more ends, what may stays, what was promised comes."""

from __future__ import annotations

from typing import Any

import pytest

from tests.api.entries import another_firm, entries
from tests.world import DAY_S, Engagement, Person, World, findings, rfc3339


async def _paper(engagement: Engagement, **more: Any) -> str:
    return str((await engagement.document(**more))["document_id"])


async def _correct(engagement: Engagement, paper: str, status: int = 200, **body: Any) -> Any:
    return await engagement.attorney.change("PATCH", f"/documents/{paper}", body, status)


async def _seen(seat: Person, engagement: Engagement) -> set[str]:
    return {item["id"] for item in (await seat.get(f"/engagements/{engagement.id}/documents"))["items"]}


async def _share(engagement: Engagement, label: str, sensitivity: str = "confidential", **to: Any) -> Any:
    body = {
        "part_id": engagement.part_id,
        "labels": [label],
        "sensitivity": sensitivity,
        "abilities": ["view"],
        "not_after": rfc3339(engagement.world.now + 30 * DAY_S),
        "purpose": "Keep the file.",
        **to,
    }
    return await engagement.attorney.post(f"/engagements/{engagement.id}/standing-shares", body)


async def _agree(engagement: Engagement, *seats: Person) -> None:
    """The list shows exactly what can be opened."""
    papers = {d["id"] for d in (await engagement.attorney.get(f"/engagements/{engagement.id}/documents"))["items"]}
    for seat in seats:
        opened = {paper for paper in papers if (await seat.ask("GET", f"/documents/{paper}")).status_code == 200}
        assert await _seen(seat, engagement) == opened


async def test_a_grant_above_the_new_ceiling_ends_and_the_others_stay(engagement: Engagement, world: World) -> None:
    paralegal, clerk = await engagement.member(), await engagement.member("legal_assistant")
    paper = await _paper(engagement, title="Letter")
    for seat in (paralegal, clerk):
        await engagement.grant(seat, paper)
    done = await _correct(engagement, paper, label="medical_record", sensitivity="privileged", title="Report of Dr Ash")
    assert (done["grants_ended"], done["grants_narrowed"]) == (1, 0)
    told = done["document"]
    assert (told["label"], told["sensitivity"], told["title"]) == ("medical_record", "privileged", "Report of Dr Ash")
    assert await _seen(clerk, engagement) == set()
    await clerk.get(f"/documents/{paper}", 404)
    await paralegal.get(f"/documents/{paper}/content")
    await _agree(engagement, paralegal, clerk)
    (entry,) = entries(world, "document.corrected")
    assert entry["data"] == {
        "label": "medical_record",
        "sensitivity": "privileged",
        "label_was": "correspondence",
        "sensitivity_was": "confidential",
    }
    assert "Ash" not in str(entries(world, "document.corrected"))
    (ended,) = entries(world, "grant.revoked")
    assert (ended["subjects"]["person"], ended["action"]) == (clerk.person_id, "document:correct")
    assert await findings(world.services) == []


async def test_only_what_is_above_the_ceiling_is_taken_away(engagement: Engagement, world: World) -> None:
    seat = await engagement.member()
    path = f"/engagements/{engagement.id}/overlay"
    await engagement.attorney.change("PUT", path, {"rows": ["paralegal,document:download,medical_record,*,never"]})
    paper = await _paper(engagement)
    grant = await engagement.grant(seat, paper)
    done = await _correct(engagement, paper, label="medical_record")
    assert (done["grants_ended"], done["grants_narrowed"]) == (0, 1)
    assert (await engagement.attorney.get(f"/grants/{grant['id']}"))["abilities"] == ["view"]
    await seat.get(f"/documents/{paper}")
    await seat.get(f"/documents/{paper}/content", 403)
    back = await _correct(engagement, paper, label="correspondence")
    assert (back["grants_ended"], back["grants_narrowed"]) == (0, 0)
    await seat.get(f"/documents/{paper}/content", 403)  # what was taken away comes by a new grant alone
    assert await findings(world.services) == []


async def test_standing_shares_lose_what_is_not_theirs_and_get_what_is(engagement: Engagement, world: World) -> None:
    letters, bills = await engagement.member(), await engagement.member()
    await _share(engagement, "correspondence", membership_id=letters.membership_id)
    await _share(engagement, "billing", membership_id=bills.membership_id)
    world.sleep(1)
    paper = await _paper(engagement)
    assert (await _seen(letters, engagement), await _seen(bills, engagement)) == ({paper}, set())
    assert (await _correct(engagement, paper, label="billing"))["grants_ended"] == 1
    assert (await _seen(letters, engagement), await _seen(bills, engagement)) == (set(), {paper})
    assert (await _correct(engagement, paper, sensitivity="privileged"))["grants_ended"] == 1
    assert await _seen(bills, engagement) == set()
    await _correct(engagement, paper, sensitivity="confidential")
    assert await _seen(bills, engagement) == set(), "a share does not make again what was taken away"
    await _agree(engagement, letters, bills)
    assert await findings(world.services) == []


async def test_what_was_shared_by_its_label_is_not_shared_when_it_is_privileged(engagement: Engagement) -> None:
    many, named = await engagement.member(), await engagement.member()
    paper = await _paper(engagement)
    body = {
        "membership_id": many.membership_id,
        "part_id": engagement.part_id,
        "labels": ["correspondence"],
        "abilities": ["view"],
        "not_after": rfc3339(engagement.world.now + DAY_S),
        "purpose": "Sort.",
    }
    path = f"/engagements/{engagement.id}/grants"
    shown = await engagement.attorney.post(path, {**body, "dry_run": True}, 200)
    await engagement.attorney.post(path, {**body, "digest": shown["digest"]}, 200)
    await engagement.grant(named, paper)
    assert (await _correct(engagement, paper, sensitivity="privileged"))["grants_ended"] == 1
    assert (await _seen(many, engagement), await _seen(named, engagement)) == (set(), {paper})


async def test_a_standby_share_opens_what_the_role_may_still_have(engagement: Engagement) -> None:
    clerk = await engagement.member("legal_assistant")
    paper, kept = await _paper(engagement), await _paper(engagement)
    path = f"/standbys/{(await engagement.standby(clerk, paper, kept))['id']}"
    await _correct(engagement, paper, sensitivity="privileged")
    await clerk.change("POST", f"{path}/opening", {"reason": "The clerk calls."}, match=path)
    assert await _seen(clerk, engagement) == {kept}


async def test_what_one_said_was_not_meant_for_him_does_not_come_with_a_correction(engagement: Engagement) -> None:
    seat = await engagement.member()
    paper = await _paper(engagement)
    await engagement.grant(seat, paper)
    await seat.post(f"/documents/{paper}/misdirection", {})
    await _share(engagement, "billing", membership_id=seat.membership_id)
    engagement.world.sleep(1)
    await _correct(engagement, paper, label="billing")
    assert await _seen(seat, engagement) == set()


@pytest.mark.parametrize(
    ("body", "status"),
    [
        ({}, 422),
        ({"label": "correspondence", "sensitivity": "confidential"}, 422),
        ({"label": "nonsense"}, 422),
        ({"title": ""}, 422),
        ({"title": "Letter", "state": "to_look_at"}, 422),
    ],
)
async def test_a_correction_says_something(engagement: Engagement, body: dict[str, Any], status: int) -> None:
    await _correct(engagement, await _paper(engagement), status, **body)


async def test_nobody_else_corrects(engagement: Engagement, world: World) -> None:
    seat, off_team = await engagement.member(), await world.attorney("Otto Off")
    away = await (await another_firm(world)).engagement()
    paper = await _paper(engagement)
    await engagement.grant(seat, paper)
    tag = {"if-match": (await engagement.attorney.ask("GET", f"/documents/{paper}")).headers["etag"]}
    for who, code in ((seat, 403), (off_team, 404), (away.attorney, 404), (world.owner, 403)):
        answer = await who.ask("PATCH", f"/documents/{paper}", json={"label": "billing"}, headers=tag)
        assert answer.status_code == code, answer.text
    assert (await engagement.attorney.ask("PATCH", f"/documents/{paper}", json={"label": "billing"})).status_code == 428
    await _correct(engagement, paper, label="billing")
    stale = await engagement.attorney.ask("PATCH", f"/documents/{paper}", json={"label": "other"}, headers=tag)
    assert stale.status_code == 412
    await engagement.ask(seat, ("correspondence",))
    own = (await seat.upload(engagement.id, engagement.part_id, b"mine"))["document_id"]
    assert "Confirm it" in (await _correct(engagement, own, 409, label="billing"))["detail"]
    wall = {"person_id": engagement.attorney.person_id, "matter_id": engagement.matter_id, "reason": "Kin."}
    await world.owner.post("/walls", wall)
    answer = await engagement.attorney.ask("PATCH", f"/documents/{paper}", json={"label": "other"}, headers=tag)
    assert answer.status_code == 404

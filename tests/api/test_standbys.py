"""Standby shares over HTTP: sealed ahead, opened once by the member, closed, withdrawn, lapsed."""

from __future__ import annotations

from typing import Any

import pytest

from tests.api.entries import entries
from tests.doctor.tampering import tamper
from tests.world import DAY_S, Engagement, Person, World, rfc3339

HOUR = 3600


async def _sealed(engagement: Engagement, **more: Any) -> tuple[Person, str, Any]:
    """A paralegal, a paper, and a standby share of it."""
    seat = await engagement.member()
    paper = (await engagement.document())["document_id"]
    return seat, paper, await engagement.standby(seat, paper, **more)


async def _open(seat: Person, standby: Any, status: int = 200) -> Any:
    path = f"/standbys/{standby['id']}"
    return await seat.change("POST", f"{path}/opening", {"reason": "The clerk calls."}, status, match=path)


async def test_a_member_opens_once_with_a_reason_and_it_ends_by_itself(engagement: Engagement, world: World) -> None:
    seat, paper, standby = await _sealed(engagement)
    assert standby["state"] == "sealed"
    await seat.get(f"/documents/{paper}", 404)
    assert await seat.get(f"/engagements/{engagement.id}/documents") == {"items": [], "next_cursor": None}
    opened = await _open(seat, standby)
    assert (opened["state"], opened["closes_at"]) == ("open", rfc3339(world.now + HOUR))
    assert await seat.get(f"/documents/{paper}/content") == b"a paper"
    assert (await _open(seat, standby, 409))["code"] == "bad_state"
    (grant,) = (await engagement.attorney.get(f"/documents/{paper}/grants"))["items"]
    assert (grant["purpose"], grant["granted_by"]) == ("The clerk calls.", engagement.attorney.membership_id)
    world.sleep(HOUR - 1)
    await seat.get(f"/documents/{paper}")
    world.sleep(1)
    await seat.get(f"/documents/{paper}", 404)
    listed = (await engagement.attorney.get(f"/engagements/{engagement.id}/standbys"))["items"]
    assert [(each["state"], each["reason"]) for each in listed] == [("closed", "The clerk calls.")]


async def test_before_it_is_opened_a_member_reads_label_and_number_alone(engagement: Engagement) -> None:
    seat = await engagement.member()
    other = await engagement.member()
    paper = await engagement.document(title="Tanager", label="exhibit")
    standby = await engagement.standby(seat, paper["document_id"])
    read = await seat.ask("GET", f"/standbys/{standby['id']}")
    assert "Tanager" not in read.text
    assert read.json()["papers"] == [{"id": paper["document_id"], "number": 1, "label": "exhibit"}]
    assert [each["id"] for each in (await seat.get(f"/engagements/{engagement.id}/standbys"))["items"]] == [
        standby["id"]
    ]
    assert (await other.get(f"/engagements/{engagement.id}/standbys"))["items"] == []
    assert (await other.ask("GET", f"/standbys/{standby['id']}")).status_code == 404
    headers = {"if-match": standby["etag"]}
    path = f"/standbys/{standby['id']}/opening"
    assert (await other.ask("POST", path, json={"reason": "Me too."}, headers=headers)).status_code == 404
    refused = await engagement.attorney.ask("POST", path, json={"reason": "I."}, headers=headers)
    assert refused.status_code == 403
    assert entries(engagement.world, "standby.opened") == []


async def test_the_opening_is_an_alert_and_the_log_has_no_words(engagement: Engagement, world: World) -> None:
    seat, paper, standby = await _sealed(engagement)
    await _open(seat, standby)
    (entry,) = entries(world, "standby.opened")
    assert entry["data"] == {"documents": [paper], "opened_at": world.now, "closes_at": world.now + HOUR}
    assert (entry["actor"]["membership"], entry["subjects"]["standby"]) == (seat.membership_id, standby["id"])
    (granted,) = entries(world, "grant.created")
    assert granted["subjects"]["standby"] == standby["id"]
    assert "clerk" not in str([*entries(world, "standby.sealed"), entry, granted])


async def test_a_version_is_asked_for_and_what_is_withdrawn_or_lapsed_never_opens(
    engagement: Engagement, world: World
) -> None:
    seat, paper, standby = await _sealed(engagement)
    path = f"/standbys/{standby['id']}"
    assert (await seat.ask("POST", f"{path}/opening", json={"reason": "Now."})).status_code == 428
    ended = await engagement.attorney.change("DELETE", path)
    assert ended["state"] == "withdrawn"
    assert (await _open(seat, standby, 409))["code"] == "bad_state"
    assert (await engagement.attorney.change("DELETE", path, status=409))["code"] == "bad_state"
    late = await engagement.standby(seat, paper, valid_until=rfc3339(world.now + 60))
    world.sleep(60)
    assert (await seat.get(f"/standbys/{late['id']}"))["state"] == "lapsed"
    assert (await _open(seat, late, 409))["code"] == "bad_state"
    await seat.get(f"/documents/{paper}", 404)


@pytest.mark.parametrize("who", ["member", "attorney"])
async def test_it_is_closed_early_by_either(engagement: Engagement, world: World, who: str) -> None:
    seat, paper, standby = await _sealed(engagement)
    beside = (await engagement.document())["document_id"]
    await engagement.grant(seat, beside)
    await _open(seat, standby)
    world.sleep(5)
    path = f"/standbys/{standby['id']}"
    if who == "member":
        closed = await seat.change("DELETE", f"{path}/opening", match=path)
        assert (await seat.change("DELETE", f"{path}/opening", match=path, status=409))["code"] == "bad_state"
    else:
        closed = await engagement.attorney.change("DELETE", path)
    assert (closed["state"], closed["closes_at"]) == ("closed", rfc3339(world.now))
    await seat.get(f"/documents/{paper}", 404)
    await seat.get(f"/documents/{beside}")
    assert (await _open(seat, standby, 409))["code"] == "bad_state"


async def test_a_grant_beside_it_neither_stands_in_its_way_nor_ends_with_it(engagement: Engagement) -> None:
    seat, paper, standby = await _sealed(engagement)
    await _open(seat, standby)
    await engagement.grant(seat, paper)
    engagement.world.sleep(1)
    await engagement.attorney.change("DELETE", f"/standbys/{standby['id']}")
    await seat.get(f"/documents/{paper}")


@pytest.mark.parametrize("fate", ["off_team", "sealer_walled", "sealer_ended"])
async def test_what_the_sealer_could_not_share_now_is_not_opened(
    engagement: Engagement, world: World, fate: str
) -> None:
    second = await world.attorney("Second")
    lead, team = engagement.attorney, f"/matters/{engagement.matter_id}/team/{second.person_id}"
    assert (await lead.ask("PUT", team)).status_code == 204
    seat = await engagement.member("paralegal")
    paper = (await engagement.document(label="contact_sheet"))["document_id"]
    body = {
        "membership_id": seat.membership_id,
        "part_id": engagement.part_id,
        "documents": [paper],
        "abilities": ["view"],
        "lasts_s": 60,
        "valid_until": rfc3339(world.now + DAY_S),
        "note": "In need.",
    }
    standby = await second.post(f"/engagements/{engagement.id}/standbys", body)
    world.sleep(1)
    match fate:
        case "off_team":
            assert (await lead.ask("DELETE", team)).status_code == 204
        case "sealer_walled":
            wall = {"person_id": second.person_id, "matter_id": engagement.matter_id, "reason": "She knows them."}
            await lead.post("/walls", wall)
        case _:
            await world.owner.change("DELETE", f"/members/{second.membership_id}")
    assert (await _open(seat, standby, 409))["code"] == "bad_state"
    await seat.get(f"/documents/{paper}", 404)
    assert entries(world, "standby.opened") == []


async def test_what_is_no_longer_to_be_shared_is_left_out_of_an_opening(engagement: Engagement, world: World) -> None:
    seat = await engagement.member()
    stays, goes = [(await engagement.document())["document_id"] for _ in range(2)]
    standby = await engagement.standby(seat, stays, goes)
    tamper(world.services.database, "UPDATE documents SET sensitivity = 'attorney_only' WHERE id = ?", goes)
    await _open(seat, standby)
    (entry,) = entries(world, "standby.opened")
    assert entry["data"]["documents"] == [stays]
    await seat.get(f"/documents/{stays}")
    await seat.get(f"/documents/{goes}", 404)


async def test_neither_wall_nor_missing_duty_nor_suspension_lets_it_open(engagement: Engagement, world: World) -> None:
    seat, paper, standby = await _sealed(engagement)
    path, headers = f"/standbys/{standby['id']}/opening", {"if-match": standby["etag"]}
    await engagement.demand("training")
    answer = await seat.ask("POST", path, json={"reason": "Now."}, headers=headers)
    assert (answer.status_code, answer.json()["code"]) == (403, "duty_missing")
    await engagement.demand("client_consent")
    await _open(seat, standby)
    await seat.get(f"/documents/{paper}", 404)  # the client has not agreed
    await engagement.demand()
    await seat.get(f"/documents/{paper}")
    other, theirs, second = await _sealed(engagement)
    wall = {"person_id": other.person_id, "matter_id": engagement.matter_id, "reason": "He knows them."}
    await engagement.attorney.post("/walls", wall)
    world.sleep(1)
    headers = {"if-match": second["etag"]}
    path = f"/standbys/{second['id']}/opening"
    assert (await other.ask("POST", path, json={"reason": "Now."}, headers=headers)).status_code == 404
    third, _, another = await _sealed(engagement)
    member = f"/members/{third.membership_id}"
    await engagement.attorney.change("POST", f"{member}/suspension", match=member)
    headers = {"if-match": another["etag"]}
    answer = await third.ask("POST", f"/standbys/{another['id']}/opening", json={"reason": "x"}, headers=headers)
    assert (answer.status_code, answer.json()["code"]) == (403, "suspended")
    await other.get(f"/documents/{theirs}", 404)


@pytest.mark.parametrize(
    ("change", "status", "field"),
    [
        ({"lasts_s": 4 * HOUR + 1}, 422, None),
        ({"lasts_s": 0}, 422, None),
        ({"valid_until": 15}, 422, "valid_until"),
        ({"valid_until": 0}, 422, "valid_until"),
        ({"documents": []}, 422, None),
        ({"abilities": ["revise"]}, 403, None),
        ({"abilities": ["burn"]}, 422, "abilities"),
    ],
)
async def test_what_reaches_too_far_is_not_sealed(
    engagement: Engagement, world: World, change: dict[str, Any], status: int, field: str | None
) -> None:
    seat = await engagement.member()
    paper = (await engagement.document())["document_id"]
    if "valid_until" in change:
        change = {"valid_until": rfc3339(world.now + change["valid_until"] * DAY_S)}
    refused = await engagement.standby(seat, paper, status=status, **change)
    assert field is None or refused["field"] == field
    assert entries(world, "standby.sealed") == []


async def test_nobody_seals_what_he_could_not_share_or_for_whom_he_could_not(
    engagement: Engagement, world: World
) -> None:
    seat = await engagement.member("billing_clerk")
    paper = (await engagement.document(label="exhibit"))["document_id"]
    assert (await engagement.standby(seat, paper, status=403))["code"] == "above_ceiling"
    other = await world.engagement()
    theirs = (await other.document(label="billing"))["document_id"]
    await engagement.standby(seat, theirs, status=404)
    stranger = await other.member()
    await engagement.standby(stranger, paper, status=404)
    loose = await engagement.attorney.upload(engagement.id, engagement.part_id, b"x", sensitivity="attorney_only")
    paralegal = await engagement.member()
    assert (await engagement.standby(paralegal, loose["document_id"], status=403))["code"] == "above_ceiling"


async def test_no_paper_is_told_of_while_its_matter_lacks_a_duty(engagement: Engagement) -> None:
    seat = await engagement.member()
    paper = (await engagement.document(label="medical_record"))["document_id"]
    standby = (await engagement.standby(seat, paper))["id"]

    async def told(who: Person) -> list[str]:
        read = (await who.get(f"/standbys/{standby}"))["papers"]
        [listed] = (await who.get(f"/engagements/{engagement.id}/standbys"))["items"]
        assert listed["papers"] == read
        return [each["id"] for each in read]

    assert await told(seat) == [paper]
    await engagement.demand("client_consent")
    assert await told(seat) == []
    assert await told(engagement.attorney) == [paper]
    await engagement.evidence("client_consent")
    assert await told(seat) == [paper]


async def test_somebody_elses_is_not_there_for_whoever_has_not_signed_or_is_suspended(engagement: Engagement) -> None:
    seat, unsigned, suspended = (
        await engagement.member(),
        await engagement.member(signed=False),
        await engagement.member(),
    )
    path = f"/members/{suspended.membership_id}"
    await engagement.attorney.change("POST", f"{path}/suspension", match=path)
    paper = (await engagement.document())["document_id"]
    standby = (await engagement.standby(seat, paper))["id"]
    ask = (await engagement.ask(seat))["items"][0]["id"]
    for who in (unsigned, suspended):
        for there, nothing in ((f"/standbys/{standby}", "/standbys/sby_"), (f"/asks/{ask}", "/asks/ask_")):
            known, unknown = await who.get(there, status=404), await who.get(nothing + "0" * 32, status=404)
            assert known["detail"] == unknown["detail"]

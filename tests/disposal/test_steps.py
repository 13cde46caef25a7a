"""The steps that people take towards the end, and every wrong way to take them."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from sqlalchemy import update

from service import firms
from service.db.models import documents
from service.ledger import Outcome
from tests.disposal.ending import Ending, an_ending
from tests.logs import entries_of
from tests.world import DAY_S, Person, a_world


@pytest.fixture
async def ending(tmp_path: Path, migrated_url: str) -> AsyncIterator[Ending]:
    """An engagement ready to be ended."""
    async with a_world(tmp_path / "var", migrated_url) as world:
        yield await an_ending(world)


async def test_asking_for_the_end_ends_vendor_access_in_that_second_and_not_the_attorneys(ending: Ending) -> None:
    seat = await ending.engagement.member()
    await ending.engagement.grant(seat, ending.letter["document_id"])
    path = f"/documents/{ending.letter['document_id']}"
    await seat.get(path)
    disposal = await ending.request()
    assert disposal["state"] == "requested"
    assert disposal["requested_at"] == "2027-01-15T08:00:00Z"
    for person in (seat, ending.seat):
        await person.get(path, status=404)
        await person.get(f"{path}/content", status=404)
        await person.upload(ending.engagement.id, ending.engagement.part_id, b"x", status=404, label="intake_form")
    assert (await ending.attorney.get(path))["id"] == ending.letter["document_id"]
    assert len(await ending.attorney.get(f"{path}/content")) == 34_000


async def test_every_step_out_of_order_is_refused_and_changes_nothing(ending: Ending) -> None:
    await ending.request()
    before = ending.row()
    await ending.give_back(status=409)
    await ending.run(status=409)
    assert ending.row() == before
    await ending.approve()
    before = ending.row()
    await ending.run(status=409)
    assert ending.row() == before
    await ending.give_back()
    before = ending.row()
    await ending.approve(status=409)
    await ending.give_back(status=409)
    assert ending.row() == before
    assert (await ending.run())["state"] == "certified"
    before = ending.row()
    await ending.approve(status=409)
    await ending.give_back(status=409)
    assert (await ending.attorney.ask("DELETE", ending.path)).status_code == 409
    assert ending.row() == before
    assert (await ending.run())["state"] == "certified"  # asked again: nothing is left to do
    assert len(ending.certificates()) == 1


async def test_an_engagement_is_asked_to_end_once_at_a_time(ending: Ending) -> None:
    await ending.request()
    path = f"/engagements/{ending.engagement.id}/disposal"
    await ending.attorney.post(path, status=409)
    key = {"idempotency-key": "k"}
    assert (await ending.attorney.ask("DELETE", ending.path)).status_code == 204
    ending.world.sleep(1)
    first = await ending.attorney.post(path, headers=key)
    assert (await ending.attorney.post(path, headers=key))["id"] == first["id"]
    assert (await ending.attorney.get(path))["id"] == first["id"]


async def test_who_asked_cannot_agree_and_neither_can_the_vendor_or_a_stranger(ending: Ending) -> None:
    await ending.request()
    refused = await ending.approve(by=ending.attorney, status=403)
    assert refused["code"] == "second_person_needed"
    second_token = await ending.world.sign_in(ending.attorney.person_id, ending.attorney.membership_id)
    assert (await ending.approve(by=second_token, status=403))["code"] == "second_person_needed"
    await ending.approve(by=ending.seat, status=403)
    stranger = await ending.world.attorney("Not on the team")
    await ending.approve(by=stranger, status=404)
    assert ending.row().state == "requested"
    await ending.approve()
    assert ending.row().approved_by == ending.world.owner.person_id


async def test_the_same_approval_again_changes_nothing_and_nobody_approves_after_somebody(ending: Ending) -> None:
    body = {"person_id": (await ending.world.attorney()).person_id, "role": "attorney"}
    member = await ending.world.owner.post(f"/engagements/{ending.engagement.id}/members", body)
    third = await ending.world.sign_in(body["person_id"], member["id"])
    await ending.request()
    await ending.approve()
    database, firm_id = ending.world.services.database, ending.world.firm_id
    before = ending.row()
    ending.world.sleep(DAY_S)
    await ending.world.step_up(ending.world.owner)
    recorded = len(entries_of(database, firm_id))
    assert (await ending.approve())["state"] == "approved"
    assert ending.row() == before  # it lapses when the first would have
    assert [entry.type for entry in entries_of(database, firm_id)[recorded:]] == ["access.allowed"]
    other = {"manifest_sha256": "0" * 64}
    await ending.world.step_up(ending.world.owner)
    await ending.world.owner.post(f"{ending.path}/approval", other, status=412)
    assert (await ending.approve(by=ending.attorney, status=403))["code"] == "second_person_needed"
    assert (await ending.approve(by=third, status=409))["code"] == "bad_state"
    assert ending.row() == before


async def test_nobody_of_the_vendor_can_take_any_step(ending: Ending) -> None:
    await ending.seat.post(f"/engagements/{ending.engagement.id}/disposal", status=403)
    await ending.returned()
    before = ending.row()
    await ending.seat.get(ending.path, status=403)
    await ending.run(by=ending.seat, status=403)
    assert (await ending.seat.ask("DELETE", ending.path)).status_code == 403
    assert ending.row() == before


async def test_an_approval_is_for_exactly_the_manifest_that_was_shown(ending: Ending) -> None:
    disposal = await ending.request()
    for other in (
        "0" * 64,
        disposal["manifest_sha256"][:-1] + ("0" if disposal["manifest_sha256"][-1] != "0" else "1"),
    ):
        await ending.world.step_up(ending.world.owner)
        refused = await ending.world.owner.post(f"{ending.path}/approval", {"manifest_sha256": other}, status=412)
        assert refused["code"] == "stale"
    for malformed in ("", "x", disposal["manifest_sha256"].upper()):
        await ending.world.step_up(ending.world.owner)
        await ending.world.owner.post(f"{ending.path}/approval", {"manifest_sha256": malformed}, status=422)
    assert ending.row().state == "requested"


async def test_an_approval_lapses_after_seven_days(ending: Ending) -> None:
    await ending.returned()
    ending.world.sleep(7 * DAY_S - 1)
    assert ending.row().state == "returned"
    ending.world.sleep(1)
    refused = await ending.run(status=409)
    assert refused["code"] == "bad_state"
    assert ending.row().state == "returned"
    assert (await ending.attorney.ask("DELETE", ending.path)).status_code == 204
    await ending.returned()
    ending.world.sleep(7 * DAY_S - 1)
    assert (await ending.run())["state"] == "certified"


async def test_a_hold_stands_in_the_way_of_every_step_until_destruction(ending: Ending) -> None:
    hold = await ending.attorney.post("/holds", {"matter_id": ending.engagement.matter_id, "reason": "Litigation."})
    path, hold_path = f"/engagements/{ending.engagement.id}/disposal", f"/holds/{hold['id']}"
    assert (await ending.attorney.post(path, status=409))["code"] == "held"
    await ending.world.step_up(ending.attorney)
    await ending.attorney.change("DELETE", hold_path)
    await ending.request()
    hold = await ending.attorney.post("/holds", {"matter_id": ending.engagement.matter_id, "reason": "Litigation."})
    assert (await ending.approve(status=409))["code"] == "held"
    await ending.world.step_up(ending.attorney)
    await ending.attorney.change("DELETE", f"/holds/{hold['id']}")
    await ending.approve()
    await ending.give_back()
    hold = await ending.attorney.post("/holds", {"matter_id": ending.engagement.matter_id, "reason": "Litigation."})
    assert (await ending.run(status=409))["code"] == "held"
    assert ending.row().state == "returned"
    assert all(any(ending.world.services.keys.exists(key_id).values()) for key_id in ending.key_ids())
    await ending.world.step_up(ending.attorney)
    await ending.attorney.change("DELETE", f"/holds/{hold['id']}")
    assert (await ending.run())["state"] == "certified"


async def test_each_only_copy_is_confirmed_by_its_own_hash(ending: Ending) -> None:
    await ending.request()
    await ending.approve()
    assert ending.disposal["only_copies"] == [ending.form["document_id"]]
    wrong = {"document_id": ending.form["document_id"], "sha256": "0" * 64}
    swapped = {"document_id": ending.form["document_id"], "sha256": ending.letter["sha256"]}
    for copies in ([], [wrong], [swapped]):
        refused = await ending.give_back(status=409, only_copies=copies)
        assert refused["documents"] == [ending.form["document_id"]]
        assert ending.form["sha256"] not in str(refused)
    await ending.give_back(status=422, waiver="")
    await ending.give_back(status=422, waiver="a\u202eb")
    assert ending.row().state == "approved"
    assert (await ending.give_back())["state"] == "returned"


async def test_taking_the_request_back_opens_the_engagement_again(ending: Ending) -> None:
    seat = await ending.engagement.member()
    await ending.engagement.grant(seat, ending.letter["document_id"])
    await ending.returned()
    path = f"/documents/{ending.letter['document_id']}"
    await seat.get(path, status=404)
    assert (await ending.attorney.ask("DELETE", ending.path)).status_code == 204
    assert (await seat.get(path))["id"] == ending.letter["document_id"]
    assert (await ending.attorney.get(ending.path))["state"] == "withdrawn"
    await ending.approve(status=403)
    await ending.give_back(status=409)
    await ending.run(status=409)


async def test_each_step_is_in_the_engagements_own_chain(ending: Ending) -> None:
    await ending.returned()
    await ending.run()
    entries = entries_of(ending.world.services.database, ending.world.firm_id)
    chain = [e for e in entries if (e.subjects or {}).get("engagement") == ending.engagement.id]
    steps = [e.type for e in chain if e.type.startswith(("disposal.", "certificate."))]
    assert steps == [
        "disposal.requested",
        "disposal.approved",
        "disposal.returned",
        "disposal.keys_destroyed",
        "disposal.objects_deleted",
        "disposal.verified",
        "certificate.issued",
    ]


async def test_disposals_and_certificates_of_another_firm_do_not_exist(ending: Ending) -> None:
    await ending.returned()
    await ending.run()
    services = ending.world.services
    founded = await firms.found(services, "Other", "o@other.example", "O", "UTC", 30)
    other = Person(ending.world.http, founded.owner_person_id, founded.owner_membership_id, founded.owner_token.text)
    [certificate] = ending.certificates()
    for path in (ending.path, f"/certificates/{certificate.id}", f"/engagements/{ending.engagement.id}/disposal"):
        await other.get(path, status=404)
    assert (await other.get("/certificates"))["items"] == []


async def test_a_manifest_that_changed_after_the_approval_stops_everything(ending: Ending) -> None:
    """Nothing in the service can do it while an engagement is closing; a row that was changed by hand can."""
    await ending.request()
    await ending.approve()
    services = ending.world.services
    take_back = update(documents).where(documents.c.id == ending.form["document_id"])

    async def set_state(state: str) -> None:
        firm_id = ending.world.firm_id
        await services.ledger.submit(firm_id, lambda tx, _moment: Outcome(tx.run(take_back.values(state=state))))

    await set_state("to_look_at")
    assert (await ending.give_back(status=412))["code"] == "stale"
    await set_state("confirmed")
    await ending.give_back()
    await set_state("to_look_at")
    assert (await ending.run(status=412))["code"] == "stale"
    assert ending.row().state == "returned"
    assert all(any(services.keys.exists(key_id).values()) for key_id in ending.key_ids())

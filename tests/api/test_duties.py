"""Duties over HTTP: demanded, recorded, waived, ended; and what somebody is told of what is missing."""

from __future__ import annotations

from typing import Any

import pytest

from tests.api.entries import another_firm, entries
from tests.world import DAY_S, Engagement, Person, World, rfc3339

BY_ENGAGEMENT = ("training", "background_check", "vendor_agreement", "vendor_review", "insurance")
BY_MATTER = ("baa", "client_consent", "conflict_check", "undertaking")
OF_PERSON = {"training", "background_check"}
WAIVABLE = {"training", "background_check", "vendor_review", "insurance"}
WAIVER_S = 72 * 3600


async def _handed(engagement: Engagement, label: str = "exhibit") -> tuple[Person, str]:
    """A paralegal and a paper that he was handed."""
    seat = await engagement.member()
    paper = (await engagement.document(label=label))["document_id"]
    await engagement.grant(seat, paper)
    return seat, paper


async def _record(engagement: Engagement, duty: str, seat: Person, **more: Any) -> Any:
    return await engagement.evidence(duty, seat if duty in OF_PERSON else None, **more)


async def _waive(engagement: Engagement, duty: str, seat: Person | None = None, status: int = 201) -> Any:
    body = {"duty": duty, "reason": "The certificate is on its way."}
    if seat is not None:
        body["person_id"] = seat.person_id
    return await engagement.attorney.post(f"/engagements/{engagement.id}/waivers", body, status)


def _missing(me: Any) -> dict[str, Any]:
    return {duty["duty"]: duty for duty in me["missing"]}


@pytest.mark.parametrize("duty", [*BY_ENGAGEMENT, *BY_MATTER])
async def test_a_demanded_duty_shuts_and_evidence_opens(engagement: Engagement, duty: str) -> None:
    seat, paper = await _handed(engagement)
    await seat.get(f"/documents/{paper}")
    await engagement.demand(duty)
    assert (await seat.get(f"/documents/{paper}", 404))["code"] == "not_found"
    assert (await seat.get(f"/documents/{paper}/content", 404))["code"] == "not_found"
    told = _missing(await seat.get("/me"))[duty]
    assert told["lapses_at"] is None
    assert told["words"]
    assert told["mended_by"] in {"member", "vendor", "firm"}
    assert told["part_id"] == (engagement.part_id if duty in BY_MATTER else None)
    if duty in BY_ENGAGEMENT:
        assert (await seat.get(f"/engagements/{engagement.id}", 403))["code"] == "duty_missing"
    recorded = await _record(engagement, duty, seat)
    assert (recorded["duty"], recorded["basis"], recorded["state"]) == (duty, "recorded", "in_force")
    assert recorded["note"] == "Seen by us."
    await seat.get(f"/documents/{paper}")
    assert (await seat.get(f"/engagements/{engagement.id}/documents"))["items"]
    assert _missing(await seat.get("/me")) == {}


async def test_a_list_shows_what_each_paper_would_and_nothing_of_what_is_missing(engagement: Engagement) -> None:
    """A protective order shuts what was produced under it; the client's letter stays."""
    seat, discovery = await _handed(engagement, "discovery")
    letter = (await engagement.document(label="correspondence"))["document_id"]
    await engagement.grant(seat, letter)
    await engagement.demand("undertaking")
    listed = await seat.get(f"/engagements/{engagement.id}/documents")
    assert [each["id"] for each in listed["items"]] == [letter]
    await seat.get(f"/documents/{letter}")
    assert (await seat.get(f"/documents/{discovery}", 404))["code"] == "not_found"
    await engagement.evidence("undertaking")
    listed = await seat.get(f"/engagements/{engagement.id}/documents")
    assert [each["id"] for each in listed["items"]] == sorted([discovery, letter])


async def test_nobody_is_told_of_a_matter_in_which_he_was_handed_nothing(engagement: Engagement, world: World) -> None:
    seat, _ = await _handed(engagement)
    other = await engagement.member()
    await engagement.demand("baa", "client_consent")
    assert set(_missing(await seat.get("/me"))) == {"baa", "client_consent"}
    assert _missing(await other.get("/me")) == {}
    await engagement.ask(other)
    assert set(_missing(await other.get("/me"))) == {"baa", "client_consent"}
    wall = {"person_id": seat.person_id, "matter_id": engagement.matter_id, "reason": "He knows them."}
    await engagement.attorney.post("/walls", wall)
    world.sleep(1)
    assert _missing(await seat.get("/me")) == {}


async def test_who_lacks_a_duty_adds_nothing_and_reads_no_instructions(engagement: Engagement) -> None:
    seat = await engagement.member("intake_specialist")
    await engagement.ask(seat)
    await engagement.demand("training", "client_consent")
    await engagement.evidence("client_consent")
    path = f"/engagements/{engagement.id}"
    assert (await seat.get(f"{path}/asks", 403))["code"] == "duty_missing"
    assert (await seat.get("/me"))["due"] == []
    await seat.upload(engagement.id, engagement.part_id, b"form", 404, label="intake_form")
    await engagement.evidence("training", seat)
    await seat.upload(engagement.id, engagement.part_id, b"form", label="intake_form")


async def test_evidence_counts_from_second_to_second(engagement: Engagement, world: World) -> None:
    seat, paper = await _handed(engagement)
    await engagement.demand("insurance")
    begins, ends = world.now + 60, world.now + 120
    made = await engagement.evidence("insurance", valid_from=rfc3339(begins), valid_until=rfc3339(ends))
    assert made["state"] == "to_come"
    for pause, status in ((59, 404), (1, 200), (59, 200), (1, 404)):
        world.sleep(pause)
        await seat.get(f"/documents/{paper}", status)
    assert (await engagement.attorney.get(f"/duties/{made['id']}"))["state"] == "over"


async def test_what_soon_ends_is_told_before_it_does(engagement: Engagement, world: World) -> None:
    seat, _ = await _handed(engagement)
    await engagement.demand("training")
    ends = world.now + 40 * DAY_S
    await engagement.evidence("training", seat, valid_until=rfc3339(ends))
    assert _missing(await seat.get("/me")) == {}
    world.sleep(11 * DAY_S)
    assert _missing(await seat.get("/me"))["training"]["lapses_at"] == rfc3339(ends)


@pytest.mark.parametrize("duty", sorted(WAIVABLE))
async def test_a_waiver_opens_for_72_hours_once_and_is_shown_as_one(
    engagement: Engagement, world: World, duty: str
) -> None:
    seat, paper = await _handed(engagement)
    await engagement.demand(duty)
    whose = seat if duty in OF_PERSON else None
    made = await _waive(engagement, duty, whose)
    assert (made["basis"], made["valid_until"]) == ("waived", rfc3339(world.now + WAIVER_S))
    assert made["note"] == "The certificate is on its way."
    await seat.get(f"/documents/{paper}")
    told = _missing(await seat.get("/me"))[duty]
    assert (told["waived"], told["lapses_at"]) == (True, made["valid_until"])
    members = await engagement.attorney.get(f"/engagements/{engagement.id}/members")
    (member,) = [each for each in members["items"] if each["person_id"] == seat.person_id]
    assert [(each["duty"], each["waived"]) for each in member["missing"]] == [(duty, True)]
    world.sleep(WAIVER_S - 1)
    await seat.get(f"/documents/{paper}")
    world.sleep(1)
    await seat.get(f"/documents/{paper}", 404)
    assert (await _waive(engagement, duty, whose, 409))["code"] == "exists"
    await _record(engagement, duty, seat)
    assert _missing(await seat.get("/me")) == {}


async def test_a_waiver_of_one_person_or_engagement_is_nobody_else_s(engagement: Engagement) -> None:
    seat, paper = await _handed(engagement)
    other, theirs = await _handed(engagement)
    await engagement.demand("training")
    await _waive(engagement, "training", seat)
    await seat.get(f"/documents/{paper}")
    await other.get(f"/documents/{theirs}", 404)
    await _waive(engagement, "training", other)
    await other.get(f"/documents/{theirs}")


@pytest.mark.parametrize("duty", ["nda", "baa", "client_consent", "conflict_check", "undertaking", "vendor_agreement"])
async def test_what_protects_the_client_is_never_waived(engagement: Engagement, duty: str) -> None:
    if duty != "nda":
        await engagement.demand(duty)
    assert (await _waive(engagement, duty, None, 422))["code"] == "bad_input"
    assert entries(engagement.world, "duty.waived") == []


async def test_there_is_nothing_to_waive_where_nothing_is_demanded_or_all_is_in_force(engagement: Engagement) -> None:
    seat = await engagement.member()
    assert (await _waive(engagement, "training", seat, 409))["code"] == "bad_state"
    await engagement.demand("training")
    await engagement.evidence("training", seat)
    assert (await _waive(engagement, "training", seat, 409))["code"] == "bad_state"


async def test_ending_evidence_stops_access_and_a_waiver_that_was_ended_was_used(
    engagement: Engagement, world: World
) -> None:
    seat, paper = await _handed(engagement)
    await engagement.demand("training")
    waiver = await _waive(engagement, "training", seat)
    world.sleep(1)
    await engagement.attorney.change("DELETE", f"/duties/{waiver['id']}")
    await seat.get(f"/documents/{paper}", 404)
    assert (await _waive(engagement, "training", seat, 409))["code"] == "exists"
    made = await engagement.evidence("training", seat)
    await seat.get(f"/documents/{paper}")
    lead, path = engagement.attorney, f"/duties/{made['id']}"
    assert (await lead.ask("DELETE", path)).status_code == 428
    assert (await lead.ask("DELETE", path, headers={"if-match": '"x"'})).status_code == 412
    world.sleep(1)
    ended = await lead.change("DELETE", path)
    assert (ended["state"], ended["valid_until"]) == ("over", rfc3339(world.now))
    await seat.get(f"/documents/{paper}", 404)
    assert (await lead.change("DELETE", path, status=409))["code"] == "bad_state"


async def test_a_signature_is_listed_and_not_ended_by_hand(engagement: Engagement) -> None:
    await engagement.member()
    lead = engagement.attorney
    (signed,) = (await lead.get(f"/engagements/{engagement.id}/duties"))["items"]
    assert (signed["duty"], signed["basis"], signed["note"]) == ("nda", "signed", None)
    assert (await lead.change("DELETE", f"/duties/{signed['id']}", status=409))["code"] == "bad_state"


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"duty": "nda"}, None),
        ({"duty": "lunch"}, None),
        ({"person_id": None}, "person_id"),
        ({"duty": "insurance"}, "person_id"),
        ({"duty": "client_consent", "person_id": None}, "matter_id"),
        ({"matter_id": "own"}, "matter_id"),
        ({"valid_until": "now"}, "valid_until"),
        ({"note": "\u202eevil"}, "note"),
    ],
)
async def test_evidence_of_another_form_is_refused(
    engagement: Engagement, world: World, change: dict[str, Any], field: str | None
) -> None:
    seat = await engagement.member()
    body = {"duty": "training", "person_id": seat.person_id, "note": "Seen.", **change}
    body = {name: value for name, value in body.items() if value is not None}
    if body.get("matter_id"):
        body["matter_id"] = engagement.matter_id
    if body.get("valid_until"):
        body["valid_until"] = rfc3339(world.now)
    refused = await engagement.attorney.post(f"/engagements/{engagement.id}/duties", body, 422)
    assert field is None or refused["field"] == field
    assert entries(world, "duty.recorded") == []


async def test_evidence_is_of_members_and_matters_of_this_engagement(engagement: Engagement, world: World) -> None:
    other = await world.engagement()
    stranger = await other.member()
    await engagement.evidence("training", stranger, status=404)
    for matter_id in (other.matter_id, "mtr_" + "0" * 32):
        await engagement.evidence("client_consent", matter_id=matter_id, status=404)
    firm = await another_firm(world)
    foreign = await firm.engagement()
    await engagement.evidence("client_consent", matter_id=foreign.matter_id, status=404)
    mine = await other.evidence("insurance")
    for path in (f"/duties/{mine['id']}", "/duties/dut_" + "0" * 32, "/duties/x", f"/duties/{other.id}"):
        assert (await engagement.attorney.ask("GET", path)).status_code == 404
        assert (await foreign.attorney.ask("GET", path)).status_code == 404


async def test_who_is_not_named_on_the_matter_knows_nothing_of_its_duties(engagement: Engagement, world: World) -> None:
    made = await engagement.evidence("client_consent")
    lead = await world.attorney("Deputy")
    await engagement.attorney.change("PATCH", f"/engagements/{engagement.id}", {"deputy_id": lead.person_id})
    await engagement.evidence("insurance")
    listed = await lead.get(f"/engagements/{engagement.id}/duties")
    assert [each["duty"] for each in listed["items"]] == ["insurance"]
    assert (await lead.ask("GET", f"/duties/{made['id']}")).status_code == 404
    body = {"duty": "client_consent", "matter_id": engagement.matter_id, "note": "Seen."}
    assert (await lead.ask("POST", f"/engagements/{engagement.id}/duties", json=body)).status_code == 404
    named = await engagement.attorney.ask("PUT", f"/matters/{engagement.matter_id}/team/{lead.person_id}")
    assert named.status_code == 204
    assert (await lead.get(f"/duties/{made['id']}"))["note"] == "Seen by us."
    wall = {"person_id": lead.person_id, "matter_id": engagement.matter_id, "reason": "She knows them."}
    await engagement.attorney.post("/walls", wall)
    assert (await lead.ask("GET", f"/duties/{made['id']}")).status_code == 404


async def test_the_vendor_s_manager_reads_what_his_side_owes_and_nothing_more(engagement: Engagement) -> None:
    manager, seat = await engagement.member("vendor_manager"), await engagement.member()
    await engagement.demand("training", "insurance", "client_consent")
    await engagement.evidence("client_consent")
    made = await engagement.evidence("training", seat)
    listed = (await manager.get(f"/engagements/{engagement.id}/duties"))["items"]
    assert sorted((each["duty"], each["note"], each["recorded_by"]) for each in listed) == [
        ("nda", None, None),
        ("nda", None, None),
        ("training", None, None),
    ]
    assert (await manager.get(f"/duties/{made['id']}"))["note"] is None
    members = (await manager.get(f"/engagements/{engagement.id}/members"))["items"]
    owing = {each["person_id"]: [duty["duty"] for duty in each["missing"]] for each in members}
    assert owing == {manager.person_id: [], seat.person_id: ["insurance"]}
    body = {"duty": "insurance", "note": "We have it."}
    assert (await manager.post(f"/engagements/{engagement.id}/duties", body, 403))["code"] == "forbidden"
    assert await manager.post(f"/engagements/{engagement.id}/waivers", {**body, "reason": "x"}, 422)
    assert (await manager.ask("DELETE", f"/duties/{made['id']}")).status_code == 403
    assert (await seat.ask("GET", f"/engagements/{engagement.id}/duties")).status_code == 403


async def test_an_attorney_reads_which_duties_keep_somebody_out_and_which_would_later(
    engagement: Engagement, world: World
) -> None:
    seat, paper = await _handed(engagement)
    await engagement.demand("training", "insurance", "baa")
    ends = world.now + 60
    await engagement.evidence("insurance", valid_until=rfc3339(ends))
    path, lead = f"/documents/{paper}/access?person_id={seat.person_id}", engagement.attorney
    for at, duties in ((world.now, ["baa", "training"]), (ends, ["baa", "insurance", "training"])):
        (told,) = (await lead.get(f"{path}&at={rfc3339(at)}"))["items"]
        assert {(each["why_not"], *each["duties"]) for each in told["reasons"] if each["missing"] == ["duties"]} == {
            ("duty_missing", *duties)
        }
    for duty in ("training", "baa"):
        await _record(engagement, duty, seat)
    (told,) = (await lead.get(path))["items"]
    assert told["sees"]
    assert told["reasons"][0]["duties"] == []


async def test_entries_hold_all_that_rules_depend_on_and_no_words(engagement: Engagement, world: World) -> None:
    seat = await engagement.member()
    await engagement.demand("training", "client_consent")
    made = await engagement.evidence("training", seat, note="Siskin saw it.")
    (entry,) = entries(world, "duty.recorded")
    assert entry["data"]["duty"] == "training"
    assert (entry["subjects"]["duty"], entry["subjects"]["person"]) == (made["id"], seat.person_id)
    assert entry["data"]["valid_from"] == world.now
    assert "Siskin" not in str(entry)
    changed = entries(world, "engagement.changed")[-1]["data"]
    assert (changed["owed"], changed["owed_before"]) == (["training"], [])
    changed = entries(world, "matter.changed")[-1]["data"]
    assert (changed["owed"], changed["owed_before"]) == (["client_consent"], [])
    await engagement.demand()
    changed = entries(world, "matter.changed")[-1]["data"]
    assert (changed["owed"], changed["owed_before"]) == ([], ["client_consent"])


async def test_what_is_demanded_is_said_from_the_beginning_and_changed_with_its_version(
    engagement: Engagement, world: World
) -> None:
    lead = engagement.attorney
    matter = await lead.post("/matters", {"number": "2027-9", "client": "Ana", "owed": ["baa"]})
    assert matter["owed"] == ["baa"]
    path = f"/matters/{matter['id']}"
    assert (await lead.ask("PATCH", path, json={"owed": []})).status_code == 428
    assert (await lead.change("PATCH", path, {"owed": ["undertaking", "baa"]}))["owed"] == ["baa", "undertaking"]
    await lead.change("PATCH", path, {"owed": ["training"]}, 422)
    assert (await (await world.attorney()).ask("PATCH", path, json={"owed": []})).status_code == 404
    listed = (await world.owner.get("/matters"))["items"]
    assert {each["owed"] is None for each in listed} == {True}
    body = {
        "vendor_id": engagement.vendor_id,
        "number": "E-9",
        "name": "Nine",
        "starts_at": rfc3339(world.now),
        "ends_at": rfc3339(world.now + DAY_S),
        "lead_id": lead.person_id,
        "owed": ["training", "insurance"],
    }
    made = await world.owner.post("/engagements", body)
    assert made["owed"] == ["insurance", "training"]
    await lead.change("PATCH", f"/engagements/{made['id']}", {"owed": ["baa"]}, 422)
    renamed = await lead.change("PATCH", f"/engagements/{made['id']}", {"name": "Nine again"})
    assert renamed["owed"] == ["insurance", "training"]


async def test_recording_twice_with_one_key_records_once(engagement: Engagement) -> None:
    seat, key = await engagement.member(), {"idempotency-key": "k1"}
    first = await engagement.evidence("training", seat, headers=key)
    assert (await engagement.evidence("training", seat, headers=key))["id"] == first["id"]
    assert (await engagement.evidence("insurance", headers=key, status=422))["code"] == "idempotency_mismatch"

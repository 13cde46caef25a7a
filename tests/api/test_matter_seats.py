"""A reviewer's seat limited to one matter: its entries, its papers in the register, its titles; and nothing beside."""

from __future__ import annotations

import base64
import json
from typing import Any

import pytest

from audit.checkpoint import verify
from audit.merkle import leaf_hash, verify_inclusion
from service import exports
from service.db.models import memberships
from tests.api.entries import another_firm, entries
from tests.doctor.tampering import instead, rows_of
from tests.world import DAY_S, Engagement, Person, World, findings, rfc3339

NOWHERE = "0" * 32


async def _person(world: World) -> str:
    person = await world.owner.post("/people", {"email": f"r{next(world.numbers)}@firm.test", "name": "Rae Reviewer"})
    return str(person["id"])


async def _seat(world: World, matter_id: str, **more: Any) -> Person:
    person_id = await _person(world)
    body = {"person_id": person_id, "role": "reviewer", "matter_id": matter_id, **more}
    return await world.sign_in(person_id, (await world.owner.post("/members", body))["id"])


async def _second_part(engagement: Engagement) -> dict[str, str]:
    """Another matter in the same engagement, with one paper."""
    attorney = engagement.attorney
    body = {"number": f"M-{next(engagement.world.numbers)}", "client": "Grosbeak"}
    matter = await attorney.post("/matters", body)
    part = await attorney.post(
        f"/engagements/{engagement.id}/parts", {"matter_id": matter["id"], "caption": "Grosbeak v. Acme"}
    )
    paper = await attorney.upload(engagement.id, part["id"], b"Siskin", title="Siskin", label="billing")
    return {"matter": matter["id"], "part": part["id"], "paper": paper["document_id"]}


def _same(first: Any, second: Any) -> bool:
    return bool({**first, "instance": ""} == {**second, "instance": ""})


@pytest.fixture
async def seat(engagement: Engagement, world: World) -> Person:
    return await _seat(world, engagement.matter_id)


async def _log(who: Person, matter_id: str) -> list[Any]:
    """The entries of a matter: a test's log is shorter than a page."""
    page = await who.get(f"/audit/entries?matter_id={matter_id}&limit=1000")
    assert page["next"] is None
    found: list[Any] = page["items"]
    return found


# The log ------------------------------------------------------------------------------------------------------------


async def test_its_log_is_every_entry_of_that_matter_and_no_other(
    engagement: Engagement, world: World, seat: Person
) -> None:
    await engagement.document()
    second = await _second_part(engagement)
    told = await _log(seat, engagement.matter_id)
    known = [{name: one[name] for name in one if name != "holder"} for one in entries(world)]
    written = [one for one in known if one.get("subjects", {}).get("matter") == engagement.matter_id]
    assert told == written[: len(told)]
    assert len(told) > 2
    assert {one["action"] for one in written[len(told) :]} <= {"audit:read"}  # the reading itself
    assert second["matter"] not in json.dumps(told)


async def test_pages_are_bounded_and_may_be_empty(
    engagement: Engagement, world: World, seat: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    await engagement.document()
    whole = await _log(seat, engagement.matter_id)
    monkeypatch.setattr(exports, "LOOKED_AT", 3)
    page = await seat.get(f"/audit/entries?matter_id={engagement.matter_id}")
    assert (page["items"], page["next"]) == ([], 3)  # the firm's first entries are of no matter
    in_steps = []
    for start in range(0, whole[-1]["index"] + 1, 3):
        in_steps += (await seat.get(f"/audit/entries?matter_id={engagement.matter_id}&after={start}"))["items"]
    assert in_steps[: len(whole)] == whole
    assert {one["action"] for one in in_steps[len(whole) :]} <= {"audit:read"}  # these readings themselves
    monkeypatch.undo()
    first = await seat.get(f"/audit/entries?matter_id={engagement.matter_id}&limit=1")
    assert (first["items"], first["next"]) == (whole[:1], whole[1]["index"])


async def test_an_entry_is_of_a_matter_by_its_subjects_alone() -> None:
    matter = "mtr_" + NOWHERE
    body = {"data": {"matter": matter}, "subjects": {"engagement": "eng_" + NOWHERE}}
    spelt = json.dumps(body, separators=(",", ":")).encode()
    assert f'"matter":"{matter}"'.encode() in spelt
    assert not exports._is_of_matter(spelt, matter)
    assert not exports._is_of_matter(spelt.replace(b',"subjects"', b',"other"'), matter)


async def test_an_entry_of_that_matter_is_proved_and_another_is_not(
    engagement: Engagement, world: World, seat: Person
) -> None:
    await engagement.document()
    second = await _second_part(engagement)
    one = (await _log(seat, engagement.matter_id))[-1]
    proof = await seat.get(f"/audit/proofs/{one['index']}?matter_id={engagement.matter_id}")
    signed = verify(proof["checkpoint"].encode(), world.verifier_key)
    hashes = [base64.b64decode(each) for each in proof["proof"]]
    verify_inclusion(leaf_hash(base64.b64decode(proof["entry_base64"])), one["index"], signed.size, hashes, signed.root)
    await seat.get(f"/audit/checkpoint?matter_id={engagement.matter_id}")
    others = [each for each in entries(world) if each.get("subjects", {}).get("matter") == second["matter"]]
    nothing = await seat.get(f"/audit/proofs/{10**6}?matter_id={engagement.matter_id}", 404)
    for each in (others[-1], entries(world)[0]):
        refused = await seat.get(f"/audit/proofs/{each['index']}?matter_id={engagement.matter_id}", 404)
        assert _same(refused, nothing)


async def test_no_other_selection_of_the_log_is_open_to_it(engagement: Engagement, world: World, seat: Person) -> None:
    second = await _second_part(engagement)
    for path in ("entries", "checkpoint", "proofs/1"):
        assert (await seat.get(f"/audit/{path}", 403))["code"] == "forbidden"
        await seat.get(f"/audit/{path}?engagement_id={engagement.id}", 404)
        nothing = await seat.get(f"/audit/{path}?matter_id=mtr_{NOWHERE}", 404)
        assert _same(await seat.get(f"/audit/{path}?matter_id={second['matter']}", 404), nothing)
        both = f"?matter_id={engagement.matter_id}&engagement_id={engagement.id}"
        assert (await seat.get(f"/audit/{path}{both}", 422))["field"] == "matter_id"


async def test_it_exports_nothing(engagement: Engagement, seat: Person) -> None:
    refused = await seat.post("/audit/exports", {}, 403)
    assert "less than the whole firm" in refused["detail"]
    await seat.post("/audit/exports", {"engagement_id": engagement.id}, 404)
    await seat.post("/audit/exports", {"matter_id": engagement.matter_id}, 422)


async def test_who_reviews_or_runs_the_house_reads_a_matters_entries_and_its_team_does_not(
    engagement: Engagement, world: World, seat: Person
) -> None:
    person_id = await _person(world)
    member = await world.owner.post("/members", {"person_id": person_id, "role": "reviewer"})
    whole = await world.sign_in(person_id, member["id"])
    known = await _log(seat, engagement.matter_id)
    for who in (whole, world.owner):
        assert (await _log(who, engagement.matter_id))[: len(known)] == known
    await engagement.attorney.get(f"/audit/entries?matter_id={engagement.matter_id}", 404)


# The register -------------------------------------------------------------------------------------------------------


async def test_its_register_has_the_papers_of_that_matter_alone(
    engagement: Engagement, world: World, seat: Person
) -> None:
    paper = (await engagement.document())["document_id"]
    second, other = await _second_part(engagement), await world.engagement()
    await other.document()
    told = await seat.get(f"/engagements/{engagement.id}/register")
    assert [line["id"] for line in told["items"]] == [paper]
    assert second["matter"] not in json.dumps(told)
    nothing = await seat.get(f"/engagements/eng_{NOWHERE}/register", 404)
    assert _same(await seat.get(f"/engagements/{other.id}/register", 404), nothing)
    assert [one["id"] for one in (await seat.get("/engagements"))["items"]] == [engagement.id]
    opposite = await _seat(world, second["matter"])
    listed = (await opposite.get(f"/engagements/{engagement.id}/register"))["items"]
    assert [line["id"] for line in listed] == [second["paper"]]


async def test_only_titles_of_that_matter_are_opened_to_it(engagement: Engagement, world: World, seat: Person) -> None:
    paper, second = (await engagement.document(title="Tanager"))["document_id"], await _second_part(engagement)
    path = f"/engagements/{engagement.id}/disclosures"
    body = {"membership_id": seat.membership_id, "reason": "To compare.", "not_after": rfc3339(world.now + DAY_S)}
    for papers in ([second["paper"]], [paper, second["paper"]]):
        await engagement.attorney.post(path, {**body, "document_ids": papers}, 404)
    await engagement.attorney.post(path, {**body, "document_ids": [paper]})
    told = (await seat.get(f"/engagements/{engagement.id}/register"))["items"]
    assert [(line["id"], line["title"]) for line in told] == [(paper, "Tanager")]


async def test_a_wall_shuts_the_seat_altogether(engagement: Engagement, world: World, seat: Person) -> None:
    await engagement.document()
    wall = {"person_id": seat.person_id, "matter_id": engagement.matter_id, "reason": "Kin."}
    await world.owner.post("/walls", wall)
    await seat.get(f"/audit/entries?matter_id={engagement.matter_id}", 404)
    await seat.get(f"/audit/proofs/1?matter_id={engagement.matter_id}", 404)
    await seat.get(f"/audit/checkpoint?matter_id={engagement.matter_id}", 404)
    await seat.get(f"/engagements/{engagement.id}/register", 404)
    assert (await seat.get("/engagements"))["items"] == []


# Everything else ----------------------------------------------------------------------------------------------------


async def test_certificates_and_disposals_are_not_for_it(engagement: Engagement, seat: Person) -> None:
    await seat.get("/certificates", 403)
    await seat.get(f"/certificates?engagement_id={engagement.id}", 404)
    await seat.get(f"/engagements/{engagement.id}/disposal", 404)


async def test_it_reads_names_and_policy_as_every_reviewer(engagement: Engagement, seat: Person) -> None:
    for path in ("/firm", "/people", "/policy"):
        await seat.get(path)
    for path in ("/members", "/matters", f"/matters/{engagement.matter_id}", f"/engagements/{engagement.id}/documents"):
        await seat.get(path, 403)
    assert (await seat.get("/me"))["membership"]["matter_id"] == engagement.matter_id


async def test_a_seat_in_one_engagement_beside_it_widens_nothing(engagement: Engagement, world: World) -> None:
    other = await world.engagement()
    seat = await _seat(world, engagement.matter_id)
    body = {"person_id": seat.person_id, "role": "reviewer"}
    await other.attorney.post(f"/engagements/{other.id}/members", body)
    await seat.get(f"/engagements/{other.id}/register", 404)
    await seat.get(f"/audit/entries?engagement_id={other.id}", 404)


async def test_its_dates_bind_it(engagement: Engagement, world: World) -> None:
    seat = await _seat(world, engagement.matter_id, ends_at=rfc3339(world.now + 60))
    await _log(seat, engagement.matter_id)
    world.sleep(60)
    await seat.get(f"/audit/entries?matter_id={engagement.matter_id}", 404)
    await seat.get(f"/engagements/{engagement.id}/register", 404)
    await seat.get("/engagements", 403)


async def test_the_owner_makes_it_and_the_entry_and_the_doctor_know_its_limit(
    engagement: Engagement, world: World
) -> None:
    person_id, matter_id = await _person(world), engagement.matter_id
    body = {"person_id": person_id, "role": "reviewer", "matter_id": matter_id}
    made = await world.owner.post("/members", body)
    assert (made["matter_id"], made["engagement_id"]) == (matter_id, None)
    assert entries(world, "member.added")[-1]["data"]["matter_id"] == matter_id
    await world.owner.post("/members", body, 409)
    whole = await world.owner.post("/members", {**body, "matter_id": None})
    assert whole["matter_id"] is None
    assert "matter_id" not in entries(world, "member.added")[-1]["data"]
    listed = {one["id"]: one["matter_id"] for one in (await world.owner.get("/members"))["items"]}
    assert (listed[made["id"]], listed[whole["id"]]) == (matter_id, None)
    assert await findings(world.services) == []


async def test_only_a_reviewer_of_the_house_is_limited_and_to_a_matter_of_this_firm(
    engagement: Engagement, world: World
) -> None:
    person_id = await _person(world)
    body = {"person_id": person_id, "role": "reviewer", "matter_id": engagement.matter_id}
    for role in ("attorney", "coordinator", "owner"):
        assert (await world.owner.post("/members", {**body, "role": role}, 422))["field"] == "matter_id"
    await engagement.attorney.post(f"/engagements/{engagement.id}/members", body, 422)
    foreign = await (await another_firm(world)).engagement()
    nothing = await world.owner.post("/members", {**body, "matter_id": f"mtr_{NOWHERE}"}, 404)
    assert _same(await world.owner.post("/members", {**body, "matter_id": foreign.matter_id}, 404), nothing)
    await world.owner.post("/members", {**body, "matter_id": engagement.id}, 422)


async def test_the_doctor_sees_a_limit_that_was_taken_away(engagement: Engagement, world: World, seat: Person) -> None:
    database = world.services.database
    (row,) = [each._asdict() for each in rows_of(database, memberships) if each.id == seat.membership_id]
    with instead(database, "memberships", row, {**row, "matter_id": None}):
        (found,) = await findings(world.services)
    assert seat.membership_id in found.memberships

"""Grants over HTTP: one document to one member, within role, membership and engagement, until it ends."""

from __future__ import annotations

import asyncio
from typing import Any

from tests.api.entries import another_firm, entries
from tests.world import DAY_S, Engagement, Person, World, rfc3339

NOBODYS = "grt_" + "0" * 32


def _body(world: World, seat: Person, **more: Any) -> dict[str, Any]:
    return {
        "membership_id": seat.membership_id,
        "abilities": ["view", "download"],
        "not_after": rfc3339(world.now + DAY_S),
        "purpose": "Draft the letter to the adjuster.",
        **more,
    }


async def _document(engagement: Engagement, **more: Any) -> str:
    """The path of a confirmed document."""
    document = await engagement.document(**more)
    return f"/documents/{document['document_id']}"


# What a grant opens ---------------------------------------------------------------------------------------------------


async def test_a_grant_opens_its_document_to_its_member_and_nothing_else_to_anybody(engagement: Engagement) -> None:
    seat, other = await engagement.member(), await engagement.member()
    shared, kept = await _document(engagement), await _document(engagement)
    made = await engagement.attorney.post(f"{shared}/grants", _body(engagement.world, seat))
    assert (made["person_id"], made["role"]) == (seat.person_id, "paralegal")
    assert made["abilities"] == ["download", "view"]
    assert (await seat.ask("GET", f"{shared}/content")).content == b"a paper"
    await seat.get(kept, 404)
    await other.get(shared, 404)


async def test_every_grant_includes_view(engagement: Engagement) -> None:
    seat, path = await engagement.member(), await _document(engagement)
    made = await engagement.attorney.post(f"{path}/grants", _body(engagement.world, seat, abilities=["text"]))
    assert made["abilities"] == ["text", "view"]
    await seat.get(path)


async def test_an_ability_that_was_not_shared_is_refused_by_name(engagement: Engagement) -> None:
    seat, path = await engagement.member(), await _document(engagement)
    await engagement.attorney.post(f"{path}/grants", _body(engagement.world, seat, abilities=["view"]))
    assert (await seat.get(f"{path}/content", 403))["code"] == "ability_missing"


async def test_a_grant_opens_at_its_beginning_and_shuts_at_its_end_on_the_second(engagement: Engagement) -> None:
    seat, world, path = await engagement.member(), engagement.world, await _document(engagement)
    times = {"not_before": rfc3339(world.now + 100), "not_after": rfc3339(world.now + 200)}
    await engagement.attorney.post(f"{path}/grants", _body(world, seat, **times))
    world.sleep(99)
    await seat.get(path, 404)
    world.sleep(1)
    await seat.get(path)
    world.sleep(99)
    await seat.get(path)
    world.sleep(1)
    await seat.get(path, 404)


async def test_a_revoked_grant_opens_nothing_from_that_second_and_stays_on_the_list(engagement: Engagement) -> None:
    seat, path = await engagement.member(), await _document(engagement)
    made = await engagement.attorney.post(f"{path}/grants", _body(engagement.world, seat))
    await seat.get(path)
    revoked = await engagement.attorney.change("DELETE", f"/grants/{made['id']}")
    assert revoked["revoked_at"] == rfc3339(engagement.world.now)
    await seat.get(path, 404)
    (listed,) = (await engagement.attorney.get(f"{path}/grants"))["items"]
    assert listed == revoked
    (entry,) = entries(engagement.world, "grant.revoked")
    assert entry["data"] == {"revoked_at": engagement.world.now}
    assert entry["subjects"]["grant"] == made["id"]


async def test_a_grant_is_revoked_once_and_not_after_it_ran_out(engagement: Engagement) -> None:
    seat, path = await engagement.member(), await _document(engagement)
    first = await engagement.attorney.post(f"{path}/grants", _body(engagement.world, seat))
    await engagement.attorney.change("DELETE", f"/grants/{first['id']}")
    problem = await engagement.attorney.change("DELETE", f"/grants/{first['id']}", status=409)
    assert problem["code"] == "bad_state"
    second = await engagement.attorney.post(f"{path}/grants", _body(engagement.world, seat))
    engagement.world.sleep(DAY_S)
    await engagement.attorney.change("DELETE", f"/grants/{second['id']}", status=409)


# The ceiling ----------------------------------------------------------------------------------------------------------


ABOVE = (
    ("receptionist", "medical_record", "confidential", ["view"], "view"),
    ("receptionist", "contact_sheet", "confidential", ["view", "download"], "download"),
    ("receptionist", "correspondence", "confidential", ["view"], "view"),  # adds such papers, reads routine ones only
    ("intake_specialist", "medical_record", "confidential", ["view"], "view"),  # collects them, and sees but his own
    ("intake_specialist", "intake_form", "privileged", ["view"], "view"),
    ("vendor_manager", "other", "routine", ["view"], "view"),
    ("paralegal", "pleading", "attorney_only", ["view"], "view"),
    ("billing_clerk", "pleading", "routine", ["revise"], "view"),
    ("paralegal", "pleading", "routine", ["view", "revise"], "revise"),  # attorneys replace what was confirmed
)


async def test_a_grant_above_the_role_s_ceiling_is_refused_with_the_reason(engagement: Engagement) -> None:
    seats = {role: await engagement.member(role) for role in sorted({case[0] for case in ABOVE})}
    for role, label, sensitivity, abilities, ability in ABOVE:
        path = await _document(engagement, label=label, sensitivity=sensitivity)
        body = _body(engagement.world, seats[role], abilities=abilities)
        problem = await engagement.attorney.post(f"{path}/grants", body, 403)
        assert problem["code"] == "above_ceiling"
        told = {"role": role, "label": label, "sensitivity": sensitivity, "ability": ability}
        assert {word: problem[word] for word in told} == told
        assert all(word in problem["detail"] for word in told.values())
        assert (await engagement.attorney.get(f"{path}/grants"))["items"] == []
    assert entries(engagement.world, "grant.created") == []


async def test_a_grant_at_the_ceiling_is_given(engagement: Engagement) -> None:
    seat = await engagement.member()
    path = await _document(engagement, label="pleading", sensitivity="privileged")
    body = _body(engagement.world, seat, abilities=["view", "text", "download"])
    await engagement.attorney.post(f"{path}/grants", body)
    await seat.get(path)


# What can be shared, with whom ----------------------------------------------------------------------------------------


async def test_what_nobody_has_confirmed_is_not_shared(engagement: Engagement) -> None:
    adder, other = await engagement.member(), await engagement.member()
    await engagement.ask(adder, ("correspondence",))
    added = await adder.upload(engagement.id, engagement.part_id, b"from outside")
    path = f"/documents/{added['document_id']}"
    body = _body(engagement.world, other)
    problem = await engagement.attorney.post(f"{path}/grants", body, 409)
    assert problem["code"] == "bad_state"
    confirmation = {"label": "correspondence", "sensitivity": "confidential"}
    await engagement.attorney.change("POST", f"{path}/confirmation", confirmation, match=path)
    await engagement.attorney.post(f"{path}/grants", body)
    await other.get(path)


async def test_a_member_of_another_engagement_is_not_there(engagement: Engagement, world: World) -> None:
    path = await _document(engagement)
    elsewhere = await (await world.engagement()).member()
    for membership_id in (elsewhere.membership_id, "mem_" + "0" * 32, engagement.attorney.membership_id):
        body = _body(world, elsewhere, membership_id=membership_id)
        await engagement.attorney.post(f"{path}/grants", body, 404)
    await elsewhere.get(path, 404)


async def test_a_coordinator_of_the_engagement_is_given_what_his_role_may_hold(
    engagement: Engagement, world: World
) -> None:
    person = await world.owner.post("/people", {"email": "cora@firm.example", "name": "Cora Coordinator"})
    terms = {"person_id": person["id"], "role": "coordinator"}
    member = await engagement.attorney.post(f"/engagements/{engagement.id}/members", terms)
    seat = await world.sign_in(person["id"], member["id"])
    confidential = await _document(engagement)
    body = _body(world, seat)
    made = await engagement.attorney.post(f"{confidential}/grants", body)
    assert made["role"] == "coordinator"
    privileged = await _document(engagement, sensitivity="privileged")
    assert (await engagement.attorney.post(f"{privileged}/grants", body, 403))["code"] == "above_ceiling"


async def test_nothing_is_shared_across_a_wall(engagement: Engagement, world: World) -> None:
    seat, path = await engagement.member(), await _document(engagement)
    wall = {"person_id": seat.person_id, "matter_id": engagement.matter_id, "reason": "Kin of the other side."}
    raised = await world.owner.post("/walls", wall)
    problem = await engagement.attorney.post(f"{path}/grants", _body(world, seat), 409)
    assert problem["code"] == "bad_state"
    assert "wall" in problem["detail"]
    await world.step_up(world.owner)
    await world.owner.change("DELETE", f"/walls/{raised['id']}")
    await engagement.attorney.post(f"{path}/grants", _body(world, seat))  # a lifted wall stands no more


async def test_an_attorney_or_reviewer_of_the_engagement_is_handed_nothing(
    engagement: Engagement, world: World
) -> None:
    """What he may see is his team's, or nothing at all; a grant would say otherwise."""
    path = await _document(engagement)
    for role in ("attorney", "reviewer"):
        person = await world.owner.post("/people", {"email": f"{role}@firm.example", "name": role})
        terms = {"person_id": person["id"], "role": role}
        member = await engagement.attorney.post(f"/engagements/{engagement.id}/members", terms)
        seat = await world.sign_in(person["id"], member["id"])
        await engagement.attorney.post(f"{path}/grants", _body(world, seat), 404)


async def test_who_has_left_is_given_nothing(engagement: Engagement) -> None:
    seat, path = await engagement.member(), await _document(engagement)
    await engagement.attorney.change("DELETE", f"/members/{seat.membership_id}")
    problem = await engagement.attorney.post(f"{path}/grants", _body(engagement.world, seat), 409)
    assert problem["code"] == "bad_state"


async def test_a_grant_ends_with_the_engagement_at_the_latest(engagement: Engagement) -> None:
    seat, world, path = await engagement.member(), engagement.world, await _document(engagement)
    end = world.now + 90 * DAY_S
    body = _body(world, seat, not_after=rfc3339(end + 1))
    problem = await engagement.attorney.post(f"{path}/grants", body, 422)
    assert (problem["code"], problem["field"], problem["latest"]) == ("bad_input", "not_after", rfc3339(end))
    assert rfc3339(end) in problem["detail"]
    await engagement.attorney.post(f"{path}/grants", _body(world, seat, not_after=problem["latest"]))
    world.sleep(90 * DAY_S - 1)
    await seat.get(path)
    world.sleep(1)
    await seat.get(path, 404)


async def test_a_grant_ends_with_the_membership_at_the_latest(engagement: Engagement, world: World) -> None:
    person = await world.owner.post(
        "/people", {"email": "short@vendor.example", "name": "Sol Short", "vendor_id": engagement.vendor_id}
    )
    ends_at = rfc3339(world.now + 7 * DAY_S)
    terms = {"person_id": person["id"], "role": "paralegal", "ends_at": ends_at}
    member = await engagement.attorney.post(f"/engagements/{engagement.id}/members", terms)
    seat = await world.sign_in(person["id"], member["id"])
    path = await _document(engagement)
    body = _body(world, seat, not_after=rfc3339(world.now + 8 * DAY_S))
    problem = await engagement.attorney.post(f"{path}/grants", body, 422)
    assert problem["latest"] == ends_at


async def test_a_member_has_one_live_grant_on_a_document(engagement: Engagement) -> None:
    seat, world, path = await engagement.member(), engagement.world, await _document(engagement)
    await engagement.attorney.post(f"{path}/grants", _body(world, seat))
    more = _body(world, seat, abilities=["download"])
    assert (await engagement.attorney.post(f"{path}/grants", more, 409))["code"] == "exists"
    other = await engagement.member()
    await engagement.attorney.post(f"{path}/grants", _body(world, other))
    world.sleep(DAY_S)
    await engagement.attorney.post(f"{path}/grants", {**more, "not_after": rfc3339(world.now + DAY_S)})


async def test_of_two_grants_made_at_once_one_stands(engagement: Engagement) -> None:
    seat, path = await engagement.member(), await _document(engagement)
    body = _body(engagement.world, seat)
    answers = await asyncio.gather(*(engagement.attorney.ask("POST", f"{path}/grants", json=body) for _ in range(6)))
    assert sorted(answer.status_code for answer in answers) == [201, 409, 409, 409, 409, 409]
    assert len(entries(engagement.world, "grant.created")) == 1


NO_GRANTS: tuple[dict[str, Any], ...] = (
    {"abilities": []},
    {"abilities": ["print"]},
    {"abilities": ["VIEW"]},
    {"abilities": "view"},
    {"abilities": 15},
    {"purpose": ""},
    {"purpose": "\x1b[31m"},
    {"purpose": None},
    {"not_after": "never"},
    {"not_after": 1_900_000_000},
    {"not_after": "2027-01-15T07:59:59Z"},
    {"not_before": "2027-01-17T00:00:00Z"},
    {"membership_id": "me"},
    {"document_id": "doc_" + "0" * 32},
    {"pages": [1, 2]},
)


async def test_a_grant_of_another_form_is_refused(engagement: Engagement) -> None:
    seat, path = await engagement.member(), await _document(engagement)
    for change in NO_GRANTS:
        answer = await engagement.attorney.ask("POST", f"{path}/grants", json=_body(engagement.world, seat, **change))
        assert answer.status_code == 422, change
    assert entries(engagement.world, "grant.created") == []


async def test_a_member_named_twice_in_a_body_is_refused(engagement: Engagement) -> None:
    path = await _document(engagement)
    raw = b'{"membership_id":"mem_1","membership_id":"mem_2"}'
    headers = {"content-type": "application/json"}
    answer = await engagement.attorney.ask("POST", f"{path}/grants", content=raw, headers=headers)
    assert answer.status_code == 422


async def test_sharing_twice_with_one_key_is_sharing_once(engagement: Engagement) -> None:
    seat, path, headers = await engagement.member(), await _document(engagement), {"idempotency-key": "g1"}
    body = _body(engagement.world, seat)
    first = await engagement.attorney.post(f"{path}/grants", body, headers=headers)
    assert await engagement.attorney.post(f"{path}/grants", body, headers=headers) == first
    other = await engagement.attorney.post(f"{path}/grants", {**body, "purpose": "Other."}, 422, headers=headers)
    assert other["code"] == "idempotency_mismatch"
    elsewhere = await _document(engagement)
    await engagement.attorney.post(f"{elsewhere}/grants", body, 422, headers=headers)
    assert len(entries(engagement.world, "grant.created")) == 1


async def test_the_entry_of_a_grant_lets_its_row_be_replayed_and_hides_the_purpose(engagement: Engagement) -> None:
    seat, world, path = await engagement.member(), engagement.world, await _document(engagement)
    made = await engagement.attorney.post(f"{path}/grants", _body(world, seat))
    (entry,) = entries(world, "grant.created")
    assert entry["data"] == {
        "abilities": ["download", "view"],
        "not_before": world.now,
        "not_after": world.now + DAY_S,
    }
    assert entry["subjects"] == {
        "document": made["document_id"],
        "engagement": engagement.id,
        "grant": made["id"],
        "matter": engagement.matter_id,
        "membership": seat.membership_id,
        "part": engagement.part_id,
        "person": seat.person_id,
    }
    assert entry["holder"] == engagement.part_id
    assert "adjuster" not in str(entry)


# Who may --------------------------------------------------------------------------------------------------------------


async def test_vendor_people_and_the_owner_share_see_and_revoke_no_grants(engagement: Engagement, world: World) -> None:
    seat, other, path = await engagement.member(), await engagement.member(), await _document(engagement)
    made = await engagement.attorney.post(f"{path}/grants", _body(world, seat))
    for nobody in (seat, world.owner):
        await nobody.post(f"{path}/grants", _body(world, other), 403)
        await nobody.get(f"{path}/grants", 403)
        await nobody.get(f"/grants/{made['id']}", 403)
        await nobody.get(f"/grants/{NOBODYS}", 403)  # the same for every id that could be named
        headers = {"if-match": made["etag"]}
        assert (await nobody.ask("DELETE", f"/grants/{made['id']}", headers=headers)).status_code == 403
    await seat.get(path)


async def test_an_attorney_who_is_not_on_the_matter_s_team_finds_nothing_to_share(
    engagement: Engagement, world: World
) -> None:
    seat, path = await engagement.member(), await _document(engagement)
    made = await engagement.attorney.post(f"{path}/grants", _body(world, seat))
    stranger = await world.attorney("Nora Nobody")
    await stranger.post(f"{path}/grants", _body(world, seat), 404)
    await stranger.get(f"{path}/grants", 404)
    foreign = await stranger.get(f"/grants/{made['id']}", 404)
    unknown = await stranger.get(f"/grants/{NOBODYS}", 404)
    assert {**foreign, "instance": ""} == {**unknown, "instance": ""}
    headers = {"if-match": made["etag"]}
    assert (await stranger.ask("DELETE", f"/grants/{made['id']}", headers=headers)).status_code == 404
    await seat.get(path)


async def test_another_firm_finds_nothing_to_share(engagement: Engagement, world: World) -> None:
    seat, path = await engagement.member(), await _document(engagement)
    made = await engagement.attorney.post(f"{path}/grants", _body(world, seat))
    other = await (await another_firm(world)).engagement()
    await other.attorney.get(f"/grants/{made['id']}", 404)
    await other.attorney.post(f"{path}/grants", _body(world, seat), 404)
    own = await _document(other)
    await other.attorney.post(f"{own}/grants", _body(world, seat), 404)  # somebody else's member


async def test_an_id_of_another_kind_or_form_is_not_found(engagement: Engagement) -> None:
    seat, path = await engagement.member(), await _document(engagement)
    document = await engagement.attorney.get(path)
    odd_ids = (document["id"], document["revision_id"], engagement.id, seat.membership_id, "grt_x", "x" * 60)
    for odd in odd_ids:
        await engagement.attorney.get(f"/grants/{odd}", 404)
    for odd in (*odd_ids[1:], "doc_x"):
        await engagement.attorney.get(f"/documents/{odd}/grants", 404)
        await engagement.attorney.post(f"/documents/{odd}/grants", _body(engagement.world, seat), 404)


async def test_revoking_needs_the_version_that_was_read(engagement: Engagement) -> None:
    seat, path = await engagement.member(), await _document(engagement)
    made = await engagement.attorney.post(f"{path}/grants", _body(engagement.world, seat))
    grant, attorney = f"/grants/{made['id']}", engagement.attorney
    assert (await attorney.ask("DELETE", grant)).status_code == 428
    assert (await attorney.ask("DELETE", grant, headers={"if-match": "*"})).status_code == 412
    assert (await attorney.ask("DELETE", grant, headers={"if-match": f'"{made["id"]}-2"'})).status_code == 412
    await seat.get(path)
    read = await attorney.ask("GET", grant)
    assert read.headers["etag"] == made["etag"]
    assert (await attorney.ask("DELETE", grant, headers={"if-match": made["etag"]})).status_code == 200


async def test_the_grants_of_a_document_are_told_to_its_attorneys_with_their_purpose(engagement: Engagement) -> None:
    first, second, path = (
        await engagement.member(),
        await engagement.member("case_manager"),
        await _document(engagement),
    )
    for seat in (first, second):
        await engagement.attorney.post(f"{path}/grants", _body(engagement.world, seat))
    page = await engagement.attorney.get(f"{path}/grants", params={"limit": 1})
    rest = await engagement.attorney.get(f"{path}/grants", params={"limit": 1, "cursor": page["next_cursor"]})
    listed = page["items"] + rest["items"]
    assert rest["next_cursor"] is None
    assert {grant["role"] for grant in listed} == {"paralegal", "case_manager"}
    assert {grant["purpose"] for grant in listed} == {"Draft the letter to the adjuster."}
    assert {grant["granted_by"] for grant in listed} == {engagement.attorney.membership_id}


# What a member is told of his own -------------------------------------------------------------------------------------


async def test_the_card_tells_its_reader_what_his_own_grant_gives_and_nobody_elses(engagement: Engagement) -> None:
    seat, other = await engagement.member(), await engagement.member("case_manager")
    world, path = engagement.world, await _document(engagement)
    await engagement.attorney.post(f"{path}/grants", _body(world, seat))
    elses = {"abilities": ["view"], "purpose": "Call the clinic.", "not_after": rfc3339(world.now + 2 * DAY_S)}
    await engagement.attorney.post(f"{path}/grants", _body(world, other, **elses))
    assert (await seat.get(path))["my_grants"] == [
        {
            "abilities": ["download", "view"],
            "until": rfc3339(world.now + DAY_S),
            "purpose": "Draft the letter to the adjuster.",
        }
    ]
    assert (await other.get(path))["my_grants"] == [
        {"abilities": ["view"], "until": elses["not_after"], "purpose": "Call the clinic."}
    ]
    assert (await engagement.attorney.get(path))["my_grants"] == []
    await seat.get(f"{path}/grants", 403)


async def test_the_card_tells_of_no_grant_that_is_revoked_over_or_to_come(engagement: Engagement) -> None:
    seat, world, path = await engagement.member(), engagement.world, await _document(engagement)
    revoked = await engagement.attorney.post(f"{path}/grants", _body(world, seat, purpose="Revoked."))
    await engagement.attorney.change("DELETE", f"/grants/{revoked['id']}")
    over = _body(world, seat, purpose="Over.", not_after=rfc3339(world.now + 10))
    await engagement.attorney.post(f"{path}/grants", over)
    world.sleep(10)
    await seat.get(path, 404)
    await engagement.attorney.post(f"{path}/grants", _body(world, seat, purpose="Live."))
    assert [grant["purpose"] for grant in (await seat.get(path))["my_grants"]] == ["Live."]
    later = await _document(engagement)
    times = {"not_before": rfc3339(world.now + 10), "not_after": rfc3339(world.now + 20)}
    await engagement.attorney.post(f"{later}/grants", _body(world, seat, **times))
    await seat.get(later, 404)


async def test_ones_own_paper_was_handed_to_one_by_nobody(engagement: Engagement) -> None:
    seat = await engagement.member()
    await engagement.ask(seat)
    added = await seat.upload(engagement.id, engagement.part_id, b"mine", label="intake_form")
    assert (await seat.get(f"/documents/{added['document_id']}"))["my_grants"] == []

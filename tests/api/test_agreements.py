"""Agreements and signatures over HTTP: texts bind by their hash, new versions bite, old ones open nothing."""

from __future__ import annotations

import hashlib
from typing import Any

from service.db.ids import new_id
from tests.api.entries import another_firm, entries
from tests.world import DAY_S, NDA, Engagement, Person, World

NEWER = NDA + "And you tell us when something went wrong.\n"
BITES = "2027-01-21T00:00:00Z"  # published Friday 15 January: Monday, Tuesday and Wednesday are left
NOBODYS = "agr_" + "0" * 32


def _sha256(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


async def _publish(engagement: Engagement, text: str = NEWER, *, at_once: bool = False, **how: Any) -> Any:
    agreement = await engagement.agreement()
    path = f"/agreements/{agreement['id']}"
    body = {"text": text, "at_once": at_once}
    return await engagement.attorney.change("POST", f"{path}/versions", body, match=path, **{"status": 201, **how})


async def _granted(engagement: Engagement, seat: Person) -> str:
    """The path of a document that this member may read while his duties are in force."""
    document = await engagement.document()
    await engagement.grant(seat, document["document_id"])
    return f"/documents/{document['document_id']}"


# Publishing and reading -----------------------------------------------------------------------------------------------


async def test_the_text_is_kept_and_hashed_exactly_as_it_was_sent(engagement: Engagement) -> None:
    text = "  Caf\u00e9 and Cafe\u0301,\n\ttabs, \u202fnarrow spaces \U0001f58b  \n\n"
    made = await engagement.attorney.post(f"/engagements/{engagement.id}/agreements", {"kind": "nda", "text": text})
    assert made["text"] == text
    assert made["sha256"] == _sha256(text)
    assert made["number"] == 1
    assert made["bites_at"] == made["published_at"] == "2027-01-15T08:00:00Z"
    seat = await engagement.member(signed=False)
    assert await seat.get(f"/agreements/{made['id']}") == made
    assert await seat.get(f"/agreements/{made['id']}/versions/1") == made


async def test_a_list_shows_the_newest_version_without_its_text(engagement: Engagement) -> None:
    seat = await engagement.member()
    await _publish(engagement)
    listed = await seat.get(f"/engagements/{engagement.id}/agreements")
    (only,) = listed["items"]
    assert (only["number"], only["sha256"], only["signed_at"]) == (2, _sha256(NEWER), None)
    assert "text" not in only


async def test_older_versions_stay_readable(engagement: Engagement) -> None:
    seat = await engagement.member()
    made = await _publish(engagement)
    first = await seat.get(f"/agreements/{made['id']}/versions/1")
    assert (first["text"], first["sha256"], first["number"]) == (NDA, _sha256(NDA), 1)
    assert first["signed_at"] == "2027-01-15T08:00:00Z"


NO_NUMBERS = (
    "0",
    "3",
    "-1",
    "1.0",
    "one",
    "9" * 40,
    "%D9%A1",
)


async def test_a_version_that_does_not_exist_is_not_found(engagement: Engagement) -> None:
    agreement = await engagement.agreement()
    for number in NO_NUMBERS:
        answer = await engagement.attorney.ask("GET", f"/agreements/{agreement['id']}/versions/{number}")
        assert answer.status_code == 404, number


NO_AGREEMENTS: tuple[dict[str, Any], ...] = (
    {"kind": "baa", "text": NDA},
    {"kind": "nda", "text": ""},
    {"kind": "nda", "text": " \n"},
    {"kind": "nda", "text": "a" * 200_001},
    {"kind": "nda", "text": "line\r\nline"},
    {"kind": "nda", "text": "evil\u202etxt"},
    {"kind": "nda", "text": "nul\x00"},
    {"kind": "nda", "text": 7},
    {"kind": "nda"},
    {"kind": "nda", "text": NDA, "version": 9},
)


async def test_what_cannot_be_agreed_upon_is_refused_before_anything_is_kept(engagement: Engagement) -> None:
    path = f"/engagements/{engagement.id}/agreements"
    for body in NO_AGREEMENTS:
        answer = await engagement.attorney.ask("POST", path, json=body)
        assert (answer.status_code, answer.json()["code"]) == (422, "bad_input"), body
    assert (await engagement.attorney.get(path))["items"] == []


async def test_a_lone_surrogate_is_refused(engagement: Engagement) -> None:
    raw = b'{"kind":"nda","text":"half \\ud83d"}'
    headers = {"content-type": "application/json"}
    answer = await engagement.attorney.ask(
        "POST", f"/engagements/{engagement.id}/agreements", content=raw, headers=headers
    )
    assert answer.status_code == 422


async def test_an_engagement_has_one_agreement_of_a_kind(engagement: Engagement) -> None:
    await engagement.agreement()
    body = {"kind": "nda", "text": NEWER}
    problem = await engagement.attorney.post(f"/engagements/{engagement.id}/agreements", body, 409)
    assert problem["code"] == "exists"


async def test_publishing_twice_with_one_key_is_publishing_once(engagement: Engagement) -> None:
    path, headers = f"/engagements/{engagement.id}/agreements", {"idempotency-key": "k1"}
    first = await engagement.attorney.post(path, {"kind": "nda", "text": NDA}, headers=headers)
    assert await engagement.attorney.post(path, {"kind": "nda", "text": NDA}, headers=headers) == first
    problem = await engagement.attorney.post(path, {"kind": "nda", "text": NEWER}, 422, headers=headers)
    assert problem["code"] == "idempotency_mismatch"
    assert len(entries(engagement.world, "agreement.published")) == 1


async def test_a_repeated_publication_answers_with_what_it_published_even_when_the_text_moved_on(
    engagement: Engagement,
) -> None:
    headers = {"idempotency-key": "k2"}
    second = await _publish(engagement, headers=headers)
    await _publish(engagement, NEWER + "More.\n")
    again = await _publish(engagement, headers=headers)
    assert (again["number"], again["text"]) == (2, NEWER)
    assert again["etag"] != second["etag"]  # the agreement has moved on
    await _publish(engagement, NEWER + "Other.\n", headers=headers, status=422)


async def test_a_change_needs_the_version_that_was_read(engagement: Engagement) -> None:
    agreement = await engagement.agreement()
    path, body = f"/agreements/{agreement['id']}/versions", {"text": NEWER}
    assert (await engagement.attorney.post(path, body, 428))["code"] == "precondition_missing"
    stale = {"if-match": f'"{agreement["id"]}-9"'}
    assert (await engagement.attorney.post(path, body, 412, headers=stale))["code"] == "stale"
    first = {"if-match": agreement["etag"]}
    await engagement.attorney.post(path, body, headers=first)
    assert (await engagement.attorney.post(path, {"text": NDA}, 412, headers=first))["code"] == "stale"


async def test_the_newest_text_is_not_published_again(engagement: Engagement) -> None:
    assert (await _publish(engagement, NDA, status=409))["code"] == "exists"


async def test_a_text_may_return_to_what_it_was(engagement: Engagement) -> None:
    seat = await engagement.member()
    await _publish(engagement, at_once=True)
    back = await _publish(engagement, NDA, at_once=True)
    assert (back["number"], back["sha256"]) == (3, _sha256(NDA))
    path = f"/agreements/{back['id']}/signatures"
    signed = await seat.post(path, {"sha256": back["sha256"], "typed_name": "Vera"})
    assert signed["number"] == 3


async def test_the_entry_of_a_publication_lets_its_rows_be_replayed(engagement: Engagement) -> None:
    made = await _publish(engagement)
    entry = entries(engagement.world, "agreement.published")[-1]
    assert entry["data"] == {"kind": "nda", "number": 2, "sha256": _sha256(NEWER), "bites_at": 1_800_489_600}
    assert entry["subjects"]["agreement"] == made["id"]
    assert entry["subjects"]["engagement"] == engagement.id
    assert "payload" not in entry


# Who may --------------------------------------------------------------------------------------------------------------


async def test_only_the_engagement_s_attorneys_publish(engagement: Engagement, world: World) -> None:
    seat, stranger = await engagement.member(), await world.attorney("Nora Nobody")
    agreement = await engagement.agreement()
    body = {"kind": "nda", "text": NEWER}
    await seat.post(f"/engagements/{engagement.id}/agreements", body, 403)
    await world.owner.post(f"/engagements/{engagement.id}/agreements", body, 403)
    await stranger.post(f"/engagements/{engagement.id}/agreements", body, 404)
    headers = {"if-match": agreement["etag"]}
    await seat.post(f"/agreements/{agreement['id']}/versions", {"text": NEWER}, 403, headers=headers)
    await stranger.post(f"/agreements/{agreement['id']}/versions", {"text": NEWER}, 404, headers=headers)
    assert len(entries(world, "agreement.published")) == 1


async def test_nobody_signs_for_the_vendor_s_people(engagement: Engagement, world: World) -> None:
    agreement = await engagement.agreement()
    body = {"sha256": _sha256(NDA), "typed_name": "Ada"}
    await engagement.attorney.post(f"/agreements/{agreement['id']}/signatures", body, 403)
    await world.owner.post(f"/agreements/{agreement['id']}/signatures", body, 403)


async def test_a_member_of_another_engagement_sees_no_agreement_here(engagement: Engagement, world: World) -> None:
    agreement = await engagement.agreement()
    elsewhere = await (await world.engagement()).member()
    path = f"/agreements/{agreement['id']}"
    unknown = await elsewhere.get(f"/agreements/{NOBODYS}", 404)
    foreign = await elsewhere.get(path, 404)
    assert {**foreign, "instance": ""} == {**unknown, "instance": ""}
    await elsewhere.get(f"{path}/versions/1", 404)
    await elsewhere.get(f"/engagements/{engagement.id}/agreements", 404)
    await elsewhere.post(f"{path}/signatures", {"sha256": _sha256(NDA), "typed_name": "Vera"}, 404)


async def test_another_firm_sees_nothing_of_it(engagement: Engagement, world: World) -> None:
    agreement = await engagement.agreement()
    attorney = await (await another_firm(world)).attorney()
    await attorney.get(f"/agreements/{agreement['id']}", 404)
    await attorney.get(f"/engagements/{engagement.id}/agreements", 404)
    headers = {"if-match": agreement["etag"]}
    await attorney.post(f"/agreements/{agreement['id']}/versions", {"text": NEWER}, 404, headers=headers)


async def test_an_id_of_another_kind_or_form_is_not_found(engagement: Engagement) -> None:
    seat = await engagement.member()
    for odd in (engagement.id, seat.membership_id, "agr_x", "agr_" + "0" * 31 + "G", "x" * 60, "%00"):
        await engagement.attorney.get(f"/agreements/{odd}", 404)
        body = {"sha256": _sha256(NDA), "typed_name": "Vera"}
        await seat.post(f"/agreements/{odd}/signatures", body, 404)


# Signing --------------------------------------------------------------------------------------------------------------


async def test_a_signature_opens_what_was_granted(engagement: Engagement) -> None:
    seat = await engagement.member(signed=False)
    await engagement.agreement()
    path = await _granted(engagement, seat)
    await seat.get(path, 404)
    signed = await engagement.sign(seat)
    assert (signed["number"], signed["sha256"], signed["typed_name"]) == (1, _sha256(NDA), "Vera Vendor")
    await seat.get(path)
    shown = await seat.get(f"/agreements/{signed['agreement_id']}")
    assert shown["signed_at"] == signed["signed_at"] == "2027-01-15T08:00:00Z"


async def test_a_signature_counts_for_nobody_else(engagement: Engagement) -> None:
    await engagement.member()
    other = await engagement.member(signed=False)
    path = await _granted(engagement, other)
    await other.get(path, 404)
    agreement = await engagement.agreement()
    assert (await other.get(f"/agreements/{agreement['id']}"))["signed_at"] is None


async def test_the_wrong_hash_signs_nothing(engagement: Engagement) -> None:
    seat = await engagement.member(signed=False)
    agreement = await engagement.agreement()
    path = f"/agreements/{agreement['id']}/signatures"
    problem = await seat.post(path, {"sha256": _sha256(NDA.strip()), "typed_name": "Vera"}, 422)
    assert (problem["code"], problem["field"]) == ("bad_input", "sha256")
    assert entries(engagement.world, "agreement.signed") == []
    assert entries(engagement.world)[-1]["type"] == "access.failed"


NO_SIGNATURES: tuple[dict[str, Any], ...] = (
    {"sha256": _sha256(NDA).upper()},
    {"sha256": ""},
    {"sha256": None},
    {"typed_name": ""},
    {"typed_name": "\u202eareV"},
    {"typed_name": "Vera\nVendor"},
    {"person_id": "per_" + "0" * 32},
)


async def test_a_signature_of_another_form_is_refused(engagement: Engagement) -> None:
    seat = await engagement.member(signed=False)
    agreement = await engagement.agreement()
    for change in NO_SIGNATURES:
        body = {"sha256": _sha256(NDA), "typed_name": "Vera", **change}
        answer = await seat.ask("POST", f"/agreements/{agreement['id']}/signatures", json=body)
        assert answer.status_code == 422, change
    assert entries(engagement.world, "agreement.signed") == []


async def test_an_old_version_cannot_be_signed_any_more(engagement: Engagement) -> None:
    seat = await engagement.member(signed=False)
    agreement = await _publish(engagement)
    path = f"/agreements/{agreement['id']}/signatures"
    problem = await seat.post(path, {"sha256": _sha256(NDA), "typed_name": "Vera"}, 409)
    assert problem["code"] == "bad_state"


async def test_one_signs_once(engagement: Engagement) -> None:
    seat = await engagement.member(signed=False)
    agreement = await engagement.agreement()
    path, headers = f"/agreements/{agreement['id']}/signatures", {"idempotency-key": "s1"}
    body = {"sha256": _sha256(NDA), "typed_name": "Vera"}
    first = await seat.post(path, body, headers=headers)
    assert await seat.post(path, body, headers=headers) == first
    assert (await seat.post(path, body, 409))["code"] == "exists"
    other = {**body, "typed_name": "Someone Else"}
    assert (await seat.post(path, other, 422, headers=headers))["code"] == "idempotency_mismatch"
    assert len(entries(engagement.world, "agreement.signed")) == 1


async def test_the_entry_of_a_signature_names_text_and_person_and_hides_the_typed_name(engagement: Engagement) -> None:
    seat = await engagement.member()
    (entry,) = entries(engagement.world, "agreement.signed")
    assert entry["data"] == {
        "duty": "nda",
        "number": 1,
        "sha256": _sha256(NDA),
        "valid_from": engagement.world.now,
        "valid_until": 253_402_300_800,
    }
    assert entry["subjects"]["person"] == entry["actor"]["person"] == entry["holder"] == seat.person_id
    assert {"agreement", "duty", "engagement", "signature", "version"} <= entry["subjects"].keys()
    assert "Vera" not in str(entry)


async def test_an_act_after_the_signature_names_the_text_that_bound_the_actor(engagement: Engagement) -> None:
    seat = await engagement.member()
    await seat.get(await _granted(engagement, seat))
    assert entries(engagement.world)[-1]["nda"] == _sha256(NDA)


# When a new version bites ---------------------------------------------------------------------------------------------


async def test_a_version_that_bites_at_once_suspends_access_until_it_is_signed(engagement: Engagement) -> None:
    seat = await engagement.member()
    path = await _granted(engagement, seat)
    await seat.get(path)
    made = await _publish(engagement, at_once=True)
    assert made["bites_at"] == made["published_at"]
    await seat.get(path, 404)
    assert (await seat.get(f"/engagements/{engagement.id}", 403))["code"] == "duty_missing"
    await engagement.sign(seat)
    await seat.get(path)


async def test_otherwise_it_bites_after_three_working_days_on_the_second(engagement: Engagement) -> None:
    seat, world = await engagement.member(), engagement.world
    path = await _granted(engagement, seat)
    made = await _publish(engagement)
    assert made["bites_at"] == BITES
    world.sleep(1_800_489_600 - world.now - 1)
    await seat.get(path)
    world.sleep(1)
    await seat.get(path, 404)
    await engagement.sign(seat)
    await seat.get(path)


async def test_whoever_signs_before_it_bites_keeps_access_without_a_gap(engagement: Engagement) -> None:
    seat, world = await engagement.member(), engagement.world
    path = await _granted(engagement, seat)
    await _publish(engagement)
    world.sleep(DAY_S)
    await engagement.sign(seat)
    for _ in range(6):
        await seat.get(path)
        world.sleep(DAY_S)


async def test_a_third_version_ends_what_rests_on_the_first_and_the_second_at_their_own_times(
    engagement: Engagement,
) -> None:
    first, second, world = await engagement.member(), await engagement.member(), engagement.world
    path_of_first, path_of_second = await _granted(engagement, first), await _granted(engagement, second)
    await _publish(engagement)  # bites on Thursday 21 January
    await engagement.sign(second)
    world.sleep(3 * DAY_S)  # Monday
    await _publish(engagement, NEWER + "More.\n")  # bites on Friday 22 January
    world.sleep(1_800_489_600 - world.now)
    await first.get(path_of_first, 404)
    await second.get(path_of_second)
    world.sleep(DAY_S)
    await second.get(path_of_second, 404)


async def test_a_later_notice_never_gives_back_what_a_version_at_once_has_ended(engagement: Engagement) -> None:
    seat = await engagement.member()
    path = await _granted(engagement, seat)
    await _publish(engagement, at_once=True)
    await _publish(engagement, NEWER + "More.\n")
    await seat.get(path, 404)


async def test_a_version_of_one_engagement_leaves_the_others_alone(engagement: Engagement, world: World) -> None:
    other = await world.engagement()
    seat = await other.member()
    path = await _granted(other, seat)
    await engagement.member()
    await _publish(engagement, at_once=True)
    await seat.get(path)


async def test_a_token_holder_can_still_read_and_sign_when_everything_else_is_shut(
    engagement: Engagement, world: World
) -> None:
    seat = await engagement.member()
    await _publish(engagement, at_once=True)
    agreement = await engagement.agreement()
    assert (await seat.get(f"/agreements/{agreement['id']}"))["text"] == NEWER
    await seat.get(f"/engagements/{engagement.id}/asks", 403)
    await engagement.sign(seat)
    await seat.get(f"/engagements/{engagement.id}/asks")


async def test_an_agreement_without_a_credential_says_only_that_one_is_needed(world: World) -> None:
    nobody = Person(world.http, "", "", "mun_" + "A" * 64)
    random_id = new_id("agr", world.clock(), world.services.random)
    assert (await nobody.get(f"/agreements/{random_id}", 401))["code"] == "unauthenticated"

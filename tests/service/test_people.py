from __future__ import annotations

import hashlib
from typing import Any

from sqlalchemy import bindparam, select

from service.db.models import log_entries, people
from tests.service.house import House, code_of
from tests.world import folder

PERSON = {"email": "Ana.Reyes@Northwind.example", "name": "Ana Reyes"}


async def test_a_person_is_found_again_however_the_address_is_written(house: House) -> None:
    await house.owner.made("/people", PERSON)
    again = await house.owner.post("/people", {"email": " ana.reyes@NORTHWIND.example", "name": "Somebody Else"})
    assert code_of(again) == (409, "exists")


async def test_the_same_address_at_two_firms_is_two_people(house: House, other_house: House) -> None:
    here, there = await house.owner.made("/people", PERSON), await other_house.owner.made("/people", PERSON)
    assert here["id"] != there["id"]
    indexes = []
    for each, made in ((house, here), (other_house, there)):
        with house.services.database.read(each.firm_id) as tx:
            one = select(people.c.email_index).where(people.c.id == bindparam("id"))
            indexes.append(tx.value(one, id=made["id"]))
    assert indexes[0] != indexes[1], "the blind index would tell that both firms know the same person"


async def test_no_name_or_address_stands_in_the_clear(house: House) -> None:
    made = await house.owner.made("/people", PERSON)
    with house.services.database.read(house.firm_id) as tx:
        row = tx.one(select(people).where(people.c.id == bindparam("id")), id=made["id"])
        logged = tx.all(select(log_entries.c.body, log_entries.c.payload))
    stored = b"".join(value for value in row if isinstance(value, bytes))
    stored += b"".join(value for entry in logged for value in entry if value is not None)
    assert b"Ana" not in stored
    assert b"northwind.example" not in stored


async def test_a_person_of_a_vendor_stands_on_the_vendors_side(house: House) -> None:
    vendor_id = await house.vendor()
    made = await house.owner.made("/people", {**PERSON, "vendor_id": vendor_id})
    assert (made["side"], made["vendor_id"]) == ("vendor", vendor_id)
    entry = house.entries("person.added")[-1]
    assert entry["subjects"] == {"person": made["id"], "vendor": vendor_id}
    assert entry["data"] == {"side": "vendor"}
    assert len(entry["payload"]) == 64


async def test_another_firms_vendor_is_not_there(house: House, other_house: House) -> None:
    answer = await house.owner.post("/people", {**PERSON, "vendor_id": await other_house.vendor()})
    assert code_of(answer) == (404, "not_found")
    assert house.entries()[-1]["type"] == "access.refused"


async def test_another_firms_person_is_not_there(house: House, other_house: House) -> None:
    foreign = await other_house.person()
    assert code_of(await house.owner.get(f"/people/{foreign}")) == (404, "not_found")


async def test_an_id_that_names_nobody_is_not_there(house: House) -> None:
    wrong = ["per_" + "0" * 32, "per_zz", "x", "%00", "vnd_" + "0" * 32, "' OR 1=1"]
    for person_id in wrong:
        assert (await house.owner.get(f"/people/{person_id}")).status_code == 404


async def test_reading_a_person_is_recorded_with_the_id(house: House) -> None:
    person_id = await house.person()
    await house.owner.seen(f"/people/{person_id}")
    entry = house.entries()[-1]
    assert (entry["type"], entry["action"]) == ("access.allowed", "person:read")
    assert entry["subjects"] == {"person": person_id}


async def test_a_list_is_recorded_by_count_and_digest(house: House) -> None:
    await house.person()
    listed = await house.owner.listed("/people")
    entry = house.entries()[-1]
    ids = "\n".join(person["id"] for person in listed)
    assert entry["type"] == "list.read"
    assert entry["data"] == {"count": 2, "ids_sha256": hashlib.sha256(ids.encode()).hexdigest()}


async def test_pages_hold_everybody_once(house: House) -> None:
    for _ in range(4):
        await house.person()
    ids = [person["id"] for person in await house.owner.listed("/people?limit=2")]
    assert len(ids) == len(set(ids)) == 5
    assert ids == sorted(ids)


async def test_a_cursor_that_was_not_given_out_is_refused(house: House) -> None:
    wrong = ["x", "bXRyXzAw", "cGVyXw=="]
    for cursor in wrong:
        assert code_of(await house.owner.get(f"/people?cursor={cursor}")) == (422, "bad_cursor")


async def test_a_reviewer_sees_names_without_addresses(house: House) -> None:
    reviewer = await house.of_house("reviewer")
    listed = await reviewer.listed("/people")
    assert len(listed) == 2
    assert all(person["name"] and person["email"] is None for person in listed)


async def test_a_reviewers_seat_knows_the_people_of_its_engagement_and_nobody_else(house: House) -> None:
    lead = await house.of_house("attorney")
    engagement = await house.engagement(lead)
    reviewer = await house.member(engagement, "reviewer")
    worker = await house.member(engagement, "paralegal")
    assert {person["id"] for person in await reviewer.listed("/people")} == {reviewer.person_id, worker.person_id}
    assert code_of(await reviewer.get(f"/people/{lead.person_id}")) == (404, "not_found")


async def test_vendor_people_neither_list_nor_add_people(house: House) -> None:
    lead = await house.of_house("attorney")
    engagement = await house.engagement(lead)
    worker = await house.member(engagement, "vendor_manager")
    await house.sign_nda(lead, engagement, worker)
    assert code_of(await worker.get("/people")) == (403, "forbidden")
    assert code_of(await worker.post("/people", PERSON)) == (403, "forbidden")
    assert code_of(await worker.get(f"/people/{worker.person_id}")) == (403, "forbidden")


async def test_a_body_of_another_form_is_refused_and_nothing_is_kept(house: House) -> None:
    wrong: list[Any] = [
        {},
        {"email": "a@b.example"},
        {**PERSON, "side": "firm"},
        {**PERSON, "email": "no address"},
        {**PERSON, "email": "a@b@c.example"},
        {**PERSON, "name": " "},
        {**PERSON, "name": "Ana\u202eseyeR"},
        {**PERSON, "name": "Ana\nReyes"},
        {**PERSON, "name": 7},
        {**PERSON, "vendor_id": "Northwind"},
        b'{"email": "a@b.example", "name": "Ana", "name": "Bob"}',
        b"[]",
        b"{",
        b"\xff",
    ]
    for body in wrong:
        answer = await house.owner.post("/people", body)
        assert code_of(answer) == (422, "bad_input")
    assert len(await house.owner.listed("/people")) == 1


async def test_repeating_a_request_with_its_key_gives_the_same_person(house: House) -> None:
    first = await house.owner.post("/people", PERSON, Idempotency_Key="k1")
    second = await house.owner.post("/people", PERSON, Idempotency_Key="k1")
    assert (first.status_code, second.status_code) == (201, 201)
    assert first.json() == second.json()
    assert len(house.entries("person.added")) == 2, "the owner, and this person once"


async def test_a_key_used_for_another_request_is_refused(house: House) -> None:
    await house.owner.post("/people", PERSON, Idempotency_Key="k1")
    answer = await house.owner.post("/people", {**PERSON, "name": "Another"}, Idempotency_Key="k1")
    assert code_of(answer) == (422, "idempotency_mismatch")


async def test_a_key_is_of_one_membership_only(house: House) -> None:
    attorney = await house.of_house("attorney")
    first = await house.owner.post("/people", PERSON, Idempotency_Key="k1")
    other = await attorney.post("/people", {"email": "b@b.example", "name": "Bob"}, Idempotency_Key="k1")
    assert first.status_code == other.status_code == 201
    assert first.json()["id"] != other.json()["id"]


async def test_a_refused_person_leaves_no_key_object(house: House) -> None:
    before = {path.name for place in house.services.settings.key_places for path in folder(place).rglob("*")}
    await house.owner.made("/people", PERSON)
    await house.owner.post("/people", PERSON)
    [place] = house.services.settings.key_places
    after = {path.name for path in folder(place).rglob("*.*") if path.is_file()}
    assert len(after - before) == 1


async def test_without_a_token_nobody_is_told_anything(house: House) -> None:
    answer = await house.client.get("/api/v1/people")
    assert code_of(answer) == (401, "unauthenticated")

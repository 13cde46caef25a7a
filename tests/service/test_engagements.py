from __future__ import annotations

from typing import Any

from sqlalchemy import bindparam, select

from service.api.shapes import shown_time
from service.brakes.marks import MARKS
from service.db.models import engagements
from tests.service.house import FAR, FARTHER, LONG_AGO, Clock, House, code_of

NEAR = "2110-01-01T00:00:00Z"


async def test_an_engagement_has_a_key_of_its_own_and_its_terms_in_the_log(house: House) -> None:
    lead = await house.of_house("attorney")
    made = await house.engagement(lead)
    with house.services.database.read(house.firm_id) as tx:
        row = tx.one(select(engagements).where(engagements.c.id == bindparam("id")), id=made["id"])
    assert all(house.services.keys.exists(row.key_id).values())
    assert made["name"].encode() not in row.name
    entry = house.entries("engagement.created")[0]
    assert entry["subjects"] == {"engagement": made["id"], "vendor": made["vendor_id"]}
    terms = {"lead": lead.person_id, "starts_at": row.starts_at, "ends_at": row.ends_at}
    assert entry["data"] == {**terms, "withheld": "invisible", "owed": [], **MARKS}
    assert (entry["eseq"], entry["eprev"]) == (0, "0" * 64)


async def test_who_knows_what_of_an_engagement(house: House) -> None:
    lead, deputy = await house.of_house("attorney"), await house.of_house("attorney")
    made = await house.engagement(lead, deputy_id=deputy.person_id)
    manager, worker = await house.member(made, "vendor_manager"), await house.member(made, "paralegal")
    await house.sign_nda(lead, made, manager, worker)
    path = f"/engagements/{made['id']}"
    assert (await deputy.seen(path))["name"] == made["name"]
    assert (await house.owner.seen(path))["name"] is None, "the owner runs the house by numbers"
    for who, role in ((manager, "vendor_manager"), (worker, "paralegal")):
        shown = await who.seen(path)
        assert (shown["number"], shown["firm"], shown["role"]) == (made["number"], "Okafor & Lind", role)
        assert (shown["starts_at"], shown["ends_at"], shown["status"]) == (LONG_AGO, FAR, "running")
        assert (shown["name"], shown["lead_id"], shown["deputy_id"]) == (None, None, None)


async def test_before_the_nda_nothing_is_shown_and_the_refusal_is_recorded(house: House) -> None:
    lead = await house.of_house("attorney")
    made = await house.engagement(lead)
    worker = await house.member(made, "paralegal")
    await lead.made(f"/engagements/{made['id']}/agreements", {"kind": "nda", "text": "Hush."})
    assert code_of(await worker.get(f"/engagements/{made['id']}")) == (403, "duty_missing")
    entry = house.entries()[-1]
    assert (entry["type"], entry["outcome"], entry["action"]) == ("access.refused", "refused", "engagement:read")
    assert entry["actor"]["membership"] == worker.member_id


async def test_an_engagement_exists_for_those_who_lead_sit_in_or_run_it(house: House) -> None:
    lead, other = await house.of_house("attorney"), await house.of_house("attorney")
    made = await house.engagement(lead)
    seat = await house.member(made, "coordinator")
    for who in (lead, seat, house.owner):
        assert [row["id"] for row in await who.listed("/engagements")] == [made["id"]]
    assert await other.listed("/engagements") == []
    assert code_of(await other.get(f"/engagements/{made['id']}")) == (404, "not_found")
    worker = await house.member(made, "paralegal")
    assert code_of(await worker.get("/engagements")) == (403, "forbidden")


async def test_whoever_is_on_a_matters_team_finds_where_its_papers_are_and_changes_nothing(house: House) -> None:
    lead, attorney = await house.of_house("attorney"), await house.of_house("attorney")
    coordinator = await house.of_house("coordinator")
    made, elsewhere = await house.engagement(lead), await house.engagement(lead)
    mine, hidden = await house.matter(lead), await house.matter(lead)
    path = f"/engagements/{made['id']}"
    part = await lead.made(f"{path}/parts", {"matter_id": mine["id"], "caption": "Delgado v. Acme"})
    await lead.made(f"{path}/parts", {"matter_id": hidden["id"], "caption": "Another"})
    await lead.made(f"/engagements/{elsewhere['id']}/parts", {"matter_id": hidden["id"], "caption": "Another"})
    worker = await house.member(made, "paralegal")
    for who in (attorney, coordinator):
        assert code_of(await who.get(path)) == (404, "not_found")
        await lead.ask("PUT", f"/matters/{mine['id']}/team/{who.person_id}")
        assert [row["id"] for row in await who.listed("/engagements")] == [made["id"]]
        assert (await who.seen(path))["name"] == made["name"]
        assert [row["id"] for row in await who.listed(f"{path}/parts")] == [part["id"]]
        assert worker.member_id in {row["id"] for row in await who.listed(f"{path}/members")}
        assert code_of(await who.get(f"/engagements/{elsewhere['id']}")) == (404, "not_found")
    renamed = await attorney.ask("PATCH", path, {"name": "Mine"}, If_Match=f'"{made["id"]}-1"')
    assert code_of(renamed) == (404, "not_found")
    await lead.made("/walls", {"person_id": attorney.person_id, "matter_id": mine["id"], "reason": "Conflict."})
    assert code_of(await attorney.get(path)) == (404, "not_found")
    assert await attorney.listed("/engagements") == []


async def test_vendor_people_of_one_engagement_see_nothing_of_another_with_the_same_vendor(house: House) -> None:
    lead = await house.of_house("attorney")
    mine = await house.engagement(lead)
    other = await house.engagement(lead, vendor_id=mine["vendor_id"])
    worker = await house.member(mine, "paralegal")
    await house.sign_nda(lead, mine, worker)
    assert code_of(await worker.get(f"/engagements/{other['id']}")) == (404, "not_found")


async def test_an_id_that_names_no_engagement_is_not_there(house: House) -> None:
    for engagement_id in ("eng_" + "0" * 32, "eng_zz", "x", "mem_" + "0" * 32):
        for path in ("", "/parts", "/members"):
            answer = await house.owner.get(f"/engagements/{engagement_id}{path}")
            assert answer.status_code == (403 if path == "/parts" else 404)


async def test_another_firms_engagement_is_not_there(house: House, other_house: House) -> None:
    foreign = await other_house.engagement(await other_house.of_house("attorney"))
    path = f"/engagements/{foreign['id']}"
    assert await house.owner.listed("/engagements") == []
    attorney = await house.of_house("attorney")
    for who in (house.owner, attorney):
        assert code_of(await who.get(path)) == (404, "not_found")
        assert code_of(await who.get(f"{path}/members")) == (404, "not_found")
    answer = await attorney.ask("PATCH", path, {"name": "Mine"}, If_Match=f'"{foreign["id"]}-1"')
    assert code_of(answer) == (404, "not_found")


# Leading -------------------------------------------------------------------------------------------------------------


async def test_only_a_running_attorney_of_the_whole_house_leads(house: House, other_house: House) -> None:
    lead, vendor_id = await house.of_house("attorney"), await house.vendor()
    seat = await house.member(await house.engagement(lead), "attorney")
    coordinator, suspended = await house.of_house("coordinator"), await house.of_house("attorney")
    path = f"/members/{suspended.member_id}"
    await house.owner.matched("POST", f"{path}/suspension", path)
    worker_id, foreign_id = await house.person(vendor_id), (await other_house.of_house("attorney")).person_id
    body = {"vendor_id": vendor_id, "number": "E", "name": "N", "starts_at": LONG_AGO, "ends_at": FAR}
    for person_id in (seat.person_id, coordinator.person_id, suspended.person_id, worker_id):
        answer = await lead.post("/engagements", {**body, "lead_id": person_id})
        assert code_of(answer) == (422, "bad_input")
        assert answer.json()["field"] == "lead_id"
    assert code_of(await lead.post("/engagements", {**body, "lead_id": foreign_id})) == (404, "not_found")
    both = {**body, "lead_id": lead.person_id, "deputy_id": lead.person_id}
    assert code_of(await lead.post("/engagements", both)) == (422, "bad_input")


async def test_a_lead_lasts_as_long_as_the_engagement(house: House) -> None:
    lead, person_id = await house.of_house("attorney"), await house.person()
    await house.owner.made("/members", {"person_id": person_id, "role": "attorney", "ends_at": NEAR})
    made = await house.engagement(lead, ends_at=NEAR)
    path = f"/engagements/{made['id']}"
    assert (await lead.matched("PATCH", path, path, {"lead_id": person_id})).status_code == 200
    deputy = await house.engagement(lead, ends_at=NEAR, deputy_id=person_id)
    path = f"/engagements/{deputy['id']}"
    assert code_of(await lead.matched("PATCH", path, path, {"ends_at": FAR})) == (422, "bad_input")
    both = {"ends_at": FAR, "deputy_id": None}
    changed = await lead.matched("PATCH", path, path, both)
    assert (changed.json()["ends_at"], changed.json()["deputy_id"]) == (FAR, None)


async def test_when_the_lead_leaves_the_deputy_leads(house: House) -> None:
    lead, deputy = await house.of_house("attorney"), await house.of_house("attorney")
    made = await house.engagement(lead, deputy_id=deputy.person_id)
    path = f"/members/{lead.member_id}"
    assert (await house.owner.matched("DELETE", path, path)).status_code == 200
    shown = await deputy.seen(f"/engagements/{made['id']}")
    assert (shown["lead_id"], shown["deputy_id"]) == (deputy.person_id, None)
    entry = house.entries("engagement.changed")[-1]
    assert entry["subjects"]["engagement"] == made["id"]
    assert entry["data"]["lead"] == deputy.person_id


async def test_a_lead_without_a_deputy_does_not_leave_but_can_be_suspended(house: House) -> None:
    lead = await house.of_house("attorney")
    await house.engagement(lead)
    path = f"/members/{lead.member_id}"
    assert code_of(await house.owner.matched("DELETE", path, path)) == (409, "bad_state")
    assert (await house.owner.seen(path))["state"] == "running", "the refused act left nothing"
    assert (await house.owner.matched("POST", f"{path}/suspension", path)).json()["state"] == "suspended"


async def test_a_deputy_who_leaves_is_deputy_no_more(house: House) -> None:
    lead, deputy = await house.of_house("attorney"), await house.of_house("attorney")
    made = await house.engagement(lead, deputy_id=deputy.person_id)
    path = f"/members/{deputy.member_id}"
    assert (await house.owner.matched("DELETE", path, path)).status_code == 200
    shown = await lead.seen(f"/engagements/{made['id']}")
    assert (shown["lead_id"], shown["deputy_id"]) == (lead.person_id, None)


# Changing ------------------------------------------------------------------------------------------------------------


async def test_memberships_that_end_with_the_engagement_move_with_its_end(house: House) -> None:
    lead = await house.of_house("attorney")
    made = await house.engagement(lead)
    whole, short = await house.member(made, "paralegal"), await house.member(made, "receptionist", ends_at=NEAR)
    path = f"/engagements/{made['id']}"

    async def ends() -> list[str]:
        return [(await lead.seen(f"/members/{who.member_id}"))["ends_at"] for who in (whole, short)]

    assert (await lead.matched("PATCH", path, path, {"ends_at": FARTHER})).json()["ends_at"] == FARTHER
    assert await ends() == [FARTHER, NEAR]
    earlier = "2105-01-01T00:00:00Z"
    await lead.matched("PATCH", path, path, {"ends_at": earlier})
    assert await ends() == [earlier, earlier], "no membership outlives its engagement"
    before, after = (entry["data"] for entry in house.entries("engagement.changed"))
    assert before["ends_at"] == after["ends_at_before"]
    assert before["ends_at"] > after["ends_at"]


async def test_an_end_lies_ahead_and_is_not_moved_once_it_has_passed(house: House, clock: Clock) -> None:
    lead = await house.of_house("attorney")
    soon = house.services.clock() // 1000 + 2 * 86_400
    made = await house.engagement(lead, ends_at=str(shown_time(soon)))
    worker = await house.member(made, "paralegal")
    await house.sign_nda(lead, made, worker)
    path = f"/engagements/{made['id']}"
    assert code_of(await lead.matched("PATCH", path, path, {"ends_at": LONG_AGO})) == (422, "bad_input")
    assert (await worker.seen(path))["status"] == "running"
    clock.pass_days(2)
    assert code_of(await worker.get(path)) == (404, "not_found"), "the end date closes vendor access on the minute"
    assert code_of(await lead.matched("PATCH", path, path, {"ends_at": FAR})) == (409, "bad_state")
    assert (await lead.matched("PATCH", path, path, {"name": "Over"})).json()["name"] == "Over"
    body = {"person_id": await house.person(made["vendor_id"]), "role": "paralegal"}
    assert code_of(await lead.post(f"{path}/members", body)) == (409, "bad_state")


async def test_a_change_needs_the_version_that_was_read(house: House) -> None:
    lead = await house.of_house("attorney")
    made = await house.engagement(lead)
    path = f"/engagements/{made['id']}"
    assert code_of(await lead.ask("PATCH", path, {"name": "B"})) == (428, "precondition_missing")
    assert (await lead.matched("PATCH", path, path, {"name": "B"})).status_code == 200
    stale = await lead.ask("PATCH", path, {"name": "C"}, If_Match=f'"{made["id"]}-1"')
    assert code_of(stale) == (412, "stale")
    assert (await lead.seen(path))["name"] == "B"


async def test_only_attorneys_of_the_engagement_change_it(house: House) -> None:
    lead = await house.of_house("attorney")
    made = await house.engagement(lead)
    coordinator, seat = await house.member(made, "coordinator"), await house.member(made, "attorney")
    path = f"/engagements/{made['id']}"
    for who in (coordinator, house.owner):
        assert code_of(await who.matched("PATCH", path, path, {"name": "B"})) == (403, "forbidden")
    assert (await seat.matched("PATCH", path, path, {"name": "B"})).status_code == 200


async def test_a_change_of_another_form_is_refused(house: House) -> None:
    lead = await house.of_house("attorney")
    made = await house.engagement(lead)
    path = f"/engagements/{made['id']}"
    wrong: list[Any] = [
        {},
        {"name": None},
        {"ends_at": None},
        {"lead_id": None},
        {"number": "E-2"},
        {"status": "disposed"},
        {"ends_at": "2120-01-01T00:00:00"},
        {"ends_at": "2120-01-01T00:00:00.5Z"},
        {"lead_id": "Ann"},
        b'{"name": "A", "name": "B"}',
    ]
    for body in wrong:
        answer = await lead.ask("PATCH", path, body, If_Match=f'"{made["id"]}-1"')
        assert code_of(answer) == (422, "bad_input")


async def test_a_new_engagement_of_another_form_is_refused(house: House) -> None:
    lead, vendor_id = await house.of_house("attorney"), await house.vendor()
    body = {"vendor_id": vendor_id, "number": "E", "name": "N", "starts_at": LONG_AGO, "ends_at": FAR}
    wrong: list[Any] = [
        {"number": "Delgado v. Acme"},
        {"name": ""},
        {"ends_at": LONG_AGO},
        {"starts_at": FARTHER},
        {"starts_at": "2019-01-01T00:00:00Z", "ends_at": LONG_AGO},
        {"status": "running"},
        {"vendor_id": "Northwind"},
        {"starts_at": "yesterday"},
    ]
    for changes in wrong:
        answer = await lead.post("/engagements", {**body, "lead_id": lead.person_id, **changes})
        assert code_of(answer) == (422, "bad_input")


async def test_repeating_a_request_with_its_key_begins_one_engagement(house: House, other_house: House) -> None:
    lead, vendor_id = await house.of_house("attorney"), await house.vendor()
    body = {"vendor_id": vendor_id, "number": "E", "name": "N", "starts_at": LONG_AGO, "ends_at": FAR}
    body |= {"lead_id": lead.person_id}
    answers = [await lead.post("/engagements", body, Idempotency_Key="k") for _ in range(2)]
    assert answers[0].json() == answers[1].json()
    reused = await lead.post("/engagements", {**body, "name": "M"}, Idempotency_Key="k")
    assert code_of(reused) == (422, "idempotency_mismatch")
    assert code_of(await lead.post("/engagements", body)) == (409, "exists")
    foreign = {**body, "number": "F", "vendor_id": await other_house.vendor()}
    assert code_of(await lead.post("/engagements", foreign)) == (404, "not_found")

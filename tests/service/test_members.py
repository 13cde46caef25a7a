from __future__ import annotations

from typing import Any

from service.api.shapes import shown_time
from tests.service.house import FAR, FARTHER, LONG_AGO, Asker, Clock, House, code_of


async def change(who: Asker, member_id: str, method: str = "DELETE", tail: str = "") -> Any:
    path = f"/members/{member_id}"
    return await who.matched(method, f"{path}{tail}", path)


async def test_a_membership_stands_in_the_log_whole(house: House) -> None:
    lead = await house.of_house("attorney")
    engagement = await house.engagement(lead)
    worker = await house.member(engagement, "paralegal")
    shown = await lead.seen(f"/members/{worker.member_id}")
    assert (shown["side"], shown["role"], shown["state"], shown["ends_at"]) == ("vendor", "paralegal", "running", FAR)
    entry = house.entries("member.added")[-1]
    assert entry["subjects"] == {
        "engagement": engagement["id"],
        "membership": worker.member_id,
        "person": worker.person_id,
    }
    assert (entry["data"]["role"], entry["data"]["suspended"]) == ("paralegal", False)
    assert shown_time(entry["data"]["ends_at"]) == FAR


async def test_the_role_fits_the_side_of_the_person(house: House) -> None:
    lead = await house.of_house("attorney")
    engagement = await house.engagement(lead)
    path = f"/engagements/{engagement['id']}/members"
    firm_person, vendor_person = await house.person(), await house.person(engagement["vendor_id"])
    for person_id, role in (
        (firm_person, "paralegal"),
        (firm_person, "vendor_manager"),
        (vendor_person, "attorney"),
        (vendor_person, "reviewer"),
        (firm_person, "owner"),
    ):
        answer = await lead.post(path, {"person_id": person_id, "role": role})
        assert code_of(answer) == (422, "bad_input")
        assert answer.json()["field"] == "role"
    for person_id, role in ((vendor_person, "paralegal"), (firm_person, "partner")):
        answer = await house.owner.post("/members", {"person_id": person_id, "role": role})
        assert code_of(answer) == (422, "bad_input")


async def test_only_people_of_the_engagements_vendor_become_vendor_members(house: House, other_house: House) -> None:
    lead = await house.of_house("attorney")
    engagement = await house.engagement(lead)
    path = f"/engagements/{engagement['id']}/members"
    outside = await house.person(await house.vendor())
    answer = await lead.post(path, {"person_id": outside, "role": "paralegal"})
    assert (code_of(answer), answer.json()["field"]) == ((422, "bad_input"), "person_id")
    foreign = await other_house.person(await other_house.vendor())
    for nobody in (foreign, "per_" + "0" * 32):
        assert code_of(await lead.post(path, {"person_id": nobody, "role": "paralegal"})) == (404, "not_found")


async def test_no_membership_outlives_its_engagement(house: House) -> None:
    lead = await house.of_house("attorney")
    engagement = await house.engagement(lead)
    path = f"/engagements/{engagement['id']}/members"
    body = {"person_id": await house.person(engagement["vendor_id"]), "role": "paralegal"}
    for dates in ({"ends_at": FARTHER}, {"ends_at": LONG_AGO}, {"starts_at": FAR}, {"starts_at": FAR, "ends_at": FAR}):
        answer = await lead.post(path, {**body, **dates})
        assert (code_of(answer), answer.json()["field"]) == ((422, "bad_input"), "ends_at")
    assert (await lead.made(path, {**body, "starts_at": LONG_AGO}))["starts_at"] > LONG_AGO, "nothing is backdated"


async def test_one_membership_of_a_kind_runs_at_a_time(house: House) -> None:
    lead = await house.of_house("attorney")
    engagement = await house.engagement(lead)
    worker = await house.member(engagement, "paralegal")
    path, body = f"/engagements/{engagement['id']}/members", {"person_id": worker.person_id, "role": "paralegal"}
    assert code_of(await lead.post(path, body)) == (409, "exists")
    assert (await lead.post(path, {**body, "role": "receptionist"})).status_code == 201
    await change(lead, worker.member_id, "POST", "/suspension")
    assert code_of(await lead.post(path, body)) == (409, "exists"), "a new membership must not undo a suspension"
    await change(lead, worker.member_id)
    again = await lead.made(path, body)
    assert again["id"] != worker.member_id
    house_body = {"person_id": lead.person_id, "role": "attorney"}
    assert code_of(await house.owner.post("/members", house_body)) == (409, "exists")


async def test_ending_withdraws_the_tokens_in_the_same_breath(house: House) -> None:
    lead = await house.of_house("attorney")
    engagement = await house.engagement(lead)
    worker = await house.member(engagement, "paralegal")
    second = await house.asker({"id": worker.member_id, "person_id": worker.person_id})
    await house.sign_nda(lead, engagement, worker)
    path = f"/engagements/{engagement['id']}"
    assert (await second.seen(path))["role"] == "paralegal"
    endings = house.services.ledger.endings
    ended = await change(lead, worker.member_id)
    assert ended.json()["state"] == "ended"
    assert house.services.ledger.endings > endings
    for token in (worker, second):
        assert code_of(await token.get(path)) == (401, "unauthenticated")
    last = house.entries()[-3:]
    assert [entry["type"] for entry in last] == ["member.ended", "token.revoked", "token.revoked"]
    assert len({entry["time"] for entry in last}) == 1
    assert all(entry["subjects"]["membership"] == worker.member_id for entry in last)
    assert code_of(await change(lead, worker.member_id)) == (409, "bad_state")
    assert code_of(await change(lead, worker.member_id, "POST", "/suspension")) == (409, "bad_state")


async def test_a_suspended_member_is_told_so_and_works_again_when_resumed(house: House) -> None:
    lead = await house.of_house("attorney")
    engagement = await house.engagement(lead)
    worker = await house.member(engagement, "paralegal")
    await house.sign_nda(lead, engagement, worker)
    path = f"/engagements/{engagement['id']}"
    assert code_of(await change(lead, worker.member_id, "DELETE", "/suspension")) == (409, "bad_state")
    suspended = await change(lead, worker.member_id, "POST", "/suspension")
    assert suspended.json()["state"] == "suspended"
    assert code_of(await worker.get(path)) == (403, "suspended")
    assert code_of(await change(lead, worker.member_id, "POST", "/suspension")) == (409, "bad_state")
    assert (await change(lead, worker.member_id, "DELETE", "/suspension")).json()["state"] == "running"
    assert (await worker.seen(path))["status"] == "running"
    kinds = [entry["type"] for entry in house.entries() if entry["type"].startswith("member.")]
    assert kinds[-2:] == ["member.suspended", "member.resumed"]


async def test_changes_need_the_version_that_was_read(house: House) -> None:
    lead = await house.of_house("attorney")
    worker = await house.member(await house.engagement(lead), "paralegal")
    path = f"/members/{worker.member_id}"
    for method, tail in (("DELETE", ""), ("POST", "/suspension"), ("DELETE", "/suspension")):
        assert code_of(await lead.ask(method, f"{path}{tail}")) == (428, "precondition_missing")
        wrong = f'"{worker.member_id}-7"'
        assert code_of(await lead.ask(method, f"{path}{tail}", If_Match=wrong)) == (412, "stale")
    assert (await lead.seen(path))["state"] == "running"


async def test_a_window_that_has_not_opened_or_has_closed_lets_nobody_in(house: House, clock: Clock) -> None:
    lead = await house.of_house("attorney")
    engagement = await house.engagement(lead)
    now = house.services.clock() // 1000
    dates = {"starts_at": str(shown_time(now + 86_400)), "ends_at": str(shown_time(now + 3 * 86_400))}
    worker = await house.member(engagement, "paralegal", **dates)
    await house.sign_nda(lead, engagement, worker)
    path, state = f"/engagements/{engagement['id']}", f"/members/{worker.member_id}"
    assert (await lead.seen(state))["state"] == "to_come"
    assert code_of(await worker.get(path)) == (403, "outside_window")
    clock.pass_days(2)
    assert (await worker.seen(path))["role"] == "paralegal"
    clock.pass_days(2)
    assert code_of(await worker.get(path)) == (404, "not_found")
    assert (await lead.seen(state))["state"] == "ended"


# The house ------------------------------------------------------------------------------------------------------------


async def test_only_the_owner_lets_people_act_for_the_whole_house(house: House) -> None:
    attorney = await house.of_house("attorney")
    for role in ("owner", "attorney", "coordinator", "reviewer"):
        body = {"person_id": attorney.person_id, "role": role}
        assert code_of(await attorney.post("/members", body)) == (403, "forbidden")
    assert code_of(await attorney.get("/members")) == (403, "forbidden")


async def test_an_attorney_touches_no_membership_of_the_house(house: House) -> None:
    attorney = await house.of_house("attorney")
    tag = {"If_Match": f'"{house.owner.member_id}-1"'}
    path = f"/members/{house.owner.member_id}"
    for method, tail in (("DELETE", ""), ("POST", "/suspension"), ("DELETE", "/suspension"), ("GET", "")):
        assert code_of(await attorney.ask(method, f"{path}{tail}", **tag)) == (404, "not_found")


async def test_the_last_owner_is_neither_ended_nor_suspended(house: House) -> None:
    for method, tail in (("DELETE", ""), ("POST", "/suspension")):
        answer = await change(house.owner, house.owner.member_id, method, tail)
        assert code_of(answer) == (409, "bad_state")
    second = await house.of_house("owner")
    assert (await change(house.owner, house.owner.member_id)).json()["state"] == "ended"
    assert code_of(await house.owner.get("/people")) == (401, "unauthenticated")
    assert [row["state"] for row in await second.listed("/members")] == ["ended", "running"]


async def test_an_attorney_added_to_one_engagement_reaches_no_other(house: House) -> None:
    lead = await house.of_house("attorney")
    mine, other = await house.engagement(lead), await house.engagement(lead)
    seat = await house.member(mine, "attorney")
    body = {"person_id": seat.person_id, "role": "attorney"}
    assert code_of(await seat.post(f"/engagements/{other['id']}/members", body)) == (404, "not_found")


# Lists ----------------------------------------------------------------------------------------------------------------


async def test_a_vendors_manager_sees_his_own_side_only(house: House) -> None:
    lead = await house.of_house("attorney")
    engagement = await house.engagement(lead)
    manager, worker = await house.member(engagement, "vendor_manager"), await house.member(engagement, "paralegal")
    seat = await house.member(engagement, "coordinator")
    path = f"/engagements/{engagement['id']}/members"
    assert code_of(await manager.get(path)) == (403, "duty_missing")
    await house.sign_nda(lead, engagement, manager, worker)
    shown = await manager.listed(f"{path}?limit=1")
    assert {row["person_id"] for row in shown} == {manager.person_id, worker.person_id}
    assert code_of(await manager.get(f"/members/{seat.member_id}")) == (404, "not_found")
    assert (await manager.seen(f"/members/{worker.member_id}"))["name"].startswith("Person")
    assert {row["person_id"] for row in await lead.listed(path)} == {
        manager.person_id,
        worker.person_id,
        seat.person_id,
    }
    for who, asked in ((worker, path), (manager, "/members")):
        assert code_of(await who.get(asked)) == (403, "forbidden")
    body = {"person_id": worker.person_id, "role": "receptionist"}
    assert code_of(await manager.post(path, body)) == (403, "forbidden")


async def test_members_of_another_engagement_or_firm_are_not_there(house: House, other_house: House) -> None:
    lead, other = await house.of_house("attorney"), await house.of_house("attorney")
    worker = await house.member(await house.engagement(lead), "paralegal")
    assert code_of(await other.get(f"/members/{worker.member_id}")) == (404, "not_found")
    for member_id in (worker.member_id, house.owner.member_id):
        assert code_of(await other_house.owner.get(f"/members/{member_id}")) == (404, "not_found")
        answer = await other_house.owner.ask("DELETE", f"/members/{member_id}", If_Match=f'"{member_id}-1"')
        assert code_of(answer) == (404, "not_found")


async def test_an_id_of_another_thing_names_no_member(house: House) -> None:
    lead = await house.of_house("attorney")
    matter, engagement = await house.matter(lead), await house.engagement(lead)
    hold = await lead.made("/holds", {"matter_id": matter["id"], "reason": "Letter."})
    for wrong in (hold["id"], engagement["id"], lead.person_id, "mem_zz", "x", "%00", "mem_" + "0" * 32):
        assert code_of(await lead.get(f"/members/{wrong}")) == (404, "not_found")
        assert code_of(await lead.ask("DELETE", f"/members/{wrong}", If_Match='"x"')) == (404, "not_found")


async def test_repeating_a_request_with_its_key_adds_one_member(house: House) -> None:
    lead = await house.of_house("attorney")
    engagement = await house.engagement(lead)
    path = f"/engagements/{engagement['id']}/members"
    body = {"person_id": await house.person(engagement["vendor_id"]), "role": "paralegal"}
    answers = [await lead.post(path, body, Idempotency_Key="k") for _ in range(2)]
    assert answers[0].json() == answers[1].json()
    reused = await lead.post(path, {**body, "role": "receptionist"}, Idempotency_Key="k")
    assert code_of(reused) == (422, "idempotency_mismatch")


async def test_a_body_of_another_form_is_refused(house: House) -> None:
    wrong: list[Any] = [
        {"role": "king"},
        {"role": None},
        {"person_id": "x"},
        {"suspended": False},
        {"ends_at": "soon"},
        {"ends_at": 1},
    ]
    for changes in wrong:
        body = {"person_id": house.owner.person_id, "role": "reviewer", **changes}
        assert code_of(await house.owner.post("/members", body)) == (422, "bad_input")

from __future__ import annotations

from typing import Any

from sqlalchemy import bindparam, select

from service.db.models import matters
from tests.service.house import House, code_of

MATTER = {"number": "2026-0117", "client": "Maria Delgado"}


async def test_whoever_opens_a_matter_is_named_on_it_at_once(house: House) -> None:
    attorney = await house.of_house("attorney")
    made = await attorney.made("/matters", MATTER)
    assert [named["person_id"] for named in made["team"]] == [attorney.person_id]
    created, named = house.entries()[-2:]
    assert (created["type"], named["type"]) == ("matter.created", "matter.named")
    assert named["subjects"] == {"matter": made["id"], "person": attorney.person_id}


async def test_the_clients_name_is_sealed(house: House) -> None:
    made = await (await house.of_house("attorney")).made("/matters", MATTER)
    with house.services.database.read(house.firm_id) as tx:
        row = tx.one(select(matters).where(matters.c.id == bindparam("id")), id=made["id"])
    assert b"Delgado" not in row.client
    assert "Delgado" not in str(house.entries())


async def test_an_attorney_who_is_not_named_sees_nothing(house: House) -> None:
    matter = await house.matter(await house.of_house("attorney"))
    other = await house.of_house("attorney")
    assert await other.listed("/matters") == []
    assert code_of(await other.get(f"/matters/{matter['id']}")) == (404, "not_found")
    answer = await other.ask("PUT", f"/matters/{matter['id']}/team/{other.person_id}")
    assert code_of(answer) == (404, "not_found"), "nobody names himself"


async def test_the_owner_sees_numbers_and_no_client(house: House) -> None:
    matter = await house.matter(await house.of_house("attorney"))
    listed = await house.owner.listed("/matters")
    assert [(row["number"], row["client"]) for row in listed] == [(matter["number"], None)]
    assert code_of(await house.owner.get(f"/matters/{matter['id']}")) == (403, "forbidden")


async def test_the_owner_opens_no_matter(house: House) -> None:
    assert code_of(await house.owner.post("/matters", MATTER)) == (403, "forbidden")


async def test_two_matters_never_share_a_number(house: House, other_house: House) -> None:
    attorney = await house.of_house("attorney")
    await attorney.made("/matters", MATTER)
    answer = await attorney.post("/matters", {**MATTER, "client": "Another"})
    assert code_of(answer) == (409, "exists")
    await (await other_house.of_house("attorney")).made("/matters", MATTER)


async def test_naming_opens_a_matter_and_naming_again_changes_nothing(house: House) -> None:
    attorney, coordinator = await house.of_house("attorney"), await house.of_house("coordinator")
    matter = await house.matter(attorney)
    path = f"/matters/{matter['id']}/team/{coordinator.person_id}"
    assert [(await attorney.ask("PUT", path)).status_code for _ in range(2)] == [204, 204]
    assert (await coordinator.seen(f"/matters/{matter['id']}"))["client"] == matter["client"]
    assert len(house.entries("matter.named")) == 2, "the attorney, and the coordinator once"


async def test_a_coordinator_names_nobody(house: House) -> None:
    attorney, coordinator = await house.of_house("attorney"), await house.of_house("coordinator")
    matter = await house.matter(attorney)
    await attorney.ask("PUT", f"/matters/{matter['id']}/team/{coordinator.person_id}")
    answer = await coordinator.ask("PUT", f"/matters/{matter['id']}/team/{house.owner.person_id}")
    assert code_of(answer) == (403, "forbidden")


async def test_only_people_of_the_firm_are_named(house: House, other_house: House) -> None:
    attorney = await house.of_house("attorney")
    matter = await house.matter(attorney)
    outside = await house.person(await house.vendor())
    answer = await attorney.ask("PUT", f"/matters/{matter['id']}/team/{outside}")
    assert code_of(answer) == (422, "bad_input")
    for nobody in (await other_house.person(), "per_" + "0" * 32, "x"):
        answer = await attorney.ask("PUT", f"/matters/{matter['id']}/team/{nobody}")
        assert code_of(answer) == (404, "not_found")


async def test_whoever_is_taken_off_sees_nothing_any_more_and_open_bodies_are_asked_again(house: House) -> None:
    attorney, other = await house.of_house("attorney"), await house.of_house("attorney")
    matter = await house.matter(attorney)
    path = f"/matters/{matter['id']}/team/{other.person_id}"
    await attorney.ask("PUT", path)
    endings = house.services.ledger.endings
    assert (await attorney.ask("DELETE", path)).status_code == 204
    assert house.services.ledger.endings > endings
    assert code_of(await other.get(f"/matters/{matter['id']}")) == (404, "not_found")
    assert await other.listed("/matters") == []
    assert code_of(await attorney.ask("DELETE", path)) == (404, "not_found")
    assert house.entries("matter.unnamed")[-1]["data"]["until"] <= house.entries()[-1]["time"] // 1000


async def test_whoever_is_named_again_sees_it_again(house: House) -> None:
    attorney, other = await house.of_house("attorney"), await house.of_house("attorney")
    matter = await house.matter(attorney)
    path = f"/matters/{matter['id']}/team/{other.person_id}"
    for method in ("PUT", "DELETE", "PUT"):
        assert (await attorney.ask(method, path)).status_code == 204
    assert (await other.seen(f"/matters/{matter['id']}"))["id"] == matter["id"]


async def test_a_wall_hides_the_matter_from_an_attorney_who_is_named_on_it(house: House) -> None:
    attorney, other = await house.of_house("attorney"), await house.of_house("attorney")
    matter = await house.matter(attorney)
    await attorney.ask("PUT", f"/matters/{matter['id']}/team/{other.person_id}")
    wall = {"person_id": other.person_id, "matter_id": matter["id"], "reason": "Acted for the other side."}
    await attorney.made("/walls", wall)
    assert code_of(await other.get(f"/matters/{matter['id']}")) == (404, "not_found")
    assert await other.listed("/matters") == []


async def test_a_seat_in_one_engagement_shows_matters_of_that_engagement_only(house: House) -> None:
    lead = await house.of_house("attorney")
    inside, outside = await house.matter(lead), await house.matter(lead)
    engagement = await house.engagement(lead)
    await lead.made(f"/engagements/{engagement['id']}/parts", {"matter_id": inside["id"], "caption": "Part"})
    seat = await house.member(engagement, "attorney")
    for matter in (inside, outside):
        await lead.ask("PUT", f"/matters/{matter['id']}/team/{seat.person_id}")
    assert [row["id"] for row in await seat.listed("/matters")] == [inside["id"]]
    assert code_of(await seat.get(f"/matters/{outside['id']}")) == (404, "not_found")


async def test_another_firms_matter_is_not_there(house: House, other_house: House) -> None:
    foreign = await other_house.matter(await other_house.of_house("attorney"))
    attorney = await house.of_house("attorney")
    assert code_of(await attorney.get(f"/matters/{foreign['id']}")) == (404, "not_found")
    assert await house.owner.listed("/matters") == []


async def test_an_id_that_names_no_matter_is_not_there(house: House) -> None:
    attorney = await house.of_house("attorney")
    wrong = ["mtr_" + "0" * 32, "mtr_zz", "x", "%00", "eng_" + "0" * 32]
    for matter_id in wrong:
        assert code_of(await attorney.get(f"/matters/{matter_id}")) == (404, "not_found")


async def test_vendor_people_know_of_no_matters(house: House) -> None:
    lead = await house.of_house("attorney")
    engagement = await house.engagement(lead)
    worker = await house.member(engagement, "paralegal")
    await house.sign_nda(lead, engagement, worker)
    assert code_of(await worker.get("/matters")) == (403, "forbidden")
    assert code_of(await worker.post("/matters", MATTER)) == (403, "forbidden")


async def test_a_body_of_another_form_is_refused(house: House) -> None:
    attorney = await house.of_house("attorney")
    wrong: list[Any] = [
        {**MATTER, "number": "Delgado v. Acme"},
        {**MATTER, "number": ""},
        {**MATTER, "number": "1" * 65},
        {**MATTER, "number": "1\n"},
        {**MATTER, "client": ""},
        {**MATTER, "client": "\u200b"},
        {**MATTER, "team": []},
        b'{"number": "1", "number": "2", "client": "x"}',
    ]
    for body in wrong:
        assert code_of(await attorney.post("/matters", body)) == (422, "bad_input")


async def test_repeating_a_request_with_its_key_gives_the_same_matter(house: House) -> None:
    attorney = await house.of_house("attorney")
    answers = [await attorney.post("/matters", MATTER, Idempotency_Key="k") for _ in range(2)]
    assert answers[0].json()["id"] == answers[1].json()["id"]
    assert code_of(await attorney.post("/matters", {**MATTER, "client": "B"}, Idempotency_Key="k")) == (
        422,
        "idempotency_mismatch",
    )


async def test_a_suspended_attorney_sees_nothing(house: House) -> None:
    attorney = await house.of_house("attorney")
    matter = await house.matter(attorney)
    path = f"/members/{attorney.member_id}"
    assert (await house.owner.matched("POST", f"{path}/suspension", path)).status_code == 200
    assert code_of(await attorney.get(f"/matters/{matter['id']}")) == (403, "suspended")
    assert code_of(await attorney.get("/matters")) == (403, "suspended")

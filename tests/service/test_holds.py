from __future__ import annotations

from typing import Any

from service import holds
from tests.service.house import House, code_of


async def test_a_hold_reaches_every_engagement_with_a_part_of_the_matter_until_it_is_lifted(house: House) -> None:
    attorney = await house.of_house("attorney")
    matter, other = await house.matter(attorney), await house.matter(attorney)
    engagement = await house.engagement(attorney)
    await attorney.made(f"/engagements/{engagement['id']}/parts", {"matter_id": matter["id"], "caption": "Part"})
    await attorney.made("/holds", {"matter_id": other["id"], "reason": "Elsewhere."})

    def in_force() -> list[str]:
        now = house.services.clock() // 1000
        with house.services.database.read(house.firm_id) as tx:
            return holds.in_force(tx, engagement["id"], now)

    assert in_force() == []
    hold = await attorney.made("/holds", {"matter_id": matter["id"], "reason": "Letter of 3 March."})
    assert in_force() == [hold["id"]]
    path = f"/holds/{hold['id']}"
    assert code_of(await attorney.matched("DELETE", path, path)) == (403, "step_up_needed")
    await house.step_up(attorney)
    lifted = await attorney.matched("DELETE", path, path)
    assert lifted.json()["lifted_at"] is not None
    assert in_force() == []


async def test_the_reason_is_sealed_and_the_log_has_the_times(house: House) -> None:
    attorney = await house.of_house("attorney")
    matter = await house.matter(attorney)
    hold = await attorney.made("/holds", {"matter_id": matter["id"], "reason": "Letter of 3 March."})
    assert (await house.owner.seen(f"/holds/{hold['id']}"))["reason"] == "Letter of 3 March."
    entry = house.entries("hold.placed")[0]
    assert entry["subjects"] == {"hold": hold["id"], "matter": matter["id"]}
    assert "March" not in str(entry)


async def test_several_holds_stand_beside_each_other(house: House) -> None:
    attorney = await house.of_house("attorney")
    matter = await house.matter(attorney)
    for reason in ("First.", "Second."):
        await attorney.made("/holds", {"matter_id": matter["id"], "reason": reason})
    listed = await house.owner.listed("/holds?limit=1")
    assert [hold["reason"] for hold in listed] == ["First.", "Second."]
    assert await attorney.listed(f"/holds?matter_id={matter['id']}") == listed


async def test_a_coordinator_sees_holds_and_lifts_none(house: House) -> None:
    attorney, coordinator = await house.of_house("attorney"), await house.of_house("coordinator")
    matter = await house.matter(attorney)
    await attorney.ask("PUT", f"/matters/{matter['id']}/team/{coordinator.person_id}")
    hold = await attorney.made("/holds", {"matter_id": matter["id"], "reason": "Letter."})
    path = f"/holds/{hold['id']}"
    assert (await coordinator.seen(path))["id"] == hold["id"]
    assert code_of(await coordinator.matched("DELETE", path, path)) == (403, "forbidden")
    assert code_of(await coordinator.post("/holds", {"matter_id": matter["id"], "reason": "x"})) == (403, "forbidden")


async def test_lifting_needs_the_version_that_was_read_and_happens_once(house: House) -> None:
    attorney = await house.of_house("attorney")
    hold = await attorney.made("/holds", {"matter_id": (await house.matter(attorney))["id"], "reason": "Letter."})
    path = f"/holds/{hold['id']}"
    await house.step_up(attorney)
    assert code_of(await attorney.ask("DELETE", path)) == (428, "precondition_missing")
    assert code_of(await attorney.ask("DELETE", path, If_Match='"x"')) == (412, "stale")
    assert (await attorney.matched("DELETE", path, path)).status_code == 200
    assert code_of(await attorney.matched("DELETE", path, path)) == (409, "bad_state")
    assert len(house.entries("hold.lifted")) == 1


async def test_a_hold_on_a_matter_one_does_not_know_is_not_there(house: House, other_house: House) -> None:
    attorney, other = await house.of_house("attorney"), await house.of_house("attorney")
    hold = await attorney.made("/holds", {"matter_id": (await house.matter(attorney))["id"], "reason": "Letter."})
    theirs = await other_house.of_house("attorney")
    foreign = await other_house.matter(theirs)
    for who in (other, theirs, other_house.owner):
        assert code_of(await who.get(f"/holds/{hold['id']}")) == (404, "not_found")
    assert code_of(await attorney.post("/holds", {"matter_id": foreign["id"], "reason": "x"})) == (404, "not_found")
    for wrong in ("hld_zz", "%00", "hld_" + "0" * 32, attorney.member_id):
        assert code_of(await attorney.get(f"/holds/{wrong}")) == (404, "not_found")


async def test_repeating_a_request_with_its_key_places_one_hold(house: House) -> None:
    attorney = await house.of_house("attorney")
    body = {"matter_id": (await house.matter(attorney))["id"], "reason": "Letter."}
    answers = [await attorney.post("/holds", body, Idempotency_Key="k") for _ in range(2)]
    assert answers[0].json() == answers[1].json()
    assert len(house.entries("hold.placed")) == 1
    reused = await attorney.post("/holds", {**body, "reason": "Other."}, Idempotency_Key="k")
    assert code_of(reused) == (422, "idempotency_mismatch")


async def test_a_body_of_another_form_is_refused(house: House) -> None:
    attorney = await house.of_house("attorney")
    wrong: list[Any] = [{"reason": ""}, {"reason": "a\x07b"}, {"until": "2030"}, {"matter_id": "x"}]
    for changes in wrong:
        body = {"matter_id": "mtr_" + "0" * 32, "reason": "x", **changes}
        assert code_of(await attorney.post("/holds", body)) == (422, "bad_input")

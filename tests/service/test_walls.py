from __future__ import annotations

from typing import Any

from tests.service.house import Asker, House, code_of


async def wall_off(attorney: Asker, person_id: str, matter: Any) -> Any:
    body = {"person_id": person_id, "matter_id": matter["id"], "reason": "Acted for the other side."}
    return await attorney.made("/walls", body)


async def test_a_wall_names_person_and_matter_in_the_log_and_keeps_its_reason_sealed(house: House) -> None:
    attorney = await house.of_house("attorney")
    matter, person_id = await house.matter(attorney), await house.person()
    wall = await wall_off(attorney, person_id, matter)
    entry = house.entries("wall.raised")[0]
    assert entry["subjects"] == {"matter": matter["id"], "person": person_id, "wall": wall["id"]}
    assert "other side" not in str(entry)
    assert (await attorney.seen(f"/walls/{wall['id']}"))["reason"] == "Acted for the other side."


async def test_a_wall_follows_the_person_through_all_memberships(house: House) -> None:
    attorney, other = await house.of_house("attorney"), await house.of_house("attorney")
    matter = await house.matter(attorney)
    await attorney.ask("PUT", f"/matters/{matter['id']}/team/{other.person_id}")
    again = await house.of_house("coordinator", other.person_id)
    await wall_off(attorney, other.person_id, matter)
    for who in (other, again):
        assert code_of(await who.get(f"/matters/{matter['id']}")) == (404, "not_found")


async def test_the_walled_learn_nothing_of_the_wall_and_lift_none(house: House) -> None:
    attorney = await house.of_house("attorney")
    matter = await house.matter(attorney)
    wall = await wall_off(attorney, house.owner.person_id, matter)
    assert await house.owner.listed("/walls") == []
    assert code_of(await house.owner.get(f"/walls/{wall['id']}")) == (404, "not_found")
    await house.step_up(house.owner)
    answer = await house.owner.ask("DELETE", f"/walls/{wall['id']}", If_Match=f'"{wall["id"]}-1"')
    assert code_of(answer) == (404, "not_found")


async def test_an_attorney_raises_and_only_the_owner_lifts(house: House) -> None:
    attorney = await house.of_house("attorney")
    matter = await house.matter(attorney)
    await attorney.ask("PUT", f"/matters/{matter['id']}/team/{(await house.of_house('attorney')).person_id}")
    wall = await wall_off(attorney, await house.person(), matter)
    path = f"/walls/{wall['id']}"
    assert code_of(await attorney.matched("DELETE", path, path)) == (403, "forbidden")
    assert code_of(await house.owner.matched("DELETE", path, path)) == (403, "step_up_needed")
    await house.step_up(house.owner)
    lifted = await house.owner.matched("DELETE", path, path)
    assert lifted.status_code == 200
    assert lifted.json()["lifted_at"] is not None
    assert house.entries("wall.lifted")[0]["data"]["raised_at"] == house.entries("wall.raised")[0]["data"]["raised_at"]


async def test_a_lifted_wall_lets_in_again_and_can_be_raised_again(house: House) -> None:
    attorney, other = await house.of_house("attorney"), await house.of_house("attorney")
    matter = await house.matter(attorney)
    await attorney.ask("PUT", f"/matters/{matter['id']}/team/{other.person_id}")
    wall = await wall_off(attorney, other.person_id, matter)
    await house.step_up(house.owner)
    await house.owner.matched("DELETE", f"/walls/{wall['id']}", f"/walls/{wall['id']}")
    assert (await other.seen(f"/matters/{matter['id']}"))["id"] == matter["id"]
    again = await wall_off(attorney, other.person_id, matter)
    listed = await attorney.listed(f"/walls?matter_id={matter['id']}")
    assert [row["id"] for row in listed] == [wall["id"], again["id"]]


async def test_a_wall_that_stands_is_not_raised_twice_and_a_lifted_one_not_lifted_twice(house: House) -> None:
    attorney = await house.of_house("attorney")
    matter, person_id = await house.matter(attorney), await house.person()
    wall = await wall_off(attorney, person_id, matter)
    body = {"person_id": person_id, "matter_id": matter["id"], "reason": "Again."}
    assert code_of(await attorney.post("/walls", body)) == (409, "exists")
    path = f"/walls/{wall['id']}"
    await house.step_up(house.owner)
    assert (await house.owner.matched("DELETE", path, path)).status_code == 200
    assert code_of(await house.owner.matched("DELETE", path, path)) == (409, "bad_state")


async def test_lifting_needs_the_version_that_was_read(house: House) -> None:
    attorney = await house.of_house("attorney")
    wall = await wall_off(attorney, await house.person(), await house.matter(attorney))
    path = f"/walls/{wall['id']}"
    await house.step_up(house.owner)
    assert code_of(await house.owner.ask("DELETE", path)) == (428, "precondition_missing")
    for wrong in ('"x"', f'"{wall["id"]}-2"', f'W/"{wall["id"]}-1"', "*"):
        assert code_of(await house.owner.ask("DELETE", path, If_Match=wrong)) == (412, "stale")
    assert (await house.owner.seen(path))["lifted_at"] is None


async def test_raising_a_wall_ends_open_bodies(house: House) -> None:
    attorney = await house.of_house("attorney")
    matter = await house.matter(attorney)
    endings = house.services.ledger.endings
    await wall_off(attorney, await house.person(), matter)
    assert house.services.ledger.endings > endings


async def test_an_attorney_off_the_team_neither_raises_nor_sees_walls(house: House) -> None:
    attorney, other = await house.of_house("attorney"), await house.of_house("attorney")
    matter = await house.matter(attorney)
    wall = await wall_off(attorney, await house.person(), matter)
    body = {"person_id": attorney.person_id, "matter_id": matter["id"], "reason": "Mine."}
    assert code_of(await other.post("/walls", body)) == (404, "not_found")
    assert code_of(await other.get(f"/walls/{wall['id']}")) == (404, "not_found")
    assert code_of(await other.get(f"/walls?matter_id={matter['id']}")) == (404, "not_found")
    assert code_of(await other.get("/walls")) == (403, "forbidden"), "all walls are for who runs the house"


async def test_another_firms_wall_person_and_matter_are_not_there(house: House, other_house: House) -> None:
    theirs, ours = await other_house.of_house("attorney"), await house.of_house("attorney")
    foreign_matter = await other_house.matter(theirs)
    wall = await wall_off(theirs, await other_house.person(), foreign_matter)
    assert code_of(await house.owner.get(f"/walls/{wall['id']}")) == (404, "not_found")
    assert await house.owner.listed("/walls") == []
    matter = await house.matter(ours)
    for person_id, matter_id in (
        (theirs.person_id, matter["id"]),
        (ours.person_id, foreign_matter["id"]),
    ):
        body = {"person_id": person_id, "matter_id": matter_id, "reason": "x"}
        assert code_of(await ours.post("/walls", body)) == (404, "not_found")


async def test_an_id_of_another_thing_names_no_wall(house: House) -> None:
    attorney = await house.of_house("attorney")
    matter = await house.matter(attorney)
    hold = await attorney.made("/holds", {"matter_id": matter["id"], "reason": "Letter."})
    for wrong in (hold["id"], matter["id"], attorney.member_id, "wal_zz", "x", "%00", "wal_" + "0" * 32):
        assert code_of(await attorney.get(f"/walls/{wrong}")) == (404, "not_found")


async def test_a_body_of_another_form_is_refused(house: House) -> None:
    attorney = await house.of_house("attorney")
    wrong: list[Any] = [{"reason": ""}, {"reason": "\u202e"}, {"lifted_at": None}, {"person_id": "x"}, {"matter_id": 5}]
    for changes in wrong:
        body = {"person_id": attorney.person_id, "matter_id": "mtr_" + "0" * 32, "reason": "x", **changes}
        assert code_of(await attorney.post("/walls", body)) == (422, "bad_input")


async def test_vendor_people_know_of_no_walls(house: House) -> None:
    lead = await house.of_house("attorney")
    engagement = await house.engagement(lead)
    worker = await house.member(engagement, "case_manager")
    await house.sign_nda(lead, engagement, worker)
    assert code_of(await worker.get("/walls")) == (403, "forbidden")

"""Asks over HTTP: the right to add papers of one label to one part, for a time, never beyond the role."""

from __future__ import annotations

import asyncio
from typing import Any

from tests.api.entries import another_firm, entries
from tests.world import DAY_S, Engagement, Person, World, rfc3339

NOBODYS = "ask_" + "0" * 32


def _body(engagement: Engagement, seat: Person, **more: Any) -> dict[str, Any]:
    return {
        "membership_id": seat.membership_id,
        "part_id": engagement.part_id,
        "labels": ["correspondence"],
        "instructions": "The letters of May.",
        "not_after": rfc3339(engagement.world.now + DAY_S),
        **more,
    }


def _path(engagement: Engagement) -> str:
    return f"/engagements/{engagement.id}/asks"


# What an ask opens ----------------------------------------------------------------------------------------------------


async def test_an_ask_lets_its_label_be_added_and_no_other(engagement: Engagement) -> None:
    seat = await engagement.member()
    await seat.upload(engagement.id, engagement.part_id, b"x", 404)
    (asked,) = (await engagement.attorney.post(_path(engagement), _body(engagement, seat)))["items"]
    assert (asked["label"], asked["person_id"]) == ("correspondence", seat.person_id)
    await seat.upload(engagement.id, engagement.part_id, b"x")
    await seat.upload(engagement.id, engagement.part_id, b"x", 403, label="pleading")


async def test_what_is_asked_together_is_one_ask_a_label_in_the_order_of_the_vocabulary(engagement: Engagement) -> None:
    seat = await engagement.member()
    body = _body(engagement, seat, labels=["other", "intake_form", "other", "billing"])
    made = (await engagement.attorney.post(_path(engagement), body))["items"]
    assert [ask["label"] for ask in made] == ["intake_form", "billing", "other"]
    listed = (await seat.get(_path(engagement)))["items"]
    assert {ask["id"] for ask in listed} == {ask["id"] for ask in made}
    assert {ask["instructions"] for ask in listed} == {"The letters of May."}


async def test_an_ask_opens_at_its_beginning_and_shuts_at_its_end_on_the_second(engagement: Engagement) -> None:
    seat, world = await engagement.member(), engagement.world
    times = {"not_before": rfc3339(world.now + 100), "not_after": rfc3339(world.now + 200)}
    await engagement.attorney.post(_path(engagement), _body(engagement, seat, **times))
    world.sleep(99)
    await seat.upload(engagement.id, engagement.part_id, b"x", 404)
    world.sleep(1)
    await seat.upload(engagement.id, engagement.part_id, b"x")
    world.sleep(99)
    await seat.upload(engagement.id, engagement.part_id, b"x")
    world.sleep(1)
    await seat.upload(engagement.id, engagement.part_id, b"x", 404)


async def test_an_ended_ask_opens_nothing_and_stays_on_the_list(engagement: Engagement) -> None:
    seat = await engagement.member()
    (asked,) = (await engagement.ask(seat, ("correspondence",)))["items"]
    path = f"/asks/{asked['id']}"
    ended = await engagement.attorney.change("DELETE", path)
    assert ended["ended_at"] == rfc3339(engagement.world.now)
    await seat.upload(engagement.id, engagement.part_id, b"x", 404)
    assert (await seat.get(path))["ended_at"] == ended["ended_at"]
    assert (await engagement.attorney.change("DELETE", path, status=409))["code"] == "bad_state"


async def test_one_label_is_ended_and_the_others_stay(engagement: Engagement) -> None:
    seat = await engagement.member()
    first, _second = (await engagement.ask(seat, ("correspondence", "billing")))["items"]
    await engagement.attorney.change("DELETE", f"/asks/{first['id']}")
    await seat.upload(engagement.id, engagement.part_id, b"x", label="billing")
    await seat.upload(engagement.id, engagement.part_id, b"x", 403, label="correspondence")


async def test_an_ask_is_for_one_member(engagement: Engagement) -> None:
    asked, other = await engagement.member(), await engagement.member()
    await engagement.ask(asked, ("correspondence",))
    await other.upload(engagement.id, engagement.part_id, b"x", 404)
    assert (await other.get(_path(engagement)))["items"] == []


# Making one -----------------------------------------------------------------------------------------------------------


async def test_an_ask_above_the_role_s_ceiling_is_refused_with_the_reason(engagement: Engagement) -> None:
    seat = await engagement.member("receptionist")
    problem = await engagement.attorney.post(
        _path(engagement), _body(engagement, seat, labels=["correspondence", "medical_record"]), 403
    )
    assert problem["code"] == "above_ceiling"
    assert (problem["role"], problem["label"]) == ("receptionist", "medical_record")
    assert "receptionist" in problem["detail"]
    assert "medical_record" in problem["detail"]
    assert (await engagement.attorney.get(_path(engagement)))["items"] == []
    assert entries(engagement.world, "ask.created") == []


async def test_a_vendor_manager_is_asked_for_no_papers(engagement: Engagement) -> None:
    manager = await engagement.member("vendor_manager")
    problem = await engagement.attorney.post(_path(engagement), _body(engagement, manager), 403)
    assert problem["code"] == "above_ceiling"


NO_ASKS: tuple[dict[str, Any], ...] = (
    {"labels": []},
    {"labels": ["poem"]},
    {"labels": "correspondence"},
    {"labels": ["correspondence"] * 17},
    {"instructions": ""},
    {"instructions": " \n "},
    {"instructions": "\u202eneve"},
    {"instructions": "x" * 4001},
    {"not_after": "tomorrow"},
    {"not_after": "2027-02-01T00:00:00"},
    {"not_after": "2027-02-01T00:00:00.5Z"},
    {"not_after": None},
    {"membership_id": "mem_x"},
    {"part_id": None},
    {"ended_at": "2027-02-01T00:00:00Z"},
)


async def test_an_ask_of_another_form_is_refused(engagement: Engagement) -> None:
    seat = await engagement.member()
    for change in NO_ASKS:
        answer = await engagement.attorney.ask("POST", _path(engagement), json=_body(engagement, seat, **change))
        assert answer.status_code == 422, change
    assert entries(engagement.world, "ask.created") == []


async def test_an_ask_ends_with_the_engagement_at_the_latest(engagement: Engagement) -> None:
    seat, now = await engagement.member(), engagement.world.now
    end = now + 90 * DAY_S
    body = _body(engagement, seat, not_after=rfc3339(end + 1))
    problem = await engagement.attorney.post(_path(engagement), body, 422)
    assert (problem["field"], problem["latest"]) == ("not_after", rfc3339(end))
    await engagement.attorney.post(_path(engagement), _body(engagement, seat, not_after=problem["latest"]))


async def test_a_time_that_is_over_is_refused(engagement: Engagement) -> None:
    seat, now = await engagement.member(), engagement.world.now
    await engagement.attorney.post(_path(engagement), _body(engagement, seat, not_after=rfc3339(now)), 422)


async def test_a_time_of_another_zone_is_the_same_moment(engagement: Engagement) -> None:
    seat = await engagement.member()
    body = _body(engagement, seat, not_after="2027-01-16T09:00:00+02:00")
    assert (await engagement.attorney.post(_path(engagement), body))["items"][0]["not_after"] == "2027-01-16T07:00:00Z"


async def test_part_and_member_must_be_the_engagement_s_own(engagement: Engagement, world: World) -> None:
    seat, other = await engagement.member(), await world.engagement()
    stranger = await other.member()
    path, attorney = _path(engagement), engagement.attorney
    await attorney.post(path, _body(engagement, stranger), 404)
    await attorney.post(path, _body(engagement, seat, part_id=other.part_id), 404)
    await attorney.post(path, _body(engagement, seat, membership_id=attorney.membership_id), 404)
    await attorney.post(path, _body(engagement, seat, membership_id="mem_" + "0" * 32), 404)
    await attorney.post(path, _body(engagement, seat, part_id="prt_" + "0" * 32), 404)
    await attorney.post(_path(other), _body(engagement, seat), 404)
    await attorney.post("/engagements/eng_x/asks", _body(engagement, seat), 404)


async def test_nobody_is_asked_across_a_wall(engagement: Engagement, world: World) -> None:
    seat = await engagement.member()
    wall = {"person_id": seat.person_id, "matter_id": engagement.matter_id, "reason": "Kin of the other side."}
    await world.owner.post("/walls", wall)
    problem = await engagement.attorney.post(_path(engagement), _body(engagement, seat), 409)
    assert problem["code"] == "bad_state"
    assert "wall" in problem["detail"]


async def test_a_wall_hides_the_asks_that_stand_already(engagement: Engagement, world: World) -> None:
    seat = await engagement.member()
    (asked,) = (await engagement.ask(seat))["items"]
    wall = {"person_id": seat.person_id, "matter_id": engagement.matter_id, "reason": "Kin of the other side."}
    await world.owner.post("/walls", wall)
    assert (await seat.get(_path(engagement)))["items"] == []
    await seat.get(f"/asks/{asked['id']}", 404)
    assert (await seat.get("/me"))["due"] == []


async def test_who_has_left_is_asked_for_nothing(engagement: Engagement) -> None:
    seat = await engagement.member()
    await engagement.attorney.change("DELETE", f"/members/{seat.membership_id}")
    problem = await engagement.attorney.post(_path(engagement), _body(engagement, seat), 409)
    assert problem["code"] == "bad_state"


async def test_asking_twice_with_one_key_is_asking_once(engagement: Engagement) -> None:
    seat, headers = await engagement.member(), {"idempotency-key": "a1"}
    body = _body(engagement, seat, labels=["billing", "other"])
    first = await engagement.attorney.post(_path(engagement), body, headers=headers)
    assert await engagement.attorney.post(_path(engagement), body, headers=headers) == first
    other = {**body, "instructions": "Others."}
    problem = await engagement.attorney.post(_path(engagement), other, 422, headers=headers)
    assert problem["code"] == "idempotency_mismatch"
    assert len(entries(engagement.world, "ask.created")) == 2


async def test_asking_at_once_with_one_key_is_asking_once(engagement: Engagement) -> None:
    seat, headers = await engagement.member(), {"idempotency-key": "a2"}
    body = _body(engagement, seat)
    answers = await asyncio.gather(
        *(engagement.attorney.post(_path(engagement), body, headers=headers) for _ in range(8))
    )
    assert len({answer["items"][0]["id"] for answer in answers}) == 1
    assert len(entries(engagement.world, "ask.created")) == 1


async def test_the_entry_of_an_ask_lets_its_row_be_replayed_and_hides_the_instructions(engagement: Engagement) -> None:
    seat, now = await engagement.member(), engagement.world.now
    (asked,) = (await engagement.attorney.post(_path(engagement), _body(engagement, seat)))["items"]
    (entry,) = entries(engagement.world, "ask.created")
    assert entry["data"] == {"label": "correspondence", "not_before": now, "not_after": now + DAY_S}
    assert entry["subjects"] == {
        "ask": asked["id"],
        "engagement": engagement.id,
        "matter": engagement.matter_id,
        "membership": seat.membership_id,
        "part": engagement.part_id,
        "person": seat.person_id,
    }
    assert entry["holder"] == engagement.part_id
    assert "letters" not in str(entry)


# Who may --------------------------------------------------------------------------------------------------------------


async def test_vendor_people_ask_and_end_nothing(engagement: Engagement) -> None:
    seat, other = await engagement.member(), await engagement.member()
    (asked,) = (await engagement.ask(seat))["items"]
    await seat.post(_path(engagement), _body(engagement, other), 403)
    await seat.change("DELETE", f"/asks/{asked['id']}", status=403)


async def test_an_attorney_who_is_not_on_the_matter_s_team_asks_and_sees_nothing(
    engagement: Engagement, world: World
) -> None:
    seat, stranger = await engagement.member(), await world.attorney("Nora Nobody")
    (asked,) = (await engagement.ask(seat))["items"]
    await stranger.post(_path(engagement), _body(engagement, seat), 404)
    await stranger.get(_path(engagement), 404)
    await stranger.get(f"/asks/{asked['id']}", 404)
    headers = {"if-match": asked["etag"]}
    await stranger.ask("DELETE", f"/asks/{asked['id']}", headers=headers)
    assert (await engagement.attorney.get(f"/asks/{asked['id']}"))["ended_at"] is None


async def test_a_lead_sees_only_the_asks_of_matters_he_is_named_on(engagement: Engagement, world: World) -> None:
    seat = await engagement.member()
    (asked,) = (await engagement.ask(seat))["items"]
    second = await world.attorney("Bea Second")
    matter = await second.post("/matters", {"number": "2027-9999", "client": "Someone Else"})
    path = f"/matters/{engagement.matter_id}/team/{engagement.attorney.person_id}"
    await world.owner.ask("PUT", f"/matters/{engagement.matter_id}/team/{second.person_id}")
    await engagement.attorney.ask("DELETE", path)
    assert matter["id"] != engagement.matter_id
    listed = await engagement.attorney.get(_path(engagement))
    assert listed["items"] == []
    await engagement.attorney.get(f"/asks/{asked['id']}", 404)


async def test_another_firm_sees_nothing_of_it(engagement: Engagement, world: World) -> None:
    seat = await engagement.member()
    (asked,) = (await engagement.ask(seat))["items"]
    attorney = await (await another_firm(world)).attorney()
    await attorney.get(f"/asks/{asked['id']}", 404)
    await attorney.get(_path(engagement), 404)
    await attorney.post(_path(engagement), _body(engagement, seat), 404)


async def test_an_ask_of_somebody_else_is_not_there_for_a_vendor_person(engagement: Engagement) -> None:
    seat, other = await engagement.member(), await engagement.member()
    (asked,) = (await engagement.ask(seat))["items"]
    foreign = await other.get(f"/asks/{asked['id']}", 404)
    unknown = await other.get(f"/asks/{NOBODYS}", 404)
    assert {**foreign, "instance": ""} == {**unknown, "instance": ""}


async def test_an_id_of_another_kind_or_form_is_not_found(engagement: Engagement) -> None:
    seat = await engagement.member()
    for odd in (engagement.id, engagement.part_id, seat.membership_id, "ask_x", "x" * 60):
        await engagement.attorney.get(f"/asks/{odd}", 404)
        await seat.get(f"/asks/{odd}", 404)


async def test_ending_needs_the_version_that_was_read(engagement: Engagement) -> None:
    seat = await engagement.member()
    (asked,) = (await engagement.ask(seat))["items"]
    path, attorney = f"/asks/{asked['id']}", engagement.attorney
    assert (await attorney.ask("DELETE", path)).status_code == 428
    assert (await attorney.ask("DELETE", path, headers={"if-match": f'"{asked["id"]}-7"'})).status_code == 412
    assert (await attorney.ask("DELETE", path, headers={"if-match": asked["etag"]})).status_code == 200


async def test_a_list_comes_in_pages_that_hold_everything_once(engagement: Engagement) -> None:
    seat = await engagement.member()
    labels = ("intake_form", "billing", "other", "exhibit", "insurance")
    made = {ask["id"] for ask in (await engagement.ask(seat, labels))["items"]}
    seen: list[str] = []
    params: dict[str, Any] = {"limit": 2}
    while True:
        page = await seat.get(_path(engagement), params=params)
        seen += [ask["id"] for ask in page["items"]]
        if page["next_cursor"] is None:
            break
        params["cursor"] = page["next_cursor"]
    assert seen == sorted(made)
    assert (await seat.get(_path(engagement), 422, params={"cursor": "bm9uc2Vuc2U="}))["code"] == "bad_cursor"

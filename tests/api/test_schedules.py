"""Schedules over HTTP: hours and networks shut and open, members are told, uploads on their way may finish."""

from __future__ import annotations

from typing import Any

import httpx2
import pytest

from service import downloads
from tests.api.entries import another_firm, entries
from tests.api.test_resumable import CONTENT, begin, send, stands
from tests.api.wire import Client, ask
from tests.logs import check_logs
from tests.world import DAY_S, Engagement, Person, World, findings, rfc3339

# The clock begins on Friday 2027-01-15 at 08:00 UTC.
HOUR_S = 3600
DAYS = ["mon", "tue", "wed", "thu", "fri"]
NINE_TO_FIVE = {"days": DAYS, "opens": "09:00", "shuts": "17:00"}
ANY_DAY = {"days": [*DAYS, "sat", "sun"], "opens": "00:00", "shuts": "24:00"}
OFFICE, ELSEWHERE = "203.0.113.9", "198.51.100.7"
NOBODYS = "sch_" + "0" * 32


def _path(engagement: Engagement) -> str:
    return f"/engagements/{engagement.id}/schedules"


async def _bind(engagement: Engagement, seat: Person | None = None, **more: Any) -> Any:
    body = {"hours": [NINE_TO_FIVE], "membership_id": seat.membership_id if seat else None, **more}
    return await engagement.attorney.post(_path(engagement), body)


async def _with_paper(engagement: Engagement, content: bytes = b"a paper") -> tuple[Person, str]:
    seat, paper = await engagement.member(), await engagement.document(content)
    await engagement.grant(seat, paper["document_id"])
    return seat, paper["document_id"]


def _from(world: World, seat: Person, address: str) -> Person:
    """The same person, somewhere else."""
    transport = httpx2.ASGITransport(app=world.app, client=(address, 4711), raise_app_exceptions=False)
    http = httpx2.AsyncClient(transport=transport, base_url="http://localhost")
    return Person(http, seat.person_id, seat.membership_id, seat.token)


async def _sees(engagement: Engagement, seat: Person, paper: str) -> bool:
    """What every way to a document says; they must agree."""
    found = {
        (await seat.ask("GET", path)).status_code == 200
        for path in (f"/documents/{paper}", f"/documents/{paper}/content", f"/engagements/{engagement.id}")
    }
    listed = await seat.ask("GET", f"/engagements/{engagement.id}/documents")
    found.add(listed.status_code == 200 and [item["id"] for item in listed.json()["items"]] == [paper])
    found.add((await seat.get("/me"))["window"]["open"])
    (answer,) = found
    return answer


# Hours ----------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("own", [True, False])
async def test_what_is_shared_is_there_within_the_hours_and_nowhere_else(
    world: World, engagement: Engagement, own: bool
) -> None:
    seat, paper = await _with_paper(engagement)
    assert await _sees(engagement, seat, paper)
    made = await _bind(engagement, seat if own else None)
    assert made["zone"] == "UTC"  # the firm's
    assert not await _sees(engagement, seat, paper)
    world.sleep(HOUR_S - 1)
    assert not await _sees(engagement, seat, paper)
    world.sleep(1)
    assert await _sees(engagement, seat, paper)
    world.sleep(8 * HOUR_S)
    assert not await _sees(engagement, seat, paper)
    assert await engagement.attorney.get(f"/documents/{paper}/content") == b"a paper"  # firm people keep their hours


async def test_a_schedule_of_one_binds_nobody_else(engagement: Engagement) -> None:
    (seat, paper), other = await _with_paper(engagement), await engagement.member()
    await _bind(engagement, other)
    assert await _sees(engagement, seat, paper)
    assert not (await other.get("/me"))["window"]["open"]


async def test_all_of_several_must_be_open(world: World, engagement: Engagement) -> None:
    seat, paper = await _with_paper(engagement)
    await _bind(engagement)
    own = await _bind(engagement, seat, hours=[{"days": DAYS, "opens": "10:00", "shuts": "12:00"}])
    world.sleep(HOUR_S)
    assert not await _sees(engagement, seat, paper)
    await engagement.attorney.change("DELETE", f"/schedules/{own['id']}")
    assert await _sees(engagement, seat, paper)


async def test_hours_are_those_of_the_named_zone(world: World, engagement: Engagement) -> None:
    seat, paper = await _with_paper(engagement)
    await _bind(engagement, zone="Asia/Kathmandu")  # 13:45 there
    assert await _sees(engagement, seat, paper)
    world.sleep(3 * HOUR_S + 15 * 60)
    assert not await _sees(engagement, seat, paper)


async def test_outside_the_hours_me_and_the_engagement_say_when_it_opens(world: World, engagement: Engagement) -> None:
    seat, _paper = await _with_paper(engagement)
    made = await _bind(engagement)
    window = (await seat.get("/me"))["window"]
    told = {name: made[name] for name in ("id", "hours", "zone", "networks", "valid_from", "valid_until")}
    assert window == {
        "open": False,
        "opens_at": "2027-01-15T09:00:00Z",
        "elsewhere": False,
        "schedules": [{**told, "own": False}],
    }
    problem = await seat.get(f"/engagements/{engagement.id}", 403)
    assert (problem["code"], problem["opens_at"]) == ("outside_window", "2027-01-15T09:00:00Z")
    world.sleep(9 * HOUR_S)  # Friday, 17:00
    assert (await seat.get("/me"))["window"]["opens_at"] == "2027-01-18T09:00:00Z"
    world.sleep(2 * DAY_S + 16 * HOUR_S)
    assert (await seat.get("/me"))["window"] == {**window, "open": True, "opens_at": None}
    assert (await engagement.attorney.get("/me"))["window"] is None


async def test_what_never_opens_within_a_fortnight_says_no_time(engagement: Engagement) -> None:
    seat = await engagement.member()
    await _bind(engagement, hours=[{"days": ["mon"], "opens": "09:00", "shuts": "10:00"}])
    await _bind(engagement, hours=[{"days": ["tue"], "opens": "09:00", "shuts": "10:00"}])
    assert (await seat.get("/me"))["window"]["opens_at"] is None
    assert "opens_at" not in await seat.get(f"/engagements/{engagement.id}", 403)


async def test_a_schedule_may_begin_later_and_end_by_itself(world: World, engagement: Engagement) -> None:
    seat, paper = await _with_paper(engagement)
    await _bind(
        engagement, valid_from=rfc3339(world.now + 100), valid_until=rfc3339(world.now + 200), hours=[NINE_TO_FIVE]
    )
    found = []
    for _ in range(3):
        found.append(await _sees(engagement, seat, paper))
        world.sleep(100)
    assert found == [True, False, True]


# Networks -------------------------------------------------------------------------------------------------------------


async def test_what_is_shared_is_there_from_the_named_networks_alone(world: World, engagement: Engagement) -> None:
    seat, paper = await _with_paper(engagement)
    await _bind(engagement, hours=[], networks=["203.0.113.0/24", "2001:db8::/32"])
    for address, inside in ((OFFICE, True), ("2001:db8::7", True), (ELSEWHERE, False), ("::ffff:203.0.113.9", True)):
        assert await _sees(engagement, _from(world, seat, address), paper) == inside, address
    away = (await _from(world, seat, ELSEWHERE).get("/me"))["window"]
    assert (away["open"], away["elsewhere"], away["opens_at"]) == (False, True, None)
    here = (await _from(world, seat, OFFICE).get("/me"))["window"]
    assert (here["open"], here["elsewhere"]) == (True, False)


async def test_what_may_be_asked_for_is_told_from_the_named_networks_alone(
    world: World, engagement: Engagement
) -> None:
    seat, _ = await _with_paper(engagement)
    await engagement.attorney.change("PATCH", f"/engagements/{engagement.id}", {"withheld": "may_be_asked_for"})
    unseen = await engagement.document()
    await _bind(engagement, hours=[], networks=["203.0.113.0/24"])
    path = f"/engagements/{engagement.id}/withheld"
    told = (await _from(world, seat, OFFICE).get(path))["items"]
    assert [item["id"] for item in told] == [unseen["document_id"]]
    assert (await _from(world, seat, ELSEWHERE).ask("GET", path)).status_code == 403


async def test_a_header_says_nothing_of_where_somebody_is(world: World, engagement: Engagement) -> None:
    seat, paper = await _with_paper(engagement)
    await _bind(engagement, hours=[], networks=["203.0.113.0/24"])
    for name in ("x-forwarded-for", "forwarded", "x-real-ip", "client-ip", "cf-connecting-ip"):
        for value in (OFFICE, f"for={OFFICE}"):
            answer = await seat.ask("GET", f"/documents/{paper}/content", headers={name: value})
            assert answer.status_code == 404, name


async def test_no_address_and_no_network_enters_an_entry(world: World, engagement: Engagement) -> None:
    seat, paper = await _with_paper(engagement)
    made, since = await _bind(engagement, networks=["203.0.113.0/24"]), world.now
    world.sleep(HOUR_S)
    for address in (OFFICE, ELSEWHERE):
        person = _from(world, seat, address)
        for path in ("/me", f"/documents/{paper}/content", f"/engagements/{engagement.id}"):
            await person.ask("GET", path)
    await engagement.attorney.change("DELETE", f"/schedules/{made['id']}")
    said = repr(entries(world))
    assert "document.opening" in said
    assert "203.0.113" not in said
    assert "198.51.100" not in said
    (entry,) = entries(world, "schedule.created")
    data = dict(entry["data"])
    assert len(str(data.pop("terms_sha256"))) == 64
    assert data == {
        "hours": ["mon tue wed thu fri 09:00-17:00"],
        "zone": "UTC",
        "networks": 1,
        "valid_from": since,
        "valid_until": 253_402_300_800,
    }
    assert entry["subjects"]["schedule"] == made["id"]


async def test_explanations_say_that_a_schedule_shuts(world: World, engagement: Engagement) -> None:
    seat, paper = await _with_paper(engagement)
    await _bind(engagement, networks=["203.0.113.0/24"])
    path = f"/documents/{paper}/access?person_id={seat.person_id}"
    (found,) = (await engagement.attorney.get(path))["items"]
    assert not found["sees"]
    assert found["schedules"] == [{"open": False, "networks": True}]
    assert found["reasons"][0]["missing"] == ["window"]
    assert found["reasons"][0]["why_not"] == "outside_window"
    world.sleep(HOUR_S)
    (found,) = (await engagement.attorney.get(path))["items"]
    assert found["sees"]  # from there
    assert found["schedules"] == [{"open": True, "networks": True}]


# What is on its way ---------------------------------------------------------------------------------------------------


async def test_an_open_body_stops_when_the_hours_end(
    world: World, engagement: Engagement, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(downloads, "DECIDE_AGAIN_S", 0.0)
    content = bytes(3 * 1024 * 1024)
    seat, paper = await _with_paper(engagement, content)
    await _bind(engagement, hours=[ANY_DAY | {"shuts": "08:01"}])

    async def watch(count: int) -> None:
        world.sleep(60 if count == 1 else 0)

    path = f"/documents/{paper}/content"
    answer = await ask(seat, world.app, "GET", path, client=Client(watch=watch))
    assert (answer.status, answer.complete) == (200, False)
    assert 0 < len(answer.body) < len(content)


async def test_an_open_body_stops_when_a_schedule_is_made(world: World, engagement: Engagement) -> None:
    content = bytes(3 * 1024 * 1024)
    seat, paper = await _with_paper(engagement, content)

    async def watch(count: int) -> None:
        if count == 1:
            await _bind(engagement)

    answer = await ask(seat, world.app, "GET", f"/documents/{paper}/content", client=Client(watch=watch))
    assert (answer.status, answer.complete) == (200, False)
    assert len(answer.body) <= 2 * 256 * 1024


async def _until_a_minute_past(engagement: Engagement) -> Person:
    """A member who may add, and whose hours end in a minute."""
    seat = await engagement.member()
    await engagement.ask(seat, ("correspondence",))
    await _bind(engagement, hours=[ANY_DAY | {"shuts": "08:01"}])
    return seat


async def test_an_upload_on_its_way_finishes_after_the_hours_and_no_other_begins(
    world: World, engagement: Engagement
) -> None:
    seat = await _until_a_minute_past(engagement)

    async def slowly() -> Any:
        yield b"before "
        world.sleep(60)
        yield b"and after"

    path, params = f"/engagements/{engagement.id}/documents", {"part_id": engagement.part_id, "label": "correspondence"}
    headers = {"muniment-title": "UTF-8''Paper", "content-type": "text/plain"}
    added = await seat.ask("POST", path, content=slowly(), params=params, headers=headers)
    assert added.status_code == 201, added.text
    refused = await seat.ask("POST", path, content=b"x", params=params, headers=headers)
    assert refused.status_code == 404
    document = added.json()["document_id"]
    assert await engagement.attorney.get(f"/documents/{document}/content") == b"before and after"


async def test_a_replacement_on_its_way_finishes_after_the_hours(world: World, engagement: Engagement) -> None:
    seat = await _until_a_minute_past(engagement)
    added = await seat.upload(engagement.id, engagement.part_id, b"one")
    path = f"/documents/{added['document_id']}"
    tag = (await seat.ask("GET", path)).headers["etag"]

    async def slowly() -> Any:
        yield b"t"
        world.sleep(60)
        yield b"wo"

    headers = {"if-match": tag, "content-type": "text/plain"}
    answer = await seat.ask("PUT", f"{path}/content", content=slowly(), headers=headers)
    assert answer.status_code == 200, answer.text
    assert await engagement.attorney.get(f"{path}/content") == b"two"
    assert (await seat.ask("PUT", f"{path}/content", content=b"3", headers=headers)).status_code == 404


async def test_a_resumable_upload_goes_on_after_the_hours_but_not_after_the_right_to_add(
    world: World, engagement: Engagement
) -> None:
    seat = await _until_a_minute_past(engagement)
    first, second = (
        await begin(engagement, seat=seat),
        await begin(engagement, seat=seat),
    )
    await send(seat, first, 0, CONTENT[:9])
    world.sleep(60)
    assert await stands(seat, first) == 9
    answer = await send(seat, first, 9, CONTENT[9:])
    assert answer.status_code == 204, answer.text
    (item,) = (await engagement.attorney.get(f"/engagements/{engagement.id}/documents"))["items"]
    assert await engagement.attorney.get(f"/documents/{item['id']}/content") == CONTENT
    (asked,) = (await engagement.attorney.get(f"/engagements/{engagement.id}/asks"))["items"]
    await engagement.attorney.change("DELETE", f"/asks/{asked['id']}")
    assert (await send(seat, second, 0, CONTENT)).status_code == 404


# Making and ending one ------------------------------------------------------------------------------------------------

BAD: tuple[dict[str, Any], ...] = (
    {"hours": []},
    {"hours": [NINE_TO_FIVE] * 8},
    {"hours": [{"days": ["mon"], "opens": "09:00"}]},
    {"hours": [{**NINE_TO_FIVE, "days": []}]},
    {"hours": [{**NINE_TO_FIVE, "days": ["mon", "mon"]}]},
    {"hours": [{**NINE_TO_FIVE, "days": ["Monday"]}]},
    {"hours": [{**NINE_TO_FIVE, "opens": "9:00"}]},
    {"hours": [{**NINE_TO_FIVE, "opens": "24:00"}]},
    {"hours": [{**NINE_TO_FIVE, "opens": "17:00"}]},
    {"hours": [{**NINE_TO_FIVE, "shuts": "24:01"}]},
    {"hours": [{**NINE_TO_FIVE, "more": 1}]},
    {"zone": "Mars/Olympus"},
    {"zone": "posix/UTC"},
    {"zone": "../UTC"},
    {"zone": ""},
    {"networks": ["office"]},
    {"networks": ["203.0.113.9/24"]},
    {"networks": ["203.0.113.0/24"] * 33},
    {"valid_until": "2027-01-15T08:00:00Z"},
    {"valid_from": "2027-01-17T00:00:00Z", "valid_until": "2027-01-16T00:00:00Z"},
    {"valid_from": "tomorrow"},
    {"membership_id": "mem_x"},
    {"ended_at": None},
)


async def test_a_schedule_of_another_form_is_refused(engagement: Engagement) -> None:
    for change in BAD:
        body = {"hours": [NINE_TO_FIVE], **change}
        answer = await engagement.attorney.ask("POST", _path(engagement), json=body)
        assert answer.status_code == 422, change
    assert entries(engagement.world, "schedule.created") == []


async def test_one_binds_vendor_members_of_this_engagement_and_nobody_else(
    world: World, engagement: Engagement
) -> None:
    other = await world.engagement()
    away, firm = await other.member(), await world.attorney()
    for membership_id in (away.membership_id, firm.membership_id, engagement.attorney.membership_id, "mem_" + "0" * 32):
        body = {"hours": [NINE_TO_FIVE], "membership_id": membership_id}
        await engagement.attorney.post(_path(engagement), body, 404)
    leaving = await engagement.member()
    await engagement.attorney.change("DELETE", f"/members/{leaving.membership_id}")
    body = {"hours": [NINE_TO_FIVE], "membership_id": leaving.membership_id}
    assert (await engagement.attorney.post(_path(engagement), body, 409))["code"] == "bad_state"


async def test_four_bind_at_once_and_no_more(engagement: Engagement) -> None:
    seat = await engagement.member()
    made = [await _bind(engagement, whom) for whom in (None, seat) for _ in range(4)]
    for whom in (None, seat.membership_id):
        body = {"hours": [NINE_TO_FIVE], "membership_id": whom}
        assert (await engagement.attorney.post(_path(engagement), body, 409))["code"] == "bad_state"
    await engagement.attorney.change("DELETE", f"/schedules/{made[0]['id']}")
    await _bind(engagement)


async def test_it_is_read_listed_and_ended_by_who_leads_and_by_nobody_else(
    world: World, engagement: Engagement
) -> None:
    seat, stranger = await engagement.member(), await world.attorney()
    made = await _bind(engagement, seat)
    path, lead = f"/schedules/{made['id']}", engagement.attorney
    assert await lead.get(path) == made
    assert (await lead.get(_path(engagement)))["items"] == [made]
    for person, status in ((seat, 403), (world.owner, 403), (stranger, 404)):
        for method, where in (("GET", path), ("DELETE", path), ("GET", _path(engagement)), ("POST", _path(engagement))):
            body = {"hours": [NINE_TO_FIVE]} if method == "POST" else None
            answer = await person.ask(method, where, json=body, headers={"if-match": made["etag"]})
            assert answer.status_code == status, (method, where)
    away = await another_firm(world)
    abroad = await away.attorney()
    assert (await abroad.ask("GET", path)).status_code == 404
    for wrong in (NOBODYS, "sch_x", engagement.id, seat.membership_id):
        assert (await lead.ask("GET", f"/schedules/{wrong}")).status_code == 404


async def test_it_is_ended_once_by_who_read_it_as_it_is(world: World, engagement: Engagement) -> None:
    made, lead = await _bind(engagement), engagement.attorney
    path = f"/schedules/{made['id']}"
    assert (await lead.ask("DELETE", path)).status_code == 428
    assert (await lead.ask("DELETE", path, headers={"if-match": '"x"'})).status_code == 412
    ended = await lead.change("DELETE", path)
    assert ended == {**made, "ended_at": rfc3339(world.now), "etag": ended["etag"]}
    assert (await lead.change("DELETE", path, status=409))["code"] == "bad_state"
    assert (await lead.get(_path(engagement)))["items"] == [ended]
    (entry,) = entries(world, "schedule.ended")
    assert entry["data"] == {"ended_at": world.now}


async def test_sent_twice_with_the_same_key_it_is_made_once(engagement: Engagement) -> None:
    headers, body = {"idempotency-key": "k"}, {"hours": [NINE_TO_FIVE]}
    first, again = [await engagement.attorney.post(_path(engagement), body, headers=headers) for _ in range(2)]
    assert first == again
    other = {"hours": [ANY_DAY]}
    answer = await engagement.attorney.ask("POST", _path(engagement), json=other, headers=headers)
    assert answer.json()["code"] == "idempotency_mismatch"


async def test_a_closed_engagement_takes_no_schedule_and_gives_up_those_it_has(
    world: World, engagement: Engagement
) -> None:
    made, lead = await _bind(engagement), engagement.attorney
    await lead.post(f"/engagements/{engagement.id}/disposal")
    assert (await lead.post(_path(engagement), {"hours": [NINE_TO_FIVE]}, 409))["code"] == "bad_state"
    await lead.change("DELETE", f"/schedules/{made['id']}")
    check_logs(world.services.database)
    assert await findings(world.services) == []

"""Access requests over HTTP: asked for what one may know of, answered by who is on call, never a way around a rule."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from tests.api.entries import another_firm, entries
from tests.world import DAY_S, Engagement, Person, World, findings, rfc3339

NOTHING = "doc_" + "0" * 32
MINUTE_S = 60


def _body(engagement: Engagement, document_id: str, *abilities: str, days: int = 20, **more: Any) -> dict[str, Any]:
    return {
        "document_id": document_id,
        "abilities": list(abilities or ("download",)),
        "not_after": rfc3339(engagement.world.now + days * DAY_S),
        "reason": "The clinic asks for it.",
        **more,
    }


async def _paper(engagement: Engagement, **more: Any) -> str:
    return str((await engagement.document(**more))["document_id"])


async def _held(engagement: Engagement, seat: Person, *abilities: str) -> tuple[str, Any]:
    """A paper and the member's grant on it, for 14 days."""
    paper = await _paper(engagement)
    return paper, await engagement.grant(seat, paper, abilities or ("view",))


async def _asked(engagement: Engagement, seat: Person, *abilities: str) -> tuple[str, Any]:
    """A paper that the member sees, and his request to download it."""
    paper, _grant = await _held(engagement, seat)
    return paper, await seat.post("/access-requests", _body(engagement, paper, *abilities))


async def _answer(who: Person, request: Any, status: int = 200, answer: str = "yes", **more: Any) -> Any:
    body = {"answer": answer, "note": "To answer the clinic.", **more}
    headers = {"if-match": request["etag"]}
    return await who.post(f"/access-requests/{request['id']}/answer", body, status, headers=headers)


async def _declare(engagement: Engagement, word: str = "may_be_asked_for") -> Any:
    return await engagement.attorney.change("PATCH", f"/engagements/{engagement.id}", {"withheld": word})


async def _withheld(engagement: Engagement, seat: Person) -> list[str]:
    return [item["id"] for item in (await seat.get(f"/engagements/{engagement.id}/withheld"))["items"]]


async def _colleague(engagement: Engagement, name: str = "Tara Team") -> Person:
    """Another attorney of the matter's team."""
    colleague = await engagement.world.attorney(name)
    path = f"/matters/{engagement.matter_id}/team/{colleague.person_id}"
    assert (await engagement.attorney.ask("PUT", path)).status_code == 204
    return colleague


async def _on_call(engagement: Engagement, who: Person, status: int = 201, **more: Any) -> Any:
    body = {"person_id": who.person_id, "ends_at": rfc3339(engagement.world.now + DAY_S), **more}
    return await engagement.attorney.post(f"/engagements/{engagement.id}/on-call", body, status)


# What may be asked for ------------------------------------------------------------------------------------------------


async def test_who_sees_a_document_asks_to_download_it_and_gets_it_as_asked(engagement: Engagement) -> None:
    seat = await engagement.member()
    paper, request = await _asked(engagement, seat)
    assert (request["state"], request["kind"], request["abilities"]) == ("open", "access", ["download", "view"])
    await seat.get(f"/documents/{paper}/content", 403)
    given = await _answer(engagement.attorney, request)
    assert (given["state"], given["note"]) == ("as_asked", "To answer the clinic.")
    await seat.get(f"/documents/{paper}/content")
    grant = await engagement.attorney.get(f"/grants/{given['grant_id']}")
    assert (grant["abilities"], grant["not_after"]) == (["download", "view"], request["not_after"])
    assert grant["purpose"] == "To answer the clinic."
    listed = (await engagement.attorney.get(f"/documents/{paper}/grants"))["items"]
    assert sorted(each["revoked_at"] is None for each in listed) == [False, True], "one live grant, the old one ended"
    assert await findings(engagement.world.services) == []


async def test_what_one_may_not_know_answers_as_what_never_existed(engagement: Engagement, world: World) -> None:
    seat, other = await engagement.member(), await world.engagement()
    hidden = await _paper(engagement)
    revoked, grant = await _held(engagement, seat)
    await engagement.attorney.change("DELETE", f"/grants/{grant['id']}")
    unconfirmed = (await engagement.attorney.get(f"/engagements/{engagement.id}/documents"))["items"][0]["id"]
    elsewhere, foreign = await _paper(other), await _paper(await (await another_firm(world)).engagement())
    nothing = await seat.post("/access-requests", _body(engagement, NOTHING), 404)
    for document in (hidden, revoked, unconfirmed, elsewhere, foreign):
        answer = await seat.post("/access-requests", _body(engagement, document), 404)
        assert {**answer, "instance": ""} == {**nothing, "instance": ""}
    await seat.post("/access-requests", {"kind": "extension", "grant_id": grant["id"], "reason": "More."}, 404)
    refused = entries(world, "access.refused")
    assert len({str(entry["data"]) for entry in refused}) == 1
    assert entries(world, "access_request.created") == []


@pytest.mark.parametrize("befalls", ["unsigned", "walled", "suspended"])
async def test_who_is_shut_out_cannot_ask(engagement: Engagement, world: World, befalls: str) -> None:
    seat = await engagement.member(signed=befalls != "unsigned")
    paper, _grant = await _held(engagement, seat)
    await _declare(engagement)
    withheld = await _paper(engagement)
    if befalls == "walled":
        wall = {"person_id": seat.person_id, "matter_id": engagement.matter_id, "reason": "Kin."}
        await world.owner.post("/walls", wall)
    if befalls == "suspended":
        path = f"/members/{seat.membership_id}"
        await engagement.attorney.change("POST", f"{path}/suspension", match=path)
    for document in (paper, withheld, NOTHING):
        await seat.post("/access-requests", _body(engagement, document), 404)
    answer = await seat.ask("GET", f"/engagements/{engagement.id}/withheld")
    assert answer.status_code == 403 or answer.json()["items"] == []


async def test_nobody_asks_above_his_role_s_ceiling(engagement: Engagement) -> None:
    seat = await engagement.member("receptionist")
    paper = await _paper(engagement, sensitivity="routine")
    await engagement.grant(seat, paper, ("view",))
    problem = await seat.post("/access-requests", _body(engagement, paper), 403)
    assert (problem["code"], problem["ability"]) == ("above_ceiling", "download")


async def test_firm_people_ask_for_nothing(engagement: Engagement) -> None:
    paper = await _paper(engagement)
    await engagement.attorney.post("/access-requests", _body(engagement, paper), 403)


async def test_what_is_held_already_or_asked_already_is_not_asked_again(engagement: Engagement) -> None:
    seat = await engagement.member()
    paper, _request = await _asked(engagement, seat)
    assert (await seat.post("/access-requests", _body(engagement, paper), 409))["code"] == "exists"
    held, _grant = await _held(engagement, seat)
    same = _body(engagement, held, "view", days=14)
    assert (await seat.post("/access-requests", same, 409))["code"] == "exists"
    less = await seat.post("/access-requests", _body(engagement, held, days=3), 422)
    assert less["earliest"] == same["not_after"]


async def test_nobody_asks_beyond_the_engagement_or_for_the_past(engagement: Engagement) -> None:
    seat = await engagement.member()
    paper, _grant = await _held(engagement, seat)
    assert (await seat.post("/access-requests", _body(engagement, paper, days=91), 422))["field"] == "not_after"
    await seat.post("/access-requests", _body(engagement, paper, days=-1), 422)


async def test_a_member_has_at_most_twenty_open_requests(engagement: Engagement) -> None:
    seat = await engagement.member()
    requests = [(await _asked(engagement, seat))[1] for _ in range(20)]
    paper, _grant = await _held(engagement, seat)
    problem = await seat.post("/access-requests", _body(engagement, paper), 429)
    assert problem["code"] == "too_many_access_requests"
    await seat.change("DELETE", f"/access-requests/{requests[0]['id']}")
    await seat.post("/access-requests", _body(engagement, paper))


NO_REQUESTS: tuple[dict[str, Any], ...] = (
    {"reason": ""},
    {"reason": "\u202eneve"},
    {"abilities": []},
    {"abilities": ["print"]},
    {"abilities": None},
    {"not_after": None},
    {"document_id": None},
    {"document_id": "x"},
    {"grant_id": "grt_" + "0" * 32},
    {"kind": "extension"},
    {"kind": "favour"},
    {"state": "as_asked"},
)


async def test_a_request_of_another_form_is_refused(engagement: Engagement) -> None:
    seat = await engagement.member()
    paper, _grant = await _held(engagement, seat)
    for change in NO_REQUESTS:
        answer = await seat.ask("POST", "/access-requests", json={**_body(engagement, paper), **change})
        assert answer.status_code == 422, change
    assert entries(engagement.world, "access_request.created") == []


async def test_asking_twice_with_one_key_is_asking_once(engagement: Engagement) -> None:
    seat, headers = await engagement.member(), {"idempotency-key": "k"}
    paper, _grant = await _held(engagement, seat)
    body = _body(engagement, paper)
    first = await seat.post("/access-requests", body, headers=headers)
    assert await seat.post("/access-requests", body, headers=headers) == first
    await seat.post("/access-requests", {**body, "reason": "Another."}, 422, headers=headers)


# Extensions -----------------------------------------------------------------------------------------------------------


async def test_an_extension_is_for_thirty_minutes_more_and_gives_what_there_was(engagement: Engagement) -> None:
    seat, world = await engagement.member(), engagement.world
    paper, grant = await _held(engagement, seat, "view", "download")
    body = {"kind": "extension", "grant_id": grant["id"], "reason": "Two pages are left."}
    end = world.now + 14 * DAY_S
    short = await seat.post("/access-requests", {**body, "not_after": rfc3339(end + 29 * MINUTE_S)}, 422)
    assert short["earliest"] == rfc3339(end + 30 * MINUTE_S)
    request = await seat.post("/access-requests", body)
    assert (request["abilities"], request["not_after"]) == (["download", "view"], short["earliest"])
    await _answer(engagement.attorney, request)
    world.sleep(14 * DAY_S + 29 * MINUTE_S)
    await seat.get(f"/documents/{paper}/content")
    world.sleep(MINUTE_S)
    await seat.get(f"/documents/{paper}/content", 404)


async def test_what_ended_by_itself_is_asked_for_within_a_quarter_of_an_hour(engagement: Engagement) -> None:
    seat, world = await engagement.member(), engagement.world
    paper, grant = await _held(engagement, seat)
    body = {"kind": "extension", "grant_id": grant["id"], "reason": "Two pages are left."}
    world.sleep(14 * DAY_S + 15 * MINUTE_S - 1)
    request = await seat.post("/access-requests", body)
    await seat.get(f"/documents/{paper}", 404)
    world.sleep(1)
    await seat.post("/access-requests", body, 404)
    await _answer(engagement.attorney, request)
    await seat.get(f"/documents/{paper}")


async def test_nobody_extends_the_grant_of_somebody_else(engagement: Engagement) -> None:
    seat, other = await engagement.member(), await engagement.member()
    paper, grant = await _held(engagement, seat)
    await engagement.grant(other, paper, ("view",))
    await other.post("/access-requests", {"kind": "extension", "grant_id": grant["id"], "reason": "More."}, 404)


# Answers --------------------------------------------------------------------------------------------------------------


async def test_with_less_gives_less_and_says_so(engagement: Engagement) -> None:
    seat = await engagement.member()
    _paper_id, request = await _asked(engagement, seat, "download", "text")
    end = rfc3339(engagement.world.now + 15 * DAY_S)
    given = await _answer(engagement.attorney, request, abilities=["text"], not_after=end)
    assert given["state"] == "with_less"
    grant = await engagement.attorney.get(f"/grants/{given['grant_id']}")
    assert (grant["abilities"], grant["not_after"]) == (["text", "view"], end)


async def test_an_answer_gives_no_more_than_was_asked_and_takes_nothing_away(engagement: Engagement) -> None:
    seat = await engagement.member()
    _paper_id, request = await _asked(engagement, seat)
    more = rfc3339(engagement.world.now + 21 * DAY_S)
    await _answer(engagement.attorney, request, 422, not_after=more)
    await _answer(engagement.attorney, request, 422, abilities=["text"])
    problem = await _answer(engagement.attorney, request, 409, not_after=rfc3339(engagement.world.now + DAY_S))
    assert "reaches further" in problem["detail"]
    assert entries(engagement.world, "access_request.answered") == []


async def test_a_no_tells_the_asker_why_and_gives_nothing(engagement: Engagement) -> None:
    seat = await engagement.member()
    paper, request = await _asked(engagement, seat)
    await _answer(engagement.attorney, request, 422, "no", abilities=["view"])
    refused = await _answer(engagement.attorney, request, answer="no", note="We send it ourselves.")
    assert (refused["state"], refused["grant_id"]) == ("refused", None)
    assert (await seat.get(f"/access-requests/{request['id']}"))["note"] == "We send it ourselves."
    await seat.get(f"/documents/{paper}/content", 403)
    assert [each["note"] for each in (await seat.get("/me"))["answers"]] == ["We send it ourselves."]
    engagement.world.sleep(7 * DAY_S)
    assert (await seat.get("/me"))["answers"] == []


async def test_an_answer_needs_the_version_that_was_read_and_is_given_once(engagement: Engagement) -> None:
    seat, attorney = await engagement.member(), engagement.attorney
    _paper_id, request = await _asked(engagement, seat)
    path, body = f"/access-requests/{request['id']}/answer", {"answer": "no", "note": "No."}
    assert (await attorney.ask("POST", path, json=body)).status_code == 428
    answers = await asyncio.gather(
        *(attorney.ask("POST", path, json=body, headers={"if-match": request["etag"]}) for _ in range(4))
    )
    assert sorted(answer.status_code for answer in answers) == [200, 412, 412, 412]
    again = await attorney.get(f"/access-requests/{request['id']}")
    assert (await _answer(attorney, again, 409))["state"] == "refused"


async def test_what_nobody_answered_in_time_has_lapsed(engagement: Engagement) -> None:
    seat, world = await engagement.member(), engagement.world
    _paper_id, request = await _asked(engagement, seat)
    assert request["lapses_at"] == rfc3339(world.now + 7 * DAY_S)
    world.sleep(7 * DAY_S - 1)
    assert (await seat.get(f"/access-requests/{request['id']}"))["state"] == "open"
    world.sleep(1)
    assert (await seat.get(f"/access-requests/{request['id']}"))["state"] == "lapsed"
    assert (await _answer(engagement.attorney, request, 409))["state"] == "lapsed"
    assert (await engagement.attorney.get("/me"))["waiting"] == 0
    headers = {"if-match": request["etag"]}
    assert (await seat.ask("DELETE", f"/access-requests/{request['id']}", headers=headers)).status_code == 409


async def test_a_request_ends_with_its_member(engagement: Engagement) -> None:
    seat = await engagement.member()
    _paper_id, request = await _asked(engagement, seat)
    await engagement.attorney.change("DELETE", f"/members/{seat.membership_id}")
    assert (await engagement.attorney.get(f"/access-requests/{request['id']}"))["state"] == "lapsed"
    await _answer(engagement.attorney, request, 409)


async def test_a_request_ends_with_the_disposal_of_its_engagement(engagement: Engagement, world: World) -> None:
    seat = await engagement.member()
    _paper_id, request = await _asked(engagement, seat)
    await world.owner.post(f"/engagements/{engagement.id}/disposal")
    assert (await engagement.attorney.get(f"/access-requests/{request['id']}"))["state"] == "lapsed"
    assert (await _answer(engagement.attorney, request, 409))["code"] == "bad_state"
    assert (await engagement.attorney.get("/me"))["waiting"] == 0


async def test_withdrawing_is_the_asker_s_own(engagement: Engagement) -> None:
    seat, other = await engagement.member(), await engagement.member()
    _paper_id, request = await _asked(engagement, seat)
    path, headers = f"/access-requests/{request['id']}", {"if-match": request["etag"]}
    for somebody in (other, engagement.attorney, engagement.world.owner):
        assert (await somebody.ask("DELETE", path, headers=headers)).status_code == 404
    assert (await seat.ask("DELETE", path)).status_code == 428
    assert (await seat.change("DELETE", path))["state"] == "withdrawn"
    assert (await _answer(engagement.attorney, await engagement.attorney.get(path), 409))["state"] == "withdrawn"


# Who answers ----------------------------------------------------------------------------------------------------------


async def test_an_attorney_of_the_team_answers_while_on_call_and_not_else(engagement: Engagement) -> None:
    seat, colleague, world = await engagement.member(), await _colleague(engagement), engagement.world
    _paper_id, request = await _asked(engagement, seat)
    assert (await _answer(colleague, request, 403))["code"] == "not_on_call"
    assert (await colleague.get("/me"))["waiting"] == 0
    begins = {"starts_at": rfc3339(world.now + 100), "ends_at": rfc3339(world.now + 200)}
    await _on_call(engagement, colleague, 201, **begins)
    world.sleep(99)
    await _answer(colleague, request, 403)
    _other_id, other = await _asked(engagement, seat)
    world.sleep(1)
    assert (await colleague.get("/me"))["waiting"] == 2
    world.sleep(99)
    assert (await _answer(colleague, request))["answered_by"] == colleague.membership_id
    world.sleep(1)
    await _answer(colleague, other, 403)
    assert (await colleague.get("/me"))["waiting"] == 0


async def test_a_deputy_answers(engagement: Engagement) -> None:
    seat, colleague = await engagement.member(), await _colleague(engagement)
    _paper_id, request = await _asked(engagement, seat)
    deputy = {"deputy_id": colleague.person_id}
    await engagement.attorney.change("PATCH", f"/engagements/{engagement.id}", deputy)
    await _answer(colleague, request)


async def test_on_call_opens_nothing_to_who_is_walled_or_off_the_team(engagement: Engagement, world: World) -> None:
    seat = await engagement.member()
    _paper_id, request = await _asked(engagement, seat)
    for befalls in ("walled", "off the team"):
        colleague = await _colleague(engagement)
        await _on_call(engagement, colleague)
        if befalls == "walled":
            wall = {"person_id": colleague.person_id, "matter_id": engagement.matter_id, "reason": "Kin."}
            await world.owner.post("/walls", wall)
        else:
            await engagement.attorney.ask("DELETE", f"/matters/{engagement.matter_id}/team/{colleague.person_id}")
        await _answer(colleague, request, 404)
        await colleague.get(f"/access-requests/{request['id']}", 404)
        assert (await colleague.get("/me"))["waiting"] == 0


async def test_a_duty_that_was_ended_answers_no_more(engagement: Engagement) -> None:
    seat, colleague = await engagement.member(), await _colleague(engagement)
    _paper_id, request = await _asked(engagement, seat)
    duty = await _on_call(engagement, colleague)
    path, headers = f"/on-call/{duty['id']}", {"if-match": duty["etag"]}
    assert (await engagement.attorney.ask("DELETE", path)).status_code == 428
    assert (await engagement.attorney.ask("DELETE", path, headers=headers)).status_code == 200
    assert (await engagement.attorney.ask("DELETE", path, headers=headers)).status_code == 412
    await _answer(colleague, request, 403)
    listed = (await engagement.attorney.get(f"/engagements/{engagement.id}/on-call"))["items"]
    assert [each["ends_at"] for each in listed] == [rfc3339(engagement.world.now)]
    assert await findings(engagement.world.services) == []


async def test_on_call_is_an_attorney_of_the_matter_within_the_engagement(engagement: Engagement, world: World) -> None:
    stranger, seat = await world.attorney("Nora Nobody"), await engagement.member()
    foreign = await (await another_firm(world)).attorney()
    assert (await _on_call(engagement, stranger, 422))["field"] == "person_id"
    assert (await _on_call(engagement, seat, 422))["field"] == "person_id"
    await _on_call(engagement, foreign, 404)
    colleague = await _colleague(engagement)
    late = rfc3339(world.now + 91 * DAY_S)
    assert (await _on_call(engagement, colleague, 422, ends_at=late))["field"] == "ends_at"
    await _on_call(engagement, colleague, 422, ends_at=rfc3339(world.now))
    await _on_call(engagement, colleague)
    assert (await _on_call(engagement, colleague, 409))["code"] == "bad_state"
    await colleague.post(f"/engagements/{engagement.id}/on-call", {}, 422)
    body = {"person_id": colleague.person_id, "ends_at": rfc3339(world.now + DAY_S)}
    await colleague.post(f"/engagements/{engagement.id}/on-call", body, 404)


# Withheld -------------------------------------------------------------------------------------------------------------


async def test_what_is_withheld_is_invisible_until_the_engagement_declares_it(engagement: Engagement) -> None:
    seat, empty = await engagement.member(), await engagement.world.engagement()
    paper = await _paper(engagement)
    other = await empty.member()
    invisible = await seat.get(f"/engagements/{engagement.id}/withheld")
    assert invisible == await other.get(f"/engagements/{empty.id}/withheld")
    await seat.post("/access-requests", _body(engagement, paper, "view"), 404)
    assert (await _declare(engagement))["withheld"] == "may_be_asked_for"
    assert (await seat.get(f"/engagements/{engagement.id}"))["withheld"] is None
    (found,) = (await seat.get(f"/engagements/{engagement.id}/withheld"))["items"]
    assert set(found) == {"id", "label", "pages"}
    assert (found["id"], found["label"]) == (paper, "correspondence")
    request = await seat.post("/access-requests", _body(engagement, found["id"], "view"))
    await seat.get(f"/documents/{paper}", 404)
    await _answer(engagement.attorney, request)
    await seat.get(f"/documents/{paper}")
    assert await _withheld(engagement, seat) == []
    await _declare(engagement, "invisible")
    assert await findings(engagement.world.services) == []


async def test_only_what_the_role_could_be_handed_may_be_asked_for(engagement: Engagement, world: World) -> None:
    seat, clerk = await engagement.member(), await engagement.member("billing_clerk")
    await _declare(engagement)
    letter = await _paper(engagement)
    bill = await _paper(engagement, label="billing")
    for sensitivity in ("privileged", "attorney_only"):
        await _paper(engagement, sensitivity=sensitivity, label="billing")
    await engagement.ask(seat, ("correspondence",))
    await seat.upload(engagement.id, engagement.part_id, b"mine")
    assert sorted(await _withheld(engagement, seat)) == sorted([letter, bill])
    assert await _withheld(engagement, clerk) == [bill]
    await clerk.post("/access-requests", _body(engagement, letter, "view"), 404)
    wall = {"person_id": clerk.person_id, "matter_id": engagement.matter_id, "reason": "Kin."}
    await world.owner.post("/walls", wall)
    assert await _withheld(engagement, clerk) == []


async def test_the_list_of_what_is_withheld_is_one_entry_with_count_and_digest(engagement: Engagement) -> None:
    seat = await engagement.member()
    await _declare(engagement)
    papers = sorted([await _paper(engagement, title="Tanager") for _ in range(3)])
    path = f"/engagements/{engagement.id}/withheld?limit=2"
    first = await seat.ask("GET", path)
    assert "Tanager" not in first.text
    assert [item["id"] for item in first.json()["items"]] == papers[:2]
    entry = entries(engagement.world, "list.read")[-1]
    assert (entry["data"]["count"], entry["action"]) == (2, "withheld:list")
    rest = await seat.get(f"{path}&cursor={first.json()['next_cursor']}")
    assert [item["id"] for item in rest["items"]] == papers[2:]


async def test_a_word_that_no_engagement_declares_is_refused(engagement: Engagement) -> None:
    read = await engagement.attorney.ask("GET", f"/engagements/{engagement.id}")
    for word in ("everything", "", None, 1):
        body, headers = {"withheld": word}, {"if-match": read.headers["etag"]}
        answer = await engagement.attorney.ask("PATCH", f"/engagements/{engagement.id}", json=body, headers=headers)
        assert answer.status_code == 422, word


# What is told, and to whom --------------------------------------------------------------------------------------------


async def test_a_member_reads_his_own_requests_and_an_attorney_those_of_his_matters(
    engagement: Engagement, world: World
) -> None:
    seat, other, stranger = await engagement.member(), await engagement.member(), await world.attorney("Nora Nobody")
    _paper_id, request = await _asked(engagement, seat)
    path, listed = f"/access-requests/{request['id']}", f"/engagements/{engagement.id}/access-requests"
    assert [each["id"] for each in (await seat.get(listed))["items"]] == [request["id"]]
    assert (await other.get(listed))["items"] == []
    assert [each["reason"] for each in (await engagement.attorney.get(listed))["items"]] == [request["reason"]]
    assert (await engagement.attorney.get("/me"))["waiting"] == 1
    foreign = await other.get(path, 404)
    assert {**foreign, "instance": ""} == {**await other.get(f"/access-requests/acr_{'0' * 32}", 404), "instance": ""}
    await stranger.get(listed, 404)
    await stranger.get(path, 404)
    for odd in ("acr_x", engagement.id, "x" * 60):
        await seat.get(f"/access-requests/{odd}", 404)
        await engagement.attorney.get(f"/access-requests/{odd}", 404)


async def test_who_must_sign_first_does_not_learn_of_somebody_else_s_request(engagement: Engagement) -> None:
    seat, unsigned = await engagement.member(), await engagement.member(signed=False)
    _paper_id, request = await _asked(engagement, seat)
    await unsigned.get(f"/access-requests/{request['id']}", 404)


async def test_the_entries_say_everything_but_the_words(engagement: Engagement) -> None:
    seat, now = await engagement.member(), engagement.world.now
    paper, request = await _asked(engagement, seat)
    given = await _answer(engagement.attorney, request)
    (created,) = entries(engagement.world, "access_request.created")
    assert created["data"] == {
        "abilities": ["download", "view"],
        "kind": "access",
        "lapses_at": now + 7 * DAY_S,
        "not_after": now + 20 * DAY_S,
    }
    assert created["subjects"] == {
        "access_request": request["id"],
        "document": paper,
        "engagement": engagement.id,
        "matter": engagement.matter_id,
        "membership": seat.membership_id,
        "part": engagement.part_id,
        "person": seat.person_id,
    }
    (answered,) = entries(engagement.world, "access_request.answered")
    assert (answered["data"]["answer"], answered["subjects"]["grant"]) == ("as_asked", given["grant_id"])
    assert entries(engagement.world, "grant.created")[-1]["subjects"]["grant"] == given["grant_id"]
    assert "clinic" not in str(created) + str(answered)

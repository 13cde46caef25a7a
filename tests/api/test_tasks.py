"""Tasks over HTTP: what they open, what comes back, who answers it, and that all of it ends with them."""

from __future__ import annotations

import asyncio
from typing import Any

from tests.api.entries import another_firm, entries
from tests.world import DAY_S, Engagement, Person, World, findings, rfc3339

NOBODYS = "tsk_" + "0" * 32
READ: dict[str, Any] = {"preset": "read", "labels": []}
WORK: dict[str, Any] = {"preset": "work"}


def _path(engagement: Engagement) -> str:
    return f"/engagements/{engagement.id}/tasks"


async def _paper(engagement: Engagement, **more: Any) -> str:
    return str((await engagement.document(**more))["document_id"])


async def _added(engagement: Engagement, seat: Person, body: bytes = b"my draft", **more: Any) -> str:
    return str((await seat.upload(engagement.id, engagement.part_id, body, **more))["document_id"])


async def _submit(seat: Person, task: Any, *papers: str, status: int = 200) -> Any:
    body = {"documents": [{"document_id": paper} for paper in papers]}
    path = f"/tasks/{task['id']}"
    return await seat.change("POST", f"{path}/submission", body, status, match=path)


async def _answer(attorney: Person, task: Any, what: str, body: Any = None, status: int = 200) -> Any:
    path = f"/tasks/{task['id']}"
    return await attorney.change("POST", f"{path}/{what}", body, status, match=path)


async def _as_seen(attorney: Person, *papers: str, **more: Any) -> dict[str, Any]:
    """What accepts these papers as they are now."""
    named = []
    for paper in papers:
        revision = (await attorney.get(f"/documents/{paper}"))["revision_id"]
        named.append({"document_id": paper, "revision_id": revision, **more})
    return {"documents": named}


async def _grants(engagement: Engagement, paper: str) -> list[Any]:
    return list((await engagement.attorney.get(f"/documents/{paper}/grants"))["items"])


async def _asks(engagement: Engagement) -> list[Any]:
    return list((await engagement.attorney.get(f"/engagements/{engagement.id}/asks"))["items"])


# What a task opens ----------------------------------------------------------------------------------------------------


async def test_a_task_to_read_lets_its_papers_be_viewed_and_nothing_else(engagement: Engagement) -> None:
    seat, paper, other = await engagement.member(), await _paper(engagement), await _paper(engagement)
    task = await engagement.task(seat, (paper,), **READ)
    assert (task["state"], task["preset"], task["labels"]) == ("open", "read", [])
    await seat.get(f"/documents/{paper}")
    await seat.get(f"/documents/{paper}/content", 403)
    await seat.get(f"/documents/{other}", 404)
    await seat.upload(engagement.id, engagement.part_id, b"x", 404)
    (grant,) = await _grants(engagement, paper)
    assert (grant["task_id"], grant["abilities"], grant["purpose"]) == (task["id"], ["view"], task["instructions"])


async def test_a_task_to_work_lets_its_papers_be_taken_and_its_labels_come_back(engagement: Engagement) -> None:
    seat, paper = await engagement.member(), await _paper(engagement)
    task = await engagement.task(seat, (paper,), **WORK)
    assert await seat.get(f"/documents/{paper}/content") == b"a paper"
    await _added(engagement, seat)
    await seat.upload(engagement.id, engagement.part_id, b"x", 403, label="pleading")
    (ask,) = await _asks(engagement)
    assert (ask["task_id"], ask["label"], ask["instructions"]) == (task["id"], "correspondence", task["instructions"])


async def test_a_task_to_make_lets_its_papers_be_viewed_and_its_labels_be_added(engagement: Engagement) -> None:
    seat, paper = await engagement.member(), await _paper(engagement)
    await engagement.task(seat, (paper,), labels=["correspondence", "exhibit"])
    await seat.get(f"/documents/{paper}/content", 403)
    await _added(engagement, seat, label="exhibit")


async def test_what_a_task_opens_is_shut_at_its_own_end_at_the_latest(engagement: Engagement) -> None:
    seat, paper, now = await engagement.member(), await _paper(engagement), engagement.world.now
    times: dict[str, Any] = {"due_at": rfc3339(now + 100), "not_after": rfc3339(now + 200)}
    task = await engagement.task(seat, (paper,), **times)
    assert (task["due_at"], task["not_after"]) == (times["due_at"], times["not_after"])
    engagement.world.sleep(199)  # overdue, and still open
    await seat.get(f"/documents/{paper}")
    await _added(engagement, seat)
    engagement.world.sleep(1)
    await seat.get(f"/documents/{paper}", 404)
    await seat.upload(engagement.id, engagement.part_id, b"x", 404)


async def test_unless_said_it_is_shut_with_the_membership(engagement: Engagement) -> None:
    seat = await engagement.member()
    task = await engagement.task(seat)
    assert task["not_after"] == rfc3339(engagement.world.now + 90 * DAY_S)


async def test_what_a_grant_or_ask_made_by_hand_gives_for_as_long_is_neither_made_twice_nor_ended(
    engagement: Engagement,
) -> None:
    seat, paper, short = await engagement.member(), await _paper(engagement), await _paper(engagement)
    await engagement.grant(seat, paper)
    await engagement.grant(seat, short, ("view",))
    await engagement.ask(seat, ("correspondence",), days=14)
    now = engagement.world.now
    until: dict[str, Any] = {"due_at": rfc3339(now + DAY_S), "not_after": rfc3339(now + 2 * DAY_S)}
    task = await engagement.task(seat, (paper, short), **WORK, **until)
    assert [grant["task_id"] for grant in await _grants(engagement, paper)] == [None]
    assert {grant["task_id"] for grant in await _grants(engagement, short)} == {None, task["id"]}  # it may not download
    assert [ask["task_id"] for ask in await _asks(engagement)] == [None]
    await _answer(engagement.attorney, task, "cancellation")
    assert await seat.get(f"/documents/{paper}/content") == b"a paper"
    await seat.get(f"/documents/{short}")
    await seat.get(f"/documents/{short}/content", 403)
    await _added(engagement, seat)


async def test_a_grant_by_hand_can_be_made_beside_a_task_and_stays_after_it(engagement: Engagement) -> None:
    seat, paper = await engagement.member(), await _paper(engagement)
    task = await engagement.task(seat, (paper,), **READ)
    await engagement.grant(seat, paper)
    assert [found["id"] for found in (await seat.get(f"/engagements/{engagement.id}/documents"))["items"]] == [paper]
    await _answer(engagement.attorney, task, "cancellation")
    await seat.get(f"/documents/{paper}/content")


async def test_a_document_is_checked_out_to_one_task_at_a_time(engagement: Engagement) -> None:
    seat, other, paper = await engagement.member(), await engagement.member(), await _paper(engagement)
    task = await engagement.task(seat, (paper,), **WORK)
    problem = await engagement.task(other, (paper,), **WORK, status=409)
    assert (problem["code"], problem["task"], problem["due_at"]) == ("bad_state", task["id"], task["due_at"])
    await engagement.task(seat, (paper,), **WORK, status=409)
    await engagement.task(other, (paper,), **READ)
    await engagement.task(other, (paper,))
    await _answer(engagement.attorney, task, "cancellation")
    await engagement.task(other, (paper,), **WORK)


async def test_of_two_who_check_a_document_out_at_once_one_gets_it(engagement: Engagement) -> None:
    seats, paper = [await engagement.member() for _ in range(4)], await _paper(engagement)
    body = {
        "part_id": engagement.part_id,
        "preset": "work",
        "instructions": "Number the pages.",
        "documents": [paper],
        "labels": ["correspondence"],
        "due_at": rfc3339(engagement.world.now + DAY_S),
    }
    answers = await asyncio.gather(
        *(
            engagement.attorney.ask("POST", _path(engagement), json={**body, "membership_id": seat.membership_id})
            for seat in seats
        )
    )
    assert sorted(answer.status_code for answer in answers) == [201, 409, 409, 409]
    assert len(await _grants(engagement, paper)) == 1


async def test_who_has_left_holds_nothing_checked_out(engagement: Engagement) -> None:
    seat, other, paper = await engagement.member(), await engagement.member(), await _paper(engagement)
    await engagement.task(seat, (paper,), **WORK)
    await engagement.attorney.change("DELETE", f"/members/{seat.membership_id}")
    await engagement.task(other, (paper,), **WORK)


# Giving one -----------------------------------------------------------------------------------------------------------

NO_TASKS: tuple[dict[str, Any], ...] = (
    {"preset": "ponder"},
    {"preset": "read", "labels": []},
    {"preset": "read", "labels": ["correspondence"]},
    {"preset": "work"},
    {"labels": []},
    {"labels": ["poem"]},
    {"instructions": " "},
    {"instructions": "\u202eneve"},
    {"documents": ["doc_x"]},
    {"documents": ["doc_" + "0" * 32] * 41},
    {"due_at": "tomorrow"},
    {"due_at": "2027-01-15T08:00:00Z"},
    {"due_at": "2037-01-15T08:00:00Z"},
    {"not_after": "2027-01-15T08:00:01Z"},
    {"not_after": "2037-01-15T08:00:00Z"},
    {"membership_id": None},
    {"state": "accepted"},
)


async def test_a_task_of_another_form_is_refused_and_opens_nothing(engagement: Engagement) -> None:
    seat, paper = await engagement.member(), await _paper(engagement)
    for change in NO_TASKS:
        assert await engagement.task(seat, **{**change, "status": 422}), change
    await engagement.task(seat, (paper, paper), **READ, status=422)
    assert entries(engagement.world, "task.created") == entries(engagement.world, "grant.created") == []
    assert entries(engagement.world, "ask.created") == []


async def test_a_time_beyond_the_engagement_is_refused_with_the_latest_that_is_possible(engagement: Engagement) -> None:
    seat = await engagement.member()
    problem = await engagement.task(seat, days=91, status=422)
    assert (problem["field"], problem["latest"]) == ("due_at", rfc3339(engagement.world.now + 90 * DAY_S))


async def test_above_the_ceiling_nothing_is_handed_over_or_asked_for_and_the_reason_is_said(
    engagement: Engagement,
) -> None:
    seat, paper = await engagement.member("receptionist"), await _paper(engagement, label="contact_sheet")
    other = await _paper(engagement, label="medical_record")
    problem = await engagement.task(seat, (paper, other), **READ, status=403)
    assert (problem["code"], problem["label"]) == ("above_ceiling", "medical_record")
    problem = await engagement.task(seat, (paper,), labels=["contact_sheet", "medical_record"], status=403)
    assert (problem["code"], problem["label"]) == ("above_ceiling", "medical_record")
    assert await _grants(engagement, paper) == []
    assert await _asks(engagement) == []
    assert (await engagement.attorney.get(_path(engagement)))["items"] == []


async def test_only_what_was_confirmed_is_handed_over(engagement: Engagement) -> None:
    seat, other = await engagement.member(), await engagement.member()
    await engagement.ask(other, ("correspondence",))
    draft = await _added(engagement, other)
    problem = await engagement.task(seat, (draft,), **READ, status=409)
    assert "Confirm" in problem["detail"]


async def test_papers_part_and_member_must_be_of_the_engagement(engagement: Engagement, world: World) -> None:
    seat, away = await engagement.member(), await world.engagement()
    stranger, foreign = await away.member(), await _paper(away)
    changes: tuple[dict[str, Any], ...] = (
        {"documents": [foreign]},
        {"documents": ["doc_" + "0" * 32]},
        {"membership_id": stranger.membership_id},
        {"membership_id": engagement.attorney.membership_id},
        {"part_id": away.part_id},
        {"part_id": "prt_" + "0" * 32},
    )
    body = {
        "membership_id": seat.membership_id,
        "part_id": engagement.part_id,
        "preset": "make",
        "instructions": "Draft.",
        "labels": ["correspondence"],
        "due_at": rfc3339(world.now + DAY_S),
    }
    for change in changes:
        await engagement.attorney.post(_path(engagement), {**body, **change}, 404)
    await engagement.attorney.post("/engagements/eng_x/tasks", body, 404)
    await engagement.attorney.post(f"/engagements/{away.id}/tasks", body, 404)


async def test_a_paper_of_another_part_of_the_same_engagement_is_not_handed_over(engagement: Engagement) -> None:
    seat, attorney = await engagement.member(), engagement.attorney
    matter = await attorney.post("/matters", {"number": "2027-8888", "client": "Someone Else"})
    part = await attorney.post(f"/engagements/{engagement.id}/parts", {"matter_id": matter["id"], "caption": "Else"})
    paper = (await attorney.upload(engagement.id, part["id"], b"x", sensitivity="routine"))["document_id"]
    await engagement.task(seat, (paper,), **READ, status=404)


async def test_nobody_gets_a_task_across_a_wall_or_after_leaving(engagement: Engagement, world: World) -> None:
    seat, gone = await engagement.member(), await engagement.member()
    wall = {"person_id": seat.person_id, "matter_id": engagement.matter_id, "reason": "Kin of the other side."}
    await world.owner.post("/walls", wall)
    await engagement.attorney.change("DELETE", f"/members/{gone.membership_id}")
    for one in (seat, gone):
        assert (await engagement.task(one, status=409))["code"] == "bad_state"


async def test_giving_at_once_with_one_key_is_giving_once(engagement: Engagement) -> None:
    seat, paper = await engagement.member(), await _paper(engagement)
    given = await asyncio.gather(
        *(engagement.task(seat, (paper,), **WORK, headers={"idempotency-key": "t1"}) for _ in range(6))
    )
    assert len({task["id"] for task in given}) == 1
    assert len(await _grants(engagement, paper)) == len(await _asks(engagement)) == 1
    problem = await engagement.task(seat, (paper,), **READ, headers={"idempotency-key": "t1"}, status=422)
    assert problem["code"] == "idempotency_mismatch"


async def test_a_token_for_tasks_alone_hands_nothing_over(engagement: Engagement, world: World) -> None:
    seat, attorney, paper = await engagement.member(), engagement.attorney, await _paper(engagement)
    engagement.attorney = await world.sign_in(attorney.person_id, attorney.membership_id, "task")
    assert (await engagement.task(seat, (paper,), **READ, status=403))["code"] == "token_too_narrow"
    assert (await engagement.task(seat, status=403))["code"] == "token_too_narrow"
    engagement.attorney = await world.sign_in(attorney.person_id, attorney.membership_id, "task grant ask document")
    await engagement.task(seat, (paper,), **WORK)


async def test_each_thing_made_with_a_task_has_its_own_entry_and_the_instructions_are_in_none(
    engagement: Engagement,
) -> None:
    seat, paper, now = await engagement.member(), await _paper(engagement), engagement.world.now
    task = await engagement.task(seat, (paper,), **WORK)
    (made,) = entries(engagement.world, "task.created")
    assert made["data"] == {
        "documents": [paper],
        "due_at": now + 7 * DAY_S,
        "labels": ["correspondence"],
        "not_after": now + 90 * DAY_S,
        "preset": "work",
    }
    place = {
        "engagement": engagement.id,
        "matter": engagement.matter_id,
        "membership": seat.membership_id,
        "part": engagement.part_id,
        "person": seat.person_id,
        "task": task["id"],
    }
    assert made["subjects"] == place
    (grant,), (ask,) = entries(engagement.world, "grant.created"), entries(engagement.world, "ask.created")
    assert grant["subjects"] == {**place, "document": paper, "grant": grant["subjects"]["grant"]}
    assert ask["subjects"] == {**place, "ask": ask["subjects"]["ask"]}
    assert {made["holder"], grant["holder"], ask["holder"]} == {engagement.part_id}
    assert "Draft" not in str(entries(engagement.world))


async def test_the_most_papers_of_one_task_fit_into_its_entry(engagement: Engagement) -> None:
    seat = await engagement.member()
    papers = tuple([await _paper(engagement) for _ in range(40)])
    labels = ["correspondence", "medical_record", "witness_statement", "insurance", "court_filing", "identification"]
    task = await engagement.task(seat, papers, labels=labels)
    assert len((await seat.get(f"/tasks/{task['id']}"))["documents"]) == len(papers)
    drafts = [await _added(engagement, seat) for _ in range(20)]
    await _submit(seat, task, *drafts)
    done = await _answer(engagement.attorney, task, "acceptance", await _as_seen(engagement.attorney, *drafts))
    assert done["state"] == "accepted"


# Submitting -----------------------------------------------------------------------------------------------------------


async def test_a_member_submits_what_he_added_for_it(engagement: Engagement) -> None:
    seat, paper = await engagement.member(), await _paper(engagement)
    task = await engagement.task(seat, (paper,), **WORK)
    draft = await _added(engagement, seat)
    done = await _submit(seat, task, draft)
    assert done["state"] == "submitted"
    out = [each for each in done["documents"] if each["direction"] == "out"]
    revision = (await engagement.attorney.get(f"/documents/{draft}"))["revision_id"]
    # With one paper to work on it is plain what this was made from.
    assert out == [
        {
            "document_id": draft,
            "direction": "out",
            "revision_id": revision,
            "from_document_id": paper,
            "submission": 1,
        }
    ]
    (entry,) = entries(engagement.world, "task.submitted")
    assert entry["data"] == {"number": 1, "documents": [f"{draft} {revision}"]}
    assert (await engagement.attorney.get(f"/documents/{draft}"))["state"] == "to_look_at"


async def test_with_several_papers_to_work_on_it_is_said_which_one_a_paper_was_made_from(
    engagement: Engagement,
) -> None:
    seat, first, second = await engagement.member(), await _paper(engagement), await _paper(engagement)
    other = await _paper(engagement)
    task = await engagement.task(seat, (first, second), **WORK)
    draft = await _added(engagement, seat)
    assert (await _submit(seat, task, draft, status=422))["field"] == "from_document_id"
    path = f"/tasks/{task['id']}"
    for source, status in ((other, 422), (second, 200)):
        body = {"documents": [{"document_id": draft, "from_document_id": source}]}
        await seat.change("POST", f"{path}/submission", body, status, match=path)
    (out,) = [each for each in (await seat.get(path))["documents"] if each["direction"] == "out"]
    assert out["from_document_id"] == second


async def test_reading_comes_back_with_nothing(engagement: Engagement) -> None:
    seat, paper = await engagement.member(), await _paper(engagement)
    await engagement.ask(seat, ("correspondence",))
    task = await engagement.task(seat, (paper,), **READ)
    draft = await _added(engagement, seat)
    assert (await _submit(seat, task, draft, status=422))["field"] == "documents"
    await _submit(seat, task)
    done = await _answer(engagement.attorney, task, "acceptance", {"documents": []})
    assert done["state"] == "accepted"
    await seat.get(f"/documents/{paper}", 404)


async def test_only_own_papers_asked_for_and_added_since_are_submitted(engagement: Engagement) -> None:
    seat, other, world = await engagement.member(), await engagement.member(), engagement.world
    await engagement.ask(seat, ("correspondence", "exhibit"))
    await engagement.ask(other, ("correspondence",))
    before = await _added(engagement, seat)
    world.sleep(1)
    task = await engagement.task(seat)
    foreign, exhibit = await _added(engagement, other), await _added(engagement, seat, label="exhibit")
    confirmed, taken = await _added(engagement, seat), await _added(engagement, seat)
    body = {"label": "correspondence", "sensitivity": "routine"}
    path = f"/documents/{confirmed}"
    await engagement.attorney.change("POST", f"{path}/confirmation", body, match=path)
    await seat.change("DELETE", f"/documents/{taken}", status=204)
    for paper, status in ((before, 409), (exhibit, 409), (confirmed, 409), (taken, 409), (foreign, 404)):
        await _submit(seat, task, paper, status=status)
    await _submit(seat, task, "doc_" + "0" * 32, status=404)
    await _submit(seat, task, status=422)
    draft = await _added(engagement, seat)
    await _submit(seat, task, draft, draft, status=422)
    await _submit(seat, task, draft)


async def test_a_paper_is_submitted_for_one_task(engagement: Engagement) -> None:
    seat = await engagement.member()
    first, second = await engagement.task(seat), await engagement.task(seat)
    draft = await _added(engagement, seat)
    await _submit(seat, first, draft)
    await _submit(seat, second, draft, status=409)
    await _answer(engagement.attorney, first, "cancellation")
    await _submit(seat, second, draft)


async def test_nobody_submits_somebody_else_s_task(engagement: Engagement) -> None:
    seat, other = await engagement.member(), await engagement.member()
    task = await engagement.task(seat)
    headers = {"if-match": task["etag"]}
    path = f"/tasks/{task['id']}/submission"
    foreign = await other.ask("POST", path, json={"documents": []}, headers=headers)
    unknown = await other.ask("POST", f"/tasks/{NOBODYS}/submission", json={"documents": []}, headers=headers)
    assert foreign.status_code == unknown.status_code == 404
    assert {**foreign.json(), "instance": ""} == {**unknown.json(), "instance": ""}
    assert (await engagement.attorney.ask("POST", path, json={"documents": []}, headers=headers)).status_code == 403
    assert (await seat.get(f"/tasks/{task['id']}"))["state"] == "open"


async def test_a_coordinator_with_a_seat_submits_his_own_and_reads_what_others_have(
    engagement: Engagement, world: World
) -> None:
    person = await world.owner.post("/people", {"email": "c@firm.example", "name": "Cora Coordinator"})
    body = {"person_id": person["id"], "role": "coordinator"}
    member = await engagement.attorney.post(f"/engagements/{engagement.id}/members", body)
    coordinator = await world.sign_in(person["id"], member["id"])
    team = f"/matters/{engagement.matter_id}/team/{coordinator.person_id}"
    assert (await engagement.attorney.ask("PUT", team)).status_code == 204
    own, theirs = await engagement.task(coordinator), await engagement.task(await engagement.member())
    path = f"/tasks/{theirs['id']}"
    await coordinator.get(path)
    await coordinator.change("POST", f"{path}/submission", {"documents": []}, 404, match=path)
    draft = await _added(engagement, coordinator)
    assert (await _submit(coordinator, own, draft))["state"] == "submitted"
    assert {task["id"] for task in (await coordinator.get(_path(engagement)))["items"]} == {own["id"], theirs["id"]}


# Answering ------------------------------------------------------------------------------------------------------------


async def test_from_giving_over_a_return_to_acceptance(engagement: Engagement) -> None:
    seat, attorney, world = await engagement.member(), engagement.attorney, engagement.world
    paper = await _paper(engagement)
    task = await engagement.task(seat, (paper,), **WORK)
    first = await _added(engagement, seat)
    await _submit(seat, task, first)
    world.sleep(60)
    due = rfc3339(world.now + 9 * DAY_S)
    back = await _answer(attorney, task, "return", {"note": "Page two is missing.", "due_at": due})
    assert (back["state"], back["due_at"]) == ("returned", due)
    shown = (await seat.get(f"/tasks/{task['id']}"))["submissions"]
    assert [(each["number"], each["answer"], each["note"]) for each in shown] == [
        (1, "returned", "Page two is missing.")
    ]
    second = await _added(engagement, seat, b"whole")
    again = await _submit(seat, task, second)
    kept = {each["document_id"]: each["submission"] for each in again["documents"]}
    assert kept == {paper: 0, first: 1, second: 2}
    done = await _answer(attorney, task, "acceptance", await _as_seen(attorney, second))
    assert (done["state"], done["ended_at"]) == ("accepted", rfc3339(world.now))
    accepted = await attorney.get(f"/documents/{second}")
    assert (accepted["state"], accepted["label"], accepted["sensitivity"]) == (
        "confirmed",
        "correspondence",
        "confidential",
    )
    assert (await attorney.get(f"/documents/{first}"))["state"] == "to_look_at"  # kept beside
    # What the task opened is shut, and his own rights in what was accepted ended.
    await seat.get(f"/documents/{paper}", 404)
    await seat.get(f"/documents/{second}", 404)
    await seat.upload(engagement.id, engagement.part_id, b"x", 404)
    (grant,), (ask,) = await _grants(engagement, paper), await _asks(engagement)
    assert grant["revoked_at"] == ask["ended_at"] == rfc3339(world.now)
    assert (await seat.get(f"/tasks/{task['id']}"))["state"] == "accepted"
    assert "missing" not in str([entry["data"] for entry in entries(world) if "data" in entry])
    assert await findings(world.services) == []


async def test_what_is_accepted_is_confirmed_as_the_attorney_says_and_can_be_shared_then(
    engagement: Engagement,
) -> None:
    seat, attorney, other = await engagement.member(), engagement.attorney, await engagement.member()
    task = await engagement.task(seat)
    draft = await _added(engagement, seat)
    await _submit(seat, task, draft)
    share = {
        "membership_id": other.membership_id,
        "abilities": ["view"],
        "not_after": rfc3339(engagement.world.now + DAY_S),
        "purpose": "Look.",
    }
    await attorney.post(f"/documents/{draft}/grants", share, 409)
    said = await _as_seen(attorney, draft, label="court_filing", sensitivity="routine")
    await _answer(attorney, task, "acceptance", said)
    shown = await attorney.get(f"/documents/{draft}")
    assert (shown["label"], shown["sensitivity"]) == ("court_filing", "routine")
    await attorney.post(f"/documents/{draft}/grants", share)
    (confirmed,) = entries(engagement.world, "document.confirmed")
    assert confirmed["subjects"]["task"] == task["id"]
    assert confirmed["data"] == {"label": "court_filing", "sensitivity": "routine"}
    (entry,) = entries(engagement.world, "task.accepted")
    assert entry["data"]["documents"] == [f"{draft} {said['documents'][0]['revision_id']}"]


async def test_what_was_replaced_or_taken_back_meanwhile_is_not_accepted(engagement: Engagement) -> None:
    seat, attorney = await engagement.member(), engagement.attorney
    task = await engagement.task(seat)
    kept, changed = await _added(engagement, seat), await _added(engagement, seat)
    await _submit(seat, task, kept, changed)
    seen = await _as_seen(attorney, kept, changed)
    path = f"/documents/{changed}"
    tag = (await seat.ask("GET", path)).headers["etag"]
    headers = {"if-match": tag, "content-type": "text/plain"}
    assert (await seat.ask("PUT", f"{path}/content", content=b"other", headers=headers)).status_code == 200
    assert (await _answer(attorney, task, "acceptance", seen, 412))["code"] == "stale"
    assert (await attorney.get(f"/documents/{kept}"))["state"] == "to_look_at"
    fresh = await _as_seen(attorney, kept, changed)
    await seat.change("DELETE", path, status=204)
    await _answer(attorney, task, "acceptance", fresh, 412)
    assert (await attorney.get(f"/tasks/{task['id']}"))["state"] == "submitted"
    assert entries(engagement.world, "document.confirmed") == []
    await _answer(attorney, task, "return", {"note": "One is gone."})
    await _submit(seat, task, kept)
    await _answer(attorney, task, "acceptance", await _as_seen(attorney, kept))


async def test_all_that_was_submitted_last_is_accepted_and_nothing_else(engagement: Engagement) -> None:
    seat, attorney = await engagement.member(), engagement.attorney
    task = await engagement.task(seat)
    one, two, beside = [await _added(engagement, seat) for _ in range(3)]
    await _submit(seat, task, one, two)
    for papers in ((), (one,), (one, two, beside), (one, one)):
        await _answer(attorney, task, "acceptance", await _as_seen(attorney, *papers), 412)
    assert entries(engagement.world, "document.confirmed") == []
    await _answer(attorney, task, "acceptance", await _as_seen(attorney, two, one))


async def test_what_was_confirmed_by_hand_meanwhile_is_accepted_as_that(engagement: Engagement) -> None:
    seat, attorney = await engagement.member(), engagement.attorney
    task = await engagement.task(seat)
    draft = await _added(engagement, seat)
    await _submit(seat, task, draft)
    body = {"label": "correspondence", "sensitivity": "routine"}
    await attorney.change("POST", f"/documents/{draft}/confirmation", body, match=f"/documents/{draft}")
    other = await _as_seen(attorney, draft, sensitivity="privileged")
    assert (await _answer(attorney, task, "acceptance", other, 409))["sensitivity"] == "routine"
    await _answer(attorney, task, "acceptance", await _as_seen(attorney, draft))
    assert (await attorney.get(f"/documents/{draft}"))["sensitivity"] == "routine"


async def test_nothing_is_answered_that_was_not_submitted_or_is_over(engagement: Engagement) -> None:
    seat, attorney = await engagement.member(), engagement.attorney
    task = await engagement.task(seat)
    draft = await _added(engagement, seat)
    seen = await _as_seen(attorney, draft)
    for what, body in (("return", {"note": "No."}), ("acceptance", seen)):
        assert (await _answer(attorney, task, what, body, 409))["code"] == "bad_state"
    await _submit(seat, task, draft)
    await _submit(seat, task, draft, status=409)
    await _answer(attorney, task, "acceptance", seen)
    over: tuple[tuple[str, Any], ...] = (("return", {"note": "No."}), ("acceptance", seen), ("cancellation", None))
    for what, body in over:
        assert (await _answer(attorney, task, what, body, 409))["code"] == "bad_state"
    await _submit(seat, task, draft, status=409)


async def test_a_return_may_not_be_due_behind_or_after_all_is_shut(engagement: Engagement) -> None:
    seat, now = await engagement.member(), engagement.world.now
    task = await engagement.task(seat, not_after=rfc3339(now + 8 * DAY_S))
    await _submit(seat, task, await _added(engagement, seat))
    for due in (now, now + 8 * DAY_S + 1):
        body = {"note": "Again.", "due_at": rfc3339(due)}
        assert (await _answer(engagement.attorney, task, "return", body, 422))["field"] == "due_at"
    await _answer(engagement.attorney, task, "return", {"note": "Again.", "due_at": rfc3339(now + 8 * DAY_S)})


async def test_changes_need_the_version_that_was_read(engagement: Engagement) -> None:
    seat = await engagement.member()
    task = await engagement.task(seat)
    draft = await _added(engagement, seat)
    seen = await _as_seen(engagement.attorney, draft)
    path = f"/tasks/{task['id']}"

    async def missed(who: Person, what: str, body: Any) -> list[int]:
        tags: tuple[dict[str, str], ...] = ({}, {"if-match": f'"{task["id"]}-9"'})
        return [(await who.ask("POST", f"{path}/{what}", json=body, headers=tag)).status_code for tag in tags]

    assert await missed(seat, "submission", {"documents": [{"document_id": draft}]}) == [428, 412]
    await _submit(seat, task, draft)
    assert await missed(engagement.attorney, "return", {"note": "No."}) == [428, 412]
    assert await missed(engagement.attorney, "acceptance", seen) == [428, 412]
    assert await missed(engagement.attorney, "cancellation", None) == [428, 412]


# The end --------------------------------------------------------------------------------------------------------------


async def test_a_cancelled_task_shuts_what_it_opened_and_what_was_added_stays(engagement: Engagement) -> None:
    seat, paper = await engagement.member(), await _paper(engagement)
    task = await engagement.task(seat, (paper,), **WORK)
    draft = await _added(engagement, seat)
    done = await _answer(engagement.attorney, task, "cancellation")
    assert done["state"] == "cancelled"
    await seat.get(f"/documents/{paper}", 404)
    await seat.upload(engagement.id, engagement.part_id, b"x", 404)
    await seat.get(f"/documents/{draft}")
    (revoked,), (ended,) = entries(engagement.world, "grant.revoked"), entries(engagement.world, "ask.ended")
    assert revoked["subjects"]["task"] == ended["subjects"]["task"] == task["id"]
    assert revoked["request"] == ended["request"] == entries(engagement.world, "task.cancelled")[0]["request"]


async def test_what_was_revoked_by_hand_before_is_not_revoked_twice(engagement: Engagement) -> None:
    seat, paper = await engagement.member(), await _paper(engagement)
    task = await engagement.task(seat, (paper,), **WORK)
    (grant,), (ask,) = await _grants(engagement, paper), await _asks(engagement)
    await engagement.attorney.change("DELETE", f"/grants/{grant['id']}")
    await engagement.attorney.change("DELETE", f"/asks/{ask['id']}")
    # A paper that he may not list any more is not named in his task either.
    assert (await seat.get(f"/tasks/{task['id']}"))["documents"] == []
    engagement.world.sleep(5)
    await _answer(engagement.attorney, task, "cancellation")
    assert len(entries(engagement.world, "grant.revoked")) == len(entries(engagement.world, "ask.ended")) == 1


async def test_two_tasks_on_one_paper_end_each_by_itself(engagement: Engagement) -> None:
    seat, paper = await engagement.member(), await _paper(engagement)
    first, second = await engagement.task(seat, (paper,), **READ), await engagement.task(seat, (paper,))
    await _answer(engagement.attorney, first, "cancellation")
    await seat.get(f"/documents/{paper}")
    await _added(engagement, seat)
    await _answer(engagement.attorney, second, "cancellation")
    await seat.get(f"/documents/{paper}", 404)


async def test_a_membership_that_ends_ends_its_tasks_and_no_others(engagement: Engagement) -> None:
    seat, other, paper = await engagement.member(), await engagement.member(), await _paper(engagement)
    mine, theirs = await engagement.task(seat, (paper,), **WORK), await engagement.task(other)
    await engagement.attorney.change("DELETE", f"/members/{seat.membership_id}")
    states = {task["id"]: task["state"] for task in (await engagement.attorney.get(_path(engagement)))["items"]}
    assert states == {mine["id"]: "cancelled", theirs["id"]: "open"}
    (grant,) = await _grants(engagement, paper)
    assert grant["revoked_at"] == rfc3339(engagement.world.now)
    assert await findings(engagement.world.services) == []


async def test_a_disposal_that_is_asked_for_ends_all_tasks_and_its_withdrawal_brings_none_back(
    engagement: Engagement,
) -> None:
    seat, attorney, paper = await engagement.member(), engagement.attorney, await _paper(engagement)
    task = await engagement.task(seat, (paper,), **WORK)
    over = await engagement.task(seat)
    await _answer(attorney, over, "cancellation")
    disposal = await attorney.post(f"/engagements/{engagement.id}/disposal")
    assert (await attorney.get(f"/tasks/{task['id']}"))["state"] == "cancelled"
    assert len(entries(engagement.world, "task.cancelled")) == 2
    assert (await attorney.ask("DELETE", f"/disposals/{disposal['id']}")).status_code == 204
    assert (await attorney.get(f"/engagements/{engagement.id}"))["status"] == "running"
    await seat.get(f"/documents/{paper}", 404)
    assert await findings(engagement.world.services) == []


async def test_after_the_end_the_figures_are_left_and_the_texts_are_gone(engagement: Engagement, world: World) -> None:
    seat, attorney, second = await engagement.member(), engagement.attorney, await world.attorney("Bea")
    assert (await attorney.ask("PUT", f"/matters/{engagement.matter_id}/team/{second.person_id}")).status_code == 204
    task = await engagement.task(seat)
    disposal = await attorney.post(f"/engagements/{engagement.id}/disposal")
    path, approval = f"/disposals/{disposal['id']}", {"manifest_sha256": disposal["manifest_sha256"]}
    await world.step_up(world.owner)
    await world.owner.post(f"{path}/approval", approval, 200)
    await attorney.post(f"{path}/return", {"waiver": "Nothing to keep."}, 200)
    await attorney.post(f"{path}/run", status=200)
    assert (await attorney.get(_path(engagement), 410))["code"] == "disposed"
    assert (await attorney.get(f"/tasks/{task['id']}", 410))["code"] == "disposed"
    assert (await attorney.get(f"/engagements/{engagement.id}/figures"))["total"]["cancelled"] == 1
    await seat.get(f"/tasks/{task['id']}", 403)
    assert await findings(world.services) == []


# Who may know ---------------------------------------------------------------------------------------------------------


async def test_a_member_lists_and_reads_his_own_tasks_only(engagement: Engagement) -> None:
    seat, other = await engagement.member(), await engagement.member()
    mine, theirs = await engagement.task(seat), await engagement.task(other)
    assert [task["id"] for task in (await seat.get(_path(engagement)))["items"]] == [mine["id"]]
    assert (await seat.get(f"/tasks/{mine['id']}"))["instructions"] == "Draft the answer, please."
    foreign, unknown = await seat.get(f"/tasks/{theirs['id']}", 404), await seat.get(f"/tasks/{NOBODYS}", 404)
    assert {**foreign, "instance": ""} == {**unknown, "instance": ""}


async def test_without_the_nda_a_member_learns_nothing_of_his_tasks(engagement: Engagement) -> None:
    seat = await engagement.member(signed=False)
    await engagement.agreement()
    task = await engagement.task(seat)
    assert (await seat.get(_path(engagement), 403))["code"] == "duty_missing"
    me = await seat.get("/me")
    assert (me["tasks_open"], me["tasks_due"]) == (0, 0)
    await engagement.sign(seat)
    assert (await seat.get(f"/tasks/{task['id']}"))["id"] == task["id"]


async def test_a_wall_hides_the_tasks_that_stand_already(engagement: Engagement, world: World) -> None:
    seat = await engagement.member()
    task = await engagement.task(seat)
    wall = {"person_id": seat.person_id, "matter_id": engagement.matter_id, "reason": "Kin of the other side."}
    await world.owner.post("/walls", wall)
    assert (await seat.get(_path(engagement)))["items"] == []
    await seat.get(f"/tasks/{task['id']}", 404)
    assert (await seat.get("/me"))["tasks_open"] == 0
    headers = {"if-match": task["etag"]}
    submitted = await seat.ask("POST", f"/tasks/{task['id']}/submission", json={"documents": []}, headers=headers)
    assert submitted.status_code == 404


async def test_vendor_people_give_answer_and_measure_nothing(engagement: Engagement) -> None:
    seat, other = await engagement.member(), await engagement.member()
    task = await engagement.task(seat)
    attorney, engagement.attorney = engagement.attorney, seat
    await engagement.task(other, status=403)
    engagement.attorney = attorney
    draft = await _added(engagement, seat)
    await _submit(seat, task, draft)
    seen = await _as_seen(attorney, draft)
    acts: tuple[tuple[str, Any], ...] = (("return", {"note": "No."}), ("acceptance", seen), ("cancellation", None))
    for what, body in acts:
        await _answer(seat, task, what, body, 403)
    await seat.get(f"/engagements/{engagement.id}/figures", 403)


async def test_an_attorney_who_is_not_on_the_team_and_another_firm_see_nothing(
    engagement: Engagement, world: World
) -> None:
    seat = await engagement.member()
    task = await engagement.task(seat)
    for stranger in (await world.attorney("Nora"), await (await another_firm(world)).attorney("Otto")):
        await stranger.get(_path(engagement), 404)
        await stranger.get(f"/tasks/{task['id']}", 404)
        await stranger.get(f"/engagements/{engagement.id}/figures", 404)
        for what in ("cancellation", "return", "acceptance"):
            body: Any = {"return": {"note": "x"}, "acceptance": {"documents": []}}.get(what)
            headers = {"if-match": task["etag"]}
            answer = await stranger.ask("POST", f"/tasks/{task['id']}/{what}", json=body, headers=headers)
            assert answer.status_code == 404, what
    assert (await engagement.attorney.get(f"/tasks/{task['id']}"))["state"] == "open"


async def test_an_attorney_of_the_team_who_leads_nothing_gives_and_answers(
    engagement: Engagement, world: World
) -> None:
    second, seat = await world.attorney("Bea"), await engagement.member()
    team = f"/matters/{engagement.matter_id}/team/{second.person_id}"
    assert (await engagement.attorney.ask("PUT", team)).status_code == 204
    engagement.attorney = second
    task = await engagement.task(seat)
    draft = await _added(engagement, seat)
    await _submit(seat, task, draft)
    await _answer(second, task, "acceptance", await _as_seen(second, draft))
    assert (await second.get(f"/engagements/{engagement.id}/figures"))["total"]["accepted"] == 1


async def test_an_id_of_another_kind_or_form_is_not_found(engagement: Engagement) -> None:
    seat = await engagement.member()
    for odd in (engagement.id, engagement.part_id, seat.membership_id, "tsk_x", "x" * 60):
        await engagement.attorney.get(f"/tasks/{odd}", 404)
        await seat.get(f"/tasks/{odd}", 404)


async def test_a_list_comes_in_pages_that_hold_everything_once(engagement: Engagement) -> None:
    seat = await engagement.member()
    made = [(await engagement.task(seat))["id"] for _ in range(5)]
    seen: list[str] = []
    params: dict[str, Any] = {"limit": 2}
    while True:
        page = await seat.get(_path(engagement), params=params)
        seen += [task["id"] for task in page["items"]]
        if page["next_cursor"] is None:
            break
        params["cursor"] = page["next_cursor"]
    assert seen == sorted(made)


async def test_me_tells_how_many_tasks_wait_and_how_many_are_due_soon(engagement: Engagement) -> None:
    seat, world = await engagement.member(), engagement.world

    async def told() -> tuple[int, int]:
        me = await seat.get("/me")
        return me["tasks_open"], me["tasks_due"]

    assert await told() == (0, 0)
    soon, _late = await engagement.task(seat, days=7), await engagement.task(seat, days=8)
    assert await told() == (2, 1)
    await _submit(seat, soon, await _added(engagement, seat))
    assert await told() == (1, 0)
    await _answer(engagement.attorney, soon, "return", {"note": "Again."})
    world.sleep(7 * DAY_S)
    assert await told() == (2, 2)  # one overdue
    await _answer(engagement.attorney, soon, "cancellation")
    assert await told() == (1, 1)


# Figures --------------------------------------------------------------------------------------------------------------


async def test_figures_of_nothing_are_nothing(engagement: Engagement) -> None:
    assert await engagement.attorney.get(f"/engagements/{engagement.id}/figures") == {
        "total": {
            "given": 0,
            "accepted": 0,
            "cancelled": 0,
            "overdue": 0,
            "turnaround_s": None,
            "response_s": None,
            "rework": None,
        },
        "members": [],
    }


async def test_figures_tell_how_many_how_quickly_and_how_often_again(engagement: Engagement) -> None:
    seat, other, attorney = await engagement.member(), await engagement.member(), engagement.attorney
    world = engagement.world
    quick, slow = await engagement.task(seat, days=2), await engagement.task(seat, days=2)
    late, dropped = await engagement.task(other, days=1), await engagement.task(other)
    await _answer(attorney, dropped, "cancellation")
    world.sleep(100)
    draft = await _added(engagement, seat)
    await _submit(seat, quick, draft)
    world.sleep(50)
    await _answer(attorney, quick, "acceptance", await _as_seen(attorney, draft))
    world.sleep(150)
    draft = await _added(engagement, seat)
    await _submit(seat, slow, draft)  # after 300
    world.sleep(10)
    await _answer(attorney, slow, "return", {"note": "Again."})
    world.sleep(1000)
    await _submit(seat, slow, draft)
    world.sleep(20)
    await _answer(attorney, slow, "acceptance", await _as_seen(attorney, draft))
    world.sleep(DAY_S)
    figures = await attorney.get(f"/engagements/{engagement.id}/figures")
    assert figures["total"] == {
        "given": 4,
        "accepted": 2,
        "cancelled": 1,
        "overdue": 1,
        "turnaround_s": 200,
        "response_s": 20,
        "rework": 0.5,
    }
    of = {each["membership_id"]: each for each in figures["members"]}
    assert of[seat.membership_id] == {
        **figures["total"],
        "given": 2,
        "cancelled": 0,
        "overdue": 0,
        "membership_id": seat.membership_id,
        "person_id": seat.person_id,
    }
    assert (of[other.membership_id]["overdue"], of[other.membership_id]["turnaround_s"]) == (1, None)
    assert (await attorney.get(f"/tasks/{late['id']}"))["state"] == "open"

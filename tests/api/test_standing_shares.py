"""Standing shares over HTTP: papers to come, by label, on somebody's word who is still there, and not for ever."""

from __future__ import annotations

from typing import Any

from sqlalchemy import update

from service.db.models import grants
from service.ledger import Outcome
from tests.api.entries import another_firm, entries
from tests.world import DAY_S, Engagement, Person, World, findings, rfc3339


def _body(engagement: Engagement, **more: Any) -> dict[str, Any]:
    return {
        "part_id": engagement.part_id,
        "role": "paralegal",
        "labels": ["correspondence", "billing"],
        "abilities": ["view"],
        "not_after": rfc3339(engagement.world.now + 30 * DAY_S),
        "purpose": "Keep the calendar.",
        **more,
    }


def _path(engagement: Engagement) -> str:
    return f"/engagements/{engagement.id}/standing-shares"


async def _share(engagement: Engagement, **more: Any) -> Any:
    return await engagement.attorney.post(_path(engagement), _body(engagement, **more))


async def _paper(engagement: Engagement, **more: Any) -> str:
    return str((await engagement.document(**more))["document_id"])


async def _seen(engagement: Engagement, seat: Person) -> set[str]:
    return {each["id"] for each in (await seat.get(f"/engagements/{engagement.id}/documents"))["items"]}


async def _arrived(engagement: Engagement, adder: Person, label: str = "correspondence") -> str:
    """A paper that a member added and nobody has looked at."""
    await engagement.ask(adder, (label,))
    return str((await adder.upload(engagement.id, engagement.part_id, b"x", label=label))["document_id"])


async def _confirm(engagement: Engagement, paper: str, asker: Person | None = None, **said: str) -> None:
    body = {"label": "correspondence", "sensitivity": "confidential", **said}
    path = f"/documents/{paper}"
    await (asker or engagement.attorney).change("POST", f"{path}/confirmation", body, match=path)


async def _colleague(engagement: Engagement) -> Person:
    """Another attorney on the matter's team."""
    colleague = await engagement.world.attorney()
    named = await engagement.attorney.ask("PUT", f"/matters/{engagement.matter_id}/team/{colleague.person_id}")
    assert named.status_code == 204
    return colleague


# What it hands out ----------------------------------------------------------------------------------------------------


async def test_papers_to_come_are_handed_out_and_those_that_are_there_are_not(engagement: Engagement) -> None:
    seat, other = await engagement.member(), await engagement.member("legal_assistant")
    there = await _paper(engagement)
    share = await _share(engagement)
    added = await _paper(engagement)
    unlike = await _paper(engagement, label="pleading")
    privileged = await _paper(engagement, sensitivity="privileged")
    assert await _seen(engagement, seat) == {added}
    assert await _seen(engagement, other) == set()
    (grant,) = (await engagement.attorney.get(f"/documents/{added}/grants"))["items"]
    assert (grant["standing_id"], grant["purpose"]) == (share["id"], "Keep the calendar.")
    assert (grant["abilities"], grant["not_after"]) == (["view"], share["not_after"])
    assert grant["granted_by"] == engagement.attorney.membership_id == share["made_by"]
    for paper in (there, unlike, privileged):
        assert (await engagement.attorney.get(f"/documents/{paper}/grants"))["items"] == []
    assert (await seat.get(f"/documents/{added}"))["my_grants"][0]["purpose"] == "Keep the calendar."
    assert await findings(engagement.world.services) == []


async def test_a_paper_is_handed_out_when_it_is_confirmed_and_as_what_it_is_confirmed(engagement: Engagement) -> None:
    seat, adder = await engagement.member(), await engagement.member("legal_assistant")
    waiting = await _arrived(engagement, adder)  # from before the share: it is confirmed later
    await _share(engagement)
    papers = [await _arrived(engagement, adder) for _ in range(3)]
    assert await _seen(engagement, seat) == set()
    await _confirm(engagement, waiting)
    await _confirm(engagement, papers[0])
    await _confirm(engagement, papers[1], label="pleading")
    await _confirm(engagement, papers[2], sensitivity="privileged")
    assert await _seen(engagement, seat) == {waiting, papers[0]}


async def test_a_routine_share_hands_out_nothing_confidential(engagement: Engagement) -> None:
    seat = await engagement.member()
    await _share(engagement, sensitivity="routine")
    await _paper(engagement)
    routine = await _paper(engagement, sensitivity="routine")
    assert await _seen(engagement, seat) == {routine}


async def test_what_is_accepted_of_a_task_is_handed_out_and_made_with_the_share_alone(engagement: Engagement) -> None:
    """Neither the row nor the entry says that the grant came with the task, which is what its act is about."""
    seat, other, attorney = await engagement.member(), await engagement.member("case_manager"), engagement.attorney
    share = await _share(engagement, role=None, membership_id=other.membership_id)
    task = await engagement.task(seat)
    draft = (await seat.upload(engagement.id, engagement.part_id, b"x"))["document_id"]
    path, named = f"/tasks/{task['id']}", {"document_id": draft}
    await seat.change("POST", f"{path}/submission", {"documents": [named]}, match=path)
    named["revision_id"] = (await attorney.get(f"/documents/{draft}"))["revision_id"]
    await attorney.change("POST", f"{path}/acceptance", {"documents": [named]}, match=path)
    assert await _seen(engagement, other) == {draft}
    made = entries(engagement.world, "grant.created")[-1]["subjects"]
    assert (made["standing"], made.get("task")) == (share["id"], None)
    assert await findings(engagement.world.services) == []


async def test_a_share_for_one_member_is_for_him_alone(engagement: Engagement) -> None:
    seat, other = await engagement.member(), await engagement.member()
    await _share(engagement, role=None, membership_id=seat.membership_id)
    paper = await _paper(engagement)
    assert (await _seen(engagement, seat), await _seen(engagement, other)) == ({paper}, set())
    await engagement.attorney.change("DELETE", f"/members/{seat.membership_id}")
    second = await _paper(engagement)  # he has left: the paper comes all the same
    assert (await engagement.attorney.get(f"/documents/{second}/grants"))["items"] == []


async def test_who_comes_later_with_the_role_gets_what_it_has_handed_out(engagement: Engagement) -> None:
    first, adder = await engagement.member(), await engagement.member("legal_assistant")
    there, waiting = await _paper(engagement), await _arrived(engagement, adder)
    await _share(engagement)
    engagement.world.sleep(5)
    await _confirm(engagement, waiting)
    added = await _paper(engagement)
    late, unlike = await engagement.member(), await engagement.member("legal_assistant")
    assert await _seen(engagement, late) == await _seen(engagement, first) == {waiting, added}
    assert there not in await _seen(engagement, late)
    assert await _seen(engagement, unlike) == set()
    assert await findings(engagement.world.services) == []


async def test_who_cannot_be_handed_it_is_passed_over(engagement: Engagement, world: World) -> None:
    seat, walled = await engagement.member("receptionist"), await engagement.member("receptionist")
    wall = {"person_id": walled.person_id, "matter_id": engagement.matter_id, "reason": "Kin."}
    await world.owner.post("/walls", wall)
    await _share(engagement, role="receptionist", labels=["correspondence"])
    confidential, routine = await _paper(engagement), await _paper(engagement, sensitivity="routine")
    (grant,) = (await engagement.attorney.get(f"/documents/{routine}/grants"))["items"]
    assert grant["membership_id"] == seat.membership_id
    assert (await engagement.attorney.get(f"/documents/{confidential}/grants"))["items"] == []


async def test_one_made_by_hand_may_stand_beside_it_and_one_that_was_taken_away_stays_away(
    engagement: Engagement,
) -> None:
    seat = await engagement.member()
    await _share(engagement)
    paper = await _paper(engagement)
    await engagement.grant(seat, paper)  # by hand, with download, for less long: no conflict with the standing one
    path = f"/documents/{paper}/grants"
    standing = next(each for each in (await engagement.attorney.get(path))["items"] if each["standing_id"])
    await engagement.attorney.post(f"/grants/{standing['id']}/undo", status=200)
    late = await engagement.member()
    assert await _seen(engagement, late) == {paper}
    live = [each for each in (await engagement.attorney.get(path))["items"] if each["revoked_at"] is None]
    assert {each["membership_id"] for each in live if each["standing_id"]} == {late.membership_id}


# On whose word --------------------------------------------------------------------------------------------------------


async def test_whoever_confirms_it_is_the_maker_s_word(engagement: Engagement) -> None:
    seat, adder = await engagement.member(), await engagement.member("legal_assistant")
    colleague = await _colleague(engagement)
    await _share(engagement)
    paper = await _arrived(engagement, adder)
    await _confirm(engagement, paper, colleague)
    assert await _seen(engagement, seat) == {paper}
    (grant,) = (await engagement.attorney.get(f"/documents/{paper}/grants"))["items"]
    assert grant["granted_by"] == engagement.attorney.membership_id
    (entry,) = entries(engagement.world, "grant.created")
    assert entry["actor"]["membership"] == colleague.membership_id
    assert entry["action"] == "document:confirm"


async def test_off_the_team_the_maker_s_word_is_worth_nothing(engagement: Engagement) -> None:
    seat, colleague = await engagement.member(), await _colleague(engagement)
    await colleague.post(_path(engagement), _body(engagement))
    gone = f"/matters/{engagement.matter_id}/team/{colleague.person_id}"
    assert (await engagement.attorney.ask("DELETE", gone)).status_code == 204
    papers = {await _paper(engagement)}  # who leads is on the team, and stands in
    assert await _seen(engagement, seat) == papers
    (grant,) = (await engagement.attorney.get(f"/documents/{next(iter(papers))}/grants"))["items"]
    assert grant["granted_by"] == engagement.attorney.membership_id


async def test_where_nobody_speaks_for_it_nothing_is_made(engagement: Engagement, world: World) -> None:
    seat, maker, deputy = await engagement.member(), await _colleague(engagement), await world.attorney()
    stays = await _colleague(engagement)
    await engagement.attorney.change("PATCH", f"/engagements/{engagement.id}", {"deputy_id": deputy.person_id})
    await maker.post(_path(engagement), _body(engagement))
    for person in (maker, engagement.attorney):  # the deputy never was on the team
        gone = f"/matters/{engagement.matter_id}/team/{person.person_id}"
        assert (await stays.ask("DELETE", gone)).status_code == 204
    engagement.attorney = stays
    await _paper(engagement)
    assert await _seen(engagement, seat) == set()
    named = await stays.ask("PUT", f"/matters/{engagement.matter_id}/team/{deputy.person_id}")
    assert named.status_code == 204
    second = await _paper(engagement)
    assert await _seen(engagement, seat) == {second}
    (grant,) = (await stays.get(f"/documents/{second}/grants"))["items"]
    assert grant["granted_by"] == deputy.membership_id


# Its end --------------------------------------------------------------------------------------------------------------


async def test_ending_it_revokes_what_it_handed_out_and_nothing_else(engagement: Engagement) -> None:
    seat = await engagement.member()
    share = await _share(engagement)
    first, second = await _paper(engagement), await _paper(engagement)
    await engagement.grant(seat, second)
    ended = await engagement.attorney.change("DELETE", f"/standing-shares/{share['id']}")
    assert ended["ended_at"] == rfc3339(engagement.world.now)
    assert await _seen(engagement, seat) == {second}
    (grant,) = (await engagement.attorney.get(f"/documents/{first}/grants"))["items"]
    assert grant["revoked_at"] == ended["ended_at"]
    await _paper(engagement)
    assert await _seen(engagement, seat) == {second}
    problem = await engagement.attorney.change("DELETE", f"/standing-shares/{share['id']}", status=409)
    assert problem["code"] == "bad_state"
    assert (await engagement.attorney.ask("DELETE", f"/standing-shares/{share['id']}")).status_code == 428
    assert await findings(engagement.world.services) == []


async def test_it_and_its_grants_end_by_themselves_and_begin_not_before_their_time(engagement: Engagement) -> None:
    seat, world = await engagement.member(), engagement.world
    begins, ends = world.now + DAY_S, world.now + 2 * DAY_S
    await _share(engagement, not_before=rfc3339(begins), not_after=rfc3339(ends))
    early = await _paper(engagement)
    world.sleep(DAY_S)
    paper = await _paper(engagement)
    assert await _seen(engagement, seat) == {paper}
    assert early not in await _seen(engagement, seat)
    world.sleep(DAY_S - 1)
    assert await _seen(engagement, seat) == {paper}
    world.sleep(1)
    assert await _seen(engagement, seat) == set()
    assert (await engagement.attorney.get(f"/documents/{await _paper(engagement)}/grants"))["items"] == []


async def test_no_longer_than_ninety_days_nor_the_engagement(engagement: Engagement, world: World) -> None:
    long = await world.engagement(days=200)
    most = rfc3339(world.now + 90 * DAY_S)
    problem = await long.attorney.post(_path(long), _body(long, not_after=rfc3339(world.now + 90 * DAY_S + 1)), 422)
    assert (problem["field"], problem["latest"]) == ("not_after", most)
    await long.attorney.post(_path(long), _body(long, not_after=most))
    problem = await engagement.attorney.post(
        _path(engagement), _body(engagement, not_after=rfc3339(world.now + 91 * DAY_S)), 422
    )
    assert problem["latest"] == most


# Making and reading it ------------------------------------------------------------------------------------------------

NO_SHARES: tuple[dict[str, Any], ...] = (
    {"sensitivity": "privileged"},
    {"labels": []},
    {"labels": ["poem"]},
    {"role": None},
    {"role": "attorney"},
    {"role": "owner"},
    {"role": "paralegal", "membership_id": "mem_" + "0" * 32},
    {"abilities": []},
    {"purpose": " "},
    {"part_id": None},
)


async def test_a_share_of_another_form_is_refused(engagement: Engagement) -> None:
    for change in NO_SHARES:
        await engagement.attorney.post(_path(engagement), _body(engagement, **change), 422)
    assert entries(engagement.world, "standing_share.created") == []


async def test_what_the_role_may_never_hold_is_refused_when_it_is_made(engagement: Engagement) -> None:
    body = _body(engagement, role="receptionist", labels=["correspondence", "medical_record"])
    problem = await engagement.attorney.post(_path(engagement), body, 403)
    assert (problem["code"], problem["label"]) == ("above_ceiling", "medical_record")
    manager = await engagement.member("vendor_manager")
    body = _body(engagement, role=None, membership_id=manager.membership_id)
    await engagement.attorney.post(_path(engagement), body, 403)


async def test_it_is_shown_to_the_team_and_to_nobody_else(engagement: Engagement, world: World) -> None:
    seat, colleague, stranger = await engagement.member(), await _colleague(engagement), await world.attorney()
    share, foreign = await _share(engagement), await (await another_firm(world)).attorney()
    path = f"/standing-shares/{share['id']}"
    listed = await colleague.get(_path(engagement))
    assert listed["items"] == [share] == [await colleague.get(path)]
    deputy = await world.attorney()
    await engagement.attorney.change("PATCH", f"/engagements/{engagement.id}", {"deputy_id": deputy.person_id})
    assert (await deputy.get(_path(engagement)))["items"] == []
    await deputy.get(path, 404)
    for asker in (stranger, foreign):
        await asker.get(_path(engagement), 404)
        await asker.get(path, 404)
        await asker.post(_path(engagement), _body(engagement), 404)
    await seat.get(_path(engagement), 403)
    assert (await seat.ask("GET", path)).status_code in {403, 404}
    assert (await seat.ask("POST", _path(engagement), json=_body(engagement))).status_code in {403, 404}


async def test_part_and_member_are_the_engagement_s_own(engagement: Engagement, world: World) -> None:
    other = await world.engagement()
    stranger = await other.member()
    body = _body(engagement, role=None, membership_id=stranger.membership_id)
    await engagement.attorney.post(_path(engagement), body, 404)
    await engagement.attorney.post(_path(engagement), _body(engagement, part_id=other.part_id), 404)
    await engagement.attorney.post(_path(other), _body(engagement), 404)


async def test_making_it_twice_with_one_key_is_making_it_once(engagement: Engagement) -> None:
    headers, body = {"idempotency-key": "s1"}, _body(engagement)
    first = await engagement.attorney.post(_path(engagement), body, headers=headers)
    assert await engagement.attorney.post(_path(engagement), body, headers=headers) == first
    await engagement.attorney.post(_path(engagement), {**body, "purpose": "Another."}, 422, headers=headers)
    assert len(entries(engagement.world, "standing_share.created")) == 1


async def test_reviews_and_explanations_say_that_it_stands(engagement: Engagement) -> None:
    seat = await engagement.member()
    share = await _share(engagement)
    paper = await _paper(engagement)
    told = await engagement.attorney.get(f"/documents/{paper}/access?person_id={seat.person_id}")
    assert [grant["standing_id"] for grant in told["items"][0]["grants"]] == [share["id"]]
    score = await engagement.attorney.get(f"/engagements/{engagement.id}/least-privilege")
    assert (score["grants"], score["grants_standing"]) == (1, 1)
    engagement.world.sleep(20 * DAY_S)
    wanted = {"person_id": seat.person_id, "dry_run": True}
    revoking = await engagement.attorney.post(f"/engagements/{engagement.id}/revocations", wanted, 200)
    assert revoking["standing_shares"] == [share["id"]]
    (unused,) = (await engagement.attorney.get(f"/engagements/{engagement.id}/unused-grants"))["items"]
    assert unused["standing_id"] == share["id"]


async def test_the_entry_has_all_that_rules_depend_on_and_no_purpose(engagement: Engagement) -> None:
    seat, now = await engagement.member(), engagement.world.now
    share = await _share(engagement, role=None, membership_id=seat.membership_id)
    (entry,) = entries(engagement.world, "standing_share.created")
    assert entry["data"] == {
        "labels": ["correspondence", "billing"],
        "sensitivity": "confidential",
        "abilities": ["view"],
        "not_before": now,
        "not_after": now + 30 * DAY_S,
    }
    assert entry["subjects"]["standing"] == share["id"]
    assert entry["subjects"]["membership"] == seat.membership_id
    assert "calendar" not in str(entry)


async def test_a_grant_that_outlives_its_share_is_found(engagement: Engagement) -> None:
    world = engagement.world
    await engagement.member()
    share = await _share(engagement)
    await _paper(engagement)
    await engagement.attorney.change("DELETE", f"/standing-shares/{share['id']}")
    forged = update(grants).where(grants.c.standing_id == share["id"]).values(revoked_at=world.now + 10**9)
    await world.services.ledger.submit(world.firm_id, lambda tx, _moment: Outcome(tx.run(forged)))
    codes = {each.code for each in await findings(world.services)}
    assert {"grant_outlives_standing_share", "grant_changed"} <= codes

"""Many grants in one act: dry run, digest, all or nothing; and many revoked, or undone with what they were used for."""

from __future__ import annotations

import time
from typing import Any

import pytest

from service.sharing.looking import MOST
from tests.api.entries import another_firm, entries
from tests.api.papers import many_like
from tests.world import DAY_S, Engagement, Person, World, findings, rfc3339

ENTRY_BYTES = 4096


def _body(engagement: Engagement, seat: Person, **more: Any) -> dict[str, Any]:
    return {
        "membership_id": seat.membership_id,
        "part_id": engagement.part_id,
        "labels": ["correspondence", "billing"],
        "abilities": ["view"],
        "not_after": rfc3339(engagement.world.now + 7 * DAY_S),
        "purpose": "Sort the letters.",
        **more,
    }


def _path(engagement: Engagement) -> str:
    return f"/engagements/{engagement.id}/grants"


async def _show(engagement: Engagement, body: dict[str, Any], status: int = 200, asker: Person | None = None) -> Any:
    return await (asker or engagement.attorney).post(_path(engagement), {**body, "dry_run": True}, status)


async def _share(engagement: Engagement, body: dict[str, Any], **headers: str) -> Any:
    digest = (await _show(engagement, body))["digest"]
    return await engagement.attorney.post(_path(engagement), {**body, "digest": digest}, 200, headers=headers)


async def _left_out(engagement: Engagement, body: dict[str, Any]) -> dict[str, list[str]]:
    return {each["reason"]: each["document_ids"] for each in (await _show(engagement, body))["left_out"]}


async def _seen(engagement: Engagement, seat: Person) -> set[str]:
    return {each["id"] for each in (await seat.get(f"/engagements/{engagement.id}/documents"))["items"]}


async def _paper(engagement: Engagement, **more: Any) -> str:
    return str((await engagement.document(**more))["document_id"])


# Giving ---------------------------------------------------------------------------------------------------------------


async def test_what_the_dry_run_shows_is_given_and_nothing_that_comes_later(engagement: Engagement) -> None:
    seat = await engagement.member()
    letter, bill = await _paper(engagement), await _paper(engagement, label="billing", title="Bill of May")
    other = await _paper(engagement, label="pleading")
    shown = await _show(engagement, _body(engagement, seat))
    assert (shown["dry_run"], shown["count"], shown["bulk_id"]) == (True, 2, None)
    assert shown["by_label"] == {"billing": 1, "correspondence": 1}
    assert {each["document_id"]: each["title"] for each in shown["items"]} == {letter: "Paper", bill: "Bill of May"}
    assert await _seen(engagement, seat) == set()  # nothing was given yet
    given = await engagement.attorney.post(_path(engagement), _body(engagement, seat, digest=shown["digest"]), 200)
    assert (given["dry_run"], given["count"]) == (False, 2)
    assert await _seen(engagement, seat) == {letter, bill}
    later = await _paper(engagement)
    assert later not in await _seen(engagement, seat)
    assert other not in await _seen(engagement, seat)


async def test_each_grant_is_an_ordinary_one_that_knows_its_act(engagement: Engagement) -> None:
    seat = await engagement.member()
    paper = await _paper(engagement)
    given = await _share(engagement, _body(engagement, seat, abilities=["download"]))
    (grant,) = (await engagement.attorney.get(f"/documents/{paper}/grants"))["items"]
    assert grant["id"] == given["items"][0]["grant_id"]
    assert grant["bulk_id"] == given["bulk_id"]
    assert (grant["abilities"], grant["purpose"]) == (["download", "view"], "Sort the letters.")
    (whole,) = entries(engagement.world, "bulk.created")
    (entry,) = entries(engagement.world, "grant.created")
    assert whole["data"] == {"grants": 1, "labels": ["correspondence", "billing"]}
    assert entry["subjects"]["bulk"] == whole["subjects"]["bulk"] == given["bulk_id"]
    assert entry["subjects"]["document"] == paper
    assert entry["action"] == "engagement:share"
    assert await findings(engagement.world.services) == []


async def test_what_is_left_out_says_why(engagement: Engagement, world: World) -> None:
    seat = await engagement.member("receptionist")
    labels = {"labels": ["correspondence", "contact_sheet", "intake_form"]}
    body = _body(engagement, seat, **labels)
    good = await _paper(engagement, label="contact_sheet")
    held = await _paper(engagement, label="contact_sheet")
    await engagement.grant(seat, held, ("view",))
    privileged = await _paper(engagement, label="contact_sheet", sensitivity="privileged")
    above = await _paper(engagement)  # confidential letters are not for a receptionist
    adder = await engagement.member()
    await engagement.ask(adder, ("intake_form",))
    unconfirmed = (await adder.upload(engagement.id, engagement.part_id, b"x", label="intake_form"))["document_id"]
    shown = await _show(engagement, body)
    assert [each["document_id"] for each in shown["items"]] == [good]
    assert await _left_out(engagement, body) == {
        "not_confirmed": [unconfirmed],
        "too_sensitive": [privileged],
        "above_ceiling": [above],
        "already_granted": [held],
    }
    routine = {**body, "sensitivity": "routine"}
    assert set((await _left_out(engagement, routine))["too_sensitive"]) == {good, held, privileged, above}
    wall = {"person_id": seat.person_id, "matter_id": engagement.matter_id, "reason": "Kin."}
    await world.owner.post("/walls", wall)
    assert set(await _left_out(engagement, body)) == {"walled"}
    assert (await _show(engagement, body))["count"] == 0


async def test_nothing_above_confidential_goes_by_its_label(engagement: Engagement) -> None:
    seat = await engagement.member()
    for word in ("privileged", "attorney_only"):
        await _show(engagement, _body(engagement, seat, sensitivity=word), 422)


@pytest.mark.parametrize("change", ["added", "revised", "granted", "walled", "other abilities", "other window"])
async def test_a_set_that_has_changed_is_refused_and_nothing_is_written(engagement: Engagement, change: str) -> None:
    seat, world = await engagement.member(), engagement.world
    paper, _second = await _paper(engagement), await _paper(engagement)
    body = _body(engagement, seat)
    digest = (await _show(engagement, body))["digest"]
    if change == "added":
        await _paper(engagement)
    elif change == "revised":
        headers = {"content-type": "text/plain"}
        await engagement.attorney.change(
            "PUT", f"/documents/{paper}/content", match=f"/documents/{paper}", headers=headers
        )
    elif change == "granted":
        await engagement.grant(seat, paper, ("view",))
    elif change == "walled":
        wall = {"person_id": seat.person_id, "matter_id": engagement.matter_id, "reason": "Kin."}
        await world.owner.post("/walls", wall)
    elif change == "other abilities":
        body = {**body, "abilities": ["view", "download"]}
    else:
        body = {**body, "not_after": rfc3339(world.now + 8 * DAY_S)}
    before = len(entries(world, "grant.created"))
    problem = await engagement.attorney.post(_path(engagement), {**body, "digest": digest}, 409)
    assert problem["code"] == "set_changed"
    assert "dry run" in problem["detail"]
    assert len(entries(world, "grant.created")) == before
    assert entries(world, "bulk.created") == []


async def test_no_act_without_a_dry_run_and_none_on_nothing(engagement: Engagement) -> None:
    seat = await engagement.member()
    body = _body(engagement, seat)
    assert (await _show(engagement, body))["digest"] is None
    problem = await engagement.attorney.post(_path(engagement), body, 409)
    assert problem["code"] == "bad_state"
    await _paper(engagement)
    problem = await engagement.attorney.post(_path(engagement), body, 422)
    assert problem["field"] == "digest"


async def test_a_digest_is_the_asker_s_own_and_the_same_while_nothing_changes(engagement: Engagement) -> None:
    seat, world = await engagement.member(), engagement.world
    await _paper(engagement)
    colleague = await world.attorney()
    named = await engagement.attorney.ask("PUT", f"/matters/{engagement.matter_id}/team/{colleague.person_id}")
    assert named.status_code == 204
    body = _body(engagement, seat)
    mine, again = await _show(engagement, body), await _show(engagement, body)
    theirs = await _show(engagement, body, asker=colleague)
    assert mine["digest"] == again["digest"] != theirs["digest"]
    assert mine["count"] == theirs["count"] == 1


async def test_giving_twice_with_one_key_is_giving_once(engagement: Engagement) -> None:
    seat, world = await engagement.member(), engagement.world
    await _paper(engagement)
    body = _body(engagement, seat)
    body = {**body, "digest": (await _show(engagement, body))["digest"]}
    headers = {"idempotency-key": "b1"}
    first = await engagement.attorney.post(_path(engagement), body, 200, headers=headers)
    assert await engagement.attorney.post(_path(engagement), body, 200, headers=headers) == first
    assert len(entries(world, "grant.created")) == 1
    await engagement.attorney.post(_path(engagement), body, 409)  # without the key: the set is another now


async def test_a_thousand_grants_are_one_act_and_more_are_refused(engagement: Engagement, record_property: Any) -> None:
    seat, world = await engagement.member(), engagement.world
    await many_like(engagement, await _paper(engagement), MOST)
    body = _body(engagement, seat)
    problem = await _show(engagement, body, 422)
    assert (problem["count"], problem["most"]) == (MOST + 1, MOST)
    assert "first_number" in problem["detail"]
    body = {**body, "last_number": MOST}
    began = time.perf_counter()
    given = await _share(engagement, body)
    taken = time.perf_counter() - began
    stack = "SQLite" if world.services.database.is_sqlite else "PostgreSQL"
    record_property("figure", f"{stack}: a dry run and {MOST} grants in one act, {taken:.2f} s")
    assert given["count"] == MOST
    assert taken < 10  # about a quarter of a second on a quiet machine: this sees a fault, no slow day
    made = entries(world, "grant.created")
    assert len(made) == MOST
    assert max(len(str(entry)) for entry in made) < ENTRY_BYTES
    undone = await engagement.attorney.post(f"/bulk-grants/{given['bulk_id']}/undo", status=200)
    assert (undone["count"], undone["opened"]) == (MOST, 0)
    assert len(entries(world, "grant.revoked")) == MOST


async def test_a_matter_is_shared_as_its_part_in_this_engagement(engagement: Engagement, world: World) -> None:
    seat, other = await engagement.member(), await world.engagement()
    paper = await _paper(engagement)
    body = {**_body(engagement, seat, matter_id=engagement.matter_id), "part_id": None}
    assert [each["document_id"] for each in (await _show(engagement, body))["items"]] == [paper]
    await _paper(other)
    assert (await _show(engagement, {**body, "matter_id": other.matter_id}))["count"] == 0
    for wrong in ({"matter_id": None}, {"part_id": engagement.part_id}):
        await _show(engagement, {**body, **wrong}, 422)


async def test_only_what_the_caller_may_share_is_in_it(engagement: Engagement, world: World) -> None:
    seat = await engagement.member()
    await _paper(engagement)
    body = _body(engagement, seat)
    deputy = await world.attorney()
    await engagement.attorney.change("PATCH", f"/engagements/{engagement.id}", {"deputy_id": deputy.person_id})
    shown = await _show(engagement, body, asker=deputy)  # deputises, and is not on the matter's team
    assert (shown["count"], shown["left_out"]) == (0, [])
    stranger, foreign = await world.attorney(), await another_firm(world)
    for asker, status in ((stranger, 404), (seat, 403), (world.owner, 403), (await foreign.attorney(), 404)):
        answer = await asker.ask("POST", _path(engagement), json={**body, "dry_run": True})
        assert answer.status_code == status, answer.text
    narrow = await world.sign_in(engagement.attorney.person_id, engagement.attorney.membership_id, "engagement")
    assert (await _show(engagement, body, asker=narrow))["count"] == 0  # no scope for grants
    blind = await world.sign_in(engagement.attorney.person_id, engagement.attorney.membership_id, "engagement grant")
    assert [each["title"] for each in (await _show(engagement, body, asker=blind))["items"]] == [None]


async def test_whom_it_may_go_to_is_as_for_one_grant(engagement: Engagement, world: World) -> None:
    seat, stranger = await engagement.member(), await (await world.engagement()).member()
    await _paper(engagement)
    await _show(engagement, _body(engagement, stranger), 404)
    problem = await _show(engagement, _body(engagement, seat, not_after=rfc3339(world.now + 91 * DAY_S)), 422)
    assert problem["field"] == "not_after"
    await engagement.attorney.change("DELETE", f"/members/{seat.membership_id}")
    assert (await _show(engagement, _body(engagement, seat), 409))["code"] == "bad_state"


# Revoking -------------------------------------------------------------------------------------------------------------


async def _take(engagement: Engagement, status: int = 200, **wanted: Any) -> Any:
    path = f"/engagements/{engagement.id}/revocations"
    shown = await engagement.attorney.post(path, {**wanted, "dry_run": True}, status)
    if status != 200 or not shown["count"]:
        return shown
    taken = await engagement.attorney.post(path, {**wanted, "digest": shown["digest"]}, 200)
    assert [each["id"] for each in taken["items"]] == [each["id"] for each in shown["items"]]
    return taken


async def test_grants_are_revoked_by_person_label_and_matter(engagement: Engagement) -> None:
    first, second = await engagement.member(), await engagement.member()
    letter, bill = await _paper(engagement), await _paper(engagement, label="billing")
    for seat in (first, second):
        for paper in (letter, bill):
            await engagement.grant(seat, paper)
    assert (await _take(engagement, person_id=first.person_id, labels=["billing"]))["by_label"] == {"billing": 1}
    assert (await _seen(engagement, first), await _seen(engagement, second)) == ({letter}, {letter, bill})
    assert (await _take(engagement, labels=["billing", "pleading"]))["count"] == 1
    assert await _seen(engagement, second) == {letter}
    assert (await _take(engagement, matter_id=engagement.matter_id))["count"] == 2
    assert await _seen(engagement, first) == await _seen(engagement, second) == set()
    assert (await _take(engagement, person_id=first.person_id))["count"] == 0
    assert len(entries(engagement.world, "grant.revoked")) == 4
    assert await findings(engagement.world.services) == []


async def test_what_is_to_come_and_what_a_task_gave_is_revoked_too(engagement: Engagement) -> None:
    seat, world = await engagement.member(), engagement.world
    paper, tasked = await _paper(engagement), await _paper(engagement)
    body = {
        "membership_id": seat.membership_id,
        "abilities": ["view"],
        "not_before": rfc3339(world.now + DAY_S),
        "not_after": rfc3339(world.now + 2 * DAY_S),
        "purpose": "Later.",
    }
    await engagement.attorney.post(f"/documents/{paper}/grants", body)
    task = await engagement.task(seat, (tasked,))
    taken = await _take(engagement, person_id=seat.person_id)
    assert {each["document_id"]: each["task_id"] for each in taken["items"]} == {paper: None, tasked: task["id"]}
    world.sleep(DAY_S)
    assert await _seen(engagement, seat) == set()


async def test_revoking_names_the_set_that_was_shown(engagement: Engagement) -> None:
    seat, path = await engagement.member(), f"/engagements/{engagement.id}/revocations"
    await engagement.grant(seat, await _paper(engagement))
    wanted = {"person_id": seat.person_id}
    shown = await engagement.attorney.post(path, {**wanted, "dry_run": True}, 200)
    await engagement.grant(seat, await _paper(engagement))
    problem = await engagement.attorney.post(path, {**wanted, "digest": shown["digest"]}, 409)
    assert problem["code"] == "set_changed"
    assert entries(engagement.world, "grant.revoked") == []
    assert (await engagement.attorney.post(path, wanted, 422))["field"] == "digest"
    nobody = {"person_id": engagement.attorney.person_id}
    assert (await engagement.attorney.post(path, nobody, 409))["code"] == "bad_state"
    assert (await engagement.attorney.post(path, {"dry_run": True}, 422))["field"] == "person_id"


async def test_only_what_the_caller_may_revoke_is_told_and_taken(engagement: Engagement, world: World) -> None:
    seat, path = await engagement.member(), f"/engagements/{engagement.id}/revocations"
    grant = await engagement.grant(seat, await _paper(engagement))
    deputy = await world.attorney()
    await engagement.attorney.change("PATCH", f"/engagements/{engagement.id}", {"deputy_id": deputy.person_id})
    shown = await deputy.post(path, {"person_id": seat.person_id, "dry_run": True}, 200)
    assert (shown["count"], shown["items"]) == (0, [])
    await deputy.post(f"/grants/{grant['id']}/undo", status=404)
    await seat.post(path, {"person_id": seat.person_id, "dry_run": True}, 403)
    await (await world.attorney()).post(path, {"person_id": seat.person_id, "dry_run": True}, 404)
    narrow = await world.sign_in(engagement.attorney.person_id, engagement.attorney.membership_id, "engagement")
    assert (await narrow.post(path, {"person_id": seat.person_id, "dry_run": True}, 200))["count"] == 0


# Undoing --------------------------------------------------------------------------------------------------------------


async def test_a_mistaken_grant_that_nobody_opened(engagement: Engagement) -> None:
    seat = await engagement.member()
    grant = await engagement.grant(seat, await _paper(engagement))
    undone = await engagement.attorney.post(f"/grants/{grant['id']}/undo", status=200)
    assert (undone["opened"], undone["openings"]) == (False, [])
    assert undone["revoked_at"] == rfc3339(engagement.world.now)
    (kept,) = (await engagement.attorney.get(f"/documents/{grant['document_id']}/grants"))["items"]
    assert kept["revoked_at"] == undone["revoked_at"]  # the record stays
    assert await _seen(engagement, seat) == set()


async def test_undoing_tells_by_which_acts_when_and_how_many_bytes(engagement: Engagement) -> None:
    seat, other, world = await engagement.member(), await engagement.member(), engagement.world
    paper = await _paper(engagement, body=b"twelve bytes")
    earlier = await engagement.grant(seat, paper)
    await seat.get(f"/documents/{paper}/content")
    await engagement.attorney.change("DELETE", f"/grants/{earlier['id']}")
    world.sleep(10)
    grant = await engagement.grant(seat, paper)
    await engagement.grant(other, paper)
    await other.get(f"/documents/{paper}/content")  # not this grant's holder
    await engagement.attorney.get(f"/documents/{paper}/content")
    world.sleep(10)
    await seat.get(f"/documents/{paper}")
    world.sleep(10)
    await seat.ask("GET", f"/documents/{paper}/content", headers={"range": "bytes=0-3"})
    await seat.get(f"/documents/{paper}/content")
    world.sleep(10)
    path = f"/grants/{grant['id']}/undo"
    undone = await engagement.attorney.post(path, status=200)
    assert (undone["opened"], undone["count"], undone["bytes"]) == (True, 3, 16)
    now = world.now
    told = [(each["act"], each["at"], each["outcome"], each["bytes"]) for each in undone["openings"]]
    assert told == [
        ("document:download", rfc3339(now - 10), "done", 12),
        ("document:download", rfc3339(now - 10), "done", 4),
        ("document:view", rfc3339(now - 20), None, None),
    ]
    kinds = {entry["index"]: entry["type"] for entry in entries(world)}
    assert [kinds[each["entry"]] for each in undone["openings"]] == ["document.opening"] * 2 + ["access.allowed"]
    world.sleep(10)
    assert await engagement.attorney.post(path, status=200) == undone  # asked again: the same, and no second end
    assert len(entries(world, "grant.revoked")) == 2
    await seat.get(f"/documents/{paper}", 404)


async def test_an_act_is_undone_as_a_whole(engagement: Engagement) -> None:
    seat, world = await engagement.member(), engagement.world
    papers = [await _paper(engagement, body=b"x" * 10) for _ in range(3)]
    by_hand = await _paper(engagement, label="pleading")
    await engagement.grant(seat, by_hand)
    given = await _share(engagement, _body(engagement, seat, abilities=["download"]))
    one = next(each for each in given["items"] if each["document_id"] == papers[0])
    await engagement.attorney.change("DELETE", f"/grants/{one['grant_id']}")
    world.sleep(5)
    await seat.get(f"/documents/{papers[1]}/content")
    path = f"/bulk-grants/{given['bulk_id']}/undo"
    undone = await engagement.attorney.post(path, status=200)
    assert (undone["count"], undone["opened"], undone["bytes"]) == (3, 1, 10)
    assert {each["grant"]["document_id"] for each in undone["items"]} == set(papers)
    assert await _seen(engagement, seat) == {by_hand}
    assert await engagement.attorney.post(path, status=200) == undone
    assert len(entries(world, "grant.revoked")) == 3
    assert await findings(world.services) == []


async def test_an_act_is_undone_by_who_may_revoke_it(engagement: Engagement, world: World) -> None:
    seat = await engagement.member()
    await _paper(engagement)
    given = await _share(engagement, _body(engagement, seat))
    path, foreign = f"/bulk-grants/{given['bulk_id']}/undo", await another_firm(world)
    await seat.post(path, status=403)
    for asker in (await world.attorney(), await foreign.attorney()):
        await asker.post(path, status=404)
    for nothing in ("blk_" + "0" * 32, "blk_x", "grt_" + "0" * 32, given["items"][0]["grant_id"]):
        await engagement.attorney.post(f"/bulk-grants/{nothing}/undo", status=404)
    deputy = await world.attorney()
    await engagement.attorney.change("PATCH", f"/engagements/{engagement.id}", {"deputy_id": deputy.person_id})
    await deputy.post(path, status=404)  # leads the engagement, and may revoke none of it
    assert len(await _seen(engagement, seat)) == 1

"""Moving a document over HTTP: where it goes, what ends, who may, what each end is told, and what a fault leaves."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import Any

import pytest
from sqlalchemy import select

from service.db.models import documents, moves, revisions
from tests.api.entries import another_firm
from tests.api.places import blobs, settle
from tests.logs import check_logs, entries_of
from tests.world import DAY_S, Engagement, Person, World, findings, rfc3339

BODY, TITLE = b"what the clinic wrote", "Letter of the clinic"


@dataclass
class Two:
    """Two engagements of one firm, and a mover who is named on a matter of each."""

    here: Engagement
    there: Engagement
    mover: Person  # leads `here`
    beside: str  # another part of `here`, of a matter of its own

    @property
    def world(self) -> World:
        return self.here.world

    async def paper(self, body: bytes = BODY, **more: Any) -> str:
        """A confirmed paper of `here`."""
        added = await self.here.document(body, **{"title": TITLE, **more})
        return str(added["document_id"])

    async def move(self, document_id: str, part_id: str | None = None, who: Person | None = None, **how: Any) -> Any:
        """Move it as it stands."""
        tag = how.pop("tag", None) or (await self.mover.ask("GET", f"/documents/{document_id}")).headers.get("etag")
        headers = {"if-match": tag} if tag else {}
        body = {"part_id": part_id or self.there.part_id}
        return await (who or self.mover).ask("POST", f"/documents/{document_id}/move", json=body, headers=headers)

    async def moved(self, document_id: str, part_id: str | None = None) -> Any:
        """Move it, and return what is there now."""
        answer = await self.move(document_id, part_id)
        assert answer.status_code == 201, answer.text
        return answer.json()


@pytest.fixture
async def two(world: World, engagement: Engagement) -> Two:
    """The two engagements."""
    there = await world.engagement()
    named = await there.attorney.ask("PUT", f"/matters/{there.matter_id}/team/{engagement.attorney.person_id}")
    assert named.status_code == 204
    matter = await engagement.attorney.post("/matters", {"number": "2027-9999", "client": "John Doe"})
    part = await engagement.attorney.post(
        f"/engagements/{engagement.id}/parts", {"matter_id": matter["id"], "caption": "Doe v. Acme"}
    )
    return Two(engagement, there, engagement.attorney, part["id"])


def _rows(world: World, document_id: str) -> list[Any]:
    with world.services.database.read(world.firm_id) as tx:
        return tx.all(select(revisions).where(revisions.c.document_id == document_id).order_by(revisions.c.number))


async def _whole(world: World) -> None:
    """Log, rows, keys and objects agree, and every intent has its outcome."""
    await settle(world)
    check_logs(world.services.database)
    assert await findings(world.services) == []


# Where it goes, and what ends -----------------------------------------------------------------------------------------


async def test_it_goes_on_in_another_engagement_sealed_anew_and_shared_with_nobody(two: Two) -> None:
    reader, document_id = await two.here.member(), await two.paper()
    card = await two.mover.get(f"/documents/{document_id}")
    await two.here.grant(reader, document_id)
    (before,) = await blobs(two.world)
    answer = await two.move(document_id)
    new = answer.json()
    assert (answer.status_code, answer.headers["location"]) == (201, f"/api/v1/documents/{new['id']}")
    assert (new["engagement_id"], new["part_id"], new["matter_id"]) == (
        two.there.id,
        two.there.part_id,
        two.there.matter_id,
    )
    same = ("label", "sensitivity", "state", "title", "size_bytes", "media_type", "condition", "pages")
    assert {name: new[name] for name in same} == {name: card[name] for name in same}
    assert not {new["id"], new["revision_id"]} & {card["id"], card["revision_id"]}
    assert await two.there.attorney.get(f"/documents/{new['id']}/content") == BODY
    assert (await two.there.attorney.get(f"/documents/{new['id']}/grants"))["items"] == []
    (after,) = await blobs(two.world)
    assert after != before
    (old,), (now,) = _rows(two.world, document_id), _rows(two.world, new["id"])
    assert (old.wrapped_key, now.moved_from) == (b"", old.id)
    assert (now.added_by, now.added_at, now.number) == (old.added_by, old.added_at, old.number)
    await reader.get(f"/documents/{document_id}", status=404)
    await reader.get(f"/documents/{new['id']}", status=404)
    await _whole(two.world)


async def test_each_end_has_an_entry_and_the_move_alone_binds_them(two: Two) -> None:
    reader, document_id = await two.here.member(), await two.paper()
    grant = await two.here.grant(reader, document_id)
    new = await two.moved(document_id)
    await settle(two.world)
    log = entries_of(two.world.services.database, two.world.firm_id)
    of = {each.type: each for each in log}
    intent, left, came = of["document.moving"], of["document.moved"], of["document.brought"]
    assert (intent.outcome, left.outcome, (left.data or {})["of"]) == ("allowed", "done", intent.index)
    revoked = of["grant.revoked"]
    assert (revoked.subjects or {})["grant"] == grant["id"]
    assert revoked.index < left.index < came.index
    ours, theirs = left.subjects or {}, came.subjects or {}
    assert (ours["engagement"], theirs["engagement"]) == (two.here.id, two.there.id)
    assert (ours["document"], theirs["document"]) == (document_id, new["id"])
    assert {*ours.values()} & {*theirs.values()} == {ours["move"]}
    assert len(of["revision.brought"].header or b"") == 56
    (now,) = _rows(two.world, new["id"])
    assert now.log_index == of["revision.brought"].index
    assert (left.action, came.action) == ("document:move", "document:add")  # each end by a decision of its own


async def test_within_an_engagement_it_goes_to_the_right_matter(two: Two) -> None:
    reader, document_id = await two.here.member(), await two.paper()
    await two.here.grant(reader, document_id)
    card = await two.mover.get(f"/documents/{document_id}")
    new = await two.moved(document_id, two.beside)
    assert (new["engagement_id"], new["part_id"], new["number"]) == (two.here.id, two.beside, card["number"] + 1)
    assert await two.mover.get(f"/documents/{new['id']}/content") == BODY
    for path in (f"/documents/{document_id}", f"/documents/{new['id']}"):
        await reader.get(path, status=404)
    listed = (await two.mover.get(f"/engagements/{two.here.id}/documents"))["items"]
    assert [each["id"] for each in listed] == [new["id"]]
    await _whole(two.world)


async def test_every_revision_that_has_a_key_goes_along_in_order(two: Two) -> None:
    seat = await two.here.member("intake_specialist")
    await two.here.ask(seat)
    added = await seat.upload(two.here.id, two.here.part_id, b"first try", label="intake_form")
    path = f"/documents/{added['document_id']}"
    typed = {"content-type": "text/plain"}
    tag = (await seat.ask("GET", path)).headers["etag"]
    await seat.ask("PUT", f"{path}/content", content=b"by hers", headers={"if-match": tag, **typed})
    await two.mover.change(
        "POST", f"{path}/confirmation", {"label": "intake_form", "sensitivity": "confidential"}, match=path
    )
    tag = (await two.mover.ask("GET", path)).headers["etag"]
    await two.mover.ask("PUT", f"{path}/content", content=b"by mine", headers={"if-match": tag, **typed})
    new = await two.moved(added["document_id"])
    now = _rows(two.world, new["id"])
    assert [(each.number, each.added_by) for each in now] == [(2, seat.membership_id), (3, two.mover.membership_id)]
    assert new["revision_id"] == now[-1].id
    assert await two.mover.get(f"/documents/{new['id']}/content") == b"by mine"
    assert len(await blobs(two.world)) == 2
    mine = {each["document_id"] for each in (await seat.get("/me/receipts"))["items"]}
    assert mine == {added["document_id"]}  # of the new place she is told nothing
    await _whole(two.world)


async def test_grants_of_every_kind_end_and_what_waited_for_an_answer_is_refused(two: Two) -> None:
    here, world = two.here, two.world
    by_hand, tasked, promised, keyed = [await here.member() for _ in range(4)]
    document_id = await two.paper()
    await here.grant(by_hand, document_id, ("view",))
    task = await here.task(tasked, (document_id,), preset="read", labels=[])
    standing = {
        "membership_id": promised.membership_id,
        "part_id": here.part_id,
        "labels": ["correspondence"],
        "sensitivity": "confidential",
        "abilities": ["view"],
        "not_after": rfc3339(world.now + 30 * DAY_S),
        "purpose": "Letters as they come.",
    }
    await two.mover.post(f"/engagements/{here.id}/standing-shares", standing)
    world.sleep(60)
    later = await two.paper(b"a later letter")
    standby = await here.standby(keyed, later)
    await keyed.change(
        "POST", f"/standbys/{standby['id']}/opening", {"reason": "The clerk calls."}, match=f"/standbys/{standby['id']}"
    )
    asked = {
        "kind": "access",
        "document_id": document_id,
        "abilities": ["download"],
        "not_after": rfc3339(world.now + 14 * DAY_S),
        "reason": "To print.",
    }
    request = await by_hand.post("/access-requests", asked)

    refused = await two.move(document_id)
    assert (refused.status_code, refused.json()["code"]) == (409, "bad_state")
    assert "task" in refused.json()["detail"]
    await two.mover.change("POST", f"/tasks/{task['id']}/cancellation", match=f"/tasks/{task['id']}")
    new = [await two.moved(each) for each in (document_id, later)]
    for seat in (by_hand, tasked, promised, keyed):
        for each in (document_id, later, *(one["id"] for one in new)):
            await seat.get(f"/documents/{each}", status=404)
        assert (await seat.get(f"/engagements/{here.id}/documents"))["items"] == []
    answered = await by_hand.get(f"/access-requests/{request['id']}")
    assert (answered["state"], answered["note"]) == ("refused", None)
    assert (await keyed.get(f"/standbys/{standby['id']}"))["papers"] == []
    await _whole(world)


async def test_no_standing_share_of_the_new_part_hands_it_out(two: Two) -> None:
    there, world = two.there, two.world
    standing = {
        "role": "paralegal",
        "part_id": there.part_id,
        "labels": ["correspondence"],
        "sensitivity": "confidential",
        "abilities": ["view"],
        "not_after": rfc3339(world.now + 30 * DAY_S),
        "purpose": "Letters as they come.",
    }
    present = await there.member()
    await there.attorney.post(f"/engagements/{there.id}/standing-shares", standing)
    world.sleep(60)
    new = await two.moved(await two.paper())
    own = await there.document(b"one that was added there")
    later = await there.member()
    for seat in (present, later):
        assert [each["id"] for each in (await seat.get(f"/engagements/{there.id}/documents"))["items"]] == [
            own["document_id"]
        ]
        await seat.get(f"/documents/{new['id']}", status=404)
    corrected = await there.attorney.ask(
        "PATCH", f"/documents/{new['id']}", json={"sensitivity": "routine"}, headers={"if-match": new["etag"]}
    )
    assert corrected.status_code == 200, corrected.text
    for seat in (present, later):  # nor when it is corrected, which hands out what was added there
        await seat.get(f"/documents/{new['id']}", status=404)
    await there.grant(present, new["id"])  # an attorney says so anew
    await present.get(f"/documents/{new['id']}")
    await _whole(world)


async def test_a_sealed_standby_share_opens_nothing_of_what_went_elsewhere(two: Two) -> None:
    seat, document_id = await two.here.member(), await two.paper()
    standby = await two.here.standby(seat, document_id)
    await two.moved(document_id)
    path = f"/standbys/{standby['id']}"
    answer = await seat.change("POST", f"{path}/opening", {"reason": "Urgent."}, status=409, match=path)
    assert answer["code"] == "bad_state"


# Who may, and what refuses --------------------------------------------------------------------------------------------


async def _refused(two: Two, answer: Any, document_id: str, status: int, code: str) -> None:
    """The answer says so, and nothing has changed."""
    assert (answer.status_code, answer.json()["code"]) == (status, code)
    assert await two.mover.get(f"/documents/{document_id}/content") == BODY
    assert len(await blobs(two.world)) == 1
    with two.world.services.database.read(two.world.firm_id) as tx:
        assert tx.all(select(moves)) == []
        assert [row.state for row in tx.all(select(documents.c.state))] == ["confirmed"]
    await _whole(two.world)


async def test_only_who_is_named_at_both_ends_moves_it(two: Two) -> None:
    document_id = await two.paper()
    coordinator_id = (await two.world.owner.post("/people", {"email": "c@firm.example", "name": "Cora"}))["id"]
    seat = await two.world.owner.post("/members", {"person_id": coordinator_id, "role": "coordinator"})
    coordinator = await two.world.sign_in(coordinator_id, seat["id"])
    for matter_id, lead in ((two.here.matter_id, two.mover), (two.there.matter_id, two.there.attorney)):
        assert (await lead.ask("PUT", f"/matters/{matter_id}/team/{coordinator_id}")).status_code == 204
    granted = await two.here.member()
    await two.here.grant(granted, document_id, ("view", "download"))
    stranger = await two.world.attorney()
    for who, status, code in (
        (two.there.attorney, 404, "not_found"),  # not named here
        (stranger, 404, "not_found"),
        (coordinator, 403, "forbidden"),
        (granted, 403, "forbidden"),
        (two.world.owner, 403, "forbidden"),
    ):
        await _refused(two, await two.move(document_id, who=who), document_id, status, code)
    unnamed = await two.world.engagement()  # the mover is not named there
    abroad = await (await another_firm(two.world)).engagement()
    unknown = "prt_01a3185c50007faba2cca72fea227055"
    answers = [await two.move(document_id, part_id) for part_id in (unnamed.part_id, abroad.part_id, unknown)]
    for answer in answers:
        await _refused(two, answer, document_id, 404, "not_found")
    said = [{**answer.json(), "instance": ""} for answer in answers]
    assert said == [said[0]] * len(said)  # whether there is such a part is not told


@pytest.mark.parametrize("end", ["here", "there"])
async def test_a_wall_before_either_matter_holds_it(two: Two, end: str) -> None:
    document_id = await two.paper()
    tag = (await two.mover.ask("GET", f"/documents/{document_id}")).headers["etag"]
    matter_id = two.here.matter_id if end == "here" else two.there.matter_id
    wall = {"person_id": two.mover.person_id, "matter_id": matter_id, "reason": "Kin of the other side."}
    raised = await two.world.owner.post("/walls", wall)
    answer = await two.move(document_id, tag=tag)
    await two.world.step_up(two.world.owner)
    await two.world.owner.change("DELETE", f"/walls/{raised['id']}")
    await _refused(two, answer, document_id, 404, "not_found")
    await two.moved(document_id)


@pytest.mark.parametrize("end", ["here", "there"])
async def test_once_the_end_of_either_engagement_is_asked_for_nothing_moves(two: Two, end: str) -> None:
    document_id = await two.paper()
    which = two.here if end == "here" else two.there
    await which.attorney.post(f"/engagements/{which.id}/disposal")
    await _refused(two, await two.move(document_id), document_id, 409, "bad_state")


async def test_what_nobody_confirmed_what_lies_there_and_what_was_changed_is_not_moved(two: Two) -> None:
    document_id = await two.paper()
    stale = (await two.mover.ask("GET", f"/documents/{document_id}")).headers["etag"]
    await _refused(two, await two.move(document_id, two.here.part_id), document_id, 409, "bad_state")
    bare = await two.mover.ask("POST", f"/documents/{document_id}/move", json={"part_id": two.there.part_id})
    await _refused(two, bare, document_id, 428, "precondition_missing")
    put = {"if-match": stale, "content-type": "text/plain"}
    assert (
        await two.mover.ask("PUT", f"/documents/{document_id}/content", content=BODY, headers=put)
    ).status_code == 200
    answer = await two.move(document_id, tag=stale)
    assert (answer.status_code, answer.json()["code"]) == (412, "stale")
    seat = await two.here.member("intake_specialist")
    await two.here.ask(seat)
    hers = await seat.upload(two.here.id, two.here.part_id, BODY, label="intake_form")
    answer = await two.move(hers["document_id"])
    assert (answer.status_code, answer.json()["code"]) == (409, "bad_state")
    assert await seat.get(f"/documents/{hers['document_id']}/content") == BODY
    await _whole(two.world)


async def test_who_is_suspended_moves_nothing(two: Two) -> None:
    document_id = await two.paper()
    tag = (await two.mover.ask("GET", f"/documents/{document_id}")).headers["etag"]
    member = f"/members/{two.mover.membership_id}"
    await two.world.owner.change("POST", f"{member}/suspension", match=member)
    answer = await two.move(document_id, tag=tag)
    await two.world.owner.change("DELETE", f"{member}/suspension", match=member)
    assert answer.status_code in (403, 404)
    await _refused(two, answer, document_id, answer.status_code, answer.json()["code"])


async def test_under_a_legal_hold_the_old_one_is_kept_where_nobody_reaches_it(two: Two) -> None:
    document_id = await two.paper()
    await two.mover.post("/holds", {"matter_id": two.here.matter_id, "reason": "A suit."})
    new = await two.moved(document_id)
    (old,) = _rows(two.world, document_id)
    assert old.wrapped_key
    assert len(await blobs(two.world)) == 2
    for path in ("", "/content"):
        assert (await two.mover.get(f"/documents/{document_id}{path}", status=410))["code"] == "moved"
    assert await two.mover.get(f"/documents/{new['id']}/content") == BODY
    await _whole(two.world)


# What is left, and what each end is told ------------------------------------------------------------------------------


async def test_the_old_id_is_gone_for_the_team_and_was_never_there_for_everybody_else(two: Two) -> None:
    seat, document_id = await two.here.member(), await two.paper()
    await two.here.grant(seat, document_id)
    never = "doc_01a3185c50007faba2cca72fea227055"
    await two.moved(document_id)
    for path in ("", "/content", "/access", "/grants"):
        gone = await two.mover.get(f"/documents/{document_id}{path}", status=410)
        assert gone["code"] == "moved"
    for who in (seat, two.there.attorney, await two.world.attorney()):
        for path in ("", "/content"):
            one = await who.get(f"/documents/{document_id}{path}", status=404)
            other = await who.get(f"/documents/{never}{path}", status=404)
            assert {**one, "instance": ""} == {**other, "instance": ""}
    again = await two.move(document_id, tag=f'"{document_id}-1"')
    assert (again.status_code, again.json()["code"]) == (410, "moved")


async def test_whoever_sends_his_file_again_is_told_what_became_of_it_then(two: Two) -> None:
    seat = await two.here.member("intake_specialist")
    await two.here.ask(seat)
    key = {"idempotency-key": "once"}

    async def send() -> Any:
        return await seat.upload(two.here.id, two.here.part_id, BODY, label="intake_form", headers=key)

    added = await send()
    path = f"/documents/{added['document_id']}"
    word = {"label": "intake_form", "sensitivity": "confidential"}
    await two.mover.change("POST", f"{path}/confirmation", word, match=path)
    confirmed = await send()
    await two.moved(added["document_id"])
    again = await send()
    assert again["document_id"] == added["document_id"]
    assert {**again, "etag": ""} == {**confirmed, "etag": ""}
    assert again["state"] == "confirmed"


async def test_of_two_who_move_it_at_once_one_is_refused(two: Two) -> None:
    document_id = await two.paper()
    tag = (await two.mover.ask("GET", f"/documents/{document_id}")).headers["etag"]
    answers = await asyncio.gather(
        *(two.move(document_id, part_id, tag=tag) for part_id in (two.there.part_id, two.beside))
    )
    assert sorted(answer.status_code for answer in answers) in ([201, 410], [201, 412])
    assert len(await blobs(two.world)) == 1
    await _whole(two.world)


async def test_its_lineage_tells_who_had_opened_it_across_several_moves(two: Two) -> None:
    seat, document_id = await two.here.member(), await two.paper()
    await two.here.grant(seat, document_id, ("view", "text", "download"))
    began = two.world.now
    await seat.get(f"/documents/{document_id}")
    two.world.sleep(60)
    for _ in range(2):
        await seat.get(f"/documents/{document_id}/content")
    await seat.get(f"/documents/{document_id}/text")
    await settle(two.world)
    two.world.sleep(60)
    beside = await two.moved(document_id, two.beside)
    two.world.sleep(60)
    there = await two.moved(beside["id"])
    two.world.sleep(60)
    clerk = await two.there.member()
    await two.there.grant(clerk, there["id"])
    await clerk.get(f"/documents/{there['id']}/content")
    await settle(two.world)
    for asked in (document_id, beside["id"], there["id"]):
        told = await two.mover.get(f"/documents/{asked}/lineage")
        assert told["document_id"] == asked
        stays = told["stays"]
        assert [each["document_id"] for each in stays] == [document_id, beside["id"], there["id"]]
        assert [each["engagement_id"] for each in stays] == [two.here.id, two.here.id, two.there.id]
        assert [each["until"] for each in stays] == [rfc3339(began + 120), rfc3339(began + 180), None]
        assert [each["moved_by"] for each in stays] == [two.mover.membership_id] * 2 + [None]
        hers = [each for each in stays[0]["openers"] if each["person_id"] == seat.person_id]
        assert hers == [
            {
                "person_id": seat.person_id,
                "membership_id": seat.membership_id,
                "first_at": rfc3339(began),
                "last_at": rfc3339(began + 60),
                "views": 1,
                "texts": 1,
                "downloads": 2,
                "bytes_sent": 3 * len(BODY),
                "unfinished": 0,
            }
        ]
        assert [each["person_id"] for each in stays[2]["openers"]] == [clerk.person_id]
    await _whole(two.world)


async def test_who_may_see_one_end_is_told_nothing_of_the_other(two: Two) -> None:
    document_id = await two.paper()
    colleague = await two.world.attorney()
    named = await two.mover.ask("PUT", f"/matters/{two.here.matter_id}/team/{colleague.person_id}")
    assert named.status_code == 204
    new = await two.moved(document_id)
    ours = (two.here.id, two.here.part_id, two.here.matter_id, document_id)
    theirs = (two.there.id, two.there.part_id, two.there.matter_id, new["id"])
    for who, asked, unseen in ((colleague, document_id, theirs), (two.there.attorney, new["id"], ours)):
        answer = await who.ask("GET", f"/documents/{asked}/lineage")
        assert [each["document_id"] for each in answer.json()["stays"]] == [asked]
        card = await who.ask("GET", f"/documents/{asked}")
        for word in unseen:
            assert word not in answer.text
            assert word not in card.text
    for who, hidden in ((two.there.attorney, document_id), (colleague, new["id"])):
        await who.get(f"/documents/{hidden}/lineage", status=404)
    await settle(two.world)
    for entry in entries_of(two.world.services.database, two.world.firm_id):
        if (entry.subjects or {}).get("engagement") == two.there.id:
            assert not {*ours} & {*(entry.subjects or {}).values()}
    # Named at both ends he is told both.
    await two.there.attorney.ask("PUT", f"/matters/{two.there.matter_id}/team/{colleague.person_id}")
    told = await colleague.get(f"/documents/{new['id']}/lineage")
    assert [each["document_id"] for each in told["stays"]] == [document_id, new["id"]]


async def test_the_end_of_the_old_engagement_reaches_nothing_that_was_moved(two: Two) -> None:
    document_id, left = await two.paper(), await two.paper(b"what stays and ends")
    new = await two.moved(document_id)
    made = await two.mover.post(f"/engagements/{two.here.id}/disposal")
    assert made["revisions"] == 1
    await two.world.step_up(two.world.owner)
    await two.world.owner.post(
        f"/disposals/{made['id']}/approval", {"manifest_sha256": made["manifest_sha256"]}, status=200
    )
    await two.mover.post(f"/disposals/{made['id']}/return", {"waiver": "All is in our file.", "only_copies": []}, 200)
    await two.mover.post(f"/disposals/{made['id']}/run", status=200)
    (listed,) = (await two.mover.get(f"/certificates?engagement_id={two.here.id}"))["items"]
    certificate = (await two.mover.get(f"/certificates/{listed['id']}"))["body"]
    (old,) = _rows(two.world, document_id)
    assert (certificate["objects_deleted"], certificate["documents_moved_out"]) == (1, [document_id])
    assert old.id not in certificate["revisions"]
    assert await two.there.attorney.get(f"/documents/{new['id']}/content") == BODY
    assert (await two.mover.get(f"/documents/{document_id}", status=410))["code"] == "moved"
    assert (await two.mover.get(f"/documents/{left}", status=410))["code"] == "disposed"
    told = await two.mover.get(f"/documents/{new['id']}/lineage")
    assert [each["document_id"] for each in told["stays"]] == [document_id, new["id"]]
    await _whole(two.world)


async def test_a_download_that_runs_ends_with_the_move(two: Two) -> None:
    endings = two.world.services.ledger.endings
    await two.moved(await two.paper())
    assert two.world.services.ledger.endings > endings

"""Replacing a content over HTTP: by whom, until when, what becomes of the old one, and what a broken request leaves."""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import select

from service.app import create_app
from service.db.models import documents, revisions
from service.errors import StoreFullError, StoreUnavailableError
from service.ledger import fate
from tests.api.places import blobs, faulty, faulty_databases, rows, settle
from tests.api.wire import Answer, Client, ask
from tests.fakes.blobs import MemoryBlobs
from tests.logs import check_logs, entries_of
from tests.scale import count
from tests.world import Engagement, Person, World, a_world, findings

HOURS_72 = 72 * 3600
OLD, NEW = b"as it was sent first", b"as it should have been"
CONFIRMATION = {"label": "intake_form", "sensitivity": "confidential"}


async def _own(engagement: Engagement) -> tuple[Person, str]:
    """An intake specialist and a paper of hers that nobody has confirmed."""
    seat = await engagement.member("intake_specialist")
    await engagement.ask(seat)
    added = await seat.upload(engagement.id, engagement.part_id, OLD, label="intake_form")
    return seat, f"/documents/{added['document_id']}"


async def _replace(
    who: Person,
    path: str,
    body: bytes = NEW,
    *,
    tag: str | None = None,
    reader: Person | None = None,
    key: str | None = None,
) -> Any:
    """Replace the content of a document as it stands now, or as it stood at `tag`."""
    tag = tag or (await (reader or who).ask("GET", path)).headers["etag"]
    shown = {"if-match": tag, "content-type": "text/plain", **({} if key is None else {"idempotency-key": key})}
    return await who.ask("PUT", f"{path}/content", content=body, headers=shown)


def _revisions(world: World) -> list[Any]:
    with world.services.database.read(world.firm_id) as tx:
        return tx.all(select(revisions).order_by(revisions.c.number))


async def _refused(answer: Any, status: int, code: str, engagement: Engagement, path: str, content: bytes) -> None:
    """The answer says so, and the old content is there, alone, as the attorney reads it."""
    assert (answer.status_code, answer.json()["code"]) == (status, code)
    assert await engagement.attorney.get(f"{path}/content") == content
    await settle(engagement.world)
    assert [each.number for each in _revisions(engagement.world)] == [1]
    assert await findings(engagement.world.services) == []


# Who may, and what becomes of the old content -------------------------------------------------------------------------


async def test_an_adder_replaces_his_own_paper_and_nothing_is_left_of_the_old_one(
    world: World, engagement: Engagement
) -> None:
    seat, path = await _own(engagement)
    [before], card = await blobs(world), await seat.get(path)
    answer = await _replace(seat, path)
    receipt = answer.json()
    assert (answer.status_code, receipt["sha256"]) == (200, hashlib.sha256(NEW).hexdigest())
    assert (receipt["document_id"], receipt["number"], receipt["state"]) == (card["id"], card["number"], "to_look_at")
    assert (answer.headers["etag"], receipt["revision_id"] == card["revision_id"]) == (receipt["etag"], False)
    for reader in (seat, engagement.attorney):
        assert await reader.get(f"{path}/content") == NEW
    now = await seat.get(path)
    assert {name for name in card if card[name] != now[name]} == {"revision_id", "size_bytes", "etag"}
    assert before not in await blobs(world)
    old, new = _revisions(world)
    assert (old.wrapped_key, new.wrapped_key == b"", new.number) == (b"", False, 2)
    await settle(world)
    entry = entries_of(world.services.database, world.firm_id)[receipt["log_index"]]
    data = entry.data or {}
    assert (entry.type, entry.outcome, (entry.subjects or {})["revision"]) == ("document.revised", "done", new.id)
    assert (data["replaced"], data["destroyed"], data["number"], data["bytes"]) == (old.id, 1, 2, len(NEW))
    assert len(entry.header or b"") == 56
    assert {each["revision_id"] for each in (await seat.get("/me/receipts"))["items"]} == {old.id, new.id}
    assert await findings(world.services) == []


async def test_replacing_again_and_taking_back_leave_no_key_and_no_object(world: World, engagement: Engagement) -> None:
    seat, path = await _own(engagement)
    for number in range(3):
        assert (await _replace(seat, path, b"try %d" % number)).status_code == 200
        assert len(await blobs(world)) == 1
    await seat.change("DELETE", path, status=204)
    assert await blobs(world) == []
    assert [each.wrapped_key for each in _revisions(world)] == [b""] * 4
    assert await findings(world.services) == []


async def test_what_an_attorney_replaces_stays_as_an_older_revision(world: World, engagement: Engagement) -> None:
    reader, document = await engagement.member(), await engagement.document(OLD)
    path = f"/documents/{document['document_id']}"
    await engagement.grant(reader, document["document_id"])
    answer = await _replace(engagement.attorney, path)
    assert (answer.status_code, answer.json()["state"]) == (200, "confirmed")
    assert await reader.get(f"{path}/content") == NEW  # a grant is on the document, whatever its content
    old, new = _revisions(world)
    assert old.wrapped_key
    assert sorted((old.blob_id, new.blob_id)) == await blobs(world)
    await settle(world)
    assert (entries_of(world.services.database, world.firm_id, "document.revised")[-1].data or {})["destroyed"] == 0
    assert await findings(world.services) == []


async def test_an_attorney_confirms_first_what_somebody_added(engagement: Engagement) -> None:
    seat, path = await _own(engagement)
    await _refused(await _replace(engagement.attorney, path), 409, "bad_state", engagement, path, OLD)
    await engagement.attorney.change("POST", f"{path}/confirmation", CONFIRMATION, match=path)
    assert (await _replace(engagement.attorney, path)).status_code == 200
    await seat.get(path, status=404)
    assert await engagement.attorney.get(f"{path}/content") == NEW
    assert all(each.wrapped_key for each in _revisions(engagement.world))


async def test_under_a_legal_hold_nothing_that_was_replaced_or_taken_back_is_destroyed(
    world: World, engagement: Engagement
) -> None:
    seat, path = await _own(engagement)
    await engagement.attorney.post("/holds", {"matter_id": engagement.matter_id, "reason": "A suit."})
    assert (await _replace(seat, path)).status_code == 200
    await seat.change("DELETE", path, status=204)
    await seat.get(f"{path}/content", status=404)
    await engagement.attorney.get(f"{path}/content", status=404)
    assert all(each.wrapped_key for each in _revisions(world))
    assert len(await blobs(world)) == 2
    assert await findings(world.services) == []


# Who may not ----------------------------------------------------------------------------------------------------------


async def test_nobody_replaces_what_another_added(engagement: Engagement) -> None:
    _, path = await _own(engagement)
    other, unnamed = await engagement.member("intake_specialist"), await engagement.world.attorney()
    for who in (other, unnamed):
        answer = await _replace(who, path, reader=engagement.attorney)
        await _refused(answer, 404, "not_found", engagement, path, OLD)
    owner = await _replace(engagement.world.owner, path, reader=engagement.attorney)
    assert owner.status_code in (403, 404)


async def test_once_confirmed_its_adder_replaces_it_no_more_not_even_with_a_grant(engagement: Engagement) -> None:
    seat, path = await _own(engagement)
    early = (await seat.ask("GET", path)).headers["etag"]
    await engagement.attorney.change("POST", f"{path}/confirmation", CONFIRMATION, match=path)
    for tag in (early, (await engagement.attorney.ask("GET", path)).headers["etag"]):
        await _refused(await _replace(seat, path, tag=tag), 404, "not_found", engagement, path, OLD)
    await engagement.grant(seat, path.rpartition("/")[2])
    await _refused(await _replace(seat, path), 403, "ability_missing", engagement, path, OLD)


async def test_replacing_does_not_begin_the_72_hours_again(engagement: Engagement) -> None:
    seat, path = await _own(engagement)
    engagement.world.sleep(HOURS_72 - 1)
    answer = await _replace(seat, path)
    assert answer.status_code == 200
    engagement.world.sleep(1)
    late = await _replace(seat, path, b"too late", tag=answer.headers["etag"])
    assert (late.status_code, late.json()["code"]) == (404, "not_found")
    assert await engagement.attorney.get(f"{path}/content") == NEW


async def test_who_is_suspended_walled_or_has_left_replaces_nothing(engagement: Engagement) -> None:
    world, attorney = engagement.world, engagement.attorney
    seat, path = await _own(engagement)
    member = f"/members/{seat.membership_id}"
    await attorney.change("POST", f"{member}/suspension", match=member)
    await _refused(await _replace(seat, path, reader=attorney), 404, "not_found", engagement, path, OLD)
    await attorney.change("DELETE", f"{member}/suspension", match=member)
    wall = {"person_id": seat.person_id, "matter_id": engagement.matter_id, "reason": "Kin of the other side."}
    raised = await world.owner.post("/walls", wall)
    await _refused(await _replace(seat, path, reader=attorney), 404, "not_found", engagement, path, OLD)
    await world.step_up(world.owner)
    await world.owner.change("DELETE", f"/walls/{raised['id']}")
    await attorney.change("DELETE", member)
    await _refused(await _replace(seat, path, reader=attorney), 401, "unauthenticated", engagement, path, OLD)


async def test_who_is_walled_off_while_his_body_arrives_replaces_nothing(engagement: Engagement) -> None:
    world = engagement.world
    seat, path = await _own(engagement)
    tag = (await seat.ask("GET", path)).headers["etag"]
    wall = {"person_id": seat.person_id, "matter_id": engagement.matter_id, "reason": "Kin of the other side."}

    async def body() -> AsyncIterator[bytes]:
        yield NEW
        await world.owner.post("/walls", wall)
        yield NEW

    answer = await seat.ask("PUT", f"{path}/content", content=body(), headers={"if-match": tag})
    await _refused(answer, 404, "not_found", engagement, path, OLD)
    assert _outcomes(world) == ["failed"]


def _outcomes(world: World) -> list[str | None]:
    return [entry.outcome for entry in entries_of(world.services.database, world.firm_id, "document.revised")]


# Which content is meant -----------------------------------------------------------------------------------------------


async def test_without_the_etag_or_with_a_stale_one_not_a_byte_is_asked_for(engagement: Engagement) -> None:
    world = engagement.world
    seat, path = await _own(engagement)
    tag = (await seat.ask("GET", path)).headers["etag"]
    for headers, status, code in (({}, 428, "precondition_missing"), ({"if_match": '"x"'}, 412, "stale")):
        read: list[int] = []

        async def body(read: list[int] = read) -> AsyncIterator[bytes]:
            read.append(1)
            yield NEW

        shown = {name.replace("_", "-"): value for name, value in headers.items()}
        answer = await seat.ask("PUT", f"{path}/content", content=body(), headers=shown)
        await _refused(answer, status, code, engagement, path, OLD)
    assert _outcomes(world) == []
    assert (await _replace(seat, path, tag=tag)).status_code == 200
    stale = await _replace(seat, path, b"on top", tag=tag)
    assert (stale.status_code, stale.json()["code"]) == (412, "stale")
    assert await seat.get(f"{path}/content") == NEW


async def test_of_two_that_arrive_together_the_later_is_refused_and_not_kept(engagement: Engagement) -> None:
    world, path = engagement.world, f"/documents/{(await engagement.document(OLD))['document_id']}"
    attorney = engagement.attorney
    tag = (await attorney.ask("GET", path)).headers["etag"]

    async def overtaken() -> AsyncIterator[bytes]:
        yield b"the slow one"
        assert (await _replace(attorney, path, tag=tag)).status_code == 200

    slow = await attorney.ask("PUT", f"{path}/content", content=overtaken(), headers={"if-match": tag})
    assert (slow.status_code, slow.json()["code"]) == (412, "stale")
    assert await attorney.get(f"{path}/content") == NEW
    await settle(world)
    assert (len(await blobs(world)), len(_revisions(world))) == (2, 2)
    assert _outcomes(world) == ["done", "failed"]
    assert await findings(world.services) == []


async def test_the_same_key_and_file_give_the_first_receipt_again(world: World, engagement: Engagement) -> None:
    seat, path = await _own(engagement)
    tag = (await seat.ask("GET", path)).headers["etag"]
    first, again = [await _replace(seat, path, tag=tag, key="once") for _ in range(2)]
    assert (first.status_code, first.content) == (200, again.content)
    kept = await blobs(world)
    for body, used in ((b"another", tag), (b"another", first.headers["etag"])):
        other = await _replace(seat, path, body, tag=used, key="once")
        assert (other.status_code, other.json()["code"]) == (422, "idempotency_mismatch")
    missing = await seat.ask("PUT", f"{path}/content", content=NEW, headers={"idempotency-key": "once"})
    assert missing.status_code == 428
    assert await seat.get(f"{path}/content") == NEW
    await settle(world)
    assert (await blobs(world), len(kept), len(_revisions(world))) == (kept, 1, 2)
    assert _outcomes(world) == ["done", "aborted", "failed", "failed"]


# Any history ----------------------------------------------------------------------------------------------------------

STEPS = ("adder", "attorney", "confirm", "hold", "take_back")


async def _play(engagement: Engagement, steps: list[str]) -> tuple[list[bytes], list[bool]]:
    """Take the steps one after another; returns what each revision held, and whether its key must stand."""
    world, attorney = engagement.world, engagement.attorney
    seat, path = await _own(engagement)
    contents, live, state, hold = [OLD], [True], "to_look_at", None
    for number, step in enumerate(steps):
        content, tag = b"content %d" % number, (await attorney.ask("GET", path)).headers.get("etag", '"gone"')
        if step == "hold" and hold is None:
            hold = (await attorney.post("/holds", {"matter_id": engagement.matter_id, "reason": "A suit."}))["id"]
        elif step == "hold":
            await engagement.world.step_up(attorney)
            await attorney.change("DELETE", f"/holds/{hold}")
            hold = None
        elif step == "confirm":
            how = {"json": CONFIRMATION, "headers": {"if-match": tag}}
            answer = await attorney.ask("POST", f"{path}/confirmation", **how)
            assert (answer.status_code == 200) == (state == "to_look_at")
            state = "confirmed" if state == "to_look_at" else state
        elif step == "take_back":
            answer = await seat.ask("DELETE", path, headers={"if-match": tag})
            assert (answer.status_code == 204) == (state == "to_look_at")
            if state == "to_look_at":
                state, live = "taken_back", live if hold else [False] * len(live)
        else:
            allowed = state == ("to_look_at" if step == "adder" else "confirmed")
            answer = await _replace(seat if step == "adder" else attorney, path, content, tag=tag)
            assert (answer.status_code == 200) == allowed, answer.text
            if allowed:
                keep = hold is not None or step == "attorney"
                contents, live = [*contents, content], [*(live if keep else [False] * len(live)), True]
        served = await attorney.ask("GET", f"{path}/content")
        assert served.content == contents[-1] if state != "taken_back" else served.status_code == 404
    if hold is not None:
        await engagement.world.step_up(attorney)
        await attorney.change("DELETE", f"/holds/{hold}")
    await settle(world)
    return contents, live


def test_after_any_history_the_keys_and_objects_that_stand_are_those_that_must(
    tmp_path: Path, migrated_sqlite_url: str
) -> None:
    """The last accepted content is served after each step, and no other key or object is left than the rules say."""
    with asyncio.Runner() as runner:
        stack = AsyncExitStack()
        world = runner.run(stack.enter_async_context(a_world(tmp_path / "var", migrated_sqlite_url)))

        @settings(max_examples=count(300), deadline=None)
        @given(st.lists(st.sampled_from(STEPS), max_size=8))
        def check(steps: list[str]) -> None:
            engagement = runner.run(world.engagement())
            contents, live = runner.run(_play(engagement, steps))
            with world.services.database.read(world.firm_id) as tx:
                mine = select(revisions).join(documents, documents.c.id == revisions.c.document_id)
                mine = mine.where(documents.c.engagement_id == engagement.id).order_by(revisions.c.number)
                found = tx.all(mine)
            assert [each.size_bytes for each in found] == [len(each) for each in contents]
            assert [each.wrapped_key != b"" for each in found] == live
            stored = set(runner.run(blobs(world)))
            assert [each.blob_id in stored for each in found] == live
            assert runner.run(findings(world.services)) == []

        try:
            check()
        finally:
            runner.run(stack.aclose())


# What a broken request leaves -----------------------------------------------------------------------------------------


async def _put(engagement: Engagement, seat: Person, path: str, body: list[bytes], **how: Any) -> Answer:
    tag = (await engagement.attorney.ask("GET", path)).headers["etag"]
    app = how.pop("app", engagement.world.app)
    return await ask(seat, app, "PUT", f"{path}/content", body, if_match=tag, content_type="text/plain", **how)


async def _as_before(world: World, before: Any, kept: list[str], outcome: str) -> None:
    await settle(world)
    assert (rows(world.services.database), await blobs(world)) == (before, kept)
    assert _outcomes(world)[-1] == outcome


async def test_a_client_who_stops_half_way_leaves_the_old_content_and_the_record(
    world: World, engagement: Engagement
) -> None:
    seat, path = await _own(engagement)
    before, kept = rows(world.services.database), await blobs(world)
    for pieces_sent in (0, 1, 3):
        client = Client(stops_sending_after=pieces_sent)
        await _put(engagement, seat, path, [b"p" * 300_000] * 5, client=client)
        await _as_before(world, before, kept, "aborted")
        assert await seat.get(f"{path}/content") == OLD
    for announced in (2, 99_999):
        answer = await _put(engagement, seat, path, [b"abc"], content_length=str(announced))
        assert (answer.status, b"incomplete_body" in answer.body) == (400, True)
        await _as_before(world, before, kept, "aborted")


async def test_more_than_the_limit_is_refused_announced_or_not(tmp_path: Path, migrated_url: str) -> None:
    async with a_world(tmp_path / "var", migrated_url, max_upload_bytes=1000) as world:
        engagement = await world.engagement()
        seat, path = await _own(engagement)
        before, kept = rows(world.services.database), await blobs(world)
        said = await _put(engagement, seat, path, [], content_length="1001")
        assert (said.status, _outcomes(world)) == (413, [])
        streamed = await _put(engagement, seat, path, [b"x" * 400] * 1000)
        assert streamed.status == 413
        await _as_before(world, before, kept, "failed")
        assert (await _put(engagement, seat, path, [b"x" * 1000])).status == 200


FAULTS = [
    (operation, stored, error, status)
    for operation in ("create", "write", "commit")
    for stored in (False, True)
    for error, status in ((StoreFullError, 507), (StoreUnavailableError, 503))
    if not (operation == "create" and stored)  # a writer that was made and not handed over holds nothing
]


async def test_a_store_that_fails_keeps_nothing_of_the_new_content(world: World, engagement: Engagement) -> None:
    seat, path = await _own(engagement)
    before, kept = rows(world.services.database), await blobs(world)
    for operation, stored, error, status in FAULTS:
        store = MemoryBlobs()
        store.faults.plan(operation, error, stored=stored)
        app = create_app(replace(world.services, blobs=store))
        answer = await _put(engagement, seat, path, [b"abc"], app=app)
        assert (answer.status, store.blobs) == (status, {}), (operation, stored)
        await _as_before(world, before, kept, "failed")


async def test_an_old_object_that_could_not_be_deleted_is_named_by_the_doctor(
    world: World, engagement: Engagement
) -> None:
    store = MemoryBlobs()
    services = replace(world.services, blobs=store)
    seat = await engagement.member("intake_specialist")
    await engagement.ask(seat)
    app = create_app(services)
    params, place = {"part_id": engagement.part_id, "label": "intake_form"}, f"/engagements/{engagement.id}/documents"
    added = await ask(seat, app, "POST", place, [OLD], params=params, muniment_title="UTF-8''x")
    path = added.headers["location"].removeprefix("/api/v1")
    [old] = store.blobs
    store.faults.plan("delete", StoreUnavailableError)
    assert (await _put(engagement, seat, path, [NEW], app=app)).status == 200
    [finding] = await findings(services)
    assert (finding.code, finding.ids) == ("blob_of_ended", (old,))


@pytest.fixture
async def shaky(tmp_path: Path, migrated_url: str) -> AsyncIterator[Engagement]:
    """An engagement whose database fails when told to."""
    with faulty_databases():
        async with a_world(tmp_path / "var", migrated_url) as world:
            yield await world.engagement()


async def test_when_the_commit_fails_the_old_content_stays_and_opens(shaky: Engagement) -> None:
    world = shaky.world
    seat, path = await _own(shaky)
    tag = (await seat.ask("GET", path)).headers["etag"]
    before, kept = rows(world.services.database), await blobs(world)
    faulty(world).fail_commit(after=1)
    assert (await _replace(seat, path, tag=tag)).status_code == 503
    await _as_before(world, before, kept, "failed")
    assert await seat.get(f"{path}/content") == OLD


async def test_when_the_answer_of_the_commit_is_lost_and_the_database_away_the_new_content_is_whole_and_found_again(
    shaky: Engagement, monkeypatch: pytest.MonkeyPatch
) -> None:
    world = shaky.world
    monkeypatch.setattr(fate, "PAUSES_S", (0.0, 0.01))
    seat, path = await _own(shaky)
    [old], tag = await blobs(world), (await seat.ask("GET", path)).headers["etag"]
    faulty(world).fail_commit(after=1, stored=True)
    faulty(world).faults.plan("connect", faulty(world).error, times=2)
    lost = await _replace(seat, path, tag=tag, key="once")
    assert (lost.status_code, lost.json()["code"]) == (503, "outcome_unknown")
    await settle(world)
    again = await _replace(seat, path, tag=tag, key="once")
    assert (again.status_code, again.json()["revision_id"]) == (200, (await seat.get(path))["revision_id"])
    assert await seat.get(f"{path}/content") == NEW
    await settle(world)
    check_logs(world.services.database)
    [finding] = await findings(world.services)  # its key is destroyed; nobody was left to delete it
    assert (finding.code, finding.ids) == ("blob_of_ended", (old,))
    with world.services.database.read(world.firm_id) as tx:
        assert tx.value(select(documents.c.version)) == 2


async def test_a_coordinator_replaces_and_takes_back_his_own_until_it_is_confirmed(engagement: Engagement) -> None:
    world, lead = engagement.world, engagement.attorney
    body = {"email": f"c{next(world.numbers)}@firm.example", "name": "Cleo"}
    person = (await world.owner.post("/people", body))["id"]
    member = await world.owner.post("/members", {"person_id": person, "role": "coordinator"})
    cleo = await world.sign_in(person, member["id"])
    team = f"/matters/{engagement.matter_id}/team/{person}"
    assert (await lead.ask("PUT", team)).status_code == 204
    mine, kept, off = [
        f"/documents/{(await cleo.upload(engagement.id, engagement.part_id, OLD))['document_id']}" for _ in range(3)
    ]
    assert (await _replace(cleo, mine)).status_code == 200
    assert await lead.get(f"{mine}/content") == NEW
    assert (await cleo.ask("DELETE", mine)).status_code == 428  # as it was read, and not otherwise
    await cleo.change("DELETE", mine, status=204)
    await lead.change("POST", f"{kept}/confirmation", CONFIRMATION, match=kept)
    theirs = f"/documents/{(await engagement.document())['document_id']}"
    for path in (kept, theirs):
        assert (await _replace(cleo, path)).json()["code"] == "ability_missing"
        tag = {"if-match": (await lead.ask("GET", path)).headers["etag"]}
        assert (await cleo.ask("DELETE", path, headers=tag)).json()["code"] == "ability_missing"
    assert (await _replace(cleo, off)).status_code == 200
    world.sleep(HOURS_72)
    assert (await _replace(cleo, off, reader=lead)).status_code in {403, 404}
    await cleo.get(off, status=404)

"""Uploads over HTTP: what arrives is sealed and proved, what does not arrive whole leaves nothing but its record."""

from __future__ import annotations

import asyncio
import hashlib
import shutil
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select

from service.app import create_app
from service.db.models import parts
from service.errors import StoreFullError, StoreUnavailableError
from service.ledger import fate
from tests.api.places import blobs, faulty, faulty_databases, rows, settle
from tests.api.wire import Client, a_real_server, ask
from tests.fakes.blobs import MemoryBlobs
from tests.logs import check_logs, entries_of
from tests.world import Engagement, World, a_world, findings, folder

MIB = 1024 * 1024


def _path(engagement: Engagement) -> str:
    return f"/engagements/{engagement.id}/documents"


def _how(engagement: Engagement, **more: str) -> dict[str, Any]:
    params = {"part_id": engagement.part_id, "label": "correspondence", "sensitivity": "confidential"}
    return {"params": params, "muniment_title": "UTF-8''Paper", "content_type": "text/plain", **more}


async def _nothing_but(world: World, before: Any, outcome: str, *, kept_blobs: list[str] | None = None) -> None:
    """No row and no object came to stay; the log tells how it ended, and is whole."""
    await settle(world)
    assert rows(world.services.database) == before
    assert await blobs(world) == (kept_blobs or [])
    last = entries_of(world.services.database, world.firm_id, "document.added")[-1]
    assert last.outcome == outcome


async def test_the_receipt_proves_what_arrived_when_and_where(world: World, engagement: Engagement) -> None:
    body = b"the whole letter" * 5000
    receipt = await engagement.document(body)
    assert receipt["sha256"] == hashlib.sha256(body).hexdigest()
    assert (receipt["size_bytes"], receipt["state"], receipt["number"]) == (len(body), "confirmed", 1)
    assert receipt["received_at"] == "2027-01-15T08:00:00Z"
    proof = await engagement.attorney.ask("GET", f"/documents/{receipt['document_id']}/content")
    assert proof.content == body
    await settle(world)
    added = entries_of(world.services.database, world.firm_id)[receipt["log_index"]]
    assert (added.type, added.outcome, (added.subjects or {})["revision"]) == (
        "document.added",
        "done",
        receipt["revision_id"],
    )
    assert len(added.header or b"") == 56


async def test_the_answer_names_the_place_and_version_of_what_was_made(engagement: Engagement) -> None:
    how = _how(engagement)
    answer = await ask(engagement.attorney, engagement.world.app, "POST", _path(engagement), [b"x"], **how)
    assert answer.status == 201
    read = await engagement.attorney.ask("GET", answer.headers["location"].removeprefix("/api/v1"))
    assert read.headers["etag"] == answer.headers["etag"]


async def test_a_client_who_stops_half_way_leaves_nothing_but_the_record(world: World, engagement: Engagement) -> None:
    before = rows(world.services.database)
    for pieces_sent in (0, 1, 3):
        client = Client(stops_sending_after=pieces_sent)
        body = [b"p" * 300_000] * 5
        await ask(engagement.attorney, world.app, "POST", _path(engagement), body, client=client, **_how(engagement))
        await _nothing_but(world, before, "aborted")
        entry = entries_of(world.services.database, world.firm_id, "document.added")[-1]
        assert (entry.data or {})["bytes"] == pieces_sent * 300_000


async def test_a_connection_that_breaks_half_way_through_an_upload_leaves_nothing_but_the_record(
    world: World, engagement: Engagement
) -> None:
    before, path = rows(world.services.database), f"/api/v1{_path(engagement)}"
    query = f"part_id={engagement.part_id}&label=other&sensitivity=routine"
    head = (
        f"POST {path}?{query} HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {engagement.attorney.token}\r\n"
        f"Muniment-Title: UTF-8''x\r\nContent-Type: text/plain\r\nContent-Length: {4 * MIB}\r\n\r\n"
    )
    async with a_real_server(world) as port:
        _, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(head.encode() + b"p" * MIB)
        await writer.drain()
        await asyncio.sleep(0.05)
        writer.transport.abort()
        for _ in range(200):
            await asyncio.sleep(0.02)
            if entries_of(world.services.database, world.firm_id, "document.added"):
                break
    await _nothing_but(world, before, "aborted")


async def test_a_body_that_is_not_as_long_as_announced_is_not_kept(world: World, engagement: Engagement) -> None:
    before = rows(world.services.database)
    for announced in (2, 4, 99_999):
        how = _how(engagement, content_length=str(announced))
        answer = await ask(engagement.attorney, world.app, "POST", _path(engagement), [b"abc"], **how)
        assert answer.status == 400
        assert b"incomplete_body" in answer.body
        await _nothing_but(world, before, "aborted")


async def test_more_than_the_limit_is_refused_announced_or_not(tmp_path: Path, migrated_url: str) -> None:
    async with a_world(tmp_path / "var", migrated_url, max_upload_bytes=1000) as world:
        engagement = await world.engagement()
        before, size = rows(world.services.database), len(entries_of(world.services.database, world.firm_id))
        attorney, path = engagement.attorney, _path(engagement)
        said = await ask(attorney, world.app, "POST", path, [], **_how(engagement, content_length="1001"))
        assert said.status == 413
        assert len(entries_of(world.services.database, world.firm_id)) == size  # not a byte was asked for
        read: list[int] = []

        async def watch(count: int) -> None:
            read.append(count)

        body = [b"x" * 400] * 1000
        streamed = await ask(attorney, world.app, "POST", path, body, client=Client(watch=watch), **_how(engagement))
        assert streamed.status == 413
        await _nothing_but(world, before, "failed")
        entry = entries_of(world.services.database, world.firm_id, "document.added")[-1]
        assert (entry.data or {})["bytes"] == 1200  # it stopped at the piece that was too much
        exact = await ask(attorney, world.app, "POST", path, [b"x" * 1000], **_how(engagement))
        assert exact.status == 201


async def test_an_empty_file_is_kept_marked_and_comes_back_empty(world: World, engagement: Engagement) -> None:
    receipt = await engagement.document(b"")
    assert (receipt["size_bytes"], receipt["condition"]) == (0, "empty")
    assert await engagement.attorney.get(f"/documents/{receipt['document_id']}/content") == b""
    await settle(world)
    assert entries_of(world.services.database, world.firm_id, "document.opened")[-1].outcome == "done"


def _rss() -> int:
    with Path("/proc/self/statm").open() as file:
        return int(file.read().split()[1]) * 4096


async def test_a_huge_file_streams_in_and_out_through_bounded_memory(tmp_path: Path, migrated_sqlite_url: str) -> None:
    async with a_world(tmp_path / "var", migrated_sqlite_url) as world:
        engagement = await world.engagement()
        piece, pieces = bytes(range(256)) * 1024, 256  # 64 MiB
        peak = start = _rss()

        class Body:
            def __iter__(self) -> Any:
                return iter([piece] * pieces)  # the same bytes again and again

        async def watch(_count: int) -> None:
            nonlocal peak
            peak = max(peak, _rss())

        answer = await ask(engagement.attorney, world.app, "POST", _path(engagement), Body(), **_how(engagement))
        assert answer.status == 201
        peak = max(peak, _rss())
        digest, received = hashlib.sha256(), 0
        document_id = answer.headers["location"].rpartition("/")[2]

        class Reader(list[bytes]):
            def append(self, data: bytes) -> None:
                nonlocal received
                digest.update(data)
                received += len(data)

        out = await ask(
            engagement.attorney,
            world.app,
            "GET",
            f"/documents/{document_id}/content",
            client=Client(watch=watch),
            into=Reader(),
        )
        assert out.complete
        assert received == 64 * MIB
        assert digest.digest() == hashlib.sha256(piece * pieces).digest()
        assert peak - start < 40 * MIB


FAULTS = [
    (operation, stored, error, status)
    for operation in ("create", "write", "commit")
    for stored in (False, True)
    for error, status in ((StoreFullError, 507), (StoreUnavailableError, 503))
    if not (operation == "create" and stored)  # a writer that was made and not handed over holds nothing
]


async def test_a_store_that_fails_keeps_nothing(world: World, engagement: Engagement) -> None:
    before = rows(world.services.database)
    for operation, stored, error, status in FAULTS:
        store = MemoryBlobs()
        store.faults.plan(operation, error, stored=stored)
        app = create_app(replace(world.services, blobs=store))
        answer = await ask(engagement.attorney, app, "POST", _path(engagement), [b"abc"], **_how(engagement))
        assert answer.status == status, (operation, stored)
        assert store.blobs == {}
        await _nothing_but(world, before, "failed")


async def test_an_object_that_could_not_be_taken_away_is_named_by_the_doctor(
    world: World, engagement: Engagement
) -> None:
    store = MemoryBlobs()
    store.faults.plan("commit", StoreUnavailableError, stored=True)
    store.faults.plan("delete", StoreUnavailableError)
    services = replace(world.services, blobs=store)
    answer = await ask(
        engagement.attorney, create_app(services), "POST", _path(engagement), [b"abc"], **_how(engagement)
    )
    assert answer.status == 503
    await settle(world)
    [finding] = await findings(services)
    assert (finding.code, finding.ids) == ("blob_without_row", tuple(store.blobs))


async def test_without_its_key_nothing_is_taken_in_and_another_place_has_it(
    world: World, engagement: Engagement
) -> None:
    before = rows(world.services.database)
    first, *others = world.services.settings.key_places
    place = folder(first)
    with world.services.database.read(world.firm_id) as tx:
        world.services.keys.forget(tx.value(select(parts.c.key_id).where(parts.c.id == engagement.part_id)))
    shutil.move(place, place.with_name("away"))
    answer = await ask(engagement.attorney, world.app, "POST", _path(engagement), [b"abc"], **_how(engagement))
    if others:
        assert answer.status == 201
    else:
        assert answer.status == 503
        assert b"key_place_unavailable" in answer.body
        await _nothing_but(world, before, "failed")
    shutil.move(place.with_name("away"), place)
    assert (await engagement.document(b"abc"))["number"] == (2 if others else 1)
    assert await findings(world.services) == []


DECLARED = (
    "",
    "nonsense",
    "text/html",
    "image/svg+xml",
    "application/pdf",
    'a/b; charset="x',
    "text/plain" + "x" * 2000,
)


async def test_what_is_declared_is_looked_at_and_never_repeated(engagement: Engagement) -> None:
    body = b"<script>alert(1)</script>"
    for declared in DECLARED:
        how = _how(engagement, content_type=declared)
        answer = await ask(engagement.attorney, engagement.world.app, "POST", _path(engagement), [body], **how)
        assert answer.status == 201
        path = answer.headers["location"].removeprefix("/api/v1")
        card = await engagement.attorney.get(path)
        assert card["media_type"] in {"text/plain", "application/octet-stream", "application/pdf"}
        sent = await engagement.attorney.ask("GET", f"{path}/content")
        assert sent.content == body
        assert sent.headers["content-type"] == card["media_type"]
        assert sent.headers["content-disposition"].startswith("attachment;")
        assert "sandbox" in sent.headers["content-security-policy"]


async def test_a_json_file_may_be_larger_than_a_json_request(engagement: Engagement) -> None:
    body = b'{"a":"' + b"b" * 1_100_000 + b'"}'
    for declared in ("application/json", ""):
        how = _how(engagement, content_type=declared)
        answer = await ask(engagement.attorney, engagement.world.app, "POST", _path(engagement), [body], **how)
        assert answer.status == 201


GOOD_TITLES = {
    "UTF-8''..%2F..%2Fetc%2Fpasswd": "../../etc/passwd",
    "utf-8''%3Dcmd%7C%27%20%2FC%20calc%27%21A0": "=cmd|' /C calc'!A0",
    "UTF-8''C%3A%5Cx.pdf": "C:\\x.pdf",
    "UTF-8''%E6%97%A5%E6%9C%AC": "日本",
    "UTF-8''e%CC%81": "é",
    "UTF-8''%22%3B%20filename%3Dx.exe": '"; filename=x.exe',
    "UTF-8''100%25": "100%",
}


async def test_a_title_is_kept_as_text_and_never_used_as_anything_else(engagement: Engagement) -> None:
    for header, title in GOOD_TITLES.items():
        how = _how(engagement, muniment_title=header)
        answer = await ask(engagement.attorney, engagement.world.app, "POST", _path(engagement), [b"x"], **how)
        assert answer.status == 201
        path = answer.headers["location"].removeprefix("/api/v1")
        assert (await engagement.attorney.get(path))["title"] == title
        sent = (await engagement.attorney.ask("GET", f"{path}/content")).headers["content-disposition"]
        fallback, _, extended = sent.partition("; filename*=UTF-8''")
        assert fallback == 'attachment; filename="document"'
        assert not set(extended) & set("/\\\"'; \r\n")


BAD_TITLES = [
    "",
    "plain",
    "UTF-8''",
    "UTF-8'en'x",
    "ISO-8859-1''x",
    "UTF-8''%FF",
    "UTF-8''%ED%A0%80",
    "UTF-8''%ZZ",
    "UTF-8''%4",
    "UTF-8''a%00b",
    "UTF-8''a%0D%0Ab",
    "UTF-8''a%1Bb",
    "UTF-8''evil%E2%80%AEfdp.exe",
    "UTF-8''a%E2%80%A8b",
    "UTF-8''" + "a" * 256,
    "UTF-8''%20",
    None,
]


async def test_a_title_that_deceives_or_cannot_be_read_is_refused_before_any_byte(engagement: Engagement) -> None:
    world = engagement.world
    before = len(entries_of(world.services.database, world.firm_id))
    for header in BAD_TITLES:
        how = _how(engagement)
        how.pop("muniment_title")
        how |= {} if header is None else {"muniment_title": header}
        answer = await ask(engagement.attorney, world.app, "POST", _path(engagement), [b"x"], **how)
        assert (answer.status, b"bad_title" in answer.body) == (422, True), header
    assert len(entries_of(world.services.database, world.firm_id)) == before


async def test_the_same_key_and_file_give_the_first_receipt_again(world: World, engagement: Engagement) -> None:
    how = _how(engagement, idempotency_key="once")
    first, again = [
        await ask(engagement.attorney, world.app, "POST", _path(engagement), [b"abc"], **how) for _ in range(2)
    ]
    assert (first.status, again.status) == (201, 201)
    assert first.body == again.body
    kept = await blobs(world)
    assert len(kept) == 1
    other = await ask(engagement.attorney, world.app, "POST", _path(engagement), [b"abd"], **how)
    assert other.status == 422
    assert b"idempotency_mismatch" in other.body
    renamed = await ask(
        engagement.attorney, world.app, "POST", _path(engagement), [b"abc"], **{**how, "muniment_title": "UTF-8''Other"}
    )
    assert renamed.status == 422
    await settle(world)
    assert await blobs(world) == kept
    outcomes = [e.outcome for e in entries_of(world.services.database, world.firm_id, "document.added")]
    assert outcomes == ["done", "aborted", "failed", "failed"]


async def test_another_member_may_use_the_same_key(world: World, engagement: Engagement) -> None:
    other = await world.attorney()
    matter = f"/matters/{engagement.matter_id}"
    await engagement.attorney.change("PUT", f"{matter}/team/{other.person_id}", match=matter, status=204)
    how = _how(engagement, idempotency_key="once")
    first = await ask(engagement.attorney, world.app, "POST", _path(engagement), [b"abc"], **how)
    second = await ask(other, world.app, "POST", _path(engagement), [b"abc"], **how)
    assert (first.status, second.status) == (201, 201)
    assert first.headers["location"] != second.headers["location"]


@pytest.fixture
async def shaky(tmp_path: Path, migrated_url: str) -> AsyncIterator[Engagement]:
    """An engagement whose database fails when told to."""
    with faulty_databases():
        async with a_world(tmp_path / "var", migrated_url) as world:
            yield await world.engagement()


async def test_without_a_record_of_the_intent_no_byte_is_taken(shaky: Engagement) -> None:
    world, before = shaky.world, rows(shaky.world.services.database, log=True)
    faulty(world).faults.plan("commit", faulty(world).error)
    store = MemoryBlobs()
    app = create_app(replace(world.services, blobs=store))
    answer = await ask(shaky.attorney, app, "POST", _path(shaky), [b"abc"], **_how(shaky))
    assert answer.status == 503
    assert b"ledger_unavailable" in answer.body
    assert store.faults.calls == []
    assert rows(world.services.database, log=True) == before


async def test_when_the_document_cannot_be_recorded_it_is_not_kept(shaky: Engagement) -> None:
    world, before = shaky.world, rows(shaky.world.services.database)
    faulty(world).fail_commit(after=1)
    answer = await ask(shaky.attorney, world.app, "POST", _path(shaky), [b"abc"], **_how(shaky))
    assert answer.status == 503
    await _nothing_but(world, before, "failed")


@pytest.mark.parametrize("is_away", [False, True])
async def test_when_only_the_answer_of_the_commit_is_lost_the_document_is_whole_and_found_again(
    shaky: Engagement, monkeypatch: pytest.MonkeyPatch, *, is_away: bool
) -> None:
    """The database is there again at once, and the answer is yes; or it stays away, and nobody can say."""
    world, how = shaky.world, _how(shaky, idempotency_key="once")
    monkeypatch.setattr(fate, "PAUSES_S", (0.0, 0.01))
    faulty(world).fail_commit(after=1, stored=True)
    if is_away:
        faulty(world).faults.plan("connect", faulty(world).error, times=2)
    lost = await ask(shaky.attorney, world.app, "POST", _path(shaky), [b"abc"], **how)
    assert lost.status == (503 if is_away else 201)
    assert (b"outcome_unknown" in lost.body) is is_away
    await settle(world)
    kept = await blobs(world)
    assert len(kept) == 1
    again = await ask(shaky.attorney, world.app, "POST", _path(shaky), [b"abc"], **how)
    assert again.status == 201
    assert is_away or again.headers["location"] == lost.headers["location"]
    assert (await shaky.attorney.get(again.headers["location"].removeprefix("/api/v1") + "/content")) == b"abc"
    assert await blobs(world) == kept
    await settle(world)
    check_logs(world.services.database)
    assert await findings(world.services) == []


async def test_an_object_stays_where_nobody_can_say_whether_a_row_rests_on_it(
    shaky: Engagement, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The database stays away until after the upload was given up: what was committed must still open."""
    world = shaky.world
    monkeypatch.setattr(fate, "PAUSES_S", (0.0,))
    faulty(world).fail_commit(after=1, stored=True)
    faulty(world).faults.plan("connect", faulty(world).error, times=2)
    assert (await ask(shaky.attorney, world.app, "POST", _path(shaky), [b"abc"], **_how(shaky))).status == 503
    [document] = (await shaky.attorney.get(_path(shaky).removeprefix("/api/v1")))["items"]
    assert await shaky.attorney.get(f"/documents/{document['id']}/content") == b"abc"
    await settle(world)
    assert await findings(world.services) == []


async def test_what_a_vendor_person_says_of_sensitivity_does_not_count(engagement: Engagement) -> None:
    seat = await engagement.member("intake_specialist")
    await engagement.ask(seat)
    for said in ("routine", "attorney_only"):
        receipt = await seat.upload(engagement.id, engagement.part_id, b"x", label="intake_form", sensitivity=said)
        card = await seat.get(f"/documents/{receipt['document_id']}")
        assert (card["sensitivity"], card["state"]) == ("confidential", "to_look_at")


async def test_a_part_of_another_engagement_does_not_exist_here(world: World, engagement: Engagement) -> None:
    other = await world.engagement()
    for part_id in (other.part_id, "prt_" + "0" * 32, "x", "../.."):
        await engagement.attorney.upload(engagement.id, part_id, b"x", status=404)
        await other.attorney.upload(engagement.id, part_id, b"x", status=404)
    await engagement.attorney.upload(engagement.id, engagement.part_id, b"x", status=422, label="no_such_label")
    assert await blobs(world) == []

"""Downloads over HTTP: announced before the first byte, accounted for after the last, ended within a second."""

from __future__ import annotations

import asyncio
import random
import socket
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import bindparam, select, update

from audit.entry import Entry
from service import downloads
from service.app import create_app
from service.crypto.streams import HEADER_BYTES, SEALED_CHUNK_BYTES
from service.db.models import documents, log_intents, parts
from service.ledger import Outcome
from tests.api.places import faulty, faulty_databases, rows, settle
from tests.api.wire import Answer, Client, a_real_server, ask
from tests.fakes.blobs import MemoryBlobs
from tests.logs import entries_of
from tests.world import DAY_S, Engagement, Person, World, a_world

KIB = 1024
PIECE = 256 * KIB
MIB = 1024 * KIB
LARGE = random.Random(7).randbytes(6 * PIECE + 77)


def _content(document: Any) -> str:
    return f"/documents/{document['document_id']}/content"


async def _outcomes(world: World) -> list[Entry]:
    await settle(world)
    return entries_of(world.services.database, world.firm_id, "document.opened")


async def _last(world: World) -> tuple[str | None, int]:
    """How the last download ended, and the bytes that left."""
    entry = (await _outcomes(world))[-1]
    sent = (entry.data or {})["bytes"]
    assert isinstance(sent, int)
    return entry.outcome, sent


async def test_no_connection_is_held_while_bytes_stream(world: World, engagement: Engagement) -> None:
    """Neither up nor down, however long the client takes: one connection would do for any number of them."""
    lent: list[int] = []

    async def watch(_pieces: int) -> None:
        lent.append(world.services.database.pool.lent())

    async def slowly() -> AsyncIterator[bytes]:
        for at in range(0, len(LARGE), PIECE):
            await watch(at)
            yield LARGE[at : at + PIECE]

    path, params = f"/engagements/{engagement.id}/documents", {"part_id": engagement.part_id, "label": "correspondence"}
    headers = {"muniment-title": "UTF-8''Paper", "content-type": "text/plain"}
    added = await engagement.attorney.ask("POST", path, content=slowly(), params=params, headers=headers)
    assert added.status_code == 201
    answer = await ask(engagement.attorney, world.app, "GET", _content(added.json()), client=Client(watch=watch))
    assert answer.body == LARGE
    assert len(lent) >= 2 * len(LARGE) // PIECE
    assert set(lent) == {0}


async def test_bytes_come_back_identical_whatever_their_length(world: World, engagement: Engagement) -> None:
    edge = 16 * KIB
    for size in (0, 1, edge - 1, edge, edge + 1, 2 * edge, PIECE - 1, PIECE, PIECE + 1, MIB):
        document = await engagement.document(LARGE[:size])
        answer = await engagement.attorney.ask("GET", _content(document))
        assert answer.content == LARGE[:size]
        assert answer.headers["content-length"] == str(size)
        assert await _last(world) == ("done", size)


async def test_the_intent_is_durable_before_the_first_byte_leaves(world: World, engagement: Engagement) -> None:
    document, seen = await engagement.document(LARGE), []

    async def watch(count: int) -> None:
        if count == 0:
            entry = entries_of(world.services.database, world.firm_id)[-1]
            with world.services.database.read(world.firm_id) as tx:
                seen.append((entry.type, [row.idx for row in tx.all(select(log_intents.c.idx))] == [entry.index]))

    answer = await ask(engagement.attorney, world.app, "GET", _content(document), client=Client(watch=watch))
    assert seen == [("document.opening", True)]
    assert answer.body == LARGE
    outcome = (await _outcomes(world))[-1]
    opening = entries_of(world.services.database, world.firm_id, "document.opening")[-1]
    assert (outcome.data or {})["of"] == opening.index
    assert outcome.subjects == opening.subjects
    assert opening.header == outcome.header or outcome.header is None


async def test_a_client_who_goes_away_at_any_piece_is_accounted_for(world: World, engagement: Engagement) -> None:
    document = await engagement.document(LARGE)
    for raises in (False, True):
        for stops in range(8):
            client = Client(stops_reading_after=stops, raises=raises)
            answer = await ask(engagement.attorney, world.app, "GET", _content(document), client=client)
            assert b"".join(answer.pieces) == LARGE[: stops * PIECE]
            outcome, sent = await _last(world)
            # What was handed over may be more than what arrived, never less; and it ends soon after.
            assert len(answer.body) <= sent <= len(answer.body) + 2 * PIECE
            assert outcome == ("done" if sent == len(LARGE) else "aborted")
    assert len(await _outcomes(world)) == 16


async def test_a_cancelled_request_is_accounted_for(world: World, engagement: Engagement) -> None:
    document, reached = await engagement.document(LARGE), asyncio.Event()

    async def watch(count: int) -> None:
        if count == 2:
            reached.set()
            await asyncio.sleep(30)

    call = ask(engagement.attorney, world.app, "GET", _content(document), client=Client(watch=watch))
    task = asyncio.create_task(call)
    await reached.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    outcome, sent = await _last(world)
    assert outcome == "aborted"
    assert 2 * PIECE <= sent < len(LARGE)


# What cannot be opened ----------------------------------------------------------------------------------------------


async def document_in(store: MemoryBlobs, engagement: Engagement, body: bytes) -> tuple[Any, str, str]:
    """An application over a store in memory, the path of a document's bytes in it, and its blob's id."""
    app = create_app(replace(engagement.world.services, blobs=store))
    before = set(store.blobs)
    params = {"part_id": engagement.part_id, "label": "correspondence", "sensitivity": "confidential"}
    path = f"/engagements/{engagement.id}/documents"
    how: dict[str, Any] = {"muniment_title": "UTF-8''x", "content_type": "text/plain"}
    added = await ask(engagement.attorney, app, "POST", path, [body], params=params, **how)
    assert added.status == 201
    [blob_id] = set(store.blobs) - before
    return app, added.headers["location"].removeprefix("/api/v1") + "/content", blob_id


def faults_of(good: bytes) -> tuple[bytes, ...]:
    """A sealed message changed in every way that an attacker at the store can change it."""
    chunk = HEADER_BYTES + 40 * SEALED_CHUNK_BYTES + 5  # in the third piece
    return (
        bytes([good[0] ^ 1]) + good[1:],
        good[:100] + bytes([good[100] ^ 1]) + good[101:],
        good[:chunk] + bytes([good[chunk] ^ 1]) + good[chunk + 1 :],
        good[:-1] + bytes([good[-1] ^ 1]),
        good[:-1],
        good + b"\0",
        good[: HEADER_BYTES + 20 * SEALED_CHUNK_BYTES],
        good[:HEADER_BYTES],
        b"",
    )


async def test_what_was_tampered_with_is_broken_off_before_the_piece_that_is_wrong(
    world: World, engagement: Engagement
) -> None:
    store = MemoryBlobs()
    app, path, blob_id = await document_in(store, engagement, LARGE)
    good = store.blobs[blob_id]
    upto = (0, 0, 40 * 16 * KIB, 6 * PIECE, 6 * PIECE, len(LARGE) - 1, 20 * 16 * KIB, 0, 0)
    for tampered, most in zip(faults_of(good), upto, strict=True):
        store.blobs[blob_id] = tampered
        answer = await ask(engagement.attorney, app, "GET", path)
        assert not (answer.status == 200 and answer.complete)
        if answer.status == 200:
            assert answer.raised is not None  # broken off, so that the client can tell
            assert LARGE.startswith(answer.body)
            assert len(answer.body) <= most
        else:
            assert answer.status == 500
            assert b"seal_broken" in answer.body
        outcome, sent = await _last(world)
        assert (outcome, sent <= most) == ("failed", True)


async def test_a_failure_after_the_last_byte_is_no_success(world: World, engagement: Engagement) -> None:
    """Where the last chunk is empty, its tag is all that is left to check once every byte has gone out."""
    store = MemoryBlobs()
    for body in (b"", LARGE[: 2 * PIECE]):
        app, path, blob_id = await document_in(store, engagement, body)
        store.blobs[blob_id] = store.blobs[blob_id][:-1] + bytes([store.blobs[blob_id][-1] ^ 1])
        answer = await ask(engagement.attorney, app, "GET", path)
        assert not (answer.status == 200 and answer.complete)
        assert (await _last(world))[0] == "failed"


async def test_another_documents_blob_or_an_older_message_does_not_open(world: World, engagement: Engagement) -> None:
    store = MemoryBlobs()
    app, one, one_blob = await document_in(store, engagement, b"one")
    _, other, other_blob = await document_in(store, engagement, b"two")
    store.blobs[one_blob], store.blobs[other_blob] = store.blobs[other_blob], store.blobs[one_blob]
    for path in (one, other):
        answer = await ask(engagement.attorney, app, "GET", path)
        assert (answer.status, await _last(world)) == (500, ("failed", 0))


async def test_missing_bytes_and_missing_keys_are_told_and_accounted_for(world: World, engagement: Engagement) -> None:
    store = MemoryBlobs()
    app, path, blob_id = await document_in(store, engagement, b"one")
    kept = store.blobs.pop(blob_id)
    answer = await ask(engagement.attorney, app, "GET", path)
    assert (answer.status, await _last(world)) == (503, ("failed", 0))
    store.blobs[blob_id] = kept
    with world.services.database.read(world.firm_id) as tx:
        key_id = tx.value(select(parts.c.key_id).where(parts.c.id == engagement.part_id))
    world.services.keys.destroy(key_id)
    answer = await ask(engagement.attorney, app, "GET", path)
    assert answer.status == 503
    assert b"key_missing" in answer.body
    assert await _last(world) == ("failed", 0)


async def test_a_title_that_does_not_open_closes_what_was_announced(world: World, engagement: Engagement) -> None:
    document = await engagement.document(b"abc")
    spoil = update(documents).where(documents.c.id == bindparam("document")).values(title=b"\1" + bytes(60))
    await world.services.ledger.submit(
        world.firm_id, lambda tx, _moment: Outcome(tx.run(spoil, document=document["document_id"]))
    )
    answer = await engagement.attorney.ask("GET", _content(document))
    assert answer.status_code == 500
    assert answer.json()["code"] == "seal_broken"
    assert await _last(world) == ("failed", 0)


async def test_without_a_record_of_the_intent_not_a_byte_leaves(tmp_path: Path, migrated_url: str) -> None:
    with faulty_databases():
        async with a_world(tmp_path / "var", migrated_url) as world:
            engagement = await world.engagement()
            document = await engagement.document(LARGE)
            before = rows(world.services.database, log=True)
            faulty(world).fail_commit()
            answer = await ask(engagement.attorney, world.app, "GET", _content(document))
            assert answer.status == 503
            assert b"ledger_unavailable" in answer.body
            assert LARGE[:20] not in answer.body
            assert rows(world.services.database, log=True) == before


# Open bodies --------------------------------------------------------------------------------------------------------

End = Callable[[World, Engagement, Person, Any], Awaitable[object]]


async def _revoke(_world: World, engagement: Engagement, _seat: Person, grant: Any) -> None:
    path = f"/grants/{grant['id']}"
    assert (await engagement.attorney.ask("DELETE", path, headers={"if-match": grant["etag"]})).status_code == 200


async def _suspend(_world: World, engagement: Engagement, seat: Person, _grant: Any) -> None:
    member = f"/members/{seat.membership_id}"
    await engagement.attorney.change("POST", f"{member}/suspension", match=member)


async def _end_membership(_world: World, engagement: Engagement, seat: Person, _grant: Any) -> None:
    await engagement.attorney.change("DELETE", f"/members/{seat.membership_id}")


async def _revoke_token(_world: World, _engagement: Engagement, seat: Person, _grant: Any) -> None:
    page = await seat.get("/tokens")
    assert (await seat.ask("DELETE", f"/tokens/{page['items'][0]['id']}")).status_code == 204


async def _wall(_world: World, engagement: Engagement, seat: Person, _grant: Any) -> None:
    body = {"person_id": seat.person_id, "matter_id": engagement.matter_id, "reason": "A conflict."}
    await engagement.attorney.post("/walls", body)


async def _close(_world: World, engagement: Engagement, _seat: Person, _grant: Any) -> None:
    await engagement.attorney.post(f"/engagements/{engagement.id}/disposal")


async def _new_text(_world: World, engagement: Engagement, _seat: Person, _grant: Any) -> None:
    agreement = await engagement.agreement()
    body = {"text": "A stricter text.", "at_once": True}
    path = f"/agreements/{agreement['id']}"
    read = await engagement.attorney.ask("GET", path)
    answer = await engagement.attorney.ask(
        "POST", f"{path}/versions", json=body, headers={"if-match": read.headers["etag"]}
    )
    assert answer.status_code == 201


async def _days_pass(world: World, _engagement: Engagement, _seat: Person, _grant: Any) -> None:
    world.sleep(15 * DAY_S)


async def _overlay(_world: World, engagement: Engagement, _seat: Person, _grant: Any) -> None:
    body = {"rows": ["*,document:download,*,*,never"]}
    await engagement.attorney.change("PUT", f"/engagements/{engagement.id}/overlay", body)


ENDS: tuple[End, ...] = (
    _revoke,
    _suspend,
    _end_membership,
    _revoke_token,
    _wall,
    _new_text,
    _overlay,
    _close,
    _days_pass,
)


async def _broken_off(world: World, engagement: Engagement, end: End) -> tuple[Answer, int]:
    """Let access end while a body is open, after its first piece; returns what came, and what came before that."""
    seat = await engagement.member()
    document = await engagement.document(LARGE)
    grant = await engagement.grant(seat, document["document_id"])
    before = 0

    async def watch(count: int) -> None:
        nonlocal before
        if count == 1:
            before = PIECE
            await end(world, engagement, seat, grant)

    client = Client(watch=watch)
    return await ask(seat, world.app, "GET", _content(document), client=client), before


@pytest.mark.parametrize("end", ENDS, ids=lambda end: end.__name__.removeprefix("_"))
async def test_an_open_body_stops_when_access_ends_and_the_client_can_tell(
    world: World, engagement: Engagement, end: End, monkeypatch: pytest.MonkeyPatch
) -> None:
    if end is _days_pass:
        monkeypatch.setattr(downloads, "DECIDE_AGAIN_S", 0.0)  # nothing tells it but the second that passes
    answer, before = await _broken_off(world, engagement, end)
    assert answer.status == 200
    assert not answer.complete
    assert answer.raised is not None
    assert LARGE.startswith(answer.body)
    assert before <= len(answer.body) <= before + MIB
    assert len(answer.body) < int(answer.headers["content-length"])
    outcome, sent = await _last(world)
    assert outcome == "aborted"
    assert len(answer.body) <= sent < len(LARGE)


async def test_what_ends_for_somebody_else_does_not_stop_a_body(world: World, engagement: Engagement) -> None:
    other = await engagement.member()

    async def end(world: World, engagement: Engagement, _seat: Person, grant: Any) -> None:
        await _suspend(world, engagement, other, grant)

    answer, _ = await _broken_off(world, engagement, end)
    assert answer.complete
    assert answer.body == LARGE


async def test_a_body_asks_again_each_second_also_when_no_end_was_told(
    world: World, engagement: Engagement, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An end that another process wrote, or a date that passed, is found without being told of."""
    monkeypatch.setattr(downloads, "DECIDE_AGAIN_S", 0.05)

    async def end(world: World, _engagement: Engagement, _seat: Person, _grant: Any) -> None:
        world.sleep(100 * DAY_S)
        await asyncio.sleep(0.06)

    answer, _ = await _broken_off(world, engagement, end)
    assert not answer.complete
    assert len(answer.body) == 2 * PIECE


async def test_no_news_within_two_seconds_stops_a_body(
    world: World, engagement: Engagement, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert (downloads.DECIDE_AGAIN_S, downloads.NO_NEWS_S) == (1.0, 2.0)
    monkeypatch.setattr(downloads, "DECIDE_AGAIN_S", 0.0)
    monkeypatch.setattr(downloads, "NO_NEWS_S", 0.05)
    monkeypatch.setattr(downloads.Watch, "_decide", lambda _self: time.sleep(0.3))
    document = await engagement.document(LARGE)
    answer = await ask(engagement.attorney, world.app, "GET", _content(document))
    assert answer.status == 403 or not answer.complete
    assert LARGE[:16] not in answer.body
    assert await _last(world) == ("aborted", 0)


# A real server and a real connection --------------------------------------------------------------------------------


async def _connected(port: int, seat: Person, path: str) -> tuple[asyncio.StreamReader, asyncio.StreamWriter, int]:
    """Ask a real server by hand and read the head of its answer; returns the announced length as well."""
    line = socket.socket()
    line.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 64 * KIB)
    line.setblocking(False)
    await asyncio.get_running_loop().sock_connect(line, ("127.0.0.1", port))
    reader, writer = await asyncio.open_connection(sock=line, limit=64 * KIB)
    head = f"GET /api/v1{path} HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {seat.token}\r\n\r\n"
    writer.write(head.encode())
    shown = (await reader.readuntil(b"\r\n\r\n")).decode().lower()
    assert shown.startswith("http/1.1 200")
    return reader, writer, int(shown.split("content-length: ")[1].split()[0])


HUGE = random.Random(8).randbytes(MIB) * 24


async def test_a_connection_that_is_closed_half_way_is_accounted_for(world: World, engagement: Engagement) -> None:
    document = await engagement.document(HUGE)
    async with a_real_server(world) as port:
        reader, writer, announced = await _connected(port, engagement.attorney, _content(document))
        got = await reader.readexactly(MIB)
        writer.transport.abort()
        for _ in range(200):
            await asyncio.sleep(0.02)
            if await _outcomes(world):
                break
    assert HUGE.startswith(got)
    outcome, sent = await _last(world)
    assert outcome == "aborted"
    assert MIB <= sent < announced == len(HUGE)


async def test_a_revoked_reader_sees_the_connection_break_before_the_announced_length(
    world: World, engagement: Engagement
) -> None:
    seat, document = await engagement.member(), await engagement.document(HUGE)
    grant = await engagement.grant(seat, document["document_id"])
    async with a_real_server(world) as port:
        reader, writer, announced = await _connected(port, seat, _content(document))
        got = await reader.readexactly(MIB)
        await _revoke(world, engagement, seat, grant)
        revoked_at = time.monotonic()
        while piece := await reader.read(PIECE):
            got += piece
        assert time.monotonic() - revoked_at < 5
        writer.close()
    assert HUGE.startswith(got)
    assert len(got) < announced == len(HUGE)
    outcome, sent = await _last(world)
    assert outcome == "aborted"
    assert sent < announced

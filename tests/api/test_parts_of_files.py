"""Parts of a file over HTTP, its headers alone, and that it has not changed: decided and recorded like the whole."""

from __future__ import annotations

import base64
import hashlib
import random
from typing import Any

import pytest

from audit.entry import Entry
from service import downloads
from service.crypto.streams import HEADER_BYTES, SEALED_CHUNK_BYTES
from tests.api.places import settle
from tests.api.test_downloads import document_in, faults_of
from tests.api.wire import Client, ask
from tests.fakes.blobs import MemoryBlobs, MemoryReader
from tests.logs import entries_of
from tests.scale import count
from tests.world import DAY_S, Engagement, World

KIB = 1024
LARGE = random.Random(11).randbytes(900 * KIB + 5)


def _content(document: Any) -> str:
    return f"/documents/{document['document_id']}/content"


async def _newest(world: World, kind: str) -> Entry:
    await settle(world)
    return entries_of(world.services.database, world.firm_id, kind)[-1]


async def _types_of(world: World, answer: Any) -> list[str]:
    await settle(world)
    request = answer.headers["muniment-request"]
    return [entry.type for entry in entries_of(world.services.database, world.firm_id) if entry.request == request]


async def test_any_part_is_what_slicing_the_file_gives(world: World, engagement: Engagement) -> None:
    edge, end, seeded = 16 * KIB, len(LARGE), random.Random(3)
    document = await engagement.document(LARGE)
    spans = [(0, 1), (0, end), (end - 1, end), (edge - 1, edge + 1), (edge, 2 * edge), (5, 300 * KIB), (end - 5, end)]
    for _ in range(count(400)):
        first, last = sorted(seeded.sample(range(end + 1), 2))
        spans.append((first, last))
    for start, stop in spans:
        asked = {"range": f"bytes={start}-{stop - 1}"}
        answer = await engagement.attorney.ask("GET", _content(document), headers=asked)
        assert (answer.status_code, answer.content) == (206, LARGE[start:stop])
        assert answer.headers["content-range"] == f"bytes {start}-{stop - 1}/{end}"
        assert answer.headers["content-length"] == str(stop - start)


async def test_a_part_is_announced_with_its_place_and_accounted_for(world: World, engagement: Engagement) -> None:
    document = await engagement.document(LARGE)
    await engagement.attorney.ask("GET", _content(document), headers={"range": "bytes=-70000"})
    announced = await _newest(world, "document.opening")
    assert announced.data == {"start": len(LARGE) - 70_000, "stop": len(LARGE)}
    outcome = await _newest(world, "document.opened")
    assert (outcome.outcome, (outcome.data or {})["bytes"]) == ("done", 70_000)
    assert (outcome.data or {})["of"] == announced.index


async def test_a_part_reads_only_the_chunks_it_needs(engagement: Engagement, monkeypatch: pytest.MonkeyPatch) -> None:
    read: list[int] = []

    class Watched(MemoryReader):
        async def read_at(self, offset: int, length: int) -> bytes:
            read.append(length)
            return await super().read_at(offset, length)

    monkeypatch.setattr("tests.fakes.blobs.MemoryReader", Watched)
    app, path, _ = await document_in(MemoryBlobs(), engagement, LARGE)
    answer = await ask(engagement.attorney, app, "GET", path, range="bytes=100000-100001")
    assert answer.body == LARGE[100_000:100_002]
    assert 0 < sum(read) <= HEADER_BYTES + 2 * SEALED_CHUNK_BYTES


async def test_a_part_of_what_was_tampered_with_never_leaves(world: World, engagement: Engagement) -> None:
    store = MemoryBlobs()
    app, path, blob_id = await document_in(store, engagement, LARGE)
    good, seeded = store.blobs[blob_id], random.Random(5)
    for tampered in faults_of(good):
        store.blobs[blob_id] = tampered
        for _ in range(3):
            start = seeded.randrange(len(LARGE))
            answer = await ask(engagement.attorney, app, "GET", path, range=f"bytes={start}-{start + 99_999}")
            expected = LARGE[start : start + 100_000]
            assert expected.startswith(answer.body) or answer.status >= 500
            if not answer.complete or answer.status != 206:
                outcome = await _newest(world, "document.opened")
                assert outcome.outcome == "failed"
            else:
                assert answer.body == expected  # the fault lies elsewhere in the message


async def test_a_part_behind_the_end_is_refused_with_the_size_and_recorded(
    world: World, engagement: Engagement
) -> None:
    document = await engagement.document(b"four")
    answer = await engagement.attorney.ask("GET", _content(document), headers={"range": "bytes=4-"})
    assert (answer.status_code, answer.json()["code"]) == (416, "range_not_satisfiable")
    assert answer.headers["content-range"] == "bytes */4"
    assert await _types_of(world, answer) == ["access.failed"]


async def test_several_parts_or_parts_of_something_older_are_answered_with_the_whole(engagement: Engagement) -> None:
    document = await engagement.document(LARGE)
    for asked in (
        {"range": "bytes=0-1,5-6"},
        {"range": "bytes=0-1", "if-range": '"rev_older"'},
        {"range": "lines=0-1"},
    ):
        answer = await engagement.attorney.ask("GET", _content(document), headers=asked)
        assert (answer.status_code, answer.content) == (200, LARGE)
        assert "content-range" not in answer.headers


async def test_a_broken_download_is_resumed_only_while_the_file_is_the_same(engagement: Engagement) -> None:
    document = await engagement.document(LARGE)
    path = _content(document)
    begun = await ask(engagement.attorney, engagement.world.app, "GET", path, client=Client(stops_reading_after=1))
    have = begun.body
    asked = {"range": f"bytes={len(have)}-", "if-range": begun.headers["etag"]}
    rest = await engagement.attorney.ask("GET", path, headers=asked)
    assert (rest.status_code, have + rest.content) == (206, LARGE)
    card = await engagement.attorney.ask("GET", f"/documents/{document['document_id']}")
    changed = {"if-match": card.headers["etag"], "content-type": "text/plain"}
    assert (await engagement.attorney.ask("PUT", path, content=b"other", headers=changed)).status_code == 200
    rest = await engagement.attorney.ask("GET", path, headers=asked)
    assert (rest.status_code, rest.content) == (200, b"other")


# Without bytes --------------------------------------------------------------------------------------------------------


async def test_headers_alone_are_those_of_the_download(world: World, engagement: Engagement) -> None:
    names = {"content-type", "content-length", "content-disposition", "etag", "accept-ranges", "repr-digest"}
    for body in (b"", b"small", LARGE):
        document = await engagement.document(body, title="Ünïted “paper”.pdf")
        head = await engagement.attorney.ask("HEAD", _content(document), headers={"range": "bytes=9999999-"})
        wanting = {"want-repr-digest": "sha-256=1"}
        read = await engagement.attorney.ask("GET", _content(document), headers=wanting)
        assert head.status_code == 200
        assert {name: head.headers[name] for name in names} == {name: read.headers[name] for name in names}
        digest = base64.b64encode(hashlib.sha256(body).digest()).decode()
        assert head.headers["repr-digest"] == f"sha-256=:{digest}:"
        assert await _types_of(world, head) == ["access.allowed"]


async def test_the_digest_comes_with_large_files_and_their_parts_and_else_when_wanted(engagement: Engagement) -> None:
    small, large = await engagement.document(b"small"), await engagement.document(LARGE)
    told = f"sha-256=:{base64.b64encode(hashlib.sha256(LARGE).digest()).decode()}:"
    assert "repr-digest" not in (await engagement.attorney.ask("GET", _content(small))).headers
    assert (await engagement.attorney.ask("GET", _content(large))).headers["repr-digest"] == told
    part = await engagement.attorney.ask("GET", _content(large), headers={"range": "bytes=0-9"})
    assert part.headers["repr-digest"] == told  # of the whole file, whichever part is sent


async def test_what_has_not_changed_is_said_after_the_decision_and_recorded_as_a_read(
    world: World, engagement: Engagement
) -> None:
    document = await engagement.document(b"a paper")
    etag = (await engagement.attorney.ask("GET", _content(document))).headers["etag"]
    for method in ("GET", "HEAD"):
        answer = await engagement.attorney.ask(method, _content(document), headers={"if-none-match": f'"x", {etag}'})
        assert (answer.status_code, answer.content, answer.headers["etag"]) == (304, b"", etag)
        assert "content-disposition" not in answer.headers
        assert await _types_of(world, answer) == ["access.allowed"]
    stranger = await engagement.member()
    refused = await stranger.ask("GET", _content(document), headers={"if-none-match": "*"})
    assert refused.status_code == 404
    assert await _types_of(world, refused) == ["access.refused"]
    changed = await engagement.attorney.ask("GET", _content(document), headers={"if-none-match": '"rev_x"'})
    assert (changed.status_code, changed.content) == (200, b"a paper")


async def test_who_may_not_download_gets_no_headers_either(engagement: Engagement) -> None:
    seat, document = await engagement.member(), await engagement.document(b"a paper")
    await engagement.grant(seat, document["document_id"], ("view",))
    answer = await seat.ask("HEAD", _content(document))
    assert (answer.status_code, answer.headers["muniment-error"]) == (403, "ability_missing")
    assert "content-disposition" not in answer.headers
    assert "repr-digest" not in answer.headers


async def test_a_part_stops_when_access_ends(
    world: World, engagement: Engagement, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(downloads, "DECIDE_AGAIN_S", 0.0)
    seat, document = await engagement.member(), await engagement.document(LARGE)
    await engagement.grant(seat, document["document_id"])

    async def watch(pieces: int) -> None:
        if pieces == 1:
            world.sleep(30 * DAY_S)

    client = Client(watch=watch)
    answer = await ask(seat, world.app, "GET", _content(document), client=client, range="bytes=10-")
    assert answer.status == 206
    assert not answer.complete
    assert LARGE[10:].startswith(answer.body)
    assert (await _newest(world, "document.opened")).outcome == "aborted"

"""Bodies over real sockets: asked for before they are sent, and ended when they stand still."""

from __future__ import annotations

import asyncio
import random
import socket
import time
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from audit.entry import Entry
from tests.api.places import blobs, settle
from tests.api.wire import a_real_server
from tests.logs import entries_of
from tests.world import Engagement, Person, World, a_world

MIB = 1024 * 1024
LIMIT = 16 * MIB


@pytest.fixture
async def world(tmp_path: Path, migrated_sqlite_url: str) -> AsyncIterator[World]:
    """An installation that waits for nobody longer than a second."""
    async with a_world(tmp_path / "var", migrated_sqlite_url, idle_s=1, max_upload_bytes=LIMIT) as made:
        yield made


def _post(engagement: Engagement, seat: Person, length: int, *more: str) -> bytes:
    query = f"part_id={engagement.part_id}&label=correspondence&sensitivity=routine"
    lines = (
        f"POST /api/v1/engagements/{engagement.id}/documents?{query} HTTP/1.1",
        "Host: localhost",
        f"Authorization: Bearer {seat.token}",
        "Muniment-Title: UTF-8''x",
        "Content-Type: text/plain",
        f"Content-Length: {length}",
        *more,
    )
    return ("\r\n".join(lines) + "\r\n\r\n").encode()


async def _outcome(world: World, kind: str) -> Entry:
    for _ in range(400):
        found = entries_of(world.services.database, world.firm_id, kind)
        if found:
            await settle(world)
            return found[-1]
        await asyncio.sleep(0.02)
    raise AssertionError(f"no {kind}")


async def _head(reader: asyncio.StreamReader) -> tuple[int, dict[str, str]]:
    text = (await asyncio.wait_for(reader.readuntil(b"\r\n\r\n"), 10)).decode("latin-1")
    first, *lines = text.strip().split("\r\n")
    return int(first.split()[1]), {name.lower(): value for name, _, value in (line.partition(": ") for line in lines)}


async def test_a_refused_upload_is_answered_before_its_body_is_sent(world: World, engagement: Engagement) -> None:
    stranger = await engagement.member()
    async with a_real_server(world) as port:
        for seat, length, status in ((stranger, 1000, 404), (engagement.attorney, LIMIT + 1, 413)):
            reader, writer = await asyncio.open_connection("127.0.0.1", port)
            writer.write(_post(engagement, seat, length, "Expect: 100-continue"))
            answered, headers = await _head(reader)
            # No "100 Continue" came first; and the connection ends, for its next bytes would pass for the body.
            assert (answered, headers["connection"]) == (status, "close")
            await asyncio.wait_for(reader.read(), 5)
            writer.close()


async def test_an_upload_that_is_allowed_is_asked_for(world: World, engagement: Engagement) -> None:
    body = b"p" * MIB
    async with a_real_server(world) as port:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(_post(engagement, engagement.attorney, len(body), "Expect: 100-continue"))
        assert (await _head(reader))[0] == 100
        writer.write(body)
        status, headers = await _head(reader)
        assert (status, headers.get("connection")) == (201, None)
        writer.close()
    assert (await _outcome(world, "document.added")).outcome == "done"


async def test_an_upload_that_stands_still_is_ended_and_recorded(world: World, engagement: Engagement) -> None:
    async with a_real_server(world) as port:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(_post(engagement, engagement.attorney, 2 * MIB) + b"p" * MIB)
        began = time.monotonic()
        status, headers = await _head(reader)
        assert (status, headers["muniment-error"], headers["connection"]) == (408, "body_too_slow", "close")
        assert 0.9 < time.monotonic() - began < 5
        writer.close()
    outcome = await _outcome(world, "document.added")
    assert (outcome.outcome, (outcome.data or {})["bytes"]) == ("aborted", MIB)
    assert await blobs(world) == []


async def test_an_upload_that_is_slow_but_goes_on_arrives(world: World, engagement: Engagement) -> None:
    async with a_real_server(world) as port:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(_post(engagement, engagement.attorney, 4))
        for piece in (b"s", b"l", b"o", b"w"):
            await asyncio.sleep(0.5)  # two seconds in all
            writer.write(piece)
        assert (await _head(reader))[0] == 201
        writer.close()


async def test_a_download_that_nobody_takes_is_ended_and_recorded(world: World, engagement: Engagement) -> None:
    content = random.Random(1).randbytes(12 * MIB)
    document = await engagement.document(content)
    path = f"/api/v1/documents/{document['document_id']}/content"
    head = f"GET {path} HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {engagement.attorney.token}\r\n\r\n"
    async with a_real_server(world) as port:
        with socket.socket() as line:
            line.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 64 * 1024)
            line.setblocking(False)
            loop = asyncio.get_running_loop()
            await loop.sock_connect(line, ("127.0.0.1", port))
            await loop.sock_sendall(line, head.encode())
            assert (await loop.sock_recv(line, 12)).startswith(b"HTTP/1.1 200")
            outcome = await _outcome(world, "document.opened")
            got = 12
            while piece := await loop.sock_recv(line, MIB):  # what had left before, and then the end
                got += len(piece)
    sent = (outcome.data or {})["bytes"]
    assert outcome.outcome == "aborted"
    assert isinstance(sent, int)
    assert got < len(content)
    assert sent < len(content)

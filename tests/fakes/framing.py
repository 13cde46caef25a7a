"""Where an HTTP message ends: what `tests.fakes.proxy` knows of the messages it passes on.

Source: RFC 9112, sections 6 and 7.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator
from typing import Final

PIECE: Final = 65_536
LENGTH: Final = re.compile(rb"\r\ncontent-length:[ \t]*([0-9]+)", re.IGNORECASE)
CHUNKED: Final = re.compile(rb"\r\ntransfer-encoding:[^\r]*chunked", re.IGNORECASE)
EXPECT: Final = re.compile(rb"\r\nexpect:[^\r]*", re.IGNORECASE)
CLOSE: Final = re.compile(rb"\r\nconnection:[ \t]*close", re.IGNORECASE)


class BrokenError(ConnectionError):
    """A connection ended, or must end, within a message."""


async def body_of(reader: asyncio.StreamReader, head: bytes, *, ends: bool = False) -> AsyncIterator[bytes]:
    """The body that a head announces, as it is on the wire; one without a length may last until the other side ends."""
    if CHUNKED.search(head):
        async for piece in _chunks(reader):
            yield piece
        return
    found = LENGTH.search(head)
    left = int(found[1]) if found else None
    while (left is None and ends) or left:
        piece = await reader.read(PIECE if left is None else min(left, PIECE))
        if not piece:
            if left is None:
                return
            raise BrokenError
        left = None if left is None else left - len(piece)
        yield piece


async def _chunks(reader: asyncio.StreamReader) -> AsyncIterator[bytes]:
    """Chunks with their lengths, and the trailer behind the last."""
    while True:
        line = await reader.readuntil(b"\r\n")
        size = int(line.partition(b";")[0], 16)
        yield line + (await reader.readexactly(size + 2) if size else b"")
        if not size:
            break
    while (line := await reader.readuntil(b"\r\n")) != b"\r\n":
        yield line
    yield line

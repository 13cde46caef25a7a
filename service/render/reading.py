"""Reading a file's text, by a process of its own.

Rules kept here:

* plaintext goes to the process through a socket pair and nowhere else, and its text comes back the same way: neither
  is kept, on a disk or anywhere;
* few processes at once, and none of the places that uploads are examined in;
* the process dies with the reading, in whatever way that ends;
* what the process says parsed foreign bytes: a word of ours is believed, and text that is UTF-8 and not too long.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Final

from service.render.gathered import MAX_TEXT_BYTES
from service.render.orders import TEXT
from service.render.probes import PROBE_ERRORS, Probes
from service.render.texts import FAILED, READ, REFUSALS, Read

TIMEOUT_S: Final = 20.0
PLACE_TIMEOUT_S: Final = 10.0
_LINE_BYTES: Final = 32


class BusyError(Exception):
    """Others read texts, and have for long."""


async def text_of(probes: Probes, content: AsyncIterator[bytes], *, timeout_s: float = TIMEOUT_S) -> Read:
    """Read the text of a file.

    Args:
        probes: where the process is started.
        content: the file's bytes; what it raises is raised.
        timeout_s: how long reading may take, once there is a process for it.

    Raises:
        BusyError: no place was free in time.
    """
    try:
        async with asyncio.timeout(PLACE_TIMEOUT_S):
            await probes.readers.acquire()
    except TimeoutError:
        raise BusyError from None
    try:
        return await _read(probes, content, timeout_s)
    finally:
        probes.readers.release()


async def _read(probes: Probes, content: AsyncIterator[bytes], timeout_s: float) -> Read:
    try:
        probe = await probes.begin(TEXT)
    except OSError:
        return Read(FAILED, b"")
    try:
        async with asyncio.timeout(timeout_s):
            async for piece in content:
                await probe.write(piece)
            return parse(await probe.answer(_LINE_BYTES + MAX_TEXT_BYTES))
    except PROBE_ERRORS:  # never what `content` raises: that is an error of ours
        return Read(FAILED, b"")
    finally:
        await probe.end()


def parse(said: bytes) -> Read:
    """Read a process's answer; whatever is not of its form is no answer."""
    line, newline, text = said.partition(b"\n")
    word = line.decode("ascii", "replace")
    if newline and word in REFUSALS and not text:
        return Read(word, b"")
    if not newline or word != READ or not 0 < len(text) <= MAX_TEXT_BYTES:
        return Read(FAILED, b"")
    try:
        text.decode("utf-8")
    except UnicodeDecodeError:
        return Read(FAILED, b"")
    return Read(READ, text)

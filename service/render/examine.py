"""Examining a file while it is uploaded, by a process of its own.

Rules kept here:

* the upload is never failed or held up for long by its examination: whatever goes wrong, the file is *unexamined*;
* plaintext goes to the process through a socket pair and nowhere else; the answer holds nothing of the file;
* few processes at once: files up to 1 MiB wait in memory until they are whole, larger ones take a place when they pass
  that size, and are left unexamined when none is free soon;
* the process dies with its examination, in whatever way that ends;
* a file whose first bytes announce nothing that is looked into (`sniff`) needs no process.

What starts the process is in `probes`, what confines it in `sandbox`.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Mapping
from dataclasses import dataclass
from types import TracebackType
from typing import Final, Self, get_args

from service.render import hidden
from service.render.found import (
    DOCX,
    GIF,
    JPEG,
    OCTETS,
    PDF,
    PNG,
    PPTX,
    RTF,
    TEXT,
    TIFF,
    WORD_PERFECT,
    XLSX,
    ZIP,
    Condition,
    Found,
)
from service.render.orders import WHOLE
from service.render.probes import PROBE_ERRORS, Probe, Probes
from service.render.sniff import HEAD_BYTES, LOOKED_INTO, announced

MAX_EXAMINED_BYTES: Final = 67_108_864
WAITING_BYTES: Final = 1_048_576
TIMEOUT_S: Final = 20.0
PLACE_TIMEOUT_S: Final = 2.0

_MEDIA_TYPE: Final = re.compile(r"[a-z0-9][a-z0-9.+-]{0,63}/[a-z0-9][a-z0-9.+-]{0,126}")
_ANSWER: Final = re.compile(r"([a-z]+) (-|[0-9]{1,9}) (\S+) ([a-z_0-9=,-]+)\n")
_CONDITIONS: Final[dict[str, Condition]] = {word: word for word in get_args(Condition)}
# Other names for what we call otherwise.
_SAME: Final = {
    "image/jpg": JPEG,
    "image/pjpeg": JPEG,
    "image/tif": TIFF,
    "application/x-pdf": PDF,
    "text/rtf": RTF,
    "application/wordperfect": WORD_PERFECT,
    "application/x-wordperfect": WORD_PERFECT,
    "application/x-zip-compressed": ZIP,
}
# Kinds of plain text: told apart by use, not by bytes.
_TEXTUAL: Final = frozenset({"application/json", "application/xml", "message/rfc822"})
_EXAMINED: Final = frozenset({PDF, DOCX, XLSX, PPTX, PNG, JPEG, TIFF, GIF, TEXT, RTF, WORD_PERFECT, ZIP})


@dataclass(frozen=True, slots=True)
class Findings:
    """What was found out about a file.

    Args:
        media_type: what it is, as far as its bytes show; ``application/octet-stream`` when they do not.
        condition: ``readable``; ``empty``; ``unreadable`` (not what it claims: broken, or not of the declared type);
            ``mismatched`` (of another type than declared); ``locked`` (asks for a password); ``unexamined`` (too
            large, of a type that is not examined, or the examination did not end).
        pages: where the type has pages and they could be counted.
        hidden: what lies hidden in it (words of `service.render.hidden`, with counts); None where it was not looked
            into.
    """

    media_type: str
    condition: Condition
    pages: int | None
    hidden: Mapping[str, int] | None = None


class Examination:
    """The examination of one file: feed it the pieces, ask for the result, leave the context.

        async with Examination(probes) as examination:
            async for piece in body:
                await examination.feed(piece)
            findings = await examination.result("application/pdf")

    Nothing is started before it is needed. One task uses it; it may be cancelled at any await.
    """

    def __init__(self, probes: Probes, *, timeout_s: float = TIMEOUT_S) -> None:
        """Prepare an examination.

        Args:
            probes: where one is started, and a place taken for it.
            timeout_s: how long the answer is waited for once the file is whole.
        """
        self._probes = probes
        self._timeout_s = timeout_s
        self._waiting: list[bytes] = []
        self._head = b""
        self._size = 0
        self._given_up = False
        self._probe: Probe | None = None

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._stop()

    async def feed(self, data: bytes | bytearray | memoryview) -> None:
        """Take the next piece of the file; it may be used again afterwards. Never fails."""
        if len(self._head) < HEAD_BYTES:
            self._head += data[: HEAD_BYTES - len(self._head)]
        self._size += len(data)
        if self._given_up:
            return
        if self._size > MAX_EXAMINED_BYTES:
            await self._give_up()
        elif self._probe is not None:
            await self._send(self._probe, data)
        else:
            self._waiting.append(bytes(data))
            if self._size > WAITING_BYTES:
                await self._begin(PLACE_TIMEOUT_S)

    async def result(self, declared: str) -> Findings:
        """Say what was found out about the file that was fed. Never fails.

        Args:
            declared: the media type that the sender declared; it may be anything, and is never repeated.
        """
        if not self._size:
            return Findings(OCTETS, "empty", None)
        media_type = announced(self._head)
        if media_type not in LOOKED_INTO:
            return judge(Found(media_type, "unknown"), declared)
        found = Found(media_type, "unexamined")
        try:
            async with asyncio.timeout(self._timeout_s):
                if not self._given_up and self._probe is None:
                    await self._begin(self._timeout_s)
                if self._probe is not None:
                    found = parse(await self._probe.answer(), media_type)
        except PROBE_ERRORS:
            pass
        finally:
            await self._stop()
        return judge(found, declared)

    async def _begin(self, patience_s: float) -> None:
        """Take a place, start the process and send what waited; give up when no place is free in time, or no need."""
        if announced(self._head) not in LOOKED_INTO:
            await self._give_up()
            return
        try:
            async with asyncio.timeout(patience_s):
                await self._probes.places.acquire()
        except TimeoutError:
            await self._give_up()
            return
        try:
            self._probe = await self._probes.begin(WHOLE)
        except BaseException as error:
            self._probes.places.release()
            if not isinstance(error, OSError):
                raise
            await self._give_up()
            return
        waiting, self._waiting = self._waiting, []
        for piece in waiting:
            await self._send(self._probe, piece)

    async def _send(self, probe: Probe, data: bytes | bytearray | memoryview) -> None:
        try:
            async with asyncio.timeout(self._timeout_s):
                await probe.write(data)
        except PROBE_ERRORS:
            # It died or hangs. What it said before is still read at the end; the upload goes on.
            probe.kill()

    async def _give_up(self) -> None:
        self._given_up = True
        self._waiting = []
        await self._stop()

    async def _stop(self) -> None:
        """Kill the process, if there is one, and free its place; also when this is cancelled."""
        probe, self._probe = self._probe, None
        if probe is None:
            return
        try:
            await probe.end()
        finally:
            self._probes.places.release()


def parse(said: bytes, media_type: str) -> Found:
    """Read a probe's answer. It parsed foreign bytes, so nothing is believed but words of ours in their form.

    Args:
        said: the answer, or what came of it.
        media_type: what the file announced, for when nothing better is known.
    """
    answer = _ANSWER.fullmatch(said.decode("ascii", "replace"))
    condition = _CONDITIONS.get(answer[1]) if answer else None
    if answer is None or condition is None or not _MEDIA_TYPE.fullmatch(answer[3]):
        return Found(media_type, "unexamined")
    return Found(answer[3], condition, None if answer[2] == "-" else int(answer[2]), hidden.read(answer[4]))


def judge(found: Found, declared: str) -> Findings:
    """Compare what was found with what the sender declared."""
    wanted = declared.partition(";")[0].strip().lower()
    wanted = _SAME.get(wanted, wanted)
    condition = found.condition
    if condition == "unknown" and found.media_type == OCTETS and (wanted in _EXAMINED or _is_textual(wanted)):
        condition = "unreadable"  # whatever it is, it is not what was declared
    elif condition in {"readable", "unknown"} and not _agrees(found.media_type, wanted):
        condition = "mismatched"
    elif condition == "unknown":
        condition = "unexamined"
    return Findings(found.media_type, condition, found.pages, found.hidden)


def _agrees(media_type: str, wanted: str) -> bool:
    silent = wanted in {"", OCTETS} or media_type == OCTETS
    return silent or media_type == wanted or (media_type == TEXT and _is_textual(wanted))


def _is_textual(wanted: str) -> bool:
    return (wanted.startswith("text/") or wanted in _TEXTUAL) and wanted != "text/rtf"

"""The process that looks into one file: bytes on standard input, a line on standard output, nothing else.

It is forked by `service.render.forkserver`, which has imported what is needed before. The line is ``condition pages
media-type hidden``; nothing of the file is repeated.

Its modes (`service.render.orders`): WHOLE, examine the input; TEXT, say in a line how reading it went (`texts`), and
its text after that; LIMITS, say what confinement is missing, one a line.
"""

from __future__ import annotations

import codecs
import os
from typing import Final, NoReturn

from service.render import documents, hidden, kinds, sandbox, texts
from service.render.found import OCTETS, PDF, Found
from service.render.orders import LIMITS, TEXT
from service.render.sniff import CODECS, HEAD_BYTES, announced

MAX_BYTES: Final = 67_108_864
_STEP: Final = 1_048_576


def preload() -> None:
    """Import what examinations need: a confined process cannot open files to do so."""
    for codec in (*CODECS, *texts.CODECS, "cp437", "ascii"):  # the last two are the archives' names
        codecs.lookup(codec)
    documents.load()


def main(mode: bytes) -> NoReturn:
    """Answer, and leave without any cleaning up that needs more than a confined process may do."""
    sandbox.close_all_but_pipes()
    missing = sandbox.confine()
    if mode == LIMITS:
        say(*missing)
        os._exit(0)
    if mode == TEXT:
        _tell_text()
        os._exit(0)
    found = look()
    pages = "-" if found.pages is None else found.pages
    say(f"{found.condition} {pages} {found.media_type} {hidden.spell(found.hidden)}")
    os._exit(0)


def look() -> Found:
    """Read the file and examine it; whatever goes wrong, it is left unexamined."""
    media_type = OCTETS
    try:
        data = read(MAX_BYTES + 1)
        media_type = announced(data[:HEAD_BYTES])
        if len(data) > MAX_BYTES:
            return Found(media_type, "unexamined")
        found = examine(media_type, data)
        return found._replace(hidden=hidden.look(found, data))
    except (MemoryError, RecursionError, OSError, ImportError):
        return Found(media_type, "unexamined")


def _tell_text() -> None:
    """Read the file and say its text; whatever goes wrong has a word of its own."""
    try:
        data = read(MAX_BYTES + 1)
        found = texts.read(data) if len(data) <= MAX_BYTES else texts.Read("too_large", b"")
    except (MemoryError, OSError):
        found = texts.Read(texts.FAILED, b"")
    say(found.word)
    left = memoryview(found.text)
    while left:
        left = left[os.write(1, left[:_STEP]) :]


def examine(media_type: str, data: bytes) -> Found:
    """Examine a whole file that announces itself as ``media_type``."""
    return documents.pdf(data) if media_type == PDF else kinds.examine(media_type, data)


def read(length: int) -> bytes:
    """Read up to ``length`` bytes of standard input."""
    pieces: list[bytes] = []
    while length and (piece := os.read(0, min(length, _STEP))):
        pieces.append(piece)
        length -= len(piece)
    return b"".join(pieces)


def say(*lines: str) -> None:
    """Write lines to standard output."""
    os.write(1, "".join(f"{line}\n" for line in lines).encode())

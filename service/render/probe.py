"""The process that looks at one file: bytes on standard input, two lines on standard output, nothing else.

It is forked by `service.render.forkserver`, which has imported what is needed before.

The first line is the media type that the first bytes announce, said before anything is parsed, so that it is known even
if the parser crashes. The second is ``condition pages media-type``. Nothing of the file is repeated.

Its modes (`service.render.orders`): WHOLE, examine all of the input; HEAD, the input is only the beginning of a file:
say what it announces; LIMITS, say what confinement is missing, one a line.
"""

from __future__ import annotations

import codecs
import os
from typing import Final, NoReturn

from service.render import documents, kinds, sandbox
from service.render.found import OCTETS, PDF, Found
from service.render.orders import HEAD, LIMITS

MAX_BYTES: Final = 67_108_864
_STEP: Final = 1_048_576


def preload() -> None:
    """Import what examinations need: a confined process cannot open files to do so."""
    for codec in kinds.CODECS:
        codecs.lookup(codec)
    documents.load()


def main(mode: bytes) -> NoReturn:
    """Answer, and leave without any cleaning up that needs more than a confined process may do."""
    sandbox.close_all_but_pipes()
    missing = sandbox.confine()
    if mode == LIMITS:
        say(*missing)
        os._exit(0)
    head = read(kinds.HEAD_BYTES)
    media_type = kinds.announced(head) if head else OCTETS
    say(media_type)
    found = Found(media_type, "unexamined") if mode == HEAD else look(head, media_type)
    say(f"{found.condition} {'-' if found.pages is None else found.pages} {found.media_type}")
    os._exit(0)


def look(head: bytes, media_type: str) -> Found:
    """Read the rest and examine it; whatever goes wrong, the file is left unexamined."""
    try:
        data = head + read(MAX_BYTES + 1 - len(head))
        return examine(media_type, data) if len(data) <= MAX_BYTES else Found(media_type, "unexamined")
    except (MemoryError, RecursionError, OSError, ImportError):
        return Found(media_type, "unexamined")


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

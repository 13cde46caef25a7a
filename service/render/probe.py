"""The process that looks at one file: bytes on standard input, two lines on standard output, nothing else.

The first line is the media type that the first bytes announce, said before anything is parsed, so that it is known even
if the parser crashes. The second is ``condition pages media-type``. Nothing of the file is repeated.

Arguments: ``whole`` (examine all of the input), ``head`` (the input is only the beginning of a file: say what it
announces), ``limits`` (say what confinement is missing, one a line).
"""

from __future__ import annotations

import codecs
import os
import sys
from collections.abc import Callable
from typing import Final

from service.render import documents, kinds, sandbox
from service.render.found import OCTETS, PDF, Found

MAX_BYTES: Final = 67_108_864
_STEP: Final = 1_048_576


def main(mode: str) -> None:
    """Answer, and leave without any cleaning up that needs more than a confined process may do."""
    sandbox.close_all_but_pipes()
    if mode == "limits":
        say(*sandbox.confine())
        os._exit(0)
    head = read(kinds.HEAD_BYTES)
    media_type = kinds.announced(head) if head else OCTETS
    examine = prepare(media_type)
    sandbox.confine()
    say(media_type)
    found = Found(media_type, "unexamined") if mode == "head" else look(examine, head, media_type)
    say(f"{found.condition} {'-' if found.pages is None else found.pages} {found.media_type}")
    os._exit(0)


def prepare(media_type: str) -> Callable[[bytes], Found]:
    """Import what the examination needs, while files can still be opened."""
    for codec in kinds.CODECS:
        codecs.lookup(codec)
    return documents.examiner() if media_type == PDF else lambda data: kinds.examine(media_type, data)


def look(examine: Callable[[bytes], Found], head: bytes, media_type: str) -> Found:
    """Read the rest and examine it; whatever goes wrong, the file is left unexamined."""
    try:
        data = head + read(MAX_BYTES + 1 - len(head))
        return examine(data) if len(data) <= MAX_BYTES else Found(media_type, "unexamined")
    except (MemoryError, RecursionError, OSError, ImportError):
        return Found(media_type, "unexamined")


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


if __name__ == "__main__":
    main(sys.argv[1])

"""The text of a file: bytes in, a word of how it went and the text out. Runs in a probe."""

from __future__ import annotations

import codecs
from typing import Final, NamedTuple

from service.render import documents, office_texts
from service.render.found import DOCX, PDF, PPTX, TEXT, XLSX, ZIP
from service.render.gathered import Gathered
from service.render.offices import package_type
from service.render.packages import BrokenError, TooMuchError
from service.render.sniff import HEAD_BYTES, announced, is_text

READ: Final = "read"
FAILED: Final = "failed"
TYPES: Final = frozenset({PDF, DOCX, XLSX, PPTX, TEXT})
"""What text is read from."""
REFUSALS: Final = frozenset({"empty", FAILED, "locked", "scanned", "too_large", "type", "unreadable"})
"""Why there is none: nothing to be read in it, not found out, a password, pictures only, more than is read, a kind
without text, broken."""

_MARKS: Final = {
    codecs.BOM_UTF8: "utf-8",
    codecs.BOM_UTF16_LE: "utf-16-le",
    codecs.BOM_UTF16_BE: "utf-16-be",
}
_OLD: Final = "cp1252"
CODECS: Final = (_OLD,)


class Read(NamedTuple):
    """What came of reading a file.

    Args:
        word: `READ`, or one of `REFUSALS`.
        text: in UTF-8; empty unless it was read.
    """

    word: str
    text: bytes


def read(data: bytes) -> Read:
    """Read a file's text; whatever goes wrong has a word."""
    if not data:
        return Read("empty", b"")
    try:
        media_type = announced(data[:HEAD_BYTES])
        if media_type == ZIP:
            media_type = package_type(data)
        if media_type not in TYPES:
            return Read("type", b"")
        text = _text(media_type, data)
    except BrokenError:
        return Read("unreadable", b"")
    except TooMuchError:
        return Read("too_large", b"")
    except (MemoryError, RecursionError, OSError, ImportError):
        return Read(FAILED, b"")
    return Read(READ, text) if text else Read("scanned" if media_type == PDF else "empty", b"")


def _text(media_type: str, data: bytes) -> bytes:
    if media_type == PDF:
        return documents.text(data)
    return _plain(data) if media_type == TEXT else office_texts.text(media_type, data)


def _plain(data: bytes) -> bytes:
    """Decode plain text as it is marked, else as UTF-8, else as the code page that most old papers have."""
    if not is_text(data, whole=True):
        raise BrokenError
    mark = next((each for each in _MARKS if data.startswith(each)), b"")
    try:
        said = data[len(mark) :].decode(_MARKS.get(mark, "utf-8"))
    except UnicodeDecodeError:
        said = data.decode(_OLD, "replace")
    gathered = Gathered()
    gathered.add(said)
    return gathered.whole()

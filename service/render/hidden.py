"""What lies hidden in a file: words of a closed vocabulary, each with a count. Bytes in, words out; runs in a probe.

Rules kept here:

* nothing of the content is told: no name of an author, no text of a comment, only that there is one and how many;
* None means not looked into; an empty mapping means looked into, nothing found;
* looking costs an upload next to nothing: pages are looked at for `PAGES_S` at most, and the rest is said to be unseen.

A file is never changed by it. Who is told is no matter of this room: service/documents.py asks the policy.

Source: docs/adr/0026-text-and-hidden-things.md.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Final

from service.render import hidden_images, hidden_offices, hidden_pdfs
from service.render.found import DOCX, JPEG, PDF, PNG, PPTX, XLSX, Found
from service.render.packages import BrokenError, TooMuchError

WORDS: Final = frozenset(
    {
        "attachments",  # files inside the file
        "author",  # the name of a person stands in its properties
        "camera",  # what a camera or program noted: device, time (EXIF)
        "comments",  # remarks, marks, stamps
        "covered_text",  # filled rectangles with text under them that can still be copied: a redaction that is none
        "custom_data",  # properties or data of somebody's own
        "deletions",  # text that was deleted with changes tracked: it is still there
        "embedded_objects",
        "external_links",  # it takes values or files from elsewhere
        "form_fields",
        "hidden_columns",
        "hidden_layers",
        "hidden_rows",
        "hidden_sheets",
        "hidden_slides",
        "hidden_text",
        "insertions",  # text that was added with changes tracked
        "invisible_text",  # drawn without a colour, as under the picture of a scanned page
        "javascript",
        "launch_actions",  # it asks to start another program
        "location",  # where a picture was taken (GPS)
        "macros",
        "off_page_text",  # text outside of its page
        "producer",  # the program that made it
        "speaker_notes",
        "unseen_pages",  # pages that were not looked at, for there are many
        "xmp",  # further properties of a picture
    }
)
MOST: Final = 999_999

_MACROS: Final = MappingProxyType(
    {
        f"application/vnd.ms-{kind}.macroenabled.12": of
        for kind, of in (("word.document", DOCX), ("excel.sheet", XLSX), ("powerpoint.presentation", PPTX))
    }
)
_LOOKS: Final[Mapping[str, Callable[[bytes], Mapping[str, int]]]] = MappingProxyType(
    {
        PDF: hidden_pdfs.look,
        DOCX: hidden_offices.word,
        XLSX: hidden_offices.excel,
        PPTX: hidden_offices.powerpoint,
        JPEG: hidden_images.jpeg,
        PNG: hidden_images.png,
    }
)


def look(found: Found, data: bytes) -> dict[str, int] | None:
    """Return what lies hidden in a file that was examined; None where it could not be looked into.

    Args:
        found: what the examination says of it: only what is readable is looked into.
    """
    by_type = _LOOKS.get(_MACROS.get(found.media_type, found.media_type))
    if found.condition != "readable" or by_type is None:
        return None
    try:
        said = by_type(data)
    except (BrokenError, TooMuchError, MemoryError, RecursionError, OSError, ImportError):
        return None
    return {word: min(count, MOST) for word, count in sorted(said.items()) if count}


def spell(said: Mapping[str, int] | None) -> str:
    """Write what was found as one word: ``-`` for None, ``=`` for nothing.

    >>> spell({"comments": 3, "macros": 1})
    'comments=3,macros=1'
    """
    if said is None:
        return "-"
    return ",".join(f"{word}={count}" for word, count in sorted(said.items())) or "="


def read(text: str) -> dict[str, int] | None:
    """Read what `spell` wrote; anything else is as if nobody had looked.

    >>> read("comments=3,evil=1") is None
    True
    """
    if text == "=":
        return {}
    said: dict[str, int] = {}
    for each in text.split(","):
        word, _, count = each.partition("=")
        if word not in WORDS or word in said or not count.isdecimal() or not 0 < int(count[:9]) <= MOST:
            return None
        said[word] = int(count)
    return said if spell(said) == text else None

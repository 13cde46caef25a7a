"""The words in which a probe answers."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final, Literal, NamedTuple

Condition = Literal["empty", "locked", "mismatched", "readable", "unexamined", "unknown", "unreadable"]

OCTETS: Final = "application/octet-stream"
TEXT: Final = "text/plain"
PDF: Final = "application/pdf"
ZIP: Final = "application/zip"
OLE: Final = "application/x-ole-storage"
RTF: Final = "application/rtf"
WORD_PERFECT: Final = "application/vnd.wordperfect"
DOCX: Final = "application/vnd.openxmlformats-officedocument.wordprocessingml.document"
XLSX: Final = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
PPTX: Final = "application/vnd.openxmlformats-officedocument.presentationml.presentation"
PNG: Final = "image/png"
JPEG: Final = "image/jpeg"
GIF: Final = "image/gif"
TIFF: Final = "image/tiff"


class Found(NamedTuple):
    """What a probe found out.

    Args:
        media_type: what the bytes are, as far as they show it.
        condition: ``readable``; ``unreadable`` (begins like its type and is not whole or sound); ``locked`` (asks for a
            password); ``unknown`` (a type that is not examined); ``unexamined`` (the examination did not end).
        pages: how many, where the type has pages and they could be counted.
        hidden: what lies hidden in it, by the words of `service.render.hidden`; None where nobody looked.
    """

    media_type: str
    condition: Condition
    pages: int | None = None
    hidden: Mapping[str, int] | None = None

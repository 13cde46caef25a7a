"""What the first bytes of a file announce: looked at, never parsed, and so in the service's own process.

A file that announces nothing we look into needs no process that does.

Source: the specifications named in `images` and `offices`; ISO 32000-1 annex H.3.4.1 (what may stand before ``%PDF-``).
"""

from __future__ import annotations

import codecs
from typing import Final

import filetype

from service.render.found import GIF, JPEG, OCTETS, OLE, PDF, PNG, RTF, TEXT, TIFF, WORD_PERFECT, ZIP

HEAD_BYTES: Final = 8_192
_PDF_WITHIN: Final = 1_024  # bytes that readers skip before the header
_MAGICS: Final = (
    (b"PK\x03\x04", ZIP),
    (b"PK\x05\x06", ZIP),
    (b"\x89PNG\r\n\x1a\n", PNG),
    (b"\xff\xd8\xff", JPEG),
    (b"GIF87a", GIF),
    (b"GIF89a", GIF),
    (b"II*\x00", TIFF),
    (b"MM\x00*", TIFF),
    (b"{\\rtf", RTF),
    (b"\xffWPC", WORD_PERFECT),
    (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", OLE),
)
LOOKED_INTO: Final = frozenset({PDF, TEXT, *(media_type for _, media_type in _MAGICS)})
"""What may be announced that a probe can say more of."""
_WIDE: Final = {codecs.BOM_UTF16_LE: "utf-16-le", codecs.BOM_UTF16_BE: "utf-16-be"}
# No text has these: all controls but tab, line feed, form feed, carriage return, escape, and the end mark of old files.
_CONTROLS: Final = bytes(code for code in range(32) if code not in b"\t\n\f\r\x1a\x1b")
_LEAST_ASCII: Final = 0.7
CODECS: Final = ("utf-8", *_WIDE.values())


def announced(head: bytes) -> str:
    """Return the media type that the first bytes (`HEAD_BYTES` of them, or all) announce."""
    if b"%PDF-" in head[:_PDF_WITHIN]:
        return PDF
    for magic, media_type in _MAGICS:
        if head.startswith(magic):
            return media_type
    if head and is_text(head, whole=len(head) < HEAD_BYTES):
        # Before the library is asked: it takes every text that begins with BM for a picture.
        return TEXT
    guessed = filetype.guess_mime(head)
    return guessed if isinstance(guessed, str) else OCTETS


def is_text(data: bytes, *, whole: bool) -> bool:
    """Say whether people can read ``data`` as plain text: UTF-8 or marked UTF-16, or an old 8-bit code page.

    Args:
        data: the text, or its beginning.
        whole: it is all there; else its last character may be cut.
    """
    wide = _WIDE.get(data[:2])
    if wide is not None:
        return _decodes(data[2:], wide, whole=whole)
    if data.translate(None, _CONTROLS) != data:
        return False
    return _decodes(data, "utf-8", whole=whole) or sum(map(data.count, range(128))) >= _LEAST_ASCII * len(data)


def _decodes(data: bytes, codec: str, *, whole: bool) -> bool:
    try:
        codecs.getincrementaldecoder(codec)().decode(data, whole)
    except UnicodeDecodeError:
        return False
    return True

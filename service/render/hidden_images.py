"""What lies hidden in pictures: EXIF, the place where they were taken, XMP. No pixel is decoded. Runs in a probe.

Source: ITU-T T.81 annex B; PNG (W3C) 11.3.2; CIPA DC-008 (Exif) 4.6; TIFF 6.0 section 2; XMP part 3.
"""

from __future__ import annotations

import struct
from typing import Final

_EXIF: Final = b"Exif\0\0"
_XMP: Final = b"http://ns.adobe.com/xap/1.0/\0"
_XMP_WORDS: Final = b"XML:com.adobe.xmp\0"
_GPS: Final = 0x8825
_SCAN, _APP1 = 0xDA, 0xE1
_BARE: Final = frozenset({0x01, *range(0xD0, 0xD9)})
_ENTRY_BYTES: Final = 12


def jpeg(data: bytes) -> dict[str, int]:
    """Look at the segments before the first scan."""
    said: dict[str, int] = {}
    offset = 2
    while offset + 4 <= len(data) and data[offset] == 0xFF and data[offset + 1] != _SCAN:  # noqa: PLR2004
        marker = data[offset + 1]
        if marker == 0xFF or marker in _BARE:  # noqa: PLR2004
            offset += 1 if marker == 0xFF else 2  # noqa: PLR2004
            continue
        (length,) = struct.unpack_from(">H", data, offset + 2)
        segment = data[offset + 4 : offset + 2 + length]
        if marker == _APP1 and segment.startswith(_EXIF):
            said |= _exif(segment[len(_EXIF) :])
        elif marker == _APP1 and segment.startswith(_XMP):
            said["xmp"] = 1
        offset += 2 + length
    return said


def png(data: bytes) -> dict[str, int]:
    """Look at the chunks beside the picture."""
    said: dict[str, int] = {}
    offset = 8
    while offset + 12 <= len(data):
        (length,) = struct.unpack_from(">I", data, offset)
        kind, start = data[offset + 4 : offset + 8], offset + 8
        if kind == b"eXIf":
            said |= _exif(data[start : start + length])
        elif kind == b"iTXt" and data.startswith(_XMP_WORDS, start):
            said["xmp"] = 1
        elif kind in {b"tEXt", b"zTXt", b"iTXt"}:
            said["custom_data"] = said.get("custom_data", 0) + 1
        offset = start + length + 4
    return said


def _exif(block: bytes) -> dict[str, int]:
    """Look at the first directory: any entry is something noted, one of them says where the place stands."""
    order = "<" if block[:2] == b"II" else ">"
    (at,) = struct.unpack_from(order + "I", block.ljust(8, b"\0"), 4)
    if at + 2 > len(block):
        return {}
    (count,) = struct.unpack_from(order + "H", block, at)
    tags = [
        struct.unpack_from(order + "H", block, at + 2 + _ENTRY_BYTES * number)[0]
        for number in range(count)
        if at + 2 + _ENTRY_BYTES * (number + 1) <= len(block)
    ]
    return ({"camera": 1} if tags else {}) | ({"location": 1} if _GPS in tags else {})

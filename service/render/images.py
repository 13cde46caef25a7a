"""Images: whole and plausible by their structure. No pixel is decoded. Bytes in, `Found` out; runs in a probe."""

from __future__ import annotations

import struct
import zlib
from typing import Final

from service.render.found import GIF, JPEG, PNG, TIFF, Found

MAX_TIFF_PAGES: Final = 10_000
_PNG_SIGNATURE_BYTES: Final = 8
_PNG_IHDR_BYTES: Final = 13
_JPEG_MARK: Final = 0xFF
_JPEG_FRAMES: Final = frozenset({*range(0xC0, 0xD0)} - {0xC4, 0xC8, 0xCC})
_JPEG_BARE: Final = frozenset({0x01, *range(0xD0, 0xD8)})
_JPEG_SCAN: Final = 0xDA
_JPEG_END: Final = b"\xff\xd9"
_GIF_TRAILER, _GIF_EXTENSION, _GIF_IMAGE = 0x3B, 0x21, 0x2C


def png(data: bytes) -> Found:
    """Walk the chunks: IHDR first, every CRC right, IEND at the end.

    Source: PNG (W3C), sections 5.3 and 11.2.
    """
    offset, first = _PNG_SIGNATURE_BYTES, True
    while offset + 12 <= len(data):
        (length,) = struct.unpack_from(">I", data, offset)
        kind, end = data[offset + 4 : offset + 8], offset + 12 + length
        if end > len(data) or first != (kind == b"IHDR") or (first and not _png_size(data, offset, length)):
            break
        if zlib.crc32(data[offset + 4 : end - 4]) != int.from_bytes(data[end - 4 : end], "big"):
            break
        if kind == b"IEND":
            return Found(PNG, "readable", 1)
        offset, first = end, False
    return Found(PNG, "unreadable")


def _png_size(data: bytes, offset: int, length: int) -> bool:
    width, height = struct.unpack_from(">II", data.ljust(offset + 16, b"\0"), offset + 8)
    return length == _PNG_IHDR_BYTES and width > 0 and height > 0


def jpeg(data: bytes) -> Found:
    """Walk the segments up to the first scan: a frame with a size must come before, and an end after it.

    Source: ITU-T T.81, annex B.
    """
    offset, sized = 2, False
    while offset + 4 <= len(data) and data[offset] == _JPEG_MARK:
        marker = data[offset + 1]
        if marker == _JPEG_MARK or marker in _JPEG_BARE:
            offset += 1 if marker == _JPEG_MARK else 2  # a filling byte, or a marker without a segment
            continue
        (length,) = struct.unpack_from(">H", data, offset + 2)
        if marker in _JPEG_FRAMES and offset + 9 <= len(data):
            (width,) = struct.unpack_from(">H", data, offset + 7)
            sized = width > 0  # a height of 0 is given later, by a DNL segment
        if marker == _JPEG_SCAN:
            whole = sized and data.rfind(_JPEG_END, offset + 2 + length) > 0
            return Found(JPEG, "readable", 1) if whole else Found(JPEG, "unreadable")
        offset += 2 + length
    return Found(JPEG, "unreadable")


def gif(data: bytes) -> Found:
    """Walk the blocks to the trailer; there must be an image.

    Source: GIF89a specification, sections 17 to 27.
    """
    images, offset = 0, _after_colours(data, 10, 13)
    while offset < len(data):
        introducer = data[offset]
        if introducer == _GIF_TRAILER:
            return Found(GIF, "readable", 1) if images else Found(GIF, "unreadable")
        if introducer == _GIF_EXTENSION:
            offset = _after_blocks(data, offset + 2)
        elif introducer == _GIF_IMAGE:
            images += 1
            offset = _after_blocks(data, _after_colours(data, offset + 9, offset + 10) + 1)
        else:
            break
    return Found(GIF, "unreadable")


def _after_colours(data: bytes, flags_at: int, end: int) -> int:
    flags = data[flags_at] if flags_at < len(data) else 0
    return end + (3 << (flags & 7) + 1 if flags & 0x80 else 0)


def _after_blocks(data: bytes, offset: int) -> int:
    while offset < len(data) and data[offset]:
        offset += 1 + data[offset]
    return offset + 1


def tiff(data: bytes) -> Found:
    """Follow the directories: one a page, each within the file, none twice.

    Source: TIFF 6.0, section 2.
    """
    order = "<" if data[:2] == b"II" else ">"
    seen: set[int] = set()
    (offset,) = struct.unpack_from(order + "I", data.ljust(8, b"\0"), 4)
    while offset and offset not in seen and len(seen) < MAX_TIFF_PAGES:
        seen.add(offset)
        if offset + 2 > len(data):
            return Found(TIFF, "unreadable")
        (count,) = struct.unpack_from(order + "H", data, offset)
        following = offset + 2 + 12 * count
        if not count or following + 4 > len(data):
            return Found(TIFF, "unreadable")
        (offset,) = struct.unpack_from(order + "I", data, following)
    return Found(TIFF, "unreadable") if offset or not seen else Found(TIFF, "readable", len(seen))

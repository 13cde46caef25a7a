"""Kinds of files, and how each is examined. Bytes in, `Found` out; runs in a probe.

Source: the specifications named in `images` and `offices`.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from service.render import images, offices
from service.render.found import GIF, JPEG, OCTETS, OLE, PNG, RTF, TEXT, TIFF, WORD_PERFECT, ZIP, Found
from service.render.sniff import is_text

_EXAMINERS: Final[dict[str, Callable[[bytes], Found]]] = {
    ZIP: offices.package,
    PNG: images.png,
    JPEG: images.jpeg,
    GIF: images.gif,
    TIFF: images.tiff,
    RTF: offices.rtf,
    WORD_PERFECT: offices.word_perfect,
    OLE: offices.ole,
}


def examine(media_type: str, data: bytes) -> Found:
    """Examine ``data``, which announced itself as ``media_type`` (anything but PDF)."""
    if media_type in _EXAMINERS:
        return _EXAMINERS[media_type](data)
    if media_type == TEXT:
        return Found(TEXT, "readable") if is_text(data, whole=True) else Found(OCTETS, "unknown")
    return Found(media_type, "unknown")

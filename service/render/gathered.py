"""Text on its way out of a file: never more of it than `MAX_TEXT_BYTES`, and no signs but those of text."""

from __future__ import annotations

from typing import Final

from service.render.packages import TooMuchError

MAX_TEXT_BYTES: Final = 8_388_608
# Controls that are no text go; PDFium marks a word that was parted at the end of a line by one of two of its own.
_SIGNS: Final = {code: None for code in (*range(32), *range(127, 160)) if code not in b"\t\n\f"} | {
    0x02: "-",
    0xFFFE: "-",
    0xFFFF: None,
}


class Gathered:
    """Pieces of text, cleaned and counted.

    Raises:
        TooMuchError: from `add`, when it is more than is answered with.
    """

    def __init__(self) -> None:
        self._pieces: list[str] = []
        self._size = 0

    def add(self, text: str) -> None:
        """Add a piece."""
        self._size += len(text)
        if self._size > MAX_TEXT_BYTES:
            raise TooMuchError
        self._pieces.append(text)

    def whole(self) -> bytes:
        """Return all of it, in UTF-8; empty where there is nothing to be read in it."""
        text = "".join(self._pieces).replace("\r\n", "\n").replace("\r", "\n").translate(_SIGNS)
        said = text.encode("utf-8", "replace") if text.strip() else b""
        if len(said) > MAX_TEXT_BYTES:
            raise TooMuchError
        return said

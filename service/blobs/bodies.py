"""Bodies of requests: bytes in memory of their own, which goes back to the system at once when it is let go.

Parts of 8 MiB from the common heap are kept by it after use, in each thread's share: measured, an upload of any size
then costs twice the parts it holds. Pages that a small body does not touch cost nothing.
"""

from __future__ import annotations

import mmap
import os
import zlib
from typing import Final

PIECE_BYTES: Final = 1_048_576


class Body:
    """Up to ``limit`` bytes, written once from the start, then read as a file by the HTTP client."""

    def __init__(self, limit: int) -> None:
        self._memory = mmap.mmap(-1, limit)
        self._length = self._at = 0

    @property
    def room(self) -> int:
        """How many bytes may still be appended."""
        return len(self._memory) - self._length

    def append(self, piece: memoryview) -> None:
        """Add a piece that has room."""
        end = self._length + len(piece)
        self._memory[self._length : end] = piece
        self._length = end

    def clear(self) -> None:
        """Begin anew in the same memory."""
        self._length = self._at = 0

    def crc32(self) -> bytes:
        """The CRC-32 of what was written, four bytes, big-endian."""
        with memoryview(self._memory) as whole:
            return zlib.crc32(whole[: self._length]).to_bytes(4)

    def __len__(self) -> int:
        return self._length

    def read(self, length: int = -1) -> bytes:
        """Read on, as a file does; but never less than `PIECE_BYTES` while there is so much.

        An HTTP client asks for 16 KiB at a time, and each piece costs a system call and a turn at the interpreter's
        lock; it sends on what it is given, of any length.
        """
        end = self._length if length < 0 else min(self._length, self._at + max(length, PIECE_BYTES))
        piece = self._memory[self._at : end]
        self._at = end
        return piece

    def seek(self, offset: int, whence: int = os.SEEK_SET) -> int:
        """Go to a place, as in a file: a request that is sent again is read again."""
        self._at = (0, self._at, self._length)[whence] + offset
        return self._at

    def tell(self) -> int:
        """The place of the next byte that is read."""
        return self._at

"""Pieces of a file on its way: each a sealed message under a key of its own, in an object of its own.

A piece counts once its object is committed and its row is there; until then nothing of it can be seen, and what a crash
leaves is an object without a row, which the doctor names.

Nothing is decided or recorded here.

Source: docs/adr/0017-resumable-uploads.md.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable
from contextlib import aclosing
from dataclasses import dataclass
from typing import Any, Final

from service.blobs.store import BlobWriter
from service.crypto.streams import HEADER_BYTES, Sealer
from service.crypto.wrapping import SecretKey, generate_key
from service.db.ids import new_id
from service.door import open_piece, opened_key, piece_context
from service.scoping.decide import Authorised
from service.services import Services

PIECE_BYTES: Final = 64 * 1024 * 1024
"""Of the plaintext at most: so much of one long request is lost, and sent again, when the server is killed."""


@dataclass(slots=True)
class Piece:
    """A piece that is being written; one task uses it. `abort` after whatever goes wrong."""

    id: str
    blob_id: str
    start: int  # of its first byte in the file
    key: SecretKey
    sealer: Sealer
    writer: BlobWriter
    header: bytes = b""
    size_bytes: int = 0  # of the plaintext

    @property
    def stop(self) -> int:
        """Where the next piece begins."""
        return self.start + self.size_bytes

    async def write(self, data: bytes) -> None:
        """Seal some bytes.

        Raises:
            StoreFullError, StoreUnavailableError: they cannot be kept.
        """
        self.size_bytes += len(data)
        await self._put(self.sealer.update(data))

    async def commit(self) -> None:
        """Seal the end and make the object durable.

        Raises:
            StoreFullError, StoreUnavailableError: it is not, or not certainly.
        """
        await self._put(self.sealer.finish())
        await self.writer.commit()

    async def abort(self) -> None:
        """Leave nothing behind."""
        await self.writer.abort()

    async def _put(self, sealed: bytes) -> None:
        self.header = self.header or sealed[:HEADER_BYTES]
        await self.writer.write(sealed)


async def begin_piece(services: Services, upload: Any, start: int) -> Piece:
    """Begin a piece.

    Args:
        upload: a row with id, firm_id, engagement_id, matter_id and part_key_id.

    Raises:
        KeyMissingError, KeyPlaceError, StoreFullError, StoreUnavailableError: it cannot be begun.
    """
    random, now_ms = services.random, services.clock()
    piece_id, blob_id, key = new_id("pce", now_ms, random), new_id("blb", now_ms, random), generate_key(random)
    await opened_key(services.keys, upload.part_key_id)  # before a byte is taken: without it nothing could be kept
    sealer = Sealer(key, piece_context(upload, upload.id, piece_id))
    return Piece(piece_id, blob_id, start, key, sealer, await services.blobs.create(blob_id))


async def opened_pieces(services: Services, authorised: Authorised, pieces: Iterable[Any]) -> AsyncIterator[bytes]:
    """Yield the whole file from its pieces, in their order."""
    for piece in pieces:
        async with aclosing(open_piece(services.keys, services.blobs, authorised, piece)) as content:
            async for plain in content:
                yield plain

"""Storing: the bytes of one request, from the first to the row of the last piece.

A piece's object is committed first; then its row is written and the upload moved on, in one transaction that decides
again and finds the upload where this request began it. A crash before leaves an object without a row; after, a piece
that counts.
"""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any

from sqlalchemy import bindparam, insert, select, update

from service import events
from service.acts import Act, Caller, Find, keyed, perform
from service.crypto.wrapping import wrap
from service.db.models import upload_pieces, uploads
from service.db.session import Tx
from service.door import piece_key_context
from service.errors import IncompleteBodyError, MunimentError, TooLargeError
from service.ledger import Moment, Outcome
from service.scoping.actions import Action
from service.services import Services
from service.uploads.checksums import Checksum
from service.uploads.errors import WrongOffsetError
from service.uploads.pieces import PIECE_BYTES, Piece, begin_piece
from service.uploads.receiving import PART, unless_closed

_ADD_PIECE = insert(upload_pieces)
_PIECE = select(upload_pieces.c.id).where(upload_pieces.c.id == bindparam("piece"))
_MOVE_ON = (
    update(uploads)
    .where(uploads.c.id == bindparam("upload"), uploads.c.received_bytes == bindparam("old_received"))
    .values(received_bytes=bindparam("new_received"), expires_at=bindparam("new_expiry"))
)


@dataclass(slots=True)
class Storing:
    """One announced request; `run` once. Whatever happens, its outcome is recorded.

    Args:
        find: what adding the file is about.
        upload: its row, with matter_id and part_key_id.
        who, intent: the announcement.
        position: where the next byte goes.
    """

    services: Services
    caller: Caller
    find: Find
    upload: Any
    who: events.Who
    intent: int
    position: int
    kept_bytes: int = 0
    _piece: Piece | None = None

    async def run(self, pieces: AsyncIterator[bytes], checksum: Checksum | None) -> None:
        """Take in the body.

        Raises:
            TooLargeError: it goes on past the upload's size.
            ChecksumError: it was changed on its way; nothing of it is kept.
            WrongOffsetError: somebody else sent the same bytes first.
            IncompleteBodyError: the client went away; what came is kept, unless it was to be checked.
            Others: what the policy answers; `StoreFullError`, `StoreUnavailableError`.
        """
        outcome = "aborted"
        try:
            await self._take(pieces, checksum)
            outcome = "done"
        except IncompleteBodyError:
            if checksum is None:
                await self._keep()
            raise
        except MunimentError:
            outcome = "failed"
            raise
        finally:
            if self._piece is not None:
                await self._piece.abort()
            self._post_outcome(outcome)

    async def _take(self, pieces: AsyncIterator[bytes], checksum: Checksum | None) -> None:
        # What is to be checked is kept whole or not at all, so it is one piece, however long.
        most = PIECE_BYTES if checksum is None else self.upload.size_bytes
        async for data in pieces:
            if self.position + len(data) > self.upload.size_bytes:
                raise TooLargeError("More bytes than the upload was begun with.")
            if checksum is not None:
                checksum.update(data)
            await self._write(data, most)
        if checksum is not None:
            checksum.compare()
        await self._keep()

    async def _write(self, data: bytes, most: int) -> None:
        while data:
            if self._piece is None:
                self._piece = await begin_piece(self.services, self.upload, self.position)
            some = data[: most - self._piece.size_bytes]
            await self._piece.write(some)
            self.position += len(some)
            data = data[len(some) :]
            if self._piece.size_bytes == most and data:
                await self._keep()

    async def _keep(self) -> None:
        """Make the piece count."""
        piece = self._piece
        if piece is None:
            return
        await piece.commit()
        self._piece = None
        try:
            await perform(
                self.services, self.caller, Action.DOCUMENT_ADD, self.find, lambda act: self._record(act, piece)
            )
        except MunimentError:
            await self._delete_unreferenced(piece)
            raise
        self.kept_bytes += piece.size_bytes

    async def _delete_unreferenced(self, piece: Piece) -> None:
        """Take the object away, unless its row came to be although the answer was lost."""

        def job(tx: Tx, _moment: Moment) -> Outcome[bool]:
            return Outcome(tx.one(_PIECE, piece=piece.id) is None)  # behind the head's lock: it will not come later

        with contextlib.suppress(MunimentError):  # what stays is an object without a row: the doctor finds it
            if (await self.services.ledger.submit(self.upload.firm_id, job)).result:
                await self.services.blobs.delete([piece.blob_id])

    def _record(self, act: Act, piece: Piece) -> None:
        expiry = act.moment.s + act.services.settings.upload_expires_s
        moved = act.tx.run(
            _MOVE_ON, upload=self.upload.id, old_received=piece.start, new_received=piece.stop, new_expiry=expiry
        )
        if not moved:
            raise WrongOffsetError("Somebody else sent these bytes meanwhile. Ask with HEAD where to go on.")
        part = act.tx.one(PART, part=self.upload.part_id, firm=act.firm_id)  # its key may have been rotated meanwhile
        part_key = keyed(act.services, part.key_id)
        act.tx.run(
            _ADD_PIECE,
            id=piece.id,
            firm_id=act.firm_id,
            upload_id=self.upload.id,
            start=piece.start,
            size_bytes=piece.size_bytes,
            wrapped_key=wrap(part_key, piece.key, piece_key_context(piece.id), act.services.random),
            header=piece.header,
            blob_id=piece.blob_id,
        )
        span = (piece.start, piece.stop)
        act.drafts.append(events.upload_stored(act.who, self.upload.id, piece.id, piece.header, span))

    def _post_outcome(self, outcome: str) -> None:
        log_id, intent = self.upload.firm_id, self.intent
        draft = events.upload_received(self.who, intent, self.upload.id, outcome, self.kept_bytes)
        self.services.ledger.post(log_id, lambda tx, _moment: Outcome(None, unless_closed(tx, log_id, intent, draft)))

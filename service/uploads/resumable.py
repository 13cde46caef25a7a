"""Resumable uploads: a file that comes in pieces, in several requests, and outlives the process that receives it.

Rules kept here:

* every step is decided as adding the document would be, anew, and only the membership that began it may go on: to all
  others it is not there;
* an upload is bound to engagement, part, label and title when it begins, and to its size; one that begins within
  working hours may go on after them (all else that rules ask is asked at each step);
* bytes are accepted only where the last piece ended; of two who send the same bytes at once the later is refused, and
  nothing of his is kept;
* what a broken request brought is kept, sealed, unless its sender wanted it checked: then all of it or nothing;
* the last piece makes the document, in the same way as if it had come at once; doing that twice makes one document.

A crash leaves the upload at its last whole piece. One that had all its bytes becomes a document when its client asks
where it stands, for nobody else may decide that.

Source: tus resumable upload protocol 1.0; docs/adr/0017-resumable-uploads.md.
"""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import bindparam, delete, func, insert, select, update

from service import events
from service.acts import Act, Caller, Done, perform
from service.db.models import parts, upload_pieces, uploads
from service.db.session import Tx
from service.door import Holder, NameReader
from service.errors import MunimentError, NotFoundError, TooLargeError
from service.events import EventType
from service.scoping.actions import Action
from service.scoping.actors import Actor
from service.scoping.decide import Subject
from service.services import Services
from service.uploads.adding import NewDocument, add, sensitivity_of
from service.uploads.checksums import Checksum
from service.uploads.errors import TooManyUploadsError, UploadExpiredError, WrongOffsetError
from service.uploads.pieces import opened_pieces
from service.uploads.purpose import Purpose, read_purpose
from service.uploads.receiving import Body, require_fit
from service.uploads.storing import Storing

ROUTE: Final = "upload"

_PART = select(parts.c.id, parts.c.key_id, parts.c.field_key, parts.c.engagement_id).where(
    parts.c.id == bindparam("part"), parts.c.firm_id == bindparam("firm")
)
_OPEN = select(func.count()).where(
    uploads.c.membership_id == bindparam("membership"),
    uploads.c.document_id.is_(None),
    uploads.c.expires_at > bindparam("now"),
)
_ADD = insert(uploads)
_ONE = (
    select(
        uploads,
        parts.c.matter_id,
        parts.c.key_id.label("part_key_id"),
        parts.c.field_key.label("part_field_key"),
    )
    .join_from(uploads, parts, parts.c.id == uploads.c.part_id)
    .where(
        uploads.c.id == bindparam("upload"),
        uploads.c.membership_id == bindparam("membership"),
        uploads.c.firm_id == bindparam("firm"),
    )
)
_PIECES = (
    select(
        upload_pieces,
        parts.c.engagement_id,
        parts.c.matter_id,
        parts.c.key_id.label("part_key_id"),
    )
    .select_from(
        upload_pieces.join(uploads, uploads.c.id == upload_pieces.c.upload_id).join(
            parts, parts.c.id == uploads.c.part_id
        )
    )
    .where(upload_pieces.c.upload_id == bindparam("upload"))
    .order_by(upload_pieces.c.start)
)
_FORGET_PIECES = delete(upload_pieces).where(upload_pieces.c.upload_id == bindparam("upload"))
_FORGET = delete(uploads).where(uploads.c.id == bindparam("upload"))
_BECAME = update(uploads).where(uploads.c.id == bindparam("upload")).values(document_id=bindparam("document"))


@dataclass(frozen=True, slots=True)
class Upload:
    """Where a resumable upload stands."""

    id: str
    purpose: str  # Upload-Metadata as it was sent
    size_bytes: int
    received_bytes: int
    expires_at: int  # UTC seconds
    document_id: str | None  # what it became


async def create(services: Services, caller: Caller, purpose: str, size_bytes: int) -> Upload:
    """Begin an upload; one of no bytes is a document at once.

    Args:
        purpose: Upload-Metadata, see `service.uploads.purpose`.
        size_bytes: of the whole file.

    Raises: what the policy answers; `BadInputError`, `BadTitleError`, `TooLargeError`, `TooManyUploadsError`.
    """
    said = read_purpose(purpose)
    require_fit(services, size_bytes)

    def subject(_tx: Tx, actor: Actor) -> Subject:
        return _subject(said.engagement_id, said.part_id, said.label, said.sensitivity, actor)

    def change(act: Act) -> str:
        request = {"purpose": purpose, "size": size_bytes}
        return act.once(ROUTE, request, lambda: _write(act, said, purpose, size_bytes))

    done = await perform(services, caller, Action.DOCUMENT_ADD, subject, change)
    return await look(services, caller._replace(idempotency_key=None), done.result)


def _write(act: Act, said: Purpose, purpose: str, size_bytes: int) -> str:
    part = act.tx.one(_PART, part=said.part_id, firm=act.firm_id)
    if part is None or part.engagement_id != said.engagement_id:
        raise NotFoundError
    settings = act.services.settings
    if act.tx.value(_OPEN, membership=act.actor.membership_id, now=act.moment.s) >= settings.max_open_uploads:
        raise TooManyUploadsError
    upload_id, holder = act.new_id("upl"), Holder(part.id, part.key_id, part.field_key)
    act.tx.run(
        _ADD,
        id=upload_id,
        firm_id=act.firm_id,
        engagement_id=said.engagement_id,
        part_id=said.part_id,
        membership_id=act.actor.membership_id,
        label=said.label,
        sensitivity=said.sensitivity,
        purpose=act.seal(holder, "uploads", "purpose", upload_id, purpose),
        size_bytes=size_bytes,
        received_bytes=0,
        created_at=act.moment.s,
        expires_at=act.moment.s + settings.upload_expires_s,
        document_id=None,
    )
    payload = act.payload(holder, {"title": said.title})
    data: events.Data = {"label": said.label, "bytes": size_bytes}
    act.record(EventType.UPLOAD_CREATED, {"upload": upload_id}, data, payload)
    return upload_id


async def look(services: Services, caller: Caller, upload_id: str) -> Upload:
    """Say how much has arrived; where that is all, and a crash came before the document, make it now.

    Raises: what the policy answers; `UploadExpiredError`; what `add` raises.
    """
    return await _finished(services, caller, await _read(services, caller, upload_id))


async def receive(
    services: Services,
    caller: Caller,
    upload_id: str,
    start: int,
    announced: int | None,
    checksum: Checksum | None,
    pieces: AsyncIterator[bytes],
) -> Upload:
    """Take in bytes from `start` on.

    Args:
        announced: how many bytes will come, where that is known.
        checksum: of the bytes of this request; they are kept only if it is right.

    Raises: what the policy answers; `WrongOffsetError`, `TooLargeError`, `ChecksumError`, `UploadExpiredError`,
        `IncompleteBodyError`, `StoreFullError`; what `add` raises.
    """

    def change(act: Act) -> Any:
        row = _live(act, upload_id)
        if start != row.received_bytes:
            raise WrongOffsetError(extra={"offset": row.received_bytes})
        if announced is not None and start + announced > row.size_bytes:
            raise TooLargeError("More bytes than the upload was begun with.")
        if start < row.size_bytes:
            act.drafts.append(events.upload_receiving(act.who, upload_id, start))
        act.show([upload_id])
        return row, act.who

    done = await perform(services, caller, Action.DOCUMENT_ADD, _whose(upload_id), change)
    row, who = done.result
    if start < row.size_bytes:
        intent = done.recorded.indexes[0]
        storing = Storing(services, caller, _whose(upload_id), row, who, intent, start)
        await storing.run(pieces, checksum)
    return await look(services, caller, upload_id)


async def end(services: Services, caller: Caller, upload_id: str) -> None:
    """Give an upload up; what it became already stays."""

    def change(act: Act) -> tuple[str, ...]:
        row = _row(act, upload_id)
        gone = forget_pieces(act.tx, upload_id)
        act.tx.run(_FORGET, upload=upload_id)
        if row.document_id is None:
            data: events.Data = {"bytes": row.received_bytes}
            act.drafts.append(events.upload_ended(act.who, upload_id, "aborted", data))
        return gone

    done = await perform(services, caller, Action.DOCUMENT_ADD, _whose(upload_id), change)
    await delete_quietly(services, done.result)


def forget_pieces(tx: Tx, upload_id: str) -> tuple[str, ...]:
    """Delete the rows of an upload's pieces, and with them their keys; returns the objects that are to go now."""
    gone = tuple(piece.blob_id for piece in tx.all(_PIECES, upload=upload_id))
    tx.run(_FORGET_PIECES, upload=upload_id)
    return gone


async def delete_quietly(services: Services, blob_ids: tuple[str, ...]) -> None:
    """Delete objects whose keys are gone; what stays is without a row, and the doctor names it."""
    with contextlib.suppress(MunimentError):
        await services.blobs.delete(blob_ids)


def _whose(upload_id: str) -> Any:
    """Find what adding this upload's file is about, for the membership that began it."""

    def find(tx: Tx, actor: Actor) -> Subject:
        row = tx.one(_ONE, upload=upload_id, membership=actor.membership_id, firm=actor.firm_id)
        if row is None:
            return Subject(part=upload_id)
        wanted = _subject(row.engagement_id, row.part_id, row.label, row.sensitivity, actor)
        return wanted._replace(begun=row.created_at)

    return find


def _subject(engagement_id: str, part_id: str, label: str, sensitivity: str | None, actor: Actor) -> Subject:
    return Subject(engagement=engagement_id, part=part_id, label=label, sensitivity=sensitivity_of(sensitivity, actor))


def _row(act: Act, upload_id: str) -> Any:
    row = act.tx.one(_ONE, upload=upload_id, membership=act.actor.membership_id, firm=act.firm_id)
    if row is None:
        raise NotFoundError
    return row


def _live(act: Act, upload_id: str) -> Any:
    row = _row(act, upload_id)
    if row.document_id is None and row.expires_at <= act.moment.s:
        raise UploadExpiredError
    return row


async def _read(services: Services, caller: Caller, upload_id: str) -> Done:
    def change(act: Act) -> tuple[Any, list[Any]]:
        row = _live(act, upload_id)
        act.show([upload_id])
        is_whole = row.document_id is None and row.received_bytes == row.size_bytes
        return row, list(act.tx.all(_PIECES, upload=upload_id)) if is_whole else []

    return await perform(services, caller, Action.DOCUMENT_ADD, _whose(upload_id), change)


async def _finished(services: Services, caller: Caller, done: Done) -> Upload:
    """Make the document of an upload that has all its bytes; say where it stands."""
    row, pieces = done.result
    holder = Holder(row.part_id, row.part_key_id, row.part_field_key)
    reader = NameReader(services.keys, done.authorised)
    purpose = reader.open(holder, "uploads", "purpose", row.id, row.purpose)
    document_id = row.document_id
    if document_id is None and row.received_bytes == row.size_bytes:
        document_id = await _become(services, caller, row, purpose, done, pieces)
    return Upload(row.id, purpose, row.size_bytes, row.received_bytes, row.expires_at, document_id)


async def _become(services: Services, caller: Caller, upload: Any, purpose: str, done: Done, pieces: list[Any]) -> str:
    """Add the document. The upload's id is its Idempotency-Key: whoever comes second gets the first one's document."""
    said, upload_id, size_bytes = read_purpose(purpose), upload.id, upload.size_bytes
    new = NewDocument(
        engagement_id=said.engagement_id,
        part_id=said.part_id,
        label=said.label,
        sensitivity=said.sensitivity,
        title=said.title,
        body=Body(said.media_type, size_bytes),
        begun=upload.created_at,
    )
    content = opened_pieces(services, done.authorised, pieces)
    receipt = await add(services, caller._replace(idempotency_key=upload_id), new, content)

    def change(act: Act) -> tuple[str, ...]:
        row = _row(act, upload_id)
        if row.document_id is not None:
            return ()  # somebody was first
        act.tx.run(_BECAME, upload=upload_id, document=receipt.document_id)
        data: events.Data = {"bytes": size_bytes, "document": receipt.document_id}
        act.drafts.append(events.upload_ended(act.who, upload_id, "done", data))
        return forget_pieces(act.tx, upload_id)

    ended = await perform(services, caller, Action.DOCUMENT_ADD, _whose(upload_id), change)
    await delete_quietly(services, ended.result)
    return receipt.document_id

"""Uploads: a body becomes a sealed revision, and its adder gets a receipt.

The order, and what a crash leaves at each step:

1. decide and announce (intent ``document.adding``) before a byte of the body is read; crash: an intent, closed as
   ``unknown`` at the next start;
2. seal while streaming into a new object; crash: the same, and an object without a row that `muniment doctor` names;
3. decide again, write document, revision and ``document.added`` in one transaction; crash: all of it or nothing.

Plaintext is never on disk: a piece is hashed, examined in memory by a process of its own, sealed and forgotten. What
does not arrive whole is taken away again, and the log says so.
"""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
from collections.abc import AsyncIterator
from dataclasses import dataclass
from functools import partial
from typing import Any, Final

from sqlalchemy import bindparam, func, insert, select

from service import events, names
from service.acts import Act, Caller, Find, perform
from service.blobs.store import BlobWriter
from service.crypto.contexts import message_context
from service.crypto.streams import HEADER_BYTES, Sealer
from service.crypto.wrapping import generate_key, wrap
from service.db.models import documents, log_entries, log_intents, parts, revisions
from service.db.session import Tx
from service.door import Holder, opened_key, revision_key_context
from service.errors import BadInputError, IncompleteBodyError, MunimentError, NotFoundError, TooLargeError
from service.ledger import Draft, Moment, Outcome
from service.render.examine import Examination, Findings
from service.scoping.actions import UNCONFIRMED_SENSITIVITY, Action, Label, Role, Sensitivity
from service.scoping.actors import Actor
from service.scoping.decide import Subject
from service.services import Services

ROUTE: Final = "document"
_PART = select(
    parts.c.id, parts.c.key_id, parts.c.field_key, parts.c.engagement_id, parts.c.matter_id, parts.c.firm_id
).where(parts.c.id == bindparam("part"), parts.c.firm_id == bindparam("firm"))
_NUMBER = select(func.coalesce(func.max(documents.c.number), 0)).where(
    documents.c.engagement_id == bindparam("engagement")
)
_ADD_DOCUMENT = insert(documents)
_ADD_REVISION = insert(revisions)
_RECEIPT = (
    select(
        documents.c.id.label("document_id"),
        documents.c.number,
        documents.c.state,
        documents.c.version,
        revisions.c.id,
        revisions.c.size_bytes,
        revisions.c.media_type,
        revisions.c.condition,
        revisions.c.pages,
        revisions.c.added_at,
        revisions.c.log_index,
    )
    .join_from(documents, revisions, revisions.c.document_id == documents.c.id)
    .where(documents.c.id == bindparam("document"), revisions.c.number == 1)
)
_LEAF = select(log_entries.c.leaf_hash).where(
    log_entries.c.log_id == bindparam("log"), log_entries.c.idx == bindparam("idx")
)
_OPEN_INTENT = select(log_intents.c.idx).where(
    log_intents.c.log_id == bindparam("log"), log_intents.c.idx == bindparam("idx")
)


@dataclass(frozen=True, slots=True)
class NewDocument:
    """What a client says about the file he sends."""

    engagement_id: str
    part_id: str
    label: str
    sensitivity: str | None
    title: str
    media_type: str  # as declared; what it is, is looked at
    size_bytes: int | None  # as announced


@dataclass(frozen=True, slots=True)
class Receipt:
    """What the adder can keep: enough to prove later that this file arrived, then, here."""

    document_id: str
    revision_id: str
    number: int
    state: str
    sha256: str
    size_bytes: int
    media_type: str
    condition: str
    pages: int | None
    received_at: int  # UTC seconds
    log_index: int
    leaf_hash: str  # hex
    version: int


@dataclass(frozen=True, slots=True)
class _Ids:
    document: str
    revision: str
    blob: str
    part: Any
    intent: int


@dataclass(frozen=True, slots=True)
class _Arrived:
    """A body that is whole and sealed."""

    size_bytes: int
    sha256: str
    header: bytes
    wrapped_key: bytes
    findings: Findings


async def add(services: Services, caller: Caller, new: NewDocument, body: AsyncIterator[bytes]) -> Receipt:
    """Take in a document.

    Raises: what the policy answers; `BadTitleError`, `TooLargeError`, `IncompleteBodyError`, `StoreFullError`,
        `IdempotencyMismatchError`.
    """
    new = _checked(services, new)
    subject = partial(_subject, new)
    announced = await perform(services, caller, Action.DOCUMENT_ADD, subject, lambda act: _announce(act, new))
    (document_id, revision_id, blob_id, part), who = announced.result
    ids = _Ids(document_id, revision_id, blob_id, part, announced.recorded.indexes[0])
    received = _Counter()
    try:
        arrived = await _receive(services, ids, new, received.count(body))
        return await _keep(services, caller, subject, new, ids, arrived)
    except BaseException as error:
        outcome = (
            "failed" if isinstance(error, MunimentError) and not isinstance(error, IncompleteBodyError) else "aborted"
        )
        await _undo(services, caller.credential.firm_id, who, ids, outcome, received.bytes)
        raise


def _checked(services: Services, new: NewDocument) -> NewDocument:
    if new.label not in set(Label) or (new.sensitivity is not None and new.sensitivity not in set(Sensitivity)):
        raise BadInputError("label and sensitivity must be words of the vocabulary.", extra={"field": "label"})
    if new.size_bytes is not None and new.size_bytes > services.settings.max_upload_bytes:
        raise TooLargeError
    return NewDocument(
        new.engagement_id,
        new.part_id,
        new.label,
        new.sensitivity,
        names.title(new.title),
        new.media_type,
        new.size_bytes,
    )


def _subject(new: NewDocument, _tx: Tx, actor: Actor) -> Subject:
    return Subject(
        engagement=new.engagement_id, part=new.part_id, label=new.label, sensitivity=_sensitivity(new, actor)
    )


def _sensitivity(new: NewDocument, actor: Actor) -> str:
    """An attorney's word counts at once; whatever anybody else says is confidential until an attorney has looked."""
    is_attorney = actor.role == Role.ATTORNEY
    return new.sensitivity if is_attorney and new.sensitivity else UNCONFIRMED_SENSITIVITY.value


def _announce(act: Act, new: NewDocument) -> tuple[tuple[Any, ...], events.Who]:
    part = act.tx.one(_PART, part=new.part_id, firm=act.firm_id)
    if part is None or part.engagement_id != new.engagement_id:
        raise NotFoundError
    document_id, revision_id, blob_id = act.new_id("doc"), act.new_id("rev"), act.new_id("blb")
    act.drafts.append(events.document_adding(act.who, document_id, revision_id, new.label))
    return (document_id, revision_id, blob_id, part), act.who


class _Counter:
    """Counts the bytes of a body as they arrive."""

    def __init__(self) -> None:
        self.bytes = 0

    async def count(self, body: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
        async for piece in body:
            self.bytes += len(piece)
            yield piece


async def _receive(services: Services, ids: _Ids, new: NewDocument, body: AsyncIterator[bytes]) -> _Arrived:
    """Seal a body into its object, hash it, and look at what it is."""
    key = generate_key(services.random)
    part_key = await opened_key(services.keys, ids.part.key_id)
    wrapped = wrap(part_key, key, revision_key_context(ids.revision), services.random)
    sealer = Sealer(key, _context(ids, new))
    writer = await services.blobs.create(ids.blob)
    async with Examination(services.probes) as examination:
        try:
            size, digest, header = await _seal(services, sealer, writer, examination, body)
            _require_whole(new, size)
            await writer.commit()
        except BaseException:
            await writer.abort()
            raise
        return _Arrived(size, digest, header, wrapped, await examination.result(new.media_type))


def _require_whole(new: NewDocument, received: int) -> None:
    if new.size_bytes is not None and received != new.size_bytes:
        raise IncompleteBodyError


def _context(ids: _Ids, new: NewDocument) -> bytes:
    firm_id = ids.part.firm_id
    return message_context(firm_id, new.engagement_id, ids.part.matter_id, ids.document, ids.revision, "original")


async def _seal(
    services: Services, sealer: Sealer, writer: BlobWriter, examination: Examination, body: AsyncIterator[bytes]
) -> tuple[int, str, bytes]:
    size, digest, header = 0, hashlib.sha256(), b""
    async for piece in body:
        size += len(piece)
        if size > services.settings.max_upload_bytes:
            raise TooLargeError
        digest.update(piece)
        sealed = sealer.update(piece)
        await examination.feed(piece)
        header = header or sealed[:HEADER_BYTES]
        await writer.write(sealed)
    sealed = sealer.finish()
    header = header or sealed[:HEADER_BYTES]
    await writer.write(sealed)
    return size, digest.hexdigest(), header


async def _keep(
    services: Services, caller: Caller, subject: Find, new: NewDocument, ids: _Ids, arrived: _Arrived
) -> Receipt:
    """Decide again, then write what arrived; an upload that was sent before answers with its first receipt."""
    request = {
        "part": new.part_id,
        "label": new.label,
        "sensitivity": new.sensitivity,
        "title": new.title,
        "sha256": arrived.sha256,
    }

    def change(act: Act) -> Any:
        kept = act.once(ROUTE, request, lambda: _write(act, new, ids, arrived))
        if kept != ids.document:
            act.drafts.append(
                events.document_not_added(act.who, ids.intent, _subjects(ids), "aborted", arrived.size_bytes)
            )
        return act.tx.one(_RECEIPT, document=kept)

    done = await perform(services, caller, Action.DOCUMENT_ADD, subject, change)
    row = done.result
    if row.document_id != ids.document:
        await services.blobs.delete([ids.blob])
        with services.database.read(caller.credential.firm_id) as tx:
            leaf_hash = tx.value(_LEAF, log=caller.credential.firm_id, idx=row.log_index)
    else:
        leaf_hash = done.recorded.leaf_hashes[0]
    return Receipt(
        document_id=row.document_id,
        revision_id=row.id,
        number=row.number,
        state=row.state,
        sha256=arrived.sha256,
        size_bytes=row.size_bytes,
        media_type=row.media_type,
        condition=row.condition,
        pages=row.pages,
        received_at=row.added_at,
        log_index=row.log_index,
        leaf_hash=leaf_hash.hex(),
        version=row.version,
    )


def _write(act: Act, new: NewDocument, ids: _Ids, arrived: _Arrived) -> str:
    """Write document, revision and entry. What an attorney adds is confirmed by that; all else is to look at."""
    part = Holder(ids.part.id, ids.part.key_id, ids.part.field_key)
    state = "confirmed" if act.actor.role == Role.ATTORNEY else "to_look_at"
    sensitivity = _sensitivity(new, act.actor)
    number = act.tx.value(_NUMBER, engagement=new.engagement_id) + 1
    act.tx.run(
        _ADD_DOCUMENT,
        id=ids.document,
        firm_id=act.firm_id,
        engagement_id=new.engagement_id,
        part_id=part.id,
        matter_id=ids.part.matter_id,
        number=number,
        label=new.label,
        sensitivity=sensitivity,
        state=state,
        title=act.seal(part, "documents", "title", ids.document, new.title),
        revision_id=ids.revision,
        added_by=act.actor.membership_id,
        added_at=act.moment.s,
        version=1,
    )
    _write_revision(act, part, ids, arrived)
    payload = act.payload(part, {"title": new.title, "sha256": arrived.sha256})
    data = {
        "label": new.label,
        "sensitivity": sensitivity,
        "state": state,
        "number": number,
        "bytes": arrived.size_bytes,
        "media_type": arrived.findings.media_type,
        "condition": arrived.findings.condition,
    }
    act.drafts.append(events.document_added(act.who, ids.intent, _subjects(ids), arrived.header, data, payload))
    return ids.document


def _write_revision(act: Act, part: Holder, ids: _Ids, arrived: _Arrived) -> None:
    act.tx.run(
        _ADD_REVISION,
        id=ids.revision,
        firm_id=act.firm_id,
        document_id=ids.document,
        number=1,
        wrapped_key=arrived.wrapped_key,
        header=arrived.header,
        blob_id=ids.blob,
        size_bytes=arrived.size_bytes,
        sha256=act.seal(part, "revisions", "sha256", ids.revision, arrived.sha256),
        media_type=arrived.findings.media_type,
        condition=arrived.findings.condition,
        pages=arrived.findings.pages,
        added_by=act.actor.membership_id,
        added_at=act.moment.s,
        log_index=act.tx.log_size,
    )


def _subjects(ids: _Ids) -> dict[str, str]:
    return {"document": ids.document, "revision": ids.revision, "part": ids.part.id, "matter": ids.part.matter_id}


async def _undo(services: Services, log_id: str, who: events.Who, ids: _Ids, outcome: str, received: int) -> None:
    """Close the intent and take the object away; both may be cut short by a crash, and both are found again.

    Closing an intent twice is refused by its row: a job whose commit succeeded although its answer was lost leaves no
    second outcome.
    """
    draft = events.document_not_added(who, ids.intent, _subjects(ids), outcome, received)
    await asyncio.shield(_take_away(services, log_id, ids, draft))


async def _take_away(services: Services, log_id: str, ids: _Ids, draft: Draft) -> None:
    """Delete the object unless a row rests on it.

    Asked behind whatever of this upload is still waiting to be written, and behind the head's lock: a row that is not
    there then never will be. Where that cannot be asked the object stays, without a row: the doctor finds it.
    """

    def job(tx: Tx, _moment: Moment) -> Outcome[bool]:
        return Outcome(tx.one(_RECEIPT, document=ids.document) is None, _unless_closed(tx, log_id, ids, draft))

    with contextlib.suppress(MunimentError):
        if (await services.ledger.submit(log_id, job)).result:
            await services.blobs.delete([ids.blob])


def _unless_closed(tx: Tx, log_id: str, ids: _Ids, draft: Draft) -> tuple[Draft, ...]:
    return (draft,) if tx.one(_OPEN_INTENT, log=log_id, idx=ids.intent) is not None else ()

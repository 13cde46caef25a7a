"""Documents: reading what one may see, confirming what was added, taking back one's own.

Uploads and downloads have rooms of their own; who may see what is decided in service/scoping/.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import and_, bindparam, select, update

from service import events, holdings, holds, names
from service.acts import Act, Caller, perform
from service.db.models import documents, logs, parts, revisions
from service.db.session import Tx
from service.door import Holder, NameReader
from service.errors import BadInputError, BadStateError, NotFoundError
from service.events import EventType
from service.ledger import Moment
from service.paging import Page, Window, page
from service.render import hidden
from service.scoping import listing
from service.scoping.actions import Action, Label, Sensitivity
from service.scoping.decide import Subject
from service.scoping.statements import Where
from service.services import Services
from service.sharing import keeping
from service.tokens import authenticate


@dataclass(frozen=True, slots=True)
class Document:
    """A document as somebody may see it, its title opened."""

    id: str
    engagement_id: str
    part_id: str
    matter_id: str
    number: int
    label: str
    sensitivity: str
    state: str
    title: str
    revision_id: str
    size_bytes: int
    media_type: str
    condition: str
    pages: int | None
    added_by: str
    added_at: int  # UTC seconds
    version: int


@dataclass(frozen=True, slots=True)
class Card:
    """A document, what the reader's own live grants give him on it, and where he may know, what lies hidden in it."""

    document: Document
    held: tuple[holdings.Held, ...]
    is_inspected: bool  # the reader may be told what lies hidden in it
    hidden: Mapping[str, int] | None  # words and counts; None: not looked into, or not for him


_COLUMNS = (
    documents.c.id,
    documents.c.engagement_id,
    documents.c.part_id,
    documents.c.matter_id,
    documents.c.number,
    documents.c.label,
    documents.c.sensitivity,
    documents.c.state,
    documents.c.title,
    documents.c.added_by,
    documents.c.added_at,
    documents.c.version,
    revisions.c.id.label("revision_id"),
    revisions.c.size_bytes,
    revisions.c.media_type,
    revisions.c.condition,
    revisions.c.pages,
    revisions.c.hidden,
    parts.c.key_id.label("part_key_id"),
    parts.c.field_key.label("part_field_key"),
)
_FROM = documents.join(revisions, revisions.c.id == documents.c.revision_id).join(
    parts, parts.c.id == documents.c.part_id
)
_ONE = select(*_COLUMNS).select_from(_FROM).where(documents.c.id == bindparam("document"))
_LOG_SIZE = select(logs.c.size).where(logs.c.id == bindparam("firm"))
_CONFIRM = (
    update(documents)
    .where(documents.c.id == bindparam("document"))
    .values(
        state="confirmed",
        label=bindparam("new_label"),
        sensitivity=bindparam("new_sensitivity"),
        title=bindparam("new_title"),
        version=documents.c.version + 1,
    )
)
_TAKE_BACK = (
    update(documents)
    .where(documents.c.id == bindparam("document"))
    .values(state="taken_back", version=documents.c.version + 1)
)


async def read(services: Services, caller: Caller, document_id: str) -> Card:
    """Read one document's card: label, number, title, sizes, the caller's own grants; its bytes are `downloads`."""
    subject = Subject(document=document_id)

    def change(act: Act) -> tuple[Any, list[Any], bool]:
        return row_of(act.tx, document_id), holdings.held(act), act.may(Action.DOCUMENT_INSPECT, subject)

    done = await perform(services, caller, Action.DOCUMENT_VIEW, subject, change)
    reader, (row, held, inspected) = NameReader(services.keys, done.authorised), done.result
    found = hidden.read(row.hidden) if inspected and row.hidden is not None else None
    return Card(opened(reader, row), tuple(holdings.opened(reader, grant) for grant in held), inspected, found)


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which documents a list is asked for."""

    engagement_id: str
    label: str | None = None
    part_id: str | None = None


async def list_page(services: Services, caller: Caller, wanted: Wanted, asked: Window) -> Page[Document]:
    """List what the caller may see of an engagement, oldest first.

    The page is read in a snapshot of its own, so that a long list never holds the log; then it is decided and recorded
    with the log size that snapshot had seen, and only then are titles opened.
    """
    where = Where(engagement=wanted.engagement_id, part=wanted.part_id, label=wanted.label)
    found, log_size = await asyncio.to_thread(_snapshot, services, caller, where, asked)

    def change(act: Act) -> None:
        ids = [row.id for row in found.items]
        act.drafts.append(events.list_read(act.who, ids, log_size))
        act.show(ids)

    subject = Subject(engagement=wanted.engagement_id)
    done = await perform(services, caller, Action.DOCUMENT_LIST, subject, change)
    reader = NameReader(services.keys, done.authorised)
    return found.map(lambda row: opened(reader, row))


def _snapshot(services: Services, caller: Caller, where: Where, asked: Window) -> tuple[Page[Any], int]:
    moment = Moment(services.clock(), caller.address)
    with services.database.read(caller.credential.firm_id) as tx:
        actor = authenticate(tx, moment, caller.credential)
        matrix = services.matrix.current
        rows = listing.page(tx, matrix, moment, actor, after=asked.after, most=asked.limit + 1, where=where)
        log_size = tx.value(_LOG_SIZE, firm=actor.firm_id)
    return page(rows, asked), log_size


async def confirm(
    services: Services, caller: Caller, document_id: str, label: str, sensitivity: str, title: str | None
) -> Document:
    """Confirm what somebody else added: its label, sensitivity and title are now an attorney's word.

    Raises:
        BadStateError: it is confirmed already, or was taken back.
    """
    require_words(label, sensitivity)
    new_title = None if title is None else names.title(title)

    def change(act: Act) -> Any:
        row = row_of(act.tx, document_id)
        act.require_version(document_id, row.version)
        _confirm(act, row, label, sensitivity, new_title)
        return row_of(act.tx, document_id)

    done = await perform(services, caller, Action.DOCUMENT_CONFIRM, Subject(document=document_id), change)
    return opened(NameReader(services.keys, done.authorised), done.result)


def require_words(label: str | None, sensitivity: str | None) -> None:
    """Refuse what is no label or no sensitivity; None is left open.

    Raises:
        BadInputError: one of them is not.
    """
    if label not in {None, *Label} or sensitivity not in {None, *Sensitivity}:
        raise BadInputError("label and sensitivity must be words of the vocabulary.", extra={"field": "label"})


def confirm_as(act: Act, document_id: str, label: str, sensitivity: str) -> None:
    """Confirm a document under its own title, in a transaction that decided that this caller may.

    Raises:
        BadStateError: it is confirmed already, or was taken back.
    """
    _confirm(act, row_of(act.tx, document_id), label, sensitivity, None)


def _confirm(act: Act, row: Any, label: str, sensitivity: str, new_title: str | None) -> None:
    """Make label, sensitivity and title of a document an attorney's word.

    Raises:
        BadStateError: it is confirmed already, or was taken back.
    """
    if row.state != "to_look_at":
        raise BadStateError
    part = Holder(row.part_id, row.part_key_id, row.part_field_key)
    sealed = row.title if new_title is None else act.seal(part, "documents", "title", row.id, new_title)
    act.tx.run(_CONFIRM, document=row.id, new_label=label, new_sensitivity=sensitivity, new_title=sealed)
    payload = None if new_title is None else act.payload(part, {"title": new_title})
    data = {"label": label, "sensitivity": sensitivity}
    act.record(EventType.DOCUMENT_CONFIRMED, {"document": row.id}, data, payload)
    keeping.hand_out(act, row.id)


async def take_back(services: Services, caller: Caller, document_id: str) -> None:
    """Take back what one added oneself and nobody has confirmed; its bytes are destroyed."""

    def change(act: Act) -> tuple[str, ...]:
        row = row_of(act.tx, document_id)
        act.require_version(document_id, row.version)
        if row.state != "to_look_at":
            raise BadStateError
        act.tx.run(_TAKE_BACK, document=document_id)
        gone = forget_revisions(act, document_id, row.engagement_id)
        act.record(EventType.DOCUMENT_TAKEN_BACK, {"document": document_id}, {"destroyed": len(gone)})
        return gone

    done = await perform(services, caller, Action.DOCUMENT_TAKE_BACK, Subject(document=document_id), change)
    await services.blobs.delete(done.result)


def forget_revisions(act: Act, document_id: str, engagement_id: str, *, but: str = "") -> tuple[str, ...]:
    """Destroy the keys of a document's revisions, of all or of all `but` one.

    Under a legal hold nothing is destroyed, and nobody is told of the hold: they stay until the engagement's end, where
    no request reaches them.

    Returns: the objects that nothing opens any more, to be deleted when this is committed. A crash before that leaves
        objects without keys, which `muniment doctor` names.
    """
    if holds.in_force(act.tx, engagement_id, act.moment.s):
        return ()
    gone = tuple(row.blob_id for row in act.tx.all(_LIVE_BLOBS, document=document_id, kept=but))
    act.tx.run(_FORGET_KEYS, document=document_id, kept=but)
    return gone


_OTHERS = and_(revisions.c.document_id == bindparam("document"), revisions.c.id != bindparam("kept"))
_LIVE_BLOBS = select(revisions.c.blob_id).where(_OTHERS, revisions.c.wrapped_key != b"").order_by(revisions.c.id)
_FORGET_KEYS = update(revisions).where(_OTHERS).values(wrapped_key=b"")


def row_of(tx: Tx, document_id: str) -> Any:
    """Return the row of a document that was decided, its newest revision and its part with it.

    Raises:
        NotFoundError: there is none.
    """
    row = tx.one(_ONE, document=document_id)
    if row is None:
        raise NotFoundError
    return row


def opened(reader: NameReader, row: Any) -> Document:
    """Open the title of a row."""
    part = Holder(row.part_id, row.part_key_id, row.part_field_key)
    return Document(
        id=row.id,
        engagement_id=row.engagement_id,
        part_id=row.part_id,
        matter_id=row.matter_id,
        number=row.number,
        label=row.label,
        sensitivity=row.sensitivity,
        state=row.state,
        title=reader.open(part, "documents", "title", row.id, row.title),
        revision_id=row.revision_id,
        size_bytes=row.size_bytes,
        media_type=row.media_type,
        condition=row.condition,
        pages=row.pages,
        added_by=row.added_by,
        added_at=row.added_at,
        version=row.version,
    )

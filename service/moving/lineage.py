"""Lineage: where a document was before and where it went on, and who had opened it in each place, from the log alone.

Rules kept here:

* each place is decided by itself (`document:lineage`): the way back, and on, ends before the first one that the asker
  may not see, as if there were nothing beyond;
* an opening is an entry of the log, by anybody, firm people too. No row is kept of it, so none can be forged;
* it is decided and recorded first, and read after that in a snapshot that holds nobody up: what was opened before the
  answer was allowed is told.

It costs reading each place's entries since the document came there.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, Final

from sqlalchemy import bindparam, func, select

from service import events
from service.acts import Act, Caller, perform
from service.db.models import documents, moves, revisions
from service.db.session import Tx
from service.events import EventType
from service.scoping.actions import Action
from service.scoping.decide import Subject, decide
from service.services import Services
from service.usage import is_opening, newest_first

_OPENING: Final = EventType.DOCUMENT_OPENING.value
_OPENED: Final = EventType.DOCUMENT_OPENED.value
_FIRST: Final = select(func.min(revisions.c.log_index)).where(revisions.c.document_id == documents.c.id)
_STAY: Final = select(
    documents.c.id,
    documents.c.engagement_id,
    documents.c.part_id,
    documents.c.matter_id,
    documents.c.number,
    documents.c.added_at,
    _FIRST.scalar_subquery().label("first_entry"),
).where(documents.c.id == bindparam("document"))
_CAME: Final = select(moves.c.from_document_id).where(moves.c.to_document_id == bindparam("document"))
_WENT: Final = select(moves.c.to_document_id, moves.c.moved_at, moves.c.moved_by).where(
    moves.c.from_document_id == bindparam("document")
)


@dataclass(slots=True)
class Opener:
    """What one membership did with a document in one place. Times are UTC seconds."""

    person_id: str
    membership_id: str
    first_at: int
    last_at: int
    views: int = 0  # its card was read
    texts: int = 0  # its text was sent, all or some
    downloads: int = 0  # its bytes were sent, all or some
    bytes_sent: int = 0
    unfinished: int = 0  # texts and downloads of which nobody knows how they ended: on their way, or cut off by a crash


@dataclass(frozen=True, slots=True)
class Stay:
    """One place where a document was, or is. Times are UTC seconds."""

    document_id: str
    engagement_id: str
    part_id: str
    matter_id: str
    number: int
    since: int
    until: int | None  # None: it is there
    moved_by: str | None  # a membership
    openers: tuple[Opener, ...]  # whoever opened it first, first


@dataclass(frozen=True, slots=True)
class Lineage:
    """The places that the asker may see, oldest first."""

    document_id: str  # that was asked about
    stays: tuple[Stay, ...]


@dataclass(slots=True)
class _Found:
    """What an engagement's entries say of one document."""

    openers: dict[tuple[str, str], Opener] = field(default_factory=dict)
    ends: dict[int, int] = field(default_factory=dict)  # bytes sent, by the index of the announcement


async def lineage(services: Services, caller: Caller, document_id: str) -> Lineage:
    """Say where a document was and is, and who opened it there."""

    def change(act: Act) -> list[tuple[Any, Any]]:
        stays = [*reversed(list(_walk(act, document_id, _before))), document_id, *_walk(act, document_id, _after)]
        act.drafts.append(events.list_read(act.who, stays))
        return [(act.tx.one(_STAY, document=each), act.tx.one(_WENT, document=each)) for each in stays]

    done = await perform(services, caller, Action.DOCUMENT_LINEAGE, Subject(document=document_id), change)
    return Lineage(document_id, await asyncio.to_thread(_told, services, caller, done.result))


def _before(tx: Tx, document_id: str) -> str | None:
    found: str | None = tx.value(_CAME, document=document_id)
    return found


def _after(tx: Tx, document_id: str) -> str | None:
    found: str | None = tx.value(_WENT, document=document_id)
    return found


def _walk(act: Act, document_id: str, step: Any) -> Iterator[str]:
    """Yield the places in one direction, nearest first, as far as this caller may see them without a gap."""
    matrix, at = act.services.matrix.current, step(act.tx, document_id)
    while at is not None:
        decision = decide(act.tx, matrix, act.moment, act.actor, Action.DOCUMENT_LINEAGE, Subject(document=at))
        if not decision.allowed:
            return
        yield at
        at = step(act.tx, at)


def _told(services: Services, caller: Caller, found: list[tuple[Any, Any]]) -> tuple[Stay, ...]:
    firm_id = caller.credential.firm_id
    with services.database.read(firm_id) as tx:
        return tuple(_stay(tx, firm_id, row, went) for row, went in found)


def _stay(tx: Tx, firm_id: str, row: Any, went: Any) -> Stay:
    return Stay(
        document_id=row.id,
        engagement_id=row.engagement_id,
        part_id=row.part_id,
        matter_id=row.matter_id,
        number=row.number,
        since=row.added_at,
        until=None if went is None else went.moved_at,
        moved_by=None if went is None else went.moved_by,
        openers=_openers(tx, firm_id, row),
    )


def _openers(tx: Tx, firm_id: str, row: Any) -> tuple[Opener, ...]:
    """Read who opened a document in its place, since it came there."""
    found = _Found()
    for entry in newest_first(tx, firm_id, row.engagement_id, (row.id.encode(),)):
        if entry["index"] < row.first_entry:
            break
        if entry["subjects"].get("document") == row.id:
            _count(found, entry)
    return tuple(sorted(found.openers.values(), key=lambda each: (each.first_at, each.membership_id)))


def _count(found: _Found, entry: dict[str, Any]) -> None:
    """Take one entry, newest first: how an opening ended is read before it."""
    if entry["type"] == _OPENED:
        found.ends[entry["data"]["of"]] = entry["data"]["bytes"]
        return
    if not is_opening(entry):
        return
    who, second = entry["actor"], entry["time"] // 1000
    key = (who.get("person", ""), who.get("membership", ""))
    opener = found.openers.setdefault(key, Opener(*key, second, second))
    opener.first_at = second
    if entry["type"] != _OPENING:
        opener.views += 1
        return
    if entry["action"] == Action.DOCUMENT_TEXT:
        opener.texts += 1
    else:
        opener.downloads += 1
    sent = found.ends.get(entry["index"])
    opener.unfinished += sent is None
    opener.bytes_sent += sent or 0

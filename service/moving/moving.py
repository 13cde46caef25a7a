"""Moving a document: announced, sealed anew, and then ended here and begun there in one transaction."""

from __future__ import annotations

import asyncio
import contextlib
from dataclasses import dataclass, replace
from typing import Any

from sqlalchemy import bindparam, select

from service import documents, events
from service.acts import Act, Caller, Done, perform, who
from service.db.models import documents as rows
from service.db.session import Tx
from service.documents import Document
from service.door import Holder, NameReader
from service.errors import MunimentError, NotFoundError, StaleError
from service.ledger import Moment, Outcome
from service.moving.beginning import begin_there
from service.moving.ending import end_here
from service.moving.rows import living, source_of
from service.moving.sealing import Sealed, seal_anew
from service.scoping.actions import Action
from service.scoping.decide import Authorised, Decision, Subject
from service.services import Services
from service.uploads.receiving import PART, Place, unless_closed

_IS_THERE = select(rows.c.id).where(rows.c.id == bindparam("document"))


@dataclass(frozen=True, slots=True)
class _Plan:
    """What was announced."""

    row: Any  # of the document
    who: events.Who
    revisions: tuple[Any, ...]  # rows, oldest first
    places: tuple[Place, ...]  # where each goes

    @property
    def target(self) -> Any:
        """The part that it goes to."""
        return self.places[0].part

    @property
    def holder(self) -> Holder:
        """The part that it comes from, as the holder of a field key."""
        return Holder(self.row.part_id, self.row.part_key_id, self.row.part_field_key)


async def move(services: Services, caller: Caller, document_id: str, part_id: str) -> Document:
    """Move a document to another part, and return it as it is there.

    Raises: what the policy answers at either end; `PreconditionMissingError`, `StaleError`, `BadStateError`,
        `StoreFullError`, `SealError`.
    """
    subject = Subject(document=document_id)
    announced = await perform(
        services, caller, Action.DOCUMENT_MOVE, subject, lambda act: _announce(act, document_id, part_id)
    )
    plan, intent = announced.result, announced.recorded.indexes[0]
    try:
        title, carried = await _seal_all(services, announced.authorised, plan)
        done = await perform(
            services, caller, Action.DOCUMENT_MOVE, subject, lambda act: _write(act, plan, intent, title, carried)
        )
    except BaseException as error:
        outcome = "failed" if isinstance(error, MunimentError) else "aborted"
        await asyncio.shield(_undo(services, plan, intent, outcome))
        raise
    return await _result(services, done)


def _announce(act: Act, document_id: str, part_id: str) -> _Plan:
    _decide_target(act, part_id)  # first: who may not know of the part is told nothing that rests on it
    row = source_of(act, document_id, part_id)
    target, found = _part(act, part_id), living(act, document_id)
    act.show(each.id for each in found)
    new = act.new_id("doc")
    places = tuple(Place(new, act.new_id("rev"), act.new_id("blb"), target, act.who) for _ in found)
    act.drafts.append(events.document_moving(act.who, len(found)))
    return _Plan(row, act.who, tuple(found), places)


def _decide_target(act: Act, part_id: str) -> Decision:
    """Decide at the other end: whether this caller may add such a paper there."""
    document = act.decision.row
    return act.require(
        Action.DOCUMENT_ADD, Subject(part=part_id, label=document.label, sensitivity=document.sensitivity)
    )


def _part(act: Act, part_id: str) -> Any:
    row = act.tx.one(PART, part=part_id, firm=act.firm_id)
    if row is None:
        raise NotFoundError
    return row


async def _seal_all(services: Services, authorised: Authorised, plan: _Plan) -> tuple[str, tuple[Sealed, ...]]:
    """Open the title, and seal every revision anew, one after the other."""
    reader, row = NameReader(services.keys, authorised), plan.row
    title = await asyncio.to_thread(reader.open, plan.holder, "documents", "title", row.id, row.title)
    carried = [
        await seal_anew(services, authorised, before, plan.holder, place)
        for before, place in zip(plan.revisions, plan.places, strict=True)
    ]
    return title, tuple(carried)


@dataclass(frozen=True, slots=True)
class _Written:
    """What is there now, what may be opened of it, and the objects that nothing opens any more."""

    row: Any
    authorised: Authorised
    gone: tuple[str, ...]


def _write(act: Act, plan: _Plan, intent: int, title: str, carried: tuple[Sealed, ...]) -> _Written:
    """Decide again, and write both ends."""
    decision = _decide_target(act, plan.target.id)
    row = source_of(act, plan.row.id, plan.target.id)
    if [each.id for each in living(act, row.id)] != [each.before.id for each in carried]:
        raise StaleError
    target = _part(act, plan.target.id)  # its key may have been rotated meanwhile
    at = [each.before.id for each in carried].index(row.revision_id)
    current, move_id = replace(carried[at].place, part=target), act.new_id("mov")
    gone, grants = end_here(act, row)
    told = {"to": current.document, "to_engagement": target.engagement_id, "to_part": target.id}
    payload = act.payload(Holder(row.part_id, row.part_key_id, row.part_field_key), told)
    data = {"revisions": len(carried), "destroyed": len(gone), "grants": grants}
    act.drafts.append(events.document_moved(act.who, intent, move_id, data, payload))
    begin_there(act, who(act.actor, decision, act.caller.request_id), move_id, row, title, current, carried)
    # It is another document now: what the answer tells of it is decided like everything that is told of one.
    seen = act.require(Action.DOCUMENT_VIEW, Subject(document=current.document))
    return _Written(documents.row_of(act.tx, current.document), seen.authorised, gone)


async def _result(services: Services, done: Done) -> Document:
    """Delete what nothing opens any more, and open the title in its new place."""
    written: _Written = done.result
    with contextlib.suppress(MunimentError):  # it is done; what stays are objects without keys: the doctor finds them
        await services.blobs.delete(written.gone)
    reader = NameReader(services.keys, written.authorised)
    return await asyncio.to_thread(documents.opened, reader, written.row)


async def _undo(services: Services, plan: _Plan, intent: int, outcome: str) -> None:
    """Close the intent and take the new objects away, unless rows rest on them.

    Asked behind whatever of this move is still waiting to be written, and behind the head's lock: a row that is not
    there then never will be. Where that cannot be asked the objects stay, without rows: the doctor finds them.
    """
    log_id, draft = plan.target.firm_id, events.document_not_moved(plan.who, intent, outcome)

    def job(tx: Tx, _moment: Moment) -> Outcome[bool]:
        is_missing = tx.one(_IS_THERE, document=plan.places[0].document) is None
        return Outcome(is_missing, unless_closed(tx, log_id, intent, draft))

    with contextlib.suppress(MunimentError):
        if (await services.ledger.submit(log_id, job)).result:
            await services.blobs.delete([place.blob for place in plan.places])

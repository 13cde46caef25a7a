"""Adding a document: its first revision, with title, label and sensitivity as its adder says them."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass, replace
from functools import partial
from typing import Any, Final

from sqlalchemy import bindparam, func, insert, select

from service import events, names
from service.acts import Act, Caller, Find, perform
from service.db.models import documents
from service.db.session import Tx
from service.errors import BadInputError, NotFoundError
from service.scoping.actions import UNCONFIRMED_SENSITIVITY, Action, Label, Role, Sensitivity
from service.scoping.actors import Actor
from service.scoping.decide import Subject
from service.services import Services
from service.sharing import keeping
from service.uploads.receipt import OF_DOCUMENT, Receipt, leaf_hash_of, receipt_of
from service.uploads.receiving import PART, Arrived, Body, Place, as_it_is, require_fit, take_in, write_revision

ROUTE: Final = "document"
NEWEST_NUMBER: Final = select(func.coalesce(func.max(documents.c.number), 0)).where(
    documents.c.engagement_id == bindparam("engagement")
)
_ADD_DOCUMENT = insert(documents)


@dataclass(frozen=True, slots=True)
class NewDocument:
    """What a client says about the file he sends."""

    engagement_id: str
    part_id: str
    label: str
    sensitivity: str | None
    title: str
    body: Body
    begun: int | None = None  # UTC seconds: it goes on with what was let in then


async def add(services: Services, caller: Caller, new: NewDocument, pieces: AsyncIterator[bytes]) -> Receipt:
    """Take in a document.

    Raises: what the policy answers; `BadTitleError`, `TooLargeError`, `IncompleteBodyError`, `StoreFullError`,
        `IdempotencyMismatchError`.
    """
    new = _checked(services, new)
    subject = partial(_subject, new)
    announced = await perform(services, caller, Action.DOCUMENT_ADD, subject, lambda act: _announce(act, new))
    place, intent = announced.result, announced.recorded.indexes[0]
    arriving = new if new.begun is not None else replace(new, begun=announced.recorded.moment.s)

    async def keep(arrived: Arrived) -> Receipt:
        return await _keep(services, caller, partial(_subject, arriving), arriving, place, intent, arrived)

    return await take_in(services, place, intent, new.body, pieces, keep, events.document_not_added)


def _checked(services: Services, new: NewDocument) -> NewDocument:
    if new.label not in set(Label) or (new.sensitivity is not None and new.sensitivity not in set(Sensitivity)):
        raise BadInputError("label and sensitivity must be words of the vocabulary.", extra={"field": "label"})
    require_fit(services, new.body.size_bytes)
    return replace(new, title=names.title(new.title))


def _subject(new: NewDocument, _tx: Tx, actor: Actor) -> Subject:
    return Subject(
        engagement=new.engagement_id,
        part=new.part_id,
        label=new.label,
        sensitivity=sensitivity_of(new.sensitivity, actor),
        begun=new.begun,
    )


def sensitivity_of(said: str | None, actor: Actor) -> str:
    """An attorney's word counts at once; whatever anybody else says is confidential until an attorney has looked."""
    is_attorney = actor.role == Role.ATTORNEY
    return said if is_attorney and said else UNCONFIRMED_SENSITIVITY.value


def _announce(act: Act, new: NewDocument) -> Place:
    part = act.tx.one(PART, part=new.part_id, firm=act.firm_id)
    if part is None or part.engagement_id != new.engagement_id:
        raise NotFoundError
    place = Place(act.new_id("doc"), act.new_id("rev"), act.new_id("blb"), part, act.who)
    act.drafts.append(events.document_adding(act.who, place.document, place.revision, new.label))
    return place


async def _keep(
    services: Services, caller: Caller, subject: Find, new: NewDocument, place: Place, intent: int, arrived: Arrived
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
        kept = act.once(ROUTE, request, lambda: _write(act, new, as_it_is(act, place), intent, arrived))
        if kept != place.document:
            act.drafts.append(events.document_not_added(act.who, intent, place.subjects, "aborted", arrived.size_bytes))
        return act.tx.one(OF_DOCUMENT, document=kept)

    done = await perform(services, caller, Action.DOCUMENT_ADD, subject, change)
    row = done.result
    if row.document_id == place.document:
        return receipt_of(row, arrived.sha256, done.recorded.leaf_hashes[0])
    await services.blobs.delete([place.blob])
    leaf_hash = leaf_hash_of(services, caller.credential.firm_id, row.log_index)
    return receipt_of(row, arrived.sha256, leaf_hash)


def _write(act: Act, new: NewDocument, place: Place, intent: int, arrived: Arrived) -> str:
    """Write document, revision and entry. What an attorney adds is confirmed by that; all else is to look at."""
    state = "confirmed" if act.actor.role == Role.ATTORNEY else "to_look_at"
    sensitivity = sensitivity_of(new.sensitivity, act.actor)
    number = act.tx.value(NEWEST_NUMBER, engagement=new.engagement_id) + 1
    act.tx.run(
        _ADD_DOCUMENT,
        id=place.document,
        firm_id=act.firm_id,
        engagement_id=new.engagement_id,
        part_id=place.part.id,
        matter_id=place.part.matter_id,
        number=number,
        label=new.label,
        sensitivity=sensitivity,
        state=state,
        title=act.seal(place.holder, "documents", "title", place.document, new.title),
        revision_id=place.revision,
        added_by=act.actor.membership_id,
        added_at=act.moment.s,
        version=1,
    )
    write_revision(act, place, 1, arrived)
    payload = act.payload(place.holder, {"title": new.title, "sha256": arrived.sha256})
    data = {
        "label": new.label,
        "sensitivity": sensitivity,
        "state": state,
        "number": number,
        "bytes": arrived.size_bytes,
        "media_type": arrived.findings.media_type,
        "condition": arrived.findings.condition,
    }
    act.drafts.append(events.document_added(act.who, intent, place.subjects, arrived.header, data, payload))
    keeping.hand_out(act, place.document)
    return place.document

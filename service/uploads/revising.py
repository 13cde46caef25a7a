"""Revising a document: another content in the place of the one that is there.

Rules kept here:

* the ETag that was read must still stand when the body has arrived: of two who replace at once the later is refused,
  and nothing of his body is kept;
* what is still to look at is replaced by its adder alone, within his 72 hours, which do not begin again; an attorney
  confirms it first, for else the adder would see what the attorney put there;
* what an adder replaces nobody had confirmed: its key is destroyed in the transaction that replaces it. What an
  attorney replaces had been relied on: it stays, under its own key, until the engagement's end;
* title, label, sensitivity and grants stay as they are.

It shows no older revision to anybody.
"""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator
from typing import Any, Final

from sqlalchemy import bindparam, func, select, update

from service import events
from service.acts import Act, Caller, perform
from service.db.models import documents, parts, revisions
from service.db.session import Tx
from service.documents import forget_revisions
from service.errors import BadStateError, MunimentError, NotFoundError
from service.scoping.actions import Action
from service.scoping.decide import Subject
from service.services import Services
from service.uploads.receipt import OF_REVISION, Receipt, leaf_hash_of, receipt_of
from service.uploads.receiving import Arrived, Body, Place, as_it_is, require_fit, take_in, write_revision

ROUTE: Final = "revision"
_NEWEST = select(func.max(revisions.c.number)).where(revisions.c.document_id == bindparam("document")).scalar_subquery()
_DOCUMENT = (
    select(
        parts.c.id,
        parts.c.key_id,
        parts.c.field_key,
        parts.c.engagement_id,
        parts.c.matter_id,
        parts.c.firm_id,
        documents.c.state,
        documents.c.added_by,
        documents.c.revision_id,
        documents.c.version,
        _NEWEST.label("newest"),
    )
    .join_from(documents, parts, parts.c.id == documents.c.part_id)
    .where(documents.c.id == bindparam("document"))
)
_REPLACE = (
    update(documents)
    .where(documents.c.id == bindparam("document"))
    .values(revision_id=bindparam("new_revision"), version=documents.c.version + 1)
)


async def revise(
    services: Services, caller: Caller, document_id: str, said: Body, pieces: AsyncIterator[bytes]
) -> Receipt:
    """Replace a document's content.

    Raises: what the policy answers; `PreconditionMissingError`, `StaleError`, `BadStateError`, `TooLargeError`,
        `IncompleteBodyError`, `StoreFullError`, `IdempotencyMismatchError`.
    """
    require_fit(services, said.size_bytes)
    subject = Subject(document=document_id)
    announced = await perform(
        services, caller, Action.DOCUMENT_REVISE, subject, lambda act: _announce(act, document_id)
    )
    place, intent = announced.result, announced.recorded.indexes[0]
    arriving = subject._replace(begun=announced.recorded.moment.s)

    async def keep(arrived: Arrived) -> Receipt:
        return await _keep(services, caller, arriving, place, intent, arrived)

    return await take_in(services, place, intent, said, pieces, keep, events.document_not_revised)


def _announce(act: Act, document_id: str) -> Place:
    row = _row(act.tx, document_id)
    if act.caller.if_match is None or not act.was_sent(ROUTE):  # sent again, it names a version that is past
        _require_replaceable(act, document_id, row)
    place = Place(document_id, act.new_id("rev"), act.new_id("blb"), row, act.who)
    act.drafts.append(events.document_revising(act.who, place.revision))
    return place


def _row(tx: Tx, document_id: str) -> Any:
    row = tx.one(_DOCUMENT, document=document_id)
    if row is None:
        raise NotFoundError
    return row


def _require_replaceable(act: Act, document_id: str, row: Any) -> None:
    act.require_version(document_id, row.version)
    if row.state == "to_look_at" and row.added_by != act.actor.membership_id:
        raise BadStateError("Nobody has confirmed it yet. Confirm it first, then replace its content.")


async def _keep(
    services: Services, caller: Caller, subject: Subject, place: Place, intent: int, arrived: Arrived
) -> Receipt:
    """Decide again, then write what arrived; a revision that was sent before answers with its first receipt."""
    request = {"document": place.document, "sha256": arrived.sha256}

    def change(act: Act) -> tuple[Any, tuple[str, ...]]:
        before, now = _row(act.tx, place.document), as_it_is(act, place)
        kept = act.once(ROUTE, request, lambda: _write(act, now, before, arrived))
        if kept == place.revision:
            gone = _forget_unconfirmed(act, now, before)
            _record(act, now, intent, before, arrived, len(gone))
        else:
            gone = (place.blob,)
            act.drafts.append(
                events.document_not_revised(act.who, intent, place.subjects, "aborted", arrived.size_bytes)
            )
        return act.tx.one(OF_REVISION, revision=kept), gone

    done = await perform(services, caller, Action.DOCUMENT_REVISE, subject, change)
    row, gone = done.result
    with contextlib.suppress(MunimentError):  # it is done; what stays are objects without keys: the doctor finds them
        await services.blobs.delete(gone)
    if row.id == place.revision:
        return receipt_of(row, arrived.sha256, done.recorded.leaf_hashes[0])
    leaf_hash = leaf_hash_of(services, caller.credential.firm_id, row.log_index)
    return receipt_of(row, arrived.sha256, leaf_hash)


def _write(act: Act, place: Place, before: Any, arrived: Arrived) -> str:
    _require_replaceable(act, place.document, before)
    act.tx.run(_REPLACE, document=place.document, new_revision=place.revision)
    write_revision(act, place, before.newest + 1, arrived)
    return place.revision


def _forget_unconfirmed(act: Act, place: Place, before: Any) -> tuple[str, ...]:
    if before.state != "to_look_at":
        return ()
    return forget_revisions(act, place.document, before.engagement_id, but=place.revision)


def _record(act: Act, place: Place, intent: int, before: Any, arrived: Arrived, destroyed: int) -> None:
    payload = act.payload(place.holder, {"sha256": arrived.sha256})
    data = {
        "number": before.newest + 1,
        "replaced": before.revision_id,
        "destroyed": destroyed,
        "bytes": arrived.size_bytes,
        "media_type": arrived.findings.media_type,
        "condition": arrived.findings.condition,
    }
    act.drafts.append(events.document_revised(act.who, intent, place.subjects, arrived.header, data, payload))

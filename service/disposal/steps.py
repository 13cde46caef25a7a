"""The steps that people take: request, approve, confirm the return, withdraw; and reading how far it is."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import bindparam, insert, select, update

from service import holds, names, tasks
from service.acts import Act, Caller, Done, perform
from service.db.models import disposals, engagements
from service.disposal.manifest import Manifest, manifest_of
from service.door import Holder, NameReader
from service.errors import BadStateError, HeldError, NotFoundError, StaleError
from service.events import EventType
from service.scoping.actions import Action
from service.scoping.decide import Subject
from service.services import Services

DAY_S: Final = 86_400


@dataclass(frozen=True, slots=True)
class Disposal:
    """How far a disposal is. `only_copies` are the revisions whose SHA-256 the firm must confirm before the end."""

    id: str
    engagement_id: str
    state: str
    manifest_sha256: str
    requested_by: str
    requested_at: int  # UTC seconds: vendor access ended then
    approved_by: str | None
    approved_at: int | None
    returned_at: int | None
    evidence: Mapping[str, Any]
    only_copies: tuple[str, ...]
    revisions: int
    parts: int


_ADD = insert(disposals)
_ONE = select(disposals).where(disposals.c.id == bindparam("disposal"))
_NEWEST = (
    select(disposals)
    .where(disposals.c.engagement_id == bindparam("engagement"))
    .order_by(disposals.c.id.desc())
    .limit(1)
)
_STATUS = select(engagements.c.status).where(engagements.c.id == bindparam("engagement"))
_SET_STATUS = (
    update(engagements)
    .where(engagements.c.id == bindparam("engagement"))
    .values(status=bindparam("new_status"), version=engagements.c.version + 1)
)
_APPROVE = (
    update(disposals)
    .where(disposals.c.id == bindparam("disposal"))
    .values(
        state="approved",
        approved_by=bindparam("person"),
        approved_at=bindparam("now"),
        version=disposals.c.version + 1,
    )
)
_RETURN = (
    update(disposals)
    .where(disposals.c.id == bindparam("disposal"))
    .values(
        state="returned",
        returned_at=bindparam("now"),
        waiver=bindparam("sealed"),
        version=disposals.c.version + 1,
    )
)
_WITHDRAW = (
    update(disposals)
    .where(disposals.c.id == bindparam("disposal"))
    .values(state="withdrawn", version=disposals.c.version + 1)
)


async def request(services: Services, caller: Caller, engagement_id: str) -> Disposal:
    """Ask for the end: all vendor access to the engagement ends with this, and its tasks are cancelled for good.

    Raises:
        BadStateError: the engagement does not run.
        HeldError: one of its matters is under legal hold.
    """

    def make(act: Act) -> str:
        if act.tx.value(_STATUS, engagement=engagement_id) != "running":
            raise BadStateError
        _refuse_held(act, engagement_id)
        disposal_id, manifest = act.new_id("dsp"), manifest_of(act.tx, engagement_id)
        act.tx.run(_SET_STATUS, engagement=engagement_id, new_status="closing")
        act.tx.run(
            _ADD,
            id=disposal_id,
            firm_id=act.firm_id,
            engagement_id=engagement_id,
            state="requested",
            manifest_sha256=manifest.sha256,
            requested_by=act.actor.person_id,
            requested_token=act.actor.token_id,
            requested_at=act.moment.s,
            approved_by=None,
            approved_at=None,
            returned_at=None,
            waiver=None,
            evidence="{}",
            version=1,
        )
        act.record(EventType.DISPOSAL_REQUESTED, {"disposal": disposal_id}, {"manifest_sha256": manifest.sha256})
        tasks.end_of_engagement(act, engagement_id)
        return disposal_id

    def change(act: Act) -> Disposal:
        return _read(act, act.once("disposal", {"engagement": engagement_id}, lambda: make(act)))

    done = await perform(services, caller, Action.DISPOSAL_REQUEST, Subject(engagement=engagement_id), change)
    return _result(done)


async def approve(services: Services, caller: Caller, disposal_id: str, manifest_sha256: str) -> Disposal:
    """Agree, as a second person, to destroy exactly what the manifest with this digest lists.

    The same person's same approval sent again changes nothing: it stands from the first, and ends with it.

    Raises:
        BadStateError: it is not waiting for approval, or somebody else approved it.
        StaleError: what would be destroyed is not what was named.
        HeldError: one of its matters is under legal hold.
    """

    def change(act: Act) -> Disposal:
        row = _row(act, disposal_id, "requested", "approved")
        if row.approved_by not in (None, act.actor.person_id):
            raise BadStateError("Somebody else has approved it already.")
        _refuse_held(act, row.engagement_id)
        digest = manifest_of(act.tx, row.engagement_id).sha256
        if manifest_sha256 != digest or row.manifest_sha256 != digest:
            raise StaleError("What would be destroyed has changed. Read the disposal again, then decide.")
        if row.approved_by is None:
            act.tx.run(_APPROVE, disposal=disposal_id, person=act.actor.person_id, now=act.moment.s)
            act.record(EventType.DISPOSAL_APPROVED, {"disposal": disposal_id}, {"manifest_sha256": digest})
        return _read(act, disposal_id)

    done = await perform(services, caller, Action.DISPOSAL_APPROVE, Subject(via=disposal_id), change)
    return _result(done)


async def confirm_return(
    services: Services, caller: Caller, disposal_id: str, waiver: str, only_copies: Mapping[str, str]
) -> Disposal:
    """Confirm that the firm holds what it wants to keep.

    Args:
        waiver: in words, why no package is needed (copies only).
        only_copies: SHA-256 in hex by document id, of each file that exists nowhere else: the firm read it back.

    Raises:
        BadStateError: it is not approved, or an only copy was not confirmed by its right SHA-256.
    """
    waiver = names.text(waiver, "waiver")

    def look(act: Act) -> Manifest:
        row = _row(act, disposal_id, "approved")
        found = manifest_of(act.tx, row.engagement_id)
        act.show([each.id for each in found.only_copies()])
        return found

    subject = Subject(via=disposal_id)
    looked = await perform(services, caller, Action.DISPOSAL_RETURN, subject, look)
    missing = _unconfirmed(NameReader(services.keys, looked.authorised), looked.result, only_copies)
    if missing:
        raise BadStateError(
            "Some files exist nowhere else: download each, and send its SHA-256.", extra={"documents": missing}
        )

    def change(act: Act) -> Disposal:
        row = _row(act, disposal_id, "approved")
        if manifest_of(act.tx, row.engagement_id).sha256 != row.manifest_sha256:
            raise StaleError("What would be destroyed has changed. Withdraw the disposal and ask for it again.")
        firm = act.firm()
        act.tx.run(
            _RETURN,
            disposal=disposal_id,
            now=act.moment.s,
            sealed=act.seal(firm, "disposals", "waiver", disposal_id, waiver),
        )
        act.record(
            EventType.DISPOSAL_RETURNED,
            {"disposal": disposal_id},
            {"only_copies": len(only_copies)},
            act.payload(firm, {"waiver": waiver}),
        )
        return _read(act, disposal_id)

    return _result(await perform(services, caller, Action.DISPOSAL_RETURN, subject, change))


def _unconfirmed(reader: NameReader, manifest: Manifest, sent: Mapping[str, str]) -> list[str]:
    """The documents that exist nowhere else and were not confirmed by their right SHA-256."""
    holders = {part.id: Holder(part.id, part.key_id, part.field_key) for part in manifest.parts}
    return [
        each.document_id
        for each in manifest.only_copies()
        if sent.get(each.document_id, "").lower()
        != reader.open(holders[each.part_id], "revisions", "sha256", each.id, each.sha256)
    ]


async def withdraw(services: Services, caller: Caller, disposal_id: str) -> None:
    """Take the request back, before anything was destroyed; the engagement runs again."""

    def change(act: Act) -> None:
        row = _row(act, disposal_id, "requested", "approved", "returned")
        act.tx.run(_WITHDRAW, disposal=disposal_id)
        act.tx.run(_SET_STATUS, engagement=row.engagement_id, new_status="running")
        act.record(EventType.DISPOSAL_WITHDRAWN, {"disposal": disposal_id})

    await perform(services, caller, Action.DISPOSAL_WITHDRAW, Subject(via=disposal_id), change)


async def read(services: Services, caller: Caller, disposal_id: str) -> Disposal:
    """Read how far a disposal is, and what it will destroy."""
    done = await perform(
        services, caller, Action.DISPOSAL_READ, Subject(via=disposal_id), lambda act: _read(act, disposal_id)
    )
    return _result(done)


async def newest(services: Services, caller: Caller, engagement_id: str) -> Disposal:
    """Read the newest disposal of an engagement."""

    def change(act: Act) -> Disposal:
        row = act.tx.one(_NEWEST, engagement=engagement_id)
        if row is None:
            raise NotFoundError
        return _read(act, row.id)

    subject = Subject(engagement=engagement_id)
    return _result(await perform(services, caller, Action.DISPOSAL_READ, subject, change))


def _result(done: Done) -> Disposal:
    found: Disposal = done.result
    return found


def _refuse_held(act: Act, engagement_id: str) -> None:
    if holds.in_force(act.tx, engagement_id, act.moment.s):
        raise HeldError


def _row(act: Act, disposal_id: str, *states: str) -> Any:
    row = act.tx.one(_ONE, disposal=disposal_id)
    if row is None:
        raise NotFoundError
    if row.state not in states:
        raise BadStateError
    return row


def _read(act: Act, disposal_id: str) -> Disposal:
    row = act.tx.one(_ONE, disposal=disposal_id)
    if row is None:
        raise NotFoundError
    manifest = manifest_of(act.tx, row.engagement_id)
    return Disposal(
        id=row.id,
        engagement_id=row.engagement_id,
        state=row.state,
        manifest_sha256=row.manifest_sha256,
        requested_by=row.requested_by,
        requested_at=row.requested_at,
        approved_by=row.approved_by,
        approved_at=row.approved_at,
        returned_at=row.returned_at,
        evidence=json.loads(row.evidence),
        only_copies=tuple(each.document_id for each in manifest.only_copies()),
        revisions=len(manifest.revisions),
        parts=len(manifest.parts),
    )

"""Opening a standby share: by the member himself, once, with a reason; it is an alert.

Rules kept here:

* the member may act now (engagement, duties, window, no wall), as the policy says of `standby:open`;
* each paper is decided anew as if whoever sealed it shared it now: still on the matter's team, no wall, confirmed, and
  within the member's ceiling; nor did the member say since that it was not meant for him. What fails is left out;
  where nothing is left, nothing is opened;
* the grants are the sealer's, end by themselves within the hours that were sealed, and beside others on the same paper.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

from sqlalchemy import bindparam, select, update

from service import grants, names, recipients
from service.acts import Act, Caller, perform
from service.db.models import memberships, people, standbys
from service.door import Holder, NameReader
from service.errors import AboveCeilingError, BadStateError, NotFoundError
from service.events import EventType
from service.origins import Origin
from service.scoping.actions import Ability, Action
from service.scoping.actors import as_actor
from service.scoping.decide import Subject, decide
from service.services import Services
from service.standbys.reading import Found, Standby, found, opened, place, state_of
from service.standbys.sealing import finish, subjects

_SEALER: Final = (
    select(memberships, people.c.vendor_id)
    .join_from(memberships, people, people.c.id == memberships.c.person_id)
    .where(memberships.c.id == bindparam("sealer"))
)
_OPEN: Final = (
    update(standbys)
    .where(standbys.c.id == bindparam("standby"))
    .values(
        opened_at=bindparam("now"),
        closes_at=bindparam("end"),
        reason=bindparam("why"),
        version=standbys.c.version + 1,
    )
)


async def open_now(services: Services, caller: Caller, standby_id: str, reason: str) -> Standby:
    """Open a standby share, with a reason.

    Raises:
        NotFoundError: it is not the caller's.
        BadStateError: it was opened, withdrawn or has lapsed, or nothing in it may be shared any more.
        PreconditionMissingError, StaleError: If-Match.
    """
    why = names.text(reason, "reason")

    def change(act: Act) -> Found:
        row, now = _own(act, standby_id)
        if state_of(row, now) != "sealed":
            raise BadStateError("This standby share was opened, withdrawn, or has lapsed. Ask for access instead.")
        _open(act, row, why)
        return found(act, standby_id)

    done = await perform(services, caller, Action.STANDBY_OPEN, place(standby_id), change)
    return opened(NameReader(services.keys, done.authorised), *done.result)


async def close(services: Services, caller: Caller, standby_id: str) -> Standby:
    """Close an open standby share before its time.

    Raises:
        NotFoundError: it is not the caller's.
        BadStateError: it is not open.
        PreconditionMissingError, StaleError: If-Match.
    """

    def change(act: Act) -> Found:
        row, now = _own(act, standby_id)
        if state_of(row, now) != "open":
            raise BadStateError("This standby share is not open.")
        finish(act, row)
        return found(act, standby_id)

    done = await perform(services, caller, Action.STANDBY_OPEN, place(standby_id), change)
    return opened(NameReader(services.keys, done.authorised), *done.result)


def _own(act: Act, standby_id: str) -> tuple[Any, int]:
    row, _, now = found(act, standby_id)
    if row.membership_id != act.actor.membership_id:
        raise NotFoundError
    act.require_version(standby_id, row.version)
    return row, now


def _open(act: Act, row: Any, why: str) -> None:
    now, part = act.moment.s, Holder(row.part_id, row.key_id, row.field_key)
    where = {"engagement_id": row.engagement_id, "matter_id": row.matter_id}
    recipient = recipients.find(act.tx, now, firm_id=act.firm_id, **where, membership_id=row.membership_id)
    closes = min(now + row.lasts_s, recipient.closes_at)
    papers = list(_still_shareable(act, row, recipient))
    if not papers:
        raise BadStateError("Nothing in it may be shared any more. Ask for access, or call whoever is on call.")
    act.tx.run(_OPEN, standby=row.id, now=now, end=closes, why=act.seal(part, "standbys", "reason", row.id, why))
    about = {"documents": [paper.id for paper in papers], "opened_at": now, "closes_at": closes}
    act.record(EventType.STANDBY_OPENED, subjects(row), about, act.payload(part, {"reason": why}))
    made_with = Origin(standby_id=row.id, giver=row.sealed_by)
    for paper in papers:
        grants.write(act, paper, recipient, Ability(row.abilities), (now, closes), why, made_with)


def _still_shareable(act: Act, row: Any, recipient: recipients.Recipient) -> Iterator[Any]:
    """The papers that whoever sealed this might share with the member now, and that he has not given away since."""
    sealer = as_actor(act.firm_id, act.tx.one(_SEALER, sealer=row.sealed_by))
    matrix, moment = act.services.matrix.current, act.moment
    for document_id in row.documents.split(" "):
        decision = decide(act.tx, matrix, moment, sealer, Action.GRANT_CREATE, Subject(document=document_id))
        if not decision.allowed or decision.row.part_id != row.part_id:
            continue
        try:
            grants.require_shareable(act, decision.row, recipient.role, Ability(row.abilities))
        except (BadStateError, AboveCeilingError):
            continue
        if recipients.has_disclaimed(act.tx, act.moment.s, recipient, document_id, since=row.sealed_at):
            continue  # "not meant for me", since it was sealed
        yield decision.row

"""Overlays: how one engagement is stricter than the policy for its vendor's people; read, changed, tried before.

Rules kept here:

* rows can only take away (`service.scoping.overlays`), and before they are saved Casbin proves it, over every role,
  act, label and sensitivity, against the policy in force (`service.scoping.inforce.proven`);
* the proof takes up to a second, so it is made outside of the transaction, for those alone who may change the overlay,
  and the change is refused when the policy was loaded anew meanwhile;
* the entry in the log holds the rows whole. There are no names in them; the doctor replays them, and a verifier
  computes the epochs that decisions under them cite;
* a preview tells numbers by membership and act, of documents that the asker could ask about one by one; none is named.

What an overlay does to a decision is no business of this module.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import bindparam, select, update

from service import events
from service.acts import Act, Caller, perform
from service.db.models import engagements, logs
from service.db.session import Tx
from service.errors import BadInputError, NotFoundError, PolicyError, UnavailableError
from service.events import EventType
from service.ledger import Moment
from service.scoping.actions import Action
from service.scoping.comparing import Comparison, Shift
from service.scoping.decide import Subject, decide
from service.scoping.inforce import proven, under
from service.scoping.matrix import Matrix
from service.scoping.overlays import Overlay
from service.scoping.together import Asker
from service.services import Services
from service.tokens import authenticate

_ONE: Final = select(engagements.c.id, engagements.c.vendor_id, engagements.c.overlay, engagements.c.version).where(
    engagements.c.id == bindparam("engagement"), engagements.c.firm_id == bindparam("firm")
)
_WRITE: Final = (
    update(engagements)
    .where(engagements.c.id == bindparam("engagement"))
    .values(overlay=bindparam("text"), version=engagements.c.version + 1)
)
_LOG_SIZE: Final = select(logs.c.size).where(logs.c.id == bindparam("firm"))


@dataclass(frozen=True, slots=True)
class Shown:
    """The overlay of an engagement.

    Args:
        rows: in their one spelling, in order; of a text that cannot be read, its lines.
        is_readable: when it is not, the engagement is shut for the vendor's people.
        epoch: that decisions about them cite.
        version: of the engagement.
    """

    engagement_id: str
    rows: tuple[str, ...]
    is_readable: bool
    epoch: str
    version: int


@dataclass(frozen=True, slots=True)
class Preview:
    """What other rows would change, and the second of the rows that were counted (UTC)."""

    as_of: int
    shifts: tuple[Shift, ...]


async def read(services: Services, caller: Caller, engagement_id: str) -> Shown:
    """Read the overlay of an engagement; without one it has no rows."""

    def look(act: Act) -> Shown:
        return _shown(act, engagement_id)

    done = await perform(services, caller, Action.OVERLAY_READ, Subject(engagement=engagement_id), look)
    shown: Shown = done.result
    return shown


async def change(services: Services, caller: Caller, engagement_id: str, rows: Sequence[str]) -> Shown:
    """Put other rows in the place of an engagement's overlay; none takes it away.

    Raises:
        BadInputError: a row is not of the form, or there is too much.
        PreconditionMissingError, StaleError: see `Act.require_version`.
        UnavailableError: the policy was loaded anew meanwhile: the proof is to be made again.
    """
    overlay = _read(rows)
    proof = await asyncio.to_thread(_prove, services, caller, engagement_id, overlay)

    def write(act: Act) -> Shown:
        row = _row(act, engagement_id)
        act.require_version(row.id, row.version)
        if proof is None or proof.base is not act.services.matrix.current:
            raise UnavailableError
        act.tx.run(_WRITE, engagement=row.id, text=overlay.text)
        act.record(EventType.OVERLAY_CHANGED, {"vendor": row.vendor_id}, {"rows": list(overlay.lines)})
        return _shown(act, engagement_id)

    done = await perform(services, caller, Action.OVERLAY_CHANGE, Subject(engagement=engagement_id), write)
    shown: Shown = done.result
    return shown


async def preview(services: Services, caller: Caller, engagement_id: str, rows: Sequence[str]) -> Preview:
    """Say what other rows would take, or give back, before they are saved; nothing is changed.

    Raises:
        BadInputError: as `change`.
    """
    overlay = _read(rows)
    found, log_size = await asyncio.to_thread(_compare, services, caller, engagement_id, overlay)

    def record(act: Act) -> None:
        if found is None:
            raise UnavailableError
        memberships = dict.fromkeys(shift.membership_id for shift in found.shifts)
        act.drafts.append(events.list_read(act.who, memberships, log_size))

    await perform(services, caller, Action.OVERLAY_CHANGE, Subject(engagement=engagement_id), record)
    if found is None:
        raise UnavailableError
    return found


def _read(rows: Sequence[str]) -> Overlay:
    try:
        return Overlay.read(rows)
    except PolicyError as error:
        raise BadInputError(f"rows: {error.message}", extra={"field": "rows"}) from error


def _prove(services: Services, caller: Caller, engagement_id: str, overlay: Overlay) -> Matrix | None:
    """Prove an overlay, for somebody who may save it; None for everybody else, who is refused afterwards."""
    with services.database.read(caller.credential.firm_id) as tx:
        asker = _asker(tx, services, caller, engagement_id)
    return None if asker is None else proven(services.matrix.current, overlay)


def _compare(
    services: Services, caller: Caller, engagement_id: str, overlay: Overlay
) -> tuple[Preview | None, int | None]:
    """Compare what the overlay leaves with what is in force, in a snapshot of its own that never holds the log."""
    with services.database.read(caller.credential.firm_id) as tx:
        asker = _asker(tx, services, caller, engagement_id)
        if asker is None:
            return None, None
        firm_id, policy = asker.actor.firm_id, services.matrix.current
        row = tx.one(_ONE, engagement=engagement_id, firm=firm_id)
        comparison = Comparison(under(policy, row.overlay), proven(policy, overlay), asker)
        shifts = [
            shift
            for seat in comparison.seats(tx, firm_id)
            if seat.engagement_id == engagement_id
            for shift in comparison.shifts(tx, asker.now, seat)
        ]
        log_size: int = tx.value(_LOG_SIZE, firm=firm_id)
    return Preview(asker.now.s, tuple(shifts)), log_size


def _asker(tx: Tx, services: Services, caller: Caller, engagement_id: str) -> Asker | None:
    """Return who asks, when he may change the overlay: nobody else is worth the work."""
    now = Moment(services.clock(), caller.address)
    actor = authenticate(tx, now, caller.credential)
    about = Subject(engagement=engagement_id)
    allowed = decide(tx, services.matrix.current, now, actor, Action.OVERLAY_CHANGE, about).allowed
    return Asker(actor, now) if allowed else None


def _row(act: Act, engagement_id: str) -> Any:
    row = act.tx.one(_ONE, engagement=engagement_id, firm=act.firm_id)
    if row is None:
        raise NotFoundError
    return row


def _shown(act: Act, engagement_id: str) -> Shown:
    row = _row(act, engagement_id)
    try:
        rows, is_readable = Overlay.stored(row.overlay).lines, True
    except PolicyError:
        rows, is_readable = tuple(row.overlay.split("\n")), False
    epoch = under(act.services.matrix.current, row.overlay).epoch
    return Shown(engagement_id, rows, is_readable, epoch, row.version)

"""Blocking: where a row that rules depend on is not what the log says, nobody acts by it until somebody has looked.

The memberships of the engagement are suspended, and those for the whole house that live on the row themselves: the
suspension that people use, written by the ledger with the actor ``doctor``. Attorneys of the house can still read, and
whoever may resume a membership lifts it, one by one, once the row is right. Blocking again changes nothing.

The entry says only that the membership is suspended: what else the row says is just what cannot be believed.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable
from typing import Any, Final

from sqlalchemy import bindparam, select, update

from service import events
from service.db.models import memberships
from service.db.session import Tx
from service.doctor.findings import Finding
from service.events import EventType
from service.ledger import Draft, Moment, Outcome
from service.services import Services

TOLD: Final = 40  # ids that fit into an entry

logger = logging.getLogger(__name__)

_SEATS = select(memberships.c.id, memberships.c.person_id, memberships.c.engagement_id).where(
    memberships.c.suspended == 0, memberships.c.ends_at > bindparam("now")
)
_OF_ENGAGEMENT = _SEATS.where(memberships.c.engagement_id == bindparam("engagement")).order_by(memberships.c.id)
_ONE = _SEATS.where(memberships.c.id == bindparam("membership"))
_SUSPEND = (
    update(memberships)
    .where(memberships.c.id == bindparam("membership"))
    .values(suspended=1, version=memberships.c.version + 1)
)


async def block(services: Services, found: Iterable[Finding]) -> list[str]:
    """Suspend what these findings call for, record it, and return the ids of the memberships that were suspended."""
    suspended: list[str] = []
    wanted: dict[tuple[str, str], list[str]] = {}
    for finding in found:
        for place in (*finding.engagements, *finding.memberships):
            wanted.setdefault((finding.log_id, place), []).extend(finding.ids)
    for (log_id, place), rows in sorted(wanted.items()):
        suspended += await _block(services, log_id, place, rows)
    return suspended


async def _block(services: Services, log_id: str, place: str, rows: list[str]) -> list[str]:
    """Suspend one engagement's memberships, or one membership."""

    def job(tx: Tx, moment: Moment) -> Outcome[list[str]]:
        seats = tx.all(_ONE, membership=place, now=moment.s)
        seats = seats or tx.all(_OF_ENGAGEMENT, engagement=place, now=moment.s)
        drafts = [_suspend(tx, seat) for seat in seats]
        if seats:
            subjects = {"engagement": seats[0].engagement_id} if seats[0].engagement_id else {}
            data: events.Data = {"suspended": len(seats), "count": len(rows), "rows": rows[:TOLD]}
            drafts.append(events.changed(EventType.DOCTOR_BLOCKED, events.system("doctor", subjects), data=data))
        return Outcome([seat.id for seat in seats], tuple(drafts))

    suspended: list[str] = (await services.ledger.submit(log_id, job)).result
    if suspended:
        logger.error("blocked: rows are not what the log says", extra={"place": place, "rows": rows[:TOLD]})
    return suspended


def _suspend(tx: Tx, seat: Any) -> Draft:
    tx.run(_SUSPEND, membership=seat.id)
    subjects = {"membership": seat.id, "person": seat.person_id}
    if seat.engagement_id:
        subjects["engagement"] = seat.engagement_id
    return events.changed(EventType.MEMBER_SUSPENDED, events.system("doctor"), subjects, {"suspended": True})

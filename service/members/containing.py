"""Suspending a person: all that he has in this firm at once, and back.

A wall follows the person by itself: its row names him. A suspension is a membership's, so it has to be laid on each;
while it lies, nobody lets him in anew, and none of his memberships is resumed by itself. It is the owner's act, for it
reaches into every engagement and the house.
"""

from __future__ import annotations

from typing import Any

from sqlalchemy import bindparam, select, update

from service.acts import Act, Caller, perform
from service.db.models import memberships
from service.errors import BadStateError, NotFoundError
from service.events import EventType
from service.members.rows import require_other_owner, terms
from service.scoping.actions import Action
from service.scoping.decide import Subject
from service.services import Services

_ALL = (
    select(memberships)
    .where(memberships.c.person_id == bindparam("person"), memberships.c.firm_id == bindparam("firm"))
    .order_by(memberships.c.id)
)
_CONTAINED = (
    select(memberships.c.id)
    .where(memberships.c.person_id == bindparam("person"), memberships.c.contained_at.is_not(None))
    .limit(1)
)
_CHANGE = (
    update(memberships)
    .where(memberships.c.id == bindparam("member"))
    .values(suspended=bindparam("is_suspended"), contained_at=bindparam("at"), version=memberships.c.version + 1)
)


async def suspend_person(services: Services, caller: Caller, person_id: str) -> list[str]:
    """Suspend every membership of a person that runs or is to come; return their ids.

    What was suspended before stays as it is, and is not resumed with these.

    Raises:
        NotFoundError: this firm knows nobody of this id, or none who ever had a membership.
        BadStateError: nothing is left to suspend, or he is the firm's last owner.
    """

    def change(act: Act) -> list[str]:
        rows = _rows(act, person_id)
        running = [row for row in rows if row.ends_at > act.moment.s and not row.suspended]
        if not running:
            raise BadStateError("This person has no membership that could be suspended.")
        for row in running:
            require_other_owner(act, row)
            _lay(act, row, EventType.MEMBER_SUSPENDED, at=act.moment.s)
        return [row.id for row in running]

    suspended: list[str] = (await perform(services, caller, Action.PERSON_SUSPEND, Subject(), change)).result
    return suspended


async def resume_person(services: Services, caller: Caller, person_id: str) -> list[str]:
    """Take back what `suspend_person` did, on all that it was done to; return their ids.

    Raises:
        NotFoundError: as above.
        BadStateError: he is not suspended as a person.
    """

    def change(act: Act) -> list[str]:
        contained = [row for row in _rows(act, person_id) if row.contained_at is not None]
        if not contained:
            raise BadStateError("This person is not suspended in the whole firm.")
        for row in contained:
            _lay(act, row, EventType.MEMBER_RESUMED, at=None)
        return [row.id for row in contained]

    resumed: list[str] = (await perform(services, caller, Action.PERSON_RESUME, Subject(), change)).result
    return resumed


def require_at_large(act: Act, person_id: str) -> None:
    """Refuse what would let a person in who is suspended in the whole firm.

    Raises:
        BadStateError: he is.
    """
    if act.tx.one(_CONTAINED, person=person_id) is not None:
        raise BadStateError("This person is suspended in the whole firm. Resume the person first.")


def _rows(act: Act, person_id: str) -> list[Any]:
    rows = act.tx.all(_ALL, person=person_id, firm=act.firm_id)
    if not rows:
        raise NotFoundError
    return rows


def _lay(act: Act, row: Any, kind: EventType, *, at: int | None) -> None:
    act.tx.run(_CHANGE, member=row.id, is_suspended=int(at is not None), at=at)
    subjects = {"membership": row.id, "person": row.person_id}
    if row.engagement_id is not None:
        subjects["engagement"] = row.engagement_id
    said = terms(row.role, row.starts_at, row.ends_at, suspended=at is not None)
    act.record(kind, subjects, {**said, "contained": at is not None})

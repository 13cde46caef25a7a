"""Ending tasks: accepted or cancelled, what was opened with them is shut in the same transaction."""

from __future__ import annotations

from typing import Any, Final

from sqlalchemy import bindparam, update

from service import asks
from service.acts import Act, Caller, perform
from service.db.models import tasks
from service.door import NameReader
from service.errors import BadStateError
from service.events import Data, EventType
from service.scoping.actions import Action
from service.services import Services
from service.tasks import handing
from service.tasks.reading import IS_LIVE, LIVE, PLACED, Card, Found, found, of_part, opened, row_of

_END: Final = (
    update(tasks)
    .where(tasks.c.id == bindparam("task"))
    .values(state=bindparam("new_state"), ended_at=bindparam("end"), version=tasks.c.version + 1)
)
_LIVE = PLACED.where(IS_LIVE).order_by(tasks.c.id)
_OF_MEMBER = _LIVE.where(tasks.c.membership_id == bindparam("membership"))
_OF_ENGAGEMENT = _LIVE.where(tasks.c.engagement_id == bindparam("engagement"))


async def cancel(services: Services, caller: Caller, task_id: str) -> Card:
    """Cancel a task; what was added for it stays, to be looked at.

    Raises:
        BadStateError: it is over already.
        PreconditionMissingError, StaleError: If-Match.
    """

    def change(act: Act) -> Found:
        row = row_of(act, task_id)
        act.require_version(task_id, row.version)
        if row.state not in LIVE:
            raise BadStateError("This task is over already.")
        end(act, row, "cancelled")
        return found(act, task_id)

    done = await perform(services, caller, Action.TASK_CANCEL, of_part(task_id), change)
    return opened(NameReader(services.keys, done.authorised), done.result)


def end_of_member(act: Act, membership_id: str) -> None:
    """Cancel the tasks of a membership that ends, in the transaction that ends it."""
    for row in act.tx.all(_OF_MEMBER, membership=membership_id):
        end(act, row, "cancelled")


def end_of_engagement(act: Act, engagement_id: str) -> None:
    """Cancel the tasks of an engagement whose end is asked for, in the transaction that shuts it."""
    for row in act.tx.all(_OF_ENGAGEMENT, engagement=engagement_id):
        end(act, row, "cancelled")


def end(act: Act, row: Any, state: str, data: Data | None = None) -> None:
    """End a task and everything that was opened with it.

    Args:
        row: of `reading.PLACED`.
        state: accepted or cancelled.
    """
    act.tx.run(_END, task=row.id, new_state=state, end=act.moment.s)
    kind = EventType.TASK_ACCEPTED if state == "accepted" else EventType.TASK_CANCELLED
    act.record(kind, place_of(row), {"ended_at": act.moment.s, **(data or {})})
    handing.take_in(act, row.id, row.membership_id, row.person_id)
    asks.end_of_task(act, place_of(row))


def place_of(row: Any) -> dict[str, str]:
    """The ids of a task and of where it lies, as entries name them."""
    return {
        "engagement": row.engagement_id,
        "part": row.part_id,
        "matter": row.matter_id,
        "membership": row.membership_id,
        "person": row.person_id,
        "task": row.id,
    }

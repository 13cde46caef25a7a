"""Figures of an engagement's tasks: how many, how quickly, how often again. Ids and numbers only.

* overdue: they wait for the member, and the time they were due at has come;
* turnaround: from giving a task to its first submission; response: from a submission to its answer; both as medians;
* rework: of the tasks that were accepted, the share that had been returned at least once.

They are computed in a snapshot of their own, so that many tasks never hold the log, over the tasks that the asker may
know of.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from dataclasses import dataclass
from statistics import median
from typing import Any, Final

from sqlalchemy import Select, bindparam, select

from service.acts import Caller, perform
from service.db.models import memberships, parts, submissions, tasks
from service.ledger import Moment
from service.scoping import affairs
from service.scoping.actions import Action
from service.scoping.decide import Subject
from service.services import Services
from service.tasks.reading import SEEN, TURN
from service.tokens import authenticate


@dataclass(frozen=True, slots=True)
class Count:
    """What became of some tasks; a median or share of nothing is None."""

    given: int
    accepted: int
    cancelled: int
    overdue: int
    turnaround_s: int | None
    response_s: int | None
    rework: float | None  # 0 to 1


@dataclass(frozen=True, slots=True)
class OfMember:
    """The figures of one membership."""

    membership_id: str
    person_id: str
    count: Count


@dataclass(frozen=True, slots=True)
class Figures:
    """The figures of an engagement: in all, and of each membership that was given a task, in the order of their ids."""

    total: Count
    members: tuple[OfMember, ...]


_FROM = tasks.join(parts, parts.c.id == tasks.c.part_id).join(memberships, memberships.c.id == tasks.c.membership_id)
_OF_ENGAGEMENT = tasks.c.engagement_id == bindparam("engagement")
_TASKS: Final[Select[Any]] = (
    select(
        tasks.c.id,
        tasks.c.membership_id,
        memberships.c.person_id,
        tasks.c.state,
        tasks.c.due_at,
        tasks.c.given_at,
    )
    .select_from(_FROM)
    .where(SEEN, _OF_ENGAGEMENT)
    .order_by(tasks.c.membership_id, tasks.c.id)
)
_ROUNDS: Final[Select[Any]] = (
    select(submissions.c.task_id, submissions.c.submitted_at, submissions.c.answer, submissions.c.answered_at)
    .select_from(_FROM.join(submissions, submissions.c.task_id == tasks.c.id))
    .where(SEEN, _OF_ENGAGEMENT)
    .order_by(submissions.c.task_id, submissions.c.number)
)


async def figures(services: Services, caller: Caller, engagement_id: str) -> Figures:
    """Count the tasks of an engagement that the caller may know of."""
    # Recorded and decided first: nobody who may not ask makes the database count.
    await perform(services, caller, Action.TASK_MEASURE, Subject(engagement=engagement_id), lambda _act: None)
    return await asyncio.to_thread(_counted, services, caller, engagement_id)


def _counted(services: Services, caller: Caller, engagement_id: str) -> Figures:
    moment = Moment(services.clock())
    with services.database.read(caller.credential.firm_id) as tx:
        bound = {**affairs.eyes(authenticate(tx, moment, caller.credential), moment.s), "engagement": engagement_id}
        given, rounds = tx.all(_TASKS, **bound), tx.all(_ROUNDS, **bound)
    of_task: dict[str, list[Any]] = {}
    for each in rounds:
        of_task.setdefault(each.task_id, []).append(each)
    of_member: dict[str, list[Any]] = {}
    for task in given:
        of_member.setdefault(task.membership_id, []).append(task)
    return Figures(
        count(given, of_task, moment.s),
        tuple(
            OfMember(membership_id, theirs[0].person_id, count(theirs, of_task, moment.s))
            for membership_id, theirs in of_member.items()
        ),
    )


def count(given: Iterable[Any], rounds: dict[str, list[Any]], now: int) -> Count:
    """Count some tasks.

    Args:
        given: rows with id, state, due_at and given_at.
        rounds: by a task's id its submissions, oldest first: submitted_at, answer and answered_at.
        now: UTC seconds.
    """
    some = list(given)
    accepted = [task for task in some if task.state == "accepted"]
    of_some = [rounds.get(task.id, []) for task in some]
    again = sum(any(each.answer == "returned" for each in rounds.get(task.id, [])) for task in accepted)
    first = [mine[0].submitted_at - task.given_at for task, mine in zip(some, of_some, strict=True) if mine]
    answers = [
        each.answered_at - each.submitted_at for mine in of_some for each in mine if each.answered_at is not None
    ]
    return Count(
        given=len(some),
        accepted=len(accepted),
        cancelled=sum(task.state == "cancelled" for task in some),
        overdue=sum(task.state in TURN and task.due_at <= now for task in some),
        turnaround_s=_median(first),
        response_s=_median(answers),
        rework=round(again / len(accepted), 4) if accepted else None,
    )


def _median(seconds: list[int]) -> int | None:
    return int(median(seconds)) if seconds else None

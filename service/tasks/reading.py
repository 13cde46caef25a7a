"""Reading tasks: which one knows of, and how their sealed texts are opened.

A list tells what is due, one task tells its papers too. Of the papers handed over a reader is told those that he could
list himself at this moment, so that a revoked grant leaves no trace here either; what a member submitted he may name
again, for he has its receipt.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import BigInteger, Text, and_, bindparam, case, func, or_, select

from service.acts import Act, Caller, Find, perform
from service.db.ids import is_id
from service.db.models import memberships, parts, submissions, task_documents, tasks
from service.db.session import Tx
from service.door import Holder, NameReader
from service.errors import DisposedError, NotFoundError
from service.paging import Page, Window, page
from service.scoping import affairs
from service.scoping.actions import Action, Side
from service.scoping.actors import Actor
from service.scoping.decide import Decision, Subject, decide
from service.services import Services

SOON_S: Final = 7 * 24 * 3600
TURN: Final = ("open", "returned")  # the member has to act
LIVE: Final = (*TURN, "submitted")  # not over
IS_LIVE: Final = or_(*(tasks.c.state == word for word in LIVE))


@dataclass(frozen=True, slots=True)
class Task:
    """What a member is asked to do, the instructions opened. Times are UTC seconds."""

    id: str
    engagement_id: str
    part_id: str
    membership_id: str
    person_id: str
    preset: str  # read | work | make
    labels: tuple[str, ...]  # of the papers expected back
    instructions: str
    state: str
    due_at: int
    not_after: int  # what it opens is shut then at the latest
    ended_at: int  # FOREVER: not over
    given_by: str  # a membership
    given_at: int
    version: int


@dataclass(frozen=True, slots=True)
class Paper:
    """A document of a task."""

    document_id: str
    direction: str  # in | out
    revision_id: str  # in: as handed out; out: as submitted last, then as accepted
    from_document_id: str | None  # out: what it was made from
    submission: int  # out: the last that names it; an earlier one than the last was kept beside


@dataclass(frozen=True, slots=True)
class Round:
    """One submission and its answer. Times are UTC seconds."""

    id: str
    number: int
    submitted_at: int
    answer: str | None  # returned | accepted; None: not yet
    note: str | None  # why it was returned
    answered_at: int | None


@dataclass(frozen=True, slots=True)
class Card:
    """One task with its papers and its rounds, oldest first."""

    task: Task
    papers: tuple[Paper, ...]
    rounds: tuple[Round, ...]


PLACED: Final = select(
    tasks, memberships.c.person_id, parts.c.matter_id, parts.c.key_id, parts.c.field_key
).select_from(
    tasks.join(parts, parts.c.id == tasks.c.part_id).join(memberships, memberships.c.id == tasks.c.membership_id)
)
"""Every task with its person, its matter and the key of its part: for those who have decided who may see it."""
SEEN: Final = and_(
    tasks.c.firm_id == bindparam("firm"),
    affairs.concern(tasks.c.membership_id, parts.c.matter_id),
)
"""Whether the one that `affairs.eyes` binds may know of a task."""
_ONE = PLACED.where(SEEN, tasks.c.id == bindparam("task"))
_SOME = (
    PLACED.where(SEEN, tasks.c.engagement_id == bindparam("engagement"), tasks.c.id > bindparam("after"))
    .order_by(tasks.c.id)
    .limit(bindparam("most"))
)
_STANDING = (
    select(
        func.count().label("open"),
        func.coalesce(func.sum(case((tasks.c.due_at <= bindparam("soon", type_=BigInteger), 1), else_=0)), 0).label(
            "soon"
        ),
    )
    .select_from(tasks.join(parts, parts.c.id == tasks.c.part_id))
    .where(SEEN, tasks.c.membership_id == bindparam("own", type_=Text), or_(*(tasks.c.state == word for word in TURN)))
)
_PLACE = select(tasks.c.engagement_id).where(
    tasks.c.id == bindparam("task"), tasks.c.firm_id == bindparam("firm"), tasks.c.membership_id == bindparam("own")
)
_PAPERS = (
    select(task_documents)
    .where(task_documents.c.task_id == bindparam("task"))
    .order_by(task_documents.c.direction, task_documents.c.document_id)
)
_ROUNDS = select(submissions).where(submissions.c.task_id == bindparam("task")).order_by(submissions.c.number)


@dataclass(frozen=True, slots=True)
class Found:
    """The rows of one task, as far as the asker may know them; `opened` opens them outside of the transaction."""

    row: Any
    papers: tuple[Any, ...]
    rounds: tuple[Any, ...]


async def read(services: Services, caller: Caller, task_id: str) -> Card:
    """Read one task."""

    def find(tx: Tx, actor: Actor) -> Subject:
        if actor.side == Side.FIRM:
            return of_part(task_id)
        return of_engagement(task_id)(tx, actor)

    done = await perform(services, caller, Action.TASK_READ, find, lambda act: found(act, task_id))
    return opened(NameReader(services.keys, done.authorised), done.result)


async def list_all(services: Services, caller: Caller, engagement_id: str, asked: Window) -> Page[Task]:
    """List the tasks of an engagement that the caller may know of, oldest first, those that are over too.

    Raises:
        DisposedError: their texts were destroyed with the engagement; the figures are left.
    """

    def change(act: Act) -> Page[Any]:
        if act.decision.row.status == "disposed":
            raise DisposedError
        bounds = {"engagement": engagement_id, "after": asked.after, "most": asked.limit + 1}
        listed = page(act.tx.all(_SOME, **affairs.eyes(act.actor, act.moment.s), **bounds), asked)
        act.list_out([row.id for row in listed.items])
        return listed

    done = await perform(services, caller, Action.TASK_LIST, Subject(engagement=engagement_id), change)
    reader, listed = NameReader(services.keys, done.authorised), done.result
    tasks_of: Page[Task] = listed.map(lambda row: _task(reader, row))
    return tasks_of


def standing(act: Act) -> tuple[int, int]:
    """Return how many tasks wait for the actor, and how many of them are due within 7 days or overdue."""
    row = act.tx.one(_STANDING, **affairs.eyes(act.actor, act.moment.s), soon=act.moment.s + SOON_S)
    return int(row.open), int(row.soon)


def of_part(task_id: str) -> Subject:
    """A task as firm people are asked about it: as its part's."""
    return Subject(via=task_id if is_id(task_id, "tsk") else "")


def of_engagement(task_id: str) -> Find:
    """A task as its own member is asked about it: as his engagement's, for to him a part opens by an ask alone.

    Somebody else's is not there: else "sign first" would tell that it is.
    """

    def find(tx: Tx, actor: Actor) -> Subject:
        known = is_id(task_id, "tsk")  # what is no id never reaches SQL
        place = known and tx.value(_PLACE, task=task_id, firm=actor.firm_id, own=actor.membership_id)
        return Subject(engagement=place or task_id)

    return find


def row_of(act: Act, task_id: str) -> Any:
    """Return the row of a task that the actor may know of.

    Raises:
        NotFoundError: there is none.
    """
    row = act.tx.one(_ONE, task=task_id, **affairs.eyes(act.actor, act.moment.s))
    if row is None:
        raise NotFoundError
    act.show([task_id])
    return row


def found(act: Act, task_id: str) -> Found:
    """Return a task with its papers and rounds, as far as the actor may know them.

    Raises:
        NotFoundError: there is none.
    """
    row = row_of(act, task_id)
    own = row.membership_id == act.actor.membership_id
    papers = [
        paper
        for paper in act.tx.all(_PAPERS, task=task_id)
        if (own and paper.direction == "out") or decided_too(act, Action.DOCUMENT_LIST, paper.document_id).allowed
    ]
    rounds = act.tx.all(_ROUNDS, task=task_id)
    act.show(each.id for each in rounds)
    return Found(row, tuple(papers), tuple(rounds))


def decided_too(act: Act, action: Action, document_id: str) -> Decision:
    """Decide what an act brings with it for one document, by the same facts and the same policy."""
    subject = Subject(document=document_id)
    return decide(act.tx, act.services.matrix.current, act.moment, act.actor, action, subject)


def opened(reader: NameReader, of: Found) -> Card:
    """Open the texts of a task."""
    part = _part(of.row)
    return Card(
        _task(reader, of.row),
        tuple(
            Paper(paper.document_id, paper.direction, paper.revision_id, paper.from_document_id, paper.submission)
            for paper in of.papers
        ),
        tuple(
            Round(
                id=each.id,
                number=each.number,
                submitted_at=each.submitted_at,
                answer=each.answer,
                note=None if each.note is None else reader.open(part, "submissions", "note", each.id, each.note),
                answered_at=each.answered_at,
            )
            for each in of.rounds
        ),
    )


def _part(row: Any) -> Holder:
    return Holder(row.part_id, row.key_id, row.field_key)


def _task(reader: NameReader, row: Any) -> Task:
    return Task(
        id=row.id,
        engagement_id=row.engagement_id,
        part_id=row.part_id,
        membership_id=row.membership_id,
        person_id=row.person_id,
        preset=row.preset,
        labels=tuple(row.labels.split()),
        instructions=reader.open(_part(row), "tasks", "instructions", row.id, row.instructions),
        state=row.state,
        due_at=row.due_at,
        not_after=row.not_after,
        ended_at=row.ended_at,
        given_by=row.given_by,
        given_at=row.given_at,
        version=row.version,
    )

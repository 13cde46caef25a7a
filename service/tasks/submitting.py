"""Submitting a task: its member says that it is done, and with which of his papers."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import bindparam, func, insert, select, update

from service.acts import Act, Caller, perform
from service.db.models import documents, submissions, task_documents, tasks
from service.door import NameReader
from service.errors import BadInputError, BadStateError, NotFoundError
from service.events import EventType
from service.scoping.actions import Action
from service.services import Services
from service.tasks.ending import place_of
from service.tasks.reading import TURN, Card, Found, found, of_engagement, opened, row_of

MOST_SUBMITTED: Final = 20  # with one submission: their ids and revisions must fit into its entry


@dataclass(frozen=True, slots=True)
class Submitted:
    """A paper that the member added for the task."""

    document_id: str
    from_document_id: str | None = None  # the one handed over that it was made from


_ADDED = select(
    documents.c.part_id, documents.c.label, documents.c.state, documents.c.revision_id, documents.c.added_at
).where(
    documents.c.id == bindparam("document"),
    documents.c.firm_id == bindparam("firm"),
    documents.c.added_by == bindparam("member"),
)
_OF_TASK = select(task_documents.c.document_id, task_documents.c.direction).where(
    task_documents.c.task_id == bindparam("task")
)
_ELSEWHERE = (
    select(task_documents.c.task_id)
    .select_from(task_documents.join(tasks, tasks.c.id == task_documents.c.task_id))
    .where(
        task_documents.c.document_id == bindparam("document"),
        task_documents.c.direction == "out",
        task_documents.c.task_id != bindparam("task"),
        tasks.c.state != "cancelled",
    )
    .limit(1)
)
_NUMBER = select(func.coalesce(func.max(submissions.c.number), 0)).where(submissions.c.task_id == bindparam("task"))
_ADD_DOCUMENT = insert(task_documents)
_NAME_AGAIN = (
    update(task_documents)
    .where(task_documents.c.task_id == bindparam("task"), task_documents.c.document_id == bindparam("document"))
    .values(revision_id=bindparam("revision"), from_document_id=bindparam("source"), submission=bindparam("nth"))
)
_ADD = insert(submissions)
_SUBMIT = update(tasks).where(tasks.c.id == bindparam("task")).values(state="submitted", version=tasks.c.version + 1)


async def submit(services: Services, caller: Caller, task_id: str, papers: Sequence[Submitted]) -> Card:
    """Submit one's own task, for the first time or after it was returned.

    A paper that an earlier submission named and this one does not is kept beside, as the member's own.

    Raises:
        BadInputError: nothing where papers are expected, or the other way round; or made from what is not of the task.
        BadStateError: it waits for an answer or is over; or a paper is not one that was asked for, is of before the
            task, was confirmed or taken back, or was submitted for another task.
        NotFoundError: the caller added no such paper, or has no such task.
        PreconditionMissingError, StaleError: If-Match.
    """

    def change(act: Act) -> Found:
        row = row_of(act, task_id)
        if row.membership_id != act.actor.membership_id:
            raise NotFoundError  # a firm person may know of it: it is still somebody else's to submit
        act.require_version(task_id, row.version)
        if row.state not in TURN:
            raise BadStateError("This task waits for an answer, or is over.")
        _write(act, row, _checked(act, row, papers))
        return found(act, task_id)

    done = await perform(services, caller, Action.TASK_SUBMIT, of_engagement(task_id), change)
    return opened(NameReader(services.keys, done.authorised), done.result)


@dataclass(frozen=True, slots=True)
class _Out:
    """A paper that may be submitted."""

    document_id: str
    revision_id: str
    source: str | None
    is_new: bool  # no earlier submission named it


def _checked(act: Act, row: Any, papers: Sequence[Submitted]) -> list[_Out]:
    if len({paper.document_id for paper in papers}) != len(papers) or len(papers) > MOST_SUBMITTED:
        raise _bad(f"send each once, {MOST_SUBMITTED} at most.")
    if bool(papers) != bool(row.labels):
        raise _bad(
            "name the papers that you added for this task." if row.labels else "nothing comes back from reading."
        )
    known = {paper.document_id: paper.direction for paper in act.tx.all(_OF_TASK, task=row.id)}
    handed = {document_id for document_id, direction in known.items() if direction == "in"}
    return [
        _Out(
            paper.document_id,
            _require_own(act, row, paper.document_id).revision_id,
            _source(row, paper, handed),
            paper.document_id not in known,
        )
        for paper in papers
    ]


def _require_own(act: Act, row: Any, document_id: str) -> Any:
    """The row of a paper that this member added for this task and that nobody has confirmed.

    Raises:
        NotFoundError, BadStateError: it is none.
    """
    added = act.tx.one(_ADDED, document=document_id, firm=act.firm_id, member=act.actor.membership_id)
    if added is None:
        raise NotFoundError
    fits = added.part_id == row.part_id and added.label in row.labels.split() and added.added_at >= row.given_at
    if not fits or added.state != "to_look_at":
        raise BadStateError(
            "Name papers of the labels asked for, added to this part since you have the task, that nobody has "
            "confirmed and you have not taken back.",
            extra={"document": document_id, "labels": row.labels.split()},
        )
    if act.tx.one(_ELSEWHERE, document=document_id, task=row.id) is not None:
        raise BadStateError("This paper was submitted for another task.", extra={"document": document_id})
    return added


def _source(row: Any, paper: Submitted, handed: set[str]) -> str | None:
    """The document handed over that a paper was made from; with *work* there always is one."""
    source = paper.from_document_id
    if source is None and row.preset == "work":
        if len(handed) > 1:
            raise BadInputError(
                "from_document_id: say which of the documents of the task this one was made from.",
                extra={"field": "from_document_id"},
            )
        (source,) = handed
    if source is not None and source not in handed:
        raise BadInputError(
            "from_document_id: name a document that was handed to you with this task.",
            extra={"field": "from_document_id"},
        )
    return source


def _write(act: Act, row: Any, papers: list[_Out]) -> None:
    number = act.tx.value(_NUMBER, task=row.id) + 1
    for paper in papers:
        if paper.is_new:
            act.tx.run(
                _ADD_DOCUMENT,
                task_id=row.id,
                document_id=paper.document_id,
                firm_id=act.firm_id,
                direction="out",
                revision_id=paper.revision_id,
                from_document_id=paper.source,
                submission=number,
            )
        else:
            bound = {"document": paper.document_id, "revision": paper.revision_id, "source": paper.source}
            act.tx.run(_NAME_AGAIN, task=row.id, nth=number, **bound)
    submission_id = act.new_id("sub")
    act.tx.run(
        _ADD,
        id=submission_id,
        firm_id=act.firm_id,
        task_id=row.id,
        number=number,
        submitted_at=act.moment.s,
        answer=None,
        note=None,
        answered_at=None,
        answered_by=None,
    )
    act.tx.run(_SUBMIT, task=row.id)
    said = [f"{paper.document_id} {paper.revision_id}" for paper in papers]
    act.record(
        EventType.TASK_SUBMITTED,
        {**place_of(row), "submission": submission_id},
        {"number": number, "documents": said},
    )


def _bad(sentence: str) -> BadInputError:
    return BadInputError(f"documents: {sentence}", extra={"field": "documents"})

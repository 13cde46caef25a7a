"""Answering what was submitted: back with a note, or accepted.

An acceptance names the exact revision of each paper. Between the look and the word its adder may replace or take back
what is still his: then nothing is accepted, so that an attorney never vouches for what he has not seen.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import bindparam, select, update

from service import documents as papers_of
from service import names
from service.acts import Act, Caller, perform
from service.db.models import documents, submissions, task_documents, tasks
from service.door import Holder, NameReader
from service.errors import BadInputError, BadStateError, StaleError
from service.events import EventType
from service.scoping.actions import UNCONFIRMED_SENSITIVITY, Action
from service.scoping.decide import Subject
from service.services import Services
from service.tasks.ending import end, place_of
from service.tasks.reading import Card, Found, found, of_part, opened, row_of


@dataclass(frozen=True, slots=True)
class Acceptance:
    """The exact revision of one paper that is accepted, and what it is confirmed as."""

    document_id: str
    revision_id: str
    label: str | None = None  # None: its own
    sensitivity: str | None = None  # None: confidential


_NEWEST = (
    select(submissions).where(submissions.c.task_id == bindparam("task")).order_by(submissions.c.number.desc()).limit(1)
)
_ANSWER = (
    update(submissions)
    .where(submissions.c.id == bindparam("submission"))
    .values(
        answer=bindparam("said"), note=bindparam("sealed"), answered_at=bindparam("now"), answered_by=bindparam("by")
    )
)
_RETURN = (
    update(tasks)
    .where(tasks.c.id == bindparam("task"))
    .values(state="returned", due_at=bindparam("due"), version=tasks.c.version + 1)
)
_OUT = (
    select(documents.c.id, documents.c.state, documents.c.revision_id, documents.c.label, documents.c.sensitivity)
    .select_from(task_documents.join(documents, documents.c.id == task_documents.c.document_id))
    .where(
        task_documents.c.task_id == bindparam("task"),
        task_documents.c.direction == "out",
        task_documents.c.submission == bindparam("nth"),
    )
    .order_by(documents.c.id)
)
_ACCEPT = (
    update(task_documents)
    .where(task_documents.c.task_id == bindparam("task"), task_documents.c.document_id == bindparam("document"))
    .values(revision_id=bindparam("revision"))
)


async def send_back(services: Services, caller: Caller, task_id: str, note: str, due_at: int | None) -> Card:
    """Return what was submitted, with a note; the member may submit again until the task ends.

    Args:
        due_at: UTC seconds, when it is due now; None: as before.

    Raises:
        BadStateError: nothing was submitted that waits for an answer.
        BadInputError: the note, or a time that lies behind or after what the task opens is shut.
        PreconditionMissingError, StaleError: If-Match.
    """
    note = names.text(note, "note")

    def change(act: Act) -> Found:
        row, submission = _submitted(act, task_id)
        due = row.due_at if due_at is None else due_at
        if due_at is not None and not act.moment.s < due_at <= row.not_after:
            raise BadInputError(
                "due_at: send a time that lies ahead, and not after the task's not_after.", extra={"field": "due_at"}
            )
        part = Holder(row.part_id, row.key_id, row.field_key)
        _answer(act, submission, "returned", act.seal(part, "submissions", "note", submission.id, note))
        act.tx.run(_RETURN, task=task_id, due=due)
        subjects = {**place_of(row), "submission": submission.id}
        data = {"number": submission.number, "due_at": due}
        act.record(EventType.TASK_RETURNED, subjects, data, act.payload(part, {"note": note}))
        return found(act, task_id)

    done = await perform(services, caller, Action.TASK_RETURN, of_part(task_id), change)
    return opened(NameReader(services.keys, done.authorised), done.result)


async def accept(services: Services, caller: Caller, task_id: str, accepted: Sequence[Acceptance]) -> Card:
    """Accept exactly these revisions: they are confirmed, and what was opened with the task is shut.

    Raises:
        BadStateError: nothing was submitted that waits for an answer, or a paper was confirmed as something else.
        BadInputError: a word that is no label or no sensitivity.
        StaleError: a paper was replaced, taken back, or submitted besides: nothing is accepted.
        PreconditionMissingError: If-Match.
    """
    for each in accepted:
        papers_of.require_words(each.label, each.sensitivity)

    def change(act: Act) -> Found:
        row, submission = _submitted(act, task_id)
        out = {paper.id: paper for paper in act.tx.all(_OUT, task=task_id, nth=submission.number)}
        named = {each.document_id: each for each in accepted}
        if named.keys() != out.keys() or len(named) != len(accepted):
            raise StaleError("These are not the papers that were submitted last. Read the task again.")
        for each in accepted:
            _accept(act, task_id, out[each.document_id], each)
        _answer(act, submission, "accepted", None)
        said = [f"{each.document_id} {each.revision_id}" for each in accepted]
        end(act, row, "accepted", {"number": submission.number, "documents": said})
        return found(act, task_id)

    done = await perform(services, caller, Action.TASK_ACCEPT, of_part(task_id), change)
    return opened(NameReader(services.keys, done.authorised), done.result)


def _submitted(act: Act, task_id: str) -> tuple[Any, Any]:
    """The task and the submission that waits for an answer."""
    row = row_of(act, task_id)
    act.require_version(task_id, row.version)
    if row.state != "submitted":
        raise BadStateError("Nothing was submitted that waits for an answer.")
    return row, act.tx.one(_NEWEST, task=task_id)


def _answer(act: Act, submission: Any, said: str, sealed: bytes | None) -> None:
    bound = {"said": said, "sealed": sealed, "now": act.moment.s, "by": act.actor.membership_id}
    act.tx.run(_ANSWER, submission=submission.id, **bound)


def _accept(act: Act, task_id: str, paper: Any, wanted: Acceptance) -> None:
    """Confirm one paper as it is named; of one that was confirmed by hand meanwhile the same is to be said."""
    if paper.revision_id != wanted.revision_id or paper.state not in ("to_look_at", "confirmed"):
        raise StaleError("A paper was replaced or taken back since. Read the task and look at it again.")
    label, sensitivity = wanted.label or paper.label, wanted.sensitivity or UNCONFIRMED_SENSITIVITY.value
    act.require(Action.DOCUMENT_CONFIRM, Subject(document=paper.id))
    if paper.state == "to_look_at":
        papers_of.confirm_as(act, paper.id, label, sensitivity)
    elif (wanted.label or paper.label, wanted.sensitivity or paper.sensitivity) != (paper.label, paper.sensitivity):
        raise BadStateError(
            "This paper was confirmed already, as something else.",
            extra={"document": paper.id, "label": paper.label, "sensitivity": paper.sensitivity},
        )
    act.tx.run(_ACCEPT, task=task_id, document=paper.id, revision=paper.revision_id)

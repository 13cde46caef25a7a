"""Giving a task: the row, the papers handed over with it, and what is asked for with it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import bindparam, insert, select

from service import asks, names, recipients
from service.acts import Act, Caller, perform
from service.db.models import FOREVER, memberships, parts, task_documents, tasks
from service.door import Holder, NameReader
from service.errors import BadInputError, BadStateError, NotFoundError
from service.events import EventType
from service.recipients import Recipient
from service.scoping.actions import Action
from service.scoping.decide import Subject
from service.services import Services
from service.tasks.handing import ABILITIES, hand_over
from service.tasks.reading import IS_LIVE, Card, Found, found, opened

MOST_DOCUMENTS: Final = 40  # handed over with one task: their ids must fit into its entry


@dataclass(frozen=True, slots=True)
class NewTask:
    """What is asked of whom. Times are UTC seconds."""

    membership_id: str
    part_id: str
    preset: str
    instructions: str
    documents: tuple[str, ...]
    labels: tuple[str, ...]  # of the papers expected back
    due_at: int
    not_after: int | None  # None: with the membership or the engagement


_PART = select(parts.c.id, parts.c.key_id, parts.c.field_key, parts.c.matter_id).where(
    parts.c.id == bindparam("part"), parts.c.engagement_id == bindparam("engagement")
)
_ADD = insert(tasks)
_ADD_DOCUMENT = insert(task_documents)
_CHECKED_OUT = (
    select(tasks.c.id, tasks.c.due_at)
    .select_from(
        task_documents.join(tasks, tasks.c.id == task_documents.c.task_id).join(
            memberships, memberships.c.id == tasks.c.membership_id
        )
    )
    .where(
        task_documents.c.document_id == bindparam("document"),
        task_documents.c.direction == "in",
        tasks.c.preset == "work",
        IS_LIVE,
        tasks.c.not_after > bindparam("now"),
        memberships.c.ends_at > bindparam("now"),
    )
    .limit(1)
)


async def create(services: Services, caller: Caller, engagement_id: str, new: NewTask) -> Card:
    """Give a task to a member.

    Raises:
        BadInputError: a preset without what it is about, instructions or times that are not of their form, or that
            reach beyond membership or engagement.
        NotFoundError: part, membership or a document do not belong to this engagement, or not to this part.
        BadStateError: a document is not confirmed or is checked out, the membership has ended, or a wall stands.
        AboveCeilingError: the role may never hold one of the documents, or never add papers of one of the labels.
    """
    instructions = names.text(new.instructions, "instructions")
    labels = asks.ordered(new.labels) if new.labels else []
    _require_shape(new)

    def change(act: Act) -> Found:
        request = {"engagement": engagement_id, **{name: getattr(new, name) for name in NewTask.__slots__}}
        return found(act, act.once("task", request, lambda: _create(act, engagement_id, new, labels, instructions)))

    subject = Subject(part=new.part_id, engagement=engagement_id)
    done = await perform(services, caller, Action.TASK_CREATE, subject, change)
    return opened(NameReader(services.keys, done.authorised), done.result)


def _require_shape(new: NewTask) -> None:
    """Refuse a preset that lacks what it is about."""
    if new.preset not in ABILITIES:
        raise _bad("preset", f"send one of {', '.join(sorted(ABILITIES))}.")
    if len(set(new.documents)) != len(new.documents) or len(new.documents) > MOST_DOCUMENTS:
        raise _bad("documents", f"send each once, {MOST_DOCUMENTS} at most.")
    if new.preset != "make" and not new.documents:
        raise _bad("documents", f"name what there is to {new.preset}.")
    if new.preset != "read" and not new.labels:
        raise _bad("labels", "name the labels of the papers that shall come back.")
    if new.preset == "read" and new.labels:
        raise _bad("labels", "nothing comes back from reading. Choose another preset, or expect nothing.")


def _create(act: Act, engagement_id: str, new: NewTask, labels: Sequence[str], instructions: str) -> str:
    part = act.tx.one(_PART, part=new.part_id, engagement=engagement_id)
    if part is None:
        raise NotFoundError
    recipient = recipients.find(
        act.tx,
        act.moment.s,
        firm_id=act.firm_id,
        engagement_id=engagement_id,
        matter_id=part.matter_id,
        membership_id=new.membership_id,
    )
    term = _term(act, recipient, new)
    papers = [_handed(act, part.id, document_id, new.preset) for document_id in new.documents]
    if labels:
        asking = Subject(part=part.id, engagement=engagement_id)
        act.require(Action.ASK_CREATE, asking)
    place: dict[str, str] = {
        "engagement": engagement_id,
        "part": part.id,
        "matter": part.matter_id,
        "membership": recipient.membership_id,
        "person": recipient.person_id,
        "task": act.new_id("tsk"),
    }
    holder = Holder(part.id, part.key_id, part.field_key)
    _write(act, place, new, holder, labels, instructions, term[1])
    for paper in papers:
        _write_paper(act, place["task"], paper)
        hand_over(act, paper, recipient, new.preset, term, instructions, place["task"])
    asks.for_task(act, place, holder, recipient.role, labels, instructions, term)
    return place["task"]


def _term(act: Act, recipient: Recipient, new: NewTask) -> tuple[int, int]:
    """From when to when what is handed over is open: until the task ends, at most until `not_after`."""
    now = act.moment.s
    recipients.term(recipient, now, None, new.due_at, "due_at")
    term = recipients.term(recipient, now, None, recipient.closes_at if new.not_after is None else new.not_after)
    if new.due_at > term[1]:
        raise _bad("due_at", "must not be later than not_after: what is handed over would be shut before it is due.")
    return term


def _handed(act: Act, part_id: str, document_id: str, preset: str) -> Any:
    """A document that this caller may grant, of this very part, that nobody else works on.

    Raises: what the policy answers; `NotFoundError`; `BadStateError`.
    """
    document = act.require(Action.GRANT_CREATE, Subject(document=document_id)).row
    if document.part_id != part_id:
        raise NotFoundError
    if preset == "work":
        other = act.tx.one(_CHECKED_OUT, document=document.id, now=act.moment.s)
        if other is not None:
            raise BadStateError(
                "This document is checked out: somebody works on it. Wait until it is back, or cancel that task.",
                extra={"document": document.id, "task": other.id, "due_at": recipients.shown(other.due_at)},
            )
    return document


def _write(
    act: Act, place: dict[str, str], new: NewTask, part: Holder, labels: Sequence[str], said: str, not_after: int
) -> None:
    task_id = place["task"]
    act.tx.run(
        _ADD,
        id=task_id,
        firm_id=act.firm_id,
        engagement_id=place["engagement"],
        membership_id=place["membership"],
        part_id=part.id,
        preset=new.preset,
        labels=" ".join(labels),
        instructions=act.seal(part, "tasks", "instructions", task_id, said),
        state="open",
        due_at=new.due_at,
        not_after=not_after,
        ended_at=FOREVER,
        given_by=act.actor.membership_id,
        given_at=act.moment.s,
        version=1,
    )
    data: dict[str, str | int | bool | list[str]] = {
        "preset": new.preset,
        "labels": list(labels),
        "documents": list(new.documents),
        "due_at": new.due_at,
        "not_after": not_after,
    }
    act.record(EventType.TASK_CREATED, place, data, act.payload(part, {"instructions": said}))


def _write_paper(act: Act, task_id: str, document: Any) -> None:
    act.tx.run(
        _ADD_DOCUMENT,
        task_id=task_id,
        document_id=document.id,
        firm_id=act.firm_id,
        direction="in",
        revision_id=document.revision_id,
        from_document_id=None,
        submission=0,
    )


def _bad(field: str, sentence: str) -> BadInputError:
    return BadInputError(f"{field}: {sentence}", extra={"field": field})

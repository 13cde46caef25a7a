"""Asks: what a member is asked to send in; the standing right to add papers of one label to one part of an engagement.

Rules kept here:

* an ask never reaches beyond what the recipient's role may ever add, nor beyond his membership and the engagement;
* one row a label; what was asked together shares its instructions, and each label is ended by itself; what was asked
  with a task ends with it (`for_task`, `end_of_task`);
* a vendor person reads his own asks only; a firm person those of matters that he is named on and not walled from.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import BigInteger, Text, bindparam, insert, select, update

from service import names, recipients
from service.acts import Act, Caller, perform
from service.db.ids import is_id
from service.db.models import FOREVER, asks, engagements, memberships, parts
from service.db.session import Tx
from service.door import Holder, NameReader
from service.errors import AboveCeilingError, BadInputError, BadStateError, NotFoundError
from service.events import EventType
from service.paging import Page, Window, page
from service.scoping import affairs
from service.scoping.actions import UNCONFIRMED_SENSITIVITY, Action, Label, Side
from service.scoping.actors import Actor
from service.scoping.decide import Subject
from service.scoping.inforce import of_engagement
from service.services import Services


@dataclass(frozen=True, slots=True)
class NewAsk:
    """What is asked of whom. Times are UTC seconds."""

    membership_id: str
    part_id: str
    labels: tuple[str, ...]
    instructions: str
    not_before: int | None  # None: at once
    not_after: int


@dataclass(frozen=True, slots=True)
class Ask:
    """One label that a member is asked for, the instructions opened. Times are UTC seconds."""

    id: str
    engagement_id: str
    membership_id: str
    person_id: str
    part_id: str
    label: str
    instructions: str
    not_before: int
    not_after: int
    ended_at: int  # FOREVER: not ended by anybody
    asked_by: str  # a membership
    task_id: str | None  # the task that it was made with, and ends with
    version: int


_NOW: Final = bindparam("now", type_=BigInteger)
_ROWS = (
    select(asks, memberships.c.person_id, parts.c.matter_id, parts.c.key_id, parts.c.field_key)
    .select_from(
        asks.join(parts, parts.c.id == asks.c.part_id)
        .join(memberships, memberships.c.id == asks.c.membership_id)
        .join(engagements, engagements.c.id == asks.c.engagement_id)
    )
    .where(
        asks.c.firm_id == bindparam("firm"),
        engagements.c.status != "disposed",  # the key of what was asked is destroyed; each alone answers 410
        affairs.concern(asks.c.membership_id, parts.c.matter_id),
    )
)
_ONE = _ROWS.where(asks.c.id == bindparam("ask"))
_SOME = (
    _ROWS.where(asks.c.engagement_id == bindparam("engagement"), asks.c.id > bindparam("after"))
    .order_by(asks.c.id)
    .limit(bindparam("most"))
)
_DUE = _ROWS.where(
    asks.c.membership_id == bindparam("own", type_=Text),
    asks.c.not_before <= _NOW,
    asks.c.not_after > _NOW,
    asks.c.ended_at > _NOW,
).order_by(asks.c.not_after, asks.c.id)
_PLACE = select(asks.c.engagement_id).where(
    asks.c.id == bindparam("ask"), asks.c.firm_id == bindparam("firm"), asks.c.membership_id == bindparam("own")
)
_PART = select(parts.c.id, parts.c.key_id, parts.c.field_key, parts.c.matter_id).where(
    parts.c.id == bindparam("part"), parts.c.engagement_id == bindparam("engagement")
)
_STANDING = select(asks.c.id, asks.c.label, asks.c.not_before, asks.c.not_after, asks.c.task_id).where(
    asks.c.membership_id == bindparam("membership"),
    asks.c.part_id == bindparam("part"),
    asks.c.not_after > _NOW,
    asks.c.ended_at > _NOW,
)
_ADD = insert(asks)
_END: Final = (
    update(asks).where(asks.c.id == bindparam("ask")).values(ended_at=bindparam("end"), version=asks.c.version + 1)
)


async def create(services: Services, caller: Caller, engagement_id: str, new: NewAsk) -> list[Ask]:
    """Ask a member for papers of some labels; returns one ask a label, in the order of the vocabulary.

    Raises:
        BadInputError: labels, instructions or times are not of their form.
        NotFoundError: part or membership do not belong to this engagement.
        AboveCeilingError: the role may never add papers of one of these labels.
    """
    instructions, labels = names.text(new.instructions, "instructions"), ordered(new.labels)

    def change(act: Act) -> list[Any]:
        request = {
            "engagement": engagement_id,
            "membership": new.membership_id,
            "part": new.part_id,
            "labels": labels,
            "instructions": instructions,
            "not_before": new.not_before,
            "not_after": new.not_after,
        }
        made = act.once("ask", request, lambda: " ".join(_create(act, engagement_id, new, labels, instructions)))
        return [_row(act, ask_id) for ask_id in made.split(" ")]

    subject = Subject(part=new.part_id, engagement=engagement_id)
    done = await perform(services, caller, Action.ASK_CREATE, subject, change)
    reader = NameReader(services.keys, done.authorised)
    return [opened(reader, row) for row in done.result]


async def read(services: Services, caller: Caller, ask_id: str) -> Ask:
    """Read one ask."""

    def find(tx: Tx, actor: Actor) -> Subject:
        if actor.side == Side.FIRM:
            return _subject_of(ask_id)
        # To a vendor person a part opens by an ask alone, which may be over: he reads his asks as his engagement's.
        # Somebody else's is not there: else "sign first" would tell that it is.
        place = is_id(ask_id, "ask") and tx.value(_PLACE, ask=ask_id, firm=actor.firm_id, own=actor.membership_id)
        return Subject(engagement=place or ask_id)

    done = await perform(services, caller, Action.ASK_LIST, find, lambda act: _row(act, ask_id))
    return opened(NameReader(services.keys, done.authorised), done.result)


async def list_all(services: Services, caller: Caller, engagement_id: str, asked: Window) -> Page[Ask]:
    """List the asks of an engagement that the caller may know of, oldest first, ended ones too."""

    def change(act: Act) -> Page[Any]:
        bounds = {"engagement": engagement_id, "after": asked.after, "most": asked.limit + 1}
        found = page(act.tx.all(_SOME, **affairs.eyes(act.actor, act.moment.s), **bounds), asked)
        act.list_out([row.id for row in found.items])
        return found

    done = await perform(services, caller, Action.ASK_LIST, Subject(engagement=engagement_id), change)
    reader, listed = NameReader(services.keys, done.authorised), done.result
    found: Page[Ask] = listed.map(lambda row: opened(reader, row))
    return found


async def end(services: Services, caller: Caller, ask_id: str) -> Ask:
    """End an ask now; what was added under it stays.

    Raises:
        BadStateError: it is over already.
        PreconditionMissingError, StaleError: If-Match.
    """

    def change(act: Act) -> Any:
        row, now = _row(act, ask_id), act.moment.s
        act.require_version(ask_id, row.version)
        if min(row.ended_at, row.not_after) <= now:
            raise BadStateError("This ask is over already.")
        act.tx.run(_END, ask=ask_id, end=now)
        subjects = {"engagement": row.engagement_id, "part": row.part_id, "matter": row.matter_id, "ask": ask_id}
        act.record(EventType.ASK_ENDED, subjects, {"ended_at": now})
        return _row(act, ask_id)

    done = await perform(services, caller, Action.ASK_END, _subject_of(ask_id), change)
    return opened(NameReader(services.keys, done.authorised), done.result)


def for_task(
    act: Act, place: Mapping[str, str], part: Holder, role: str, labels: Sequence[str], said: str, term: tuple[int, int]
) -> None:
    """Ask for papers of these labels with a task, but for those that an ask made by hand covers for as long.

    Args:
        place: ids of the task and of where it lies: engagement, part, matter, membership, person, task.
        said: the instructions, checked.

    Raises:
        AboveCeilingError: the role may never add papers of one of these labels.
    """
    rows = act.tx.all(_STANDING, membership=place["membership"], part=part.id, now=act.moment.s)
    for label in labels:
        _require_below_ceiling(act, place["engagement"], role, label)
        if not any(
            one.task_id is None and one.label == label and one.not_before <= term[0] and one.not_after >= term[1]
            for one in rows
        ):
            _write(act, place, part, label, said, *term)


def end_of_task(act: Act, place: Mapping[str, str]) -> None:
    """End what was asked with a task and is live; what was asked by hand stays."""
    now = act.moment.s
    for row in act.tx.all(_STANDING, membership=place["membership"], part=place["part"], now=now):
        if row.task_id == place["task"]:
            act.tx.run(_END, ask=row.id, end=now)
            act.record(EventType.ASK_ENDED, {**place, "ask": row.id}, {"ended_at": now})


def due(act: Act) -> list[Any]:
    """Return the rows of what the actor is asked for at this moment, soonest end first; `opened` opens them."""
    rows = act.tx.all(_DUE, **affairs.eyes(act.actor, act.moment.s))
    act.show([row.id for row in rows])
    return rows


def opened(reader: NameReader, row: Any) -> Ask:
    """Open the instructions of a row."""
    part = Holder(row.part_id, row.key_id, row.field_key)
    return Ask(
        id=row.id,
        engagement_id=row.engagement_id,
        membership_id=row.membership_id,
        person_id=row.person_id,
        part_id=row.part_id,
        label=row.label,
        instructions=reader.open(part, "asks", "instructions", row.id, row.instructions),
        not_before=row.not_before,
        not_after=row.not_after,
        ended_at=row.ended_at,
        asked_by=row.asked_by,
        task_id=row.task_id,
        version=row.version,
    )


def _create(act: Act, engagement_id: str, new: NewAsk, labels: Sequence[str], instructions: str) -> list[str]:
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
    for label in labels:
        _require_below_ceiling(act, engagement_id, recipient.role, label)
    begins, ends = recipients.term(recipient, act.moment.s, new.not_before, new.not_after)
    holder = Holder(part.id, part.key_id, part.field_key)
    subjects = {
        "engagement": engagement_id,
        "part": part.id,
        "matter": part.matter_id,
        "membership": recipient.membership_id,
        "person": recipient.person_id,
    }
    return [_write(act, subjects, holder, label, instructions, begins, ends) for label in labels]


def _write(
    act: Act, subjects: Mapping[str, str], part: Holder, label: str, instructions: str, begins: int, ends: int
) -> str:
    ask_id = act.new_id("ask")
    act.tx.run(
        _ADD,
        id=ask_id,
        firm_id=act.firm_id,
        engagement_id=subjects["engagement"],
        membership_id=subjects["membership"],
        part_id=part.id,
        label=label,
        instructions=act.seal(part, "asks", "instructions", ask_id, instructions),
        not_before=begins,
        not_after=ends,
        ended_at=FOREVER,
        asked_by=act.actor.membership_id,
        version=1,
        task_id=subjects.get("task"),
    )
    act.record(
        EventType.ASK_CREATED,
        {**subjects, "ask": ask_id},
        {"label": label, "not_before": begins, "not_after": ends},
        act.payload(part, {"instructions": instructions}),
    )
    return ask_id


def _require_below_ceiling(act: Act, engagement_id: str, role: str, label: str) -> None:
    matrix = of_engagement(act.tx, act.services.matrix.current, engagement_id)
    sensitivity = UNCONFIRMED_SENSITIVITY.value
    if not matrix.ceiling_allows(role, Action.DOCUMENT_ADD, label, sensitivity):
        raise AboveCeilingError(
            f"The role {role} may never add papers labelled {label}. Ask for other papers, or ask somebody else.",
            extra={"role": role, "label": label},
        )


def ordered(labels: Sequence[str]) -> list[str]:
    """Return the labels once each, in the order of the vocabulary.

    Raises:
        BadInputError: none, or a word that is not a label.
    """
    wanted = set(labels)
    if not wanted or not wanted <= set(Label):
        raise BadInputError("labels: send at least one, each a word of the vocabulary.", extra={"field": "labels"})
    return [label.value for label in Label if label in wanted]


def _subject_of(ask_id: str) -> Subject:
    return Subject(via=ask_id if is_id(ask_id, "ask") else "")


def _row(act: Act, ask_id: str) -> Any:
    row = act.tx.one(_ONE, ask=ask_id, **affairs.eyes(act.actor, act.moment.s))
    if row is None:
        raise NotFoundError
    act.show([ask_id])
    return row

"""Emergencies: an attorney opens a matter that he is not named on, for hours, with a reason, and is reviewed for it.

The way in is called breaking the glass: it is open to every attorney and cannot be missed afterwards.

Rules kept here:

* it ends by itself after at most `MOST_S`, or when he, the matter's team or the owner ends it;
* the reason is told before anything opens; every read afterwards names the fact `break_glass` in its entry;
* somebody else reviews it: one of the matter's attorneys, or the owner. Nobody reviews his own;
* who has `MOST_UNREVIEWED` of them waiting for a review opens no more: else nobody would ever look.

That a wall beats it, and what it opens, is said in policies/policy.csv.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final, Literal

from sqlalchemy import Text, bindparam, func, insert, or_, select, update

from service import names
from service.acts import Act, Caller, perform
from service.db.ids import is_id
from service.db.models import ANY, FOREVER, emergencies, matters, memberships
from service.db.session import Tx
from service.door import Holder, NameReader
from service.errors import BadInputError, BadStateError, ExistsError, NotFoundError
from service.events import Data, EventType
from service.matters import asker, number, within_reach
from service.paging import Page, Window, page
from service.scoping import facts
from service.scoping.actions import Action, Fact, words_of
from service.scoping.actors import Actor
from service.scoping.decide import Subject
from service.services import Services

MOST_S: Final = 4 * 3600
LEAST_S: Final = 300
MOST_UNREVIEWED: Final = 3
Verdict = Literal["justified", "not_justified"]


@dataclass(frozen=True, slots=True)
class Emergency:
    """An emergency, its reason and the reviewer's note opened. Times are UTC seconds."""

    id: str
    matter_id: str
    person_id: str
    membership_id: str
    reason: str
    opened_at: int
    closes_at: int
    ended_at: int  # FOREVER: nobody ended it before `closes_at`
    reviewed_at: int  # FOREVER: not yet
    reviewed_by: str  # a membership; empty before the review
    verdict: str
    note: str
    version: int


_MATTER: Final = bindparam("matter", type_=Text)
_ADD = insert(emergencies)
_BY_NUMBER = select(matters.c.id).where(matters.c.firm_id == bindparam("firm"), matters.c.number == bindparam("number"))
_ONE = select(emergencies).where(emergencies.c.id == bindparam("emergency"), emergencies.c.firm_id == bindparam("firm"))
_SOME = (
    select(emergencies)
    .select_from(emergencies.join(memberships, facts.is_membership()))
    .where(
        emergencies.c.firm_id == facts.FIRM,
        emergencies.c.id > bindparam("after"),
        within_reach(emergencies.c.matter_id),
        or_(_MATTER == ANY, emergencies.c.matter_id == _MATTER),
    )
    .order_by(emergencies.c.id)
    .limit(bindparam("most"))
)
_OPEN = select(emergencies.c.id).where(
    emergencies.c.membership_id == bindparam("membership"),
    emergencies.c.matter_id == bindparam("matter"),
    emergencies.c.closes_at > bindparam("now"),
    emergencies.c.ended_at > bindparam("now"),
)
_UNREVIEWED = select(func.count().label("n")).where(
    emergencies.c.person_id == bindparam("person"),
    emergencies.c.firm_id == bindparam("firm"),
    emergencies.c.reviewed_at == FOREVER,
)
_END = (
    update(emergencies)
    .where(emergencies.c.id == bindparam("emergency"))
    .values(ended_at=bindparam("end"), version=emergencies.c.version + 1)
)
_REVIEW = (
    update(emergencies)
    .where(emergencies.c.id == bindparam("emergency"))
    .values(
        reviewed_at=bindparam("at"),
        reviewed_by=bindparam("by"),
        verdict=bindparam("said"),
        note=bindparam("sealed"),
        version=emergencies.c.version + 1,
    )
)


async def declare(services: Services, caller: Caller, matter_number: str, reason: str, closes_at: int) -> Emergency:
    """Open a matter in an emergency, from now on.

    Args:
        matter_number: the matter's number: who is not named on it knows no id of it.
        closes_at: UTC seconds.

    Raises:
        BadInputError: the number, the reason or the time is not of its form; the time bounds stand in `extra`.
        NotFoundError: no such matter, or a wall stands before it.
        ExistsError: he has opened it already.
        BadStateError: too many of his wait for their review.
    """
    matter_number, reason = number(matter_number, "matter_number"), names.text(reason, "reason")

    def find(tx: Tx, actor: Actor) -> Subject:
        return Subject(matter=tx.value(_BY_NUMBER, firm=actor.firm_id, number=matter_number) or "")

    def change(act: Act) -> tuple[Holder, Any]:
        request = {"matter": matter_number, "reason": reason, "closes_at": closes_at}
        emergency_id = act.once("emergency", request, lambda: _declare(act, reason, closes_at))
        return act.firm(), _row(act, emergency_id)

    done = await perform(services, caller, Action.EMERGENCY_DECLARE, find, change)
    return _opened(NameReader(services.keys, done.authorised), *done.result)


async def read(services: Services, caller: Caller, emergency_id: str) -> Emergency:
    """Read one emergency."""

    def change(act: Act) -> tuple[Holder, Any]:
        return act.firm(), _row(act, emergency_id)

    done = await perform(services, caller, Action.EMERGENCY_LIST, _subject(emergency_id), change)
    return _opened(NameReader(services.keys, done.authorised), *done.result)


async def list_all(services: Services, caller: Caller, matter_id: str | None, asked: Window) -> Page[Emergency]:
    """List the emergencies of one matter, or of all matters for who runs the house; oldest first."""

    def change(act: Act) -> tuple[Holder, Page[Any]]:
        place = {"matter": matter_id or ANY, "after": asked.after, "most": asked.limit + 1}
        found = page(act.tx.all(_SOME, **asker(act), **place), asked)
        act.list_out([row.id for row in found.items])
        return act.firm(), found

    done = await perform(services, caller, Action.EMERGENCY_LIST, Subject(matter=matter_id), change)
    firm, found = done.result
    reader = NameReader(services.keys, done.authorised)
    shown: Page[Emergency] = found.map(lambda row: _opened(reader, firm, row))
    return shown


async def end(services: Services, caller: Caller, emergency_id: str) -> Emergency:
    """End an emergency before its time.

    Raises:
        BadStateError: it is over already.
        PreconditionMissingError, StaleError: If-Match.
    """

    def change(act: Act) -> tuple[Holder, Any]:
        row, now = _row(act, emergency_id), act.moment.s
        if words_of(Fact.ASSIGNED)[0] not in act.decision.facts and row.membership_id != act.actor.membership_id:
            raise NotFoundError  # who is here by an emergency of his own knows of no other
        act.require_version(row.id, row.version)
        if min(row.closes_at, row.ended_at) <= now:
            raise BadStateError("This emergency is over already.")
        act.tx.run(_END, emergency=row.id, end=now)
        act.record(EventType.EMERGENCY_ENDED, _subjects(row), {"ended_at": now})
        return act.firm(), _row(act, emergency_id)

    done = await perform(services, caller, Action.EMERGENCY_END, _subject(emergency_id), change)
    return _opened(NameReader(services.keys, done.authorised), *done.result)


async def review(services: Services, caller: Caller, emergency_id: str, verdict: Verdict, note: str) -> Emergency:
    """Say afterwards whether it was one; once.

    Raises:
        BadStateError: it is still open, or was reviewed.
        PreconditionMissingError, StaleError: If-Match.
    """
    note = names.text(note, "note")

    def change(act: Act) -> tuple[Holder, Any]:
        row, now, firm = _row(act, emergency_id), act.moment.s, act.firm()
        act.require_version(row.id, row.version)
        if row.reviewed_at != FOREVER:
            raise BadStateError("This emergency was reviewed already.")
        if min(row.closes_at, row.ended_at) > now:
            raise BadStateError("It is still open: end it, then review it.")
        sealed = act.seal(firm, "emergencies", "note", row.id, note)
        by = act.actor.membership_id
        act.tx.run(_REVIEW, emergency=row.id, at=now, by=by, said=verdict, sealed=sealed)
        data: Data = {"reviewed_at": now, "reviewed_by": by, "verdict": verdict}
        act.record(EventType.EMERGENCY_REVIEWED, _subjects(row), data, act.payload(firm, {"note": note}))
        return firm, _row(act, emergency_id)

    done = await perform(services, caller, Action.EMERGENCY_REVIEW, _subject(emergency_id), change)
    return _opened(NameReader(services.keys, done.authorised), *done.result)


def _declare(act: Act, reason: str, closes_at: int) -> str:
    matter_id, actor, now = act.decision.row.id, act.actor, act.moment.s
    if not now + LEAST_S <= closes_at <= now + MOST_S:
        raise BadInputError(
            f"closes_at: an emergency lasts from {LEAST_S // 60} minutes to {MOST_S // 3600} hours.",
            extra={"field": "closes_at"},
        )
    if act.tx.one(_OPEN, membership=actor.membership_id, matter=matter_id, now=now) is not None:
        raise ExistsError("You have opened this matter in an emergency already. End that one first.")
    if act.tx.value(_UNREVIEWED, person=actor.person_id, firm=act.firm_id) >= MOST_UNREVIEWED:
        raise BadStateError("Your last emergencies wait for their review. Ask the matters' attorneys or the owner.")
    return _write(act, matter_id, reason, closes_at)


def _write(act: Act, matter_id: str, reason: str, closes_at: int) -> str:
    emergency_id, firm, actor, now = act.new_id("emg"), act.firm(), act.actor, act.moment.s
    terms: Mapping[str, str | int] = {"opened_at": now, "closes_at": closes_at, "ended_at": FOREVER}
    review: Mapping[str, str | int] = {"reviewed_at": FOREVER, "reviewed_by": ANY, "verdict": ""}
    act.tx.run(
        _ADD,
        id=emergency_id,
        firm_id=act.firm_id,
        matter_id=matter_id,
        membership_id=actor.membership_id,
        person_id=actor.person_id,
        reason=act.seal(firm, "emergencies", "reason", emergency_id, reason),
        note=b"",
        version=1,
        **terms,
        **review,
    )
    subjects = {
        "emergency": emergency_id,
        "matter": matter_id,
        "membership": actor.membership_id,
        "person": actor.person_id,
    }
    act.record(EventType.EMERGENCY_DECLARED, subjects, {**terms, **review}, act.payload(firm, {"reason": reason}))
    return emergency_id


def _subjects(row: Any) -> dict[str, str]:
    return {
        "emergency": row.id,
        "matter": row.matter_id,
        "membership": row.membership_id,
        "person": row.person_id,
    }


def _subject(emergency_id: str) -> Subject:
    """The matter that an emergency is about; an id of another kind stands for nothing here."""
    return Subject(via=emergency_id if is_id(emergency_id, "emg") else "")


def _row(act: Act, emergency_id: str) -> Any:
    row = act.tx.one(_ONE, emergency=emergency_id, firm=act.firm_id)
    if row is None:
        raise NotFoundError
    act.show([emergency_id])
    return row


def _opened(reader: NameReader, firm: Holder, row: Any) -> Emergency:
    return Emergency(
        id=row.id,
        matter_id=row.matter_id,
        person_id=row.person_id,
        membership_id=row.membership_id,
        reason=reader.open(firm, "emergencies", "reason", row.id, row.reason),
        opened_at=row.opened_at,
        closes_at=row.closes_at,
        ended_at=row.ended_at,
        reviewed_at=row.reviewed_at,
        reviewed_by=row.reviewed_by,
        verdict=row.verdict,
        note=reader.open(firm, "emergencies", "note", row.id, row.note) if row.note else "",
        version=row.version,
    )

"""Schedules: in which hours, and from which networks, the vendor's members of an engagement may work.

Rules kept here:

* a schedule binds every vendor member of its engagement, or one of them; several bind all at once, so that a further
  one only ever takes away. Firm people are bound by none;
* it holds from a second to a second, never from the past; it cannot be changed, only ended and made anew;
* hours are those of a named zone: the firm's unless another is named;
* the entry in the log has the hours in words, of networks only how many, and a salted digest of all; the whole text is
  in its sealed payload. The doctor compares row and digest.

What the terms mean is service/scoping/hours.py; that a shut one shuts is the policy's fact `window`.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from hashlib import sha256
from typing import Any, Final

from sqlalchemy import bindparam, func, insert, select, update

from service import engagements
from service.acts import Act, Caller, perform
from service.db.ids import is_id
from service.db.models import FOREVER, firms, memberships, schedules
from service.db.models import engagements as engagement_rows
from service.errors import BadInputError, BadStateError, NotFoundError
from service.events import EventType
from service.paging import Page, Window, page
from service.scoping import hours
from service.scoping.actions import Action, Side
from service.scoping.decide import Subject
from service.scoping.hours import Span, Terms
from service.services import Services

MOST_IN_FORCE: Final = 4  # that bind one member, and as many all of an engagement: a decision reads them all
SALT_BYTES: Final = 16


@dataclass(frozen=True, slots=True)
class NewSchedule:
    """What shall bind whom. Times are UTC seconds."""

    membership_id: str | None  # None: every vendor member of the engagement
    spans: tuple[Span, ...]  # none: any hour
    zone: str | None  # IANA name; None: the firm's
    networks: tuple[str, ...]  # prefixes; none: from anywhere
    valid_from: int | None  # None: at once
    valid_until: int | None  # None: until the engagement's end


@dataclass(frozen=True, slots=True)
class Schedule:
    """A schedule as it stands. Times are UTC seconds."""

    id: str
    engagement_id: str
    membership_id: str | None
    terms: Terms | None  # None: the row was changed from outside and cannot be read; it counts as shut
    valid_from: int
    valid_until: int  # FOREVER: no end of its own
    ended_at: int  # FOREVER: not ended by anybody
    made_by: str  # a membership
    version: int


_ONE: Final = select(schedules).where(schedules.c.id == bindparam("schedule"), schedules.c.firm_id == bindparam("firm"))
_SOME: Final = (
    select(schedules)
    .where(
        schedules.c.firm_id == bindparam("firm"),
        schedules.c.engagement_id == bindparam("engagement"),
        schedules.c.id > bindparam("after"),
    )
    .order_by(schedules.c.id)
    .limit(bindparam("most"))
)
_STANDING: Final = select(func.count()).where(
    schedules.c.engagement_id == bindparam("engagement"),
    schedules.c.valid_until > bindparam("now"),
    schedules.c.ended_at > bindparam("now"),
)
_STANDING_FOR_ALL: Final = _STANDING.where(schedules.c.membership_id.is_(None))
_STANDING_FOR_ONE: Final = _STANDING.where(schedules.c.membership_id == bindparam("membership"))
_MEMBER: Final = select(memberships.c.person_id, memberships.c.ends_at).where(
    memberships.c.id == bindparam("membership"),
    memberships.c.firm_id == bindparam("firm"),
    memberships.c.engagement_id == bindparam("engagement"),
    memberships.c.side == Side.VENDOR.value,
)
_ENGAGEMENT: Final = select(engagement_rows.c.id, engagement_rows.c.key_id, engagement_rows.c.field_key).where(
    engagement_rows.c.id == bindparam("engagement")
)
_ZONE: Final = select(firms.c.zone).where(firms.c.id == bindparam("firm"))
_ADD: Final = insert(schedules)
_END: Final = (
    update(schedules)
    .where(schedules.c.id == bindparam("schedule"))
    .values(ended_at=bindparam("end"), version=schedules.c.version + 1)
)


async def create(services: Services, caller: Caller, engagement_id: str, new: NewSchedule) -> Schedule:
    """Bind the vendor's members of an engagement, or one of them, to hours and networks.

    Raises:
        BadInputError: hours, zone, networks or times are not of their form.
        NotFoundError: no such vendor member in this engagement.
        BadStateError: the membership has ended, or as many bind already as may.
    """
    if new.zone is not None and new.zone not in await asyncio.to_thread(hours.known_zones):
        raise BadInputError("zone: name an IANA time zone, such as America/New_York.", extra={"field": "zone"})
    salt = services.random(SALT_BYTES).hex()

    def change(act: Act) -> Any:
        request = {"engagement": engagement_id, **{name: getattr(new, name) for name in NewSchedule.__slots__}}
        return _row(act, act.once("schedule", request, lambda: _write(act, engagement_id, new, salt)))

    done = await perform(services, caller, Action.SCHEDULE_CREATE, Subject(engagement=engagement_id), change)
    return _shown(done.result)


async def read(services: Services, caller: Caller, schedule_id: str) -> Schedule:
    """Read one schedule."""
    subject = _subject(schedule_id)
    done = await perform(services, caller, Action.SCHEDULE_LIST, subject, lambda act: _row(act, schedule_id))
    return _shown(done.result)


async def list_all(services: Services, caller: Caller, engagement_id: str, asked: Window) -> Page[Schedule]:
    """List the schedules of an engagement, oldest first, those that are over too."""

    def change(act: Act) -> Page[Any]:
        bounds = {"engagement": engagement_id, "after": asked.after, "most": asked.limit + 1}
        found = page(act.tx.all(_SOME, firm=act.firm_id, **bounds), asked)
        act.list_out([row.id for row in found.items])
        return found

    done = await perform(services, caller, Action.SCHEDULE_LIST, Subject(engagement=engagement_id), change)
    listed: Page[Schedule] = done.result.map(_shown)
    return listed


async def end(services: Services, caller: Caller, schedule_id: str) -> Schedule:
    """End a schedule now; it binds nobody any more.

    Raises:
        BadStateError: it is over already.
        PreconditionMissingError, StaleError: If-Match.
    """

    def change(act: Act) -> Any:
        row, now = _row(act, schedule_id), act.moment.s
        act.require_version(schedule_id, row.version)
        if min(row.ended_at, row.valid_until) <= now:
            raise BadStateError("This schedule is over already.")
        act.tx.run(_END, schedule=schedule_id, end=now)
        act.record(EventType.SCHEDULE_ENDED, _subjects(row.id, row.engagement_id, row.membership_id), {"ended_at": now})
        return _row(act, schedule_id)

    done = await perform(services, caller, Action.SCHEDULE_END, _subject(schedule_id), change)
    return _shown(done.result)


def terms_digest(text: str) -> str:
    """The digest by which the log knows the terms of a schedule; their salt is part of the text."""
    return sha256(text.encode()).hexdigest()


def _write(act: Act, engagement_id: str, new: NewSchedule, salt: str) -> str:
    now, zone = act.moment.s, new.zone or act.tx.value(_ZONE, firm=act.firm_id)
    terms = hours.make(new.spans, zone, new.networks, salt)
    begins, ends = _term(now, new)
    _require_member(act, engagement_id, new.membership_id)
    _require_room(act, engagement_id, new.membership_id)
    schedule_id, text = act.new_id("sch"), terms.text()
    act.tx.run(
        _ADD,
        id=schedule_id,
        firm_id=act.firm_id,
        engagement_id=engagement_id,
        membership_id=new.membership_id,
        terms=text,
        valid_from=begins,
        valid_until=ends,
        ended_at=FOREVER,
        made_by=act.actor.membership_id,
        version=1,
    )
    holder = engagements.holder(act.tx.one(_ENGAGEMENT, engagement=engagement_id))
    act.record(
        EventType.SCHEDULE_CREATED,
        _subjects(schedule_id, engagement_id, new.membership_id),
        {**hours.shown(terms), "terms_sha256": terms_digest(text), "valid_from": begins, "valid_until": ends},
        act.payload(holder, {"terms": text}),
    )
    return schedule_id


def _term(now: int, new: NewSchedule) -> tuple[int, int]:
    begins, ends = max(now, new.valid_from or now), new.valid_until or FOREVER
    if ends <= begins:
        detail = "valid_until: send a time that lies ahead, and after valid_from."
        raise BadInputError(detail, extra={"field": "valid_until"})
    return begins, ends


def _require_member(act: Act, engagement_id: str, membership_id: str | None) -> None:
    if membership_id is None:
        return
    row = act.tx.one(_MEMBER, membership=membership_id, firm=act.firm_id, engagement=engagement_id)
    if row is None:
        raise NotFoundError
    if row.ends_at <= act.moment.s:
        raise BadStateError("This membership has ended. Choose somebody who is still a member.")


def _require_room(act: Act, engagement_id: str, membership_id: str | None) -> None:
    bounds = {"engagement": engagement_id, "now": act.moment.s}
    if membership_id is None:
        standing = act.tx.value(_STANDING_FOR_ALL, **bounds)
    else:
        standing = act.tx.value(_STANDING_FOR_ONE, membership=membership_id, **bounds)
    if standing >= MOST_IN_FORCE:
        raise BadStateError(f"{MOST_IN_FORCE} schedules bind already. End one first, or say it all in one.")


def _subjects(schedule_id: str, engagement_id: str, membership_id: str | None) -> dict[str, str]:
    subjects = {"schedule": schedule_id, "engagement": engagement_id}
    return subjects if membership_id is None else {**subjects, "membership": membership_id}


def _subject(schedule_id: str) -> Subject:
    """The engagement of a schedule; an id of another kind stands for nothing here."""
    return Subject(via=schedule_id if is_id(schedule_id, "sch") else "")


def _row(act: Act, schedule_id: str) -> Any:
    row = act.tx.one(_ONE, schedule=schedule_id, firm=act.firm_id)
    if row is None:
        raise NotFoundError
    return row


def _shown(row: Any) -> Schedule:
    return Schedule(
        id=row.id,
        engagement_id=row.engagement_id,
        membership_id=row.membership_id,
        terms=hours.readable(row.terms),
        valid_from=row.valid_from,
        valid_until=row.valid_until,
        ended_at=row.ended_at,
        made_by=row.made_by,
        version=row.version,
    )

"""Which schedules bind a member, whether they are open, and when they open next.

Rules kept here:

* schedules bind vendor people alone: those of the whole engagement and those of the member's own, all at once, so that
  one more never lets anybody in who was out;
* a decision reads them in its own query (`facts.hours`); here they are read for a whole list, and for telling a member
  what keeps him out;
* the next opening is told as far as hours say, and at most 14 days ahead.

It does not decide: the policy's fact `window` does.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any, Final, NamedTuple

from sqlalchemy import bindparam, select

from service.db import models
from service.db.session import Tx
from service.ledger import Moment
from service.scoping import facts
from service.scoping.actions import Side
from service.scoping.actors import Actor
from service.scoping.hours import AHEAD_S, Bound, all_open, next_opening, read

_s, _m, _e = models.schedules, models.memberships, models.engagements
_HOURS: Final = select(facts.hours(facts.ENGAGEMENT).label("hours"))
_BINDING: Final = (
    select(_s.c.id, _s.c.terms, _s.c.membership_id, _s.c.valid_from, _s.c.valid_until)
    .where(facts.binds(_s, facts.ENGAGEMENT))
    .order_by(_s.c.id)
)
_DATES: Final = (
    select(
        _m.c.starts_at,
        _m.c.ends_at,
        _e.c.status,
        _e.c.starts_at.label("engagement_starts_at"),
        _e.c.ends_at.label("engagement_ends_at"),
    )
    .select_from(_m.join(_e, _e.c.id == _m.c.engagement_id))
    .where(_m.c.id == bindparam("membership"))
)


class Schedule(NamedTuple):
    """A schedule that binds a member now or will. Times are UTC seconds."""

    id: str
    terms: str
    own: bool  # his alone; else everybody's of the engagement
    valid_from: int
    valid_until: int


class Outlook(NamedTuple):
    """How a vendor member stands with time and place."""

    is_open: bool  # the fact `window`
    opens_at: int | None  # UTC seconds; None: open, not within 14 days, or the place alone keeps him out
    is_elsewhere: bool  # a schedule names networks, and this request comes from another
    schedules: tuple[Schedule, ...]


def is_shut(tx: Tx, moment: Moment, actor: Actor) -> bool:
    """Say whether a schedule keeps an actor out at this moment."""
    if actor.side == Side.FIRM:
        return False
    texts = tx.value(_HOURS, engagement=actor.engagement_id, membership=actor.membership_id, now=moment.s)
    return texts is not None and not all_open(texts, moment.s, moment.address)


def binding(tx: Tx, engagement_id: str, membership_id: str, now: int) -> tuple[Schedule, ...]:
    """Return the schedules that bind a vendor's member in his engagement, and those that will, oldest first."""
    rows = tx.all(_BINDING, engagement=engagement_id, membership=membership_id, now=now)
    return tuple(
        Schedule(row.id, row.terms, row.membership_id is not None, row.valid_from, row.valid_until) for row in rows
    )


def look(tx: Tx, moment: Moment, actor: Actor) -> Outlook:
    """Return how a vendor member stands with time and place."""
    now = moment.s
    dates = tx.one(_DATES, membership=actor.membership_id)
    found = binding(tx, actor.engagement_id or "", actor.membership_id, now)
    try:
        bound = [Bound(read(each.terms), each.valid_from, each.valid_until) for each in found]
    except (ValueError, OSError):
        return Outlook(is_open=False, opens_at=None, is_elsewhere=False, schedules=())  # what cannot be read is shut
    in_force = [each.terms for each in bound if each.since <= now < each.until]
    is_open = dates.starts_at <= now < dates.ends_at and all(each.is_open(now, moment.address) for each in in_force)
    return Outlook(
        is_open=is_open,
        opens_at=None if is_open else _opens_at(dates, bound, now),
        is_elsewhere=not all(each.is_from(moment.address) for each in in_force),
        schedules=found,
    )


def _opens_at(dates: Any, bound: Sequence[Bound], now: int) -> int | None:
    if dates.status != "running":
        return None
    begins = max(now, dates.starts_at, dates.engagement_starts_at)
    ends = min(dates.ends_at, dates.engagement_ends_at, now + AHEAD_S)
    at = next_opening(bound, begins, ends) if begins < ends else None
    return None if at == now else at  # the hours are open: it is the place that keeps him out


def shown(seconds: int) -> str:
    """A time as answers tell it: RFC 3339, UTC."""
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")

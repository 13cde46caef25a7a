"""Recipients: to whom an attorney may hand something, for how long, and what stands against it.

Rules kept here:

* a recipient is a vendor member or a coordinator of the very engagement; anybody else is not there;
* nothing handed out outlives the membership or the engagement, nor begins before them;
* a wall between the person and the matter is said when something is handed out, not first when it is refused.

It does not ask the policy how far a role may go: `service.grants` and `service.asks` do.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final

from sqlalchemy import bindparam, or_, select

from service.db.models import engagements, memberships, misdirections, walls
from service.db.session import Tx
from service.errors import BadInputError, BadStateError, NotFoundError
from service.scoping.actions import Role, Side

_RECIPIENT: Final = (
    select(
        memberships.c.id,
        memberships.c.person_id,
        memberships.c.role,
        memberships.c.starts_at,
        memberships.c.ends_at,
        engagements.c.starts_at.label("engagement_starts_at"),
        engagements.c.ends_at.label("engagement_ends_at"),
    )
    .join_from(memberships, engagements, engagements.c.id == memberships.c.engagement_id)
    .where(
        memberships.c.id == bindparam("membership"),
        memberships.c.firm_id == bindparam("firm"),
        memberships.c.engagement_id == bindparam("engagement"),
        or_(memberships.c.side == Side.VENDOR.value, memberships.c.role == Role.COORDINATOR.value),
    )
)
_WALL: Final = select(walls.c.id).where(
    walls.c.person_id == bindparam("person"),
    walls.c.matter_id == bindparam("matter"),
    walls.c.raised_at <= bindparam("now"),
    walls.c.lifted_at > bindparam("now"),
)
_DISCLAIMED: Final = select(misdirections.c.id).where(
    misdirections.c.document_id == bindparam("document"),
    misdirections.c.person_id == bindparam("person"),
    misdirections.c.said_at >= bindparam("since"),
    misdirections.c.closed_until > bindparam("now"),
)


@dataclass(frozen=True, slots=True)
class Recipient:
    """A membership that something may be handed to. Times are UTC seconds, half-open."""

    membership_id: str
    person_id: str
    role: str
    opens_at: int  # the later start of membership and engagement
    closes_at: int  # the earlier end of both


def find(tx: Tx, now: int, *, firm_id: str, engagement_id: str, matter_id: str, membership_id: str) -> Recipient:
    """Find a recipient in one engagement, for something of one matter.

    Raises:
        NotFoundError: no such membership in this engagement, or not one that is handed things.
        BadStateError: the membership has ended, or a wall stands in between.
    """
    recipient = of_engagement(tx, now, firm_id=firm_id, engagement_id=engagement_id, membership_id=membership_id)
    if is_walled(tx, now, recipient, matter_id):
        raise BadStateError("A wall stands between this person and this matter. Choose somebody else.")
    return recipient


def is_walled(tx: Tx, now: int, recipient: Recipient, matter_id: str) -> bool:
    """Say whether a wall stands between a recipient and a matter."""
    return tx.one(_WALL, person=recipient.person_id, matter=matter_id, now=now) is not None


def has_disclaimed(tx: Tx, now: int, recipient: Recipient, document_id: str, since: int = 0) -> bool:
    """Say whether a recipient said of a document that it was not meant for him, and no attorney said otherwise.

    What is handed out by itself must pass him over; an attorney may hand it to him again by hand.

    Args:
        since: UTC seconds; what was said before that does not count.
    """
    bound = {"document": document_id, "person": recipient.person_id, "since": since, "now": now}
    return tx.one(_DISCLAIMED, **bound) is not None


def of_engagement(tx: Tx, now: int, *, firm_id: str, engagement_id: str, membership_id: str) -> Recipient:
    """Find a recipient in one engagement, for things of any of its matters: walls are asked about one by one.

    Raises:
        NotFoundError, BadStateError: as `find`, but for walls.
    """
    row = tx.one(_RECIPIENT, membership=membership_id, firm=firm_id, engagement=engagement_id)
    if row is None:
        raise NotFoundError
    if row.ends_at <= now:
        raise BadStateError("This membership has ended. Choose somebody who is still a member.")
    return Recipient(
        membership_id=row.id,
        person_id=row.person_id,
        role=row.role,
        opens_at=max(row.starts_at, row.engagement_starts_at),
        closes_at=min(row.ends_at, row.engagement_ends_at),
    )


def term(
    recipient: Recipient, now: int, not_before: int | None, not_after: int, field: str = "not_after"
) -> tuple[int, int]:
    """Return when something handed to this recipient begins and ends, in UTC seconds.

    Args:
        not_before: None, or a time that has passed, means as soon as may be: the past cannot be given.
        field: how the caller's request calls the end.

    Raises:
        BadInputError: beyond the membership or the engagement, already over, or the wrong way round; the earliest and
            latest possible times stand in `extra`.
    """
    begins = max(now, recipient.opens_at if not_before is None else not_before)
    bounds = {"earliest": shown(max(now, recipient.opens_at)), "latest": shown(recipient.closes_at)}
    if not_after > recipient.closes_at:
        detail = f"{field}: the membership and its engagement end before that. Latest possible: {bounds['latest']}."
        raise BadInputError(detail, extra={"field": field, **bounds})
    if begins < recipient.opens_at:
        detail = f"not_before: the membership begins after that. Earliest possible: {bounds['earliest']}."
        raise BadInputError(detail, extra={"field": "not_before", **bounds})
    if not_after <= begins:
        detail = f"{field}: send a time that lies ahead, and after not_before."
        raise BadInputError(detail, extra={"field": field, **bounds})
    return begins, not_after


def shown(seconds: int) -> str:
    """UTC seconds, as a refusal says them."""
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")

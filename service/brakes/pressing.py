"""Counting what a vendor's member opens, in the transaction that lets him.

Rules kept here:

* whoever announces a body reads what its member opened within the last hour, under the lock of the firm's head, so two
  processes never let through more than one; what waits in this batch is counted too (`Tx.openings`);
* a revision counts once an hour, by however many requests it is fetched; bytes count each time, as announced; what is
  known not to have left is given back with the outcome;
* the suspension is the service's own act, written and recorded with the refusal of the body that was too much.

People of the firm are not braked.
"""

from __future__ import annotations

from typing import Any, Final, NamedTuple

from sqlalchemy import BigInteger, bindparam, case, cast, delete, func, null, select, update

from service import events
from service.acts import Act
from service.brakes.marks import WINDOW_MINUTES, Load, Marks, delay_s, is_too_much
from service.db.models import ANY, engagements, memberships, openings
from service.db.session import Tx
from service.events import EventType
from service.ledger import Opening
from service.scoping.actions import Side
from service.scoping.facts import number

_e, _o = engagements, openings
_COUNTED: Final = (
    select(
        _e.c.slow_documents,
        _e.c.slow_bytes,
        _e.c.stop_documents,
        _e.c.stop_bytes,
        # NULL where nothing was opened. Constants are no parameters: this is asked with every body.
        cast(func.sum(_o.c.counted), BigInteger).label("documents"),
        cast(func.sum(_o.c.size_bytes), BigInteger).label("opened_bytes"),
        func.max(case((_o.c.revision_id == bindparam("revision"), _o.c.counted), else_=number(0))).label("is_known"),
    )
    .select_from(
        _e.outerjoin(_o, (_o.c.membership_id == bindparam("membership")) & (_o.c.minute > bindparam("before")))
    )
    .where(_e.c.id == bindparam("engagement"))
    .group_by(_e.c.id)
)
_SUSPEND = (
    update(memberships)
    .where(memberships.c.id == bindparam("membership"))
    .values(
        suspended=1,
        braked_at=bindparam("now"),
        braked_documents=bindparam("documents"),
        braked_bytes=bindparam("opened_bytes"),
        version=memberships.c.version + 1,
    )
)
_RELEASE = (
    update(memberships)
    .where(memberships.c.id == bindparam("membership"))
    .values(braked_at=null(), braked_documents=null(), braked_bytes=null())
)
_FORGET = delete(openings).where(_o.c.membership_id == bindparam("membership"))
_GIVE_BACK = (
    update(openings)
    .where(
        _o.c.membership_id == bindparam("membership"),
        _o.c.minute == bindparam("at"),
        _o.c.revision_id == ANY,
    )
    .values(size_bytes=case((_o.c.size_bytes > bindparam("unsent"), _o.c.size_bytes - bindparam("unsent")), else_=0))
)


class Pressed(NamedTuple):
    """What the brake says to one body.

    Args:
        opening: to be counted with the announcement.
        delay_s: how long it waits before its first byte, in seconds.
        is_over: too much: nothing is sent, and the member is suspended.
    """

    opening: Opening
    delay_s: float
    is_over: bool


def press(act: Act, revision: Any, size_bytes: int) -> Pressed | None:
    """Count a body that is about to be announced; None for people of the firm.

    Args:
        revision: a row with the revision's id and its engagement's.
        size_bytes: how many bytes of it are asked for.
    """
    actor = act.actor
    if actor.side != Side.VENDOR:
        return None
    minute, member_id = act.moment.s // 60, actor.membership_id
    row = act.tx.one(
        _COUNTED,
        engagement=revision.engagement_id,
        membership=member_id,
        revision=revision.id,
        before=minute - WINDOW_MINUTES,
    )
    documents, opened, is_known = row.documents or 0, row.opened_bytes or 0, bool(row.is_known)
    for waiting in act.tx.openings.get(member_id, ()):
        documents += waiting.counted
        opened += waiting.size_bytes
        is_known = is_known or waiting.revision_id == revision.id
    load, marks = Load(documents + (not is_known), opened + size_bytes), Marks(*row[:4])
    if is_too_much(load, marks):
        _suspend(act, revision.engagement_id, load, marks)
        return Pressed(Opening(member_id, minute, revision.id, 0, 0), 0.0, is_over=True)
    opening = Opening(member_id, minute, revision.id, int(not is_known), size_bytes)
    return Pressed(opening, delay_s(load, marks), is_over=False)


def give_back(tx: Tx, opening: Opening, unsent: int) -> None:
    """Take bytes off the count that were announced and have not left; put more on it, below zero."""
    tx.run(
        _GIVE_BACK,
        membership=opening.membership_id,
        at=opening.minute,
        unsent=unsent,
    )


def release(act: Act, member_id: str) -> None:
    """Begin to count anew for a member who is resumed."""
    act.tx.run(_RELEASE, membership=member_id)
    act.tx.run(_FORGET, membership=member_id)


def _suspend(act: Act, engagement_id: str, load: Load, marks: Marks) -> None:
    actor = act.actor
    act.tx.run(
        _SUSPEND,
        membership=actor.membership_id,
        now=act.moment.s,
        documents=load.documents,
        opened_bytes=load.size_bytes,
    )
    subjects = {"engagement": engagement_id, "membership": actor.membership_id, "person": actor.person_id}
    data: events.Data = {
        "suspended": True,
        "documents": load.documents,
        "bytes": load.size_bytes,
        "stop_documents": marks.stop_documents,
        "stop_bytes": marks.stop_bytes,
    }
    act.drafts.append(events.changed(EventType.MEMBER_BRAKED, events.system("brake"), subjects, data))

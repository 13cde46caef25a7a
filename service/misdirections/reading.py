"""Reading misdirections: one's own statements; and for attorneys of the matter, with what was opened before."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Any, Final, NamedTuple

from sqlalchemy import bindparam, func, select

from service.acts import Act, Caller, perform
from service.db import models
from service.db.ids import is_id
from service.db.models import memberships, misdirections
from service.db.session import Tx
from service.door import NameReader
from service.misdirections.rows import PLACE, ROWS, Misdirection, find, is_told, opened
from service.paging import Page, Window, page
from service.scoping import affairs
from service.scoping.actions import Action
from service.scoping.actors import Actor
from service.scoping.decide import Subject
from service.services import Services
from service.sharing.openings import Opening, of_grants

MOST_COUNTED: Final = 100

_m, _g = misdirections, models.grants
_SOME: Final = (
    ROWS.where(_m.c.engagement_id == bindparam("engagement"), _m.c.id > bindparam("after"))
    .order_by(_m.c.id)
    .limit(bindparam("most"))
)
_WAITING: Final = ROWS.where(_m.c.acknowledged_at.is_(None)).order_by(_m.c.id).limit(MOST_COUNTED)
_SEATS: Final = (
    select(memberships.c.id, func.min(_g.c.granted_at).label("granted_at"))
    .select_from(
        memberships.outerjoin(
            _g, (_g.c.membership_id == memberships.c.id) & (_g.c.document_id == bindparam("document"))
        )
    )
    .where(
        memberships.c.person_id == bindparam("person"),
        (memberships.c.engagement_id == bindparam("engagement")) | memberships.c.engagement_id.is_(None),
    )
    .group_by(memberships.c.id)
)


class _Since(NamedTuple):
    """A membership whose openings of a document are wanted from a time on, as `of_grants` takes grants."""

    id: str
    membership_id: str
    document_id: str
    granted_at: int  # UTC seconds


async def read(services: Services, caller: Caller, misdirection_id: str) -> Misdirection:
    """Read one statement."""

    def where(tx: Tx, actor: Actor) -> Subject:
        place = (
            tx.one(PLACE, misdirection=misdirection_id, firm=actor.firm_id) if is_id(misdirection_id, "msd") else None
        )
        # Told to sign first, or that he is suspended, somebody would learn that another's statement is there.
        told = services.matrix.current.role_may(actor.role, Action.MISDIRECTION_ACKNOWLEDGE)
        if place is None or not (told or place.membership_id == actor.membership_id):
            return Subject(engagement=misdirection_id)
        return Subject(engagement=place.engagement_id)

    def change(act: Act) -> tuple[Any, bool]:
        row = find(act, misdirection_id)
        return row, is_told(act, row)

    done = await perform(services, caller, Action.MISDIRECTION_LIST, where, change)
    return (await tell(services, caller, NameReader(services.keys, done.authorised), [done.result]))[0]


async def list_all(services: Services, caller: Caller, engagement_id: str, asked: Window) -> Page[Misdirection]:
    """List the statements of an engagement that the caller may know of, oldest first.

    A page may be shorter than asked for: each row is decided.
    """

    def change(act: Act) -> Page[Any]:
        bounds = {"engagement": engagement_id, "after": asked.after, "most": asked.limit + 1}
        found = page(act.tx.all(_SOME, **affairs.eyes(act.actor, act.moment.s), **bounds), asked)
        known = [(row, is_told(act, row)) for row in found.items]
        shown = [each for each in known if each[1] or each[0].membership_id == act.actor.membership_id]
        act.list_out([row.id for row, _ in shown])
        return Page(shown, found.next_cursor)

    done = await perform(services, caller, Action.MISDIRECTION_LIST, Subject(engagement=engagement_id), change)
    listed = done.result
    items = await tell(services, caller, NameReader(services.keys, done.authorised), listed.items)
    return Page(items, listed.next_cursor)


def waiting(act: Act) -> int:
    """Return how many statements wait for the actor's acknowledgment, `MOST_COUNTED` at most: each is decided."""
    if not act.services.matrix.current.role_may(act.actor.role, Action.MISDIRECTION_ACKNOWLEDGE):
        return 0
    return sum(is_told(act, row) for row in act.tx.all(_WAITING, **affairs.eyes(act.actor, act.moment.s)))


async def tell(
    services: Services, caller: Caller, reader: NameReader, found: Sequence[tuple[Any, bool]]
) -> list[Misdirection]:
    """Open rows; with what was opened before for those of which the caller is told as an attorney.

    The log is read in a snapshot that holds nobody up, after the act was recorded.

    Args:
        found: rows, and whether the caller is told all of them.
    """
    wanted = [row for row, told in found if told]
    acts = await asyncio.to_thread(_openings, services, caller.credential.firm_id, wanted) if wanted else {}
    return [opened(reader, row, acts.get(row.id) if told else None) for row, told in found]


def _openings(services: Services, firm_id: str, rows: Sequence[Any]) -> dict[str, tuple[Opening, ...]]:
    found: dict[str, tuple[Opening, ...]] = {}
    with services.database.read(firm_id) as tx:
        for row in rows:
            since = [
                _Since(seat.id, seat.id, row.document_id, seat.granted_at or row.added_at)
                for seat in tx.all(_SEATS, document=row.document_id, person=row.person_id, engagement=row.engagement_id)
            ]
            acts = of_grants(tx, firm_id, row.engagement_id, since).values()
            before = [one for each in acts for one in each if one.at <= row.said_at]
            found[row.id] = tuple(sorted(before, key=lambda one: one.entry, reverse=True))
    return found

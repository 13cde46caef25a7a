"""Telling who acts where."""

from __future__ import annotations

import asyncio
from typing import Final

from sqlalchemy import Text, bindparam, or_

from service.acts import Act, Caller, perform
from service.db.models import ANY, memberships
from service.door import NameReader
from service.errors import NotFoundError
from service.members.rows import ROWS, Member, Told, opened, row_of, subject_of, told
from service.paging import Page, Window, page
from service.scoping.actions import Action, Side
from service.scoping.decide import Subject
from service.services import Services

_SIDE: Final = bindparam("side", type_=Text)
_PAGE = (
    ROWS.where(
        memberships.c.firm_id == bindparam("firm"),
        memberships.c.id > bindparam("after"),
        or_(_SIDE == ANY, memberships.c.side == _SIDE),
    )
    .order_by(memberships.c.id)
    .limit(bindparam("most"))
)
_IN_ENGAGEMENT = _PAGE.where(memberships.c.engagement_id == bindparam("engagement"))
_OF_HOUSE = _PAGE.where(memberships.c.engagement_id.is_(None))


async def read(services: Services, caller: Caller, member_id: str) -> Member:
    """Read one membership; a vendor's manager reads those of his side."""

    def change(act: Act) -> Told:
        row = row_of(act, member_id)
        if act.actor.side == Side.VENDOR and row.side != Side.VENDOR:
            raise NotFoundError
        return told(act, row)

    done = await perform(services, caller, Action.MEMBER_LIST, subject_of(member_id), change)
    return await asyncio.to_thread(opened, NameReader(services.keys, done.authorised), *done.result)


async def list_all(services: Services, caller: Caller, engagement_id: str | None, asked: Window) -> Page[Member]:
    """List the memberships of an engagement, or (None) of the whole house, ended ones too, oldest first."""

    def change(act: Act) -> Page[Told]:
        side = Side.VENDOR.value if act.actor.side == Side.VENDOR else ANY
        bound = {"firm": act.firm_id, "side": side, "after": asked.after, "most": asked.limit + 1}
        if engagement_id is None:
            rows = act.tx.all(_OF_HOUSE, **bound)
        else:
            rows = act.tx.all(_IN_ENGAGEMENT, **bound, engagement=engagement_id)
        found = page(rows, asked)
        act.list_out([row.id for row in found.items])
        act.show(row.person_id for row in found.items)
        shown: Page[Told] = found.map(lambda row: told(act, row))
        return shown

    done = await perform(services, caller, Action.MEMBER_LIST, Subject(engagement=engagement_id), change)
    reader, shown = NameReader(services.keys, done.authorised), done.result
    return await asyncio.to_thread(shown.map, lambda each: opened(reader, *each))

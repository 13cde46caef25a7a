"""Parts: what of a matter lies in an engagement, under a key of its own.

Rules kept here:

* a part's key is wrapped by its engagement's key, so it ends with the engagement, and can be ended alone;
* its caption (how the matter is called inside this engagement) is sealed under that key;
* parts exist for those who are named on the matter, no wall between; the engagement alone shows none.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import Any

from sqlalchemy import bindparam, insert, select

from service import names
from service.acts import Act, Caller, perform
from service.db.models import engagements, memberships, parts
from service.door import Holder, NameReader
from service.engagements import RUNNING
from service.errors import ExistsError, KeyMissingError, NotFoundError
from service.events import EventType
from service.matters import asker, within_reach
from service.paging import Page, Window, page
from service.scoping import facts
from service.scoping.actions import Action
from service.scoping.decide import Subject
from service.services import Services


@dataclass(frozen=True, slots=True)
class Part:
    """A part of a matter in an engagement; the caption is None when its key is destroyed."""

    id: str
    engagement_id: str
    matter_id: str
    caption: str | None
    created_at: int  # UTC seconds


_ADD = insert(parts)
_ROWS = select(parts, engagements.c.status).join_from(parts, engagements, engagements.c.id == parts.c.engagement_id)
_ONE = _ROWS.where(parts.c.id == bindparam("part"), parts.c.firm_id == bindparam("firm"))
_SOME = (
    select(parts, engagements.c.status)
    .select_from(
        parts.join(engagements, engagements.c.id == parts.c.engagement_id).join(memberships, facts.is_membership())
    )
    .where(
        parts.c.engagement_id == bindparam("engagement"),
        parts.c.firm_id == facts.FIRM,
        parts.c.id > bindparam("after"),
        within_reach(parts.c.matter_id),
    )
    .order_by(parts.c.id)
    .limit(bindparam("most"))
)
_OF_MATTER = select(parts.c.id).where(
    parts.c.engagement_id == bindparam("engagement"), parts.c.matter_id == bindparam("matter")
)
_KEY = select(engagements.c.key_id).where(
    engagements.c.id == bindparam("engagement"), engagements.c.firm_id == bindparam("firm")
)


async def add(services: Services, caller: Caller, engagement_id: str, matter_id: str, caption: str) -> Part:
    """Put a part of a matter into an engagement.

    Raises:
        ExistsError: the engagement has a part of this matter.
    """
    caption = names.name(caption, "caption")

    def change(act: Act) -> Any:
        request = {"engagement": engagement_id, "matter": matter_id, "caption": caption}
        part_id = act.once("part", request, lambda: _write(act, engagement_id, matter_id, caption))
        return _row(act, part_id)

    subject = Subject(engagement=engagement_id, matter=matter_id)
    done = await perform(services, caller, Action.PART_ADD, subject, change)
    return await asyncio.to_thread(_opened, NameReader(services.keys, done.authorised), done.result)


async def list_all(services: Services, caller: Caller, engagement_id: str, asked: Window) -> Page[Part]:
    """List the parts of an engagement that exist for the asker, oldest first."""

    def change(act: Act) -> Page[Any]:
        place = {"engagement": engagement_id, "after": asked.after, "most": asked.limit + 1}
        found = page(act.tx.all(_SOME, **asker(act), **place), asked)
        act.list_out([row.id for row in found.items])
        return found

    done = await perform(services, caller, Action.PART_LIST, Subject(engagement=engagement_id), change)
    reader, found = NameReader(services.keys, done.authorised), done.result
    return await asyncio.to_thread(found.map, lambda row: _opened(reader, row))


def _write(act: Act, engagement_id: str, matter_id: str, caption: str) -> str:
    if act.tx.one(_OF_MATTER, engagement=engagement_id, matter=matter_id) is not None:
        raise ExistsError("The engagement has a part of this matter already.")
    part_id = act.new_id("prt")
    part = act.new_holder(part_id, "part", act.tx.value(_KEY, engagement=engagement_id, firm=act.firm_id))
    act.tx.run(
        _ADD,
        id=part_id,
        firm_id=act.firm_id,
        engagement_id=engagement_id,
        matter_id=matter_id,
        key_id=part.key_id,
        field_key=part.field_key,
        caption=act.seal(part, "parts", "caption", part_id, caption),
        created_at=act.moment.s,
    )
    subjects = {"engagement": engagement_id, "matter": matter_id, "part": part_id}
    act.record(EventType.PART_ADDED, subjects, payload=act.payload(part, {"caption": caption}))
    return part_id


def _row(act: Act, part_id: str) -> Any:
    row = act.tx.one(_ONE, part=part_id, firm=act.firm_id)
    if row is None:
        raise NotFoundError
    act.show([part_id])
    return row


def _opened(reader: NameReader, row: Any) -> Part:
    return Part(row.id, row.engagement_id, row.matter_id, _caption(reader, row), row.created_at)


def _caption(reader: NameReader, row: Any) -> str | None:
    try:
        return reader.open(Holder(row.id, row.key_id, row.field_key), "parts", "caption", row.id, row.caption)
    except KeyMissingError:
        if row.status == RUNNING:
            raise
        return None  # destroyed, as its disposal meant it to be

"""The register of an engagement: its papers by label and number, for who reviews what was done with them.

Rules kept here:

* no title is in it but those that an attorney disclosed to this very membership: each of them is decided by itself
  (`title:read`) and is an entry of its own (service/disclosures.py). On the word of the list none is opened;
* it shows what lies in the engagement, whatever became of it: to look at, confirmed, taken back, destroyed; rows
  outlive their keys, so a disposed engagement still has its register;
* a wall binds whoever reviews as it binds everybody: papers of that matter are missing from his register;
* a seat in one matter is told the papers of that matter alone: also part of the query;
* it is one list of a place, decided as an act on the engagement. Papers are not decided one by one: no policy can give
  a reviewer a further act on a document (service/scoping/rules.py), so there is nothing to compile.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import bindparam, func, select

from service import disclosures, events
from service.acts import Act, Caller, perform
from service.db.models import documents, matters, memberships, revisions
from service.door import NameReader
from service.paging import Page, Window, page
from service.scoping import facts
from service.scoping.actions import Action
from service.scoping.decide import Subject
from service.services import Services


@dataclass(frozen=True, slots=True)
class Line:
    """One paper. Times are UTC seconds.

    Args:
        title, title_until: None unless it is disclosed to whoever asks.
    """

    id: str
    number: int
    label: str
    sensitivity: str
    state: str  # to_look_at | confirmed | taken_back | destroyed
    matter_id: str
    matter_number: str
    added_by: str  # a membership
    added_at: int
    revisions: int
    size_bytes: int  # of the newest revision
    total_bytes: int  # of all revisions
    title: str | None = None
    title_until: int | None = None


_d, _r = documents, revisions
_OWN_REVISIONS: Final = _r.c.document_id == _d.c.id
_LINES: Final = (
    select(
        _d.c.id,
        _d.c.number,
        _d.c.label,
        _d.c.sensitivity,
        _d.c.state,
        _d.c.matter_id,
        matters.c.number.label("matter_number"),
        _d.c.added_by,
        _d.c.added_at,
        select(func.count()).where(_OWN_REVISIONS).scalar_subquery().label("revisions"),
        select(_r.c.size_bytes).where(_r.c.id == _d.c.revision_id).scalar_subquery().label("size_bytes"),
        select(func.sum(_r.c.size_bytes)).where(_OWN_REVISIONS).scalar_subquery().label("total_bytes"),
    )
    .select_from(_d.join(matters, matters.c.id == _d.c.matter_id).join(memberships, facts.is_membership()))
    .where(
        facts.reaches_document(),
        _d.c.engagement_id == bindparam("engagement"),
        _d.c.firm_id == bindparam("firm"),
        _d.c.id > bindparam("after"),
        ~facts.walled(_d.c.matter_id),
    )
    .order_by(_d.c.id)
    .limit(bindparam("most"))
)


async def list_page(services: Services, caller: Caller, engagement_id: str, asked: Window) -> Page[Line]:
    """List the papers of an engagement, oldest first; a page is one entry in the log, with count and hash of ids."""

    def change(act: Act) -> tuple[Page[Any], disclosures.Titles]:
        bound = {"firm": act.firm_id, "person": act.actor.person_id, "membership": act.actor.membership_id}
        asks = {"engagement": engagement_id, "after": asked.after, "most": asked.limit + 1, "now": act.moment.s}
        rows = act.tx.all(_LINES, **asks, **bound)
        found = page(rows, asked)
        ids = [row.id for row in found.items]
        act.drafts.append(events.list_read(act.who, ids))  # and nothing of them is shown by that
        return found, disclosures.told(act, engagement_id, ids)

    done = await perform(services, caller, Action.REGISTER_READ, Subject(engagement=engagement_id), change)
    listed, titles = done.result
    reader = NameReader(services.keys, titles.authorised)
    items = await asyncio.to_thread(lambda: [_line(row, reader, titles.rows.get(row.id)) for row in listed.items])
    return Page(items, listed.next_cursor)


def _line(row: Any, reader: NameReader, disclosed: Any) -> Line:
    known = row._asdict()
    sizes = {"size_bytes": int(row.size_bytes or 0), "total_bytes": int(row.total_bytes or 0)}
    if disclosed is None:
        return Line(**{**known, **sizes})
    return Line(**{**known, **sizes}, title=disclosures.title(reader, disclosed), title_until=disclosed.not_after)

"""Reading: one's own requests, and those of one's matters."""

from __future__ import annotations

from typing import Any, Final

from sqlalchemy import Text, bindparam

from service.access_requests.rows import (
    AS_ASKED,
    PLACE,
    REFUSED,
    ROWS,
    WITH_LESS,
    AccessRequest,
    find,
    opened,
)
from service.acts import Act, Caller, perform
from service.db.ids import is_id
from service.db.models import access_requests
from service.db.session import Tx
from service.door import NameReader
from service.paging import Page, Window, page
from service.scoping import affairs, facts
from service.scoping.actions import Action, Side
from service.scoping.actors import Actor
from service.scoping.decide import Subject
from service.services import Services

TOLD_S: Final = 7 * 24 * 3600  # how long `/me` tells of an answer

_r = access_requests
_SOME = (
    ROWS.where(_r.c.engagement_id == bindparam("engagement"), _r.c.id > bindparam("after"))
    .order_by(_r.c.id)
    .limit(bindparam("most"))
)
_ANSWERED = ROWS.where(
    _r.c.membership_id == bindparam("own", type_=Text),
    _r.c.state.in_([facts.word(state) for state in (AS_ASKED, WITH_LESS, REFUSED)]),
    _r.c.answered_at > bindparam("answered_since"),
).order_by(_r.c.answered_at, _r.c.id)


async def read(services: Services, caller: Caller, request_id: str) -> AccessRequest:
    """Read one request."""

    def where(tx: Tx, actor: Actor) -> Subject:
        place = tx.one(PLACE, request=request_id, firm=actor.firm_id) if is_id(request_id, "acr") else None
        # Told to sign first, a vendor person would learn that somebody else's request is there.
        if place is None or (actor.side == Side.VENDOR and place.membership_id != actor.membership_id):
            return Subject(engagement=request_id)
        return Subject(engagement=place.engagement_id)

    done = await perform(services, caller, Action.ACCESS_REQUEST_LIST, where, lambda act: find(act, request_id))
    return opened(NameReader(services.keys, done.authorised), done.result, done.recorded.moment.s)


async def list_all(services: Services, caller: Caller, engagement_id: str, asked: Window) -> Page[AccessRequest]:
    """List the requests of an engagement that the caller may know of, oldest first, whatever became of them."""

    def change(act: Act) -> Page[Any]:
        bounds = {"engagement": engagement_id, "after": asked.after, "most": asked.limit + 1}
        found = page(act.tx.all(_SOME, **affairs.eyes(act.actor, act.moment.s), **bounds), asked)
        act.list_out([row.id for row in found.items])
        return found

    done = await perform(services, caller, Action.ACCESS_REQUEST_LIST, Subject(engagement=engagement_id), change)
    reader, listed, now = NameReader(services.keys, done.authorised), done.result, done.recorded.moment.s
    found: Page[AccessRequest] = listed.map(lambda row: opened(reader, row, now))
    return found


def answered(act: Act) -> list[Any]:
    """Return the rows of the actor's own requests that were answered in the last days; `opened` opens them."""
    rows = act.tx.all(_ANSWERED, **affairs.eyes(act.actor, act.moment.s), answered_since=act.moment.s - TOLD_S)
    act.show([row.id for row in rows])
    return rows

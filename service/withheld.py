"""Withheld: what a member may ask for without seeing it, where the engagement declares that it may be asked for.

Rules kept here:

* invisible is the default: such an engagement answers as if there were nothing in it;
* what is told is a label, a number of pages and an id to ask with: no title, no size, nobody who has it;
* what is on the list is what `access_request:create` allows unseen: the same snapshot of the policy says both.

The list is read and recorded as lists of documents are (`service.documents`).
"""

from __future__ import annotations

import asyncio

from sqlalchemy import bindparam, select

from service import events
from service.acts import Act, Caller, perform
from service.db.models import logs
from service.ledger import Moment
from service.paging import Page, Window, page
from service.scoping import listing
from service.scoping.actions import Action
from service.scoping.decide import Subject
from service.scoping.listing import Withheld
from service.services import Services
from service.tokens import authenticate

_LOG_SIZE = select(logs.c.size).where(logs.c.id == bindparam("firm"))


async def list_page(services: Services, caller: Caller, engagement_id: str, asked: Window) -> Page[Withheld]:
    """List what the caller may ask for in an engagement and does not see, oldest first."""
    found, log_size = await asyncio.to_thread(_snapshot, services, caller, engagement_id, asked)

    def change(act: Act) -> None:
        act.drafts.append(events.list_read(act.who, [item.id for item in found.items], log_size))

    await perform(services, caller, Action.WITHHELD_LIST, Subject(engagement=engagement_id), change)
    return found


def _snapshot(services: Services, caller: Caller, engagement_id: str, asked: Window) -> tuple[Page[Withheld], int]:
    moment = Moment(services.clock(), caller.address)
    with services.database.read(caller.credential.firm_id) as tx:
        actor = authenticate(tx, moment, caller.credential)
        matrix, most = services.matrix.current, asked.limit + 1
        rows = listing.withheld(tx, matrix, moment, actor, engagement=engagement_id, after=asked.after, most=most)
        return page(rows, asked), tx.value(_LOG_SIZE, firm=actor.firm_id)

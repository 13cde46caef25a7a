"""Legal holds: while one is in force on a matter, nothing of that matter is destroyed.

Rules kept here:

* a hold is on a matter, so it reaches every engagement that has a part of it;
* several holds may be in force on one matter, each with a reason and an end of its own;
* a hold opens and closes nobody's access: it beats disposal, and keeps what is replaced or taken back
  (service/disposal/ and service/documents.py ask `in_force`).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import Text, bindparam, insert, or_, select, update

from service import names
from service.acts import Act, Caller, perform
from service.db.ids import is_id
from service.db.models import ANY, FOREVER, holds, memberships, parts
from service.db.session import Tx
from service.door import Holder, NameReader
from service.errors import BadStateError, NotFoundError
from service.events import EventType
from service.matters import asker, within_reach
from service.paging import Page, Window, page
from service.scoping import facts
from service.scoping.actions import Action
from service.scoping.decide import Subject
from service.services import Services


@dataclass(frozen=True, slots=True)
class Hold:
    """A hold, its reason opened."""

    id: str
    matter_id: str
    reason: str
    placed_at: int  # UTC seconds
    lifted_at: int  # UTC seconds; FOREVER while it is in force
    version: int


_MATTER: Final = bindparam("matter", type_=Text)
_ADD = insert(holds)
_ONE = select(holds).where(holds.c.id == bindparam("hold"), holds.c.firm_id == bindparam("firm"))
_SOME = (
    select(holds)
    .select_from(holds.join(memberships, facts.is_membership()))
    .where(holds.c.firm_id == facts.FIRM, holds.c.id > bindparam("after"), within_reach(holds.c.matter_id))
    .where(or_(_MATTER == ANY, holds.c.matter_id == _MATTER))
    .order_by(holds.c.id)
    .limit(bindparam("most"))
)
_IN_FORCE = (
    select(holds.c.id)
    .join_from(holds, parts, parts.c.matter_id == holds.c.matter_id)
    .where(
        parts.c.engagement_id == bindparam("engagement"),
        holds.c.placed_at <= bindparam("now"),
        holds.c.lifted_at > bindparam("now"),
    )
    .order_by(holds.c.id)
)
_LIFT = (
    update(holds).where(holds.c.id == bindparam("hold")).values(lifted_at=bindparam("end"), version=holds.c.version + 1)
)


def in_force(tx: Tx, engagement_id: str, now_s: int) -> list[str]:
    """The ids of the holds that forbid destroying anything of this engagement."""
    return [row.id for row in tx.all(_IN_FORCE, engagement=engagement_id, now=now_s)]


async def place(services: Services, caller: Caller, matter_id: str, reason: str) -> Hold:
    """Put a matter under hold, from now on."""
    reason = names.text(reason, "reason")

    def change(act: Act) -> tuple[Holder, Any]:
        request = {"matter": matter_id, "reason": reason}
        hold_id = act.once("hold", request, lambda: _write(act, matter_id, reason))
        return act.firm(), _row(act, hold_id)

    done = await perform(services, caller, Action.HOLD_PLACE, Subject(matter=matter_id), change)
    return _opened(NameReader(services.keys, done.authorised), *done.result)


async def read(services: Services, caller: Caller, hold_id: str) -> Hold:
    """Read one hold."""

    def change(act: Act) -> tuple[Holder, Any]:
        return act.firm(), _row(act, hold_id)

    done = await perform(services, caller, Action.HOLD_LIST, _subject(hold_id), change)
    return _opened(NameReader(services.keys, done.authorised), *done.result)


async def list_all(services: Services, caller: Caller, matter_id: str | None, asked: Window) -> Page[Hold]:
    """List the holds of one matter, or of all matters for who runs the house; lifted ones too, oldest first."""

    def change(act: Act) -> tuple[Holder, Page[Any]]:
        place = {"matter": matter_id or ANY, "after": asked.after, "most": asked.limit + 1}
        found = page(act.tx.all(_SOME, **asker(act), **place), asked)
        act.list_out([row.id for row in found.items])
        return act.firm(), found

    done = await perform(services, caller, Action.HOLD_LIST, Subject(matter=matter_id), change)
    firm, found = done.result
    reader = NameReader(services.keys, done.authorised)
    shown: Page[Hold] = found.map(lambda row: _opened(reader, firm, row))
    return shown


async def lift(services: Services, caller: Caller, hold_id: str) -> Hold:
    """End a hold; it stays in the log and on the list.

    Raises:
        BadStateError: it is lifted already.
    """

    def change(act: Act) -> tuple[Holder, Any]:
        row = _row(act, hold_id)
        act.require_version(row.id, row.version)
        if row.lifted_at <= act.moment.s:
            raise BadStateError("This hold is lifted already.")
        act.tx.run(_LIFT, hold=row.id, end=act.moment.s)
        act.record(
            EventType.HOLD_LIFTED,
            {"hold": row.id, "matter": row.matter_id},
            {"placed_at": row.placed_at, "lifted_at": act.moment.s},
        )
        return act.firm(), _row(act, hold_id)

    done = await perform(services, caller, Action.HOLD_LIFT, _subject(hold_id), change)
    return _opened(NameReader(services.keys, done.authorised), *done.result)


def _subject(hold_id: str) -> Subject:
    """The matter that a hold is on; an id of another kind stands for nothing here."""
    return Subject(via=hold_id if is_id(hold_id, "hld") else "")


def _write(act: Act, matter_id: str, reason: str) -> str:
    hold_id, firm, now = act.new_id("hld"), act.firm(), act.moment.s
    act.tx.run(
        _ADD,
        id=hold_id,
        firm_id=act.firm_id,
        matter_id=matter_id,
        reason=act.seal(firm, "holds", "reason", hold_id, reason),
        placed_at=now,
        lifted_at=FOREVER,
        version=1,
    )
    act.record(
        EventType.HOLD_PLACED,
        {"hold": hold_id, "matter": matter_id},
        {"placed_at": now, "lifted_at": FOREVER},
        act.payload(firm, {"reason": reason}),
    )
    return hold_id


def _row(act: Act, hold_id: str) -> Any:
    row = act.tx.one(_ONE, hold=hold_id, firm=act.firm_id)
    if row is None:
        raise NotFoundError
    act.show([hold_id])
    return row


def _opened(reader: NameReader, firm: Holder, row: Any) -> Hold:
    reason = reader.open(firm, "holds", "reason", row.id, row.reason)
    return Hold(row.id, row.matter_id, reason, row.placed_at, row.lifted_at, row.version)

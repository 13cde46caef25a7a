"""Ethical walls: one person kept from one matter, whatever else is true.

Rules kept here:

* a wall follows the person through all memberships and binds attorneys too; it beats every grant;
* it works from the second it is raised until it is lifted, and open bodies are decided again at once;
* whoever is walled off a matter does not learn of the wall from here: the matter does not exist for him.

That a wall denies is said in policies/policy.csv; who counts as walled is read in service/scoping/facts.py; what one
would take from somebody before it is raised is told by service/access.py.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import Text, bindparam, insert, or_, select, update

from service import names
from service.acts import Act, Caller, perform
from service.db.ids import is_id
from service.db.models import ANY, FOREVER, memberships, people, walls
from service.db.session import Tx
from service.door import Holder, NameReader
from service.errors import BadStateError, ExistsError, NotFoundError
from service.events import EventType
from service.ledger import Moment
from service.matters import asker, within_reach
from service.paging import Page, Window, page
from service.scoping import facts
from service.scoping.actions import Action
from service.scoping.decide import Subject
from service.services import Services


@dataclass(frozen=True, slots=True)
class Wall:
    """A wall, its reason opened."""

    id: str
    person_id: str
    matter_id: str
    reason: str
    raised_at: int  # UTC seconds
    lifted_at: int  # UTC seconds; FOREVER while it stands
    version: int


_MATTER: Final = bindparam("matter", type_=Text)
_ADD = insert(walls)
_ONE = select(walls).where(walls.c.id == bindparam("wall"), walls.c.firm_id == bindparam("firm"))
_LISTED: Final = walls.alias("listed")  # the fact `walled` asks about walls itself
_SOME = (
    select(_LISTED)
    .select_from(_LISTED.join(memberships, facts.is_membership()))
    .where(_LISTED.c.firm_id == facts.FIRM, _LISTED.c.id > bindparam("after"), within_reach(_LISTED.c.matter_id))
    .where(or_(_MATTER == ANY, _LISTED.c.matter_id == _MATTER))
    .order_by(_LISTED.c.id)
    .limit(bindparam("most"))
)
_STANDING = select(walls.c.id).where(
    walls.c.person_id == bindparam("person"),
    walls.c.matter_id == bindparam("matter"),
    walls.c.lifted_at > bindparam("now"),
)
_PERSON = select(people.c.id).where(people.c.id == bindparam("person"), people.c.firm_id == bindparam("firm"))
_LIFT = (
    update(walls).where(walls.c.id == bindparam("wall")).values(lifted_at=bindparam("end"), version=walls.c.version + 1)
)


async def raise_wall(services: Services, caller: Caller, person_id: str, matter_id: str, reason: str) -> Wall:
    """Keep a person from a matter, from now on.

    Raises:
        NotFoundError: no such person in this firm, or no such matter for the asker.
        ExistsError: this wall stands already.
    """
    reason = names.text(reason, "reason")

    def change(act: Act) -> tuple[Holder, Any]:
        request = {"person": person_id, "matter": matter_id, "reason": reason}
        wall_id = act.once("wall", request, lambda: _write(act, person_id, matter_id, reason))
        return act.firm(), _row(act, wall_id)

    done = await perform(services, caller, Action.WALL_RAISE, Subject(matter=matter_id), change)
    return _opened(NameReader(services.keys, done.authorised), *done.result)


async def read(services: Services, caller: Caller, wall_id: str) -> Wall:
    """Read one wall."""

    def change(act: Act) -> tuple[Holder, Any]:
        return act.firm(), _row(act, wall_id)

    done = await perform(services, caller, Action.WALL_LIST, _subject(wall_id), change)
    return _opened(NameReader(services.keys, done.authorised), *done.result)


async def list_all(services: Services, caller: Caller, matter_id: str | None, asked: Window) -> Page[Wall]:
    """List the walls of one matter, or of all matters for who runs the house; lifted ones too, oldest first."""

    def change(act: Act) -> tuple[Holder, Page[Any]]:
        place = {"matter": matter_id or ANY, "after": asked.after, "most": asked.limit + 1}
        found = page(act.tx.all(_SOME, **asker(act), **place), asked)
        act.list_out([row.id for row in found.items])
        return act.firm(), found

    done = await perform(services, caller, Action.WALL_LIST, Subject(matter=matter_id), change)
    firm, found = done.result
    reader = NameReader(services.keys, done.authorised)
    shown: Page[Wall] = found.map(lambda row: _opened(reader, firm, row))
    return shown


async def lift(services: Services, caller: Caller, wall_id: str) -> Wall:
    """End a wall; it stays in the log and on the list.

    Raises:
        BadStateError: it is lifted already.
    """

    def change(act: Act) -> tuple[Holder, Any]:
        row = _row(act, wall_id)
        act.require_version(row.id, row.version)
        if row.lifted_at <= act.moment.s:
            raise BadStateError("This wall is lifted already.")
        act.tx.run(_LIFT, wall=row.id, end=act.moment.s)
        act.record(
            EventType.WALL_LIFTED,
            {"wall": row.id, "person": row.person_id, "matter": row.matter_id},
            {"raised_at": row.raised_at, "lifted_at": act.moment.s},
        )
        return act.firm(), _row(act, wall_id)

    done = await perform(services, caller, Action.WALL_LIFT, _subject(wall_id), change)
    return _opened(NameReader(services.keys, done.authorised), *done.result)


def _subject(wall_id: str) -> Subject:
    """The matter that a wall is on; an id of another kind stands for nothing here."""
    return Subject(via=wall_id if is_id(wall_id, "wal") else "")


def require_new(tx: Tx, moment: Moment, firm_id: str, person_id: str, matter_id: str) -> None:
    """Check that a wall can be raised between a person and a matter.

    Raises:
        NotFoundError: no such person in this firm.
        ExistsError: this wall stands already.
    """
    if tx.one(_PERSON, person=person_id, firm=firm_id) is None:
        raise NotFoundError
    if tx.one(_STANDING, person=person_id, matter=matter_id, now=moment.s) is not None:
        raise ExistsError("This wall stands already.")


def _write(act: Act, person_id: str, matter_id: str, reason: str) -> str:
    require_new(act.tx, act.moment, act.firm_id, person_id, matter_id)
    wall_id, firm, now = act.new_id("wal"), act.firm(), act.moment.s
    act.tx.run(
        _ADD,
        id=wall_id,
        firm_id=act.firm_id,
        person_id=person_id,
        matter_id=matter_id,
        reason=act.seal(firm, "walls", "reason", wall_id, reason),
        raised_at=now,
        lifted_at=FOREVER,
        version=1,
    )
    act.record(
        EventType.WALL_RAISED,
        {"wall": wall_id, "person": person_id, "matter": matter_id},
        {"raised_at": now, "lifted_at": FOREVER},
        act.payload(firm, {"reason": reason}),
    )
    return wall_id


def _row(act: Act, wall_id: str) -> Any:
    row = act.tx.one(_ONE, wall=wall_id, firm=act.firm_id)
    if row is None:
        raise NotFoundError
    act.show([wall_id])
    return row


def _opened(reader: NameReader, firm: Holder, row: Any) -> Wall:
    reason = reader.open(firm, "walls", "reason", row.id, row.reason)
    return Wall(row.id, row.person_id, row.matter_id, reason, row.raised_at, row.lifted_at, row.version)

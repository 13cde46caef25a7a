"""Matters: one client case each, belonging to the firm, and the team of attorneys and coordinators named on it.

Rules kept here:

* whoever creates a matter is named on its team at once, so that no matter is nobody's;
* the client's name is opened for those whose role may read a matter and who are named on it; the owner's list shows
  numbers alone;
* it says which duties it demands before its papers travel, whoever they go to;
* a wall hides the matter from the person on all lists, also from an attorney named on it.

A matter's number stands in the clear and must not tell a name; the form of numbers leaves little room for one.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import ColumnElement, and_, bindparam, exists, insert, not_, or_, select, update

from service import names
from service.acts import Act, Caller, perform
from service.db.models import FOREVER, matter_team, matters, memberships, parts, people
from service.door import Holder, NameReader
from service.duties import bits, shown
from service.errors import BadInputError, ExistsError, NotFoundError
from service.events import EventType
from service.paging import Page, Window, page
from service.scoping import facts
from service.scoping.actions import OWED_BY_MATTER, Action, Role, Side
from service.scoping.decide import Subject
from service.services import Services

NUMBER: Final = re.compile(r"[A-Za-z0-9._/-]{1,64}")


@dataclass(frozen=True, slots=True)
class Named:
    """A person named on a matter's team, and since when (UTC seconds)."""

    person_id: str
    since: int


@dataclass(frozen=True, slots=True)
class Matter:
    """A matter.

    Args:
        client: None for those who may know the matter by its number alone.
        owed: the duties that it demands; None for those too.
        team: who is named on it now; empty in lists.
    """

    id: str
    number: str
    client: str | None
    created_at: int  # UTC seconds
    version: int
    owed: tuple[str, ...] | None
    team: tuple[Named, ...] = ()


def within_reach(matter: ColumnElement[str]) -> ColumnElement[bool]:
    """Whether a matter exists for the asker, as the fact `assigned` of a matter has it, walls counted.

    To be used in a query that joins the asker's membership (`facts.is_membership`); binds what `asker` gives.
    """
    own = parts.alias("own_part")  # the enclosing query may be about parts itself
    in_own_engagement = exists().where(own.c.engagement_id == memberships.c.engagement_id, own.c.matter_id == matter)
    whole_house = memberships.c.engagement_id.is_(None)
    named = and_(facts.on_team(matter), or_(whole_house, in_own_engagement))
    runs_house = and_(whole_house, memberships.c.role == Role.OWNER.value)
    return and_(facts.window(), or_(runs_house, named), not_(facts.walled(matter)))


def asker(act: Act) -> dict[str, Any]:
    """What the expressions of `service.scoping.facts` bind of the asker and the moment."""
    return {
        "firm": act.firm_id,
        "person": act.actor.person_id,
        "membership": act.actor.membership_id,
        "now": act.moment.s,
    }


_ADD = insert(matters)
_ONE = select(matters).where(matters.c.id == bindparam("matter"), matters.c.firm_id == bindparam("firm"))
_SOME = (
    select(matters)
    .select_from(matters.join(memberships, facts.is_membership()))
    .where(matters.c.firm_id == facts.FIRM, matters.c.id > bindparam("after"), within_reach(matters.c.id))
    .order_by(matters.c.id)
    .limit(bindparam("most"))
)
_BY_NUMBER = select(matters.c.id).where(matters.c.firm_id == bindparam("firm"), matters.c.number == bindparam("number"))
_TOUCH = update(matters).where(matters.c.id == bindparam("matter")).values(version=matters.c.version + 1)
_DEMAND = (
    update(matters)
    .where(matters.c.id == bindparam("matter"))
    .values(owed=bindparam("demanded"), version=matters.c.version + 1)
)
_PERSON = select(people.c.side).where(people.c.id == bindparam("person"), people.c.firm_id == bindparam("firm"))
_TEAM = (
    select(matter_team.c.person_id, matter_team.c.since)
    .where(
        matter_team.c.matter_id == bindparam("matter"),
        matter_team.c.since <= bindparam("now"),
        matter_team.c.until > bindparam("now"),
    )
    .order_by(matter_team.c.person_id)
)
_SEAT = select(matter_team.c.since, matter_team.c.until).where(
    matter_team.c.matter_id == bindparam("matter"), matter_team.c.person_id == bindparam("person")
)
_TAKE_SEAT = insert(matter_team)
_CHANGE_SEAT = (
    update(matter_team)
    .where(matter_team.c.matter_id == bindparam("matter"), matter_team.c.person_id == bindparam("named"))
    .values(since=bindparam("begin"), until=bindparam("end"))
)


def number(text: str, field: str = "number") -> str:
    """Check a number of a matter or an engagement: 1 to 64 letters, digits, dots, dashes, underscores and slashes.

    Raises:
        BadInputError: names the field.
    """
    if not NUMBER.fullmatch(text):
        raise BadInputError(
            f"{field}: send 1 to 64 letters, digits, dots, dashes, underscores or slashes, and no names.",
            extra={"field": field},
        )
    return text


async def create(
    services: Services, caller: Caller, matter_number: str, client: str, owed: Sequence[str] = ()
) -> Matter:
    """Open a matter and name its creator on the team.

    Args:
        owed: the duties that it demands of whoever its papers go to.

    Raises:
        ExistsError: the firm has a matter of this number.
    """
    matter_number, client, demanded = number(matter_number), names.name(client, "client"), bits(owed, OWED_BY_MATTER)

    def change(act: Act) -> tuple[Holder, Any, tuple[Named, ...]]:
        request = {"number": matter_number, "client": client, "owed": demanded}
        matter_id = act.once("matter", request, lambda: _write(act, matter_number, client, demanded))
        return act.firm(), *_found(act, matter_id)

    done = await perform(services, caller, Action.MATTER_CREATE, Subject(), change)
    return _opened(NameReader(services.keys, done.authorised), *done.result)


async def read(services: Services, caller: Caller, matter_id: str) -> Matter:
    """Read one matter with its team."""

    def change(act: Act) -> tuple[Holder, Any, tuple[Named, ...]]:
        return act.firm(), *_found(act, matter_id)

    done = await perform(services, caller, Action.MATTER_READ, Subject(matter=matter_id), change)
    return _opened(NameReader(services.keys, done.authorised), *done.result)


async def list_all(services: Services, caller: Caller, asked: Window) -> Page[Matter]:
    """List the matters that exist for the asker, oldest first."""

    def change(act: Act) -> tuple[Holder, bool, Page[Any]]:
        found = page(act.tx.all(_SOME, **asker(act), after=asked.after, most=asked.limit + 1), asked)
        act.list_out([row.id for row in found.items])
        return act.firm(), act.services.matrix.current.role_may(act.actor.role, Action.MATTER_READ), found

    done = await perform(services, caller, Action.MATTER_LIST, Subject(), change)
    firm, with_client, found = done.result
    reader = NameReader(services.keys, done.authorised)
    shown: Page[Matter] = found.map(lambda row: _opened(reader, firm, row, (), with_client=with_client))
    return shown


async def change(services: Services, caller: Caller, matter_id: str, owed: Sequence[str]) -> Matter:
    """Say anew which duties a matter demands; what it demands more shuts at once what lacks it.

    Raises:
        BadInputError: a duty that no matter demands.
        PreconditionMissingError, StaleError: If-Match.
    """
    demanded = bits(owed, OWED_BY_MATTER)

    def write(act: Act) -> tuple[Holder, Any, tuple[Named, ...]]:
        row, _ = _found(act, matter_id)
        act.require_version(row.id, row.version)
        act.tx.run(_DEMAND, matter=row.id, demanded=demanded)
        data = {"owed": shown(demanded), "owed_before": shown(row.owed)}
        act.record(EventType.MATTER_CHANGED, {"matter": row.id}, data)
        return act.firm(), *_found(act, matter_id)

    done = await perform(services, caller, Action.MATTER_CHANGE, Subject(matter=matter_id), write)
    return _opened(NameReader(services.keys, done.authorised), *done.result)


async def name_on_team(services: Services, caller: Caller, matter_id: str, person_id: str) -> None:
    """Name somebody of the firm on a matter's team; naming again changes nothing.

    Raises:
        NotFoundError: no such person in this firm.
        BadInputError: somebody of a vendor; those see a matter's papers by grants alone.
    """

    def change(act: Act) -> None:
        side = act.tx.value(_PERSON, person=person_id, firm=act.firm_id)
        if side is None:
            raise NotFoundError
        if side != Side.FIRM:
            raise BadInputError("Only people of the firm are named on a matter.", extra={"field": "person_id"})
        seat, now = act.tx.one(_SEAT, matter=matter_id, person=person_id), act.moment.s
        if seat is not None and seat.since <= now < seat.until:
            return
        _seat(act, matter_id, person_id, since=now, until=FOREVER, is_new=seat is None)
        act.tx.run(_TOUCH, matter=matter_id)

    await perform(services, caller, Action.MATTER_NAME, Subject(matter=matter_id), change)


async def take_off_team(services: Services, caller: Caller, matter_id: str, person_id: str) -> None:
    """End somebody's place on a matter's team at once.

    Raises:
        NotFoundError: not named on it now.
    """

    def change(act: Act) -> None:
        seat, now = act.tx.one(_SEAT, matter=matter_id, person=person_id), act.moment.s
        if seat is None or not seat.since <= now < seat.until:
            raise NotFoundError
        _seat(act, matter_id, person_id, since=seat.since, until=now, is_new=False)
        act.tx.run(_TOUCH, matter=matter_id)

    await perform(services, caller, Action.MATTER_NAME, Subject(matter=matter_id), change)


def _write(act: Act, matter_number: str, client: str, owed: int) -> str:
    if act.tx.one(_BY_NUMBER, firm=act.firm_id, number=matter_number) is not None:
        raise ExistsError("The firm has a matter of this number already.")
    matter_id, firm = act.new_id("mtr"), act.firm()
    act.tx.run(
        _ADD,
        id=matter_id,
        firm_id=act.firm_id,
        number=matter_number,
        client=act.seal(firm, "matters", "client", matter_id, client),
        created_at=act.moment.s,
        version=1,
        owed=owed,
    )
    payload = act.payload(firm, {"number": matter_number, "client": client})
    act.record(EventType.MATTER_CREATED, {"matter": matter_id}, {"owed": shown(owed)}, payload)
    _seat(act, matter_id, act.actor.person_id, since=act.moment.s, until=FOREVER, is_new=True)
    return matter_id


def _seat(act: Act, matter_id: str, person_id: str, *, since: int, until: int, is_new: bool) -> None:
    """Write a place on a team, and its entry with the place's whole life."""
    if is_new:
        act.tx.run(_TAKE_SEAT, matter_id=matter_id, person_id=person_id, firm_id=act.firm_id, since=since, until=until)
    else:
        act.tx.run(_CHANGE_SEAT, matter=matter_id, named=person_id, begin=since, end=until)
    subjects: Mapping[str, str] = {"matter": matter_id, "person": person_id}
    kind = EventType.MATTER_NAMED if until > act.moment.s else EventType.MATTER_UNNAMED
    act.record(kind, subjects, {"since": since, "until": until})


def _found(act: Act, matter_id: str) -> tuple[Any, tuple[Named, ...]]:
    row = act.tx.one(_ONE, matter=matter_id, firm=act.firm_id)
    if row is None:
        raise NotFoundError
    act.show([matter_id])
    team = act.tx.all(_TEAM, matter=matter_id, now=act.moment.s)
    return row, tuple(Named(seat.person_id, seat.since) for seat in team)


def _opened(reader: NameReader, firm: Holder, row: Any, team: tuple[Named, ...], *, with_client: bool = True) -> Matter:
    client = reader.open(firm, "matters", "client", row.id, row.client) if with_client else None
    owed = tuple(shown(row.owed)) if with_client else None
    return Matter(row.id, row.number, client, row.created_at, row.version, owed, team)

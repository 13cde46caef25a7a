"""Members: who acts in which role, in one engagement or for the whole house, and from when to when.

Rules kept here:

* a membership is (person, engagement, role); at most one of each runs at a time, and one that ended never runs again;
* vendor roles are for people of the engagement's vendor, firm roles for people of the firm; the owner's role is for the
  whole house only, and a vendor's never is;
* no membership outlives its engagement;
* ending one ends its access that minute: its tokens are withdrawn and its tasks cancelled in the same transaction, its
  grants are dead because a new membership is another row; a lead who leaves hands over first;
* a firm is never without an owner who can act.

What a role may do is said in policies/policy.csv.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import Text, bindparam, insert, or_, select, update

from service import duties, tasks, tokens
from service.acts import Act, Caller, perform
from service.brakes import pressing
from service.brakes.marks import NOT_BRAKED, Brake, brake_of
from service.db import models
from service.db.ids import is_id
from service.db.models import ANY, FOREVER, engagements, memberships, people
from service.door import Holder, NameReader
from service.duties import Missing
from service.engagements import RUNNING, hand_over
from service.errors import BadInputError, BadStateError, ExistsError, NotFoundError
from service.events import EventType
from service.paging import Page, Window, page
from service.scoping.actions import Action, Role, Side, side_of
from service.scoping.decide import Subject
from service.services import Services
from service.sharing import keeping


@dataclass(frozen=True, slots=True)
class Member:
    """A membership and the name of its person.

    Args:
        engagement_id: None for the whole house.
        state: ``to_come``, ``running``, ``suspended`` or ``ended``, at the time of the answer.
        brake: None unless it was the brake that suspended him, and nobody has resumed him since.
        missing: what its person or vendor lacks before access opens; nothing once it has ended.
    """

    id: str
    engagement_id: str | None
    person_id: str
    name: str
    side: str
    role: str
    starts_at: int  # UTC seconds
    ends_at: int  # UTC seconds; FOREVER where no end is set
    state: str
    created_at: int  # UTC seconds
    version: int
    brake: Brake | None
    missing: tuple[Missing, ...]


@dataclass(frozen=True, slots=True)
class NewMember:
    """Who shall act in which role.

    Args:
        starts_at: UTC seconds; None, or a time that has passed: now.
        ends_at: UTC seconds; None: with the engagement, or, for the whole house, not at all.
    """

    person_id: str
    role: str
    starts_at: int | None = None
    ends_at: int | None = None


Apply = Callable[[Act, Any], None]
_Told = tuple[Any, int, tuple[Missing, ...]]  # a row, the time in UTC seconds, and what is missing

_OF_PERSON: Final = (
    people.c.key_id.label("person_key_id"),
    people.c.field_key.label("person_field_key"),
    people.c.name.label("person_name"),
    people.c.vendor_id,
)
_ROWS = select(memberships, *_OF_PERSON).join_from(memberships, people, people.c.id == memberships.c.person_id)

_ADD = insert(memberships)
_ONE = _ROWS.where(memberships.c.id == bindparam("member"), memberships.c.firm_id == bindparam("firm"))
_SIDE: Final = bindparam("side", type_=Text)
_PAGE = (
    _ROWS.where(
        memberships.c.firm_id == bindparam("firm"),
        memberships.c.id > bindparam("after"),
        or_(_SIDE == ANY, memberships.c.side == _SIDE),
    )
    .order_by(memberships.c.id)
    .limit(bindparam("most"))
)
_IN_ENGAGEMENT = _PAGE.where(memberships.c.engagement_id == bindparam("engagement"))
_OF_HOUSE = _PAGE.where(memberships.c.engagement_id.is_(None))
_PERSON = select(people.c.side, people.c.vendor_id).where(
    people.c.id == bindparam("person"), people.c.firm_id == bindparam("firm")
)
_ENGAGEMENT = select(engagements.c.vendor_id, engagements.c.status, engagements.c.ends_at).where(
    engagements.c.id == bindparam("engagement"), engagements.c.firm_id == bindparam("firm")
)
_SAME = select(memberships.c.engagement_id).where(
    memberships.c.person_id == bindparam("person"),
    memberships.c.role == bindparam("role"),
    memberships.c.ends_at > bindparam("now"),
)
_OWNERS = select(memberships.c.id).where(
    memberships.c.firm_id == bindparam("firm"),
    memberships.c.role == Role.OWNER.value,
    memberships.c.engagement_id.is_(None),
    memberships.c.suspended == 0,
    memberships.c.starts_at <= bindparam("now"),
    memberships.c.ends_at == FOREVER,
    memberships.c.id != bindparam("member"),
)
_CHANGE = (
    update(memberships)
    .where(memberships.c.id == bindparam("member"))
    .values(suspended=bindparam("is_suspended"), ends_at=bindparam("end"), version=memberships.c.version + 1)
)
_TOKENS = select(models.tokens.c.id).where(
    models.tokens.c.membership_id == bindparam("member"),
    models.tokens.c.revoked_at > bindparam("now"),
    models.tokens.c.expires_at > bindparam("now"),
)


async def add(services: Services, caller: Caller, engagement_id: str | None, new: NewMember) -> Member:
    """Let a person act in a role, in an engagement or (None) for the whole house.

    Raises:
        NotFoundError: no such person in this firm.
        BadInputError: a role of the other side, somebody of another vendor, or dates that do not fit.
        BadStateError: the engagement has ended.
        ExistsError: the person has this membership, and it runs.
    """

    def change(act: Act) -> _Told:
        request = {"engagement": engagement_id, **{field: getattr(new, field) for field in NewMember.__slots__}}
        member_id = act.once("member", request, lambda: _write(act, engagement_id, new))
        return _told(act, _row(act, member_id))

    done = await perform(services, caller, Action.MEMBER_ADD, Subject(engagement=engagement_id), change)
    return await asyncio.to_thread(_opened, NameReader(services.keys, done.authorised), *done.result)


async def read(services: Services, caller: Caller, member_id: str) -> Member:
    """Read one membership; a vendor's manager reads those of his side."""

    def change(act: Act) -> _Told:
        row = _row(act, member_id)
        if act.actor.side == Side.VENDOR and row.side != Side.VENDOR:
            raise NotFoundError
        return _told(act, row)

    done = await perform(services, caller, Action.MEMBER_LIST, _subject(member_id), change)
    return await asyncio.to_thread(_opened, NameReader(services.keys, done.authorised), *done.result)


async def list_all(services: Services, caller: Caller, engagement_id: str | None, asked: Window) -> Page[Member]:
    """List the memberships of an engagement, or (None) of the whole house, ended ones too, oldest first."""

    def change(act: Act) -> Page[_Told]:
        side = Side.VENDOR.value if act.actor.side == Side.VENDOR else ANY
        bound = {"firm": act.firm_id, "side": side, "after": asked.after, "most": asked.limit + 1}
        if engagement_id is None:
            rows = act.tx.all(_OF_HOUSE, **bound)
        else:
            rows = act.tx.all(_IN_ENGAGEMENT, **bound, engagement=engagement_id)
        found = page(rows, asked)
        act.list_out([row.id for row in found.items])
        act.show(row.person_id for row in found.items)
        told: Page[_Told] = found.map(lambda row: _told(act, row))
        return told

    done = await perform(services, caller, Action.MEMBER_LIST, Subject(engagement=engagement_id), change)
    reader, told = NameReader(services.keys, done.authorised), done.result
    return await asyncio.to_thread(told.map, lambda each: _opened(reader, *each))


async def suspend(services: Services, caller: Caller, member_id: str) -> Member:
    """Suspend a membership at once, until it is resumed.

    Raises:
        BadStateError: it has ended, is suspended, or is the firm's last owner's.
    """

    def apply(act: Act, row: Any) -> None:
        if row.suspended:
            raise BadStateError("This membership is suspended already.")
        _require_other_owner(act, row)
        _change(act, EventType.MEMBER_SUSPENDED, row, suspended=True, ends_at=row.ends_at)

    return await _changed(services, caller, member_id, Action.MEMBER_SUSPEND, apply)


async def resume(services: Services, caller: Caller, member_id: str) -> Member:
    """End a suspension.

    Raises:
        BadStateError: the membership has ended or is not suspended.
    """

    def apply(act: Act, row: Any) -> None:
        if not row.suspended:
            raise BadStateError("This membership is not suspended.")
        pressing.release(act, row.id)
        _change(act, EventType.MEMBER_RESUMED, row, suspended=False, ends_at=row.ends_at)

    return await _changed(services, caller, member_id, Action.MEMBER_RESUME, apply)


async def end(services: Services, caller: Caller, member_id: str) -> Member:
    """End a membership and everything that hangs on it, at once and for good.

    Raises:
        BadStateError: it has ended, is the firm's last owner's, or its person leads an engagement that nobody else
            could lead.
    """

    def apply(act: Act, row: Any) -> None:
        _require_other_owner(act, row)
        _change(act, EventType.MEMBER_ENDED, row, suspended=bool(row.suspended), ends_at=act.moment.s)
        for token in act.tx.all(_TOKENS, member=row.id, now=act.moment.s):
            act.drafts.append(tokens.revoke(act.tx, act.moment, token.id, row.id, row.person_id, act.who))
        tasks.end_of_member(act, row.id)
        if row.role == Role.ATTORNEY and row.engagement_id is None:
            hand_over(act, row.person_id)

    return await _changed(services, caller, member_id, Action.MEMBER_END, apply)


async def _changed(services: Services, caller: Caller, member_id: str, action: Action, apply: Apply) -> Member:
    """Do one act on a membership that has not ended, as it was read."""

    def change(act: Act) -> _Told:
        row = _row(act, member_id)
        act.require_version(row.id, row.version)
        if row.ends_at <= act.moment.s:
            raise BadStateError("This membership has ended. Add a new one, if that is right.")
        apply(act, row)
        return _told(act, _row(act, member_id))

    done = await perform(services, caller, action, _subject(member_id), change)
    return await asyncio.to_thread(_opened, NameReader(services.keys, done.authorised), *done.result)


def _subject(member_id: str) -> Subject:
    """The engagement, or the house, that a membership is in; an id of another kind stands for nothing here."""
    return Subject(via=member_id if is_id(member_id, "mem") else "")


def _write(act: Act, engagement_id: str | None, new: NewMember) -> str:
    side = _require_side(act, engagement_id, new)
    starts_at, ends_at = _dates(act, engagement_id, new)
    running = act.tx.all(_SAME, person=new.person_id, role=new.role, now=act.moment.s)
    if any(row.engagement_id == engagement_id for row in running):
        raise ExistsError("This person has this role here already.")
    member_id = act.new_id("mem")
    act.tx.run(
        _ADD,
        id=member_id,
        firm_id=act.firm_id,
        person_id=new.person_id,
        engagement_id=engagement_id,
        side=side.value,
        role=new.role,
        starts_at=starts_at,
        ends_at=ends_at,
        suspended=0,
        **NOT_BRAKED,
        created_at=act.moment.s,
        version=1,
    )
    subjects = {"membership": member_id, "person": new.person_id}
    if engagement_id is not None:
        subjects["engagement"] = engagement_id
    act.record(EventType.MEMBER_ADDED, subjects, _terms(new.role, starts_at, ends_at, suspended=False))
    if engagement_id is not None:
        keeping.welcome(act, engagement_id, member_id, new.role)
    return member_id


def _require_side(act: Act, engagement_id: str | None, new: NewMember) -> Side:
    """The side of the role, when the person is of that side and, on the vendor's, of the engagement's vendor."""
    person = act.tx.one(_PERSON, person=new.person_id, firm=act.firm_id)
    if person is None:
        raise NotFoundError
    side = side_of(new.role)
    if (engagement_id is None and side is not Side.FIRM) or (engagement_id is not None and new.role == Role.OWNER):
        raise _bad("role", "vendor roles are for one engagement, the owner's role is for the whole house.")
    if person.side != side.value:
        raise _bad("role", "people of the firm take the firm's roles, people of a vendor the vendor's.")
    if side is Side.VENDOR:
        engagement = act.tx.one(_ENGAGEMENT, engagement=engagement_id, firm=act.firm_id)
        if engagement is None or engagement.vendor_id != person.vendor_id:
            raise _bad("person_id", "name somebody of the vendor that this engagement is with.")
    return side


def _dates(act: Act, engagement_id: str | None, new: NewMember) -> tuple[int, int]:
    """From when to when the membership shall run: never over its engagement's end."""
    latest = FOREVER
    if engagement_id is not None:
        engagement = act.tx.one(_ENGAGEMENT, engagement=engagement_id, firm=act.firm_id)
        if engagement is None:
            raise NotFoundError
        if engagement.status != RUNNING or engagement.ends_at <= act.moment.s:
            raise BadStateError("The engagement has ended. Nobody can be added to it.")
        latest = engagement.ends_at
    starts_at = max(new.starts_at or 0, act.moment.s)
    ends_at = latest if new.ends_at is None else new.ends_at
    if ends_at > latest:
        raise _bad("ends_at", "a membership ends with its engagement at the latest.")
    if ends_at <= starts_at:
        raise _bad("ends_at", "must lie ahead, and be later than starts_at.")
    return starts_at, ends_at


def _change(act: Act, kind: EventType, row: Any, *, suspended: bool, ends_at: int) -> None:
    act.tx.run(_CHANGE, member=row.id, is_suspended=int(suspended), end=ends_at)
    subjects = {"membership": row.id, "person": row.person_id}
    act.record(kind, subjects, _terms(row.role, row.starts_at, ends_at, suspended=suspended))


def _terms(role: str, starts_at: int, ends_at: int, *, suspended: bool) -> dict[str, str | int | bool | list[str]]:
    """What rules depend on, whole."""
    return {"role": role, "starts_at": starts_at, "ends_at": ends_at, "suspended": suspended}


def _require_other_owner(act: Act, row: Any) -> None:
    """Refuse to shut out the last owner: without one nobody could let anybody in again."""
    if row.role != Role.OWNER:
        return
    if act.tx.one(_OWNERS, firm=act.firm_id, now=act.moment.s, member=row.id) is None:
        raise BadStateError("This is the firm's last owner. Let somebody else own the house first.")


def _bad(field: str, sentence: str) -> BadInputError:
    return BadInputError(f"{field}: {sentence}", extra={"field": field})


def _row(act: Act, member_id: str) -> Any:
    row = act.tx.one(_ONE, member=member_id, firm=act.firm_id)
    if row is None:
        raise NotFoundError
    act.show([row.id, row.person_id])
    return row


def _told(act: Act, row: Any) -> _Told:
    now = act.moment.s
    owing = row.side == Side.VENDOR and row.ends_at > now
    return row, now, duties.missing(act.tx, act.services.matrix.current, act.moment, row) if owing else ()


def _opened(reader: NameReader, row: Any, now_s: int, missing: tuple[Missing, ...]) -> Member:
    person = Holder(row.person_id, row.person_key_id, row.person_field_key)
    return Member(
        id=row.id,
        engagement_id=row.engagement_id,
        person_id=row.person_id,
        name=reader.open(person, "people", "name", row.person_id, row.person_name),
        side=row.side,
        role=row.role,
        starts_at=row.starts_at,
        ends_at=row.ends_at,
        state=_state(row, now_s),
        created_at=row.created_at,
        version=row.version,
        brake=brake_of(row),
        missing=missing,
    )


def _state(row: Any, now_s: int) -> str:
    if row.ends_at <= now_s:
        return "ended"
    if row.suspended:
        return "suspended"
    return "running" if row.starts_at <= now_s else "to_come"

"""Letting a person act in a role."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass

from sqlalchemy import bindparam, insert, select

from service.acts import Act, Caller, perform
from service.brakes.marks import NOT_BRAKED
from service.db.models import FOREVER, engagements, matters, memberships, people
from service.door import NameReader
from service.engagements import RUNNING
from service.errors import BadInputError, BadStateError, ExistsError, NotFoundError
from service.events import EventType
from service.members.containing import require_at_large
from service.members.rows import Member, Told, opened, row_of, terms, told
from service.scoping.actions import Action, Role, Side, side_of
from service.scoping.decide import Subject
from service.services import Services
from service.sharing import keeping


@dataclass(frozen=True, slots=True)
class NewMember:
    """Who shall act in which role.

    Args:
        starts_at: UTC seconds; None, or a time that has passed: now.
        ends_at: UTC seconds; None: with the engagement, or, for the whole house, not at all.
        matter_id: a reviewer's seat for the whole house is limited to this matter; None: to none.
    """

    person_id: str
    role: str
    starts_at: int | None = None
    ends_at: int | None = None
    matter_id: str | None = None


_ADD = insert(memberships)
_PERSON = select(people.c.side, people.c.vendor_id).where(
    people.c.id == bindparam("person"), people.c.firm_id == bindparam("firm")
)
_ENGAGEMENT = select(engagements.c.vendor_id, engagements.c.status, engagements.c.ends_at).where(
    engagements.c.id == bindparam("engagement"), engagements.c.firm_id == bindparam("firm")
)
_MATTER = select(matters.c.id).where(matters.c.id == bindparam("matter"), matters.c.firm_id == bindparam("firm"))
_SAME = select(memberships.c.engagement_id, memberships.c.matter_id).where(
    memberships.c.person_id == bindparam("person"),
    memberships.c.role == bindparam("role"),
    memberships.c.ends_at > bindparam("now"),
)


async def add(services: Services, caller: Caller, engagement_id: str | None, new: NewMember) -> Member:
    """Let a person act in a role, in an engagement or (None) for the whole house.

    Raises:
        NotFoundError: no such person or matter in this firm.
        BadInputError: a role of the other side, somebody of another vendor, dates that do not fit, or a matter for
            anybody but a reviewer of the house.
        BadStateError: the engagement has ended, or the person is suspended in the whole firm.
        ExistsError: the person has this membership, and it runs.
    """

    def change(act: Act) -> Told:
        request = {"engagement": engagement_id, **{field: getattr(new, field) for field in NewMember.__slots__}}
        member_id = act.once("member", request, lambda: _write(act, engagement_id, new))
        return told(act, row_of(act, member_id))

    done = await perform(services, caller, Action.MEMBER_ADD, Subject(engagement=engagement_id), change)
    return await asyncio.to_thread(opened, NameReader(services.keys, done.authorised), *done.result)


def _write(act: Act, engagement_id: str | None, new: NewMember) -> str:
    side = _require_side(act, engagement_id, new)
    _require_matter(act, engagement_id, new)
    require_at_large(act, new.person_id)
    starts_at, ends_at = _dates(act, engagement_id, new)
    running = act.tx.all(_SAME, person=new.person_id, role=new.role, now=act.moment.s)
    if (engagement_id, new.matter_id) in {(row.engagement_id, row.matter_id) for row in running}:
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
        matter_id=new.matter_id,
        created_at=act.moment.s,
        version=1,
    )
    subjects = {"membership": member_id, "person": new.person_id}
    if engagement_id is not None:
        subjects["engagement"] = engagement_id
    limit = {} if new.matter_id is None else {"matter_id": new.matter_id}
    act.record(EventType.MEMBER_ADDED, subjects, {**terms(new.role, starts_at, ends_at, suspended=False), **limit})
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


def _require_matter(act: Act, engagement_id: str | None, new: NewMember) -> None:
    """Refuse a matter that is not this firm's, and one for a membership that cannot be limited to it."""
    if new.matter_id is None:
        return
    if engagement_id is not None or new.role != Role.REVIEWER:
        raise _bad("matter_id", "only a reviewer's seat for the whole house is limited to a matter.")
    if act.tx.one(_MATTER, matter=new.matter_id, firm=act.firm_id) is None:
        raise NotFoundError


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


def _bad(field: str, sentence: str) -> BadInputError:
    return BadInputError(f"{field}: {sentence}", extra={"field": field})

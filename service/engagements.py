"""Engagements: the contract of one firm with one vendor; root of authority and unit of disposal.

Rules kept here:

* an engagement has a key of its own, wrapped by the root key alone, so that destroying it ends what it seals at once;
* the speaking name is for attorneys and coordinators; everybody else knows number, firm and vendor;
* an engagement is never without a lead: lead and deputy are people of the firm whose attorney membership is for the
  whole house, runs now and lasts as long as the engagement; when a lead leaves, the deputy leads (`hand_over`);
* the end date can be moved while the engagement runs and always lies ahead; memberships that ended with the engagement
  move with it, and none outlives it. The entry of the change has both ends, so the rows can be replayed from the log;
* it declares whether members may ask for what they were not handed; until it does, nothing of that exists for them;
* it says which duties it demands beside the NDA; demanding fewer is a change with its entry too.

The parts of matters in an engagement are in service/parts.py, its people in service/members.py.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import bindparam, insert, or_, select, update

from service import names
from service.acts import Act, Caller, perform
from service.brakes.marks import MARKS
from service.db.models import engagements, firms, memberships, people, vendors
from service.door import Holder, NameReader
from service.duties import bits, shown
from service.errors import BadInputError, BadStateError, ExistsError, KeyMissingError, NotFoundError
from service.events import EventType
from service.matters import asker, number
from service.paging import Page, Window, page
from service.scoping import facts
from service.scoping.actions import OWED_BY_ENGAGEMENT, Action, Role, Side, Withheld, side_of
from service.scoping.decide import Subject
from service.services import Services
from service.terms import Terms, said_before

RUNNING: Final = "running"
CLOSING: Final = "closing"
DISPOSED: Final = "disposed"

_KNOW_THE_NAME: Final = frozenset({Role.ATTORNEY.value, Role.COORDINATOR.value})


@dataclass(frozen=True, slots=True)
class Engagement:
    """An engagement, as far as the asker may know it.

    Args:
        name: None for those who know it by number, and when its key is destroyed.
        firm: the firm's name.
        lead_id, deputy_id, withheld, owed: None for vendor people.
        role: the asker's own.
    """

    id: str
    vendor_id: str
    number: str
    name: str | None
    firm: str
    status: str
    starts_at: int  # UTC seconds
    ends_at: int  # UTC seconds
    lead_id: str | None
    deputy_id: str | None
    withheld: str | None
    owed: tuple[str, ...] | None
    role: str
    created_at: int  # UTC seconds
    version: int


@dataclass(frozen=True, slots=True)
class NewEngagement:
    """What it takes to begin an engagement; times in UTC seconds."""

    vendor_id: str
    number: str
    name: str
    starts_at: int
    ends_at: int
    lead_id: str
    deputy_id: str | None = None
    owed: tuple[str, ...] = ()  # duties that it demands beside the NDA


@dataclass(frozen=True, slots=True)
class Changes:
    """What shall change; None leaves it as it is, an empty `deputy_id` leaves the engagement without a deputy."""

    name: str | None = None
    ends_at: int | None = None  # UTC seconds
    lead_id: str | None = None
    deputy_id: str | None = None
    withheld: str | None = None  # a word of `Withheld`
    owed: tuple[str, ...] | None = None  # duties that it demands beside the NDA, whole


_ADD = insert(engagements)
_ONE = (
    select(engagements, firms.c.name.label("firm_name"))
    .join_from(engagements, firms, firms.c.id == engagements.c.firm_id)
    .where(engagements.c.id == bindparam("engagement"), engagements.c.firm_id == bindparam("firm"))
)
_SOME = (
    select(engagements, firms.c.name.label("firm_name"))
    .select_from(engagements.join(firms, firms.c.id == engagements.c.firm_id).join(memberships, facts.is_membership()))
    .where(
        engagements.c.firm_id == facts.FIRM,
        engagements.c.id > bindparam("after"),
        or_(facts.engagement_is_led(), facts.engagement_is_named(), facts.engagement_is_reviewed()),
    )
    .order_by(engagements.c.id)
    .limit(bindparam("most"))
)
_BY_NUMBER = select(engagements.c.id).where(
    engagements.c.firm_id == bindparam("firm"), engagements.c.number == bindparam("number")
)
_VENDOR = select(vendors.c.id).where(vendors.c.id == bindparam("vendor"), vendors.c.firm_id == bindparam("firm"))
_PERSON = select(people.c.id).where(people.c.id == bindparam("person"), people.c.firm_id == bindparam("firm"))
_MAY_LEAD = select(memberships.c.id).where(
    memberships.c.person_id == bindparam("person"),
    memberships.c.firm_id == bindparam("firm"),
    memberships.c.role == Role.ATTORNEY.value,
    memberships.c.engagement_id.is_(None),
    memberships.c.suspended == 0,
    memberships.c.starts_at <= bindparam("now"),
    memberships.c.ends_at > bindparam("now"),
    memberships.c.ends_at >= bindparam("end"),
)
_WRITE = (
    update(engagements)
    .where(engagements.c.id == bindparam("engagement"))
    .values(
        name=bindparam("sealed"),
        ends_at=bindparam("end"),
        lead_id=bindparam("lead"),
        deputy_id=bindparam("deputy"),
        withheld=bindparam("declared"),
        owed=bindparam("demanded"),
        version=engagements.c.version + 1,
    )
)
_MOVE_ENDS = (
    update(memberships)
    .where(
        memberships.c.engagement_id == bindparam("engagement"),
        memberships.c.ends_at > bindparam("now"),
        or_(memberships.c.ends_at == bindparam("old_end"), memberships.c.ends_at > bindparam("end")),
    )
    .values(ends_at=bindparam("end"), version=memberships.c.version + 1)
)
_LED = select(engagements).where(
    engagements.c.firm_id == bindparam("firm"),
    engagements.c.status != DISPOSED,
    or_(engagements.c.lead_id == bindparam("person"), engagements.c.deputy_id == bindparam("person")),
)


def holder(row: Any) -> Holder:
    """An engagement, from its row, as the holder of a field key."""
    return Holder(row.id, row.key_id, row.field_key)


async def create(services: Services, caller: Caller, new: NewEngagement) -> Engagement:
    """Begin an engagement.

    Raises:
        NotFoundError: this firm knows no such vendor or person.
        BadInputError: dates in the wrong order or over already, or somebody who cannot lead.
        ExistsError: the firm has an engagement of this number.
    """
    name = names.name(new.name, "name")
    number(new.number)

    def change(act: Act) -> tuple[Holder, str, Any]:
        request = {field: getattr(new, field) for field in NewEngagement.__slots__}
        engagement_id = act.once("engagement", request, lambda: _write(act, new, name))
        return act.firm(), act.actor.role, _row(act, engagement_id)

    done = await perform(services, caller, Action.ENGAGEMENT_CREATE, Subject(), change)
    return await asyncio.to_thread(_opened, NameReader(services.keys, done.authorised), *done.result)


async def read(services: Services, caller: Caller, engagement_id: str) -> Engagement:
    """Read one engagement."""

    def change(act: Act) -> tuple[Holder, str, Any]:
        return act.firm(), act.actor.role, _row(act, engagement_id)

    done = await perform(services, caller, Action.ENGAGEMENT_READ, Subject(engagement=engagement_id), change)
    return await asyncio.to_thread(_opened, NameReader(services.keys, done.authorised), *done.result)


async def list_all(services: Services, caller: Caller, asked: Window) -> Page[Engagement]:
    """List the engagements that exist for somebody of the firm, oldest first."""

    def change(act: Act) -> tuple[Holder, str, Page[Any]]:
        found = page(act.tx.all(_SOME, **asker(act), after=asked.after, most=asked.limit + 1), asked)
        act.list_out([row.id for row in found.items])
        return act.firm(), act.actor.role, found

    done = await perform(services, caller, Action.ENGAGEMENT_LIST, Subject(), change)
    firm, role, found = done.result
    reader = NameReader(services.keys, done.authorised)
    return await asyncio.to_thread(found.map, lambda row: _opened(reader, firm, role, row))


async def change(services: Services, caller: Caller, engagement_id: str, changes: Changes) -> Engagement:
    """Rename an engagement, move its end, name another lead or deputy, declare what may be asked for or is demanded.

    Raises:
        PreconditionMissingError, StaleError: see `Act.require_version`.
        BadStateError: its end has passed, so that the end cannot be moved any more.
        BadInputError: an end that does not lie ahead, somebody who cannot lead until then, or a duty not demanded here.
    """
    name = None if changes.name is None else names.name(changes.name, "name")

    def write(act: Act) -> tuple[Holder, str, Any]:
        row = _row(act, engagement_id)
        act.require_version(row.id, row.version)
        _apply(act, row, changes, name)
        return act.firm(), act.actor.role, _row(act, engagement_id)

    done = await perform(services, caller, Action.ENGAGEMENT_CHANGE, Subject(engagement=engagement_id), write)
    return await asyncio.to_thread(_opened, NameReader(services.keys, done.authorised), *done.result)


def hand_over(act: Act, person_id: str) -> None:
    """Let somebody who leaves lead and deputise nowhere: the deputy takes the lead.

    To be called in the transaction in which a person's attorney membership of the whole house ends. A suspension hands
    nothing over: it is to work at once and may be taken back.

    Raises:
        BadStateError: an engagement would be without a lead.
    """
    for row in act.tx.all(_LED, firm=act.firm_id, person=person_id):
        end = max(row.ends_at, act.moment.s)
        deputy = row.deputy_id if row.deputy_id != person_id else None
        lead = row.lead_id if row.lead_id != person_id else deputy
        if lead is None or (lead != row.lead_id and not _may_lead(act, lead, end)):
            raise BadStateError("This person leads an engagement. Name another lead or a deputy first.")
        deputy = None if deputy == lead else deputy
        stays = {"sealed": row.name, "end": row.ends_at, "declared": row.withheld, "demanded": row.owed}
        act.tx.run(_WRITE, engagement=row.id, lead=lead, deputy=deputy, **stays)
        subjects = {"engagement": row.id, "vendor": row.vendor_id}
        terms = Terms(row.starts_at, row.ends_at, lead, deputy, row.withheld, row.owed)
        act.record(EventType.ENGAGEMENT_CHANGED, subjects, {**terms.said(), **said_before(row)})


def _write(act: Act, new: NewEngagement, name: str) -> str:
    if act.tx.one(_VENDOR, vendor=new.vendor_id, firm=act.firm_id) is None:
        raise NotFoundError
    if not new.starts_at < new.ends_at:
        raise _bad("ends_at", "must be later than starts_at.")
    _require_ahead(act, new.ends_at)
    _require_leads(act, new.lead_id, new.deputy_id, new.ends_at)
    if act.tx.one(_BY_NUMBER, firm=act.firm_id, number=new.number) is not None:
        raise ExistsError("The firm has an engagement of this number already.")
    engagement_id, owed = act.new_id("eng"), bits(new.owed, OWED_BY_ENGAGEMENT)
    engagement = act.new_holder(engagement_id, "engagement", None)
    act.tx.run(
        _ADD,
        id=engagement_id,
        firm_id=act.firm_id,
        vendor_id=new.vendor_id,
        number=new.number,
        status=RUNNING,
        key_id=engagement.key_id,
        field_key=engagement.field_key,
        name=act.seal(engagement, "engagements", "name", engagement_id, name),
        starts_at=new.starts_at,
        ends_at=new.ends_at,
        lead_id=new.lead_id,
        deputy_id=new.deputy_id,
        created_at=act.moment.s,
        version=1,
        withheld=Withheld.INVISIBLE.value,
        overlay="",
        **MARKS,
        owed=owed,
    )
    terms = Terms(new.starts_at, new.ends_at, new.lead_id, new.deputy_id, Withheld.INVISIBLE.value, owed)
    act.record(
        EventType.ENGAGEMENT_CREATED,
        {"engagement": engagement_id, "vendor": new.vendor_id},
        {**terms.said(), **MARKS},
        act.payload(engagement, {"number": new.number, "name": name}),
    )
    return engagement_id


def _apply(act: Act, row: Any, changes: Changes, name: str | None) -> None:
    """Write the changes that differ from the row, move the ends of memberships, and record the new terms whole."""
    end = row.ends_at if changes.ends_at is None else changes.ends_at
    lead = changes.lead_id or row.lead_id
    deputy = row.deputy_id if changes.deputy_id is None else changes.deputy_id or None
    if end != row.ends_at:
        if row.ends_at <= act.moment.s:
            raise BadStateError("The engagement has ended; its end can no longer be moved.")
        _require_ahead(act, end)
        if end <= row.starts_at:
            raise _bad("ends_at", "must be later than starts_at.")
    if (end, lead, deputy) != (row.ends_at, row.lead_id, row.deputy_id):
        _require_leads(act, lead, deputy, end)
    sealed = row.name if name is None else act.seal(holder(row), "engagements", "name", row.id, name)
    declared = changes.withheld or row.withheld
    owed = row.owed if changes.owed is None else bits(changes.owed, OWED_BY_ENGAGEMENT)
    stated = {"declared": declared, "demanded": owed}
    act.tx.run(_WRITE, engagement=row.id, sealed=sealed, end=end, lead=lead, deputy=deputy, **stated)
    if end != row.ends_at:
        act.tx.run(_MOVE_ENDS, engagement=row.id, now=act.moment.s, old_end=row.ends_at, end=end)
    act.record(
        EventType.ENGAGEMENT_CHANGED,
        {"vendor": row.vendor_id},
        {**Terms(row.starts_at, end, lead, deputy, declared, owed).said(), **said_before(row)},
        None if name is None else act.payload(holder(row), {"name": name}),
    )


def _require_ahead(act: Act, ends_at: int) -> None:
    if ends_at <= act.moment.s:
        raise _bad("ends_at", "must lie ahead.")


def _require_leads(act: Act, lead_id: str, deputy_id: str | None, ends_at: int) -> None:
    if deputy_id == lead_id:
        raise _bad("deputy_id", "name somebody other than the lead.")
    for field, person_id in (("lead_id", lead_id), ("deputy_id", deputy_id)):
        if person_id is None:
            continue
        if act.tx.one(_PERSON, person=person_id, firm=act.firm_id) is None:
            raise NotFoundError
        if not _may_lead(act, person_id, ends_at):
            raise _bad(field, "name an attorney of the whole house whose membership lasts as long as the engagement.")


def _may_lead(act: Act, person_id: str, ends_at: int) -> bool:
    bound = {"person": person_id, "firm": act.firm_id, "now": act.moment.s, "end": ends_at}
    return act.tx.one(_MAY_LEAD, **bound) is not None


def _bad(field: str, sentence: str) -> BadInputError:
    return BadInputError(f"{field}: {sentence}", extra={"field": field})


def _row(act: Act, engagement_id: str) -> Any:
    row = act.tx.one(_ONE, engagement=engagement_id, firm=act.firm_id)
    if row is None:
        raise NotFoundError
    act.show([row.id, act.firm_id])
    return row


def _opened(reader: NameReader, firm: Holder, role: str, row: Any) -> Engagement:
    of_firm = side_of(role) is Side.FIRM
    return Engagement(
        id=row.id,
        vendor_id=row.vendor_id,
        number=row.number,
        name=_name(reader, row) if role in _KNOW_THE_NAME else None,
        firm=reader.open(firm, "firms", "name", firm.id, row.firm_name),
        status=row.status,
        starts_at=row.starts_at,
        ends_at=row.ends_at,
        lead_id=row.lead_id if of_firm else None,
        deputy_id=row.deputy_id if of_firm else None,
        withheld=row.withheld if of_firm else None,
        owed=tuple(shown(row.owed)) if of_firm else None,
        role=role,
        created_at=row.created_at,
        version=row.version,
    )


def _name(reader: NameReader, row: Any) -> str | None:
    try:
        return reader.open(holder(row), "engagements", "name", row.id, row.name)
    except KeyMissingError:
        if row.status == RUNNING:
            raise
        return None  # destroyed, as its disposal meant it to be

"""On call: attorneys who answer requests for access beside the lead and the deputy, each from when to when.

Rules kept here:

* on call is an attorney of the firm who is named on a matter of the engagement, no wall between; whether he still is,
  and on the matter of the very document, is decided again with each answer;
* nobody is on call beyond the engagement's end; a duty that is over never begins again, a new one is made;
* the entry has the whole duty, so that the rows can be replayed from the log.

What being on call lets one do is said in policies/policy.csv.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import BigInteger, Text, bindparam, exists, insert, or_, select, update

from service.acts import Act, Caller, perform
from service.db.ids import is_id
from service.db.models import engagements, memberships, on_calls, parts, people
from service.errors import BadInputError, BadStateError, NotFoundError
from service.events import EventType
from service.paging import Page, Window, page
from service.scoping import facts
from service.scoping.actions import Action, Role
from service.scoping.decide import Subject
from service.services import Services


@dataclass(frozen=True, slots=True)
class NewOnCall:
    """Who shall be on call. Times are UTC seconds."""

    person_id: str
    starts_at: int | None  # None, or a time that has passed: now
    ends_at: int


@dataclass(frozen=True, slots=True)
class OnCall:
    """A duty to answer. Times are UTC seconds, half-open."""

    id: str
    engagement_id: str
    person_id: str
    starts_at: int
    ends_at: int
    created_at: int
    version: int


_PERSON: Final = bindparam("person", type_=Text)
_ENGAGEMENT: Final = bindparam("engagement", type_=Text)
_NOW: Final = bindparam("now", type_=BigInteger)
_ROW: Final = (
    on_calls.c.id,
    on_calls.c.engagement_id,
    on_calls.c.person_id,
    on_calls.c.starts_at,
    on_calls.c.ends_at,
    on_calls.c.created_at,
    on_calls.c.version,
)
_ONE = select(*_ROW).where(on_calls.c.id == bindparam("on_call"), on_calls.c.firm_id == bindparam("firm"))
_SOME = (
    select(*_ROW)
    .where(on_calls.c.engagement_id == _ENGAGEMENT, on_calls.c.firm_id == bindparam("firm"))
    .where(on_calls.c.id > bindparam("after"))
    .order_by(on_calls.c.id)
    .limit(bindparam("most"))
)
_KNOWN = select(people.c.id).where(people.c.id == _PERSON, people.c.firm_id == bindparam("firm"))
_END = select(engagements.c.ends_at).where(engagements.c.id == _ENGAGEMENT)
_MAY_ANSWER = select(memberships.c.id).where(
    memberships.c.person_id == _PERSON,
    memberships.c.role == Role.ATTORNEY.value,
    or_(memberships.c.engagement_id.is_(None), memberships.c.engagement_id == _ENGAGEMENT),
    memberships.c.suspended == 0,
    memberships.c.starts_at <= _NOW,
    memberships.c.ends_at > _NOW,
    exists().where(
        parts.c.engagement_id == _ENGAGEMENT,
        facts.on_team(parts.c.matter_id),
        ~facts.walled(parts.c.matter_id),
    ),
)
_SAME = select(on_calls.c.id).where(
    on_calls.c.engagement_id == _ENGAGEMENT,
    on_calls.c.person_id == _PERSON,
    on_calls.c.starts_at < bindparam("end"),
    on_calls.c.ends_at > bindparam("begin"),
)
_ADD = insert(on_calls)
_FINISH: Final = (
    update(on_calls)
    .where(on_calls.c.id == bindparam("on_call"))
    .values(ends_at=bindparam("end"), version=on_calls.c.version + 1)
)


async def create(services: Services, caller: Caller, engagement_id: str, new: NewOnCall) -> OnCall:
    """Put an attorney on call for an engagement.

    Raises:
        NotFoundError: no such person in this firm.
        BadInputError: times that do not fit, or somebody who may not answer for any document of the engagement.
        BadStateError: this person is on call then already.
    """

    def change(act: Act) -> Any:
        request = {"engagement": engagement_id, **{field: getattr(new, field) for field in NewOnCall.__slots__}}
        return _row(act, act.once("on_call", request, lambda: _write(act, engagement_id, new)))

    done = await perform(services, caller, Action.ON_CALL_CREATE, Subject(engagement=engagement_id), change)
    return OnCall(*done.result)


async def list_all(services: Services, caller: Caller, engagement_id: str, asked: Window) -> Page[OnCall]:
    """List who is, was and will be on call for an engagement, oldest first."""

    def change(act: Act) -> Page[Any]:
        bounds = {"engagement": engagement_id, "firm": act.firm_id, "after": asked.after, "most": asked.limit + 1}
        found = page(act.tx.all(_SOME, **bounds), asked)
        act.list_out([row.id for row in found.items])
        return found

    done = await perform(services, caller, Action.ON_CALL_LIST, Subject(engagement=engagement_id), change)
    listed = done.result
    found: Page[OnCall] = listed.map(lambda row: OnCall(*row))
    return found


async def end(services: Services, caller: Caller, on_call_id: str) -> OnCall:
    """End a duty now; what was answered under it stands.

    Raises:
        BadStateError: it is over already.
        PreconditionMissingError, StaleError: If-Match.
    """

    def change(act: Act) -> Any:
        row, now = _row(act, on_call_id), act.moment.s
        act.require_version(row.id, row.version)
        if row.ends_at <= now:
            raise BadStateError("This duty is over already.")
        act.tx.run(_FINISH, on_call=row.id, end=now)
        act.record(EventType.ON_CALL_ENDED, {"on_call": row.id, "person": row.person_id}, {"ends_at": now})
        return _row(act, on_call_id)

    subject = Subject(via=on_call_id if is_id(on_call_id, "onc") else "")
    done = await perform(services, caller, Action.ON_CALL_END, subject, change)
    return OnCall(*done.result)


def _write(act: Act, engagement_id: str, new: NewOnCall) -> str:
    now = act.moment.s
    about = {"engagement": engagement_id, "person": new.person_id}
    if act.tx.one(_KNOWN, person=new.person_id, firm=act.firm_id) is None:
        raise NotFoundError
    starts_at = max(new.starts_at or 0, now)
    if not starts_at < new.ends_at <= act.tx.value(_END, engagement=engagement_id):
        raise _bad("ends_at", "must lie ahead, be later than starts_at, and not after the engagement's end.")
    if act.tx.one(_MAY_ANSWER, **about, now=now) is None:
        raise _bad("person_id", "name an attorney who is named on a matter of this engagement.")
    if act.tx.one(_SAME, **about, begin=starts_at, end=new.ends_at) is not None:
        raise BadStateError("This person is on call then already.")
    on_call_id = act.new_id("onc")
    act.tx.run(
        _ADD,
        id=on_call_id,
        firm_id=act.firm_id,
        engagement_id=engagement_id,
        person_id=new.person_id,
        starts_at=starts_at,
        ends_at=new.ends_at,
        created_at=now,
        version=1,
    )
    data = {"starts_at": starts_at, "ends_at": new.ends_at}
    act.record(EventType.ON_CALL_CREATED, {"on_call": on_call_id, "person": new.person_id}, data)
    return on_call_id


def _bad(field: str, sentence: str) -> BadInputError:
    return BadInputError(f"{field}: {sentence}", extra={"field": field})


def _row(act: Act, on_call_id: str) -> Any:
    row = act.tx.one(_ONE, on_call=on_call_id, firm=act.firm_id)
    if row is None:
        raise NotFoundError
    return row

"""People: everybody who may ever sign in to one firm's world, on the firm's side or a vendor's.

Rules kept here:

* a person belongs to one firm's world and to one side of it for ever; the same human being at two firms is two records;
* name and e-mail address are sealed under the person's own key, so that they can be erased for one person alone;
* an address is found again by its blind index, never by its text.

What a person may do is no business of this module: that hangs on memberships (service/members.py).
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import Text, bindparam, exists, insert, or_, select

from service import events, names
from service.acts import Act, Caller, perform
from service.db.models import ANY, memberships, people, vendors
from service.door import Holder, NameReader
from service.errors import ExistsError, NotFoundError
from service.events import EventType
from service.paging import Page, Window, page
from service.scoping.actions import Action, Role, Side
from service.scoping.decide import Subject
from service.services import Services


@dataclass(frozen=True, slots=True)
class Person:
    """A person, the name opened.

    Args:
        email: None for a reviewer, who reviews what people did and need not reach them.
    """

    id: str
    side: str
    vendor_id: str | None
    name: str
    email: str | None
    created_at: int  # UTC seconds


# A reviewer's seat in one engagement knows the people of that engagement and nobody else.
_SEAT: Final = bindparam("seat", type_=Text)
_SITS_THERE: Final = exists().where(memberships.c.person_id == people.c.id, memberships.c.engagement_id == _SEAT)
_KNOWN: Final = or_(_SEAT == ANY, _SITS_THERE)

_ADD = insert(people)
_ONE = select(people).where(people.c.id == bindparam("person"), people.c.firm_id == bindparam("firm"), _KNOWN)
_SOME = (
    select(people)
    .where(people.c.firm_id == bindparam("firm"), people.c.id > bindparam("after"), _KNOWN)
    .order_by(people.c.id)
    .limit(bindparam("most"))
)
_BY_EMAIL = select(people.c.id).where(
    people.c.firm_id == bindparam("firm"), people.c.email_index == bindparam("email_index")
)
_VENDOR = select(vendors.c.id).where(vendors.c.id == bindparam("vendor"), vendors.c.firm_id == bindparam("firm"))


def holder(row: Any) -> Holder:
    """A person, from a row with id, key_id and field_key, as the holder of a field key."""
    return Holder(row.id, row.key_id, row.field_key)


async def add(services: Services, caller: Caller, email: str, name: str, vendor_id: str | None) -> Person:
    """Record a person; with a vendor, on the vendor's side.

    Raises:
        ExistsError: this firm knows the address already.
        NotFoundError: this firm knows no such vendor.
    """
    email, name = names.email(email), names.name(name, "name")

    def change(act: Act) -> tuple[bool, Any]:
        request = {"email": email, "name": name, "vendor": vendor_id}
        person_id = act.once("person", request, lambda: _write(act, email, name, vendor_id))
        return _shows_email(act), _row(act, person_id)

    done = await perform(services, caller, Action.PERSON_ADD, Subject(), change)
    with_email, row = done.result
    return _opened(NameReader(services.keys, done.authorised), row, with_email=with_email)


async def read(services: Services, caller: Caller, person_id: str) -> Person:
    """Read one person."""

    def change(act: Act) -> tuple[bool, Any]:
        row = _row(act, person_id)
        act.drafts.append(events.access_allowed(act.who._replace(subjects={**act.who.subjects, "person": row.id})))
        return _shows_email(act), row

    done = await perform(services, caller, Action.PERSON_READ, Subject(), change)
    with_email, row = done.result
    return await asyncio.to_thread(_opened, NameReader(services.keys, done.authorised), row, with_email=with_email)


async def list_all(services: Services, caller: Caller, asked: Window) -> Page[Person]:
    """List the firm's people, oldest first."""

    def change(act: Act) -> tuple[bool, Page[Any]]:
        rows = act.tx.all(_SOME, firm=act.firm_id, seat=_seat(act), after=asked.after, most=asked.limit + 1)
        found = page(rows, asked)
        act.list_out([row.id for row in found.items])
        return _shows_email(act), found

    done = await perform(services, caller, Action.PERSON_LIST, Subject(), change)
    with_email, found = done.result
    reader = NameReader(services.keys, done.authorised)
    # A page has a key for each person: opening them waits for files, which must not hold up everybody else.
    return await asyncio.to_thread(found.map, lambda row: _opened(reader, row, with_email=with_email))


def _write(act: Act, email: str, name: str, vendor_id: str | None) -> str:
    if vendor_id is not None and act.tx.one(_VENDOR, vendor=vendor_id, firm=act.firm_id) is None:
        raise NotFoundError
    email_index = act.blind_index("e-mail", email)
    if act.tx.one(_BY_EMAIL, firm=act.firm_id, email_index=email_index) is not None:
        raise ExistsError("A person with this e-mail address is recorded already. Use that record.")
    person_id = act.new_id("per")
    person = act.new_holder(person_id, "person", act.firm().key_id)
    side = Side.FIRM if vendor_id is None else Side.VENDOR
    act.tx.run(
        _ADD,
        id=person_id,
        firm_id=act.firm_id,
        side=side.value,
        vendor_id=vendor_id,
        key_id=person.key_id,
        field_key=person.field_key,
        email_index=email_index,
        email=act.seal(person, "people", "email", person_id, email),
        name=act.seal(person, "people", "name", person_id, name),
        created_at=act.moment.s,
    )
    subjects = {"person": person_id} if vendor_id is None else {"person": person_id, "vendor": vendor_id}
    payload = act.payload(person, {"name": name})  # bundles show people by name; an address is nobody else's
    act.record(EventType.PERSON_ADDED, subjects, {"side": side.value}, payload)
    return person_id


def _row(act: Act, person_id: str) -> Any:
    row = act.tx.one(_ONE, person=person_id, firm=act.firm_id, seat=_seat(act))
    if row is None:
        raise NotFoundError
    act.show([person_id])
    return row


def _seat(act: Act) -> str:
    return act.actor.engagement_id or ANY if act.actor.role == Role.REVIEWER else ANY


def _shows_email(act: Act) -> bool:
    return act.actor.role != Role.REVIEWER


def _opened(reader: NameReader, row: Any, *, with_email: bool) -> Person:
    person = holder(row)
    return Person(
        id=row.id,
        side=row.side,
        vendor_id=row.vendor_id,
        name=reader.open(person, "people", "name", row.id, row.name),
        email=reader.open(person, "people", "email", row.id, row.email) if with_email else None,
        created_at=row.created_at,
    )

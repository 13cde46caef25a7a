"""Vendors: outside providers, as one firm has recorded them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from sqlalchemy import bindparam, insert, select

from service import names
from service.acts import Act, Caller, perform
from service.db.models import vendors
from service.door import Holder, NameReader
from service.errors import NotFoundError
from service.events import EventType
from service.paging import Page, Window, page
from service.scoping.actions import Action
from service.scoping.decide import Subject
from service.services import Services


@dataclass(frozen=True, slots=True)
class Vendor:
    """A vendor, its name opened."""

    id: str
    name: str
    created_at: int  # UTC seconds


_ADD = insert(vendors)
_ONE = select(vendors).where(vendors.c.id == bindparam("vendor"), vendors.c.firm_id == bindparam("firm"))
_SOME = (
    select(vendors)
    .where(vendors.c.firm_id == bindparam("firm"), vendors.c.id > bindparam("after"))
    .order_by(vendors.c.id)
    .limit(bindparam("most"))
)


async def add(services: Services, caller: Caller, name: str) -> Vendor:
    """Record a vendor."""
    name = names.name(name, "name")

    def change(act: Act) -> tuple[Holder, Any]:
        vendor_id = act.once("vendor", {"name": name}, lambda: _write(act, name))
        return act.firm(), _row(act, vendor_id)

    done = await perform(services, caller, Action.VENDOR_ADD, Subject(), change)
    firm, row = done.result
    return _opened(NameReader(services.keys, done.authorised), firm, row)


async def read(services: Services, caller: Caller, vendor_id: str) -> Vendor:
    """Read one vendor."""

    def change(act: Act) -> tuple[Holder, Any]:
        return act.firm(), _row(act, vendor_id)

    done = await perform(services, caller, Action.VENDOR_READ, Subject(), change)
    firm, row = done.result
    return _opened(NameReader(services.keys, done.authorised), firm, row)


async def list_all(services: Services, caller: Caller, asked: Window) -> Page[Vendor]:
    """List the firm's vendors, oldest first."""

    def change(act: Act) -> tuple[Holder, Page[Any]]:
        rows = act.tx.all(_SOME, firm=act.firm_id, after=asked.after, most=asked.limit + 1)
        found = page(rows, asked)
        act.list_out([row.id for row in found.items])
        return act.firm(), found

    done = await perform(services, caller, Action.VENDOR_LIST, Subject(), change)
    firm: Holder
    found: Page[Any]
    firm, found = done.result
    reader = NameReader(services.keys, done.authorised)
    return found.map(lambda row: _opened(reader, firm, row))


def _write(act: Act, name: str) -> str:
    vendor_id, firm = act.new_id("vnd"), act.firm()
    act.tx.run(
        _ADD,
        id=vendor_id,
        firm_id=act.firm_id,
        name=act.seal(firm, "vendors", "name", vendor_id, name),
        created_at=act.moment.s,
    )
    act.record(EventType.VENDOR_ADDED, {"vendor": vendor_id}, payload=act.payload(firm, {"name": name}))
    return vendor_id


def _row(act: Act, vendor_id: str) -> Any:
    row = act.tx.one(_ONE, vendor=vendor_id, firm=act.firm_id)
    if row is None:
        raise NotFoundError
    act.show([vendor_id])
    return row


def _opened(reader: NameReader, firm: Holder, row: Any) -> Vendor:
    return Vendor(row.id, reader.open(firm, "vendors", "name", row.id, row.name), row.created_at)

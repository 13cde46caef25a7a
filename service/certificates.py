"""Certificates of disposal: reading what `service.disposal` issued. They hold ids, counts, times and digests only."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import bindparam, select

from service.acts import Act, Caller, perform
from service.db.models import certificates
from service.errors import NotFoundError
from service.paging import Page, Window, page
from service.scoping.actions import Action
from service.scoping.decide import Subject
from service.services import Services


@dataclass(frozen=True, slots=True)
class Certificate:
    """A certificate: its body as signed for, and its digest, which the log holds."""

    id: str
    disposal_id: str
    engagement_id: str
    body: Mapping[str, Any]
    text: str  # the exact bytes that sha256 is of
    sha256: str
    issued_at: int  # UTC seconds


_ONE = select(certificates).where(certificates.c.id == bindparam("certificate"))
_SOME = (
    select(certificates)
    .where(certificates.c.firm_id == bindparam("firm"), certificates.c.id > bindparam("after"))
    .order_by(certificates.c.id)
    .limit(bindparam("most"))
)
_OF_ENGAGEMENT = _SOME.where(certificates.c.engagement_id == bindparam("engagement"))


async def read(services: Services, caller: Caller, certificate_id: str) -> Certificate:
    """Read one certificate."""

    def change(act: Act) -> Any:
        row = act.tx.one(_ONE, certificate=certificate_id)
        if row is None:
            raise NotFoundError
        return row

    done = await perform(services, caller, Action.CERTIFICATE_READ, Subject(via=certificate_id), change)
    return _shown(done.result)


async def list_all(services: Services, caller: Caller, engagement_id: str | None, asked: Window) -> Page[Certificate]:
    """List the certificates of the firm, or of one engagement, oldest first."""
    statement = _SOME if engagement_id is None else _OF_ENGAGEMENT
    bound = {} if engagement_id is None else {"engagement": engagement_id}

    def change(act: Act) -> Page[Any]:
        rows = act.tx.all(statement, firm=act.firm_id, after=asked.after, most=asked.limit + 1, **bound)
        found = page(rows, asked)
        act.list_out([row.id for row in found.items])
        return found

    done = await perform(services, caller, Action.CERTIFICATE_LIST, Subject(engagement=engagement_id), change)
    found: Page[Any] = done.result
    return found.map(_shown)


def _shown(row: Any) -> Certificate:
    return Certificate(
        row.id, row.disposal_id, row.engagement_id, json.loads(row.body), row.body, row.sha256, row.issued_at
    )

"""Receipts: what I added, and the place in the log that proves when it arrived.

Rules kept here:

* a receipt is the adder's own affair: it stays after the paper was confirmed, taken back, moved or destroyed;
* it tells what he sent and nothing that others made of it: no title, label, state or number;
* the SHA-256 is sealed under the matter part's key and ends with it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import bindparam, select

from service.acts import Act, Caller, perform
from service.db.models import documents as d
from service.db.models import engagements, parts
from service.db.models import revisions as r
from service.door import Holder, NameReader
from service.me import myself
from service.paging import Page, Window, page
from service.scoping.actions import Action
from service.services import Services


@dataclass(frozen=True, slots=True)
class Receipt:
    """What one upload proves."""

    revision_id: str
    document_id: str
    sha256: str | None  # hex, of the plaintext; None once the engagement's keys are destroyed
    size_bytes: int
    media_type: str
    received_at: int  # UTC seconds
    log_index: int


_SOME: Final = (
    select(
        r.c.id,
        r.c.document_id,
        r.c.sha256,
        r.c.size_bytes,
        r.c.media_type,
        r.c.added_at,
        r.c.log_index,
        parts.c.id.label("part_id"),
        parts.c.key_id,
        parts.c.field_key,
        engagements.c.status,
    )
    .select_from(
        r.join(d, d.c.id == r.c.document_id)
        .join(parts, parts.c.id == d.c.part_id)
        .join(engagements, engagements.c.id == d.c.engagement_id)
    )
    .where(
        r.c.added_by == bindparam("membership"),
        r.c.firm_id == bindparam("firm"),
        r.c.id > bindparam("after"),
        r.c.moved_from.is_(None),  # sealed anew elsewhere: of that its adder is told nothing
    )
    .order_by(r.c.id)
    .limit(bindparam("most"))
)


async def list_mine(services: Services, caller: Caller, asked: Window) -> Page[Receipt]:
    """List the receipts of the membership that asks, oldest first."""

    def change(act: Act) -> Page[Any]:
        whose = {"membership": act.actor.membership_id, "firm": act.firm_id}
        found = page(act.tx.all(_SOME, **whose, after=asked.after, most=asked.limit + 1), asked)
        act.list_out([row.id for row in found.items])
        return found

    done = await perform(services, caller, Action.RECEIPT_READ, myself, change)
    reader, listed = NameReader(services.keys, done.authorised), done.result
    found: Page[Receipt] = listed.map(lambda row: _opened(reader, row))
    return found


def _opened(reader: NameReader, row: Any) -> Receipt:
    part = Holder(row.part_id, row.key_id, row.field_key)
    gone = row.status == "disposed"
    return Receipt(
        revision_id=row.id,
        document_id=row.document_id,
        sha256=None if gone else reader.open(part, "revisions", "sha256", row.id, row.sha256),
        size_bytes=row.size_bytes,
        media_type=row.media_type,
        received_at=row.added_at,
        log_index=row.log_index,
    )

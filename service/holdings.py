"""Holdings: what somebody was himself given on a document, as its card tells him."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from sqlalchemy import bindparam, select

from service.acts import Act
from service.db.models import documents, grants, parts
from service.door import Holder, NameReader
from service.scoping.actions import Ability, words_of


@dataclass(frozen=True, slots=True)
class Held:
    """What a grant gives its own member: for what, until when (UTC seconds), to what purpose."""

    abilities: tuple[str, ...]
    until: int
    purpose: str


_HELD = (
    select(
        grants.c.id,
        grants.c.abilities,
        grants.c.not_after,
        grants.c.purpose,
        documents.c.part_id,
        parts.c.key_id,
        parts.c.field_key,
    )
    .select_from(
        grants.join(documents, documents.c.id == grants.c.document_id).join(parts, parts.c.id == documents.c.part_id)
    )
    .where(
        grants.c.membership_id == bindparam("membership"),
        grants.c.document_id == bindparam("document"),
        grants.c.not_before <= bindparam("now"),
        grants.c.not_after > bindparam("now"),
        grants.c.revoked_at > bindparam("now"),
    )
    .order_by(grants.c.id)
)


def held(act: Act) -> list[Any]:
    """Return the rows of the actor's own live grants on the document that was decided; `opened` opens them."""
    document, membership = act.decision.row.id, act.actor.membership_id
    rows = act.tx.all(_HELD, membership=membership, document=document, now=act.moment.s)
    act.show(row.id for row in rows)
    return rows


def opened(reader: NameReader, row: Any) -> Held:
    """Open the purpose of a row of `held`."""
    purpose = reader.open(Holder(row.part_id, row.key_id, row.field_key), "grants", "purpose", row.id, row.purpose)
    return Held(words_of(Ability(row.abilities)), row.not_after, purpose)

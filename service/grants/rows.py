"""A grant as it is kept, and as it is told."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import bindparam, select

from service.acts import Act
from service.db.ids import is_id
from service.db.models import documents, grants, memberships, parts
from service.door import Holder, NameReader
from service.errors import NotFoundError
from service.origins import Origin
from service.scoping.actions import EXTENSION_GRACE_S, Ability, words_of
from service.scoping.decide import Subject


@dataclass(frozen=True, slots=True)
class Grant:
    """A grant, its purpose opened. Times are UTC seconds."""

    id: str
    document_id: str
    engagement_id: str
    membership_id: str
    person_id: str
    role: str
    abilities: tuple[str, ...]
    not_before: int
    not_after: int
    revoked_at: int  # FOREVER: not revoked
    purpose: str
    granted_by: str  # a membership
    granted_at: int
    made_with: Origin  # a task, standing or standby share ends it again
    version: int


_ROWS = (
    select(
        grants,
        memberships.c.person_id,
        memberships.c.role,
        documents.c.part_id,
        documents.c.matter_id,
        parts.c.key_id,
        parts.c.field_key,
    )
    .select_from(
        grants.join(memberships, memberships.c.id == grants.c.membership_id)
        .join(documents, documents.c.id == grants.c.document_id)
        .join(parts, parts.c.id == documents.c.part_id)
    )
    .where(grants.c.document_id == bindparam("document"))
)
ONE: Final = _ROWS.where(grants.c.id == bindparam("grant"))
SOME: Final = _ROWS.where(grants.c.id > bindparam("after")).order_by(grants.c.id).limit(bindparam("most"))


def subject_of(grant_id: str) -> Subject:
    """The document that a grant opens; an id of another kind stands for nothing here."""
    return Subject(via=grant_id if is_id(grant_id, "grt") else "")


def row_of(act: Act, grant_id: str) -> Any:
    """Return the row of a grant on the document that was decided, and let its purpose be opened.

    Raises:
        NotFoundError: it is not one of its grants.
    """
    row = act.tx.one(ONE, grant=grant_id, document=act.decision.row.id)
    if row is None:
        raise NotFoundError
    act.show([grant_id])
    return row


def _purpose(reader: NameReader, row: Any) -> str:
    return reader.open(Holder(row.part_id, row.key_id, row.field_key), "grants", "purpose", row.id, row.purpose)


def opened(reader: NameReader, row: Any) -> Grant:
    """Make a grant of its row, opening its purpose."""
    return Grant(
        id=row.id,
        document_id=row.document_id,
        engagement_id=row.engagement_id,
        membership_id=row.membership_id,
        person_id=row.person_id,
        role=row.role,
        abilities=words_of(Ability(row.abilities)),
        not_before=row.not_before,
        not_after=row.not_after,
        revoked_at=row.revoked_at,
        purpose=_purpose(reader, row),
        granted_by=row.granted_by,
        granted_at=row.granted_at,
        made_with=Origin(row.task_id, row.bulk_id, row.standing_id, row.standby_id),
        version=row.version,
    )


def extendable(act: Act, grant_id: str) -> Any:
    """Return the actor's own grant on the document that was decided, live or ended by itself just now; None else."""
    document, now = act.decision.row.id, act.moment.s
    row = act.tx.one(ONE, grant=grant_id, document=document)
    if row is None or row.membership_id != act.actor.membership_id or row.revoked_at <= now:
        return None
    return row if row.not_before <= now < row.not_after + EXTENSION_GRACE_S else None


def subjects_of(document: Any, membership_id: str, person_id: str, grant_id: str) -> dict[str, str]:
    """The ids that an entry about a grant names."""
    return {
        "engagement": document.engagement_id,
        "part": document.part_id,
        "matter": document.matter_id,
        "document": document.id,
        "grant": grant_id,
        "membership": membership_id,
        "person": person_id,
    }

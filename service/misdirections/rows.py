"""The rows of misdirections: who may know of which, and how their words are opened."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import bindparam, select

from service.acts import Act
from service.db.ids import is_id
from service.db.models import documents, engagements, memberships, misdirections, parts
from service.door import Holder, NameReader
from service.errors import NotFoundError
from service.scoping import affairs
from service.scoping.actions import Action
from service.scoping.decide import Subject, decide
from service.sharing.openings import Opening


@dataclass(frozen=True, slots=True)
class Misdirection:
    """A statement, its words opened. Times are UTC seconds.

    Args:
        number, label, openings, acknowledged_by: None for whoever said it; told to attorneys of the matter.
        openings: what he had done with the paper before he said so, newest first.
        closed_until: FOREVER: it is closed to him until an attorney says otherwise.
        answer: what the attorney let him know.
    """

    id: str
    engagement_id: str
    document_id: str
    number: int | None
    label: str | None
    membership_id: str
    person_id: str
    said_at: int
    note: str | None
    closed_until: int
    openings: tuple[Opening, ...] | None
    acknowledged_at: int | None
    acknowledged_by: str | None  # a membership
    answer: str | None
    version: int


_m = misdirections
ROWS: Final = (
    select(
        _m,
        documents.c.number,
        documents.c.label,
        documents.c.part_id,
        documents.c.matter_id,
        documents.c.added_at,
        parts.c.key_id,
        parts.c.field_key,
    )
    .select_from(
        _m.join(documents, documents.c.id == _m.c.document_id)
        .join(parts, parts.c.id == documents.c.part_id)
        .join(engagements, engagements.c.id == _m.c.engagement_id)
    )
    .where(
        _m.c.firm_id == bindparam("firm"),
        engagements.c.status != "disposed",  # the key of what was said is destroyed
        affairs.concern(_m.c.membership_id, documents.c.matter_id),
    )
)
_ONE: Final = ROWS.where(_m.c.id == bindparam("misdirection"))
PLACE: Final = (
    select(_m.c.engagement_id, _m.c.membership_id)
    .join_from(_m, memberships, memberships.c.id == _m.c.membership_id)
    .where(_m.c.id == bindparam("misdirection"), _m.c.firm_id == bindparam("firm"))
)


def is_told(act: Act, row: Any) -> bool:
    """Say whether the actor is told of a row as the attorneys of its matter are: whoever could acknowledge it."""
    matrix, about = act.services.matrix.current, Subject(document=row.document_id)
    return decide(act.tx, matrix, act.moment, act.actor, Action.MISDIRECTION_ACKNOWLEDGE, about).allowed


def find(act: Act, misdirection_id: str) -> Any:
    """Return a row that the actor may know of.

    Raises:
        NotFoundError: there is none.
    """
    known, eyes = is_id(misdirection_id, "msd"), affairs.eyes(act.actor, act.moment.s)
    row = act.tx.one(_ONE, misdirection=misdirection_id, **eyes) if known else None
    if row is None or not (row.membership_id == act.actor.membership_id or is_told(act, row)):
        raise NotFoundError
    act.show([row.id])
    return row


def subjects(row: Any) -> dict[str, str]:
    """Return what an entry about a misdirection is about."""
    return {
        "engagement": row.engagement_id,
        "part": row.part_id,
        "matter": row.matter_id,
        "document": row.document_id,
        "misdirection": row.id,
        "membership": row.membership_id,
        "person": row.person_id,
    }


def opened(reader: NameReader, row: Any, openings: tuple[Opening, ...] | None) -> Misdirection:
    """Open the words of a row.

    Args:
        openings: None: whoever looks said it himself, and is told no more than that.
    """
    told = openings is not None
    return Misdirection(
        id=row.id,
        engagement_id=row.engagement_id,
        document_id=row.document_id,
        number=row.number if told else None,
        label=row.label if told else None,
        membership_id=row.membership_id,
        person_id=row.person_id,
        said_at=row.said_at,
        note=_words(reader, row, "note"),
        closed_until=row.closed_until,
        openings=openings,
        acknowledged_at=row.acknowledged_at,
        acknowledged_by=row.acknowledged_by if told else None,
        answer=_words(reader, row, "answer"),
        version=row.version,
    )


def _words(reader: NameReader, row: Any, column: str) -> str | None:
    sealed = getattr(row, column)
    if sealed is None:
        return None
    part = Holder(row.part_id, row.key_id, row.field_key)
    return reader.open(part, "misdirections", column, row.id, sealed)

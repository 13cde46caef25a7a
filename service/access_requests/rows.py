"""The rows of requests: who may know of which, what state one is in, how its words are opened and its end written."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import bindparam, select, update

from service.acts import Act
from service.db.ids import is_id
from service.db.models import access_requests, engagements, memberships, parts
from service.door import Holder, NameReader
from service.engagements import RUNNING
from service.errors import BadStateError, KeyMissingError, NotFoundError
from service.scoping import affairs
from service.scoping.actions import Ability, words_of
from service.scoping.decide import Subject

OPEN: Final = "open"
AS_ASKED: Final = "as_asked"
WITH_LESS: Final = "with_less"
REFUSED: Final = "refused"
WITHDRAWN: Final = "withdrawn"
LAPSED: Final = "lapsed"


@dataclass(frozen=True, slots=True)
class AccessRequest:
    """A request, its words opened. Times are UTC seconds.

    Args:
        state: ``open``, ``as_asked``, ``with_less``, ``refused``, ``withdrawn`` or ``lapsed``.
        reason, note: None once their key is destroyed; the note also while nobody has answered.
    """

    id: str
    kind: str
    engagement_id: str
    document_id: str
    membership_id: str
    person_id: str
    abilities: tuple[str, ...]
    not_after: int
    reason: str | None
    asked_at: int
    lapses_at: int
    state: str
    answered_by: str | None  # a membership
    answered_at: int | None
    note: str | None
    grant_id: str | None
    version: int


_r = access_requests
ROWS = (
    select(
        _r,
        memberships.c.person_id,
        memberships.c.ends_at.label("member_ends_at"),
        engagements.c.status,
        engagements.c.ends_at.label("engagement_ends_at"),
        parts.c.matter_id,
        parts.c.key_id,
        parts.c.field_key,
    )
    .select_from(
        _r.join(parts, parts.c.id == _r.c.part_id)
        .join(memberships, memberships.c.id == _r.c.membership_id)
        .join(engagements, engagements.c.id == _r.c.engagement_id)
    )
    .where(
        _r.c.firm_id == bindparam("firm"),
        affairs.concern(_r.c.membership_id, parts.c.matter_id),
    )
)
_ONE = ROWS.where(_r.c.id == bindparam("request"))
PLACE = (
    select(_r.c.engagement_id, _r.c.membership_id, memberships.c.person_id)
    .join_from(_r, memberships, memberships.c.id == _r.c.membership_id)
    .where(_r.c.id == bindparam("request"), _r.c.firm_id == bindparam("firm"))
)
_CLOSE: Final = (
    update(_r)
    .where(_r.c.id == bindparam("request"))
    .values(
        state=bindparam("new_state"),
        answered_by=bindparam("by"),
        answered_at=bindparam("at"),
        note=bindparam("sealed"),
        grant_id=bindparam("given"),
        version=_r.c.version + 1,
    )
)


def opened(reader: NameReader, row: Any, now_s: int) -> AccessRequest:
    """Open the words of a row, and say what its state is at a time."""
    return AccessRequest(
        id=row.id,
        kind=row.kind,
        engagement_id=row.engagement_id,
        document_id=row.document_id,
        membership_id=row.membership_id,
        person_id=row.person_id,
        abilities=words_of(Ability(row.abilities)),
        not_after=row.not_after,
        reason=_words(reader, row, "reason"),
        asked_at=row.asked_at,
        lapses_at=row.lapses_at,
        state=_state(row, now_s),
        answered_by=row.answered_by,
        answered_at=row.answered_at,
        note=_words(reader, row, "note"),
        grant_id=row.grant_id,
        version=row.version,
    )


def _state(row: Any, now_s: int) -> str:
    if row.state != OPEN:
        return str(row.state)
    ends = min(row.lapses_at, row.member_ends_at, row.engagement_ends_at)
    return OPEN if now_s < ends and row.status == RUNNING else LAPSED


def require_open(act: Act, row: Any) -> None:
    """Let only an open request, as it was read, be answered or withdrawn.

    Raises:
        PreconditionMissingError, StaleError: If-Match.
        BadStateError: it is answered, withdrawn or has lapsed.
    """
    act.require_version(row.id, row.version)
    state = _state(row, act.moment.s)
    if state != OPEN:
        raise BadStateError(f"This request is {_SAID[state]}. It can be made anew.", extra={"state": state})


_SAID: Final = {
    AS_ASKED: "answered",
    WITH_LESS: "answered",
    REFUSED: "answered",
    WITHDRAWN: "withdrawn",
    LAPSED: "no longer open: nobody answered in time",
}


def _words(reader: NameReader, row: Any, column: str) -> str | None:
    sealed = getattr(row, column)
    if sealed is None:
        return None
    try:
        part = Holder(row.part_id, row.key_id, row.field_key)
        return reader.open(part, "access_requests", column, row.id, sealed)
    except KeyMissingError:
        if row.status == RUNNING:
            raise
        return None  # destroyed, as its disposal meant it to be


def subjects(row: Any) -> dict[str, str]:
    """Return what an entry about a request is about."""
    return {
        "engagement": row.engagement_id,
        "part": row.part_id,
        "matter": row.matter_id,
        "document": row.document_id,
        "access_request": row.id,
        "membership": row.membership_id,
        "person": row.person_id,
    }


def subject_of(request_id: str) -> Subject:
    """Return the document that a request is for; an id of another kind stands for nothing here."""
    return Subject(via=request_id if is_id(request_id, "acr") else "")


def find(act: Act, request_id: str) -> Any:
    """Return a row that the actor may know of.

    Raises:
        NotFoundError: there is none.
    """
    row = act.tx.one(_ONE, request=request_id, **affairs.eyes(act.actor, act.moment.s))
    if row is None:
        raise NotFoundError
    act.show([request_id])
    return row


def close(
    act: Act, row: Any, state: str, *, by: str | None = None, note: bytes | None = None, grant_id: str | None = None
) -> None:
    """Write how a request ended."""
    at = act.moment.s
    act.tx.run(_CLOSE, request=row.id, new_state=state, by=by, at=at, sealed=note, given=grant_id)

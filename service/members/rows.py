"""A membership as it is kept, and as it is told."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import bindparam, select

from service import duties
from service.acts import Act
from service.brakes.marks import Brake, brake_of
from service.db.ids import is_id
from service.db.models import FOREVER, memberships, people
from service.door import Holder, NameReader
from service.duties import Missing
from service.errors import BadStateError, NotFoundError
from service.scoping.actions import Role, Side
from service.scoping.decide import Subject


@dataclass(frozen=True, slots=True)
class Member:
    """A membership and the name of its person.

    Args:
        engagement_id: None for the whole house.
        matter_id: what a reviewer's seat for the whole house is limited to; None: to no matter.
        state: ``to_come``, ``running``, ``suspended`` or ``ended``, at the time of the answer.
        brake: None unless it was the brake that suspended him, and nobody has resumed him since.
        missing: what its person or vendor lacks before access opens; nothing once it has ended.
    """

    id: str
    engagement_id: str | None
    person_id: str
    name: str
    side: str
    role: str
    starts_at: int  # UTC seconds
    ends_at: int  # UTC seconds; FOREVER where no end is set
    state: str
    created_at: int  # UTC seconds
    version: int
    brake: Brake | None
    missing: tuple[Missing, ...]
    matter_id: str | None


Told = tuple[Any, int, tuple[Missing, ...]]  # a row, the time in UTC seconds, and what is missing

_OF_PERSON: Final = (
    people.c.key_id.label("person_key_id"),
    people.c.field_key.label("person_field_key"),
    people.c.name.label("person_name"),
    people.c.vendor_id,
)
ROWS = select(memberships, *_OF_PERSON).join_from(memberships, people, people.c.id == memberships.c.person_id)
_ONE = ROWS.where(memberships.c.id == bindparam("member"), memberships.c.firm_id == bindparam("firm"))

_OWNERS = select(memberships.c.id).where(
    memberships.c.firm_id == bindparam("firm"),
    memberships.c.role == Role.OWNER.value,
    memberships.c.engagement_id.is_(None),
    memberships.c.suspended == 0,
    memberships.c.starts_at <= bindparam("now"),
    memberships.c.ends_at == FOREVER,
    memberships.c.id != bindparam("member"),
)


def subject_of(member_id: str) -> Subject:
    """The engagement, or the house, that a membership is in; an id of another kind stands for nothing here."""
    return Subject(via=member_id if is_id(member_id, "mem") else "")


def terms(role: str, starts_at: int, ends_at: int, *, suspended: bool) -> dict[str, str | int | bool | list[str]]:
    """What rules depend on, whole."""
    return {"role": role, "starts_at": starts_at, "ends_at": ends_at, "suspended": suspended}


def row_of(act: Act, member_id: str) -> Any:
    """Return a membership of this firm with its person, and let the name be opened.

    Raises:
        NotFoundError: there is none of this id.
    """
    row = act.tx.one(_ONE, member=member_id, firm=act.firm_id)
    if row is None:
        raise NotFoundError
    act.show([row.id, row.person_id])
    return row


def require_other_owner(act: Act, row: Any) -> None:
    """Refuse to shut out the last owner: without one nobody could let anybody in again.

    Raises:
        BadStateError: this is his membership.
    """
    if row.role != Role.OWNER:
        return
    if act.tx.one(_OWNERS, firm=act.firm_id, now=act.moment.s, member=row.id) is None:
        raise BadStateError("This is the firm's last owner. Let somebody else own the house first.")


def told(act: Act, row: Any) -> Told:
    """Put together what is told of a membership now."""
    now = act.moment.s
    owing = row.side == Side.VENDOR and row.ends_at > now
    return row, now, duties.missing(act.tx, act.services.matrix.current, act.moment, row) if owing else ()


def opened(reader: NameReader, row: Any, now_s: int, missing: tuple[Missing, ...]) -> Member:
    """Make a member of what is told of him, opening his name."""
    person = Holder(row.person_id, row.person_key_id, row.person_field_key)
    return Member(
        id=row.id,
        engagement_id=row.engagement_id,
        person_id=row.person_id,
        name=reader.open(person, "people", "name", row.person_id, row.person_name),
        side=row.side,
        role=row.role,
        starts_at=row.starts_at,
        ends_at=row.ends_at,
        state=_state(row, now_s),
        created_at=row.created_at,
        version=row.version,
        brake=brake_of(row),
        missing=missing,
        matter_id=row.matter_id,
    )


def _state(row: Any, now_s: int) -> str:
    if row.ends_at <= now_s:
        return "ended"
    if row.suspended:
        return "suspended"
    return "running" if row.starts_at <= now_s else "to_come"

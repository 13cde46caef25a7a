"""What duties rest on: what is in force, was, and will be, as far as the asker may know.

Rules kept here:

* a firm person reads a matter's duties only where he is named on it and no wall stands between;
* a vendor's manager reads those of his people and of the vendor, without notes and without who wrote them down.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import Text, and_, bindparam, not_, or_, select

from service.acts import Act, Caller, perform
from service.db.ids import is_id
from service.db.models import ANY, duties
from service.door import Holder, NameReader
from service.errors import NotFoundError
from service.paging import Page, Window, page
from service.scoping import facts
from service.scoping.actions import Action, Duty, Side
from service.scoping.decide import Subject
from service.scoping.duties import MATTER_DUTIES
from service.services import Services

SIGNED: Final = "signed"
RECORDED: Final = "recorded"
WAIVED: Final = "waived"


@dataclass(frozen=True, slots=True)
class Recorded:
    """A duty and what it rests on. Times are UTC seconds, half-open.

    Args:
        basis: signed, recorded or waived.
        note: the evidence, or why it is waived; None for what was signed, and for vendor people.
        recorded_by: a membership; None for what was signed, and for vendor people.
        state: to_come, in_force or over, at the time of the answer.
    """

    id: str
    engagement_id: str
    duty: str
    subject_id: str  # a person, vendor or matter
    basis: str
    valid_from: int
    valid_until: int  # FOREVER: no end
    note: str | None
    recorded_by: str | None
    state: str
    version: int


_OF_MATTER: Final = duties.c.kind.in_([facts.number(bit) for bit in MATTER_DUTIES])
_ROWS: Final = select(duties).where(
    duties.c.firm_id == facts.FIRM,
    or_(
        not_(_OF_MATTER),
        and_(
            bindparam("side", type_=Text) == Side.FIRM.value,
            facts.on_team(duties.c.subject_id),
            not_(facts.walled(duties.c.subject_id)),
        ),
    ),
)
_ONE: Final = _ROWS.where(duties.c.id == bindparam("duty"))
_SOME: Final = (
    _ROWS.where(duties.c.engagement_id.in_([facts.ENGAGEMENT, facts.word(ANY)]), duties.c.id > bindparam("after"))
    .order_by(duties.c.id)
    .limit(bindparam("most"))
)

Found = tuple[Holder, Any, int, bool]
"""A row with what opens it: the firm, the row, the time in UTC seconds, and whether all of it is told."""


async def read(services: Services, caller: Caller, duty_id: str) -> Recorded:
    """Read one duty."""
    subject = Subject(via=duty_id if is_id(duty_id, "dut") else "")
    done = await perform(services, caller, Action.DUTY_LIST, subject, lambda act: found(act, duty_id))
    return opened(NameReader(services.keys, done.authorised), *done.result)


async def list_all(services: Services, caller: Caller, engagement_id: str, asked: Window) -> Page[Recorded]:
    """List the duties that count in an engagement and that the caller may know of, oldest first, also those over."""

    def change(act: Act) -> tuple[Holder, Page[Any], int, bool]:
        bounds = {"engagement": engagement_id, "after": asked.after, "most": asked.limit + 1}
        rows = page(act.tx.all(_SOME, **_eyes(act), **bounds), asked)
        act.list_out([row.id for row in rows.items])
        return act.firm(), rows, act.moment.s, act.actor.side == Side.FIRM

    done = await perform(services, caller, Action.DUTY_LIST, Subject(engagement=engagement_id), change)
    reader, (firm, rows, now, whole) = NameReader(services.keys, done.authorised), done.result
    listed: Page[Recorded] = rows.map(lambda row: opened(reader, firm, row, now, whole))
    return listed


def found(act: Act, duty_id: str) -> Found:
    """Return a duty of the firm that the actor may know of.

    Raises:
        NotFoundError: there is none.
    """
    row = act.tx.one(_ONE, duty=duty_id, **_eyes(act))
    if row is None:
        raise NotFoundError
    act.show([duty_id])
    return act.firm(), row, act.moment.s, act.actor.side == Side.FIRM


def opened(reader: NameReader, firm: Holder, row: Any, now_s: int, whole: bool) -> Recorded:  # noqa: FBT001  # of `Found`
    """Open the note of a row, where all of it is told."""
    shown = whole and row.note is not None
    return Recorded(
        id=row.id,
        engagement_id=row.engagement_id,
        duty=str(Duty(row.kind).name).lower(),
        subject_id=row.subject_id,
        basis=WAIVED if row.waived else RECORDED if row.evidence_id == row.id else SIGNED,
        valid_from=row.valid_from,
        valid_until=row.valid_until,
        note=reader.open(firm, "duties", "note", row.id, row.note) if shown else None,
        recorded_by=row.recorded_by if whole else None,
        state="over" if row.valid_until <= now_s else "in_force" if row.valid_from <= now_s else "to_come",
        version=row.version,
    )


def _eyes(act: Act) -> dict[str, Any]:
    return {"firm": act.firm_id, "person": act.actor.person_id, "side": act.actor.side, "now": act.moment.s}

"""What is missing for somebody before his access opens, and who can mend it.

Rules kept here:

* what a role needs is data (policies/duties.csv), asked of the matrix; what is demanded and in force are rows, read by
  the same conditions as service/scoping/facts.py reads them, at the same moment;
* a duty that is in force but soon ends is told too, so that it can be mended before access stops; one that is only
  waived is told as long as that lasts;
* a vendor person is told of his own duties and his vendor's, and of a matter's where he was handed or asked for
  something in it: then the part of it, and nothing behind that.

It decides nothing: the fact `duties` is computed in service/scoping.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, Final, NamedTuple, Protocol

from sqlalchemy import and_, bindparam, case, func, or_, select

from service.db.models import ANY, agreement_versions, agreements, duties, engagements
from service.db.session import Tx
from service.duties.rows import AGREEMENT_DUTIES
from service.ledger import Moment
from service.scoping import lacking
from service.scoping.actions import NONE, OWED_BY_ENGAGEMENT, OWED_BY_MATTER, Action, Duty, Label
from service.scoping.actors import Actor
from service.scoping.duties import PERSON_DUTIES, VENDOR_DUTIES
from service.scoping.facts import number
from service.scoping.matrix import Matrix

SOON_S: Final = 30 * 24 * 3600
"""How long before its end a duty is told of, in seconds: as long as the first warning of an engagement's end."""

_OF_PERSON: Final = [number(bit) for bit in PERSON_DUTIES]
_OF_VENDOR: Final = [number(bit) for bit in VENDOR_DUTIES]
_IN_FORCE: Final = (
    select(
        duties.c.kind,
        func.max(duties.c.valid_until).label("until"),
        func.max(case((duties.c.waived.is_(None), duties.c.valid_until), else_=0)).label("proven_until"),
    )
    .where(
        duties.c.firm_id == bindparam("firm"),
        or_(
            and_(duties.c.subject_id == bindparam("person"), duties.c.kind.in_(_OF_PERSON)),
            and_(duties.c.subject_id == bindparam("vendor"), duties.c.kind.in_(_OF_VENDOR)),
        ),
        or_(duties.c.engagement_id == bindparam("engagement"), duties.c.engagement_id == ANY),
        duties.c.valid_from <= bindparam("now"),
        duties.c.valid_until > bindparam("now"),
    )
    .group_by(duties.c.kind)
)
_OWED: Final = select(engagements.c.owed).where(engagements.c.id == bindparam("engagement"))
_TO_SIGN: Final = (
    select(agreements.c.id, agreement_versions.c.number, agreement_versions.c.sha256, agreement_versions.c.bites_at)
    .join_from(
        agreements,
        agreement_versions,
        (agreement_versions.c.agreement_id == agreements.c.id) & (agreement_versions.c.number == agreements.c.version),
    )
    .where(
        agreements.c.engagement_id == bindparam("engagement"),
        agreements.c.firm_id == bindparam("firm"),
        agreements.c.kind == bindparam("kind"),
    )
)


class Mending(NamedTuple):
    """How a missing duty is mended: who has to move, and a sentence."""

    by: str  # member | vendor | firm
    words: str


MENDING: Final[Mapping[Duty, Mending]] = MappingProxyType(
    {
        Duty.NDA: Mending("member", "The member reads the non-disclosure agreement and signs it."),
        Duty.TRAINING: Mending("member", "The member does the training that the firm asks for; the firm records it."),
        Duty.BACKGROUND_CHECK: Mending(
            "vendor", "The vendor sends the firm the background check; the firm records it."
        ),
        Duty.VENDOR_AGREEMENT: Mending("vendor", "Vendor and firm sign their agreement; the firm records it."),
        Duty.BAA: Mending("vendor", "Vendor and firm sign a business associate agreement; the firm records it."),
        Duty.VENDOR_REVIEW: Mending("firm", "The firm reviews the vendor's safeguards and records that."),
        Duty.INSURANCE: Mending("vendor", "The vendor sends the firm proof of insurance; the firm records it."),
        Duty.CLIENT_CONSENT: Mending("firm", "The firm asks for the client's consent and records it."),
        Duty.CONFLICT_CHECK: Mending("firm", "The firm checks for conflicts of interest and records it."),
        Duty.UNDERTAKING: Mending("firm", "The firm records that the protective order was undertaken to be kept."),
    }
)


_TO_PUBLISH: Final = Mending("firm", "The firm publishes the text; then the member signs it.")


class Seat(Protocol):
    """Whose duties are asked about: an `Actor` is one, and so is a row with these columns."""

    @property
    def firm_id(self) -> str:
        """The firm whose world this is."""

    @property
    def person_id(self) -> str:
        """The person who owes."""

    @property
    def vendor_id(self) -> str | None:
        """The vendor whose duties count too; None on the firm's side."""

    @property
    def engagement_id(self) -> str | None:
        """The engagement that the duties are owed in; None: the whole house."""

    @property
    def role(self) -> str:
        """The role that the duties are asked of."""


@dataclass(frozen=True, slots=True)
class Text:
    """The text whose signature mends a missing duty."""

    agreement_id: str
    number: int
    sha256: str  # hex, of the exact text
    bites_at: int  # UTC seconds


@dataclass(frozen=True, slots=True)
class Missing:
    """A duty that is not in force, or will not be for long, or is only waived.

    `lapses_at` is None where it is missing now. `to_sign` is None where nothing can be signed: the firm has not
    published a text yet, or the duty is one that the firm records. `part_id` is given where a matter demands it.
    """

    duty: str
    lapses_at: int | None  # UTC seconds
    waived: bool
    part_id: str | None
    mending: Mending
    to_sign: Text | None


def missing(tx: Tx, matrix: Matrix, moment: Moment, seat: Seat) -> tuple[Missing, ...]:
    """List what this membership lacks or is about to lack, of person and vendor, for any act of its role."""
    needed = _needs(matrix, seat.role) & ~OWED_BY_MATTER
    if not needed or seat.engagement_id is None:
        return ()
    needed &= ~OWED_BY_ENGAGEMENT | Duty(tx.value(_OWED, engagement=seat.engagement_id))
    standing = _in_force(tx, moment, seat)
    found = (_of(tx, seat, duty, standing.get(duty)) for duty in needed)
    return tuple(each for each in found if each.lapses_at is None or each.waived or each.lapses_at <= moment.s + SOON_S)


def _of(tx: Tx, seat: Seat, duty: Duty, row: Any) -> Missing:
    """How one duty stands; `row` is None where it is not in force."""
    to_sign = _text(tx, seat, duty)
    return Missing(
        duty=str(duty.name).lower(),
        lapses_at=None if row is None else row.until,
        waived=row is not None and row.proven_until < row.until,
        part_id=None,
        mending=_TO_PUBLISH if duty in AGREEMENT_DUTIES and to_sign is None else MENDING[duty],
        to_sign=to_sign,
    )


def missing_in_matters(tx: Tx, matrix: Matrix, moment: Moment, actor: Actor) -> tuple[Missing, ...]:
    """List what matters demand and lack of which the actor was handed a paper, or asked for one."""
    return tuple(
        Missing(str(duty.name).lower(), None, waived=False, part_id=part_id, mending=MENDING[duty], to_sign=None)
        for part_id, duty in lacking.in_matters(tx, matrix, moment, actor)
    )


def _needs(matrix: Matrix, role: str) -> Duty:
    """Return every duty that some act of this role needs."""
    labels = (NONE, *Label)
    total = 0
    for action in Action:
        for label in labels:
            total |= matrix.needs(role, action, label)
    return Duty(total)


def _in_force(tx: Tx, moment: Moment, seat: Seat) -> dict[Duty, Any]:
    """Return the duties of person and vendor that are in force, with their ends: in all, and by evidence alone."""
    rows = tx.all(
        _IN_FORCE,
        firm=seat.firm_id,
        person=seat.person_id,
        vendor=seat.vendor_id or seat.person_id,
        engagement=seat.engagement_id or ANY,
        now=moment.s,
    )
    return {Duty(row.kind): row for row in rows}


def _text(tx: Tx, seat: Seat, duty: Duty) -> Text | None:
    kind = AGREEMENT_DUTIES.get(duty)
    if kind is None:
        return None
    row = tx.one(_TO_SIGN, engagement=seat.engagement_id, firm=seat.firm_id, kind=kind)
    return None if row is None else Text(row.id, row.number, row.sha256, row.bites_at)

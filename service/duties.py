"""Duties: what must be in force before access opens, and what is missing for somebody.

Rules kept here:

* what a role needs is data (policies/duties.csv), asked of the matrix; what is in force are rows, read by the same
  conditions as service/scoping/facts.py reads them, at the same moment;
* a duty that is in force but ends when a newer text bites is told too, so that it can be mended before access stops;
* a vendor person is told of his own duties only, and of nothing behind them.

It decides nothing: the fact `duties` is computed in service/scoping.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final, Protocol

from sqlalchemy import bindparam, func, insert, or_, select, update

from service.db.models import ANY, FOREVER, agreement_versions, agreements, duties, signatures
from service.db.session import Tx
from service.ledger import Moment
from service.scoping.actions import NONE, Action, Duty, Label
from service.scoping.matrix import Matrix

AGREEMENT_DUTIES: Final[Mapping[Duty, str]] = MappingProxyType({Duty.NDA: "nda"})
"""Duties that signing puts in force, and the kind of agreement that is signed."""

_IN_FORCE: Final = (
    select(duties.c.kind, func.max(duties.c.valid_until).label("until"))
    .where(
        duties.c.firm_id == bindparam("firm"),
        duties.c.subject_id.in_([bindparam("person"), bindparam("vendor")]),
        or_(duties.c.engagement_id == bindparam("engagement"), duties.c.engagement_id == ANY),
        duties.c.valid_from <= bindparam("now"),
        duties.c.valid_until > bindparam("now"),
    )
    .group_by(duties.c.kind)
)
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
_ADD: Final = insert(duties)
_END: Final = (
    update(duties)
    .where(
        duties.c.evidence_id.in_(
            select(signatures.c.id)
            .join_from(signatures, agreement_versions, agreement_versions.c.id == signatures.c.version_id)
            .where(agreement_versions.c.agreement_id == bindparam("agreement"))
        ),
        duties.c.valid_until > bindparam("ends_at"),
    )
    .values(valid_until=bindparam("ends_at"))
)


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
    """A duty that is not in force, or will not be for long.

    `lapses_at` is None where it is missing now. `to_sign` is None where nothing can be signed: the firm has not
    published a text yet, or the duty is one that the firm records.
    """

    duty: str
    lapses_at: int | None  # UTC seconds
    to_sign: Text | None


def missing(tx: Tx, matrix: Matrix, moment: Moment, seat: Seat) -> tuple[Missing, ...]:
    """List what this membership lacks or is about to lack for any act of its role, and how to mend it."""
    needed = needs(matrix, seat.role)
    if not needed or seat.engagement_id is None:
        return ()
    ends = in_force(tx, moment, seat)
    return tuple(
        Missing(str(duty.name).lower(), ends.get(duty), _text(tx, seat, duty))
        for duty in needed
        if ends.get(duty) != FOREVER
    )


def needs(matrix: Matrix, role: str) -> Duty:
    """Return every duty that some act of this role needs."""
    labels = (NONE, *Label)
    total = 0
    for action in Action:
        for label in labels:
            total |= matrix.needs(role, action, label)
    return Duty(total)


def in_force(tx: Tx, moment: Moment, seat: Seat) -> dict[Duty, int]:
    """Return the duties of person and vendor that are in force, each with its end (UTC seconds, `FOREVER`: none)."""
    rows = tx.all(
        _IN_FORCE,
        firm=seat.firm_id,
        person=seat.person_id,
        vendor=seat.vendor_id or seat.person_id,
        engagement=seat.engagement_id or ANY,
        now=moment.s,
    )
    return {Duty(row.kind): row.until for row in rows}


@dataclass(frozen=True, slots=True)
class Evidence:
    """What a duty rests on."""

    id: str  # a signature's
    sha256: str  # hex, of the text that was signed


def begin(
    tx: Tx,
    moment: Moment,
    duty: Duty,
    evidence: Evidence,
    *,
    duty_id: str,
    firm_id: str,
    subject_id: str,
    engagement_id: str,
) -> None:
    """Put a duty in force from now on, without end."""
    tx.run(
        _ADD,
        id=duty_id,
        firm_id=firm_id,
        kind=int(duty),
        subject_id=subject_id,
        engagement_id=engagement_id,
        evidence_id=evidence.id,
        evidence_sha256=evidence.sha256,
        valid_from=moment.s,
        valid_until=FOREVER,
    )


def end_with(tx: Tx, agreement_id: str, ends_at: int) -> int:
    """Let every duty that rests on an agreement's signatures end at `ends_at` at the latest; return how many did."""
    return tx.run(_END, agreement=agreement_id, ends_at=ends_at)


def _text(tx: Tx, seat: Seat, duty: Duty) -> Text | None:
    kind = AGREEMENT_DUTIES.get(duty)
    if kind is None:
        return None
    row = tx.one(_TO_SIGN, engagement=seat.engagement_id, firm=seat.firm_id, kind=kind)
    return None if row is None else Text(row.id, row.number, row.sha256, row.bites_at)

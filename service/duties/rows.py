"""Duties that signatures put in force, and that newer texts end."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final

from sqlalchemy import bindparam, insert, select, update

from service.db.models import FOREVER, agreement_versions, duties, signatures
from service.db.session import Tx
from service.ledger import Moment
from service.scoping.actions import Duty

AGREEMENT_DUTIES: Final[Mapping[Duty, str]] = MappingProxyType({Duty.NDA: "nda"})
"""Duties that signing puts in force, and the kind of agreement that is signed."""

ADD: Final = insert(duties)
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
        ADD,
        id=duty_id,
        firm_id=firm_id,
        kind=int(duty),
        subject_id=subject_id,
        engagement_id=engagement_id,
        evidence_id=evidence.id,
        evidence_sha256=evidence.sha256,
        valid_from=moment.s,
        valid_until=FOREVER,
        note=None,
        waived=None,
        recorded_by=None,
        version=1,
    )


def end_with(tx: Tx, agreement_id: str, ends_at: int) -> int:
    """Let every duty that rests on an agreement's signatures end at `ends_at` at the latest; return how many did."""
    return tx.run(_END, agreement=agreement_id, ends_at=ends_at)

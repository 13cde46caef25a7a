"""Duties as SQL: which are in force for asker, vendor and matter, or demanded by nobody; part of the facts.

Rules kept here:

* each duty counts for its own subject only, in the engagement that it was recorded in, from a second to a second;
* the NDA is always owed; every other duty where the engagement or the matter demands it (column ``owed``): what nobody
  demands counts as in force, so that decide, list and explain ask one mask and cannot differ;
* a waiver is a row like any other: it costs a decision nothing, and ends by itself.

For which acts and labels a duty is asked is policies/duties.csv.

Source: docs/adr/0020-duties.md.
"""

from __future__ import annotations

from typing import Final

from sqlalchemy import BigInteger, ColumnElement, FromClause, and_, cast, func, or_, select

from service.db import models
from service.db.models import ANY
from service.scoping.actions import OWED_BY_ENGAGEMENT, OWED_BY_MATTER, Duty
from service.scoping.facts import ENGAGEMENT, NOW, PERSON, VENDOR, Truth, e, number, there_is, word

PERSON_DUTIES: Final = Duty.NDA | Duty.TRAINING | Duty.BACKGROUND_CHECK
VENDOR_DUTIES: Final = Duty.VENDOR_AGREEMENT | Duty.BAA | Duty.VENDOR_REVIEW | Duty.INSURANCE
MATTER_DUTIES: Final = Duty.CLIENT_CONSENT | Duty.CONFLICT_CHECK | Duty.UNDERTAKING


def bits(engagement: ColumnElement[str], matter: ColumnElement[str] | None = None) -> ColumnElement[int]:
    """Return the `Duty` bits of the asker, the vendor and the matter that are in force, or that nobody demands.

    To be used in a query about the engagement `e`. Without a matter, nothing that matters demand is owed.
    """
    owed: ColumnElement[int] = e.c.owed if matter is None else e.c.owed.bitwise_or(_owed_by(models.matters, matter))
    return _bits_in_force(engagement, matter).bitwise_or(_not_among(owed))


def bits_of_list() -> ColumnElement[int]:
    """Say the same of the asker's own engagement, for a whole list: nothing in it is a row's, so it is found once."""
    return _bits_in_force(ENGAGEMENT).bitwise_or(_not_among(_owed_by(models.engagements, ENGAGEMENT)))


def matter_lacks(matter: ColumnElement[str], needed: Duty) -> Truth:
    """Say of many matters in one query whether one demands a duty of `needed` that is not in force.

    As a set that is found once: an engagement has few matters, and most of them demand nothing.
    """
    part, its = models.parts.alias("owing_part"), models.matters.alias("owing")
    owed = its.c.owed.bitwise_and(number(needed))
    lacking = owed.bitwise_and(_bits_in_force(ENGAGEMENT, its.c.id).bitwise_not())
    return matter.in_(
        select(its.c.id)
        .select_from(part.join(its, its.c.id == part.c.matter_id))
        .where(part.c.engagement_id == ENGAGEMENT, owed != number(0), lacking != number(0))
    )


def _owed_by(table: FromClause, row_id: ColumnElement[str]) -> ColumnElement[int]:
    its = table.alias("owed_by")
    return select(its.c.owed).where(its.c.id == row_id).scalar_subquery()


def _not_among(owed: ColumnElement[int]) -> ColumnElement[int]:
    """The duties that wait for somebody to demand them, without those that are demanded."""
    return number(OWED_BY_ENGAGEMENT | OWED_BY_MATTER).bitwise_and(owed.bitwise_not())


def _bits_in_force(engagement: ColumnElement[str], matter: ColumnElement[str] | None = None) -> ColumnElement[int]:
    """The `Duty` bits in force, each for its own subject only: a row that says ``nda`` of a matter is nobody's NDA."""
    duty = models.duties
    whose: list[tuple[ColumnElement[str], Duty]] = [(PERSON, PERSON_DUTIES), (VENDOR, VENDOR_DUTIES)]
    if matter is not None:
        whose.append((matter, MATTER_DUTIES))
    by_subject = or_(
        *(
            and_(duty.c.subject_id == subject, duty.c.kind.in_([number(bit) for bit in kinds]))
            for subject, kinds in whose
        )
    )
    # Bit by bit, because sum(DISTINCT) makes SQLite set up a table of its own, which costs more than all the rest.
    total = number(0)
    for bit in PERSON_DUTIES | VENDOR_DUTIES | (MATTER_DUTIES if matter is not None else Duty(0)):
        total = total + func.max(duty.c.kind.bitwise_and(number(bit)))
    in_force = select(total).where(by_subject, _in_force(duty, engagement)).scalar_subquery()
    return cast(func.coalesce(in_force, number(0)), BigInteger)


def nda_hash(engagement: ColumnElement[str]) -> ColumnElement[str | None]:
    """Return the hex SHA-256 of the NDA text that binds the asker now, or NULL: that of the newest duty in force."""
    # The one that no later one follows: a sort, even of one row, makes SQLite set up a table of its own.
    duty, later = models.duties, models.duties.alias("later")
    follows = or_(
        later.c.valid_from > duty.c.valid_from, and_(later.c.valid_from == duty.c.valid_from, later.c.id > duty.c.id)
    )
    followed = there_is(_is_nda(later, engagement), follows).correlate_except(later)
    return select(duty.c.evidence_sha256).where(_is_nda(duty, engagement), ~followed).scalar_subquery()


def _is_nda(duty: FromClause, engagement: ColumnElement[str]) -> Truth:
    return and_(duty.c.subject_id == PERSON, duty.c.kind == number(Duty.NDA), _in_force(duty, engagement))


def _in_force(duty: FromClause, engagement: ColumnElement[str]) -> Truth:
    return and_(duty.c.engagement_id.in_([engagement, word(ANY)]), duty.c.valid_from <= NOW, duty.c.valid_until > NOW)

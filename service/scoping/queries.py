"""The facts of one thing in one query, compiled once: what `decide` runs.

Each statement answers one row, or none where the thing is not there for the asker: ids of the places it lies in, the
`Fact` bits that rows can tell (``facts``), the `Duty` bits in force (``duties``), the NDA text that binds (``nda``)
and, for vendor people, the schedules in force (``hours``) and the engagement's ``overlay``. `DUTIES` and `NARROWED` are
added by the decision: the one needs the policy, the other is the token's; and `WINDOW` is taken away where one of the
schedules is shut.

It does not decide; the expressions are service/scoping/facts.py.
"""

from __future__ import annotations

from typing import Any, Final

from sqlalchemy import ColumnElement, Select, Text, and_, bindparam, case, cast, or_, select

from service.db import models
from service.scoping import duties
from service.scoping.facts import (
    ENGAGEMENT,
    FIRM,
    PERSON,
    Truth,
    asked,
    d,
    disclosed,
    drafted,
    e,
    engagement_is_led,
    engagement_is_named,
    engagement_is_own,
    engagement_is_reviewed,
    glass_broken,
    granted,
    granted_lately,
    hours,
    is_membership,
    is_there,
    known,
    leaves_trace,
    live_for_firm,
    live_for_vendor,
    m,
    mask,
    matter_is_reviewed,
    number,
    on_call,
    on_team,
    own,
    reaches_document,
    runs_house,
    second_person,
    suspended,
    theirs,
    there_is,
    walled,
    whole_house,
    window,
    word,
)

_NO_DUTIES = number(0).label("duties")
_NO_NDA = cast(word(""), Text).label("nda")
_OWN_HOURS = hours(m.c.engagement_id).label("hours")

_DOCUMENT_COLUMNS = (
    d.c.id,
    d.c.engagement_id,
    d.c.part_id,
    d.c.matter_id,
    d.c.label,
    d.c.sensitivity,
    d.c.state,
    d.c.number,
    d.c.revision_id,
    d.c.added_by,
    d.c.version,
)


def _of_document(*columns: ColumnElement[Any], there: Truth | None = None) -> Select[Any]:
    present = case((is_there() if there is None else there, number(1)), else_=number(0)).label("there")
    return (
        select(*_DOCUMENT_COLUMNS, present, *columns)
        .select_from(d.join(e, e.c.id == d.c.engagement_id).join(m, is_membership()))
        .where(d.c.id == bindparam("document", type_=Text), d.c.firm_id == FIRM, reaches_document())
    )


DOCUMENT_FOR_VENDOR: Final = _of_document(
    mask(
        live=live_for_vendor(),
        assigned=granted(),
        own=own(),
        window=window(),
        walled=walled(d.c.matter_id),
        suspended=suspended(),
    ).label("facts"),
    duties.bits(d.c.engagement_id, d.c.matter_id).label("duties"),
    duties.nda_hash(d.c.engagement_id).label("nda"),
    hours(d.c.engagement_id).label("hours"),
    e.c.overlay,
)
DOCUMENT_FOR_FIRM: Final = _of_document(
    mask(
        live=live_for_firm(),
        assigned=theirs(on_team(d.c.matter_id)),
        own=own(),
        break_glass=glass_broken(d.c.matter_id),
        window=window(),
        walled=walled(d.c.matter_id),
        suspended=suspended(),
    ).label("facts"),
    _NO_DUTIES,
    _NO_NDA,
)

DOCUMENT_TO_ASK_FOR: Final = _of_document(
    mask(
        live=live_for_vendor(),
        assigned=granted_lately(),
        window=window(),
        walled=walled(d.c.matter_id),
        suspended=suspended(),
        known=known(),
    ).label("facts"),
    duties.bits(d.c.engagement_id, d.c.matter_id).label("duties"),
    duties.nda_hash(d.c.engagement_id).label("nda"),
    hours(d.c.engagement_id).label("hours"),
    e.c.overlay,
)
"""What a vendor person may ask for: a query of its own, so that looking at documents pays nothing for it."""

DOCUMENT_TO_INSPECT: Final = _of_document(
    mask(
        live=live_for_vendor(),
        own=drafted(),
        window=window(),
        walled=walled(d.c.matter_id),
        suspended=suspended(),
    ).label("facts"),
    duties.bits(d.c.engagement_id, d.c.matter_id).label("duties"),
    duties.nda_hash(d.c.engagement_id).label("nda"),
    hours(d.c.engagement_id).label("hours"),
    e.c.overlay,
)
"""Whether a vendor person is told what lies hidden in it: of his own draft alone, whatever he was granted."""

DOCUMENT_TO_ANSWER_FOR: Final = _of_document(
    mask(
        live=live_for_firm(),
        assigned=theirs(on_team(d.c.matter_id)),
        window=window(),
        walled=walled(d.c.matter_id),
        suspended=suspended(),
        on_call=on_call(),
    ).label("facts"),
    _NO_DUTIES,
    _NO_NDA,
)
"""Whether a firm person answers those who ask for it."""

DOCUMENT_TO_TRACE: Final = _of_document(
    mask(
        live=live_for_firm(),
        assigned=theirs(on_team(d.c.matter_id)),
        window=window(),
        walled=walled(d.c.matter_id),
        suspended=suspended(),
    ).label("facts"),
    _NO_DUTIES,
    _NO_NDA,
    there=leaves_trace(),
)
"""Whose past a firm person may read: also that of a document which was moved away."""

DOCUMENT_TO_NAME: Final = _of_document(
    mask(
        window=window(),
        walled=walled(d.c.matter_id),
        suspended=suspended(),
        disclosed=disclosed(),
    ).label("facts"),
    _NO_DUTIES,
    _NO_NDA,
)
"""Whether a reviewer is told its title: also when the engagement is closed, for reviewing goes on."""

_p = models.parts


def _of_part(*columns: ColumnElement[Any]) -> Select[Any]:
    return (
        select(_p.c.id, _p.c.engagement_id, _p.c.id.label("part_id"), _p.c.matter_id, *columns)
        .select_from(_p.join(e, e.c.id == _p.c.engagement_id).join(m, is_membership()))
        .where(
            _p.c.id == bindparam("part", type_=Text),
            _p.c.firm_id == FIRM,
            or_(m.c.engagement_id.is_(None), m.c.engagement_id == _p.c.engagement_id),
        )
    )


_THERE_UNLESS_DISPOSED = case((e.c.status != word("disposed"), number(1)), else_=number(0)).label("there")

PART_FOR_VENDOR: Final = _of_part(
    _THERE_UNLESS_DISPOSED,
    mask(
        live=live_for_vendor(),
        asked=asked(for_label=True),
        window=window(),
        walled=walled(_p.c.matter_id),
        suspended=suspended(),
    ).label("facts"),
    duties.bits(_p.c.engagement_id, _p.c.matter_id).label("duties"),
    duties.nda_hash(_p.c.engagement_id).label("nda"),
    hours(_p.c.engagement_id).label("hours"),
    e.c.overlay,
    case((asked(for_label=False), number(1)), else_=number(0)).label("known"),
)
PART_FOR_FIRM: Final = _of_part(
    _THERE_UNLESS_DISPOSED,
    mask(
        live=live_for_firm(),
        assigned=and_(window(), on_team(_p.c.matter_id)),
        window=window(),
        walled=walled(_p.c.matter_id),
        suspended=suspended(),
    ).label("facts"),
    _NO_DUTIES,
    _NO_NDA,
    number(0).label("known"),
)


def _of_engagement(*columns: ColumnElement[Any]) -> Select[Any]:
    return (
        select(e.c.id, e.c.id.label("engagement_id"), e.c.status, e.c.version, *columns)
        .select_from(e.join(m, is_membership()))
        .where(e.c.id == ENGAGEMENT, e.c.firm_id == FIRM)
    )


ENGAGEMENT_FOR_VENDOR: Final = _of_engagement(
    mask(live=live_for_vendor(), assigned=engagement_is_own(), window=window(), suspended=suspended()).label("facts"),
    duties.bits(e.c.id).label("duties"),
    duties.nda_hash(e.c.id).label("nda"),
    hours(e.c.id).label("hours"),
    e.c.overlay,
)
ENGAGEMENT_FOR_FIRM: Final = _of_engagement(
    mask(
        live=live_for_firm(),
        assigned=engagement_is_led(),
        window=window(),
        seconded=second_person(),
        suspended=suspended(),
        named=engagement_is_named(),
    ).label("facts"),
    _NO_DUTIES,
    _NO_NDA,
)
REGISTER: Final = _of_engagement(
    mask(
        assigned=or_(engagement_is_led(), engagement_is_reviewed()),
        window=window(),
        suspended=suspended(),
    ).label("facts"),
    _NO_DUTIES,
    _NO_NDA,
)
"""The register of an engagement: also a seat in one matter reaches it, and its query shows the papers of that alone."""

_t = models.matters
_of_another = there_is(
    models.emergencies.c.id == bindparam("via", type_=Text),
    models.emergencies.c.matter_id == _t.c.id,
    models.emergencies.c.person_id != PERSON,
)
_in_own_engagement = there_is(_p.c.engagement_id == m.c.engagement_id, _p.c.matter_id == _t.c.id)


def _of_matter(*columns: ColumnElement[Any]) -> Select[Any]:
    return (
        select(_t.c.id, _t.c.id.label("matter_id"), _t.c.number, _t.c.version, *columns, _NO_DUTIES, _NO_NDA)
        .select_from(_t.join(m, is_membership()))
        .where(_t.c.id == bindparam("matter", type_=Text), _t.c.firm_id == FIRM)
    )


MATTER: Final = _of_matter(
    mask(
        assigned=and_(
            window(),
            or_(
                and_(whole_house(), runs_house()),
                and_(on_team(_t.c.id), or_(whole_house(), _in_own_engagement)),
            ),
        ),
        window=window(),
        break_glass=glass_broken(_t.c.id),
        seconded=_of_another,
        walled=walled(_t.c.id),
        suspended=suspended(),
    ).label("facts"),
    _OWN_HOURS,
)
LOG_OF_MATTER: Final = _of_matter(
    mask(
        assigned=matter_is_reviewed(_t.c.id),
        window=window(),
        walled=walled(_t.c.id),
        suspended=suspended(),
    ).label("facts"),
)
"""What the log says of a matter, to people of the firm."""


def _of_house(*more: Truth) -> Select[Any]:
    whole = and_(window(), whole_house(), *more)
    true = mask(assigned=whole, window=window(), suspended=suspended()).label("facts")
    return select(m.c.id, true, _NO_DUTIES, _NO_NDA, _OWN_HOURS).where(is_membership())


HOUSE: Final = _of_house()
"""Acts that belong to the house (a new person, vendor, matter, engagement): a seat for the whole house."""

ALL_OF_HOUSE: Final = _of_house(runs_house())
"""Acts on every engagement or matter at once (the whole log, all certificates): only who runs or reviews the house."""

_other = models.people

ONE_PERSON: Final = (
    select(
        _other.c.id,
        mask(
            assigned=and_(window(), whole_house()),
            own=_other.c.id == PERSON,
            seconded=_other.c.id != PERSON,
            window=window(),
            suspended=suspended(),
        ).label("facts"),
        _NO_DUTIES,
        _NO_NDA,
        _OWN_HOURS,
    )
    .select_from(_other.join(m, is_membership()))
    .where(_other.c.id == bindparam("other", type_=Text), _other.c.firm_id == FIRM)
)

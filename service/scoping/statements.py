"""Lists as SQL: what the policy answers, compiled into statements from what Casbin said (`Matrix.alternatives`).

Rules kept here:

* the facts are the very expressions that a decision reads (service/scoping/facts.py): a statement lists
  ``{d : decide(d)}`` exactly (a property over random worlds proves it);
* a page is driven by an index: a vendor person's grants in document order, his own papers, a firm person's matters and
  those that he opened in an emergency.

It runs nothing: `listing`, `together` and `comparing` do, with what `listing.bound` binds.

Source: policies/README.md; docs/adr/0005-policy.md.
"""

from __future__ import annotations

from enum import Enum
from typing import Any, Final, NamedTuple

from sqlalchemy import (
    BigInteger,
    ColumnElement,
    CompoundSelect,
    Select,
    Text,
    and_,
    bindparam,
    func,
    or_,
    select,
    union,
    union_all,
)
from sqlalchemy import true as sql_true

from service.db import models
from service.scoping import duties, facts
from service.scoping.actions import OWED_BY_MATTER, Action, Duty, Fact, Side
from service.scoping.facts import MEMBERSHIP, NOW, PERSON, Truth, d, e, m
from service.scoping.matrix import Condition, Matrix

_p, _g, _r = models.parts, models.grants, models.revisions
Statement = Select[Any] | CompoundSelect[Any]
_AFTER: Final = bindparam("after", type_=Text)
_MOST: Final = bindparam("most", type_=BigInteger)

_COLUMNS: Final = (
    d.c.id,
    d.c.engagement_id,
    d.c.part_id,
    d.c.matter_id,
    d.c.number,
    d.c.label,
    d.c.sensitivity,
    d.c.state,
    d.c.title,
    d.c.revision_id,
    d.c.added_by,
    d.c.added_at,
    d.c.version,
    _r.c.size_bytes,
    _r.c.media_type,
    _r.c.condition,
    _r.c.pages,
    _p.c.key_id.label("part_key_id"),
    _p.c.field_key.label("part_field_key"),
)


class Where(NamedTuple):
    """Where to look: only documents of this place or state, or whose own grant ends by then; None is everywhere."""

    engagement: str | None = None
    part: str | None = None
    matter: str | None = None
    state: str | None = None
    label: str | None = None
    ends_by: int | None = None  # UTC seconds


EVERYWHERE: Final = Where()


class Form(Enum):
    """A page whose branches the database merges, a page whose branches end by themselves, or a count."""

    MERGED = "merged"
    BOUNDED = "bounded"
    COUNTED = "counted"


def ids(
    matrix: Matrix,
    role: str,
    side: Side,
    action: Action,
    *,
    given: tuple[str, ...] = (),
    cells: frozenset[tuple[str, str]] | None = None,
    shut: bool = False,
    stepped_up: int = int(Fact.STEPPED_UP),
) -> Select[Any] | None:
    """Return the statement of a whole list: ids alone, each once; None when nothing can be on it.

    For comparing lists inside the database. It binds what `bound` gives, and ``after=""``.

    Args:
        given: the nouns of `Where` that will be bound.
        cells: only documents with one of these (label, sensitivity).
        shut: a schedule is shut (`windows.is_shut`); where nobody's hours are asked about, they count as open.
        stepped_up: `Actor.stepped_up`; where nobody's token is asked about, as if he had just proved that it is he.
    """
    branches = _branches(matrix, role, side, action, given, cells, shut=shut, stepped_up=stepped_up)
    return _ids(branches, side) if branches else None


def admits(
    matrix: Matrix, role: str, side: Side, action: Action, document_id: ColumnElement[str], *, stepped_up: int
) -> Truth | None:
    """Say of one document in a query whether it is on a list; None when none ever is. It binds what `bound` gives."""
    true = _facts_of(side, stepped_up=stepped_up)
    conditions = _conditions(matrix, role, action, true, None)
    if not conditions:
        return None
    source = d.join(e, e.c.id == d.c.engagement_id).join(m, facts.is_membership())
    always = _always(matrix, role, action, true)
    return (
        select(facts.number(1))
        .select_from(source)
        .where(d.c.id == document_id, *always, _any_of(conditions, true))
        .exists()
    )


# From the policy to SQL ---------------------------------------------------------------------------------------------


def compiled(
    matrix: Matrix,
    role: str,
    side: Side,
    action: Action,
    given: tuple[str, ...],
    form: Form,
    *,
    shut: bool,
    stepped_up: int,
) -> Statement | None:
    """Return the statement of a list, which binds what `listing.bound` gives, ``after`` and ``most``.

    Args:
        given: the nouns of `Where` that will be bound.
        shut: a schedule is shut, so that the fact `window` is true of nothing.
        stepped_up: `Actor.stepped_up`: where it is no fact, what needs it is true of nothing.

    Returns: None when nothing can be on it.
    """
    branches = _branches(matrix, role, side, action, given, shut=shut, stepped_up=stepped_up)
    return _joined(branches, side, form) if branches else None


def _branches(
    matrix: Matrix,
    role: str,
    side: Side,
    action: Action,
    given: tuple[str, ...],
    cells: frozenset[tuple[str, str]] | None = None,
    *,
    shut: bool,
    stepped_up: int,
) -> list[Select[Any]]:
    true = _facts_of(side, stepped_up=stepped_up)
    if shut:
        del true[Fact.WINDOW]
    conditions = _conditions(matrix, role, action, true, cells)
    by_assignment = [one for one in conditions if one.facts & Fact.ASSIGNED]
    by_knowledge = [one for one in conditions if one.facts & Fact.KNOWN]
    by_adder = [one for one in conditions if one.facts & Fact.OWN and not one.facts & Fact.ASSIGNED]
    by_emergency = [
        one for one in conditions if one.facts & Fact.BREAK_GLASS and not one.facts & (Fact.ASSIGNED | Fact.OWN)
    ]
    always = (*_always(matrix, role, action, true), *(_IN[noun] for noun in given))
    branches: list[Select[Any]] = []
    if by_assignment:
        driven = {**true, Fact.ASSIGNED: _assigned_where_driven(side)}
        source = _granted() if side is Side.VENDOR else _of_team()
        branches.append(source.where(*always, _any_of(by_assignment, driven)))
    if by_adder:
        branches.append(_added(side).where(*always, _any_of(by_adder, true)))
    if by_emergency:
        branches.append(
            _of_emergency().where(*always, _any_of(by_emergency, {**true, Fact.BREAK_GLASS: facts.window()}))
        )
    if by_knowledge:
        branches.append(_withheld().where(*always, _any_of(by_knowledge, true)))
    return branches


def _always(matrix: Matrix, role: str, action: Action, true: dict[Fact, Truth]) -> tuple[Truth, ...]:
    """What must be so for every document of a list, whichever way it comes there."""
    shut = (~true[fact] for fact in (Fact.WALLED, Fact.SUSPENDED) if matrix.denials(role, action) & fact)
    return (d.c.firm_id == facts.FIRM, facts.reaches_document(), facts.is_there(), *shut)


def _conditions(
    matrix: Matrix, role: str, action: Action, true: dict[Fact, Truth], cells: frozenset[tuple[str, str]] | None
) -> list[Condition]:
    """The ways to a yes that rows can tell; in some cells alone, where they are given."""
    known = [one for one in matrix.alternatives(role, action) if not one.facts & ~_mask(true)]
    if cells is None:
        return known
    return [one._replace(cells=one.cells & cells) for one in known if one.cells & cells]


_ending = models.grants.alias("ending")
_IN: Final = {
    "engagement": d.c.engagement_id == bindparam("in_engagement", type_=Text),
    "part": d.c.part_id == bindparam("in_part", type_=Text),
    "matter": d.c.matter_id == bindparam("in_matter", type_=Text),
    "state": d.c.state == bindparam("in_state", type_=Text),
    "label": d.c.label == bindparam("in_label", type_=Text),
    "ends_by": facts.there_is(
        _ending.c.document_id == d.c.id,
        facts.gives(_ending),
        _ending.c.not_after <= bindparam("in_ends_by", type_=BigInteger),
    ),
}


def _facts_of(side: Side, *, stepped_up: int) -> dict[Fact, Truth]:
    """The facts that a decision on a document knows, as conditions; `DUTIES` is added by each condition's needs."""
    vendor = side is Side.VENDOR
    return {
        **({} if vendor else {Fact.BREAK_GLASS: facts.glass_broken(d.c.matter_id)}),
        Fact.LIVE: facts.live_for_vendor() if vendor else facts.live_for_firm(),
        Fact.ASSIGNED: facts.granted() if vendor else facts.theirs(facts.on_team(d.c.matter_id)),
        Fact.OWN: facts.own(),
        Fact.WINDOW: facts.window(),
        Fact.WALLED: facts.walled_in_list(d.c.matter_id),
        Fact.SUSPENDED: facts.suspended(),
        **({Fact.KNOWN: facts.known()} if vendor else {}),
        **({Fact.STEPPED_UP: sql_true()} if stepped_up else {}),
    }


def _assigned_where_driven(side: Side) -> Truth:
    """What is left of `ASSIGNED` where each row already comes with its live grant, or with its team."""
    return facts.is_shareable() if side is Side.VENDOR else facts.theirs(sql_true())


def _mask(true: dict[Fact, Truth]) -> int:
    return int(Fact.DUTIES | sum(true, Fact(0)))


def _any_of(conditions: list[Condition], true: dict[Fact, Truth]) -> Truth:
    """Any of the ways to a yes; those that differ in what is owed alone share the rest."""
    alike: dict[int, list[Condition]] = {}
    for one in conditions:
        alike.setdefault(one.facts, []).append(one)
    return or_(*(_condition(ways, true) for ways in alike.values()))


def _condition(ways: list[Condition], true: dict[Fact, Truth]) -> Truth:
    """The ways to a yes by the same facts, as SQL; no cell is in two of them."""
    facts_of_all = Fact(ways[0].facts)
    cells = frozenset[tuple[str, str]]().union(*(one.cells for one in ways))
    parts = [true[fact] for fact in facts_of_all if fact in true]
    return and_(_cells(cells), *parts, *(_duties(ways) if Fact.DUTIES in facts_of_all else ()))


def _duties(ways: list[Condition]) -> list[Truth]:
    """What each cell needs is in force: everything that any of them needs, or what it takes one by one."""
    every, common = 0, ways[0].needs
    for one in ways:
        every, common = every | one.needs, common & one.needs
    if every == common:
        return _owed(common)
    each = (or_(~_cells(one.cells), and_(*_owed(one.needs & ~common))) for one in ways if one.needs & ~common)
    return [or_(and_(*_owed(every)), and_(*_owed(common), *each))]


def _owed(needs: int) -> list[Truth]:
    """All duties of a mask are in force or not demanded: asked once a query, and of each matter of the engagement."""
    of_asker, of_matter = Duty(needs) & ~OWED_BY_MATTER, Duty(needs) & OWED_BY_MATTER
    asked: list[Truth] = []
    if of_asker:
        wanted = facts.number(of_asker)
        asked.append(duties.bits_of_list().bitwise_and(wanted) == wanted)
    if of_matter:
        asked.append(~duties.matter_lacks(d.c.matter_id, of_matter))
    return asked


def _cells(cells: frozenset[tuple[str, str]]) -> Truth:
    """(label, sensitivity) is one of these: labels with the same sensitivities together."""
    reach: dict[str, list[str]] = {}
    for label, sensitivity in sorted(cells):
        reach.setdefault(label, []).append(sensitivity)
    rows: dict[tuple[str, ...], list[str]] = {}
    for label, sensitivities in reach.items():
        rows.setdefault(tuple(sensitivities), []).append(label)
    return or_(
        *(
            and_(
                d.c.label.in_([facts.word(label) for label in labels]),
                d.c.sensitivity.in_([facts.word(sensitivity) for sensitivity in sensitivities]),
            )
            for sensitivities, labels in rows.items()
        )
    )


# What a page is driven by -------------------------------------------------------------------------------------------


def _granted() -> Select[Any]:
    """A vendor person's grants, in the order of their documents; of several on one document the first made counts."""
    earlier = models.grants.alias("earlier")
    first = ~facts.there_is(earlier.c.document_id == _g.c.document_id, facts.gives(earlier), earlier.c.id < _g.c.id)
    source = _g.join(d, d.c.id == _g.c.document_id)
    return _selected(source, Side.VENDOR, key=_g.c.document_id).where(facts.gives(_g), first)


def _of_team() -> Select[Any]:
    """The documents of a firm person's matters."""
    team = models.matter_team.alias("team")
    named = and_(team.c.person_id == PERSON, team.c.since <= NOW, team.c.until > NOW)
    return _selected(team.join(d, d.c.matter_id == team.c.matter_id), Side.FIRM, key=d.c.id).where(named)


def _of_emergency() -> Select[Any]:
    """The documents of matters that the membership opened in an emergency; of several on one the first counts."""
    emergency, earlier = models.emergencies.alias("emergency"), models.emergencies.alias("earlier")
    same = earlier.c.matter_id == emergency.c.matter_id
    first = ~facts.there_is(same, facts.opens(earlier), earlier.c.id < emergency.c.id)
    source = emergency.join(d, d.c.matter_id == emergency.c.matter_id)
    return _selected(source, Side.FIRM, key=d.c.id).where(facts.opens(emergency), first)


def _added(side: Side) -> Select[Any]:
    """What the membership itself added."""
    return _selected(d, side, key=d.c.id).where(d.c.added_by == MEMBERSHIP)


def _withheld() -> Select[Any]:
    """All that lies in a vendor person's engagement."""
    return _selected(d, Side.VENDOR, key=d.c.id)


def _selected(source: Any, side: Side, key: ColumnElement[str]) -> Select[Any]:
    """Join what a row shows and is decided by. A vendor person's engagement is his seat's: found once, not per row."""
    seated = source.join(m, facts.is_membership())
    if side is Side.VENDOR:
        placed = seated.join(e, and_(e.c.id == m.c.engagement_id, e.c.id == d.c.engagement_id))
    else:
        placed = seated.join(e, e.c.id == d.c.engagement_id)
    whole = placed.join(_p, _p.c.id == d.c.part_id).outerjoin(_r, _r.c.id == d.c.revision_id)
    return select(key.label("id"), *_COLUMNS[1:]).select_from(whole).where(key > _AFTER).order_by(key)


def _together(side: Side) -> Any:
    # What was granted is confirmed, what is one's own is not: a vendor person's two branches never meet.
    return union_all if side is Side.VENDOR else union


def _ids(branches: list[Select[Any]], side: Side) -> Select[Any]:
    found = [branch.with_only_columns(d.c.id).order_by(None) for branch in branches]
    return select((_together(side)(*found) if len(found) > 1 else found[0]).subquery().c.id)


def _joined(branches: list[Select[Any]], side: Side, form: Form) -> Any:
    if form is Form.COUNTED:
        return select(func.count().label("n")).select_from(_ids(branches, side).subquery())
    if len(branches) == 1:
        return branches[0].limit(_MOST)
    if form is Form.BOUNDED:
        arms = [select(branch.limit(_MOST).subquery()) for branch in branches]
    else:
        arms = [branch.order_by(None) for branch in branches]
    return _together(side)(*arms).order_by("id").limit(_MOST)

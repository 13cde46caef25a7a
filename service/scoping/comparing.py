"""What another policy would change for whom: the same list compiled from two snapshots, one taken away from the other.

Rules kept here:

* both lists come from `service.scoping.listing`, so a difference is exactly the documents for which the two snapshots
  decide otherwise (a property over random worlds proves it); nothing is estimated, nothing is decided one by one;
* only the cells that the two answer differently are looked at (`service.scoping.table`), and only roles that have any;
* a vendor's person is compared under his engagement's overlay; what would become of that is compared the same way;
* working hours count as open: what a policy changes is not told otherwise at night;
* what comes out are numbers by membership. No title is read, no document is named.

Source: policies/README.md; service/scoping/table.py.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final, NamedTuple

from sqlalchemy import Select, Text, bindparam, func, select

from service.db import models
from service.db.session import Tx
from service.ledger import Moment
from service.scoping import listing, statements, together
from service.scoping.abilities import ABILITY_BITS
from service.scoping.actions import Action, Role, side_of
from service.scoping.actors import Actor, as_actor
from service.scoping.inforce import overlay_of, under
from service.scoping.matrix import Matrix
from service.scoping.table import Change, changes
from service.scoping.together import Asker

COMPARED: Final = (
    Action.DOCUMENT_LIST,
    Action.DOCUMENT_VIEW,
    Action.DOCUMENT_TEXT,
    Action.DOCUMENT_DOWNLOAD,
    Action.DOCUMENT_REVISE,
)
"""The acts whose lists are compared: what one knows of, sees, carries away, replaces."""

Cells = frozenset[tuple[str, str]]


class Shift(NamedTuple):
    """How many documents one membership would gain and lose for one act."""

    person_id: str
    membership_id: str
    role: str
    action: str
    gained: int
    lost: int


class _Step(NamedTuple):
    """One count to take: what stands in one list and not in the other."""

    statement: Select[Any]
    meaning: tuple[object, ...]  # steps with the same meaning have the same answer


_m = models.memberships
_SEATS: Final = (
    select(_m.c.id, _m.c.person_id, _m.c.engagement_id, _m.c.role, _m.c.side, models.people.c.vendor_id)
    .select_from(_m.join(models.people, models.people.c.id == _m.c.person_id))
    .where(_m.c.firm_id == bindparam("firm", type_=Text))
    .order_by(_m.c.id)
)


class Comparison:
    """Two snapshots, and the statements that tell them apart, each compiled once.

    Args:
        before, after: what is in force, and what might be. Two policies, or one under two overlays.
        asker: count only documents that he may be told of; None counts all.
    """

    def __init__(self, before: Matrix, after: Matrix, asker: Asker | None = None) -> None:
        self.changes: tuple[Change, ...] = tuple(changes(before, after))
        self._before, self._after, self._asker = before, after, asker
        self._overlaid: dict[str, Comparison] = {}
        self._steps: Mapping[tuple[str, Action], tuple[_Step | None, _Step | None]] = {
            (role.value, action): self._steps_of(role, action)
            for role, action in dict.fromkeys((change.role, change.action) for change in self.changes)
            if action in COMPARED
        }

    def seats(self, tx: Tx, firm_id: str) -> list[Actor]:
        """Return the memberships of a firm whose role is answered differently, as if each had a token for all."""
        roles = {role for role, _ in self._steps}
        if not roles:
            return []
        return [as_actor(firm_id, row) for row in tx.all(_SEATS, firm=firm_id) if row.role in roles]

    def shifts(self, tx: Tx, moment: Moment, actor: Actor) -> Iterator[Shift]:
        """Yield what would change for one membership, act by act; nothing where nothing does."""
        return self.under_overlay(tx, actor).plain_shifts(tx, moment, actor)

    def under_overlay(self, tx: Tx, actor: Actor) -> Comparison:
        """Two policies compared as they are for somebody; two overlays are what they are."""
        text = overlay_of(tx, actor) if self._before.base is not self._after.base else ""
        if text and text not in self._overlaid:
            self._overlaid[text] = Comparison(under(self._before, text), under(self._after, text), self._asker)
        return self._overlaid[text] if text else self

    def plain_shifts(self, tx: Tx, moment: Moment, actor: Actor) -> Iterator[Shift]:
        """Yield what would change for one membership between these very snapshots."""
        known: dict[tuple[object, ...], int] = {}
        for action in COMPARED:
            steps = self._steps.get((actor.role, action))
            if steps is None:
                continue
            gained, lost = (self._count(tx, moment, actor, action, step, known) for step in steps)
            if gained or lost:
                yield Shift(actor.person_id, actor.membership_id, actor.role, action.value, gained, lost)

    def _count(
        self,
        tx: Tx,
        moment: Moment,
        actor: Actor,
        action: Action,
        step: _Step | None,
        known: dict[tuple[object, ...], int],
    ) -> int:
        if step is None:
            return 0
        if step.meaning not in known:
            bound = {} if self._asker is None else together.bound_of(self._asker)
            bound |= listing.bound(moment, actor, action)
            known[step.meaning] = int(tx.value(step.statement, **bound, after=""))
        return known[step.meaning]

    def _steps_of(self, role: Role, action: Action) -> tuple[_Step | None, _Step | None]:
        """What is gained and what is lost; None for what cannot be anything."""
        about = [change for change in self.changes if change.role is role and change.action is action]
        gained = frozenset((change.label, change.sensitivity) for change in about if change.gained)
        lost = frozenset((change.label, change.sensitivity) for change in about if change.lost)
        return (
            _step(self._after, self._before, role, action, gained, self._asker),
            _step(self._before, self._after, role, action, lost, self._asker),
        )


def _step(has: Matrix, lacks: Matrix, role: Role, action: Action, cells: Cells, asker: Asker | None) -> _Step | None:
    side = side_of(role)
    those = statements.ids(has, role, side, action, cells=cells)
    if those is None:
        return None
    others = statements.ids(lacks, role, side, action, cells=cells)
    left = those if others is None else those.except_(others)
    meaning = (ABILITY_BITS[action], *(_meaning(matrix, role, action, cells) for matrix in (has, lacks)))
    found = left.subquery("seen")
    counted = select(func.count().label("n")).select_from(found)
    if asker is None:
        return _Step(counted, meaning)
    told = together.told_of(has.base, asker.actor, found.c.id)
    return None if told is None else _Step(counted.where(told), meaning)


def _meaning(matrix: Matrix, role: Role, action: Action, cells: Cells) -> tuple[object, ...]:
    conditions = ((one.facts, one.needs, one.cells & cells) for one in matrix.alternatives(role, action))
    return (matrix.denials(role, action), *(one for one in conditions if one[2]))

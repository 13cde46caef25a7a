"""What matters demand and lack, of what somebody was handed or is asked for: what he may be told of it.

Rules kept here:

* a matter is named by its part alone, and only where he holds a live grant or ask in it and no wall stands between;
* what is lacking is what the very labels of those papers need of his role, by the expressions that decide.

Nothing is looked through where no matter of the engagement lacks anything.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Final

from sqlalchemy import bindparam, select

from service.db import models
from service.db.session import Tx
from service.ledger import Moment
from service.scoping import duties, facts
from service.scoping.abilities import ABILITY_BITS
from service.scoping.actions import OWED_BY_MATTER, Action, Duty
from service.scoping.actors import Actor
from service.scoping.matrix import Matrix

_p, _d, _g, _a = models.parts, models.documents, models.grants, models.asks
_LACKING: Final = (
    select(_p.c.id, duties.bits(_p.c.engagement_id, _p.c.matter_id).label("duties"))
    .select_from(_p.join(facts.e, facts.e.c.id == _p.c.engagement_id))
    .where(
        _p.c.engagement_id == facts.ENGAGEMENT,
        duties.matter_lacks(_p.c.matter_id, OWED_BY_MATTER),
        ~facts.walled(_p.c.matter_id),
    )
    .order_by(_p.c.id)
)
_OF_PART: Final = _LACKING.where(_p.c.id == bindparam("part"))
_HANDED: Final = (
    select(_d.c.label)
    .select_from(_g.join(_d, _d.c.id == _g.c.document_id))
    .where(_d.c.part_id == bindparam("part"), facts.is_shareable(), facts.gives(_g))
    .distinct()
)
_ASKED: Final = (
    select(_a.c.label)
    .where(
        _a.c.membership_id == facts.MEMBERSHIP,
        _a.c.part_id == bindparam("part"),
        _a.c.not_before <= facts.NOW,
        _a.c.not_after > facts.NOW,
        _a.c.ended_at > facts.NOW,
    )
    .distinct()
)


def in_matters(tx: Tx, matrix: Matrix, moment: Moment, actor: Actor) -> list[tuple[str, Duty]]:
    """Return (part, duty) for every duty that stands between a vendor's member and what he was handed or asked for."""
    if actor.engagement_id is None:
        return []
    eyes = _eyes(moment, actor)
    return [
        (part.id, duty)
        for part in tx.all(_LACKING, **eyes)
        for duty in Duty(_needed_in(tx, matrix, actor, part.id, eyes) & ~part.duties) & OWED_BY_MATTER
    ]


def shut_labels(
    tx: Tx, matrix: Matrix, moment: Moment, actor: Actor, part_id: str, labels: Iterable[str]
) -> frozenset[str]:
    """Return those of the labels whose papers in this part are shut to a vendor's member by what its matter lacks."""
    row = tx.one(_OF_PART, **_eyes(moment, actor), part=part_id)
    if row is None:
        return frozenset()
    lacks = OWED_BY_MATTER & ~row.duties
    return frozenset(label for label in labels if matrix.needs(actor.role, Action.DOCUMENT_LIST, label) & lacks)


def _eyes(moment: Moment, actor: Actor) -> dict[str, Any]:
    return {
        "person": actor.person_id,
        "membership": actor.membership_id,
        "vendor": actor.vendor_id,
        "engagement": actor.engagement_id,
        "now": moment.s,
        "ability": ABILITY_BITS[Action.DOCUMENT_LIST],
    }


def _needed_in(tx: Tx, matrix: Matrix, actor: Actor, part_id: str, eyes: Mapping[str, Any]) -> int:
    """The duties that the actor needs for what he was handed in a part, and for what he is asked for there."""
    needed = 0
    for statement, action in ((_HANDED, Action.DOCUMENT_LIST), (_ASKED, Action.DOCUMENT_ADD)):
        for row in tx.all(statement, **eyes, part=part_id):
            needed |= matrix.needs(actor.role, action, row.label)
    return needed

"""The grants of an engagement that the asker may revoke: those in force, those to come, or all that there were.

Rules kept here:

* a grant is here when the asker is allowed `grant:revoke` on its document now, asked of the policy in the same query
  (`service.scoping.statements.admits`): the set is ``{g : decide(grant:revoke, document of g)}``;
* of others nothing is told, not even a number.

Source: docs/adr/0023-sharing-many.md.
"""

from __future__ import annotations

from typing import Any, Final, NamedTuple

from sqlalchemy import BigInteger, Select, Text, bindparam, select

from service.db import models
from service.db.session import Tx
from service.ledger import Moment
from service.scoping import listing, statements
from service.scoping.actions import Action, Fact, Side
from service.scoping.actors import Actor
from service.scoping.facts import NOW
from service.scoping.matrix import Matrix

# What decides asks about grants, memberships and documents itself.
_g, _m, _d = models.grants.alias("taken"), models.memberships.alias("holder"), models.documents.alias("paper")
_COLUMNS: Final = (
    _g.c.id,
    _g.c.engagement_id,
    _g.c.membership_id,
    _m.c.person_id,
    _g.c.document_id,
    _d.c.part_id,
    _d.c.matter_id,
    _d.c.number,
    _d.c.label,
    _g.c.abilities,
    _g.c.not_before,
    _g.c.not_after,
    _g.c.revoked_at,
    _g.c.granted_at,
    _g.c.task_id,
    _g.c.bulk_id,
    _g.c.standing_id,
    _g.c.standby_id,
    _g.c.version,
)


class Which(NamedTuple):
    """Which grants of an engagement: all of these at once; None is any."""

    engagement: str
    membership: str | None = None
    person: str | None = None
    matter: str | None = None
    label: str | None = None
    bulk: str | None = None
    standing: str | None = None
    grant: str | None = None


_IN: Final = {
    "engagement": _g.c.engagement_id,
    "membership": _g.c.membership_id,
    "person": _m.c.person_id,
    "matter": _d.c.matter_id,
    "label": _d.c.label,
    "bulk": _g.c.bulk_id,
    "standing": _g.c.standing_id,
    "grant": _g.c.id,
}


def grants(
    tx: Tx, matrix: Matrix, moment: Moment, actor: Actor, which: Which, *, most: int, over: bool = False
) -> list[Any]:
    """Return grants in order of their ids, with their holder and what their document is.

    Args:
        over: those that have ended too.
    """
    statement = _made(matrix, actor, which, over=over)
    if statement is None:
        return []
    named = {f"of_{noun}": value for noun, value in which._asdict().items() if value is not None}
    return tx.all(statement, **listing.bound(moment, actor, Action.GRANT_REVOKE), **named, most=most)


def _made(matrix: Matrix, actor: Actor, which: Which, *, over: bool) -> Select[Any] | None:
    action = Action.GRANT_REVOKE
    if not actor.covers(action.resource) and matrix.denials(actor.role, action) & Fact.NARROWED:
        return None
    given = tuple(noun for noun, value in which._asdict().items() if value is not None)
    key = ("takeable", actor.role, actor.stepped_up, given, over)
    if key not in matrix.made:
        matrix.made[key] = _compile(matrix, actor, given, over=over)
    statement: Select[Any] | None = matrix.made[key]
    return statement


def _compile(matrix: Matrix, actor: Actor, given: tuple[str, ...], *, over: bool) -> Select[Any] | None:
    may = statements.admits(
        matrix, actor.role, Side(actor.side), Action.GRANT_REVOKE, _g.c.document_id, stepped_up=actor.stepped_up
    )
    if may is None:
        return None
    live = () if over else (_g.c.not_after > NOW, _g.c.revoked_at > NOW)
    return (
        select(*_COLUMNS)
        .select_from(_g.join(_m, _m.c.id == _g.c.membership_id).join(_d, _d.c.id == _g.c.document_id))
        .where(*(_IN[noun] == bindparam(f"of_{noun}", type_=Text) for noun in given), *live, may)
        .order_by(_g.c.id)
        .limit(bindparam("most", type_=BigInteger))
    )

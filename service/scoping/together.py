"""What one person sees of what another may be told of: two lists beside each other, in one query.

Rules kept here:

* both are the policy's own answers (`service.scoping.listing`): the one at the moment that is asked about, the asker's
  always now, and a document is told of when both say yes;
* so whoever asks what somebody else sees learns of no document that he could not ask about himself, not even by a
  number.

Source: policies/README.md.
"""

from __future__ import annotations

from typing import Any, Final, NamedTuple

from sqlalchemy import BigInteger, BindParameter, ColumnElement, Select, bindparam, func, select
from sqlalchemy.sql.visitors import replacement_traverse

from service.db import models
from service.db.session import Tx
from service.ledger import Moment, Place
from service.scoping import listing, statements, windows
from service.scoping.actions import Action, Fact, Side
from service.scoping.actors import Actor
from service.scoping.facts import Truth
from service.scoping.inforce import of_actor
from service.scoping.matrix import Matrix
from service.scoping.statements import Where

TOLD: Final = Action.DOCUMENT_ACCESS
"""The act that the asker must be allowed on a document, to be told what somebody else may do with it."""

_ASKER: Final = "asker_"
_shown: Final = models.documents.alias("shown")  # what decides asks about documents itself
_MOST: Final = bindparam("most", type_=BigInteger)


class Asker(NamedTuple):
    """Who asks, and when: what he may be told is decided by this moment, whatever moment he asks about."""

    actor: Actor
    now: Moment


def page(
    tx: Tx,
    matrix: Matrix,
    asker: Asker,
    moment: Moment,
    actor: Actor,
    action: Action,
    *,
    after: str,
    most: int,
    where: Where,
) -> list[Any]:
    """Return the documents for which `actor` is allowed `action` at `moment`, as far as the asker may be told.

    Args:
        after: the id that the page begins behind; "" for the first.
        most: how many rows at most.

    Returns: rows of ids, number, label and sensitivity, in order of their ids; nothing that is sealed.
    """
    both = _both(tx, matrix, asker.actor, actor)
    statement = _made(both, asker.actor, actor, action, where, counted=False, shut=_is_shut(tx, moment, actor))
    if statement is None:
        return []
    return tx.all(statement, **_bound(asker, moment, actor, action, where), after=after, most=most)


def count(tx: Tx, matrix: Matrix, asker: Asker, moment: Moment, actor: Actor, action: Action, *, where: Where) -> int:
    """Return how many documents `page` would tell of in all."""
    both = _both(tx, matrix, asker.actor, actor)
    statement = _made(both, asker.actor, actor, action, where, counted=True, shut=_is_shut(tx, moment, actor))
    if statement is None:
        return 0
    return int(tx.value(statement, **_bound(asker, moment, actor, action, where), after=""))


def _bound(asker: Asker, moment: Moment, actor: Actor, action: Action, where: Where) -> dict[str, Any]:
    return {**listing.bound(moment, actor, action, where), **bound_of(asker)}


def bound_of(asker: Asker) -> dict[str, Any]:
    """Return what a condition binds that was made to be the asker's (`of_asker`)."""
    return {f"{_ASKER}{name}": value for name, value in listing.bound(asker.now, asker.actor, TOLD).items()}


def covers(matrix: Matrix, asker: Actor) -> bool:
    """Say whether the asker's token is for as much as being told of documents needs."""
    return asker.covers(TOLD.resource) or not matrix.denials(asker.role, TOLD) & Fact.NARROWED


def _is_shut(tx: Tx, moment: Moment, actor: Actor) -> bool:
    """Whether hours keep the other out then; nobody can say from where he will ask, so networks count as right."""
    return windows.is_shut(tx, moment._replace(address=Place.INSIDE), actor)


class _Both(NamedTuple):
    """What is in force for the one who is asked about, and for the asker."""

    theirs: Matrix
    asker: Matrix


def _both(tx: Tx, matrix: Matrix, asker: Actor, actor: Actor) -> _Both:
    return _Both(of_actor(tx, matrix, actor), of_actor(tx, matrix, asker))


def _made(
    both: _Both, asker: Actor, actor: Actor, action: Action, where: Where, *, counted: bool, shut: bool
) -> Select[Any] | None:
    """Return the statement, compiled from the snapshot once; None when nothing can be told."""
    if not covers(both.asker, asker):
        return None
    given = tuple(noun for noun, value in where._asdict().items() if value is not None)
    key = (both.asker.epoch, asker.role, asker.stepped_up, actor.role, actor.stepped_up, action, given, counted, shut)
    made = both.theirs.made
    if ("together", *key) not in made:
        made["together", *key] = _compile(both, asker, actor, action, given, counted=counted, shut=shut)
    statement: Select[Any] | None = made["together", *key]
    return statement


def _compile(
    both: _Both,
    asker: Actor,
    actor: Actor,
    action: Action,
    given: tuple[str, ...],
    *,
    counted: bool,
    shut: bool,
) -> Select[Any] | None:
    theirs = statements.ids(
        both.theirs, actor.role, Side(actor.side), action, given=given, shut=shut, stepped_up=actor.stepped_up
    )
    if theirs is None:
        return None
    seen = theirs.subquery("seen")
    told = statements.admits(both.asker, asker.role, Side(asker.side), TOLD, seen.c.id, stepped_up=asker.stepped_up)
    if told is None:
        return None
    if counted:
        return select(func.count().label("n")).select_from(seen).where(of_asker(told))
    shown = [
        _shown.c[name] for name in ("id", "engagement_id", "part_id", "matter_id", "number", "label", "sensitivity")
    ]
    joined = _shown.join(seen, seen.c.id == _shown.c.id)
    return select(*shown).select_from(joined).where(of_asker(told)).order_by(seen.c.id).limit(_MOST)


def told_of(matrix: Matrix, asker: Actor, document_id: ColumnElement[str]) -> Truth | None:
    """Say of one document in a query whether the asker may be told of it; None when he is told of none.

    It binds what `bound_of` gives.
    """
    if not covers(matrix, asker):
        return None
    told = statements.admits(matrix, asker.role, Side(asker.side), TOLD, document_id, stepped_up=asker.stepped_up)
    return None if told is None else of_asker(told)


def of_asker(truth: Truth) -> Truth:
    """The same condition about the asker, beside another's: all that it binds gets a name of its own."""

    def renamed(element: Any, **_: Any) -> Any:
        if isinstance(element, BindParameter):
            return bindparam(f"{_ASKER}{element.key}", type_=element.type)
        return None

    return replacement_traverse(truth, {}, renamed)

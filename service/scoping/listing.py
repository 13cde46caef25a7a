"""All that one may see: one query a page, equal to deciding each document.

Rules kept here:

* the policy's answer is compiled into SQL (service/scoping/statements.py): a list is ``{d : decide(d)}`` exactly,
  counts included;
* what is not on the list leaves no gap: pages follow the ids of what may be seen, never the ids of what is there.

A firm person's page over several matters sorts what his matters hold; asked for one part or one matter it does not.

Source: policies/README.md; docs/adr/0005-policy.md.
"""

from __future__ import annotations

from typing import Any, NamedTuple

from service.db.session import Tx
from service.ledger import Moment
from service.scoping import windows
from service.scoping.abilities import ABILITY_BITS
from service.scoping.actions import OWN_LIFE_S, Action, Fact, Side
from service.scoping.actors import Actor
from service.scoping.authorised import authorise_document
from service.scoping.inforce import of_actor
from service.scoping.matrix import Matrix
from service.scoping.statements import EVERYWHERE, Form, Statement, Where, compiled


class Withheld(NamedTuple):
    """What may be known of a document that one may ask for and does not see."""

    id: str
    label: str
    pages: int | None


def page(
    tx: Tx,
    matrix: Matrix,
    moment: Moment,
    actor: Actor,
    action: Action = Action.DOCUMENT_LIST,
    *,
    after: str,
    most: int,
    where: Where = EVERYWHERE,
) -> list[Any]:
    """Return the documents for which ``decide(action)`` says yes, in order of their ids.

    Args:
        after: the id that the page begins behind; "" for the first.
        most: how many rows at most (ask for one more than is shown to learn whether there are more).

    Returns: rows with the columns of a document (title sealed), ``part_key_id`` and ``part_field_key``; ``id`` is an
        `AuthorisedDocumentId`.
    """
    # PostgreSQL expects a row where there are thousands, and would read and sort them all: each branch gets its end.
    form = Form.MERGED if tx.is_sqlite else Form.BOUNDED
    matrix = of_actor(tx, matrix, actor)
    statement = _made(matrix, actor, action, where, form, shut=windows.is_shut(tx, moment, actor))
    if statement is None:
        return []
    rows = tx.all(statement, **bound(moment, actor, action, where), after=after, most=most)
    return [row._make((authorise_document(row[0]), *row[1:])) for row in rows]


def count(
    tx: Tx,
    matrix: Matrix,
    moment: Moment,
    actor: Actor,
    action: Action = Action.DOCUMENT_LIST,
    where: Where = EVERYWHERE,
    *,
    any_hour: bool = False,
) -> int:
    """Return how many documents `page` would list in all.

    Args:
        any_hour: every schedule counts as open: for what somebody has, whatever the hour is and wherever he is.
    """
    shut = not any_hour and windows.is_shut(tx, moment, actor)
    matrix = of_actor(tx, matrix, actor)
    statement = _made(matrix, actor, action, where, Form.COUNTED, shut=shut)
    return 0 if statement is None else int(tx.value(statement, **bound(moment, actor, action, where), after=""))


def withheld(
    tx: Tx, matrix: Matrix, moment: Moment, actor: Actor, *, engagement: str, after: str, most: int
) -> list[Withheld]:
    """Return what a vendor person may ask for without seeing it, in order of ids: all that he may know of each."""
    where = Where(engagement=engagement)
    rows = page(tx, matrix, moment, actor, Action.WITHHELD_LIST, after=after, most=most, where=where)
    # Plain ids: with them no door opens the title.
    return [Withheld(str(row.id), row.label, row.pages) for row in rows]


def bound(moment: Moment, actor: Actor, action: Action, where: Where = EVERYWHERE) -> dict[str, Any]:
    """Return what the statements of this module bind, but for ``after`` and ``most``."""
    now = moment.s
    return {
        "firm": actor.firm_id,
        "person": actor.person_id,
        "membership": actor.membership_id,
        "vendor": actor.vendor_id,
        "engagement": actor.engagement_id,
        "now": now,
        "own_since": now - OWN_LIFE_S,
        "ability": ABILITY_BITS[action],
        **{f"in_{noun}": value for noun, value in where._asdict().items() if value is not None},
    }


def _made(matrix: Matrix, actor: Actor, action: Action, where: Where, form: Form, *, shut: bool) -> Statement | None:
    """Return the statement of a list, compiled from the snapshot once; None when nothing can be on it.

    Args:
        shut: a schedule is shut, so that the fact `window` is true of nothing.
    """
    if not actor.covers(action.resource) and matrix.denials(actor.role, action) & Fact.NARROWED:
        return None
    given = tuple(noun for noun, value in where._asdict().items() if value is not None)
    key = (actor.role, action, given, form, shut, actor.stepped_up)
    if key not in matrix.made:
        matrix.made[key] = compiled(
            matrix, actor.role, Side(actor.side), action, given, form, shut=shut, stepped_up=actor.stepped_up
        )
    statement: Statement | None = matrix.made[key]
    return statement

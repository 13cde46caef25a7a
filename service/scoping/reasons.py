"""Why not: the state of a refusal, found out after the no.

Rules kept here:

* nothing here can turn a no into a yes;
* what depends on the asker and the act alone (his token, his role) is said before anything that depends on the thing,
  in the same way for things that do not exist.

Source: policies/answers.csv.
"""

from __future__ import annotations

from typing import Any, Final

from sqlalchemy import Text, bindparam, select

from service.db import models
from service.db.session import Tx
from service.ledger import Moment
from service.scoping.actions import Ability, Action, Fact, Side
from service.scoping.actors import Actor
from service.scoping.answers import Kind, State, state_of
from service.scoping.facts import MEMBERSHIP
from service.scoping.matrix import ERROR, Answer, Matrix
from service.scoping.subjects import Subject

_SILENT: Final = frozenset({State.ABSENT, State.NEVER_GRANTED, State.WALLED})

_g = models.grants

_GRANTS: Final = select(_g.c.abilities, _g.c.not_before, _g.c.not_after, _g.c.revoked_at).where(
    _g.c.membership_id == MEMBERSHIP, _g.c.document_id == bindparam("document", type_=Text)
)


def state(
    tx: Tx,
    matrix: Matrix,
    moment: Moment,
    actor: Actor,
    action: Action,
    subject: Subject,
    row: Any,
    true: int,
    answer: Answer,
) -> State:
    """Return why an act was refused.

    Args:
        row: what the facts query saw; None when there is no such thing for the asker.
        true: the `Fact` bits that held.
        answer: what the policy said.
    """
    found = _state(tx, matrix, moment, actor, action, subject, row, true, answer)
    # Said of things that are not there too: else who took a token could try, without ever proving that it is he, which
    # numbers name a matter.
    return State.STEP_UP_NEEDED if found in _SILENT and _wants_step_up(matrix, actor, action) else found


def _wants_step_up(matrix: Matrix, actor: Actor, action: Action) -> bool:
    """Say whether nothing of the kind is ever allowed to the asker as his token stands."""
    ways = matrix.alternatives(actor.role, action)
    return not actor.stepped_up and all(way.facts & Fact.STEPPED_UP for way in ways)


def _state(
    tx: Tx,
    matrix: Matrix,
    moment: Moment,
    actor: Actor,
    action: Action,
    subject: Subject,
    row: Any,
    true: int,
    answer: Answer,
) -> State:
    if true & Fact.NARROWED:
        return State.NARROWED
    if not matrix.role_may(actor.role, action):
        return State.ROLE
    if row is None:
        return State.ABSENT
    if answer.rule == ERROR:
        return State.ERROR
    if subject.kind is Kind.DOCUMENT:
        return _of_document(tx, matrix, moment, actor, row, true, answer)
    if subject.kind is Kind.PART:
        return _of_part(actor, row, true, answer)
    found = _plain(row, answer)
    # "Less than the whole firm" would tell that something stands behind an id that the asker was never given.
    return State.ABSENT if found is State.NEVER_GRANTED and subject.via is not None else found


def _plain(row: Any, answer: Answer) -> State:
    found = state_of(answer.missing, answer.blocking)
    if found is State.SUSPENDED and not row.facts & Fact.WINDOW:
        return State.OUTSIDE_WINDOW  # the membership has ended: its dates say so, whatever the hours
    return found


def _of_part(actor: Actor, row: Any, true: int, answer: Answer) -> State:
    if not row.there:
        return State.DISPOSED if actor.side == Side.VENDOR or true & Fact.ASSIGNED else State.ABSENT
    if actor.side == Side.FIRM:
        return _plain(row, answer)
    opened = Fact.LIVE | Fact.DUTIES | Fact.WINDOW
    if row.known and true & opened == opened and not answer.blocking:
        return State.NOT_ASKED
    return _plain(row, answer) if true & Fact.ASKED else State.NEVER_GRANTED


def _of_document(tx: Tx, matrix: Matrix, moment: Moment, actor: Actor, row: Any, true: int, answer: Answer) -> State:
    listing = matrix.cell(actor.role, Action.DOCUMENT_LIST, row.label, row.sensitivity)
    true |= actor.stepped_up  # listing may ask for it where this act does not
    if actor.side == Side.FIRM:
        if not row.there:
            return _gone(row) if listing.answer(true).allowed else State.ABSENT
        # Whoever sees a paper may be told that it is not his own to change.
        if not answer.missing & ~Fact.OWN and not answer.blocking and listing.answer(true).allowed:
            return State.ABILITY_MISSING
        return _plain(row, answer)
    if not row.there:
        return _gone(row)
    if not true & (Fact.ASSIGNED | Fact.OWN):
        history = _history(tx, moment, actor, row)
        if history is not None:
            return history
        true |= Fact.ASSIGNED  # a live grant, but not with this ability
    seen = listing.answer(true)
    return State.ABILITY_MISSING if seen.allowed else _plain(row, seen)


def _gone(row: Any) -> State:
    return State.TAKEN_BACK if row.state == "taken_back" else State.DISPOSED


def _history(tx: Tx, moment: Moment, actor: Actor, row: Any) -> State | None:
    """Return what became of the asker's grants on a document; None when one is live and lets him view."""
    grants = tx.all(_GRANTS, membership=actor.membership_id, document=row.id)
    if row.state != "confirmed" or not grants:
        return State.NEVER_GRANTED
    now = moment.s
    standing = [grant for grant in grants if now < grant.revoked_at]
    if any(grant.not_before <= now < grant.not_after and grant.abilities & Ability.VIEW for grant in standing):
        return None
    if not standing:
        return State.REVOKED
    if all(grant.not_after <= now for grant in standing):
        return State.EXPIRED
    return State.NOT_YET if all(now < grant.not_before for grant in standing) else State.NEVER_GRANTED

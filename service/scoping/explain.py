"""Who can see a document, and why; and for one person: why not, and what is missing.

Rules kept here:

* an explanation is made of real decisions, taken for every membership concerned, at the same moment, by the same code
  that would answer that person: it cannot say something else than what would happen;
* working hours are looked at as they are now; where a schedule names networks it is explained as if from there, since
  nobody can say from where somebody else will ask;
* it tells a person's state, not his names or his other documents; who may ask is decided first (document:access).

* a moment that lies ahead asks what would be seen then, of the rows as they are now: nothing else is foretold.

Another policy is compared by service/scoping/comparing.py.

Source: DESIGN's promise "a refusal helps"; policies/README.md.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Final, NamedTuple

from sqlalchemy import Select, Text, bindparam, or_, select

from service.db import models
from service.db.session import Tx
from service.ledger import Moment, Place
from service.scoping import windows
from service.scoping.abilities import ABILITY_OF
from service.scoping.actions import Action, Duty, Side, words_of
from service.scoping.actors import as_actor
from service.scoping.answers import State
from service.scoping.decide import Decision, decide
from service.scoping.facts import NOW
from service.scoping.hours import readable
from service.scoping.matrix import Matrix
from service.scoping.subjects import Subject

LOOKED_AT: Final = (Action.DOCUMENT_VIEW, Action.DOCUMENT_TEXT, Action.DOCUMENT_DOWNLOAD, Action.DOCUMENT_REVISE)


class Reason(NamedTuple):
    """What one membership is answered for one act on the document."""

    action: Action
    allowed: bool
    rule: str
    facts: tuple[str, ...]
    state: State | None  # why not
    missing: tuple[str, ...]  # the fewest facts that would open it
    duties: tuple[str, ...]  # what is not in force of those that it needs and that are demanded


class Hours(NamedTuple):
    """A schedule that binds a membership now. Which it is, is told to who may read it (schedule:list), not here."""

    is_open: bool  # as far as its hours say
    has_networks: bool  # then from those alone: it is explained as if from there


class Given(NamedTuple):
    """A grant, and the membership that gave it; by a standing share where one made it."""

    id: str
    granted_by: str
    standing_id: str | None


class Access(NamedTuple):
    """One membership before one document."""

    person_id: str
    membership_id: str
    role: str
    side: str
    reasons: tuple[Reason, ...]  # one for each act of `LOOKED_AT`, in that order
    grants: tuple[Given, ...]  # the live grants that an allowed act rests on
    schedules: tuple[Hours, ...]  # those in force for a vendor's person; all must be open

    @property
    def sees(self) -> bool:
        """Whether any of the acts is allowed."""
        return any(reason.allowed for reason in self.reasons)


_m, _g = models.memberships, models.grants

_EVERY_SEAT: Final = (
    select(_m.c.id, _m.c.person_id, _m.c.engagement_id, _m.c.role, _m.c.side, models.people.c.vendor_id)
    .select_from(_m.join(models.people, models.people.c.id == _m.c.person_id))
    .where(_m.c.firm_id == bindparam("firm", type_=Text))
    .order_by(_m.c.id)
)
_SEATS: Final = _EVERY_SEAT.where(
    or_(_m.c.engagement_id.is_(None), _m.c.engagement_id == bindparam("engagement", type_=Text))
)
_SEATS_OF_ONE: Final[Select[Any]] = _SEATS.where(_m.c.person_id == bindparam("person", type_=Text))
_p = models.parts
_SEATS_OF_MATTER: Final = _EVERY_SEAT.where(
    _m.c.id > bindparam("after", type_=Text),
    or_(
        _m.c.engagement_id.is_(None),
        _m.c.engagement_id.in_(select(_p.c.engagement_id).where(_p.c.matter_id == bindparam("matter", type_=Text))),
    ),
)
_LIVE_GRANTS: Final = (
    select(_g.c.id, _g.c.granted_by, _g.c.standing_id, _g.c.membership_id, _g.c.abilities)
    .where(
        _g.c.document_id == bindparam("document", type_=Text),
        _g.c.not_before <= NOW,
        _g.c.not_after > NOW,
        _g.c.revoked_at > NOW,
    )
    .order_by(_g.c.id)
)


def who_can_see(tx: Tx, matrix: Matrix, moment: Moment, firm_id: str, document: Any) -> list[Access]:
    """Return every membership that can view, download or revise a document at a moment, and why.

    Args:
        document: the row of a decision on it (``decision.row``).
    """
    rows = tx.all(_SEATS, firm=firm_id, engagement=document.engagement_id)
    return [access for access in _explained(tx, matrix, moment, firm_id, document, rows) if access.sees]


def for_person(tx: Tx, matrix: Matrix, moment: Moment, firm_id: str, document: Any, person_id: str) -> list[Access]:
    """Return what each membership of one person is answered: why, or why not and what is missing."""
    rows = tx.all(_SEATS_OF_ONE, firm=firm_id, engagement=document.engagement_id, person=person_id)
    return _explained(tx, matrix, moment, firm_id, document, rows)


def seats_of(tx: Tx, firm_id: str, engagement_id: str, person_id: str) -> list[Any]:
    """Return a person's memberships that are about an engagement: those in it, and those for the whole house."""
    return tx.all(_SEATS_OF_ONE, firm=firm_id, engagement=engagement_id, person=person_id)


def seats_of_matter(tx: Tx, firm_id: str, matter_id: str, after: str) -> list[Any]:
    """Return the memberships that could be about a matter, behind an id: in its engagements, or for the whole house."""
    return tx.all(_SEATS_OF_MATTER, firm=firm_id, matter=matter_id, after=after)


def of_seats(tx: Tx, matrix: Matrix, moment: Moment, firm_id: str, document: Any, seats: Iterable[Any]) -> list[Access]:
    """Return those of some memberships (`seats_of`) that see a document, and why."""
    return [access for access in _explained(tx, matrix, moment, firm_id, document, seats) if access.sees]


def _explained(
    tx: Tx, matrix: Matrix, moment: Moment, firm_id: str, document: Any, rows: Iterable[Any]
) -> list[Access]:
    live = tx.all(_LIVE_GRANTS, document=document.id, now=moment.s)
    moment = moment._replace(address=Place.INSIDE)
    found = []
    for row in rows:
        decisions = [
            decide(tx, matrix, moment, as_actor(firm_id, row), action, Subject(document=document.id))
            for action in LOOKED_AT
        ]
        reasons = tuple(_reason(matrix, row.role, document.label, decision) for decision in decisions)
        used = 0
        for decision in decisions:
            used |= int(ABILITY_OF[decision.action]) if decision.allowed else 0
        grants = tuple(
            Given(grant.id, grant.granted_by, grant.standing_id)
            for grant in live
            if grant.membership_id == row.id and grant.abilities & used
        )
        hours = () if row.side == Side.FIRM else _hours(tx, moment.s, document.engagement_id, row.id)
        found.append(Access(row.person_id, row.id, row.role, row.side, reasons, grants, hours))
    return found


def _hours(tx: Tx, now: int, engagement_id: str, membership_id: str) -> tuple[Hours, ...]:
    binding = windows.binding(tx, engagement_id, membership_id, now)
    in_force = [readable(each.terms) for each in binding if each.valid_from <= now]
    return tuple(
        Hours(terms is not None and terms.is_hour(now), terms is not None and bool(terms.networks))
        for terms in in_force
    )


def _reason(matrix: Matrix, role: str, label: str, decision: Decision) -> Reason:
    lacking = 0
    if decision.row is not None and not decision.allowed:
        lacking = matrix.needs(role, decision.action, label) & ~decision.row.duties
    return Reason(
        action=decision.action,
        allowed=decision.allowed,
        rule=decision.rule,
        facts=decision.facts,
        state=decision.state,
        missing=decision.missing,
        duties=words_of(Duty(lacking)),
    )

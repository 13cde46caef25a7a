"""Me: who I am here, what I still owe, what I am asked for.

Rules kept here:

* this works without duties, outside the agreed time and when suspended: whoever is shut out must be able to learn why;
* a vendor's member is told the hours and networks that bind him, and when they open next, never those of others;
* what is missing comes with what mends it; what is due is told only while the policy would let its list be read, since
  instructions belong to a client's case;
* what was answered of one's requests for access is told for a week, where one may read them; an attorney is told how
  many wait for him, and how many papers that were not meant for a member;
* of documents it is only said how many of those that the caller could list now close to him within 7 days; which they
  are is listed where each is decided.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import Any, Final, NamedTuple

from sqlalchemy import bindparam, select

from service import access_requests, asks, authenticators, duties, misdirections, tasks
from service.access_requests import AccessRequest
from service.acts import Act, Caller, perform
from service.asks import Ask
from service.db.models import engagements, firms, memberships, people, tokens
from service.db.session import Tx
from service.door import Holder, NameReader
from service.duties import Missing
from service.ledger import Moment
from service.scoping import listing, windows
from service.scoping.actions import Action, Side
from service.scoping.actors import Actor
from service.scoping.decide import Subject, decide
from service.scoping.statements import Where
from service.services import Services
from service.tokens import authenticate


@dataclass(frozen=True, slots=True)
class Engagement:
    """The engagement that a membership belongs to. Times are UTC seconds."""

    id: str
    number: str
    status: str
    starts_at: int
    ends_at: int


@dataclass(frozen=True, slots=True)
class Membership:
    """The membership that the caller acts in. Times are UTC seconds."""

    id: str
    role: str
    side: str
    engagement: Engagement | None  # None: the whole house
    starts_at: int
    ends_at: int  # FOREVER: no end
    suspended: bool
    matter_id: str | None  # what a reviewer's seat is limited to


@dataclass(frozen=True, slots=True)
class Token:
    """The token that the caller shows."""

    id: str
    scopes: tuple[str, ...]
    expires_at: int  # UTC seconds
    stepped_up_until: int | None  # UTC seconds; None: it is not stepped up


@dataclass(frozen=True, slots=True)
class Me:
    """What a person may always know about himself."""

    person_id: str
    name: str
    email: str
    firm_id: str
    firm_name: str
    membership: Membership
    token: Token
    authenticator_since: int | None  # UTC seconds; None: he has none
    missing: tuple[Missing, ...]
    due: tuple[Ask, ...]
    answers: tuple[AccessRequest, ...]
    waiting: int  # requests for access that the caller may answer
    misdirections: int  # papers not meant for a member that wait for the caller's acknowledgment
    ending_soon: int  # documents whose grant ends within `SOON_S`
    tasks_open: int  # tasks that wait for him
    tasks_due: int  # of those, due within `SOON_S` or overdue
    outlook: windows.Outlook | None  # how time and place stand; None: firm people are bound by no schedule


class _Found(NamedTuple):
    """What the act finds, names unopened."""

    row: Any
    firm: Holder
    authenticator_since: int | None
    missing: tuple[Missing, ...]
    due: list[Any]
    answers: list[Any]
    waiting: int
    misdirections: int
    tasks: tuple[int, int]  # that wait for him; of those, due soon
    outlook: windows.Outlook | None


SOON_S: Final = 7 * 24 * 3600

_ME: Final = (
    select(
        people.c.id.label("person_id"),
        people.c.key_id,
        people.c.field_key,
        people.c.name,
        people.c.email,
        firms.c.name.label("firm_name"),
        memberships.c.id.label("membership_id"),
        memberships.c.role,
        memberships.c.side,
        memberships.c.starts_at,
        memberships.c.ends_at,
        memberships.c.suspended,
        memberships.c.matter_id,
        tokens.c.id.label("token_id"),
        tokens.c.scopes,
        tokens.c.expires_at,
        tokens.c.stepped_up_until,
        engagements.c.id.label("engagement_id"),
        engagements.c.number,
        engagements.c.status,
        engagements.c.starts_at.label("engagement_starts_at"),
        engagements.c.ends_at.label("engagement_ends_at"),
    )
    .select_from(
        tokens.join(memberships, memberships.c.id == tokens.c.membership_id)
        .join(people, people.c.id == memberships.c.person_id)
        .join(firms, firms.c.id == people.c.firm_id)
        .outerjoin(engagements, engagements.c.id == memberships.c.engagement_id)
    )
    .where(tokens.c.id == bindparam("token"))
)


def myself(_tx: Tx, actor: Actor) -> Subject:
    """The subject of acts about oneself."""
    return Subject(person=actor.person_id)


async def read(services: Services, caller: Caller) -> Me:
    """Read what the caller may always know about himself."""
    beside = await asyncio.to_thread(_beside, services, caller)

    def change(act: Act) -> _Found:
        row = act.tx.one(_ME, token=act.actor.token_id)
        missing = duties.missing(act.tx, services.matrix.current, act.moment, act.actor)
        act.show([row.person_id, act.firm_id])
        return _Found(
            row=row,
            firm=act.firm(),
            authenticator_since=authenticators.since(act),
            missing=missing,
            due=_due(act),
            answers=_answers(act),
            waiting=access_requests.waiting(act),
            misdirections=misdirections.waiting(act),
            tasks=_standing(act),
            outlook=windows.look(act.tx, act.moment, act.actor) if act.actor.side == Side.VENDOR else None,
        )

    done = await perform(services, caller, Action.ME_READ, myself, change)
    found: _Found = done.result
    row, firm, now = found.row, found.firm, done.recorded.moment.s
    reader = NameReader(services.keys, done.authorised)
    person = Holder(row.person_id, row.key_id, row.field_key)
    return Me(
        person_id=row.person_id,
        name=reader.open(person, "people", "name", row.person_id, row.name),
        email=reader.open(person, "people", "email", row.person_id, row.email),
        firm_id=firm.id,
        firm_name=reader.open(firm, "firms", "name", firm.id, row.firm_name),
        membership=_membership(row),
        token=_token(row, now),
        authenticator_since=found.authenticator_since,
        missing=(*found.missing, *beside[1]),
        due=tuple(asks.opened(reader, ask) for ask in found.due),
        answers=tuple(access_requests.opened(reader, each, now) for each in found.answers),
        waiting=found.waiting,
        misdirections=found.misdirections,
        ending_soon=beside[0],
        tasks_open=found.tasks[0],
        tasks_due=found.tasks[1],
        outlook=found.outlook,
    )


def _beside(services: Services, caller: Caller) -> tuple[int, tuple[Missing, ...]]:
    """Read, in a snapshot of its own so that a long list never holds the log, what hangs on what one was handed.

    Returns: how many documents soon close, and what matters demand and lack.
    """
    moment, matrix = Moment(services.clock(), caller.address), services.matrix.current
    with services.database.read(caller.credential.firm_id) as tx:
        actor = authenticate(tx, moment, caller.credential)
        if actor.engagement_id is None:
            return 0, ()  # grants are given to members of an engagement
        where = Where(ends_by=moment.s + SOON_S)
        ending_soon = listing.count(tx, matrix, moment, actor, where=where)
        return ending_soon, duties.missing_in_matters(tx, matrix, moment, actor)


def _due(act: Act) -> list[Any]:
    """What the actor is asked for, where he might read the list of it now."""
    return asks.due(act) if _may_list(act, Action.ASK_LIST) else []


def _standing(act: Act) -> tuple[int, int]:
    """How many tasks wait for the actor and are due soon, where he might read the list of them now."""
    return tasks.standing(act) if _may_list(act, Action.TASK_LIST) else (0, 0)


def _answers(act: Act) -> list[Any]:
    """What was answered of his requests lately, where he might read the list of them now."""
    return access_requests.answered(act) if _may_list(act, Action.ACCESS_REQUEST_LIST) else []


def _may_list(act: Act, action: Action) -> bool:
    if act.actor.engagement_id is None:
        return False
    about, matrix = Subject(engagement=act.actor.engagement_id), act.services.matrix.current
    return decide(act.tx, matrix, act.moment, act.actor, action, about).allowed


def _token(row: Any, now: int) -> Token:
    until = row.stepped_up_until if now < row.stepped_up_until else None
    return Token(row.token_id, tuple(row.scopes.split()), row.expires_at, until)


def _membership(row: Any) -> Membership:
    engagement = None
    if row.engagement_id is not None:
        engagement = Engagement(
            row.engagement_id, row.number, row.status, row.engagement_starts_at, row.engagement_ends_at
        )
    return Membership(
        id=row.membership_id,
        role=row.role,
        side=row.side,
        engagement=engagement,
        starts_at=row.starts_at,
        ends_at=row.ends_at,
        suspended=bool(row.suspended),
        matter_id=row.matter_id,
    )

"""Who can see what, and why: of a document, a person, a matter; now, at a time ahead, or behind a wall not yet raised.

Rules kept here:

* every answer is made of the decisions that the person would get (`service.scoping.explain`) or of the very list that
  he would be given (`service.scoping.together`): there is no second way to work it out;
* the asker learns of nothing that he could not ask about document by document, not even by a number;
* at a time that lies ahead dates, windows and duties count as they will then, and rows as they are now: nobody knows
  what will be granted or revoked meanwhile, and every answer says of when its rows are;
* asking changes nothing and leaves one entry, with the time that was asked about.

Titles are not told: an answer is about access, and the card of a document has its title.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final, TypeVar

from sqlalchemy import bindparam, select

from service import events, walls
from service.acts import Act, Caller, perform
from service.db.ids import is_id
from service.db.models import logs
from service.db.session import Tx
from service.errors import BadInputError, ExistsError, NotFoundError
from service.ledger import Moment
from service.paging import START, Page, Window, page
from service.scoping import explain, listing, together
from service.scoping.actions import Action, Fact
from service.scoping.actors import Actor, as_actor
from service.scoping.comparing import COMPARED
from service.scoping.decide import Subject
from service.scoping.explain import Access
from service.scoping.matrix import Matrix
from service.scoping.statements import Where
from service.scoping.together import Asker
from service.services import Services
from service.tokens import authenticate

MOST_AHEAD_S: Final = 366 * 86_400

T = TypeVar("T")
_LOG_SIZE = select(logs.c.size).where(logs.c.id == bindparam("firm"))


@dataclass(frozen=True, slots=True)
class Told:
    """An answer, the second of its rows, and the second that was asked about (the same, unless it lies ahead)."""

    as_of: int  # UTC seconds
    at: int  # UTC seconds
    answer: Any


@dataclass(frozen=True, slots=True)
class Seen:
    """A document that a person sees, and why, for each of his memberships that see it."""

    id: str  # of the document
    engagement_id: str
    part_id: str
    matter_id: str
    number: int
    label: str
    sensitivity: str
    access: tuple[Access, ...]


@dataclass(frozen=True, slots=True)
class Sees:
    """A membership, and how many documents of a matter it views and downloads."""

    id: str  # of the membership
    person_id: str
    engagement_id: str | None  # None: for the whole house
    role: str
    side: str
    views: int
    downloads: int


@dataclass(frozen=True, slots=True)
class Loss:
    """What one membership would lose: how many documents, by act."""

    id: str  # of the membership
    engagement_id: str | None  # None: for the whole house
    role: str
    lost: Mapping[Action, int]


async def of_document(
    services: Services, caller: Caller, document_id: str, person_id: str | None, at: int | None = None
) -> Told:
    """Say who can see a document and why; or of one person, why or why not, and what is missing.

    Args:
        at: UTC seconds; None is now.

    Returns: `Told` of a list of `Access`.

    Raises:
        BadInputError: `at` lies behind, or further ahead than can be foretold.
    """

    def change(act: Act) -> Told:
        matrix, row, moment = act.services.matrix.current, act.decision.row, _at(act.moment, at)
        if person_id is None:
            found = explain.who_can_see(act.tx, matrix, moment, act.firm_id, row)
        else:
            found = explain.for_person(act.tx, matrix, moment, act.firm_id, row, person_id)
        act.drafts.append(events.access_allowed(act.who, at))
        return Told(act.moment.s, moment.s, found)

    done = await perform(services, caller, Action.DOCUMENT_ACCESS, Subject(document=document_id), change)
    told: Told = done.result
    return told


async def of_person(
    services: Services, caller: Caller, person_id: str, engagement_id: str, asked: Window, at: int | None = None
) -> Told:
    """List the documents of an engagement that a person sees, each with the reasons.

    Returns: `Told` of a page of `Seen`.

    Raises:
        NotFoundError: none of the person's memberships is about this engagement.
        BadInputError: as `of_document`.
    """

    def find(tx: Tx, asker: Asker, moment: Moment) -> Page[Seen]:
        firm_id, matrix = asker.actor.firm_id, services.matrix.current
        known = is_id(person_id, "per")  # what is no id never reaches SQL
        seats = explain.seats_of(tx, firm_id, engagement_id, person_id) if known else []
        if not seats:
            raise NotFoundError
        found = page(_documents(tx, matrix, asker, moment, seats, engagement_id, asked), asked)
        return found.map(lambda row: _seen(row, explain.of_seats(tx, matrix, moment, firm_id, row, seats)))

    subject = Subject(engagement=engagement_id)
    return await _listed(services, caller, Action.PERSON_ACCESS, subject, find, at, {"person": person_id})


async def of_matter(services: Services, caller: Caller, matter_id: str, asked: Window, at: int | None = None) -> Told:
    """List the memberships that see documents of a matter, with how many they view and download.

    Returns: `Told` of a page of `Sees`.

    Raises:
        BadInputError: as `of_document`.
    """

    def find(tx: Tx, asker: Asker, moment: Moment) -> Page[Sees]:
        found: list[Sees] = []
        for row in explain.seats_of_matter(tx, asker.actor.firm_id, matter_id, asked.after):
            views, downloads = (
                together.count(
                    tx,
                    services.matrix.current,
                    asker,
                    moment,
                    as_actor(asker.actor.firm_id, row),
                    action,
                    where=Where(matter=matter_id),
                )
                for action in (Action.DOCUMENT_VIEW, Action.DOCUMENT_DOWNLOAD)
            )
            if views or downloads:
                found.append(Sees(row.id, row.person_id, row.engagement_id, row.role, row.side, views, downloads))
            if len(found) > asked.limit:
                break
        return page(found, asked)

    return await _listed(services, caller, Action.MATTER_ACCESS, Subject(matter=matter_id), find, at, {})


async def of_wall(services: Services, caller: Caller, person_id: str, matter_id: str) -> Told:
    """Say what a wall would take from a person, before it is raised; nothing is changed.

    All papers of the matter count that lie within the asker's own seat: whoever may raise walls is told numbers, and
    no paper is named.

    Returns: `Told` of a page of `Loss`, one for each membership that would lose something.

    Raises:
        NotFoundError: no such person in this firm.
        ExistsError: this wall stands already.
    """

    def find(tx: Tx, asker: Asker, moment: Moment) -> Page[Loss]:
        firm_id = asker.actor.firm_id
        walls.require_new(tx, moment, firm_id, person_id, matter_id)
        where = Where(matter=matter_id, engagement=asker.actor.engagement_id)
        seats = explain.seats_of_matter(tx, firm_id, matter_id, START)
        found = [
            Loss(row.id, row.engagement_id, row.role, lost)
            for row in seats
            if row.person_id == person_id
            and any((lost := _lost(tx, services.matrix.current, moment, as_actor(firm_id, row), where)).values())
        ]
        return Page(found, None)

    subject = Subject(matter=matter_id)
    return await _listed(services, caller, Action.WALL_PREVIEW, subject, find, None, {"person": person_id})


def _lost(tx: Tx, matrix: Matrix, moment: Moment, actor: Actor, where: Where) -> dict[Action, int]:
    """How many documents a membership has, at whatever hour, and would not have behind a wall, act by act."""
    return {
        action: listing.count(tx, matrix, moment, actor, action, where, any_hour=True)
        # Behind a wall the list is empty exactly where the policy lets a wall deny the act.
        if matrix.denials(actor.role, action) & Fact.WALLED
        else 0
        for action in COMPARED
    }


def _seen(row: Any, found: list[Access]) -> Seen:
    return Seen(
        id=row.id,
        engagement_id=row.engagement_id,
        part_id=row.part_id,
        matter_id=row.matter_id,
        number=row.number,
        label=row.label,
        sensitivity=row.sensitivity,
        access=tuple(found),
    )


def _documents(
    tx: Tx, matrix: Matrix, asker: Asker, moment: Moment, seats: list[Any], engagement_id: str, asked: Window
) -> list[Any]:
    """The documents that any of some memberships views, in order of their ids; one more than is asked for."""
    found: dict[str, Any] = {}
    for seat in seats:
        rows = together.page(
            tx,
            matrix,
            asker,
            moment,
            as_actor(asker.actor.firm_id, seat),
            Action.DOCUMENT_VIEW,
            after=asked.after,
            most=asked.limit + 1,
            where=Where(engagement=engagement_id),
        )
        found |= {row.id: row for row in rows}
    return [found[document_id] for document_id in sorted(found)][: asked.limit + 1]


async def _listed(
    services: Services,
    caller: Caller,
    action: Action,
    subject: Subject,
    find: Callable[[Tx, Asker, Moment], Page[Any]],
    at: int | None,
    about: dict[str, str],
) -> Told:
    """Read a page in a snapshot of its own, so that it never holds the log; then decide and record it."""
    try:
        read: tuple[Told, int] | BaseException = await asyncio.to_thread(_snapshot, services, caller, find, at)
    except (BadInputError, ExistsError, NotFoundError) as error:
        read = error  # whether the asker may hear it is decided first

    def change(act: Act) -> Told:
        if isinstance(read, BaseException):
            raise read
        told, log_size = read
        who = act.who._replace(subjects={**act.who.subjects, **about})
        act.drafts.append(events.list_read(who, [item.id for item in told.answer.items], log_size, at))
        return told

    done = await perform(services, caller, action, subject, change)
    told: Told = done.result
    return told


def _snapshot(
    services: Services, caller: Caller, find: Callable[[Tx, Asker, Moment], Page[Any]], at: int | None
) -> tuple[Told, int]:
    now = Moment(services.clock())
    with services.database.read(caller.credential.firm_id) as tx:
        asker = Asker(authenticate(tx, now, caller.credential), now)
        moment = _at(now, at)
        found = find(tx, asker, moment)
        log_size: int = tx.value(_LOG_SIZE, firm=asker.actor.firm_id)
    return Told(now.s, moment.s, found), log_size


def _at(now: Moment, at: int | None) -> Moment:
    """The moment that is asked about.

    Raises:
        BadInputError: it lies behind: the log tells what was; or so far ahead that nothing can be said.
    """
    if at is None:
        return now
    if at < now.s:
        raise BadInputError(
            "at lies in the past. What was seen then stands in the log; ask about a time ahead.", extra={"field": "at"}
        )
    if at > now.s + MOST_AHEAD_S:
        raise BadInputError("at lies more than 366 days ahead. Ask about a nearer time.", extra={"field": "at"})
    return Moment(at * 1000)

"""The seats of a sign-in, each told by its own firm, to the holder of the secret alone."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import Any, Final, NamedTuple

from sqlalchemy import bindparam, select

from service.acts import Act, Caller, Done, perform
from service.db.models import engagements, firms, memberships, tokens
from service.door import Holder, NameReader
from service.errors import ForbiddenError, NotFoundError, UnauthenticatedError
from service.me import myself
from service.scoping.actions import Action
from service.services import Services
from service.signin import rows

_PLACE: Final = (
    select(
        memberships.c.id.label("membership_id"),
        memberships.c.role,
        memberships.c.side,
        memberships.c.starts_at,
        memberships.c.ends_at,
        memberships.c.suspended,
        firms.c.name.label("firm_name"),
        engagements.c.id.label("engagement_id"),
        engagements.c.number,
    )
    .select_from(
        tokens.join(memberships, memberships.c.id == tokens.c.membership_id)
        .join(firms, firms.c.id == memberships.c.firm_id)
        .outerjoin(engagements, engagements.c.id == memberships.c.engagement_id)
    )
    .where(tokens.c.id == bindparam("token"))
)


@dataclass(frozen=True, slots=True)
class Place:
    """Where a seat is: the firm, and the engagement or (None) the whole house."""

    firm_id: str
    firm_name: str
    engagement_id: str | None
    engagement_number: str | None
    role: str
    side: str


@dataclass(frozen=True, slots=True)
class Seat:
    """A seat as its holder is told of it.

    Args:
        state: ``to_come``, ``running``, ``suspended`` or ``ended``, as its membership is; ``closed`` where its own
            token is in force no more, or covers less: then its firm tells nothing.
        place: None when it is closed.
    """

    id: str
    membership_id: str
    state: str
    place: Place | None


@dataclass(frozen=True, slots=True)
class Held:
    """A sign-in as its holder is told of it."""

    expires_at: int  # UTC seconds
    seats: tuple[Seat, ...]


class Told(NamedTuple):
    """What an act in the seat's firm found, the firm's name unopened."""

    row: Any
    firm: Holder


async def read(services: Services, signer: rows.Signer) -> Held:
    """Read one's seats: each firm decides and records for itself.

    Raises:
        UnauthenticatedError: there is no such sign-in, or it is over.
    """
    held = rows.look(services, signer.secret_hash)
    found = await asyncio.gather(*(_read(services, signer, seat) for seat in held.taken))
    return Held(held.expires_at, tuple(found))


async def _read(services: Services, signer: rows.Signer, seat: Any) -> Seat:
    try:
        caller = caller_of(services, signer, seat)
        done = await perform(services, caller, Action.ME_READ, myself, tell)
    except (UnauthenticatedError, ForbiddenError, NotFoundError):
        return Seat(seat.id, seat.of_membership, "closed", None)
    row, now = done.result.row, done.recorded.moment.s
    return Seat(seat.id, seat.of_membership, _state(row, now), place(services, done, done.result))


def caller_of(services: Services, signer: rows.Signer, seat: Any) -> Caller:
    """Who acts when a seat is asked: the token it stands for, from where the sign-in was shown.

    Raises:
        UnauthenticatedError: that firm has no such token.
    """
    return Caller(rows.credential(services, seat), rows.request_id(services), address=signer.address)


def tell(act: Act) -> Told:
    """Find what a seat's holder is told, within an act of the seat's own token."""
    act.show([act.firm_id])
    return Told(act.tx.one(_PLACE, token=act.actor.token_id), act.firm())


def place(services: Services, done: Done, told: Told) -> Place:
    """Open what was found."""
    row, firm = told
    name = NameReader(services.keys, done.authorised).open(firm, "firms", "name", firm.id, row.firm_name)
    return Place(firm.id, name, row.engagement_id, row.number, row.role, row.side)


def _state(row: Any, now_s: int) -> str:
    if row.ends_at <= now_s:
        return "ended"
    if row.suspended:
        return "suspended"
    return "running" if row.starts_at <= now_s else "to_come"

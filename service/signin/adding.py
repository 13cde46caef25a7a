"""Making a sign-in, and adding seats to it: each by showing a token that is in force."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, NamedTuple

from sqlalchemy import bindparam, insert, select

from service.acts import Act, Caller, perform
from service.db.ids import new_id
from service.db.models import FOREVER, seats, signins
from service.db.session import EVERY_LOG, Tx
from service.errors import BadInputError, BadStateError
from service.events import EventType
from service.ledger import Moment, Outcome
from service.me import myself
from service.scoping.actions import Action
from service.services import Services
from service.signin import rows

DAY_S: Final = 86_400
MOST_DAYS: Final = 30
MOST_SEATS: Final = 50  # all are asked when they are read

_ADD_SIGNIN = insert(signins)
_ADD_SEAT = insert(seats)
_EXPIRED = select(signins.c.id).where(signins.c.expires_at <= bindparam("now"))


@dataclass(frozen=True, slots=True)
class Made:
    """A sign-in that was just made; its text is shown this once."""

    signin_id: str
    seat_id: str
    expires_at: int  # UTC seconds
    text: str

    def __repr__(self) -> str:
        return f"Made({self.signin_id}, redacted)"


class _Link(NamedTuple):
    """A token whose holder agreed that a sign-in stands for him."""

    seat_id: str
    firm_id: str
    membership_id: str
    token_id: str


async def create(services: Services, caller: Caller, days: int) -> Made:
    """Make a sign-in whose first seat is the membership that the caller acts in.

    Raises:
        BadInputError: a life out of range.
    """
    if not 1 <= days <= MOST_DAYS:
        raise BadInputError(f"days: 1 to {MOST_DAYS}.", extra={"field": "days"})
    link = await _link(services, caller)  # first, so that no seat is without its entry in the firm's log
    with services.database.read(EVERY_LOG) as tx:
        log_id = rows.deployment(tx)
    signin_id, secret = new_id("sgn", services.clock(), services.random), services.random(rows.SECRET_BYTES)
    text = rows.draw(secret)

    def job(tx: Tx, moment: Moment) -> Outcome[int]:
        expires_at = moment.s + days * DAY_S
        for over in tx.all(_EXPIRED, now=moment.s):
            rows.forget(tx.run, over.id)
        tx.run(
            _ADD_SIGNIN,
            id=signin_id,
            log_id=log_id,
            secret_hash=rows.parse(text),
            created_at=moment.s,
            expires_at=expires_at,
            ended_at=FOREVER,
        )
        _seat(tx, moment, signin_id, link)
        return Outcome(expires_at, (rows.entry(EventType.SIGNIN_CREATED, signin_id, expires_at=expires_at),))

    expires_at = (await services.ledger.submit(log_id, job)).result
    return Made(signin_id, link.seat_id, expires_at, text)


async def add(services: Services, caller: Caller, secret_hash: bytes) -> str:
    """Add the membership that the caller acts in to a sign-in that he shows too; return the seat's id.

    A seat in the same membership is replaced: its token may have expired.

    Raises:
        UnauthenticatedError: there is no such sign-in, or it is over.
        BadStateError: it has as many seats as one may have.
    """
    held = rows.look(services, secret_hash)
    if len(held.taken) >= MOST_SEATS:
        raise BadStateError(f"A sign-in has {MOST_SEATS} seats at most. Remove one that you no longer need.")
    link = await _link(services, caller)

    def job(tx: Tx, moment: Moment) -> Outcome[str]:
        known = rows.find(tx, moment.s, secret_hash)
        for seat in known.taken:
            if seat.of_membership == link.membership_id:
                tx.run(rows.REMOVE, seat=seat.id, now=moment.s)
        _seat(tx, moment, known.id, link)
        return Outcome(link.seat_id, (rows.entry(EventType.SIGNIN_SEAT_ADDED, known.id, link.seat_id),))

    return (await services.ledger.submit(held.log_id, job)).result


async def _link(services: Services, caller: Caller) -> _Link:
    """Let the token's own firm decide and record that a sign-in may stand for it; the entry names no sign-in."""

    def change(act: Act) -> _Link:
        actor = act.actor
        link = _Link(act.new_id("sea"), act.firm_id, actor.membership_id, actor.token_id)
        subjects = {"token": link.token_id, "membership": link.membership_id, "person": actor.person_id}
        act.record(EventType.TOKEN_LINKED, {**subjects, "seat": link.seat_id})
        return link

    linked: _Link = (await perform(services, caller, Action.TOKEN_LINK, myself, change)).result
    return linked


def _seat(tx: Tx, moment: Moment, signin_id: str, link: _Link) -> None:
    tx.run(
        _ADD_SEAT,
        id=link.seat_id,
        log_id=tx.firm_id,
        signin_id=signin_id,
        of_firm=link.firm_id,
        of_membership=link.membership_id,
        of_token=link.token_id,
        added_at=moment.s,
        removed_at=FOREVER,
    )

"""Choosing a seat: a token for exactly its membership, of some hours."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import bindparam, select

from service import tokens as texts
from service.acts import Act, perform
from service.db.models import tokens
from service.db.session import Tx
from service.errors import BadStateError, MunimentError, UnauthenticatedError
from service.events import EventType
from service.ledger import Moment, Outcome
from service.me import myself
from service.scoping.actions import Action
from service.services import Services
from service.signin import ending, reading, rows

CHOSEN_S: Final = 12 * 3600

_OWN = select(tokens.c.scopes, tokens.c.expires_at).where(tokens.c.id == bindparam("token"))


@dataclass(frozen=True, slots=True)
class Chosen:
    """A seat that was chosen: its token, shown this once, and where it acts."""

    seat_id: str
    membership_id: str
    text: str
    expires_at: int  # UTC seconds
    place: reading.Place

    def __repr__(self) -> str:
        return f"Chosen({self.seat_id}, redacted)"


async def choose(services: Services, signer: rows.Signer, seat_id: str) -> Chosen:
    """Make a token that acts in this seat's membership, for no more than the seat's own token.

    Raises:
        UnauthenticatedError: there is no such sign-in, or it is over.
        NotFoundError: it has no such seat.
        BadStateError: the seat is closed.
        ForbiddenError: the seat's firm has suspended the membership, or the seat's token may not make others.
    """
    held = rows.look(services, signer.secret_hash)
    seat = held.seat(seat_id)

    def change(act: Act) -> tuple[str, int, reading.Told]:
        own: Any = act.tx.one(_OWN, token=act.actor.token_id)
        expires_at = min(act.moment.s + CHOSEN_S, own.expires_at, held.expires_at)
        if expires_at <= act.moment.s:
            raise BadStateError
        new = texts.draw(act.new_id("tok"), act.firm_id, services.random(texts.SECRET_BYTES))
        draft = texts.create(
            act.tx,
            act.moment,
            new,
            act.firm_id,
            act.actor.person_id,
            act.actor.membership_id,
            scopes=own.scopes,
            ttl_s=expires_at - act.moment.s,
            who=act.who,
            made_with=act.actor.token_id,
            seat_id=seat_id,
        )
        act.drafts.append(draft)
        return new.text, expires_at, reading.tell(act)

    try:
        caller = reading.caller_of(services, signer, seat)
        done = await perform(services, caller, Action.TOKEN_CREATE, myself, change)
    except UnauthenticatedError:
        await _note(services, signer, held, seat_id, EventType.SIGNIN_FAILED)
        raise BadStateError(
            "This seat is closed: its own token is in force no more. Add it again with one that is."
        ) from None
    try:
        await _note(services, signer, held, seat_id, EventType.SIGNIN_USED)
    except MunimentError:
        # Ended or removed meanwhile, and then nobody else would revoke it; or not recorded, and then it is not given.
        await ending.cut(services, seat.of_firm, [seat_id])
        raise
    text, expires_at, told = done.result
    return Chosen(seat_id, seat.of_membership, text, expires_at, reading.place(services, done, told))


async def _note(services: Services, signer: rows.Signer, held: rows.Signin, seat_id: str, kind: EventType) -> None:
    """Record in the deployment's log what became of it, if the sign-in and its seat are still there."""

    def job(tx: Tx, moment: Moment) -> Outcome[None]:
        known = rows.find(tx, moment.s, signer.secret_hash)
        known.seat(seat_id)
        return Outcome(None, (rows.entry(kind, known.id, seat_id),))

    await services.ledger.submit(held.log_id, job)

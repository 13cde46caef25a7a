"""Ending a sign-in, or one of its seats: first nothing more can be made, then what was made is revoked, firm by firm.

No transaction spans two firms' logs. Whoever chooses a seat meanwhile finds it gone when he records that, and takes his
token back himself (`service.signin.choosing`), so none is left over by either order.
"""

from __future__ import annotations

from collections.abc import Iterable
from itertools import groupby

from sqlalchemy import bindparam, select, update

from service import tokens as texts
from service.db.models import FOREVER, signins, tokens
from service.db.session import Tx
from service.errors import NotFoundError
from service.events import EventType
from service.ledger import Moment, Outcome
from service.services import Services
from service.signin import rows

_END = update(signins).where(signins.c.id == bindparam("signin")).values(ended_at=bindparam("now"))
_MADE_BY = select(tokens.c.id, tokens.c.membership_id, tokens.c.person_id, tokens.c.revoked_at).where(
    tokens.c.seat_id == bindparam("seat"),
    tokens.c.revoked_at > bindparam("now"),
    tokens.c.expires_at > bindparam("now"),
)


async def end(services: Services, signer: rows.Signer) -> None:
    """End a sign-in, revoke what its seats made, and forget which seats they were.

    Repeat it when it fails: until all is revoked, the sign-in is known for ending, and for nothing else.

    Raises:
        UnauthenticatedError: there is no such sign-in, or it is over.
    """
    held = rows.look(services, signer.secret_hash, ending=True)

    def job(tx: Tx, moment: Moment) -> Outcome[rows.Signin]:
        known = rows.find(tx, moment.s, signer.secret_hash, ending=True)
        if known.ended:
            return Outcome(known)
        tx.run(_END, signin=known.id, now=moment.s)
        return Outcome(known, (rows.entry(EventType.SIGNIN_ENDED, known.id),))

    known = (await services.ledger.submit(held.log_id, job)).result
    for firm_id, seats in groupby(sorted(known.seats, key=lambda seat: str(seat.of_firm)), lambda seat: seat.of_firm):
        await cut(services, firm_id, [seat.id for seat in seats])

    def forget(tx: Tx, _moment: Moment) -> Outcome[None]:
        rows.forget(tx.run, known.id)
        return Outcome(None)

    await services.ledger.submit(held.log_id, forget)


async def remove(services: Services, signer: rows.Signer, seat_id: str) -> None:
    """Remove a seat and revoke what it made; one that was removed already is looked through once more.

    Raises:
        UnauthenticatedError: there is no such sign-in, or it is over.
        NotFoundError: it never had such a seat.
    """
    held = rows.look(services, signer.secret_hash)

    def job(tx: Tx, moment: Moment) -> Outcome[str]:
        known = rows.find(tx, moment.s, signer.secret_hash)
        for seat in (each for each in known.seats if each.id == seat_id):
            if seat.removed_at < FOREVER:
                return Outcome(seat.of_firm)
            tx.run(rows.REMOVE, seat=seat_id, now=moment.s)
            return Outcome(seat.of_firm, (rows.entry(EventType.SIGNIN_SEAT_REMOVED, known.id, seat_id),))
        raise NotFoundError

    firm_id = (await services.ledger.submit(held.log_id, job)).result
    await cut(services, firm_id, [seat_id])


async def cut(services: Services, firm_id: str, seat_ids: Iterable[str]) -> None:
    """Revoke every token that these seats of one firm made, and all that were made with those."""

    def job(tx: Tx, moment: Moment) -> Outcome[None]:
        drafts = [
            draft
            for seat_id in seat_ids
            for made in tx.all(_MADE_BY, seat=seat_id, now=moment.s)
            for draft in texts.revoke_with_all(tx, moment, made.id, made.membership_id, made.person_id, rows.WHO)
        ]
        return Outcome(None, tuple(drafts))

    await services.ledger.submit(firm_id, job)

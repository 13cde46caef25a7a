"""The secret of a sign-in and its rows, which only a transaction turned to the deployment's log sees.

The text is ``mus_`` and 64 characters of base64url: 48 random bytes that name nothing. The row holds their SHA-256.
"""

from __future__ import annotations

import base64
import hashlib
import re
from collections.abc import Callable
from typing import Any, Final, NamedTuple

from sqlalchemy import bindparam, delete, select, update

from service import events
from service.db.ids import new_id
from service.db.models import FOREVER, seats, signins, tokens
from service.db.session import EVERY_LOG, Tx
from service.errors import NotFoundError, UnauthenticatedError
from service.events import EventType
from service.firms import deployment_log
from service.ledger import Draft
from service.services import Services
from service.tokens import Credential

PREFIX: Final = "mus_"
SECRET_BYTES: Final = 48
_SHAPE: Final = re.compile(PREFIX + r"[A-Za-z0-9_-]{64}")  # 48 bytes have exactly one text
WHO: Final = events.system("signin")

_SIGNIN = select(signins.c.id, signins.c.expires_at, signins.c.ended_at).where(
    signins.c.secret_hash == bindparam("secret_hash")
)
_SEATS = select(seats).where(seats.c.signin_id == bindparam("signin")).order_by(seats.c.id)
_TOKEN = select(tokens.c.secret_hash).where(tokens.c.id == bindparam("token"), tokens.c.firm_id == bindparam("firm"))
_FORGET_SEATS = delete(seats).where(seats.c.signin_id == bindparam("signin"))
_FORGET = delete(signins).where(signins.c.id == bindparam("signin"))
REMOVE = update(seats).where(seats.c.id == bindparam("seat")).values(removed_at=bindparam("now"))


class Signer(NamedTuple):
    """What an edge knows of a request that shows a sign-in: a claim, not yet believed."""

    secret_hash: bytes
    address: str | None = None  # where the connection comes from: for deciding alone, never recorded


class Signin(NamedTuple):
    """A sign-in as a snapshot shows it, with every seat that was ever added."""

    log_id: str  # the deployment's, in whose world it is
    id: str
    expires_at: int  # UTC seconds
    ended: bool
    seats: tuple[Any, ...]

    @property
    def taken(self) -> list[Any]:
        """The seats that were not removed."""
        return [seat for seat in self.seats if seat.removed_at == FOREVER]

    def seat(self, seat_id: str) -> Any:
        """Find a seat that was not removed.

        Raises:
            NotFoundError: this sign-in has none of that id.
        """
        for seat in self.taken:
            if seat.id == seat_id:
                return seat
        raise NotFoundError


def draw(secret: bytes) -> str:
    """Make the text of a sign-in from 48 random bytes."""
    return PREFIX + base64.urlsafe_b64encode(secret).decode()


def parse(text: str) -> bytes:
    """Return the hash under which a sign-in of this text would stand.

    Raises:
        UnauthenticatedError: it is not of the form.
    """
    if not _SHAPE.fullmatch(text):
        raise UnauthenticatedError
    return hashlib.sha256(base64.urlsafe_b64decode(text[len(PREFIX) :])).digest()


def find(tx: Tx, now_s: int, secret_hash: bytes, *, ending: bool = False) -> Signin:
    """Find a sign-in, in a transaction turned to the deployment's log.

    Args:
        ending: one that was ended, and whose tokens may not all be revoked yet, is found too.

    Raises:
        UnauthenticatedError: unknown, expired or ended; the answer does not say which.
    """
    row = tx.one(_SIGNIN, secret_hash=secret_hash)
    if row is None or row.expires_at <= now_s or (row.ended_at <= now_s and not ending):
        raise UnauthenticatedError
    return Signin(tx.firm_id, row.id, row.expires_at, row.ended_at <= now_s, tuple(tx.all(_SEATS, signin=row.id)))


def look(services: Services, secret_hash: bytes, *, ending: bool = False) -> Signin:
    """The same, in a snapshot."""
    with services.database.read(EVERY_LOG) as tx:
        tx.turn_to(deployment(tx))
        return find(tx, services.clock() // 1000, secret_hash, ending=ending)


def deployment(tx: Tx) -> str:
    """The log in whose world sign-ins are.

    Raises:
        UnauthenticatedError: there is none yet, so there is no sign-in.
    """
    found = deployment_log(tx)
    if found is None:
        raise UnauthenticatedError
    return found


def credential(services: Services, seat: Any) -> Credential:
    """What the seat's own token would be known by in its firm.

    Raises:
        UnauthenticatedError: that firm has no such token.
    """
    with services.database.read(seat.of_firm) as tx:
        secret_hash = tx.value(_TOKEN, token=seat.of_token, firm=seat.of_firm)
    if secret_hash is None:
        raise UnauthenticatedError
    return Credential(seat.of_firm, secret_hash)


def request_id(services: Services) -> str:
    """A request's id for one firm's log alone: the one that was answered with would stand in several."""
    return new_id("req", services.clock(), services.random)


def entry(kind: EventType, signin_id: str, seat_id: str | None = None, **data: int) -> Draft:
    """Make an entry for the deployment's log."""
    subjects = {"signin": signin_id} if seat_id is None else {"signin": signin_id, "seat": seat_id}
    return events.changed(kind, WHO, subjects, data or None)


def forget(run: Callable[..., int], signin_id: str) -> None:
    """Delete the rows of a sign-in that is over, its seats first."""
    run(_FORGET_SEATS, signin=signin_id)
    run(_FORGET, signin=signin_id)

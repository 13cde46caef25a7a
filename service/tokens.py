"""Bearer tokens: random, shown once, stored hashed, scoped, expiring, revocable.

The text of a token is ``mun_`` and 64 characters of base64url: 16 bytes that name the firm (so that the right log
can be locked before anything is looked up) and 32 random bytes. The row holds SHA-256 of all 48: a random secret of
256 bits needs no slow hash. A token acts in exactly one membership.

It does not decide what a token may do: its scopes become the fact `narrowed`, and the policy answers.
"""

from __future__ import annotations

import base64
import hashlib
import re
from dataclasses import dataclass
from typing import Any, Final, NamedTuple

from sqlalchemy import Select, bindparam, insert, select, update

from service import events
from service.db.auditstore import each_log
from service.db.ids import new_id
from service.db.models import FOREVER, memberships, people, tokens
from service.db.session import EVERY_LOG, Tx
from service.errors import BadInputError, NotFoundError, UnauthenticatedError
from service.events import EventType
from service.ledger import Draft, Moment, Outcome
from service.scoping.actions import Action, Fact
from service.scoping.actors import EVERYTHING, Actor
from service.services import Services

PREFIX: Final = "mun_"
FIRM_BYTES: Final = 16
SECRET_BYTES: Final = 32
TOKEN_CHARACTERS: Final = len(PREFIX) + 64
_STEPPED_UP: Final = int(Fact.STEPPED_UP)
_SHAPE: Final = re.compile(PREFIX + r"[A-Za-z0-9_-]{64}")  # 48 bytes have exactly one text

_AUTHENTICATE = (
    select(
        tokens.c.id,
        tokens.c.scopes,
        tokens.c.created_at,
        tokens.c.expires_at,
        tokens.c.revoked_at,
        tokens.c.stepped_up_until,
        memberships.c.id.label("membership_id"),
        memberships.c.engagement_id,
        memberships.c.role,
        memberships.c.side,
        people.c.id.label("person_id"),
        people.c.vendor_id,
    )
    .join_from(tokens, memberships, tokens.c.membership_id == memberships.c.id)
    .join(people, people.c.id == memberships.c.person_id)
    .where(tokens.c.secret_hash == bindparam("secret_hash"), tokens.c.firm_id == bindparam("firm"))
)
_ADD = insert(tokens)
_MEMBERSHIP = select(memberships.c.firm_id, memberships.c.person_id, memberships.c.role, memberships.c.ends_at).where(
    memberships.c.id == bindparam("membership"), memberships.c.firm_id == bindparam("firm")
)
_ALL = (
    select(
        tokens.c.id,
        tokens.c.firm_id,
        tokens.c.membership_id,
        memberships.c.role,
        tokens.c.scopes,
        tokens.c.created_at,
        tokens.c.expires_at,
        tokens.c.revoked_at,
    )
    .join_from(tokens, memberships, tokens.c.membership_id == memberships.c.id)
    .where(tokens.c.firm_id == bindparam("firm"))
)
_ONE = select(
    tokens.c.id, tokens.c.firm_id, tokens.c.membership_id, tokens.c.person_id, tokens.c.expires_at, tokens.c.revoked_at
).where(tokens.c.id == bindparam("token"), tokens.c.firm_id == bindparam("firm"))
_MADE_WITH = select(tokens.c.id).where(
    tokens.c.made_with == bindparam("token"),
    tokens.c.revoked_at > bindparam("now"),
    tokens.c.expires_at > bindparam("now"),
)
_REVOKE = update(tokens).where(tokens.c.id == bindparam("token")).values(revoked_at=bindparam("now"))


class Credential(NamedTuple):
    """What a token's text says before anything was looked up: a claim, not yet believed."""

    firm_id: str
    secret_hash: bytes


def parse(text: str) -> Credential:
    """Take a token's text apart.

    Raises:
        UnauthenticatedError: it is not of the form.
    """
    if not _SHAPE.fullmatch(text):
        raise UnauthenticatedError
    raw = base64.urlsafe_b64decode(text[len(PREFIX) :])
    return Credential(f"frm_{raw[:FIRM_BYTES].hex()}", hashlib.sha256(raw).digest())


def authenticate(tx: Tx, moment: Moment, credential: Credential) -> Actor:
    """Find out who acts, in the transaction that will decide.

    Raises:
        UnauthenticatedError: unknown, expired or revoked; the answer does not say which.
    """
    row = tx.one(_AUTHENTICATE, secret_hash=credential.secret_hash, firm=credential.firm_id)
    now = moment.s
    if row is None or not row.created_at <= now < row.expires_at or row.revoked_at <= now:
        raise UnauthenticatedError
    return Actor(
        firm_id=credential.firm_id,
        person_id=row.person_id,
        membership_id=row.membership_id,
        token_id=row.id,
        role=row.role,
        side=row.side,
        engagement_id=row.engagement_id,
        vendor_id=row.vendor_id,
        scopes=frozenset(row.scopes.split()),
        stepped_up=_STEPPED_UP if now < row.stepped_up_until else 0,
    )


@dataclass(frozen=True, slots=True)
class NewToken:
    """A token that was just made: the only time its text exists outside its holder's hands."""

    token_id: str
    text: str
    secret_hash: bytes

    def __repr__(self) -> str:
        return f"NewToken({self.token_id}, redacted)"


def draw(token_id: str, firm_id: str, secret: bytes) -> NewToken:
    """Make the text of a token from 32 random bytes."""
    raw = bytes.fromhex(firm_id.removeprefix("frm_")) + secret
    text = PREFIX + base64.urlsafe_b64encode(raw).decode()
    return NewToken(token_id, text, hashlib.sha256(raw).digest())


def create(
    tx: Tx,
    moment: Moment,
    new: NewToken,
    firm_id: str,
    person_id: str,
    membership_id: str,
    *,
    scopes: str,
    ttl_s: int,
    who: events.Who,
    made_with: str | None = None,
    seat_id: str | None = None,
) -> Draft:
    """Write the row of a token that lives `ttl_s` seconds from now, and return its entry.

    Args:
        made_with: the token that was shown to make it, which takes it along when it is revoked; None at the machine.
        seat_id: the seat of a sign-in that was chosen to make it; None: none was.
    """
    tx.run(
        _ADD,
        id=new.token_id,
        firm_id=firm_id,
        person_id=person_id,
        membership_id=membership_id,
        secret_hash=new.secret_hash,
        scopes=scopes,
        created_at=moment.s,
        expires_at=moment.s + ttl_s,
        revoked_at=FOREVER,
        made_with=made_with,
        stepped_up_until=0,  # also when it was made with one that is stepped up: each proves it for itself
        seat_id=seat_id,
    )
    subjects = {"token": new.token_id, "membership": membership_id, "person": person_id}
    return events.changed(
        EventType.TOKEN_CREATED,
        who,
        subjects if seat_id is None else {**subjects, "seat": seat_id},
        {"scopes": scopes.split(), "expires_at": moment.s + ttl_s},
    )


# The operator at the machine: no decision, and entries that name the actor ``cli`` -----------------------------------


@dataclass(frozen=True, slots=True)
class Issued:
    """A token as it can be shown: never its text."""

    id: str
    firm_id: str
    membership_id: str
    role: str
    scopes: str
    created_at: int  # UTC seconds, like the next two
    expires_at: int
    revoked_at: int


async def issue(services: Services, membership_id: str, scopes: str, ttl_s: int) -> NewToken:
    """Make a token that acts in a membership for `ttl_s` seconds.

    Raises:
        NotFoundError: there is no such membership, or it has ended.
        BadInputError: a scope is not a resource of the vocabulary, or the life is not longer than nothing.
    """
    scopes = " ".join(sorted(set(scopes.split())))
    unknown = set(scopes.split()) - {action.resource for action in Action} - {EVERYTHING}
    if unknown or not scopes or ttl_s <= 0:
        raise BadInputError("scopes: name resources, such as document and me, or * for all; days: 1 or more.")
    row = _in_any_firm(services, _MEMBERSHIP, membership=membership_id)
    if row is None:
        raise NotFoundError
    new = draw(new_id("tok", services.clock(), services.random), row.firm_id, services.random(SECRET_BYTES))

    def job(tx: Tx, moment: Moment) -> Outcome[NewToken]:
        if tx.one(_MEMBERSHIP, membership=membership_id, firm=row.firm_id).ends_at <= moment.s:
            raise NotFoundError
        who = events.system("cli")
        draft = create(tx, moment, new, row.firm_id, row.person_id, membership_id, scopes=scopes, ttl_s=ttl_s, who=who)
        return Outcome(new, (draft,))

    return (await services.ledger.submit(row.firm_id, job)).result


def issued(services: Services) -> list[Issued]:
    """Return every token of this installation, oldest first."""
    with services.database.read(EVERY_LOG) as tx:
        found = [Issued(*row) for log in each_log(tx) for row in tx.all(_ALL, firm=log.id)]
    return sorted(found, key=lambda token: token.id)


def _in_any_firm(services: Services, statement: Select[Any], **wanted: str) -> Any:
    """Find the one row that the operator names by its id, in whichever firm it is; None if there is none."""
    with services.database.read(EVERY_LOG) as tx:
        rows = (tx.one(statement, firm=log.id, **wanted) for log in each_log(tx))
        return next((row for row in rows if row is not None), None)


async def withdraw(services: Services, token_id: str) -> None:
    """Revoke a token now, and what was made with it; one that is revoked already stays as it was.

    Raises:
        NotFoundError: there is no such token.
    """
    row = _in_any_firm(services, _ONE, token=token_id)
    if row is None:
        raise NotFoundError

    def job(tx: Tx, moment: Moment) -> Outcome[None]:
        if tx.one(_ONE, token=token_id, firm=row.firm_id).revoked_at <= moment.s:
            return Outcome(None)
        return Outcome(
            None, revoke_with_all(tx, moment, token_id, row.membership_id, row.person_id, events.system("cli"))
        )

    await services.ledger.submit(row.firm_id, job)


def revoke(tx: Tx, moment: Moment, token_id: str, membership_id: str, person_id: str, who: events.Who) -> Draft:
    """Write that a token ends now, and return its entry."""
    tx.run(_REVOKE, token=token_id, now=moment.s)
    subjects = {"token": token_id, "membership": membership_id, "person": person_id}
    return events.changed(EventType.TOKEN_REVOKED, who, subjects)


def revoke_with_all(
    tx: Tx, moment: Moment, token_id: str, membership_id: str, person_id: str, who: events.Who
) -> tuple[Draft, ...]:
    """Write that a token ends now, and every one that was made with it or with those; return an entry for each.

    Whoever took a token could have made more with it: to revoke it must end those too.
    """
    drafts: list[Draft] = []
    waiting = [token_id]
    while waiting:
        ending = waiting.pop()
        drafts.append(revoke(tx, moment, ending, membership_id, person_id, who))
        waiting += [row.id for row in tx.all(_MADE_WITH, token=ending, now=moment.s)]
    return tuple(drafts)

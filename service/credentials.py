"""One's own tokens: making a narrower one, listing them, revoking one; the owner may revoke anybody's.

The first token of a membership is made by the operator at the machine (`muniment token create`): nobody in the house
can make a token that acts as somebody else.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import bindparam, select

from service import tokens as texts
from service.acts import Act, Caller, perform
from service.db.models import FOREVER, tokens
from service.db.session import Tx
from service.errors import BadInputError, BadStateError, NotFoundError
from service.paging import Page, Window, page
from service.scoping.actions import Action
from service.scoping.actors import EVERYTHING, Actor
from service.scoping.decide import Subject
from service.services import Services

DAY_S: Final = 86_400
MOST_DAYS: Final = 366
RESOURCES: Final = frozenset(action.resource for action in Action)

_OWN = (
    select(tokens)
    .where(tokens.c.person_id == bindparam("person"), tokens.c.id > bindparam("after"))
    .order_by(tokens.c.id)
    .limit(bindparam("most"))
)
_ONE = select(tokens).where(tokens.c.id == bindparam("token"))


@dataclass(frozen=True, slots=True)
class Token:
    """A token as its row tells it; its text was shown once and is kept nowhere."""

    id: str
    membership_id: str
    scopes: tuple[str, ...]
    created_at: int  # UTC seconds
    expires_at: int
    revoked_at: int | None


@dataclass(frozen=True, slots=True)
class MadeToken:
    """A token that was just made, with its text."""

    token: Token
    text: str


async def create(services: Services, caller: Caller, scopes: frozenset[str], days: int) -> MadeToken:
    """Make a further token for one's own membership, for no more than the one it is asked with.

    Raises:
        BadInputError: an unknown resource, more than one's own token covers, or a life out of range or longer than its.
    """
    if not scopes or scopes - RESOURCES - {EVERYTHING}:
        raise BadInputError("scopes: name resources, such as document, or *.", extra={"field": "scopes"})
    if not 1 <= days <= MOST_DAYS:
        raise BadInputError(f"days: 1 to {MOST_DAYS}.", extra={"field": "days"})

    def change(act: Act) -> MadeToken:
        if not all(act.actor.covers(scope) for scope in scopes):
            raise BadInputError(
                "scopes: a token cannot be wider than the one it is made with.", extra={"field": "scopes"}
            )
        own: Any = act.tx.one(_ONE, token=act.actor.token_id)
        if act.moment.s + days * DAY_S > own.expires_at:
            raise BadInputError("days: a token cannot outlive the one it is made with.", extra={"field": "days"})
        new = texts.draw(act.new_id("tok"), act.firm_id, services.random(texts.SECRET_BYTES))
        made_by = act.actor
        draft = texts.create(
            act.tx,
            act.moment,
            new,
            act.firm_id,
            made_by.person_id,
            made_by.membership_id,
            scopes=" ".join(sorted(scopes)),
            ttl_s=days * DAY_S,
            who=act.who,
            made_with=made_by.token_id,
        )
        act.drafts.append(draft)
        return MadeToken(_shown(act.tx.one(_ONE, token=new.token_id)), new.text)

    made: MadeToken = (await perform(services, caller, Action.TOKEN_CREATE, _self, change)).result
    return made


async def list_own(services: Services, caller: Caller, asked: Window) -> Page[Token]:
    """List one's own tokens, oldest first."""

    def change(act: Act) -> Page[Any]:
        rows = act.tx.all(_OWN, person=act.actor.person_id, after=asked.after, most=asked.limit + 1)
        found = page(rows, asked)
        act.list_out([row.id for row in found.items])
        return found

    found: Page[Any] = (await perform(services, caller, Action.TOKEN_LIST, _self, change)).result
    return found.map(_shown)


async def revoke(services: Services, caller: Caller, token_id: str) -> None:
    """Revoke a token and all that were made with it: they open nothing from this second on, open bodies included.

    Raises:
        BadStateError: it was revoked already.
    """

    def change(act: Act) -> None:
        row = act.tx.one(_ONE, token=token_id)
        if row is None:
            raise NotFoundError
        if row.revoked_at <= act.moment.s:
            raise BadStateError
        act.drafts += texts.revoke_with_all(act.tx, act.moment, token_id, row.membership_id, row.person_id, act.who)

    await perform(services, caller, Action.TOKEN_REVOKE, Subject(via=token_id), change)


def _self(_tx: Tx, actor: Actor) -> Subject:
    """The asker himself, once he is known."""
    return Subject(person=actor.person_id)


def _shown(row: Any) -> Token:
    revoked = None if row.revoked_at >= FOREVER else row.revoked_at
    return Token(row.id, row.membership_id, tuple(row.scopes.split()), row.created_at, row.expires_at, revoked)

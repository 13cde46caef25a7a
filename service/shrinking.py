"""Making grants less: several revoked or narrowed in one act, as the figures of their use suggest (service/usage.py).

Rules kept here:

* each grant is decided as a revocation of its own, in the same transaction, and has an entry of its own;
* all or none: where one has changed since it was read, is over, or is not there for the asker, nothing is changed;
* a narrowed grant loses the download and keeps everything else: nothing here ever makes a grant more.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from sqlalchemy import bindparam, select, update

from service import events
from service.acts import Act, Caller, etag, perform, who
from service.db.ids import is_id
from service.db.models import grants, memberships
from service.errors import BadStateError, NotFoundError, StaleError
from service.events import EventType
from service.grants import REVOKE
from service.scoping.actions import Ability, Action, words_of
from service.scoping.decide import Subject
from service.services import Services
from service.usage import NARROWED

MOST: Final = 100  # grants in one act

_ONE = (
    select(
        grants.c.id,
        grants.c.membership_id,
        memberships.c.person_id,
        grants.c.abilities,
        grants.c.not_after,
        grants.c.revoked_at,
        grants.c.version,
    )
    .join_from(grants, memberships, memberships.c.id == grants.c.membership_id)
    .where(grants.c.id == bindparam("grant"), grants.c.engagement_id == bindparam("engagement"))
)
_NARROW = (
    update(grants)
    .where(grants.c.id == bindparam("grant"))
    .values(abilities=bindparam("left"), version=grants.c.version + 1)
)


@dataclass(frozen=True, slots=True)
class Shrink:
    """A grant to make less, as it stood when its `etag` was read: revoked, or without download and text."""

    grant_id: str
    etag: str
    narrow: bool


@dataclass(frozen=True, slots=True)
class Shrunk:
    """What became of it. Times are UTC seconds."""

    id: str
    abilities: tuple[str, ...]
    revoked_at: int  # FOREVER: not revoked
    version: int


async def shrink(services: Services, caller: Caller, engagement_id: str, wanted: Sequence[Shrink]) -> list[Shrunk]:
    """Revoke and narrow grants of an engagement in one transaction: all as wanted, or none.

    Each is decided as a revocation of its own, and leaves an entry of its own.

    Raises:
        NotFoundError: no such grant in this engagement, as far as the asker may know; or what else the policy answers.
        StaleError: one was changed since its version was read.
        BadStateError: one is over already, or carries no download and no text that could be taken away.
    """

    def change(act: Act) -> list[Shrunk]:
        return [_shrink(act, engagement_id, one) for one in wanted]

    done = await perform(services, caller, Action.ENGAGEMENT_SHRINK, Subject(engagement=engagement_id), change)
    shrunk: list[Shrunk] = done.result
    return shrunk


def _shrink(act: Act, engagement_id: str, wanted: Shrink) -> Shrunk:
    subject = Subject(via=wanted.grant_id if is_id(wanted.grant_id, "grt") else "")
    decision = act.require(Action.GRANT_REVOKE, subject)
    row = act.tx.one(_ONE, grant=wanted.grant_id, engagement=engagement_id)
    if row is None:
        raise NotFoundError
    if etag(row.id, row.version) != wanted.etag:
        raise StaleError
    now, left = act.moment.s, Ability(row.abilities) & ~NARROWED
    if min(row.revoked_at, row.not_after) <= now or (wanted.narrow and left == row.abilities):
        raise BadStateError(
            "One of these grants is over already, or carries nothing that narrowing takes. Read them again."
        )
    subjects = {"grant": row.id, "membership": row.membership_id, "person": row.person_id}
    by = who(act.actor, decision, act.caller.request_id)
    if wanted.narrow:
        act.tx.run(_NARROW, grant=row.id, left=int(left))
        data: events.Data = {"abilities": list(words_of(left))}
        act.drafts.append(events.changed(EventType.GRANT_NARROWED, by, subjects, data))
        return Shrunk(row.id, words_of(left), row.revoked_at, row.version + 1)
    act.tx.run(REVOKE, grant=row.id, end=now)
    act.drafts.append(events.changed(EventType.GRANT_REVOKED, by, subjects, {"revoked_at": now}))
    return Shrunk(row.id, words_of(Ability(row.abilities)), now, row.version + 1)

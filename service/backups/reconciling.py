"""Bringing rows that are older than the world up to what can still be known.

Three things, each of which can be done again after a crash; the last lets the installation serve:

1. what a tombstone names is destroyed again, in all key places and in the store, and ended in the rows;
2. all tokens are withdrawn: which were withdrawn in the lost time cannot be known;
3. each log goes on under a new origin. Its next entry says from which, how far that had been anchored, and what is
   lost: the old origin is never signed again, so nothing that was signed is ever contradicted under its name.

What cannot be known is said: walls, ended memberships and revocations of the lost time must be done again.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import bindparam, select, update

from audit.checkpoint import parse, verifier_key
from service import disposal, events, tokens, tombstones
from service.checkpoints import anchor_name
from service.crypto.signing import load_signing_key
from service.db import models
from service.db.auditstore import each_log
from service.db.models import logs
from service.db.session import EVERY_LOG, Tx
from service.door import signing_key
from service.events import EventType
from service.ledger import Moment, Outcome
from service.older import Older, following, older
from service.services import Services

_LOG: Final = select(logs).where(logs.c.id == bindparam("log"))
_TOKENS: Final = (
    select(models.tokens.c.id, models.tokens.c.membership_id, models.tokens.c.person_id)
    .where(models.tokens.c.firm_id == bindparam("log"), models.tokens.c.revoked_at > bindparam("now"))
    .order_by(models.tokens.c.id)
)
_RENAME: Final = (
    update(logs)
    .where(logs.c.id == bindparam("log"), logs.c.origin == bindparam("old_origin"))
    .values(origin=bindparam("new_origin"), verifier_key=bindparam("new_verifier"))
)


@dataclass(frozen=True, slots=True)
class Reconciled:
    """How one log goes on.

    Args:
        verifier_key: to be handed to whoever verifies it.
        lost_from, lost_to: entries ``[from, to)`` that were anchored and are lost; equal where none was.
        ended: engagements that were destroyed again.
        tokens: how many were withdrawn.
    """

    log_id: str
    origin: str
    verifier_key: str
    lost_from: int
    lost_to: int
    ended: tuple[str, ...]
    tokens: int


async def reconcile(services: Services) -> list[Reconciled]:
    """Reconcile every log of an installation that nobody serves; empty where nothing is older than its anchors.

    Raises:
        UnsafeError: a tombstone is not signed by its firm's log; nothing was done for that firm.
        KeyPlaceError, StoreUnavailableError, LedgerUnavailableError: a part is away; run it again.
    """
    found = await asyncio.to_thread(older, services)
    if not found:
        return []
    behind = {each.log_id: each for each in found}
    with services.database.read(EVERY_LOG) as tx:
        every = [Older(row.id, row.origin, row.size, None, ()) for row in each_log(tx)]
    # All logs were set back together, also those of which no anchor happens to tell.
    return [await _reconcile(services, behind.get(each.log_id, each)) for each in every]


async def _reconcile(services: Services, log: Older) -> Reconciled:
    for stone, note in log.undone:
        await asyncio.to_thread(tombstones.require_signed, services, stone, note)
    for stone, _ in log.undone:
        await disposal.destroy_again(services, stone)
    return await _go_on(services, log, tuple(stone.engagement_id for stone, _ in log.undone))


async def _go_on(services: Services, log: Older, ended: tuple[str, ...]) -> Reconciled:
    """Withdraw the tokens, rename the log and say so, in one transaction."""
    origin = next(each for each in following(log.origin, log.log_id) if _is_new(services, each))
    with services.database.read(log.log_id) as tx:
        row = tx.one(_LOG, log=log.log_id)
    key = await asyncio.to_thread(signing_key, services.keys, row.key_id, row.signing_key, row.id)
    verifier = verifier_key(origin, load_signing_key(key).public_key())
    data = _data(log, origin)

    def job(tx: Tx, moment: Moment) -> Outcome[int]:
        who, withdrawn = events.system("restore"), tx.all(_TOKENS, log=row.id, now=moment.s)
        drafts = [tokens.revoke(tx, moment, each.id, each.membership_id, each.person_id, who) for each in withdrawn]
        tx.run(_RENAME, log=row.id, old_origin=row.origin, new_origin=origin, new_verifier=verifier)
        drafts.insert(0, events.changed(EventType.LOG_RESTORED, who, data=data))
        return Outcome(len(withdrawn), tuple(drafts))

    count = (await services.ledger.submit(row.id, job)).result
    lost_to = max(log.size, log.anchored[0] if log.anchored else 0)
    return Reconciled(log.log_id, origin, verifier, log.size, lost_to, ended, count)


def _data(log: Older, origin: str) -> dict[str, Any]:
    data: dict[str, Any] = {"origin": origin, "origin_before": log.origin, "size": log.size}
    if log.anchored is not None:
        data |= {"anchored_root": parse(log.anchored[1]).root.hex(), "anchored_size": log.anchored[0]}
    return data


def _is_new(services: Services, origin: str) -> bool:
    return services.anchors.newest(anchor_name(origin)) is None

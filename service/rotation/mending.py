"""Mending: living keys are copied to the places that lack them; destroyed ones are never brought back.

A disposal enters its point of no return in the database first and then deletes in every place. So a key is copied, then
its owner is looked at again: if he has come to that point meanwhile, the copy is deleted here; if not, the disposal
comes later and deletes it itself. A key of somebody destroyed that is found in a place all the same (an old copy of
it was brought back, or mending was cut short between the two) is destroyed again.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import Final

from sqlalchemy import bindparam, or_, select, union_all

from service import events
from service.crypto.mending import copy_missing
from service.db.auditstore import each_log
from service.db.models import disposals, engagements, logs, parts, people
from service.db.session import EVERY_LOG, Tx
from service.disposal.run import ORDER
from service.errors import KeyMissingError
from service.events import EventType
from service.ledger import Moment, Outcome
from service.rotation import begun
from service.rotation.levels import Watch
from service.services import Services

_ENDED: Final = select(disposals.c.engagement_id).where(or_(*(disposals.c.state == state for state in ORDER)))
_LIVING = union_all(
    select(logs.c.key_id).where(logs.c.id == bindparam("log")),
    select(people.c.key_id).where(people.c.firm_id == bindparam("log")),
    select(engagements.c.key_id).where(engagements.c.firm_id == bindparam("log"), engagements.c.id.not_in(_ENDED)),
    select(parts.c.key_id).where(parts.c.firm_id == bindparam("log"), parts.c.engagement_id.not_in(_ENDED)),
)
_DEAD = union_all(
    select(engagements.c.key_id).where(engagements.c.firm_id == bindparam("log"), engagements.c.id.in_(_ENDED)),
    select(parts.c.key_id).where(parts.c.firm_id == bindparam("log"), parts.c.engagement_id.in_(_ENDED)),
)


@dataclass(frozen=True, slots=True)
class Mended:
    """What mending did.

    Args:
        copied: for each place, how many keys it was given.
        lost: ids of keys that no place holds whole any more.
        destroyed: ids of keys of destroyed engagements that were found and destroyed again.
    """

    copied: dict[str, int]
    lost: tuple[str, ...]
    destroyed: tuple[str, ...]


async def mend(services: Services, watch: Watch) -> Mended:
    """Give every place what it lacks.

    Raises:
        KeyPlaceError: a place cannot be asked: mount it, or make it anew, first.
    """
    with services.database.read(EVERY_LOG) as tx:
        living, dead = _keys(tx)
    there = await asyncio.to_thread(services.keys.all_ids)
    destroyed = tuple(sorted(dead & there))
    for key_id in destroyed:
        await asyncio.to_thread(services.keys.destroy, key_id)
    copied: dict[str, int] = {}
    lost: list[str] = []
    for done, key_id in enumerate(sorted(living)):
        watch(done, len(living))
        try:
            places = await asyncio.to_thread(_mend_one, services, key_id)
        except KeyMissingError:
            lost.append(key_id)
            continue
        copied.update({place: copied.get(place, 0) + 1 for place in places})
    watch(len(living), len(living))
    await _record(services, copied, len(destroyed))
    return Mended(copied, tuple(lost), destroyed)


def _mend_one(services: Services, key_id: str) -> tuple[str, ...]:
    """Copy one key, then make sure that it still may live; blocks."""
    places = copy_missing(services.keys, key_id)
    if places:
        with services.database.read(EVERY_LOG) as tx:
            living, _ = _keys(tx)
        if key_id not in living:  # destroyed, or rotated, since we looked
            services.keys.destroy(key_id)
            return ()
    return places


def _keys(tx: Tx) -> tuple[set[str], set[str]]:
    living: set[str] = set()
    dead: set[str] = set()
    for log in each_log(tx):
        living |= {row.key_id for row in tx.all(_LIVING, log=log.id)}
        dead |= {row.key_id for row in tx.all(_DEAD, log=log.id)}
    return living, dead


async def _record(services: Services, copied: dict[str, int], destroyed: int) -> None:
    if not copied and not destroyed:
        return
    data = {"copied": sum(copied.values()), "places": len(copied), "destroyed": destroyed}

    def job(_tx: Tx, _moment: Moment) -> Outcome[None]:
        return Outcome(None, (events.changed(EventType.KEY_MENDED, events.system(begun.WORD), data=data),))

    await services.ledger.submit(begun.require_deployment(services), job)

"""Rotating a level: a new key for each owner, moved by one job of the ledger, and the old ones destroyed at the end.

Rules kept here:

* the new key is in all places before the job that uses it, and the old one is destroyed only after the job's commit, so
  a crash leaves an owner on one of the two, and both are there;
* owners above come before those whose keys hang on theirs; an owner whose key hangs on another than it should is moved
  whenever his key was made;
* an owner whose engagement no longer runs is left as he is: what people agreed to destroy keeps its keys.

Source: docs/adr/0014-rotation.md.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass

from service import events
from service.acts import NewKeys, keyed, submit
from service.db.ids import made_ms
from service.db.session import EVERY_LOG, Tx
from service.events import EventType
from service.ledger import Moment, Outcome
from service.rotation import begun
from service.rotation.owners import BELOW, Level, Owner, all_of, move, one
from service.rotation.retired import destroy_retired
from service.services import Services

Watch = Callable[[int, int], None]  # how many are done, of how many


@dataclass(frozen=True, slots=True)
class Rotated:
    """What a rotation did.

    Args:
        level: of which keys.
        rotated: how many keys were replaced in this run.
        rewrapped: how many keys they wrapped.
        destroyed: how many retired keys were destroyed.
        went_on: whether it went on with a run that was cut short.
    """

    level: str
    rotated: int
    rewrapped: int
    destroyed: int
    went_on: bool


async def rotate(services: Services, level: Level, watch: Watch) -> Rotated:
    """Replace every key of a level, and of the level below; goes on where a run was cut short.

    Raises:
        KeyPlaceError, RootKeyError, LedgerUnavailableError: something is away; run it again.
    """
    started, went_on = await begun.begin(services, level)
    rotated = rewrapped = 0
    for each in (level, *([BELOW[level]] if level in BELOW else [])):
        due = await asyncio.to_thread(_due, services, each, started)
        for done, owner in enumerate(due):
            watch(done, len(due))
            moved = await _rotate_one(services, owner)
            rotated += moved is not None
            rewrapped += moved or 0
        watch(len(due), len(due))
    destroyed = await destroy_retired(services)
    await begun.finish(services, level)
    return Rotated(level, rotated, rewrapped, destroyed, went_on)


def _due(services: Services, level: Level, started_ms: int) -> list[Owner]:
    """The owners whose key is older than the rotation, or hangs on a key that was rotated; blocks."""
    with services.database.read(EVERY_LOG) as tx:
        owners = list(all_of(tx, level))
    below = level in BELOW.values()
    return [
        owner
        for owner in owners
        if made_ms(owner.key_id) <= started_ms or (below and services.keys.parent_of(owner.key_id) != owner.parent)
    ]


async def _rotate_one(services: Services, due: Owner) -> int | None:
    """Give one owner a new key. Returns how many keys were rewrapped; None where he needs none any more."""
    new_keys = NewKeys()

    def job(tx: Tx, _moment: Moment) -> Outcome[int | None]:
        new_keys.asked = 0
        owner = one(tx, due.level, due.id)
        if owner is None or owner.key_id != due.key_id:
            return Outcome(None)
        new_id = new_keys.next(owner.kind, owner.parent)
        old, new = keyed(services, owner.key_id), keyed(services, new_id)
        moved = move(tx, owner, new_id, old, new, services.random)
        subjects = {"old_key": owner.key_id, "new_key": new_id}
        who = events.system(begun.WORD, owner.subjects)
        draft = events.changed(EventType.KEY_ROTATED, who, subjects, {"level": owner.kind, "rewrapped": moved})
        return Outcome(moved, (draft,))

    return (await submit(services, due.log_id, job, new_keys)).result

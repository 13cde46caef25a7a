"""Repairs: orphans are collected, and key places that lack a living key get it back. Rows are never changed here.

Rules kept here:

* nothing is repaired beside a row, a log or a key that is not what it should be: whoever owns the database could else
  let a key die by hiding the row of its owner;
* nothing that a living row names is ever deleted, and nothing that is younger than the grace time;
* a key is copied only for an owner that lives on, who is looked at once more afterwards: where his destruction began
  meanwhile, the key is destroyed again in all places;
* each repair is recorded before it is done; one that was cut short is found, recorded and done again.

What is not repaired here: rows (set them right by hand, or restore), bytes that are gone (restore), acts that nobody
closed (the next start closes them).
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from service import events, firms
from service.blobs.store import LeavesAside
from service.crypto.mending import copy_missing
from service.db.session import EVERY_LOG, Tx
from service.doctor.examine import examine
from service.doctor.findings import Severity
from service.doctor.keys import copied, owned
from service.doctor.look import GRACE_S, Seen, look
from service.errors import NotInitialisedError, StoreUnavailableError, UnsafeError
from service.events import EventType
from service.ledger import Moment, Outcome
from service.services import Services

TOGETHER: Final = 50  # ids in one entry

_REPAIRED: Final = frozenset({"key_place_behind"})
_SENTENCES: Final = {
    EventType.REPAIR_ASIDE_SWEPT: "What crashes left half written is removed from the store.",
    EventType.REPAIR_BLOBS_DELETED: "Objects that no living row names are deleted.",
    EventType.REPAIR_KEYS_COPIED: "Keys are copied into the key places that lack them.",
    EventType.REPAIR_KEYS_DESTROYED: "Keys that nobody owns are destroyed in all places.",
}


@dataclass(frozen=True, slots=True)
class Repair:
    """One repair, and the log that tells of it."""

    kind: EventType
    log_id: str
    ids: tuple[str, ...]

    @property
    def sentence(self) -> str:
        """What is done."""
        return _SENTENCES[self.kind]


async def plan(services: Services, grace_s: int = GRACE_S) -> list[Repair]:
    """Say what would be repaired.

    Args:
        grace_s: what is younger than this many seconds stays.

    Raises:
        KeyPlaceError, StoreUnavailableError: a store does not answer; nothing is guessed.
        UnsafeError: something is broken that must be mended first.
        NotInitialisedError: there is no log to tell of it.
    """
    broken = {each.code for each in await examine(services, grace_s) if each.severity is Severity.BROKEN}
    if broken - _REPAIRED:
        raise UnsafeError("Something is broken that must be mended first: run `muniment doctor` without --repair.")
    seen = await look(services, grace_s)
    with services.database.read(EVERY_LOG) as tx:
        deployment = firms.deployment_log(tx)
        living = copied(tx, seen.keys.behind)
    if deployment is None:
        raise NotInitialisedError
    return [*_copies(living), *_orphans(deployment, seen)]


def _copies(living: dict[str, str]) -> Iterator[Repair]:
    for log_id in sorted(set(living.values())):
        mine = sorted(key_id for key_id, log in living.items() if log == log_id)
        yield from _cut(EventType.REPAIR_KEYS_COPIED, log_id, mine)


def _orphans(log_id: str, seen: Seen) -> Iterator[Repair]:
    yield from _cut(EventType.REPAIR_KEYS_DESTROYED, log_id, seen.keys.stray)
    yield from _cut(EventType.REPAIR_BLOBS_DELETED, log_id, [*seen.blobs.ended, *seen.blobs.stray])
    if seen.aside:
        yield Repair(EventType.REPAIR_ASIDE_SWEPT, log_id, ())


def _cut(kind: EventType, log_id: str, ids: Sequence[str]) -> Iterator[Repair]:
    for start in range(0, len(ids), TOGETHER):
        yield Repair(kind, log_id, tuple(ids[start : start + TOGETHER]))


async def repair(services: Services, grace_s: int = GRACE_S) -> list[Repair]:
    """Do what `plan` says, one repair after another; return what was done.

    Raises:
        KeyPlaceError, StoreUnavailableError: a store did not do it; run it again.
        LedgerUnavailableError: it could not be recorded, so it was not done.
    """
    done = []
    for each in await plan(services, grace_s):
        await _record(services, each)
        await _do(services, each, grace_s)
        done.append(each)
    return done


async def _record(services: Services, each: Repair) -> None:
    draft = events.repairing(each.kind, {"count": len(each.ids), "ids": list(each.ids)})

    def job(_tx: Tx, _moment: Moment) -> Outcome[None]:
        return Outcome(None, (draft,))

    await services.ledger.submit(each.log_id, job)


async def _do(services: Services, each: Repair, grace_s: int) -> None:
    if each.kind is EventType.REPAIR_KEYS_COPIED:
        await asyncio.to_thread(_copy, services, each.ids)
    elif each.kind is EventType.REPAIR_KEYS_DESTROYED:
        for key_id in each.ids:
            await asyncio.to_thread(services.keys.destroy, key_id)
    elif each.kind is EventType.REPAIR_BLOBS_DELETED:
        if (await services.blobs.delete(each.ids)).failed:
            raise StoreUnavailableError("The store has not deleted everything. Run the repair again.")
    elif isinstance(services.blobs, LeavesAside):
        await services.blobs.sweep(grace_s)


def _copy(services: Services, key_ids: Sequence[str]) -> None:
    """Copy keys; then look again whether the destruction of their owners began meanwhile."""
    for key_id in key_ids:
        copy_missing(services.keys, key_id)
    with services.database.read(EVERY_LOG) as tx:
        living = owned(tx)
    for key_id in set(key_ids) - living.keys():
        services.keys.destroy(key_id)

"""Checkpoints: the signed heads of a log, at most 60 seconds or 1,000 entries apart, with a heartbeat when it is idle.

The signer believes no stored hash. It keeps its own size, frontier and last time, recomputes the new entries from their
stored bytes, compares its root with the log's tiles, and signs only what continues what it signed before; its memory
moves by compare-and-swap, so that two signers make one chain. Every note is written once to the anchor folder too:
whoever rewrites the database cannot take it back from there.

Crash points: after the signer's memory moved but before the note is anchored, the next run anchors it.

Source: docs/adr/0008-log.md; C2SP tlog-checkpoint.
"""

from __future__ import annotations

import asyncio
import logging
from dataclasses import dataclass
from functools import partial
from typing import Any

from sqlalchemy import bindparam, insert, select, update

from audit.checkpoint import sign
from audit.errors import AuditError
from audit.log import Signer, root_at
from service import events
from service.crypto.signing import load_signing_key
from service.crypto.wrapping import SecretKey
from service.db.auditstore import SqlLeafStore, each_log
from service.db.models import log_checkpoints, log_signers, logs
from service.db.session import EVERY_LOG, Tx
from service.door import signing_key
from service.errors import MunimentError, OlderCopyError
from service.events import EventType
from service.ledger import Draft, Moment, Outcome
from service.services import Services

logger = logging.getLogger(__name__)

_LOG = select(logs).where(logs.c.id == bindparam("log"))
_SIGNER = select(log_signers).where(log_signers.c.log_id == bindparam("log"))
_ADD_SIGNER = insert(log_signers)
_MOVE_SIGNER = (
    update(log_signers)
    .where(log_signers.c.log_id == bindparam("log"), log_signers.c.size == bindparam("old_size"))
    .values(size=bindparam("new_size"), time_ms=bindparam("new_time"), frontier=bindparam("new_frontier"))
)
_ADD_NOTE = insert(log_checkpoints)
_NEWEST = (
    select(log_checkpoints.c.size, log_checkpoints.c.note, log_checkpoints.c.signed_at)
    .where(log_checkpoints.c.log_id == bindparam("log"))
    .order_by(log_checkpoints.c.size.desc())
    .limit(1)
)


def anchor_name(origin: str) -> str:
    """Where the checkpoints of an origin are anchored: each origin of a log has a place of its own (ADR 0016).

    >>> anchor_name("muniment/frm_1"), anchor_name("muniment/frm_1/2")
    ('frm_1', 'frm_1_2')
    """
    return origin.removeprefix("muniment/").replace("/", "_")


@dataclass(frozen=True, slots=True)
class Newest:
    """The newest checkpoint of a log."""

    size: int
    note: bytes
    signed_at: int  # UTC seconds


def newest(tx: Tx, log_id: str) -> Newest | None:
    """Return the newest checkpoint of a log; None before the first."""
    row = tx.one(_NEWEST, log=log_id)
    return None if row is None else Newest(*row)


async def sign_head(services: Services, log_id: str) -> Newest | None:
    """Sign the log's head as it stands, unless the newest checkpoint covers it already.

    Raises:
        audit.errors.SigningError: the stored entries do not continue what was signed before.
        OlderCopyError: the anchor folder knows a larger log than the database: the database was rolled back.
    """
    while True:
        step = await asyncio.to_thread(_advance, services, log_id)
        if step.moved is None:
            return step.newest
        key = await asyncio.to_thread(signing_key, services.keys, step.log.key_id, step.log.signing_key, log_id)
        await _write(services, step.log, step.memory, step.moved, key, new=step.is_first)


@dataclass(frozen=True, slots=True)
class _Step:
    """What the signer knew, and what it would know with the next entries (None: there are none)."""

    log: Any
    newest: Newest | None
    memory: Signer
    moved: Signer | None
    is_first: bool


def _advance(services: Services, log_id: str) -> _Step:
    """Recompute the next entries from their bytes, no more than may lie between two checkpoints; blocks."""
    with services.database.read(log_id) as tx:
        log, kept, last = tx.one(_LOG, log=log_id), tx.one(_SIGNER, log=log_id), newest(tx, log_id)
        memory = Signer(log_id) if kept is None else Signer(log_id, kept.frontier, kept.time_ms)
        _refuse_rollback(services, log)
        if log.size == memory.size:
            _anchor(services, log, last)
            return _Step(log, last, memory, None, kept is None)
        size = min(log.size, memory.size + services.settings.checkpoint_every_entries)
        store = SqlLeafStore(tx, log_id, size)
        moved = memory.advance(store.entries(memory.size, size), root=root_at(store, size))
    return _Step(log, last, memory, moved, kept is None)


async def _write(services: Services, log: Any, memory: Signer, moved: Signer, key: SecretKey, *, new: bool) -> None:
    """Move the signer's memory and keep the note, unless another signer was first; then anchor it."""
    note = sign(log.origin, moved.size, moved.root(), load_signing_key(key))

    def job(tx: Tx, moment: Moment) -> Outcome[None]:
        values = {"new_size": moved.size, "new_time": moved.last_time, "new_frontier": moved.frontier}
        if new and tx.one(_SIGNER, log=log.id) is None:
            tx.run(_ADD_SIGNER, log_id=log.id, size=0, time_ms=0, frontier=Signer(log.id).frontier)
        if tx.run(_MOVE_SIGNER, log=log.id, old_size=memory.size, **values):
            tx.run(_ADD_NOTE, log_id=log.id, size=moved.size, note=note, signed_at=moment.s)
        return Outcome(None)

    await services.ledger.submit(log.id, job)
    with services.database.read(log.id) as tx:
        last = newest(tx, log.id)
    await asyncio.to_thread(_anchor, services, log, last)  # a bucket lets us wait


def _anchor(services: Services, log: Any, checkpoint: Newest | None) -> None:
    name = anchor_name(log.origin)
    anchored = services.anchors.newest(name)
    if checkpoint is not None and (anchored is None or anchored[0] < checkpoint.size):
        services.anchors.put(name, checkpoint.size, checkpoint.note)


def _refuse_rollback(services: Services, log: Any) -> None:
    anchored = services.anchors.newest(anchor_name(log.origin))
    if anchored is not None and anchored[0] > log.size:
        raise OlderCopyError("The anchor folder knows more entries than the database: the database is an older copy.")


async def keep_signing(services: Services) -> None:
    """Sign every log in turn for as long as the process runs: the background task of a server."""
    while True:
        await asyncio.sleep(services.settings.checkpoint_every_s / 4)
        await sign_due(services)


async def sign_all(services: Services) -> dict[str, int]:
    """Sign and anchor the head of every log, due or not; return the size that each is signed to.

    Raises: what `sign_head` raises; `UnavailableError` where it cannot be anchored.
    """
    with services.database.read(EVERY_LOG) as tx:
        ids = [log.id for log in each_log(tx)]
    heads = {log_id: await sign_head(services, log_id) for log_id in ids}
    return {log_id: head.size for log_id, head in heads.items() if head is not None}


def _only(draft: Draft, _tx: Tx, _moment: Moment) -> Outcome[None]:
    """A job that writes one entry."""
    return Outcome(None, (draft,))


async def sign_due(services: Services) -> None:
    """Sign the logs whose newest checkpoint is due, and give an idle log its heartbeat."""
    with services.database.read(EVERY_LOG) as tx:
        found = [(log, newest(tx, log.id)) for log in each_log(tx)]
    now = services.clock() // 1000
    for log, last in found:
        age = now - (last.signed_at if last else 0)
        grown = log.size - (last.size if last else 0)
        if age < services.settings.checkpoint_every_s / 2 and grown < services.settings.checkpoint_every_entries / 2:
            continue
        try:
            if grown == 0 and last is not None:
                beat = events.changed(EventType.LOG_HEARTBEAT, events.system("signer"))
                await services.ledger.submit(log.id, partial(_only, beat))
            await sign_head(services, log.id)
        except (MunimentError, AuditError) as error:  # one log's trouble must not stop the others' heads
            logger.warning("a log could not be signed", extra={"log": log.id, "kind": type(error).__name__})

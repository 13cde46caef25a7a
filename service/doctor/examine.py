"""One look at everything."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import suppress
from functools import partial
from typing import Any

from service import rootkeys
from service.db.auditstore import each_log
from service.db.ids import new_id
from service.db.session import EVERY_LOG, Tx
from service.doctor.blobs import blob_findings, still_missing
from service.doctor.events import follow
from service.doctor.findings import Finding, Severity
from service.doctor.keys import key_findings
from service.doctor.log import UNBELIEVED, examine_log, left_open
from service.doctor.look import GRACE_S, look
from service.doctor.outliving import outliving
from service.doctor.overlays import unreadable
from service.doctor.replay import compare
from service.doctor.scratch import Scratch
from service.errors import BlobMissingError, KeyPlaceError, MunimentError
from service.older import older
from service.services import Services


async def ask_stores(services: Services) -> None:
    """Ask every key place and the blob store for something that is not there.

    Raises:
        KeyPlaceError, StoreUnavailableError: one of them does not answer.
    """
    nothing = new_id("key", 0, bytes)
    answers = await asyncio.to_thread(services.keys.exists, nothing)
    if None in answers.values():
        raise KeyPlaceError
    with suppress(BlobMissingError):
        await services.blobs.open(new_id("blb", 0, bytes))


async def examine(services: Services, grace_s: int = GRACE_S) -> list[Finding]:
    """Look at everything and return what is not as it should be; empty when all is well.

    Args:
        grace_s: what is younger than this many seconds and belongs to nobody yet may be under way.
    """
    found = [Finding(Severity.WARNING, "bucket_untold", doubt) for doubt in services.doubts]
    try:
        await ask_stores(services)
        warnings = await asyncio.to_thread(services.keys.root.check)
        await asyncio.to_thread(rootkeys.require_opening, services.keys, services.database)
    except MunimentError as error:
        return [*found, Finding(Severity.BROKEN, error.code, error.message)]
    found += [Finding(Severity.WARNING, "root_key", sentence) for sentence in warnings]
    found += await _examine_stores(services, grace_s)
    with services.database.read(EVERY_LOG) as tx:
        found += [finding for log in each_log(tx) for finding in _examine_log(services, tx, log)]
        found += left_open(tx)
        found += [finding for log in each_log(tx) for finding in outliving(tx, log.id, services.clock() // 1000)]
        found += [finding for log in each_log(tx) for finding in unreadable(tx, log.id)]
    found += _undone(services)
    return found


def _undone(services: Services) -> list[Finding]:
    """Engagements that were disposed of, and are alive in these rows."""
    try:
        undone = [stone.engagement_id for log in older(services) for stone, _ in log.undone]
    except MunimentError as error:
        return [Finding(Severity.BROKEN, error.code, error.message)]
    if not undone:
        return []
    sentence = "These were disposed of, and these rows are from before: `muniment restore --reconcile`."
    return [Finding(Severity.BROKEN, "disposal_undone", sentence, tuple(undone))]


async def _examine_stores(services: Services, grace_s: int) -> list[Finding]:
    seen = await look(services, grace_s)
    found = [*blob_findings(seen.blobs, await still_missing(services.blobs, seen.blobs)), *key_findings(seen.keys)]
    if seen.aside:
        sentence = f"{seen.aside} objects that crashes left half written: `muniment doctor --repair` removes them."
        found.append(Finding(Severity.WARNING, "left_aside", sentence))
    return found


def _examine_log(services: Services, tx: Tx, log: Any) -> Iterator[Finding]:
    """Verify a log and replay it in one pass; a log that cannot be believed is not held against the rows."""
    with Scratch() as scratch:
        found = list(examine_log(services, tx, log, partial(follow, scratch)))
        yield from found
        if not any(each.code in UNBELIEVED for each in found):
            yield from compare(tx, log.id, scratch)

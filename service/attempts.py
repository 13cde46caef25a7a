"""Requests without a valid credential: limited by source before any write, counted, told to the deployment's log.

Such a caller has no firm, so no firm's log may grow by his hand; the deployment's own log takes one entry per source,
route and minute, with the source blinded under the deployment's key.
"""

from __future__ import annotations

import asyncio
import threading
from collections import Counter
from typing import Final

from limits import RateLimitItemPerMinute
from limits.storage import MemoryStorage
from limits.strategies import MovingWindowRateLimiter
from sqlalchemy import select

from service import events
from service.crypto import fields
from service.db.models import logs
from service.db.session import EVERY_LOG
from service.ledger import Clock, Outcome
from service.services import Services

_DEPLOYMENT = select(logs.c.id, logs.c.key_id).where(logs.c.kind == "deployment")

MINUTE_MS: Final = 60_000
MOST_KEYS: Final = 10_000  # sources × routes kept for one minute; the rest is counted together


class Attempts:
    """Counts of one process.

    Args:
        per_minute: how many failed attempts one source has before it is refused outright.
        clock: UTC milliseconds.
    """

    def __init__(self, per_minute: int, clock: Clock) -> None:
        self._limit = RateLimitItemPerMinute(per_minute)
        self._limiter = MovingWindowRateLimiter(MemoryStorage())
        self._clock = clock
        self._lock = threading.Lock()
        self._counts: Counter[tuple[int, str, str]] = Counter()

    def note(self, source: str, route: str) -> bool:
        """Count one attempt; False when this source had too many in the last minute."""
        minute = self._clock() // MINUTE_MS * 60
        with self._lock:
            key = (minute, source, route)
            if key not in self._counts and len(self._counts) >= MOST_KEYS:
                key = (minute, "others", "other")
            self._counts[key] += 1
        return self._limiter.hit(self._limit, source)

    def take(self, *, all_minutes: bool = False) -> list[tuple[int, str, str, int]]:
        """Take the counts of minutes that are over (or of all): (minute in UTC seconds, source, route, count)."""
        now = self._clock() // MINUTE_MS * 60
        with self._lock:
            over = [key for key in self._counts if all_minutes or key[0] < now]
            return [(*key, self._counts.pop(key)) for key in over]


async def keep_recording(services: Services, attempts: Attempts) -> None:
    """Tell the deployment's log, each minute, about the minutes that are over: the background task of a server."""
    while True:
        await asyncio.sleep(MINUTE_MS / 1000)
        await record(services, attempts)


async def record(services: Services, attempts: Attempts, *, all_minutes: bool = False) -> None:
    """Write one entry per source, route and minute into the deployment's log."""
    counted = attempts.take(all_minutes=all_minutes)
    with services.database.read(EVERY_LOG) as tx:
        log = tx.one(_DEPLOYMENT)
    if not counted or log is None:
        return
    key = await asyncio.to_thread(services.keys.open, log.key_id)
    drafts = tuple(
        events.attempt_failed(fields.blind_index(key, "source", source).hex(), route, count, minute)
        for minute, source, route, count in counted
    )
    await services.ledger.submit(log.id, lambda _tx, _moment: Outcome(None, drafts))

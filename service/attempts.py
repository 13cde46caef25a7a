"""Requests without a valid credential: limited by source before any write, counted, told to the deployment's log.

Such a caller has no firm, so no firm's log may grow by his hand; the deployment's own log takes one entry per source,
route and minute, with the source blinded under the deployment's key.
"""

from __future__ import annotations

import threading
from collections import Counter
from typing import Final

from limits import RateLimitItemPerMinute
from limits.storage import MemoryStorage
from limits.strategies import MovingWindowRateLimiter

from service.ledger import Clock

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

"""Connections that are lent out one at a time, at most so many at once.

Rules kept here:

* whoever finds all of them lent waits `BORROW_S` at most and is then told to come again; nobody queues for ever;
* a connection that the server has closed meanwhile is not lent (looking costs no round trip), one that failed while it
  was lent is closed, and one that is older than `RECYCLE_S` is not kept;
* the last one given back is the first one lent, so that those not needed grow old.

It knows nothing of transactions: what a connection is lent for, and that it comes back clean, `service.db.session` sees
to.
"""

from __future__ import annotations

import contextlib
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

from service.errors import UnavailableError

BORROW_S: Final = 5.0
RECYCLE_S: Final = 1800.0


@dataclass(frozen=True, slots=True)
class Lent:
    """A connection in somebody's hands."""

    connection: Any
    made_at: float  # seconds of the pool's clock


class Pool:
    """Lends connections.

    Args:
        connect: opens one, or raises `UnavailableError`.
        usable: says whether an idle one can still be used.
        most: how many there may be at once.
        clock: seconds that never go back.
    """

    def __init__(
        self,
        connect: Callable[[], Any],
        usable: Callable[[Any], bool],
        most: int,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._connect, self._usable, self._most, self._clock = connect, usable, most, clock
        self._idle: list[Lent] = []
        self._out = self._waiting = 0
        self._changed = threading.Condition(threading.Lock())

    def borrow(self) -> Lent:
        """Lend a connection; `give_back` must follow.

        Raises:
            UnavailableError: all are lent, also `BORROW_S` later; or none can be opened.
        """
        with self._changed:
            if not self._idle and self._out >= self._most:
                self._wait()
            self._out += 1
            lent = self._idle.pop() if self._idle else None
        if lent is not None and self._usable(lent.connection):
            return lent
        try:
            if lent is not None:
                _close(lent.connection)
            return Lent(self._connect(), self._clock())
        except BaseException:
            with self._changed:
                self._out -= 1
                self._changed.notify()
            raise

    def _wait(self) -> None:
        self._waiting += 1
        try:
            if not self._changed.wait_for(lambda: self._idle or self._out < self._most, BORROW_S):
                raise UnavailableError
        finally:
            self._waiting -= 1

    def give_back(self, lent: Lent, *, healthy: bool) -> None:
        """Take a connection back; one that is not healthy, or old, is closed."""
        keep = healthy and self._clock() - lent.made_at < RECYCLE_S
        if not keep:
            _close(lent.connection)
        with self._changed:
            self._out -= 1
            if keep:
                self._idle.append(lent)
            if self._waiting:
                self._changed.notify()

    def lent(self) -> int:
        """How many are in somebody's hands."""
        return self._out

    def close(self) -> None:
        """Close the idle connections; those that are lent close with their users."""
        with self._changed:
            while self._idle:
                _close(self._idle.pop().connection)


def _close(connection: Any) -> None:
    with contextlib.suppress(Exception):  # it may be broken already, and nobody waits for its goodbye
        connection.close()

"""Faults, in pairs: an operation fails and nothing happened, or it fails and happened all the same.

A fake asks `Faults.before` at the start of each operation and `Faults.after` at its end. A test plans what goes wrong:

    faults = Faults()
    faults.plan("put", KeyPlaceError, stored=True)   # the next put stores, then fails

A crash between writing and answering looks like the second kind; code that treats every error as "nothing happened" is
found by it.
"""

from __future__ import annotations

from collections import defaultdict, deque
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Fault:
    """What goes wrong: the error, and whether the operation happened all the same."""

    error: type[Exception]
    stored: bool


class Faults:
    """Planned faults of one fake, by operation, each used up once."""

    def __init__(self) -> None:
        self._planned: dict[str, deque[Fault]] = defaultdict(deque)
        self.calls: list[str] = []

    def plan(self, operation: str, error: type[Exception], *, stored: bool = False, times: int = 1) -> None:
        """Let the next ``times`` calls of ``operation`` fail: before anything happened, or after (``stored``)."""
        self._planned[operation].extend([Fault(error, stored)] * times)

    def before(self, operation: str) -> None:
        """Fail here when the next planned fault is one where nothing happened."""
        self.calls.append(operation)
        if self._planned[operation] and not self._planned[operation][0].stored:
            raise self._planned[operation].popleft().error

    def after(self, operation: str) -> None:
        """Fail here when the next planned fault is one where it happened all the same."""
        if self._planned[operation]:
            raise self._planned[operation].popleft().error

"""Every outside call of a piece of work fails once, in its turn: nothing happened, or it happened all the same.

    calls = Calls()
    store.faults = calls.faults(StoreUnavailableError, "write", "commit")
    place.faults = calls.faults(KeyPlaceError, "put")
    calls.arm(2, stored=True)    # the third call of all three kinds happens, and fails
    work()
    calls.hit                    # "commit": that was it; "" where there were no three

The order in which fakes are asked is the order in which they fail.
"""

from __future__ import annotations

from tests.fakes.faults import Faults


class Calls:
    """Counts the calls of several fakes together, and lets one of them fail."""

    def __init__(self) -> None:
        self.count = 0
        self.target: int | None = None
        self.stored = False
        self.hit = ""

    def arm(self, target: int, *, stored: bool) -> None:
        """Let the call number ``target`` from now on fail."""
        self.count, self.target, self.stored, self.hit = 0, target, stored, ""

    def disarm(self) -> None:
        """Let everything succeed."""
        self.target = None

    def faults(self, error: type[Exception], *operations: str) -> Faults:
        """What one fake asks: only these operations count."""
        return _Shared(self, error, operations)


class _Shared(Faults):
    """The faults of one fake, drawn from the common count."""

    def __init__(self, calls: Calls, error: type[Exception], operations: tuple[str, ...]) -> None:
        super().__init__()
        self._shared, self._error, self._operations = calls, error, operations
        self._due = False

    def before(self, operation: str) -> None:
        super().before(operation)
        if operation not in self._operations:
            return
        shared = self._shared
        self._due = shared.count == shared.target
        shared.count += 1
        if self._due:
            shared.hit = operation
        if self._due and not shared.stored:
            self._due = False
            raise self._error

    def after(self, operation: str) -> None:
        super().after(operation)
        if self._due and operation in self._operations:
            self._due = False
            raise self._error

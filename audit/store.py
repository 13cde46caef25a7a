"""Where the leaves of one log are read from: the contract every store keeps, and a store in memory.

The service keeps its leaves in SQL and implements the same contract; both run the same contract tests.

An attacker who can change a store can make its proofs fail and its log unreadable. He cannot make a changed entry pass
under a checkpoint that was signed before, because nothing read from a store is believed: it is hashed.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Protocol

from audit.errors import StoreError
from audit.merkle import BATCH, leaf_hash, perfect_root


class LeafStore(Protocol):
    """The leaves of one log, to be read. This is a contract.

    * **Append-only.** What was once at an index stays there; `size` never falls. A reader may fix a size and read below
      it while others append.
    * **Durable.** What a store shows survives a crash: an entry shows only after the commit that wrote it.
    * **As written.** Entries come back byte for byte; leaf hashes and tiles are those stored when the entry was
      appended and are not recomputed from it, so that a changed entry shows.
    * **Absent** is `StoreError` for leaves at or above `size`, and ``None`` for a tile that is not full yet.
    * **Concurrency.** Calls may come from several threads only if the implementation says so.
    """

    def size(self) -> int:
        """Return the number of entries."""
        ...

    def entries(self, start: int, stop: int) -> Iterator[bytes]:
        """Yield the entries of [start, stop) in order, as written."""
        ...

    def leaf_hashes(self, start: int, stop: int) -> Sequence[bytes]:
        """Return the leaf hashes of [start, stop), 32 bytes each."""
        ...

    def tile(self, level: int, index: int) -> bytes | None:
        """Return a full tile (8,192 bytes), or ``None`` while it is not full."""
        ...


class MemoryLeafStore:
    """A log in memory: for tests, examples and small tools. Not safe for use by several threads."""

    def __init__(self) -> None:
        self._entries: list[bytes] = []
        self._leaves: list[bytes] = []
        self._tiles: dict[tuple[int, int], bytes] = {}

    def append(self, entry: bytes) -> int:
        """Add an entry and return its index."""
        index = len(self._entries)
        self._entries.append(entry)
        self._leaves.append(leaf_hash(entry))
        return index

    def size(self) -> int:
        """Return the number of entries."""
        return len(self._entries)

    def entries(self, start: int, stop: int) -> Iterator[bytes]:
        """Yield the entries of [start, stop)."""
        self._require(start, stop)
        yield from self._entries[start:stop]

    def leaf_hashes(self, start: int, stop: int) -> Sequence[bytes]:
        """Return the leaf hashes of [start, stop)."""
        self._require(start, stop)
        return self._leaves[start:stop]

    def tile(self, level: int, index: int) -> bytes | None:
        """Return a full tile, or ``None``; computed when first asked for, since nothing here ever changes."""
        span = BATCH**level  # leaves below one hash of this level
        first, stop = index * BATCH * span, (index + 1) * BATCH * span
        if stop > len(self._leaves):
            return None
        if (level, index) not in self._tiles:
            hashes = (perfect_root(self._leaves[at : at + span]) for at in range(first, stop, span))
            self._tiles[level, index] = b"".join(hashes)
        return self._tiles[level, index]

    def _require(self, start: int, stop: int) -> None:
        if not 0 <= start <= stop <= len(self._entries):
            raise StoreError("no such leaves", evidence={"start": start, "stop": stop, "size": len(self._entries)})

"""Roots and proofs of a stored log, and the rule by which a signer agrees to sign it.

Rules kept here:

* proofs read tiles and at most 255 leaf hashes at the right edge, never the whole log;
* the signer believes nothing that was computed for it: it hashes the new entries from their stored bytes and folds them
  into the frontier it kept from its last signature. Whatever it signs therefore continues what it signed before;
* it refuses entries that are not in their places, or whose time goes back.

No clock, no key, no file: the caller commits the signer's next state before it publishes the signature, by
compare-and-swap on the old one. A crash in between leaves a state without a published checkpoint, and signing the same
size again gives the same bytes.

Source: RFC 6962, section 2.1; C2SP tlog-tiles; FORMAT.md, sections 2 and 5.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace

from audit import merkle, tiles
from audit.entry import Scanner
from audit.errors import EntryError, SigningError, StoreError
from audit.merkle import Frontier, leaf_hash
from audit.store import LeafStore


def root_at(store: LeafStore, size: int) -> bytes:
    """Compute the tree head of the first ``size`` entries (32 bytes).

    Raises:
        StoreError: the store has fewer entries, or holds less than it promises.
    """
    return Tree(store).root(size)


def inclusion_proof(store: LeafStore, index: int, size: int) -> list[bytes]:
    """Prove that the entry at ``index`` is in the tree of the first ``size`` entries.

    Raises:
        ProofError: not 0 <= index < size.
        StoreError: the store has fewer entries, or holds less than it promises.
    """
    return Tree(store).inclusion_proof(index, size)


def consistency_proof(store: LeafStore, size1: int, size2: int) -> list[bytes]:
    """Prove that the first ``size1`` entries are the beginning of the first ``size2`` entries.

    Raises:
        ProofError: not 0 < size1 <= size2.
        StoreError: the store has fewer entries, or holds less than it promises.
    """
    return Tree(store).consistency_proof(size1, size2)


class Tree:
    """A stored log seen as a tree. It remembers the roots of tiles it read: make one for many proofs at a time."""

    def __init__(self, store: LeafStore) -> None:
        self._store = store
        self._tile_roots: dict[tuple[int, int], bytes] = {}

    def root(self, size: int) -> bytes:
        """Compute the tree head of the first ``size`` entries."""
        self._require(size)
        return self._range_root(0, size) if size else merkle.EMPTY_ROOT

    def inclusion_proof(self, index: int, size: int) -> list[bytes]:
        """Prove that the entry at ``index`` is in the tree of the first ``size`` entries."""
        ranges = merkle.inclusion_ranges(index, size)
        self._require(size)
        return [self._range_root(low, high) for low, high in ranges]

    def consistency_proof(self, size1: int, size2: int) -> list[bytes]:
        """Prove that the first ``size1`` entries are the beginning of the first ``size2`` entries."""
        ranges = merkle.consistency_ranges(size1, size2)
        self._require(size2)
        return [self._range_root(low, high) for low, high in ranges]

    def _require(self, size: int) -> None:
        if not 0 <= size <= self._store.size():
            raise StoreError("the store has fewer entries", evidence={"size": size, "stored": self._store.size()})

    def _range_root(self, low: int, high: int) -> bytes:
        """Fold [low, high), where low is a multiple of the smallest power of two that holds the range."""
        peaks = []
        while low < high:
            height = (high - low).bit_length() - 1
            peaks.append(self._node(height, low >> height))
            low += 1 << height
        head = peaks.pop()
        while peaks:
            head = merkle.node_hash(peaks.pop(), head)
        return head

    def _node(self, height: int, number: int) -> bytes:
        """Return the root of a complete subtree of 2**height leaves."""
        level, rest = divmod(height, tiles.TILE_HEIGHT)
        return merkle.perfect_root(self._hashes(level, number << rest, 1 << rest))

    def _hashes(self, level: int, first: int, count: int) -> Sequence[bytes]:
        """Return neighbouring hashes of height 8·level; they lie within one tile."""
        tile = self._store.tile(level, first // tiles.TILE_WIDTH)
        if tile is not None:
            return tiles.hashes(tile)[first % tiles.TILE_WIDTH :][:count]
        if level:
            return [self._tile_root(level - 1, number) for number in range(first, first + count)]
        leaves = self._store.leaf_hashes(first, first + count)
        if len(leaves) != count:
            raise StoreError("leaves below the size are missing", index=first + len(leaves))
        return leaves

    def _tile_root(self, level: int, number: int) -> bytes:
        known = self._tile_roots.get((level, number))
        if known is None:
            known = merkle.perfect_root(self._hashes(level, number * tiles.TILE_WIDTH, tiles.TILE_WIDTH))
            self._tile_roots[level, number] = known
        return known


@dataclass(frozen=True, slots=True)
class Signer:
    """What a signer knows of one log: as much as it has signed. Immutable; `advance` returns the next state.

    Args:
        log: id of the log.
        frontier: what `Frontier.serialise` wrote for everything signed so far.
        last_time: time of the last entry signed, UTC milliseconds.
    """

    log: str
    frontier: bytes = field(default=Frontier().serialise())
    last_time: int = 0

    @property
    def size(self) -> int:
        """Number of entries signed so far."""
        return Frontier.restore(self.frontier).size

    def root(self) -> bytes:
        """Return the tree head over the entries signed so far."""
        return Frontier.restore(self.frontier).root()

    def advance(self, entries: Iterable[bytes], *, root: bytes | None = None) -> Signer:
        """Take in the entries that follow, as stored, and return the state in which their head may be signed.

        Args:
            entries: stored bytes of the entries from `size` on.
            root: the head the log itself computed (from its tiles), where there is one to compare.

        Raises:
            SigningError: an entry is not the next one, belongs to another log, goes back in time, is not in its one
                encoding, or the log's own head differs from the one recomputed here.
        """
        frontier, time, scanner = Frontier.restore(self.frontier), self.last_time, Scanner()
        for body in entries:
            try:
                scan = scanner.scan(body)
            except EntryError as error:
                raise SigningError(error.message, index=frontier.size) from error
            if scan.at != frontier.size or scan.log.decode() != self.log or scan.time < time:
                raise SigningError(
                    "the next entry is not the one that follows",
                    index=frontier.size,
                    evidence={"index": scan.at, "log": scan.log.decode(), "time": scan.time, "last_time": time},
                )
            time = scan.time
            frontier.append(leaf_hash(body))
        if root is not None and root != frontier.root():
            raise SigningError(
                "the log's own head is not that of its entries",
                evidence={"claimed": root.hex(), "recomputed": frontier.root().hex(), "size": frontier.size},
            )
        return replace(self, frontier=frontier.serialise(), last_time=time)

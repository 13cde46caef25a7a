"""The Merkle tree of RFC 6962: hashes, roots, proofs and their verification, as pure functions.

Rules kept here:

* a leaf and a node are hashed with different first bytes, so that neither can be passed off as the other;
* a verifier checks types, bounds, hash lengths and the length of the proof before it hashes anything. A proof has
  exactly one right length for its index and sizes; accepting another is how padded and shifted proofs get through;
* verification raises `ProofError` and returns nothing.

It does not read stores (log.py does) and knows nothing about what a leaf means.

Source: RFC 6962, section 2.1; the walk over a proof follows RFC 9162, sections 2.1.3.2 and 2.1.4.2.
"""

from __future__ import annotations

from collections.abc import Sequence
from hashlib import sha256
from typing import Final

from audit.errors import ProofError

HASH_BYTES: Final = 32
LEAF_PREFIX: Final = b"\x00"
NODE_PREFIX: Final = b"\x01"
EMPTY_ROOT: Final = sha256(b"").digest()
SIZE_LIMIT: Final = 1 << 64  # leaves; RFC 6962 carries sizes in 64 bits

BATCH: Final = 256  # leaves folded at once by Frontier.extend; a power of two
_BATCH_HEIGHT: Final = BATCH.bit_length() - 1


def leaf_hash(data: bytes) -> bytes:
    """Hash the bytes of one entry into its leaf (32 bytes)."""
    return sha256(LEAF_PREFIX + data).digest()


def node_hash(left: bytes, right: bytes) -> bytes:
    """Hash two neighbouring 32-byte tree hashes into the node above them."""
    return sha256(NODE_PREFIX + left + right).digest()


def root(leaf_hashes: Sequence[bytes]) -> bytes:
    """Compute the tree head over all given leaf hashes; the empty tree has one too.

    Raises:
        ProofError: a hash is not 32 bytes.
    """
    frontier = Frontier()
    frontier.extend(leaf_hashes)
    return frontier.root()


def perfect_root(hashes: Sequence[bytes]) -> bytes:
    """Fold 2**k tree hashes of one height into the node above them all; the caller vouches for count and lengths."""
    while len(hashes) > 1:
        pairs = zip(hashes[::2], hashes[1::2], strict=True)
        hashes = [sha256(NODE_PREFIX + left + right).digest() for left, right in pairs]
    return hashes[0]


class Frontier:
    """A growing tree of which only the roots of its complete subtrees are kept: at most 64 hashes, whatever the size.

    Appending n leaves one after another gives the same root as `root` over all of them.
    """

    __slots__ = ("_peaks", "_size")

    def __init__(self) -> None:
        self._size = 0
        self._peaks: list[bytes] = []  # largest subtree first

    @property
    def size(self) -> int:
        """Number of leaves appended."""
        return self._size

    def append(self, leaf: bytes) -> None:
        """Add one 32-byte leaf hash at the right."""
        _require_hash("leaf hash", leaf)
        self._push(leaf, height=0)

    def extend(self, leaves: Sequence[bytes]) -> None:
        """Add many leaf hashes, whole batches at a time where they are aligned."""
        _require_hashes("leaf hash", leaves)
        start, count = 0, len(leaves)
        while start < count:
            if self._size % BATCH == 0 and count - start >= BATCH:
                self._push(perfect_root(leaves[start : start + BATCH]), _BATCH_HEIGHT)
                start += BATCH
            else:
                self._push(leaves[start], height=0)
                start += 1

    def root(self) -> bytes:
        """Return the tree head over everything appended so far (32 bytes)."""
        if not self._peaks:
            return EMPTY_ROOT
        head = self._peaks[-1]
        for peak in self._peaks[-2::-1]:
            head = node_hash(peak, head)
        return head

    def copy(self) -> Frontier:
        """Return an independent frontier of the same tree."""
        twin = Frontier()
        twin._size, twin._peaks = self._size, list(self._peaks)
        return twin

    def serialise(self) -> bytes:
        """Return size (8 bytes, big-endian) and peaks (32 bytes each, largest first)."""
        return self._size.to_bytes(8, "big") + b"".join(self._peaks)

    @classmethod
    def restore(cls, data: bytes) -> Frontier:
        """Read what `serialise` wrote.

        Raises:
            ProofError: another length than the size prescribes.
        """
        size = int.from_bytes(data[:8], "big")
        if len(data) != 8 + size.bit_count() * HASH_BYTES:
            raise ProofError("a frontier has as many hashes as its size has one-bits", evidence={"bytes": len(data)})
        frontier = cls()
        frontier._size = size
        frontier._peaks = [data[at : at + HASH_BYTES] for at in range(8, len(data), HASH_BYTES)]
        return frontier

    def _push(self, subtree: bytes, height: int) -> None:
        """Add a complete subtree of 2**height leaves; the size so far is a multiple of that."""
        carry = self._size >> height
        while carry & 1:
            subtree = sha256(NODE_PREFIX + self._peaks.pop() + subtree).digest()
            carry >>= 1
        self._peaks.append(subtree)
        self._size += 1 << height


# Making proofs --------------------------------------------------------------------------------------------------------

Range = tuple[int, int]  # [first leaf, last leaf + 1)


def inclusion_ranges(index: int, size: int) -> list[Range]:
    """Say which ranges of leaves the hashes of an inclusion proof cover, from the leaf upwards.

    Raises:
        ProofError: not 0 <= index < size.
    """
    _require_index(index, size)
    low, high = 0, size
    ranges: list[Range] = []
    while high - low > 1:
        middle = low + _split(high - low)
        if index < middle:
            ranges.append((middle, high))
            high = middle
        else:
            ranges.append((low, middle))
            low = middle
    return ranges[::-1]


def consistency_ranges(size1: int, size2: int) -> list[Range]:
    """Say which ranges of leaves the hashes of a consistency proof cover, in the order of the proof.

    Raises:
        ProofError: not 0 < size1 <= size2.
    """
    _require_sizes(size1, size2)
    low, high = 0, size2
    ranges: list[Range] = []
    while high != size1:
        middle = low + _split(high - low)
        if size1 <= middle:
            ranges.append((middle, high))
            high = middle
        else:
            ranges.append((low, middle))
            low = middle
    # The last range ends at size1. If it begins at 0 it is the old tree itself, whose root the verifier already holds.
    return [*([(low, high)] if low else []), *ranges[::-1]]


def inclusion_proof(leaf_hashes: Sequence[bytes], index: int) -> list[bytes]:
    """Prove that the leaf at ``index`` is in the tree over all given leaf hashes.

    Returns:
        Sibling hashes, 32 bytes each, from the leaf upwards.

    Source: RFC 6962, section 2.1.1.
    """
    return [_range_root(leaf_hashes, each) for each in inclusion_ranges(index, len(leaf_hashes))]


def consistency_proof(leaf_hashes: Sequence[bytes], size1: int) -> list[bytes]:
    """Prove that the tree over the first ``size1`` leaves is a beginning of the tree over all given leaf hashes.

    Source: RFC 6962, section 2.1.2.
    """
    return [_range_root(leaf_hashes, each) for each in consistency_ranges(size1, len(leaf_hashes))]


def _range_root(leaf_hashes: Sequence[bytes], leaves: Range) -> bytes:
    return root(leaf_hashes[leaves[0] : leaves[1]])


def _split(count: int) -> int:
    """Return the largest power of two below ``count`` (> 1)."""
    return 1 << ((count - 1).bit_length() - 1)


# Checking proofs ------------------------------------------------------------------------------------------------------


def verify_inclusion(leaf_hash: bytes, index: int, size: int, proof: Sequence[bytes], root: bytes) -> None:
    """Check that a leaf is at ``index`` of the tree of ``size`` leaves with this root.

    Raises:
        ProofError: a bound or a length is wrong (nothing was hashed), or the proof leads to another root.

    Source: RFC 9162, section 2.1.3.2.
    """
    _require_index(index, size)
    _require_hash("leaf hash", leaf_hash)
    _require_hash("root", root)
    _require_proof(proof, _inclusion_length(index, size))
    place, last = index, size - 1
    computed = leaf_hash
    for sibling in proof:
        if place & 1 or place == last:
            computed = node_hash(sibling, computed)
            # At the right edge the levels where this subtree has no sibling were promoted unhashed; skip them.
            while not place & 1 and place:
                place, last = place >> 1, last >> 1
        else:
            computed = node_hash(computed, sibling)
        place, last = place >> 1, last >> 1
    _require_equal("the proof leads to another root", root, computed)


def verify_consistency(size1: int, size2: int, root1: bytes, root2: bytes, proof: Sequence[bytes]) -> None:
    """Check that the tree of ``size1`` leaves is a beginning of the tree of ``size2`` leaves.

    Raises:
        ProofError: a bound or a length is wrong (nothing was hashed), or the proof leads to another root.

    Source: RFC 9162, section 2.1.4.2.
    """
    _require_sizes(size1, size2)
    _require_hash("root1", root1)
    _require_hash("root2", root2)
    _require_proof(proof, _consistency_length(size1, size2))
    if size1 == size2:
        _require_equal("two roots for one size", root1, root2)
        return
    # Where size1 is a power of two its root is a node of the larger tree and is left out of the proof.
    path = [root1, *proof] if size1 & (size1 - 1) == 0 else list(proof)
    place, last = size1 - 1, size2 - 1
    while place & 1:
        place, last = place >> 1, last >> 1
    older = newer = path[0]
    for sibling in path[1:]:
        if place & 1 or place == last:
            older, newer = node_hash(sibling, older), node_hash(sibling, newer)
            while not place & 1 and place:
                place, last = place >> 1, last >> 1
        else:
            newer = node_hash(newer, sibling)
        place, last = place >> 1, last >> 1
    _require_equal("the proof leads to another first root", root1, older)
    _require_equal("the proof leads to another second root", root2, newer)


def _inclusion_length(index: int, size: int) -> int:
    """Below where the paths of this leaf and the last one part, each level has a sibling; above, only left ones."""
    inner = (index ^ (size - 1)).bit_length()
    return inner + (index >> inner).bit_count()


def _consistency_length(size1: int, size2: int) -> int:
    if size1 == size2:
        return 0
    trailing = (size1 & -size1).bit_length() - 1  # levels inside the old tree's last complete subtree
    seed = 0 if size1 & (size1 - 1) == 0 else 1
    return _inclusion_length(size1 - 1, size2) - trailing + seed


def _require_int(name: str, value: object) -> None:
    # bool is an int to Python; a proof for index True is nobody's honest proof.
    if type(value) is not int:
        raise ProofError(f"{name} must be an integer", evidence={"type": type(value).__name__})


def _require_index(index: int, size: int) -> None:
    _require_int("index", index)
    _require_int("size", size)
    if not 0 <= index < size < SIZE_LIMIT:
        raise ProofError("the index must be below the size", index=index, evidence={"index": index, "size": size})


def _require_sizes(size1: int, size2: int) -> None:
    _require_int("size1", size1)
    _require_int("size2", size2)
    if not 0 < size1 <= size2 < SIZE_LIMIT:
        raise ProofError("sizes must be 0 < size1 <= size2", evidence={"size1": size1, "size2": size2})


def _require_hash(name: str, value: object) -> None:
    if type(value) is not bytes or len(value) != HASH_BYTES:
        raise ProofError(f"{name} must be exactly {HASH_BYTES} bytes", evidence={"type": type(value).__name__})


def _require_hashes(name: str, values: Sequence[bytes]) -> None:
    if set(map(type, values)) - {bytes} or set(map(len, values)) - {HASH_BYTES}:
        raise ProofError(f"every {name} must be exactly {HASH_BYTES} bytes")


def _require_proof(proof: object, expected: int) -> None:
    if not isinstance(proof, list | tuple):
        raise ProofError("a proof is a list of hashes", evidence={"type": type(proof).__name__})
    if len(proof) != expected:
        raise ProofError(
            "a proof for these sizes has another length", evidence={"length": len(proof), "expected": expected}
        )
    _require_hashes("hash of a proof", proof)


def _require_equal(message: str, expected: bytes, computed: bytes) -> None:
    if expected != computed:
        raise ProofError(message, evidence={"expected": expected.hex(), "computed": computed.hex()})

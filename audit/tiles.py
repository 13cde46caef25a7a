"""Tiles: the tree's hashes in files of 256, so that a proof reads a few kilobytes and never all leaves.

A tile of level l holds 256 neighbouring tree hashes of height 8·l. Only full tiles exist here: what lies right of them
is computed from leaves. A full tile never changes, so it can be cached and copied for ever.

These are pure functions over numbers and bytes; log.py reads stores.

Source: C2SP tlog-tiles; FORMAT.md, section 5.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Final, NamedTuple

from audit.errors import ProofError, StoreError
from audit.merkle import HASH_BYTES, perfect_root

HEIGHT: Final = 8
WIDTH: Final = 1 << HEIGHT  # hashes in a full tile
TILE_BYTES: Final = WIDTH * HASH_BYTES
LEVELS: Final = 64


class TileId(NamedTuple):
    """Names one full tile: level 0 holds leaf hashes, the ``index`` counts tiles of its level from the left."""

    level: int
    number: int


def completed(old_size: int, new_size: int) -> Iterator[TileId]:
    """Say which tiles become full while a log grows from ``old_size`` to ``new_size``, lower levels first.

    Raises:
        ProofError: not 0 <= old_size <= new_size.
    """
    if not 0 <= old_size <= new_size:
        raise ProofError("a log only grows", evidence={"old_size": old_size, "new_size": new_size})
    level, leaves = 0, WIDTH  # leaves below a full tile of this level
    while new_size >= leaves:
        for number in range(old_size // leaves, new_size // leaves):
            yield TileId(level, number)
        level, leaves = level + 1, leaves << HEIGHT


def build(
    tile: TileId,
    leaf_hashes: Callable[[int, int], Sequence[bytes]],
    stored: Callable[[int, int], bytes | None],
) -> bytes:
    """Compute a tile that has become full, from leaves or from the 256 tiles below it.

    Args:
        tile: which one.
        leaf_hashes: the leaf hashes of [start, stop).
        stored: a full tile of (level, number) below, 8,192 bytes.

    Returns:
        8,192 bytes.

    Raises:
        StoreError: something below is missing or has another length.
    """
    first = tile.number * WIDTH
    if tile.level == 0:
        data = b"".join(leaf_hashes(first, first + WIDTH))
    else:
        data = b"".join(tile_root(stored(tile.level - 1, below)) for below in range(first, first + WIDTH))
    if len(data) != TILE_BYTES:
        raise StoreError("the leaves below a tile are not all there", evidence={"bytes": len(data)})
    return data


def hashes(tile: bytes | None) -> list[bytes]:
    """Cut a full tile into its 256 hashes.

    Raises:
        StoreError: the tile is missing or does not have 8,192 bytes.
    """
    if tile is None or len(tile) != TILE_BYTES:
        raise StoreError(f"a full tile has {TILE_BYTES} bytes", evidence={"bytes": -1 if tile is None else len(tile)})
    return [tile[at : at + HASH_BYTES] for at in range(0, TILE_BYTES, HASH_BYTES)]


def tile_root(tile: bytes | None) -> bytes:
    """Fold a full tile into the hash that stands for it one level up (32 bytes)."""
    return perfect_root(hashes(tile))


def tile_path(level: int, number: int, width: int = WIDTH) -> str:
    """Name a tile the way C2SP does: ``tile/0/x001/x234/067``, with ``.p/<width>`` when it is partial.

    Raises:
        ProofError: level, number or width out of bounds.
    """
    if not (0 <= level < LEVELS and number >= 0 and 1 <= width <= WIDTH):
        raise ProofError("no such tile", evidence={"level": level, "number": number, "width": width})
    groups = [f"{number % 1000:03d}"]
    while number := number // 1000:
        groups.insert(0, f"x{number % 1000:03d}")
    suffix = "" if width == WIDTH else f".p/{width}"
    return f"tile/{level}/{'/'.join(groups)}{suffix}"

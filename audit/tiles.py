"""Tiles: the tree's hashes in files of 256, so that a proof reads a few kilobytes and never all leaves.

A tile of level l holds 256 neighbouring tree hashes of height 8·l. Only full tiles exist here: what lies right of them
is computed from leaves. A full tile never changes, so it can be cached and copied for ever.

These are pure functions over numbers and bytes; log.py reads stores.

Source: C2SP tlog-tiles; FORMAT.md, section 5.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from audit.errors import ProofError, StoreError
from audit.merkle import HASH_BYTES, perfect_root
from audit.store import LeafStore

TILE_HEIGHT: Final = 8
TILE_WIDTH: Final = 1 << TILE_HEIGHT  # hashes in a full tile
TILE_BYTES: Final = TILE_WIDTH * HASH_BYTES
LEVELS: Final = 64


@dataclass(frozen=True, slots=True)
class Tile:
    """One full tile.

    Args:
        level: 0 holds leaf hashes, l tree hashes of height 8·l.
        index: counts tiles of the level from the left.
        hashes: 256 of them, 8,192 bytes.
    """

    level: int
    index: int
    hashes: bytes


def completed(store: LeafStore, old_size: int, new_size: int) -> Iterator[Tile]:
    """Compute the tiles that become full while a log grows from ``old_size`` to ``new_size``, lower levels first.

    Args:
        store: has the leaf hashes below ``new_size`` and all tiles that were full at ``old_size``; those that this call
            yields need not be stored yet.
        old_size: entries before.
        new_size: entries now.

    Raises:
        ProofError: not 0 <= old_size <= new_size.
        StoreError: something below a tile is missing or has another length.
    """
    if not 0 <= old_size <= new_size:
        raise ProofError("a log only grows", evidence={"old_size": old_size, "new_size": new_size})
    level, leaves, below = 0, TILE_WIDTH, dict[int, bytes]()
    while new_size >= leaves:
        made: dict[int, bytes] = {}
        for index in range(old_size // leaves, new_size // leaves):
            first = index * TILE_WIDTH
            if level:
                children = range(first, first + TILE_WIDTH)
                parts = [below.get(child) or tile_root(store.tile(level - 1, child)) for child in children]
            else:
                parts = list(store.leaf_hashes(first, first + TILE_WIDTH))
            tile = b"".join(parts)
            made[index] = tile_root(tile)
            yield Tile(level, index, tile)
        level, leaves, below = level + 1, leaves << TILE_HEIGHT, made


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


def tile_path(level: int, index: int, width: int = TILE_WIDTH) -> str:
    """Name a tile the way C2SP does: ``tile/0/x001/x234/067``, with ``.p/<width>`` when it is partial.

    Raises:
        ProofError: level, index or width out of bounds.
    """
    if not (0 <= level < LEVELS and index >= 0 and 1 <= width <= TILE_WIDTH):
        raise ProofError("no such tile", evidence={"level": level, "index": index, "width": width})
    groups = [f"{index % 1000:03d}"]
    while index := index // 1000:
        groups.insert(0, f"x{index % 1000:03d}")
    suffix = "" if width == TILE_WIDTH else f".p/{width}"
    return f"tile/{level}/{'/'.join(groups)}{suffix}"

"""Tiles: which fill up, what is in them, what they are called."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from audit import tiles
from audit.errors import ProofError, StoreError
from audit.store import MemoryLeafStore
from audit.tiles import TILE_BYTES, completed, tile_path, tile_root

SIZE = 66_000  # the smallest logs with a tile of level 1 have 65,536 entries


@pytest.fixture(scope="module")
def store() -> MemoryLeafStore:
    made = MemoryLeafStore()
    for number in range(SIZE):
        made.append(b"%d" % number)
    return made


def test_a_log_that_grows_fills_each_tile_once(store: MemoryLeafStore) -> None:
    names = [
        (tile.level, tile.index)
        for size in range(0, SIZE, 500)
        for tile in completed(store, size, min(size + 500, SIZE))
    ]
    assert sorted(names) == [*((0, index) for index in range(SIZE // 256)), (1, 0)]


def test_tiles_hold_what_the_store_computes_from_its_leaves(store: MemoryLeafStore) -> None:
    for tile in completed(store, 65_000, SIZE):
        assert tile.hashes == store.tile(tile.level, tile.index)
        assert len(tile.hashes) == TILE_BYTES


def test_a_tile_above_needs_only_the_tiles_that_were_stored_before(store: MemoryLeafStore) -> None:
    class Stored(MemoryLeafStore):
        """Has no tile that fills up in the call itself."""

        def size(self) -> int:
            return SIZE

        def leaf_hashes(self, start: int, stop: int) -> list[bytes]:
            return list(store.leaf_hashes(start, stop))

        def tile(self, level: int, index: int) -> bytes | None:
            return store.tile(level, index) if (level, index) < (0, 255) else None

    assert [(tile.level, tile.index) for tile in completed(Stored(), 65_500, 65_536)] == [(0, 255), (1, 0)]


@given(old=st.integers(0, 2000), grown=st.integers(0, 2000))
def test_what_fills_up_in_two_steps_fills_up_in_one(store: MemoryLeafStore, old: int, grown: int) -> None:
    new = old + grown
    steps = [*completed(store, 0, old), *completed(store, old, new)]
    assert steps == list(completed(store, 0, new))


@pytest.mark.parametrize(("old", "new"), [(-1, 5), (5, 4)])
def test_a_log_does_not_shrink(store: MemoryLeafStore, old: int, new: int) -> None:
    with pytest.raises(ProofError):
        list(completed(store, old, new))


def test_a_store_that_holds_less_than_it_says_is_found_out() -> None:
    class Short(MemoryLeafStore):
        def leaf_hashes(self, start: int, stop: int) -> list[bytes]:
            return []

    with pytest.raises(StoreError):
        list(completed(Short(), 0, 256))


@pytest.mark.parametrize("tile", [None, b"", bytes(TILE_BYTES - 1), bytes(TILE_BYTES + 32)])
def test_only_full_tiles_have_a_root(tile: bytes | None) -> None:
    with pytest.raises(StoreError):
        tile_root(tile)


@pytest.mark.parametrize(
    ("level", "index", "width", "path"),
    [
        (0, 0, 256, "tile/0/000"),
        (0, 999, 256, "tile/0/999"),
        (0, 1000, 256, "tile/0/x001/000"),
        (0, 1234067, 256, "tile/0/x001/x234/067"),
        (63, 1_000_000_000, 256, "tile/63/x001/x000/x000/000"),
        (1, 17, 1, "tile/1/017.p/1"),
        (0, 273, 112, "tile/0/273.p/112"),
    ],
)
def test_tiles_are_called_as_c2sp_says(level: int, index: int, width: int, path: str) -> None:
    assert tile_path(level, index, width) == path


@pytest.mark.parametrize(
    ("level", "index", "width"), [(-1, 0, 256), (64, 0, 256), (0, -1, 256), (0, 0, 0), (0, 0, 257)]
)
def test_there_are_no_other_tiles(level: int, index: int, width: int) -> None:
    with pytest.raises(ProofError):
        tile_path(level, index, width)


def test_the_constants_are_those_of_the_format() -> None:
    assert (tiles.TILE_HEIGHT, tiles.TILE_WIDTH, tiles.TILE_BYTES) == (8, 256, 8192)

"""What every `LeafStore` must do. Subclass `LeafStoreContract` with a fixture ``filled`` and all of it runs."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from audit import merkle, tiles
from audit.store import LeafStore

Fill = Callable[[list[bytes]], LeafStore]
BODIES = [b'{"entry":%d}' % number for number in range(600)]


class LeafStoreContract:
    """Contract tests; ``fill`` makes a store of the given entries, appended in order."""

    @pytest.fixture
    def fill(self) -> Fill:
        raise NotImplementedError

    def test_an_empty_store_has_nothing(self, fill: Fill) -> None:
        store = fill([])
        assert store.size() == 0
        assert list(store.entries(0, 0)) == []
        assert list(store.leaf_hashes(0, 0)) == []
        assert store.tile(0, 0) is None

    def test_entries_come_back_as_written_and_in_order(self, fill: Fill) -> None:
        store = fill(BODIES)
        assert store.size() == len(BODIES)
        assert list(store.entries(0, len(BODIES))) == BODIES
        assert list(store.entries(255, 258)) == BODIES[255:258]
        assert list(store.entries(7, 7)) == []

    def test_leaf_hashes_are_those_of_the_entries(self, fill: Fill) -> None:
        store = fill(BODIES)
        assert list(store.leaf_hashes(250, 260)) == [merkle.leaf_hash(body) for body in BODIES[250:260]]

    def test_full_tiles_are_there_and_others_are_not(self, fill: Fill) -> None:
        store = fill(BODIES)
        for index in range(2):
            assert store.tile(0, index) == b"".join(store.leaf_hashes(256 * index, 256 * (index + 1)))
        for level, index in [(0, 2), (0, 3), (1, 0), (2, 0), (9, 9)]:
            assert store.tile(level, index) is None

    def test_tiles_are_those_that_fill_up_on_the_way(self, fill: Fill) -> None:
        store = fill(BODIES)
        for tile in tiles.completed(store, 0, len(BODIES)):
            assert store.tile(tile.level, tile.index) == tile.hashes

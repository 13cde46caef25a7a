"""The store in memory keeps the contract."""

from __future__ import annotations

import pytest

from audit.errors import StoreError
from audit.store import LeafStore, MemoryLeafStore
from tests.audit.leaf_store_contract import BODIES, Fill, LeafStoreContract


def filled(bodies: list[bytes]) -> MemoryLeafStore:
    store = MemoryLeafStore()
    for index, body in enumerate(bodies):
        assert store.append(body) == index
    return store


class TestMemoryLeafStore(LeafStoreContract):
    @pytest.fixture
    def fill(self) -> Fill:
        return filled

    @pytest.mark.parametrize(("start", "stop"), [(0, 601), (-1, 3), (5, 4), (600, 601)])
    def test_leaves_that_are_not_there_are_refused(self, start: int, stop: int) -> None:
        store: LeafStore = filled(BODIES)
        with pytest.raises(StoreError):
            list(store.entries(start, stop))
        with pytest.raises(StoreError):
            store.leaf_hashes(start, stop)

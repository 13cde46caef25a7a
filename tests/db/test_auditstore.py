"""The log's rows keep the contract of a leaf store."""

from __future__ import annotations

import pytest

from audit.merkle import leaf_hash
from audit.tiles import TILE_WIDTH
from service.db import auditstore
from service.db.auditstore import SqlLeafStore
from service.ledger import Outcome
from tests.ledger.desk import FIRM, OTHER_FIRM, Desk, a_desk, draft


@pytest.fixture
def grown(migrated_url: str, monkeypatch: pytest.MonkeyPatch) -> object:
    """A log of 300 entries, read in pages of 7."""
    monkeypatch.setattr(auditstore, "PAGE", 7)
    with a_desk(migrated_url) as desk:
        desk.ledger.run(FIRM, lambda _tx, _moment: Outcome(None, tuple(draft(i) for i in range(300))))
        desk.ledger.run(OTHER_FIRM, lambda _tx, _moment: Outcome(None, (draft(1),)))
        yield desk


def test_it_has_the_entries_as_written_and_their_leaves(grown: Desk) -> None:
    with grown.database.read(FIRM) as tx:
        store = SqlLeafStore(tx, FIRM, 300)
        bodies = list(store.entries(0, 300))
        assert store.size() == len(bodies) == 300
        assert store.leaf_hashes(0, 300) == [leaf_hash(body) for body in bodies]
        assert list(store.entries(13, 29)) == bodies[13:29]
        assert list(store.leaf_hashes(13, 29)) == [leaf_hash(body) for body in bodies[13:29]]
        assert list(store.entries(5, 5)) == []


def test_it_has_full_tiles_and_no_others(grown: Desk) -> None:
    with grown.database.read(FIRM) as tx:
        store = SqlLeafStore(tx, FIRM, 300)
        assert store.tile(0, 0) == b"".join(store.leaf_hashes(0, TILE_WIDTH))
        assert store.tile(0, 1) is None
        assert store.tile(1, 0) is None


def test_it_never_shows_another_log(grown: Desk) -> None:
    with grown.database.read(OTHER_FIRM) as tx:
        assert len(list(SqlLeafStore(tx, OTHER_FIRM, 1).entries(0, 300))) == 1
        assert SqlLeafStore(tx, OTHER_FIRM, 1).tile(0, 0) is None

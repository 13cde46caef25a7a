"""What must be true of every log in a database, whatever happened to it; asked after each step of a test.

It believes nothing that the service computed: it hashes the stored bytes with the auditors' own code.
"""

from __future__ import annotations

import hashlib
from collections import defaultdict
from typing import Any

from sqlalchemy import bindparam, select

from audit.entry import Entry, decode
from audit.log import Signer, root_at
from audit.merkle import leaf_hash
from audit.tiles import TILE_WIDTH
from service.db.auditstore import SqlLeafStore, each_log
from service.db.models import log_chains, log_entries, log_intents, log_tiles
from service.db.session import EVERY_LOG, Database, Tx

INTENTS = frozenset({"document.adding", "document.moving", "document.opening", "document.revising"})

_ENTRIES = select(log_entries).where(log_entries.c.log_id == bindparam("log")).order_by(log_entries.c.idx)
_CHAINS = select(log_chains).where(log_chains.c.log_id == bindparam("log"))
_TILES = select(log_tiles).where(log_tiles.c.log_id == bindparam("log"))
_INTENTS = select(log_intents.c.idx).where(log_intents.c.log_id == bindparam("log"))


def check_logs(database: Database) -> dict[str, list[Entry]]:
    """Check every invariant of every log and return the entries by log id."""
    with database.read(EVERY_LOG) as tx:
        return {row.id: _check(tx, row) for row in each_log(tx)}


def entries_of(database: Database, log_id: str, kind: str | None = None) -> list[Entry]:
    """The checked entries of one log, all or of one type."""
    return [entry for entry in check_logs(database)[log_id] if kind in (None, entry.type)]


def _check(tx: Tx, log: Any) -> list[Entry]:
    rows = tx.all(_ENTRIES, log=log.id)
    assert [row.idx for row in rows] == list(range(log.size)), "entries and head differ"
    assert all(leaf_hash(row.body) == row.leaf_hash for row in rows), "a stored leaf hash is not that of its entry"
    store = SqlLeafStore(tx, log.id, log.size)
    signer = Signer(log.id).advance((row.body for row in rows), root=root_at(store, log.size))
    assert signer.last_time == (log.time_ms if rows else 0)
    entries = [decode(row.body) for row in rows]
    _check_tiles(tx, log, [row.leaf_hash for row in rows])
    _check_chains(tx, log, rows, entries)
    _check_intents(tx, log, entries)
    return entries


def _check_tiles(tx: Tx, log: Any, level: list[bytes]) -> None:
    wanted: dict[tuple[int, int], bytes] = {}
    number = 0
    while len(level) >= TILE_WIDTH:
        full = len(level) // TILE_WIDTH
        wanted |= {(number, i): b"".join(level[i * TILE_WIDTH : (i + 1) * TILE_WIDTH]) for i in range(full)}
        level, number = [_root(level[i * TILE_WIDTH : (i + 1) * TILE_WIDTH]) for i in range(full)], number + 1
    assert {(row.level, row.idx): row.hashes for row in tx.all(_TILES, log=log.id)} == wanted


def _root(hashes: list[bytes]) -> bytes:
    while len(hashes) > 1:
        hashes = [hashlib.sha256(b"\1" + a + b).digest() for a, b in zip(hashes[::2], hashes[1::2], strict=True)]
    return hashes[0]


def _check_chains(tx: Tx, log: Any, rows: list[Any], entries: list[Entry]) -> None:
    chains: dict[str, list[bytes]] = defaultdict(lambda: [bytes(32)])
    for row, entry in zip(rows, entries, strict=True):
        engagement = (entry.subjects or {}).get("engagement", "")
        assert row.engagement_id == engagement
        if engagement:
            chain = chains[engagement]
            assert (entry.eseq, entry.eprev) == (len(chain) - 1, chain[-1].hex()), f"entry {entry.index}"
            chain.append(row.leaf_hash)
        else:
            assert entry.eseq is None
            assert entry.eprev is None
    kept = {row.engagement_id: (row.length, row.last_leaf) for row in tx.all(_CHAINS, log=log.id)}
    assert kept == {engagement: (len(chain) - 1, chain[-1]) for engagement, chain in chains.items()}


def _check_intents(tx: Tx, log: Any, entries: list[Entry]) -> None:
    """Every intent has exactly one outcome, or stands among the open ones."""
    announced = {entry.index for entry in entries if entry.type in INTENTS}
    closed = [(entry.data or {})["of"] for entry in entries if "of" in (entry.data or {})]
    assert len(set(closed)) == len(closed), "an intent has two outcomes"
    assert announced - set(closed) == {row.idx for row in tx.all(_INTENTS, log=log.id)}

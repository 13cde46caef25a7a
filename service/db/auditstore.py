"""The audit log's rows as an `audit.store.LeafStore`: one log, as it stood at one size."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from sqlalchemy import bindparam, select

from service.db.models import log_entries, log_tiles, logs
from service.db.session import EVERY_LOG, Database, Tx

PAGE = 1000  # rows fetched at a time

_HASHES = (
    select(log_entries.c.leaf_hash)
    .where(
        log_entries.c.log_id == bindparam("log"),
        log_entries.c.idx >= bindparam("start"),
        log_entries.c.idx < bindparam("stop"),
    )
    .order_by(log_entries.c.idx)
)
_BODIES = _HASHES.with_only_columns(log_entries.c.body)
_TILE = select(log_tiles.c.hashes).where(
    log_tiles.c.log_id == bindparam("log"),
    log_tiles.c.level == bindparam("level"),
    log_tiles.c.idx == bindparam("tile"),
)
_LOGS = select(logs.c.id, logs.c.size, logs.c.time_ms, logs.c.kind, logs.c.origin).order_by(logs.c.id)


def each_log(tx: Tx) -> Iterator[Any]:
    """Turn to each log in turn, the deployment's own among them; yield id, size, time_ms, kind and origin.

    For what looks after all firms; between two of them only rows of one are seen.
    """
    tx.turn_to(EVERY_LOG)
    for log in tx.all(_LOGS):
        tx.turn_to(log.id)
        yield log


class SqlLeafStore:
    """A `LeafStore` over the tables of one log.

    Args:
        tx: the transaction to read in.
        log_id: which log.
        size: how many entries of it are looked at; the caller read it in the same transaction.
    """

    def __init__(self, tx: Tx, log_id: str, size: int) -> None:
        self._tx = tx
        self._log_id = log_id
        self._size = size

    def size(self) -> int:
        """Return the number of entries."""
        return self._size

    def entries(self, start: int, stop: int) -> Iterator[bytes]:
        """Yield the bodies of [start, stop) as they were written, a page of rows in memory at a time."""
        for first in range(start, stop, PAGE):
            yield from self.page(first, min(first + PAGE, stop))

    def page(self, start: int, stop: int) -> list[bytes]:
        """Return the bodies of [start, stop), all at once."""
        return [row.body for row in self._tx.all(_BODIES, log=self._log_id, start=start, stop=stop)]

    def leaf_hashes(self, start: int, stop: int) -> Sequence[bytes]:
        """Return the leaf hashes of [start, stop), 32 bytes each."""
        return [row.leaf_hash for row in self._tx.all(_HASHES, log=self._log_id, start=start, stop=stop)]

    def tile(self, level: int, index: int) -> bytes | None:
        """Return a full tile (8192 bytes), or None while it is not full."""
        tile: bytes | None = self._tx.value(_TILE, log=self._log_id, level=level, tile=index)
        return tile


class PagedLeafStore:
    """The same over short reads of its own, for what flows to a client: none is open while it waits for him.

    A log only grows, so that all of them together see what one would have seen.

    Args:
        database: where the log is.
        log_id: which log.
        size: how many entries of it are looked at.
    """

    def __init__(self, database: Database, log_id: str, size: int) -> None:
        self._database = database
        self._log_id = log_id
        self._size = size

    def size(self) -> int:
        """Return the number of entries."""
        return self._size

    def entries(self, start: int, stop: int) -> Iterator[bytes]:
        """Yield the bodies of [start, stop) as they were written, a page of rows in memory at a time."""
        for first in range(start, stop, PAGE):
            with self._open() as store:
                bodies = store.page(first, min(first + PAGE, stop))
            yield from bodies

    def leaf_hashes(self, start: int, stop: int) -> Sequence[bytes]:
        """Return the leaf hashes of [start, stop), 32 bytes each."""
        with self._open() as store:
            return store.leaf_hashes(start, stop)

    def tile(self, level: int, index: int) -> bytes | None:
        """Return a full tile (8192 bytes), or None while it is not full."""
        with self._open() as store:
            return store.tile(level, index)

    @contextmanager
    def _open(self) -> Iterator[SqlLeafStore]:
        with self._database.read(self._log_id) as tx:
            yield SqlLeafStore(tx, self._log_id, self._size)

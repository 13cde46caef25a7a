"""What became of a COMMIT whose reply was lost: done, undone, or not to be known while the database is away.

A connection that dies at COMMIT says nothing of the transaction. Its entries do: they are there with it or not at all.
Whoever looks locks the log's head first, which the transaction in doubt holds until it has ended one way or the other;
so what was seen to be missing cannot appear a moment later.

A batch that placed no entry leaves nothing to look for, and its fate stays unknown.

Source: docs/adr/0004-ledger.md.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import Enum, auto
from typing import Any, Final

from sqlalchemy import bindparam, select

from service.db.auditstore import SqlLeafStore
from service.db.models import logs
from service.db.session import DRIVER_ERRORS, Database
from service.errors import UnavailableError

PAUSES_S: Final = (0.0, 0.2, 1.0, 2.0)  # before each look: the callers of the batch wait meanwhile
LOCK_HEAD: Final = select(logs.c.size, logs.c.time_ms).where(logs.c.id == bindparam("log")).with_for_update()


class Fate(Enum):
    """What became of a transaction."""

    DONE = auto()
    UNDONE = auto()
    UNKNOWN = auto()


@dataclass(frozen=True, slots=True)
class Trace:
    """Entries that are in a log if and only if their transaction was committed."""

    log_id: str
    first: int  # index
    leaf_hashes: tuple[bytes, ...]


def find_out(database: Database, trace: Trace | None, sleep: Callable[[float], Any]) -> Fate:
    """Look for the trace of a transaction until the database answers, `PAUSES_S` long at most; never raises."""
    if trace is None:
        return Fate.UNKNOWN
    for pause_s in PAUSES_S:
        sleep(pause_s)
        try:
            return Fate.DONE if _found(database, trace) else Fate.UNDONE
        except (UnavailableError, *DRIVER_ERRORS):
            continue
    return Fate.UNKNOWN


def _found(database: Database, trace: Trace) -> bool:
    connection = database.connect()
    try:
        tx = database.begin(connection, database.begin_write, trace.log_id)
        tx.one(LOCK_HEAD, log=trace.log_id)
        stop = trace.first + len(trace.leaf_hashes)
        found: Sequence[bytes] = SqlLeafStore(tx, trace.log_id, stop).leaf_hashes(trace.first, stop)
        tx.command("ROLLBACK")
        return tuple(found) == trace.leaf_hashes
    finally:
        connection.close()

"""The writer: one connection, the batch it is writing, and the only COMMIT of the service."""

from __future__ import annotations

import contextlib
import logging
import time
from collections.abc import Callable
from typing import Any, Final, NamedTuple

from sqlalchemy import bindparam, insert, update

from audit.tiles import TILE_WIDTH, completed
from service.db.auditstore import SqlLeafStore
from service.db.models import log_chains, log_tiles, logs
from service.db.session import DRIVER_ERRORS, Database, Tx
from service.errors import (
    ClockBehindError,
    LedgerUnavailableError,
    MunimentError,
    OutcomeUnknownError,
    UnauthenticatedError,
)
from service.ledger.drafts import Clock, Job, Moment, Outcome, Recorded, Refused
from service.ledger.fate import LOCK_HEAD, Fate, Trace, find_out
from service.ledger.pending import Pending
from service.ledger.placing import Head, Placed, place

CLOCK_TOLERANCE_MS: Final = 5_000
ATTEMPTS: Final = 4  # at one batch, where the database asks for another: it undid the transaction to keep others whole
RUN_AGAIN: Final = frozenset({"40001", "40P01"})  # serialization_failure, deadlock_detected
NO_LOG: Final = ""
"""For the one kind of job that has no log yet: those that open a log. Entries of such a job are refused."""

logger = logging.getLogger(__name__)


class Waiting(NamedTuple):
    """A job in the queue, and whom to tell how it went."""

    log_id: str
    job: Job[Any]
    answer: Callable[[Any, BaseException | None], None]


_MOVE_HEAD = (
    update(logs).where(logs.c.id == bindparam("log")).values(size=bindparam("new_size"), time_ms=bindparam("new_time"))
)
_ADD_CHAIN = insert(log_chains)
_MOVE_CHAIN = (
    update(log_chains)
    .where(log_chains.c.log_id == bindparam("log"), log_chains.c.engagement_id == bindparam("engagement"))
    .values(length=bindparam("new_length"), last_leaf=bindparam("new_leaf"))
)
_ADD_TILE = insert(log_tiles)


_Answer = tuple[Waiting, Any, BaseException | None]


class _ReplyLostError(Exception):
    """The connection failed at COMMIT: the batch is done or undone, and nobody has said which."""

    def __init__(self, answers: list[_Answer]) -> None:
        super().__init__()
        self.answers = answers


class Writer:
    """The connection of the writer thread and the batch it is writing."""

    def __init__(
        self, database: Database, clock: Clock, instance: str, sleep: Callable[[float], Any] = time.sleep
    ) -> None:
        self._database = database
        self._clock = clock
        self._instance = instance
        self._sleep = sleep
        self._connection: Any = None
        self._heads: dict[str, Head] = {}
        self._pending = Pending()
        self._changed = False  # whether a job of the batch has changed rows
        self._endings = 0

    def close(self) -> None:
        """Close the connection; the next batch opens another."""
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    def write(self, batch: list[Waiting], note_endings: Callable[[int], None]) -> None:
        """Run a batch, commit it, answer it; how many of its entries end somebody's access is told before that."""
        if not batch:
            return
        batch = sorted(batch, key=_log_of)  # each log's jobs in their order, and one turn to each firm
        try:
            answers = self._commit(batch)
        except _ReplyLostError as lost:
            self._abandon(lost)
            answers = self._settled(lost.answers)
        except Exception as error:  # noqa: BLE001  # whatever it was, nobody may be told "done"
            self._abandon(error)
            self._endings = 0
            answers = [(waiting, None, LedgerUnavailableError()) for waiting in batch]
        note_endings(self._endings)
        for waiting, result, failure in answers:
            waiting.answer(result, failure)

    def _commit(self, batch: list[Waiting]) -> list[_Answer]:
        """Run a batch and commit it; where the database asks for that, as a whole and from the start again."""
        for attempt in range(1, ATTEMPTS + 1):
            try:
                tx = self._begin(sorted({waiting.log_id for waiting in batch}))
                answers = [(waiting, *self._run(tx, waiting)) for waiting in batch]
                self._finish(tx, answers)
            except DRIVER_ERRORS as error:
                if getattr(error, "sqlstate", None) not in RUN_AGAIN or attempt == ATTEMPTS:
                    raise
                self._connection.rollback()
            else:
                return answers
        raise LedgerUnavailableError

    def _settled(self, answers: list[_Answer]) -> list[_Answer]:
        """Answer a batch whose COMMIT had no reply with what became of it."""
        trace = _trace(answers)
        fate = find_out(self._database, trace, self._sleep) if trace or self._changed else Fate.UNDONE
        if fate is Fate.DONE:
            return answers
        if fate is Fate.UNDONE:
            self._endings = 0
        failure = LedgerUnavailableError if fate is Fate.UNDONE else OutcomeUnknownError
        return [(waiting, None, failure()) for waiting, _result, _failure in answers]

    def _begin(self, log_ids: list[str]) -> Tx:
        if self._connection is not None and not self._database.is_usable(self._connection):
            self.close()  # the server has gone since, and come again
        if self._connection is None:
            self._connection = self._database.connect()
        tx = self._database.begin(self._connection, self._database.begin_write, log_ids[0])
        self._heads, self._endings, self._changed, self._pending = {}, 0, False, Pending()
        tx.before_log_use = lambda: self._pending.write(tx)
        tx.openings = self._pending.openings
        for log_id in log_ids:  # always in the same order, so that two processes never wait for each other in a ring
            tx.turn_to(log_id)
            row = tx.one(LOCK_HEAD, log=log_id)
            if row is not None:
                self._heads[log_id] = Head(row.size, row.time_ms)
        return tx

    def _finish(self, tx: Tx, answers: list[_Answer]) -> None:
        self._pending.write(tx)
        for log_id, head in self._heads.items():
            tx.turn_to(log_id)
            for engagement_id, (length, leaf) in head.chains.items():
                self._move_chain(tx, log_id, engagement_id, length, leaf)
            tx.run(_MOVE_HEAD, log=log_id, new_size=head.size, new_time=head.time_ms)
        try:
            tx.command("COMMIT")
        except DRIVER_ERRORS as error:
            if getattr(error, "sqlstate", None) in RUN_AGAIN:
                raise
            raise _ReplyLostError(answers) from error

    @staticmethod
    def _move_chain(tx: Tx, log_id: str, engagement_id: str, length: int, leaf: bytes) -> None:
        if not tx.run(_MOVE_CHAIN, log=log_id, engagement=engagement_id, new_length=length, new_leaf=leaf):
            tx.run(_ADD_CHAIN, log_id=log_id, engagement_id=engagement_id, length=length, last_leaf=leaf)

    def _abandon(self, error: Exception) -> None:
        cause = error.__cause__ or error
        logger.error("a batch could not be written", extra={"kind": type(cause).__name__})
        with contextlib.suppress(Exception):
            self._connection.rollback()
        with contextlib.suppress(Exception):
            self.close()  # the next batch starts on a fresh connection
        self._connection = None

    # One job --------------------------------------------------------------------------------------------------------

    def _run(self, tx: Tx, waiting: Waiting) -> tuple[Any, BaseException | None]:
        head = Head(0, 0) if waiting.log_id == NO_LOG else self._heads.get(waiting.log_id)
        if head is None:
            return None, UnauthenticatedError()  # only a credential names a log, and this one names none of ours
        clock_ms = self._clock()
        if clock_ms < head.time_ms - CLOCK_TOLERANCE_MS:
            return None, ClockBehindError()
        if tx.firm_id != waiting.log_id:
            self._pending.write(tx)  # what is kept back is written while its own firm's rows are seen
            tx.turn_to(waiting.log_id)
        moment = Moment(max(clock_ms, head.time_ms))
        opened = False

        def before_write() -> None:
            nonlocal opened
            if not opened:
                self._pending.write(tx)  # what this job may undo must not hold the entries of others
                tx.command("SAVEPOINT job")
                opened = self._changed = True

        tx.before_write, tx.log_size = before_write, head.size
        failure: Exception | None
        try:
            outcome, failure = self._attempt(waiting.job, tx, moment)
            placed = place(tx, waiting.log_id, head, moment, outcome.drafts)
        except DRIVER_ERRORS:
            raise  # the transaction itself is in doubt
        except Exception as error:  # noqa: BLE001  # a fault of one job is its own answer, not its neighbours'
            outcome, placed, failure = Outcome(None), [], error
        tx.before_write = None
        if opened:
            tx.command("ROLLBACK TO SAVEPOINT job" if failure else "RELEASE SAVEPOINT job")
        tx.turn_to(waiting.log_id)  # a job that opens a log has turned to it
        for entry in placed:
            self._append(tx, waiting.log_id, head, moment, entry)
        indexes = tuple(entry.at for entry in placed)
        return Recorded(outcome.result, indexes, tuple(entry.leaf for entry in placed), moment), failure

    @staticmethod
    def _attempt(job: Job[Any], tx: Tx, moment: Moment) -> tuple[Outcome[Any], MunimentError | None]:
        try:
            return job(tx, moment), None
        except Refused as refusal:
            return Outcome(None, refusal.drafts), refusal.error

    def _append(self, tx: Tx, log_id: str, head: Head, moment: Moment, entry: Placed) -> None:
        draft, pending = entry.draft, self._pending
        pending.entries.append(
            {
                "log_id": log_id,
                "idx": entry.at,
                "body": entry.body,
                "leaf_hash": entry.leaf,
                "engagement_id": entry.engagement_id,
                "payload": draft.payload.sealed if draft.payload else None,
                "payload_holder": draft.payload.holder if draft.payload else None,
            }
        )
        if entry.engagement_id:
            head.chains[entry.engagement_id] = (entry.length, entry.leaf)
        if draft.announces:
            pending.intents.append(
                {
                    "log_id": log_id,
                    "idx": entry.at,
                    "instance": self._instance,
                    "engagement_id": entry.engagement_id,
                }
            )
        if draft.opening is not None:
            pending.openings.setdefault(draft.opening.membership_id, []).append(draft.opening)
        if draft.closes is not None:
            pending.closed.append((log_id, draft.closes))
        head.size, head.time_ms = entry.at + 1, moment.ms
        self._endings += draft.ends_access
        if head.size % TILE_WIDTH == 0:
            self._add_tiles(tx, log_id, head.size)

    @staticmethod
    def _add_tiles(tx: Tx, log_id: str, size: int) -> None:
        store = SqlLeafStore(tx, log_id, size)
        for tile in completed(store, size - 1, size):
            tx.run(_ADD_TILE, log_id=log_id, level=tile.level, idx=tile.index, hashes=tile.hashes)


def _log_of(waiting: Waiting) -> str:
    return waiting.log_id


def _trace(answers: list[_Answer]) -> Trace | None:
    """What to look for in the log: the entries that the batch placed in the first log that it placed any in."""
    placed = [(waiting.log_id, recorded) for waiting, recorded, _ in answers if recorded and recorded.indexes]
    if not placed:
        return None
    log_id, first = placed[0]
    leaves = tuple(leaf for each, recorded in placed if each == log_id for leaf in recorded.leaf_hashes)
    return Trace(log_id, first.indexes[0], leaves)

"""The ledger's front: callers hand in jobs, one thread writes them."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import queue
import threading
import time
from collections.abc import Callable
from typing import Any, Final, TypeVar

from service.db.session import Database
from service.errors import LedgerUnavailableError
from service.ledger.drafts import Clock, Job, Recorded
from service.ledger.writer import Waiting, Writer

BATCH_JOBS: Final = 64
GATHER_S: Final = 0.0005
GATHER_STEPS: Final = 8
"""Where commits are shared already, a batch waits in steps of so many seconds for as long as each step brings more
jobs: fewer commits, and both threads change places less often. A caller who is alone never waits."""

T = TypeVar("T")
_Answer = tuple[asyncio.Future[Any], Any, BaseException | None]

logger = logging.getLogger(__name__)


class Ledger:
    """The writer thread of one process.

    Args:
        database: where the rows are.
        clock: UTC milliseconds.
        instance: a name for this process, written beside every open intent.
        sleep: waits so many seconds, between looks for what became of a COMMIT without a reply.
    """

    def __init__(
        self, database: Database, clock: Clock, instance: str, sleep: Callable[[float], Any] = time.sleep
    ) -> None:
        self._database = database
        self._clock = clock
        self._instance = instance
        self._sleep = sleep
        self._waiting: queue.SimpleQueue[Waiting | None] = queue.SimpleQueue()
        self._thread: threading.Thread | None = None
        self._door = threading.Lock()  # no job may slip in behind the one that ends the thread: nobody would answer it
        self._answered: dict[asyncio.AbstractEventLoop, list[_Answer]] = {}  # of the batch; the writer thread's own
        self.endings = 0  # grows with every committed entry that ends somebody's access

    # Asking ---------------------------------------------------------------------------------------------------------

    def start(self) -> None:
        """Start the writer thread."""
        with self._door:
            self._thread = threading.Thread(target=self._work, name="ledger", daemon=True)
            self._thread.start()

    def stop(self) -> None:
        """Write what is waiting, then end the thread. Later jobs are refused."""
        with self._door:
            thread, self._thread = self._thread, None
            if thread is not None:
                self._waiting.put(None)
        if thread is not None:
            thread.join()

    async def submit(self, log_id: str, job: Job[T]) -> Recorded[T]:
        """Run a job and wait until it is durable.

        Raises: the job's own error; `LedgerUnavailableError` when nothing could be written; `ClockBehindError`.
        """
        loop = asyncio.get_running_loop()
        future: asyncio.Future[Recorded[T]] = loop.create_future()

        def answer(result: Any, error: BaseException | None) -> None:
            self._answered.setdefault(loop, []).append((future, result, error))

        self._put(Waiting(log_id, job, answer))
        return await future

    def run(self, log_id: str, job: Job[T]) -> Recorded[T]:
        """Do the same from a thread without an event loop (commands, start-up, tests)."""
        done = threading.Event()
        box: list[Any] = []

        def answer(result: Any, error: BaseException | None) -> None:
            box.extend((result, error))
            done.set()

        self._put(Waiting(log_id, job, answer))
        done.wait()
        if box[1] is not None:
            raise box[1]
        recorded: Recorded[T] = box[0]
        return recorded

    def post(self, log_id: str, job: Job[Any]) -> None:
        """Queue a job without waiting: outcomes after the bytes. A failure is logged and left to recovery."""

        def answer(_result: Any, error: BaseException | None) -> None:
            if error is not None:
                logger.error("an outcome could not be recorded", extra={"code": getattr(error, "code", "internal")})

        with contextlib.suppress(LedgerUnavailableError):
            self._put(Waiting(log_id, job, answer))

    def _put(self, waiting: Waiting) -> None:
        with self._door:
            if self._thread is None:
                raise LedgerUnavailableError
            self._waiting.put(waiting)

    # Writing --------------------------------------------------------------------------------------------------------

    def _work(self) -> None:
        writer = Writer(self._database, self._clock, self._instance, self._sleep)
        running, shared = True, False
        while running:
            batch, running = self._take(gather=shared)
            writer.write(batch, self._note_endings)
            self._hand_out()
            shared = len(batch) > 1
        writer.close()

    def _hand_out(self) -> None:
        """Wake each event loop once for all its answers of a batch; one wake-up an answer is dearer than the answer."""
        answered, self._answered = self._answered, {}
        for loop, answers in answered.items():
            with contextlib.suppress(RuntimeError):  # the loop is gone: its callers left, the record stays
                loop.call_soon_threadsafe(_settle, answers)

    def _take(self, *, gather: bool) -> tuple[list[Waiting], bool]:
        """Wait for a job, then take what else is waiting, up to a batch; False when the ledger is to stop.

        Args:
            gather: whether the first job waits for others.
        """
        batch: list[Waiting] = []
        while (item := self._waiting.get()) is not None:
            if gather and not batch:
                self._gather()
            batch.append(item)
            if len(batch) == BATCH_JOBS or self._waiting.empty():
                return batch, True
        return batch, False

    def _gather(self) -> None:
        """Wait while others come."""
        before = -1
        for _ in range(GATHER_STEPS):
            waiting = self._waiting.qsize()
            if waiting <= before or waiting >= BATCH_JOBS - 1:
                return
            before = waiting
            time.sleep(GATHER_S)

    def _note_endings(self, count: int) -> None:
        self.endings += count


def _settle(answers: list[_Answer]) -> None:
    """Give callers their answers, in the loop that they wait in; who has gone is passed over."""
    for future, result, error in answers:
        if future.done():
            continue
        if error is not None:
            future.set_exception(error)
        else:
            future.set_result(result)

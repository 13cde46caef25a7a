"""Bodies on their way, in either direction: never kept together, never waited for without end."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable
from types import TracebackType
from typing import Self, TypeVar

from fastapi import Request
from starlette.requests import ClientDisconnect

from service.errors import IncompleteBodyError, SlowBodyError
from service.httpdeps import services_of

T = TypeVar("T")


class Patience:
    """Bounds each wait of one task for its client. A context: inside, `wait` for one thing after another.

    One timer looks now and then how long the wait of that moment lasts: a timer for each wait costs more than the
    waiting, and a large body has many thousands of them.

    Args:
        idle_s: how long one wait may last; it is ended at most as much later.
    """

    def __init__(self, idle_s: float) -> None:
        self._idle_s = idle_s
        self._since: float | None = None
        self._is_over = False

    def __enter__(self) -> Self:
        self._loop, self._task = asyncio.get_running_loop(), asyncio.current_task()
        self._timer = self._loop.call_later(self._idle_s, self._look)
        return self

    def __exit__(
        self, _kind: type[BaseException] | None, _error: BaseException | None, _trace: TracebackType | None
    ) -> None:
        self._timer.cancel()

    async def wait(self, thing: Awaitable[T]) -> T:
        """Wait for one thing.

        Raises:
            SlowBodyError: it did not come in time.
        """
        self._since = self._loop.time()
        try:
            return await thing
        except asyncio.CancelledError:
            if self._is_over and self._task is not None and self._task.uncancel() == 0:
                raise SlowBodyError from None
            raise  # somebody else ended the task
        finally:
            self._since = None

    def _look(self) -> None:
        now = self._loop.time()
        began = now if self._since is None else self._since
        if now - began >= self._idle_s and self._task is not None:
            self._is_over = True
            self._task.cancel()
        else:
            self._timer = self._loop.call_at(began + self._idle_s, self._look)


async def pieces_of(request: Request) -> AsyncIterator[bytes]:
    """Yield a body piece by piece; while nobody takes the next one, the server asks the client for no more.

    Raises:
        IncompleteBodyError: the client has gone away.
        SlowBodyError: nothing came for too long.
    """
    pieces = aiter(request.stream())
    with Patience(services_of(request).settings.idle_s) as patience:
        while True:
            try:
                piece = await patience.wait(anext(pieces))
            except StopAsyncIteration:
                return
            except ClientDisconnect:
                raise IncompleteBodyError from None
            yield piece

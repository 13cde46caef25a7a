"""Bodies as they arrive: pieces that the server hands over, never kept together, never awaited for ever."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

from fastapi import Request
from starlette.requests import ClientDisconnect

from service.errors import IncompleteBodyError, SlowBodyError
from service.httpdeps import services_of


async def pieces_of(request: Request) -> AsyncIterator[bytes]:
    """Yield a body piece by piece; while nobody takes the next one, the server asks the client for no more.

    Raises:
        IncompleteBodyError: the client has gone away.
        SlowBodyError: nothing came for too long.
    """
    idle_s = services_of(request).settings.idle_s
    pieces = request.stream().__aiter__()
    while True:
        try:
            async with asyncio.timeout(idle_s):
                piece = await anext(pieces)
        except StopAsyncIteration:
            return
        except ClientDisconnect:
            raise IncompleteBodyError from None
        except TimeoutError:
            raise SlowBodyError from None
        yield piece

"""Waiting for a client: one wait may last so long, however many there are; whoever else ends the task still does."""

from __future__ import annotations

import asyncio

import pytest

from service.api.bodies import Patience
from service.errors import SlowBodyError


async def test_many_short_waits_may_last_longer_together() -> None:
    with Patience(0.1) as patience:
        for number in range(10):
            assert await patience.wait(asyncio.sleep(0.03, number)) == number
        await asyncio.sleep(0.3)  # not waiting for the client: the store is slow, say
        assert await patience.wait(asyncio.sleep(0, "last")) == "last"


async def test_a_wait_that_lasts_too_long_ends_and_the_task_goes_on() -> None:
    with Patience(0.05) as patience:
        with pytest.raises(SlowBodyError):
            await patience.wait(asyncio.sleep(30))
        task = asyncio.current_task()
        assert task is not None
        assert task.cancelling() == 0
        await asyncio.sleep(0)


async def test_an_error_of_what_is_waited_for_passes() -> None:
    async def fails() -> None:
        raise KeyError("x")

    with Patience(0.05) as patience, pytest.raises(KeyError):
        await patience.wait(fails())


async def test_who_ends_the_task_ends_it() -> None:
    async def run() -> None:
        with Patience(30) as patience:
            await patience.wait(asyncio.sleep(30))

    task = asyncio.create_task(run())
    await asyncio.sleep(0.01)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task


async def test_nothing_is_left_behind() -> None:
    with Patience(0.02):
        pass
    await asyncio.sleep(0.05)  # a timer that was left would cancel this

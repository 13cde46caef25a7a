"""A world for each test, on both stacks."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.stacks import Stack
from tests.world import Engagement, World, a_world


@pytest.fixture
async def world(tmp_path: Path, stack: Stack) -> AsyncIterator[World]:
    """An installation with one firm and its owner."""
    async with a_world(tmp_path / "var", stack.url, **stack.settings) as made:
        yield made


@pytest.fixture
async def engagement(world: World) -> Engagement:
    """A running engagement with one matter part and an attorney who leads it."""
    return await world.engagement()

"""A world for each test, on both kinds of database."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.world import Engagement, World, a_world


@pytest.fixture
async def world(tmp_path: Path, migrated_url: str) -> AsyncIterator[World]:
    """An installation with one firm and its owner."""
    async with a_world(tmp_path / "var", migrated_url) as made:
        yield made


@pytest.fixture
async def engagement(world: World) -> Engagement:
    """A running engagement with one matter part and an attorney who leads it."""
    return await world.engagement()

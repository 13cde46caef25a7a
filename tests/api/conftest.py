"""A world for each test, on both kinds of database.

Every test runs on SQLite. On PostgreSQL the suite draws a quarter of them, by the run's seed; the long run has all.
What only a database can do differently is tested whole where it is done (tests/db, ledger, scoping, doctor).
"""

from __future__ import annotations

import random
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.scale import LONG
from tests.stacks import Stack, servers
from tests.world import Engagement, World, a_world

_HERE = Path(__file__).parent
ABOUT_CONTENTS = frozenset(
    {
        "test_certificates",
        "test_disposals",
        "test_documents",
        "test_downloads",
        "test_errors",
        "test_moving",
        "test_operations",
        "test_parts_of_files",
        "test_resumable",
        "test_revising",
        "test_texts",
        "test_uploads",
    }
)
"""Modules that ask what becomes of contents: on PostgreSQL they stand on S3. The others ask what rows say, and opening
buckets for each of their tests would take longer than the tests."""


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leave out three quarters of what asks on PostgreSQL; told as deselected."""
    if LONG or any("::" in asked for asked in config.args):  # who names a test means it
        return
    seed = config.getoption("randomly_seed", 0)  # the same in each process
    second = [item for item in items if _HERE in item.path.parents and "[postgres" in item.name]
    left_out = {*random.Random(str(seed)).sample(sorted(second, key=lambda item: item.nodeid), len(second) * 3 // 4)}
    config.hook.pytest_deselected(items=[item for item in items if item in left_out])
    items[:] = [item for item in items if item not in left_out]


@pytest.fixture(params=["sqlite", "postgres"])
def stack(request: pytest.FixtureRequest) -> Stack:
    """A migrated database of each kind in turn, and places for contents."""
    if request.param == "sqlite":
        return Stack(request.getfixturevalue("migrated_sqlite_url"))
    if request.module.__name__.rpartition(".")[2] in ABOUT_CONTENTS:
        return servers(request)
    return Stack(request.getfixturevalue("migrated_postgres_url"))


@pytest.fixture
async def world(tmp_path: Path, stack: Stack) -> AsyncIterator[World]:
    """An installation with one firm and its owner."""
    async with a_world(tmp_path / "var", stack.url, **stack.settings) as made:
        yield made


@pytest.fixture
async def engagement(world: World) -> Engagement:
    """A running engagement with one matter part and an attorney who leads it."""
    return await world.engagement()

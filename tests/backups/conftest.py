"""Houses to be copied, and databases to put the copies into."""

from __future__ import annotations

import shutil
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from tests.backups.places import DAYS, Elsewhere, NewDatabase, elsewhere
from tests.disposal.ending import Ending, an_ending
from tests.postgres import PostgresServer
from tests.world import a_world


@pytest.fixture(params=["sqlite", "postgres"])
def new_database(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[NewDatabase]:
    """Makes databases of one kind, with all tables."""
    made: list[str] = []

    def sqlite() -> str:
        path = tmp_path / f"{len(made)}.db"
        shutil.copyfile(request.getfixturevalue("migrated_file"), path)
        made.append(str(path))
        return f"sqlite:///{path}"

    def postgres() -> str:
        server: PostgresServer = request.getfixturevalue("postgres_server")
        made.append(server.create_database(request.getfixturevalue("migrated_template")))
        return server.url(made[-1])

    yield sqlite if request.param == "sqlite" else postgres
    if request.param == "postgres":
        server: PostgresServer = request.getfixturevalue("postgres_server")
        for name in made:
            server.drop_database(name)


@pytest.fixture
async def ending(tmp_path: Path, new_database: NewDatabase) -> AsyncIterator[Ending]:
    """A house with papers of both sides, in which an engagement can be ended."""
    async with a_world(tmp_path / "var", new_database(), backup_days=DAYS) as world:
        yield await an_ending(world)


@pytest.fixture
def empty(tmp_path: Path, new_database: NewDatabase, ending: Ending) -> Elsewhere:
    """An empty house elsewhere."""
    return elsewhere(ending.world, tmp_path / "elsewhere", new_database())

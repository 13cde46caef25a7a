"""What tests of scoping share: the policy of this repository, and an empty world of rows on both kinds of database."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from service.scoping.matrix import Matrix
from tests.postgres import PostgresServer
from tests.scoping.policies import POLICIES
from tests.scoping.world import Ground, World


@pytest.fixture(scope="session")
def matrix() -> Matrix:
    """The policy in this repository."""
    return Matrix.load(POLICIES)


@pytest.fixture(scope="session")
def sqlite_ground() -> Iterator[Ground]:
    """Empty tables in SQLite."""
    ground = Ground()
    yield ground
    ground.close()


@pytest.fixture(scope="session")
def postgres_ground(postgres_server: PostgresServer) -> Iterator[Ground]:
    """Empty tables in PostgreSQL."""
    name = postgres_server.create_database()
    ground = Ground(postgres_server.url(name, "owner"))
    yield ground
    ground.close()
    postgres_server.drop_database(name)


@pytest.fixture(params=["sqlite", "postgres"])
def ground(request: pytest.FixtureRequest) -> Iterator[Ground]:
    """Empty tables; a test that asks for them runs on both kinds of database."""
    found: Ground = request.getfixturevalue(f"{request.param}_ground")
    yield found
    found.clear()


@pytest.fixture
def world(ground: Ground) -> World:
    """An empty world."""
    return ground.world()

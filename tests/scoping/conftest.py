"""What tests of scoping share: the policy of this repository, and an empty world of rows."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from service.scoping.matrix import Matrix
from tests.scoping.world import World, a_world

POLICIES = Path(__file__).parents[2] / "policies"


@pytest.fixture(scope="session")
def matrix() -> Matrix:
    """The policy in this repository."""
    return Matrix.load(POLICIES)


@pytest.fixture
def world() -> Iterator[World]:
    """An empty world."""
    with a_world() as empty:
        yield empty

"""A desk for each test, on both kinds of database."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.ledger.desk import Desk, a_desk


@pytest.fixture
def desk(migrated_url: str) -> Iterator[Desk]:
    """A ledger on a bare database with two firms."""
    with a_desk(migrated_url) as made:
        yield made

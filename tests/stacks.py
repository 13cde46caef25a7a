"""The two stacks that an installation runs on: SQLite with folders, and PostgreSQL with S3.

A test that asks for ``stack`` runs on both: ``a_world(home, stack.url, **stack.settings)``.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import pytest

from tests.buckets import Buckets
from tests.seaweed import REGION


@dataclass(frozen=True, slots=True)
class Stack:
    """What the settings say of where an installation keeps its things."""

    url: str
    settings: Mapping[str, str] = field(default_factory=dict)


@pytest.fixture(params=["sqlite-folders", "postgres-s3"])
def stack(request: pytest.FixtureRequest) -> Stack:
    """A migrated database and places for contents and anchors, of each kind in turn."""
    if request.param == "sqlite-folders":
        return Stack(request.getfixturevalue("migrated_sqlite_url"))
    return servers(request)


def servers(request: pytest.FixtureRequest) -> Stack:
    """A database of one's own on PostgreSQL, and places of one's own in buckets."""
    buckets: Buckets = request.getfixturevalue("buckets")
    prefix = buckets.prefix()
    settings = {
        "blobs": f"s3://{buckets.documents}/{prefix}",
        "anchors": f"s3://{buckets.anchors}/{prefix}",
        "key_places": f"{request.getfixturevalue('tmp_path') / 'keys'},s3://{buckets.keys}/{prefix}",
        "s3_endpoint": buckets.endpoint,
        "aws_region": REGION,
    }
    return Stack(request.getfixturevalue("migrated_postgres_url"), settings)

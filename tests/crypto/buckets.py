"""Clients of the two S3 servers of these tests, and buckets of a test's own."""

from __future__ import annotations

import os
from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest
from moto import mock_aws

from service.aws import s3_client
from tests.seaweed import REGION, Seaweed

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

CONNECTIONS = 16


@pytest.fixture
def seaweed_s3(seaweed: Seaweed) -> S3Client:
    return s3_client(region=REGION, endpoint=seaweed.endpoint, connections=CONNECTIONS)


@pytest.fixture
def moto_s3() -> Iterator[S3Client]:
    with mock_aws():
        yield s3_client(region=REGION, endpoint="", connections=CONNECTIONS)


def new_bucket(client: S3Client, *, versions: bool = False, locks: bool = False) -> str:
    """Make a bucket that nobody else uses."""
    name = f"keys-{os.urandom(6).hex()}"
    client.create_bucket(Bucket=name, ObjectLockEnabledForBucket=locks)
    if versions:
        client.put_bucket_versioning(Bucket=name, VersioningConfiguration={"Status": "Enabled"})
    return name

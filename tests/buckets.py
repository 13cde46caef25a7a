"""The buckets of an installation on SeaweedFS, made as an operator would: documents, keys, anchors.

One set serves the whole run; a test takes a prefix of its own with `Buckets.prefix`. ``versioned`` is another bucket
for documents, with versions kept.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from service.aws import s3_client
from service.blobs.s3 import CONNECTIONS
from tests.seaweed import REGION, Seaweed

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

ANCHOR_DAYS = 1


@dataclass(frozen=True, slots=True)
class Buckets:
    """Names of buckets on one server, and a client of its administrator."""

    endpoint: str
    client: S3Client
    documents: str = "documents"
    versioned: str = "versioned"
    keys: str = "key-objects"
    anchors: str = "anchors"
    _numbers: Iterator[int] = field(default_factory=itertools.count)

    def prefix(self) -> str:
        """A prefix that no other test has."""
        return f"t{next(self._numbers)}/"


@contextmanager
def made_buckets(server: Seaweed) -> Iterator[Buckets]:
    """Make the buckets on a server; whose keys must be where boto3 finds them."""
    client = s3_client(region=REGION, endpoint=server.endpoint, connections=CONNECTIONS)
    made = Buckets(server.endpoint, client)
    for name in (made.documents, made.versioned, made.keys):
        client.create_bucket(Bucket=name)
    client.put_bucket_versioning(Bucket=made.versioned, VersioningConfiguration={"Status": "Enabled"})
    client.create_bucket(Bucket=made.anchors, ObjectLockEnabledForBucket=True)
    client.put_object_lock_configuration(
        Bucket=made.anchors,
        ObjectLockConfiguration={
            "ObjectLockEnabled": "Enabled",
            "Rule": {"DefaultRetention": {"Mode": "COMPLIANCE", "Days": ANCHOR_DAYS}},
        },
    )
    yield made
    client.close()

"""A bucket of checkpoints, each written once and locked.

Key: ``<log id>/<2**63 - 1 - size, 20 digits>-<size, 20 digits>.note``, so that a listing begins with the newest. Each
note is locked in compliance mode: nobody deletes or shortens it before its time, whatever his rights. He can still
hide it behind a marker, or put another version before it; so everything is read by version, markers count for nothing,
and two different notes of one size are the sign of a fork, refused with both as evidence.

Source: AWS S3 user guide, "Object Lock" (a delete marker is not prevented); AWS S3 API reference, "ListObjectVersions".
"""

from __future__ import annotations

import base64
import re
import zlib
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from itertools import groupby
from typing import TYPE_CHECKING, Final

from service import aws
from service.anchors.store import MAX_NOTE_BYTES, MAX_SIZE, AnchorConflictError, check_log_id, check_note
from service.errors import UnavailableError

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

_NOTE: Final = re.compile(r"([0-9]{20})-([0-9]{20})\.note")
_PAGE_KEYS: Final = 1_000
_FEW_KEYS: Final = 10  # the newest note, and what was put over it
_MEDIA_TYPE: Final = "text/plain; charset=utf-8"


class AnchorBucket:
    """Keeps checkpoints in a bucket with Object Lock. Blocks; safe from several threads."""

    def __init__(self, client: S3Client, bucket: str, prefix: str, retain_days: int, clock: Callable[[], int]) -> None:
        """Keep notes under ``prefix`` in ``bucket``.

        Args:
            client: with timeouts and bounded retries.
            bucket: its name; `service.blobs.buckets` has found that it locks objects.
            prefix: empty, or ends in a slash.
            retain_days: how long a note is locked.
            clock: UTC milliseconds.
        """
        self._client, self._bucket, self._prefix = client, bucket, prefix
        self._retain, self._clock = timedelta(days=retain_days), clock

    def put(self, log_id: str, size: int, note: bytes) -> None:
        """See `Anchors.put`. A write whose answer was lost is settled by what is there."""
        check_note(size, note)
        key = f"{self._folder(log_id)}{MAX_SIZE - size:020d}-{size:020d}.note"
        try:
            self._client.put_object(
                Bucket=self._bucket,
                Key=key,
                Body=note,
                ChecksumAlgorithm="CRC32",
                ChecksumCRC32=base64.b64encode(zlib.crc32(note).to_bytes(4)).decode(),
                ContentType=_MEDIA_TYPE,
                IfNoneMatch="*",
                ObjectLockMode="COMPLIANCE",
                ObjectLockRetainUntilDate=datetime.fromtimestamp(self._clock() // 1000, UTC) + self._retain,
            )
        except aws.AwsError as error:
            if not (aws.is_taken(error) or aws.is_uncertain(error)):
                raise _away() from error
            kept = [self._read(key, version) for found, version in self._versions(key) if found == key]
            if not kept:
                raise _away() from error
            if kept[-1] != note:
                raise AnchorConflictError(size, kept[-1], note) from None

    def newest(self, log_id: str) -> tuple[int, bytes] | None:
        """See `Anchors.newest`. One request to list, one to read."""
        return next(self._notes(self._versions(self._folder(log_id), _FEW_KEYS)), None)

    def all(self, log_id: str) -> Iterator[tuple[int, bytes]]:
        """See `Anchors.all`. The names are listed first: 100 bytes of memory a note."""
        found = list(self._versions(self._folder(log_id)))
        found.sort(key=lambda each: each[0], reverse=True)  # stable: versions of one key stay newest first
        yield from self._notes(iter(found))

    def _notes(self, found: Iterator[tuple[str, str]]) -> Iterator[tuple[int, bytes]]:
        """Read the first version of each key, and refuse a later one that says otherwise."""
        for key, versions in groupby(found, key=lambda each: each[0]):
            name = _NOTE.fullmatch(key.rpartition("/")[2])
            if name is None or int(name[1]) + int(name[2]) != MAX_SIZE:
                continue
            notes = [self._read(key, version) for _, version in versions]
            for later in notes[:-1]:
                if later != notes[-1]:
                    raise AnchorConflictError(int(name[2]), notes[-1], later)
            yield int(name[2]), notes[-1]

    def _versions(self, prefix: str, page_keys: int = _PAGE_KEYS) -> Iterator[tuple[str, str]]:
        """List (key, version), newest checkpoint first, newest version first; markers are passed over."""
        pages = self._client.get_paginator("list_object_versions").paginate(
            Bucket=self._bucket, Prefix=prefix, PaginationConfig={"PageSize": page_keys}
        )
        try:
            for page in pages:
                for each in page.get("Versions", []):
                    yield each["Key"], each["VersionId"]
        except aws.AwsError as error:
            raise _away() from error

    def _read(self, key: str, version: str) -> bytes:
        try:
            answer = self._client.get_object(Bucket=self._bucket, Key=key, VersionId=version)
            return answer["Body"].read(MAX_NOTE_BYTES + 1)
        except aws.AwsError as error:
            raise _away() from error

    def _folder(self, log_id: str) -> str:
        return f"{self._prefix}{check_log_id(log_id)}/"


def _away() -> UnavailableError:
    return UnavailableError(
        "The anchor bucket cannot be reached or written. Ask your operator to run `muniment doctor`."
    )

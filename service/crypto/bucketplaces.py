"""A bucket as a key place.

Keys must die: the bucket has no versions, no replica and no Object Lock, or it is refused; and a deletion still removes
every version and marker that is there, then asks again. A mark lies beside the keys: without it the place is *away*, so
a bucket of the wrong name, or one that was made anew, confirms no deletion.

A request whose answer was lost is asked about, never believed: what was put is read back, and a write that the server
refuses as taken is ours when the very bytes are there.

Source: AWS S3 API reference, conditional requests; service/crypto/FORMAT.md, section 6.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from typing import TYPE_CHECKING, Any, Final

from service.aws import AwsError, error_code, is_denied, is_missing, is_taken, is_unsupported
from service.crypto.places import KEY_SUFFIX, MARK, MARK_TEXT, MAX_KEY_OBJECT_BYTES, check_key_id, is_key_id
from service.errors import ExistsError, KeyMissingError, KeyPlaceError, UnsafeError

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

# Answers that mean: this is not set, which is as it should be.
_NOT_SET: Final = frozenset({"ReplicationConfigurationNotFoundError", "ObjectLockConfigurationNotFoundError"})


class BucketKeyPlace:
    """Key objects in a bucket, one object each under ``prefix``."""

    def __init__(self, client: S3Client, bucket: str, prefix: str, name: str) -> None:
        """Use the place; nothing is asked yet.

        Args:
            client: with timeouts and bounded retries.
            bucket: its name.
            prefix: stands before each object's name; empty, or ending in a slash.
            name: what the operator calls the place; shown in certificates.
        """
        self._client, self._bucket, self._prefix, self._name = client, bucket, prefix, name

    @classmethod
    def create(cls, client: S3Client, bucket: str, prefix: str, name: str) -> BucketKeyPlace:
        """Check the bucket and put the mark into it; a place that is there already stays as it is.

        Raises:
            UnsafeError: see `check`.
            KeyPlaceError: the bucket cannot be reached or written.
        """
        place = cls(client, bucket, prefix, name)
        place.check()
        with place._asking():
            try:
                client.put_object(Bucket=bucket, Key=prefix + MARK, Body=MARK_TEXT, IfNoneMatch="*")
            except AwsError as error:
                if not is_taken(error):
                    raise
        place._require_mark()
        return place

    def check(self) -> tuple[str, ...]:
        """Ask whether what is deleted here is gone.

        Returns: what could not be told, a sentence each.

        Raises:
            UnsafeError: the bucket keeps versions, is replicated, or locks objects.
            KeyPlaceError: it cannot be reached.
        """
        client, told = self._client, []
        told.append(self._refuse("keeps versions: use one that never had them.", self._versions))
        told.append(
            self._refuse("is replicated: remove that.", lambda: client.get_bucket_replication(Bucket=self._bucket))
        )
        told.append(
            self._refuse(
                "locks objects: use one without Object Lock.",
                lambda: client.get_object_lock_configuration(Bucket=self._bucket),
            )
        )
        return tuple(sentence for sentence in told if sentence)

    @property
    def name(self) -> str:
        """What the operator calls the place."""
        return self._name

    def put(self, key_id: str, data: bytes) -> None:
        """See `KeyPlace.put`. The very bytes put again are no second object."""
        key = self._key(key_id)
        with self._asking():
            self._require_mark()
            try:
                self._client.put_object(Bucket=self._bucket, Key=key, Body=data, IfNoneMatch="*")
            except AwsError as error:
                if not is_taken(error):
                    raise
            there = self._read(key)
        if there is None:
            raise self._away()
        if there[0] != data:
            raise ExistsError("There is a key of this id.")

    def get(self, key_id: str) -> bytes:
        """See `KeyPlace.get`."""
        key = self._key(key_id)
        with self._asking():
            found = self._read(key)
            if found is None:
                self._require_mark()
                raise KeyMissingError
        return found[0]

    def replace(self, key_id: str, old: bytes, new: bytes) -> bool:
        """See `KeyPlace.replace`. The server compares: its ETag is that of the bytes we compared."""
        key = self._key(key_id)
        with self._asking():
            self._require_mark()
            found = self._read(key)
            if found is None or found[0] != old:
                return found is not None and found[0] == new
            try:
                self._client.put_object(Bucket=self._bucket, Key=key, Body=new, IfMatch=found[1])
            except AwsError as error:
                if not is_taken(error) and not is_missing(error):
                    raise
            there = self._read(key)
        return there is not None and there[0] == new

    def delete(self, key_id: str) -> None:
        """See `KeyPlace.delete`."""
        key = self._key(key_id)
        with self._asking():
            self._require_mark()
            for version in self._versions_of(key):
                self._client.delete_object(Bucket=self._bucket, Key=key, VersionId=version)
            gone = not any(self._versions_of(key)) and self._read(key) is None
        if not gone:
            raise self._away()

    def list(self) -> list[str]:
        """See `KeyPlace.list`."""
        names: set[str] = set()
        with self._asking():
            for page in self._client.get_paginator("list_objects_v2").paginate(
                Bucket=self._bucket, Prefix=self._prefix, Delimiter="/"
            ):
                names.update(found["Key"].removeprefix(self._prefix) for found in page.get("Contents", ()))
        if MARK not in names:
            raise self._away()
        stems = (name.removesuffix(KEY_SUFFIX) for name in names if name.endswith(KEY_SUFFIX))
        return sorted(stem for stem in stems if is_key_id(stem))

    def _key(self, key_id: str) -> str:
        return self._prefix + check_key_id(key_id) + KEY_SUFFIX

    def _read(self, key: str) -> tuple[bytes, str] | None:
        """The first bytes of an object and its ETag; at most one byte more than a key object may have."""
        try:
            answer = self._client.get_object(Bucket=self._bucket, Key=key)
        except AwsError as error:
            if is_missing(error):
                return None
            raise
        with closing(answer["Body"]) as body:  # its own `with` gives the socket, which counts nothing
            read = body.read(MAX_KEY_OBJECT_BYTES + 1)
            if len(read) <= MAX_KEY_OBJECT_BYTES:
                body.read(1)  # only at its end does the client compare what came with what was announced
        return read, answer["ETag"]

    def _versions_of(self, key: str) -> Iterator[str]:
        """All versions and markers of one object; without versions, the object itself is one, named ``null``."""
        for page in self._client.get_paginator("list_object_versions").paginate(Bucket=self._bucket, Prefix=key):
            found: list[Any] = [*page.get("Versions", ()), *page.get("DeleteMarkers", ())]
            yield from (each["VersionId"] for each in found if each["Key"] == key)

    def _versions(self) -> Any:
        return self._client.get_bucket_versioning(Bucket=self._bucket).get("Status")

    def _refuse(self, why: str, ask: Callable[[], Any]) -> str:
        """Refuse the bucket where the server has an answer; return what to say where it has none."""
        with self._asking():
            try:
                answer = ask()
            except AwsError as error:
                if error_code(error) in _NOT_SET:
                    return ""
                if is_unsupported(error) or is_denied(error):
                    return (
                        f"Whether the bucket of the key place {self._name} is safe cannot be told: it must not be "
                        f"one that {why}"
                    )
                raise
        if answer:
            raise UnsafeError(f"Keys must die, but the bucket of the key place {self._name} {why}")
        return ""

    def _require_mark(self) -> None:
        found = self._read(self._prefix + MARK)
        if found is None or found[0] != MARK_TEXT:
            raise self._away()

    @contextmanager
    def _asking(self) -> Iterator[None]:
        try:
            yield
        except AwsError as error:
            raise self._away() from error

    def _away(self) -> KeyPlaceError:
        detail = (
            f"The key place {self._name} is away or cannot be written. Nothing was shown. Ask your operator whether "
            "its bucket is there, with its mark, and Muniment's role may use it; then to run `muniment doctor`."
        )
        return KeyPlaceError(detail, extra={"place": self._name})

"""Objects of a bucket: what S3 is asked, and what its answers mean. Blocking; `s3` calls it from threads.

Rules kept here:

* each body goes with its CRC-32, and the server refuses what arrived otherwise. The CRC guards the transport; what a
  thief of the bucket changes is refused by the seal;
* nothing is replaced: both ways of writing carry ``If-None-Match: *``;
* an answer that was lost is no failure yet: each upload carries a random mark in its metadata, and a commit without a
  clear answer is settled by asking what is there;
* what is deleted is deleted in every version, markers included, and counts as deleted only when the server names it.

Errors of AWS end here: they leave as `StoreUnavailableError` and its neighbours.

Source: AWS S3 API reference, "PutObject", "CompleteMultipartUpload", "ListObjectVersions", "DeleteObjects".
"""

from __future__ import annotations

import base64
from bisect import bisect_left
from collections.abc import Iterator, Sequence
from datetime import datetime
from threading import Lock
from typing import IO, TYPE_CHECKING, Final, NamedTuple, TypedDict, cast

from service import aws
from service.blobs.bodies import Body
from service.blobs.store import BlobInfo, is_blob_id
from service.errors import ExistsError, MunimentError, StoreFullError, StoreUnavailableError

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client
    from mypy_boto3_s3.type_defs import CompletedPartTypeDef, ObjectIdentifierTypeDef

MAX_PARTS: Final = 10_000
LIST_KEYS: Final = 1_000  # what S3 lists and deletes in one request
_FEWEST_KEYS: Final = 16
_MEDIA_TYPE: Final = "application/octet-stream"
_UPLOAD: Final = "upload"
_STORE_MARK: Final = "muniment-blobs"


class _After(TypedDict, total=False):
    KeyMarker: str


class Upload(NamedTuple):
    """An object on its way in parts."""

    blob_id: str
    mark: str  # random, and in the object's metadata: tells ours from another's
    upload_id: str


class Objects:
    """The objects of one bucket whose keys are ``prefix`` and the id of a blob. Safe for several threads."""

    def __init__(self, client: S3Client, bucket: str, prefix: str = "") -> None:
        self.client, self.bucket, self.prefix = client, bucket, prefix
        # One thread lists while others delete. Reading a page is work of the interpreter: eight at once read no faster,
        # and the first deletion would begin when the last page is read.
        self._listing = Lock()

    def key(self, blob_id: str) -> str:
        """The key of a blob's object."""
        return self.prefix + blob_id

    def mark(self) -> None:
        """Put the store's mark into the bucket; one that is there stays."""
        try:
            self.client.put_object(
                Bucket=self.bucket, Key=self.prefix + _STORE_MARK, Body=b"muniment blobs v1\n", IfNoneMatch="*"
            )
        except aws.AwsError as error:
            if not aws.is_taken(error):
                raise translated(error) from error

    def is_marked(self) -> bool:
        """Say whether the mark is there: a bucket of the wrong name, or one made anew, would call everything absent."""
        try:
            self.client.head_object(Bucket=self.bucket, Key=self.prefix + _STORE_MARK)
        except aws.AwsError as error:
            if aws.is_missing(error):
                return False
            raise translated(error) from error
        return True

    def put(self, blob_id: str, mark: str, body: Body) -> None:
        """Write a small object with one request.

        Raises:
            ExistsError: there is another object of this key.
            StoreFullError, StoreUnavailableError: not written, or not certainly.
        """
        try:
            self.client.put_object(
                Bucket=self.bucket,
                Key=self.key(blob_id),
                Body=cast("IO[bytes]", body),
                ChecksumCRC32=_crc32(body),
                ContentType=_MEDIA_TYPE,
                IfNoneMatch="*",
                Metadata={_UPLOAD: mark},
            )
        except aws.AwsError as error:
            self._settle(error, blob_id, mark, len(body))

    def begin(self, blob_id: str, mark: str) -> Upload:
        """Begin an object in parts; nobody sees it before `complete`."""
        try:
            begun = self.client.create_multipart_upload(
                Bucket=self.bucket,
                Key=self.key(blob_id),
                ChecksumAlgorithm="CRC32",
                ContentType=_MEDIA_TYPE,
                Metadata={_UPLOAD: mark},
            )
        except aws.AwsError as error:
            raise translated(error) from error
        return Upload(blob_id, mark, begun["UploadId"])

    def put_part(self, upload: Upload, number: int, body: Body) -> CompletedPartTypeDef:
        """Write part ``number`` (from 1 on)."""
        checksum = _crc32(body)
        try:
            put = self.client.upload_part(
                Bucket=self.bucket,
                Key=self.key(upload.blob_id),
                UploadId=upload.upload_id,
                PartNumber=number,
                Body=cast("IO[bytes]", body),
                ChecksumCRC32=checksum,
            )
            aws.require(put, "ETag")
        except aws.AwsError as error:
            raise translated(error) from error
        return {"PartNumber": number, "ETag": put["ETag"], "ChecksumCRC32": checksum}

    def complete(self, upload: Upload, parts: Sequence[CompletedPartTypeDef], size: int) -> None:
        """Make the object of its parts visible. Raises as `put`."""
        try:
            self.client.complete_multipart_upload(
                Bucket=self.bucket,
                Key=self.key(upload.blob_id),
                UploadId=upload.upload_id,
                MultipartUpload={"Parts": parts},
                IfNoneMatch="*",
            )
        except aws.AwsError as error:
            self._settle(error, upload.blob_id, upload.mark, size)

    def abort(self, upload: Upload) -> None:
        """Remove the parts of an object that will not be; parts that are gone are no error."""
        self._abort(self.key(upload.blob_id), upload.upload_id)

    def sweep(self, before: datetime, *, remove: bool = True) -> int:
        """Abort what was begun before, and got no part since; return how many objects that were.

        Args:
            before: what is younger may be under way.
            remove: whether they are aborted, or only counted.
        """
        count = 0
        try:
            for key, upload_id in self._unfinished(before):
                count += 1
                if remove:
                    self._abort(key, upload_id)
        except aws.AwsError as error:
            raise translated(error) from error
        return count

    def _unfinished(self, before: datetime) -> Iterator[tuple[str, str]]:
        pages = self.client.get_paginator("list_multipart_uploads").paginate(Bucket=self.bucket, Prefix=self.prefix)
        for page in pages:
            for found in page.get("Uploads", []):
                key, upload_id = found["Key"], found["UploadId"]
                if found["Initiated"] < before and not self._has_part_since(before, key, upload_id):
                    yield key, upload_id

    def list_page(self, after: str) -> tuple[list[BlobInfo], str]:
        """List up to 1,000 objects after the id ``after``; with the id to go on after, empty at the end."""
        try:
            page = self.client.list_objects_v2(
                Bucket=self.bucket, Prefix=self.prefix, StartAfter=self.key(after), MaxKeys=LIST_KEYS
            )
        except aws.AwsError as error:
            raise translated(error) from error
        found = [(each["Key"].removeprefix(self.prefix), each) for each in page.get("Contents", [])]
        infos = [
            BlobInfo(name, each["Size"], int(each["LastModified"].timestamp()))
            for name, each in found
            if is_blob_id(name)
        ]
        return infos, found[-1][0] if found and page["IsTruncated"] else ""

    def delete(self, blob_ids: Sequence[str]) -> dict[str, str]:
        """Delete all versions and markers of blobs; says for each ``deleted``, ``absent`` or ``failed``.

        Args:
            blob_ids: sorted.
        """
        fates = dict.fromkeys(blob_ids, "failed")
        here: set[str] = set()
        failed: set[str] = set()
        try:
            for versions, seen in self._versions(blob_ids, failed):
                here |= {self._id(version["Key"]) for version in versions}
                failed |= self._delete_versions(versions)
                fates |= {blob_id: "deleted" if blob_id in here else "absent" for blob_id in seen}
        except aws.AwsError:
            pass  # what was not seen to its end stays as it is: failed
        return fates | dict.fromkeys(failed, "failed")

    def _versions(
        self, blob_ids: Sequence[str], failed: set[str]
    ) -> Iterator[tuple[list[ObjectIdentifierTypeDef], Sequence[str]]]:
        """Give the versions of blobs, page by page, and the ids that each page has seen the end of.

        A page that ends before the next wanted id is followed by one that begins there: a store of a million objects
        is not read to delete ten. The caller deletes a page before he asks for the next, so that an id with many
        versions comes to its end; what he could not delete he adds to ``failed``, and it is passed over.
        """
        at, keys = 0, min(LIST_KEYS, max(_FEWEST_KEYS, 2 * len(blob_ids)))
        prefix, marker = self.key(_shared_start(blob_ids[0], blob_ids[-1])), ""
        ask = self._all_versions
        if len(blob_ids) > _FEWEST_KEYS:  # worth another question, and not to begin before the first
            marker = self.key(_just_before(blob_ids[0]))  # what is listed comes after it
            if not self._has_versions():
                ask = self._only_versions
        while at < len(blob_ids):
            with self._listing:
                listed, last = ask(prefix, marker, keys)
            wanted = set(blob_ids[at:])
            versions: list[ObjectIdentifierTypeDef] = [
                {"Key": key, "VersionId": version} if version else {"Key": key}
                for key, version in listed
                if self._id(key) in wanted
            ]
            end = bisect_left(blob_ids, self._id(last)) if last else len(blob_ids)
            yield versions, blob_ids[at:end]
            keys = min(LIST_KEYS, max(_FEWEST_KEYS, 8 * len(versions)))  # few hits: smaller leaps
            at = end
            if at < len(blob_ids):
                marker = self.key(blob_ids[at] if blob_ids[at] in failed else _just_before(blob_ids[at]))

    def _has_versions(self) -> bool:
        """Say whether the bucket keeps versions or ever did. Asked anew each time: an operator may switch them on."""
        return "Status" in self.client.get_bucket_versioning(Bucket=self.bucket)

    def _all_versions(self, prefix: str, marker: str, keys: int) -> tuple[list[tuple[str, str]], str]:
        """List (key, version) after ``marker``, markers included; and the last key listed where there are more."""
        after: _After = {"KeyMarker": marker} if marker else {}
        page = self.client.list_object_versions(Bucket=self.bucket, Prefix=prefix, MaxKeys=keys, **after)
        found = (*page.get("Versions", []), *page.get("DeleteMarkers", []))
        return [(each["Key"], each["VersionId"]) for each in found], page["NextKeyMarker"] if page[
            "IsTruncated"
        ] else ""

    def _only_versions(self, prefix: str, marker: str, keys: int) -> tuple[list[tuple[str, str]], str]:
        """The same of a bucket that never kept versions, where both listing and deleting by key are quicker.

        Should it begin to keep them meanwhile, a deletion by key makes a marker, is answered so, and has failed.
        """
        page = self.client.list_objects_v2(Bucket=self.bucket, Prefix=prefix, StartAfter=marker, MaxKeys=keys)
        found = [each["Key"] for each in page.get("Contents", [])]
        # A key has but one version here: of the last one, nothing is still to come.
        return [(key, "") for key in found], f"{found[-1]}~" if found and page["IsTruncated"] else ""

    def _delete_versions(self, versions: list[ObjectIdentifierTypeDef]) -> set[str]:
        """Delete versions, and return the ids of those that the server did not name as deleted."""
        if not versions:
            return set()
        left = {(each["Key"], each.get("VersionId", "null")) for each in versions}
        answer = self.client.delete_objects(Bucket=self.bucket, Delete={"Objects": versions})
        for each in answer.get("Deleted", []):  # of a marker, SeaweedFS gives the id under its other name alone
            left.discard((each["Key"], each.get("VersionId") or each.get("DeleteMarkerVersionId") or "null"))
        return {self._id(key) for key, _ in left}

    def _id(self, key: str) -> str:
        return key.removeprefix(self.prefix)

    def _abort(self, key: str, upload_id: str) -> None:
        try:
            self.client.abort_multipart_upload(Bucket=self.bucket, Key=key, UploadId=upload_id)
        except aws.AwsError as error:
            if not aws.is_missing(error):
                raise translated(error) from error

    def _has_part_since(self, moment: datetime, key: str, upload_id: str) -> bool:
        pages = self.client.get_paginator("list_parts").paginate(Bucket=self.bucket, Key=key, UploadId=upload_id)
        return any(part["LastModified"] >= moment for page in pages for part in page.get("Parts", []))

    def _settle(self, error: Exception, blob_id: str, mark: str, size: int) -> None:
        """Return when the object is there and ours, although the answer to its commit was lost or said no.

        Raises:
            ExistsError: another's object is there.
            StoreFullError, StoreUnavailableError: it is not there, or nobody says.
        """
        if not (aws.is_taken(error) or aws.is_missing(error) or aws.is_uncertain(error)):
            raise translated(error) from error
        try:
            found = self.client.head_object(Bucket=self.bucket, Key=self.key(blob_id))
            aws.require(found, "ContentLength")
        except aws.AwsError:
            raise translated(error) from error
        if found["Metadata"].get(_UPLOAD) != mark:
            raise ExistsError("There is a blob of this id.") from None
        if found["ContentLength"] != size:
            raise translated(error) from error


def translated(error: Exception) -> MunimentError:
    """What an error of AWS means for who uses the store."""
    return StoreFullError() if aws.is_full(error) else StoreUnavailableError()


def _shared_start(one: str, other: str) -> str:
    """What two ids begin with: so does every id between them."""
    same = (index for index, (a, b) in enumerate(zip(one, other, strict=True)) if a != b)
    return one[: next(same, len(one))]


def _just_before(blob_id: str) -> str:
    """A text that sorts before an id and after every id before it: the last digit less one, and more."""
    before = {"0": "-"}.get(blob_id[-1], chr(ord(blob_id[-1]) - 1))
    return f"{blob_id[:-1]}{before}~"


def _crc32(body: Body) -> str:
    """A body's CRC-32 as S3 takes it: four bytes, big-endian, in base64."""
    return base64.b64encode(body.crc32()).decode()

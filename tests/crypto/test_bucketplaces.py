"""What is a bucket's own; the contract of key places is in tests/crypto/test_places.py."""

from __future__ import annotations

import io
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import pytest
from botocore.exceptions import ClientError, ReadTimeoutError
from botocore.response import StreamingBody

from service.crypto.bucketplaces import BucketKeyPlace
from service.errors import ExistsError, KeyMissingError, KeyPlaceError, UnsafeError
from tests.crypto.buckets import moto_s3, new_bucket, seaweed_s3

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

__all__ = ["moto_s3", "seaweed_s3"]

ONE = "key_" + "1" * 32
KEY = f"keys/{ONE}.key"


@pytest.fixture(params=["moto", "seaweed"])
def s3(request: pytest.FixtureRequest) -> S3Client:
    client: S3Client = request.getfixturevalue(f"{request.param}_s3")
    return client


@pytest.fixture
def bucket(s3: S3Client) -> str:
    return new_bucket(s3)


@pytest.fixture
def place(s3: S3Client, bucket: str) -> BucketKeyPlace:
    return BucketKeyPlace.create(s3, bucket, "keys/", "far")


def everything(place: BucketKeyPlace) -> list[Callable[[], Any]]:
    return [
        lambda: place.get(ONE),
        lambda: place.put(ONE, b""),
        lambda: place.replace(ONE, b"", b""),
        lambda: place.delete(ONE),
        place.list,
    ]


def refusal(code: str, status: int) -> ClientError:
    return ClientError({"Error": {"Code": code}, "ResponseMetadata": {"HTTPStatusCode": status}}, "Any")  # type: ignore[typeddict-item]  # the members that are read


# Which buckets are refused -------------------------------------------------------------------------------------------


def test_a_bucket_without_versions_replica_and_locks_is_taken(place: BucketKeyPlace) -> None:
    assert place.check() == ()


def test_a_bucket_that_keeps_versions_is_refused_also_where_they_were_suspended(s3: S3Client) -> None:
    bucket = new_bucket(s3, versions=True)
    with pytest.raises(UnsafeError, match=r"must die.*versions"):
        BucketKeyPlace.create(s3, bucket, "keys/", "far")
    s3.put_bucket_versioning(Bucket=bucket, VersioningConfiguration={"Status": "Suspended"})
    with pytest.raises(UnsafeError, match="versions"):
        BucketKeyPlace.create(s3, bucket, "keys/", "far")
    assert "Contents" not in s3.list_objects_v2(Bucket=bucket)


def test_a_bucket_that_locks_objects_is_refused(s3: S3Client) -> None:
    with pytest.raises(UnsafeError, match="must die"):
        BucketKeyPlace.create(s3, new_bucket(s3, locks=True), "keys/", "far")


def test_a_bucket_that_is_replicated_is_refused(
    s3: S3Client, place: BucketKeyPlace, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(s3, "get_bucket_replication", lambda **_: {"ReplicationConfiguration": {"Rules": []}})
    with pytest.raises(UnsafeError, match="replicated"):
        place.check()


@pytest.mark.parametrize(("code", "status"), [("NotImplemented", 501), ("AccessDenied", 403)])
def test_what_a_server_does_not_tell_is_a_warning(
    s3: S3Client, place: BucketKeyPlace, monkeypatch: pytest.MonkeyPatch, code: str, status: int
) -> None:
    def refuse(**_: Any) -> None:
        raise refusal(code, status)

    monkeypatch.setattr(s3, "get_bucket_replication", refuse)
    (warning,) = place.check()
    assert "cannot be told" in warning
    assert "replicated" in warning


def test_a_bucket_that_cannot_be_asked_is_away(s3: S3Client) -> None:
    with pytest.raises(KeyPlaceError):
        BucketKeyPlace.create(s3, "no-such-bucket-anywhere", "keys/", "far")


def test_a_bucket_that_cannot_be_written_is_away(s3: S3Client, bucket: str, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(**_: Any) -> None:
        raise refusal("AccessDenied", 403)

    monkeypatch.setattr(s3, "put_object", refuse)
    with pytest.raises(KeyPlaceError):
        BucketKeyPlace.create(s3, bucket, "keys/", "far")


# The mark ------------------------------------------------------------------------------------------------------------


def test_making_a_place_again_keeps_its_keys(s3: S3Client, bucket: str, place: BucketKeyPlace) -> None:
    place.put(ONE, b"one")
    assert BucketKeyPlace.create(s3, bucket, "keys/", "far").get(ONE) == b"one"


def test_without_its_mark_a_bucket_is_away_and_confirms_no_deletion(s3: S3Client, bucket: str) -> None:
    place = BucketKeyPlace(s3, bucket, "keys/", "far")
    for act in everything(place):
        with pytest.raises(KeyPlaceError, match=r"far is away.*mark.*doctor") as caught:
            act()
        assert caught.value.extra == {"place": "far"}
    s3.put_object(Bucket=bucket, Key="keys/muniment-key-place", Body=b"something else")
    with pytest.raises(KeyPlaceError):
        place.delete(ONE)
    with pytest.raises(KeyPlaceError):
        BucketKeyPlace.create(s3, bucket, "keys/", "far")


def test_a_bucket_that_is_gone_is_away(s3: S3Client) -> None:
    for act in everything(BucketKeyPlace(s3, "no-such-bucket-anywhere", "keys/", "far")):
        with pytest.raises(KeyPlaceError):
            act()


def test_two_prefixes_of_one_bucket_are_two_places(s3: S3Client, bucket: str, place: BucketKeyPlace) -> None:
    other = BucketKeyPlace.create(s3, bucket, "keys/more/", "other")
    other.put(ONE, b"other")
    with pytest.raises(KeyMissingError):
        place.get(ONE)
    assert (place.list(), other.list()) == ([], [ONE])


def test_what_is_no_key_is_not_listed(s3: S3Client, bucket: str, place: BucketKeyPlace) -> None:
    for name in ("note.key", "README", f"{ONE}.key.old"):
        s3.put_object(Bucket=bucket, Key=f"keys/{name}", Body=b"x")
    assert place.list() == []


def test_an_object_that_is_too_large_shows(s3: S3Client, bucket: str, place: BucketKeyPlace) -> None:
    s3.put_object(Bucket=bucket, Key=KEY, Body=bytes(100_000))
    assert len(place.get(ONE)) == 4097


# Deleting ------------------------------------------------------------------------------------------------------------


def test_all_versions_and_markers_go_where_somebody_turned_versions_on_later(
    s3: S3Client, bucket: str, place: BucketKeyPlace
) -> None:
    place.put(ONE, b"one")
    s3.put_bucket_versioning(Bucket=bucket, VersioningConfiguration={"Status": "Enabled"})
    s3.put_object(Bucket=bucket, Key=KEY, Body=b"two")
    s3.delete_object(Bucket=bucket, Key=KEY)
    s3.put_object(Bucket=bucket, Key=f"{KEY}2", Body=b"another's")
    place.delete(ONE)
    left = s3.list_object_versions(Bucket=bucket, Prefix=KEY)
    assert [each["Key"] for each in left.get("Versions", [])] == [f"{KEY}2"]
    assert "DeleteMarkers" not in left


def test_a_deletion_that_did_not_happen_is_not_confirmed(
    s3: S3Client, place: BucketKeyPlace, monkeypatch: pytest.MonkeyPatch
) -> None:
    place.put(ONE, b"one")
    with monkeypatch.context() as patched:
        patched.setattr(s3, "delete_object", lambda **_: {})
        with pytest.raises(KeyPlaceError):
            place.delete(ONE)
    place.delete(ONE)
    assert place.list() == []


@pytest.mark.parametrize("operation", ["get_object", "put_object", "delete_object", "get_paginator"])
def test_a_server_in_trouble_is_away_and_nothing_is_confirmed(
    s3: S3Client, place: BucketKeyPlace, monkeypatch: pytest.MonkeyPatch, operation: str
) -> None:
    place.put(ONE, b"one")

    def refuse(*_: Any, **__: Any) -> None:
        raise refusal("SlowDown", 503)

    with monkeypatch.context() as patched:
        patched.setattr(s3, operation, refuse)
        failing = {
            "get_object": lambda: place.get(ONE),
            "put_object": lambda: place.replace(ONE, b"one", b"two"),
            "delete_object": lambda: place.delete(ONE),
            "get_paginator": place.list,
        }[operation]
        with pytest.raises(KeyPlaceError):
            failing()
    assert place.get(ONE) == b"one"


# Answers that are lost -----------------------------------------------------------------------------------------------


def test_a_put_whose_answer_was_lost_and_that_was_sent_again_is_ours(
    s3: S3Client, place: BucketKeyPlace, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = s3.put_object

    def twice(**asked: Any) -> Any:  # as a client's own retry does it
        real(**asked)
        return real(**asked)

    monkeypatch.setattr(s3, "put_object", twice)
    place.put(ONE, b"one")
    with pytest.raises(ExistsError):
        place.put(ONE, b"two")
    assert place.get(ONE) == b"one"
    assert place.replace(ONE, b"one", b"two")
    assert place.get(ONE) == b"two"


def test_a_put_may_fail_and_be_stored(s3: S3Client, place: BucketKeyPlace, monkeypatch: pytest.MonkeyPatch) -> None:
    real = s3.put_object

    def silent(**asked: Any) -> Any:
        real(**asked)
        raise ReadTimeoutError(endpoint_url="http://127.0.0.1")

    with monkeypatch.context() as patched:
        patched.setattr(s3, "put_object", silent)
        with pytest.raises(KeyPlaceError):
            place.put(ONE, b"one")
    assert place.get(ONE) == b"one"


def test_a_put_that_left_nothing_is_not_believed(
    s3: S3Client, place: BucketKeyPlace, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(s3, "put_object", lambda **_: {})
    with pytest.raises(KeyPlaceError):
        place.put(ONE, b"one")


def test_a_body_that_is_cut_is_away_and_not_a_short_key(
    s3: S3Client, place: BucketKeyPlace, monkeypatch: pytest.MonkeyPatch
) -> None:
    def cut(**_: Any) -> Any:
        return {"Body": StreamingBody(io.BytesIO(b"on"), 3), "ETag": '"0"'}

    place.put(ONE, b"one")
    monkeypatch.setattr(s3, "get_object", cut)
    with pytest.raises(KeyPlaceError):
        place.get(ONE)

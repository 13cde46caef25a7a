"""One to three places of different kinds under one key store: a folder, a bucket, memory."""

from __future__ import annotations

import os
import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from service.crypto.bucketplaces import BucketKeyPlace
from service.crypto.keys import FolderKeyPlace, KeyStore
from service.crypto.kms import LocalRootKey
from service.crypto.mending import copy_missing
from service.crypto.places import KeyPlace
from service.crypto.roots import ChangingRoot, move
from service.errors import KeyMissingError, KeyPlaceError
from tests.crypto.buckets import moto_s3, new_bucket, seaweed_s3
from tests.fakes.keyplaces import MemoryKeyPlace

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

__all__ = ["moto_s3", "seaweed_s3"]

FIRM, PERSON = "key_" + "1" * 32, "key_" + "2" * 32


@pytest.fixture(params=["moto", "seaweed"])
def s3(request: pytest.FixtureRequest) -> S3Client:
    client: S3Client = request.getfixturevalue(f"{request.param}_s3")
    return client


@pytest.fixture
def bucket(s3: S3Client) -> str:
    return new_bucket(s3)


@pytest.fixture
def places(tmp_path: Path, s3: S3Client, bucket: str) -> Sequence[KeyPlace]:
    return (
        FolderKeyPlace.create(tmp_path / "folder"),
        BucketKeyPlace.create(s3, bucket, "keys/", "bucket"),
        MemoryKeyPlace("memory"),
    )


@pytest.fixture
def root(tmp_path: Path) -> LocalRootKey:
    return LocalRootKey.create(tmp_path / "root.key")


def store_of(root: LocalRootKey | ChangingRoot, places: Sequence[KeyPlace]) -> KeyStore:
    return KeyStore(root, places, lambda: 1.0, os.urandom)


@pytest.fixture
def store(root: LocalRootKey, places: Sequence[KeyPlace]) -> KeyStore:
    made = store_of(root, places)
    made.create(FIRM, "firm", None)
    made.create(PERSON, "person", FIRM)
    return made


def test_a_key_is_in_every_place_and_opens_from_each_alone(
    store: KeyStore, root: LocalRootKey, places: Sequence[KeyPlace]
) -> None:
    wanted = store.open(PERSON)
    assert all(place.list() == [FIRM, PERSON] for place in places)
    assert all(store_of(root, [place]).open(PERSON) == wanted for place in places)


@pytest.mark.parametrize("lost", ["folder", "bucket"])
def test_with_one_place_lost_everything_opens_and_mending_fills_it_again(
    store: KeyStore,
    root: LocalRootKey,
    places: Sequence[KeyPlace],
    tmp_path: Path,
    s3: S3Client,
    bucket: str,
    lost: str,
) -> None:
    wanted = store.open(PERSON)
    if lost == "folder":
        shutil.rmtree(tmp_path / "folder")
    else:
        for found in s3.list_objects_v2(Bucket=bucket)["Contents"]:
            s3.delete_object(Bucket=bucket, Key=found["Key"])
    after = store_of(root, places)
    assert after.open(PERSON) == wanted
    assert after.exists(PERSON)[lost] is None
    with pytest.raises(KeyPlaceError):
        after.destroy(PERSON)
    with pytest.raises(KeyPlaceError):
        after.create("key_" + "3" * 32, "firm", None)
    if lost == "folder":
        FolderKeyPlace.create(tmp_path / "folder")
    else:
        BucketKeyPlace.create(s3, bucket, "keys/", "bucket")
    assert copy_missing(after, FIRM) == (lost,)
    assert store_of(root, [place for place in places if place.name == lost]).open(FIRM) == store.open(FIRM)


def test_a_destroyed_key_is_gone_from_every_place_and_each_has_confirmed(
    store: KeyStore, root: LocalRootKey, places: Sequence[KeyPlace]
) -> None:
    assert [each.place for each in store.destroy(FIRM)] == ["folder", "bucket", "memory"]
    assert store.exists(FIRM) == {"folder": False, "bucket": False, "memory": False}
    with pytest.raises(KeyMissingError):
        store_of(root, places).open(PERSON)


def test_a_root_key_is_rotated_over_all_kinds_of_places(
    store: KeyStore, root: LocalRootKey, places: Sequence[KeyPlace], tmp_path: Path
) -> None:
    wanted = store.open(PERSON)
    new = LocalRootKey.create(tmp_path / "new.key")
    assert move(places, FIRM, ChangingRoot(new, root))
    assert all(store_of(new, [place]).open(PERSON) == wanted for place in places)

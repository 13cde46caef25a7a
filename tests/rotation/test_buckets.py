"""A whole installation whose keys lie in a folder and a bucket, under a root key in KMS."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from service import wiring
from service.config import BucketLocation
from service.errors import KeyPlaceError
from service.rotation import Level, mend, rotate
from tests.crypto.buckets import new_bucket, seaweed_s3
from tests.fakes.kms import FakeKms, running_kms
from tests.rotation.scene import Scene, a_scene, nobody_watches, owned
from tests.seaweed import REGION, Seaweed

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

__all__ = ["seaweed_s3"]


@pytest.fixture
def kms() -> Iterator[FakeKms]:
    with running_kms() as running:
        yield running


@pytest.fixture
async def scene(
    tmp_path: Path, migrated_sqlite_url: str, kms: FakeKms, seaweed: Seaweed, seaweed_s3: S3Client
) -> AsyncIterator[Scene]:
    places = (tmp_path / "var" / "near", BucketLocation(new_bucket(seaweed_s3), "keys/"))
    settings = {
        "key_places": places,
        "root_key": f"aws-kms:{kms.create_key().arn}",
        "aws_region": REGION,
        "kms_endpoint": kms.endpoint,
        "s3_endpoint": seaweed.endpoint,
    }
    async with a_scene(tmp_path / "var", migrated_sqlite_url, **settings) as made:
        yield made


async def test_every_level_is_rotated_and_an_engagement_ends_there(scene: Scene) -> None:
    for level in Level:
        await rotate(scene.services, level, nobody_watches)
    await scene.begin()
    await scene.end(scene.endings[0])
    await scene.assert_whole()


async def test_a_lost_bucket_is_made_anew_and_mended(scene: Scene, seaweed_s3: S3Client) -> None:
    place = scene.services.settings.key_places[1]
    assert isinstance(place, BucketLocation)
    for found in seaweed_s3.list_objects_v2(Bucket=place.bucket)["Contents"]:
        seaweed_s3.delete_object(Bucket=place.bucket, Key=found["Key"])
    for key_id in owned(scene.services):
        scene.services.keys.forget(key_id)
    with pytest.raises(KeyPlaceError):
        await mend(scene.services, nobody_watches)
    wiring.make_key_place_anew(scene.services.settings, str(place))
    done = await mend(scene.services, nobody_watches)
    assert done.copied == {str(place): len(owned(scene.services))}
    await scene.assert_whole()

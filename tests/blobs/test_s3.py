"""Blobs in a bucket: what the contract does not say, faults in pairs, and what is left afterwards."""

from __future__ import annotations

import asyncio
import json
import os
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from botocore.exceptions import ClientError

from service.blobs import s3
from service.blobs.bodies import Body
from service.blobs.objects import Objects
from service.blobs.s3 import BLOCK_BYTES, MAX_BLOB_BYTES, PART_BYTES, PARTS_UNDER_WAY, S3Blobs
from service.blobs.store import DeletionReport
from service.errors import BlobMissingError, ExistsError, MunimentError, StoreUnavailableError, TooLargeError
from tests.buckets import Buckets
from tests.fakes.clients import FaultyClient, LostAnswerError

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

ROOT = Path(__file__).resolve().parents[2]
IDS = [f"blb_{number:032x}" for number in range(40)]
ONE, TWO, THREE = IDS[1:4]
SMALL, LARGE = b"sealed", bytes(range(256)) * (PART_BYTES // 256 + 9)


class Bucket:
    """A prefix of a bucket on SeaweedFS, the store that keeps blobs there, and the faults of its client."""

    def __init__(self, buckets: Buckets, name: str) -> None:
        self.name, self.prefix = name, buckets.prefix()
        self.real: S3Client = buckets.client
        client: Any = FaultyClient(buckets.client)
        self.client = client
        self.store = S3Blobs(client, name, self.prefix)

    def versions(self) -> list[str]:
        """The keys of all versions and markers."""
        page = self.real.list_object_versions(Bucket=self.name, Prefix=self.prefix)
        return sorted(each["Key"] for each in (*page.get("Versions", []), *page.get("DeleteMarkers", [])))

    def uploads(self) -> int:
        """How many objects are under way in parts."""
        return len(self.real.list_multipart_uploads(Bucket=self.name, Prefix=self.prefix).get("Uploads", []))

    async def put(self, blob_id: str, data: bytes) -> None:
        writer = await self.store.create(blob_id)
        try:
            await writer.write(data)
            await writer.commit()
        except BaseException:
            await writer.abort()
            raise

    async def get(self, blob_id: str) -> bytes:
        reader = await self.store.open(blob_id)
        try:
            return await reader.read_at(0, reader.size)
        finally:
            await reader.close()


@pytest.fixture
def bucket(buckets: Buckets) -> Iterator[Bucket]:
    made = Bucket(buckets, buckets.documents)
    yield made
    made.store._threads.close()


@pytest.fixture
def versioned(buckets: Buckets) -> Iterator[Bucket]:
    made = Bucket(buckets, buckets.versioned)
    yield made
    made.store._threads.close()


async def test_a_key_is_the_prefix_and_the_id_and_tells_nothing_else(bucket: Bucket) -> None:
    await bucket.put(ONE, SMALL)
    await bucket.put(TWO, LARGE)
    assert bucket.versions() == [bucket.prefix + ONE, bucket.prefix + TWO]
    for blob_id in (ONE, TWO):
        head = bucket.real.head_object(Bucket=bucket.name, Key=bucket.prefix + blob_id)
        assert head["ContentType"] == "application/octet-stream"
        assert {name: len(value) for name, value in head["Metadata"].items()} == {"upload": 32}


@pytest.mark.parametrize(("data", "requests"), [(SMALL, ["put_object"]), (LARGE, ["create_multipart_upload"])])
async def test_a_small_blob_is_one_request_to_write_and_one_to_read(
    bucket: Bucket, data: bytes, requests: list[str]
) -> None:
    await bucket.put(ONE, data)
    asked = [call for call in bucket.client.faults.calls if call != "list_multipart_uploads"]
    assert asked[:1] == requests
    if data is SMALL:
        assert len(asked) == 1
        assert await bucket.get(ONE) == data
        assert bucket.client.faults.calls.count("get_object") == 1


async def test_bytes_that_arrive_otherwise_are_refused_by_the_store(
    bucket: Bucket, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Body, "crc32", lambda _body: b"\0\0\0\1")
    for data in (SMALL, LARGE):
        with pytest.raises(StoreUnavailableError):
            await bucket.put(ONE, data)
    assert (bucket.versions(), bucket.uploads()) == ([], 0)


COMMITS = [(SMALL, "put_object"), (LARGE, "complete_multipart_upload")]


@pytest.mark.parametrize(("data", "operation"), COMMITS)
async def test_a_commit_whose_answer_was_lost_is_settled_by_what_is_there(
    bucket: Bucket, data: bytes, operation: str
) -> None:
    bucket.client.faults.plan(operation, LostAnswerError, stored=True)
    await bucket.put(ONE, data)
    assert await bucket.get(ONE) == data


@pytest.mark.parametrize(("data", "operation"), COMMITS)
async def test_a_commit_that_did_not_happen_fails_and_leaves_nothing(
    bucket: Bucket, data: bytes, operation: str
) -> None:
    bucket.client.faults.plan(operation, LostAnswerError)
    with pytest.raises(StoreUnavailableError):
        await bucket.put(ONE, data)
    assert (bucket.versions(), bucket.uploads()) == ([], 0)


@pytest.mark.parametrize(("data", "operation"), COMMITS)
@pytest.mark.parametrize("stored", [False, True])
async def test_anothers_blob_is_not_taken_for_ours_when_the_answer_was_lost(
    bucket: Bucket, data: bytes, operation: str, stored: bool
) -> None:
    await S3Blobs.create(bucket.store, ONE)  # an upload of the same id, never committed, is nobody's
    await bucket.put(ONE, b"first")
    bucket.client.faults.plan(operation, LostAnswerError, stored=stored)
    with pytest.raises(ExistsError):
        await bucket.put(ONE, data)
    assert await bucket.get(ONE) == b"first"
    assert bucket.uploads() == 0


@pytest.mark.parametrize(("data", "operation"), COMMITS)
async def test_a_commit_that_cannot_be_settled_has_failed(bucket: Bucket, data: bytes, operation: str) -> None:
    bucket.client.faults.plan(operation, LostAnswerError, stored=True)
    bucket.client.faults.plan("head_object", LostAnswerError)
    with pytest.raises(StoreUnavailableError):
        await bucket.put(ONE, data)
    assert await bucket.store.delete([ONE]) == DeletionReport((ONE,), (), ())


@pytest.mark.parametrize("operation", ["create_multipart_upload", "upload_part"])
@pytest.mark.parametrize("stored", [False, True])
async def test_a_part_that_fails_fails_the_blob(bucket: Bucket, operation: str, stored: bool) -> None:
    bucket.client.faults.plan(operation, LostAnswerError, stored=stored)
    with pytest.raises(StoreUnavailableError):
        await bucket.put(ONE, LARGE)
    assert bucket.versions() == []
    lost_its_name = operation == "create_multipart_upload" and stored
    assert bucket.uploads() == lost_its_name
    assert await bucket.store.sweep(-60) == lost_its_name


async def test_a_cancelled_upload_leaves_no_part(bucket: Bucket) -> None:
    writer = await bucket.store.create(ONE)
    await writer.write(LARGE)
    task = asyncio.ensure_future(writer.commit())
    await asyncio.sleep(0)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    await writer.abort()
    await bucket.store.delete([ONE])
    assert (bucket.versions(), bucket.uploads()) == ([], 0)


async def test_unfinished_uploads_are_swept_when_they_are_old_and_got_no_part(bucket: Bucket) -> None:
    objects = Objects(bucket.real, bucket.name, bucket.prefix)
    abandoned, living = objects.begin(ONE, "mark"), objects.begin(TWO, "mark")
    assert await bucket.store.sweep() == 0
    later = S3Blobs(bucket.real, bucket.name, bucket.prefix, clock=lambda: time.time() + s3.SWEEP_AGE_S + 60)
    body = Body(8)
    body.append(memoryview(b"sealed"))
    objects.put_part(living, 1, body)
    parts = bucket.real.list_parts(Bucket=bucket.name, Key=bucket.prefix + TWO, UploadId=living.upload_id)
    assert len(parts["Parts"]) == 1
    assert await later.sweep(s3.SWEEP_AGE_S + 120) == 0
    await asyncio.sleep(1.1)
    body.seek(0)
    objects.put_part(living, 1, body)
    begun = bucket.real.list_multipart_uploads(Bucket=bucket.name, Prefix=bucket.prefix)["Uploads"][0]["Initiated"]
    between = S3Blobs(bucket.real, bucket.name, bucket.prefix, clock=lambda: begun.timestamp() + 1)
    assert await between.sweep(0) == 1
    assert bucket.uploads() == 1
    objects.abort(abandoned)  # again is no error
    objects.abort(living)


async def test_the_first_upload_of_a_process_sweeps_and_does_not_wait_for_it(
    bucket: Bucket, caplog: pytest.LogCaptureFixture
) -> None:
    bucket.client.faults.plan("put_object", LostAnswerError)
    bucket.client.get_paginator = lambda _name: (_ for _ in ()).throw(LostAnswerError())
    await bucket.store.create(ONE)
    await bucket.store.create(TWO)
    bucket.store._threads.close()
    assert [record.message for record in caplog.records].count("unfinished uploads could not be swept") == 1


async def test_deleting_leaves_no_version_and_no_marker(versioned: Bucket) -> None:
    for blob_id in (ONE, TWO):
        for _ in range(3):
            versioned.real.put_object(Bucket=versioned.name, Key=versioned.prefix + blob_id, Body=b"x")
        versioned.real.delete_object(Bucket=versioned.name, Key=versioned.prefix + blob_id)
    versioned.real.put_object(Bucket=versioned.name, Key=versioned.prefix + THREE, Body=b"kept")
    assert await versioned.store.delete([ONE, TWO]) == DeletionReport((ONE, TWO), (), ())
    assert versioned.versions() == [versioned.prefix + THREE]


@pytest.mark.parametrize("fewest", [1, 16])
@pytest.mark.parametrize("kind", ["bucket", "versioned"])
async def test_of_many_exactly_those_that_were_named_go_whatever_the_pages(
    request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch, kind: str, fewest: int
) -> None:
    here: Bucket = request.getfixturevalue(kind)
    monkeypatch.setattr("service.blobs.objects._FEWEST_KEYS", fewest)
    monkeypatch.setattr("service.blobs.objects.LIST_KEYS", 2 if fewest == 1 else 1_000)
    for number, blob_id in enumerate(IDS):
        for _ in range(1 + number % 4 if kind == "versioned" else 1):
            here.real.put_object(Bucket=here.name, Key=here.prefix + blob_id, Body=b"x")
    gone, never = [*IDS[2:5], *IDS[9:30:3], IDS[-1]], [f"blb_{number:032x}" for number in (10**9, 10**10)]
    found = await here.store.delete([*never, *reversed(gone)])
    assert found == DeletionReport(tuple(gone), tuple(never), ())
    assert set(here.versions()) == {here.prefix + blob_id for blob_id in IDS if blob_id not in gone}


DELETIONS = ["list_object_versions", "delete_objects"]


@pytest.mark.parametrize("operation", DELETIONS)
@pytest.mark.parametrize("stored", [False, True])
async def test_what_is_not_certainly_deleted_is_called_failed_and_goes_when_asked_again(
    versioned: Bucket, operation: str, stored: bool
) -> None:
    await versioned.put(ONE, SMALL)
    versioned.client.faults.plan(operation, LostAnswerError, stored=stored)
    assert await versioned.store.delete([ONE, TWO]) == DeletionReport((), (), (ONE, TWO))
    again = await versioned.store.delete([ONE, TWO])
    assert (again.failed, sorted(again.deleted + again.absent)) == ((), [ONE, TWO])
    assert versioned.versions() == []


async def test_what_the_store_does_not_name_as_deleted_has_failed(versioned: Bucket) -> None:
    await versioned.put(ONE, SMALL)
    await versioned.put(TWO, SMALL)
    real = versioned.real.delete_objects

    def silent(**given: Any) -> Any:
        answer = real(**given)
        answer["Deleted"] = [each for each in answer["Deleted"] if not each["Key"].endswith(TWO)]
        return answer

    versioned.client.delete_objects = silent
    assert await versioned.store.delete([ONE, TWO, THREE]) == DeletionReport((ONE,), (THREE,), (TWO,))


async def test_a_locked_version_is_called_failed(buckets: Buckets) -> None:
    locked = Bucket(buckets, buckets.anchors)
    await locked.put(ONE, SMALL)
    assert await locked.store.delete([ONE, TWO]) == DeletionReport((), (TWO,), (ONE,))


async def test_an_answer_that_breaks_off_is_asked_for_again_from_there(bucket: Bucket) -> None:
    await bucket.put(ONE, LARGE)
    reader = await bucket.store.open(ONE)
    first = await reader.read_at(0, 100)
    body: Any = reader._object._body
    read, broken = body.read, list[int]()

    def breaking(length: int) -> bytes:
        if not broken:
            broken.append(length)
            raise LostAnswerError
        return bytes(read(length))

    body.read = breaking
    assert first + await reader.read_at(100, reader.size - 100) == LARGE
    assert broken
    await reader.close()


async def test_a_blob_that_was_replaced_meanwhile_is_noticed(bucket: Bucket) -> None:
    await bucket.put(ONE, LARGE)
    reader = await bucket.store.open(ONE)
    bucket.real.put_object(Bucket=bucket.name, Key=bucket.prefix + ONE, Body=LARGE[::-1])
    with pytest.raises(StoreUnavailableError):
        await reader.read_at(PART_BYTES, 100)
    await reader.close()


async def test_what_was_deleted_meanwhile_is_refused_and_never_other_bytes(bucket: Bucket) -> None:
    await bucket.put(ONE, LARGE)
    reader = await bucket.store.open(ONE)
    await bucket.store.delete([ONE])
    with pytest.raises(BlobMissingError):
        await reader.read_at(PART_BYTES, 100)
    await reader.close()


async def test_a_bucket_that_is_gone_is_away_and_calls_nothing_missing_or_deleted(buckets: Buckets) -> None:
    store = S3Blobs(buckets.client, "no-such-bucket")
    with pytest.raises(StoreUnavailableError) as away:
        await store.open(ONE)
    assert not isinstance(away.value, BlobMissingError)
    assert await store.delete([ONE, TWO]) == DeletionReport((), (), (ONE, TWO))
    with pytest.raises(StoreUnavailableError):
        [info async for info in store.list()]
    with pytest.raises(MunimentError):
        store.prepare()


async def test_a_bucket_without_the_mark_is_not_this_stores(bucket: Bucket) -> None:
    assert not bucket.store.is_prepared()
    bucket.store.prepare()
    bucket.store.prepare()
    assert bucket.store.is_prepared()
    assert [info async for info in bucket.store.list()] == []


async def test_reading_on_asks_once_and_reading_about_asks_for_no_more_than_is_wanted(bucket: Bucket) -> None:
    data = os.urandom(6 * BLOCK_BYTES)
    await bucket.put(ONE, data)
    reader = await bucket.store.open(ONE)
    for offset in range(0, len(data), 262_144):
        assert await reader.read_at(offset, 262_144) == data[offset : offset + 262_144]
    assert bucket.client.faults.calls.count("get_object") == 1
    assert await reader.read_at(5, 10) == data[5:15]
    assert bucket.client.faults.calls.count("get_object") == 2
    await reader.close()


async def test_a_blob_of_too_many_parts_is_refused(bucket: Bucket, monkeypatch: pytest.MonkeyPatch) -> None:
    assert MAX_BLOB_BYTES > 70 * 2**30
    monkeypatch.setattr(s3, "MAX_PARTS", 1)
    with pytest.raises(TooLargeError):
        await bucket.put(ONE, bytes(2 * PART_BYTES))
    assert (bucket.versions(), bucket.uploads()) == ([], 0)


async def test_at_most_three_parts_are_under_way_and_the_loop_never_waits(bucket: Bucket) -> None:
    under_way, most, lock = 0, 0, threading.Lock()
    real = bucket.real.upload_part

    def slow(**given: Any) -> Any:
        nonlocal under_way, most
        with lock:
            under_way += 1
            most = max(most, under_way)
        time.sleep(0.2)
        with lock:
            under_way -= 1
        return real(**given)

    bucket.client.upload_part = slow
    writing = asyncio.ensure_future(bucket.put(ONE, bytes(6 * PART_BYTES)))
    longest, last = 0.0, time.monotonic()
    while not writing.done():
        await asyncio.sleep(0.005)
        longest, last = max(longest, time.monotonic() - last), time.monotonic()
    await writing
    assert most == PARTS_UNDER_WAY
    assert longest < 0.15


def test_many_clients_refused_do_not_leak_their_errors(bucket: Bucket) -> None:
    denied = ClientError({"Error": {"Code": "AccessDenied", "Message": "arn:aws:secret"}}, "PutObject")
    objects = Objects(bucket.client, bucket.name, bucket.prefix)
    bucket.client.put_object = lambda **_: (_ for _ in ()).throw(denied)
    with pytest.raises(StoreUnavailableError) as caught:
        objects.put(ONE, "mark", Body(1))
    assert "arn" not in caught.value.message


MEASURE = """
import asyncio, json, os, resource, sys
from pathlib import Path
from service.aws import s3_client
from service.blobs.s3 import CONNECTIONS, S3Blobs

def peak():
    lines = Path("/proc/self/status").read_text().splitlines()
    return int(next(line for line in lines if line.startswith("VmHWM")).split()[1]) // 1024

async def main(bucket, prefix, endpoint, mib):
    store = S3Blobs(s3_client(region="us-east-1", endpoint=endpoint, connections=CONNECTIONS), bucket, prefix)
    await store.delete(["blb_" + "0" * 32])
    before, piece = peak(), os.urandom(262_400)
    writer = await store.create("blb_" + "1" * 32)
    for _ in range(mib * 4):
        await writer.write(bytearray(piece))
    await writer.commit()
    written = peak()
    reader = await store.open("blb_" + "1" * 32)
    for offset in range(0, reader.size, len(piece)):
        assert await reader.read_at(offset, len(piece)) == piece
    await reader.close()
    print(json.dumps([before, written, peak(), reader.size]))

asyncio.run(main(*sys.argv[1:4], int(sys.argv[4])))
"""


def test_memory_does_not_grow_with_the_blob(bucket: Bucket, buckets: Buckets) -> None:
    command = [sys.executable, "-c", MEASURE, bucket.name, bucket.prefix, buckets.endpoint, "256"]
    run = subprocess.run(
        command, capture_output=True, text=True, check=True, cwd=ROOT, env={**os.environ, "PYTHONPATH": str(ROOT)}
    )
    before, written, read, size = json.loads(run.stdout)
    assert size == 256 * 4 * 262_400
    assert written - before <= 64
    assert read - before <= 64

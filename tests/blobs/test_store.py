"""The contract of a blob store: folder, fake and buckets all keep it.

Buckets are those of moto (in the process, lenient) and of SeaweedFS (a real server), there without versions and with.
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from moto import mock_aws

from service.aws import s3_client
from service.blobs.local import FLUSH_BYTES, INLINE_READ_BYTES, LocalBlobs
from service.blobs.s3 import BLOCK_BYTES, CONNECTIONS, FIRST_BLOCK_BYTES, PART_BYTES, S3Blobs
from service.blobs.store import BlobStore, DeletionReport
from service.errors import BadInputError, BadStateError, BlobMissingError, ExistsError
from tests.buckets import Buckets
from tests.fakes.blobs import MemoryBlobs
from tests.seaweed import REGION

IDS = [f"blb_{number:032x}" for number in range(300)]
ONE, TWO, THREE = IDS[1:4]


@contextmanager
def bucket_of_moto() -> Iterator[S3Blobs]:
    with mock_aws():
        client = s3_client(region=REGION, endpoint="", connections=CONNECTIONS)
        client.create_bucket(Bucket="documents")
        store = S3Blobs(client, "documents", "blobs/", clock=lambda: 86_400)  # moto's uploads all began in 2010
        yield store
        store.close()


@pytest.fixture(params=["folder", "memory", "moto", "seaweed", "seaweed versioned"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[BlobStore]:
    kind, _, versioned = request.param.partition(" ")
    if kind == "folder":
        yield LocalBlobs(tmp_path)
    elif kind == "memory":
        yield MemoryBlobs()
    elif kind == "moto":
        with bucket_of_moto() as made:
            yield made
    else:
        buckets: Buckets = request.getfixturevalue("buckets")
        name = buckets.versioned if versioned else buckets.documents
        client = s3_client(region=REGION, endpoint=buckets.endpoint, connections=CONNECTIONS)
        stored = S3Blobs(client, name, buckets.prefix())
        yield stored
        stored.close()


async def put(store: BlobStore, blob_id: str, *pieces: bytes) -> None:
    writer = await store.create(blob_id)
    for piece in pieces:
        await writer.write(piece)
    await writer.commit()


async def get(store: BlobStore, blob_id: str) -> bytes:
    reader = await store.open(blob_id)
    try:
        return await reader.read_at(0, reader.size)
    finally:
        await reader.close()


EDGES = (INLINE_READ_BYTES, FIRST_BLOCK_BYTES, FLUSH_BYTES, BLOCK_BYTES, PART_BYTES, 2 * PART_BYTES)
LENGTHS = sorted({0, 1, 3 * PART_BYTES + 7} | {edge + more for edge in EDGES for more in (0, 1)})


@pytest.mark.parametrize("length", LENGTHS)
async def test_what_was_committed_is_given_back(store: BlobStore, length: int) -> None:
    data = os.urandom(length)
    await put(store, ONE, data[:10], b"", data[10:])
    assert await get(store, ONE) == data


async def test_any_bytes_like_may_be_written_and_used_again(store: BlobStore) -> None:
    buffer = bytearray(b"abc")
    writer = await store.create(ONE)
    await writer.write(buffer)
    buffer[:] = b"xyz"
    await writer.write(memoryview(buffer)[1:])
    await writer.commit()
    assert await get(store, ONE) == b"abcyz"


async def test_a_blob_is_read_at_any_place_and_ends_where_it_ends(store: BlobStore) -> None:
    await put(store, ONE, bytes(range(100)))
    reader = await store.open(ONE)
    assert reader.size == 100
    assert await reader.read_at(50, 10) == bytes(range(50, 60))
    assert await reader.read_at(95, 10) == bytes(range(95, 100))
    assert await reader.read_at(100, 10) == b""
    assert await reader.read_at(0, 0) == b""
    assert await reader.read_at(10, 1_000_000) == bytes(range(10, 100))
    await reader.close()


@pytest.mark.parametrize("step", [1_000, 262_400, 262_144, 700_000, 3_000_000])
async def test_read_on_or_back_and_forth_the_bytes_are_the_same(store: BlobStore, step: int) -> None:
    data = os.urandom(PART_BYTES + 77)
    await put(store, ONE, data)
    reader = await store.open(ONE)
    onward = range(0, min(len(data), 1_000 * step), step)
    back_and_forth = [*reversed(onward[-5:]), 0, 5, step, 3 * step, 2 * step, len(data) - 1]
    for offset in (*onward, *back_and_forth):
        assert await reader.read_at(offset, step) == data[offset : offset + step]
    await reader.close()


async def test_nothing_is_seen_before_it_is_committed(store: BlobStore) -> None:
    writer = await store.create(ONE)
    await writer.write(bytes(2 * FLUSH_BYTES))
    with pytest.raises(BlobMissingError):
        await store.open(ONE)
    assert [info async for info in store.list()] == []
    await writer.commit()
    assert [info.size_bytes async for info in store.list()] == [2 * FLUSH_BYTES]


async def test_nothing_of_a_large_one_is_seen_before_it_is_committed(store: BlobStore) -> None:
    writer = await store.create(ONE)
    await writer.write(bytes(2 * PART_BYTES + 1))
    with pytest.raises(BlobMissingError):
        await store.open(ONE)
    assert [info async for info in store.list()] == []
    await writer.abort()
    assert await store.delete([ONE]) == DeletionReport((), (ONE,), ())


async def test_a_blob_is_never_replaced(store: BlobStore) -> None:
    await put(store, ONE, b"first")
    writer = await store.create(ONE)
    await writer.write(b"second")
    with pytest.raises(ExistsError):
        await writer.commit()
    assert await get(store, ONE) == b"first"


async def test_a_large_one_replaces_none_either(store: BlobStore) -> None:
    await put(store, ONE, b"first")
    writer = await store.create(ONE)
    await writer.write(bytes(PART_BYTES + 1))
    with pytest.raises(ExistsError):
        await writer.commit()
    assert await get(store, ONE) == b"first"


async def test_of_many_commits_to_one_id_exactly_one_succeeds(store: BlobStore) -> None:
    async def attempt(number: int) -> str:
        try:
            await put(store, ONE, b"%d" % number)
        except ExistsError:
            return "refused"
        return "stored"

    outcomes = await asyncio.gather(*(attempt(number) for number in range(10)))
    assert sorted(outcomes) == ["refused"] * 9 + ["stored"]


async def test_an_aborted_blob_was_never_there(store: BlobStore) -> None:
    writer = await store.create(ONE)
    await writer.write(bytes(2 * FLUSH_BYTES))
    await writer.abort()
    await writer.abort()
    with pytest.raises(BlobMissingError):
        await store.open(ONE)
    for act in (writer.write(b"more" * FLUSH_BYTES), writer.commit()):
        with pytest.raises(BadStateError):
            await act


async def test_aborting_after_commit_changes_nothing(store: BlobStore) -> None:
    writer = await store.create(ONE)
    await writer.write(b"text")
    await writer.commit()
    await writer.abort()
    assert await get(store, ONE) == b"text"
    with pytest.raises(BadStateError):
        await writer.commit()


async def test_what_is_not_there_is_missing(store: BlobStore) -> None:
    with pytest.raises(BlobMissingError):
        await store.open(ONE)


async def test_deleting_says_what_became_of_each(store: BlobStore) -> None:
    await put(store, ONE, b"one")
    await put(store, THREE, b"three")
    assert await store.delete([ONE, TWO, THREE]) == DeletionReport((ONE, THREE), (TWO,), ())
    assert await store.delete([ONE]) == DeletionReport((), (ONE,), ())
    assert await store.delete([]) == DeletionReport((), (), ())
    with pytest.raises(BlobMissingError):
        await store.open(ONE)


async def test_an_open_blob_stays_readable_when_it_is_deleted(store: BlobStore) -> None:
    await put(store, ONE, b"text")
    reader = await store.open(ONE)
    await store.delete([ONE])
    assert await reader.read_at(0, 4) == b"text"
    await reader.close()


async def test_a_closed_reader_reads_no_more(store: BlobStore) -> None:
    await put(store, ONE, b"text")
    reader = await store.open(ONE)
    await reader.close()
    await reader.close()
    for length in (1, INLINE_READ_BYTES + 1):
        with pytest.raises(BadStateError):
            await reader.read_at(0, length)


async def test_every_blob_is_listed_once_with_its_size(store: BlobStore) -> None:
    for number, blob_id in enumerate(IDS):
        await put(store, blob_id, bytes(number))
    listed = [info async for info in store.list()]
    assert sorted((info.blob_id, info.size_bytes) for info in listed) == list(zip(IDS, range(300), strict=True))
    assert all(info.modified_at > 0 for info in listed)


@pytest.mark.parametrize("blob_id", ["", ".", "../x", "blb_1", ONE + "\n", ONE.upper(), "tmp", "/etc/passwd", "a\0b"])
async def test_what_is_no_blob_id_reaches_no_file(store: BlobStore, blob_id: str) -> None:
    await put(store, ONE, b"one")
    for act in (store.create(blob_id), store.open(blob_id), store.delete([ONE, blob_id])):
        with pytest.raises(BadInputError):
            await act
    assert await get(store, ONE) == b"one"

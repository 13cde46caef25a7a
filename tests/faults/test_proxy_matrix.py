"""Whatever happens on the way to the store: the right bytes or a clean error, in bounded time, and never other bytes.

Each kind of fault is done to each operation of a bucket (SeaweedFS behind the fault proxy), once or to every try. What
is read is opened as the service opens it: S3 sends no checksum with a range, so a flipped byte is the seal's to refuse.
"""

from __future__ import annotations

import asyncio
import os
import random
import time
from collections import Counter
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

import pytest
from botocore.retries.standard import ExponentialBackoff

from service import aws
from service.aws import s3_client
from service.blobs import s3
from service.blobs.s3 import S3Blobs
from service.crypto.streams import Opener, RangeOpener, encrypt
from service.errors import BlobMissingError, SealError, StoreFullError, StoreUnavailableError
from tests.buckets import Buckets
from tests.fakes.proxy import Fault, Kind, Proxy, running_proxy
from tests.scale import LONG
from tests.seaweed import REGION

KEY, CONTEXT = os.urandom(32), b"a paper"
SMALL, LARGE = os.urandom(20_000), os.urandom(2_000_000)
PARTED = os.urandom(11 * 1024 * 1024)
PART_BYTES = 5 * 1024 * 1024  # the smallest that S3 takes
CLEAN = (StoreUnavailableError, StoreFullError, SealError)
READ_TIMEOUT_S, LONGEST_S = 0.5, 30.0
ONE, TWO, *MANY = (f"blb_{number:032x}" for number in range(1, 22))
KINDS_OF_VERSION = ("Versions", "DeleteMarkers")
# Names in a listing carry no checksum: what guards them is TLS, to which a changed byte is a broken connection.
GUARDED_BY_TLS = frozenset((name, Kind.FLIP_REPLY) for name in ("delete", "delete versions", "list"))
Figure = Callable[[str, object], None]


def _seal(plain: bytes) -> bytes:
    return b"".join(encrypt(KEY, CONTEXT, [plain]))


@dataclass(frozen=True, slots=True)
class Line:
    """A store behind the proxy, the same store without it, the proxy, and where the blobs lie."""

    store: S3Blobs
    direct: S3Blobs
    proxy: Proxy
    admin: Any
    bucket: str
    prefix: str


Operation = Callable[[Line], Awaitable[str]]


# Operations: each asks once through the proxy, says how that ended, and looks at what is there without it ------------


async def _write(store: S3Blobs, blob_id: str, sealed: bytes) -> None:
    writer = await store.create(blob_id)
    try:
        for start in range(0, len(sealed), 1_000_000):
            await writer.write(sealed[start : start + 1_000_000])
        await writer.commit()
    finally:
        await writer.abort()


async def _held(store: S3Blobs, blob_id: str) -> bytes | None:
    try:
        reader = await store.open(blob_id)
    except BlobMissingError:
        return None
    try:
        return await reader.read_at(0, reader.size)
    finally:
        await reader.close()


async def _put(line: Line, plain: bytes) -> str:
    sealed = _seal(plain)
    try:
        await _write(line.store, ONE, sealed)
    except CLEAN:
        assert await _held(line.direct, ONE) in (None, sealed), "half a blob"
        return "clean error"
    assert await _held(line.direct, ONE) == sealed
    return "right"


async def put_small(line: Line) -> str:
    return await _put(line, SMALL)


async def put_multipart(line: Line) -> str:
    ended = await _put(line, PARTED)
    line.proxy.forget()
    await line.direct.sweep(-60)  # what an abort could not reach is found and removed
    return ended


async def get(line: Line) -> str:
    await _write(line.direct, ONE, _seal(LARGE))
    opener, opened = Opener(KEY, CONTEXT), b""
    try:
        reader = await line.store.open(ONE)
        try:
            offset = 0
            while offset < reader.size and (piece := await reader.read_at(offset, 262_144)):
                offset += len(piece)
                opened += opener.update(piece)
        finally:
            await reader.close()
        opened += opener.finish()
    except CLEAN:
        assert LARGE.startswith(opened)
        return "clean error"
    assert opened == LARGE
    return "right"


async def get_range(line: Line) -> str:
    await _write(line.direct, ONE, _seal(LARGE))
    start, stop, opened = 1_000_000, 1_100_000, b""
    try:
        reader = await line.store.open(ONE)
        try:
            opener = RangeOpener(KEY, CONTEXT, reader.size, start, stop)
            while (asked := opener.next_read()) is not None:
                opened += opener.feed(await reader.read_at(*asked))
        finally:
            await reader.close()
    except CLEAN:
        assert LARGE[start:stop].startswith(opened)
        return "clean error"
    assert opened == LARGE[start:stop]
    return "right"


async def delete(line: Line) -> str:
    for blob_id in (ONE, TWO):
        await _write(line.direct, blob_id, SMALL)
    report = await line.store.delete([ONE])
    here = {info.blob_id async for info in line.direct.list()}
    assert TWO in here, "another blob is gone"
    assert ONE not in here or report.failed == (ONE,), "it was called deleted and is there"
    return "clean error" if report.failed else "right"


async def delete_versions(line: Line) -> str:
    """More than are listed at once, in a bucket that keeps versions: what is called gone has none left."""
    for blob_id in MANY:
        await _write(line.direct, blob_id, b"version")
        line.admin.delete_object(Bucket=line.bucket, Key=line.prefix + blob_id)  # leaves a version, and a marker
    report = await line.store.delete(MANY)
    listed = line.admin.list_object_versions(Bucket=line.bucket, Prefix=line.prefix)
    left = {each["Key"].removeprefix(line.prefix) for kind in KINDS_OF_VERSION for each in listed.get(kind, ())}
    assert left <= set(report.failed), "it was called deleted and is there"
    return "clean error" if report.failed else "right"


async def list_all(line: Line) -> str:
    for blob_id in (ONE, TWO):
        await _write(line.direct, blob_id, SMALL)
    try:
        listed = [(info.blob_id, info.size_bytes) async for info in line.store.list()]
    except CLEAN:
        return "clean error"
    assert listed == [(ONE, len(SMALL)), (TWO, len(SMALL))]
    return "right"


OPERATIONS: dict[str, Operation] = {
    "put small": put_small,
    "put multipart": put_multipart,
    "get": get,
    "ranged get": get_range,
    "delete": delete,
    "delete versions": delete_versions,
    "list": list_all,
}


# The matrix -----------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class How:
    """To which request of an operation a fault is done, and to how many."""

    nth: int
    times: int


HOWS = (How(0, 1), How(1, 1), How(2, 1), How(0, 99))


@pytest.fixture
def short_waits() -> Iterator[None]:
    """Time-outs that tests can wait for; and the pauses between tries, which prove nothing here."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(aws, "READ_TIMEOUT_S", READ_TIMEOUT_S)
        patch.setattr(aws, "CONNECT_TIMEOUT_S", READ_TIMEOUT_S)
        patch.setattr(s3, "PART_BYTES", PART_BYTES)
        patch.setattr(ExponentialBackoff, "delay_amount", lambda *_given: 0.01)
        yield


async def test_every_fault_on_the_way_to_a_bucket_ends_in_right_bytes_or_a_clean_error(
    buckets: Buckets, short_waits: None, record_property: Figure
) -> None:
    seed = random.getrandbits(32)
    told = await asyncio.gather(*(_one_kind(kind, buckets, random.Random(f"{seed} {kind}")) for kind in Kind))
    violations = [violation for _, found in told for violation in found]
    ended = sum((counted for counted, _ in told), Counter[str]())
    assert not violations, f"seed {seed}:\n" + "\n".join(violations)
    assert min(ended["right"], ended["clean error"]) > len(OPERATIONS), ended
    cells = len(Kind) * len(OPERATIONS) - len(GUARDED_BY_TLS)
    record_property(
        "figure",
        f"proxy matrix of a bucket: {len(Kind)} faults × {len(OPERATIONS)} operations, {cells} cells, right bytes "
        f"{ended['right']}, clean errors {ended['clean error']}, violations 0",
    )


async def _one_kind(kind: Kind, buckets: Buckets, chance: random.Random) -> tuple[Counter[str], list[str]]:
    """One fault, done to every operation in every way (in one way, unless this is the long run)."""
    ended, violations = Counter[str](), []
    for name, operation in OPERATIONS.items():
        if (name, kind) in GUARDED_BY_TLS:
            continue
        for how in HOWS if LONG else (chance.choice(HOWS),):
            fault = Fault(kind, at=chance.choice((0, 1, 60, 150, 300, 5_000, 700_000)), seconds=0.1)
            began = time.monotonic()
            try:
                ended[await _one_cell(operation, fault, how, buckets)] += 1
            except Exception as error:  # noqa: BLE001  # whatever is not a clean error is what we look for
                violations.append(f"{name}, {fault}, {how}: {error!r}")
            if time.monotonic() - began > LONGEST_S:
                violations.append(f"{name}, {fault}, {how}: took {time.monotonic() - began:.0f} s")
    return ended, violations


async def _one_cell(operation: Operation, fault: Fault, how: How, buckets: Buckets) -> str:
    prefix = buckets.prefix()
    server_port = urlsplit(buckets.endpoint).port
    assert server_port is not None
    with running_proxy(server_port) as proxy:
        proxy.plan(fault, nth=how.nth, times=how.times)
        client = s3_client(region=REGION, endpoint=f"http://127.0.0.1:{proxy.port}", connections=s3.CONNECTIONS)
        bucket = buckets.versioned if operation is delete_versions else buckets.documents
        store, direct = S3Blobs(client, bucket, prefix), S3Blobs(buckets.client, bucket, prefix)
        try:
            return await operation(Line(store, direct, proxy, buckets.client, bucket, prefix))
        finally:
            await asyncio.to_thread(store.close)
            await direct.delete([ONE, TWO, *MANY])

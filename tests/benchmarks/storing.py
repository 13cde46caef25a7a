"""Bodies over HTTP into a bucket and back, and the end of ten thousand objects; beside boto3 alone.

The bucket is one of SeaweedFS on the same machine, for both sides. Our service is a process of its own, started as a
user starts it: it authenticates, decides, records, hashes, looks at what the file is, and seals. Its memory is what the
kernel says that it needed beyond what it had before the body came.
"""

from __future__ import annotations

import asyncio
import io
import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from time import perf_counter
from typing import IO, TYPE_CHECKING, Final, cast
from uuid import uuid4

import boto3

from service.aws import s3_client
from service.blobs.s3 import CONNECTIONS, S3Blobs
from service.config import BucketLocation, Settings
from tests.benchmarks.places import keys_of
from tests.benchmarks.rounds import Better, Measured, by_turns
from tests.benchmarks.sealing import MIB, Sink
from tests.benchmarks.serving import Server, a_world, serving
from tests.benchmarks.sockets import Connection
from tests.seaweed import REGION, running_seaweed
from tests.world import Person

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

BODY_BYTES: Final = 1024 * MIB
BODY_ROUNDS: Final = 3
SMALL_BYTES: Final = 64 * 1024
SMALL_FILES: Final = 1_000
SMALL_CLIENTS: Final = 8
SMALL_ROUNDS: Final = 3
ERASED: Final = 10_000
ERASE_ROUNDS: Final = 3
DELETERS: Final = 8
FIRST_BYTE_S: Final = 0.05
_PAGE: Final = 1_000


@dataclass(frozen=True, slots=True)
class Store:
    """An S3 server, a bucket for us and one for the peer."""

    client: S3Client
    endpoint: str
    ours: str
    peers: str


@dataclass(frozen=True, slots=True)
class Shared:
    """Our service on that bucket, and an attorney who adds papers to a part."""

    server: Server
    headers: str
    adding: str

    def add(self, pieces: Iterable[bytes], length: int) -> str:
        """Add a document; return its id."""
        connection = Connection(self.server.port)
        answer = connection.ask(self.adding, self.headers, pieces, length, keep=True)
        connection.close()
        document_id: str = json.loads(answer.body)["document_id"]
        return document_id


def upload(folder: Path, size: int = BODY_BYTES, rounds: int = BODY_ROUNDS) -> Measured:
    """Add a document of a GiB over HTTP; the peer hands the same bytes to `upload_fileobj`."""
    piece = os.urandom(MIB)
    with a_store(folder) as store, a_service(folder, store) as shared:
        idle = _resident_mib(shared.server.pid, "VmRSS")
        _forget_peak(shared.server.pid)

        def ours() -> float:
            return _rate(size, lambda: shared.add((piece for _ in range(size // MIB)), size))

        def peer() -> float:
            return _rate(size, lambda: store.client.upload_fileobj(_spring(size, piece), store.peers, uuid4().hex))

        measured = by_turns(ours, peer, "MB/s", Better.MORE, rounds)
        return replace(measured, rss_mib=round(_resident_mib(shared.server.pid, "VmHWM") - idle, 1))


def download(folder: Path, size: int = BODY_BYTES, rounds: int = BODY_ROUNDS) -> Measured:
    """Get that document back; the peer reads the body of `get_object`."""
    piece, sink = os.urandom(MIB), Sink()
    with a_store(folder) as store, a_service(folder, store) as shared:
        document_id = shared.add((piece for _ in range(size // MIB)), size)
        store.client.upload_fileobj(_spring(size, piece), store.peers, "body")
        connection, waited = Connection(shared.server.port), []
        idle = _resident_mib(shared.server.pid, "VmRSS")
        _forget_peak(shared.server.pid)

        def take() -> None:
            answer = connection.ask(f"GET /api/v1/documents/{document_id}/content", shared.headers)
            waited.append(answer.first_byte_s)
            if answer.length != size:
                raise RuntimeError("the body is not whole")

        def take_plainly() -> None:
            taken = 0
            for chunk in store.client.get_object(Bucket=store.peers, Key="body")["Body"].iter_chunks(MIB):
                taken += sink.write(chunk)
            if taken != size:
                raise RuntimeError("the peer's body is not whole")

        measured = by_turns(lambda: _rate(size, take), lambda: _rate(size, take_plainly), "MB/s", Better.MORE, rounds)
        first = sorted(waited)[len(waited) // 2]
        if first > FIRST_BYTE_S:
            sys.stderr.write(f"download: the first byte came after {first * 1000:.0f} ms\n")
        return replace(measured, rss_mib=round(_resident_mib(shared.server.pid, "VmHWM") - idle, 1))


def small_files(folder: Path, files: int = SMALL_FILES, rounds: int = SMALL_ROUNDS) -> Measured:
    """Put and get a thousand small files from eight clients; the peer is the plainest service on boto3."""
    with a_store(folder) as store, a_service(folder, store) as shared:
        environment = {"PLAIN_BUCKET": store.peers, "PLAIN_ENDPOINT": store.endpoint}
        with serving(["-m", "tests.benchmarks.plainstore"], environment) as plain:
            own = [shared.adding, "GET /api/v1/documents/{}/content", json.dumps(_as_map(shared.headers))]
            other = ["POST /objects", "GET /objects/{}", "{}"]
            return by_turns(
                lambda: files / _clients(shared.server.port, files, own),
                lambda: files / _clients(plain.port, files, other),
                "files/s",
                Better.MORE,
                rounds,
            )


def erase(folder: Path, objects: int = ERASED, rounds: int = ERASE_ROUNDS) -> Measured:
    """Delete ten thousand objects, every version, certain at the end; the peer lists and deletes in batches.

    What a disposal does after its keys are destroyed: each batch of ids is listed with all versions, deleted, and what
    the store did not confirm is asked for again.
    """
    with a_store(folder) as store:
        blobs = S3Blobs(s3_client(region=REGION, endpoint=store.endpoint, connections=CONNECTIONS), store.ours)

        def ours() -> float:
            keys = [f"blb_{uuid4().hex}" for _ in range(objects)]
            _fill(store, store.ours, keys)
            start = perf_counter()
            report = asyncio.run(blobs.delete(keys))
            taken = perf_counter() - start
            if len(report.deleted) != objects:
                raise RuntimeError("not all was deleted")
            return taken

        def peer() -> float:
            _fill(store, store.peers, [uuid4().hex for _ in range(objects)])
            start = perf_counter()
            _delete_plainly(store)
            return perf_counter() - start

        try:
            return by_turns(ours, peer, "s", Better.LESS, rounds)
        finally:
            blobs.close()


# What they stand on ---------------------------------------------------------------------------------------------------


@contextmanager
def a_store(folder: Path) -> Iterator[Store]:
    """An S3 server with two buckets; its keys are in the environment, where boto3 and our service look for them."""
    with running_seaweed(folder / "s3") as server, keys_of(server):
        client = boto3.client("s3", endpoint_url=server.endpoint, region_name=REGION)
        store = Store(client, server.endpoint, "documents", "plain")
        for bucket in (store.ours, store.peers):
            client.create_bucket(Bucket=bucket)
        yield store


@contextmanager
def a_service(folder: Path, store: Store) -> Iterator[Shared]:
    """Our service with its contents in that bucket; rows and keys on this machine."""
    home = folder / "home"
    settings = Settings(home=home, blobs=BucketLocation(store.ours), aws_region=REGION, s3_endpoint=store.endpoint)
    attorney, engagement_id, part_id = asyncio.run(_furnish(settings))
    environment = {
        "MUNIMENT_HOME": str(home),
        "MUNIMENT_BLOBS": f"s3://{store.ours}",
        "MUNIMENT_AWS_REGION": REGION,
        "MUNIMENT_S3_ENDPOINT": store.endpoint,
        "MUNIMENT_PORT": "0",
    }
    headers = (
        f"Authorization: Bearer {attorney.token}\r\n"
        "Content-Type: application/octet-stream\r\nMuniment-Title: UTF-8''Paper\r\n"
    )
    adding = f"POST /api/v1/engagements/{engagement_id}/documents?part_id={part_id}&label=correspondence"
    with serving(["-m", "service.cli", "serve"], environment) as server:
        yield Shared(server, headers, adding)


async def _furnish(settings: Settings) -> tuple[Person, str, str]:
    async with a_world(settings) as world:
        engagement = await world.engagement()
        return engagement.attorney, engagement.id, engagement.part_id


def _clients(port: int, files: int, lines: list[str]) -> float:
    command = [sys.executable, "-m", "tests.benchmarks.files", str(port), str(files), str(SMALL_BYTES)]
    done = subprocess.run(
        [*command, str(SMALL_CLIENTS)], input="\n".join(lines), capture_output=True, text=True, check=False
    )
    if done.returncode:
        raise RuntimeError(done.stderr)
    return float(done.stdout)


def _as_map(headers: str) -> dict[str, str]:
    return dict(line.split(": ", 1) for line in headers.splitlines())


class _Spring(io.RawIOBase):
    """A file of so many bytes that gives as many as it is asked for: boto3 takes a short read for the end."""

    def __init__(self, size: int, piece: bytes) -> None:
        super().__init__()
        self._left, self._piece = size, piece

    def readable(self) -> bool:
        return True

    def read(self, size: int = -1, /) -> bytes:
        length = self._left if size < 0 else min(size, self._left)
        self._left -= length
        return (self._piece * (length // len(self._piece) + 1))[:length]


def _spring(size: int, piece: bytes) -> IO[bytes]:
    return cast("IO[bytes]", _Spring(size, piece))  # boto3 asks for `read` alone


def _rate(size: int, act: Callable[[], object]) -> float:
    start = perf_counter()
    act()
    return size / (perf_counter() - start) / 1e6


def _fill(store: Store, bucket: str, keys: list[str]) -> None:
    with ThreadPoolExecutor(DELETERS) as threads:
        for _ in threads.map(lambda key: store.client.put_object(Bucket=bucket, Key=key, Body=b"sealed"), keys):
            pass


def _delete_plainly(store: Store) -> None:
    """List everything in pages, delete each page in one request, eight of them at a time."""

    def delete(keys: list[str]) -> None:
        store.client.delete_objects(
            Bucket=store.peers, Delete={"Objects": [{"Key": key} for key in keys], "Quiet": True}
        )

    pages = store.client.get_paginator("list_objects_v2").paginate(
        Bucket=store.peers, PaginationConfig={"PageSize": _PAGE}
    )
    with ThreadPoolExecutor(DELETERS) as threads:
        for done in [threads.submit(delete, [item["Key"] for item in page.get("Contents", ())]) for page in pages]:
            done.result()


def _resident_mib(pid: int, name: str) -> float:
    status = Path(f"/proc/{pid}/status").read_text(encoding="ascii")
    (kib,) = (line.split()[1] for line in status.splitlines() if line.startswith(f"{name}:"))
    return int(kib) / 1024


def _forget_peak(pid: int) -> None:
    """Begin to measure the peak anew (Linux: clear_refs)."""
    Path(f"/proc/{pid}/clear_refs").write_text("5", encoding="ascii")

"""Blobs in a bucket.

An object's key is the prefix and the blob's id: no names, and the ids' order is the order of listing. A blob of up to
8 MiB is one request; a larger one goes in parts of 8 MiB, three under way while the fourth is filled, so that a writer
holds 32 MiB whatever the blob's size, and a reader 6 MiB.

Everything that waits for the store waits in threads of this store's own: a slow store takes no thread from the rest
of the process, and the event loop never waits.

Source: docs/adr/0013-s3.md (figures, and why not otherwise).
"""

from __future__ import annotations

import asyncio
import logging
import os
import time
from collections import deque
from collections.abc import AsyncIterator, Callable, Iterable
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Final, ParamSpec, TypeVar

from service.blobs.bodies import Body
from service.blobs.objects import LIST_KEYS, MAX_PARTS, Objects, Upload
from service.blobs.ranges import OpenObject
from service.blobs.store import BlobInfo, DeletionReport, check_blob_id
from service.errors import BadStateError, MunimentError, TooLargeError

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client
    from mypy_boto3_s3.type_defs import CompletedPartTypeDef

CONNECTIONS: Final = 32
PART_BYTES: Final = 8_388_608
PARTS_UNDER_WAY: Final = 3
MAX_BLOB_BYTES: Final = MAX_PARTS * PART_BYTES  # 78 GiB
FIRST_BLOCK_BYTES: Final = 524_288
BLOCK_BYTES: Final = 2_097_152
SWEEP_AGE_S: Final = 86_400
_DELETERS: Final = 12
_MARK_BYTES: Final = 16

_Given = ParamSpec("_Given")
_Returned = TypeVar("_Returned")

logger = logging.getLogger(__name__)


class S3Blobs:
    """A blob store in a bucket; see `service.blobs.store.BlobStore`."""

    def __init__(
        self,
        client: S3Client,
        bucket: str,
        prefix: str = "",
        clock: Callable[[], float] = time.time,
        random: Callable[[int], bytes] = os.urandom,
    ) -> None:
        """Keep blobs under ``prefix`` in ``bucket``.

        Args:
            client: of `service.aws.s3_client`, with `CONNECTIONS` connections.
            bucket: its name.
            prefix: empty, or ends in a slash; nothing else lies under it.
            clock: UTC seconds, to tell how old a leftover is.
            random: marks the uploads.
        """
        self._objects = Objects(client, bucket, prefix)
        self._clock, self._random = clock, random
        self._threads = _Threads()
        self._swept = False

    def prepare(self) -> None:
        """Mark the bucket as this store's; blocks. What is there stays.

        Raises:
            StoreFullError, StoreUnavailableError: it cannot be written.
        """
        self._objects.mark()

    def is_prepared(self) -> bool:
        """Say whether the bucket bears the mark; blocks. Asked at every start: without it nothing is served or deleted.

        Raises:
            StoreUnavailableError: it cannot be asked.
        """
        return self._objects.is_marked()

    async def create(self, blob_id: str) -> S3Writer:
        """See `BlobStore.create`. The first call of a process sweeps what crashes left more than a day ago."""
        check_blob_id(blob_id)
        if not self._swept:
            self._swept = True
            self._threads.submit(self._sweep_quietly)
        return S3Writer(self._objects, self._threads, blob_id, self._random(_MARK_BYTES).hex())

    async def open(self, blob_id: str) -> S3Reader:
        """See `BlobStore.open`. Its beginning is read at once, so that a small blob is one request."""
        check_blob_id(blob_id)
        return S3Reader(self._threads, *await self._threads.run(_begun, self._objects, blob_id))

    async def delete(self, blob_ids: Iterable[str]) -> DeletionReport:
        """See `BlobStore.delete`. Every version and marker goes; up to twelve thousand ids at a time."""
        wanted = sorted({check_blob_id(blob_id) for blob_id in blob_ids})
        few = asyncio.Semaphore(_DELETERS)

        async def part(ids: list[str]) -> dict[str, str]:
            async with few:
                return await self._threads.run(self._objects.delete, ids)

        chunks = [wanted[at : at + LIST_KEYS] for at in range(0, len(wanted), LIST_KEYS)]
        fates: dict[str, str] = {}
        for found in await asyncio.gather(*(part(chunk) for chunk in chunks)):
            fates |= found
        return DeletionReport(
            *(tuple(b for b in fates if fates[b] == fate) for fate in ("deleted", "absent", "failed"))
        )

    async def list(self) -> AsyncIterator[BlobInfo]:
        """See `BlobStore.list`. In the order of the ids."""
        after = ""
        while True:
            infos, after = await self._threads.run(self._objects.list_page, after)
            for info in infos:
                yield info
            if not after:
                return

    async def sweep(self, older_than_s: float = SWEEP_AGE_S) -> int:
        """Abort uploads that crashes left unfinished; return how many that were.

        Args:
            older_than_s: what got a part later may still be in use by another process, and stays.

        Raises:
            StoreUnavailableError: the store cannot be reached, or does not let us.
        """
        return await self._threads.run(self._sweep, older_than_s)

    async def aside(self, older_than_s: float = SWEEP_AGE_S) -> int:
        """See `LeavesAside.aside`."""
        return await self._threads.run(self._sweep, older_than_s, remove=False)

    def close(self) -> None:
        """Let go of the threads and connections; nobody uses the store any more."""
        self._threads.close()
        self._objects.client.close()

    def _sweep(self, older_than_s: float, *, remove: bool = True) -> int:
        return self._objects.sweep(datetime.fromtimestamp(self._clock() - older_than_s, UTC), remove=remove)

    def _sweep_quietly(self) -> None:
        try:
            self._sweep(SWEEP_AGE_S)
        except MunimentError as error:  # uploads go on: what is left over costs room, and the doctor names it
            logger.warning("unfinished uploads could not be swept", extra={"kind": type(error).__name__})


class _Threads:
    """The threads of a store. A task that is cancelled leaves its thread running: it is waited for, never forgotten."""

    def __init__(self) -> None:
        self._executor = ThreadPoolExecutor(CONNECTIONS, thread_name_prefix="blobs")

    def submit(
        self, act: Callable[_Given, _Returned], *given: _Given.args, **named: _Given.kwargs
    ) -> Future[_Returned]:
        """Begin something in a thread."""
        return self._executor.submit(act, *given, **named)

    async def run(self, act: Callable[_Given, _Returned], *given: _Given.args, **named: _Given.kwargs) -> _Returned:
        """Do something in a thread and wait for it."""
        return await asyncio.wrap_future(self._executor.submit(act, *given, **named))

    def close(self) -> None:
        """End when what was begun has ended."""
        self._executor.shutdown()


class S3Writer:
    """See `service.blobs.store.BlobWriter`."""

    def __init__(self, objects: Objects, threads: _Threads, blob_id: str, mark: str) -> None:
        self._objects, self._threads = objects, threads
        self._blob_id, self._mark = blob_id, mark
        self._filling = Body(PART_BYTES)
        self._size = 0
        self._beginning: Future[Upload] | None = None
        self._parts: list[Future[CompletedPartTypeDef]] = []
        self._under_way: deque[tuple[Future[CompletedPartTypeDef], Body]] = deque()
        self._commit: Future[None] | None = None
        self._open = True

    async def write(self, data: bytes | bytearray | memoryview) -> None:
        """See `BlobWriter.write`. Three parts may be under way while the fourth is filled."""
        self._require_open()
        rest = memoryview(data)
        self._size += len(rest)
        try:
            while rest:
                if not self._filling.room:
                    await self._send()
                piece, rest = rest[: self._filling.room], rest[self._filling.room :]
                self._filling.append(piece)
        except MunimentError:
            await self.abort()
            raise

    async def commit(self) -> None:
        """See `BlobWriter.commit`."""
        self._require_open()
        self._open = False
        try:
            if self._beginning is None:
                self._commit = self._threads.submit(self._objects.put, self._blob_id, self._mark, self._filling)
            else:
                upload = await self._send()
                parts = [await _done(part) for part in self._parts]
                self._commit = self._threads.submit(self._objects.complete, upload, parts, self._size)
            await _done(self._commit)
        except MunimentError:
            await self.abort()
            raise

    async def abort(self) -> None:
        """See `BlobWriter.abort`. What runs in threads is waited for: a part that came later would stay."""
        self._open = False
        await asyncio.shield(asyncio.ensure_future(self._clean()))

    def _require_open(self) -> None:
        if not self._open:
            raise BadStateError("This blob was committed or aborted.")

    async def _send(self) -> Upload:
        """Begin to write the filled part, once fewer than three are under way; the next is filled in its memory."""
        if len(self._parts) == MAX_PARTS:
            raise TooLargeError
        if self._beginning is None:
            self._beginning = self._threads.submit(self._objects.begin, self._blob_id, self._mark)
        upload = await _done(self._beginning)
        spare = None
        if len(self._under_way) == PARTS_UNDER_WAY:
            oldest, spare = self._under_way[0]
            await _done(oldest)
            self._under_way.popleft()
            spare.clear()
        number = len(self._parts) + 1
        part = self._threads.submit(self._objects.put_part, upload, number, self._filling)
        self._parts.append(part)
        self._under_way.append((part, self._filling))
        self._filling = Body(PART_BYTES) if spare is None else spare  # an empty body is false
        return upload

    async def _clean(self) -> None:
        running = [each for each in (self._beginning, *self._parts, self._commit) if each and not each.cancel()]
        await asyncio.gather(*(asyncio.wrap_future(each) for each in running), return_exceptions=True)
        self._under_way.clear()
        if self._commit is not None and _succeeded(self._commit):
            return
        if self._beginning is not None and _succeeded(self._beginning):
            with suppress(MunimentError):  # what stays is swept
                await self._threads.run(self._objects.abort, self._beginning.result())


class S3Reader:
    """See `service.blobs.store.BlobReader`. While one block is used, the next is on its way."""

    def __init__(self, threads: _Threads, opened: OpenObject, first: bytes) -> None:
        self._threads, self._object = threads, opened
        self._block, self._block_at = first, 0
        self._ahead: Future[bytes] | None = None  # the block that follows
        self._closed = False

    @property
    def size(self) -> int:
        """See `BlobReader.size`."""
        return self._object.size

    async def read_at(self, offset: int, length: int) -> bytes:
        """See `BlobReader.read_at`. What lies in the blocks at hand needs no thread."""
        if self._closed:
            raise BadStateError("This blob was closed.")
        end = min(offset + length, self.size)
        pieces = []
        while offset < end:
            if not self._block_at <= offset < self._block_end:
                await self._fetch(offset, end - offset)
            piece = self._block[offset - self._block_at : end - self._block_at]
            pieces.append(piece)
            offset += len(piece)
        if self._ahead is None and self._block_at < offset and self._block_end < self.size:
            self._ahead = self._threads.submit(self._read, self._block_end, BLOCK_BYTES, onward=True)
        return pieces[0] if len(pieces) == 1 else b"".join(pieces)

    async def close(self) -> None:
        """See `BlobReader.close`."""
        self._closed = True
        self._block = b""
        if not self._object.close_if_idle():
            await self._threads.run(self._object.close)

    @property
    def _block_end(self) -> int:
        return self._block_at + len(self._block)

    async def _fetch(self, offset: int, length: int) -> None:
        """Have the block that begins at ``offset``: the one that is on its way, or one of exactly ``length`` bytes."""
        ahead, self._ahead = self._ahead, None
        if ahead is not None and offset == self._block_end:
            block = await _done(ahead)
        else:
            block = await self._threads.run(self._read, offset, length)
        self._block, self._block_at = block, offset

    def _read(self, offset: int, length: int, *, onward: bool = False) -> bytes:
        return self._object.read_at(offset, min(length, self.size - offset), onward=onward)


def _begun(objects: Objects, blob_id: str) -> tuple[OpenObject, bytes]:
    """Open an object and read its beginning."""
    opened = OpenObject(objects, blob_id)
    try:
        first = min(opened.size, FIRST_BLOCK_BYTES)
        return opened, opened.read_at(0, first, onward=True) if first else b""
    except MunimentError:
        opened.close()
        raise


async def _done(future: Future[_Returned]) -> _Returned:
    """Wait for what runs in a thread; a task that is cancelled leaves it running."""
    return await asyncio.shield(asyncio.wrap_future(future))


def _succeeded(future: Future[_Returned]) -> bool:
    return not future.cancelled() and future.exception() is None

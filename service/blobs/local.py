"""Blobs in a folder of this machine.

Layout: ``<last two hex digits of the id>/<id>`` (the last digits of an id are random, the first are its time), and
``tmp/`` for what is being written. ``tmp/`` also marks the store: where it is missing (a volume that is not mounted),
nothing is reported as deleted.

Short work is done on the event loop, where a hop to a thread costs more than the work; what may wait for the disk
(writing, syncing, large reads, deleting) is done in threads.
"""

from __future__ import annotations

import asyncio
import errno
import os
import re
import secrets
import time
from collections.abc import AsyncIterator, Callable, Iterable, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Final, ParamSpec, TypeVar

from service.blobs.files import NewFile, OpenFile, sync_folder
from service.blobs.store import BlobInfo, DeletionReport, check_blob_id, is_blob_id
from service.errors import (
    BlobMissingError,
    ExistsError,
    MunimentError,
    StoreFullError,
    StoreUnavailableError,
)

FLUSH_BYTES: Final = 1_048_576
INLINE_READ_BYTES: Final = 262_144
SWEEP_AGE_S: Final = 3_600
_ASIDE: Final = "tmp"
_SHARD: Final = re.compile(r"[0-9a-f]{2}")
_FULL: Final = frozenset({errno.ENOSPC, errno.EDQUOT})

_Given = ParamSpec("_Given")
_Returned = TypeVar("_Returned")


class LocalBlobs:
    """A blob store in a folder; see `service.blobs.store.BlobStore`."""

    def __init__(self, path: Path, clock: Callable[[], float] = time.time) -> None:
        """Keep blobs in the folder ``path``, which must exist when it is used.

        Args:
            path: a folder of its own.
            clock: UTC seconds, to tell how old a leftover is.
        """
        self._path = path
        self._text = str(path)
        self._clock = clock
        self._swept = False

    async def create(self, blob_id: str) -> LocalWriter:
        """See `BlobStore.create`. The first call of a process sweeps what crashes left more than an hour ago."""
        target = self._path_of(blob_id)
        if not self._swept:
            await self.sweep()
            self._swept = True
        try:
            aside = self._path / _ASIDE / f"{blob_id}.{secrets.token_hex(8)}"
            return LocalWriter(NewFile(aside), target)
        except OSError as error:
            raise _translated(error) from error

    async def open(self, blob_id: str) -> LocalReader:
        """See `BlobStore.open`."""
        path = self._text_of(blob_id)
        try:
            return LocalReader(OpenFile(path))
        except FileNotFoundError as error:
            raise (BlobMissingError() if self._path.is_dir() else StoreUnavailableError()) from error
        except OSError as error:
            raise _translated(error) from error

    async def delete(self, blob_ids: Iterable[str]) -> DeletionReport:
        """See `BlobStore.delete`."""
        paths = {check_blob_id(blob_id): self._path_of(blob_id) for blob_id in blob_ids}
        return await asyncio.to_thread(self._delete, paths)

    async def list(self) -> AsyncIterator[BlobInfo]:
        """See `BlobStore.list`. In the order of the folders, then of the ids."""
        for shard in await asyncio.to_thread(self._shards):
            for info in await asyncio.to_thread(_infos, shard):
                yield info

    async def sweep(self, older_than_s: float = SWEEP_AGE_S) -> int:
        """Remove what crashes left aside; return how many files that were.

        Args:
            older_than_s: what was written to later may still be in use by another process, and stays.

        Raises:
            StoreUnavailableError: the store cannot be reached.
        """
        return await asyncio.to_thread(self._sweep, older_than_s)

    async def aside(self, older_than_s: float = SWEEP_AGE_S) -> int:
        """See `LeavesAside.aside`."""
        return await asyncio.to_thread(self._sweep, older_than_s, remove=False)

    def _path_of(self, blob_id: str) -> Path:
        return Path(self._text_of(blob_id))

    def _text_of(self, blob_id: str) -> str:
        """The path as text: a small read is mostly the opening, and a Path costs as much as that system call."""
        return f"{self._text}/{check_blob_id(blob_id)[-2:]}/{blob_id}"

    def _shards(self) -> Sequence[Path]:
        try:
            return sorted(each for each in self._path.iterdir() if _SHARD.fullmatch(each.name))
        except OSError as error:
            raise _translated(error) from error

    def _sweep(self, older_than_s: float, *, remove: bool = True) -> int:
        found = 0
        try:
            (self._path / _ASIDE).mkdir(mode=0o700, exist_ok=True)
            for leftover in (self._path / _ASIDE).iterdir():
                with suppress(FileNotFoundError):  # its writer was faster
                    if leftover.stat().st_mtime <= self._clock() - older_than_s:
                        if remove:
                            leftover.unlink()
                        found += 1
        except OSError as error:
            raise _translated(error) from error
        return found

    def _delete(self, paths: dict[str, Path]) -> DeletionReport:
        if not (self._path / _ASIDE).is_dir():
            return DeletionReport((), (), tuple(paths))
        fates = {blob_id: _unlinked(path) for blob_id, path in paths.items()}
        for folder in {path.parent for path in paths.values()}:
            try:
                sync_folder(folder)
            except FileNotFoundError:
                continue  # no blob was ever there
            except OSError:
                # Not certain to stay deleted after a crash: the caller asks again.
                fates.update({blob_id: "failed" for blob_id, path in paths.items() if path.parent == folder})
        return DeletionReport(
            *(tuple(b for b in fates if fates[b] == fate) for fate in ("deleted", "absent", "failed"))
        )


class LocalWriter:
    """See `service.blobs.store.BlobWriter`. Small blobs are written and synced in one hop to a thread."""

    def __init__(self, file: NewFile, target: Path) -> None:
        self._file, self._target = file, target
        self._pending: list[bytes] = []
        self._pending_bytes = 0

    async def write(self, data: bytes | bytearray | memoryview) -> None:
        """See `BlobWriter.write`."""
        self._pending.append(bytes(data))  # no copy when it is bytes
        self._pending_bytes += len(data)
        if self._pending_bytes >= FLUSH_BYTES:
            await _in_thread(self._file.append, self._take())

    async def commit(self) -> None:
        """See `BlobWriter.commit`."""
        try:
            await _in_thread(self._file.publish, self._take(), self._target)
        except FileExistsError:
            raise ExistsError("There is a blob of this id.") from None

    async def abort(self) -> None:
        """See `BlobWriter.abort`."""
        await asyncio.to_thread(self._file.discard)

    def _take(self) -> bytes:
        taken = b"".join(self._pending)
        self._pending, self._pending_bytes = [], 0
        return taken


class LocalReader:
    """See `service.blobs.store.BlobReader`."""

    def __init__(self, file: OpenFile) -> None:
        self._file = file

    @property
    def size(self) -> int:
        """See `BlobReader.size`."""
        return self._file.size

    async def read_at(self, offset: int, length: int) -> bytes:
        """See `BlobReader.read_at`. Up to 256 KiB are read on the event loop, more in a thread."""
        if length > INLINE_READ_BYTES:
            return await _in_thread(self._file.read_at, offset, length)
        try:
            return self._file.read_at(offset, length)
        except OSError as error:
            raise _translated(error) from error

    async def close(self) -> None:
        """See `BlobReader.close`."""
        if not self._file.close_if_idle():
            await asyncio.to_thread(self._file.close)


async def _in_thread(act: Callable[_Given, _Returned], *given: _Given.args, **named: _Given.kwargs) -> _Returned:
    try:
        return await asyncio.to_thread(act, *given, **named)
    except FileExistsError:
        raise
    except OSError as error:
        raise _translated(error) from error


def _translated(error: OSError) -> MunimentError:
    return StoreFullError() if error.errno in _FULL else StoreUnavailableError()


def _unlinked(path: Path) -> str:
    try:
        path.unlink()
    except FileNotFoundError:
        return "absent"
    except OSError:
        return "failed"
    return "deleted"


def _infos(shard: Path) -> list[BlobInfo]:
    infos = []
    try:
        with os.scandir(shard) as entries:
            for entry in entries:
                if not is_blob_id(entry.name) or not entry.is_file(follow_symlinks=False):
                    continue
                with suppress(FileNotFoundError):  # deleted meanwhile
                    status = entry.stat(follow_symlinks=False)
                    infos.append(BlobInfo(entry.name, status.st_size, int(status.st_mtime)))
    except OSError as error:
        raise _translated(error) from error
    return sorted(infos, key=lambda info: info.blob_id)

"""The protocol of a blob store: what every one of them promises, whatever it is made of."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator, Iterable
from dataclasses import dataclass
from typing import Final, Protocol, runtime_checkable

from service.errors import BadInputError

_BLOB_ID: Final = re.compile(r"[a-z]{3}_[0-9a-f]{32}")


def check_blob_id(blob_id: str) -> str:
    """Return ``blob_id`` when it has the form of an id; a path, a dot or a slash never has.

    Raises:
        BadInputError: it has another form.
    """
    if not is_blob_id(blob_id):
        raise BadInputError("This is not the id of a blob.")
    return blob_id


def is_blob_id(name: str) -> bool:
    """Say whether ``name`` has the form of an id."""
    return _BLOB_ID.fullmatch(name) is not None


@dataclass(frozen=True, slots=True)
class BlobInfo:
    """A blob that is there.

    Args:
        blob_id: its id.
        size_bytes: of the sealed bytes.
        modified_at: UTC seconds.
    """

    blob_id: str
    size_bytes: int
    modified_at: int


@dataclass(frozen=True, slots=True)
class DeletionReport:
    """What became of each id: deleted now, not there before, or not certain (ask again)."""

    deleted: tuple[str, ...]
    absent: tuple[str, ...]
    failed: tuple[str, ...]


class BlobWriter(Protocol):
    """A blob on its way. Nobody sees it before `commit`; a crash or `abort` before that leaves no blob.

    One task uses a writer. It may be cancelled at any await, and then calls `abort`.
    """

    async def write(self, data: bytes | bytearray | memoryview) -> None:
        """Append ``data``; some may be kept in memory, whatever the blob's size.

        At most 1 MiB and what was given last where bytes can be written as they come (a folder), and at most 32 MiB
        where they go in parts (a bucket).

        Raises:
            StoreFullError: there is no room; what was written is gone.
            StoreUnavailableError: it cannot be written; what was written is gone.
            TooLargeError: it is larger than the store can hold in one blob; what was written is gone.
            BadStateError: the blob was committed or aborted.
        """
        ...

    async def commit(self) -> None:
        """Make the blob visible under its id, whole and durable when this returns.

        Raises:
            ExistsError: there is a blob of this id; it stays as it was.
            StoreFullError, StoreUnavailableError: not committed, or not certainly: delete the id before going on.
            BadStateError: the blob was committed or aborted.
        """
        ...

    async def abort(self) -> None:
        """Leave nothing behind. Does nothing after `commit`, and may be called again; never fails."""
        ...


class BlobReader(Protocol):
    """An open blob. It stays readable while it is open, also when it is deleted meanwhile.

    A store behind a network may instead refuse, with `StoreUnavailableError`, what it had not sent before the deletion.
    It never gives bytes of another blob.
    """

    @property
    def size(self) -> int:
        """Bytes, as the store says: believed only once the seal has opened."""
        ...

    async def read_at(self, offset: int, length: int) -> bytes:
        """Return ``length`` bytes from ``offset``; fewer only at the end of the blob.

        Raises:
            StoreUnavailableError: they cannot be read, or the blob is another by now.
            BadStateError: the reader was closed.
        """
        ...

    async def close(self) -> None:
        """Let go of it; may be called again."""
        ...


class BlobStore(Protocol):
    """Keeps blobs.

    * durable: what was committed survives a crash of the machine;
    * exclusive: a blob is never replaced; of two commits to one id exactly one succeeds;
    * whole: a blob is visible with all its bytes or not at all;
    * a deleted id may be used again, but callers never do;
    * safe for several tasks, and for several processes on one store.
    """

    async def create(self, blob_id: str) -> BlobWriter:
        """Begin a new blob.

        Raises:
            BadInputError: the id has another form.
            StoreFullError, StoreUnavailableError: the store cannot be written.
        """
        ...

    async def open(self, blob_id: str) -> BlobReader:
        """Open a blob for reading.

        Raises:
            BadInputError: the id has another form.
            BlobMissingError: the store answers, and has no such blob.
            StoreUnavailableError: the store cannot be reached.
        """
        ...

    async def delete(self, blob_ids: Iterable[str]) -> DeletionReport:
        """Delete blobs; what is reported as deleted or absent is gone for good. Deleting again is no error.

        Raises:
            BadInputError: an id has another form; nothing was deleted.
        """
        ...

    def list(self) -> AsyncIterator[BlobInfo]:
        """Give every committed blob once. What is committed or deleted meanwhile may or may not appear.

        Raises:
            StoreUnavailableError: the store cannot be reached.
        """
        ...


@runtime_checkable
class LeavesAside(Protocol):
    """A store in which a crash can leave what was being written; nobody sees it as a blob."""

    async def aside(self, older_than_s: float) -> int:
        """Count what lies aside for longer than that.

        Raises:
            StoreUnavailableError: the store cannot be reached.
        """
        ...

    async def sweep(self, older_than_s: float) -> int:
        """Remove what lies aside for longer than that; return how much it was.

        Raises:
            StoreUnavailableError: the store cannot be reached.
        """
        ...

"""A blob store in memory: the contract of `service.blobs.store.BlobStore`, with faults."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable

from service.blobs.store import BlobInfo, DeletionReport, check_blob_id
from service.errors import BadStateError, BlobMissingError, ExistsError, StoreUnavailableError
from tests.fakes.faults import Faults


class MemoryBlobs:
    """Holds blobs in a dict.

    ``faults`` plans what goes wrong in ``create``, ``write``, ``commit``, ``open``, ``read_at``, ``delete`` (one call
    an id) and ``list``.
    """

    def __init__(self) -> None:
        self.blobs: dict[str, bytes] = {}
        self.modified_at = 1_000
        self.faults = Faults()

    async def create(self, blob_id: str) -> MemoryWriter:
        check_blob_id(blob_id)
        self.faults.before("create")
        return MemoryWriter(self, blob_id)

    async def open(self, blob_id: str) -> MemoryReader:
        check_blob_id(blob_id)
        self.faults.before("open")
        if blob_id not in self.blobs:
            raise BlobMissingError
        return MemoryReader(self.blobs[blob_id], self.faults)

    async def delete(self, blob_ids: Iterable[str]) -> DeletionReport:
        fates: dict[str, str] = {check_blob_id(blob_id): "" for blob_id in blob_ids}
        for blob_id in fates:
            try:
                self.faults.before("delete")
                fates[blob_id] = "absent" if self.blobs.pop(blob_id, None) is None else "deleted"
                self.faults.after("delete")
            except StoreUnavailableError:
                fates[blob_id] = "failed"
        return DeletionReport(
            *(tuple(b for b in fates if fates[b] == fate) for fate in ("deleted", "absent", "failed"))
        )

    async def list(self) -> AsyncIterator[BlobInfo]:
        self.faults.before("list")
        for blob_id, data in sorted(self.blobs.items()):
            yield BlobInfo(blob_id, len(data), self.modified_at)


class MemoryWriter:
    """Collects a blob; it appears at commit."""

    def __init__(self, store: MemoryBlobs, blob_id: str) -> None:
        self._store, self._blob_id = store, blob_id
        self._data: bytearray | None = bytearray()

    async def write(self, data: bytes | bytearray | memoryview) -> None:
        collected = self._collected()
        try:
            self._store.faults.before("write")
            collected += data
            self._store.faults.after("write")
        except Exception:
            self._data = None
            raise

    async def commit(self) -> None:
        data = bytes(self._collected())
        self._data = None
        self._store.faults.before("commit")
        if self._store.blobs.setdefault(self._blob_id, data) is not data:
            raise ExistsError
        self._store.faults.after("commit")

    async def abort(self) -> None:
        self._data = None

    def _collected(self) -> bytearray:
        if self._data is None:
            raise BadStateError
        return self._data


class MemoryReader:
    """Reads a blob that may have been deleted meanwhile."""

    def __init__(self, data: bytes, faults: Faults) -> None:
        self._data: bytes | None = data
        self._faults = faults
        self.size = len(data)

    async def read_at(self, offset: int, length: int) -> bytes:
        if self._data is None:
            raise BadStateError
        self._faults.before("read_at")
        return self._data[offset : offset + length]

    async def close(self) -> None:
        self._data = None

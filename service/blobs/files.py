"""Files of blobs: written aside and published whole, read at any place. Blocking; `local` calls them from threads.

A task that is cancelled leaves its thread running, and closes the file meanwhile. A file number that is closed under a
running thread may at once be another file's: the thread would write into, or read from, somebody else's blob. So every
use of the number holds a lock, and closing waits for it.

These classes raise OSError and `BadStateError`; `local` translates the first.
"""

from __future__ import annotations

import os
from contextlib import suppress
from pathlib import Path
from threading import Lock
from typing import Final

from service.errors import BadStateError

_NEW_FLAGS: Final = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
_READ_FLAGS: Final = os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC


class NewFile:
    """A file written aside. After an error nothing of it is left."""

    def __init__(self, aside: Path) -> None:
        """Make the file ``aside``, mode 0600, which must not exist."""
        self._aside = aside
        self._lock = Lock()
        self._descriptor: int | None = os.open(aside, _NEW_FLAGS, 0o600)

    def append(self, data: bytes) -> None:
        """Write ``data`` at the end."""
        with self._lock:
            descriptor = self._writable()
            try:
                _write_all(descriptor, data)
            except OSError:
                self._discard()
                raise

    def publish(self, data: bytes, target: Path) -> None:
        """Write ``data`` at the end and give the file its name, durably.

        Raises:
            FileExistsError: the name is taken; that file stays.
        """
        with self._lock:
            descriptor = self._writable()
            try:
                _write_all(descriptor, data)
                os.fsync(descriptor)
                _make_folder(target.parent)
                os.link(self._aside, target)
                try:
                    sync_folder(target.parent)
                except OSError:
                    # The name may or may not survive a crash. It is ours, so it is taken away again.
                    target.unlink()
                    raise
            finally:
                self._discard()

    def discard(self) -> None:
        """Remove the file, unless it has its name already; may be called again."""
        with self._lock:
            self._discard()

    def _writable(self) -> int:
        if self._descriptor is None:
            raise BadStateError("This blob was committed or aborted.")
        return self._descriptor

    def _discard(self) -> None:
        if self._descriptor is not None:
            os.close(self._descriptor)
            self._descriptor = None
            with suppress(OSError):  # what stays aside is swept at the next start
                self._aside.unlink()


class OpenFile:
    """A file that is read at any place, from any thread."""

    def __init__(self, path: str) -> None:
        """Open the file at ``path``."""
        self._lock = Lock()
        self._descriptor: int | None = os.open(path, _READ_FLAGS)
        self.size = os.fstat(self._descriptor).st_size

    def read_at(self, offset: int, length: int) -> bytes:
        """Return ``length`` bytes from ``offset``; fewer only at the end."""
        with self._lock:
            if self._descriptor is None:
                raise BadStateError("This blob was closed.")
            pieces: list[bytes] = []
            while length and (piece := os.pread(self._descriptor, length, offset)):
                pieces.append(piece)
                offset += len(piece)
                length -= len(piece)
        return pieces[0] if len(pieces) == 1 else b"".join(pieces)

    def close_if_idle(self) -> bool:
        """Close the file unless a thread reads it; say whether it is closed."""
        if not self._lock.acquire(blocking=False):
            return False
        try:
            self._close()
        finally:
            self._lock.release()
        return True

    def close(self) -> None:
        """Close the file, after the thread that reads it; may be called again."""
        with self._lock:
            self._close()

    def _close(self) -> None:
        if self._descriptor is not None:
            os.close(self._descriptor)
            self._descriptor = None


def sync_folder(path: Path) -> None:
    """Make the names in a folder durable."""
    folder = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)


def _make_folder(path: Path) -> None:
    with suppress(FileExistsError):
        path.mkdir(mode=0o700)
    # Also when it was there: another process may have made it a moment ago and not synced yet.
    sync_folder(path.parent)


def _write_all(descriptor: int, data: bytes) -> None:
    view = memoryview(data)
    while view:
        view = view[os.write(descriptor, view) :]

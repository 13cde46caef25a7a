"""Small files that must be whole or absent: keys, and what is as precious.

Rules kept here: a file is written aside, synced, then linked to its name, which fails when the name is taken; the
folder is synced before anybody is told; a folder or file that others may read or write is refused; names are checked by
the caller and used relative to an open folder, so that a swapped path or a link leads nowhere.

These functions raise OSError; their callers translate it, because only they know what the file was.
"""

from __future__ import annotations

import errno
import fcntl
import os
import secrets
import stat
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Final

from service.errors import UnsafeError

FILE_MODE: Final = 0o600
ASIDE: Final = ".new"
_OTHERS: Final = 0o077
_NEW_FLAGS: Final = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
# Not blocking: a pipe under the name of a key would otherwise hold the reader for ever.
_READ_FLAGS: Final = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC


@contextmanager
def any_folder(path: Path) -> Iterator[int]:
    """Open the folder at ``path`` and give its descriptor.

    Raises:
        OSError: there is no such folder.
    """
    folder = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        yield folder
    finally:
        os.close(folder)


@contextmanager
def private_folder(path: Path) -> Iterator[int]:
    """Open the folder at ``path``, which must be ours alone, and give its descriptor.

    Raises:
        UnsafeError: it belongs to somebody else, or others may read or write it.
        OSError: there is no such folder.
    """
    with any_folder(path) as folder:
        refuse_shared(os.fstat(folder), path.name)
        yield folder


def refuse_shared(status: os.stat_result, name: str) -> None:
    """Refuse a folder or file that is not ours alone: a folder of another mode than 07xx, a file of another than 0600.

    Raises:
        UnsafeError: it belongs to somebody else, or its mode lets others in.
    """
    mode = stat.S_IMODE(status.st_mode)
    private = not mode & _OTHERS if stat.S_ISDIR(status.st_mode) else mode == FILE_MODE
    if status.st_uid != os.geteuid() or not private:
        wanted = "0700" if stat.S_ISDIR(status.st_mode) else "0600"
        raise UnsafeError(f"{name} must belong to the user that runs Muniment and to nobody else. Set mode {wanted}.")


def make_private_folder(path: Path) -> None:
    """Make the folder at ``path`` with mode 0700, and its parents; one that is there stays as it is."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with suppress(FileExistsError):
        path.mkdir(mode=0o700)
    with any_folder(path.parent) as parent:
        os.fsync(parent)


def write_new(folder: int, name: str, data: bytes, mode: int = FILE_MODE) -> None:
    """Write ``data`` under ``name`` in ``folder``, durable when this returns.

    A crash leaves either nothing under ``name`` or all of it; what may stay behind is ``<name>.<random>.new``, which
    `erase` finds. An error after the link (the folder could not be synced) leaves the file: failed, but stored.

    Args:
        folder: an open folder.
        name: the final name; must not exist.
        data: all of it.
        mode: of the file.

    Raises:
        FileExistsError: ``name`` is taken; nothing was changed.
        OSError: it could not be written.
    """
    with _aside(folder, name, data, mode) as aside:
        os.link(aside, name, src_dir_fd=folder, dst_dir_fd=folder, follow_symlinks=False)
    os.fsync(folder)


def replace(folder: int, name: str, data: bytes) -> None:
    """Put ``data`` in the place of the file ``name``; a crash leaves the old bytes or the new, whole.

    The caller holds `locked`, and has seen that the file is there.

    Raises:
        OSError: it could not be written; one of the two is there.
    """
    with _aside(folder, name, data, FILE_MODE) as aside:
        os.rename(aside, name, src_dir_fd=folder, dst_dir_fd=folder)
    os.fsync(folder)


@contextmanager
def locked(folder: int, name: str) -> Iterator[None]:
    """Hold the lock of the file ``name`` in an open folder, against other threads and processes that ask for it.

    Raises:
        OSError: there is no such file, or its file system has no locks.
    """
    descriptor = os.open(name, os.O_RDWR | os.O_NOFOLLOW | os.O_CLOEXEC, dir_fd=folder)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)


def read_small(folder: int, name: str, limit: int) -> bytes:
    """Return the first ``limit`` bytes of the regular file ``name``; of anything else, none.

    Raises:
        UnsafeError: others may read or write it.
        OSError: there is none, or it is a link.
    """
    descriptor = os.open(name, _READ_FLAGS, dir_fd=folder)
    try:
        status = os.fstat(descriptor)
        if not stat.S_ISREG(status.st_mode):
            return b""
        refuse_shared(status, "A key file")
        return os.read(descriptor, limit)
    finally:
        os.close(descriptor)


def erase(folder: int, name: str) -> None:
    """Remove ``name`` and what a crash left beside it, durably; nothing happens where there is nothing.

    Zeros are written first, because on a plain disk they replace the bytes; nothing is claimed for media that keep old
    copies.

    Raises:
        OSError: something is still there, or it is not certain that it will be gone after a crash.
    """
    for found in _written_as(folder, name):
        descriptor = os.open(found, os.O_WRONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC, dir_fd=folder)
        try:
            _write_all(descriptor, bytes(os.fstat(descriptor).st_size))
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
        os.unlink(found, dir_fd=folder)
    os.fsync(folder)
    if _written_as(folder, name):
        raise OSError(errno.EBUSY, "still there")


def names(folder: int) -> list[str]:
    """Return the names in an open folder, in no order."""
    return os.listdir(folder)


@contextmanager
def _aside(folder: int, name: str, data: bytes, mode: int) -> Iterator[str]:
    """Write a synced file beside ``name`` for the block, and take it away after it unless the block renamed it."""
    aside = f"{name}.{secrets.token_hex(8)}{ASIDE}"
    descriptor = os.open(aside, _NEW_FLAGS, mode, dir_fd=folder)
    try:
        try:
            _write_all(descriptor, data)
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
        yield aside
    finally:
        with suppress(FileNotFoundError):
            os.unlink(aside, dir_fd=folder)


def _written_as(folder: int, name: str) -> list[str]:
    return [found for found in names(folder) if found == name or _is_aside(found, name)]


def _is_aside(found: str, name: str) -> bool:
    return found.startswith(name + ".") and found.endswith(ASIDE)


def _write_all(descriptor: int, data: bytes) -> None:
    view = memoryview(data)
    while view:
        view = view[os.write(descriptor, view) :]

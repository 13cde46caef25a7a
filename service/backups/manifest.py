"""Manifests: what lies in one folder of a backup. Written last, so that without one there is no backup.

JSON lines: first what it is, then one line a file (name, size in bytes, SHA-256 in hex), last the number of files and
the SHA-256 of all lines before. It tells accident from whole; whoever may write to a backup may write its manifest
too, and is found by the doctor, who holds rows, log, anchors and seals against one another.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Final

from service.blobs.files import sync_folder
from service.errors import BadInputError, UnsafeError

VERSION: Final = 1
NAME: Final = "manifest.jsonl"
PIECE_BYTES: Final = 1_048_576
_NEW_FLAGS: Final = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC


@dataclass(frozen=True, slots=True)
class Header:
    """What a folder of a backup is.

    Args:
        part: ``rows``, ``blobs`` or ``keys``.
        backup: id that the three folders of one backup share.
        made_at: UTC seconds of the snapshot.
        revision: of the database.
        expires_at: UTC seconds; from then on this copy must not be used any more; None: it may be kept.
        checkpoints: newest signed note of each log, by log id.
    """

    part: str
    backup: str
    made_at: int
    revision: str
    expires_at: int | None
    checkpoints: dict[str, str]


@dataclass(frozen=True, slots=True)
class File:
    """A file of a folder, by its path inside."""

    name: str
    size_bytes: int
    sha256: str


class Writer:
    """Writes the files of one folder, and their manifest at the end."""

    def __init__(self, folder: Path, header: Header) -> None:
        folder.mkdir(mode=0o700)
        self._folder = folder
        self._digest = hashlib.sha256()
        self._aside = folder / f"{NAME}.new"
        self._file = os.fdopen(os.open(self._aside, _NEW_FLAGS, 0o600), "wb")
        self.files = 0
        self._line({"muniment_backup": VERSION, **asdict(header)})

    def add(self, name: str, pieces: Iterable[bytes]) -> None:
        """Write one file, durably, and note it."""
        path = self._folder / name
        path.parent.mkdir(mode=0o700, exist_ok=True)
        digest, size = hashlib.sha256(), 0
        with os.fdopen(os.open(path, _NEW_FLAGS, 0o600), "wb") as file:
            for piece in pieces:
                digest.update(piece)
                size += len(piece)
                file.write(piece)
            file.flush()
            os.fsync(file.fileno())
        self.files += 1
        self._line(asdict(File(name, size, digest.hexdigest())))

    def finish(self) -> None:
        """Give the manifest its name: from now on the folder is whole."""
        last = json.dumps({"files": self.files, "sha256": self._digest.hexdigest()})
        self._file.write(f"{last}\n".encode())
        self._file.flush()
        os.fsync(self._file.fileno())
        self._file.close()
        for folder in {path.parent for path in self._folder.rglob("*")}:
            sync_folder(folder)
        self._aside.rename(self._folder / NAME)
        sync_folder(self._folder)

    def close(self) -> None:
        """Let go of the file; where `finish` was not reached, there is no manifest."""
        self._file.close()

    def _line(self, value: dict[str, Any]) -> None:
        line = json.dumps(value, separators=(",", ":")).encode() + b"\n"
        self._digest.update(line)
        self._file.write(line)


def header(folder: Path) -> Header:
    """Read what a folder is.

    Raises:
        UnsafeError: it is no whole folder of a backup.
    """
    found: Header = next(_lines(folder))
    return found


def files(folder: Path) -> Iterator[File]:
    """Yield the files of a folder, as its manifest has them.

    Raises:
        UnsafeError: it is no whole folder of a backup.
    """
    lines = _lines(folder)
    next(lines)
    yield from lines


def read(folder: Path, file: File) -> Iterator[bytes]:
    """Yield a file's bytes, in pieces of at most 1 MiB.

    Raises:
        UnsafeError: they are not those that the manifest names; raised at the end.
    """
    digest, size = hashlib.sha256(), 0
    try:
        with os.fdopen(os.open(folder / file.name, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC), "rb") as opened:
            while piece := opened.read(PIECE_BYTES):
                digest.update(piece)
                size += len(piece)
                yield piece
    except FileNotFoundError:
        raise _broken() from None
    if (size, digest.hexdigest()) != (file.size_bytes, file.sha256):
        raise _broken()


def check(folder: Path) -> int:
    """Read every file of a folder against its manifest; return how many there are.

    Raises:
        UnsafeError: one is missing or is not the one that was written.
    """
    count = 0
    for file in files(folder):
        for _ in read(folder, file):
            pass
        count += 1
    return count


def _lines(folder: Path) -> Iterator[Any]:
    """The header, then the files; the last line is checked against all before."""
    digest, last, count = hashlib.sha256(), None, -1
    try:
        with (folder / NAME).open("rb") as opened:
            for line in opened:
                value = json.loads(line)
                if last is not None:
                    break
                if "files" in value:
                    last = value
                    continue
                digest.update(line)
                yield _header(value) if count < 0 else _file(value)
                count += 1
            else:
                if last == {"files": count, "sha256": digest.hexdigest()}:
                    return
    except (OSError, ValueError, KeyError, TypeError):
        raise _broken() from None
    raise _broken()


def _header(value: dict[str, Any]) -> Header:
    if value.pop("muniment_backup") != VERSION:
        raise BadInputError("This backup was made by another version.")
    return Header(**value)


def _file(value: dict[str, Any]) -> File:
    file = File(**value)
    if file.name != Path(file.name).as_posix() or ".." in Path(file.name).parts or Path(file.name).is_absolute():
        raise _broken()
    return file


def _broken() -> UnsafeError:
    return UnsafeError(
        "This is no whole backup: a folder, a manifest or a file is missing or was changed. Take another."
    )

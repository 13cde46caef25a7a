"""A folder of checkpoints, each written once.

Layout: ``<log id>/<size // 100,000, 15 digits>/<size, 20 digits>.note``, so that the newest is found by looking into
few folders. A note is never changed or removed here; another note for a size that has one is the sign of a fork, and
is refused with both as evidence.

The folder carries a mark, made once with the installation. Without it the folder is away: the empty folder under a
volume that is not mounted would otherwise say that nothing was ever anchored, and hide that a database is an old copy.

Source: https://c2sp.org/tlog-checkpoint (what a note is; nothing here reads it).
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Final

from service.anchors.store import AnchorConflictError, check_log_id, check_note, is_log_id
from service.crypto import files
from service.errors import UnavailableError, UnsafeError

_MARK: Final = "muniment-anchors"
_MARK_TEXT: Final = b"muniment anchors v1\n"
_PER_FOLDER: Final = 100_000
_NOTE_MODE: Final = 0o400
_GROUP: Final = re.compile(r"[0-9]{15}")
_NOTE: Final = re.compile(r"([0-9]{20})\.note")


class AnchorFolder:
    """Keeps checkpoints in the folder ``path``, which `create` made. Blocks; safe from several threads."""

    def __init__(self, path: Path) -> None:
        self._path = path

    @classmethod
    def create(cls, path: Path) -> AnchorFolder:
        """Make the folder and its mark; what is there stays as it is.

        Raises:
            UnavailableError: it cannot be written.
        """
        try:
            files.make_private_folder(path)
            with files.any_folder(path) as folder, suppress(FileExistsError):
                files.write_new(folder, _MARK, _MARK_TEXT, _NOTE_MODE)
        except OSError as error:
            raise _away() from error
        return cls(path)

    def adopt(self) -> None:
        """Mark a folder that a version without marks has filled; an empty one, or one that is gone, stays as it is.

        Raises:
            UnavailableError: it cannot be written.
        """
        if self._path.is_dir() and any(is_log_id(name) for name in self._names(self._path)):
            self.create(self._path)

    def require_mark(self) -> None:
        """Make sure that this is the folder that was made, and not an empty one in its place.

        Raises:
            UnsafeError: the mark is missing, and so is perhaps all that was ever anchored.
            UnavailableError: the folder cannot be reached.
        """
        if _MARK not in self._names(self._path):
            raise UnsafeError(
                "The anchor folder has lost its mark: it is not the folder that was made with this installation. Mount "
                "its volume, or bring its copy back, then run `muniment doctor`."
            )

    def put(self, log_id: str, size: int, note: bytes) -> None:
        """See `Anchors.put`."""
        check_note(size, note)
        log_folder = self._log_folder(log_id)
        group = log_folder / f"{size // _PER_FOLDER:015d}"
        name = f"{size:020d}.note"
        try:
            self._logs()  # a base that is gone is not made anew
            files.make_private_folder(log_folder)
            files.make_private_folder(group)
            with files.any_folder(group) as folder:
                files.write_new(folder, name, note, _NOTE_MODE)
        except FileExistsError:
            kept = self._read(group / name)
            if kept != note:
                raise AnchorConflictError(size, kept, note) from None
        except OSError as error:
            raise _away() from error

    def newest(self, log_id: str) -> tuple[int, bytes] | None:
        """See `Anchors.newest`."""
        return next(self._descending(log_id), None)

    def all(self, log_id: str) -> Iterator[tuple[int, bytes]]:
        """See `Anchors.all`."""
        for group in self._groups(log_id):
            for size in self._sizes(group):
                yield size, self._read(group / f"{size:020d}.note")

    def _descending(self, log_id: str) -> Iterator[tuple[int, bytes]]:
        for group in reversed(self._groups(log_id)):
            for size in reversed(self._sizes(group)):
                yield size, self._read(group / f"{size:020d}.note")

    def _log_folder(self, log_id: str) -> Path:
        return self._path / check_log_id(log_id)

    def _groups(self, log_id: str) -> list[Path]:
        log_folder = self._log_folder(log_id)
        if log_id not in self._logs():
            return []
        return [log_folder / name for name in sorted(self._names(log_folder)) if _GROUP.fullmatch(name)]

    def _logs(self) -> list[str]:
        found = self._names(self._path)
        if _MARK not in found:
            raise _away()
        return found

    def _sizes(self, group: Path) -> list[int]:
        return sorted(int(found[1]) for name in self._names(group) if (found := _NOTE.fullmatch(name)))

    def _names(self, path: Path) -> list[str]:
        try:
            return [each.name for each in path.iterdir()]
        except OSError as error:
            raise _away() from error

    def _read(self, path: Path) -> bytes:
        try:
            return path.read_bytes()
        except OSError as error:
            raise _away() from error


def _away() -> UnavailableError:
    return UnavailableError(
        "The anchor folder cannot be reached or written. Ask your operator to run `muniment doctor`."
    )

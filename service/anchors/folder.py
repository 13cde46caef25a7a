"""A folder of checkpoints, each written once.

Layout: ``<log id>/<size // 100,000, 15 digits>/<size, 20 digits>.note``, so that the newest is found by looking into
few folders. A note is never changed or removed here; another note for a size that has one is the sign of a fork, and
is refused with both as evidence.

Source: https://c2sp.org/tlog-checkpoint (what a note is; nothing here reads it).
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from service.anchors.store import AnchorConflictError, check_log_id, check_note
from service.crypto import files
from service.errors import UnavailableError

_PER_FOLDER: Final = 100_000
_NOTE_MODE: Final = 0o400
_GROUP: Final = re.compile(r"[0-9]{15}")
_NOTE: Final = re.compile(r"([0-9]{20})\.note")


class AnchorFolder:
    """Keeps checkpoints in the folder ``path``, which must exist when it is used. Blocks; safe from several threads."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def put(self, log_id: str, size: int, note: bytes) -> None:
        """See `Anchors.put`."""
        check_note(size, note)
        log_folder = self._log_folder(log_id)
        group = log_folder / f"{size // _PER_FOLDER:015d}"
        name = f"{size:020d}.note"
        try:
            self._names(self._path)  # a base that is gone is not made anew
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
        if log_id not in self._names(self._path):
            return []
        return [log_folder / name for name in sorted(self._names(log_folder)) if _GROUP.fullmatch(name)]

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

"""Key places: where key objects live, apart from the database, the blobs and their backups.

A key object is in one to three places. Whoever can read a place still needs the root key; whoever deletes from all
places has destroyed what the key sealed. Nothing here knows what is in a key object.

Source: service/crypto/FORMAT.md, section 6.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final, Protocol

from service.crypto import files
from service.errors import BadInputError, ExistsError, KeyMissingError, KeyPlaceError

MAX_KEY_OBJECT_BYTES: Final = 4_096
_KEY_ID: Final = re.compile(r"[a-z]{3}_[0-9a-f]{32}")
MARK: Final = "muniment-key-place"
MARK_TEXT: Final = b"muniment key place v1\n"
KEY_SUFFIX: Final = ".key"


def check_key_id(key_id: str) -> str:
    """Return ``key_id`` when it has the form of an id; a path, a dot or a slash never has.

    Raises:
        BadInputError: it has another form.
    """
    if not is_key_id(key_id):
        raise BadInputError("This is not the id of a key.")
    return key_id


def is_key_id(text: str) -> bool:
    """Say whether ``text`` has the form of a key's id."""
    return _KEY_ID.fullmatch(text) is not None


class KeyPlace(Protocol):
    """One place that keeps key objects.

    * durable: when `put` has returned, the object survives a crash of the machine;
    * exclusive: `put` never replaces; of two for one id exactly one succeeds;
    * no return: `replace` changes what is there, and never brings back what `delete` has removed meanwhile;
    * whole: `get` returns all that was put, or raises;
    * certain: when `delete` has returned, the place has been asked again and has no object of that id; deleting what is
      not there is no error. A place that cannot be asked (unplugged, not mounted) raises and confirms nothing;
    * safe from several threads and processes at once.
    """

    @property
    def name(self) -> str:
        """What the operator calls the place; shown in certificates."""
        ...

    def put(self, key_id: str, data: bytes) -> None:
        """Keep ``data`` under ``key_id``.

        Raises:
            ExistsError: there is an object of that id.
            KeyPlaceError: the place cannot be reached or written. The object may be there all the same.
        """
        ...

    def get(self, key_id: str) -> bytes:
        """Return what was put.

        Raises:
            KeyMissingError: the place answers, and has no object of that id.
            KeyPlaceError: the place cannot be reached.
        """
        ...

    def replace(self, key_id: str, old: bytes, new: bytes) -> bool:
        """Put ``new`` in the place of ``old``, whole and durable: for the same key under another root key.

        Returns: whether the place holds ``new`` now; False where it held something else, or nothing.

        Raises:
            KeyPlaceError: the place cannot be reached or written. It holds one of the two, or nothing.
        """
        ...

    def delete(self, key_id: str) -> None:
        """Make sure that there is no object of that id.

        Raises:
            KeyPlaceError: that is not certain. Ask again.
        """
        ...

    def list(self) -> list[str]:
        """Return the ids of all objects, sorted.

        Raises:
            KeyPlaceError: the place cannot be reached.
        """
        ...


class FolderKeyPlace:
    """A folder of key objects, mode 0700, one file each, mode 0600.

    The folder carries a mark. Without it the place is away: the empty folder under a volume that is not mounted would
    otherwise confirm every deletion.
    """

    def __init__(self, path: Path, name: str | None = None) -> None:
        """Use the place at ``path``, called ``name`` (the folder's own name unless given)."""
        self._path = path
        self._name = name or path.name

    @classmethod
    def create(cls, path: Path, name: str | None = None) -> FolderKeyPlace:
        """Make the folder and its mark; a place that is there already stays as it is.

        Raises:
            UnsafeError: the folder is there and others may read or write it.
            KeyPlaceError: it cannot be written.
        """
        place = cls(path, name)
        try:
            files.make_private_folder(path)
            with files.private_folder(path) as folder:
                if MARK not in files.names(folder):
                    files.write_new(folder, MARK, MARK_TEXT)
        except OSError as error:
            raise place._away() from error
        return place

    @property
    def name(self) -> str:
        """What the operator calls the place."""
        return self._name

    def put(self, key_id: str, data: bytes) -> None:
        """See `KeyPlace.put`. A crash may leave a file aside, which `delete` removes as well."""
        check_key_id(key_id)
        with self._open() as folder:
            try:
                files.write_new(folder, key_id + KEY_SUFFIX, data)
            except FileExistsError:
                raise ExistsError("There is a key of this id.") from None

    def get(self, key_id: str) -> bytes:
        """See `KeyPlace.get`. At most `MAX_KEY_OBJECT_BYTES` + 1 bytes are read, so that too large shows."""
        check_key_id(key_id)
        with self._open() as folder:
            try:
                return files.read_small(folder, key_id + KEY_SUFFIX, MAX_KEY_OBJECT_BYTES + 1)
            except FileNotFoundError:
                raise KeyMissingError from None

    def replace(self, key_id: str, old: bytes, new: bytes) -> bool:
        """See `KeyPlace.replace`. A deletion waits meanwhile. Nothing is claimed about the medium's old bytes."""
        name = check_key_id(key_id) + KEY_SUFFIX
        with self._open() as folder, files.locked(folder, MARK):
            try:
                found = files.read_small(folder, name, MAX_KEY_OBJECT_BYTES + 1)
            except FileNotFoundError:
                return False
            if found == old:
                files.replace(folder, name, new)
            return found in (old, new)

    def delete(self, key_id: str) -> None:
        """See `KeyPlace.delete`."""
        name = check_key_id(key_id) + KEY_SUFFIX
        with self._open() as folder, files.locked(folder, MARK):
            files.erase(folder, name)

    def list(self) -> list[str]:
        """See `KeyPlace.list`."""
        with self._open() as folder:
            stems = (name.removesuffix(KEY_SUFFIX) for name in files.names(folder) if name.endswith(KEY_SUFFIX))
            return sorted(stem for stem in stems if is_key_id(stem))

    @contextmanager
    def _open(self) -> Iterator[int]:
        try:
            with files.private_folder(self._path) as folder:
                if files.read_small(folder, MARK, len(MARK_TEXT) + 1) != MARK_TEXT:
                    raise self._away()
                yield folder
        except OSError as error:
            raise self._away() from error

    def _away(self) -> KeyPlaceError:
        detail = (
            f"The key place {self._name} is away or cannot be written. Nothing was shown. Ask your operator whether "
            "its folder is there, its volume mounted and not full, and to run `muniment doctor`."
        )
        return KeyPlaceError(detail, extra={"place": self._name})

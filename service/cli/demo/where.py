"""Where the demo's installation keeps what it keeps, and how to look there past the service.

The steps search all that is stored, count what is left of contents and keys, and put a copy beside. They ask a `Where`
for that: `Folders`, the default, is one machine with everything in one folder. Other servers have one of their own,
beside the program that starts them (tests/demo_stack.py).
"""

from __future__ import annotations

import shutil
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Protocol


class Where(Protocol):
    """The places of one installation. Whoever looks sees what a thief of the disks would: nothing is asked of Muniment.

    `settings` are the installation's, without MUNIMENT_; `doubts` the codes that its doctor rightly tells of these
    places when everything is whole.
    """

    @property
    def name(self) -> str:
        """What it runs on, in words."""
        ...

    @property
    def settings(self) -> Mapping[str, str]:
        """What differs from the defaults, by the name of the setting."""
        ...

    @property
    def doubts(self) -> frozenset[str]:
        """What the doctor cannot tell about these places, by code."""
        ...

    def stored(self) -> Iterator[bytes]:
        """Give the bytes of everything that is stored, keys and logs too; not what the demo lays out for its reader."""
        ...

    def blobs(self) -> int:
        """Count the contents that are stored."""
        ...

    def keys(self) -> set[str]:
        """The names of all that lies in a key place."""
        ...

    def beside(self, home: Path) -> Mapping[str, str]:
        """Prepare another place at ``home``, for a copy of the rows and blobs; returns its settings.

        It has the anchors as they are now, and the very key places and root key of this one.
        """
        ...


class Folders:
    """Everything in the home folder."""

    name = "SQLite and folders"
    settings: Mapping[str, str] = {}
    doubts: frozenset[str] = frozenset()

    def __init__(self, home: Path) -> None:
        self._home = home.resolve()

    def stored(self) -> Iterator[bytes]:
        """See `Where.stored`."""
        return stored_in(self._home)

    def blobs(self) -> int:
        """See `Where.blobs`."""
        return sum(path.is_file() for path in (self._home / "blobs").rglob("*"))

    def keys(self) -> set[str]:
        """See `Where.keys`."""
        return {path.name for path in (self._home / "keys").rglob("*")}

    def beside(self, home: Path) -> Mapping[str, str]:
        """See `Where.beside`."""
        shutil.copytree(self._home / "anchors", home / "anchors")
        return {"key_places": str(self._home / "keys"), "root_key": str(self._home / "root.key")}


def stored_in(home: Path) -> Iterator[bytes]:
    """Give the bytes of each file of a home folder, but for what the demo lays out for its reader."""
    for path in sorted(home.rglob("*")):
        if path.is_file() and "out" not in path.relative_to(home).parts:
            yield path.read_bytes()

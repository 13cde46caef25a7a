"""Scratch paper: what the log says of each row, by kind and id, in a private file that is gone with its user.

SQLite keeps 64 MiB of it in memory and the rest in an unnamed file, so that a log of any length is replayed in
bounded memory. Nothing stands there but ids, words of the vocabulary, numbers and digests, as in the log itself.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Self

Terms = Mapping[str, Any]
Entry = Mapping[str, Any]
"""An entry of the log, decoded."""


@dataclass(frozen=True, slots=True)
class Said:
    """What the log says of one row.

    Args:
        place: what events that change many rows at once find it by: an engagement or an agreement.
        terms: column to value.
        entry: index of the newest entry that speaks of it.
    """

    id: str
    place: str
    terms: Terms
    entry: int


class Scratch:
    """One table; a context manager, which throws it away at the end. One thread at a time may use it."""

    def __init__(self) -> None:
        self._db = sqlite3.connect("", isolation_level=None, check_same_thread=False)
        for command in (
            "PRAGMA journal_mode=OFF",
            "PRAGMA synchronous=OFF",
            "CREATE TABLE said (kind TEXT, id TEXT, place TEXT, terms TEXT, entry INTEGER, PRIMARY KEY (kind, id))",
            "CREATE INDEX said_place ON said (kind, place) WHERE place <> ''",
            "PRAGMA cache_size=-65536",  # KiB
            "BEGIN",
        ):
            self._db.execute(command)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_error: object) -> None:
        self._db.close()

    def add(self, kind: str, said: Said) -> None:
        """Note a row; one that is noted already stays as it is."""
        values = (kind, said.id, said.place, json.dumps(said.terms), said.entry)
        self._db.execute("INSERT OR IGNORE INTO said VALUES (?, ?, ?, ?, ?)", values)

    def change(self, kind: str, row_id: str, entry: int, **terms: Any) -> None:
        """Change what is said of a row; of a row that was never noted nothing is said."""
        said = self.get(kind, row_id)
        if said is not None:
            values = (json.dumps({**said.terms, **terms}), entry, kind, row_id)
            self._db.execute("UPDATE said SET terms = ?, entry = ? WHERE kind = ? AND id = ?", values)

    def get(self, kind: str, row_id: str) -> Said | None:
        """Return what is said of one row."""
        found = self._db.execute("SELECT id, place, terms, entry FROM said WHERE kind = ? AND id = ?", (kind, row_id))
        return next(map(_said, found), None)

    def at(self, kind: str, place: str) -> list[Said]:
        """Return what is said of the rows of one place."""
        found = self._db.execute(
            "SELECT id, place, terms, entry FROM said WHERE kind = ? AND place = ? AND place <> ''", (kind, place)
        )
        return [_said(row) for row in found]

    def take(self, kind: str, row_id: str) -> Said | None:
        """Return what is said of one row, and strike it out."""
        found = self._db.execute(
            "DELETE FROM said WHERE kind = ? AND id = ? RETURNING id, place, terms, entry", (kind, row_id)
        )
        return next(map(_said, found.fetchall()), None)

    def rest(self, kind: str) -> Iterator[Said]:
        """Yield what is left of a kind, by id."""
        found = self._db.execute("SELECT id, place, terms, entry FROM said WHERE kind = ? ORDER BY id", (kind,))
        return map(_said, found)


def _said(row: tuple[str, str, str, int]) -> Said:
    return Said(row[0], row[1], json.loads(row[2]), row[3])

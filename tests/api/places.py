"""What an installation keeps: all its rows, its blobs, and every byte on its disk; and a database that fails."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select

from service import wiring
from service.db.auditstore import each_log
from service.db.models import metadata
from service.db.session import EVERY_LOG, Database
from service.ledger import NO_LOG, Outcome
from tests.fakes.blobs import MemoryBlobs
from tests.fakes.database import FaultyDatabase
from tests.fakes.keyplaces import MemoryKeyPlace
from tests.world import World

THE_LOG = frozenset(
    {
        *("logs", "log_entries", "log_tiles", "log_chains", "log_intents", "log_checkpoints", "log_signers"),
        "openings",  # counted with each reading's entry
    }
)


def rows(database: Database, *, log: bool = False) -> Mapping[str, list[tuple[Any, ...]]]:
    """Every row of every table, without the log's own unless asked for."""
    tables = [table for name, table in metadata.tables.items() if log or name not in THE_LOG]
    found: dict[str, set[tuple[Any, ...]]] = {table.name: set() for table in tables}
    with database.read(EVERY_LOG) as tx:
        for _ in each_log(tx):
            for table in tables:
                found[table.name].update(map(tuple, tx.all(select(table))))
    return {name: sorted(those, key=repr) for name, those in found.items()}


async def blobs(world: World) -> list[str]:
    """The ids of all objects in the store."""
    return sorted([info.blob_id async for info in world.services.blobs.list()])


async def settle(world: World) -> None:
    """Wait until everything that was posted to the ledger before is written."""
    await world.services.ledger.submit(NO_LOG, lambda _tx, _moment: Outcome(None))


def files_with(folder: Path, *needles: bytes) -> list[tuple[str, bytes]]:
    """The files below a folder that hold one of these texts."""
    return [
        (path.name, needle)
        for path in sorted(folder.rglob("*"))
        if path.is_file()
        for needle in needles
        if needle in path.read_bytes()
    ]


def columns_with(database: Database, *needles: bytes) -> list[tuple[str, bytes]]:
    """The tables of which a row holds one of these texts."""
    found = []
    for table, content in rows(database, log=True).items():
        held = b"\0".join(
            bytes(v) if isinstance(v, bytes | memoryview) else str(v).encode() for r in content for v in r
        )
        found += [(table, needle) for needle in needles if needle in held]
    return found


@dataclass
class Fakes:
    """What an installation stands on, in memory: its key places by folder name, and its blobs."""

    places: dict[str, MemoryKeyPlace]
    blobs: MemoryBlobs


@contextmanager
def fake_stores() -> Iterator[Fakes]:
    """Let the one installation that is opened meanwhile have fakes for key places, blobs and database."""
    fakes = Fakes({}, MemoryBlobs())

    class Place(MemoryKeyPlace):
        def __new__(cls, path: Path) -> Any:  # one fake a folder, whoever asks for it
            return fakes.places.setdefault(path.name, MemoryKeyPlace(path.name))

        @classmethod
        def create(cls, path: Path) -> None:
            path.mkdir(parents=True, exist_ok=True)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(wiring, "Database", FaultyDatabase)
        patch.setattr(wiring, "LocalBlobs", lambda _path: fakes.blobs)
        patch.setattr(wiring, "FolderKeyPlace", Place)
        yield fakes


@contextmanager
def faulty_databases() -> Iterator[None]:
    """Let installations that are opened meanwhile have a `FaultyDatabase`."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(wiring, "Database", FaultyDatabase)
        yield


def faulty(world: World) -> FaultyDatabase:
    """The database of a world made under `faulty_databases`."""
    database = world.services.database
    assert isinstance(database, FaultyDatabase)
    return database

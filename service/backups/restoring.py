"""Putting a backup into an empty installation: everything is checked first, the rows come last.

Keys and blobs without rows are nothing, so a restore that is cut short leaves no installation that could be taken for
one; empty the place and begin again. Whether the copy may serve is not decided here: `service.older` is asked
at every start.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from sqlalchemy import select

from service.backups import manifest, rows
from service.backups.making import BLOBS, KEYS, ROWS
from service.backups.manifest import Header
from service.db import schema
from service.db.models import logs
from service.db.session import EVERY_LOG, Tx
from service.errors import ExistsError, SealError, UnsafeError, WrongRevisionError
from service.ledger import NO_LOG, Moment, Outcome
from service.services import Services

_LOGS: Final = select(logs.c.id).limit(1)


@dataclass(frozen=True, slots=True)
class Restored:
    """What was put back."""

    backup_id: str
    made_at: int  # UTC seconds
    blobs: int
    keys: int


async def restore(services: Services, folder: Path) -> Restored:
    """Put a backup into the installation that these services are of, which must be empty.

    A backup without keys is put beside key places that still have them.

    Raises:
        UnsafeError: it is no whole backup, its folders are not of one backup, its keys have outlived their declared
            life, or they are not those of this root key.
        WrongRevisionError: its rows are of another version.
        ExistsError: there is something here already.
        KeyPlaceError, StoreUnavailableError, LedgerUnavailableError: a part is away; empty the place and begin again.
    """
    parts = [name for name in (KEYS, BLOBS, ROWS) if name != KEYS or (folder / KEYS).exists()]
    header = await asyncio.to_thread(_checked, services, folder, parts)
    await _require_empty(services, with_keys=KEYS in parts)
    keys = await asyncio.to_thread(_put_keys, services, folder / KEYS) if KEYS in parts else 0
    blobs = await _put_blobs(services, folder / BLOBS)
    await services.ledger.submit(NO_LOG, lambda tx, moment: _put_rows(tx, moment, folder / ROWS))
    return Restored(header.backup, header.made_at, blobs, keys)


def _checked(services: Services, folder: Path, parts: list[str]) -> Header:
    """Read everything once, before anything is written."""
    headers = [manifest.header(folder / part) for part in parts]
    if len({each.backup for each in headers}) != 1 or [each.part for each in headers] != parts:
        raise UnsafeError("These folders are not of one backup. Put those together that were made together.")
    if headers[-1].revision != schema.head():
        raise WrongRevisionError("The backup is of another version: restore with the one that made it, then migrate.")
    now = services.clock() // 1000
    if any(each.expires_at is not None and each.expires_at <= now for each in headers):
        raise UnsafeError(
            "The keys in this backup have outlived their declared life, and what certificates call irrecoverable rests "
            "on that: destroy this copy of the keys. Rows and blobs can be restored beside living key places."
        )
    for part in parts:
        manifest.check(folder / part)
    return headers[-1]


async def _require_empty(services: Services, *, with_keys: bool) -> None:
    with services.database.read(EVERY_LOG) as tx:
        there = tx.one(_LOGS) is not None
    async for _ in services.blobs.list():
        there = True
        break
    if there or (with_keys and services.keys.all_ids()):
        raise ExistsError("There is an installation here already. Restore into an empty place.")


def _put_keys(services: Services, folder: Path) -> int:
    """Put the keys into all places; the first that opens shows that the root key is theirs."""
    count = 0
    for file in manifest.files(folder):
        key_id = file.name.removesuffix(".key")
        services.keys.place_object(key_id, b"".join(manifest.read(folder, file)))
        count += 1
    for key_id in services.keys.all_ids():
        try:
            services.keys.open(key_id)
        except SealError:
            raise UnsafeError(
                "The keys of this backup do not open with this root key. Empty the key places, bring the right one."
            ) from None
    return count


async def _put_blobs(services: Services, folder: Path) -> int:
    count = 0
    for file in await asyncio.to_thread(lambda: list(manifest.files(folder))):
        writer = await services.blobs.create(Path(file.name).name)
        try:
            for piece in manifest.read(folder, file):
                await writer.write(piece)
            await writer.commit()
        except BaseException:
            await writer.abort()
            raise
        count += 1
    return count


def _put_rows(tx: Tx, _moment: Moment, folder: Path) -> Outcome[None]:
    """Put all rows back in one transaction: after a crash there is no installation, and no half one."""
    files = {file.name: file for file in manifest.files(folder)}
    for table in rows.tables():
        file = files.pop(f"{table.name}.jsonl", None)
        if file is None:
            raise UnsafeError("The rows of this backup are not of this version: restore with the one that made it.")
        rows.load(tx, table, rows.split(manifest.read(folder, file)))
    if files:
        raise UnsafeError("The rows of this backup are not of this version: restore with the one that made it.")
    return Outcome(None)

"""Making a backup while the installation serves: first the rows, then the blobs they name, then the keys.

The order is what makes it safe. A blob is written before its row and deleted after it, a key is made before what it
seals and dies before it: so all that the snapshot of the rows names is there, but for what was ended meanwhile, and
what was ended must not be copied. Anything else that is missing stops the backup: it would not be one.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final

from service import checkpoints, events
from service.backups import rows
from service.backups.manifest import PIECE_BYTES, Header, Writer
from service.db import schema
from service.db.auditstore import each_log
from service.db.ids import new_id
from service.db.session import EVERY_LOG, Tx
from service.doctor.blobs import named
from service.doctor.keys import owned
from service.doctor.scratch import Said, Scratch
from service.errors import BlobMissingError, ExistsError, KeyMissingError, UnsafeError
from service.events import EventType
from service.ledger import Moment, Outcome
from service.services import Services

ROWS, BLOBS, KEYS = "rows", "blobs", "keys"
DAY_S: Final = 86_400


@dataclass(frozen=True, slots=True)
class Made:
    """A backup that was just made.

    Args:
        expires_at: UTC seconds; from then on its keys must not be used any more; None: it has none.
        ended: blobs and keys that were ended while it was made, and are not in it.
    """

    backup_id: str
    made_at: int
    rows: int
    blobs: int
    keys: int
    ended: int
    expires_at: int | None


async def backup(services: Services, folder: Path, *, with_keys: bool) -> Made:
    """Copy rows, blobs and, where asked for, keys into a new folder.

    Raises:
        ExistsError: there is something in that folder.
        UnsafeError: no life is declared for a copy of the keys; or something is missing that a row names.
        KeyPlaceError, StoreUnavailableError, LedgerUnavailableError: a part is away; what was copied is no backup.
    """
    days = services.settings.backup_days
    if with_keys and not days:
        raise UnsafeError(
            "A copy of the keys outlives what is destroyed here: say in MUNIMENT_BACKUP_DAYS how long it lives, which "
            "certificates then add; or make the backup --without-keys."
        )
    await asyncio.to_thread(_begin, folder)
    backup_id = new_id("bak", services.clock(), services.random)
    await _announce(services, backup_id, with_keys=with_keys)
    with Scratch() as scratch:
        header, count = await asyncio.to_thread(_copy_rows, services, folder / ROWS, backup_id, scratch)
        blobs, ended = await _copy_blobs(services, folder / BLOBS, replace(header, part=BLOBS), scratch)
        expires_at = header.made_at + days * DAY_S if with_keys else None
        keys = ended_keys = 0
        if with_keys:
            keys_header = replace(header, part=KEYS, expires_at=expires_at)
            keys, ended_keys = await asyncio.to_thread(_copy_keys, services, folder / KEYS, keys_header, scratch)
    return Made(backup_id, header.made_at, count, blobs, keys, ended + ended_keys, expires_at)


def _begin(folder: Path) -> None:
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    if any(folder.iterdir()):
        raise ExistsError("There is something in that folder. Name a new one.")


async def _announce(services: Services, backup_id: str, *, with_keys: bool) -> None:
    """Let every log tell of the copy, and sign it: the copy then holds the record of its own making."""
    data: events.Data = {"backup": backup_id, "keys": with_keys, "days": services.settings.backup_days}
    draft = events.changed(EventType.BACKUP_MADE, events.system("cli"), data=data)

    def job(_tx: Tx, _moment: Moment) -> Outcome[None]:
        return Outcome(None, (draft,))

    with services.database.read(EVERY_LOG) as tx:
        log_ids = [row.id for row in each_log(tx)]
    for log_id in log_ids:
        await services.ledger.submit(log_id, job)
        await checkpoints.sign_head(services, log_id)


def _copy_rows(services: Services, folder: Path, backup_id: str, scratch: Scratch) -> tuple[Header, int]:
    """Copy all rows of one snapshot, and note the blobs and keys that it names."""
    made_at = services.clock() // 1000
    with services.database.read(EVERY_LOG) as tx:
        notes = {row.id: checkpoints.newest(tx, row.id) for row in each_log(tx)}
        signed = {log_id: note.note.decode() for log_id, note in notes.items() if note is not None}
        header = Header(ROWS, backup_id, made_at, schema.head(), None, signed)
        writer, count = Writer(folder, header), 0
        try:
            for table in rows.tables():
                writer.add(f"{table.name}.jsonl", rows.dump(tx, table))
                count += 1
            for blob_id in named(tx):
                scratch.add(BLOBS, Said(blob_id, "", {}, 0))
            for key_id in owned(tx):
                scratch.add(KEYS, Said(key_id, "", {}, 0))
            writer.finish()
        finally:
            writer.close()
    return header, count


async def _copy_blobs(services: Services, folder: Path, header: Header, scratch: Scratch) -> tuple[int, int]:
    """Copy every blob that was noted; return how many, and how many had been ended meanwhile."""
    writer, missing = Writer(folder, header), []
    try:
        for said in scratch.rest(BLOBS):
            try:
                await _copy_blob(services, writer, said.id)
            except BlobMissingError:
                missing.append(said.id)
        _require_ended(services, missing, named)
        writer.finish()
    finally:
        writer.close()
    return writer.files, len(missing)


async def _copy_blob(services: Services, writer: Writer, blob_id: str) -> None:
    """Copy one blob; the disk is waited for in a thread, the store here.

    Raises:
        BlobMissingError: the store has none.
    """
    reader, loop = await services.blobs.open(blob_id), asyncio.get_running_loop()

    def pieces() -> Iterator[bytes]:
        for offset in range(0, reader.size, PIECE_BYTES):
            yield asyncio.run_coroutine_threadsafe(reader.read_at(offset, PIECE_BYTES), loop).result()

    try:
        await asyncio.to_thread(writer.add, f"{blob_id[-2:]}/{blob_id}", pieces())
    finally:
        await reader.close()


def _copy_keys(services: Services, folder: Path, header: Header, scratch: Scratch) -> tuple[int, int]:
    """Copy every key object that was noted, last of all: what dies while a backup is made is not in it."""
    writer, missing = Writer(folder, header), []
    try:
        for said in scratch.rest(KEYS):
            try:
                data = services.keys.read_object(said.id)
            except KeyMissingError:
                missing.append(said.id)
            else:
                writer.add(f"{said.id}.key", [data])
        _require_ended(services, missing, owned)
        writer.finish()
    finally:
        writer.close()
    return writer.files, len(missing)


def _require_ended(services: Services, missing: list[str], still: Any) -> None:
    """Refuse to call it a backup where something is missing that the rows still name."""
    if missing:
        with services.database.read(EVERY_LOG) as tx:
            wanted = set(still(tx))
        if wanted & set(missing):
            raise UnsafeError("Something that the rows name is missing: run `muniment doctor`, then make it again.")

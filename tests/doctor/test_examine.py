"""The doctor: silent when all is well, and names each thing that is not."""

from __future__ import annotations

import contextlib
import shutil
import sqlite3
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select

from audit.merkle import leaf_hash
from service import checkpoints, doctor
from service.db.models import log_checkpoints, log_entries, parts, revisions, upload_pieces
from service.db.session import Database
from service.doctor import Severity
from service.errors import KeyPlaceError, StoreUnavailableError
from tests.doctor.tampering import tamper
from tests.uploads.purposes import write_purpose
from tests.world import Engagement, World, a_world, folder


@pytest.fixture
async def engagement(tmp_path: Path, migrated_url: str) -> AsyncIterator[Engagement]:
    """A world with two key places, a document that is shared, one that was taken back, and checkpoints."""
    home = tmp_path / "var"
    async with a_world(home, migrated_url, key_places=(home / "keys", home / "keys2")) as world:
        made = await world.engagement()
        seat = await made.member("intake_specialist")
        await made.ask(seat)
        document = await made.document()
        await made.grant(await made.member(), document["document_id"])
        own = await seat.upload(made.id, made.part_id, b"mine", label="intake_form")
        await seat.change("DELETE", f"/documents/{own['document_id']}", status=204)
        await checkpoints.sign_head(world.services, world.firm_id)
        await made.member()
        await checkpoints.sign_head(world.services, world.firm_id)
        yield made


async def _findings(world: World) -> list[tuple[Severity, str, tuple[str, ...]]]:
    return [(each.severity, each.code, each.ids) for each in await doctor.examine(world.services)]


def _tamper(engagement: Engagement, statement: str, *values: Any) -> None:
    tamper(engagement.world.services.database, statement, *values)


async def test_it_is_silent_when_all_is_well(engagement: Engagement) -> None:
    assert await _findings(engagement.world) == []


async def test_it_changes_nothing(engagement: Engagement) -> None:
    size = (await checkpoints.sign_head(engagement.world.services, engagement.world.firm_id)) or None
    await _findings(engagement.world)
    assert await checkpoints.sign_head(engagement.world.services, engagement.world.firm_id) == size


async def test_bytes_that_are_gone_are_named_by_revision(engagement: Engagement) -> None:
    services = engagement.world.services
    with services.database.read(engagement.world.firm_id) as tx:
        row = tx.one(select(revisions).where(revisions.c.wrapped_key != b""))  # that of the paper which was kept
    await services.blobs.delete([row.blob_id])
    assert await _findings(engagement.world) == [(Severity.BROKEN, "blob_missing", (row.id,))]


async def test_objects_without_rows_are_named(engagement: Engagement) -> None:
    blob_id = "blb_" + "5" * 32
    writer = await engagement.world.services.blobs.create(blob_id)
    await writer.write(b"x")
    await writer.commit()
    assert await _findings(engagement.world) == [(Severity.WARNING, "blob_without_row", (blob_id,))]


async def test_pieces_of_files_on_their_way_are_known_and_missed(engagement: Engagement) -> None:
    said = {"engagement_id": engagement.id, "part_id": engagement.part_id, "label": "exhibit", "title": "x"}
    headers = {"Tus-Resumable": "1.0.0", "Upload-Length": "9", "Upload-Metadata": write_purpose(said)}
    begun = await engagement.attorney.ask("POST", "/uploads", headers=headers)
    path = begun.headers["location"].removeprefix("/api/v1")
    headers |= {"Upload-Offset": "0", "Content-Type": "application/offset+octet-stream"}
    assert (await engagement.attorney.ask("PATCH", path, content=b"some", headers=headers)).status_code == 204
    services = engagement.world.services
    assert await doctor.examine(services) == []
    with services.database.read(engagement.world.firm_id) as tx:
        piece = tx.one(select(upload_pieces.c.id, upload_pieces.c.blob_id))
    await services.blobs.delete([piece.blob_id])
    [finding] = await doctor.examine(services)
    assert (finding.code, finding.ids) == ("piece_missing", (piece.id,))


async def test_a_key_that_no_place_holds_is_named_by_its_owner(engagement: Engagement) -> None:
    services = engagement.world.services
    with services.database.read(engagement.world.firm_id) as tx:
        key_id = tx.value(select(parts.c.key_id))
    for place in services.settings.key_places:
        (folder(place) / f"{key_id}.key").unlink()
    assert await _findings(engagement.world) == [(Severity.BROKEN, "key_missing", (engagement.part_id,))]


async def test_a_place_that_is_behind_is_told(engagement: Engagement) -> None:
    services = engagement.world.services
    with services.database.read(engagement.world.firm_id) as tx:
        key_id = tx.value(select(parts.c.key_id))
    (folder(services.settings.key_places[1]) / f"{key_id}.key").unlink()
    assert await _findings(engagement.world) == [(Severity.BROKEN, "key_place_behind", (engagement.part_id,))]


async def test_keys_without_owners_are_named(engagement: Engagement) -> None:
    key_id = "key_" + "5" * 32
    engagement.world.services.keys.create(key_id, "engagement", None)
    assert await _findings(engagement.world) == [(Severity.WARNING, "key_without_owner", (key_id,))]


async def test_changed_bytes_of_an_entry_are_found(engagement: Engagement) -> None:
    world = engagement.world
    _tamper(engagement, "UPDATE log_entries SET body = ? WHERE log_id = ? AND idx = 5", b'{"v":1}', world.firm_id)
    assert await _findings(world) == [(Severity.BROKEN, "log_broken", (world.firm_id,))]


async def test_an_entry_that_was_rewritten_with_its_hash_is_found(engagement: Engagement) -> None:
    """The tampered log is consistent in itself; what was signed before says otherwise."""
    world = engagement.world
    with world.services.database.read(world.firm_id) as tx:
        rows = tx.all(select(log_entries).where(log_entries.c.log_id == world.firm_id).order_by(log_entries.c.idx))
    body = rows[5].body.replace(b'"outcome":"done"', b'"outcome":"sham"')
    assert body != rows[5].body
    statement = "UPDATE log_entries SET body = ?, leaf_hash = ? WHERE log_id = ? AND idx = 5"
    _tamper(engagement, statement, body, leaf_hash(body), world.firm_id)
    [(severity, code, ids)] = await _findings(world)
    assert (severity, ids) == (Severity.BROKEN, (world.firm_id,))
    assert code in {"log_broken", "log_rewritten"}


async def test_an_entry_that_was_taken_away_is_found(engagement: Engagement) -> None:
    world = engagement.world
    _tamper(
        engagement,
        "DELETE FROM log_entries WHERE log_id = ? AND idx = (SELECT size - 1 FROM logs WHERE id = ?)",
        world.firm_id,
        world.firm_id,
    )
    assert (Severity.BROKEN, "log_head", (world.firm_id,)) in await _findings(world)


async def test_a_checkpoint_that_was_changed_is_found_by_its_anchor(engagement: Engagement) -> None:
    world = engagement.world
    with world.services.database.read(world.firm_id) as tx:
        first = tx.all(select(log_checkpoints).order_by(log_checkpoints.c.size))[0]
    lines = first.note.split(b"\n")
    lines[2] = b"A" * 43 + b"="
    statement = "UPDATE log_checkpoints SET note = ? WHERE log_id = ? AND size = ?"
    _tamper(engagement, statement, b"\n".join(lines), first.log_id, first.size)
    found = await _findings(world)
    assert (Severity.BROKEN, "checkpoint_changed", (world.firm_id,)) in found
    assert (Severity.BROKEN, "log_rewritten", (world.firm_id,)) in found


async def test_a_checkpoint_that_was_taken_away_is_found_by_its_anchor(engagement: Engagement) -> None:
    world = engagement.world
    _tamper(engagement, "DELETE FROM log_checkpoints WHERE log_id = ?", world.firm_id)
    assert await _findings(world) == [(Severity.BROKEN, "checkpoint_changed", (world.firm_id,))]


async def test_a_database_that_was_rolled_back_is_found_by_its_anchors(
    tmp_path: Path, migrated_sqlite_url: str
) -> None:
    home, file = tmp_path / "var", Path(migrated_sqlite_url.removeprefix("sqlite:///"))
    async with a_world(home, migrated_sqlite_url) as world:
        backup = file.with_name("backup.db")
        with contextlib.closing(sqlite3.connect(file)) as source, contextlib.closing(sqlite3.connect(backup)) as copy:
            source.backup(copy)
        await world.owner.post("/vendors", {"name": "Later"})
        await checkpoints.sign_head(world.services, world.firm_id)
        older = Database(f"sqlite:///{backup}")
        rolled_back = replace(world.services, database=older)
        found = [(each.code, each.ids) for each in await doctor.examine(rolled_back)]
        assert ("log_rolled_back", (world.firm_id,)) in found
        older.close()


async def test_what_was_announced_and_not_closed_is_told(engagement: Engagement) -> None:
    world = engagement.world
    _tamper(
        engagement,
        "INSERT INTO log_intents (log_id, idx, instance, engagement_id) VALUES (?, 3, 'x', '')",
        world.firm_id,
    )
    assert await _findings(world) == [(Severity.WARNING, "intent_open", (f"{world.firm_id}:3",))]


async def test_a_place_or_store_that_is_away_is_told_and_nothing_else_is_guessed(engagement: Engagement) -> None:
    world = engagement.world
    place = folder(world.services.settings.key_places[1])
    shutil.move(place, place.with_name("away"))
    assert await _findings(world) == [(Severity.BROKEN, KeyPlaceError.code, ())]
    shutil.move(place.with_name("away"), place)
    shutil.move(folder(world.services.settings.blobs), place.with_name("away"))
    assert await _findings(world) == [(Severity.BROKEN, StoreUnavailableError.code, ())]


async def test_findings_say_what_to_do_and_name_nobody(engagement: Engagement) -> None:
    services = engagement.world.services
    with services.database.read(engagement.world.firm_id) as tx:
        row = tx.all(select(revisions))[0]
    await services.blobs.delete([row.blob_id])
    services.keys.create("key_" + "5" * 32, "engagement", None)
    found = await doctor.examine(services)
    assert len(found) >= 2
    for each in found:
        assert each.sentence.endswith(".")
        assert not any(name in str(each) for name in ("Delgado", "Paper", "Vera", "example"))

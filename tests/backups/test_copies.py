"""What lies in a backup, and which ones are refused."""

from __future__ import annotations

import asyncio
import json
import shutil
from pathlib import Path

import pytest

from service import backups
from service.db import schema
from service.db.models import revisions
from service.errors import ExistsError, KeyMissingError, MunimentError, UnsafeError, WrongRevisionError
from tests import world as worlds
from tests.api.places import blobs, files_with, rows
from tests.backups.places import DAYS, Elsewhere
from tests.disposal.ending import FORM, LETTER, Ending
from tests.doctor.tampering import rows_of
from tests.world import DAY_S


@pytest.fixture
async def folder(ending: Ending, tmp_path: Path) -> Path:
    """A backup."""
    path = tmp_path / "backup"
    await backups.backup(ending.world.services, path, with_keys=True)
    return path


async def _assert_refused(empty: Elsewhere, folder: Path, error: type[MunimentError] = UnsafeError) -> None:
    """Refused, and nothing was written."""
    with pytest.raises(error):
        await empty.restore(folder)
    assert not [path for path in worlds.folder(empty.settings.blobs).rglob("*") if path.is_file()]
    assert not list(worlds.folder(empty.settings.key_places[0]).glob("*.key"))


async def test_no_name_no_content_and_no_root_key_lie_in_a_backup(ending: Ending, folder: Path) -> None:
    root = (ending.world.services.settings.home / "root.key").read_bytes()
    needles = (b"Canary", b"Delgado", b"Olive", b"example", FORM, LETTER[:40], root)
    assert files_with(folder, *needles) == []


async def test_files_of_a_backup_are_its_makers_alone(folder: Path) -> None:
    for path in await asyncio.to_thread(lambda: list(folder.rglob("*"))):
        assert path.stat().st_mode & 0o077 == 0, path


async def test_rows_and_blobs_without_the_keys_open_nothing(ending: Ending, empty: Elsewhere, folder: Path) -> None:
    shutil.rmtree(folder / "keys")
    found = await empty.restore(folder)
    assert "key_missing" in [each.code for each in found]
    with empty.opened() as services, pytest.raises(KeyMissingError):
        services.keys.open(ending.key_ids()[0])


async def test_a_backup_without_keys_is_put_beside_the_key_places_that_live(
    ending: Ending, empty: Elsewhere, tmp_path: Path
) -> None:
    made = await backups.backup(ending.world.services, tmp_path / "two", with_keys=False)
    assert (made.keys, made.expires_at) == (0, None)
    assert sorted(path.name for path in (tmp_path / "two").iterdir()) == ["blobs", "rows"]
    shutil.rmtree(worlds.folder(empty.settings.key_places[0]))
    shutil.copytree(
        worlds.folder(ending.world.services.settings.key_places[0]), worlds.folder(empty.settings.key_places[0])
    )
    assert await empty.restore(tmp_path / "two") == []


async def test_keys_are_not_copied_where_no_life_is_declared_for_the_copy(ending: Ending, tmp_path: Path) -> None:
    services = ending.world.services
    object.__setattr__(services.settings, "backup_days", 0)
    with pytest.raises(UnsafeError, match="MUNIMENT_BACKUP_DAYS"):
        await backups.backup(services, tmp_path / "none", with_keys=True)
    assert not (tmp_path / "none").exists()


async def test_keys_that_have_outlived_their_declared_life_are_refused(
    ending: Ending, empty: Elsewhere, folder: Path
) -> None:
    """A certificate has called irrecoverable what these keys would open."""
    ending.world.sleep(DAYS * DAY_S)
    await _assert_refused(empty, folder)
    shutil.rmtree(folder / "keys")
    await empty.restore(folder)  # rows and blobs stay good


@pytest.mark.parametrize("part", ["rows", "blobs", "keys"])
async def test_a_changed_a_missing_and_a_foreign_file_are_refused(empty: Elsewhere, folder: Path, part: str) -> None:
    files = [path for path in (folder / part).rglob("*") if path.is_file() and not path.name.startswith("manifest")]
    file = max(files, key=lambda path: path.stat().st_size)
    whole = file.read_bytes()
    file.write_bytes(whole[:-1] + bytes([whole[-1] ^ 1]))
    await _assert_refused(empty, folder)
    file.unlink()
    await _assert_refused(empty, folder)
    file.write_bytes(whole)
    manifest = folder / part / "manifest.jsonl"
    lines = manifest.read_bytes().splitlines(keepends=True)
    manifest.write_bytes(b"".join(lines[:-2] + lines[-1:]))
    await _assert_refused(empty, folder)
    manifest.unlink()
    await _assert_refused(empty, folder)


async def test_a_manifest_that_names_a_file_outside_of_its_folder_is_refused(empty: Elsewhere, folder: Path) -> None:
    import hashlib  # noqa: PLC0415  # only here

    manifest = folder / "blobs" / "manifest.jsonl"
    first, *_ = manifest.read_bytes().splitlines(keepends=True)
    line = json.dumps({"name": "../keys/x", "size_bytes": 1, "sha256": "0" * 64}).encode() + b"\n"
    last = json.dumps({"files": 1, "sha256": hashlib.sha256(first + line).hexdigest()}).encode() + b"\n"
    manifest.write_bytes(first + line + last)
    await _assert_refused(empty, folder)


async def test_folders_of_two_backups_are_not_put_together(
    ending: Ending, empty: Elsewhere, folder: Path, tmp_path: Path
) -> None:
    await backups.backup(ending.world.services, tmp_path / "later", with_keys=True)
    shutil.rmtree(folder / "blobs")
    shutil.copytree(tmp_path / "later" / "blobs", folder / "blobs")
    await _assert_refused(empty, folder)


async def test_a_place_that_is_not_empty_is_refused(ending: Ending, empty: Elsewhere, folder: Path) -> None:
    await empty.restore(folder)
    before = rows(ending.world.services.database, log=True)
    with pytest.raises(ExistsError):
        await empty.restore(folder)
    assert rows(ending.world.services.database, log=True) == before


async def test_a_folder_with_something_in_it_is_not_written_to(ending: Ending, tmp_path: Path) -> None:
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "mine").write_text("mine")
    with pytest.raises(ExistsError):
        await backups.backup(ending.world.services, tmp_path / "full", with_keys=True)


async def test_a_copy_from_which_something_is_missing_is_no_backup(ending: Ending, tmp_path: Path) -> None:
    services = ending.world.services
    [row, *_] = rows_of(services.database, revisions)
    await services.blobs.delete([row.blob_id])
    with pytest.raises(UnsafeError, match="doctor"):
        await backups.backup(services, tmp_path / "half", with_keys=True)
    assert not (tmp_path / "half" / "blobs" / "manifest.jsonl").exists()
    assert row.blob_id not in await blobs(ending.world)


async def test_a_backup_of_another_version_is_refused(
    empty: Elsewhere, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with empty.opened() as services:
        monkeypatch.setattr(schema, "head", lambda: "9999")
        with pytest.raises(WrongRevisionError):
            await backups.restore(services, folder)


async def test_a_wrong_root_key_is_refused(empty: Elsewhere, folder: Path) -> None:
    from service.crypto.kms import LocalRootKey  # noqa: PLC0415  # only here

    root = empty.settings.home / "root.key"
    root.unlink()
    LocalRootKey.create(root)
    with pytest.raises(UnsafeError, match="root key"):
        await empty.restore(folder)

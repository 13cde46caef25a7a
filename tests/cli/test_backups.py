from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from tests.cli.conftest import Run

FOUND = ("init", "--firm", "Harbor & Vale LLP", "--owner", "ruth@harborvale.example", "--json")


@pytest.fixture
def copy(run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A backup of a founded firm."""
    monkeypatch.setenv("MUNIMENT_BACKUP_DAYS", "7")
    run(*FOUND)
    made = run("backup", str(tmp_path / "copy"), "--json")
    assert made.code == 0
    assert made.json["keys"] > 0
    return tmp_path / "copy"


def test_a_backup_is_restored_into_an_empty_home(run: Run, copy: Path, tmp_path: Path) -> None:
    home = tmp_path / "home"
    kept = {name: (home / name) for name in ("root.key", "anchors")}
    home.rename(tmp_path / "lost")
    home.mkdir()
    for name in kept:
        shutil.move(tmp_path / "lost" / name, home / name)
    restored = run("restore", str(copy), "--json")
    assert (restored.code, restored.json["doctor"]) == (0, [])
    assert run("doctor").code == 0
    assert run("restore", "--reconcile", "--json").json == {"items": []}


def test_a_restore_without_the_root_key_is_refused_before_another_is_made(run: Run, copy: Path, tmp_path: Path) -> None:
    (tmp_path / "home").rename(tmp_path / "lost")
    refused = run("restore", str(copy))
    assert refused.code == 8
    assert "root key" in refused.err
    assert not (tmp_path / "home" / "root.key").exists()


def test_a_restore_over_an_installation_is_refused(run: Run, copy: Path) -> None:
    assert run("restore", str(copy)).code == 6
    assert run("doctor").code == 0


@pytest.mark.parametrize("wrong", [(), ("somewhere", "--reconcile")])
def test_restore_wants_a_folder_or_reconcile(run: Run, wrong: tuple[str, ...]) -> None:
    assert run("restore", *wrong).code == 4


def test_keys_are_copied_only_where_their_copys_life_is_declared(run: Run, tmp_path: Path) -> None:
    run(*FOUND)
    refused = run("backup", str(tmp_path / "copy"))
    assert refused.code == 8
    assert "MUNIMENT_BACKUP_DAYS" in refused.err
    assert run("backup", str(tmp_path / "copy"), "--without-keys").code == 0
    assert not (tmp_path / "copy" / "keys").exists()


def test_a_backup_prints_what_to_keep_apart(run: Run, copy: Path, tmp_path: Path) -> None:
    printed = run("backup", str(tmp_path / "second"))
    assert "apart" in printed.out


def test_reconcile_on_a_founded_firm_changes_nothing(run: Run) -> None:
    run(*FOUND)
    assert "nothing here is older" in run("restore", "--reconcile").out

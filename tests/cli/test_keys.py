from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from tests.cli.conftest import Run

FOUND = ("init", "--firm", "Harbor & Vale LLP", "--owner", "ruth@harborvale.example", "--json")
LEVELS = ("firm", "engagement", "part", "person")


@pytest.fixture
def home(run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An installation on two key places."""
    home = tmp_path / "home"
    monkeypatch.setenv("MUNIMENT_KEY_PLACES", ",".join((str(home / "near"), str(home / "far"))))
    assert run(*FOUND).code == 0
    return home


def whole(run: Run) -> bool:
    return bool(run("doctor", "--json").json == {"items": []})


@pytest.mark.parametrize("level", LEVELS)
def test_a_level_is_rotated_and_the_installation_is_whole(run: Run, home: Path, level: str) -> None:
    before = {path.name for path in (home / "near").iterdir()}
    done = run("keys", "rotate", "--level", level, "--json").json
    assert (done["level"], done["went_on"]) == (level, False)
    assert done["rotated"] == {"firm": 3, "person": 1}.get(level, 0)
    assert len({path.name for path in (home / "near").iterdir()} - before) == done["rotated"]
    assert whole(run)
    assert "rotated" in run("keys", "rotate", "--level", level).out


def test_a_level_that_is_none_is_refused(run: Run, home: Path) -> None:
    assert run("keys", "rotate", "--level", "document").code == 2


def test_the_root_key_is_rotated_by_making_another_and_naming_both(
    run: Run, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    old, new = home / "root.key", home / "new" / "root.key"
    assert "Next" in run("keys", "make-root", str(new)).out
    monkeypatch.setenv("MUNIMENT_ROOT_KEY", str(new))
    refused = run("doctor")
    assert (refused.code, "does not open the keys of this installation" in refused.out) == (8, True)
    monkeypatch.setenv("MUNIMENT_ROOT_KEY_OLD", str(old))
    assert whole(run)
    done = run("keys", "rotate", "--level", "root")
    assert (done.code, "MUNIMENT_ROOT_KEY_OLD" in done.out) == (0, True)
    monkeypatch.delenv("MUNIMENT_ROOT_KEY_OLD")
    old.unlink()
    assert whole(run)
    assert run("keys", "rotate", "--level", "person", "--json").json["rotated"] == 1


def test_a_root_rotation_without_another_key_says_what_to_set(
    run: Run, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    refused = run("keys", "rotate", "--level", "root")
    assert (refused.code, refused.out) == (8, "")
    assert "MUNIMENT_ROOT_KEY_OLD" in refused.err
    monkeypatch.setenv("MUNIMENT_ROOT_KEY_OLD", str(home / "root.key"))
    assert "the same root key" in run("keys", "rotate", "--level", "root").err


def test_a_root_key_file_that_is_there_is_never_replaced(run: Run, home: Path) -> None:
    before = (home / "root.key").read_bytes()
    assert run("keys", "make-root", str(home / "root.key")).code == 6
    assert (home / "root.key").read_bytes() == before
    assert run("keys", "make-root", "aws-kms:alias/muniment").code == 4


def test_a_lost_place_is_made_anew_by_its_name_and_mended(run: Run, home: Path) -> None:
    shutil.rmtree(home / "far")
    (home / "far").mkdir(mode=0o700)
    assert run("keys", "mend").code == 7  # it may as well be a volume that is not mounted
    assert run("keys", "mend", "--new", "elsewhere").code == 4
    mended = run("keys", "mend", "--new", "far", "--json").json
    assert mended == {"copied": {"far": 3}, "destroyed": [], "lost": []}
    assert {path.name for path in (home / "far").iterdir()} == {path.name for path in (home / "near").iterdir()}
    assert whole(run)
    assert "copied" in run("keys", "mend").out


def test_what_no_place_holds_is_named_and_the_way_out(run: Run, home: Path) -> None:
    [key, *_] = sorted((home / "near").glob("*.key"))
    for place in ("near", "far"):
        (home / place / key.name).write_bytes(b"not a key")
    printed = run("keys", "mend")
    assert key.stem in printed.out
    assert "copy of a key place" in printed.out


# Escrow ---------------------------------------------------------------------------------------------------------------


@pytest.fixture
def hands(tmp_path: Path) -> tuple[Path, Path]:
    """Two people's folders."""
    for name in ("ann", "ben"):
        (tmp_path / name).mkdir()
    return tmp_path / "ann" / "share", tmp_path / "ben" / "share"


def test_two_shares_make_the_root_key_again(run: Run, home: Path, hands: tuple[Path, Path]) -> None:
    first, second = hands
    kept = (home / "root.key").read_bytes()
    printed = run("keys", "escrow", str(first), str(second))
    assert printed.code == 0
    assert all(path.stat().st_mode & 0o777 == 0o600 for path in hands)
    secret = kept.split()[-2].decode()
    assert secret not in printed.out + first.read_text() + second.read_text()
    (home / "root.key").unlink()
    assert run("doctor").code == 8
    assert "restored" in run("keys", "escrow", "--restore", str(second), str(first)).out
    assert (home / "root.key").read_bytes() == kept
    assert whole(run)


def test_an_escrow_is_in_the_deployments_log(run: Run, home: Path, hands: tuple[Path, Path]) -> None:
    run("keys", "escrow", *map(str, hands))
    kept = b"".join(path.read_bytes() for path in home.glob("muniment.db*"))
    assert b"key.escrowed" in kept


def test_two_shares_in_one_folder_are_refused(run: Run, home: Path, hands: tuple[Path, Path]) -> None:
    first, _ = hands
    refused = run("keys", "escrow", str(first), str(first.with_name("other")))
    assert (refused.code, first.exists()) == (4, False)
    (first.parent.parent / "link").symlink_to(first.parent)
    assert run("keys", "escrow", str(first), str(first.parent.parent / "link" / "other")).code == 4


def test_a_share_replaces_no_file_and_half_an_escrow_is_none(run: Run, home: Path, hands: tuple[Path, Path]) -> None:
    first, second = hands
    second.write_text("something else")
    assert run("keys", "escrow", *map(str, hands)).code == 6
    assert (first.exists(), second.read_text()) == (False, "something else")
    assert run("keys", "escrow", str(first), str(second.parent / "none" / "share")).code == 8
    assert not first.exists()


def test_restoring_replaces_no_root_key_and_takes_no_wrong_shares(
    run: Run, home: Path, hands: tuple[Path, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    first, second = hands
    run("keys", "escrow", *map(str, hands))
    assert run("keys", "escrow", "--restore", str(first), str(second)).code == 6
    (home / "root.key").unlink()
    assert run("keys", "escrow", "--restore", str(first), str(first)).code == 4
    assert run("keys", "escrow", "--restore", str(first), str(first.with_name("none"))).code == 4
    second.chmod(0o644)
    assert run("keys", "escrow", "--restore", str(first), str(second)).code != 0
    assert not (home / "root.key").exists()
    second.chmod(0o600)
    monkeypatch.setenv("MUNIMENT_ROOT_KEY", "aws-kms:alias/muniment")
    assert run("keys", "escrow", "--restore", str(first), str(second)).code == 4

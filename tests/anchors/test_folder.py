from __future__ import annotations

import errno
import os
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.anchors.folder import AnchorFolder
from service.anchors.store import MAX_SIZE
from service.errors import UnavailableError

LOG = "frm_" + "1" * 32


@pytest.fixture
def anchors(tmp_path: Path) -> AnchorFolder:
    return AnchorFolder(tmp_path)


def files(path: Path) -> list[str]:
    return sorted(each.relative_to(path).as_posix() for each in path.rglob("*") if each.is_file())


@given(sizes=st.sets(st.integers(0, MAX_SIZE) | st.integers(0, 300_000), min_size=1, max_size=8))
def test_all_come_in_order_whatever_the_sizes(tmp_path_factory: pytest.TempPathFactory, sizes: set[int]) -> None:
    anchors = AnchorFolder(tmp_path_factory.mktemp("anchors"))
    for size in sizes:
        anchors.put(LOG, size, str(size).encode())
    assert list(anchors.all(LOG)) == [(size, str(size).encode()) for size in sorted(sizes)]
    assert anchors.newest(LOG) == (max(sizes), str(max(sizes)).encode())


def test_what_a_crash_left_is_not_a_note(anchors: AnchorFolder, tmp_path: Path) -> None:
    anchors.put(LOG, 7, b"note")
    group = tmp_path / LOG / f"{0:015d}"
    for name in (f"{9:020d}.note.00ff.new", "8.note", "README"):
        (group / name).write_text("x")
    (tmp_path / LOG / "README").write_text("x")
    assert list(anchors.all(LOG)) == [(7, b"note")]
    (tmp_path / LOG / f"{1:015d}").mkdir()  # made, then crashed before the note was written
    assert anchors.newest(LOG) == (7, b"note")


def test_a_note_cannot_be_written_again_by_mistake(anchors: AnchorFolder, tmp_path: Path) -> None:
    anchors.put(LOG, 7, b"note")
    assert (tmp_path / files(tmp_path)[0]).stat().st_mode & 0o777 == 0o400


def test_a_missing_folder_is_away_and_is_not_made_anew(tmp_path: Path) -> None:
    anchors = AnchorFolder(tmp_path / "gone")
    for act in (lambda: anchors.put(LOG, 1, b"x"), lambda: anchors.newest(LOG), lambda: list(anchors.all(LOG))):
        with pytest.raises(UnavailableError, match="anchor folder"):
            act()
    assert not (tmp_path / "gone").exists()


@pytest.mark.parametrize("operation", ["write", "fsync", "link"])
def test_a_note_that_cannot_be_written_leaves_nothing(
    anchors: AnchorFolder, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, operation: str
) -> None:
    def failing(*_: object, **__: object) -> None:
        raise OSError(errno.ENOSPC, "full")

    with monkeypatch.context() as patched:
        patched.setattr(os, operation, failing)
        with pytest.raises(UnavailableError):
            anchors.put(LOG, 1, b"note")
    assert files(tmp_path) == []
    anchors.put(LOG, 1, b"note")
    assert anchors.newest(LOG) == (1, b"note")


def test_a_note_that_cannot_be_read_is_not_called_absent(anchors: AnchorFolder, tmp_path: Path) -> None:
    anchors.put(LOG, 1, b"note")
    note = tmp_path / files(tmp_path)[0]
    note.unlink()
    note.mkdir()
    with pytest.raises(UnavailableError):
        anchors.newest(LOG)

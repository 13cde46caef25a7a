from __future__ import annotations

import errno
import os
import threading
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.anchors.folder import MAX_NOTE_BYTES, MAX_SIZE, AnchorConflictError, AnchorFolder
from service.errors import BadInputError, UnavailableError, UnsafeError

MARK = "muniment-anchors"
LOG, OTHER = "frm_" + "1" * 32, "frm_" + "2" * 32


@pytest.fixture
def anchors(tmp_path: Path) -> AnchorFolder:
    return AnchorFolder.create(tmp_path)


def files(path: Path) -> list[str]:
    """Every file but the mark."""
    found = sorted(each.relative_to(path).as_posix() for each in path.rglob("*") if each.is_file())
    return [name for name in found if name != MARK]


def test_a_log_without_anchors_has_none(anchors: AnchorFolder) -> None:
    assert anchors.newest(LOG) is None
    assert list(anchors.all(LOG)) == []


def test_the_newest_is_that_of_the_largest_size_of_this_log(anchors: AnchorFolder) -> None:
    for size in (5, 100_000, 99_999, 20):
        anchors.put(LOG, size, b"note %d" % size)
    anchors.put(OTHER, 10**6, b"another log")
    assert anchors.newest(LOG) == (100_000, b"note 100000")
    assert [size for size, _ in anchors.all(LOG)] == [5, 20, 99_999, 100_000]
    assert list(anchors.all(OTHER)) == [(10**6, b"another log")]


@given(sizes=st.sets(st.integers(0, MAX_SIZE) | st.integers(0, 300_000), min_size=1, max_size=8))
def test_all_come_in_order_whatever_the_sizes(tmp_path_factory: pytest.TempPathFactory, sizes: set[int]) -> None:
    anchors = AnchorFolder.create(tmp_path_factory.mktemp("anchors"))
    for size in sizes:
        anchors.put(LOG, size, str(size).encode())
    assert list(anchors.all(LOG)) == [(size, str(size).encode()) for size in sorted(sizes)]
    assert anchors.newest(LOG) == (max(sizes), str(max(sizes)).encode())


def test_the_same_note_again_is_no_error_and_another_is_a_conflict_with_evidence(anchors: AnchorFolder) -> None:
    anchors.put(LOG, 7, b"first")
    anchors.put(LOG, 7, b"first")
    with pytest.raises(AnchorConflictError) as caught:
        anchors.put(LOG, 7, b"second")
    assert isinstance(caught.value, UnsafeError)
    assert (caught.value.size, caught.value.kept, caught.value.offered) == (7, b"first", b"second")
    assert caught.value.extra == {"size": 7}
    assert anchors.newest(LOG) == (7, b"first")


def test_of_two_writers_of_one_size_one_is_kept(anchors: AnchorFolder) -> None:
    outcomes: list[str] = []
    start = threading.Barrier(4)

    def write(number: int) -> None:
        start.wait()
        try:
            anchors.put(LOG, 1, b"note %d" % number)
            outcomes.append("kept")
        except AnchorConflictError:
            outcomes.append("refused")

    threads = [threading.Thread(target=write, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(outcomes) == ["kept", "refused", "refused", "refused"]


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


def test_a_folder_without_its_mark_is_away_whatever_else_is_in_it(anchors: AnchorFolder, tmp_path: Path) -> None:
    """A volume that is not mounted leaves an empty folder, and what was anchored must not look as if it never was."""
    anchors.put(LOG, 7, b"note")
    anchors.require_mark()
    (tmp_path / MARK).unlink()
    before = files(tmp_path)
    for act in (lambda: anchors.put(LOG, 8, b"x"), lambda: anchors.newest(LOG), lambda: list(anchors.all(LOG))):
        with pytest.raises(UnavailableError, match="anchor folder"):
            act()
    with pytest.raises(UnsafeError, match="Mount its volume"):
        anchors.require_mark()
    assert files(tmp_path) == before


def test_a_folder_that_was_filled_before_there_were_marks_is_adopted_and_an_empty_one_is_not(tmp_path: Path) -> None:
    gone, empty, filled = (tmp_path / name for name in ("gone", "empty", "filled"))
    empty.mkdir()
    AnchorFolder.create(filled).put(LOG, 7, b"note")
    (filled / MARK).unlink()
    for path in (gone, empty, filled):
        AnchorFolder(path).adopt()
    assert not gone.exists()
    assert list(empty.iterdir()) == []
    assert AnchorFolder(filled).newest(LOG) == (7, b"note")


def test_making_the_folder_again_changes_nothing_that_is_there(anchors: AnchorFolder, tmp_path: Path) -> None:
    anchors.put(LOG, 7, b"note")
    assert AnchorFolder.create(tmp_path).newest(LOG) == (7, b"note")
    assert (tmp_path / MARK).stat().st_mode & 0o777 == 0o400


def test_a_folder_that_cannot_be_made_is_away(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("x")
    with pytest.raises(UnavailableError):
        AnchorFolder.create(tmp_path / "file")


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


@pytest.mark.parametrize("log_id", ["", ".", "..", "../x", "a/b", "A", "x" * 65, "a\n", "a\0"])
def test_what_is_no_log_id_reaches_no_file(anchors: AnchorFolder, log_id: str) -> None:
    for act in (
        lambda: anchors.put(log_id, 1, b"x"),
        lambda: anchors.newest(log_id),
        lambda: list(anchors.all(log_id)),
    ):
        with pytest.raises(BadInputError):
            act()


@pytest.mark.parametrize(("size", "note"), [(-1, b"x"), (2**63, b"x"), (1, b""), (1, bytes(MAX_NOTE_BYTES + 1))])
def test_what_is_no_checkpoint_is_refused(anchors: AnchorFolder, size: int, note: bytes) -> None:
    with pytest.raises(BadInputError):
        anchors.put(LOG, size, note)

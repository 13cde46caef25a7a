from __future__ import annotations

import errno
import os
import threading
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from service.crypto.bucketplaces import BucketKeyPlace
from service.crypto.places import FolderKeyPlace, KeyPlace
from service.errors import BadInputError, ExistsError, KeyMissingError, KeyPlaceError, UnsafeError
from tests.crypto.buckets import moto_s3, new_bucket, seaweed_s3
from tests.fakes.keyplaces import MemoryKeyPlace

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

__all__ = ["moto_s3", "seaweed_s3"]

ONE, TWO = "key_" + "1" * 32, "key_" + "2" * 32
FILE = ONE + ".key"


@pytest.fixture
def folder(tmp_path: Path) -> FolderKeyPlace:
    return FolderKeyPlace.create(tmp_path / "keys")


@pytest.fixture
def path(folder: FolderKeyPlace, tmp_path: Path) -> Path:
    return tmp_path / "keys"


@pytest.fixture(params=["folder", "memory", "moto", "seaweed"])
def place(request: pytest.FixtureRequest, tmp_path: Path) -> KeyPlace:
    if request.param == "folder":
        return FolderKeyPlace.create(tmp_path / "keys")
    if request.param == "memory":
        return MemoryKeyPlace("keys")
    client: S3Client = request.getfixturevalue(f"{request.param}_s3")
    return BucketKeyPlace.create(client, new_bucket(client), "keys/", "keys")


# The contract: every place, the fake too -----------------------------------------------------------------------------


def test_what_was_put_is_given_back_and_listed(place: KeyPlace) -> None:
    place.put(TWO, b"two")
    place.put(ONE, b"one")
    assert (place.get(ONE), place.get(TWO)) == (b"one", b"two")
    assert place.list() == [ONE, TWO]
    assert place.name == "keys"


def test_nothing_is_replaced(place: KeyPlace) -> None:
    place.put(ONE, b"first")
    with pytest.raises(ExistsError):
        place.put(ONE, b"second")
    assert place.get(ONE) == b"first"


def test_of_many_writers_of_one_id_exactly_one_succeeds(place: KeyPlace) -> None:
    outcomes: list[str] = []
    start = threading.Barrier(8)

    def write(number: int) -> None:
        start.wait()
        try:
            place.put(ONE, b"%d" % number)
            outcomes.append("stored")
        except ExistsError:
            outcomes.append("refused")

    threads = [threading.Thread(target=write, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(outcomes) == ["refused"] * 7 + ["stored"]


def test_what_is_not_there_is_missing(place: KeyPlace) -> None:
    with pytest.raises(KeyMissingError):
        place.get(ONE)


def test_deleting_is_certain_and_may_be_repeated(place: KeyPlace) -> None:
    place.put(ONE, b"one")
    place.put(TWO, b"two")
    place.delete(ONE)
    place.delete(ONE)
    with pytest.raises(KeyMissingError):
        place.get(ONE)
    assert place.list() == [TWO]


@pytest.mark.parametrize(
    "key_id", ["", ".", "..", "../key", "key_" + "1" * 31, ONE + "\n", ONE.upper(), "/etc/passwd", "\0"]
)
def test_what_is_no_key_id_reaches_no_file(place: KeyPlace, key_id: str) -> None:
    for act in (
        lambda: place.put(key_id, b""),
        lambda: place.get(key_id),
        lambda: place.delete(key_id),
        lambda: place.replace(key_id, b"", b""),
    ):
        with pytest.raises(BadInputError):
            act()


def test_an_object_is_replaced_only_where_it_is_what_one_thinks(place: KeyPlace) -> None:
    place.put(ONE, b"first")
    assert place.replace(ONE, b"first", b"second")
    assert place.get(ONE) == b"second"
    assert not place.replace(ONE, b"first", b"third")
    assert place.get(ONE) == b"second"
    assert place.replace(ONE, b"first", b"second")  # it is done already, by us before a crash
    assert place.list() == [ONE]


def test_replacing_brings_nothing_back(place: KeyPlace) -> None:
    place.put(ONE, b"first")
    place.delete(ONE)
    assert not place.replace(ONE, b"first", b"second")
    assert place.list() == []


def test_of_replacing_and_deleting_together_nothing_is_left(place: KeyPlace) -> None:
    for number in range(5):
        key_id = f"key_{number:032x}"
        place.put(key_id, b"first")
        threads = [
            threading.Thread(target=place.replace, args=(key_id, b"first", b"second")),
            threading.Thread(target=place.delete, args=(key_id,)),
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert place.list() == []


# The folder ----------------------------------------------------------------------------------------------------------


def test_folder_and_files_are_for_us_alone(folder: FolderKeyPlace, path: Path) -> None:
    folder.put(ONE, b"one")
    assert path.stat().st_mode & 0o777 == 0o700
    assert (path / FILE).stat().st_mode & 0o777 == 0o600


def test_nothing_but_the_key_and_the_mark_is_left_in_the_folder(folder: FolderKeyPlace, path: Path) -> None:
    folder.put(ONE, b"one")
    assert {each.name for each in path.iterdir()} == {FILE, "muniment-key-place"}


def test_making_a_place_again_keeps_its_keys(folder: FolderKeyPlace, path: Path) -> None:
    folder.put(ONE, b"one")
    assert FolderKeyPlace.create(path, "named").get(ONE) == b"one"
    assert FolderKeyPlace(path, "named").name == "named"


@pytest.mark.parametrize("mode", [0o750, 0o707, 0o777])
def test_a_folder_that_others_may_use_is_refused(folder: FolderKeyPlace, path: Path, mode: int) -> None:
    folder.put(ONE, b"one")
    path.chmod(mode)
    for act in (lambda: folder.get(ONE), lambda: folder.put(TWO, b""), lambda: folder.delete(ONE), folder.list):
        with pytest.raises(UnsafeError):
            act()


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o400, 0o700])
def test_a_key_file_of_another_mode_is_refused(folder: FolderKeyPlace, path: Path, mode: int) -> None:
    folder.put(ONE, b"one")
    (path / FILE).chmod(mode)
    with pytest.raises(UnsafeError):
        folder.get(ONE)


def test_a_folder_of_somebody_else_is_refused(folder: FolderKeyPlace, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 12345)
    with pytest.raises(UnsafeError):
        folder.list()


def test_a_missing_folder_is_away_and_the_error_says_what_to_do(tmp_path: Path) -> None:
    place = FolderKeyPlace(tmp_path / "gone")
    for act in (lambda: place.get(ONE), lambda: place.put(ONE, b""), lambda: place.delete(ONE), place.list):
        with pytest.raises(KeyPlaceError, match=r"gone is away.*volume mounted.*doctor") as caught:
            act()
        assert caught.value.extra == {"place": "gone"}


def test_the_empty_folder_under_an_unmounted_volume_confirms_no_deletion(tmp_path: Path) -> None:
    (tmp_path / "mount").mkdir(mode=0o700)
    place = FolderKeyPlace(tmp_path / "mount")
    with pytest.raises(KeyPlaceError):
        place.delete(ONE)
    with pytest.raises(KeyPlaceError):
        place.get(ONE)
    (tmp_path / "mount" / "muniment-key-place").write_text("something else")
    (tmp_path / "mount" / "muniment-key-place").chmod(0o600)
    with pytest.raises(KeyPlaceError):
        place.delete(ONE)


def test_a_place_that_cannot_be_made_says_so(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(KeyPlaceError):
        FolderKeyPlace.create(tmp_path / "file" / "keys")


def test_a_link_under_the_name_of_a_key_is_not_followed(folder: FolderKeyPlace, path: Path, tmp_path: Path) -> None:
    (tmp_path / "elsewhere").write_bytes(b"other")
    (path / FILE).symlink_to(tmp_path / "elsewhere")
    with pytest.raises(KeyPlaceError):
        folder.get(ONE)
    with pytest.raises(ExistsError):
        folder.put(ONE, b"one")
    with pytest.raises(KeyPlaceError):
        folder.delete(ONE)
    assert (tmp_path / "elsewhere").read_bytes() == b"other"


def test_a_pipe_under_the_name_of_a_key_does_not_hold_the_reader(folder: FolderKeyPlace, path: Path) -> None:
    os.mkfifo(path / FILE, 0o600)
    assert folder.get(ONE) == b""


def test_an_object_that_is_too_large_shows(folder: FolderKeyPlace, path: Path) -> None:
    folder.put(ONE, bytes(100_000))
    assert len(folder.get(ONE)) == 4097


def test_what_is_no_key_is_not_listed(folder: FolderKeyPlace, path: Path) -> None:
    for name in (f"{ONE}.key.00.new", "note.key", "README"):
        (path / name).write_text("x")
    assert folder.list() == []


def test_deleting_removes_what_a_crash_left_beside_the_key(folder: FolderKeyPlace, path: Path) -> None:
    folder.put(ONE, b"one")
    (path / f"{FILE}.0011223344556677.new").write_bytes(b"a wrapped key")
    folder.delete(ONE)
    assert [each.name for each in path.iterdir()] == ["muniment-key-place"]


def test_zeros_are_written_before_a_key_is_unlinked(folder: FolderKeyPlace, path: Path) -> None:
    folder.put(ONE, b"wrapped")
    os.link(path / FILE, path / "watching")
    folder.delete(ONE)
    assert (path / "watching").read_bytes() == bytes(7)


# Faults --------------------------------------------------------------------------------------------------------------


def fail(monkeypatch: pytest.MonkeyPatch, operation: str, code: int = errno.EIO, nth: int = 1) -> None:
    """Let the ``nth`` call of an os function fail, that call alone."""
    real, calls = getattr(os, operation), iter(range(1, 100))

    def failing(*arguments: object, **named: object) -> object:
        if next(calls) == nth:
            raise OSError(code, os.strerror(code))
        return real(*arguments, **named)

    monkeypatch.setattr(os, operation, failing)


@pytest.mark.parametrize("code", [errno.EIO, errno.ENOSPC, errno.EDQUOT, errno.EROFS])
@pytest.mark.parametrize("operation", ["write", "fsync", "link"])
def test_a_put_that_fails_leaves_nothing_behind(
    folder: FolderKeyPlace, path: Path, monkeypatch: pytest.MonkeyPatch, operation: str, code: int
) -> None:
    with monkeypatch.context() as patched:
        fail(patched, operation, code)
        with pytest.raises(KeyPlaceError):
            folder.put(ONE, b"one")
    assert [each.name for each in path.iterdir()] == ["muniment-key-place"]
    folder.put(ONE, b"one")
    assert folder.get(ONE) == b"one"


def test_a_put_may_fail_and_be_stored(folder: FolderKeyPlace, monkeypatch: pytest.MonkeyPatch) -> None:
    with monkeypatch.context() as patched:
        fail(patched, "fsync", nth=2)  # the folder's
        with pytest.raises(KeyPlaceError):
            folder.put(ONE, b"one")
    assert folder.get(ONE) == b"one"


def test_short_writes_are_continued(folder: FolderKeyPlace, monkeypatch: pytest.MonkeyPatch) -> None:
    real = os.write
    monkeypatch.setattr(os, "write", lambda descriptor, data: real(descriptor, bytes(data[:3])))
    folder.put(ONE, b"a longer object")
    assert folder.get(ONE) == b"a longer object"


@pytest.mark.parametrize("operation", ["write", "fsync", "rename"])
def test_a_replacement_that_fails_leaves_the_old_bytes(
    folder: FolderKeyPlace, path: Path, monkeypatch: pytest.MonkeyPatch, operation: str
) -> None:
    folder.put(ONE, b"first")
    with monkeypatch.context() as patched:
        fail(patched, operation)
        with pytest.raises(KeyPlaceError):
            folder.replace(ONE, b"first", b"second")
    assert folder.get(ONE) == b"first"
    assert {each.name for each in path.iterdir()} == {FILE, "muniment-key-place"}


def test_a_replacement_may_fail_and_be_stored(folder: FolderKeyPlace, monkeypatch: pytest.MonkeyPatch) -> None:
    folder.put(ONE, b"first")
    with monkeypatch.context() as patched:
        fail(patched, "fsync", nth=2)  # the folder's
        with pytest.raises(KeyPlaceError):
            folder.replace(ONE, b"first", b"second")
    assert folder.get(ONE) == b"second"


@pytest.mark.parametrize(("operation", "nth"), [("write", 1), ("fsync", 1), ("unlink", 1), ("fsync", 2)])
def test_a_deletion_that_fails_confirms_nothing_and_can_be_repeated(
    folder: FolderKeyPlace, path: Path, monkeypatch: pytest.MonkeyPatch, operation: str, nth: int
) -> None:
    folder.put(ONE, b"one")
    with monkeypatch.context() as patched:
        fail(patched, operation, nth=nth)
        with pytest.raises(KeyPlaceError):
            folder.delete(ONE)
    folder.delete(ONE)
    assert [each.name for each in path.iterdir()] == ["muniment-key-place"]


def test_a_key_that_comes_back_while_it_is_deleted_is_not_confirmed(
    folder: FolderKeyPlace, path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder.put(ONE, b"one")
    real = os.fsync

    def restoring(descriptor: int) -> None:
        real(descriptor)
        (path / FILE).write_bytes(b"restored")

    with monkeypatch.context() as patched:
        patched.setattr(os, "fsync", restoring)
        with pytest.raises(KeyPlaceError):
            folder.delete(ONE)


@pytest.mark.parametrize("stored", [False, True])
def test_the_fake_fails_on_request_before_or_after(stored: bool) -> None:
    place = MemoryKeyPlace("keys")
    place.faults.plan("put", KeyPlaceError, stored=stored)
    with pytest.raises(KeyPlaceError):
        place.put(ONE, b"one")
    assert (place.list() == [ONE]) == stored
    assert place.faults.calls == ["put", "list"]

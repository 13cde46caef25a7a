from __future__ import annotations

import errno
import os
from pathlib import Path

import pytest

from service.crypto.kms import LocalRootKey
from service.crypto.wrapping import SecretKey, generate_key
from service.errors import ExistsError, NotInitialisedError, SealError, UnsafeError


@pytest.fixture
def path(tmp_path: Path) -> Path:
    LocalRootKey.create(tmp_path / "root.key", os.urandom)
    return tmp_path / "root.key"


def test_what_the_root_key_wraps_it_unwraps_in_the_same_context(path: Path) -> None:
    root, key = LocalRootKey(path), generate_key(os.urandom)
    wrapped = root.wrap(key, b"context")
    assert len(wrapped) == 61
    assert LocalRootKey(path).unwrap(wrapped, b"context") == key
    with pytest.raises(SealError):
        root.unwrap(wrapped, b"another context")


def test_the_file_is_for_us_alone_and_its_folder_is_made(tmp_path: Path) -> None:
    path = tmp_path / "deep" / "er" / "root.key"
    LocalRootKey.create(path)
    assert path.stat().st_mode & 0o777 == 0o600
    assert [each.name for each in path.parent.iterdir()] == ["root.key"]


def test_a_root_key_is_never_replaced(path: Path) -> None:
    before = path.read_bytes()
    with pytest.raises(ExistsError):
        LocalRootKey.create(path, os.urandom)
    assert path.read_bytes() == before


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o644, 0o660, 0o400, 0o700])
def test_a_file_of_another_mode_is_refused(path: Path, mode: int) -> None:
    path.chmod(mode)
    with pytest.raises(UnsafeError, match="0600"):
        LocalRootKey(path)


def test_a_file_of_somebody_else_is_refused(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 12345)
    with pytest.raises(UnsafeError):
        LocalRootKey(path)


def test_a_link_is_refused(path: Path, tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to(path)
    with pytest.raises(UnsafeError):
        LocalRootKey(tmp_path / "link")


def test_a_missing_file_says_how_to_begin(tmp_path: Path) -> None:
    for path in (tmp_path / "root.key", tmp_path / "no folder" / "root.key"):
        with pytest.raises(NotInitialisedError, match="muniment init"):
            LocalRootKey(path)


def test_a_disk_that_is_full_leaves_no_half_key(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object) -> int:
        raise OSError(errno.ENOSPC, "full")

    with monkeypatch.context() as patched:
        patched.setattr(os, "write", full)
        with pytest.raises(UnsafeError, match="cannot be written"):
            LocalRootKey.create(tmp_path / "root.key")
    assert list(tmp_path.iterdir()) == []


def test_the_description_names_the_key_and_does_not_show_it(path: Path) -> None:
    root = LocalRootKey(path)
    secret, name = path.read_text().split()[-2:]
    assert name in root.describe()
    assert repr(root) == f"LocalRootKey({root.describe()})"
    assert secret not in repr(root)
    assert name not in LocalRootKey.create(path.with_name("other.key")).describe()


def test_no_error_shows_the_key(path: Path) -> None:
    secret = path.read_text().split()[-2]
    path.write_text(path.read_text().replace(" v1 ", " v9 "))
    with pytest.raises(UnsafeError) as caught:
        LocalRootKey(path)
    assert secret not in str(caught.value)


def test_nonces_come_from_the_given_randomness(path: Path) -> None:
    root = LocalRootKey(path, lambda length: b"\x07" * length)
    assert root.wrap(SecretKey(bytes(32)), b"")[1:13] == b"\x07" * 12

"""Policy epochs: one name for one set of files."""

from __future__ import annotations

import hashlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from audit.errors import UnusableError
from audit.policy import FILES, POLICY_BYTES, epoch, epoch_under, from_json, to_json

GOOD = {"model.conf": b"m", "policy.csv": b"p", "duties.csv": b"", "answers.csv": b"\xc3\xa9\n"}


def test_an_epoch_is_the_hash_of_the_files_with_their_lengths() -> None:
    written = b"".join(len(GOOD[name]).to_bytes(8, "big") + GOOD[name] for name in FILES)
    assert epoch(GOOD) == hashlib.sha256(written).hexdigest()
    assert FILES == ("model.conf", "policy.csv", "duties.csv", "answers.csv")


@given(texts=st.tuples(*[st.text(st.characters(codec="utf-8"), max_size=9)] * 4), cut=st.integers(0, 9))
def test_moving_bytes_from_file_to_file_makes_another_epoch(texts: tuple[str, ...], cut: int) -> None:
    files = dict(zip(FILES, (text.encode() for text in texts), strict=True))
    moved = files | {
        "model.conf": files["model.conf"] + files["policy.csv"][:cut],
        "policy.csv": files["policy.csv"][cut:],
    }
    assert (epoch(moved) == epoch(files)) == (moved == files)


@given(texts=st.tuples(*[st.text(st.characters(codec="utf-8"), max_size=9)] * 4))
def test_files_come_back_from_json(texts: tuple[str, ...]) -> None:
    files = dict(zip(FILES, (text.encode() for text in texts), strict=True))
    assert from_json(to_json(files)) == files


def test_an_overlay_makes_an_epoch_of_its_own() -> None:
    base, rows = epoch(GOOD), ["a,b", "c,d"]
    text = hashlib.sha256(b"a,b\nc,d").digest()
    assert epoch_under(base, rows) == hashlib.sha256(b"muniment overlay v1\0" + bytes.fromhex(base) + text).hexdigest()
    assert epoch_under(base, []) == base
    assert len({epoch_under(base, each) for each in ([], rows, rows[:1], rows[::-1])}) == 4
    assert epoch_under(epoch(GOOD | {"policy.csv": b"q"}), rows) != epoch_under(base, rows)


@pytest.mark.parametrize("files", [{}, {"policy.csv": b""}, {**GOOD, "other.csv": b""}])
def test_other_sets_of_files_are_no_policy(files: dict[str, bytes]) -> None:
    with pytest.raises(UnusableError):
        epoch(files)
    with pytest.raises(UnusableError):
        to_json(files)


@pytest.mark.parametrize("content", [b"\xff", b"x" * POLICY_BYTES])
def test_files_that_are_no_text_or_too_long_are_not_written(content: bytes) -> None:
    with pytest.raises(UnusableError):
        to_json({**GOOD, "policy.csv": content})


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"[]",
        b"{}",
        b"\xff",
        b"[" * 9999,
        b'{"model.conf":1}',
        to_json(GOOD) + b"\n",
        to_json(GOOD).replace(b'","', b'", "'),
    ],
)
def test_other_json_is_refused(data: bytes) -> None:
    with pytest.raises(UnusableError):
        from_json(data)


def test_half_a_pair_in_json_is_refused() -> None:
    with pytest.raises(UnusableError):
        from_json(to_json(GOOD).replace(b'"m"', b'"\\ud800"'))

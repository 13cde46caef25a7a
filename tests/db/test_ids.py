"""Ids: their form, their order, and that they hold nothing else."""

from __future__ import annotations

import uuid

import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.db.ids import KINDS, Random, is_id, new_id

kinds = st.sampled_from(sorted(KINDS))
times = st.integers(0, 2**48 - 1)
tails = st.binary(min_size=10, max_size=10)


def giving(tail: bytes) -> Random:
    return lambda length: tail[:length]


@given(kinds, times, tails)
def test_an_id_is_its_kind_and_a_uuid_of_version_7(kind: str, now_ms: int, tail: bytes) -> None:
    made = new_id(kind, now_ms, giving(tail))
    value = uuid.UUID(made[4:])
    assert made.startswith(f"{kind}_")
    assert len(made) == 36
    assert (value.version, value.variant) == (7, uuid.RFC_4122)
    assert value.int >> 80 == now_ms
    assert is_id(made, kind)


@given(kinds, times, times, tails, tails)
def test_ids_sort_by_the_time_they_were_made(kind: str, one: int, other: int, a: bytes, b: bytes) -> None:
    first, second = (new_id(kind, now, giving(tail)) for now, tail in ((one, a), (other, b)))
    assert (first < second) == (one < other) or one == other


@given(tails, tails)
def test_different_randomness_makes_different_ids(one: bytes, other: bytes) -> None:
    made = {new_id("doc", 1, giving(tail)) for tail in (one, other)}
    masked = {int.from_bytes(tail, "big") & ((1 << 74) - 1) for tail in (one, other)}
    assert len(made) == len(masked)


def test_an_unknown_kind_is_refused() -> None:
    with pytest.raises(ValueError, match="xyz"):
        new_id("xyz", 1, bytes)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "doc_",
        "doc_" + "0" * 31,
        "doc_" + "0" * 33,
        "doc_" + "0" * 31 + "G",
        "doc_" + "0" * 31 + "A",
        "DOC_" + "0" * 32,
        "rev_" + "0" * 32,
        "doc_" + "0" * 32 + "\n",
        " doc_" + "0" * 32,
        "doc-" + "0" * 32,
        "doc_" + "\u0660" * 32,
        "doc_../../../../../../../../etc/passwd",
    ],
)
def test_what_is_not_shaped_like_an_id_is_none(text: str) -> None:
    assert not is_id(text, "doc")

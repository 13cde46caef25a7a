from __future__ import annotations

import os

import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.crypto import fields
from service.crypto.fields import blind_index
from service.crypto.wrapping import SecretKey, generate_key
from service.errors import BadInputError, SealError

KEY = SecretKey(bytes(range(32)))
PLACE = ("documents", "title", "doc_1")


def seal(text: str) -> bytes:
    return fields.seal(KEY, *PLACE, text, os.urandom)


@given(st.text(st.characters(exclude_categories=["Cs"])))
def test_a_field_opens_in_its_place_and_is_29_bytes_longer(text: str) -> None:
    sealed = seal(text)
    assert fields.open(KEY, *PLACE, sealed) == text
    assert len(sealed) == len(text.encode()) + 29


@pytest.mark.parametrize(
    "place",
    [
        ("grants", "title", "doc_1"),
        ("documents", "note", "doc_1"),
        ("documents", "title", "doc_2"),
        ("document", "stitle", "doc_1"),
        ("documents", "titledoc_1", ""),
        ("title", "documents", "doc_1"),
    ],
)
def test_a_field_moved_elsewhere_does_not_open(place: tuple[str, str, str]) -> None:
    with pytest.raises(SealError):
        fields.open(KEY, *place, seal("a title"))


def test_a_field_does_not_open_with_another_key() -> None:
    with pytest.raises(SealError):
        fields.open(generate_key(os.urandom), *PLACE, seal("a title"))


def test_every_changed_bit_and_every_other_length_is_refused() -> None:
    sealed = seal("a title")
    for bit in range(8 * len(sealed)):
        changed = bytearray(sealed)
        changed[bit // 8] ^= 1 << bit % 8
        with pytest.raises(SealError):
            fields.open(KEY, *PLACE, bytes(changed))
    for wrong in (*(sealed[:length] for length in range(len(sealed))), sealed + b"\x00"):
        with pytest.raises(SealError):
            fields.open(KEY, *PLACE, wrong)


def test_the_largest_text_is_kept_and_a_larger_one_refused() -> None:
    largest = "x" * fields.MAX_TEXT_BYTES
    assert fields.open(KEY, *PLACE, seal(largest)) == largest
    with pytest.raises(BadInputError):
        seal(largest + "x")
    with pytest.raises(SealError):
        fields.open(KEY, *PLACE, b"\x01" + bytes(fields.MAX_TEXT_BYTES + 29))


def test_a_lone_surrogate_is_refused_with_a_sentence() -> None:
    with pytest.raises(BadInputError, match="Unicode"):
        seal("\ud800")
    with pytest.raises(BadInputError, match="Unicode"):
        blind_index(KEY, "person", "\ud800")


def test_an_index_is_equal_for_equal_texts_of_one_purpose_under_one_key_only() -> None:
    index = blind_index(KEY, "person e-mail", "ada@example.org")
    assert len(index) == 32
    assert index == blind_index(KEY, "person e-mail", "ada@example.org")
    others = {
        blind_index(KEY, "person e-mail", "Ada@example.org"),
        blind_index(KEY, "person", " e-mailada@example.org"),
        blind_index(KEY, "idempotency", "ada@example.org"),
        blind_index(generate_key(os.urandom), "person e-mail", "ada@example.org"),
    }
    assert len(others | {index}) == 5

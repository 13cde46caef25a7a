"""Names that people type: kept as they were meant, refused where they deceive."""

from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from service import names
from service.errors import BadInputError, BadTitleError

HIDDEN = "\u061c\u200b\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069\ufeff"
refused = st.one_of(
    st.sampled_from(HIDDEN), st.characters(categories=["Cc", "Zl", "Zp"]), st.sampled_from(["\ud800", "\udfff"])
)
plain = st.text(
    st.characters(exclude_categories=["Cc", "Cs", "Zl", "Zp", "Cn"], exclude_characters=HIDDEN), min_size=1, max_size=80
).filter(lambda text: text.strip() != "" and unicodedata.normalize("NFC", text).strip() != "")


@given(plain)
def test_a_title_stays_as_it_was_meant(text: str) -> None:
    kept = names.title(text)
    assert kept == unicodedata.normalize("NFC", text).strip()
    assert names.title(kept) == kept


@given(plain, refused, plain)
def test_what_deceives_the_eye_or_breaks_a_line_is_refused_everywhere(before: str, sign: str, after: str) -> None:
    for text in (before + sign + after, sign + after, before + sign):
        with pytest.raises(BadTitleError):
            names.title(text)
        with pytest.raises(BadInputError):
            names.name(text, "client")


@pytest.mark.parametrize("text", ["", " ", "\u2003 ", "x" * 256])
def test_a_title_has_1_to_255_characters(text: str) -> None:
    with pytest.raises(BadTitleError):
        names.title(text)
    assert names.title("x" * 255) == "x" * 255
    assert names.title(" x ") == "x"


@pytest.mark.parametrize(
    "text",
    ["../../etc/passwd", "=cmd|' /C calc'!A0", "C:\\x\\y.pdf", "<script>alert(1)</script>", "日本語.pdf", "a'b\"c;d"],
)
def test_paths_formulas_quotes_and_any_script_are_text(text: str) -> None:
    assert names.title(text) == names.name(text, "client") == text


def test_the_field_that_is_wrong_is_named_and_its_value_is_not() -> None:
    with pytest.raises(BadInputError) as found:
        names.name("canary\u202e", "client")
    assert found.value.extra == {"field": "client"}
    assert "canary" not in found.value.message


@given(st.lists(plain, min_size=1, max_size=5))
def test_lines_of_a_text_are_kept_as_lines(lines: list[str]) -> None:
    sent = "\r\n".join(lines)
    kept = names.text(sent, "purpose")
    assert kept == "\n".join(unicodedata.normalize("NFC", line).strip() for line in lines)


@pytest.mark.parametrize("text", ["", " \n \n", "a\x00b", "a\u202eb", "x" * 2001, "a\x1bb"])
def test_a_text_that_is_empty_too_long_or_hides_something_is_refused(text: str) -> None:
    with pytest.raises(BadInputError):
        names.text(text, "purpose")


@pytest.mark.parametrize(
    ("typed", "kept"),
    [
        ("Ada@Firm.Example", "ada@firm.example"),
        (" ada@firm.example ", "ada@firm.example"),
        ("STRASSE@x.de", "strasse@x.de"),
        ("straße@x.de", "strasse@x.de"),
        ("ada+cases@firm.example", "ada+cases@firm.example"),
    ],
)
def test_an_address_is_found_again_however_it_was_typed(typed: str, kept: str) -> None:
    assert names.email(typed) == kept
    assert names.email(kept) == kept


@pytest.mark.parametrize(
    "text", ["", "ada", "@firm.example", "ada@", "a@b@c", "a b@c", "a\n@c", "a\u200b@c", "a" * 251 + "@x.y"]
)
def test_what_is_no_address_is_refused(text: str) -> None:
    with pytest.raises(BadInputError):
        names.email(text)

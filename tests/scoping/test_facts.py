"""The expressions that decisions and lists are made of."""

from __future__ import annotations

import pytest

from service.scoping.actions import Label, Role, Sensitivity
from service.scoping.facts import number, word


@pytest.mark.parametrize("text", ["it's", "a b", "a;b", "A", "1", "a--", "\u00e9", "a\n"])
def test_only_plain_words_are_written_into_a_statement(text: str) -> None:
    with pytest.raises(ValueError) as refused:  # noqa: PT011  # its message is the text itself
        word(text)
    assert refused.value.args == (text,)


def test_our_words_and_numbers_are_written_as_they_are() -> None:
    for one in (*Label, *Role, *Sensitivity, ""):
        assert str(word(str(one))) == f"'{one}'"
    assert str(number(1024)) == "1024"

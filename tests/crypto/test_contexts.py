from __future__ import annotations

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.crypto import contexts
from service.crypto.contexts import join, message_context
from service.errors import BadInputError

TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=6)
LISTS = st.lists(TEXT, max_size=5)


@given(LISTS, LISTS)
def test_two_lists_of_fields_join_to_the_same_bytes_only_if_they_are_the_same(one: list[str], two: list[str]) -> None:
    assert (join(*one) == join(*two)) == (one == two)


@given(st.lists(TEXT, min_size=2, max_size=5), st.data())
def test_moving_a_boundary_between_fields_shows(fields: list[str], data: st.DataObject) -> None:
    together = "".join(fields)
    cuts = sorted(
        data.draw(st.lists(st.integers(0, len(together)), min_size=len(fields) - 1, max_size=len(fields) - 1))
    )
    edges = [0, *cuts, len(together)]
    moved = [together[a:b] for a, b in itertools.pairwise(edges)]
    assert (join(*moved) == join(*fields)) == (moved == fields)


def test_contexts_of_different_purposes_never_meet() -> None:
    made = {
        message_context("a", "b", "c", "d", "e", "f"),
        contexts.field_context("a", "b", "c"),
        contexts.wrap_context(join("a", "b", "c")),
        contexts.key_object_context("a", "b", "c"),
        contexts.key_object_context("a", "b", None),
    }
    assert len(made) == 5


def test_a_lone_surrogate_is_refused() -> None:
    with pytest.raises(BadInputError):
        message_context("\udcff", "b", "c", "d", "e", "f")

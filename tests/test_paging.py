"""Pages: every row once, in order, and cursors that nobody can make say more."""

from __future__ import annotations

import base64
from typing import NamedTuple

import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.errors import BadCursorError
from service.paging import Window, page, window


class Row(NamedTuple):
    id: str


ids = st.lists(st.integers(0, 2**128 - 1).map(lambda n: f"doc_{n:032x}"), unique=True, max_size=40).map(sorted)


@given(ids, st.integers(1, 10))
def test_pages_give_every_row_once_and_in_order(all_ids: list[str], limit: int) -> None:
    seen: list[str] = []
    cursor, turns = None, 0
    while True:
        asked = window(cursor, limit, "doc")
        rows = [Row(each) for each in all_ids if each > asked.after][: limit + 1]
        found = page(rows, asked)
        assert len(found.items) <= limit
        seen += [row.id for row in found.items]
        cursor, turns = found.next_cursor, turns + 1
        if cursor is None:
            break
    assert seen == all_ids
    assert turns == max(1, -(-len(all_ids) // limit))


def _cursor(text: str) -> str:
    return base64.urlsafe_b64encode(text.encode()).decode()


@pytest.mark.parametrize(
    "cursor",
    [
        "",
        "x",
        "====",
        "%%%",
        "ÿ",
        _cursor("doc_1"),
        _cursor("rev_" + "0" * 32),
        _cursor("doc_" + "0" * 32 + "' OR 1=1"),
        _cursor("doc_" + "0" * 32) + "\n",
        _cursor("döc_" + "0" * 32),
    ],
)
def test_a_cursor_that_was_not_made_for_this_list_is_refused(cursor: str) -> None:
    with pytest.raises(BadCursorError):
        window(cursor, 10, "doc")


def test_the_first_page_begins_before_every_id() -> None:
    assert window(None, 7, "doc") == Window("", 7)


@given(ids)
def test_mapping_a_page_keeps_where_the_next_begins(all_ids: list[str]) -> None:
    found = page([Row(each) for each in all_ids], Window("", 5))
    mapped = found.map(lambda row: row.id)
    assert (list(mapped.items), mapped.next_cursor) == (all_ids[:5], found.next_cursor)

"""Pages of a list: ordered by id, opaque cursors, at most 100 rows.

A cursor holds the last id that was given out and nothing else. It opens nothing: the next page is decided anew, so a
cursor kept across a revoke shows only what may still be seen.
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Final, Generic, TypeVar

from service.db.ids import is_id
from service.errors import BadCursorError

PAGE_ROWS: Final = 50
MOST_ROWS: Final = 100
START: Final = ""  # before every id

T = TypeVar("T")
S = TypeVar("S")


@dataclass(frozen=True, slots=True)
class Page(Generic[T]):
    """Some rows, and where the next ones begin (None: there are no more)."""

    items: Sequence[T]
    next_cursor: str | None

    def map(self, change: Callable[[T], S]) -> Page[S]:
        """The same page with each item changed."""
        return Page([change(item) for item in self.items], self.next_cursor)


@dataclass(frozen=True, slots=True)
class Window:
    """Which page was asked for: at most `limit` rows after the id `after`."""

    after: str
    limit: int


def window(cursor: str | None, limit: int, kind: str) -> Window:
    """Read a cursor.

    Args:
        cursor: as it was given out, or None for the first page.
        kind: the kind of ids that this list is ordered by.

    Raises:
        BadCursorError: it was not made for this list.
    """
    if cursor is None:
        return Window(START, limit)
    try:
        after = base64.b64decode(cursor, altchars=b"-_", validate=True).decode("ascii")
    except (binascii.Error, ValueError):
        raise BadCursorError from None
    if not is_id(after, kind):
        raise BadCursorError
    return Window(after, limit)


def page(rows: Sequence[Any], asked: Window) -> Page[Any]:
    """Make a page of rows (each with an ``id``) that were fetched with one more than asked for."""
    more = len(rows) > asked.limit
    cursor = base64.urlsafe_b64encode(rows[asked.limit - 1].id.encode()).decode() if more else None
    return Page(rows[: asked.limit], cursor)

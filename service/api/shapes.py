"""What the API's bodies have in common: strict input, pages, links, times.

Rules kept here: an unknown member is refused (nobody sets a field that was not offered); text is bounded before it
reaches a use case; times are RFC 3339 in UTC with a ``Z``, whole seconds.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Annotated, Any, Generic, TypeVar

from fastapi import Header, Path, Query, Request, Response
from pydantic import AfterValidator, AwareDatetime, BaseModel, BeforeValidator, ConfigDict, Field, StringConstraints

from service.db.models import FOREVER
from service.paging import MOST_ROWS, PAGE_ROWS, Page

T = TypeVar("T")


class Input(BaseModel):
    """A body that a client sends: frozen, no unknown member, no silent conversion."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)


class Output(BaseModel):
    """A body that a client receives."""

    model_config = ConfigDict(frozen=True, from_attributes=True)


class Listed(Output, Generic[T]):
    """A page of a list; `next_cursor` goes into ``?cursor=`` for the next one, null at the end."""

    items: list[T]
    next_cursor: str | None = None


PathId = Annotated[
    str, Path(max_length=64, description="An id as it was given out; of any other form, it is not there.")
]
Id = Annotated[str, StringConstraints(pattern=r"^[a-z]{3}_[0-9a-f]{32}$")]
"""An id in a body or query: another form is 422 before anything is asked."""

Name = Annotated[str, Field(min_length=1, max_length=400)]
Text = Annotated[str, Field(min_length=1, max_length=4000)]
Cursor = Annotated[str | None, Query(max_length=200, description="`next_cursor` of the page before.")]
Limit = Annotated[int, Query(ge=1, le=MOST_ROWS, description=f"Rows a page, {PAGE_ROWS} unless said.")]
IdempotencyKey = Annotated[
    str | None, Header(alias="Idempotency-Key", max_length=200, description="Send the same key to repeat safely.")
]
IfMatch = Annotated[str | None, Header(alias="If-Match", max_length=100, description="The ETag that was read.")]


def _seconds(moment: datetime) -> datetime:
    if moment.microsecond:
        raise ValueError("whole seconds only")
    return moment


def _text(value: object) -> object:
    if not isinstance(value, str | datetime):  # a number would pass for seconds since 1970
        raise ValueError("a time is text, such as 2027-01-15T08:00:00Z")  # noqa: TRY004  # pydantic wants ValueError
    return value


Time = Annotated[AwareDatetime, Field(strict=False), BeforeValidator(_text), AfterValidator(_seconds)]


def seconds(moment: datetime) -> int:
    """UTC seconds of a time that was sent."""
    return int(moment.timestamp())


def shown_time(seconds: int | None) -> str | None:
    """A time as it is shown, null for "no end" and "not yet"."""
    if seconds is None or seconds >= FOREVER:
        return None
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def listed(request: Request, response: Response, found: Page[Any], shape: Callable[[Any], Any]) -> Any:
    """Answer a page, with a ``Link: rel="next"`` (RFC 8288) where there is another."""
    if found.next_cursor is not None:
        following = request.url.include_query_params(cursor=found.next_cursor)
        response.headers["Link"] = f'<{following.path}?{following.query}>; rel="next"'
    return {"items": [shape(item) for item in found.items], "next_cursor": found.next_cursor}

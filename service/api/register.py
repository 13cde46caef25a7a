"""The route of an engagement's register."""

from __future__ import annotations

from dataclasses import asdict
from typing import Annotated, Any

from fastapi import APIRouter, Path, Request, Response

from service import register
from service.api.shapes import Cursor, Limit, Listed, Output, listed, shown_time
from service.httpdeps import CallerDep, ServicesDep, StrictRoute
from service.paging import PAGE_ROWS, window

router = APIRouter(tags=["register"], route_class=StrictRoute)


class LineOut(Output):
    """One paper by label and number; `title` is null unless an attorney disclosed it to whoever asks.

    `state` is ``to_look_at``, ``confirmed``, ``taken_back`` or ``destroyed``; `size_bytes` is of the newest of its
    `revisions`, `total_bytes` of all. After `title_until` the title is told no more.
    """

    id: str
    number: int
    label: str
    sensitivity: str
    state: str
    matter_id: str
    matter_number: str
    added_by: str
    added_at: str
    revisions: int
    size_bytes: int
    total_bytes: int
    title: str | None
    title_until: str | None


def _out(line: register.Line) -> dict[str, Any]:
    return {**asdict(line), "added_at": shown_time(line.added_at), "title_until": shown_time(line.title_until)}


@router.get("/engagements/{engagement_id}/register", operation_id="list_register", response_model=Listed[LineOut])
async def list_page(
    services: ServicesDep,
    caller: CallerDep,
    request: Request,
    response: Response,
    engagement_id: Annotated[str, Path(max_length=64, examples=["eng_" + "0" * 32])],
    cursor: Cursor = None,
    limit: Limit = PAGE_ROWS,
) -> Any:
    """List the papers of an engagement by label and number, for who reviews it; also once it is disposed of.

    Titles that were disclosed to the reader are told, each with an entry of its own in the log.
    """
    found = await register.list_page(services, caller, engagement_id, window(cursor, limit, "doc"))
    return listed(request, response, found, _out)

"""Routes of on-call duties: who answers requests for access beside the lead and the deputy."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Path, Request, Response
from pydantic import ConfigDict, StringConstraints

from service import on_calls
from service.acts import etag
from service.api.shapes import (
    Cursor,
    IdempotencyKey,
    IfMatch,
    Input,
    Limit,
    Listed,
    Output,
    Time,
    listed,
    seconds,
    shown_time,
)
from service.httpdeps import CallerDep, ServicesDep, StrictRoute
from service.paging import PAGE_ROWS, window

router = APIRouter(tags=["on-call"], route_class=StrictRoute)

EngagementId = Annotated[str, Path(max_length=64, examples=["eng_" + "0" * 32])]
OnCallId = Annotated[str, Path(max_length=64, examples=["onc_" + "0" * 32])]
PersonId = Annotated[str, StringConstraints(pattern=r"^per_[0-9a-f]{32}$")]


class NewOnCall(Input):
    """An attorney to put on call; from now on where `starts_at` is left out."""

    model_config = ConfigDict(
        json_schema_extra={"examples": [{"person_id": "per_" + "0" * 32, "ends_at": "2026-03-02T06:00:00Z"}]}
    )
    person_id: PersonId
    starts_at: Time | None = None
    ends_at: Time


class OnCallOut(Output):
    """A duty to answer requests for access."""

    id: str
    engagement_id: str
    person_id: str
    starts_at: str
    ends_at: str
    created_at: str
    etag: str


def _out(on_call: on_calls.OnCall) -> dict[str, Any]:
    return {
        "id": on_call.id,
        "engagement_id": on_call.engagement_id,
        "person_id": on_call.person_id,
        "starts_at": shown_time(on_call.starts_at),
        "ends_at": shown_time(on_call.ends_at),
        "created_at": shown_time(on_call.created_at),
        "etag": etag(on_call.id, on_call.version),
    }


def _tagged(response: Response, on_call: on_calls.OnCall) -> dict[str, Any]:
    response.headers["ETag"] = etag(on_call.id, on_call.version)
    return _out(on_call)


@router.post(
    "/engagements/{engagement_id}/on-call", status_code=201, operation_id="create_on_call", response_model=OnCallOut
)
async def create(
    services: ServicesDep,
    caller: CallerDep,
    response: Response,
    engagement_id: EngagementId,
    body: NewOnCall,
    _key: IdempotencyKey = None,
) -> Any:
    """Put an attorney on call for an engagement."""
    starts_at = None if body.starts_at is None else seconds(body.starts_at)
    new = on_calls.NewOnCall(body.person_id, starts_at, seconds(body.ends_at))
    return _tagged(response, await on_calls.create(services, caller, engagement_id, new))


@router.get("/engagements/{engagement_id}/on-call", operation_id="list_on_calls", response_model=Listed[OnCallOut])
async def list_all(
    services: ServicesDep,
    caller: CallerDep,
    request: Request,
    response: Response,
    engagement_id: EngagementId,
    cursor: Cursor = None,
    limit: Limit = PAGE_ROWS,
) -> Any:
    """List who is, was and will be on call for an engagement, oldest first."""
    found = await on_calls.list_all(services, caller, engagement_id, window(cursor, limit, "onc"))
    return listed(request, response, found, _out)


@router.delete("/on-call/{on_call_id}", operation_id="end_on_call", response_model=OnCallOut)
async def end(
    services: ServicesDep, caller: CallerDep, response: Response, on_call_id: OnCallId, _match: IfMatch = None
) -> Any:
    """End a duty now; what was answered under it stands."""
    return _tagged(response, await on_calls.end(services, caller, on_call_id))

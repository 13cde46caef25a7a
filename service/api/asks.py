"""Routes of asks: what a member is asked to send in."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Path, Request, Response
from pydantic import ConfigDict, Field, StringConstraints

from service import asks
from service.acts import etag
from service.api.shapes import (
    Cursor,
    IdempotencyKey,
    IfMatch,
    Input,
    Limit,
    Listed,
    Output,
    Text,
    Time,
    listed,
    seconds,
    shown_time,
)
from service.httpdeps import CallerDep, ServicesDep, StrictRoute
from service.paging import PAGE_ROWS, window
from service.scoping.actions import Label

router = APIRouter(tags=["asks"], route_class=StrictRoute)

AskId = Annotated[str, Path(max_length=64, examples=["ask_" + "0" * 32])]
EngagementId = Annotated[str, Path(max_length=64, examples=["eng_" + "0" * 32])]
MembershipId = Annotated[str, StringConstraints(pattern=r"^mem_[0-9a-f]{32}$")]
PartId = Annotated[str, StringConstraints(pattern=r"^prt_[0-9a-f]{32}$")]
LabelWord = Annotated[Label, Field(strict=False)]  # JSON has words, not members of an enum


class NewAsk(Input):
    """Papers to ask of a member; one ask is made for each label."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "membership_id": "mem_" + "0" * 32,
                    "part_id": "prt_" + "0" * 32,
                    "labels": ["identification", "intake_form"],
                    "instructions": "Please collect these at the first call.",
                    "not_after": "2031-01-31T18:00:00Z",
                }
            ]
        }
    )
    membership_id: MembershipId
    part_id: PartId
    labels: list[LabelWord] = Field(min_length=1, max_length=len(Label))
    instructions: Text
    not_before: Time | None = None
    not_after: Time


class AskOut(Output):
    """A standing right to add papers of one label to one part; `ended_at` is null while nobody has ended it.

    `task_id` is null where it was not made with a task.
    """

    id: str
    engagement_id: str
    membership_id: str
    person_id: str
    part_id: str
    label: str
    instructions: str
    not_before: str
    not_after: str
    ended_at: str | None
    asked_by: str
    task_id: str | None
    etag: str


class AskedOut(Output):
    """What was asked together: one ask a label."""

    items: list[AskOut]


def out(ask: asks.Ask) -> dict[str, Any]:
    """An ask as it is shown."""
    return {
        "id": ask.id,
        "engagement_id": ask.engagement_id,
        "membership_id": ask.membership_id,
        "person_id": ask.person_id,
        "part_id": ask.part_id,
        "label": ask.label,
        "instructions": ask.instructions,
        "not_before": shown_time(ask.not_before),
        "not_after": shown_time(ask.not_after),
        "ended_at": shown_time(ask.ended_at),
        "asked_by": ask.asked_by,
        "task_id": ask.task_id,
        "etag": etag(ask.id, ask.version),
    }


def _tagged(response: Response, ask: asks.Ask) -> dict[str, Any]:
    response.headers["ETag"] = etag(ask.id, ask.version)
    return out(ask)


@router.post("/engagements/{engagement_id}/asks", status_code=201, operation_id="create_asks", response_model=AskedOut)
async def create(
    services: ServicesDep,
    caller: CallerDep,
    engagement_id: EngagementId,
    body: NewAsk,
    _key: IdempotencyKey = None,
) -> Any:
    """Ask a member for papers of these labels."""
    new = asks.NewAsk(
        membership_id=body.membership_id,
        part_id=body.part_id,
        labels=tuple(label.value for label in body.labels),
        instructions=body.instructions,
        not_before=None if body.not_before is None else seconds(body.not_before),
        not_after=seconds(body.not_after),
    )
    return {"items": [out(ask) for ask in await asks.create(services, caller, engagement_id, new)]}


@router.get("/engagements/{engagement_id}/asks", operation_id="list_asks", response_model=Listed[AskOut])
async def list_all(
    services: ServicesDep,
    caller: CallerDep,
    request: Request,
    response: Response,
    engagement_id: EngagementId,
    cursor: Cursor = None,
    limit: Limit = PAGE_ROWS,
) -> Any:
    """List the asks of an engagement that the caller may know of, ended ones too, oldest first."""
    found = await asks.list_all(services, caller, engagement_id, window(cursor, limit, "ask"))
    return listed(request, response, found, out)


@router.get("/asks/{ask_id}", operation_id="read_ask", response_model=AskOut)
async def read(services: ServicesDep, caller: CallerDep, response: Response, ask_id: AskId) -> Any:
    """Read one ask."""
    return _tagged(response, await asks.read(services, caller, ask_id))


@router.delete("/asks/{ask_id}", operation_id="end_ask", response_model=AskOut)
async def end(
    services: ServicesDep, caller: CallerDep, response: Response, ask_id: AskId, _match: IfMatch = None
) -> Any:
    """End an ask now; what was added under it stays."""
    return _tagged(response, await asks.end(services, caller, ask_id))

"""Routes of ethical walls."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Path, Query, Request, Response
from pydantic import ConfigDict, StringConstraints

from service import access, walls
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
    listed,
    shown_time,
)
from service.httpdeps import CallerDep, ServicesDep, StrictRoute
from service.paging import PAGE_ROWS, window

router = APIRouter(tags=["walls"], route_class=StrictRoute)

WallId = Annotated[str, Path(max_length=64, examples=["wal_" + "0" * 32])]
MatterId = Annotated[str, StringConstraints(pattern=r"^mtr_[0-9a-f]{32}$")]
PersonId = Annotated[str, StringConstraints(pattern=r"^per_[0-9a-f]{32}$")]
OfMatter = Annotated[MatterId | None, Query(description="Whose walls; the owner may leave it out and sees all.")]


class NewWall(Input):
    """A wall to raise between a person and a matter."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "person_id": "per_" + "0" * 32,
                    "matter_id": "mtr_" + "0" * 32,
                    "reason": "Worked for the other side until last year.",
                }
            ]
        }
    )
    person_id: PersonId
    matter_id: MatterId
    reason: Text


class Between(Input):
    """A person and a matter, with a wall between them in mind."""

    model_config = ConfigDict(
        json_schema_extra={"examples": [{"person_id": "per_" + "0" * 32, "matter_id": "mtr_" + "0" * 32}]}
    )
    person_id: PersonId
    matter_id: MatterId


class LossOut(Output):
    """How many documents of the matter a membership would lose, by act."""

    membership_id: str
    engagement_id: str | None
    role: str
    lost: dict[str, int]


class PreviewOut(Output):
    """What a wall would take, as of the time of the rows; memberships that lose nothing are not there."""

    as_of: str
    losses: list[LossOut]


class WallOut(Output):
    """A wall; `lifted_at` is null while it stands."""

    id: str
    person_id: str
    matter_id: str
    reason: str
    raised_at: str
    lifted_at: str | None


def _out(wall: walls.Wall) -> dict[str, Any]:
    return {
        "id": wall.id,
        "person_id": wall.person_id,
        "matter_id": wall.matter_id,
        "reason": wall.reason,
        "raised_at": shown_time(wall.raised_at),
        "lifted_at": shown_time(wall.lifted_at),
    }


def _tagged(response: Response, wall: walls.Wall) -> dict[str, Any]:
    response.headers["ETag"] = etag(wall.id, wall.version)
    return _out(wall)


@router.post("/walls", status_code=201, operation_id="raise_wall", response_model=WallOut)
async def raise_wall(
    services: ServicesDep, caller: CallerDep, response: Response, body: NewWall, _key: IdempotencyKey = None
) -> Any:
    """Keep a person from a matter, from now on."""
    return _tagged(response, await walls.raise_wall(services, caller, body.person_id, body.matter_id, body.reason))


@router.post("/wall-previews", operation_id="preview_wall", response_model=PreviewOut)
async def preview(services: ServicesDep, caller: CallerDep, body: Between) -> Any:
    """Say what a wall would take from a person before it is raised; nothing is changed."""
    told = await access.of_wall(services, caller, body.person_id, body.matter_id)
    losses = [
        {
            "membership_id": loss.id,
            "engagement_id": loss.engagement_id,
            "role": loss.role,
            "lost": {action.value: count for action, count in loss.lost.items()},
        }
        for loss in told.answer.items
    ]
    return {"as_of": shown_time(told.as_of), "losses": losses}


@router.get("/walls", operation_id="list_walls", response_model=Listed[WallOut])
async def list_all(
    services: ServicesDep,
    caller: CallerDep,
    request: Request,
    response: Response,
    matter_id: OfMatter = None,
    cursor: Cursor = None,
    limit: Limit = PAGE_ROWS,
) -> Any:
    """List walls, lifted ones too, oldest first."""
    found = await walls.list_all(services, caller, matter_id, window(cursor, limit, "wal"))
    return listed(request, response, found, _out)


@router.get("/walls/{wall_id}", operation_id="read_wall", response_model=WallOut)
async def read(services: ServicesDep, caller: CallerDep, response: Response, wall_id: WallId) -> Any:
    """Read one wall."""
    return _tagged(response, await walls.read(services, caller, wall_id))


@router.delete("/walls/{wall_id}", operation_id="lift_wall", response_model=WallOut)
async def lift(
    services: ServicesDep, caller: CallerDep, response: Response, wall_id: WallId, _match: IfMatch = None
) -> Any:
    """End a wall; it stays on the list."""
    return _tagged(response, await walls.lift(services, caller, wall_id))

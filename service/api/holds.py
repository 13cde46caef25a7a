"""Routes of legal holds."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Path, Query, Request, Response
from pydantic import ConfigDict, StringConstraints

from service import holds
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

router = APIRouter(prefix="/holds", tags=["holds"], route_class=StrictRoute)

HoldId = Annotated[str, Path(max_length=64, examples=["hld_" + "0" * 32])]
MatterId = Annotated[str, StringConstraints(pattern=r"^mtr_[0-9a-f]{32}$")]
OfMatter = Annotated[MatterId | None, Query(description="Whose holds; the owner may leave it out and sees all.")]


class NewHold(Input):
    """A hold to put on a matter."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [{"matter_id": "mtr_" + "0" * 32, "reason": "Letter of the insurer's counsel, 3 March."}]
        }
    )
    matter_id: MatterId
    reason: Text


class HoldOut(Output):
    """A hold; `lifted_at` is null while it is in force."""

    id: str
    matter_id: str
    reason: str
    placed_at: str
    lifted_at: str | None


def _out(hold: holds.Hold) -> dict[str, Any]:
    return {
        "id": hold.id,
        "matter_id": hold.matter_id,
        "reason": hold.reason,
        "placed_at": shown_time(hold.placed_at),
        "lifted_at": shown_time(hold.lifted_at),
    }


def _tagged(response: Response, hold: holds.Hold) -> dict[str, Any]:
    response.headers["ETag"] = etag(hold.id, hold.version)
    return _out(hold)


@router.post("", status_code=201, operation_id="place_hold", response_model=HoldOut)
async def place(
    services: ServicesDep, caller: CallerDep, response: Response, body: NewHold, _key: IdempotencyKey = None
) -> Any:
    """Put a matter under legal hold: nothing of it is destroyed until the hold is lifted."""
    return _tagged(response, await holds.place(services, caller, body.matter_id, body.reason))


@router.get("", operation_id="list_holds", response_model=Listed[HoldOut])
async def list_all(
    services: ServicesDep,
    caller: CallerDep,
    request: Request,
    response: Response,
    matter_id: OfMatter = None,
    cursor: Cursor = None,
    limit: Limit = PAGE_ROWS,
) -> Any:
    """List holds, lifted ones too, oldest first."""
    found = await holds.list_all(services, caller, matter_id, window(cursor, limit, "hld"))
    return listed(request, response, found, _out)


@router.get("/{hold_id}", operation_id="read_hold", response_model=HoldOut)
async def read(services: ServicesDep, caller: CallerDep, response: Response, hold_id: HoldId) -> Any:
    """Read one hold."""
    return _tagged(response, await holds.read(services, caller, hold_id))


@router.delete("/{hold_id}", operation_id="lift_hold", response_model=HoldOut)
async def lift(
    services: ServicesDep, caller: CallerDep, response: Response, hold_id: HoldId, _match: IfMatch = None
) -> Any:
    """End a hold; it stays on the list."""
    return _tagged(response, await holds.lift(services, caller, hold_id))

"""Routes of standing shares: papers to come, handed out by label as they are confirmed."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from fastapi import APIRouter, Path, Request, Response
from pydantic import ConfigDict, Field

from service.acts import etag
from service.api.shapes import (
    Cursor,
    Id,
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
from service.scoping.actions import Label, Role
from service.sharing import standing

router = APIRouter(tags=["standing-shares"], route_class=StrictRoute)

EngagementId = Annotated[str, Path(max_length=64, examples=["eng_" + "0" * 32])]
ShareId = Annotated[str, Path(max_length=64, examples=["stn_" + "0" * 32])]
LabelWord = Annotated[Label, Field(strict=False)]  # JSON has words, not members of an enum
RoleWord = Annotated[Role, Field(strict=False)]


class NewStandingShare(Input):
    """Papers of these labels that are confirmed from now on, to one member or to every member with a role."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "part_id": "prt_" + "0" * 32,
                    "role": "case_manager",
                    "labels": ["medical_record"],
                    "abilities": ["view"],
                    "not_after": "2031-01-31T18:00:00Z",
                    "purpose": "Keep the treatment calendar.",
                }
            ]
        }
    )
    part_id: Id
    membership_id: Id | None = None
    role: RoleWord | None = None
    labels: list[LabelWord] = Field(min_length=1, max_length=len(Label))
    sensitivity: Literal["routine", "confidential"] = "confidential"
    abilities: list[Literal["download", "revise", "text", "view"]] = Field(min_length=1, max_length=4)
    not_before: Time | None = None
    not_after: Time
    purpose: Text


class StandingShareOut(Output):
    """A standing share; `ended_at` is null while nobody has ended it."""

    id: str
    engagement_id: str
    part_id: str
    membership_id: str | None
    role: str | None
    labels: list[str]
    sensitivity: str
    abilities: list[str]
    not_before: str
    not_after: str
    ended_at: str | None
    purpose: str
    made_by: str
    made_at: str
    etag: str


def out(share: standing.StandingShare) -> dict[str, Any]:
    """A standing share as it is shown."""
    shown = {name: getattr(share, name) for name in StandingShareOut.model_fields if name != "etag"}
    times = {name: shown_time(shown[name]) for name in ("not_before", "not_after", "ended_at", "made_at")}
    lists = {"labels": list(share.labels), "abilities": list(share.abilities)}
    return {**shown, **times, **lists, "etag": etag(share.id, share.version)}


def _tagged(response: Response, share: standing.StandingShare) -> dict[str, Any]:
    response.headers["ETag"] = etag(share.id, share.version)
    return out(share)


@router.post(
    "/engagements/{engagement_id}/standing-shares",
    status_code=201,
    operation_id="create_standing_share",
    response_model=StandingShareOut,
)
async def create(
    services: ServicesDep,
    caller: CallerDep,
    response: Response,
    engagement_id: EngagementId,
    body: NewStandingShare,
    _key: IdempotencyKey = None,
) -> Any:
    """Hand out papers to come of a part, by label, for at most 90 days; those that are there are not in it."""
    new = standing.NewStandingShare(
        part_id=body.part_id,
        membership_id=body.membership_id,
        role=None if body.role is None else body.role.value,
        labels=tuple(label.value for label in body.labels),
        sensitivity=body.sensitivity,
        abilities=tuple(body.abilities),
        not_before=None if body.not_before is None else seconds(body.not_before),
        not_after=seconds(body.not_after),
        purpose=body.purpose,
    )
    return _tagged(response, await standing.create(services, caller, engagement_id, new))


@router.get(
    "/engagements/{engagement_id}/standing-shares",
    operation_id="list_standing_shares",
    response_model=Listed[StandingShareOut],
)
async def list_all(
    services: ServicesDep,
    caller: CallerDep,
    request: Request,
    response: Response,
    engagement_id: EngagementId,
    cursor: Cursor = None,
    limit: Limit = PAGE_ROWS,
) -> Any:
    """List the standing shares of an engagement that the caller may know of, ended ones too, oldest first."""
    found = await standing.list_all(services, caller, engagement_id, window(cursor, limit, "stn"))
    return listed(request, response, found, out)


@router.get("/standing-shares/{share_id}", operation_id="read_standing_share", response_model=StandingShareOut)
async def read(services: ServicesDep, caller: CallerDep, response: Response, share_id: ShareId) -> Any:
    """Read one standing share."""
    return _tagged(response, await standing.read(services, caller, share_id))


@router.delete("/standing-shares/{share_id}", operation_id="end_standing_share", response_model=StandingShareOut)
async def end(
    services: ServicesDep, caller: CallerDep, response: Response, share_id: ShareId, _match: IfMatch = None
) -> Any:
    """End a standing share now; what it handed out is revoked, and stays on the lists."""
    return _tagged(response, await standing.end(services, caller, share_id))

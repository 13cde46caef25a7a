"""Routes of standby shares: papers that a member may open for himself when it is needed."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Path, Request, Response
from pydantic import ConfigDict, Field, StringConstraints

from service import standbys
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

router = APIRouter(tags=["standbys"], route_class=StrictRoute)

StandbyId = Annotated[str, Path(max_length=64, examples=["sby_" + "0" * 32])]
EngagementId = Annotated[str, Path(max_length=64, examples=["eng_" + "0" * 32])]
DocumentId = Annotated[str, StringConstraints(pattern=r"^doc_[0-9a-f]{32}$")]
MembershipId = Annotated[str, StringConstraints(pattern=r"^mem_[0-9a-f]{32}$")]
PartId = Annotated[str, StringConstraints(pattern=r"^prt_[0-9a-f]{32}$")]
Word = Annotated[str, StringConstraints(pattern=r"^[a-z_]{1,32}$")]


class NewStandby(Input):
    """Papers of one part that a member may open once, until `valid_until` (14 days ahead at most), for `lasts_s`."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "membership_id": "mem_" + "0" * 32,
                    "part_id": "prt_" + "0" * 32,
                    "documents": ["doc_" + "0" * 32],
                    "abilities": ["view"],
                    "lasts_s": 7200,
                    "valid_until": "2026-03-14T06:00:00Z",
                    "note": "For the hearing on Friday, if the clerk calls.",
                }
            ]
        }
    )
    membership_id: MembershipId
    part_id: PartId
    documents: Annotated[list[DocumentId], Field(min_length=1, max_length=20)]
    abilities: Annotated[list[Word], Field(min_length=1, max_length=4)]
    lasts_s: Annotated[int, Field(ge=1, le=14_400)]
    valid_until: Time
    note: Text


class Opening(Input):
    """Why it is needed now."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"reason": "The clerk wants the exhibit tonight."}]})
    reason: Text


class StandbyPaperOut(Output):
    """A paper in it: its number and label, never its title."""

    id: str
    number: int
    label: str


class StandbyOut(Output):
    """A standby share; `state` is sealed, open, closed, withdrawn or lapsed; times are null before it was opened."""

    id: str
    engagement_id: str
    membership_id: str
    person_id: str
    part_id: str
    papers: list[StandbyPaperOut]
    abilities: list[str]
    lasts_s: int
    valid_until: str
    note: str
    sealed_by: str
    state: str
    opened_at: str | None
    closes_at: str | None
    reason: str | None
    etag: str


def _out(standby: standbys.Standby) -> dict[str, Any]:
    return {
        "id": standby.id,
        "engagement_id": standby.engagement_id,
        "membership_id": standby.membership_id,
        "person_id": standby.person_id,
        "part_id": standby.part_id,
        "papers": [paper._asdict() for paper in standby.papers],
        "abilities": standby.abilities,
        "lasts_s": standby.lasts_s,
        "valid_until": shown_time(standby.valid_until),
        "note": standby.note,
        "sealed_by": standby.sealed_by,
        "state": standby.state,
        "opened_at": shown_time(standby.opened_at),
        "closes_at": shown_time(standby.closes_at),
        "reason": standby.reason,
        "etag": etag(standby.id, standby.version),
    }


def _tagged(response: Response, standby: standbys.Standby) -> dict[str, Any]:
    response.headers["ETag"] = etag(standby.id, standby.version)
    return _out(standby)


@router.post(
    "/engagements/{engagement_id}/standbys", status_code=201, operation_id="seal_standby", response_model=StandbyOut
)
async def seal(
    services: ServicesDep,
    caller: CallerDep,
    response: Response,
    engagement_id: EngagementId,
    body: NewStandby,
    _key: IdempotencyKey = None,
) -> Any:
    """Seal papers ahead, which a member may then open for himself when it is needed."""
    new = standbys.NewStandby(
        membership_id=body.membership_id,
        part_id=body.part_id,
        documents=tuple(body.documents),
        abilities=tuple(body.abilities),
        lasts_s=body.lasts_s,
        valid_until=seconds(body.valid_until),
        note=body.note,
    )
    return _tagged(response, await standbys.create(services, caller, engagement_id, new))


@router.get("/engagements/{engagement_id}/standbys", operation_id="list_standbys", response_model=Listed[StandbyOut])
async def list_all(
    services: ServicesDep,
    caller: CallerDep,
    request: Request,
    response: Response,
    engagement_id: EngagementId,
    cursor: Cursor = None,
    limit: Limit = PAGE_ROWS,
) -> Any:
    """List the standby shares of an engagement that the caller may know of, oldest first; a member sees his own."""
    found = await standbys.list_all(services, caller, engagement_id, window(cursor, limit, "sby"))
    return listed(request, response, found, _out)


@router.get("/standbys/{standby_id}", operation_id="read_standby", response_model=StandbyOut)
async def read(services: ServicesDep, caller: CallerDep, response: Response, standby_id: StandbyId) -> Any:
    """Read one standby share."""
    return _tagged(response, await standbys.read(services, caller, standby_id))


@router.post("/standbys/{standby_id}/opening", operation_id="open_standby", response_model=StandbyOut)
async def open_now(
    services: ServicesDep,
    caller: CallerDep,
    response: Response,
    standby_id: StandbyId,
    body: Opening,
    _match: IfMatch = None,
) -> Any:
    """Open a standby share once, with a reason that its attorneys read."""
    return _tagged(response, await standbys.open_now(services, caller, standby_id, body.reason))


@router.delete("/standbys/{standby_id}/opening", operation_id="close_standby", response_model=StandbyOut)
async def close(
    services: ServicesDep, caller: CallerDep, response: Response, standby_id: StandbyId, _match: IfMatch = None
) -> Any:
    """Close what one opened before its time."""
    return _tagged(response, await standbys.close(services, caller, standby_id))


@router.delete("/standbys/{standby_id}", operation_id="end_standby", response_model=StandbyOut)
async def end(
    services: ServicesDep, caller: CallerDep, response: Response, standby_id: StandbyId, _match: IfMatch = None
) -> Any:
    """Withdraw a standby share; what was opened with it closes at once."""
    return _tagged(response, await standbys.end(services, caller, standby_id))

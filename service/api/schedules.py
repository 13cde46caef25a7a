"""Routes of schedules: the hours and networks in which a vendor's members may work."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from fastapi import APIRouter, Path, Request, Response
from pydantic import ConfigDict, Field, StringConstraints

from service import schedules
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
from service.scoping.hours import MOST_NETWORKS, MOST_SPANS, Span, Terms

router = APIRouter(tags=["schedules"], route_class=StrictRoute)

ScheduleId = Annotated[str, Path(max_length=64, examples=["sch_" + "0" * 32])]
EngagementId = Annotated[str, Path(max_length=64, examples=["eng_" + "0" * 32])]
MembershipId = Annotated[str, StringConstraints(pattern=r"^mem_[0-9a-f]{32}$")]
Day = Literal["mon", "tue", "wed", "thu", "fri", "sat", "sun"]
Clock = Annotated[str, StringConstraints(pattern=r"^(([01][0-9]|2[0-3]):[0-5][0-9]|24:00)$")]
Zone = Annotated[str, StringConstraints(min_length=1, max_length=64)]
Prefix = Annotated[str, StringConstraints(min_length=1, max_length=64)]


class Hours(Input):
    """Hours of some days by the clock on the wall; past midnight where `shuts` is the earlier."""

    days: list[Day] = Field(min_length=1, max_length=7)
    opens: Clock
    shuts: Clock


class NewSchedule(Input):
    """Hours, networks, or both; for every vendor member of the engagement, or for one."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "hours": [{"days": ["mon", "tue", "wed", "thu", "fri"], "opens": "08:30", "shuts": "18:00"}],
                    "zone": "America/New_York",
                    "networks": ["203.0.113.0/24", "2001:db8:7::/48"],
                }
            ]
        }
    )
    membership_id: MembershipId | None = None
    hours: list[Hours] = Field(default=[], max_length=MOST_SPANS)
    zone: Zone | None = Field(default=None, description="IANA time zone; the firm's unless said.")
    networks: list[Prefix] = Field(default=[], max_length=MOST_NETWORKS)
    valid_from: Time | None = None
    valid_until: Time | None = None


class HoursOut(Output):
    """Hours of some days."""

    days: list[str]
    opens: str
    shuts: str


class ScheduleOut(Output):
    """A schedule; `hours`, `zone` and `networks` are null where its row was damaged: it counts as shut then."""

    id: str
    engagement_id: str
    membership_id: str | None
    hours: list[HoursOut] | None
    zone: str | None
    networks: list[str] | None
    valid_from: str
    valid_until: str | None
    ended_at: str | None
    made_by: str
    etag: str


def said(terms: Terms | None) -> dict[str, Any]:
    """What a schedule says, as it is shown."""
    if terms is None:
        return {"hours": None, "zone": None, "networks": None}
    return {
        "hours": [{"days": list(span.days), "opens": span.opens, "shuts": span.shuts} for span in terms.spans],
        "zone": terms.zone,
        "networks": [str(network) for network in terms.networks],
    }


def _out(found: schedules.Schedule) -> dict[str, Any]:
    return {
        "id": found.id,
        "engagement_id": found.engagement_id,
        "membership_id": found.membership_id,
        **said(found.terms),
        "valid_from": shown_time(found.valid_from),
        "valid_until": shown_time(found.valid_until),
        "ended_at": shown_time(found.ended_at),
        "made_by": found.made_by,
        "etag": etag(found.id, found.version),
    }


def _tagged(response: Response, found: schedules.Schedule) -> dict[str, Any]:
    response.headers["ETag"] = etag(found.id, found.version)
    return _out(found)


@router.post(
    "/engagements/{engagement_id}/schedules",
    status_code=201,
    operation_id="create_schedule",
    response_model=ScheduleOut,
)
async def create(
    services: ServicesDep,
    caller: CallerDep,
    response: Response,
    engagement_id: EngagementId,
    body: NewSchedule,
    _key: IdempotencyKey = None,
) -> Any:
    """Bind the vendor's members of an engagement, or one of them, to hours and networks."""
    new = schedules.NewSchedule(
        membership_id=body.membership_id,
        spans=tuple(Span(tuple(hours.days), hours.opens, hours.shuts) for hours in body.hours),
        zone=body.zone,
        networks=tuple(body.networks),
        valid_from=None if body.valid_from is None else seconds(body.valid_from),
        valid_until=None if body.valid_until is None else seconds(body.valid_until),
    )
    return _tagged(response, await schedules.create(services, caller, engagement_id, new))


@router.get("/engagements/{engagement_id}/schedules", operation_id="list_schedules", response_model=Listed[ScheduleOut])
async def list_all(
    services: ServicesDep,
    caller: CallerDep,
    request: Request,
    response: Response,
    engagement_id: EngagementId,
    cursor: Cursor = None,
    limit: Limit = PAGE_ROWS,
) -> Any:
    """List the schedules of an engagement, those that are over too, oldest first."""
    found = await schedules.list_all(services, caller, engagement_id, window(cursor, limit, "sch"))
    return listed(request, response, found, _out)


@router.get("/schedules/{schedule_id}", operation_id="read_schedule", response_model=ScheduleOut)
async def read(services: ServicesDep, caller: CallerDep, response: Response, schedule_id: ScheduleId) -> Any:
    """Read one schedule."""
    return _tagged(response, await schedules.read(services, caller, schedule_id))


@router.delete("/schedules/{schedule_id}", operation_id="end_schedule", response_model=ScheduleOut)
async def end(
    services: ServicesDep, caller: CallerDep, response: Response, schedule_id: ScheduleId, _match: IfMatch = None
) -> Any:
    """End a schedule now: it binds nobody any more."""
    return _tagged(response, await schedules.end(services, caller, schedule_id))

"""Routes of emergencies."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Path, Query, Request, Response
from pydantic import ConfigDict, StringConstraints

from service import emergencies
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

router = APIRouter(prefix="/emergencies", tags=["emergencies"], route_class=StrictRoute)

EmergencyId = Annotated[str, Path(max_length=64, examples=["emg_" + "0" * 32])]
MatterId = Annotated[str, StringConstraints(pattern=r"^mtr_[0-9a-f]{32}$")]
OfMatter = Annotated[MatterId | None, Query(description="Of which matter; the owner may leave it out and sees all.")]


class NewEmergency(Input):
    """A matter to open, why, and until when: 5 minutes to 4 hours from now."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "matter_number": "2026-0001",
                    "reason": "Hearing moved to today, nobody of the team can be reached.",
                    "closes_at": "2031-01-31T18:00:00Z",
                }
            ]
        }
    )
    matter_number: Text
    reason: Text
    closes_at: Time


class Review(Input):
    """What somebody else says of it afterwards."""

    model_config = ConfigDict(
        json_schema_extra={"examples": [{"verdict": "justified", "note": "He read what the hearing needed."}]}
    )
    verdict: emergencies.Verdict
    note: Text


class EmergencyOut(Output):
    """An emergency; what has not happened yet is null."""

    id: str
    matter_id: str
    person_id: str
    membership_id: str
    reason: str
    opened_at: str
    closes_at: str
    ended_at: str | None
    reviewed_at: str | None
    reviewed_by: str | None
    verdict: emergencies.Verdict | None
    note: str | None


def _out(emergency: emergencies.Emergency) -> dict[str, Any]:
    return {
        "id": emergency.id,
        "matter_id": emergency.matter_id,
        "person_id": emergency.person_id,
        "membership_id": emergency.membership_id,
        "reason": emergency.reason,
        "opened_at": shown_time(emergency.opened_at),
        "closes_at": shown_time(emergency.closes_at),
        "ended_at": shown_time(emergency.ended_at),
        "reviewed_at": shown_time(emergency.reviewed_at),
        "reviewed_by": emergency.reviewed_by or None,
        "verdict": emergency.verdict or None,
        "note": emergency.note or None,
    }


def _tagged(response: Response, emergency: emergencies.Emergency) -> dict[str, Any]:
    response.headers["ETag"] = etag(emergency.id, emergency.version)
    return _out(emergency)


@router.post("", status_code=201, operation_id="declare_emergency", response_model=EmergencyOut)
async def declare(
    services: ServicesDep, caller: CallerDep, response: Response, body: NewEmergency, _key: IdempotencyKey = None
) -> Any:
    """Open a matter that you are not named on, for hours; it is recorded, shown to its team and reviewed."""
    declared = await emergencies.declare(services, caller, body.matter_number, body.reason, seconds(body.closes_at))
    return _tagged(response, declared)


@router.get("", operation_id="list_emergencies", response_model=Listed[EmergencyOut])
async def list_all(
    services: ServicesDep,
    caller: CallerDep,
    request: Request,
    response: Response,
    matter_id: OfMatter = None,
    cursor: Cursor = None,
    limit: Limit = PAGE_ROWS,
) -> Any:
    """List emergencies, those that are over too, oldest first."""
    found = await emergencies.list_all(services, caller, matter_id, window(cursor, limit, "emg"))
    return listed(request, response, found, _out)


@router.get("/{emergency_id}", operation_id="read_emergency", response_model=EmergencyOut)
async def read(services: ServicesDep, caller: CallerDep, response: Response, emergency_id: EmergencyId) -> Any:
    """Read one emergency."""
    return _tagged(response, await emergencies.read(services, caller, emergency_id))


@router.delete("/{emergency_id}", operation_id="end_emergency", response_model=EmergencyOut)
async def end(
    services: ServicesDep, caller: CallerDep, response: Response, emergency_id: EmergencyId, _match: IfMatch = None
) -> Any:
    """End an emergency before its time; it stays on the list."""
    return _tagged(response, await emergencies.end(services, caller, emergency_id))


@router.post("/{emergency_id}/review", operation_id="review_emergency", response_model=EmergencyOut)
async def review(
    services: ServicesDep,
    caller: CallerDep,
    response: Response,
    emergency_id: EmergencyId,
    body: Review,
    _match: IfMatch = None,
) -> Any:
    """Say whether it was one; somebody else than who declared it, once it is over."""
    reviewed = await emergencies.review(services, caller, emergency_id, body.verdict, body.note)
    return _tagged(response, reviewed)

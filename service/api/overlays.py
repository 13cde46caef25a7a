"""Routes of overlays: how one engagement is stricter than the policy for its vendor's people."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Response
from pydantic import ConfigDict, Field, StringConstraints

from service import overlays
from service.acts import etag
from service.api.engagements import EngagementId
from service.api.shapes import IfMatch, Input, Output, shown_time
from service.httpdeps import CallerDep, ServicesDep, StrictRoute
from service.scoping.overlays import MAX_BYTES, MAX_ROWS

router = APIRouter(prefix="/engagements", tags=["engagements"], route_class=StrictRoute)

RowText = Annotated[str, StringConstraints(min_length=1, max_length=MAX_BYTES)]


class OverlayRows(Input):
    """Rows that take away: roles, acts, labels, a sensitivity from which on (`*`: all), `never` or what is needed."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "rows": [
                        "receptionist,document:view,*,confidential,never",
                        "paralegal,document:download,medical_record,*,stepped_up",
                    ]
                }
            ]
        }
    )
    rows: list[RowText] = Field(max_length=MAX_ROWS)


class OverlayOut(Output):
    """An engagement's overlay in its one spelling, and the epoch that decisions about the vendor's people cite.

    Where it is not `readable` the engagement is shut for them until it is saved anew.
    """

    engagement_id: str
    rows: list[str]
    readable: bool
    epoch: str


class ShiftOut(Output):
    """How many documents a membership would gain and lose, for one act."""

    membership_id: str
    person_id: str
    role: str
    action: str
    gained: int
    lost: int


class OverlayPreviewOut(Output):
    """What other rows would change, as of the time of the documents; who neither gains nor loses is not there."""

    as_of: str
    shifts: list[ShiftOut]


def _tagged(response: Response, shown: overlays.Shown) -> dict[str, Any]:
    response.headers["ETag"] = etag(shown.engagement_id, shown.version)
    return {
        "engagement_id": shown.engagement_id,
        "rows": list(shown.rows),
        "readable": shown.is_readable,
        "epoch": shown.epoch,
    }


@router.get("/{engagement_id}/overlay", operation_id="read_overlay", response_model=OverlayOut)
async def read(services: ServicesDep, caller: CallerDep, response: Response, engagement_id: EngagementId) -> Any:
    """Read how an engagement is stricter than the policy for its vendor's people."""
    return _tagged(response, await overlays.read(services, caller, engagement_id))


@router.put("/{engagement_id}/overlay", operation_id="change_overlay", response_model=OverlayOut)
async def change(
    services: ServicesDep,
    caller: CallerDep,
    response: Response,
    engagement_id: EngagementId,
    body: OverlayRows,
    _match: IfMatch = None,
) -> Any:
    """Put other rows in the place of an engagement's overlay; an empty list takes it away."""
    return _tagged(response, await overlays.change(services, caller, engagement_id, body.rows))


@router.delete("/{engagement_id}/overlay", operation_id="remove_overlay", response_model=OverlayOut)
async def remove(
    services: ServicesDep, caller: CallerDep, response: Response, engagement_id: EngagementId, _match: IfMatch = None
) -> Any:
    """Take an engagement's overlay away: for its vendor's people the policy holds as it is."""
    return _tagged(response, await overlays.change(services, caller, engagement_id, ()))


@router.post("/{engagement_id}/overlay-previews", operation_id="preview_overlay", response_model=OverlayPreviewOut)
async def preview(services: ServicesDep, caller: CallerDep, engagement_id: EngagementId, body: OverlayRows) -> Any:
    """Say what other rows would take, or give back, before they are saved; nothing is changed."""
    found = await overlays.preview(services, caller, engagement_id, body.rows)
    return {"as_of": shown_time(found.as_of), "shifts": [shift._asdict() for shift in found.shifts]}

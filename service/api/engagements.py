"""Routes of engagements and of the parts of matters in them."""

from __future__ import annotations

from typing import Annotated, Any, Self

from fastapi import APIRouter, Path, Request, Response
from pydantic import ConfigDict, Field, StringConstraints, model_validator

from service import engagements, parts
from service.acts import etag
from service.api.duties import OwedByEngagement
from service.api.shapes import (
    Cursor,
    IdempotencyKey,
    IfMatch,
    Input,
    Limit,
    Listed,
    Name,
    Output,
    Time,
    listed,
    seconds,
    shown_time,
)
from service.httpdeps import CallerDep, ServicesDep, StrictRoute
from service.matters import NUMBER
from service.paging import PAGE_ROWS, window
from service.scoping.actions import Withheld

router = APIRouter(prefix="/engagements", tags=["engagements"], route_class=StrictRoute)

EngagementId = Annotated[str, Path(max_length=64, examples=["eng_" + "0" * 32])]
MatterId = Annotated[str, StringConstraints(pattern=r"^mtr_[0-9a-f]{32}$")]
PersonId = Annotated[str, StringConstraints(pattern=r"^per_[0-9a-f]{32}$")]
VendorId = Annotated[str, StringConstraints(pattern=r"^vnd_[0-9a-f]{32}$")]
WithheldWord = Annotated[Withheld, Field(strict=False)]  # JSON has words, not members of an enum
Number = Annotated[str, StringConstraints(pattern=rf"^{NUMBER.pattern}$")]


class NewEngagement(Input):
    """An engagement to begin; the number is stored in the clear and must not tell a name."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "vendor_id": "vnd_" + "0" * 32,
                    "number": "E-2026-004",
                    "name": "Delgado intake and records",
                    "starts_at": "2026-03-01T09:00:00Z",
                    "ends_at": "2026-09-01T00:00:00Z",
                    "lead_id": "per_" + "0" * 32,
                    "deputy_id": "per_" + "1" * 32,
                }
            ]
        }
    )
    vendor_id: VendorId
    number: Number
    name: Name
    starts_at: Time
    ends_at: Time
    lead_id: PersonId
    deputy_id: PersonId | None = None
    owed: OwedByEngagement = Field(default=[])


class EngagementChanges(Input):
    """What shall change; what is left out stays. Only `deputy_id` may be null: no deputy any more."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"ends_at": "2026-12-01T00:00:00Z"}]})
    name: Name | None = None
    ends_at: Time | None = None
    lead_id: PersonId | None = None
    deputy_id: PersonId | None = None
    withheld: WithheldWord | None = None
    owed: OwedByEngagement | None = None

    @model_validator(mode="after")
    def _something(self) -> Self:
        if not self.model_fields_set:
            raise ValueError("name at least one member to change")
        for field in self.model_fields_set - {"deputy_id"}:
            if getattr(self, field) is None:
                raise ValueError(f"{field} cannot be null")
        return self


class EngagementOut(Output):
    """An engagement, as far as the caller may know it: for vendor people `name`, `lead_id`, `deputy_id`, `withheld` and
    `owed` are null. What members were not handed is ``invisible`` to them, or ``may_be_asked_for``; `owed` are the
    duties that it demands beside the NDA.
    """

    id: str
    vendor_id: str
    number: str
    name: str | None
    firm: str
    status: str
    starts_at: str
    ends_at: str
    lead_id: str | None
    deputy_id: str | None
    withheld: str | None
    owed: list[str] | None
    role: str
    created_at: str


class NewPart(Input):
    """A part of a matter to put into an engagement, and what the matter is called inside it."""

    model_config = ConfigDict(
        json_schema_extra={"examples": [{"matter_id": "mtr_" + "0" * 32, "caption": "Delgado, records 2025"}]}
    )
    matter_id: MatterId
    caption: Name


class PartOut(Output):
    """A part of a matter; `caption` is null once its key is destroyed."""

    id: str
    engagement_id: str
    matter_id: str
    caption: str | None
    created_at: str


def _out(engagement: engagements.Engagement) -> dict[str, Any]:
    return {
        "id": engagement.id,
        "vendor_id": engagement.vendor_id,
        "number": engagement.number,
        "name": engagement.name,
        "firm": engagement.firm,
        "status": engagement.status,
        "starts_at": shown_time(engagement.starts_at),
        "ends_at": shown_time(engagement.ends_at),
        "lead_id": engagement.lead_id,
        "deputy_id": engagement.deputy_id,
        "withheld": engagement.withheld,
        "owed": engagement.owed,
        "role": engagement.role,
        "created_at": shown_time(engagement.created_at),
    }


def _tagged(response: Response, engagement: engagements.Engagement) -> dict[str, Any]:
    response.headers["ETag"] = etag(engagement.id, engagement.version)
    return _out(engagement)


def _part_out(part: parts.Part) -> dict[str, Any]:
    return {
        "id": part.id,
        "engagement_id": part.engagement_id,
        "matter_id": part.matter_id,
        "caption": part.caption,
        "created_at": shown_time(part.created_at),
    }


@router.post("", status_code=201, operation_id="create_engagement", response_model=EngagementOut)
async def create(
    services: ServicesDep, caller: CallerDep, response: Response, body: NewEngagement, _key: IdempotencyKey = None
) -> Any:
    """Begin an engagement with a vendor."""
    new = engagements.NewEngagement(
        vendor_id=body.vendor_id,
        number=body.number,
        name=body.name,
        starts_at=seconds(body.starts_at),
        ends_at=seconds(body.ends_at),
        lead_id=body.lead_id,
        deputy_id=body.deputy_id,
        owed=tuple(body.owed),
    )
    return _tagged(response, await engagements.create(services, caller, new))


@router.get("", operation_id="list_engagements", response_model=Listed[EngagementOut])
async def list_all(
    services: ServicesDep,
    caller: CallerDep,
    request: Request,
    response: Response,
    cursor: Cursor = None,
    limit: Limit = PAGE_ROWS,
) -> Any:
    """List the engagements that exist for the caller, oldest first."""
    found = await engagements.list_all(services, caller, window(cursor, limit, "eng"))
    return listed(request, response, found, _out)


@router.get("/{engagement_id}", operation_id="read_engagement", response_model=EngagementOut)
async def read(services: ServicesDep, caller: CallerDep, response: Response, engagement_id: EngagementId) -> Any:
    """Read one engagement."""
    return _tagged(response, await engagements.read(services, caller, engagement_id))


@router.patch("/{engagement_id}", operation_id="change_engagement", response_model=EngagementOut)
async def change(
    services: ServicesDep,
    caller: CallerDep,
    response: Response,
    engagement_id: EngagementId,
    body: EngagementChanges,
    _match: IfMatch = None,
) -> Any:
    """Rename an engagement, move its end, name another lead or deputy, declare what may be asked for or is demanded."""
    deputy_id = (body.deputy_id or "") if "deputy_id" in body.model_fields_set else None
    ends_at = None if body.ends_at is None else seconds(body.ends_at)
    withheld = None if body.withheld is None else body.withheld.value
    owed = None if body.owed is None else tuple(body.owed)
    changes = engagements.Changes(body.name, ends_at, body.lead_id, deputy_id, withheld, owed)
    return _tagged(response, await engagements.change(services, caller, engagement_id, changes))


@router.post("/{engagement_id}/parts", status_code=201, operation_id="add_part", response_model=PartOut)
async def add_part(
    services: ServicesDep, caller: CallerDep, engagement_id: EngagementId, body: NewPart, _key: IdempotencyKey = None
) -> Any:
    """Put a part of a matter into an engagement."""
    return _part_out(await parts.add(services, caller, engagement_id, body.matter_id, body.caption))


@router.get("/{engagement_id}/parts", operation_id="list_parts", response_model=Listed[PartOut])
async def list_parts(
    services: ServicesDep,
    caller: CallerDep,
    request: Request,
    response: Response,
    engagement_id: EngagementId,
    cursor: Cursor = None,
    limit: Limit = PAGE_ROWS,
) -> Any:
    """List the parts of an engagement that exist for the caller, oldest first."""
    found = await parts.list_all(services, caller, engagement_id, window(cursor, limit, "prt"))
    return listed(request, response, found, _part_out)

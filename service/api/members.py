"""Routes of memberships, in an engagement and for the whole house."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Path, Request, Response
from pydantic import ConfigDict, Field, StringConstraints

from service import members
from service.acts import etag
from service.api.duties import MissingOut, missing_out
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
from service.scoping.actions import Role

router = APIRouter(tags=["members"], route_class=StrictRoute)

EngagementId = Annotated[str, Path(max_length=64, examples=["eng_" + "0" * 32])]
MemberId = Annotated[str, Path(max_length=64, examples=["mem_" + "0" * 32])]
PersonId = Annotated[str, StringConstraints(pattern=r"^per_[0-9a-f]{32}$")]
MatterId = Annotated[str, StringConstraints(pattern=r"^mtr_[0-9a-f]{32}$")]
RoleWord = Annotated[Role, Field(strict=False)]


class NewMember(Input):
    """Who shall act in which role; the dates may be left out.

    `matter_id` limits a reviewer's seat for the whole house to one matter; in an engagement it is refused.
    """

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {"person_id": "per_" + "0" * 32, "role": "paralegal", "ends_at": "2026-06-01T00:00:00Z"},
                {"person_id": "per_" + "0" * 32, "role": "attorney"},
            ]
        }
    )
    person_id: PersonId
    role: RoleWord
    starts_at: Time | None = None
    ends_at: Time | None = None
    matter_id: MatterId | None = None


class BrakeOut(Output):
    """What a member had opened within an hour when the brake suspended him."""

    at: str
    documents: int
    size_bytes: int


class MemberOut(Output):
    """A membership; `engagement_id` is null for the whole house, `ends_at` where no end is set.

    `matter_id` is what a reviewer's seat is limited to, else null.
    `state` is to_come, running, suspended or ended; `brake` is null unless the brake suspended him; `missing` is what
    its person or vendor lacks before access opens.
    """

    id: str
    engagement_id: str | None
    matter_id: str | None
    person_id: str
    name: str
    side: str
    role: str
    starts_at: str
    ends_at: str | None
    state: str
    created_at: str
    brake: BrakeOut | None
    missing: list[MissingOut]


def _out(member: members.Member) -> dict[str, Any]:
    return {
        "id": member.id,
        "engagement_id": member.engagement_id,
        "matter_id": member.matter_id,
        "person_id": member.person_id,
        "name": member.name,
        "side": member.side,
        "role": member.role,
        "starts_at": shown_time(member.starts_at),
        "ends_at": shown_time(member.ends_at),
        "state": member.state,
        "created_at": shown_time(member.created_at),
        "brake": None
        if member.brake is None
        else {
            "at": shown_time(member.brake.at),
            "documents": member.brake.documents,
            "size_bytes": member.brake.size_bytes,
        },
        "missing": [missing_out(duty) for duty in member.missing],
    }


def _tagged(response: Response, member: members.Member) -> dict[str, Any]:
    response.headers["ETag"] = etag(member.id, member.version)
    return _out(member)


def _new(body: NewMember) -> members.NewMember:
    starts_at = None if body.starts_at is None else seconds(body.starts_at)
    ends_at = None if body.ends_at is None else seconds(body.ends_at)
    return members.NewMember(body.person_id, body.role.value, starts_at, ends_at, body.matter_id)


@router.post(
    "/engagements/{engagement_id}/members", status_code=201, operation_id="add_member", response_model=MemberOut
)
async def add(
    services: ServicesDep,
    caller: CallerDep,
    response: Response,
    engagement_id: EngagementId,
    body: NewMember,
    _key: IdempotencyKey = None,
) -> Any:
    """Let a person act in an engagement."""
    return _tagged(response, await members.add(services, caller, engagement_id, _new(body)))


@router.get("/engagements/{engagement_id}/members", operation_id="list_members", response_model=Listed[MemberOut])
async def list_all(
    services: ServicesDep,
    caller: CallerDep,
    request: Request,
    response: Response,
    engagement_id: EngagementId,
    cursor: Cursor = None,
    limit: Limit = PAGE_ROWS,
) -> Any:
    """List the members of an engagement, those who left too; a vendor's manager sees his side."""
    found = await members.list_all(services, caller, engagement_id, window(cursor, limit, "mem"))
    return listed(request, response, found, _out)


@router.post("/members", status_code=201, operation_id="add_house_member", response_model=MemberOut)
async def add_to_house(
    services: ServicesDep, caller: CallerDep, response: Response, body: NewMember, _key: IdempotencyKey = None
) -> Any:
    """Let a person of the firm act for the whole house."""
    return _tagged(response, await members.add(services, caller, None, _new(body)))


@router.get("/members", operation_id="list_house_members", response_model=Listed[MemberOut])
async def list_house(
    services: ServicesDep,
    caller: CallerDep,
    request: Request,
    response: Response,
    cursor: Cursor = None,
    limit: Limit = PAGE_ROWS,
) -> Any:
    """List who acts, or acted, for the whole house."""
    found = await members.list_all(services, caller, None, window(cursor, limit, "mem"))
    return listed(request, response, found, _out)


@router.get("/members/{member_id}", operation_id="read_member", response_model=MemberOut)
async def read(services: ServicesDep, caller: CallerDep, response: Response, member_id: MemberId) -> Any:
    """Read one membership."""
    return _tagged(response, await members.read(services, caller, member_id))


@router.post("/members/{member_id}/suspension", operation_id="suspend_member", response_model=MemberOut)
async def suspend(
    services: ServicesDep, caller: CallerDep, response: Response, member_id: MemberId, _match: IfMatch = None
) -> Any:
    """Suspend a membership at once."""
    return _tagged(response, await members.suspend(services, caller, member_id))


@router.delete("/members/{member_id}/suspension", operation_id="resume_member", response_model=MemberOut)
async def resume(
    services: ServicesDep, caller: CallerDep, response: Response, member_id: MemberId, _match: IfMatch = None
) -> Any:
    """End a suspension."""
    return _tagged(response, await members.resume(services, caller, member_id))


@router.delete("/members/{member_id}", operation_id="end_member", response_model=MemberOut)
async def end(
    services: ServicesDep, caller: CallerDep, response: Response, member_id: MemberId, _match: IfMatch = None
) -> Any:
    """End a membership at once and for good; its tokens end with it."""
    return _tagged(response, await members.end(services, caller, member_id))

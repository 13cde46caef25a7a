"""Routes of matters and their teams."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Path, Request, Response
from pydantic import ConfigDict, Field, StringConstraints

from service import access, matters
from service.acts import etag
from service.api.access import At, MatterAccess, sees_out, times
from service.api.duties import OwedByMatter
from service.api.shapes import (
    Cursor,
    IdempotencyKey,
    IfMatch,
    Input,
    Limit,
    Listed,
    Name,
    Output,
    listed,
    seconds,
    shown_time,
)
from service.httpdeps import CallerDep, ServicesDep, StrictRoute
from service.paging import PAGE_ROWS, window

router = APIRouter(prefix="/matters", tags=["matters"], route_class=StrictRoute)

MatterId = Annotated[str, Path(max_length=64, examples=["mtr_" + "0" * 32])]
PersonId = Annotated[str, Path(max_length=64, examples=["per_" + "0" * 32])]
Number = Annotated[str, StringConstraints(pattern=rf"^{matters.NUMBER.pattern}$")]


class NewMatter(Input):
    """A matter to open; the number is stored in the clear and must not tell a name."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"number": "2026-0117", "client": "Maria Delgado"}]})
    number: Number
    client: Name
    owed: OwedByMatter = Field(default=[])


class MatterChanges(Input):
    """What a matter demands from now on, whole."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"owed": ["baa", "client_consent"]}]})
    owed: OwedByMatter


class MatterOut(Output):
    """A matter; `client` and `owed` (the duties that it demands) are null for those who may know its number alone."""

    id: str
    number: str
    client: str | None
    owed: list[str] | None
    created_at: str


class NamedOut(Output):
    """Somebody named on a matter's team."""

    person_id: str
    since: str


class MatterWithTeam(MatterOut):
    """A matter and who is named on it."""

    team: list[NamedOut]


def _out(matter: matters.Matter) -> dict[str, Any]:
    return {
        "id": matter.id,
        "number": matter.number,
        "client": matter.client,
        "owed": matter.owed,
        "created_at": shown_time(matter.created_at),
    }


def _with_team(response: Response, matter: matters.Matter) -> dict[str, Any]:
    response.headers["ETag"] = etag(matter.id, matter.version)
    team = [{"person_id": named.person_id, "since": shown_time(named.since)} for named in matter.team]
    return {**_out(matter), "team": team}


@router.post("", status_code=201, operation_id="create_matter", response_model=MatterWithTeam)
async def create(
    services: ServicesDep, caller: CallerDep, response: Response, body: NewMatter, _key: IdempotencyKey = None
) -> Any:
    """Open a matter; its creator is named on the team."""
    return _with_team(response, await matters.create(services, caller, body.number, body.client, body.owed))


@router.get("", operation_id="list_matters", response_model=Listed[MatterOut])
async def list_all(
    services: ServicesDep,
    caller: CallerDep,
    request: Request,
    response: Response,
    cursor: Cursor = None,
    limit: Limit = PAGE_ROWS,
) -> Any:
    """List the matters that exist for the caller, oldest first."""
    found = await matters.list_all(services, caller, window(cursor, limit, "mtr"))
    return listed(request, response, found, _out)


@router.get("/{matter_id}", operation_id="read_matter", response_model=MatterWithTeam)
async def read(services: ServicesDep, caller: CallerDep, response: Response, matter_id: MatterId) -> Any:
    """Read one matter with its team."""
    return _with_team(response, await matters.read(services, caller, matter_id))


@router.patch("/{matter_id}", operation_id="change_matter", response_model=MatterWithTeam)
async def change(
    services: ServicesDep,
    caller: CallerDep,
    response: Response,
    matter_id: MatterId,
    body: MatterChanges,
    _match: IfMatch = None,
) -> Any:
    """Say anew which duties a matter demands."""
    return _with_team(response, await matters.change(services, caller, matter_id, body.owed))


@router.put("/{matter_id}/team/{person_id}", status_code=204, operation_id="name_on_team")
async def name_on_team(services: ServicesDep, caller: CallerDep, matter_id: MatterId, person_id: PersonId) -> None:
    """Name somebody of the firm on a matter's team; naming again changes nothing."""
    await matters.name_on_team(services, caller, matter_id, person_id)


@router.delete("/{matter_id}/team/{person_id}", status_code=204, operation_id="take_off_team")
async def take_off_team(services: ServicesDep, caller: CallerDep, matter_id: MatterId, person_id: PersonId) -> None:
    """Take somebody off a matter's team at once."""
    await matters.take_off_team(services, caller, matter_id, person_id)


@router.get("/{matter_id}/access", operation_id="explain_matter", response_model=MatterAccess)
async def explain(
    services: ServicesDep,
    caller: CallerDep,
    request: Request,
    response: Response,
    matter_id: MatterId,
    at: At = None,
    cursor: Cursor = None,
    limit: Limit = PAGE_ROWS,
) -> Any:
    """List who sees documents of this matter, and how many of those that the caller may ask about."""
    asked, then = window(cursor, limit, "mem"), None if at is None else seconds(at)
    told = await access.of_matter(services, caller, matter_id, asked, then)
    return {**times(told), **listed(request, response, told.answer, sees_out)}

"""Routes of people."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Path, Query, Request, Response
from pydantic import ConfigDict, Field, StringConstraints

from service import access, authenticators, members, people
from service.api.access import At, PersonAccess, seen_out, times
from service.api.shapes import (
    Cursor,
    Id,
    IdempotencyKey,
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

router = APIRouter(prefix="/people", tags=["people"], route_class=StrictRoute)

PersonId = Annotated[str, Path(max_length=64, examples=["per_" + "0" * 32])]
VendorId = Annotated[str, StringConstraints(pattern=r"^vnd_[0-9a-f]{32}$")]


class NewPerson(Input):
    """A person to record; with a vendor, somebody of that vendor."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {"email": "ana@northwind.example", "name": "Ana Reyes", "vendor_id": "vnd_" + "0" * 32},
                {"email": "lee@firm.example", "name": "Lee Okafor"},
            ]
        }
    )
    email: Annotated[str, Field(min_length=3, max_length=400)]
    name: Name
    vendor_id: VendorId | None = None


class PersonOut(Output):
    """A person; `email` is null for a reviewer."""

    id: str
    side: str
    vendor_id: str | None
    name: str
    email: str | None
    created_at: str


def _out(person: people.Person) -> dict[str, Any]:
    return {
        "id": person.id,
        "side": person.side,
        "vendor_id": person.vendor_id,
        "name": person.name,
        "email": person.email,
        "created_at": shown_time(person.created_at),
    }


@router.post("", status_code=201, operation_id="add_person", response_model=PersonOut)
async def add(services: ServicesDep, caller: CallerDep, body: NewPerson, _key: IdempotencyKey = None) -> Any:
    """Record a person."""
    return _out(await people.add(services, caller, body.email, body.name, body.vendor_id))


@router.get("", operation_id="list_people", response_model=Listed[PersonOut])
async def list_all(
    services: ServicesDep,
    caller: CallerDep,
    request: Request,
    response: Response,
    cursor: Cursor = None,
    limit: Limit = PAGE_ROWS,
) -> Any:
    """List the firm's people, oldest first."""
    found = await people.list_all(services, caller, window(cursor, limit, "per"))
    return listed(request, response, found, _out)


@router.get("/{person_id}", operation_id="read_person", response_model=PersonOut)
async def read(services: ServicesDep, caller: CallerDep, person_id: PersonId) -> Any:
    """Read one person."""
    return _out(await people.read(services, caller, person_id))


@router.get("/{person_id}/access", operation_id="explain_person", response_model=PersonAccess)
async def explain(
    services: ServicesDep,
    caller: CallerDep,
    request: Request,
    response: Response,
    person_id: PersonId,
    engagement_id: Annotated[Id, Query()],
    at: At = None,
    cursor: Cursor = None,
    limit: Limit = PAGE_ROWS,
) -> Any:
    """List what this person sees of an engagement and why, as far as the caller may ask about those documents."""
    asked, then = window(cursor, limit, "doc"), None if at is None else seconds(at)
    told = await access.of_person(services, caller, person_id, engagement_id, asked, then)
    return {**times(told), **listed(request, response, told.answer, seen_out)}


class PersonMembersOut(Output):
    """The memberships of a person that an act changed."""

    membership_ids: list[str]


@router.post("/{person_id}/suspension", operation_id="suspend_person", response_model=PersonMembersOut)
async def suspend(services: ServicesDep, caller: CallerDep, person_id: PersonId) -> Any:
    """Suspend all that a person has in the firm, at once; what was suspended before stays as it is."""
    return {"membership_ids": await members.suspend_person(services, caller, person_id)}


@router.delete("/{person_id}/suspension", operation_id="resume_person", response_model=PersonMembersOut)
async def resume(services: ServicesDep, caller: CallerDep, person_id: PersonId) -> Any:
    """Resume what was suspended with the person."""
    return {"membership_ids": await members.resume_person(services, caller, person_id)}


@router.delete("/{person_id}/authenticator", status_code=204, operation_id="reset_authenticator")
async def reset_authenticator(services: ServicesDep, caller: CallerDep, person_id: PersonId) -> None:
    """Take somebody else's authenticator away, at once, as the owner; he may then enrol a new one."""
    await authenticators.reset(services, caller, person_id)

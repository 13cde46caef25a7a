"""Routes of grants."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from fastapi import APIRouter, Path, Request, Response
from pydantic import ConfigDict, Field, StringConstraints

from service import grants
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

router = APIRouter(tags=["grants"], route_class=StrictRoute)

DocumentId = Annotated[str, Path(max_length=64, examples=["doc_" + "0" * 32])]
GrantId = Annotated[str, Path(max_length=64, examples=["grt_" + "0" * 32])]
MembershipId = Annotated[str, StringConstraints(pattern=r"^mem_[0-9a-f]{32}$")]
AbilityWord = Literal["download", "revise", "text", "view"]


class NewGrant(Input):
    """What to hand to whom; `view` is always included."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "membership_id": "mem_" + "0" * 32,
                    "abilities": ["view", "download"],
                    "not_after": "2031-01-31T18:00:00Z",
                    "purpose": "Summarise for the deposition.",
                }
            ]
        }
    )
    membership_id: MembershipId
    abilities: list[AbilityWord] = Field(min_length=1, max_length=4)
    not_before: Time | None = None
    not_after: Time
    purpose: Text


class GrantOut(Output):
    """A grant; `revoked_at` is null while nobody has revoked it.

    `task_id`, `bulk_id`, `standing_id` and `standby_id` say what it was made with: a task, one act with many grants, a
    standing or a standby share; null where not.
    """

    id: str
    document_id: str
    engagement_id: str
    membership_id: str
    person_id: str
    role: str
    abilities: list[str]
    not_before: str
    not_after: str
    revoked_at: str | None
    purpose: str
    granted_by: str
    granted_at: str
    task_id: str | None
    bulk_id: str | None
    standing_id: str | None
    standby_id: str | None
    etag: str


def out(grant: grants.Grant) -> dict[str, Any]:
    """A grant as it is shown."""
    return {
        "id": grant.id,
        "document_id": grant.document_id,
        "engagement_id": grant.engagement_id,
        "membership_id": grant.membership_id,
        "person_id": grant.person_id,
        "role": grant.role,
        "abilities": list(grant.abilities),
        "not_before": shown_time(grant.not_before),
        "not_after": shown_time(grant.not_after),
        "revoked_at": shown_time(grant.revoked_at),
        "purpose": grant.purpose,
        "granted_by": grant.granted_by,
        "granted_at": shown_time(grant.granted_at),
        **{name: getattr(grant.made_with, name) for name in ("task_id", "bulk_id", "standing_id", "standby_id")},
        "etag": etag(grant.id, grant.version),
    }


def _tagged(response: Response, grant: grants.Grant) -> dict[str, Any]:
    response.headers["ETag"] = etag(grant.id, grant.version)
    return out(grant)


@router.post("/documents/{document_id}/grants", status_code=201, operation_id="create_grant", response_model=GrantOut)
async def create(
    services: ServicesDep,
    caller: CallerDep,
    response: Response,
    document_id: DocumentId,
    body: NewGrant,
    _key: IdempotencyKey = None,
) -> Any:
    """Hand a document to a member of its engagement."""
    new = grants.NewGrant(
        membership_id=body.membership_id,
        abilities=tuple(body.abilities),
        not_before=None if body.not_before is None else seconds(body.not_before),
        not_after=seconds(body.not_after),
        purpose=body.purpose,
    )
    return _tagged(response, await grants.create(services, caller, document_id, new))


@router.get("/documents/{document_id}/grants", operation_id="list_grants", response_model=Listed[GrantOut])
async def list_all(
    services: ServicesDep,
    caller: CallerDep,
    request: Request,
    response: Response,
    document_id: DocumentId,
    cursor: Cursor = None,
    limit: Limit = PAGE_ROWS,
) -> Any:
    """List a document's grants, revoked and expired ones too, oldest first."""
    found = await grants.list_all(services, caller, document_id, window(cursor, limit, "grt"))
    return listed(request, response, found, out)


@router.get("/grants/{grant_id}", operation_id="read_grant", response_model=GrantOut)
async def read(services: ServicesDep, caller: CallerDep, response: Response, grant_id: GrantId) -> Any:
    """Read one grant."""
    return _tagged(response, await grants.read(services, caller, grant_id))


@router.delete("/grants/{grant_id}", operation_id="revoke_grant", response_model=GrantOut)
async def revoke(
    services: ServicesDep, caller: CallerDep, response: Response, grant_id: GrantId, _match: IfMatch = None
) -> Any:
    """End a grant now; it stays on the list."""
    return _tagged(response, await grants.revoke(services, caller, grant_id))

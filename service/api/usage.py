"""Routes of what is granted and not used: never-used grants, the least-privilege score, and making grants less."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from fastapi import APIRouter, Path, Query, Request, Response
from pydantic import ConfigDict, Field

from service import shrinking, usage
from service.acts import etag
from service.api.shapes import Cursor, Id, Input, Limit, Listed, Output, listed, shown_time
from service.httpdeps import CallerDep, ServicesDep, StrictRoute
from service.paging import PAGE_ROWS, window

router = APIRouter(prefix="/engagements/{engagement_id}", tags=["engagements"], route_class=StrictRoute)

EngagementId = Annotated[str, Path(max_length=64, examples=["eng_" + "0" * 32])]
Days = Annotated[int, Query(ge=1, le=366, description="Not opened for so many days, and at least as old.")]


class GrantUseOut(Output):
    """A live grant, by ids: its purpose and the document's title are told by their own addresses."""

    id: str
    membership_id: str
    person_id: str
    role: str
    document_id: str
    abilities: list[str]
    granted_by: str
    granted_at: str
    not_after: str
    standing_id: str | None
    etag: str


class SuggestionOut(Output):
    """One act that would make a grant less."""

    act: str
    grant: GrantUseOut


class ScoreOut(Output):
    """How much of what is granted is used; docs/least-privilege.md says what the numbers are."""

    as_of: str
    percent: int | None
    grants: int
    grants_used: int
    grants_standing: int
    pairs: int
    pairs_used: int
    ending: dict[str, int]
    suggestions: list[SuggestionOut]
    more: bool


class Accepted(Input):
    """One accepted suggestion: the grant as it was shown."""

    act: Literal["narrow", "revoke"]
    grant_id: Id
    etag: Annotated[str, Field(max_length=100)]


class Shrinking(Input):
    """The suggestions that the asker accepts; all are done, or none."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {"items": [{"act": "revoke", "grant_id": "grt_" + "0" * 32, "etag": '"grt_' + "0" * 32 + '-1"'}]}
            ]
        }
    )
    items: Annotated[list[Accepted], Field(min_length=1, max_length=shrinking.MOST)]


class ShrunkOut(Output):
    """What became of a grant."""

    id: str
    abilities: list[str]
    revoked_at: str | None
    etag: str


class ShrunkAll(Output):
    """What became of all of them."""

    items: list[ShrunkOut]


def _out(grant: usage.Grant) -> dict[str, Any]:
    shown = {name: getattr(grant, name) for name in GrantUseOut.model_fields}
    times = {name: shown_time(shown[name]) for name in ("granted_at", "not_after")}
    return {**shown, "abilities": list(grant.abilities), **times}


@router.get("/unused-grants", operation_id="list_unused_grants", response_model=Listed[GrantUseOut])
async def unused(
    services: ServicesDep,
    caller: CallerDep,
    request: Request,
    response: Response,
    engagement_id: EngagementId,
    days: Days = usage.SUGGEST_DAYS,
    cursor: Cursor = None,
    limit: Limit = PAGE_ROWS,
) -> Any:
    """List live grants whose holder has not opened the document for so many days."""
    found = await usage.unused(services, caller, engagement_id, days, window(cursor, limit, "grt"))
    return listed(request, response, found, _out)


@router.get("/least-privilege", operation_id="score_least_privilege", response_model=ScoreOut)
async def score(services: ServicesDep, caller: CallerDep, engagement_id: EngagementId) -> Any:
    """Say how much of what is granted here is used, and suggest what could be taken away."""
    found = await usage.score(services, caller, engagement_id)
    shown = {name: getattr(found, name) for name in ScoreOut.model_fields if name not in {"as_of", "suggestions"}}
    suggestions = [{"act": each.act, "grant": _out(each.grant)} for each in found.suggestions]
    return {**shown, "as_of": shown_time(found.as_of), "suggestions": suggestions}


@router.post("/least-privilege/shrink", operation_id="shrink_grants", response_model=ShrunkAll)
async def shrink(services: ServicesDep, caller: CallerDep, engagement_id: EngagementId, body: Shrinking) -> Any:
    """Do the suggestions that are accepted, in one act: all of them, or none."""
    wanted = [shrinking.Shrink(item.grant_id, item.etag, narrow=item.act == "narrow") for item in body.items]
    found = await shrinking.shrink(services, caller, engagement_id, wanted)
    items = [
        {
            "id": one.id,
            "abilities": list(one.abilities),
            "revoked_at": shown_time(one.revoked_at),
            "etag": etag(one.id, one.version),
        }
        for one in found
    ]
    return {"items": items}

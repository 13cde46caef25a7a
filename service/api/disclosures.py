"""Routes of disclosures: titles that attorneys open to a reviewer."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Path, Request, Response
from pydantic import ConfigDict, Field, StringConstraints

from service import disclosures
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

router = APIRouter(tags=["disclosures"], route_class=StrictRoute)

EngagementId = Annotated[str, Path(max_length=64, examples=["eng_" + "0" * 32])]
DisclosureId = Annotated[str, Path(max_length=64, examples=["dsc_" + "0" * 32])]
DocumentId = Annotated[str, StringConstraints(pattern=r"^doc_[0-9a-f]{32}$")]
MembershipId = Annotated[str, StringConstraints(pattern=r"^mem_[0-9a-f]{32}$")]


class NewDisclosure(Input):
    """Papers whose titles a reviewer is told, until when (30 days at most) and why."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "membership_id": "mem_" + "0" * 32,
                    "document_ids": ["doc_" + "0" * 32],
                    "reason": "He compares them with the client's list.",
                    "not_after": "2031-01-31T18:00:00Z",
                }
            ]
        }
    )
    membership_id: MembershipId
    document_ids: list[DocumentId] = Field(min_length=1, max_length=disclosures.MOST_DOCUMENTS)
    reason: Text
    not_after: Time


class DisclosureOut(Output):
    """The title of one paper, opened to one reviewer's membership; `ended_at` is null while nobody has ended it."""

    id: str
    engagement_id: str
    document_id: str
    membership_id: str
    person_id: str
    reason: str
    not_before: str
    not_after: str
    ended_at: str | None
    made_by: str
    etag: str


class DisclosedOut(Output):
    """What was opened together: one disclosure a paper."""

    items: list[DisclosureOut]


def out(made: disclosures.Disclosure) -> dict[str, Any]:
    """A disclosure as it is shown."""
    return {
        "id": made.id,
        "engagement_id": made.engagement_id,
        "document_id": made.document_id,
        "membership_id": made.membership_id,
        "person_id": made.person_id,
        "reason": made.reason,
        "not_before": shown_time(made.not_before),
        "not_after": shown_time(made.not_after),
        "ended_at": shown_time(made.ended_at),
        "made_by": made.made_by,
        "etag": etag(made.id, made.version),
    }


def _tagged(response: Response, made: disclosures.Disclosure) -> dict[str, Any]:
    response.headers["ETag"] = etag(made.id, made.version)
    return out(made)


@router.post(
    "/engagements/{engagement_id}/disclosures",
    status_code=201,
    operation_id="create_disclosures",
    response_model=DisclosedOut,
)
async def create(
    services: ServicesDep,
    caller: CallerDep,
    engagement_id: EngagementId,
    body: NewDisclosure,
    _key: IdempotencyKey = None,
) -> Any:
    """Open the titles of papers to a reviewer; the register tells him, and each time is an entry in the log."""
    new = disclosures.NewDisclosure(
        membership_id=body.membership_id,
        documents=tuple(body.document_ids),
        reason=body.reason,
        not_after=seconds(body.not_after),
    )
    return {"items": [out(each) for each in await disclosures.create(services, caller, engagement_id, new)]}


@router.get(
    "/engagements/{engagement_id}/disclosures", operation_id="list_disclosures", response_model=Listed[DisclosureOut]
)
async def list_all(
    services: ServicesDep,
    caller: CallerDep,
    request: Request,
    response: Response,
    engagement_id: EngagementId,
    cursor: Cursor = None,
    limit: Limit = PAGE_ROWS,
) -> Any:
    """List the disclosures of an engagement, of one's own matters, ended ones too, oldest first."""
    found = await disclosures.list_all(services, caller, engagement_id, window(cursor, limit, "dsc"))
    return listed(request, response, found, out)


@router.get("/disclosures/{disclosure_id}", operation_id="read_disclosure", response_model=DisclosureOut)
async def read(services: ServicesDep, caller: CallerDep, response: Response, disclosure_id: DisclosureId) -> Any:
    """Read one disclosure."""
    return _tagged(response, await disclosures.read(services, caller, disclosure_id))


@router.delete("/disclosures/{disclosure_id}", operation_id="end_disclosure", response_model=DisclosureOut)
async def end(
    services: ServicesDep, caller: CallerDep, response: Response, disclosure_id: DisclosureId, _match: IfMatch = None
) -> Any:
    """End a disclosure now: the title is told no more."""
    return _tagged(response, await disclosures.end(services, caller, disclosure_id))

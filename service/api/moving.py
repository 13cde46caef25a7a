"""Routes of documents that go elsewhere, and of where they were."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter, Response
from pydantic import ConfigDict

from service import moving
from service.acts import etag
from service.api.documents import DocumentOut, document_out
from service.api.shapes import Id, IfMatch, Input, Output, PathId, shown_time
from service.httpdeps import CallerDep, ServicesDep, StrictRoute

router = APIRouter(tags=["documents"], route_class=StrictRoute)


class Destination(Input):
    """The matter part that a document goes to: of its own engagement, or of another one of the firm."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"part_id": "prt_0190a5c6d7e8710289ab0123456789cd"}]})
    part_id: Id


class OpenerOut(Output):
    """What one membership did with the document in one place: `views` of its card, `texts` and `downloads` sent."""

    person_id: str
    membership_id: str
    first_at: str
    last_at: str
    views: int
    texts: int
    downloads: int
    bytes_sent: int
    unfinished: int


class StayOut(Output):
    """One place where the document was, or is (`until` null), and who opened it there."""

    document_id: str
    engagement_id: str
    part_id: str
    matter_id: str
    number: int
    since: str
    until: str | None
    moved_by: str | None
    openers: list[OpenerOut]


class LineageOut(Output):
    """The places that the caller may see, oldest first."""

    document_id: str
    stays: list[StayOut]


@router.post("/documents/{document_id}/move", status_code=201, operation_id="move_document", response_model=DocumentOut)
async def move(
    services: ServicesDep,
    caller: CallerDep,
    response: Response,
    document_id: PathId,
    body: Destination,
    _match: IfMatch = None,
) -> Any:
    """Move a confirmed document to another matter part: sealed anew under a new id, shared with nobody."""
    found = await moving.move(services, caller, document_id, body.part_id)
    response.headers["Location"] = f"/api/v1/documents/{found.id}"
    response.headers["ETag"] = etag(found.id, found.version)
    return document_out(found)


@router.get("/documents/{document_id}/lineage", operation_id="read_lineage", response_model=LineageOut)
async def lineage(services: ServicesDep, caller: CallerDep, document_id: PathId) -> Any:
    """Say where a document was and went, and who opened it there; also by the id that it had before it was moved."""
    found = await moving.lineage(services, caller, document_id)
    return {"document_id": found.document_id, "stays": [_stay(each) for each in found.stays]}


def _stay(stay: moving.Stay) -> dict[str, Any]:
    shown = {name: getattr(stay, name) for name in StayOut.model_fields if name not in {"since", "until", "openers"}}
    times = {"since": shown_time(stay.since), "until": shown_time(stay.until)}
    return {**shown, **times, "openers": [_opener(each) for each in stay.openers]}


def _opener(opener: moving.Opener) -> dict[str, Any]:
    shown = {name: getattr(opener, name) for name in OpenerOut.model_fields}
    return {**shown, "first_at": shown_time(opener.first_at), "last_at": shown_time(opener.last_at)}

"""Routes of an engagement's brakes."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Path, Response
from pydantic import ConfigDict, Field

from service.acts import etag
from service.api.shapes import IfMatch, Input, Output
from service.brakes import setting
from service.brakes.marks import MARKS, MOST_BYTES, MOST_DOCUMENTS, Marks
from service.httpdeps import CallerDep, ServicesDep, StrictRoute

router = APIRouter(prefix="/engagements", tags=["engagements"], route_class=StrictRoute)

EngagementId = Annotated[str, Path(max_length=64, examples=["eng_" + "0" * 32])]
Documents = Annotated[int, Field(ge=0, le=MOST_DOCUMENTS)]
Bytes = Annotated[int, Field(ge=0, le=MOST_BYTES)]


class BrakesIn(Input):
    """Above how many documents, or bytes, opened within an hour a member is slowed; above how many suspended."""

    model_config = ConfigDict(json_schema_extra={"examples": [dict(MARKS)]})
    slow_documents: Documents
    slow_bytes: Bytes
    stop_documents: Documents
    stop_bytes: Bytes


class BrakesOut(Output):
    """The marks that stand."""

    engagement_id: str
    slow_documents: int
    slow_bytes: int
    stop_documents: int
    stop_bytes: int


def _tagged(response: Response, found: setting.Brakes) -> dict[str, Any]:
    response.headers["ETag"] = etag(found.engagement_id, found.version)
    return {"engagement_id": found.engagement_id, **found.marks._asdict()}


@router.get("/{engagement_id}/brakes", operation_id="read_brakes", response_model=BrakesOut)
async def read(services: ServicesDep, caller: CallerDep, response: Response, engagement_id: EngagementId) -> Any:
    """Read above how much within an hour a member is slowed, and suspended."""
    return _tagged(response, await setting.read(services, caller, engagement_id))


@router.put("/{engagement_id}/brakes", operation_id="set_brakes", response_model=BrakesOut)
async def change(
    services: ServicesDep,
    caller: CallerDep,
    response: Response,
    engagement_id: EngagementId,
    body: BrakesIn,
    _match: IfMatch = None,
) -> Any:
    """Set above how much within an hour a member is slowed, and suspended; it binds from the next body on."""
    marks = Marks(body.slow_documents, body.slow_bytes, body.stop_documents, body.stop_bytes)
    return _tagged(response, await setting.change(services, caller, engagement_id, marks))

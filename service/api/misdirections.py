"""Routes of misdirections: papers that were not meant for a member."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Path, Request, Response
from pydantic import ConfigDict

from service import misdirections
from service.acts import etag
from service.api.shapes import Cursor, IfMatch, Input, Limit, Listed, Output, Text, listed, shown_time
from service.httpdeps import CallerDep, ServicesDep, StrictRoute
from service.paging import PAGE_ROWS, window

router = APIRouter(tags=["misdirections"], route_class=StrictRoute)

EngagementId = Annotated[str, Path(max_length=64, examples=["eng_" + "0" * 32])]
DocumentId = Annotated[str, Path(max_length=64, examples=["doc_" + "0" * 32])]
MisdirectionId = Annotated[str, Path(max_length=64, examples=["msd_" + "0" * 32])]


class NewMisdirection(Input):
    """What is said with it, to the attorneys of the matter."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"note": "This is another client's letter."}]})
    note: Text | None = None


class NewAcknowledgment(Input):
    """An attorney's word: `answer` is told to the member; `meant_for_him`: nothing stands against giving it again.

    A coordinator then has the paper back at once; a member of the vendor by a new grant.
    """

    model_config = ConfigDict(
        json_schema_extra={"examples": [{"answer": "Thank you. Delete what you downloaded.", "meant_for_him": False}]}
    )
    answer: Text | None = None
    meant_for_him: bool = False


class UseOut(Output):
    """One act on the paper before: its card was read, or bytes were sent (`outcome`, `bytes_sent`)."""

    act: str
    at: str
    entry: int
    outcome: str | None
    bytes_sent: int | None


class MisdirectionOut(Output):
    """A paper that was not meant for a member.

    `number`, `label`, `openings` (what he had done with it before, newest first) and `acknowledged_by` are told to
    attorneys of the matter; to the member himself they are null. `closed_until` is null while it is closed to him.
    """

    id: str
    engagement_id: str
    document_id: str
    number: int | None
    label: str | None
    membership_id: str
    person_id: str
    said_at: str
    note: str | None
    closed_until: str | None
    openings: list[UseOut] | None
    acknowledged_at: str | None
    acknowledged_by: str | None
    answer: str | None
    etag: str


def out(said: misdirections.Misdirection) -> dict[str, Any]:
    """A misdirection as it is shown."""
    openings = None if said.openings is None else [{**one._asdict(), "at": shown_time(one.at)} for one in said.openings]
    return {
        "id": said.id,
        "engagement_id": said.engagement_id,
        "document_id": said.document_id,
        "number": said.number,
        "label": said.label,
        "membership_id": said.membership_id,
        "person_id": said.person_id,
        "said_at": shown_time(said.said_at),
        "note": said.note,
        "closed_until": shown_time(said.closed_until),
        "openings": openings,
        "acknowledged_at": shown_time(said.acknowledged_at),
        "acknowledged_by": said.acknowledged_by,
        "answer": said.answer,
        "etag": etag(said.id, said.version),
    }


def _tagged(response: Response, said: misdirections.Misdirection) -> dict[str, Any]:
    response.headers["ETag"] = etag(said.id, said.version)
    return out(said)


@router.post(
    "/documents/{document_id}/misdirection",
    status_code=201,
    operation_id="say_misdirected",
    response_model=MisdirectionOut,
)
async def say(
    services: ServicesDep, caller: CallerDep, response: Response, document_id: DocumentId, body: NewMisdirection
) -> Any:
    """Say that a paper was not meant for oneself: it is closed at once, and the attorneys are told.

    What was granted of it ends. Sent twice, the second answers 404, as for a paper that was never granted; what was
    said stands in the list of the engagement.
    """
    return _tagged(response, await misdirections.say(services, caller, document_id, body.note))


@router.get(
    "/engagements/{engagement_id}/misdirections",
    operation_id="list_misdirections",
    response_model=Listed[MisdirectionOut],
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
    """List what was said to be misdirected: one's own statements, or those of one's matters; oldest first."""
    found = await misdirections.list_all(services, caller, engagement_id, window(cursor, limit, "msd"))
    return listed(request, response, found, out)


@router.get("/misdirections/{misdirection_id}", operation_id="read_misdirection", response_model=MisdirectionOut)
async def read(services: ServicesDep, caller: CallerDep, response: Response, misdirection_id: MisdirectionId) -> Any:
    """Read one."""
    return _tagged(response, await misdirections.read(services, caller, misdirection_id))


@router.post(
    "/misdirections/{misdirection_id}/acknowledgment",
    operation_id="acknowledge_misdirection",
    response_model=MisdirectionOut,
)
async def acknowledge(
    services: ServicesDep,
    caller: CallerDep,
    response: Response,
    misdirection_id: MisdirectionId,
    body: NewAcknowledgment,
    _match: IfMatch = None,
) -> Any:
    """Say, as an attorney of the matter, that it was seen; whether it was meant for the member; and what he is told."""
    said = misdirections.Acknowledgment(body.answer, body.meant_for_him)
    return _tagged(response, await misdirections.acknowledge(services, caller, misdirection_id, said))

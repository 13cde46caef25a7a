"""Routes of access requests, and of what may be asked for unseen."""

from __future__ import annotations

from typing import Annotated, Any, Literal, Self

from fastapi import APIRouter, Path, Request, Response
from pydantic import ConfigDict, Field, StringConstraints, model_validator

from service import access_requests, withheld
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
from service.scoping.listing import Withheld

router = APIRouter(tags=["access-requests"], route_class=StrictRoute)

EngagementId = Annotated[str, Path(max_length=64, examples=["eng_" + "0" * 32])]
AccessRequestId = Annotated[str, Path(max_length=64, examples=["acr_" + "0" * 32])]
DocumentId = Annotated[str, StringConstraints(pattern=r"^doc_[0-9a-f]{32}$")]
GrantId = Annotated[str, StringConstraints(pattern=r"^grt_[0-9a-f]{32}$")]
AbilityWord = Literal["download", "revise", "text", "view"]
_OF_KIND = {"access": {"document_id", "abilities", "not_after"}, "extension": {"grant_id"}}


class NewAccessRequest(Input):
    """What is asked for: ``access`` to a document with abilities until a time, or the ``extension`` of a grant.

    An access needs `document_id`, `abilities` (`view` is always included) and `not_after`. An extension needs
    `grant_id`, of a grant that is live or has ended less than 15 minutes ago; where `not_after` is left out it is for
    30 minutes more.
    """

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "kind": "access",
                    "document_id": "doc_" + "0" * 32,
                    "abilities": ["view", "download"],
                    "not_after": "2031-01-31T18:00:00Z",
                    "reason": "The clinic wants its letter of May back, corrected.",
                },
                {"kind": "extension", "grant_id": "grt_" + "0" * 32, "reason": "Two pages are left."},
            ]
        }
    )
    kind: Literal["access", "extension"] = "access"
    document_id: DocumentId | None = None
    abilities: list[AbilityWord] | None = Field(default=None, min_length=1, max_length=4)
    grant_id: GrantId | None = None
    not_after: Time | None = None
    reason: Text

    @model_validator(mode="after")
    def _of_one_kind(self) -> Self:
        given = {field for field in ("document_id", "abilities", "grant_id") if getattr(self, field) is not None}
        needed = _OF_KIND[self.kind]
        if given != needed - {"not_after"} or any(getattr(self, field) is None for field in needed):
            raise ValueError(f"an {self.kind} has {', '.join(sorted(needed))}")
        return self


class NewAnswer(Input):
    """An answer. `note` tells a refused member why, and is the purpose of the grant that a yes makes.

    A yes without `abilities` and `not_after` gives what was asked for; with them, at most that.
    """

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {"answer": "yes", "abilities": ["view"], "not_after": "2031-01-30T18:00:00Z", "note": "To compare."},
                {"answer": "no", "note": "The clinic gets it from us."},
            ]
        }
    )
    answer: Literal["yes", "no"]
    abilities: list[AbilityWord] | None = Field(default=None, min_length=1, max_length=4)
    not_after: Time | None = None
    note: Text

    @model_validator(mode="after")
    def _a_no_gives_nothing(self) -> Self:
        if self.answer == "no" and (self.abilities is not None or self.not_after is not None):
            raise ValueError("a no has neither abilities nor not_after")
        return self


class AccessRequestOut(Output):
    """A request for access.

    `state` is ``open``, ``as_asked``, ``with_less``, ``refused``, ``withdrawn`` or ``lapsed``; `abilities` and
    `not_after` are what was asked for, `grant_id` names what was given. `reason` and `note` are null once their key is
    destroyed.
    """

    id: str
    kind: str
    engagement_id: str
    document_id: str
    membership_id: str
    person_id: str
    abilities: list[str]
    not_after: str
    reason: str | None
    asked_at: str
    lapses_at: str
    state: str
    answered_by: str | None
    answered_at: str | None
    note: str | None
    grant_id: str | None
    etag: str


class WithheldOut(Output):
    """A document that may be asked for and is not seen; `pages` is null where it has none."""

    id: str
    label: str
    pages: int | None


def out(request: access_requests.AccessRequest) -> dict[str, Any]:
    """A request as it is shown."""
    return {
        "id": request.id,
        "kind": request.kind,
        "engagement_id": request.engagement_id,
        "document_id": request.document_id,
        "membership_id": request.membership_id,
        "person_id": request.person_id,
        "abilities": list(request.abilities),
        "not_after": shown_time(request.not_after),
        "reason": request.reason,
        "asked_at": shown_time(request.asked_at),
        "lapses_at": shown_time(request.lapses_at),
        "state": request.state,
        "answered_by": request.answered_by,
        "answered_at": shown_time(request.answered_at),
        "note": request.note,
        "grant_id": request.grant_id,
        "etag": etag(request.id, request.version),
    }


def _tagged(response: Response, request: access_requests.AccessRequest) -> dict[str, Any]:
    response.headers["ETag"] = etag(request.id, request.version)
    return out(request)


def _withheld_out(item: Withheld) -> dict[str, Any]:
    return {"id": item.id, "label": item.label, "pages": item.pages}


@router.get("/engagements/{engagement_id}/withheld", operation_id="list_withheld", response_model=Listed[WithheldOut])
async def list_withheld(
    services: ServicesDep,
    caller: CallerDep,
    request: Request,
    response: Response,
    engagement_id: EngagementId,
    cursor: Cursor = None,
    limit: Limit = PAGE_ROWS,
) -> Any:
    """List what the caller may ask for and does not see, where the engagement declares it, oldest first."""
    found = await withheld.list_page(services, caller, engagement_id, window(cursor, limit, "doc"))
    return listed(request, response, found, _withheld_out)


@router.post("/access-requests", status_code=201, operation_id="create_access_request", response_model=AccessRequestOut)
async def create(
    services: ServicesDep, caller: CallerDep, response: Response, body: NewAccessRequest, _key: IdempotencyKey = None
) -> Any:
    """Ask for access to a document, or for the extension of a grant."""
    new = access_requests.NewRequest(
        reason=body.reason,
        document_id=body.document_id,
        abilities=tuple(body.abilities or ()),
        grant_id=body.grant_id,
        not_after=None if body.not_after is None else seconds(body.not_after),
    )
    return _tagged(response, await access_requests.create(services, caller, new))


@router.get(
    "/engagements/{engagement_id}/access-requests",
    operation_id="list_access_requests",
    response_model=Listed[AccessRequestOut],
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
    """List the requests of an engagement that the caller may know of, whatever became of them, oldest first."""
    found = await access_requests.list_all(services, caller, engagement_id, window(cursor, limit, "acr"))
    return listed(request, response, found, out)


@router.get("/access-requests/{request_id}", operation_id="read_access_request", response_model=AccessRequestOut)
async def read(services: ServicesDep, caller: CallerDep, response: Response, request_id: AccessRequestId) -> Any:
    """Read one request."""
    return _tagged(response, await access_requests.read(services, caller, request_id))


@router.post(
    "/access-requests/{request_id}/answer", operation_id="answer_access_request", response_model=AccessRequestOut
)
async def answer(
    services: ServicesDep,
    caller: CallerDep,
    response: Response,
    request_id: AccessRequestId,
    body: NewAnswer,
    _match: IfMatch = None,
) -> Any:
    """Answer a request: as asked, with less, or no."""
    said = access_requests.Answer(
        yes=body.answer == "yes",
        note=body.note,
        abilities=None if body.abilities is None else tuple(body.abilities),
        not_after=None if body.not_after is None else seconds(body.not_after),
    )
    return _tagged(response, await access_requests.answer(services, caller, request_id, said))


@router.delete("/access-requests/{request_id}", operation_id="withdraw_access_request", response_model=AccessRequestOut)
async def withdraw(
    services: ServicesDep, caller: CallerDep, response: Response, request_id: AccessRequestId, _match: IfMatch = None
) -> Any:
    """Take one's own request back."""
    return _tagged(response, await access_requests.withdraw(services, caller, request_id))

"""Routes of documents: their cards, their bytes, what becomes of what was added."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import Annotated, Any, Final
from urllib.parse import unquote

from fastapi import APIRouter, Header, Query, Request, Response
from pydantic import ConfigDict, Field

from service import access, corrections, documents, downloads, texts, uploads
from service.acts import etag
from service.api.access import At, DocumentAccess, access_out, times
from service.api.bodies import pieces_of
from service.api.contents import ContentResponse, description
from service.api.shapes import (
    Cursor,
    Id,
    IdempotencyKey,
    IfMatch,
    Input,
    Limit,
    Listed,
    Output,
    PathId,
    listed,
    seconds,
    shown_time,
)
from service.downloads import Download
from service.errors import BadTitleError
from service.httpdeps import CallerDep, PlainRoute, ServicesDep, StrictRoute, caller_of, services_of
from service.paging import PAGE_ROWS, window
from service.ranges import WHOLE, Wanted
from service.scoping.actions import Label, Sensitivity

router = APIRouter(tags=["documents"], route_class=StrictRoute)
# The busiest route, with its whole path: the application tries it before all others, and matches it once.
straight = APIRouter(prefix="/api/v1", tags=["documents"], route_class=PlainRoute)


_RAW: Final = {
    "requestBody": {"required": True, "content": {"*/*": {"schema": {"type": "string", "format": "binary"}}}}
}
TITLE_CHARACTERS: Final = 4000  # 255 letters of 12 each; what is longer gets an error of its own
_CHARSET: Final = "utf-8''"
_BAD_PERCENT: Final = re.compile("%(?![0-9A-Fa-f]{2})")  # would otherwise stand for itself


class DocumentOut(Output):
    """A document as the caller may see it."""

    id: str
    engagement_id: str
    part_id: str
    matter_id: str
    number: int
    label: str
    sensitivity: str
    state: str
    title: str
    revision_id: str
    size_bytes: int
    media_type: str
    condition: str
    pages: int | None
    added_by: str
    added_at: str
    etag: str


class HeldOut(Output):
    """What one of the caller's own live grants gives, until when, and to what purpose."""

    abilities: list[str]
    until: str
    purpose: str


class HiddenOut(Output):
    """Something that lies hidden in a file: a word of a closed vocabulary, and how often."""

    word: str
    count: int


class CardOut(DocumentOut):
    """A document with the caller's own live grants on it; nobody else's, and none for those who need none.

    `hidden` is there only for those who are told: null means that nobody looked into it, an empty list that nothing was
    found.
    """

    my_grants: list[HeldOut]
    hidden: list[HiddenOut] | None = None


class AddedOut(Output):
    """What the adder can keep: it proves later that this file arrived, then, here."""

    document_id: str
    revision_id: str
    number: int
    state: str
    sha256: str
    size_bytes: int
    media_type: str
    condition: str
    pages: int | None
    received_at: str
    log_index: int
    leaf_hash: str
    etag: str


class Confirmation(Input):
    """An attorney's word on what was added."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"label": "intake_form", "sensitivity": "confidential"}]})
    label: Annotated[Label, Field(strict=False)]  # JSON has words, not members of an enum
    sensitivity: Annotated[Sensitivity, Field(strict=False)]
    title: Annotated[str | None, Field(max_length=TITLE_CHARACTERS)] = None


class NewCorrection(Input):
    """What a confirmed paper is from now on; what is left out stays as it is."""

    model_config = ConfigDict(
        json_schema_extra={"examples": [{"label": "medical_record", "sensitivity": "privileged"}, {"title": "Letter"}]}
    )
    label: Annotated[Label | None, Field(strict=False)] = None
    sensitivity: Annotated[Sensitivity | None, Field(strict=False)] = None
    title: Annotated[str | None, Field(max_length=TITLE_CHARACTERS)] = None


class CorrectedOut(Output):
    """A paper as it is now; `grants_ended` are over, `grants_narrowed` keep what their holders may have."""

    document: DocumentOut
    grants_ended: int
    grants_narrowed: int


def document_out(document: documents.Document) -> dict[str, Any]:
    """Shape a document as `DocumentOut`."""
    shown = {name: getattr(document, name) for name in DocumentOut.model_fields if name not in {"added_at", "etag"}}
    return {**shown, "added_at": shown_time(document.added_at), "etag": etag(document.id, document.version)}


@router.post(
    "/engagements/{engagement_id}/documents",
    status_code=201,
    operation_id="add_document",
    response_model=AddedOut,
    openapi_extra=_RAW,
)
async def add(
    services: ServicesDep,
    caller: CallerDep,
    request: Request,
    response: Response,
    engagement_id: PathId,
    part_id: Annotated[str, Query(max_length=64)],
    label: Annotated[Label, Query()],
    sensitivity: Annotated[Sensitivity | None, Query()] = None,
    title: Annotated[
        str, Header(alias="Muniment-Title", max_length=TITLE_CHARACTERS, description="RFC 8187: UTF-8''…")
    ] = "",
    _key: IdempotencyKey = None,
) -> Any:
    """Add a document: the raw bytes as the body, its title in the header Muniment-Title."""
    new = uploads.NewDocument(
        engagement_id=engagement_id,
        part_id=part_id,
        label=label.value,
        sensitivity=None if sensitivity is None else sensitivity.value,
        title=_title(title),
        body=_said(request),
    )
    receipt = await uploads.add(services, caller, new, pieces_of(request))
    response.headers["Location"] = f"/api/v1/documents/{receipt.document_id}"
    return _received(response, receipt)


def _received(response: Response, receipt: uploads.Receipt) -> dict[str, Any]:
    tag = response.headers["ETag"] = etag(receipt.document_id, receipt.version)
    shown = {name: getattr(receipt, name) for name in AddedOut.model_fields if name not in {"received_at", "etag"}}
    return {**shown, "received_at": shown_time(receipt.received_at), "etag": tag}


def _said(request: Request) -> uploads.Body:
    """What the headers say of the body."""
    announced = request.headers.get("content-length")
    return uploads.Body(
        media_type=request.headers.get("content-type", "application/octet-stream").partition(";")[0].strip().lower(),
        size_bytes=int(announced) if announced is not None and announced.isdigit() else None,
    )


def _title(header: str) -> str:
    """Read the header's ext-value (RFC 8187, section 3.2): charset, two quotes, percent-encoded UTF-8."""
    if header[: len(_CHARSET)].lower() != _CHARSET or _BAD_PERCENT.search(header):
        raise BadTitleError
    try:
        return unquote(header[len(_CHARSET) :], errors="strict")
    except UnicodeDecodeError:
        raise BadTitleError from None


@router.get("/engagements/{engagement_id}/documents", operation_id="list_documents", response_model=Listed[DocumentOut])
async def list_page(
    services: ServicesDep,
    caller: CallerDep,
    request: Request,
    response: Response,
    engagement_id: PathId,
    label: Annotated[Label | None, Query()] = None,
    part_id: Annotated[Id | None, Query()] = None,
    cursor: Cursor = None,
    limit: Limit = PAGE_ROWS,
) -> Any:
    """List the documents of an engagement that the caller may see, oldest first; all others are simply not there."""
    asked = window(cursor, limit, "doc")
    wanted = documents.Wanted(engagement_id, None if label is None else label.value, part_id)
    return listed(request, response, await documents.list_page(services, caller, wanted, asked), document_out)


@router.get(
    "/documents/{document_id}",
    operation_id="read_document",
    response_model=CardOut,
    response_model_exclude_unset=True,
)
async def read(services: ServicesDep, caller: CallerDep, response: Response, document_id: PathId) -> Any:
    """Read a document's card: what it is, and for what and how long it was handed to me."""
    card = await documents.read(services, caller, document_id)
    response.headers["ETag"] = etag(card.document.id, card.document.version)
    held = [
        {"abilities": list(grant.abilities), "until": shown_time(grant.until), "purpose": grant.purpose}
        for grant in card.held
    ]
    told = {**document_out(card.document), "my_grants": held}
    if not card.is_inspected:
        return told
    found = card.hidden
    return {
        **told,
        "hidden": None if found is None else [{"word": word, "count": count} for word, count in found.items()],
    }


_CONTENT: Final[dict[str, Any]] = {
    "response_class": Response,
    "responses": {
        200: {"content": {"*/*": {"schema": {"type": "string", "format": "binary"}}}},
        206: {
            "description": "The part that Range asked for",
            "content": {"*/*": {"schema": {"type": "string", "format": "binary"}}},
        },
        304: {"description": "If-None-Match names what is there"},
    },
}


@straight.get("/documents/{document_id}/content", operation_id="read_content", **_CONTENT)
async def content(request: Request, document_id: PathId) -> Response:
    """Download a document's bytes as they arrived. The log holds that they were sent before the first one leaves."""
    return await _content(request, document_id, _wanted(request))


@straight.head(
    "/documents/{document_id}/content",
    operation_id="describe_content",
    response_class=Response,
    responses={304: {"description": "If-None-Match names what is there"}},
)
async def content_head(request: Request, document_id: PathId) -> Response:
    """Read what a download would say of itself: length, type, name, ETag and SHA-256. No byte is sent."""
    return await _content(request, document_id, replace(_wanted(request), no_bytes=True))


async def _content(request: Request, document_id: str, wanted: Wanted) -> Response:
    services = services_of(request)
    found = await downloads.open_document(services, caller_of(request), document_id, wanted)
    if isinstance(found, Download):
        return ContentResponse(found, services.settings.idle_s)
    return description(found)


@router.get(
    "/documents/{document_id}/text",
    operation_id="read_text",
    response_class=Response,
    responses={200: {"content": {"text/plain": {"schema": {"type": "string"}}}}},
)
async def text(services: ServicesDep, caller: CallerDep, document_id: PathId) -> Response:
    """Read a document's text, a form feed between its pages, sheets or slides; a picture of a page has none."""
    return ContentResponse(await texts.open_text(services, caller, document_id), services.settings.idle_s)


_SELECTING: Final = {
    b"range": "range",
    b"if-range": "if_range",
    b"if-none-match": "if_none_match",
    b"want-repr-digest": "want_digest",
}


def _wanted(request: Request) -> Wanted:
    """What the headers ask for; most requests have none of these, and are spared the looking up."""
    sent = {_SELECTING[name]: value.decode("latin-1") for name, value in request.scope["headers"] if name in _SELECTING}
    return Wanted(**sent) if sent else WHOLE


@router.put(
    "/documents/{document_id}/content",
    operation_id="replace_content",
    response_model=AddedOut,
    openapi_extra=_RAW,
)
async def replace_content(
    services: ServicesDep,
    caller: CallerDep,
    request: Request,
    response: Response,
    document_id: PathId,
    _match: IfMatch = None,
    _key: IdempotencyKey = None,
) -> Any:
    """Replace a document's content by the raw bytes of the body; title, label and sensitivity stay."""
    receipt = await uploads.revise(services, caller, document_id, _said(request), pieces_of(request))
    return _received(response, receipt)


@router.post("/documents/{document_id}/confirmation", operation_id="confirm_document", response_model=DocumentOut)
async def confirm(
    services: ServicesDep,
    caller: CallerDep,
    response: Response,
    document_id: PathId,
    body: Confirmation,
    _match: IfMatch = None,
) -> Any:
    """Confirm label, sensitivity and title of what somebody added."""
    found = await documents.confirm(services, caller, document_id, body.label.value, body.sensitivity.value, body.title)
    response.headers["ETag"] = etag(found.id, found.version)
    return document_out(found)


@router.patch("/documents/{document_id}", operation_id="correct_document", response_model=CorrectedOut)
async def correct(
    services: ServicesDep,
    caller: CallerDep,
    response: Response,
    document_id: PathId,
    body: NewCorrection,
    _match: IfMatch = None,
) -> Any:
    """Correct label, sensitivity or title of a confirmed paper.

    Grants end, or are made less, where their holders may not have such a paper.
    """
    wanted = corrections.Correction(
        label=None if body.label is None else body.label.value,
        sensitivity=None if body.sensitivity is None else body.sensitivity.value,
        title=body.title,
    )
    done = await corrections.correct(services, caller, document_id, wanted)
    response.headers["ETag"] = etag(done.document.id, done.document.version)
    return {
        "document": document_out(done.document),
        "grants_ended": done.grants_ended,
        "grants_narrowed": done.grants_narrowed,
    }


@router.delete("/documents/{document_id}", status_code=204, operation_id="take_back_document")
async def take_back(services: ServicesDep, caller: CallerDep, document_id: PathId, _match: IfMatch = None) -> None:
    """Take back what one added oneself, while nobody has confirmed it."""
    await documents.take_back(services, caller, document_id)


@router.get("/documents/{document_id}/access", operation_id="explain_access", response_model=DocumentAccess)
async def explain(
    services: ServicesDep,
    caller: CallerDep,
    document_id: PathId,
    person_id: Annotated[Id | None, Query()] = None,
    at: At = None,
) -> Any:
    """Say who can see this document and why; with `person_id`, why that person can or cannot, and what is missing."""
    told = await access.of_document(services, caller, document_id, person_id, None if at is None else seconds(at))
    return {**times(told), "items": [access_out(found) for found in told.answer]}

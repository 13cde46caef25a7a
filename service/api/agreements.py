"""Routes of agreements and signatures."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from fastapi import APIRouter, Path, Request, Response
from pydantic import ConfigDict, Field, StringConstraints

from service import agreements, signatures
from service.acts import etag
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
    shown_time,
)
from service.httpdeps import CallerDep, ServicesDep, StrictRoute
from service.paging import PAGE_ROWS, window

router = APIRouter(tags=["agreements"], route_class=StrictRoute)

AgreementId = Annotated[str, Path(max_length=64, examples=["agr_" + "0" * 32])]
EngagementId = Annotated[str, Path(max_length=64, examples=["eng_" + "0" * 32])]
Number = Annotated[str, Path(max_length=64, examples=["1"], description="Number of a version, from 1.")]
AgreementText = Annotated[
    str,
    Field(
        min_length=1,
        max_length=agreements.TEXT_CHARACTERS,
        description="Kept and hashed as sent. Lines end with a newline alone; no other control characters but tabs.",
    ),
]
Sha256 = Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{64}$")]

_TEXT = "I will keep confidential whatever I see.\n"


class NewAgreement(Input):
    """The first text of an agreement; it binds at once."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"kind": "nda", "text": _TEXT}]})
    kind: Literal["nda"]
    text: AgreementText


class NewVersion(Input):
    """A new text; unless it binds at once, there are three working days to sign it."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"text": _TEXT, "at_once": False}]})
    text: AgreementText
    at_once: bool = False


class NewSignature(Input):
    """A signature under the text with this SHA-256."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"sha256": "0" * 64, "typed_name": "Ada Reed"}]})
    sha256: Sha256
    typed_name: Name


class AgreementOut(Output):
    """An agreement and its newest version; `signed_at` is the caller's own signature, null while there is none."""

    id: str
    engagement_id: str
    kind: str
    number: int
    sha256: str
    published_by: str
    published_at: str
    bites_at: str
    signed_at: str | None
    etag: str


class AgreementTextOut(AgreementOut):
    """An agreement with one version's text: SHA-256 of its UTF-8 bytes is `sha256`."""

    text: str


class SignatureOut(Output):
    """A signature."""

    id: str
    agreement_id: str
    number: int
    sha256: str
    typed_name: str
    signed_at: str


def _out(found: agreements.Agreement) -> dict[str, Any]:
    return {
        "id": found.id,
        "engagement_id": found.engagement_id,
        "kind": found.kind,
        "number": found.number,
        "sha256": found.sha256,
        "published_by": found.published_by,
        "published_at": shown_time(found.published_at),
        "bites_at": shown_time(found.bites_at),
        "signed_at": shown_time(found.signed_at),
        "etag": etag(found.id, found.version),
    }


def _tagged(response: Response, found: agreements.Agreement) -> dict[str, Any]:
    response.headers["ETag"] = etag(found.id, found.version)
    return {**_out(found), "text": found.text}


@router.post(
    "/engagements/{engagement_id}/agreements",
    status_code=201,
    operation_id="create_agreement",
    response_model=AgreementTextOut,
)
async def create(
    services: ServicesDep,
    caller: CallerDep,
    response: Response,
    engagement_id: EngagementId,
    body: NewAgreement,
    _key: IdempotencyKey = None,
) -> Any:
    """Publish the first text of an agreement."""
    return _tagged(response, await agreements.create(services, caller, engagement_id, body.kind, body.text))


@router.get(
    "/engagements/{engagement_id}/agreements", operation_id="list_agreements", response_model=Listed[AgreementOut]
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
    """List the agreements of an engagement, without their texts."""
    found = await agreements.list_all(services, caller, engagement_id, window(cursor, limit, "agr"))
    return listed(request, response, found, _out)


@router.get("/agreements/{agreement_id}", operation_id="read_agreement", response_model=AgreementTextOut)
async def read(services: ServicesDep, caller: CallerDep, response: Response, agreement_id: AgreementId) -> Any:
    """Read the newest text of an agreement, and when it binds."""
    return _tagged(response, await agreements.read(services, caller, agreement_id))


@router.post(
    "/agreements/{agreement_id}/versions",
    status_code=201,
    operation_id="publish_agreement",
    response_model=AgreementTextOut,
)
async def publish(
    services: ServicesDep,
    caller: CallerDep,
    response: Response,
    agreement_id: AgreementId,
    body: NewVersion,
    _match: IfMatch = None,
    _key: IdempotencyKey = None,
) -> Any:
    """Publish a new version of the text; what was signed before counts until it bites."""
    found = await agreements.publish(services, caller, agreement_id, body.text, at_once=body.at_once)
    return _tagged(response, found)


@router.get(
    "/agreements/{agreement_id}/versions/{number}",
    operation_id="read_agreement_version",
    response_model=AgreementTextOut,
)
async def read_version(
    services: ServicesDep, caller: CallerDep, response: Response, agreement_id: AgreementId, number: Number
) -> Any:
    """Read one version of the text."""
    return _tagged(response, await agreements.read_version(services, caller, agreement_id, number))


@router.post(
    "/agreements/{agreement_id}/signatures",
    status_code=201,
    operation_id="sign_agreement",
    response_model=SignatureOut,
)
async def sign(
    services: ServicesDep,
    caller: CallerDep,
    agreement_id: AgreementId,
    body: NewSignature,
    _key: IdempotencyKey = None,
) -> Any:
    """Sign the newest text, for oneself: send the SHA-256 of what was read."""
    signed = await signatures.sign(services, caller, agreement_id, body.sha256, body.typed_name)
    return {
        "id": signed.id,
        "agreement_id": signed.agreement_id,
        "number": signed.number,
        "sha256": signed.sha256,
        "typed_name": signed.typed_name,
        "signed_at": shown_time(signed.signed_at),
    }

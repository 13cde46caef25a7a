"""Routes of disposals: the end of an engagement, step by step."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter
from pydantic import ConfigDict, Field

from service import disposal
from service.api.shapes import Id, IdempotencyKey, Input, Output, PathId, Text, shown_time
from service.httpdeps import CallerDep, ServicesDep, StrictRoute

router = APIRouter(tags=["disposals"], route_class=StrictRoute)

Sha256 = Annotated[str, Field(pattern="^[0-9a-f]{64}$")]


class Approval(Input):
    """The digest of what is to be destroyed, as the disposal shows it."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"manifest_sha256": "0" * 64}]})
    manifest_sha256: Sha256


class OnlyCopy(Input):
    """A file that exists nowhere else, confirmed by the SHA-256 of what was downloaded."""

    document_id: Id
    sha256: Sha256


class Return(Input):
    """What the firm says of what it keeps: a waiver in words, and each only copy confirmed."""

    model_config = ConfigDict(
        json_schema_extra={"examples": [{"waiver": "All papers are in our file.", "only_copies": []}]}
    )
    waiver: Text
    only_copies: list[OnlyCopy] = Field(default_factory=list, max_length=10_000)


class DisposalOut(Output):
    """How far a disposal is; `only_copies` must be confirmed before the end."""

    id: str
    engagement_id: str
    state: str
    manifest_sha256: str
    requested_by: str
    requested_at: str
    approved_by: str | None
    approved_at: str | None
    returned_at: str | None
    only_copies: list[str]
    revisions: int
    parts: int
    evidence: dict[str, Any]


def _out(found: disposal.Disposal) -> dict[str, Any]:
    times = {name: shown_time(getattr(found, name)) for name in ("requested_at", "approved_at", "returned_at")}
    shown = {name: getattr(found, name) for name in DisposalOut.model_fields if name not in times}
    return {**shown, **times, "only_copies": list(found.only_copies), "evidence": dict(found.evidence)}


@router.post(
    "/engagements/{engagement_id}/disposal",
    status_code=201,
    operation_id="request_disposal",
    response_model=DisposalOut,
)
async def request(services: ServicesDep, caller: CallerDep, engagement_id: PathId, _key: IdempotencyKey = None) -> Any:
    """Ask for the end of an engagement. All vendor access ends with this request; attorneys can still read."""
    return _out(await disposal.request(services, caller, engagement_id))


@router.get("/engagements/{engagement_id}/disposal", operation_id="newest_disposal", response_model=DisposalOut)
async def newest(services: ServicesDep, caller: CallerDep, engagement_id: PathId) -> Any:
    """Read the newest disposal of an engagement."""
    return _out(await disposal.newest(services, caller, engagement_id))


@router.get("/disposals/{disposal_id}", operation_id="read_disposal", response_model=DisposalOut)
async def read(services: ServicesDep, caller: CallerDep, disposal_id: PathId) -> Any:
    """Read how far a disposal is, and what it will destroy."""
    return _out(await disposal.read(services, caller, disposal_id))


@router.post("/disposals/{disposal_id}/approval", operation_id="approve_disposal", response_model=DisposalOut)
async def approve(services: ServicesDep, caller: CallerDep, disposal_id: PathId, body: Approval) -> Any:
    """Agree, as a second person with a token of one's own. It stands seven days, for exactly this manifest."""
    return _out(await disposal.approve(services, caller, disposal_id, body.manifest_sha256))


@router.post("/disposals/{disposal_id}/return", operation_id="confirm_return", response_model=DisposalOut)
async def confirm_return(services: ServicesDep, caller: CallerDep, disposal_id: PathId, body: Return) -> Any:
    """Confirm that the firm holds what it wants to keep; each only copy is named with its SHA-256."""
    copies = {each.document_id: each.sha256 for each in body.only_copies}
    return _out(await disposal.confirm_return(services, caller, disposal_id, body.waiver, copies))


@router.post("/disposals/{disposal_id}/run", operation_id="run_disposal", response_model=DisposalOut)
async def run(services: ServicesDep, caller: CallerDep, disposal_id: PathId) -> Any:
    """Destroy keys and objects, verify, certify. It cannot be undone; asked again, it finishes what is left."""
    return _out(await disposal.run(services, caller, disposal_id))


@router.delete("/disposals/{disposal_id}", status_code=204, operation_id="withdraw_disposal")
async def withdraw(services: ServicesDep, caller: CallerDep, disposal_id: PathId) -> None:
    """Take the request back, before anything was destroyed."""
    await disposal.withdraw(services, caller, disposal_id)

"""Routes of the log: entries, proofs, checkpoints, bundles."""

from __future__ import annotations

import base64
import json
from typing import Annotated, Any

from fastapi import APIRouter, Query, Response
from fastapi.responses import PlainTextResponse, StreamingResponse
from pydantic import ConfigDict

from service import exports
from service.api.shapes import Id, Input, Output
from service.httpdeps import CallerDep, ServicesDep, StrictRoute

router = APIRouter(prefix="/audit", tags=["audit"], route_class=StrictRoute)


class EntriesOut(Output):
    """Entries as they were written; `next` goes into ``?after=`` for the following ones."""

    items: list[dict[str, Any]]
    next: int | None
    size: int


class ProofOut(Output):
    """An entry's inclusion proof (RFC 6962), hashes in base64, and the signed checkpoint it leads to."""

    index: int
    entry: dict[str, Any]
    entry_base64: str
    proof: list[str]
    checkpoint: str


class NewExport(Input):
    """A bundle to make: of the whole log, or of one engagement."""

    model_config = ConfigDict(json_schema_extra={"examples": [{}, {"engagement_id": "eng_" + "0" * 32}]})
    engagement_id: Id | None = None


@router.get("/entries", operation_id="list_entries", response_model=EntriesOut)
async def entries(
    services: ServicesDep,
    caller: CallerDep,
    after: Annotated[int, Query(ge=0, le=2**53, description="Index of the first entry wanted.")] = 0,
    limit: Annotated[int, Query(ge=1, le=1000)] = 100,
    engagement_id: Annotated[Id | None, Query()] = None,
    matter_id: Annotated[Id | None, Query()] = None,
) -> Any:
    """Read entries of the log, oldest first: all, or those of one engagement or of one matter.

    A matter's are looked for in 2,000 entries of the log at a time: a page may be empty and yet have a `next`.
    """
    found = await exports.entries(services, caller, after, limit, engagement_id, matter_id)
    return {"items": [json.loads(body) for body in found.bodies], "next": found.next_index, "size": found.size}


@router.get("/checkpoint", operation_id="read_checkpoint", response_class=PlainTextResponse)
async def checkpoint(
    services: ServicesDep,
    caller: CallerDep,
    engagement_id: Annotated[Id | None, Query()] = None,
    matter_id: Annotated[Id | None, Query()] = None,
) -> Response:
    """Read the newest checkpoint, a C2SP signed note. Keep it: with it you can tell later whether history was kept."""
    return PlainTextResponse(await exports.checkpoint(services, caller, engagement_id, matter_id))


@router.get("/proofs/{index}", operation_id="prove_entry", response_model=ProofOut)
async def proof(
    services: ServicesDep,
    caller: CallerDep,
    index: int,
    engagement_id: Annotated[Id | None, Query()] = None,
    matter_id: Annotated[Id | None, Query()] = None,
) -> Any:
    """Prove that one entry is in the log."""
    found = await exports.proof(services, caller, index, engagement_id, matter_id)
    return {
        "index": found.index,
        "entry": json.loads(found.entry),
        "entry_base64": base64.b64encode(found.entry).decode(),
        "proof": [base64.b64encode(each).decode() for each in found.hashes],
        "checkpoint": found.checkpoint.decode(),
    }


@router.post(
    "/exports",
    operation_id="export_log",
    response_class=StreamingResponse,
    responses={200: {"content": {"application/zip": {"schema": {"type": "string", "format": "binary"}}}}},
)
async def export(services: ServicesDep, caller: CallerDep, body: NewExport) -> Response:
    """Make a bundle to take home; `python -m audit verify` checks it offline. The export itself is in it."""
    pieces = await exports.bundle(services, caller, body.engagement_id)
    name = body.engagement_id or "log"
    return StreamingResponse(
        pieces,
        media_type="application/zip",
        headers={"content-disposition": f'attachment; filename="muniment-{name}.zip"'},
    )

"""Routes of certificates of disposal."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Query, Request, Response

from service import certificates
from service.api.shapes import Cursor, Id, Limit, Listed, Output, PathId, listed, shown_time
from service.httpdeps import CallerDep, ServicesDep, StrictRoute
from service.paging import PAGE_ROWS, window

router = APIRouter(prefix="/certificates", tags=["certificates"], route_class=StrictRoute)


class CertificateOut(Output):
    """A certificate. `sha256` is of `text`; the log holds it too, at ``body.log_index``."""

    id: str
    disposal_id: str
    engagement_id: str
    issued_at: str
    sha256: str
    text: str
    body: dict[str, Any]


def _out(found: certificates.Certificate) -> dict[str, Any]:
    shown = {name: getattr(found, name) for name in CertificateOut.model_fields if name != "issued_at"}
    return {**shown, "issued_at": shown_time(found.issued_at)}


@router.get("", operation_id="list_certificates", response_model=Listed[CertificateOut])
async def list_all(
    services: ServicesDep,
    caller: CallerDep,
    request: Request,
    response: Response,
    engagement_id: Annotated[Id | None, Query()] = None,
    cursor: Cursor = None,
    limit: Limit = PAGE_ROWS,
) -> Any:
    """List the certificates of an engagement, or of the whole firm for whoever runs or reviews it, oldest first."""
    found = await certificates.list_all(services, caller, engagement_id, window(cursor, limit, "crt"))
    return listed(request, response, found, _out)


@router.get("/{certificate_id}", operation_id="read_certificate", response_model=CertificateOut)
async def read(services: ServicesDep, caller: CallerDep, certificate_id: PathId) -> Any:
    """Read one certificate."""
    return _out(await certificates.read(services, caller, certificate_id))

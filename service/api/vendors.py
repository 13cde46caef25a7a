"""Routes of vendors."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter, Request, Response
from pydantic import ConfigDict

from service import vendors
from service.api.shapes import Cursor, IdempotencyKey, Input, Limit, Listed, Name, Output, PathId, listed, shown_time
from service.httpdeps import CallerDep, ServicesDep, StrictRoute
from service.paging import PAGE_ROWS, window

router = APIRouter(prefix="/vendors", tags=["vendors"], route_class=StrictRoute)


class NewVendor(Input):
    """A vendor to record."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"name": "Northwind Legal Staffing"}]})
    name: Name


class VendorOut(Output):
    """A vendor, as the firm has recorded it."""

    id: str
    name: str
    created_at: str


def _out(vendor: vendors.Vendor) -> dict[str, Any]:
    return {"id": vendor.id, "name": vendor.name, "created_at": shown_time(vendor.created_at)}


@router.post("", status_code=201, operation_id="add_vendor", response_model=VendorOut)
async def add(services: ServicesDep, caller: CallerDep, body: NewVendor, _key: IdempotencyKey = None) -> Any:
    """Record a vendor."""
    return _out(await vendors.add(services, caller, body.name))


@router.get("", operation_id="list_vendors", response_model=Listed[VendorOut])
async def list_all(
    services: ServicesDep,
    caller: CallerDep,
    request: Request,
    response: Response,
    cursor: Cursor = None,
    limit: Limit = PAGE_ROWS,
) -> Any:
    """List the firm's vendors, oldest first."""
    found = await vendors.list_all(services, caller, window(cursor, limit, "vnd"))
    return listed(request, response, found, _out)


@router.get("/{vendor_id}", operation_id="read_vendor", response_model=VendorOut)
async def read(services: ServicesDep, caller: CallerDep, vendor_id: PathId) -> Any:
    """Read one vendor."""
    return _out(await vendors.read(services, caller, vendor_id))

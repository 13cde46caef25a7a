"""Routes of the house itself: the firm, and the policy in force."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter

from service import house
from service.api.shapes import Output, shown_time
from service.httpdeps import CallerDep, ServicesDep, StrictRoute

router = APIRouter(tags=["house"], route_class=StrictRoute)


class FirmOut(Output):
    """The firm, and what its log is verified with."""

    id: str
    name: str
    zone: str
    created_at: str
    log_origin: str
    verifier_key: str


class PolicyOut(Output):
    """The policy in force: its epoch, and its files as they stand."""

    epoch: str
    files: dict[str, str]


@router.get("/firm", operation_id="read_firm", response_model=FirmOut)
async def firm(services: ServicesDep, caller: CallerDep) -> Any:
    """Read the firm's name, zone, and the verifier key of its log."""
    found = await house.firm(services, caller)
    return {
        "id": found.id,
        "name": found.name,
        "zone": found.zone,
        "created_at": shown_time(found.created_at),
        "log_origin": found.log_origin,
        "verifier_key": found.verifier_key,
    }


@router.get("/policy", operation_id="read_policy", response_model=PolicyOut)
async def policy(services: ServicesDep, caller: CallerDep) -> Any:
    """Read the policy that decides, as its files stand."""
    found = await house.policy(services, caller)
    return {"epoch": found.epoch, "files": dict(found.files)}

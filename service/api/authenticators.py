"""Routes of one's own authenticator: enrolling one, confirming it, stepping up the token that is shown."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter
from pydantic import ConfigDict, StringConstraints

from service import authenticators
from service.api.shapes import Input, Output, shown_time
from service.httpdeps import CallerDep, ServicesDep, StrictRoute

router = APIRouter(prefix="/me", tags=["me"], route_class=StrictRoute)


class CodeIn(Input):
    """The code that the authenticator shows now."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"code": "123456"}]})
    code: Annotated[str, StringConstraints(pattern=r"^[0-9]{6}$")]


class EnrolledOut(Output):
    """An authenticator that waits for its first code. Keep the secret in it: it is not shown again."""

    id: str
    secret: str
    uri: str


class ConfirmedOut(Output):
    """Since when the authenticator is in force."""

    authenticator_since: str


class SteppedUpOut(Output):
    """Until when the token that was shown counts as stepped up."""

    stepped_up_until: str


@router.post("/authenticator", status_code=201, operation_id="enrol_authenticator", response_model=EnrolledOut)
async def enrol(services: ServicesDep, caller: CallerDep) -> Any:
    """Begin with an authenticator; where one is in force already, with a token that was stepped up by it."""
    made = await authenticators.enrol(services, caller)
    return {"id": made.id, "secret": made.secret, "uri": made.uri}


@router.post("/authenticator/confirmation", operation_id="confirm_authenticator", response_model=ConfirmedOut)
async def confirm(services: ServicesDep, caller: CallerDep, body: CodeIn) -> Any:
    """Confirm a new authenticator with its first code; it is in force from then on."""
    return {"authenticator_since": shown_time(await authenticators.confirm(services, caller, body.code))}


@router.post("/step-up", operation_id="step_up", response_model=SteppedUpOut)
async def step_up(services: ServicesDep, caller: CallerDep, body: CodeIn) -> Any:
    """Step up the token that is shown for 10 minutes, with a code that counts once."""
    return {"stepped_up_until": shown_time(await authenticators.step_up(services, caller, body.code))}

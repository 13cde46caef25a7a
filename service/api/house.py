"""Routes of the house itself: the firm, and the policy in force."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter
from pydantic import ConfigDict, Field, StringConstraints

from service import house
from service import policy as policies
from service.api.overlays import ShiftOut
from service.api.shapes import Input, Output, shown_time
from service.httpdeps import CallerDep, ServicesDep, StrictRoute
from service.scoping.matrix import EPOCH_FILES
from service.scoping.table import as_words, effect_of

router = APIRouter(tags=["house"], route_class=StrictRoute)


FileName = Annotated[str, StringConstraints(pattern=r"^[a-z]+\.(conf|csv)$", max_length=32)]
FileText = Annotated[str, StringConstraints(max_length=60_000)]


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


class PolicyFiles(Input):
    """Files of another version, by name; what is not named is as it stands in force."""

    model_config = ConfigDict(
        json_schema_extra={"examples": [{"files": {"answers.csv": "state,kind,side,listed,status,code,words\n"}}]}
    )
    files: Annotated[dict[FileName, FileText], Field(min_length=1, max_length=len(EPOCH_FILES))]


class RuleOut(Output):
    """A rule that stands in one of the two versions only: `effect` is added or removed."""

    effect: str
    rule: str
    sentence: str


class AnswerOut(Output):
    """An answer that differs: what opens it, before and after; `effect` is gained, lost, or both."""

    role: str
    action: str
    label: str
    sensitivity: str
    before: str
    after: str
    effect: str


class PolicyPreviewOut(Output):
    """What other files would change, as of the time of the documents; who neither gains nor loses is not there.

    `epoch` is the name of the policy that they make; there are `more` answers than are shown.
    """

    as_of: str
    epoch: str
    rules: list[RuleOut]
    answers: list[AnswerOut]
    more: bool
    shifts: list[ShiftOut]


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


@router.post("/policy-previews", operation_id="preview_policy", response_model=PolicyPreviewOut)
async def preview(services: ServicesDep, caller: CallerDep, body: PolicyFiles) -> Any:
    """Say what another version of the policy would give and take in this firm, before it is saved."""
    found = await policies.preview(services, caller, body.files)
    return {
        "as_of": shown_time(found.as_of),
        "epoch": found.epoch,
        "rules": [said._asdict() for said in found.rules],
        "answers": [
            {
                "role": change.role.value,
                "action": change.action.value,
                "label": change.label,
                "sensitivity": change.sensitivity,
                "before": as_words(change.before),
                "after": as_words(change.after),
                "effect": effect_of(change),
            }
            for change in found.answers
        ],
        "more": found.more,
        "shifts": [shift._asdict() for shift in found.shifts],
    }

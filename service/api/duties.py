"""Routes of duties: evidence that the firm records, what it waives, and what is missing for somebody."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from fastapi import APIRouter, Path, Request, Response
from pydantic import ConfigDict, Field, StringConstraints

from service import duties
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

router = APIRouter(tags=["duties"], route_class=StrictRoute)

DutyId = Annotated[str, Path(max_length=64, examples=["dut_" + "0" * 32])]
EngagementId = Annotated[str, Path(max_length=64, examples=["eng_" + "0" * 32])]
MatterId = Annotated[str, StringConstraints(pattern=r"^mtr_[0-9a-f]{32}$")]
PersonId = Annotated[str, StringConstraints(pattern=r"^per_[0-9a-f]{32}$")]

OwedByEngagement = Annotated[
    list[Literal["background_check", "insurance", "training", "vendor_agreement", "vendor_review"]],
    Field(max_length=5, description="Duties that the engagement demands beside the NDA."),
]
OwedByMatter = Annotated[
    list[Literal["baa", "client_consent", "conflict_check", "undertaking"]],
    Field(max_length=4, description="Duties that the matter demands; `baa` says that HIPAA applies."),
]
DutyWord = Literal[
    "training",
    "background_check",
    "vendor_agreement",
    "baa",
    "vendor_review",
    "insurance",
    "client_consent",
    "conflict_check",
    "undertaking",
]
WaivableWord = Literal["training", "background_check", "vendor_review", "insurance"]


class NewEvidence(Input):
    """What shows that a duty is met, from when to when; a person's duty names the person, a matter's the matter."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "duty": "training",
                    "person_id": "per_" + "0" * 32,
                    "valid_until": "2027-03-01T00:00:00Z",
                    "note": "Course on client secrets, certificate 4711, seen by us.",
                }
            ]
        }
    )
    duty: DutyWord
    person_id: PersonId | None = None
    matter_id: MatterId | None = None
    valid_from: Time | None = None
    valid_until: Time | None = None
    note: Text


class NewWaiver(Input):
    """A duty that shall not be asked for during 72 hours, once, and why."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [{"duty": "insurance", "reason": "The renewal is paid; the broker's letter comes on Monday."}]
        }
    )
    duty: WaivableWord
    person_id: PersonId | None = None
    reason: Text


class DutyOut(Output):
    """A duty and what it rests on: `basis` is signed, recorded or waived; `state` is to_come, in_force or over.

    `note` and `recorded_by` are null for what was signed, and for vendor people.
    """

    id: str
    engagement_id: str
    duty: str
    subject_id: str
    basis: str
    valid_from: str
    valid_until: str | None
    note: str | None
    recorded_by: str | None
    state: str
    etag: str


class TextOut(Output):
    """The text whose signature mends it."""

    agreement_id: str
    number: int
    sha256: str
    bites_at: str


class MissingOut(Output):
    """A duty that is missing (`lapses_at` null), soon ends, or is only `waived`, until then.

    `words` say how it is mended, and `mended_by` who has to move: member, vendor or firm. `to_sign` is null where
    nothing can be signed. `part_id` names the part of the matter that demands it, else null.
    """

    duty: str
    lapses_at: str | None
    waived: bool
    part_id: str | None
    mended_by: str
    words: str
    to_sign: TextOut | None


def missing_out(found: duties.Missing) -> dict[str, Any]:
    """What is missing, as it is shown."""
    text = found.to_sign
    return {
        "duty": found.duty,
        "lapses_at": shown_time(found.lapses_at),
        "waived": found.waived,
        "part_id": found.part_id,
        "mended_by": found.mending.by,
        "words": found.mending.words,
        "to_sign": None
        if text is None
        else {
            "agreement_id": text.agreement_id,
            "number": text.number,
            "sha256": text.sha256,
            "bites_at": shown_time(text.bites_at),
        },
    }


def _out(duty: duties.Recorded) -> dict[str, Any]:
    return {
        "id": duty.id,
        "engagement_id": duty.engagement_id,
        "duty": duty.duty,
        "subject_id": duty.subject_id,
        "basis": duty.basis,
        "valid_from": shown_time(duty.valid_from),
        "valid_until": shown_time(duty.valid_until),
        "note": duty.note,
        "recorded_by": duty.recorded_by,
        "state": duty.state,
        "etag": etag(duty.id, duty.version),
    }


def _tagged(response: Response, duty: duties.Recorded) -> dict[str, Any]:
    response.headers["ETag"] = etag(duty.id, duty.version)
    return _out(duty)


@router.post("/engagements/{engagement_id}/duties", status_code=201, operation_id="record_duty", response_model=DutyOut)
async def record(
    services: ServicesDep,
    caller: CallerDep,
    response: Response,
    engagement_id: EngagementId,
    body: NewEvidence,
    _key: IdempotencyKey = None,
) -> Any:
    """Record that a member, the vendor or a matter meets a duty, with the evidence."""
    new = duties.NewEvidence(
        duty=body.duty,
        person_id=body.person_id,
        matter_id=body.matter_id,
        valid_from=None if body.valid_from is None else seconds(body.valid_from),
        valid_until=None if body.valid_until is None else seconds(body.valid_until),
        note=body.note,
    )
    return _tagged(response, await duties.record(services, caller, engagement_id, new))


@router.post("/engagements/{engagement_id}/waivers", status_code=201, operation_id="waive_duty", response_model=DutyOut)
async def waive(
    services: ServicesDep,
    caller: CallerDep,
    response: Response,
    engagement_id: EngagementId,
    body: NewWaiver,
    _key: IdempotencyKey = None,
) -> Any:
    """Do not ask for a duty during 72 hours: once for each subject and duty, with a reason."""
    new = duties.NewWaiver(body.duty, body.person_id, body.reason)
    return _tagged(response, await duties.waive(services, caller, engagement_id, new))


@router.get("/engagements/{engagement_id}/duties", operation_id="list_duties", response_model=Listed[DutyOut])
async def list_all(
    services: ServicesDep,
    caller: CallerDep,
    request: Request,
    response: Response,
    engagement_id: EngagementId,
    cursor: Cursor = None,
    limit: Limit = PAGE_ROWS,
) -> Any:
    """List what duties rest on in an engagement, oldest first; a vendor's manager sees his side's."""
    found = await duties.list_all(services, caller, engagement_id, window(cursor, limit, "dut"))
    return listed(request, response, found, _out)


@router.get("/duties/{duty_id}", operation_id="read_duty", response_model=DutyOut)
async def read(services: ServicesDep, caller: CallerDep, response: Response, duty_id: DutyId) -> Any:
    """Read one duty."""
    return _tagged(response, await duties.read(services, caller, duty_id))


@router.delete("/duties/{duty_id}", operation_id="end_duty", response_model=DutyOut)
async def end(
    services: ServicesDep, caller: CallerDep, response: Response, duty_id: DutyId, _match: IfMatch = None
) -> Any:
    """End what was recorded or waived now; access that rests on it stops."""
    return _tagged(response, await duties.end(services, caller, duty_id))

"""Routes of sharing many: grants given and revoked in one act, dry run first, and mistaken ones undone."""

from __future__ import annotations

from typing import Annotated, Any, Final, Literal

from fastapi import APIRouter, Path
from pydantic import ConfigDict, Field, StringConstraints

from service.api.shapes import Id, IdempotencyKey, Input, Output, Text, Time, seconds, shown_time
from service.httpdeps import CallerDep, ServicesDep, StrictRoute
from service.scoping.actions import Label
from service.sharing import giving, openings, taking

router = APIRouter(tags=["grants"], route_class=StrictRoute)

EngagementId = Annotated[str, Path(max_length=64, examples=["eng_" + "0" * 32])]
BulkId = Annotated[str, Path(max_length=64, examples=["blk_" + "0" * 32])]
GrantId = Annotated[str, Path(max_length=64, examples=["grt_" + "0" * 32])]
LabelWord = Annotated[Label, Field(strict=False)]  # JSON has words, not members of an enum
AbilityWord = Literal["download", "revise", "text", "view"]
Digest = Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{64}$")]
Number = Annotated[int, Field(ge=1, le=2**53)]
MOST_TOLD: Final = 100  # of what is left out, for each reason; and openings of one grant


class NewGrants(Input):
    """What to hand to whom, as of now: papers to come are never in it. The dry run first, then its digest."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "membership_id": "mem_" + "0" * 32,
                    "part_id": "prt_" + "0" * 32,
                    "labels": ["correspondence", "medical_record"],
                    "abilities": ["view"],
                    "not_after": "2031-01-31T18:00:00Z",
                    "purpose": "Summarise for the deposition.",
                    "dry_run": True,
                }
            ]
        }
    )
    membership_id: Id
    part_id: Id | None = None
    matter_id: Id | None = None
    labels: list[LabelWord] = Field(min_length=1, max_length=len(Label))
    sensitivity: Literal["routine", "confidential"] = "confidential"
    first_number: Number | None = None
    last_number: Number | None = None
    abilities: list[AbilityWord] = Field(min_length=1, max_length=4)
    not_before: Time | None = None
    not_after: Time
    purpose: Text
    dry_run: bool = False
    digest: Digest | None = None


class PaperOut(Output):
    """A document of the set; what a dry run tells of it, or its grant."""

    document_id: str
    number: int
    label: str
    sensitivity: str
    title: str | None
    grant_id: str | None


class LeftOutOut(Output):
    """Documents that may be shared and are left out: how many, and the first of them."""

    reason: str
    count: int
    document_ids: list[str]


class GivenManyOut(Output):
    """What would be given, and the digest to send (null: nothing); or, where `bulk_id` is there, what was."""

    dry_run: bool
    digest: str | None
    bulk_id: str | None
    count: int
    by_label: dict[str, int]
    items: list[PaperOut]
    left_out: list[LeftOutOut]


class Revocation(Input):
    """Whose grants, of which matter, on papers of which labels: all that is said counts at once."""

    model_config = ConfigDict(
        json_schema_extra={"examples": [{"person_id": "per_" + "0" * 32, "labels": ["billing"], "dry_run": True}]}
    )
    person_id: Id | None = None
    matter_id: Id | None = None
    labels: list[LabelWord] = Field(default_factory=list, max_length=len(Label))
    dry_run: bool = False
    digest: Digest | None = None


class TakenOut(Output):
    """A grant that would be revoked, or was."""

    id: str
    document_id: str
    number: int
    label: str
    membership_id: str
    person_id: str
    abilities: list[str]
    not_after: str
    task_id: str | None
    bulk_id: str | None
    standing_id: str | None
    standby_id: str | None


class TakenAllOut(Output):
    """What would be revoked, and the digest to send (null: nothing); or what was.

    `standing_shares` made some of these grants, and may make others of papers to come until they are ended too.
    """

    dry_run: bool
    digest: str | None
    count: int
    by_label: dict[str, int]
    standing_shares: list[str]
    items: list[TakenOut]


class OpeningOut(Output):
    """One act of the holder on the document. `outcome` and `bytes` are null where no bytes were asked for, or while
    they are on their way.
    """

    act: str
    at: str
    entry: int
    outcome: str | None
    bytes: int | None


class UndoneOut(Output):
    """A grant that is over now, and what its holder had done with the document: the newest acts, and how many."""

    grant: TakenOut
    revoked_at: str | None
    opened: bool
    count: int
    bytes: int
    openings: list[OpeningOut]


class UndoneAllOut(Output):
    """All grants of one act, and how many of them were opened meanwhile."""

    count: int
    opened: int
    bytes: int
    items: list[UndoneOut]


def _given_out(given: giving.Given) -> dict[str, Any]:
    return {
        "dry_run": given.bulk_id is None,
        "digest": given.digest,
        "bulk_id": given.bulk_id,
        "count": len(given.papers),
        "by_label": dict(sorted(given.by_label.items())),
        "items": [{**paper._asdict(), "document_id": paper.id} for paper in given.papers],
        "left_out": [
            {"reason": reason.value, "count": len(ids), "document_ids": ids[:MOST_TOLD]}
            for reason in giving.Reason
            if (ids := given.left_out.get(reason.value, ()))
        ],
    }


def _taken_out(taken: taking.Taken) -> dict[str, Any]:
    made_with = {name: getattr(taken.made_with, name) for name in ("task_id", "bulk_id", "standing_id", "standby_id")}
    shown = {name: getattr(taken, name) for name in TakenOut.model_fields if name not in made_with}
    return {**shown, **made_with, "abilities": list(taken.abilities), "not_after": shown_time(taken.not_after)}


def _all_out(taken: taking.TakenAll, *, dry_run: bool) -> dict[str, Any]:
    return {
        "dry_run": dry_run,
        "digest": taken.digest,
        "count": len(taken.grants),
        "by_label": dict(sorted(taken.by_label.items())),
        "standing_shares": sorted({each.made_with.standing_id for each in taken.grants} - {None}),
        "items": [_taken_out(each) for each in taken.grants],
    }


def _opening_out(opening: openings.Opening) -> dict[str, Any]:
    shown = {"act": opening.act, "at": shown_time(opening.at), "entry": opening.entry}
    return {**shown, "outcome": opening.outcome, "bytes": opening.bytes_sent}


def _undone_out(undone: taking.Undone) -> dict[str, Any]:
    return {
        "grant": _taken_out(undone.grant),
        "revoked_at": shown_time(undone.revoked_at),
        "opened": bool(undone.openings),
        "count": len(undone.openings),
        "bytes": sum(each.bytes_sent or 0 for each in undone.openings),
        "openings": [_opening_out(each) for each in undone.openings[:MOST_TOLD]],
    }


@router.post(
    "/engagements/{engagement_id}/grants",
    operation_id="share_many",
    response_model=GivenManyOut,
)
async def give(
    services: ServicesDep,
    caller: CallerDep,
    engagement_id: EngagementId,
    body: NewGrants,
    _key: IdempotencyKey = None,
) -> Any:
    """Hand a member the confirmed papers of a part or matter with these labels, as of now; dry run first."""
    new = giving.NewGrants(
        membership_id=body.membership_id,
        part_id=body.part_id,
        matter_id=body.matter_id,
        labels=tuple(label.value for label in body.labels),
        sensitivity=body.sensitivity,
        abilities=tuple(body.abilities),
        not_before=None if body.not_before is None else seconds(body.not_before),
        not_after=seconds(body.not_after),
        purpose=body.purpose,
        numbers=(body.first_number, body.last_number),
    )
    if body.dry_run:
        return _given_out(await giving.show(services, caller, engagement_id, new))
    return _given_out(await giving.give(services, caller, engagement_id, new, body.digest))


@router.post("/engagements/{engagement_id}/revocations", operation_id="revoke_many", response_model=TakenAllOut)
async def take(services: ServicesDep, caller: CallerDep, engagement_id: EngagementId, body: Revocation) -> Any:
    """Revoke grants by person, matter and label, in force and to come; dry run first."""
    labels = tuple(label.value for label in body.labels)
    wanted = taking.Wanted(person_id=body.person_id, matter_id=body.matter_id, labels=labels)
    if body.dry_run:
        return _all_out(await taking.show(services, caller, engagement_id, wanted), dry_run=True)
    return _all_out(await taking.take(services, caller, engagement_id, wanted, body.digest), dry_run=False)


@router.post("/grants/{grant_id}/undo", operation_id="undo_grant", response_model=UndoneOut)
async def undo(services: ServicesDep, caller: CallerDep, grant_id: GrantId) -> Any:
    """End a mistaken grant now, and say whether it was opened meanwhile; asked again it tells the same."""
    return _undone_out(await taking.undo_grant(services, caller, grant_id))


@router.post("/bulk-grants/{bulk_id}/undo", operation_id="undo_bulk_grant", response_model=UndoneAllOut)
async def undo_bulk(services: ServicesDep, caller: CallerDep, bulk_id: BulkId) -> Any:
    """End all grants that one act gave, and say which were opened meanwhile; asked again it tells the same.

    What the act gave of a document that was moved since ended with the move and is left out: its lineage tells.
    """
    items = [_undone_out(each) for each in await taking.undo_bulk(services, caller, bulk_id)]
    return {
        "count": len(items),
        "opened": sum(1 for each in items if each["opened"]),
        "bytes": sum(each["bytes"] for each in items),
        "items": items,
    }

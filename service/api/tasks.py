"""Routes of tasks: what members are asked to do, and what became of it."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from fastapi import APIRouter, Path, Request, Response
from pydantic import ConfigDict, Field, StringConstraints

from service import tasks
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
from service.scoping.actions import Label, Sensitivity
from service.tasks.figures import Count
from service.tasks.making import MOST_DOCUMENTS
from service.tasks.submitting import MOST_SUBMITTED

router = APIRouter(tags=["tasks"], route_class=StrictRoute)

TaskId = Annotated[str, Path(max_length=64, examples=["tsk_" + "0" * 32])]
EngagementId = Annotated[str, Path(max_length=64, examples=["eng_" + "0" * 32])]
MembershipId = Annotated[str, StringConstraints(pattern=r"^mem_[0-9a-f]{32}$")]
PartId = Annotated[str, StringConstraints(pattern=r"^prt_[0-9a-f]{32}$")]
DocumentId = Annotated[str, StringConstraints(pattern=r"^doc_[0-9a-f]{32}$")]
RevisionId = Annotated[str, StringConstraints(pattern=r"^rev_[0-9a-f]{32}$")]
LabelWord = Annotated[Label, Field(strict=False)]  # JSON has words, not members of an enum
SensitivityWord = Annotated[Sensitivity, Field(strict=False)]
PresetWord = Literal["read", "work", "make"]


class NewTask(Input):
    """What to ask of whom. *read*: papers to look at; *work*: papers to take away and bring back; *make*: a draft.

    Grants on `documents` and asks for `labels` are made with it and end with it, at the latest at `not_after` (null:
    with the membership). A document is checked out to one open task of *work* at a time.
    """

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "membership_id": "mem_" + "0" * 32,
                    "part_id": "prt_" + "0" * 32,
                    "preset": "work",
                    "instructions": "Please number the exhibits.",
                    "documents": ["doc_" + "0" * 32],
                    "labels": ["exhibit"],
                    "due_at": "2031-01-31T18:00:00Z",
                }
            ]
        }
    )
    membership_id: MembershipId
    part_id: PartId
    preset: PresetWord
    instructions: Text
    documents: list[DocumentId] = Field(default=[], max_length=MOST_DOCUMENTS)
    labels: list[LabelWord] = Field(default=[], max_length=len(Label))
    due_at: Time
    not_after: Time | None = None


class SubmittedDocument(Input):
    """A paper that was added for the task; `from_document_id`: the one handed over that it was made from."""

    document_id: DocumentId
    from_document_id: DocumentId | None = None


class Submission(Input):
    """The papers that come back: all that count, also those of an earlier submission."""

    model_config = ConfigDict(
        json_schema_extra={"examples": [{"documents": [{"document_id": "doc_" + "0" * 32}]}, {"documents": []}]}
    )
    documents: list[SubmittedDocument] = Field(default=[], max_length=MOST_SUBMITTED)


class TaskReturn(Input):
    """Why it goes back, and until when it shall be done; `due_at` null: as before."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"note": "The second page is missing."}]})
    note: Text
    due_at: Time | None = None


class AcceptedDocument(Input):
    """The exact revision that is accepted. `label` null: its own; `sensitivity` null: confidential."""

    document_id: DocumentId
    revision_id: RevisionId
    label: LabelWord | None = None
    sensitivity: SensitivityWord | None = None


class Acceptance(Input):
    """Every paper of the last submission, as it was looked at."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [{"documents": [{"document_id": "doc_" + "0" * 32, "revision_id": "rev_" + "0" * 32}]}]
        }
    )
    documents: list[AcceptedDocument] = Field(default=[], max_length=MOST_SUBMITTED)


class TaskOut(Output):
    """What a member is asked to do; `ended_at` is null while it is neither accepted nor cancelled."""

    id: str
    engagement_id: str
    part_id: str
    membership_id: str
    person_id: str
    preset: str
    labels: list[str]
    instructions: str
    state: str
    due_at: str
    not_after: str
    ended_at: str | None
    given_by: str
    given_at: str
    etag: str


class TaskDocumentOut(Output):
    """A paper of a task, as far as the reader may know it.

    `revision_id`: as handed over; or as submitted last, then as accepted. `submission`: the last that names it (0: it
    was handed over); one that is lower than the last was kept beside.
    """

    document_id: str
    direction: str
    revision_id: str
    from_document_id: str | None
    submission: int


class SubmissionOut(Output):
    """One submission; `answer` is null until it is returned or accepted."""

    id: str
    number: int
    submitted_at: str
    answer: str | None
    note: str | None
    answered_at: str | None


class TaskCardOut(TaskOut):
    """A task with its papers and its submissions, oldest first."""

    documents: list[TaskDocumentOut]
    submissions: list[SubmissionOut]


class CountOut(Output):
    """What became of some tasks; medians in seconds, `rework` from 0 to 1; null where there is nothing to tell."""

    given: int
    accepted: int
    cancelled: int
    overdue: int
    turnaround_s: int | None
    response_s: int | None
    rework: float | None


class MemberFiguresOut(CountOut):
    """The figures of one membership."""

    membership_id: str
    person_id: str


class FiguresOut(Output):
    """The figures of an engagement's tasks, in all and of each membership that was given one."""

    total: CountOut
    members: list[MemberFiguresOut]


def _out(task: tasks.Task) -> dict[str, Any]:
    return {
        "id": task.id,
        "engagement_id": task.engagement_id,
        "part_id": task.part_id,
        "membership_id": task.membership_id,
        "person_id": task.person_id,
        "preset": task.preset,
        "labels": list(task.labels),
        "instructions": task.instructions,
        "state": task.state,
        "due_at": shown_time(task.due_at),
        "not_after": shown_time(task.not_after),
        "ended_at": shown_time(task.ended_at),
        "given_by": task.given_by,
        "given_at": shown_time(task.given_at),
        "etag": etag(task.id, task.version),
    }


def _round(found: tasks.Round) -> dict[str, Any]:
    return {
        "id": found.id,
        "number": found.number,
        "submitted_at": shown_time(found.submitted_at),
        "answer": found.answer,
        "note": found.note,
        "answered_at": shown_time(found.answered_at),
    }


def _count(count: Count) -> dict[str, Any]:
    return {name: getattr(count, name) for name in CountOut.model_fields}


def _tagged(response: Response, card: tasks.Card) -> dict[str, Any]:
    response.headers["ETag"] = etag(card.task.id, card.task.version)
    papers = [{name: getattr(paper, name) for name in TaskDocumentOut.model_fields} for paper in card.papers]
    return {**_out(card.task), "documents": papers, "submissions": [_round(each) for each in card.rounds]}


@router.post(
    "/engagements/{engagement_id}/tasks", status_code=201, operation_id="create_task", response_model=TaskCardOut
)
async def create(
    services: ServicesDep,
    caller: CallerDep,
    response: Response,
    engagement_id: EngagementId,
    body: NewTask,
    _key: IdempotencyKey = None,
) -> Any:
    """Give a member a task, with the papers he needs for it."""
    new = tasks.NewTask(
        membership_id=body.membership_id,
        part_id=body.part_id,
        preset=body.preset,
        instructions=body.instructions,
        documents=tuple(body.documents),
        labels=tuple(label.value for label in body.labels),
        due_at=seconds(body.due_at),
        not_after=None if body.not_after is None else seconds(body.not_after),
    )
    return _tagged(response, await tasks.create(services, caller, engagement_id, new))


@router.get("/engagements/{engagement_id}/tasks", operation_id="list_tasks", response_model=Listed[TaskOut])
async def list_all(
    services: ServicesDep,
    caller: CallerDep,
    request: Request,
    response: Response,
    engagement_id: EngagementId,
    cursor: Cursor = None,
    limit: Limit = PAGE_ROWS,
) -> Any:
    """List the tasks of an engagement that the caller may know of, those that are over too, oldest first."""
    found = await tasks.list_all(services, caller, engagement_id, window(cursor, limit, "tsk"))
    return listed(request, response, found, _out)


@router.get("/engagements/{engagement_id}/figures", operation_id="read_figures", response_model=FiguresOut)
async def read_figures(services: ServicesDep, caller: CallerDep, engagement_id: EngagementId) -> Any:
    """Say how many tasks were given and what became of them, how quickly, and how often again."""
    found = await tasks.figures(services, caller, engagement_id)
    members = [
        {"membership_id": each.membership_id, "person_id": each.person_id, **_count(each.count)}
        for each in found.members
    ]
    return {"total": _count(found.total), "members": members}


@router.get("/tasks/{task_id}", operation_id="read_task", response_model=TaskCardOut)
async def read(services: ServicesDep, caller: CallerDep, response: Response, task_id: TaskId) -> Any:
    """Read one task, with its papers and its submissions."""
    return _tagged(response, await tasks.read(services, caller, task_id))


@router.post("/tasks/{task_id}/submission", operation_id="submit_task", response_model=TaskCardOut)
async def submit(
    services: ServicesDep,
    caller: CallerDep,
    response: Response,
    task_id: TaskId,
    body: Submission,
    _match: IfMatch = None,
) -> Any:
    """Say that one's own task is done, and name the papers that come back."""
    papers = [tasks.Submitted(each.document_id, each.from_document_id) for each in body.documents]
    return _tagged(response, await tasks.submit(services, caller, task_id, papers))


@router.post("/tasks/{task_id}/return", operation_id="return_task", response_model=TaskCardOut)
async def send_back(
    services: ServicesDep,
    caller: CallerDep,
    response: Response,
    task_id: TaskId,
    body: TaskReturn,
    _match: IfMatch = None,
) -> Any:
    """Return what was submitted, with a note."""
    due_at = None if body.due_at is None else seconds(body.due_at)
    return _tagged(response, await tasks.send_back(services, caller, task_id, body.note, due_at))


@router.post("/tasks/{task_id}/acceptance", operation_id="accept_task", response_model=TaskCardOut)
async def accept(
    services: ServicesDep,
    caller: CallerDep,
    response: Response,
    task_id: TaskId,
    body: Acceptance,
    _match: IfMatch = None,
) -> Any:
    """Accept exactly these revisions: they are confirmed, and what the task opened is shut."""
    accepted = [
        tasks.Acceptance(
            document_id=each.document_id,
            revision_id=each.revision_id,
            label=None if each.label is None else each.label.value,
            sensitivity=None if each.sensitivity is None else each.sensitivity.value,
        )
        for each in body.documents
    ]
    return _tagged(response, await tasks.accept(services, caller, task_id, accepted))


@router.post("/tasks/{task_id}/cancellation", operation_id="cancel_task", response_model=TaskCardOut)
async def cancel(
    services: ServicesDep, caller: CallerDep, response: Response, task_id: TaskId, _match: IfMatch = None
) -> Any:
    """Cancel a task; what was added for it stays, to be looked at."""
    return _tagged(response, await tasks.cancel(services, caller, task_id))

"""Routes about oneself."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter, Request, Response

from service import me, receipts
from service.api import access_requests, asks
from service.api.duties import MissingOut, missing_out
from service.api.schedules import HoursOut, said
from service.api.shapes import Cursor, Limit, Listed, Output, listed, shown_time
from service.httpdeps import CallerDep, ServicesDep, StrictRoute
from service.paging import PAGE_ROWS, window
from service.scoping import windows
from service.scoping.hours import readable

router = APIRouter(prefix="/me", tags=["me"], route_class=StrictRoute)


class MyselfOut(Output):
    """Who calls."""

    id: str
    name: str
    email: str


class MyFirmOut(Output):
    """In whose world."""

    id: str
    name: str


class MyEngagementOut(Output):
    """The engagement of a membership."""

    id: str
    number: str
    status: str
    starts_at: str
    ends_at: str | None


class MembershipOut(Output):
    """The membership that the token acts in; `engagement` is null for the whole house.

    `matter_id` is what a reviewer's seat is limited to, else null.
    """

    id: str
    role: str
    side: str
    engagement: MyEngagementOut | None
    matter_id: str | None
    starts_at: str
    ends_at: str | None
    suspended: bool


class MyTokenOut(Output):
    """The token that was shown; scopes are resources, or ``*`` for all; `stepped_up_until` is null where a code of the
    authenticator is needed first for what needs one.
    """

    id: str
    scopes: list[str]
    expires_at: str
    stepped_up_until: str | None


class BindingOut(Output):
    """A schedule that binds me now or will: mine alone (`own`), or everybody's of the engagement."""

    id: str
    own: bool
    hours: list[HoursOut] | None
    zone: str | None
    networks: list[str] | None
    valid_from: str
    valid_until: str | None


class WindowOut(Output):
    """Whether time and place are right now; if not, when next (within 14 days, else null), and if the place is wrong.

    `opens_at` is what hours and dates say; with `elsewhere` it takes one of the networks besides.
    """

    open: bool
    opens_at: str | None
    elsewhere: bool
    schedules: list[BindingOut]


class MeOut(Output):
    """What a person may always know about himself.

    `answers`: to his requests for access, of the last 7 days; `waiting`: how many wait for his answer, 100 at most;
    `misdirections`: how many papers, said not to be meant for a member, wait for his acknowledgment, 100 at most;
    `ending_soon`: how many documents close to him within 7 days; `tasks_open`: how many tasks wait for him, and
    `tasks_due`: how many of those are due within 7 days or overdue; `window` is null for firm people: no schedule binds
    them; `authenticator_since` is null where there is none yet.
    """

    person: MyselfOut
    firm: MyFirmOut
    membership: MembershipOut
    token: MyTokenOut
    authenticator_since: str | None
    missing: list[MissingOut]
    due: list[asks.AskOut]
    answers: list[access_requests.AccessRequestOut]
    waiting: int
    misdirections: int
    ending_soon: int
    tasks_open: int
    tasks_due: int
    window: WindowOut | None


class ReceiptOut(Output):
    """One upload; `sha256` is null once the engagement's keys are destroyed."""

    revision_id: str
    document_id: str
    sha256: str | None
    size_bytes: int
    media_type: str
    received_at: str
    log_index: int


def _membership(found: me.Membership) -> dict[str, Any]:
    engagement = found.engagement
    return {
        "id": found.id,
        "role": found.role,
        "side": found.side,
        "engagement": None
        if engagement is None
        else {
            "id": engagement.id,
            "number": engagement.number,
            "status": engagement.status,
            "starts_at": shown_time(engagement.starts_at),
            "ends_at": shown_time(engagement.ends_at),
        },
        "matter_id": found.matter_id,
        "starts_at": shown_time(found.starts_at),
        "ends_at": shown_time(found.ends_at),
        "suspended": found.suspended,
    }


def _window(found: windows.Outlook) -> dict[str, Any]:
    return {
        "open": found.is_open,
        "opens_at": shown_time(found.opens_at),
        "elsewhere": found.is_elsewhere,
        "schedules": [
            {
                "id": each.id,
                "own": each.own,
                **said(readable(each.terms)),
                "valid_from": shown_time(each.valid_from),
                "valid_until": shown_time(each.valid_until),
            }
            for each in found.schedules
        ],
    }


def _receipt(found: receipts.Receipt) -> dict[str, Any]:
    return {
        "revision_id": found.revision_id,
        "document_id": found.document_id,
        "sha256": found.sha256,
        "size_bytes": found.size_bytes,
        "media_type": found.media_type,
        "received_at": shown_time(found.received_at),
        "log_index": found.log_index,
    }


@router.get("", operation_id="read_me", response_model=MeOut)
async def read(services: ServicesDep, caller: CallerDep) -> Any:
    """Say who I am here, what I still owe and what I am asked for; works also when all else is shut."""
    found = await me.read(services, caller)
    return {
        "person": {"id": found.person_id, "name": found.name, "email": found.email},
        "firm": {"id": found.firm_id, "name": found.firm_name},
        "membership": _membership(found.membership),
        "token": {
            "id": found.token.id,
            "scopes": list(found.token.scopes),
            "expires_at": shown_time(found.token.expires_at),
            "stepped_up_until": shown_time(found.token.stepped_up_until),
        },
        "authenticator_since": shown_time(found.authenticator_since),
        "missing": [missing_out(duty) for duty in found.missing],
        "due": [asks.out(ask) for ask in found.due],
        "answers": [access_requests.out(each) for each in found.answers],
        "waiting": found.waiting,
        "misdirections": found.misdirections,
        "ending_soon": found.ending_soon,
        "tasks_open": found.tasks_open,
        "tasks_due": found.tasks_due,
        "window": None if found.outlook is None else _window(found.outlook),
    }


@router.get("/receipts", operation_id="list_receipts", response_model=Listed[ReceiptOut])
async def list_receipts(
    services: ServicesDep,
    caller: CallerDep,
    request: Request,
    response: Response,
    cursor: Cursor = None,
    limit: Limit = PAGE_ROWS,
) -> Any:
    """List what I added, with its place in the log, oldest first."""
    found = await receipts.list_mine(services, caller, window(cursor, limit, "rev"))
    return listed(request, response, found, _receipt)

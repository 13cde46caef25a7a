"""Suspending, resuming and ending a membership."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

from sqlalchemy import bindparam, select, update

from service import tasks, tokens
from service.acts import Act, Caller, perform
from service.brakes import pressing
from service.db import models
from service.db.models import memberships
from service.door import NameReader
from service.engagements import hand_over
from service.errors import BadStateError
from service.events import EventType
from service.members.containing import require_at_large
from service.members.rows import Member, Told, opened, require_other_owner, row_of, subject_of, terms, told
from service.scoping.actions import Action, Role
from service.services import Services

Apply = Callable[[Act, Any], None]

_CHANGE = (
    update(memberships)
    .where(memberships.c.id == bindparam("member"))
    .values(suspended=bindparam("is_suspended"), ends_at=bindparam("end"), version=memberships.c.version + 1)
)
_TOKENS = select(models.tokens.c.id).where(
    models.tokens.c.membership_id == bindparam("member"),
    models.tokens.c.revoked_at > bindparam("now"),
    models.tokens.c.expires_at > bindparam("now"),
)


async def suspend(services: Services, caller: Caller, member_id: str) -> Member:
    """Suspend a membership at once, until it is resumed.

    Raises:
        BadStateError: it has ended, is suspended, or is the firm's last owner's.
    """

    def apply(act: Act, row: Any) -> None:
        if row.suspended:
            raise BadStateError("This membership is suspended already.")
        require_other_owner(act, row)
        _change(act, EventType.MEMBER_SUSPENDED, row, suspended=True, ends_at=row.ends_at)

    return await _changed(services, caller, member_id, Action.MEMBER_SUSPEND, apply)


async def resume(services: Services, caller: Caller, member_id: str) -> Member:
    """End a suspension.

    Raises:
        BadStateError: the membership has ended or is not suspended, or its person is, in the whole firm.
    """

    def apply(act: Act, row: Any) -> None:
        if not row.suspended:
            raise BadStateError("This membership is not suspended.")
        require_at_large(act, row.person_id)
        pressing.release(act, row.id)
        _change(act, EventType.MEMBER_RESUMED, row, suspended=False, ends_at=row.ends_at)

    return await _changed(services, caller, member_id, Action.MEMBER_RESUME, apply)


async def end(services: Services, caller: Caller, member_id: str) -> Member:
    """End a membership and everything that hangs on it, at once and for good.

    Raises:
        BadStateError: it has ended, is the firm's last owner's, or its person leads an engagement that nobody else
            could lead.
    """

    def apply(act: Act, row: Any) -> None:
        require_other_owner(act, row)
        _change(act, EventType.MEMBER_ENDED, row, suspended=bool(row.suspended), ends_at=act.moment.s)
        for token in act.tx.all(_TOKENS, member=row.id, now=act.moment.s):
            act.drafts.append(tokens.revoke(act.tx, act.moment, token.id, row.id, row.person_id, act.who))
        tasks.end_of_member(act, row.id)
        if row.role == Role.ATTORNEY and row.engagement_id is None:
            hand_over(act, row.person_id)

    return await _changed(services, caller, member_id, Action.MEMBER_END, apply)


async def _changed(services: Services, caller: Caller, member_id: str, action: Action, apply: Apply) -> Member:
    """Do one act on a membership that has not ended, as it was read."""

    def change(act: Act) -> Told:
        row = row_of(act, member_id)
        act.require_version(row.id, row.version)
        if row.ends_at <= act.moment.s:
            raise BadStateError("This membership has ended. Add a new one, if that is right.")
        apply(act, row)
        return told(act, row_of(act, member_id))

    done = await perform(services, caller, action, subject_of(member_id), change)
    return await asyncio.to_thread(opened, NameReader(services.keys, done.authorised), *done.result)


def _change(act: Act, kind: EventType, row: Any, *, suspended: bool, ends_at: int) -> None:
    act.tx.run(_CHANGE, member=row.id, is_suspended=int(suspended), end=ends_at)
    subjects = {"membership": row.id, "person": row.person_id}
    act.record(kind, subjects, terms(row.role, row.starts_at, ends_at, suspended=suspended))

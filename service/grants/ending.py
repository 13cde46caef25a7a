"""Ending a grant."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from sqlalchemy import bindparam, update

from service.acts import Act, Caller, perform
from service.db.models import grants
from service.door import NameReader
from service.errors import BadStateError
from service.events import EventType, Subjects
from service.grants.rows import Grant, opened, row_of, subject_of, subjects_of
from service.scoping.actions import Action
from service.services import Services

REVOKE: Final = (
    update(grants)
    .where(grants.c.id == bindparam("grant"))
    .values(revoked_at=bindparam("end"), version=grants.c.version + 1)
)


async def revoke(services: Services, caller: Caller, grant_id: str) -> Grant:
    """End a grant now.

    Raises:
        BadStateError: it is over already.
        PreconditionMissingError, StaleError: If-Match.
    """

    def change(act: Act) -> Any:
        row, now = row_of(act, grant_id), act.moment.s
        act.require_version(grant_id, row.version)
        if min(row.revoked_at, row.not_after) <= now:
            raise BadStateError("This grant is over already.")
        end(act, act.decision.row, grant_id, row.membership_id, row.person_id)
        return row_of(act, grant_id)

    done = await perform(services, caller, Action.GRANT_REVOKE, subject_of(grant_id), change)
    return opened(NameReader(services.keys, done.authorised), done.result)


def end(act: Act, document: Any, grant_id: str, membership_id: str, person_id: str) -> None:
    """End a grant of this document (its row) now, with its entry, in a transaction that decided that it may be."""
    end_all(act, {grant_id: subjects_of(document, membership_id, person_id, grant_id)})


def end_all(act: Act, subjects: Mapping[str, Subjects]) -> None:
    """End grants now, each with its entry, in a transaction that decided that they may be.

    Args:
        subjects: grant -> what its entry names besides it, and besides what was decided about.
    """
    now = act.moment.s
    act.tx.run_many(REVOKE, [{"grant": grant_id, "end": now} for grant_id in subjects])
    for grant_id, named in subjects.items():
        act.record(EventType.GRANT_REVOKED, {**named, "grant": grant_id}, {"revoked_at": now})

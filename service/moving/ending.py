"""Ending a document where it lay: its grants, the requests for access to it, its keys."""

from __future__ import annotations

from typing import Any, Final

from sqlalchemy import bindparam, select, update

from service.access_requests.rows import OPEN, REFUSED, close, subjects
from service.acts import Act
from service.db.models import access_requests, documents, grants, memberships, parts
from service.documents import forget_revisions
from service.events import EventType
from service.sharing.taking import end

_LIVE: Final = (
    select(
        grants.c.id,
        grants.c.document_id,
        grants.c.membership_id,
        grants.c.task_id,
        grants.c.bulk_id,
        grants.c.standing_id,
        grants.c.standby_id,
        memberships.c.person_id,
        documents.c.engagement_id,
        documents.c.part_id,
        documents.c.matter_id,
    )
    .select_from(
        grants.join(memberships, memberships.c.id == grants.c.membership_id).join(
            documents, documents.c.id == grants.c.document_id
        )
    )
    .where(
        grants.c.document_id == bindparam("document"),
        grants.c.not_after > bindparam("now"),
        grants.c.revoked_at > bindparam("now"),
    )
    .order_by(grants.c.id)
)
_WAITING: Final = (
    select(
        access_requests.c.id,
        access_requests.c.engagement_id,
        access_requests.c.part_id,
        access_requests.c.document_id,
        access_requests.c.membership_id,
        memberships.c.person_id,
        parts.c.matter_id,
    )
    .select_from(
        access_requests.join(memberships, memberships.c.id == access_requests.c.membership_id).join(
            parts, parts.c.id == access_requests.c.part_id
        )
    )
    .where(
        access_requests.c.engagement_id == bindparam("engagement"),
        access_requests.c.document_id == bindparam("document"),
        access_requests.c.state == OPEN,
    )
    .order_by(access_requests.c.id)
)
_MOVED: Final = (
    update(documents)
    .where(documents.c.id == bindparam("document"))
    .values(state="moved", version=documents.c.version + 1)
)


def end_here(act: Act, row: Any) -> tuple[tuple[str, ...], int]:
    """End a document where it lies; each grant and request that ends with it has an entry of its own.

    Args:
        row: of `source_of`.

    Returns: the objects that nothing opens any more (none under a legal hold), to be deleted when this is committed;
        and how many grants ended.
    """
    live = act.tx.all(_LIVE, document=row.id, now=act.moment.s)
    end(act, live)
    for request in act.tx.all(_WAITING, engagement=row.engagement_id, document=row.id):
        # Said no, as to whoever asks for what is not there: the member is not told that it went elsewhere.
        close(act, request, REFUSED, by=act.actor.membership_id)
        act.record(EventType.ACCESS_REQUEST_ANSWERED, subjects(request), {"answer": REFUSED})
    act.tx.run(_MOVED, document=row.id)
    return forget_revisions(act, row.id, row.engagement_id), len(live)

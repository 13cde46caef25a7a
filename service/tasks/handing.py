"""Handing over: the grants that are made with a task, and revoked with it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from sqlalchemy import and_, bindparam, select

from service import grants
from service.acts import Act
from service.db import models
from service.db.models import documents, task_documents
from service.origins import Origin
from service.recipients import Recipient
from service.scoping.actions import Ability

ABILITIES: Final[Mapping[str, Ability]] = {
    "read": Ability.VIEW,
    "work": Ability.VIEW | Ability.DOWNLOAD,
    "make": Ability.VIEW,
}
"""What each preset lets a member do with the papers handed to him."""

_g = models.grants
# By member and document, for which there is an index: a firm's grants are many, a task's documents few.
_SAME = and_(
    _g.c.membership_id == bindparam("membership"),
    _g.c.document_id == task_documents.c.document_id,
    _g.c.task_id == task_documents.c.task_id,
)
_OF_TASK = (
    select(_g.c.id, _g.c.document_id, documents.c.part_id, documents.c.matter_id, documents.c.engagement_id)
    .select_from(task_documents.join(_g, _SAME).join(documents, documents.c.id == _g.c.document_id))
    .where(
        task_documents.c.task_id == bindparam("task"),
        _g.c.not_after > bindparam("now"),
        _g.c.revoked_at > bindparam("now"),
    )
    .order_by(_g.c.id)
)


def hand_over(
    act: Act, document: Any, recipient: Recipient, preset: str, term: tuple[int, int], purpose: str, task_id: str
) -> None:
    """Grant a document with a task, unless a grant made by hand gives as much for as long.

    Args:
        document: the row of a decision that this caller may grant it.

    Raises:
        BadStateError, AboveCeilingError: as for a grant made by hand.
    """
    abilities = ABILITIES[preset]
    grants.require_shareable(act, document, recipient.role, abilities)
    bound = {"membership": recipient.membership_id, "document": document.id, "now": act.moment.s}
    if any(
        one.abilities & abilities == abilities and one.not_before <= term[0] and one.not_after >= term[1]
        for one in act.tx.all(grants.LIVE_BY_HAND, **bound)
    ):
        return
    grants.write(act, document, recipient, abilities, term, purpose, Origin(task_id))


def take_in(act: Act, task_id: str, membership_id: str, person_id: str) -> None:
    """Revoke what was granted with a task and is live; what was granted by hand stays."""
    live = act.tx.all(_OF_TASK, task=task_id, membership=membership_id, now=act.moment.s)
    whose = {"membership": membership_id, "person": person_id, "task": task_id}
    places = {
        row.id: {
            "engagement": row.engagement_id,
            "part": row.part_id,
            "matter": row.matter_id,
            "document": row.document_id,
        }
        for row in live
    }
    grants.end_all(act, {grant_id: {**place, **whose} for grant_id, place in places.items()})

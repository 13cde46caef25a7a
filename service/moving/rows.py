"""The rows of a document that goes elsewhere."""

from __future__ import annotations

from typing import Any, Final

from sqlalchemy import bindparam, or_, select

from service.acts import Act
from service.db.models import documents, parts, revisions, task_documents, tasks
from service.errors import BadStateError, NotFoundError
from service.grants import CONFIRMED
from service.tasks.reading import IS_LIVE

_SOURCE: Final = (
    select(
        documents.c.id,
        documents.c.engagement_id,
        documents.c.part_id,
        documents.c.matter_id,
        documents.c.label,
        documents.c.sensitivity,
        documents.c.state,
        documents.c.title,
        documents.c.revision_id,
        documents.c.version,
        parts.c.key_id.label("part_key_id"),
        parts.c.field_key.label("part_field_key"),
    )
    .join_from(documents, parts, parts.c.id == documents.c.part_id)
    .where(documents.c.id == bindparam("document"))
)
_REVISIONS: Final = (
    select(
        revisions,
        documents.c.engagement_id,
        documents.c.matter_id,
        parts.c.key_id.label("part_key_id"),
    )
    .select_from(
        revisions.join(documents, documents.c.id == revisions.c.document_id).join(
            parts, parts.c.id == documents.c.part_id
        )
    )
    # What was replaced before anybody confirmed it has no key any more: it ended then.
    .where(revisions.c.document_id == bindparam("document"), revisions.c.wrapped_key != b"")
    .order_by(revisions.c.number)
)
_BUSY: Final = (
    select(tasks.c.id)
    .join_from(task_documents, tasks, tasks.c.id == task_documents.c.task_id)
    .where(
        or_(
            task_documents.c.document_id == bindparam("document"),
            task_documents.c.from_document_id == bindparam("document"),
        ),
        IS_LIVE,
    )
)


def source_of(act: Act, document_id: str, part_id: str) -> Any:
    """Return the row of a document that may go to another part now.

    Raises:
        PreconditionMissingError, StaleError: If-Match.
        BadStateError: nobody has confirmed it, it lies there already, or a task that is not over rests on it.
    """
    row = act.tx.one(_SOURCE, document=document_id)
    if row is None:
        raise NotFoundError
    act.require_version(document_id, row.version)
    if row.state != CONFIRMED:
        raise BadStateError("Nobody has confirmed it yet. Confirm its label and sensitivity first, then move it.")
    if row.part_id == part_id:
        raise BadStateError("It lies in this part already.")
    if act.tx.one(_BUSY, document=document_id) is not None:
        raise BadStateError("A task that is not over rests on it. Accept or cancel that task first, then move it.")
    return row


def living(act: Act, document_id: str) -> list[Any]:
    """Return the rows of a document's revisions that still have keys, oldest first, as the door opens them."""
    return act.tx.all(_REVISIONS, document=document_id)

"""Beginning a document where it goes: its row, its revisions in their order, and their entries.

Whoever moved it has added it there: who added a revision first, and when, is kept with the revision, and told to those
alone who may see where it came from.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

from sqlalchemy import insert

from service import events
from service.acts import Act, keyed
from service.crypto.wrapping import wrap
from service.db.models import documents, moves, revisions
from service.door import revision_key_context
from service.grants import CONFIRMED
from service.moving.sealing import Sealed
from service.uploads.adding import NEWEST_NUMBER
from service.uploads.receiving import Place

_ADD_DOCUMENT: Final = insert(documents)
_ADD_REVISION: Final = insert(revisions)
_ADD_MOVE: Final = insert(moves)


def begin_there(
    act: Act, who: events.Who, move_id: str, row: Any, title: str, current: Place, carried: Sequence[Sealed]
) -> None:
    """Write the document that goes on.

    Args:
        who: the decision on the part, as its entries tell it.
        row: of `source_of`.
        current: the place of the revision that is its content.
        carried: all its revisions, oldest first.
    """
    number = act.tx.value(NEWEST_NUMBER, engagement=current.part.engagement_id) + 1
    act.tx.run(
        _ADD_DOCUMENT,
        id=current.document,
        firm_id=act.firm_id,
        engagement_id=current.part.engagement_id,
        part_id=current.part.id,
        matter_id=current.part.matter_id,
        number=number,
        label=row.label,
        sensitivity=row.sensitivity,
        state=CONFIRMED,
        title=act.seal(current.holder, "documents", "title", current.document, title),
        revision_id=current.revision,
        added_by=act.actor.membership_id,
        added_at=act.moment.s,
        version=1,
    )
    act.tx.run(
        _ADD_MOVE,
        id=move_id,
        firm_id=act.firm_id,
        from_document_id=row.id,
        to_document_id=current.document,
        moved_by=act.actor.membership_id,
        moved_at=act.moment.s,
    )
    payload = act.payload(current.holder, {"title": title, "from": row.id, "from_engagement": row.engagement_id})
    data = {"label": row.label, "sensitivity": row.sensitivity, "number": number, "revisions": len(carried)}
    act.drafts.append(events.document_brought(who, {**current.subjects, "move": move_id}, data, payload))
    for sealed in carried:
        _write_revision(act, who, sealed, current)


def _write_revision(act: Act, who: events.Who, sealed: Sealed, current: Place) -> None:
    """Write one revision: as it was but for its key, and with the entry that comes next as its receipt."""
    before, revision_id = sealed.before, sealed.place.revision
    random = act.services.random
    act.tx.run(
        _ADD_REVISION,
        id=revision_id,
        firm_id=act.firm_id,
        document_id=current.document,
        number=before.number,
        wrapped_key=wrap(
            keyed(act.services, current.part.key_id), sealed.key, revision_key_context(revision_id), random
        ),
        header=sealed.header,
        blob_id=sealed.place.blob,
        size_bytes=before.size_bytes,
        sha256=act.seal(current.holder, "revisions", "sha256", revision_id, sealed.sha256),
        media_type=before.media_type,
        condition=before.condition,
        pages=before.pages,
        hidden=before.hidden,
        added_by=before.added_by,
        added_at=before.added_at,
        log_index=act.tx.log_size + len(act.drafts),
        moved_from=before.id,
    )
    told = {"sha256": sealed.sha256, "from": before.id, "added_by": before.added_by, "added_at": str(before.added_at)}
    data = {
        "number": before.number,
        "bytes": before.size_bytes,
        "media_type": before.media_type,
        "condition": before.condition,
    }
    subjects = {**current.subjects, "revision": revision_id}
    payload = act.payload(current.holder, told)
    act.drafts.append(events.revision_brought(who, subjects, sealed.header, data, payload))

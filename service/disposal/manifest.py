"""The manifest: everything of an engagement that a disposal will destroy, and the digest that people agree to.

Canonical JSON of ids and counts, no names. It changes with every document, revision or part that is added, and an
approval given for another manifest falls.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass

from sqlalchemy import bindparam, or_, select

from service.db.models import documents, engagements, memberships, parts, revisions
from service.db.session import Tx

_ENGAGEMENT = select(engagements.c.id, engagements.c.key_id, engagements.c.number).where(
    engagements.c.id == bindparam("engagement")
)
_PARTS = (
    select(parts.c.id, parts.c.key_id, parts.c.matter_id, parts.c.field_key, parts.c.caption)
    .where(parts.c.engagement_id == bindparam("engagement"))
    .order_by(parts.c.id)
)
_REVISIONS = (
    select(
        revisions.c.id,
        revisions.c.document_id,
        revisions.c.blob_id,
        revisions.c.size_bytes,
        revisions.c.sha256,
        documents.c.state,
        documents.c.part_id,
        memberships.c.side,
        (documents.c.revision_id == revisions.c.id).label("is_current"),
    )
    .join_from(revisions, documents, documents.c.id == revisions.c.document_id)
    .join(memberships, memberships.c.id == revisions.c.added_by)
    .where(
        documents.c.engagement_id == bindparam("engagement"),
        # What was moved away has nothing left here, unless a hold kept it.
        or_(documents.c.state != "moved", revisions.c.wrapped_key != b""),
    )
    .order_by(revisions.c.id)
)
_MOVED_OUT = (
    select(documents.c.id)
    .where(documents.c.engagement_id == bindparam("engagement"), documents.c.state == "moved")
    .order_by(documents.c.id)
)


@dataclass(frozen=True, slots=True)
class Revision:
    """One sealed message that will be destroyed."""

    id: str
    document_id: str
    blob_id: str
    size_bytes: int
    sha256: bytes  # sealed under the part's field key
    state: str
    part_id: str
    side: str  # of whoever added it
    is_current: bool


@dataclass(frozen=True, slots=True)
class Part:
    """One matter part that will be destroyed."""

    id: str
    key_id: str
    matter_id: str
    field_key: bytes
    caption: bytes


@dataclass(frozen=True, slots=True)
class Manifest:
    """What a disposal destroys."""

    engagement_id: str
    number: str
    key_id: str
    parts: tuple[Part, ...]
    revisions: tuple[Revision, ...]

    @property
    def sha256(self) -> str:
        """Hex digest of the canonical JSON of all ids, what people agree to."""
        body = {
            "engagement": self.engagement_id,
            "keys": [self.key_id, *(part.key_id for part in self.parts)],
            "revisions": [[each.id, each.blob_id, each.state] for each in self.revisions],
        }
        return hashlib.sha256(json.dumps(body, sort_keys=True, separators=(",", ":")).encode()).hexdigest()

    @property
    def key_ids(self) -> tuple[str, ...]:
        """The key objects to destroy, parts first: an engagement's key opens its parts' keys."""
        return (*(part.key_id for part in self.parts), self.key_id)

    def only_copies(self) -> tuple[Revision, ...]:
        """What arrived here from the vendor's side and may exist nowhere else at the firm.

        A revision that was replaced is none: whoever replaced it has decided that the firm goes on with the other.
        """
        return tuple(
            each
            for each in self.revisions
            if each.side == "vendor" and each.is_current and each.state not in ("taken_back", "moved")
        )


def moved_out(tx: Tx, engagement_id: str) -> list[str]:
    """The ids that documents had here which went elsewhere: its end does not reach them there."""
    return [row.id for row in tx.all(_MOVED_OUT, engagement=engagement_id)]


def manifest_of(tx: Tx, engagement_id: str) -> Manifest:
    """Read the manifest as it stands in this transaction."""
    engagement = tx.one(_ENGAGEMENT, engagement=engagement_id)
    return Manifest(
        engagement_id,
        engagement.number,
        engagement.key_id,
        tuple(Part(*row) for row in tx.all(_PARTS, engagement=engagement_id)),
        tuple(Revision(*row) for row in tx.all(_REVISIONS, engagement=engagement_id)),
    )

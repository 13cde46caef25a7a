"""Who owns a key object, and what it wraps in rows: the statements of a rotation, one owner at a time.

| level | owner's row | wrapped in rows | hangs on |
|---|---|---|---|
| firm | the log, and the firm whose log it is | signing key, field key | root key |
| person | the person | field key | the firm's key |
| engagement | the engagement, while it runs | field key | root key |
| part | the part, while its engagement runs | field key; keys of revisions and upload pieces | the engagement's key |
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Final

from sqlalchemy import bindparam, literal, or_, select, update

from service.crypto.wrapping import Random, SecretKey, rewrap
from service.db.auditstore import each_log
from service.db.ids import is_id
from service.db.models import documents, engagements, firms, logs, parts, people, revisions, upload_pieces, uploads
from service.db.session import Tx
from service.door import field_key_context, piece_key_context, revision_key_context, signing_key_context
from service.firms import DEPLOYMENT

RUNNING: Final = "running"


class Level(StrEnum):
    """A kind of key object's owner, as the operator names it."""

    FIRM = "firm"
    PERSON = "person"
    ENGAGEMENT = "engagement"
    PART = "part"


BELOW: Final = {Level.FIRM: Level.PERSON, Level.ENGAGEMENT: Level.PART}
"""Whose keys hang on a level's keys, and so are rotated with them."""


@dataclass(frozen=True, slots=True)
class Owner:
    """An owner of a key object, as his row stands."""

    level: Level
    id: str
    log_id: str  # of the firm, or of the deployment
    key_id: str
    parent: str | None  # the key that his key must hang on; None: the root key
    engagement_id: str | None = None

    @property
    def kind(self) -> str:
        """The kind of his key object: the level, or the deployment's log."""
        return DEPLOYMENT if self._is_deployment else self.level.value

    @property
    def subjects(self) -> dict[str, str]:
        """The ids that an entry about him names."""
        named = {"log" if self._is_deployment else self.level.value: self.id}
        return {**named, **({"engagement": self.engagement_id} if self.engagement_id else {})}

    @property
    def _is_deployment(self) -> bool:
        return self.level is Level.FIRM and is_id(self.id, "log")


def _logs() -> Any:
    columns = (logs.c.id, logs.c.id.label("log_id"), logs.c.key_id, literal("").label("parent"))
    found = select(*columns, literal("").label("engagement_id")).join_from(
        logs, firms, firms.c.id == logs.c.id, isouter=True
    )
    # A firm's log without the firm is one that is being founded.
    return found.where(or_(logs.c.kind == DEPLOYMENT, firms.c.id.is_not(None)))


def _people() -> Any:
    columns = (people.c.id, people.c.firm_id.label("log_id"), people.c.key_id, firms.c.key_id.label("parent"))
    return select(*columns, literal("").label("engagement_id")).join_from(people, firms, firms.c.id == people.c.firm_id)


def _engagements() -> Any:
    columns = (engagements.c.id, engagements.c.firm_id.label("log_id"), engagements.c.key_id)
    found = select(*columns, literal("").label("parent"), engagements.c.id.label("engagement_id"))
    return found.where(engagements.c.status == RUNNING)


def _parts() -> Any:
    columns = (parts.c.id, parts.c.firm_id.label("log_id"), parts.c.key_id, engagements.c.key_id.label("parent"))
    found = select(*columns, parts.c.engagement_id).join_from(
        parts, engagements, engagements.c.id == parts.c.engagement_id
    )
    return found.where(engagements.c.status == RUNNING)


_TABLES: Final = {Level.FIRM: logs, Level.PERSON: people, Level.ENGAGEMENT: engagements, Level.PART: parts}
_FOUND: Final = {
    Level.FIRM: _logs(),
    Level.PERSON: _people(),
    Level.ENGAGEMENT: _engagements(),
    Level.PART: _parts(),
}
_LOG: Final = {level: logs.c.id if level is Level.FIRM else table.c.firm_id for level, table in _TABLES.items()}
_ALL: Final = {
    level: found.where(_LOG[level] == bindparam("log")).order_by(_TABLES[level].c.id) for level, found in _FOUND.items()
}
_ONE: Final = {level: found.where(_TABLES[level].c.id == bindparam("owner")) for level, found in _FOUND.items()}
# Where a field key stands; a log's row has none, and the firm has the log's id.
_HOLDERS: Final = {**_TABLES, Level.FIRM: firms}
_FIELD_KEY: Final = {
    level: select(table.c.field_key).where(table.c.id == bindparam("owner")) for level, table in _HOLDERS.items()
}
_MOVE: Final = {
    level: update(table)
    .where(table.c.id == bindparam("owner"), table.c.key_id == bindparam("old_key"))
    .values(key_id=bindparam("new_key"), field_key=bindparam("rewrapped"))
    for level, table in _HOLDERS.items()
}
_SIGNING_KEY: Final = select(logs.c.signing_key).where(logs.c.id == bindparam("owner"))
_MOVE_LOG: Final = (
    update(logs)
    .where(logs.c.id == bindparam("owner"), logs.c.key_id == bindparam("old_key"))
    .values(key_id=bindparam("new_key"), signing_key=bindparam("rewrapped"))
)
_REVISIONS: Final = (
    select(revisions.c.id, revisions.c.wrapped_key)
    .join_from(revisions, documents, documents.c.id == revisions.c.document_id)
    .where(documents.c.part_id == bindparam("owner"))
)
_REWRAP_REVISION: Final = (
    update(revisions).where(revisions.c.id == bindparam("revision")).values(wrapped_key=bindparam("rewrapped"))
)


_PIECES: Final = (
    select(upload_pieces.c.id, upload_pieces.c.wrapped_key)
    .join_from(upload_pieces, uploads, uploads.c.id == upload_pieces.c.upload_id)
    .where(uploads.c.part_id == bindparam("owner"))
)
_REWRAP_PIECE: Final = (
    update(upload_pieces).where(upload_pieces.c.id == bindparam("piece")).values(wrapped_key=bindparam("rewrapped"))
)


def all_of(tx: Tx, level: Level) -> Iterator[Owner]:
    """Every owner of a level, log by log, in the order of their ids."""
    for log in each_log(tx):
        for row in tx.all(_ALL[level], log=log.id):
            yield _owner(level, row)


def one(tx: Tx, level: Level, owner_id: str) -> Owner | None:
    """An owner as his row stands now; None where he is no more, or his engagement does not run."""
    row = tx.one(_ONE[level], owner=owner_id)
    return None if row is None else _owner(level, row)


def _owner(level: Level, row: Any) -> Owner:
    return Owner(level, row.id, row.log_id, row.key_id, row.parent or None, row.engagement_id or None)


def move(tx: Tx, owner: Owner, new_id: str, old: SecretKey, new: SecretKey, random: Random) -> int:
    """Rewrap all that the owner's key wraps in rows, and give him the new key. Returns how many keys were rewrapped.

    Raises:
        SealError: something is not wrapped by the old key; nothing may be committed.
    """
    names = {"owner": owner.id, "old_key": owner.key_id, "new_key": new_id}
    moved = 0
    if owner.level is Level.FIRM:
        wrapped = tx.value(_SIGNING_KEY, owner=owner.id)
        moved += tx.run(_MOVE_LOG, **names, rewrapped=rewrap(old, new, wrapped, signing_key_context(owner.id), random))
    field_key = tx.value(_FIELD_KEY[owner.level], owner=owner.id)
    if field_key is not None:
        rewrapped = rewrap(old, new, field_key, field_key_context(owner.id), random)
        moved += tx.run(_MOVE[owner.level], **names, rewrapped=rewrapped)
    if owner.level is Level.PART:
        for revision in tx.all(_REVISIONS, owner=owner.id):
            if revision.wrapped_key:  # a document that was destroyed has none
                context = revision_key_context(revision.id)
                rewrapped = rewrap(old, new, revision.wrapped_key, context, random)
                moved += tx.run(_REWRAP_REVISION, revision=revision.id, rewrapped=rewrapped)
        for piece in tx.all(_PIECES, owner=owner.id):
            rewrapped = rewrap(old, new, piece.wrapped_key, piece_key_context(piece.id), random)
            moved += tx.run(_REWRAP_PIECE, piece=piece.id, rewrapped=rewrapped)
    return moved

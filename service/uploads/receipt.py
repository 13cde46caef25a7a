"""The receipt that answers an upload, made of the rows as they stand and of its entry in the log."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from sqlalchemy import bindparam, select

from service.db.models import documents, log_entries, revisions
from service.services import Services

_RECEIPT = select(
    documents.c.id.label("document_id"),
    documents.c.number,
    documents.c.state,
    documents.c.version,
    revisions.c.id,
    revisions.c.size_bytes,
    revisions.c.media_type,
    revisions.c.condition,
    revisions.c.pages,
    revisions.c.added_at,
    revisions.c.log_index,
).join_from(documents, revisions, revisions.c.document_id == documents.c.id)
OF_DOCUMENT = _RECEIPT.where(documents.c.id == bindparam("document"), revisions.c.number == 1)
OF_REVISION = _RECEIPT.where(revisions.c.id == bindparam("revision"))
_LEAF = select(log_entries.c.leaf_hash).where(
    log_entries.c.log_id == bindparam("log"), log_entries.c.idx == bindparam("idx")
)


@dataclass(frozen=True, slots=True)
class Receipt:
    """What the adder can keep: enough to prove later that this file arrived, then, here."""

    document_id: str
    revision_id: str
    number: int
    state: str
    sha256: str
    size_bytes: int
    media_type: str
    condition: str
    pages: int | None
    received_at: int  # UTC seconds
    log_index: int
    leaf_hash: str  # hex
    version: int


def receipt_of(row: Any, sha256: str, leaf_hash: bytes) -> Receipt:
    """Make the receipt of a row of `OF_DOCUMENT` or `OF_REVISION`."""
    return Receipt(
        document_id=row.document_id,
        revision_id=row.id,
        number=row.number,
        # Whoever sends a file again learns what became of it then, and not that it was moved since.
        state="confirmed" if row.state == "moved" else row.state,
        sha256=sha256,
        size_bytes=row.size_bytes,
        media_type=row.media_type,
        condition=row.condition,
        pages=row.pages,
        received_at=row.added_at,
        log_index=row.log_index,
        leaf_hash=leaf_hash.hex(),
        version=row.version,
    )


def leaf_hash_of(services: Services, log_id: str, log_index: int) -> bytes:
    """Read the leaf hash of an entry that was written before."""
    with services.database.read(log_id) as tx:
        leaf_hash: bytes = tx.value(_LEAF, log=log_id, idx=log_index)
    return leaf_hash

"""Rows and blobs: bytes that are gone, and objects that no row names."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from sqlalchemy import select

from service.db.models import documents, revisions
from service.db.session import Tx
from service.doctor.findings import Finding, Severity

_BLOBS = (
    select(revisions.c.blob_id, revisions.c.id, documents.c.state)
    .join_from(revisions, documents, documents.c.id == revisions.c.document_id)
    .order_by(revisions.c.id)
)
_DISPOSING: Final = frozenset({"destroyed", "taken_back"})


def compare_blobs(tx: Tx, blobs: set[str]) -> Iterator[Finding]:
    """Compare the rows of revisions with the blobs that the store has."""
    rows = tx.all(_BLOBS)
    wanted = {row.blob_id for row in rows if row.state not in _DISPOSING}
    missing = tuple(row.id for row in rows if row.state not in _DISPOSING and row.blob_id not in blobs)
    if missing:
        yield Finding(Severity.BROKEN, "blob_missing", "Bytes of these revisions are gone: restore them.", missing)
    stray = tuple(sorted(blobs - wanted))
    if stray:
        yield Finding(
            Severity.WARNING, "blob_without_row", "Objects of uploads that were cut short: delete them.", stray
        )

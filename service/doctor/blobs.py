"""Rows and blobs: bytes that are gone, and objects that no living row names.

The store is listed before the rows are read, so that nothing committed in between looks like a stray; what is younger
than the grace time may be an upload whose row is still to come, and is passed over. Every table that has a column
``blob_id`` names blobs: a table that comes later cannot be forgotten here.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, Final

from sqlalchemy import bindparam, select

from service.blobs.store import BlobStore
from service.db.auditstore import each_log
from service.db.models import metadata, revisions
from service.db.session import Tx
from service.doctor.findings import Finding, Severity
from service.doctor.scratch import Said, Scratch
from service.errors import BlobMissingError

PAGE: Final = 1000  # rows fetched at a time

_REVISIONS: Final = (
    select(revisions.c.blob_id, revisions.c.id, revisions.c.wrapped_key)
    .where(revisions.c.firm_id == bindparam("firm"), revisions.c.id > bindparam("after"))
    .order_by(revisions.c.id)
    .limit(PAGE)
)
_OTHERS: Final = tuple(
    select(table.c.blob_id, table.c.id)
    .where(table.c.firm_id == bindparam("firm"), table.c.id > bindparam("after"))
    .order_by(table.c.id)
    .limit(PAGE)
    for table in metadata.sorted_tables
    if "blob_id" in table.c and table is not revisions
)
_BLOB: Final = "blob"
_NAMED: Final = 2**62  # in the place of its time: never old enough to be a stray


@dataclass(slots=True)
class Blobs:
    """What was found.

    Args:
        missing: revision to blob, where the store has none.
        stray: blobs that no row names.
        ended: blobs of revisions whose keys are destroyed.
        torn: pieces of files on their way, where the store has no such blob.
    """

    missing: dict[str, str] = field(default_factory=dict)
    stray: list[str] = field(default_factory=list)
    ended: list[str] = field(default_factory=list)
    torn: list[str] = field(default_factory=list)


async def listed(store: BlobStore, scratch: Scratch) -> None:
    """Note every blob that the store has."""
    async for info in store.list():
        scratch.add(_BLOB, Said(info.blob_id, "", {}, info.modified_at))


def compare_blobs(tx: Tx, scratch: Scratch, older_than: int) -> Blobs:
    """Compare rows with the blobs that were noted.

    Args:
        older_than: UTC seconds; younger blobs may be on their way.
    """
    found = Blobs()
    for row in _rows(tx, _REVISIONS):
        said = scratch.get(_BLOB, row.blob_id)
        if row.wrapped_key:  # where it is destroyed (taken back, replaced, disposed), the bytes must go too
            if said is None:
                found.missing[row.id] = row.blob_id
            scratch.change(_BLOB, row.blob_id, _NAMED)
        elif said is not None and said.entry <= older_than:
            found.ended.append(row.blob_id)
            scratch.change(_BLOB, row.blob_id, _NAMED)
    for statement in _OTHERS:
        for row in _rows(tx, statement):
            if scratch.get(_BLOB, row.blob_id) is None:
                found.torn.append(row.id)
            scratch.change(_BLOB, row.blob_id, _NAMED)
    found.stray.extend(said.id for said in scratch.rest(_BLOB) if said.entry <= older_than)
    return found


def named(tx: Tx) -> Iterator[str]:
    """Yield every blob that a living row names."""
    yield from (row.blob_id for row in _rows(tx, _REVISIONS) if row.wrapped_key)
    for statement in _OTHERS:
        yield from (row.blob_id for row in _rows(tx, statement))


def _rows(tx: Tx, statement: Any) -> Iterator[Any]:
    for log in each_log(tx):
        after = ""
        while rows := tx.all(statement, firm=log.id, after=after):
            yield from rows
            after = rows[-1].id


async def still_missing(store: BlobStore, found: Blobs) -> tuple[str, ...]:
    """Ask again for what the list did not have: it may have been committed after the list was made."""
    missing = []
    for revision_id, blob_id in found.missing.items():
        try:
            reader = await store.open(blob_id)
        except BlobMissingError:
            missing.append(revision_id)
        else:
            await reader.close()
    return tuple(missing)


def blob_findings(found: Blobs, missing: tuple[str, ...]) -> Iterator[Finding]:
    """Say what was found."""
    if missing:
        yield Finding(Severity.BROKEN, "blob_missing", "Bytes of these revisions are gone: restore them.", missing)
    if found.torn:
        sentence = "Pieces of files on their way are gone: what they belong to is sent again."
        yield Finding(Severity.WARNING, "piece_missing", sentence, tuple(found.torn))
    if found.stray:
        sentence = "Objects of uploads that were cut short: `muniment doctor --repair` deletes them."
        yield Finding(Severity.WARNING, "blob_without_row", sentence, tuple(found.stray))
    if found.ended:
        sentence = "Objects of revisions whose keys are destroyed: `muniment doctor --repair` deletes them."
        yield Finding(Severity.WARNING, "blob_of_ended", sentence, tuple(found.ended))

"""The log against itself: entries, head, tiles, checkpoints and anchors; and acts that nobody closed."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import Any, Final

from sqlalchemy import bindparam, select

from audit.checkpoint import parse
from audit.errors import AuditError
from audit.log import Signer, root_at
from service.checkpoints import anchor_name
from service.db.auditstore import SqlLeafStore, each_log
from service.db.models import disposals, log_checkpoints, log_entries, log_intents
from service.db.session import Tx
from service.doctor.findings import Finding, Severity
from service.services import Services

_COUNT = (
    select(log_entries.c.idx)
    .where(log_entries.c.log_id == bindparam("log"))
    .order_by(log_entries.c.idx.desc())
    .limit(1)
)
_NOTES = (
    select(log_checkpoints.c.size, log_checkpoints.c.note)
    .where(log_checkpoints.c.log_id == bindparam("log"))
    .order_by(log_checkpoints.c.size)
)
_INTENTS = (
    select(log_intents.c.log_id, log_intents.c.idx, log_entries.c.body)
    .join_from(
        log_intents,
        log_entries,
        (log_entries.c.log_id == log_intents.c.log_id) & (log_entries.c.idx == log_intents.c.idx),
    )
    .where(log_intents.c.log_id == bindparam("log"))
    .order_by(log_intents.c.idx)
)
_UNFINISHED = (
    select(disposals.c.id, disposals.c.state).where(disposals.c.firm_id == bindparam("log")).order_by(disposals.c.id)
)
_BETWEEN: Final = frozenset({"destroying", "keys_destroyed", "objects_deleted", "verified"})
_ADDING: Final = b'"type":"document.adding"'

UNBELIEVED: Final = frozenset({"log_broken", "log_head", "log_rewritten"})
"""Findings after which nothing that the entries say can be held against the rows."""


def examine_log(
    services: Services, tx: Tx, log: Any, follow: Callable[[Iterable[bytes]], Iterable[bytes]]
) -> Iterator[Finding]:
    """Recompute the log from its stored bytes, and compare every checkpoint, in the table and in the anchor folder.

    Args:
        follow: is given each stored entry once, in order, and passes it on.
    """
    newest = tx.value(_COUNT, log=log.id)
    if (-1 if newest is None else newest) + 1 != log.size:
        yield Finding(Severity.BROKEN, "log_head", "The log's head and its entries differ.", (log.id,))
        return
    notes = {row.size: row.note for row in tx.all(_NOTES, log=log.id)}
    anchored = dict(services.anchors.all(anchor_name(log.origin)))
    if max((*anchored, 0)) > log.size:
        sentence = "The anchors know more entries, so this is an older copy: `muniment restore --reconcile`."
        yield Finding(Severity.BROKEN, "log_rolled_back", sentence, (log.id,))
    if any(notes.get(size) != note for size, note in anchored.items()):
        yield Finding(
            Severity.BROKEN, "checkpoint_changed", "A checkpoint is not the one that was anchored.", (log.id,)
        )
    store, signer, done = SqlLeafStore(tx, log.id, log.size), Signer(log.id), 0
    try:
        for size in sorted({*notes, log.size}):
            signer = signer.advance(follow(store.entries(done, size)), root=root_at(store, size))
            done = size
            if size in notes and parse(notes[size]).root != signer.root():
                yield Finding(Severity.BROKEN, "log_rewritten", "Entries are not those that were signed.", (log.id,))
                return
    except AuditError:
        yield Finding(Severity.BROKEN, "log_broken", "The log does not recompute: export it and verify.", (log.id,))


def left_open(tx: Tx) -> Iterator[Finding]:
    """Acts that were announced and have no outcome yet, and disposals that stand between two steps."""
    rows = [row for log in each_log(tx) for row in tx.all(_INTENTS, log=log.id)]
    uploads = tuple(f"{row.log_id}:{row.idx}" for row in rows if _ADDING in row.body)
    others = tuple(f"{row.log_id}:{row.idx}" for row in rows if _ADDING not in row.body)
    if uploads:
        sentence = "Uploads that were announced and not closed: under way now, or closed at the next start."
        yield Finding(Severity.WARNING, "upload_unfinished", sentence, uploads)
    if others:
        sentence = "Acts were announced and not closed: under way now, or closed at the next start."
        yield Finding(Severity.WARNING, "intent_open", sentence, others)
    unfinished = tuple(
        row.id for log in each_log(tx) for row in tx.all(_UNFINISHED, log=log.id) if row.state in _BETWEEN
    )
    if unfinished:
        sentence = "Disposals past the point of no return: run them again, or start the service, which finishes them."
        yield Finding(Severity.WARNING, "disposal_unfinished", sentence, unfinished)

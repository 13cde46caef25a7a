"""The doctor: looks whether everything is whole, and names what is not. It changes nothing.

It compares rows with blobs, keys with owners, the log with its own entries, tiles, checkpoints and anchors, and the
rows that rules depend on with the events that made them: a grant that nobody granted is a forged row.

Findings name ids and say what to do; they never name titles or people.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from sqlalchemy import bindparam, select, union_all

from audit.checkpoint import parse
from audit.errors import AuditError
from audit.log import Signer, root_at
from service.db.auditstore import SqlLeafStore
from service.db.ids import new_id
from service.db.models import (
    FOREVER,
    engagements,
    firms,
    grants,
    log_checkpoints,
    log_entries,
    log_intents,
    logs,
    parts,
    people,
    revisions,
)
from service.db.session import Tx
from service.errors import BlobMissingError, KeyPlaceError, MunimentError
from service.events import EventType
from service.scoping.actions import Ability, words_of
from service.services import Services
from service.uploads import expiry


class Severity(StrEnum):
    """How bad a finding is."""

    BROKEN = "broken"  # a promise is not kept: stop and mend
    WARNING = "warning"  # something is left over, or soon in the way


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that is not as it should be."""

    severity: Severity
    code: str
    sentence: str
    ids: tuple[str, ...] = ()


# Of revisions whose key stands: where it is destroyed (taken back, replaced, disposed), the bytes must go too.
_BLOBS = select(revisions.c.blob_id, revisions.c.id).where(revisions.c.wrapped_key != b"").order_by(revisions.c.id)
_KEYS = union_all(
    select(logs.c.key_id, logs.c.id),
    select(firms.c.key_id, firms.c.id),
    select(people.c.key_id, people.c.id),
    select(engagements.c.key_id, engagements.c.id).where(engagements.c.status != "disposed"),
    select(parts.c.key_id, parts.c.id)
    .join_from(parts, engagements, engagements.c.id == parts.c.engagement_id)
    .where(engagements.c.status != "disposed"),
)
_LOGS = select(logs.c.id, logs.c.size)
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
_INTENTS = select(log_intents.c.log_id, log_intents.c.idx)
_GRANTS = select(
    grants.c.id,
    grants.c.membership_id,
    grants.c.document_id,
    grants.c.abilities,
    grants.c.not_before,
    grants.c.not_after,
    grants.c.revoked_at,
).where(grants.c.firm_id == bindparam("firm"))
_EVENTS = (
    select(log_entries.c.body)
    .where(log_entries.c.log_id == bindparam("log"), log_entries.c.engagement_id != "")
    .order_by(log_entries.c.idx)
)


async def ask_stores(services: Services) -> None:
    """Ask every key place and the blob store for something that is not there.

    Raises:
        KeyPlaceError, StoreUnavailableError: one of them does not answer.
    """
    nothing = new_id("key", 0, bytes)
    answers = await asyncio.to_thread(services.keys.exists, nothing)
    if None in answers.values():
        raise KeyPlaceError
    with suppress(BlobMissingError):
        await services.blobs.open(new_id("blb", 0, bytes))


async def examine(services: Services) -> list[Finding]:
    """Look at everything and return what is not as it should be; empty when all is well."""
    found: list[Finding] = []
    try:
        await ask_stores(services)
    except MunimentError as error:
        found.append(Finding(Severity.BROKEN, error.code, error.message))
        return found
    blobs = {info.blob_id async for info in services.blobs.list()}
    with services.database.read() as tx:
        found += _compare_blobs(tx, blobs)
        found += _compare_keys(services, tx)
        found += [finding for log in tx.all(_LOGS) for finding in _examine_log(services, tx, log)]
        found += _forged_grants(tx)
        found += _left_open(tx)
    return found


def _compare_blobs(tx: Tx, blobs: set[str]) -> Iterator[Finding]:
    rows = tx.all(_BLOBS)
    wanted = {row.blob_id for row in rows}
    missing = tuple(row.id for row in rows if row.blob_id not in blobs)
    if missing:
        yield Finding(Severity.BROKEN, "blob_missing", "Bytes of these revisions are gone: restore them.", missing)
    pieces = expiry.blobs_of_pieces(tx)
    wanted |= pieces.keys()
    torn = tuple(sorted({upload for blob, upload in pieces.items() if blob not in blobs}))
    if torn:
        yield Finding(Severity.WARNING, "piece_missing", "Pieces of these uploads are gone: begin them again.", torn)
    stray = tuple(sorted(blobs - wanted))
    if stray:
        sentence = "Objects of uploads that were cut short, or of revisions whose keys are destroyed: delete them."
        yield Finding(Severity.WARNING, "blob_without_row", sentence, stray)


def _compare_keys(services: Services, tx: Tx) -> Iterator[Finding]:
    owners = {row.key_id: row.id for row in tx.all(_KEYS)}
    lost, half = [], []
    for key_id, owner in owners.items():
        answers = services.keys.exists(key_id).values()
        if not any(answers):
            lost.append(owner)
        elif not all(answers):
            half.append(owner)
    if lost:
        yield Finding(Severity.BROKEN, "key_missing", "No key place holds the keys of these: restore one.", tuple(lost))
    if half:
        yield Finding(Severity.BROKEN, "key_place_behind", "A key place lacks keys of these: copy them.", tuple(half))
    stray = tuple(sorted(services.keys.all_ids() - owners.keys()))
    if stray:
        yield Finding(Severity.WARNING, "key_without_owner", "Keys that open nothing: delete them.", stray)


def _examine_log(services: Services, tx: Tx, log: Any) -> Iterator[Finding]:
    """Recompute the log from its stored bytes, and compare every checkpoint, in the table and in the anchor folder."""
    newest = tx.value(_COUNT, log=log.id)
    if (-1 if newest is None else newest) + 1 != log.size:
        yield Finding(Severity.BROKEN, "log_head", "The log's head and its entries differ.", (log.id,))
        return
    notes = {row.size: row.note for row in tx.all(_NOTES, log=log.id)}
    anchored = dict(services.anchors.all(log.id))
    if max((*anchored, 0)) > log.size:
        yield Finding(Severity.BROKEN, "log_rolled_back", "The anchors know more entries: an older copy.", (log.id,))
    if any(notes.get(size) != note for size, note in anchored.items()):
        yield Finding(
            Severity.BROKEN, "checkpoint_changed", "A checkpoint is not the one that was anchored.", (log.id,)
        )
    store, signer, done = SqlLeafStore(tx, log.id, log.size), Signer(log.id), 0
    try:
        for size in sorted({*notes, log.size}):
            signer = signer.advance(store.entries(done, size), root=root_at(store, size))
            done = size
            if size in notes and parse(notes[size]).root != signer.root():
                yield Finding(Severity.BROKEN, "log_rewritten", "Entries are not those that were signed.", (log.id,))
                return
    except AuditError:
        yield Finding(Severity.BROKEN, "log_broken", "The log does not recompute: export it and verify.", (log.id,))


def _forged_grants(tx: Tx) -> Iterator[Finding]:
    """Grants whose row is not what the log says was granted."""
    for log in tx.all(_LOGS):
        granted, revoked = {}, {}
        for row in tx.all(_EVENTS, log=log.id):
            entry = json.loads(row.body)
            if entry["type"] == EventType.GRANT_CREATED:
                granted[entry["subjects"]["grant"]] = entry
            elif entry["type"] == EventType.GRANT_REVOKED:
                revoked[entry["subjects"]["grant"]] = entry["data"]["revoked_at"]
        forged = tuple(
            row.id
            for row in tx.all(_GRANTS, firm=log.id)
            if row.revoked_at != revoked.get(row.id, FOREVER) or not _matches(row, granted.get(row.id))
        )
        if forged:
            yield Finding(Severity.BROKEN, "grant_forged", "Rows of grants that the log does not know.", forged)


def _matches(row: Any, entry: Any) -> bool:
    if entry is None:
        return False
    data, subjects = entry.get("data", {}), entry["subjects"]
    return bool(
        subjects.get("document") == row.document_id
        and subjects.get("membership") == row.membership_id
        and data.get("not_before") == row.not_before
        and data.get("not_after") == row.not_after
        and data.get("abilities") == list(words_of(Ability(row.abilities)))
    )


def _left_open(tx: Tx) -> Iterable[Finding]:
    rows = tx.all(_INTENTS)
    if rows:
        sentence = "Acts were announced and not closed: under way now, or closed at the next start."
        yield Finding(Severity.WARNING, "intent_open", sentence, tuple(f"{row.log_id}:{row.idx}" for row in rows))

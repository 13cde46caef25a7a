"""The log for those who may read it: entries, proofs, checkpoints, and bundles to take home.

A bundle is announced in the log before its first byte leaves (`export.made`), and a checkpoint that covers that entry
is signed first: so a bundle always ends with the record of its own making. It is read in pages, each a read of its own:
a client who takes his time holds no connection. Names in payloads are opened only where the
reader may see them: people's names for a reviewer; titles never.

The entries of one matter are read and proved too, and not exported: no chain runs through them, so nothing could show
that none is missing.

Source: docs/adr/0008-log.md, 0025-reviewing.md; audit/FORMAT.md.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from sqlalchemy import Select, bindparam, select

from audit import policy as policy_files
from audit.bundle import Export, OpenedPayload, engagement_bundle, log_bundle
from audit.entry import SALT_BYTES
from audit.log import Tree
from service import checkpoints
from service.acts import Act, Caller, perform
from service.db.auditstore import PAGE, PagedLeafStore, SqlLeafStore
from service.db.models import log_entries, logs, people
from service.db.session import Database
from service.door import Holder, NameReader
from service.errors import BadInputError, MunimentError, NotFoundError, UnavailableError
from service.events import EventType
from service.scoping.actions import Action
from service.scoping.authorised import Authorised
from service.scoping.decide import Subject
from service.services import Services

LOOKED_AT: Final = 2_000
"""How many entries of the log a page of one matter's is looked for in, at most: the log waits for no longer page."""
_SALT_HEX: Final = 2 * SALT_BYTES
_SIZE = select(logs.c.size).where(logs.c.id == bindparam("log"))
_ENTRIES = (
    select(log_entries.c.idx, log_entries.c.body)
    .where(log_entries.c.log_id == bindparam("log"), log_entries.c.idx >= bindparam("start"))
    .order_by(log_entries.c.idx)
    .limit(bindparam("most"))
)
_OWNER = select(log_entries.c.engagement_id).where(
    log_entries.c.log_id == bindparam("log"), log_entries.c.idx == bindparam("idx")
)
_BODY = select(log_entries.c.body).where(
    log_entries.c.log_id == bindparam("log"), log_entries.c.idx == bindparam("idx")
)
_OF_ENGAGEMENT = _ENTRIES.where(log_entries.c.engagement_id == bindparam("engagement"))
_PEOPLE_PAYLOADS = (
    select(
        log_entries.c.idx,
        log_entries.c.body,
        log_entries.c.payload,
        people.c.id,
        people.c.key_id,
        people.c.field_key,
    )
    .join_from(log_entries, people, people.c.id == log_entries.c.payload_holder)
    .where(
        log_entries.c.log_id == bindparam("log"),
        log_entries.c.idx >= bindparam("start"),
        log_entries.c.idx < bindparam("size"),
    )
    .order_by(log_entries.c.idx)
    .limit(bindparam("most"))
)


@dataclass(frozen=True, slots=True)
class Entries:
    """Some entries as written, and the log's size."""

    bodies: tuple[bytes, ...]
    next_index: int | None
    size: int


@dataclass(frozen=True, slots=True)
class Proof:
    """One entry, its inclusion proof, and the checkpoint that the proof leads to."""

    index: int
    entry: bytes
    hashes: tuple[bytes, ...]
    checkpoint: bytes


async def entries(
    services: Services, caller: Caller, start: int, most: int, engagement_id: str | None, matter_id: str | None = None
) -> Entries:
    """Read entries from an index on, of the whole log, of one engagement or of one matter.

    A page of a matter is looked for in `LOOKED_AT` entries: it may be empty and yet have a next one.

    Raises:
        BadInputError: both are named.
    """

    def change(act: Act) -> Entries:
        if matter_id is not None:
            return _entries_of_matter(act, start, most, matter_id)
        statement = _ENTRIES if engagement_id is None else _OF_ENGAGEMENT
        bound = {} if engagement_id is None else {"engagement": engagement_id}
        rows = act.tx.all(statement, log=act.firm_id, start=start, most=most + 1, **bound)
        following = rows[most].idx if len(rows) > most else None
        return Entries(tuple(row.body for row in rows[:most]), following, act.tx.log_size)

    done = await perform(services, caller, Action.AUDIT_READ, _subject(engagement_id, matter_id), change)
    found: Entries = done.result
    return found


def _entries_of_matter(act: Act, start: int, most: int, matter_id: str) -> Entries:
    """Pick the entries of a matter out of the next `LOOKED_AT` of the log."""
    rows = act.tx.all(_ENTRIES, log=act.firm_id, start=start, most=LOOKED_AT)
    found = [row for row in rows if _is_of_matter(row.body, matter_id)]
    following = rows[-1].idx + 1 if len(rows) == LOOKED_AT else None
    if len(found) > most:
        following = found[most].idx
    return Entries(tuple(row.body for row in found[:most]), following, act.tx.log_size)


def _is_of_matter(body: bytes, matter_id: str) -> bool:
    """Say whether an entry is of this matter: its text is only a hint, since a word of `data` could look the same."""
    if f'"matter":"{matter_id}"'.encode() not in body:
        return False
    told: bool = json.loads(body).get("subjects", {}).get("matter") == matter_id
    return told


def _subject(engagement_id: str | None, matter_id: str | None) -> Subject:
    if engagement_id is not None and matter_id is not None:
        raise BadInputError("matter_id: name an engagement or a matter, not both.", extra={"field": "matter_id"})
    return Subject(engagement=engagement_id, matter=matter_id)


async def checkpoint(
    services: Services, caller: Caller, engagement_id: str | None, matter_id: str | None = None
) -> bytes:
    """The newest checkpoint, signed now if entries came since the last one.

    Args:
        engagement_id: of whom the asker may read the log, where that is not the whole firm.
        matter_id: likewise.
    """
    subject = _subject(engagement_id, matter_id)
    await perform(services, caller, Action.AUDIT_CHECKPOINT, subject, lambda _act: None)
    newest = await checkpoints.sign_head(services, caller.credential.firm_id)
    if newest is None:
        raise NotFoundError
    return newest.note


async def proof(
    services: Services, caller: Caller, index: int, engagement_id: str | None, matter_id: str | None = None
) -> Proof:
    """Prove that one entry is in the log: any of the firm's, or one of an engagement or matter that the asker reads."""

    def change(act: Act) -> None:
        row = act.tx.one(_OWNER, log=act.firm_id, idx=index) if 0 <= index < act.tx.log_size else None
        if row is None or engagement_id not in (None, row.engagement_id):
            raise NotFoundError
        if matter_id is not None and not _is_of_matter(act.tx.value(_BODY, log=act.firm_id, idx=index), matter_id):
            raise NotFoundError

    await perform(services, caller, Action.AUDIT_PROVE, _subject(engagement_id, matter_id), change)
    log_id = caller.credential.firm_id
    newest = await checkpoints.sign_head(services, log_id)
    if newest is None:
        raise UnavailableError
    with services.database.read(log_id) as tx:
        store = SqlLeafStore(tx, log_id, newest.size)
        hashes = Tree(store).inclusion_proof(index, newest.size)
        body = next(store.entries(index, index + 1))
    return Proof(index, body, tuple(hashes), newest.note)


async def bundle(services: Services, caller: Caller, engagement_id: str | None) -> Iterator[bytes]:
    """Make a bundle of the whole log, or of one engagement, as a stream of pieces."""

    def change(act: Act) -> None:
        subjects = {} if engagement_id is None else {"engagement": engagement_id}
        act.record(EventType.EXPORT_MADE, subjects, {"kind": "log" if engagement_id is None else "engagement"})
        act.show(row.id for row in act.tx.all(_PEOPLE, firm=act.firm_id))

    done = await perform(services, caller, Action.AUDIT_EXPORT, Subject(engagement=engagement_id), change)
    newest = await checkpoints.sign_head(services, caller.credential.firm_id)
    if newest is None:
        raise UnavailableError
    return _stream(services, done.authorised, caller.credential.firm_id, newest, engagement_id)


_PEOPLE = select(people.c.id).where(people.c.firm_id == bindparam("firm"))


def _stream(
    services: Services, authorised: Authorised, log_id: str, newest: checkpoints.Newest, engagement_id: str | None
) -> Iterator[bytes]:
    database = services.database
    export = Export(
        store=PagedLeafStore(database, log_id, newest.size),
        log=log_id,
        checkpoint=newest.note,
        made_at=services.clock(),
        payloads=_people_payloads(services, authorised, log_id, newest.size) if engagement_id is None else (),
        policies=[policy_of(services.settings.policies)],
    )
    if engagement_id is None:
        yield from log_bundle(export)
    else:
        yield from engagement_bundle(
            export, engagement_id, _engagement_bodies(database, log_id, engagement_id, newest.size)
        )


def policy_of(folder: Path) -> Mapping[str, bytes]:
    """The files of the policy epoch in force, as bundles carry them."""
    return {name: (folder / name).read_bytes() for name in policy_files.FILES}


def _engagement_bodies(database: Database, log_id: str, engagement_id: str, size: int) -> Iterator[bytes]:
    for row in _paged(database, log_id, _OF_ENGAGEMENT, engagement=engagement_id):
        if row.idx >= size:
            return
        yield row.body


def _people_payloads(services: Services, authorised: Authorised, log_id: str, size: int) -> Iterator[OpenedPayload]:
    """The names of people, opened for a reviewer; one whose key is gone stays a commitment."""
    reader = NameReader(services.keys, authorised)
    for row in _paged(services.database, log_id, _PEOPLE_PAYLOADS, size=size):
        digest = json.loads(row.body)["payload"]
        holder = Holder(row.id, row.key_id, row.field_key)
        try:
            text = reader.open_payload(holder, digest, row.payload)
        except MunimentError:
            continue
        yield OpenedPayload(row.idx, bytes.fromhex(text[:_SALT_HEX]), text[_SALT_HEX:].encode())


def _paged(database: Database, log_id: str, statement: Select[Any], **params: Any) -> Iterator[Any]:
    """Read rows of a log in its order, a page a read: none is open while a page flows to the client."""
    start: int | None = 0
    while start is not None:
        with database.read(log_id) as tx:
            rows = tx.all(statement, log=log_id, start=start, most=PAGE, **params)
        yield from rows
        start = rows[-1].idx + 1 if rows else None

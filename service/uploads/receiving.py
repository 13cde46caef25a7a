"""Receiving: what adding and revising share, from the first byte of an announced body to its sealed object.

It decides nothing and writes no document: the use cases beside it do, before and after.
"""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from sqlalchemy import bindparam, insert, select

from service import events
from service.acts import Act, keyed
from service.blobs.store import BlobWriter
from service.crypto.contexts import message_context
from service.crypto.streams import HEADER_BYTES, Sealer
from service.crypto.wrapping import SecretKey, generate_key, wrap
from service.db.models import log_intents, parts, revisions
from service.db.session import Tx
from service.door import Holder, opened_key, revision_key_context
from service.errors import IncompleteBodyError, MunimentError, TooLargeError
from service.ledger import Draft, Moment, Outcome
from service.render.examine import Examination, Findings
from service.render.hidden import spell
from service.services import Services
from service.uploads.receipt import OF_REVISION, Receipt

PART = select(
    parts.c.id, parts.c.key_id, parts.c.field_key, parts.c.engagement_id, parts.c.matter_id, parts.c.firm_id
).where(parts.c.id == bindparam("part"), parts.c.firm_id == bindparam("firm"))
_ADD_REVISION = insert(revisions)
_OPEN_INTENT = select(log_intents.c.idx).where(
    log_intents.c.log_id == bindparam("log"), log_intents.c.idx == bindparam("idx")
)

NotKept = Callable[[events.Who, int, Mapping[str, str], str, int], Draft]
"""Makes the outcome of an intent whose body is not kept: who, intent, subjects, outcome, bytes received."""


@dataclass(frozen=True, slots=True)
class Body:
    """What a client says of the bytes he sends."""

    media_type: str  # as declared; what it is, is looked at
    size_bytes: int | None  # as announced


@dataclass(frozen=True, slots=True)
class Place:
    """Where an announced body goes."""

    document: str
    revision: str
    blob: str
    part: Any  # a row with id, key_id, field_key, engagement_id, matter_id and firm_id
    who: events.Who

    @property
    def subjects(self) -> dict[str, str]:
        """The ids that its entries name."""
        return {
            "document": self.document,
            "revision": self.revision,
            "part": self.part.id,
            "matter": self.part.matter_id,
        }

    @property
    def holder(self) -> Holder:
        """The matter part as the holder of a field key."""
        return Holder(self.part.id, self.part.key_id, self.part.field_key)


@dataclass(frozen=True, slots=True)
class Arrived:
    """A body that is whole and sealed."""

    size_bytes: int
    sha256: str  # hex, of the plaintext
    header: bytes
    key: SecretKey
    findings: Findings


def require_fit(services: Services, size_bytes: int | None) -> None:
    """Refuse a body that announces itself as too large, before a byte of it is asked for.

    Raises:
        TooLargeError: it does.
    """
    if size_bytes is not None and size_bytes > services.settings.max_upload_bytes:
        raise TooLargeError


async def take_in(
    services: Services,
    place: Place,
    intent: int,
    said: Body,
    pieces: AsyncIterator[bytes],
    keep: Callable[[Arrived], Awaitable[Receipt]],
    not_kept: NotKept,
) -> Receipt:
    """Receive an announced body and keep it; whatever goes wrong on the way, undo it and record that.

    Raises: what `keep` raises; `TooLargeError`, `IncompleteBodyError`, `StoreFullError`, `StoreUnavailableError`.
    """
    received = _Counter()
    try:
        return await keep(await _receive(services, place, said, received.count(pieces)))
    except BaseException as error:
        outcome = (
            "failed" if isinstance(error, MunimentError) and not isinstance(error, IncompleteBodyError) else "aborted"
        )
        draft = not_kept(place.who, intent, place.subjects, outcome, received.bytes)
        await _undo(services, place, intent, draft)
        raise


class _Counter:
    """Counts the bytes of a body as they arrive."""

    def __init__(self) -> None:
        self.bytes = 0

    async def count(self, pieces: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
        async for piece in pieces:
            self.bytes += len(piece)
            yield piece


async def _receive(services: Services, place: Place, said: Body, pieces: AsyncIterator[bytes]) -> Arrived:
    """Seal a body into its object, hash it, and look at what it is."""
    key = generate_key(services.random)
    await opened_key(services.keys, place.part.key_id)  # before a byte is taken: without it nothing could be kept
    sealer = Sealer(key, context_of(place))
    writer = await services.blobs.create(place.blob)
    async with Examination(services.probes) as examination:
        try:
            size, digest, header = await _seal(services, sealer, writer, examination, pieces)
            _require_whole(said, size)
            # What it is is found out while it is stored: the one waits for a disk, the other computes elsewhere.
            looking = asyncio.ensure_future(examination.result(said.media_type))
            try:
                await writer.commit()
            except BaseException:
                looking.cancel()
                await asyncio.wait([looking])
                raise
        except BaseException:
            await writer.abort()
            raise
        return Arrived(size, digest, header, key, await looking)


def _require_whole(said: Body, received: int) -> None:
    if said.size_bytes is not None and received != said.size_bytes:
        raise IncompleteBodyError


def context_of(place: Place) -> bytes:
    """What the sealed message of a revision is bound to."""
    part = place.part
    return message_context(part.firm_id, part.engagement_id, part.matter_id, place.document, place.revision, "original")


async def _seal(
    services: Services, sealer: Sealer, writer: BlobWriter, examination: Examination, pieces: AsyncIterator[bytes]
) -> tuple[int, str, bytes]:
    size, digest, header = 0, hashlib.sha256(), b""
    async for piece in pieces:
        size += len(piece)
        if size > services.settings.max_upload_bytes:
            raise TooLargeError
        digest.update(piece)
        sealed = sealer.update(piece)
        await examination.feed(piece)
        header = header or sealed[:HEADER_BYTES]
        await writer.write(sealed)
    sealed = sealer.finish()
    header = header or sealed[:HEADER_BYTES]
    await writer.write(sealed)
    return size, digest.hexdigest(), header


def as_it_is(act: Act, place: Place) -> Place:
    """Return the place with its part as it is now: the part's key may have been rotated while the body arrived."""
    return replace(place, part=act.tx.one(PART, part=place.part.id, firm=act.firm_id))


def write_revision(act: Act, place: Place, number: int, arrived: Arrived) -> None:
    """Write the row of what arrived; its receipt is the next entry of this act."""
    context = revision_key_context(place.revision)
    act.tx.run(
        _ADD_REVISION,
        id=place.revision,
        firm_id=act.firm_id,
        document_id=place.document,
        number=number,
        wrapped_key=wrap(keyed(act.services, place.part.key_id), arrived.key, context, act.services.random),
        header=arrived.header,
        blob_id=place.blob,
        size_bytes=arrived.size_bytes,
        sha256=act.seal(place.holder, "revisions", "sha256", place.revision, arrived.sha256),
        media_type=arrived.findings.media_type,
        condition=arrived.findings.condition,
        pages=arrived.findings.pages,
        hidden=None if arrived.findings.hidden is None else spell(arrived.findings.hidden),
        added_by=act.actor.membership_id,
        added_at=act.moment.s,
        log_index=act.tx.log_size,
        moved_from=None,
    )


async def _undo(services: Services, place: Place, intent: int, draft: Draft) -> None:
    """Close the intent and take the object away; both may be cut short by a crash, and both are found again.

    Closing an intent twice is refused by its row: a job whose commit succeeded although its answer was lost leaves no
    second outcome.
    """
    await asyncio.shield(_take_away(services, place, intent, draft))


async def _take_away(services: Services, place: Place, intent: int, draft: Draft) -> None:
    """Delete the object unless a row rests on it.

    Asked behind whatever of this upload is still waiting to be written, and behind the head's lock: a row that is not
    there then never will be. Where that cannot be asked the object stays, without a row: the doctor finds it.
    """
    log_id = place.part.firm_id

    def job(tx: Tx, _moment: Moment) -> Outcome[bool]:
        is_missing = tx.one(OF_REVISION, revision=place.revision) is None
        return Outcome(is_missing, unless_closed(tx, log_id, intent, draft))

    with contextlib.suppress(MunimentError):
        if (await services.ledger.submit(log_id, job)).result:
            await services.blobs.delete([place.blob])


def unless_closed(tx: Tx, log_id: str, intent: int, draft: Draft) -> tuple[Draft, ...]:
    """The outcome of an intent that is still open; nothing where it was closed already."""
    return (draft,) if tx.one(_OPEN_INTENT, log=log_id, idx=intent) is not None else ()

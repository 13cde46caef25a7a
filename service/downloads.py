"""Downloads: the bytes of a document, announced before the first and accounted for after the last.

Rules kept here:

* the intent ``document.opening`` is durable before the first plaintext byte leaves; the outcome says how many left,
  also when the client goes away (posted without waiting, so that a cancelled request cannot take it along);
* an open body asks before every piece of 256 KiB whether anybody's access ended since, and is decided again then, and
  each second in any case; no answer within 2 seconds stops it;
* it is stopped by breaking off, so that the client can tell that he has not got the whole;
* a part of a file is announced with its first and last byte, and opened alone; an answer without bytes (the headers,
  or that nothing has changed) is decided as a download is, and recorded as a read: it announces no bytes.

Source: docs/adr/0009-open-bodies.md; service/ranges.py (what a part is).
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncGenerator
from contextlib import aclosing
from dataclasses import dataclass
from typing import Any, Final, NamedTuple

from sqlalchemy import bindparam, select

from service import events, tokens
from service.acts import Act, Caller, perform
from service.brakes import pressing
from service.db.models import documents, parts, revisions
from service.db.session import Tx
from service.door import PIECE_BYTES, Holder, NameReader, open_content, open_range, read_content
from service.errors import AccessEndedError, MunimentError, NotFoundError, UnavailableError
from service.ledger import Moment, Opening, Outcome
from service.ranges import WHOLE, Span, Wanted
from service.scoping.actions import Action, Side
from service.scoping.answers import Kind, State
from service.scoping.decide import Authorised, Subject, decide
from service.services import Services

DECIDE_AGAIN_S: Final = 1.0
NO_NEWS_S: Final = 2.0

pause = asyncio.sleep

REVISION = (
    select(
        revisions.c.id,
        revisions.c.document_id,
        revisions.c.firm_id,
        revisions.c.wrapped_key,
        revisions.c.header,
        revisions.c.blob_id,
        revisions.c.size_bytes,
        revisions.c.sha256,
        revisions.c.media_type,
        revisions.c.condition,
        documents.c.engagement_id,
        documents.c.matter_id,
        documents.c.title,
        documents.c.version,
        parts.c.id.label("part_id"),
        parts.c.key_id.label("part_key_id"),
        parts.c.field_key.label("part_field_key"),
    )
    .join_from(revisions, documents, documents.c.revision_id == revisions.c.id)
    .join(parts, parts.c.id == documents.c.part_id)
    .where(documents.c.id == bindparam("document"))
)


@dataclass(frozen=True, slots=True)
class Description:
    """What can be said of a file without sending any of it.

    Args:
        title: None where the client has the file already, as it is.
        sha256: in hex, of the whole file; None where nobody asked for it.
    """

    revision: Any
    title: str | None
    sha256: str | None

    @property
    def etag(self) -> str:
        """The strong ETag of the bytes: a revision never changes."""
        return _etag(self.revision)


@dataclass(slots=True)
class Download:
    """An announced body. `pieces` must be run to its end or closed: either way the outcome is recorded once.

    A body of one piece may be had as a `whole` instead.
    """

    services: Services
    caller: Caller
    who: events.Who
    authorised: Authorised
    revision: Any
    intent: int
    opening: Opening | None = None  # what the brakes counted; None: nobody is braked here
    span: Span | None = None  # None: the whole file
    title: str = ""
    sha256: str | None = None  # in hex, of the whole file, where it is told
    sent_bytes: int = 0

    @property
    def etag(self) -> str:
        """The strong ETag of the bytes: a revision never changes."""
        return _etag(self.revision)

    @property
    def length_bytes(self) -> int:
        """How many bytes are announced."""
        size_bytes: int = self.revision.size_bytes
        return size_bytes if self.span is None else self.span.stop - self.span.start

    @property
    def is_one_piece(self) -> bool:
        """Whether the body leaves all at once."""
        return self.span is None and self.length_bytes < PIECE_BYTES

    async def whole(self) -> bytes:
        """Open a body of one piece; the caller sends it and posts the outcome.

        Raises:
            SealError, StoreUnavailableError, KeyMissingError: it cannot be opened; recorded as failed.
        """
        try:
            content = await read_content(self.services.keys, self.services.blobs, self.authorised, self.revision)
        except MunimentError:
            self.post_outcome("failed")
            raise
        self.sent_bytes = len(content)
        return content

    async def pieces(self) -> AsyncGenerator[bytes, None]:
        """Yield the plaintext; what was yielded counts as sent.

        Raises:
            AccessEndedError: access ended meanwhile.
            SealError, StoreUnavailableError, KeyMissingError: the rest cannot be opened.
        """
        outcome, watch = "aborted", Watch(self.services, self.caller, self.revision.document_id)
        try:
            async with aclosing(self._opened()) as content:
                async for piece in content:
                    await watch.still_allowed()
                    self.sent_bytes += len(piece)  # before it leaves: the record may say too much, never too little
                    yield piece
            outcome = "done"
        except AccessEndedError:
            raise
        except MunimentError:
            outcome = "failed"
            raise
        except GeneratorExit:
            # Closed after the last piece: the client has it all, whether or not he waited for the end.
            outcome = "done" if self.sent_bytes == self.length_bytes else outcome
            raise
        finally:
            self.post_outcome(outcome)

    def _opened(self) -> AsyncGenerator[bytes, None]:
        keys, blobs = self.services.keys, self.services.blobs
        if self.span is None:
            return open_content(keys, blobs, self.authorised, self.revision)
        return open_range(keys, blobs, self.authorised, self.revision, *self.span)

    def post_outcome(self, outcome: str) -> None:
        """Record how it ended, without waiting."""
        draft = events.document_opened(self.who, self.intent, self.revision.id, outcome, self.sent_bytes)
        opening, unsent = self.opening, self.length_bytes - self.sent_bytes

        def job(tx: Tx, _moment: Moment) -> Outcome[None]:
            if opening is not None and unsent > 0:
                pressing.give_back(tx, opening, unsent)
            return Outcome(None, (draft,))

        self.services.ledger.post(self.caller.credential.firm_id, job)

    async def wait(self, delay_s: float) -> None:
        """Let some time pass before the first byte, and see whether it may still leave then.

        Raises:
            AccessEndedError: it may not.
        """
        watch = Watch(self.services, self.caller, self.revision.document_id)
        try:
            await pause(delay_s)
            await watch.decide_again()
        except BaseException:  # also when the server stops meanwhile: it was announced
            self.post_outcome("aborted")
            raise


class _Announced(NamedTuple):
    """What the act leaves: of a body that may flow `who` is told, of what is only described it is not."""

    row: Any
    who: events.Who | None = None
    span: Span | None = None
    opening: Opening | None = None
    delay_s: float = 0.0
    refusal: MunimentError | None = None  # the brake held


async def open_document(
    services: Services, caller: Caller, document_id: str, wanted: Wanted = WHOLE
) -> Download | Description:
    """Decide, announce, and hand over a body that is ready to flow; or what is said in the place of bytes.

    Raises: what the policy answers; `RangeError`.
    """

    def change(act: Act) -> _Announced:
        row = act.tx.one(REVISION, document=document_id)
        if row is None:
            raise NotFoundError
        if _tells_digest(row, wanted):
            act.show([row.id])
        if wanted.no_bytes or wanted.is_unchanged(_etag(row)):
            return _Announced(row)
        span = wanted.span(_etag(row), row.size_bytes)
        pressed = pressing.press(act, row, row.size_bytes if span is None else span.stop - span.start)
        if pressed is not None and pressed.is_over:
            return _Announced(row, refusal=held_back(act))
        opening = None if pressed is None else pressed.opening
        act.drafts.append(events.document_opening(act.who, row.id, row.header, span, opening))
        return _Announced(row, act.who, span, opening, 0.0 if pressed is None else pressed.delay_s)

    done = await perform(services, caller, Action.DOCUMENT_DOWNLOAD, Subject(document=document_id), change)
    announced: _Announced = done.result
    row, who = announced.row, announced.who
    if announced.refusal is not None:
        raise announced.refusal
    reader = NameReader(services.keys, done.authorised)
    if who is None:
        return _described(reader, row, wanted)
    intent, span = done.recorded.indexes[0], announced.span
    download = Download(services, caller, who, done.authorised, row, intent, announced.opening, span)
    try:
        download.title = _title(reader, row)
        download.sha256 = _sha256(reader, row) if _tells_digest(row, wanted) else None
    except MunimentError:
        download.post_outcome("failed")  # announced, and no byte will leave
        raise
    if announced.delay_s:
        await download.wait(announced.delay_s)
    return download


def held_back(act: Act) -> MunimentError:
    """Record that the brake holds a body back; return what its member is answered."""
    answers = act.services.matrix.current.answers
    refusal = answers.reply(State.SUSPENDED, Kind.DOCUMENT, Side.VENDOR).raised()
    act.drafts.append(events.access_refused(act.who, refusal.code))
    return refusal


def _described(reader: NameReader, row: Any, wanted: Wanted) -> Description:
    if wanted.is_unchanged(_etag(row)):
        return Description(row, None, None)
    return Description(row, _title(reader, row), _sha256(reader, row))


def _tells_digest(row: Any, wanted: Wanted) -> bool:
    """Opening it costs a tenth of a small request, and nothing beside a large one."""
    return bool(row.size_bytes >= PIECE_BYTES) or wanted.no_bytes or wanted.wants_digest()


def _etag(row: Any) -> str:
    return f'"{row.id}"'


def _part(row: Any) -> Holder:
    return Holder(row.part_id, row.part_key_id, row.part_field_key)


def _title(reader: NameReader, row: Any) -> str:
    return reader.open(_part(row), "documents", "title", row.document_id, row.title)


def _sha256(reader: NameReader, row: Any) -> str:
    return reader.open(_part(row), "revisions", "sha256", row.id, row.sha256)


class Watch:
    """Asks again whether an open body may go on: whether its act is still allowed."""

    def __init__(
        self, services: Services, caller: Caller, document_id: str, action: Action = Action.DOCUMENT_DOWNLOAD
    ) -> None:
        self._services = services
        self._caller = caller
        self._document_id = document_id
        self._action = action
        self._endings = services.ledger.endings
        self._decided_at = time.monotonic()

    async def still_allowed(self) -> None:
        """Decide again where somebody's access ended since the last time, or a second has passed.

        Raises:
            AccessEndedError: it may not, or there was no answer in time.
        """
        endings, now = self._services.ledger.endings, time.monotonic()
        if endings == self._endings and now - self._decided_at < DECIDE_AGAIN_S:
            return
        await self.decide_again()

    async def decide_again(self) -> None:
        """Decide again now.

        Raises:
            AccessEndedError: it may not go on, or there was no answer in time.
        """
        endings, now = self._services.ledger.endings, time.monotonic()
        try:
            async with asyncio.timeout(NO_NEWS_S):
                await asyncio.to_thread(self._decide)
        except (TimeoutError, UnavailableError):
            raise AccessEndedError("No decision could be had in time, so nothing more is sent.") from None
        self._endings, self._decided_at = endings, now

    def _decide(self) -> None:
        services, moment = self._services, Moment(self._services.clock(), self._caller.address)
        with services.database.read(self._caller.credential.firm_id) as tx:
            try:
                actor = tokens.authenticate(tx, moment, self._caller.credential)
            except MunimentError:
                raise AccessEndedError from None
            subject = Subject(document=self._document_id)
            decision = decide(tx, services.matrix.current, moment, actor, self._action, subject)
        if decision.error is not None:
            raise AccessEndedError

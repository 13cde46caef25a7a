"""Texts: what can be read in a document, as plain text, for those who hold the ability `text`.

Rules kept here:

* a text leaves as the bytes do: announced before the first plaintext byte is opened, counted by the brakes, decided
  again while it flows, accounted for at its end;
* the document's bytes go through the one door into a process that can do nothing but compute, and only their text
  comes back (service/render/reading.py); neither is kept or cached, nor does any of it reach a log, a row or an error;
* a document without text is answered with a word why, and with what to do instead; never with an empty body.

Brakes count a text as its whole file when it is announced, and as what it was when it has left.

Source: docs/adr/0026-text-and-hidden-things.md; docs/adr/0009-open-bodies.md.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, Mapping
from contextlib import aclosing
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, Final, NamedTuple

from service import downloads, events
from service.acts import Act, Caller, perform
from service.brakes import pressing
from service.db.session import Tx
from service.door import PIECE_BYTES, open_content
from service.downloads import REVISION, Watch, held_back
from service.errors import AccessEndedError, MunimentError, NoTextError, NotFoundError, UnavailableError
from service.ledger import Moment, Opening, Outcome
from service.render.examine import MAX_EXAMINED_BYTES
from service.render.found import OCTETS, ZIP
from service.render.reading import BusyError, text_of
from service.render.texts import READ, TYPES
from service.scoping.actions import Action
from service.scoping.decide import Authorised, Subject
from service.services import Services

_INSTEAD: Final = "Download the file itself, or ask for the ability to."
_DETAILS: Final[Mapping[str, str]] = MappingProxyType(
    {
        "empty": "There is nothing to be read in it.",
        "failed": f"Its text could not be read in the time there is for it. {_INSTEAD}",
        "locked": "It asks for a password, which nobody told us. Ask its sender for a copy without one.",
        "scanned": f"Its pages are pictures, without a text behind them. {_INSTEAD}",
        "too_large": f"It is larger, or holds more text, than is read here. {_INSTEAD}",
        "type": f"This kind of file has no text that is read here. {_INSTEAD}",
        "unreadable": f"It is broken, or not what it claims to be. {_INSTEAD}",
    }
)
_TOLD: Final = frozenset({"empty", "locked", "unreadable"})  # conditions that are reasons
# What an examination that came to no end may have left: the bytes themselves are asked then.
_UNSURE: Final = frozenset({OCTETS, ZIP})


@dataclass(slots=True)
class TextBody:
    """An announced text, ready to flow. `pieces` must be run to its end or closed: either way the outcome is recorded.

    A body of one piece may be had as a `whole` instead.
    """

    announced: _Announcement
    watch: Watch
    text: bytes = b""
    sent_bytes: int = 0

    @property
    def length_bytes(self) -> int:
        """How many bytes it has."""
        return len(self.text)

    @property
    def is_one_piece(self) -> bool:
        """Whether the body leaves all at once."""
        return self.length_bytes < PIECE_BYTES

    async def whole(self) -> bytes:
        """Return a body of one piece; the caller sends it and posts the outcome."""
        self.sent_bytes = self.length_bytes
        return self.text

    async def pieces(self) -> AsyncGenerator[bytes, None]:
        """Yield the text; what was yielded counts as sent.

        Raises:
            AccessEndedError: access ended meanwhile.
        """
        outcome = "aborted"
        try:
            for start in range(0, self.length_bytes, PIECE_BYTES):
                await self.watch.still_allowed()
                piece = self.text[start : start + PIECE_BYTES]
                self.sent_bytes += len(piece)  # before it leaves: the record may say too much, never too little
                yield piece
            outcome = "done"
        except GeneratorExit:
            # Closed after the last piece: the client has it all, whether or not he waited for the end.
            outcome = "done" if self.sent_bytes == self.length_bytes else outcome
            raise
        finally:
            self.post_outcome(outcome)

    def post_outcome(self, outcome: str) -> None:
        """Record how it ended, without waiting."""
        self.announced.post_outcome(outcome, self.sent_bytes)


@dataclass(frozen=True, slots=True)
class _Announcement:
    """What stands in the log, and is still to be closed."""

    services: Services
    caller: Caller
    who: events.Who
    revision: Any
    intent: int
    opening: Opening | None

    def post_outcome(self, outcome: str, sent_bytes: int) -> None:
        draft = events.document_opened(self.who, self.intent, self.revision.id, outcome, sent_bytes)
        opening, unsent = self.opening, self.revision.size_bytes - sent_bytes

        def job(tx: Tx, _moment: Moment) -> Outcome[None]:
            if opening is not None and unsent:
                pressing.give_back(tx, opening, unsent)
            return Outcome(None, (draft,))

        self.services.ledger.post(self.caller.credential.firm_id, job)


class _Begun(NamedTuple):
    """What the act leaves."""

    row: Any
    who: events.Who
    opening: Opening | None
    delay_s: float
    refusal: MunimentError | None  # the brake held


async def open_text(services: Services, caller: Caller, document_id: str) -> TextBody:
    """Decide, announce, and hand over a text that is ready to flow.

    Raises: what the policy answers; `NoTextError`; `AccessEndedError`; `UnavailableError`: too many read at once;
        `SealError`, `StoreUnavailableError`, `KeyMissingError`: the file cannot be opened.
    """
    subject = Subject(document=document_id)
    done = await perform(services, caller, Action.DOCUMENT_TEXT, subject, lambda act: _announce(act, document_id))
    begun: _Begun = done.result
    if begun.refusal is not None:
        raise begun.refusal
    intent = done.recorded.indexes[0]
    announced = _Announcement(services, caller, begun.who, begun.row, intent, begun.opening)
    body = TextBody(announced, Watch(services, caller, document_id, Action.DOCUMENT_TEXT))
    outcome = "aborted"  # also when the server stops meanwhile, or the client's request is given up
    try:
        if begun.delay_s:
            await downloads.pause(begun.delay_s)
            await body.watch.decide_again()  # before the file is opened: much of it would be for nothing
        body.text = await _read(services, done.authorised, begun.row)
        await body.watch.still_allowed()
    except AccessEndedError:
        announced.post_outcome(outcome, 0)
        raise
    except MunimentError:
        announced.post_outcome("failed", 0)
        raise
    except BaseException:
        announced.post_outcome(outcome, 0)
        raise
    return body


def _announce(act: Act, document_id: str) -> _Begun:
    row = act.tx.one(REVISION, document=document_id)
    if row is None:
        raise NotFoundError
    _require_readable(row)
    pressed = pressing.press(act, row, row.size_bytes)
    if pressed is not None and pressed.is_over:
        return _Begun(row, act.who, None, 0.0, held_back(act))
    opening, delay_s = (None, 0.0) if pressed is None else (pressed.opening, pressed.delay_s)
    act.drafts.append(events.document_opening(act.who, row.id, row.header, None, opening))
    return _Begun(row, act.who, opening, delay_s, None)


def _require_readable(row: Any) -> None:
    """Refuse before anything is announced what is known to have no text.

    A file that was left unexamined is tried, where its bytes announced a kind that has text or none that we know.

    Raises:
        NoTextError: there is none.
    """
    if row.condition in _TOLD:
        raise _none(row.condition)
    is_open = row.condition == "unexamined" and row.media_type in _UNSURE
    if row.media_type not in TYPES and not is_open:
        raise _none("type")
    if row.size_bytes > MAX_EXAMINED_BYTES:
        raise _none("too_large")


async def _read(services: Services, authorised: Authorised, revision: Any) -> bytes:
    try:
        async with aclosing(open_content(services.keys, services.blobs, authorised, revision)) as content:
            found = await text_of(services.probes, content)
    except BusyError:
        raise UnavailableError("Others are reading long texts. Try again in a moment.") from None
    if found.word != READ:
        raise _none(found.word)
    return found.text


def _none(reason: str) -> NoTextError:
    return NoTextError(_DETAILS[reason], extra={"reason": reason})

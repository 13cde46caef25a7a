"""The rules that hold from one entry to the next, as a state machine without input or output.

`Follower.follow` is given the entries one after another and raises at the first that breaks a rule:

* its bytes are an entry in its one encoding, of this log, at its place; its time is not before that of the last one;
* with an engagement among its subjects it is the next link of that engagement's chain;
* a payload shown for it is the one it commits to.

What it cannot know is whether the entries are the ones that were signed; verify.py hashes them into the tree for that.
Memory grows with the number of engagements, of open intents, of policy epochs and of overlays, not with the number of
entries.

Source: FORMAT.md, sections 1, 3 and 4.
"""

from __future__ import annotations

import json
from binascii import hexlify
from collections.abc import Iterable
from dataclasses import dataclass
from hashlib import sha256
from typing import Final

from audit.bundle import OpenedPayload
from audit.entry import FIRST_PREVIOUS, Scanner, commitment
from audit.errors import AuditError, ChainError, EntryError, PayloadError, SequenceError
from audit.merkle import LEAF_PREFIX

_SHOWN_BYTES: Final = 4096  # of an entry, as evidence
_OVERLAY: Final = b'"type":"overlay.changed","v":1}'


_Link = tuple[
    int, bytes, int
]  # number the next entry of an engagement must have, leaf hash it must cite, index of that
_FIRST: Final[_Link] = (0, FIRST_PREVIOUS.encode(), -1)


@dataclass(frozen=True, slots=True)
class PolicyUse:
    """How often entries cite one policy epoch."""

    entries: int
    first_index: int


class Follower:
    """Follows the entries of a whole log, or those of one engagement.

    Args:
        log: log id that every entry must have.
        engagement: follow this one's entries only, which may have others between them; ``None`` for a whole log.
        payloads: opened payloads, by ascending index.
    """

    def __init__(self, log: str, engagement: str | None = None, payloads: Iterable[OpenedPayload] = ()) -> None:
        self.next_index = 0  # for a whole log: of the entry that must follow
        self.entries = 0
        self.first_time: int | None = None
        self.last_time = 0
        self.last_entry = b""
        self.payloads_shown = 0
        self.payloads_withheld = 0
        self.open_intents: dict[int, None] = {}
        self.stray_outcomes = 0
        self._log = log.encode()
        self._engagement = None if engagement is None else engagement.encode()
        self._scan = Scanner().scan_tuple
        self._policies: dict[bytes, list[int]] = {}  # epoch to number of entries and first index
        self.overlays: dict[tuple[str, ...], None] = {}  # rows of every overlay that an entry set
        self._chains: dict[bytes, _Link] = {}
        self._payloads = iter(payloads)
        self._payload = next(self._payloads, None)

    @property
    def policies(self) -> dict[str, PolicyUse]:
        """How entries cite policy epochs, in the order of their first use."""
        return {epoch.decode(): PolicyUse(*use) for epoch, use in self._policies.items()}

    @property
    def engagements(self) -> int:
        """Number of engagements whose chains were followed."""
        return len(self._chains)

    def follow(self, body: bytes) -> bytes:
        """Take the next entry. This runs once for each entry of a log, so its frequent path calls little.

        Returns:
            Its leaf hash, 32 bytes.

        Raises:
            EntryError, SequenceError, ChainError, PayloadError: with the index of the first entry that is wrong, and
                the entry as evidence.
        """
        try:
            at, time, log, engagement, eseq, eprev, payload, policy, announces, closes = self._scan(body)
            in_place = at == self.next_index if self._engagement is None else at >= self.next_index
            if not in_place or time < self.last_time or log != self._log:
                self._refuse_place(at, time, log)
            leaf = sha256(LEAF_PREFIX + body).digest()
            if engagement is not None:
                link = self._chains.get(engagement, _FIRST)
                if eseq != link[0] or eprev != link[1] or self._engagement not in {None, engagement}:
                    self._refuse_link(at, engagement, eseq, eprev, link)
                self._chains[engagement] = (eseq + 1, hexlify(leaf), at)
            elif self._engagement is not None:
                self._refuse_engagement(at)
            if payload is not None or self._payload is not None:
                self._follow_payload(at, payload)
        except AuditError as error:
            if isinstance(error, EntryError):
                error.index = self.next_index
            error.evidence.setdefault("entry", ascii(body[:_SHOWN_BYTES].decode(errors="replace")))
            raise
        self.last_time, self.last_entry, self.next_index = time, body, at + 1
        self._note(at, policy, closes, announces=announces)
        if body.endswith(_OVERLAY):
            self._note_overlay(body)
        return leaf

    def finish(self) -> None:
        """Say that no entry follows.

        Raises:
            PayloadError: a payload was shown for an entry that is not here.
        """
        if self._payload is not None:
            raise PayloadError("a payload is shown for an entry that is not here", index=self._payload.index)

    def _refuse_place(self, at: int, time: int, log: bytes) -> None:
        evidence: dict[str, str | int] = {"index": at, "expected_index": self.next_index, "log": log.decode()}
        evidence |= {"time": time, "time_before": self.last_time}
        if log != self._log:
            raise SequenceError("the entry is of another log", index=self.next_index, evidence=evidence)
        if time < self.last_time:
            raise SequenceError("the entry's time is before that of the entry before it", index=at, evidence=evidence)
        message = "the entry is not at its place: one was left out, put in, doubled or moved"
        raise SequenceError(message, index=self.next_index, evidence=evidence)

    @staticmethod
    def _refuse_engagement(at: int) -> None:
        raise SequenceError("the entry is not of the bundle's engagement", index=at)

    def _refuse_link(self, at: int, engagement: bytes, eseq: int, eprev: bytes | None, link: _Link) -> None:
        if self._engagement not in {None, engagement}:
            self._refuse_engagement(at)
        evidence: dict[str, str | int] = {"eseq": eseq, "expected_eseq": link[0], "expected_eprev": link[1].decode()}
        evidence["eprev"] = (eprev or b"").decode()
        if link is _FIRST or eseq != link[0]:
            message = "the entry is not the next of its engagement: one was left out, put in, doubled or moved"
            raise ChainError(message, index=at, evidence=evidence)
        # The number fits and the hash does not: the earlier one was changed after the later was written, or the later
        # one cites what never was. The earlier one comes first.
        message = f"entry {at} cites another entry {link[2]} of its engagement than the one that is here"
        raise ChainError(message, index=link[2], evidence=evidence | {"cited_by": at})

    def _follow_payload(self, at: int, committed: bytes | None) -> None:
        opened = self._payload
        if opened is not None and opened.index < at:
            raise PayloadError("a payload is shown for an entry that is not here", index=opened.index)
        if opened is None or opened.index != at:
            self.payloads_withheld += committed is not None
            return
        computed = commitment(opened.salt, opened.payload).hex().encode()
        if computed != committed:
            evidence = {"commitment": (committed or b"none").decode(), "computed": computed.decode()}
            raise PayloadError("the payload is not the one that the entry commits to", index=at, evidence=evidence)
        self.payloads_shown += 1
        self._payload = next(self._payloads, None)

    def _note_overlay(self, body: bytes) -> None:
        """Keep the rows of an overlay: epochs are computed with them. One of another shape sets none."""
        rows = json.loads(body).get("data", {}).get("rows")
        if isinstance(rows, list):
            self.overlays[tuple(rows)] = None

    def _note(self, at: int, policy: bytes | None, closes: int | None, *, announces: bool) -> None:
        """Count what breaks no rule."""
        if not self.entries:
            self.first_time = self.last_time
        self.entries += 1
        if policy is not None:
            if policy not in self._policies:
                self._policies[policy] = [0, at]
            self._policies[policy][0] += 1
        if announces:
            self.open_intents[at] = None
        if closes is None:
            return
        if closes in self.open_intents:
            del self.open_intents[closes]
        else:
            self.stray_outcomes += 1

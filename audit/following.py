"""The rules that hold from one entry to the next, as a state machine without input or output.

`Follower.follow` is given the entries one after another and raises at the first that breaks a rule:

* its bytes are an entry in its one encoding, of this log, at its place; its time is not before that of the last one;
* with an engagement among its subjects it is the next link of that engagement's chain;
* a payload shown for it is the one it commits to.

What it cannot know is whether the entries are the ones that were signed; verify.py hashes them into the tree for that.
Memory grows with the number of engagements, of open intents and of policy epochs, not with the number of entries.

Source: FORMAT.md, sections 1, 3 and 4.
"""

from __future__ import annotations

from binascii import hexlify
from collections.abc import Iterable
from dataclasses import dataclass
from hashlib import sha256
from typing import Final, NamedTuple

from audit.bundle import OpenedPayload
from audit.entry import FIRST_PREVIOUS, Scan, Scanner, commitment
from audit.errors import AuditError, ChainError, EntryError, PayloadError, SequenceError
from audit.merkle import LEAF_PREFIX

_SHOWN_BYTES: Final = 4096  # of an entry, as evidence


class _Link(NamedTuple):
    """The last entry of an engagement's chain so far."""

    eseq: int
    leaf: bytes  # hex
    at: int


@dataclass(slots=True)
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
        self.policies: dict[str, PolicyUse] = {}
        self.open_intents: dict[int, None] = {}
        self.stray_outcomes = 0
        self._log = log.encode()
        self._engagement = None if engagement is None else engagement.encode()
        self._scanner = Scanner()
        self._chains: dict[bytes, _Link] = {}
        self._payloads = iter(payloads)
        self._payload = next(self._payloads, None)

    @property
    def engagements(self) -> int:
        """Number of engagements whose chains were followed."""
        return len(self._chains)

    def follow(self, body: bytes) -> bytes:
        """Take the next entry.

        Returns:
            Its leaf hash, 32 bytes.

        Raises:
            EntryError, SequenceError, ChainError, PayloadError: with the index of the first entry that is wrong, and
                the entry as evidence.
        """
        try:
            return self._follow(body)
        except AuditError as error:
            if isinstance(error, EntryError):
                error.index = self.next_index
            error.evidence.setdefault("entry", ascii(body[:_SHOWN_BYTES].decode(errors="replace")))
            raise

    def finish(self) -> None:
        """Say that no entry follows.

        Raises:
            PayloadError: a payload was shown for an entry that is not here.
        """
        if self._payload is not None:
            raise PayloadError("a payload is shown for an entry that is not here", index=self._payload.index)

    def _follow(self, body: bytes) -> bytes:
        scan = self._scanner.scan(body)
        at, time = scan.at, scan.time
        in_place = at == self.next_index if self._engagement is None else at >= self.next_index
        if not in_place or time < self.last_time or scan.log != self._log:
            self._refuse_place(scan)
        # merkle.leaf_hash, without the call: this line runs once for each entry of a log.
        leaf = sha256(LEAF_PREFIX + body).digest()
        if scan.engagement is not None:
            self._follow_chain(scan, scan.engagement, leaf)
        elif self._engagement is not None:
            raise SequenceError("the entry is not of the bundle's engagement", index=at)
        if scan.payload is not None or self._payload is not None:
            self._follow_payload(scan)
        if scan.policy is not None:
            self._note_policy(scan.policy.decode(), at)
        if scan.announces:
            self.open_intents[at] = None
        if scan.closes is not None:
            self._close(scan.closes)
        if self.first_time is None:
            self.first_time = time
        self.last_time, self.last_entry, self.next_index = time, body, at + 1
        self.entries += 1
        return leaf

    def _refuse_place(self, scan: Scan) -> None:
        evidence: dict[str, str | int] = {"index": scan.at, "expected_index": self.next_index}
        evidence |= {"time": scan.time, "time_before": self.last_time, "log": scan.log.decode()}
        if scan.log != self._log:
            raise SequenceError("the entry is of another log", index=self.next_index, evidence=evidence)
        if scan.time < self.last_time:
            raise SequenceError(
                "the entry's time is before that of the entry before it", index=scan.at, evidence=evidence
            )
        message = "the entry is not at its place: one was left out, put in, doubled or moved"
        raise SequenceError(message, index=self.next_index, evidence=evidence)

    def _follow_chain(self, scan: Scan, engagement: bytes, leaf: bytes) -> None:
        if self._engagement is not None and engagement != self._engagement:
            raise SequenceError("the entry is not of the bundle's engagement", index=scan.at)
        last = self._chains.get(engagement)
        eseq, eprev = (0, FIRST_PREVIOUS.encode()) if last is None else (last.eseq + 1, last.leaf)
        if scan.eseq != eseq or scan.eprev != eprev:
            self._refuse_link(scan, eseq, eprev, last)
        self._chains[engagement] = _Link(eseq, hexlify(leaf), scan.at)

    @staticmethod
    def _refuse_link(scan: Scan, eseq: int, eprev: bytes, last: _Link | None) -> None:
        evidence: dict[str, str | int] = {"eseq": scan.eseq, "expected_eseq": eseq, "expected_eprev": eprev.decode()}
        evidence["eprev"] = (scan.eprev or b"").decode()
        if last is None or scan.eseq != eseq:
            message = "the entry is not the next of its engagement: one was left out, put in, doubled or moved"
            raise ChainError(message, index=scan.at, evidence=evidence)
        # The number fits and the hash does not: the earlier one was changed after the later was written, or the later
        # one cites what never was. The earlier one comes first.
        message = f"entry {scan.at} cites another entry {last.at} of its engagement than the one that is here"
        raise ChainError(message, index=last.at, evidence=evidence | {"cited_by": scan.at})

    def _follow_payload(self, scan: Scan) -> None:
        opened = self._payload
        if opened is not None and opened.index < scan.at:
            raise PayloadError("a payload is shown for an entry that is not here", index=opened.index)
        if opened is None or opened.index != scan.at:
            self.payloads_withheld += scan.payload is not None
            return
        computed = commitment(opened.salt, opened.payload).hex().encode()
        if computed != scan.payload:
            evidence = {"commitment": (scan.payload or b"none").decode(), "computed": computed.decode()}
            raise PayloadError("the payload is not the one that the entry commits to", index=scan.at, evidence=evidence)
        self.payloads_shown += 1
        self._payload = next(self._payloads, None)

    def _note_policy(self, epoch: str, at: int) -> None:
        use = self.policies.get(epoch)
        if use is None:
            self.policies[epoch] = PolicyUse(1, at)
        else:
            use.entries += 1

    def _close(self, intent: int) -> None:
        if intent in self.open_intents:
            del self.open_intents[intent]
        else:
            self.stray_outcomes += 1

"""The offline verifier: a bundle in, a report or an error with evidence out.

>>> report = verify_bundle("log.zip", key="firm.example/log+1a2b3c4d+AQ…")      # doctest: +SKIP
>>> report.exit_code                                                            # doctest: +SKIP
0

Rules kept here:

* nothing is believed: every word of the manifest is compared with the content, every entry is hashed, the head is the
  one that was signed, or nothing is said about origin;
* the first thing that is wrong is named, with its index where there is one. Entries come before the damage that a
  changed byte does to a checksum;
* nothing is claimed beyond what was checked. The report lists what was not, and what no bundle can show.

It reads files and prints nothing (__main__.py does). The rules between entries are in following.py.

Source: FORMAT.md, section 9; RFC 6962; C2SP tlog-checkpoint.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import zip_longest
from pathlib import Path

from audit import merkle
from audit import policy as policies
from audit.archive import Reader
from audit.bundle import LOG
from audit.checkpoint import Checkpoint, parse, verify
from audit.errors import (
    CountError,
    LeafError,
    OriginError,
    PolicyError,
    ProofError,
    RewrittenError,
    RootError,
    TruncatedError,
)
from audit.following import Follower
from audit.merkle import BATCH, HASH_BYTES, Frontier
from audit.reading import ENTRY_LINE_BYTES, Bundle
from audit.report import Report, report


def verify_bundle(
    path: str | Path,
    key: str | None = None,
    checkpoint: bytes | None = None,
    policy: Sequence[Mapping[str, bytes]] = (),
) -> Report:
    """Verify a bundle.

    Args:
        path: the bundle's file.
        key: the log's verifier key, got from elsewhere than the bundle.
        checkpoint: a checkpoint of the log from another day, as a signed note.
        policy: the files of policy epochs known to have been in force.

    Returns:
        A report; its exit code says whether the origin is established.

    Raises:
        UnusableError: not a bundle, a damaged container, an unusable key: nothing can be said.
        AuditError: broken. `index` is the first bad index where there is one, `evidence` what was compared.
    """
    with Bundle(path) as bundle:
        head, kept = _heads(bundle, key, checkpoint)
        follower = Follower(bundle.manifest.log, bundle.manifest.engagement, bundle.payloads())
        if bundle.manifest.kind == LOG:
            _verify_log(bundle, head, kept, follower)
        else:
            _verify_engagement(bundle, head, follower)
        follower.finish()
        _require_counts(bundle, follower)
        shown = _policies_shown(bundle, follower, policy)
        return report(bundle.manifest, head, kept, follower, shown, has_key=key is not None)


# Heads ----------------------------------------------------------------------------------------------------------------


def _heads(bundle: Bundle, key: str | None, kept_note: bytes | None) -> tuple[Checkpoint, Checkpoint | None]:
    """Read the bundle's checkpoint and the kept one, and compare what can be compared without the entries."""
    head = parse(bundle.checkpoint) if key is None else verify(bundle.checkpoint, key)
    manifest = bundle.manifest
    evidence: dict[str, str | int] = {"checkpoint": bundle.checkpoint.decode()}
    if manifest.origin != head.origin:
        raise OriginError("the manifest names another log than the checkpoint", evidence=evidence)
    if manifest.size != head.size:
        said = evidence | {"manifest_size": manifest.size}
        raise CountError("the manifest says another size than the checkpoint", evidence=said)
    if kept_note is None:
        return head, None
    kept = parse(kept_note) if key is None else verify(kept_note, key)
    evidence["kept_checkpoint"] = kept_note.decode()
    if kept.origin != head.origin:
        raise OriginError("the bundle is of another log than the checkpoint that was kept", evidence=evidence)
    if kept.size == head.size and kept.root != head.root:
        raise RewrittenError(
            "two checkpoints of one size have different roots: the log was rewritten or forked", evidence=evidence
        )
    if kept.size > head.size and manifest.kind == LOG:
        missing = f"entries {head.size} to {kept.size - 1} are missing: truncated below the checkpoint that was kept"
        raise TruncatedError(missing, index=head.size, evidence=evidence)
    return head, kept


# A whole log ----------------------------------------------------------------------------------------------------------


def _verify_log(bundle: Bundle, head: Checkpoint, kept: Checkpoint | None, follower: Follower) -> None:
    leaves = bundle.leaves()
    fold = _Fold(leaves, kept)
    try:
        _follow_log(bundle.entries(), head, follower, fold)
    except LeafError as error:
        error.evidence["which"] = _which_was_changed(bundle, head)
        raise
    if leaves.size != head.size * HASH_BYTES:
        message = "there are more leaf hashes than the checkpoint covers"
        raise CountError(message, index=head.size, evidence={"bytes": leaves.size, "size": head.size})
    fold.require_roots(head)
    leaves.require_intact()


def _follow_log(entries: Reader, head: Checkpoint, follower: Follower, fold: _Fold) -> None:
    try:
        for page in entries.lines(ENTRY_LINE_BYTES):
            expected = page[: head.size - follower.next_index]
            fold.bodies += expected
            for body in expected:
                fold.hashes.append(follower.follow(body))
            if len(page) > len(expected):
                message = "there are more entries than the checkpoint covers"
                raise CountError(message, index=head.size, evidence={"size": head.size})
            fold.settle(len(fold.hashes) // BATCH * BATCH)
        if follower.next_index < head.size:
            message = f"entries from {follower.next_index} on are missing: the checkpoint covers {head.size}"
            raise CountError(message, index=follower.next_index, evidence={"size": head.size})
    finally:
        # Also after an error: an earlier entry may have been changed without breaking a rule, and the first is named.
        fold.settle(len(fold.hashes))
    entries.require_intact()


class _Fold:
    """Folds leaf hashes into the tree, beside the list that the log had stored."""

    def __init__(self, leaves: Reader, kept: Checkpoint | None) -> None:
        self.hashes: list[bytes] = []  # of the entries followed and not settled
        self.bodies: list[bytes] = []  # their entries, and perhaps some that were not followed yet
        self._leaves = leaves
        self._kept = kept
        self._kept_root: bytes | None = None  # of the first entries, as many as the kept checkpoint covers
        self._frontier = Frontier()

    def settle(self, count: int) -> None:
        """Compare and fold the first ``count`` hashes."""
        hashes, self.hashes = self.hashes[:count], self.hashes[count:]
        bodies, self.bodies = self.bodies[:count], self.bodies[count:]
        listed = self._leaves.read(count * HASH_BYTES)
        if listed != b"".join(hashes):
            self._refuse(hashes, bodies, listed)
        if self._kept is not None and 0 <= self._kept.size - self._frontier.size <= count:
            older = self._frontier.copy()
            older.extend(hashes[: self._kept.size - self._frontier.size])
            self._kept_root = older.root()
        self._frontier.extend(hashes)

    def require_roots(self, head: Checkpoint) -> None:
        """Compare the roots of the entries with those that were signed."""
        computed = self._frontier.root()
        if computed != head.root:
            message = (
                "the entries are not those of the checkpoint; they agree with their leaf hashes, so all were exchanged"
            )
            raise RootError(
                message, evidence={"computed": computed.hex(), "signed": head.root.hex(), "size": head.size}
            )
        older = self._kept
        if older is not None and self._kept_root != older.root:
            message = (
                f"history was rewritten: the first {older.size} entries are not those of the checkpoint that was kept"
            )
            evidence: dict[str, str | int] = {"kept": older.root.hex(), "size": older.size}
            evidence["computed"] = (self._kept_root or b"").hex()
            raise RewrittenError(message, evidence=evidence)

    def _refuse(self, hashes: Sequence[bytes], bodies: Sequence[bytes], listed: bytes) -> None:
        stored = [listed[at : at + HASH_BYTES] for at in range(0, len(hashes) * HASH_BYTES, HASH_BYTES)]
        place = next(at for at, leaf in enumerate(hashes) if leaf != stored[at])
        raise LeafError(
            "the entry does not hash to the leaf that was stored for it",
            index=self._frontier.size + place,
            evidence={
                "entry": ascii(bodies[place].decode()),
                "computed": hashes[place].hex(),
                "stored": stored[place].hex(),
            },
        )


def _which_was_changed(bundle: Bundle, head: Checkpoint) -> str:
    """Say whether the entries or the stored leaf hashes are those that were signed, by reading both again."""
    listed, leaves = Frontier(), bundle.leaves()
    while page := leaves.read(BATCH * HASH_BYTES):
        listed.extend([page[at : at + HASH_BYTES] for at in range(0, len(page), HASH_BYTES)])
    if listed.root() == head.root:
        return "the stored leaf hashes are those that were signed: the entry was changed"
    written = Frontier()
    for body in _each(bundle.entries()):
        written.append(merkle.leaf_hash(body))
    if written.root() == head.root:
        return "the entries are those that were signed: the stored leaf hash was changed"
    return "neither the entries nor the stored leaf hashes are those that were signed"


def _each(entries: Reader) -> Iterator[bytes]:
    for lines in entries.lines(ENTRY_LINE_BYTES):
        yield from lines


# One engagement -------------------------------------------------------------------------------------------------------


def _verify_engagement(bundle: Bundle, head: Checkpoint, follower: Follower) -> None:
    entries = bundle.entries()
    for body, proof in zip_longest(_each(entries), bundle.proofs()):
        if body is None:
            raise CountError("a proof has no entry", index=proof.index)
        leaf = follower.follow(body)
        index = follower.next_index - 1
        if proof is None:
            raise CountError("the entry has no proof", index=index)
        if proof.index != index:
            evidence: dict[str, str | int] = {"proof_index": proof.index}
            raise ProofError("the proof is for another entry", index=index, evidence=evidence)
        try:
            merkle.verify_inclusion(leaf, index, head.size, proof.hashes, head.root)
        except ProofError as error:
            error.index = index
            error.evidence["entry"] = ascii(body.decode())
            raise
    entries.require_intact()


# The rest -------------------------------------------------------------------------------------------------------------


def _require_counts(bundle: Bundle, follower: Follower) -> None:
    manifest = bundle.manifest
    if (manifest.entries, manifest.payloads) != (follower.entries, follower.payloads_shown):
        raise CountError(
            "the manifest counts other entries or payloads than there are",
            evidence={"entries": follower.entries, "payloads": follower.payloads_shown},
        )


def _policies_shown(bundle: Bundle, follower: Follower, given: Sequence[Mapping[str, bytes]]) -> list[str]:
    """Compare policy files, alone and under each overlay that an entry set, with the epochs that entries cite."""
    used = follower.policies
    included = bundle.policies()
    for epoch, files in included.items():
        if policies.epoch(files) != epoch:
            evidence: dict[str, str | int] = {"named": epoch, "computed": policies.epoch(files)}
            raise PolicyError("the policy files in the bundle are not those of their epoch", evidence=evidence)
    known = [policies.epoch(files) for files in given]
    if known and used and not used.keys() & _under_overlays(known, follower):
        first = min(used.items(), key=lambda item: item[1].first_index)
        raise PolicyError(
            "no decision was made under the policy that was given",
            index=first[1].first_index,
            evidence={"given": known[0], "cited": first[0]},
        )
    return sorted(used.keys() & _under_overlays([*included, *known], follower))


def _under_overlays(epochs: Sequence[str], follower: Follower) -> set[str]:
    return {policies.epoch_under(epoch, overlay) for epoch in epochs for overlay in ((), *follower.overlays)}

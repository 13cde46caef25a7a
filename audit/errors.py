"""Everything the audit package can refuse: one root, evidence attached.

Rules kept here:

* verification raises and never answers with a boolean, so a forgotten ``if`` cannot turn a broken log into a sound one;
* an error carries the first bad index where there is one, and what was compared, so that an auditor can follow it;
* ``exit_code`` is the verifier's answer to the shell: 1 something is broken, 2 what was given cannot be used.

Library errors (``ValueError``, ``InvalidSignature``, ``OSError``) never leave the package.

Source: FORMAT.md, section 9.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

EXIT_SOUND = 0
EXIT_BROKEN = 1
EXIT_UNUSABLE = 2


class AuditError(Exception):
    """Something was refused.

    Args:
        message: one sentence for a person.
        index: first bad index of the log, where one can be named.
        evidence: what was compared, name to printable value (hashes in hex, notes as text).
    """

    exit_code: ClassVar[int] = EXIT_BROKEN

    def __init__(
        self, message: str, *, index: int | None = None, evidence: Mapping[str, str | int] | None = None
    ) -> None:
        self.message = message
        self.index = index
        self.evidence = dict(evidence or {})
        super().__init__(message)


# What cannot be used --------------------------------------------------------------------------------------------------


class UnusableError(AuditError):
    """What was given cannot be read, so nothing can be said about the log."""

    exit_code = EXIT_UNUSABLE


class BundleError(UnusableError):
    """The file is not a bundle of the one form, or its container is damaged."""


class VerifierKeyError(UnusableError):
    """A verifier key is malformed."""


class StoreError(UnusableError):
    """A leaf store did not hold what its contract promises."""


# Formats and proofs ---------------------------------------------------------------------------------------------------


class EntryError(AuditError):
    """Bytes are not an entry in its one encoding, or values cannot be written as one."""


class ProofError(AuditError):
    """A Merkle proof, or what it was asked to prove, is out of bounds or does not lead to the root."""


class CheckpointError(AuditError):
    """A note is not a checkpoint in its one form."""


class SignatureError(CheckpointError):
    """A checkpoint does not carry a good signature by the given key."""


class OriginError(CheckpointError):
    """A checkpoint belongs to another log than the one asked about."""


class SigningError(AuditError):
    """A signer was asked to sign what does not continue what it signed before."""


# What a verifier finds in a bundle ------------------------------------------------------------------------------------


class SequenceError(AuditError):
    """Entries are not in their places: an index, the log id or the time does not follow the entry before."""


class ChainError(AuditError):
    """The entries of an engagement do not follow one another."""


class LeafError(AuditError):
    """An entry does not hash to the leaf that was stored for it."""


class CountError(AuditError):
    """There are fewer or more entries than the checkpoint's size."""


class RootError(AuditError):
    """The entries do not hash to the root of the checkpoint."""


class PayloadError(AuditError):
    """A payload is not the one its entry commits to."""


class PolicyError(AuditError):
    """Policy files are not those the entries name."""


class TruncatedError(AuditError):
    """The bundle ends before a checkpoint that was kept: entries are missing at its end."""


class RewrittenError(AuditError):
    """The entries are not the ones a kept checkpoint was signed for: history was changed after it."""

"""Reading bundles: the container, the manifest and the lines of each member, strictly.

Rules kept here:

* the members are exactly those of the kind, in their order; all JSON has one spelling;
* nothing is verified here. The manifest is signed by nobody, so verify.py compares each word of it with the content.

Source: FORMAT.md, section 8.
"""

from __future__ import annotations

import json
import re
from base64 import b64decode, b64encode
from collections.abc import Iterator, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any, Final, Self

from audit import policy
from audit.archive import Archive, Reader
from audit.bundle import ENGAGEMENT, LOG, POLICIES, VERSION, Manifest, OpenedPayload, line, payload_line
from audit.checkpoint import NOTE_BYTES
from audit.entry import INTEGER_LIMIT
from audit.errors import AuditError, BundleError, PayloadError, ProofError

SMALL_BYTES: Final = 65_536  # manifest.json, VERIFY.txt
ENTRY_LINE_BYTES: Final = 65_536  # longer than any entry, so that two lines run together are still read and named
PROOF_LINE_BYTES: Final = 4_096
PAYLOAD_LINE_BYTES: Final = 400_000  # a payload of nothing but escaped characters fits

_MANIFEST_KEYS: Final = frozenset({"counts", "kind", "log", "made_at", "origin", "size", "v"})
_COUNTED: Final = frozenset({"entries", "payloads", "policies"})
_POLICY_NAME: Final = re.compile(r"policy/[0-9a-f]{64}\.json", re.ASCII)
_MALFORMED: Final = (AuditError, AttributeError, KeyError, RecursionError, TypeError, ValueError)


@dataclass(frozen=True, slots=True)
class Proof:
    """The inclusion proof of the entry that stands at the same line of entries.jsonl."""

    index: int
    hashes: tuple[bytes, ...]


class Bundle:
    """An opened bundle, to be used in a ``with`` statement.

    Its container and the shape of its small members have been checked; nothing is verified yet.

    Args:
        path: the file.

    Raises:
        BundleError: not a bundle, or damaged.
    """

    def __init__(self, path: str | Path) -> None:
        try:
            self._file = Path(path).open("rb")  # noqa: SIM115  # open for as long as the bundle is; __exit__ closes it
        except OSError as error:
            raise BundleError(f"the file cannot be read: {error.strerror}") from error
        try:
            self._archive = Archive(self._file)
            self._names = [member.name for member in self._archive.members]
            self.manifest = self._read_manifest()
            _require_members(self.manifest, self._names)
            self.checkpoint = self._archive.read("checkpoint", NOTE_BYTES)
            self._archive.read("VERIFY.txt", SMALL_BYTES)
        except BaseException:
            self._file.close()
            raise

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._file.close()

    def entries(self) -> Reader:
        """Open entries.jsonl; its lines are to be read with `ENTRY_LINE_BYTES`."""
        return self._archive.reader("entries.jsonl")

    def leaves(self) -> Reader:
        """Open the leaf hashes of a log bundle."""
        return self._archive.reader("leaves")

    def policies(self) -> dict[str, dict[str, bytes]]:
        """Read the policy files, by the epoch in the member's name.

        Raises:
            UnusableError: one is not a policy in its one form.
        """
        found = {}
        for name in self._names:
            if name.startswith("policy/"):
                files = policy.from_json(self._archive.read(name, policy.POLICY_BYTES))
                found[name.removeprefix("policy/").removesuffix(".json")] = files
        return found

    def proofs(self) -> Iterator[Proof]:
        """Read the proofs of an engagement bundle.

        Raises:
            ProofError: a line is not a proof.
            BundleError: the member is damaged.
        """
        for text in self._lines("proofs.jsonl", PROOF_LINE_BYTES):
            try:
                proof = _proof(text)
            except _MALFORMED as error:
                raise ProofError("a line of proofs.jsonl is not a proof", evidence={"line": _shown(text)}) from error
            yield proof

    def payloads(self) -> Iterator[OpenedPayload]:
        """Read the opened payloads.

        Raises:
            PayloadError: a line is not a payload, or they are not in ascending order.
            BundleError: the member is damaged.
        """
        last = -1
        for text in self._lines("payloads.jsonl", PAYLOAD_LINE_BYTES):
            try:
                opened = _payload(text, last)
            except _MALFORMED as error:
                message = "a line of payloads.jsonl is not the next payload"
                raise PayloadError(message, evidence={"line": _shown(text)}) from error
            last = opened.index
            yield opened

    def _lines(self, name: str, limit: int) -> Iterator[bytes]:
        reader = self._archive.reader(name)
        for lines in reader.lines(limit):
            yield from lines
        reader.require_intact()

    def _read_manifest(self) -> Manifest:
        if self._names[-1:] != ["manifest.json"]:
            raise BundleError("a bundle ends with its manifest")
        text = self._archive.read("manifest.json", SMALL_BYTES)
        try:
            return _manifest(text)
        except _MALFORMED as error:
            raise BundleError(f"manifest.json is not one of version {VERSION}") from error


def _require_members(manifest: Manifest, names: Sequence[str]) -> None:
    """Refuse every list of members but the one that the manifest's kind prescribes."""
    epochs = [name for name in names if _POLICY_NAME.fullmatch(name)]
    second = "leaves" if manifest.kind == LOG else "proofs.jsonl"
    ending = ["entries.jsonl", second, "payloads.jsonl", "manifest.json"]
    if list(names) != ["VERIFY.txt", "checkpoint", *sorted(set(epochs)), *ending]:
        raise BundleError("the members of the bundle are not those of its kind", evidence={"members": ascii(names)})
    if len(epochs) != manifest.policies or len(epochs) > POLICIES:
        raise BundleError("the manifest counts other policy files than there are", evidence={"there": len(epochs)})


def _manifest(text: bytes) -> Manifest:
    value = _object(text, _MANIFEST_KEYS, {"engagement"})
    counts = value["counts"]
    engagement = value.get("engagement")
    right_kind = value["kind"] == (LOG if engagement is None else ENGAGEMENT)
    if value["v"] != VERSION or not right_kind or set(counts) != _COUNTED:
        raise ValueError(value["kind"])
    return Manifest(
        kind=value["kind"],
        log=_text(value["log"]),
        origin=_text(value["origin"]),
        size=_natural(value["size"]),
        made_at=_natural(value["made_at"]),
        engagement=None if engagement is None else _text(engagement),
        entries=_natural(counts["entries"]),
        payloads=_natural(counts["payloads"]),
        policies=_natural(counts["policies"]),
    )


def _proof(text: bytes) -> Proof:
    value = _object(text, {"index", "proof"})
    hashes = tuple(b64decode(each, validate=True) for each in value["proof"])
    # Decoders take several spellings of one hash; only the canonical one comes back the same.
    if [b64encode(each).decode() for each in hashes] != value["proof"]:
        raise ValueError(value["index"])
    return Proof(_natural(value["index"]), hashes)


def _payload(text: bytes, last: int) -> OpenedPayload:
    value = _object(text, {"index", "payload", "salt"})
    opened = OpenedPayload(_natural(value["index"]), bytes.fromhex(value["salt"]), value["payload"].encode())
    if payload_line(opened) != text + b"\n" or opened.index <= last:
        raise ValueError(opened.index)
    return opened


def _object(text: bytes, keys: AbstractSet[str], optional: AbstractSet[str] = frozenset()) -> dict[str, Any]:
    """Read a JSON object with these keys, in its one spelling."""
    value = json.loads(text)
    if not isinstance(value, dict) or value.keys() - optional != keys or line(value) != text + b"\n":
        raise TypeError(type(value).__name__)
    return value


def _natural(value: object) -> int:
    if type(value) is not int or not 0 <= value < INTEGER_LIMIT:
        raise TypeError(type(value).__name__)
    return value


def _text(value: object) -> str:
    if not isinstance(value, str):
        raise TypeError(type(value).__name__)
    return value


def _shown(text: bytes) -> str:
    return ascii(text[:200].decode(errors="replace"))

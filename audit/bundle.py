"""Bundles: what an auditor takes home, written as streams. reading.py reads them.

Two kinds. A ``log`` bundle has all entries up to its checkpoint. An ``engagement`` bundle has the entries of one
engagement, each with an inclusion proof; their chain shows that none is left out up to the last one, and nothing can
show that there is no later one.

Rules kept here:

* nothing is opened, sorted or counted in memory: a million entries pass through as they come;
* entries are written as stored, and a log's leaf hashes as stored beside them, so that a row changed in the database is
  exported as changed, and named by the verifier;
* what a payload holds was opened by the caller, for somebody who may see it. Nothing here decides that.

Source: FORMAT.md, section 8.
"""

from __future__ import annotations

import json
from array import array
from base64 import b64encode
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import BinaryIO, Final

from audit import policy
from audit.archive import pack
from audit.checkpoint import Checkpoint, parse
from audit.entry import PAYLOAD_BYTES, SALT_BYTES, decode
from audit.errors import BundleError, PayloadError
from audit.log import Tree
from audit.store import LeafStore

VERSION: Final = 1
LOG: Final = "log"
ENGAGEMENT: Final = "engagement"
POLICIES: Final = 64  # policy epochs in a bundle

_PAGE: Final = 4_096  # entries asked of a store at a time

VERIFY_TEXT: Final = """\
What this file is
-----------------
A bundle of an audit log: entries.jsonl has one entry a line, checkpoint is the log's signed head, manifest.json says
what is here. audit/FORMAT.md of Muniment describes every byte.

With Muniment's verifier (Python 3.11 and `pip install cryptography`; the folder audit/ is all it needs):

    python -m audit verify THIS_FILE --key KEY --checkpoint OLDER_CHECKPOINT

KEY is the verifier key the firm gave you, by another way than this file. OLDER_CHECKPOINT is the checkpoint of an
earlier bundle, if you kept one: only with it can you see that history was not rewritten by the holder of the log's
signing key.

Without it (a whole log; Python and nothing else). The last line printed must be the third line of the checkpoint:

    import base64, hashlib, sys, zipfile
    def h(data): return hashlib.sha256(data).digest()
    peaks, size = [], 0
    with zipfile.ZipFile(sys.argv[1]) as bundle:
        for line in bundle.open("entries.jsonl"):
            node, n = h(b"\\x00" + line[:-1]), size
            while n & 1:
                node, n = h(b"\\x01" + peaks.pop() + node), n >> 1
            peaks.append(node)
            size += 1
    root = peaks.pop() if peaks else h(b"")
    while peaks:
        root = h(b"\\x01" + peaks.pop() + root)
    print(size)
    print(base64.b64encode(root).decode())

The signature line of the checkpoint is a C2SP signed note (c2sp.org/signed-note): Ed25519 over the three lines above.
"""


@dataclass(frozen=True, slots=True)
class OpenedPayload:
    """The names beside an entry, opened for somebody who may see them.

    Args:
        index: the entry's.
        salt: 32 bytes.
        payload: UTF-8, at most 65,536 bytes.
    """

    index: int
    salt: bytes
    payload: bytes


@dataclass(frozen=True, slots=True)
class Manifest:
    """What a bundle says about itself.

    Args:
        kind: `LOG` or `ENGAGEMENT`.
        log: log id.
        origin: that of the checkpoint.
        size: that of the checkpoint.
        made_at: UTC milliseconds; a claim.
        engagement: id, for that kind only.
        entries: how many entries are here.
        payloads: how many opened payloads are here.
        policies: how many policy epochs are here.
    """

    kind: str
    log: str
    origin: str
    size: int
    made_at: int
    engagement: str | None
    entries: int
    payloads: int
    policies: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Export:
    """What every bundle is made from.

    Args:
        store: the log's leaves; read in pages of 4,096 entries, entries first, then leaf hashes or tiles.
        log: log id.
        checkpoint: the signed note; its size says how many entries of the store belong in.
        made_at: UTC milliseconds.
        payloads: opened payloads, by ascending index; read once, after the entries.
        policies: the files of policy epochs (`audit.policy.FILES`), in any order.
    """

    store: LeafStore
    log: str
    checkpoint: bytes
    made_at: int
    payloads: Iterable[OpenedPayload] = ()
    policies: Iterable[Mapping[str, bytes]] = ()


def write_log_bundle(out: BinaryIO, export: Export) -> None:
    """Write what `log_bundle` makes."""
    out.writelines(log_bundle(export))


def write_engagement_bundle(out: BinaryIO, export: Export, engagement: str, entries: Iterable[bytes]) -> None:
    """Write what `engagement_bundle` makes."""
    out.writelines(engagement_bundle(export, engagement, entries))


def log_bundle(export: Export) -> Iterator[bytes]:
    """Make a bundle of all entries of a log up to a checkpoint, as a stream of pieces to be sent or written.

    Raises:
        CheckpointError: not a checkpoint.
        StoreError: the store has fewer entries.
        PayloadError: a payload out of order or over its limit.
        UnusableError: policy files are not a policy, or too many.
    """
    head, counter = parse(export.checkpoint), _Counter()
    pages = [(start, min(start + _PAGE, head.size)) for start in range(0, head.size, _PAGE)]

    def members() -> Iterator[tuple[str, Iterable[bytes]]]:
        yield from _first_members(export, counter)
        yield "entries.jsonl", (_lines(export.store.entries(*page), counter) for page in pages)
        yield "leaves", (b"".join(export.store.leaf_hashes(*page)) for page in pages)
        yield from _last_members(export, counter, head, {"kind": LOG})

    return pack(members())


def engagement_bundle(export: Export, engagement: str, entries: Iterable[bytes]) -> Iterator[bytes]:
    """Make a bundle of one engagement's entries, as a stream of pieces to be sent or written.

    Args:
        export: as for every bundle.
        engagement: its id.
        entries: all entries of the engagement below the checkpoint's size, ascending, as stored. To show how late the
            bundle is, record the export as an entry of the engagement and wait for a checkpoint that covers it.

    Raises:
        EntryError: an entry cannot be read.
        ProofError: an entry is not below the checkpoint's size.
        CheckpointError, StoreError, PayloadError, UnusableError: as `log_bundle`.
    """
    head, counter = parse(export.checkpoint), _Counter()
    indexes, tree = array("Q"), Tree(export.store)

    def noted() -> Iterator[bytes]:
        for body in entries:
            indexes.append(decode(body).index)
            yield body

    def proof(index: int) -> bytes:
        hashes = [b64encode(each).decode() for each in tree.inclusion_proof(index, head.size)]
        return line({"index": index, "proof": hashes})

    def members() -> Iterator[tuple[str, Iterable[bytes]]]:
        yield from _first_members(export, counter)
        yield "entries.jsonl", (_lines([body], counter) for body in noted())
        yield "proofs.jsonl", (proof(index) for index in indexes)
        yield from _last_members(export, counter, head, {"engagement": engagement, "kind": ENGAGEMENT})

    return pack(members())


def line(value: Mapping[str, object]) -> bytes:
    """Write the one spelling of a JSON object, with a newline."""
    return json.dumps(value, ensure_ascii=False, sort_keys=True, separators=(",", ":")).encode() + b"\n"


def payload_line(opened: OpenedPayload) -> bytes:
    """Write the line of an opened payload.

    Raises:
        PayloadError: the salt is not 32 bytes, the payload is too long or not UTF-8.
    """
    if len(opened.salt) != SALT_BYTES or len(opened.payload) > PAYLOAD_BYTES:
        raise PayloadError("a salt has 32 bytes and a payload at most 65,536", index=opened.index)
    try:
        text = opened.payload.decode()
    except UnicodeDecodeError as error:
        raise PayloadError("a payload is UTF-8", index=opened.index) from error
    return line({"index": opened.index, "payload": text, "salt": opened.salt.hex()})


class _Counter:
    """Counts what went into a bundle; the manifest is written last and says it."""

    def __init__(self) -> None:
        self.entries = self.payloads = self.policies = 0


def _first_members(export: Export, counter: _Counter) -> Iterator[tuple[str, Iterable[bytes]]]:
    by_epoch = {policy.epoch(files): policy.to_json(files) for files in export.policies}
    if len(by_epoch) > POLICIES:
        raise BundleError(f"a bundle has at most {POLICIES} policy epochs", evidence={"epochs": len(by_epoch)})
    counter.policies = len(by_epoch)
    yield "VERIFY.txt", [VERIFY_TEXT.encode()]
    yield "checkpoint", [export.checkpoint]
    for epoch in sorted(by_epoch):
        yield f"policy/{epoch}.json", [by_epoch[epoch]]


def _last_members(
    export: Export, counter: _Counter, head: Checkpoint, kind: Mapping[str, str]
) -> Iterator[tuple[str, Iterable[bytes]]]:
    yield "payloads.jsonl", _payload_lines(export.payloads, counter)
    counts = {"entries": counter.entries, "payloads": counter.payloads, "policies": counter.policies}
    says = {"log": export.log, "made_at": export.made_at, "origin": head.origin, "size": head.size, "v": VERSION}
    yield "manifest.json", [line({"counts": counts, **says, **kind})[:-1]]


def _lines(bodies: Iterable[bytes], counter: _Counter) -> bytes:
    page = list(bodies)
    counter.entries += len(page)
    return b"".join(body + b"\n" for body in page)


def _payload_lines(payloads: Iterable[OpenedPayload], counter: _Counter) -> Iterator[bytes]:
    last = -1
    for each in payloads:
        if each.index <= last:
            raise PayloadError("payloads are written by ascending index", index=each.index)
        last = each.index
        counter.payloads += 1
        yield payload_line(each)

"""Logs to verify and to tamper with: made from a seed, with engagements, intents, payloads and decisions.

`LogMaker` keeps the rules of a real ledger, `Rows` is what an attacker with the database's rights has made of it: any
bodies, any leaf hashes, no promises. `repack` changes members of a finished bundle and keeps its container well formed,
so that what must be caught is caught by the hashes and not by a checksum.
"""

from __future__ import annotations

import io
import json
import random
from base64 import b64encode
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from hashlib import sha256
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from audit.archive import Archive, pack
from audit.bundle import Export, OpenedPayload, engagement_bundle, line, log_bundle
from audit.checkpoint import Checkpoint, VerifierKey, parse, sign, verifier_key
from audit.entry import FIRST_PREVIOUS, Entry, commitment, decode, encode
from audit.merkle import leaf_hash, root
from audit.policy import FILES, epoch
from audit.store import MemoryLeafStore

ORIGIN = "firm.example/log"
LOG = "log_" + "1" * 32
KEY = Ed25519PrivateKey.from_private_bytes(sha256(b"the key of the log").digest())
OTHER_KEY = Ed25519PrivateKey.from_private_bytes(sha256(b"another key").digest())
VERIFIER_KEY = verifier_key(ORIGIN, KEY.public_key())
START_MS = 1_767_225_600_000  # 2026-01-01
POLICY = {name: f"# {name}\n".encode() for name in FILES}
EPOCH = epoch(POLICY)
ENGAGEMENTS = tuple(f"eng_{number:032x}" for number in range(4))
TYPES = ("access.allowed", "document.added", "grant.created", "list.read", "member.added")


class LogMaker:
    """Writes a log entry by entry.

    Args:
        seed: everything that varies comes from it.
        log: log id.
    """

    def __init__(self, seed: int = 0, log: str = LOG) -> None:
        self.random = random.Random(seed)
        self.log = log
        self.store = MemoryLeafStore()
        self.payloads: dict[int, OpenedPayload] = {}
        self._chains: dict[str, tuple[int, str]] = {}
        self._time = START_MS

    @property
    def size(self) -> int:
        return self.store.size()

    def add(self, **fields: Any) -> int:
        """Append one entry; whatever is not given is made up."""
        index = self.size
        self._time += self.random.choice((0, 1, 40, 90_000))
        values = self._random_fields(index) | fields
        engagement = (values["subjects"] or {}).get("engagement")
        if engagement:
            eseq, eprev = self._chains.get(engagement, (0, FIRST_PREVIOUS))
            values |= {"eseq": eseq, "eprev": eprev}
        body = encode(Entry(log=self.log, index=index, time=self._time, **values))
        self.store.append(body)
        if engagement:
            self._chains[engagement] = (values["eseq"] + 1, leaf_hash(body).hex())
        return index

    def grow(self, count: int) -> LogMaker:
        """Append so many entries."""
        for _ in range(count):
            self.add()
        return self

    def bodies(self) -> list[bytes]:
        return list(self.store.entries(0, self.size))

    def checkpoint(self, size: int | None = None, origin: str = ORIGIN, key: Ed25519PrivateKey = KEY) -> bytes:
        """Sign the head over the first entries."""
        covered = self.size if size is None else size
        return sign(origin, covered, root(self.store.leaf_hashes(0, covered)), key)

    def export(self, **changes: Any) -> Export:
        made = Export(
            store=self.store,
            log=self.log,
            checkpoint=self.checkpoint(),
            made_at=START_MS,
            payloads=[self.payloads[index] for index in sorted(self.payloads)],
            policies=[POLICY],
        )
        return replace(made, **changes)

    def log_bundle(self, **changes: Any) -> bytes:
        return b"".join(log_bundle(self.export(**changes)))

    def engagement_bundle(self, engagement: str, upto: int | None = None, **changes: Any) -> bytes:
        """Export one engagement, only its entries below an index if one is given."""
        bodies = [body for body in self.bodies() if (decode(body).subjects or {}).get("engagement") == engagement]
        bodies = [body for body in bodies if upto is None or decode(body).index < upto]
        shown = {decode(body).index for body in bodies}
        payloads = [self.payloads[index] for index in sorted(self.payloads) if index in shown]
        return b"".join(engagement_bundle(self.export(**{"payloads": payloads} | changes), engagement, bodies))

    def _random_fields(self, index: int) -> dict[str, Any]:
        draw = self.random
        engagement = draw.choice((*ENGAGEMENTS, None))
        payload = None
        if draw.random() < 0.3:
            opened = OpenedPayload(index, draw.randbytes(32), line({"title": f"Lease № {index}"})[:-1])
            self.payloads[index] = opened
            payload = commitment(opened.salt, opened.payload).hex()
        return {
            "type": draw.choice(TYPES),
            "actor": {"person": f"per_{draw.randrange(9):032x}", "role": "paralegal"},
            "action": "document:view",
            "outcome": "allowed",
            "rule": f"policy.csv:{draw.randrange(1, 90)}",
            "facts": draw.sample(("live", "duties", "assigned", "window"), draw.randrange(4)),
            "policy": EPOCH,
            "header": draw.randbytes(56) if draw.random() < 0.2 else None,
            "request": f"req_{draw.getrandbits(128):032x}",
            "subjects": {"document": f"doc_{index:032x}", **({"engagement": engagement} if engagement else {})},
            "payload": payload,
            "data": {"bytes": draw.randrange(10_000), "note": "é\n"} if draw.random() < 0.3 else None,
        }


@dataclass
class Rows:
    """The log's rows after somebody with the database's rights was at them."""

    bodies: list[bytes]
    leaves: list[bytes] = field(default_factory=list)

    @classmethod
    def of(cls, made: LogMaker) -> Rows:
        bodies = made.bodies()
        return cls(bodies, [leaf_hash(body) for body in bodies])

    def rehash(self) -> Rows:
        """Make the stored leaf hashes fit the bodies again."""
        self.leaves = [leaf_hash(body) for body in self.bodies]
        return self

    def bundle(self, made: LogMaker, **changes: Any) -> bytes:
        """Export what the rows hold now, under the checkpoint that was signed before unless another is given."""
        export = made.export(**changes)
        manifest = line({**_manifest(export, parse(export.checkpoint)), "counts": self._counts(export)})[:-1]
        return repack(
            made.log_bundle(**changes),
            {
                "entries.jsonl": b"".join(body + b"\n" for body in self.bodies),
                "leaves": b"".join(self.leaves),
                "manifest.json": manifest,
            },
        )

    def _counts(self, export: Export) -> dict[str, int]:
        return {
            "entries": len(self.bodies),
            "payloads": len(list(export.payloads)),
            "policies": len(list(export.policies)),
        }


def _manifest(export: Export, head: Checkpoint) -> dict[str, object]:
    says = {"kind": "log", "log": export.log, "made_at": export.made_at, "v": 1}
    return {**says, "origin": head.origin, "size": head.size}


def members(bundle: bytes) -> dict[str, bytes]:
    """Take a bundle apart."""
    archive = Archive(io.BytesIO(bundle))
    return {member.name: archive.read(member.name, 1 << 30) for member in archive.members}


def repack(bundle: bytes, changes: Mapping[str, bytes | None]) -> bytes:
    """Exchange members of a bundle, or leave them out, in a container that is well formed."""
    contents = {**members(bundle), **changes}
    return b"".join(pack((name, [content]) for name, content in contents.items() if content is not None))


def change_json(bundle: bytes, name: str, change: Callable[[dict[str, Any]], object]) -> bytes:
    """Change the JSON object of a member, keeping its spelling canonical."""
    value = json.loads(members(bundle)[name])
    change(value)
    return repack(bundle, {name: line(value)[:-1]})


def edited(body: bytes, **fields: Any) -> bytes:
    """Write the same entry with other values."""
    return encode(decode(body)._replace(**fields))


def rechained(bodies: Sequence[bytes]) -> list[bytes]:
    """Give entries the indexes and links that fit their new places, as a thorough forger would."""
    chains: dict[str, tuple[int, str]] = {}
    made: list[bytes] = []
    for index, body in enumerate(bodies):
        entry = decode(body)._replace(index=index)
        engagement = (entry.subjects or {}).get("engagement")
        if engagement:
            eseq, eprev = chains.get(engagement, (0, FIRST_PREVIOUS))
            entry = entry._replace(eseq=eseq, eprev=eprev)
        made.append(encode(entry))
        if engagement:
            chains[engagement] = (entry.eseq or 0) + 1, leaf_hash(made[-1]).hex()
    return made


def note(text: str, origin: str = ORIGIN, key: Ed25519PrivateKey = KEY, claimed: VerifierKey | None = None) -> bytes:
    """Sign any text as a note, also what `audit.checkpoint.sign` refuses; the key id may be claimed."""
    name = claimed or VerifierKey(origin, key.public_key().public_bytes_raw())
    return f"{text}\n\u2014 {name.name} {b64encode(name.key_id + key.sign(text.encode())).decode()}\n".encode()


def saved(folder: Path, bundle: bytes, name: str = "bundle.zip") -> Path:
    path = folder / name
    path.write_bytes(bundle)
    return path


def pieces(data: bytes, size: int) -> Iterator[bytes]:
    for at in range(0, len(data), size):
        yield data[at : at + size]

"""Make the audit vectors again: ``python -m tests.vectors.audit.make``. A test does so and compares.

``entries.json``: entries with their bytes (written by the `rfc8785` package, not by ours) and leaf hashes; and bytes
that must be refused, with the reason.
``tree.json``: roots, proofs and frontiers of the trees of 0 to 9 leaves, by the recursive definitions of RFC 6962; tile
paths; a payload commitment; a policy epoch.
``checkpoints.json``: notes signed with the key here, and notes that must be refused, with the class of the refusal.
``*.zip``: bundles, and ``bundles.json`` with what the verifier must answer to each: exit code, error, first bad index.

Everything comes from fixed seeds.
"""

from __future__ import annotations

import hashlib
import json
import random
from base64 import b64encode
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import rfc8785

from tests.audit.attacks import ATTACKS
from tests.audit.logs import ENGAGEMENTS, KEY, ORIGIN, OTHER_KEY, POLICY, VERIFIER_KEY, LogMaker, note
from tests.audit.test_checkpoint import BAD_TEXTS, TEXT
from tests.audit.test_entry import BAD_BODIES, FULL, SMALL, plain

HERE = Path(__file__).parent
BROKEN = (
    "entry_edited",
    "entry_deleted",
    "end_cut_off",
    "payload_changed",
    "rewritten_by_the_key_holder",
    "signed_with_a_colliding_id",
    "link_left_out_of_an_engagement",
    "trailing_bytes",
)
"""The attacks of tests/audit/attacks.py of which one bundle each is kept here."""


def build() -> dict[str, bytes]:
    """Make every file, by name."""
    texts = {"entries.json": entries(), "tree.json": tree(), "checkpoints.json": checkpoints()}
    made, answers = bundles()
    written = {name: _json(value) for name, value in {**texts, "bundles.json": answers}.items()}
    return written | made


# Entries --------------------------------------------------------------------------------------------------------------


def entries() -> dict[str, Any]:
    good = []
    for entry in (SMALL, FULL):
        body = rfc8785.dumps(plain(entry))
        good.append({"entry": plain(entry), "bytes": body.decode(), "leaf": _hash(b"\x00" + body).hex()})
    bad = [
        {"name": case.id, "base64": b64encode(_bytes(case.values[0])).decode(), "reason": case.values[1]}
        for case in BAD_BODIES
    ]
    return {"good": good, "bad": bad}


def _bytes(value: object) -> bytes:
    assert isinstance(value, bytes)
    return value


# The tree -------------------------------------------------------------------------------------------------------------


def tree() -> dict[str, Any]:
    leaves = [_hash(b"\x00" + bytes([number])) for number in range(9)]
    salt, payload = bytes(range(32)), b'{"title":"Lease"}'
    return {
        "leaves": [f"{number:02x}" for number in range(9)],
        "trees": [_tree(leaves[:size]) for size in range(10)],
        "tiles": {
            "tile/0/000": [0, 0, 256],
            "tile/0/x001/x234/067": [0, 1234067, 256],
            "tile/2/017.p/9": [2, 17, 9],
        },
        "commitment": {
            "salt": salt.hex(),
            "payload": payload.decode(),
            "commitment": _hash(b"muniment payload v1\x00" + salt + payload).hex(),
        },
        "policy": {
            "files": {name: content.decode() for name, content in POLICY.items()},
            "epoch": _hash(b"".join(len(each).to_bytes(8, "big") + each for each in POLICY.values())).hex(),
        },
    }


def _tree(leaves: Sequence[bytes]) -> dict[str, Any]:
    size = len(leaves)
    return {
        "size": size,
        "root": _root(leaves).hex(),
        "frontier": size.to_bytes(8, "big").hex() + "".join(peak.hex() for peak in _peaks(leaves)),
        "inclusion": [[each.hex() for each in _path(index, leaves)] for index in range(size)],
        "consistency": [[each.hex() for each in _subproof(older, leaves, known=True)] for older in range(1, size + 1)],
    }


def _hash(data: bytes) -> bytes:
    return hashlib.sha256(data).digest()


def _split(leaves: Sequence[bytes]) -> tuple[Sequence[bytes], Sequence[bytes]]:
    middle = 1
    while middle * 2 < len(leaves):
        middle *= 2
    return leaves[:middle], leaves[middle:]


def _root(leaves: Sequence[bytes]) -> bytes:
    if len(leaves) < 2:
        return leaves[0] if leaves else _hash(b"")
    left, right = _split(leaves)
    return _hash(b"\x01" + _root(left) + _root(right))


def _peaks(leaves: Sequence[bytes]) -> list[bytes]:
    size = len(leaves)
    if size.bit_count() < 2:
        return [_root(leaves)] if leaves else []
    largest = 1 << (size.bit_length() - 1)
    return [_root(leaves[:largest]), *_peaks(leaves[largest:])]


def _path(index: int, leaves: Sequence[bytes]) -> list[bytes]:
    if len(leaves) == 1:
        return []
    left, right = _split(leaves)
    if index < len(left):
        return [*_path(index, left), _root(right)]
    return [*_path(index - len(left), right), _root(left)]


def _subproof(size: int, leaves: Sequence[bytes], *, known: bool) -> list[bytes]:
    if size == len(leaves):
        return [] if known else [_root(leaves)]
    left, right = _split(leaves)
    if size <= len(left):
        return [*_subproof(size, left, known=known), _root(right)]
    return [*_subproof(size - len(left), right, known=False), _root(left)]


# Checkpoints ----------------------------------------------------------------------------------------------------------


def checkpoints() -> dict[str, Any]:
    good = note(TEXT).decode()
    foreign = note(TEXT.replace(ORIGIN, "firm.example/other"), "firm.example/other").decode()
    bad = [{"name": name, "note": note(text).decode(), "error": "CheckpointError"} for name, text in BAD_TEXTS.items()]
    bad.append({"name": "another origin", "note": foreign, "error": "OriginError"})
    bad.append({"name": "another key", "note": note(TEXT, key=OTHER_KEY).decode(), "error": "SignatureError"})
    seed = KEY.private_bytes_raw().hex()
    return {"origin": ORIGIN, "seed": seed, "verifier_key": VERIFIER_KEY, "good": [good], "bad": bad}


# Bundles --------------------------------------------------------------------------------------------------------------


def bundles() -> tuple[dict[str, bytes], dict[str, Any]]:
    made = LogMaker(0).grow(12)
    sound = {"log.zip": made.log_bundle(), "engagement.zip": made.engagement_bundle(ENGAGEMENTS[0])}
    files = dict(sound)
    answers: dict[str, Any] = {name: {"exit": 0, "error": None, "index": None} for name in sound}
    for name in BROKEN:
        attack = ATTACKS[name](LogMaker(0).grow(32), random.Random(name))
        errors = attack.error if isinstance(attack.error, tuple) else (attack.error,)
        file = f"{name}.zip"
        files[file] = attack.bundle
        answers[file] = {"exit": errors[0].exit_code, "error": errors[0].__name__, "index": attack.index}
        if attack.checkpoint is not None:
            answers[file]["checkpoint"] = attack.checkpoint.decode()
    return files, {"verifier_key": VERIFIER_KEY, "bundles": answers}


def _json(value: object) -> bytes:
    return json.dumps(value, indent=1, ensure_ascii=False).encode() + b"\n"


def main() -> None:
    """Write every file."""
    for name, content in build().items():
        (HERE / name).write_bytes(content)


if __name__ == "__main__":
    main()

"""The vectors on disk: made again they are the same, and this package judges each as they say."""

from __future__ import annotations

import json
from base64 import b64decode
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from audit import errors, merkle
from audit.checkpoint import parse, sign, verify
from audit.entry import Entry, commitment, decode, encode
from audit.errors import AuditError, EntryError
from audit.policy import epoch
from audit.tiles import tile_path
from audit.verify import verify_bundle
from tests.vectors.audit import make

HERE = make.HERE


def vectors(name: str) -> Any:
    return json.loads((HERE / name).read_text())


def test_the_vectors_on_disk_are_those_that_the_script_makes() -> None:
    made = make.build()
    on_disk = {path.name: path.read_bytes() for path in HERE.iterdir() if path.suffix in {".json", ".zip"}}
    assert on_disk.keys() == made.keys()
    for name, content in made.items():
        assert on_disk[name] == content, name


def test_entries_are_written_and_read_as_the_vectors_say() -> None:
    for case in vectors("entries.json")["good"]:
        body = case["bytes"].encode()
        values = {key: value for key, value in case["entry"].items() if key != "v"}
        if "header" in values:
            values["header"] = b64decode(values["header"])
        assert encode(Entry(**values)) == body == encode(decode(body))
        assert merkle.leaf_hash(body).hex() == case["leaf"]


@pytest.mark.parametrize("case", [pytest.param(case, id=case["name"]) for case in vectors("entries.json")["bad"]])
def test_bytes_that_are_no_entry_are_refused(case: dict[str, str]) -> None:
    with pytest.raises(EntryError, match=case["reason"]):
        decode(b64decode(case["base64"]))


@pytest.mark.parametrize("size", range(10))
def test_trees_are_those_of_the_vectors(size: int) -> None:
    case = vectors("tree.json")["trees"][size]
    leaves = [merkle.leaf_hash(bytes.fromhex(each)) for each in vectors("tree.json")["leaves"][:size]]
    frontier = merkle.Frontier()
    frontier.extend(leaves)
    assert (merkle.root(leaves).hex(), frontier.serialise().hex()) == (case["root"], case["frontier"])
    for index, proof in enumerate(case["inclusion"]):
        assert [each.hex() for each in merkle.inclusion_proof(leaves, index)] == proof
    for older, proof in enumerate(case["consistency"], 1):
        assert [each.hex() for each in merkle.consistency_proof(leaves, older)] == proof


def test_names_and_hashes_are_those_of_the_vectors() -> None:
    found = vectors("tree.json")
    assert {tile_path(*place): place for place in found["tiles"].values()} == found["tiles"]
    opened = found["commitment"]
    assert commitment(bytes.fromhex(opened["salt"]), opened["payload"].encode()).hex() == opened["commitment"]
    files = {name: text.encode() for name, text in found["policy"]["files"].items()}
    assert epoch(files) == found["policy"]["epoch"]


def test_checkpoints_are_signed_and_read_as_the_vectors_say() -> None:
    found = vectors("checkpoints.json")
    key = Ed25519PrivateKey.from_private_bytes(bytes.fromhex(found["seed"]))
    for text in found["good"]:
        checkpoint = parse(text.encode())
        assert verify(text.encode(), found["verifier_key"]) == checkpoint
        assert sign(checkpoint.origin, checkpoint.size, checkpoint.root, key).decode() == text


@pytest.mark.parametrize("case", [pytest.param(case, id=case["name"]) for case in vectors("checkpoints.json")["bad"]])
def test_notes_that_are_no_checkpoint_of_the_log_are_refused(case: dict[str, str]) -> None:
    with pytest.raises(AuditError) as refusal:
        verify(case["note"].encode(), vectors("checkpoints.json")["verifier_key"])
    assert type(refusal.value).__name__ == case["error"]


@pytest.mark.parametrize("name", vectors("bundles.json")["bundles"])
def test_bundles_are_judged_as_the_vectors_say(name: str) -> None:
    case = vectors("bundles.json")["bundles"][name]
    key = vectors("bundles.json")["verifier_key"]
    kept = case["checkpoint"].encode() if "checkpoint" in case else None
    if case["error"] is None:
        assert verify_bundle(HERE / name, key, kept).exit_code == case["exit"] == 0
        return
    with pytest.raises(getattr(errors, case["error"])) as refusal:
        verify_bundle(HERE / name, key, kept)
    assert (refusal.value.exit_code, refusal.value.index) == (case["exit"], case["index"])


def test_every_kind_of_vector_has_refusals() -> None:
    assert len(vectors("entries.json")["bad"]) > 30
    assert len(vectors("checkpoints.json")["bad"]) > 20
    assert sum(case["error"] is not None for case in vectors("bundles.json")["bundles"].values()) == len(make.BROKEN)
    assert Path(make.__file__).parent == HERE

"""RFC 6962 trees: against a definition written from the RFC, against public vectors, and against bad arguments."""

from __future__ import annotations

import hashlib
import json
from base64 import b64decode
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from audit import merkle
from audit.errors import ProofError
from audit.merkle import Frontier

VECTORS = Path(__file__).parents[3] / "shared" / "vectors" / "merkle"
MOST = 70
LEAVES = [merkle.leaf_hash(bytes([number])) for number in range(MOST)]
ROOTS = [merkle.root(LEAVES[:size]) for size in range(MOST + 1)]


def defined_root(leaves: Sequence[bytes]) -> bytes:
    """MTH as RFC 6962, section 2.1, writes it down."""
    if not leaves:
        return hashlib.sha256(b"").digest()
    if len(leaves) == 1:
        return leaves[0]
    split = 1
    while split * 2 < len(leaves):
        split *= 2
    return hashlib.sha256(b"\x01" + defined_root(leaves[:split]) + defined_root(leaves[split:])).digest()


def defined_path(index: int, leaves: Sequence[bytes]) -> list[bytes]:
    """PATH as RFC 6962, section 2.1.1, writes it down."""
    if len(leaves) == 1:
        return []
    split = 1
    while split * 2 < len(leaves):
        split *= 2
    if index < split:
        return [*defined_path(index, leaves[:split]), defined_root(leaves[split:])]
    return [*defined_path(index - split, leaves[split:]), defined_root(leaves[:split])]


def defined_subproof(size: int, leaves: Sequence[bytes], *, complete: bool) -> list[bytes]:
    """SUBPROOF as RFC 6962, section 2.1.2, writes it down."""
    if size == len(leaves):
        return [] if complete else [defined_root(leaves)]
    split = 1
    while split * 2 < len(leaves):
        split *= 2
    if size <= split:
        return [*defined_subproof(size, leaves[:split], complete=complete), defined_root(leaves[split:])]
    return [*defined_subproof(size - split, leaves[split:], complete=False), defined_root(leaves[:split])]


def cases(kind: str) -> list[Any]:
    found = sorted((VECTORS / kind).glob("*/*.json"))
    if not found:
        return [pytest.param(None, id="absent", marks=pytest.mark.skip(reason=f"no public vectors at {VECTORS}"))]
    return [pytest.param(path, id=f"{path.parent.name}/{path.stem}") for path in found]


@pytest.mark.parametrize("path", cases("inclusion"))
def test_public_inclusion_vectors_are_judged_as_published(path: Path) -> None:
    case = json.loads(path.read_text())
    proof = [b64decode(each) for each in case["proof"] or []]
    given_values = (b64decode(case["leafHash"]), case["leafIdx"], case["treeSize"], proof, b64decode(case["root"]))
    judge(case["wantErr"], lambda: merkle.verify_inclusion(*given_values))


@pytest.mark.parametrize("path", cases("consistency"))
def test_public_consistency_vectors_are_judged_as_published(path: Path) -> None:
    case = json.loads(path.read_text())
    proof = [b64decode(each) for each in case["proof"] or []]
    roots = (b64decode(case["root1"]), b64decode(case["root2"]))
    judge(case["wantErr"], lambda: merkle.verify_consistency(case["size1"], case["size2"], *roots, proof))


def judge(wanted: bool, check: Callable[[], None]) -> None:
    if wanted:
        with pytest.raises(ProofError):
            check()
    else:
        check()


@pytest.mark.parametrize("size", range(MOST + 1))
def test_roots_are_those_of_the_definition(size: int) -> None:
    assert ROOTS[size] == defined_root(LEAVES[:size])


@pytest.mark.parametrize("size", range(1, MOST + 1))
def test_every_inclusion_proof_is_that_of_the_definition_and_verifies(size: int) -> None:
    for index in range(size):
        proof = merkle.inclusion_proof(LEAVES[:size], index)
        assert proof == defined_path(index, LEAVES[:size])
        merkle.verify_inclusion(LEAVES[index], index, size, proof, ROOTS[size])


@pytest.mark.parametrize("size", range(1, MOST + 1))
def test_every_consistency_proof_is_that_of_the_definition_and_verifies(size: int) -> None:
    for older in range(1, size + 1):
        proof = merkle.consistency_proof(LEAVES[:size], older)
        assert proof == defined_subproof(older, LEAVES[:size], complete=True)
        merkle.verify_consistency(older, size, ROOTS[older], ROOTS[size], proof)


@given(data=st.data())
def test_only_the_one_right_inclusion_proof_leads_to_a_root(data: st.DataObject) -> None:
    # A proof says nothing about the size: (2 of 3) and (1 of 2) have the same turns. The root under that size does.
    sizes = st.integers(1, MOST)
    size, other_size = data.draw(sizes), data.draw(sizes)
    index, other_index = data.draw(st.integers(0, size - 1)), data.draw(st.integers(0, other_size - 1))
    proof = merkle.inclusion_proof(LEAVES[:size], index)
    right = index == other_index and proof == defined_path(index, LEAVES[:other_size])
    judge(not right, lambda: merkle.verify_inclusion(LEAVES[index], other_index, other_size, proof, ROOTS[other_size]))


@given(data=st.data())
def test_only_the_one_right_consistency_proof_leads_to_both_roots(data: st.DataObject) -> None:
    sizes = st.integers(1, MOST)
    older, size = sorted((data.draw(sizes), data.draw(sizes)))
    other_older, other_size = sorted((data.draw(sizes), data.draw(sizes)))
    proof = merkle.consistency_proof(LEAVES[:size], older)
    right = proof == defined_subproof(other_older, LEAVES[:other_size], complete=True)
    roots = (ROOTS[other_older], ROOTS[other_size])
    judge(not right, lambda: merkle.verify_consistency(other_older, other_size, *roots, proof))


@given(size=st.integers(2, MOST), data=st.data())
def test_one_changed_bit_of_a_proof_is_refused(size: int, data: st.DataObject) -> None:
    index = data.draw(st.integers(0, size - 1))
    proof = merkle.inclusion_proof(LEAVES[:size], index)
    place, bit = data.draw(st.integers(0, len(proof) - 1)), data.draw(st.integers(0, 255))
    proof[place] = (int.from_bytes(proof[place], "big") ^ 1 << bit).to_bytes(32, "big")
    with pytest.raises(ProofError):
        merkle.verify_inclusion(LEAVES[index], index, size, proof, ROOTS[size])


def test_a_node_is_never_taken_for_a_leaf() -> None:
    left, right = LEAVES[:2]
    node = merkle.node_hash(left, right)
    assert merkle.leaf_hash(left + right) != node
    # Passed off as the leaf of a smaller tree, a node has the wrong size; with its own size the proof is too short.
    with pytest.raises(ProofError):
        merkle.verify_inclusion(node, 0, 4, merkle.inclusion_proof(LEAVES[:4], 0)[1:], ROOTS[4])


@pytest.mark.parametrize(
    ("size1", "size2", "proof"),
    [
        pytest.param(0, 0, [], id="empty and empty"),
        pytest.param(0, 8, [], id="from the empty tree"),
        pytest.param(0, 8, [LEAVES[0]] * 3, id="from the empty tree with a proof"),
        pytest.param(9, 8, [], id="backwards"),
        pytest.param(5, 5, [LEAVES[0]], id="the same size with a proof"),
        pytest.param(-1, 8, [], id="below zero"),
        pytest.param(True, 8, [LEAVES[0]] * 3, id="a bool"),
        pytest.param(1.0, 8, [LEAVES[0]] * 3, id="a float"),
        pytest.param("1", 8, [], id="a text"),
        pytest.param(1, None, [], id="none"),
        pytest.param(1, 1 << 64, [LEAVES[0]] * 64, id="a size of 2**64"),
        pytest.param(1, 8, None, id="no list"),
        pytest.param(1, 8, b"\0" * 96, id="bytes for a list"),
        pytest.param(1, 8, [LEAVES[0]] * 2, id="too short"),
        pytest.param(1, 8, [LEAVES[0]] * 4, id="too long"),
        pytest.param(1, 8, [LEAVES[0], LEAVES[0], b""], id="an empty hash"),
        pytest.param(1, 8, [LEAVES[0], LEAVES[0], b"\0" * 33], id="a long hash"),
        pytest.param(1, 8, [LEAVES[0], LEAVES[0], "0" * 32], id="a text for a hash"),
        pytest.param(1, 8, [LEAVES[0], LEAVES[0], None], id="none for a hash"),
        pytest.param(1, 8, [LEAVES[0], LEAVES[0], bytearray(32)], id="a bytearray for a hash"),
    ],
)
def test_consistency_is_refused_before_anything_is_hashed(
    size1: Any, size2: Any, proof: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(merkle, "node_hash", no_hashing)
    with pytest.raises(ProofError):
        merkle.verify_consistency(size1, size2, ROOTS[1], ROOTS[8], proof)


@pytest.mark.parametrize(
    ("leaf", "index", "size", "proof", "root"),
    [
        pytest.param(LEAVES[0], 0, 0, [], ROOTS[0], id="the empty tree"),
        pytest.param(LEAVES[0], 1, 1, [], ROOTS[1], id="index is the size"),
        pytest.param(LEAVES[0], 8, 8, [LEAVES[0]] * 3, ROOTS[8], id="index is the size, with a proof"),
        pytest.param(LEAVES[0], -1, 8, [LEAVES[0]] * 3, ROOTS[8], id="below zero"),
        pytest.param(LEAVES[0], 2**64 - 1, 8, [LEAVES[0]] * 3, ROOTS[8], id="minus one in 64 bits"),
        pytest.param(LEAVES[0], 0, 2**64, [LEAVES[0]] * 64, ROOTS[8], id="a size of 2**64"),
        pytest.param(LEAVES[0], 0, 2**200, [LEAVES[0]] * 200, ROOTS[8], id="a size of 2**200"),
        pytest.param(LEAVES[0], False, 1, [], ROOTS[1], id="a bool"),
        pytest.param(LEAVES[0], 0, True, [], ROOTS[1], id="a bool for a size"),
        pytest.param(LEAVES[0], 0, 1, [LEAVES[0]], ROOTS[1], id="a proof for a tree of one"),
        pytest.param(LEAVES[0], 0, 8, [], ROOTS[8], id="no proof"),
        pytest.param(LEAVES[0], 0, 8, None, ROOTS[8], id="none for a proof"),
        pytest.param(LEAVES[0], 0, 8, [LEAVES[0]] * 4, ROOTS[8], id="too long"),
        pytest.param(LEAVES[0], 0, 8, [LEAVES[0], b"\0" * 31, LEAVES[0]], ROOTS[8], id="a short hash"),
        pytest.param(LEAVES[0][:31], 0, 1, [], ROOTS[1], id="a short leaf"),
        pytest.param("0" * 32, 0, 1, [], ROOTS[1], id="a text for a leaf"),
        pytest.param(LEAVES[0], 0, 1, [], ROOTS[1] + b"\0", id="a long root"),
        pytest.param(LEAVES[0], 0, 1, [], None, id="no root"),
    ],
)
def test_inclusion_is_refused_before_anything_is_hashed(
    leaf: Any, index: Any, size: Any, proof: Any, root: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(merkle, "node_hash", no_hashing)
    with pytest.raises(ProofError):
        merkle.verify_inclusion(leaf, index, size, proof, root)


def no_hashing(left: bytes, right: bytes) -> bytes:
    raise AssertionError(f"hashed {left!r} and {right!r}")


def test_equal_sizes_need_equal_roots_and_no_proof() -> None:
    merkle.verify_consistency(5, 5, ROOTS[5], ROOTS[5], [])
    with pytest.raises(ProofError):
        merkle.verify_consistency(5, 5, ROOTS[5], ROOTS[6], [])


@pytest.mark.parametrize("exponent", [40, 52, 63])
def test_proofs_for_huge_trees_are_walked_not_built(exponent: int) -> None:
    # A tree nobody can build: its root is whatever the proof leads to.
    proof = [hashlib.sha256(bytes([level])).digest() for level in range(exponent)]
    head = LEAVES[0]
    for sibling in proof:
        head = merkle.node_hash(head, sibling)
    merkle.verify_inclusion(LEAVES[0], 0, 1 << exponent, proof, head)
    with pytest.raises(ProofError):
        merkle.verify_inclusion(LEAVES[0], 1, 1 << exponent, proof, head)


def test_proofs_are_not_made_for_what_is_not_there() -> None:
    for bad in (-1, 3, 2**64):
        with pytest.raises(ProofError):
            merkle.inclusion_proof(LEAVES[:3], bad)
    for bad in (-1, 0, 4):
        with pytest.raises(ProofError):
            merkle.consistency_proof(LEAVES[:3], bad)


@pytest.mark.parametrize("leaves", [[b"short"], [LEAVES[0], "0" * 32], [bytearray(32)]])
def test_roots_are_not_made_of_what_is_no_hash(leaves: Any) -> None:
    with pytest.raises(ProofError):
        merkle.root(leaves)


@given(sizes=st.lists(st.integers(0, 600), max_size=6))
def test_a_frontier_extended_by_any_portions_has_the_root_of_all(sizes: list[int]) -> None:
    leaves = [merkle.leaf_hash(number.to_bytes(4, "big")) for number in range(sum(sizes))]
    frontier = Frontier()
    start = 0
    for size in sizes:
        frontier.extend(leaves[start : start + size])
        start += size
    assert (frontier.size, frontier.root()) == (len(leaves), merkle.root(leaves))
    assert Frontier.restore(frontier.serialise()).root() == frontier.root()


def test_a_frontier_appended_to_leaf_by_leaf_has_the_defined_roots() -> None:
    frontier = Frontier()
    for size in range(MOST):
        assert frontier.root() == ROOTS[size]
        frontier.append(LEAVES[size])
    assert len(frontier.serialise()) == 8 + 32 * MOST.bit_count()


def test_a_copied_frontier_grows_alone() -> None:
    frontier = Frontier()
    frontier.extend(LEAVES[:5])
    twin = frontier.copy()
    twin.append(LEAVES[5])
    assert (frontier.root(), twin.root()) == (ROOTS[5], ROOTS[6])


@pytest.mark.parametrize(
    "change", [lambda data: data[:-1], lambda data: data + b"\0" * 32, lambda _: b"", lambda _: b"\0" * 7]
)
def test_a_frontier_of_another_length_is_refused(change: Callable[[bytes], bytes]) -> None:
    frontier = Frontier()
    frontier.extend(LEAVES[:5])
    with pytest.raises(ProofError):
        Frontier.restore(change(frontier.serialise()))


def test_a_frontier_takes_hashes_only() -> None:
    with pytest.raises(ProofError):
        Frontier().append(b"not a hash")

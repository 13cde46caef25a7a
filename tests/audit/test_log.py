"""Proofs from stored tiles are those of the whole tree; the signer signs only what continues what it signed."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from audit import log, merkle
from audit.entry import decode, encode
from audit.errors import ProofError, SigningError, StoreError
from audit.log import Signer
from audit.store import MemoryLeafStore
from tests.audit.logs import LOG, LogMaker, edited

SIZE = 66_000


@pytest.fixture(scope="module")
def store() -> MemoryLeafStore:
    made = MemoryLeafStore()
    for number in range(SIZE):
        made.append(b"%d" % number)
    return made


SIZES = st.one_of(st.sampled_from([1, 255, 256, 257, 511, 65_535, 65_536, 65_537, SIZE]), st.integers(1, SIZE))


@given(size=SIZES, data=st.data())
def test_inclusion_proofs_from_tiles_verify_under_roots_from_tiles(
    store: MemoryLeafStore, size: int, data: st.DataObject
) -> None:
    index = data.draw(st.integers(0, size - 1))
    leaf = store.leaf_hashes(index, index + 1)[0]
    merkle.verify_inclusion(leaf, index, size, log.inclusion_proof(store, index, size), log.root_at(store, size))


@given(sizes=st.tuples(SIZES, SIZES).map(sorted))
def test_consistency_proofs_from_tiles_verify_under_roots_from_tiles(store: MemoryLeafStore, sizes: list[int]) -> None:
    older, newer = sizes
    roots = (log.root_at(store, older), log.root_at(store, newer))
    merkle.verify_consistency(older, newer, *roots, log.consistency_proof(store, older, newer))


@pytest.mark.parametrize("size", [0, 1, 2, 255, 256, 257, 600, 65_536, SIZE])
def test_roots_from_tiles_are_those_of_all_leaves(store: MemoryLeafStore, size: int) -> None:
    assert log.root_at(store, size) == merkle.root(store.leaf_hashes(0, size))


def test_a_proof_reads_a_few_tiles_and_never_all_leaves(store: MemoryLeafStore) -> None:
    read: list[int] = []

    class Counting(MemoryLeafStore):
        def size(self) -> int:
            return store.size()

        def leaf_hashes(self, start: int, stop: int) -> Sequence[bytes]:
            read.append(stop - start)
            return store.leaf_hashes(start, stop)

        def tile(self, level: int, index: int) -> bytes | None:
            read.append(256)
            return store.tile(level, index)

    log.inclusion_proof(Counting(), 12_345, SIZE)
    assert sum(read) < 10_000


def test_what_the_store_does_not_have_is_refused(store: MemoryLeafStore) -> None:
    for size in (SIZE + 1, -1):
        with pytest.raises(StoreError):
            log.root_at(store, size)
    with pytest.raises(StoreError):
        log.inclusion_proof(store, 0, SIZE + 1)
    with pytest.raises(StoreError):
        log.consistency_proof(store, 1, SIZE + 1)
    with pytest.raises(ProofError):
        log.inclusion_proof(store, 5, 5)
    with pytest.raises(ProofError):
        log.consistency_proof(store, 0, 5)


def test_a_store_that_lacks_leaves_below_its_size_is_found_out() -> None:
    class Short(MemoryLeafStore):
        def size(self) -> int:
            return 5

        def leaf_hashes(self, start: int, stop: int) -> Sequence[bytes]:
            return []

    with pytest.raises(StoreError):
        log.root_at(Short(), 5)


# The signer -----------------------------------------------------------------------------------------------------------


@given(cuts=st.lists(st.integers(0, 60), max_size=4).map(sorted))
def test_a_signer_that_advances_in_any_portions_reaches_the_root_of_the_log(cuts: list[int]) -> None:
    made = LogMaker(1).grow(60)
    bodies, signer = made.bodies(), Signer(LOG)
    for start, stop in zip([0, *cuts], [*cuts, 60], strict=True):
        signer = signer.advance(bodies[start:stop], root=log.root_at(made.store, stop))
    assert (signer.size, signer.root()) == (60, log.root_at(made.store, 60))
    assert signer.last_time == decode(bodies[-1]).time


def test_a_new_signer_has_signed_nothing() -> None:
    assert (Signer(LOG).size, Signer(LOG).root(), Signer(LOG).last_time) == (0, merkle.EMPTY_ROOT, 0)


def test_a_signer_is_not_changed_by_what_it_refuses() -> None:
    bodies = LogMaker(1).grow(9).bodies()
    signer = Signer(LOG).advance(bodies[:5])
    before = (signer.size, signer.root())
    with pytest.raises(SigningError):
        signer.advance([*bodies[5:8], b"{}"])
    assert (signer.size, signer.root()) == before


def refused(bodies: list[bytes]) -> Iterator[tuple[str, list[bytes], int]]:
    yield "an entry left out", bodies[6:], 5
    yield "an entry signed before", bodies[4:], 5
    yield "two entries exchanged", [bodies[6], bodies[5]], 5
    yield "an entry doubled", [bodies[5], bodies[5]], 6
    yield "not an entry", [bodies[5], b"{}"], 6
    yield "another log", [edited(bodies[5], log="log_2")], 5
    yield "a time that goes back", [edited(bodies[5], time=decode(bodies[4]).time - 1)], 5


@pytest.mark.parametrize(
    ("bodies", "index"),
    [pytest.param(bodies, index, id=name) for name, bodies, index in refused(LogMaker(1).grow(9).bodies())],
)
def test_a_signer_refuses_what_does_not_follow(bodies: list[bytes], index: int) -> None:
    signer = Signer(LOG).advance(LogMaker(1).grow(9).bodies()[:5])
    with pytest.raises(SigningError) as refusal:
        signer.advance(bodies)
    assert refusal.value.index == index


def test_a_signer_refuses_a_head_that_is_not_that_of_the_stored_entries() -> None:
    made = LogMaker(1).grow(9)
    bodies = made.bodies()
    bodies[3] = edited(bodies[3], request="req_forged")
    with pytest.raises(SigningError) as refusal:
        Signer(LOG).advance(bodies, root=log.root_at(made.store, 9))
    assert refusal.value.evidence["size"] == 9


def test_a_changed_entry_that_was_signed_before_does_not_reach_the_next_signature() -> None:
    # The signer does not read old rows again: its frontier holds them, so the new head still covers what was signed.
    made = LogMaker(1).grow(9)
    signer = Signer(LOG).advance(made.bodies()[:5])
    assert signer.advance(made.bodies()[5:]).root() == log.root_at(made.store, 9)


def test_the_time_may_stand_still() -> None:
    first = LogMaker(1).grow(1).bodies()[0]
    second = encode(decode(first)._replace(index=1, subjects={}, eseq=None, eprev=None))
    assert Signer(LOG).advance([first, second]).size == 2

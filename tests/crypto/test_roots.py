from __future__ import annotations

import os
from pathlib import Path

import pytest

from service.crypto.keyobjects import decode
from service.crypto.keys import KeyStore
from service.crypto.kms import LocalRootKey
from service.crypto.roots import ChangingRoot, move
from service.crypto.wrapping import SecretKey, generate_key
from service.errors import KeyPlaceError, RootKeyError, SealError, UnavailableError
from tests.fakes.keyplaces import MemoryKeyPlace

FIRM, PERSON = "key_" + "1" * 32, "key_" + "2" * 32


class AwayRoot(LocalRootKey):
    """A root key that cannot be reached just now."""

    def unwrap(self, wrapped: bytes, context: bytes) -> SecretKey:
        raise RootKeyError


@pytest.fixture
def old(tmp_path: Path) -> LocalRootKey:
    return LocalRootKey.create(tmp_path / "old.key")


@pytest.fixture
def new(tmp_path: Path) -> LocalRootKey:
    return LocalRootKey.create(tmp_path / "new.key")


@pytest.fixture
def both(old: LocalRootKey, new: LocalRootKey) -> ChangingRoot:
    return ChangingRoot(new, old)


@pytest.fixture
def places() -> list[MemoryKeyPlace]:
    return [MemoryKeyPlace("near"), MemoryKeyPlace("far")]


@pytest.fixture
def keys(old: LocalRootKey, places: list[MemoryKeyPlace]) -> dict[str, SecretKey]:
    store = KeyStore(old, places, lambda: 0.0, os.urandom)
    return {FIRM: store.create(FIRM, "firm", None), PERSON: store.create(PERSON, "person", FIRM)}


def alone(root: LocalRootKey | ChangingRoot, places: list[MemoryKeyPlace]) -> KeyStore:
    return KeyStore(root, places, lambda: 0.0, os.urandom)


def test_both_root_keys_open_and_the_new_one_wraps(old: LocalRootKey, new: LocalRootKey, both: ChangingRoot) -> None:
    key = generate_key(os.urandom)
    assert both.unwrap(old.wrap(key, b"c"), b"c") == key
    assert new.unwrap(both.wrap(key, b"c"), b"c") == key
    with pytest.raises(SealError):
        both.unwrap(old.wrap(key, b"c"), b"d")
    assert old.describe() in repr(both)
    assert new.describe() in repr(both)
    assert both.check() == ()


def test_a_new_root_key_that_is_away_is_no_reason_to_ask_the_old_one(
    tmp_path: Path, new: LocalRootKey, old: LocalRootKey
) -> None:
    both = ChangingRoot(AwayRoot(tmp_path / "new.key"), old)
    with pytest.raises(UnavailableError):
        both.unwrap(old.wrap(generate_key(os.urandom), b"c"), b"c")


def test_an_object_is_moved_in_every_place_to_the_same_bytes(
    keys: dict[str, SecretKey], places: list[MemoryKeyPlace], new: LocalRootKey, old: LocalRootKey, both: ChangingRoot
) -> None:
    assert move(places, FIRM, both)
    assert places[0].objects == places[1].objects
    assert {key_id: alone(new, places).open(key_id) for key_id in keys} == keys
    with pytest.raises(SealError):
        alone(old, places).open(FIRM)
    assert not move(places, FIRM, both)


def test_what_hangs_on_another_key_stays_as_it_is(
    keys: dict[str, SecretKey], places: list[MemoryKeyPlace], both: ChangingRoot
) -> None:
    before = places[0].objects[PERSON]
    assert not move(places, PERSON, both)
    assert places[0].objects[PERSON] == before


@pytest.mark.parametrize("stored", [False, True])
@pytest.mark.parametrize("place", [0, 1])
def test_cut_short_at_any_place_it_opens_and_is_ended_by_the_next_run(
    keys: dict[str, SecretKey], places: list[MemoryKeyPlace], both: ChangingRoot, place: int, stored: bool
) -> None:
    places[place].faults.plan("replace", KeyPlaceError, stored=stored)
    with pytest.raises(KeyPlaceError):
        move(places, FIRM, both)
    assert alone(both, places).open(PERSON) == keys[PERSON]
    move(places, FIRM, both)
    assert places[0].objects == places[1].objects
    assert alone(both.new, places).open(PERSON) == keys[PERSON]  # type: ignore[arg-type]  # it is a LocalRootKey


def test_a_key_that_is_gone_is_not_brought_back(
    keys: dict[str, SecretKey], places: list[MemoryKeyPlace], both: ChangingRoot
) -> None:
    del places[1].objects[FIRM]
    assert move(places, FIRM, both)
    assert FIRM not in places[1].objects
    del places[0].objects[FIRM]
    assert not move(places, FIRM, both)
    assert FIRM not in places[0].objects


def test_what_is_damaged_in_one_place_is_replaced_and_in_all_is_a_broken_seal(
    keys: dict[str, SecretKey], places: list[MemoryKeyPlace], new: LocalRootKey, both: ChangingRoot
) -> None:
    places[0].objects[FIRM] = b"damaged"
    assert move(places, FIRM, both)
    assert alone(new, places[:1]).open(FIRM) == keys[FIRM]
    for place in places:
        place.objects[FIRM] = b"damaged"
    with pytest.raises(SealError):
        move(places, FIRM, both)


def test_the_object_keeps_its_id_and_its_kind(
    keys: dict[str, SecretKey], places: list[MemoryKeyPlace], both: ChangingRoot
) -> None:
    move(places, FIRM, both)
    said = decode(places[0].objects[FIRM])
    assert (said.key_id, said.kind, said.parent) == (FIRM, "firm", None)


def test_what_neither_root_key_opens_is_a_broken_seal_however_well_it_is_spelled(
    keys: dict[str, SecretKey], places: list[MemoryKeyPlace], both: ChangingRoot, tmp_path: Path
) -> None:
    foreign = MemoryKeyPlace("foreign")
    KeyStore(LocalRootKey.create(tmp_path / "foreign.key"), [foreign], lambda: 0.0, os.urandom).create(
        FIRM, "firm", None
    )
    for place in places:
        place.objects[FIRM] = foreign.objects[FIRM]
    with pytest.raises(SealError):
        move(places, FIRM, both)
    assert alone(both, places).root is both

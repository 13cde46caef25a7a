from __future__ import annotations

import os
from pathlib import Path

import pytest

from service.crypto.keys import KeyStore
from service.crypto.kms import LocalRootKey
from service.crypto.mending import copy_missing
from service.errors import KeyMissingError, KeyPlaceError
from tests.fakes.keyplaces import MemoryKeyPlace

FIRM, PERSON = "key_" + "1" * 32, "key_" + "2" * 32


@pytest.fixture
def places() -> list[MemoryKeyPlace]:
    return [MemoryKeyPlace(name) for name in ("near", "far", "safe")]


@pytest.fixture
def keys(tmp_path: Path, places: list[MemoryKeyPlace]) -> KeyStore:
    store = KeyStore(LocalRootKey.create(tmp_path / "root.key"), places, lambda: 0.0, os.urandom)
    store.create(FIRM, "firm", None)
    store.create(PERSON, "person", FIRM)
    return store


def test_a_place_that_lacks_a_key_gets_it_and_is_named(keys: KeyStore, places: list[MemoryKeyPlace]) -> None:
    places[0].objects.clear()
    del places[2].objects[PERSON]
    assert copy_missing(keys, PERSON) == ("near", "safe")
    assert copy_missing(keys, FIRM) == ("near",)
    assert places[0].objects == places[1].objects == places[2].objects
    assert copy_missing(keys, PERSON) == ()


def test_only_what_opens_is_copied_and_what_does_not_is_replaced(keys: KeyStore, places: list[MemoryKeyPlace]) -> None:
    places[0].objects[PERSON] = places[0].objects[FIRM]  # copied over another
    places[1].objects[PERSON] = b"damaged"
    assert copy_missing(keys, PERSON) == ("near", "far")
    assert places[0].objects[PERSON] == places[2].objects[PERSON]


def test_where_nothing_opens_nothing_is_written(keys: KeyStore, places: list[MemoryKeyPlace]) -> None:
    for place in places[:2]:
        place.objects[PERSON] = b"damaged"
    del places[2].objects[PERSON]
    with pytest.raises(KeyMissingError):
        copy_missing(keys, PERSON)
    assert PERSON not in places[2].objects


def test_a_key_whose_parent_was_destroyed_is_not_copied(keys: KeyStore, places: list[MemoryKeyPlace]) -> None:
    del places[0].objects[PERSON]
    keys.destroy(FIRM)
    with pytest.raises(KeyMissingError):
        copy_missing(keys, PERSON)
    assert PERSON not in places[0].objects


def test_somebody_who_was_faster_is_let_be(
    keys: KeyStore, places: list[MemoryKeyPlace], monkeypatch: pytest.MonkeyPatch
) -> None:
    held = bytes(bytearray(places[0].objects.pop(PERSON)))
    real = places[1].get

    def meanwhile(key_id: str) -> bytes:
        places[0].objects[PERSON] = held
        return real(key_id)

    monkeypatch.setattr(places[1], "get", meanwhile)
    assert copy_missing(keys, PERSON) == ()


def test_a_place_that_is_away_stops_it(keys: KeyStore, places: list[MemoryKeyPlace]) -> None:
    places[1].faults.plan("get", KeyPlaceError)
    with pytest.raises(KeyPlaceError):
        copy_missing(keys, PERSON)


def test_a_key_names_the_one_it_hangs_on(keys: KeyStore) -> None:
    assert (keys.parent_of(PERSON), keys.parent_of(FIRM)) == (FIRM, None)
    with pytest.raises(KeyMissingError):
        keys.parent_of("key_" + "9" * 32)

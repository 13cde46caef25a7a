from __future__ import annotations

import base64
import os
import threading
from collections.abc import Sequence
from pathlib import Path

import pytest

from service.crypto.keyobjects import KeyObject, decode, encode
from service.crypto.keys import FolderKeyPlace, KeyPlace, KeyStore, PlaceConfirmation
from service.crypto.kms import LocalRootKey
from service.crypto.wrapping import SecretKey
from service.errors import BadInputError, ExistsError, KeyMissingError, KeyPlaceError, SealError, UnsafeError
from tests.fakes.keyplaces import MemoryKeyPlace

FIRM, ENGAGEMENT, PART, OTHER = ("key_" + digit * 32 for digit in "1234")


class Clock:
    """Seconds that a test moves."""

    def __init__(self, now: float) -> None:
        self.now = now

    def __call__(self) -> float:
        return self.now


class World:
    """A store over three memory places, with clocks that a test moves."""

    def __init__(self, path: Path, cache_size: int = 1000) -> None:
        self.root = LocalRootKey.create(path / "root.key", os.urandom)
        self.places = [MemoryKeyPlace(name) for name in ("near", "far", "safe")]
        self.clock, self.ticks = Clock(1_000.25), Clock(0.0)
        self.store = self.another(cache_size=cache_size)

    def another(self, places: Sequence[KeyPlace] | None = None, cache_size: int = 1000) -> KeyStore:
        """Another process over the same places."""
        chosen = self.places if places is None else places
        return KeyStore(self.root, chosen, self.clock, os.urandom, cache_size=cache_size, ticks=self.ticks)

    def reads(self) -> int:
        return sum(place.faults.calls.count("get") for place in self.places)


@pytest.fixture
def world(tmp_path: Path) -> World:
    return World(tmp_path)


@pytest.fixture
def chain(world: World) -> World:
    world.store.create(ENGAGEMENT, "engagement", None)
    world.store.create(PART, "matter_part", ENGAGEMENT)
    return world


# Making --------------------------------------------------------------------------------------------------------------


def test_a_new_key_is_in_every_place_before_it_is_used(chain: World) -> None:
    for place in chain.places:
        assert set(place.objects) == {ENGAGEMENT, PART}
    assert chain.store.exists(PART) == {"near": True, "far": True, "safe": True}


def test_another_process_opens_the_same_key(chain: World) -> None:
    assert chain.another().open(PART) == chain.store.open(PART)
    assert chain.store.open(PART) != chain.store.open(ENGAGEMENT)


def test_create_gives_the_key_that_open_gives(world: World) -> None:
    made = world.store.create(FIRM, "firm", None)
    assert isinstance(made, SecretKey)
    assert world.store.open(FIRM) == made


def test_no_object_holds_the_key_itself(chain: World) -> None:
    raw = chain.store.open(PART).reveal()
    for place in chain.places:
        held = place.objects[PART]
        assert raw not in held
        assert raw not in decode(held).wrapped
        assert base64.b64encode(raw) not in held
        assert raw.hex().encode() not in held


@pytest.mark.parametrize("stored", [False, True])
@pytest.mark.parametrize("failing", [0, 1, 2])
def test_a_place_that_fails_takes_the_new_key_back_from_all(world: World, failing: int, stored: bool) -> None:
    world.places[failing].faults.plan("put", KeyPlaceError, stored=stored)
    with pytest.raises(KeyPlaceError):
        world.store.create(FIRM, "firm", None)
    assert [place.objects for place in world.places] == [{}, {}, {}]
    with pytest.raises(KeyMissingError):
        world.store.open(FIRM)


def test_a_key_of_the_same_id_is_never_taken_back(chain: World) -> None:
    before = [dict(place.objects) for place in chain.places]
    with pytest.raises(ExistsError):
        chain.store.create(PART, "matter_part", ENGAGEMENT)
    del chain.places[0].objects[PART]
    with pytest.raises(ExistsError):
        chain.store.create(PART, "matter_part", ENGAGEMENT)
    chain.places[0].objects[PART] = before[0][PART]
    assert [place.objects for place in chain.places] == before


def test_what_cannot_be_taken_back_is_left_unused(world: World) -> None:
    world.places[1].faults.plan("put", KeyPlaceError)
    world.places[0].faults.plan("delete", KeyPlaceError)
    with pytest.raises(KeyPlaceError):
        world.store.create(FIRM, "firm", None)
    assert world.store.exists(FIRM) == {"near": True, "far": False, "safe": False}


def test_a_key_under_a_missing_parent_is_not_made(world: World) -> None:
    with pytest.raises(KeyMissingError):
        world.store.create(PART, "matter_part", ENGAGEMENT)
    assert all(place.objects == {} for place in world.places)


@pytest.mark.parametrize(
    ("key_id", "kind", "parent"),
    [("key_1", "firm", None), (FIRM, "Firm", None), (FIRM, "", None), (FIRM, "a" * 33, None), (FIRM, "firm", "root")],
)
def test_ids_and_kinds_have_one_form(world: World, key_id: str, kind: str, parent: str | None) -> None:
    with pytest.raises(BadInputError):
        world.store.create(key_id, kind, parent)


@pytest.mark.parametrize("names", [[], ["a", "a"], ["a", "b", "c", "d"]])
def test_one_to_three_places_of_different_names_are_needed(world: World, names: list[str]) -> None:
    with pytest.raises(UnsafeError):
        world.another([MemoryKeyPlace(name) for name in names])


# Opening -------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("error", [KeyPlaceError, KeyMissingError, UnsafeError])
def test_the_next_place_is_asked_when_one_cannot_give_the_key(chain: World, error: type[Exception]) -> None:
    expected = chain.store.open(PART)
    fresh = chain.another()
    chain.places[0].faults.plan("get", error, times=10)
    chain.places[1].faults.plan("get", error, times=10)
    assert fresh.open(PART) == expected


@pytest.mark.parametrize("garbage", [b"", b"{}", b"\xff" * 100, b" " * 10_000])
def test_the_next_place_is_asked_when_one_holds_garbage(chain: World, garbage: bytes) -> None:
    expected = chain.store.open(PART)
    chain.places[0].objects[PART] = garbage
    chain.places[1].objects[ENGAGEMENT] = garbage
    assert chain.another().open(PART) == expected


def test_a_key_that_no_place_has_is_missing(world: World) -> None:
    with pytest.raises(KeyMissingError):
        world.store.open(PART)


def test_a_key_is_not_called_missing_while_a_place_is_away(world: World) -> None:
    world.places[1].faults.plan("get", KeyPlaceError)
    with pytest.raises(KeyPlaceError):
        world.store.open(PART)


def test_a_key_that_is_garbage_everywhere_is_a_broken_seal(chain: World) -> None:
    for place in chain.places[1:]:
        place.objects[PART] = b"garbage"
    del chain.places[0].objects[PART]
    with pytest.raises(SealError):
        chain.another().open(PART)


def test_a_key_file_copied_over_another_does_not_open(chain: World) -> None:
    chain.store.create(OTHER, "matter_part", ENGAGEMENT)
    for place in chain.places:
        place.objects[PART] = place.objects[OTHER]
    with pytest.raises(SealError):
        chain.another().open(PART)


@pytest.mark.parametrize("claim", ["id", "kind", "parent", "no parent"])
def test_a_key_object_that_claims_something_else_does_not_open(chain: World, claim: str) -> None:
    chain.store.create(FIRM, "firm", None)
    for place in chain.places:
        said = decode(place.objects[PART])
        forged = {
            "id": KeyObject(OTHER, said.kind, said.parent, said.wrapped),
            "kind": KeyObject(PART, "firm", said.parent, said.wrapped),
            "parent": KeyObject(PART, said.kind, FIRM, said.wrapped),
            "no parent": KeyObject(PART, said.kind, None, said.wrapped),
        }[claim]
        place.objects[forged.key_id] = encode(forged)
    with pytest.raises(SealError):
        chain.another().open(OTHER if claim == "id" else PART)


def test_a_key_under_another_root_does_not_open(chain: World, tmp_path: Path) -> None:
    other = LocalRootKey.create(tmp_path / "other.key", os.urandom)
    stranger = KeyStore(other, chain.places, chain.clock, os.urandom, ticks=chain.ticks)
    with pytest.raises(SealError):
        stranger.open(PART)


def test_a_circle_of_parents_is_refused(chain: World) -> None:
    for place in chain.places:
        for mine, parent in ((PART, ENGAGEMENT), (ENGAGEMENT, PART)):
            place.objects[mine] = encode(KeyObject(mine, "engagement", parent, bytes(61)))
    with pytest.raises(SealError):
        chain.another().open(PART)


def test_a_chain_has_at_most_four_keys(chain: World) -> None:
    chain.store.create(OTHER, "matter_part", PART)
    last = chain.store.create(FIRM, "matter_part", OTHER)
    assert chain.another().open(FIRM) == last
    with pytest.raises(BadInputError):
        chain.store.create("key_" + "5" * 32, "matter_part", FIRM)


def test_a_key_whose_parent_is_gone_is_missing(chain: World) -> None:
    for place in chain.places:
        del place.objects[ENGAGEMENT]
    with pytest.raises(KeyMissingError):
        chain.another().open(PART)


# Remembering ---------------------------------------------------------------------------------------------------------


def test_an_opened_key_is_read_once_a_minute(chain: World) -> None:
    chain.store.open(PART)
    before = chain.reads()
    chain.ticks.now = 59.9
    chain.store.open(PART)
    assert chain.reads() == before
    chain.ticks.now = 60.0
    chain.store.open(PART)
    assert chain.reads() > before


def test_a_key_is_never_kept_longer_than_the_key_it_was_opened_with(chain: World) -> None:
    store = chain.another()
    store.open(ENGAGEMENT)
    chain.ticks.now = 59.0
    store.open(PART)  # opened through the engagement key that was read 59 s ago
    for place in chain.places:
        place.delete(ENGAGEMENT)  # by another process
    chain.ticks.now = 60.0
    with pytest.raises(KeyMissingError):
        store.open(PART)


def test_a_key_is_seen_without_asking_only_while_it_is_kept(chain: World) -> None:
    assert chain.another().peek(PART) is None
    key = chain.store.open(PART)
    before = chain.reads()
    chain.ticks.now = 59.9
    assert chain.store.peek(PART) == key
    chain.ticks.now = 60.0
    assert chain.store.peek(PART) is None
    assert chain.reads() == before


def test_no_more_keys_are_kept_than_allowed(tmp_path: Path) -> None:
    world = World(tmp_path, cache_size=2)
    ids = [f"key_{number:032x}" for number in range(5)]
    for key_id in ids:
        world.store.create(key_id, "firm", None)
        world.store.open(key_id)
    assert len(world.store._cache) == 2
    before = world.reads()
    world.store.open(ids[-1])
    assert world.reads() == before
    world.store.open(ids[0])
    assert world.reads() == before + 1


def test_forgetting_drops_a_key_and_all_that_was_opened_through_it(chain: World) -> None:
    chain.store.create(OTHER, "firm", None)
    chain.store.create(FIRM, "matter_part", PART)
    for key_id in (FIRM, OTHER):
        chain.store.open(key_id)
    chain.store.forget(ENGAGEMENT)
    assert set(chain.store._cache) == {OTHER}


def test_a_key_forgotten_while_it_was_read_is_not_kept(chain: World) -> None:
    store = chain.another()

    class Forgetful(MemoryKeyPlace):
        def get(self, key_id: str) -> bytes:
            data = chain.places[0].get(key_id)
            forgetful.forget(ENGAGEMENT)
            return data

    forgetful = chain.another([Forgetful("near")])
    assert forgetful.open(PART) == store.open(PART)
    assert forgetful._cache == {}


def test_many_threads_open_and_forget_without_harm(chain: World) -> None:
    expected, wrong = chain.store.open(PART), []

    def work() -> None:
        for turn in range(100):
            if chain.store.open(PART) != expected:
                wrong.append(turn)
            if turn % 7 == 0:
                chain.store.forget(ENGAGEMENT)

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert wrong == []


# Destroying ----------------------------------------------------------------------------------------------------------


def test_destroying_confirms_each_place_with_the_second_rounded_up(chain: World) -> None:
    assert chain.store.destroy(PART) == [
        PlaceConfirmation("near", 1_001),
        PlaceConfirmation("far", 1_001),
        PlaceConfirmation("safe", 1_001),
    ]
    assert chain.store.exists(PART) == {"near": False, "far": False, "safe": False}


def test_a_destroyed_key_is_gone_at_once_with_all_below_it(chain: World) -> None:
    chain.store.open(PART)
    chain.store.destroy(ENGAGEMENT)
    for key_id in (ENGAGEMENT, PART):
        with pytest.raises(KeyMissingError):
            chain.store.open(key_id)


def test_destroying_again_is_no_error(chain: World) -> None:
    chain.store.destroy(PART)
    assert len(chain.store.destroy(PART)) == 3


@pytest.mark.parametrize("stored", [False, True])
def test_a_place_that_does_not_confirm_is_named_and_the_others_are_emptied(chain: World, stored: bool) -> None:
    chain.places[1].faults.plan("delete", KeyPlaceError, stored=stored)
    with pytest.raises(KeyPlaceError) as caught:
        chain.store.destroy(PART)
    assert caught.value.extra == {"confirmed": {"near": 1_001, "safe": 1_001}, "unconfirmed": ["far"]}
    assert [PART in place.objects for place in chain.places] == [False, not stored, False]
    chain.clock.now = 2_000.0
    assert {each.confirmed_at for each in chain.store.destroy(PART)} == {2_000}
    with pytest.raises(KeyMissingError):
        chain.store.open(PART)


def test_a_place_that_others_may_use_confirms_nothing(chain: World) -> None:
    chain.places[2].faults.plan("delete", UnsafeError)
    with pytest.raises(KeyPlaceError):
        chain.store.destroy(PART)


def test_a_key_opened_while_it_was_destroyed_is_not_kept(chain: World) -> None:
    class Opening(MemoryKeyPlace):
        def get(self, key_id: str) -> bytes:
            return chain.places[0].get(key_id)

        def delete(self, key_id: str) -> None:
            store.open(PART)
            chain.places[0].delete(key_id)

    store = chain.another([Opening("near")])
    store.destroy(ENGAGEMENT)
    assert store._cache == {}
    with pytest.raises(KeyMissingError):
        store.open(PART)


def test_existence_is_unknown_where_a_place_is_away(chain: World) -> None:
    chain.places[0].faults.plan("get", KeyPlaceError)
    del chain.places[1].objects[PART]
    assert chain.store.exists(PART) == {"near": None, "far": False, "safe": True}


def test_all_ids_are_those_of_every_place_and_a_place_that_is_away_is_said(chain: World) -> None:
    chain.places[2].objects[OTHER] = b"left by a crash"
    assert chain.store.all_ids() == {ENGAGEMENT, PART, OTHER}
    chain.places[1].faults.plan("list", KeyPlaceError)
    with pytest.raises(KeyPlaceError):
        chain.store.all_ids()


# On disk -------------------------------------------------------------------------------------------------------------


def test_a_store_over_folders_survives_the_loss_of_one(tmp_path: Path) -> None:
    root = LocalRootKey.create(tmp_path / "root.key", os.urandom)
    places = [FolderKeyPlace.create(tmp_path / name) for name in ("one", "two")]
    store = KeyStore(root, places, Clock(0.0), os.urandom)
    key = store.create(ENGAGEMENT, "engagement", None)
    for file in (tmp_path / "one").iterdir():
        file.unlink()
    (tmp_path / "one").rmdir()
    again = KeyStore(root, places, Clock(0.0), os.urandom)
    assert again.open(ENGAGEMENT) == key
    with pytest.raises(KeyPlaceError) as caught:
        again.destroy(ENGAGEMENT)
    assert caught.value.extra["unconfirmed"] == ["one"]


# Copies of key objects ------------------------------------------------------------------------------------------------


def test_what_each_place_holds_is_told_by_one_listing_a_place(chain: World) -> None:
    chain.places[1].delete(PART)
    before = chain.reads()
    assert chain.store.ids_by_place() == {"near": {ENGAGEMENT, PART}, "far": {ENGAGEMENT}, "safe": {ENGAGEMENT, PART}}
    assert chain.reads() == before


def test_an_object_is_put_where_it_is_lacking_and_nowhere_else(chain: World) -> None:
    data = bytes(bytearray(chain.store.read_object(PART)))  # as from elsewhere
    chain.places[1].delete(PART)
    assert chain.store.place_object(PART, data) == ["far"]
    assert [place.objects[PART] for place in chain.places] == [data] * 3
    assert chain.store.place_object(PART, bytes(bytearray(data))) == []


def test_a_broken_object_is_not_the_one_that_is_read(chain: World) -> None:
    whole = chain.places[1].objects[PART]
    chain.places[0].objects[PART] = whole.replace(b"matter_part", b"matter_partz")
    assert chain.store.read_object(PART) == whole


def test_where_every_object_is_broken_or_gone_none_is_read(chain: World) -> None:
    for place in chain.places:
        place.objects[PART] = place.objects[ENGAGEMENT]
    with pytest.raises(SealError):
        chain.another().read_object(PART)
    with pytest.raises(KeyMissingError):
        chain.store.read_object(OTHER)


def test_an_object_is_not_put_under_another_id(chain: World) -> None:
    with pytest.raises(SealError):
        chain.store.place_object(OTHER, chain.store.read_object(PART))
    assert all(OTHER not in place.objects for place in chain.places)


@pytest.mark.parametrize("stored", [False, True])
def test_a_place_that_fails_is_told_and_asked_again(chain: World, stored: bool) -> None:
    data = chain.store.read_object(PART)
    chain.places[1].delete(PART)
    chain.places[1].faults.plan("put", KeyPlaceError, stored=stored)
    with pytest.raises(KeyPlaceError):
        chain.store.place_object(PART, data)
    chain.store.place_object(PART, data)
    assert chain.places[1].objects[PART] == data

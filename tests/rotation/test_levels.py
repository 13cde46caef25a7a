"""Rotating the levels below the root: everything opens, nothing that is sealed changes, the old keys die."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any, cast

import pytest

from service import rotation
from service.errors import KeyMissingError, KeyPlaceError
from service.events import EventType
from service.rotation import Level, rotate
from tests.api.places import Fakes, fake_stores, faulty
from tests.disposal.ending import LETTER
from tests.fakes.calls import Calls
from tests.fakes.keyplaces import MemoryKeyPlace
from tests.logs import check_logs, entries_of
from tests.rotation.scene import Scene, a_scene, key_ids, nobody_watches, owned, unmoved
from tests.world import Person

BELOW = {Level.FIRM: [Level.PERSON], Level.ENGAGEMENT: [Level.PART], Level.PERSON: [], Level.PART: []}


@pytest.fixture
async def scene(tmp_path: Path, migrated_url: str) -> AsyncIterator[Scene]:
    async with a_scene(tmp_path / "var", migrated_url) as made:
        yield made


@pytest.fixture
async def shaky(tmp_path: Path, migrated_sqlite_url: str) -> AsyncIterator[tuple[Scene, Fakes]]:
    """On two key places and a database that fail when told to."""
    with fake_stores() as fakes:
        home = tmp_path / "var"
        async with a_scene(home, migrated_sqlite_url, key_places=(home / "first", home / "second")) as made:
            yield made, fakes


@pytest.mark.parametrize("level", Level)
async def test_every_owner_has_a_new_key_and_everything_opens(scene: Scene, level: Level) -> None:
    services = scene.services
    before = {each: key_ids(services, each) for each in Level}
    rows_before, blobs_before = unmoved(services), [info async for info in services.blobs.list()]
    done = await rotate(services, level, nobody_watches)
    changed = [level, *BELOW[level]]
    for each in Level:
        after = key_ids(services, each)
        assert after.keys() == before[each].keys()
        assert all((after[owner] != before[each][owner]) == (each in changed) for owner in after)
    gone = {key_id for each in changed for key_id in before[each].values()}
    assert not gone & services.keys.all_ids()
    assert (done.rotated, done.destroyed) == (len(gone), len(gone))
    assert (unmoved(services), [info async for info in services.blobs.list()]) == (rows_before, blobs_before)
    await scene.assert_whole()


async def test_a_rotation_is_in_the_log_with_both_keys(scene: Scene) -> None:
    [before] = key_ids(scene.services, Level.PART).values()
    await rotate(scene.services, Level.PART, nobody_watches)
    [after] = key_ids(scene.services, Level.PART).values()
    [entry] = entries_of(scene.services.database, scene.world.firm_id, EventType.KEY_ROTATED)
    engagement = scene.endings[0].engagement
    assert entry.subjects == {
        "engagement": engagement.id,
        "part": engagement.part_id,
        "old_key": before,
        "new_key": after,
    }
    assert entry.actor == {"system": "cli"}
    assert entry.data == {"level": "part", "rewrapped": 3}
    logs = check_logs(scene.services.database)
    [deployment] = [log for log in logs if log.startswith("log_")]
    kinds = [each.type for each in logs[deployment] if each.type.startswith("key.")]
    assert kinds == ["key.rotation_started", "key.rotation_finished"]


async def test_the_bar_is_told_how_far_it_is(scene: Scene) -> None:
    told: list[tuple[int, int]] = []
    await rotate(scene.services, Level.PERSON, lambda done, of: told.append((done, of)))
    assert told[0] == (0, len(told) - 1)
    assert told[-1] == (len(told) - 1, len(told) - 1)


async def test_an_engagement_that_is_being_ended_keeps_the_keys_that_people_agreed_to_destroy(scene: Scene) -> None:
    ending = scene.endings[0]
    await ending.request()
    await ending.approve()
    before = ending.key_ids()
    done = await rotate(scene.services, Level.ENGAGEMENT, nobody_watches)
    assert (done.rotated, ending.key_ids()) == (0, before)
    await ending.give_back()
    assert (await ending.run())["state"] == "certified"


async def test_an_engagement_whose_end_was_withdrawn_is_rotated_the_next_time(scene: Scene) -> None:
    ending = scene.endings[0]
    await ending.request()
    await rotate(scene.services, Level.ENGAGEMENT, nobody_watches)
    assert (await ending.attorney.ask("DELETE", ending.path)).status_code in (200, 204)
    assert (await rotate(scene.services, Level.ENGAGEMENT, nobody_watches)).rotated == 2
    await scene.assert_whole()


# Cut short ------------------------------------------------------------------------------------------------------------


class Killed(BaseException):
    """The process dies here: nothing after it runs."""


class Dying(MemoryKeyPlace):
    """A place under which the process dies at a call; `live` brings the next one to life."""


@pytest.mark.parametrize("level", [Level.FIRM, Level.ENGAGEMENT])
@pytest.mark.parametrize("stored", [False, True])
async def test_whichever_call_fails_everything_opens_and_the_next_run_ends_it(
    shaky: tuple[Scene, Fakes], level: Level, stored: bool
) -> None:
    """Each outside call in its turn, failed and failed-but-done."""
    scene, fakes = shaky
    calls, target, hits = Calls(), 0, set()
    while True:
        for place in fakes.places.values():
            place.faults = calls.faults(KeyPlaceError, "put", "delete")
        faulty(scene.world).faults = calls.faults(faulty(scene.world).error, "commit")
        calls.arm(target, stored=stored)
        failed = False
        try:
            await rotate(scene.services, level, nobody_watches)
        except Exception:  # noqa: BLE001  # whatever it is, the promise is the same
            failed = True
        hit = calls.hit
        assert hit or not failed
        calls.disarm()
        await scene.assert_open()
        scene.world.sleep(1)
        await rotate(scene.services, level, nobody_watches)
        await scene.assert_open()
        spare = scene.services.keys.all_ids() - owned(scene.services)
        assert len(spare) <= 1, hit  # a new key whose commit's fate was unknown
        for key_id in spare:
            scene.services.keys.destroy(key_id)
        await scene.assert_whole()
        hits.add(hit)
        if not hit:
            break
        target += 1 if level is Level.ENGAGEMENT else 3
    assert {"put", "delete", "commit"} <= hits


async def test_a_run_that_was_cut_short_goes_on_with_what_is_left(shaky: tuple[Scene, Fakes]) -> None:
    scene, _fakes = shaky
    await scene.begin()
    await scene.begin()

    def die(done: int, _of: int) -> None:
        scene.world.sleep(1)
        if done == 2:
            raise Killed

    with pytest.raises(Killed):
        await rotate(scene.services, Level.ENGAGEMENT, die)
    await scene.assert_open()
    moved = key_ids(scene.services, Level.ENGAGEMENT)
    done = await rotate(scene.services, Level.ENGAGEMENT, nobody_watches)
    assert (done.went_on, done.rotated) == (True, 1 + 3)  # one engagement was left, and all parts
    kept = [owner for owner, key in key_ids(scene.services, Level.ENGAGEMENT).items() if moved[owner] == key]
    assert len(kept) == 2
    await scene.assert_whole()
    again = await rotate(scene.services, Level.ENGAGEMENT, nobody_watches)
    assert (again.went_on, again.rotated) == (False, 6)


async def test_keys_that_a_rotation_left_behind_die_with_their_engagement(shaky: tuple[Scene, Fakes]) -> None:
    """Cut short before the old keys were destroyed: what the certificate says is true all the same."""
    scene, fakes = shaky
    ending = scene.endings[0]
    old = set(ending.key_ids())
    fakes.places["second"].faults.plan("delete", KeyPlaceError)
    with pytest.raises(KeyPlaceError):
        await rotate(scene.services, Level.ENGAGEMENT, nobody_watches)
    assert old & scene.services.keys.all_ids()
    scene.dead |= old
    await scene.end(ending)
    await scene.assert_whole()


async def test_a_part_that_was_not_moved_when_its_engagement_closed_still_opens(shaky: tuple[Scene, Fakes]) -> None:
    scene, _fakes = shaky
    ending = scene.endings[0]

    def die(done: int, of: int) -> None:
        if done == of:
            raise Killed

    with pytest.raises(Killed):
        await rotate(scene.services, Level.ENGAGEMENT, die)  # the engagement is moved, its part is not
    await ending.request()
    await rotate(scene.services, Level.ENGAGEMENT, nobody_watches)
    content = await ending.attorney.get(f"/documents/{ending.letter['document_id']}/content")
    assert content == LETTER
    await scene.assert_open()
    await ending.approve()
    await ending.give_back()
    assert (await ending.run())["state"] == "certified"
    assert len(scene.services.keys.all_ids()) == len(owned(scene.services) - set(ending.key_ids()))


# Races ----------------------------------------------------------------------------------------------------------------


async def test_an_upload_that_runs_while_its_part_is_rotated_is_kept_under_the_new_key(scene: Scene) -> None:
    ending = scene.endings[0]
    part = ending.engagement.part_id

    async def body() -> AsyncIterator[bytes]:
        yield b"first half, "
        await rotate(scene.services, Level.ENGAGEMENT, nobody_watches)
        yield b"second half"

    added = await ending.attorney.upload(ending.engagement.id, part, cast("bytes", body()), sensitivity="confidential")
    await scene.assert_whole()
    path = f"/documents/{added['document_id']}/content"
    assert await ending.attorney.get(path) == b"first half, second half"


async def test_uploads_and_rotations_together_leave_no_document_under_a_retired_key(scene: Scene) -> None:
    ending, kept = scene.endings[0], []

    async def upload(number: int) -> None:
        kept.append((await ending.engagement.document(b"%d" % number), b"%d" % number))

    async def turn() -> None:
        for level in (Level.PART, Level.ENGAGEMENT, Level.PART):
            await rotate(scene.services, level, nobody_watches)

    await asyncio.gather(turn(), *(upload(number) for number in range(8)))
    await scene.assert_whole()
    for document, body in kept:
        assert await ending.attorney.get(f"/documents/{document['document_id']}/content") == body


@pytest.mark.parametrize("level", [Level.FIRM, Level.ENGAGEMENT])
async def test_a_key_made_under_a_parent_that_is_rotated_meanwhile_is_made_again(
    scene: Scene, monkeypatch: pytest.MonkeyPatch, level: Level
) -> None:
    """Between the making of the new key and the job that uses it, its parent is rotated and destroyed."""
    world, ending = scene.world, scene.endings[0]
    real, once = scene.services.keys.create, [True]

    def create(key_id: str, kind: str, parent: str | None) -> Any:
        key = real(key_id, kind, parent)
        if once:
            once.clear()
            loop.call_soon_threadsafe(meanwhile.set)
            asyncio.run_coroutine_threadsafe(turned.wait(), loop).result()
        return key

    loop, meanwhile, turned = asyncio.get_running_loop(), asyncio.Event(), asyncio.Event()
    monkeypatch.setattr(scene.services.keys, "create", create)

    async def add(person: Person) -> Any:
        if level is Level.FIRM:
            return await person.post("/people", {"email": "late@firm.example", "name": "Late Comer"})
        matter = await ending.attorney.post("/matters", {"number": "2027-9999", "client": "Other Client"})
        body = {"matter_id": matter["id"], "caption": "Late part"}
        return await ending.attorney.post(f"/engagements/{ending.engagement.id}/parts", body)

    async def turn() -> None:
        await meanwhile.wait()
        await rotate(scene.services, level, nobody_watches)
        turned.set()

    await asyncio.gather(add(world.owner), turn())
    await scene.assert_whole()


async def test_a_reader_with_old_rows_is_told_to_come_again(scene: Scene) -> None:
    [old] = key_ids(scene.services, Level.PART).values()
    await rotate(scene.services, Level.PART, nobody_watches)
    with pytest.raises(KeyMissingError) as caught:
        scene.services.keys.open(old)
    assert (caught.value.status, caught.value.retry_after_s) == (503, 5)


def test_the_package_offers_what_commands_need() -> None:
    assert set(rotation.__all__) >= {"Level", "mend", "rotate", "rotate_root"}

"""Mending: a lost place gets every living key, and no destroyed key comes back."""

from __future__ import annotations

import shutil
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from sqlalchemy import update

from service import doctor
from service.crypto.keys import FolderKeyPlace
from service.crypto.mending import copy_missing
from service.db.models import disposals
from service.db.session import Tx
from service.errors import KeyPlaceError
from service.events import EventType
from service.ledger import Moment, Outcome
from service.rotation import mend, mending
from tests.logs import check_logs
from tests.rotation.scene import Scene, a_scene, forget_all, nobody_watches, owned


@pytest.fixture
async def scene(tmp_path: Path, migrated_url: str) -> AsyncIterator[Scene]:
    """On two key places."""
    home = tmp_path / "var"
    async with a_scene(home, migrated_url, key_places=(home / "first", home / "second")) as made:
        yield made


def lose(tmp_path: Path, name: str = "second") -> Path:
    """The place's volume burns, and an empty one is mounted instead."""
    path = tmp_path / "var" / name
    shutil.rmtree(path)
    path.mkdir(mode=0o700)
    return path


async def codes(scene: Scene) -> list[str]:
    return [finding.code for finding in await doctor.examine(scene.services) if finding.code != "intent_open"]


@pytest.mark.parametrize("name", ["first", "second"])
async def test_with_one_place_lost_everything_opens_and_the_doctor_says_what_to_do(
    scene: Scene, tmp_path: Path, name: str
) -> None:
    path = lose(tmp_path, name)
    forget_all_kept(scene)
    document = scene.endings[0].letter["document_id"]
    assert (
        len(await scene.endings[0].attorney.get(f"/documents/{document}/content")) == len(b"the firm's letter") * 2000
    )
    assert await codes(scene) == ["key_place_unavailable"]
    with pytest.raises(KeyPlaceError):
        await mend(scene.services, nobody_watches)
    FolderKeyPlace.create(path)
    [finding] = [each for each in await doctor.examine(scene.services) if each.code == "key_place_behind"]
    assert "muniment keys mend" in finding.sentence
    done = await mend(scene.services, nobody_watches)
    assert set(done.copied) == {name}
    assert done.lost == done.destroyed == ()
    first, second = scene.services.keys.places
    assert first.list() == second.list()
    await scene.assert_whole()


def forget_all_kept(scene: Scene) -> None:
    """Nothing is open; a place is away, so rows say which keys there are."""
    for key_id in owned(scene.services):
        scene.services.keys.forget(key_id)


async def test_mending_is_in_the_log_once_and_only_when_there_was_something_to_mend(
    scene: Scene, tmp_path: Path
) -> None:
    FolderKeyPlace.create(lose(tmp_path))
    for _ in range(2):
        await mend(scene.services, nobody_watches)
    mended = [
        entry for log in check_logs(scene.services.database).values() for entry in log if entry.type == "key.mended"
    ]
    assert [entry.type for entry in mended] == [EventType.KEY_MENDED]
    assert mended[0].data == {"copied": len(scene.services.keys.all_ids()), "places": 1, "destroyed": 0}


async def test_a_destroyed_key_is_not_copied_and_one_that_was_brought_back_is_destroyed_again(
    scene: Scene, tmp_path: Path
) -> None:
    ending = scene.endings[0]
    old = tmp_path / "an old copy"
    shutil.copytree(tmp_path / "var" / "second", old)
    await scene.end(ending)
    shutil.rmtree(tmp_path / "var" / "second")
    shutil.copytree(old, tmp_path / "var" / "second")
    (tmp_path / "var" / "second").chmod(0o700)
    assert scene.dead & scene.services.keys.all_ids()
    done = await mend(scene.services, nobody_watches)
    assert set(done.destroyed) == scene.dead
    assert done.copied == {}
    await scene.assert_whole()


async def test_a_key_that_is_destroyed_while_it_is_copied_does_not_come_back(
    scene: Scene, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The disposal has passed all places when mending, which began before, puts its copy."""
    ending = scene.endings[0]
    await ending.returned()
    [engagement_key, part_key] = ending.key_ids()
    held = scene.services.keys.places[0].get(engagement_key)
    FolderKeyPlace.create(lose(tmp_path))

    def late(_keys: object, key_id: str) -> tuple[str, ...]:
        if key_id != engagement_key:
            return () if key_id == part_key else copy_missing(scene.services.keys, key_id)
        for place in scene.services.keys.places:  # the disposal, as far as this key goes
            place.delete(key_id)
        move_on(scene, ending.disposal["id"])
        scene.services.keys.places[1].put(key_id, held)
        return ("second",)

    monkeypatch.setattr(mending, "copy_missing", late)
    await mend(scene.services, nobody_watches)
    assert engagement_key not in scene.services.keys.all_ids()


def move_on(scene: Scene, disposal_id: str) -> None:
    """The disposal is past its point of no return."""
    statement = update(disposals).where(disposals.c.id == disposal_id).values(state="destroying")

    def job(tx: Tx, _moment: Moment) -> Outcome[None]:
        tx.run(statement)
        return Outcome(None)

    scene.services.ledger.run(scene.world.firm_id, job)


async def test_a_key_that_is_damaged_in_one_place_is_replaced_from_another(scene: Scene, tmp_path: Path) -> None:
    [engagement_key, _] = scene.endings[0].key_ids()
    path = tmp_path / "var" / "first" / f"{engagement_key}.key"
    path.write_bytes(path.read_bytes()[:-9] + b'AAAAAA"}\n')
    assert (await mend(scene.services, nobody_watches)).copied == {"first": 1}
    first, second = scene.services.keys.places
    assert first.get(engagement_key) == second.get(engagement_key)
    await scene.assert_whole()


async def test_a_key_that_no_place_holds_whole_is_named(scene: Scene, tmp_path: Path) -> None:
    forget_all(scene.services)
    [engagement_key, part_key] = scene.endings[0].key_ids()
    for place in ("first", "second"):
        (tmp_path / "var" / place / f"{engagement_key}.key").write_bytes(b"not a key")
    done = await mend(scene.services, nobody_watches)
    assert set(done.lost) == {engagement_key, part_key}

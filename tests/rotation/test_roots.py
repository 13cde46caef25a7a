"""Rotating the root key: objects are wrapped anew in their places, no row changes, and the old key is not needed."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from service import wiring
from service.aws import kms_client
from service.crypto.keys import FolderKeyPlace, KeyStore
from service.crypto.kms import LocalRootKey
from service.crypto.kms_aws import KmsRootKey
from service.crypto.roots import ChangingRoot
from service.errors import KeyPlaceError, RootKeyError, SealError, UnsafeError
from service.rotation import rotate_root
from tests.api.places import rows
from tests.fakes.kms import FakeKms, running_kms, use_any_credentials
from tests.rotation.scene import Scene, a_scene, forget_all, nobody_watches


@pytest.fixture
async def scene(tmp_path: Path, migrated_url: str) -> AsyncIterator[Scene]:
    """An installation that was begun on one root key and has another now, on two key places."""
    home = tmp_path / "var"
    places = (home / "first", home / "second")
    async with a_scene(home, migrated_url, key_places=places) as made:
        settings = made.services.settings
        LocalRootKey.create(tmp_path / "new.key")
        changed = settings.model_copy(update={"root_key": tmp_path / "new.key", "root_key_old": str(settings.root_key)})
        made.services.keys._root = wiring.wire(changed)[0].keys.root
        yield made


def alone(scene: Scene, path: Path) -> KeyStore:
    """A process that has but one root key."""
    return KeyStore(LocalRootKey(path), scene.services.keys.places, lambda: 0.0, bytes)


async def test_all_keys_open_with_the_new_root_key_alone_and_no_row_changed(scene: Scene, tmp_path: Path) -> None:
    before, there = rows(scene.services.database), scene.services.keys.all_ids()
    done = await rotate_root(scene.services, nobody_watches)
    assert done.rotated == 3  # the deployment's log, the firm, the engagement; all else hangs on those
    assert rows(scene.services.database) == before
    assert scene.services.keys.all_ids() == there
    for key_id in there:
        alone(scene, tmp_path / "new.key").open(key_id)
        with pytest.raises(SealError):
            alone(scene, tmp_path / "var" / "root.key").open(key_id)
    (tmp_path / "var" / "root.key").unlink()
    await scene.assert_whole()


async def test_both_places_hold_the_same_bytes(scene: Scene) -> None:
    await rotate_root(scene.services, nobody_watches)
    first, second = scene.services.keys.places
    assert all(first.get(key_id) == second.get(key_id) for key_id in first.list())


async def test_it_goes_on_where_it_was_cut_short_and_both_keys_open_meanwhile(
    scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    real, left = FolderKeyPlace.replace, [3]

    def failing(place: FolderKeyPlace, key_id: str, old: bytes, new: bytes) -> bool:
        left[0] -= 1
        if left[0] == 0:
            raise KeyPlaceError
        return real(place, key_id, old, new)

    with monkeypatch.context() as patched:
        patched.setattr(FolderKeyPlace, "replace", failing)
        with pytest.raises(KeyPlaceError):
            await rotate_root(scene.services, nobody_watches)
    await scene.assert_open()
    done = await rotate_root(scene.services, nobody_watches)
    assert (done.went_on, done.rotated) == (True, 2)
    await scene.assert_whole()
    assert (await rotate_root(scene.services, nobody_watches)).rotated == 0


async def test_keys_that_are_made_meanwhile_hang_on_the_new_root_key(scene: Scene, tmp_path: Path) -> None:
    ending = await scene.begin()
    [*_, engagement_key] = ending.key_ids()[:1]
    alone(scene, tmp_path / "new.key").open(engagement_key)


async def test_without_an_old_root_key_it_says_what_to_set(tmp_path: Path, migrated_sqlite_url: str) -> None:
    async with a_scene(tmp_path / "var", migrated_sqlite_url) as scene:
        with pytest.raises(UnsafeError, match="MUNIMENT_ROOT_KEY_OLD"):
            await rotate_root(scene.services, nobody_watches)


async def test_an_object_that_neither_root_key_opens_stops_it(scene: Scene, tmp_path: Path) -> None:
    forget_all(scene.services)
    stray = "key_" + "f" * 32
    foreign = KeyStore(LocalRootKey.create(tmp_path / "foreign.key"), scene.services.keys.places, lambda: 0.0, bytes)
    foreign.create(stray, "firm", None)
    with pytest.raises(SealError):
        await rotate_root(scene.services, nobody_watches)
    foreign.destroy(stray)
    assert (await rotate_root(scene.services, nobody_watches)).went_on


# To a KMS, and from one to another ------------------------------------------------------------------------------------


@pytest.fixture
def kms(monkeypatch: pytest.MonkeyPatch) -> Iterator[FakeKms]:
    use_any_credentials(monkeypatch)
    with running_kms() as running:
        yield running


async def test_a_root_key_moves_from_a_file_into_kms_and_on_to_another_key_there(
    tmp_path: Path, migrated_sqlite_url: str, kms: FakeKms
) -> None:
    """A server with both settings; afterwards the key before is disabled, and nothing misses it."""
    client = kms_client(region="us-east-1", endpoint=kms.endpoint)
    async with a_scene(tmp_path / "var", migrated_sqlite_url) as scene:
        first, second = kms.create_key(), kms.create_key()
        keys = scene.services.keys
        keys._root = ChangingRoot(KmsRootKey(client, first.arn), keys.root)
        await scene.assert_open()
        assert (await rotate_root(scene.services, nobody_watches)).rotated == 3
        keys._root = KmsRootKey(client, first.arn)
        (tmp_path / "var" / "root.key").unlink()
        await scene.assert_whole()
        keys._root = ChangingRoot(KmsRootKey(client, second.arn), keys.root)
        assert (await rotate_root(scene.services, nobody_watches)).rotated == 3
        keys._root, first.state = KmsRootKey(client, second.arn), "Disabled"
        await scene.assert_whole()


async def test_a_kms_that_fails_in_the_middle_of_it_leaves_everything_open_afterwards(
    tmp_path: Path, migrated_sqlite_url: str, kms: FakeKms
) -> None:
    client = kms_client(region="us-east-1", endpoint=kms.endpoint)
    async with a_scene(tmp_path / "var", migrated_sqlite_url) as scene:
        key = kms.create_key()
        root = ChangingRoot(KmsRootKey(client, key.arn), scene.services.keys.root)
        root.check()
        scene.services.keys._root = root

        def fail(done: int, _of: int) -> None:
            if done == 2:
                kms.answers.extend(["KMSInternalException"] * 3)

        with pytest.raises(RootKeyError):
            await rotate_root(scene.services, fail)
        kms.answers.clear()
        await scene.assert_open()
        assert (await rotate_root(scene.services, nobody_watches)).went_on
        await scene.assert_whole()

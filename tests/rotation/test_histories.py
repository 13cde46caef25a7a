"""Whatever is done to the keys, in whatever order and cut short wherever: the living open, the dead stay dead."""

from __future__ import annotations

import random
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest

from service.crypto.kms import LocalRootKey
from service.crypto.roots import ChangingRoot
from service.errors import KeyPlaceError
from service.rotation import Level, mend, rotate, rotate_root
from tests.api.places import Fakes, fake_stores, faulty
from tests.fakes.calls import Calls
from tests.rotation.scene import Scene, a_scene, nobody_watches, owned
from tests.scale import count

STEPS = 14
FAILING = ("put", "delete", "replace", "list")


class Killed(BaseException):
    """The process dies here."""


class History:
    """Random work on one installation's keys, drawn from a seed."""

    def __init__(self, scene: Scene, fakes: Fakes, folder: Path, seed: int) -> None:
        self.scene, self.fakes, self.folder = scene, fakes, folder
        self.random = random.Random(seed)
        self.calls = Calls()
        self.crashes = 0
        self.told: list[str] = []
        for place in fakes.places.values():
            place.faults = self.calls.faults(KeyPlaceError, *FAILING)
        faulty(scene.world).faults = self.calls.faults(faulty(scene.world).error, "commit")

    async def step(self) -> None:
        """Do one thing and look whether all is as it must be."""
        acts: list[Callable[[], Awaitable[None]]] = [self._rotate, self._rotate, self._root, self._lose_a_place]
        acts += [self._begin] if len(self.scene.endings) < 3 else [self._end]
        await self.random.choice(acts)()
        self.scene.world.sleep(1)
        await self.scene.assert_open()

    async def finish(self) -> None:
        """Let everything that was begun come to its end."""
        if isinstance(self.scene.services.keys.root, ChangingRoot):
            await self._end_root()
        for level in Level:
            await rotate(self.scene.services, level, nobody_watches)
        await mend(self.scene.services, nobody_watches)
        spare = self.scene.services.keys.all_ids() - owned(self.scene.services)
        assert len(spare) <= self.crashes  # made, and never committed
        for key_id in spare:
            self.scene.services.keys.destroy(key_id)
        await self.scene.assert_whole()

    async def _shaken(self, name: str, work: Callable[[], Awaitable[object]]) -> bool:
        """Do something that may be cut short. Says whether it came to its end."""
        cut = self.random.choice(["", "before", "after", "killed"])
        self.told.append(f"{name} {cut}")
        if cut in ("before", "after"):
            self.calls.arm(self.random.randrange(12), stored=cut == "after")
        self._kill = self.random.randrange(3) if cut == "killed" else -1
        try:
            await work()
        except (Exception, Killed):  # noqa: BLE001  # whatever it is, the promise is the same
            assert cut, self.told
            self.crashes += 1
            return False
        finally:
            self.calls.disarm()
        return True

    def _watch(self, done: int, _of: int) -> None:
        if done == self._kill:
            raise Killed

    async def _rotate(self) -> None:
        level = self.random.choice(list(Level))
        await self._shaken(level, lambda: rotate(self.scene.services, level, self._watch))

    async def _root(self) -> None:
        keys = self.scene.services.keys
        if not isinstance(keys.root, ChangingRoot):
            new = LocalRootKey.create(self.folder / f"root-{len(self.told)}.key")
            keys._root = ChangingRoot(new, keys.root)  # a restart with other settings
        if await self._shaken("root", lambda: rotate_root(self.scene.services, self._watch)):
            keys._root = keys.root.new  # type: ignore[attr-defined]  # it is a ChangingRoot: said above

    async def _end_root(self) -> None:
        await rotate_root(self.scene.services, nobody_watches)
        self.scene.services.keys._root = self.scene.services.keys.root.new  # type: ignore[attr-defined]  # the same

    async def _lose_a_place(self) -> None:
        lost = self.random.choice(list(self.fakes.places.values()))
        lost.objects.clear()
        await self.scene.assert_open()
        await self._shaken(f"mend {lost.name}", lambda: mend(self.scene.services, self._watch))
        await mend(self.scene.services, nobody_watches)

    async def _begin(self) -> None:
        self.told.append("begin")
        await self.scene.begin()

    async def _end(self) -> None:
        self.told.append("end")
        await self.scene.end(self.random.choice(self.scene.endings))


@pytest.mark.parametrize("seed", range(count(40)))
async def test_every_living_document_opens_and_every_destroyed_stays_dead(
    tmp_path: Path, migrated_sqlite_url: str, seed: int
) -> None:
    with fake_stores() as fakes:
        home = tmp_path / "var"
        places = (home / "first", home / "second", home / "third")
        async with a_scene(home, migrated_sqlite_url, key_places=places) as scene:
            history = History(scene, fakes, tmp_path, seed)
            for _ in range(STEPS):
                await history.step()
            await history.finish()

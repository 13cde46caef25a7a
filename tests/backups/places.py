"""A house that works, and an empty one elsewhere into which its backup is put; the anchors are the same for both."""

from __future__ import annotations

import shutil
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractContextManager, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx2

from service import backups, doctor, tokens, wiring
from service.app import create_app
from service.config import Settings
from service.doctor import Finding
from service.services import Services
from tests.world import YEARS_S, Person, World

NewDatabase = Callable[[], str]
DAYS = 7  # the declared life of a copy of the keys


@dataclass
class Elsewhere:
    """An empty installation with the old one's root key and anchors."""

    settings: Settings
    world: World

    def opened(self) -> AbstractContextManager[Services]:
        """Open it beside nobody."""
        return wiring.open_installation(self.settings, clock=self.world.clock)

    async def restore(self, folder: Path) -> list[Finding]:
        """Put a backup here, and let the doctor look at it."""
        with self.opened() as services:
            await backups.restore(services, folder)
            return await doctor.examine(services)

    async def reconcile(self) -> list[backups.Reconciled]:
        """Bring it up to what the anchors know."""
        with wiring.open_installation(self.settings, reconciling=True, clock=self.world.clock) as services:
            return await backups.reconcile(services)

    async def examine(self) -> list[Finding]:
        """Let the doctor look."""
        with self.opened() as services:
            return await doctor.examine(services)

    @asynccontextmanager
    async def serving(self) -> AsyncIterator[tuple[Services, httpx2.AsyncClient]]:
        """Serve it."""
        with wiring.open_installation(self.settings, serving=True, clock=self.world.clock) as services:
            transport = httpx2.ASGITransport(app=create_app(services), raise_app_exceptions=False)
            async with httpx2.AsyncClient(transport=transport, base_url="http://localhost") as http:
                yield services, http


def elsewhere(world: World, home: Path, url: str) -> Elsewhere:
    """Prepare an empty place; of the old house only root key and anchors are left."""
    old = world.services.settings
    home.mkdir()
    shutil.copyfile(str(old.root_key), home / "root.key")
    (home / "root.key").chmod(0o600)
    settings = Settings(home=home, database_url=url, anchors=old.anchors, backup_days=DAYS)
    wiring.prepare(settings)
    return Elsewhere(settings, world)


async def again(services: Services, http: httpx2.AsyncClient, person: Person) -> Person:
    """Give somebody a new token, as the operator does after a reconciliation."""
    new = await tokens.issue(services, person.membership_id, "*", YEARS_S)
    return Person(http, person.person_id, person.membership_id, new.text)


def same(http: httpx2.AsyncClient, person: Person) -> Person:
    """Somebody with the token he has."""
    return Person(http, person.person_id, person.membership_id, person.token)

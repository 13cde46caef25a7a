"""An installation with something at every level, and what must stay true of it whatever is done to its keys."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from sqlalchemy import select, union_all

from service import doctor
from service.checkpoints import sign_head
from service.db.auditstore import each_log
from service.db.models import engagements, logs, metadata, parts, people
from service.db.session import EVERY_LOG
from service.rotation import Level
from service.services import Services
from tests.api.places import rows, settle
from tests.disposal.ending import FORM, LETTER, Ending, an_ending
from tests.logs import check_logs
from tests.world import World, a_world

# The columns that a rotation may change; everything else of every row stays as it was.
MOVED = {
    "logs": {"key_id", "signing_key"},
    "firms": {"key_id", "field_key"},
    "people": {"key_id", "field_key"},
    "engagements": {"key_id", "field_key"},
    "parts": {"key_id", "field_key"},
    "revisions": {"wrapped_key"},
}
_TABLES = {Level.FIRM: logs, Level.PERSON: people, Level.ENGAGEMENT: engagements, Level.PART: parts}
_OWNED = union_all(*(select(table.c.key_id) for table in _TABLES.values()))


def nobody_watches(_done: int, _of: int) -> None:
    """Nobody looks at the bar."""


def key_ids(services: Services, level: Level) -> dict[str, str]:
    """The key of each owner of a level, by the owner's id."""
    table = _TABLES[level]
    with services.database.read(EVERY_LOG) as tx:
        statement = select(table.c.id, table.c.key_id)
        return {row.id: row.key_id for _ in each_log(tx) for row in tx.all(statement)}


def owned(services: Services) -> set[str]:
    """The keys that rows name, destroyed ones too."""
    with services.database.read(EVERY_LOG) as tx:
        return {row.key_id for _ in each_log(tx) for row in tx.all(_OWNED)}


def forget_all(services: Services) -> None:
    """As after a restart: nothing is open."""
    for key_id in services.keys.all_ids() | owned(services):
        services.keys.forget(key_id)


def unmoved(services: Services) -> Mapping[str, list[tuple[Any, ...]]]:
    """All rows but the log's own, without what a rotation may change."""
    found: dict[str, list[tuple[Any, ...]]] = {}
    for table, content in rows(services.database).items():
        names = [column.name for column in metadata.tables[table].columns]
        kept = [index for index, name in enumerate(names) if name not in MOVED.get(table, ())]
        found[table] = sorted((tuple(row[index] for index in kept) for row in content), key=repr)
    return found


@dataclass
class Scene:
    """A firm, its people, engagements with documents; some of them may be ended."""

    world: World
    endings: list[Ending] = field(default_factory=list)
    ended: list[Ending] = field(default_factory=list)
    dead: set[str] = field(default_factory=set)  # keys that were destroyed with their engagement

    @property
    def services(self) -> Services:
        return self.world.services

    async def begin(self) -> Ending:
        """One more engagement with a paper of either side."""
        made = await an_ending(self.world)
        self.endings.append(made)
        return made

    async def end(self, ending: Ending) -> None:
        """Destroy an engagement, to the certificate."""
        await ending.returned()
        self.dead |= set(ending.key_ids())
        await ending.run()
        self.endings.remove(ending)
        self.ended.append(ending)

    async def assert_open(self) -> None:
        """Every living document and name opens, the log can be signed, and what was destroyed is dead."""
        forget_all(self.services)
        for ending in self.endings:
            for document, body in ((ending.letter, LETTER), (ending.form, FORM)):
                path = f"/documents/{document['document_id']}"
                assert await ending.attorney.get(f"{path}/content") == body
                assert (await ending.attorney.get(path))["title"].startswith("Canary")
            shown = await ending.attorney.get(f"/engagements/{ending.engagement.id}")
            assert shown["name"] == "Delgado intake"
        people_shown = (await self.world.owner.get("/people", params={"limit": 100}))["items"]
        assert all(person["name"] for person in people_shown)
        for log_id in key_ids(self.services, Level.FIRM):
            await sign_head(self.services, log_id)
        for ending in self.ended:
            answer = await ending.attorney.ask("GET", f"/documents/{ending.letter['document_id']}/content")
            assert answer.status_code == 410
        assert not self.dead & self.services.keys.all_ids()
        check_logs(self.services.database)

    async def assert_whole(self) -> None:
        """All of that, and nothing is left over."""
        await self.assert_open()
        await settle(self.world)
        found = await doctor.examine(self.services)
        assert [each for each in found if each.code != "bucket_untold"] == []  # what a test's server does not tell


@asynccontextmanager
async def a_scene(home: Path, database_url: str, **settings: Any) -> AsyncIterator[Scene]:
    """An installation with one engagement."""
    async with a_world(home, database_url, **settings) as world:
        scene = Scene(world)
        await scene.begin()
        yield scene

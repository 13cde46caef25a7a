"""A prepared installation, to be copied, hurt and looked at.

`prepare` furnishes a firm with everything that `tests.faults.workflows` needs and closes it; a run works on a copy,
with the clock standing still, so that what it leaves is either what was there before (`Old`) or what a run without
faults leaves (`New`): the rows are compared without what chance decides (ids, sealed bytes, places in the log).
"""

from __future__ import annotations

import re
import shutil
from collections import Counter
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from fastapi import FastAPI
from sqlalchemy import select

from service import checkpoints, disposal, doctor, wiring
from service.app import create_app
from service.config import Settings
from service.crypto.kms import LocalRootKey
from service.db.models import log_intents, metadata
from service.db.session import EVERY_LOG, Database
from service.ledger import NO_LOG, Outcome
from service.services import Services
from tests.api.places import THE_LOG
from tests.disposal.ending import an_ending
from tests.logs import check_logs
from tests.world import START_MS, World, a_world

# Bytes that are of no known kind, so that no process of its own looks at them; with a canary in every chunk.
CANARY: Final = b"Canary of a paper"
SMALL: Final = b"\0" + CANARY
LARGE: Final = b"".join(b"\0%s %09d" % (CANARY, number) for number in range(20_000))
TITLE: Final = "Canary of a title"
NEW_ENGAGEMENT: Final = "Canary of an engagement"
TYPED_NAME: Final = "Canary Vendor"
CANARIES: Final = (CANARY, TITLE.encode(), NEW_ENGAGEMENT.encode(), TYPED_NAME.encode())

_ID: Final = re.compile(r"([a-z]{3})_[0-9a-f]{32}")
_DIGEST: Final = re.compile(r"[0-9a-f]{64}")
_BY_CHANCE: Final = frozenset({"log_index"})

Shape = frozenset[tuple[tuple[str, ...], int]]


@dataclass(frozen=True, slots=True)
class Scene:
    """A prepared installation: where it lies, and the things and people in it by name."""

    home: Path
    firm_id: str
    verifier_key: str
    things: dict[str, str]
    tokens: dict[str, str]
    old: Shape
    known: frozenset[str]


@dataclass(frozen=True, slots=True)
class House:
    """An opened copy of a scene."""

    scene: Scene
    services: Services
    app: FastAPI


def settings_of(home: Path) -> Settings:
    """An installation on SQLite and folders, with two key places, whose root key may be about to be rotated."""
    places, old = (home / "first", home / "second"), home / "root.old"
    return Settings(
        home=home,
        key_places=places,
        root_key_old=str(old) if old.exists() else "",
        failed_attempts_per_minute=100_000,
    )


async def prepare(home: Path) -> Scene:
    """Furnish a firm and close it."""
    async with a_world(home, "", key_places=(home / "first", home / "second")) as world:
        things, tokens = await _furnish(world)
        await settle(world.services)
        known = frozenset(_ids(world.services.database))
        old = shape(world.services.database, known)
        scene = Scene(home, world.firm_id, world.verifier_key, things, tokens, old, known)
    (home / "root.key").rename(home / "root.old")
    LocalRootKey.create(home / "root.key")
    return scene


async def _furnish(world: World) -> tuple[dict[str, str], dict[str, str]]:
    ending = await an_ending(world)
    await ending.returned()
    engagement = await world.engagement()
    seat, unsigned = await engagement.member(), await engagement.member(signed=False)
    intake = await engagement.member("intake_specialist")
    await engagement.ask(intake)
    matter = await engagement.attorney.post("/matters", {"number": "2027-0999", "client": "John Doe"})
    beside = await engagement.attorney.post(
        f"/engagements/{engagement.id}/parts", {"matter_id": matter["id"], "caption": "Doe v. Acme"}
    )
    large, small = await engagement.document(LARGE, title=TITLE), await engagement.document(SMALL, title=TITLE)
    mine = [
        await intake.upload(engagement.id, engagement.part_id, SMALL, label="intake_form", title=TITLE)
        for _ in range(2)
    ]
    person = await world.owner.post("/people", {"email": "r@firm.example", "name": "Rita Reviewer"})
    member = await world.owner.post("/members", {"person_id": person["id"], "role": "reviewer"})
    reviewer = await world.sign_in(person["id"], member["id"])
    agreement = await engagement.agreement()
    things = {
        "engagement": engagement.id,
        "part": engagement.part_id,
        "part beside": beside["id"],
        "vendor": engagement.vendor_id,
        "lead": engagement.attorney.person_id,
        "seat": seat.membership_id,
        "large": large["document_id"],
        "small": small["document_id"],
        "to confirm": mine[0]["document_id"],
        "to take back": mine[1]["document_id"],
        "agreement": agreement["id"],
        "agreement text": agreement["sha256"],
        "disposal": ending.disposal["id"],
    }
    tokens = {
        "owner": world.owner.token,
        "attorney": engagement.attorney.token,
        "ending attorney": ending.attorney.token,
        "intake": intake.token,
        "unsigned": unsigned.token,
        "reviewer": reviewer.token,
    }
    return things, tokens


# Copies ---------------------------------------------------------------------------------------------------------------


@contextmanager
def copied(scene: Scene, home: Path) -> Iterator[Path]:
    """A copy of the installation, gone afterwards."""
    shutil.copytree(scene.home, home)
    try:
        yield home
    finally:
        shutil.rmtree(home)


@asynccontextmanager
async def opened(scene: Scene, home: Path) -> AsyncIterator[House]:
    """Open a copy as a server does: recovery first, unfinished disposals next."""
    with wiring.open_installation(settings_of(home), serving=True, clock=lambda: START_MS) as services:
        await disposal.resume_all(services)
        services.database.close()  # whoever reads next connects
        yield House(scene, services, create_app(services))
        await settle(services)


async def settle(services: Services) -> None:
    """Wait until everything that was posted to the ledger before is written."""
    await services.ledger.submit(NO_LOG, lambda _tx, _moment: Outcome(None))


# What is there --------------------------------------------------------------------------------------------------------


def shape(database: Database, known: frozenset[str]) -> Shape:
    """Every row outside of the log, without what chance decides."""
    with database.read(EVERY_LOG) as tx:  # SQLite: all rows are seen
        found = Counter(
            (table.name, *(_masked(name, value, known) for name, value in row._asdict().items()))
            for table in metadata.tables.values()
            if table.name not in THE_LOG
            for row in tx.all(select(table))
        )
    return frozenset(found.items())


def _masked(name: str, value: Any, known: frozenset[str]) -> str:
    if isinstance(value, bytes | memoryview):
        return "sealed" if bytes(value) else "empty"
    if isinstance(value, str):
        return _DIGEST.sub("digest", _ID.sub(lambda found: found[0] if found[0] in known else found[1], value))
    return name if name in _BY_CHANCE else repr(value)


def _ids(database: Database) -> Iterator[str]:
    with database.read(EVERY_LOG) as tx:  # SQLite: all rows are seen
        for table in metadata.tables.values():
            for row in tx.all(select(table)):
                yield from (value for value in row if isinstance(value, str) and _ID.fullmatch(value))


async def require_whole(house: House) -> None:
    """Nothing is broken: rows, blobs, keys and log are what they should be, and the log goes on.

    What is left over may be named by the doctor; what is missing or contradicts itself may not be there.
    """
    services = house.services
    broken = [f for f in await doctor.examine(services) if f.severity is not doctor.Severity.WARNING]
    assert not broken, broken
    check_logs(services.database)
    with services.database.read(house.scene.firm_id) as tx:
        left_open = tx.all(select(log_intents.c.idx))
    assert not left_open, "an intent was never closed"
    newest = await checkpoints.sign_head(services, house.scene.firm_id)
    assert newest is not None
    assert services.anchors.newest(house.scene.firm_id) == (newest.size, newest.note)


def require_no_plaintext(home: Path) -> None:
    """No byte of a paper and no name is on the disk, in whatever file a dying process left."""
    for path in home.rglob("*"):
        if path.is_file():
            data = path.read_bytes()
            found = [canary for canary in CANARIES if canary in data]
            assert not found, (path.name, found)

"""Worlds of many grants, written straight into the tables of an installation; kept in var/bench between runs.

One firm, so many engagements; each with one part, ten paralegals who have signed, so many documents, and four live
grants on each document. Ids are in order of time, titles are really sealed under their part's field key, so what opens
them is the service's own door. Columns that nothing here reads hold the emptiest value of their type.
"""

from __future__ import annotations

import asyncio
import os
import random
import shutil
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from sqlalchemy import Table, bindparam, insert, select

from service import firms, wiring
from service.config import Settings
from service.crypto import fields
from service.crypto.wrapping import SecretKey, generate_key, wrap
from service.db import models, schema
from service.db.ids import new_id
from service.db.models import FOREVER
from service.db.session import EVERY_LOG
from service.door import field_key_context
from service.scoping.actions import Ability, Duty
from service.scoping.actors import EVERYTHING, Actor
from service.services import Services
from tests.benchmarks.places import FILES, Place, settings_of

DOCUMENTS: Final = 2_500  # of an engagement
MEMBERS: Final = 10
GRANTS: Final = 4  # on a document
LABELS: Final = ("correspondence", "exhibit", "medical_record", "pleading")
DAY_S: Final = 86_400
_FORM: Final = 2  # of these worlds: a kept one of another form is built again

_MEMBERS = (
    select(models.memberships.c.id, models.memberships.c.person_id, models.memberships.c.engagement_id)
    .where(models.memberships.c.side == bindparam("side"))
    .order_by(models.memberships.c.id)
)
_VENDOR = select(models.vendors.c.id)
_GRANTED = select(models.grants.c.document_id).where(models.grants.c.membership_id == bindparam("membership"))


@dataclass(frozen=True, slots=True)
class Granted:
    """A world that is open: its services and the paralegals in it."""

    services: Services
    actors: tuple[Actor, ...]
    now_s: int

    @property
    def firm_id(self) -> str:
        """The one firm in it."""
        return self.actors[0].firm_id

    def some(self, count: int, seed: int) -> list[tuple[Actor, str]]:
        """Return (who, a document that is granted to him), at random over the whole world."""
        draw = random.Random(seed)
        chosen = [draw.choice(self.actors) for _ in range(count)]
        with self.services.database.read(self.firm_id) as tx:
            held = {each: tx.all(_GRANTED, membership=each.membership_id) for each in set(chosen)}
        return [(actor, draw.choice(held[actor]).document_id) for actor in chosen]


@contextmanager
def a_world_of(folder: Path, engagements: int, documents: int = DOCUMENTS, place: Place = FILES) -> Iterator[Granted]:
    """Open a world of ``engagements * documents * 4`` grants, building it where it is not there yet.

    On servers nothing is kept: it is always built.
    """
    if place is not FILES:
        settings, _ = settings_of(place, folder / f"grants-{engagements}x{documents}")
        _build(settings, engagements, documents, place)
        with _opened(settings) as world:
            yield world
        return
    kind = f"grants-{engagements}x{documents}-"
    home = folder / f"{kind}{_FORM}-{schema.head()}"
    finished = home / "finished"
    if not finished.exists():
        for older in folder.glob(f"{kind}*"):  # of another form or revision
            shutil.rmtree(older)
        _build(settings_of(FILES, home)[0], engagements, documents, FILES)
        finished.touch()
    with _opened(settings_of(FILES, home)[0]) as world:
        yield world


@contextmanager
def _opened(settings: Settings) -> Iterator[Granted]:
    with wiring.open_installation(settings) as services:
        yield Granted(services, _actors(services), wiring.clock_ms() // 1000)


def _actors(services: Services) -> tuple[Actor, ...]:
    with services.database.read(EVERY_LOG) as tx:
        (firm_id,) = firms.all_ids(tx)
    with services.database.read(firm_id) as tx:
        vendor_id = tx.value(_VENDOR)
        rows = tx.all(_MEMBERS, side="vendor")
    token_id = new_id("tok", 0, bytes)
    everything = frozenset({EVERYTHING})
    return tuple(
        Actor(firm_id, row.person_id, row.id, token_id, "paralegal", "vendor", row.engagement_id, vendor_id, everything)
        for row in rows
    )


# Building -----------------------------------------------------------------------------------------------------------


def _build(settings: Settings, engagements: int, documents: int, place: Place) -> None:
    settings.home.mkdir(parents=True)
    wiring.prepare(settings)
    with wiring.open_installation(settings) as services:
        founded = asyncio.run(firms.found(services, "Hale & Partners", "o@firm.example", "Olive Owner", "UTC", 300))
        builder = _Builder(place, services, founded.firm_id, founded.owner_person_id, founded.owner_membership_id)
        for number in range(engagements):
            builder.engagement(number, documents)
        builder.finish()


class _Builder:
    """Writes rows in bulk on one connection; keys are checked by nobody until the end."""

    def __init__(self, place: Place, services: Services, firm_id: str, person_id: str, membership_id: str) -> None:
        self._services = services
        self._firm_id, self._owner_id, self._owner_seat = firm_id, person_id, membership_id
        self._connection = place.bulk(services)
        self._ms = wiring.clock_ms() - DAY_S * 1000
        self._now = self._ms // 1000
        self._random = random.Random(1)
        self._vendor_id = self._id("vnd")
        self._matter_id = self._id("mtr")
        self._write(models.vendors, [{"id": self._vendor_id}])
        self._write(models.matters, [{"id": self._matter_id, "number": "2027-0001"}])

    def engagement(self, number: int, documents: int) -> None:
        """Write one engagement with all that is in it."""
        engagement_id, part_id, key_id = self._id("eng"), self._id("prt"), self._id("key")
        dates = {"starts_at": self._now, "ends_at": self._now + 365 * DAY_S}
        row = {"id": engagement_id, "vendor_id": self._vendor_id, "number": str(number), "status": "running"}
        self._write(
            models.engagements, [{**row, **dates, "lead_id": self._owner_id, "withheld": "invisible", "overlay": ""}]
        )
        field_key = generate_key(os.urandom)
        above = self._services.keys.create(key_id, "part", None)
        wrapped = wrap(above, field_key, field_key_context(part_id))
        place = {"engagement_id": engagement_id, "matter_id": self._matter_id}
        self._write(models.parts, [{"id": part_id, **place, "key_id": key_id, "field_key": wrapped}])
        seats = self._seats(engagement_id, dates)
        ids = self._documents(documents, {**place, "part_id": part_id}, field_key)
        self._grants(engagement_id, seats, ids)

    def finish(self) -> None:
        """Commit and check what the bulk left unchecked."""
        self._connection.commit()
        if self._services.database.is_sqlite:
            assert not self._connection.execute("PRAGMA foreign_key_check").fetchall()
            self._connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        else:
            self._connection.execute("ANALYZE")
            self._connection.commit()
        self._connection.close()

    def _seats(self, engagement_id: str, dates: dict[str, int]) -> list[str]:
        people = [self._id("per") for _ in range(MEMBERS)]
        seats = [self._id("mem") for _ in range(MEMBERS)]
        person = {"side": "vendor", "vendor_id": self._vendor_id}
        self._write(models.people, [{"id": each, **person, "email_index": each.encode()} for each in people])
        seat = {"engagement_id": engagement_id, "side": "vendor", "role": "paralegal", **dates}
        pairs = list(zip(seats, people, strict=True))
        self._write(models.memberships, [{"id": each, "person_id": whose, **seat} for each, whose in pairs])
        duty = {"kind": int(Duty.NDA), "engagement_id": engagement_id, "evidence_sha256": "a" * 64}
        force = {"valid_from": self._now, "valid_until": FOREVER}
        self._write(models.duties, [{"id": self._id("dut"), "subject_id": each, **duty, **force} for each in people])
        return seats

    def _documents(self, count: int, place: dict[str, str], field_key: SecretKey) -> list[str]:
        ids = [self._id("doc") for _ in range(count)]
        revisions = [self._id("rev") for _ in range(count)]
        seat = {"added_by": self._owner_seat, "added_at": self._now}
        state = {"sensitivity": "confidential", "state": "confirmed", "version": 1}
        rows = [
            {
                "id": each,
                "number": number,
                "label": LABELS[number % len(LABELS)],
                "title": fields.seal(field_key, "documents", "title", each, f"Paper {number} of many", os.urandom),
                "revision_id": revision,
                **place,
                **state,
                **seat,
            }
            for number, (each, revision) in enumerate(zip(ids, revisions, strict=True), 1)
        ]
        self._write(models.documents, rows)
        content = {
            "number": 1,
            "media_type": "application/pdf",
            "condition": "readable",
            "pages": 3,
            "size_bytes": 4096,
        }
        sealed = {"wrapped_key": bytes(61), "header": bytes(56), "sha256": bytes(93)}
        pairs = zip(revisions, ids, strict=True)
        self._write(
            models.revisions,
            ({"id": r, "document_id": d, "blob_id": self._id("blb"), **content, **sealed, **seat} for r, d in pairs),
        )
        return ids

    def _grants(self, engagement_id: str, seats: list[str], ids: list[str]) -> None:
        dates = {"not_before": self._now, "not_after": self._now + 90 * DAY_S, "revoked_at": FOREVER}
        more = {
            "engagement_id": engagement_id,
            "abilities": int(Ability.VIEW | Ability.DOWNLOAD),
            "granted_by": self._owner_seat,
            "purpose": bytes(60),
            **dates,
        }
        self._write(
            models.grants,
            (
                {"id": self._id("grt"), "membership_id": seat, "document_id": each, **more}
                for each in ids
                for seat in self._random.sample(seats, GRANTS)
            ),
        )

    def _write(self, table: Table, rows: Iterable[dict[str, Any]]) -> None:
        emptiest = {
            column.name: None if column.nullable else {"TEXT": "", "BIGINT": 0}.get(str(column.type), b"")
            for column in table.columns
        }
        if "firm_id" in emptiest:
            emptiest["firm_id"] = self._firm_id
        sql = self._services.database.prepare(insert(table)).sql
        self._connection.cursor().executemany(sql, ({**emptiest, **row} for row in rows))

    def _id(self, kind: str) -> str:
        self._ms += 1
        return new_id(kind, self._ms, self._random.randbytes)

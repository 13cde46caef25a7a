"""A ledger on a bare database: two firms with their logs, and jobs that record vendors."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from sqlalchemy import insert, select

from service.db.ids import new_id
from service.db.models import firms, logs, vendors
from service.db.session import Tx
from service.ledger import Draft, Job, Ledger, Moment, Outcome, Recorded
from tests.fakes.database import FaultyDatabase
from tests.logs import check_logs
from tests.world import START_MS, Clock

FIRM, OTHER_FIRM = "frm_" + "a" * 32, "frm_" + "b" * 32
ENGAGEMENTS = tuple(f"eng_{number:032x}" for number in range(3))
_ADD = insert(vendors)
_IDS = select(vendors.c.id).order_by(vendors.c.id)


def vendor(number: int) -> str:
    """The id of the vendor that job ``number`` adds."""
    return f"vnd_{number:032x}"


def draft(number: int = 0, **more: Any) -> Draft:
    """An entry about that vendor, every second one within an engagement."""
    subjects = {"vendor": vendor(number)}
    if number % 2:
        subjects["engagement"] = ENGAGEMENTS[number % len(ENGAGEMENTS)]
    return Draft(
        **{"type": "vendor.added", "outcome": "done", "actor": {"system": "test"}, "subjects": subjects, **more}
    )


def adding(number: int, *drafts: Draft, firm_id: str = FIRM) -> Job[int]:
    """A job that adds a vendor and records it."""

    def job(tx: Tx, moment: Moment) -> Outcome[int]:
        tx.run(_ADD, id=vendor(number), firm_id=firm_id, name=b"sealed", created_at=moment.s)
        return Outcome(number, drafts or (draft(number),))

    return job


@dataclass
class Desk:
    """One ledger and what it writes to."""

    database: FaultyDatabase
    ledger: Ledger
    clock: Clock

    def vendors(self) -> list[str]:
        """The changes that were made."""
        with self.database.read(FIRM) as tx:
            return [row.id for row in tx.all(_IDS)]

    def recorded(self, log_id: str = FIRM) -> list[str]:
        """The vendors that the log tells of, in its order; all invariants are checked on the way."""
        return [(entry.subjects or {})["vendor"] for entry in check_logs(self.database)[log_id]]

    async def add(self, number: int, *drafts: Draft) -> Recorded[int]:
        """Hand in one job and wait."""
        return await self.ledger.submit(FIRM, adding(number, *drafts))


@contextmanager
def a_desk(url: str) -> Iterator[Desk]:
    """Start a ledger on a database at its newest revision."""
    database, clock = FaultyDatabase(url), Clock()
    ledger = Ledger(database, clock, new_id("req", 0, bytes), sleep=lambda _seconds: None)
    ledger.start()
    try:
        for firm_id in (FIRM, OTHER_FIRM):
            ledger.run("", _founding(firm_id))
        yield Desk(database, ledger, clock)
    finally:
        ledger.stop()
        database.close()


def _founding(firm_id: str) -> Job[None]:
    def job(tx: Tx, _moment: Moment) -> Outcome[None]:
        log = {"id": firm_id, "kind": "firm", "origin": firm_id, "size": 0, "time_ms": 0, "verifier_key": "-"}
        tx.turn_to(firm_id)
        tx.run(insert(logs), **log, key_id="-", signing_key=b"-", created_at=START_MS // 1000)
        firm = {"id": firm_id, "key_id": "-", "field_key": b"-", "name": b"-", "zone": "UTC"}
        tx.run(insert(firms), **firm, created_at=START_MS // 1000)
        return Outcome(None)

    return job

"""Appending to the log: 64 callers at once through the ledger, beside one caller who commits bare rows.

The entries are those of an allowed read (about 700 bytes, chained within one of eight engagements), each caller has its
next one ready as soon as it was answered. The peer writes a row of as many bytes into a table with one key, a commit
each, on the same kind of database with the same settings: no chain, no hash, no JSON.
"""

from __future__ import annotations

import asyncio
import itertools
import os
import time
from pathlib import Path
from typing import Any, Final

from service import events, firms, wiring
from service.db.ids import new_id
from service.db.session import Tx
from service.ledger import Draft, Moment, Outcome
from service.services import Services
from tests.benchmarks.places import FILES, Place, settings_of
from tests.benchmarks.rounds import Better, Measured, by_turns

CALLERS: Final = 64
ENTRIES: Final = 16_384  # a round
ENGAGEMENTS: Final = 8
ROUNDS: Final = 7


def append_group(folder: Path, entries: int = ENTRIES, rounds: int = ROUNDS, place: Place = FILES) -> Measured:
    """Append so many entries a round."""
    settings, _ = settings_of(place, folder / "ours")
    wiring.prepare(settings)
    with wiring.open_installation(settings) as services:
        founded = asyncio.run(firms.found(services, "Hale & Partners", "o@firm.example", "Olive Owner", "UTC", 300))
        drafts = [_draft(services) for _ in range(ENGAGEMENTS)]
        bare = _Bare(place, folder)
        return by_turns(
            lambda: _rate(entries, lambda: asyncio.run(_all_callers(services, founded.firm_id, drafts, entries))),
            lambda: _rate(entries // 4, lambda: bare.insert(entries // 4)),
            "entries/s",
            Better.MORE,
            rounds,
        )


async def _all_callers(services: Services, firm_id: str, drafts: list[Draft], entries: int) -> None:
    numbers = iter(range(entries))

    async def caller() -> None:
        for number in numbers:
            outcome = Outcome(None, (drafts[number % ENGAGEMENTS],))

            def job(_tx: Tx, _moment: Moment, outcome: Outcome[None] = outcome) -> Outcome[None]:
                return outcome

            recorded = await services.ledger.submit(firm_id, job)
            assert recorded.indexes

    await asyncio.gather(*(caller() for _ in range(CALLERS)))


def _draft(services: Services) -> Draft:
    """The entry of an allowed read, as the service writes it."""
    kinds = ("engagement", "matter", "part", "document")
    ids = {kind: _id(services, kind[:3] if kind != "part" else "prt") for kind in kinds if kind != "matter"}
    actor = {"membership": _id(services, "mem"), "person": _id(services, "per"), "token": _id(services, "tok")}
    who = events.Who(
        actor={**actor, "role": "paralegal"},
        request=_id(services, "req"),
        action="document:view",
        subjects={**ids, "matter": _id(services, "mtr")},
        rule="policy.csv:40",
        facts=("assigned", "duties", "live", "window"),
        policy=services.matrix.current.epoch,
        nda="a" * 64,
    )
    return events.access_allowed(who)


def _id(services: Services, kind: str) -> str:
    return new_id(kind, services.clock(), services.random)


class _Bare:
    """One caller, one table, one row a commit; the connection is opened with the service's own settings."""

    def __init__(self, place: Place, home: Path) -> None:
        self._connection = place.bare(home)
        self._connection.execute("CREATE TABLE entries (idx INTEGER PRIMARY KEY, body BYTEA NOT NULL)")
        self._sql = place.sql("INSERT INTO entries VALUES (:idx, :body)")
        self._numbers = itertools.count()
        self._body = os.urandom(700)

    def insert(self, count: int) -> None:
        cursor = self._connection.cursor()
        for _ in range(count):
            cursor.execute(self._sql, {"idx": next(self._numbers), "body": self._body})  # commits by itself


def _rate(count: int, act: Any) -> float:
    start = time.perf_counter()
    act()
    return count / (time.perf_counter() - start)

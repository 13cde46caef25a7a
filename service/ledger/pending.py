"""Pending: what a batch has to write into the log's tables, kept back so that it goes in few statements.

Many rows go in one statement, because each statement costs the writer thread a turn in which the event loop runs, and
a database over a network a round trip (docs/adr/0004-ledger.md). Whoever reads these tables, opens a savepoint or
commits writes out what is pending first, so nobody can tell the difference.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cache
from typing import Any, Final

from sqlalchemy import Executable, Table, bindparam, delete, insert
from sqlalchemy.dialects import postgresql, sqlite

from service.db.models import ANY, log_entries, log_intents, openings
from service.db.session import Tx
from service.ledger.drafts import Opening

MOST_ROWS: Final = 64
"""Rows in one statement at most; fewer go in powers of two, so that there are seven statements of a kind."""


@dataclass(slots=True)
class Pending:
    """Rows for ``log_entries`` and ``log_intents``, the intents that are closed, by log, and what the brakes count.

    Args:
        openings: by membership; a reader counts them with the rows (service/brakes/pressing.py).
    """

    entries: list[dict[str, Any]] = field(default_factory=list)
    intents: list[dict[str, Any]] = field(default_factory=list)
    closed: list[tuple[str, int]] = field(default_factory=list)
    openings: dict[str, list[Opening]] = field(default_factory=dict)

    def write(self, tx: Tx) -> None:
        """Write out all, in the order in which each was added to its table; intents come before their ends."""
        entries, intents, closed = self.entries, self.intents, self.closed
        self.entries, self.intents, self.closed = [], [], []
        _insert(tx, log_entries, entries)
        _insert(tx, log_intents, intents)
        for log_id in dict.fromkeys(log_id for log_id, _ in closed):
            _close(tx, log_id, [intent for of, intent in closed if of == log_id])
        if self.openings:
            _count(tx, [each for of_one in self.openings.values() for each in of_one])
            self.openings.clear()  # the very one that readers look at


def _insert(tx: Tx, table: Table, rows: list[dict[str, Any]]) -> None:
    while rows:
        some, rows = _split(rows)
        params = {f"{name}_{n}": value for n, row in enumerate(some) for name, value in row.items()}
        tx.run_for_ledger(_adding(table, len(some)), **params)


def _close(tx: Tx, log_id: str, intents: list[int]) -> None:
    while intents:
        some, intents = _split(intents)
        tx.run_for_ledger(_closing(len(some)), log=log_id, **{f"intent_{n}": intent for n, intent in enumerate(some)})


def _count(tx: Tx, found: list[Opening]) -> None:
    """Add what was opened: one row a member and minute for the bytes, and one for each document that is new."""
    sums: dict[tuple[str, int, str], int] = {}
    for each in found:
        whole = (each.membership_id, each.minute, ANY)
        sums[whole] = sums.get(whole, 0) + each.size_bytes
        if each.counted:
            sums[each.membership_id, each.minute, each.revision_id] = 0
    rows = [
        {"membership_id": member, "minute": minute, "revision_id": revision, "counted": int(revision != ANY)}
        | {"size_bytes": size_bytes}
        # In one order: two processes never wait for each other in a ring.
        for (member, minute, revision), size_bytes in sorted(sums.items())
    ]
    while rows:
        some, rows = _split(rows)
        params = {f"{name}_{n}": value for n, row in enumerate(some) for name, value in row.items()}
        tx.run_for_ledger(_counting(len(some), is_sqlite=tx.is_sqlite), firm=tx.firm_id, **params)


def _split(items: list[Any]) -> tuple[list[Any], list[Any]]:
    """Take the largest power of two that is there."""
    size = min(MOST_ROWS, 1 << (len(items).bit_length() - 1))
    return items[:size], items[size:]


@cache
def _adding(table: Table, rows: int) -> Executable:
    names = [column.name for column in table.columns]
    return insert(table).values([{name: bindparam(f"{name}_{n}") for name in names} for n in range(rows)])


@cache
def _closing(rows: int) -> Executable:
    chosen = log_intents.c.idx.in_([bindparam(f"intent_{n}") for n in range(rows)])
    return delete(log_intents).where(log_intents.c.log_id == bindparam("log"), chosen)


@cache
def _counting(rows: int, *, is_sqlite: bool) -> Executable:
    names = [column.name for column in openings.columns if column.name != "firm_id"]
    firm: Any = bindparam("firm")
    values = [{"firm_id": firm, **{name: bindparam(f"{name}_{n}") for name in names}} for n in range(rows)]
    adding = (sqlite.insert if is_sqlite else postgresql.insert)(openings).values(values)
    more = openings.c.size_bytes + adding.excluded.size_bytes
    return adding.on_conflict_do_update(index_elements=list(openings.primary_key.columns), set_={"size_bytes": more})

"""A small world of rows for tests of scoping: one call a row, everything not said has a harmless default.

Names are given, ids are made from them: ``world.person("ada")`` is ``per_…``, and the same name again is the same id.
Nothing is sealed: scoping reads no names.
"""

from __future__ import annotations

import hashlib
from functools import cache
from typing import Any

from sqlalchemy import insert, update
from sqlalchemy.schema import CreateIndex, CreateTable

from service.db import models
from service.db.models import FOREVER, metadata
from service.db.session import Database, Tx
from service.ledger import Moment
from service.scoping.actions import Duty, Fact, side_of
from service.scoping.actors import EVERYTHING, Actor
from service.scoping.hours import Terms

NOW = 1_800_000_000
HOUR = 3600
DAY = 24 * HOUR
ALL_ABILITIES = 15


def an_id(kind: str, name: str) -> str:
    """The id that stands for a name in every world."""
    return f"{kind}_{hashlib.sha256(f'{kind} {name}'.encode()).hexdigest()[:32]}"


class World:
    """Rows of one or more firms, in one open transaction."""

    def __init__(self, tx: Tx, now: int = NOW) -> None:
        self.tx = tx
        self.moment = Moment(now * 1000 + 7)
        self._rows: dict[str, dict[str, Any]] = {}
        self._count = 0

    def add(self, table: Any, **values: Any) -> str:
        """Insert a row; what is not given gets the emptiest value of its type."""
        for column in table.columns:
            if column.name not in values and not column.nullable:
                values[column.name] = {"TEXT": "", "BIGINT": 0}.get(str(column.type), b"")
        self.tx.run(_insert(table), **{column.name: values.get(column.name) for column in table.columns})
        row_id = str(values.get("id", ""))
        self._rows[row_id] = values
        return row_id

    def change(self, table: Any, row_id: str, **values: Any) -> None:
        """Update a row."""
        self.tx.run(update(table).where(table.c.id == row_id).values(**values))
        self._rows[row_id].update(values)

    def row(self, row_id: str) -> dict[str, Any]:
        """What was written of a row."""
        return self._rows[row_id]

    def rows(self, kind: str) -> list[dict[str, Any]]:
        """Every row of a kind of id."""
        return [row for row_id, row in self._rows.items() if row_id.startswith(f"{kind}_")]

    def firm(self, name: str = "firm") -> str:
        firm_id = an_id("frm", name)
        if firm_id not in self._rows:
            self.add(models.logs, id=firm_id, kind="firm")
            self.add(models.firms, id=firm_id)
        return firm_id

    def vendor(self, name: str = "vendor", firm: str = "firm") -> str:
        vendor_id = an_id("vnd", f"{firm} {name}")
        return vendor_id if vendor_id in self._rows else self.add(models.vendors, id=vendor_id, firm_id=self.firm(firm))

    def person(self, name: str, side: str = "firm", firm: str = "firm", vendor: str = "vendor") -> str:
        person_id = an_id("per", f"{firm} {name}")
        if person_id in self._rows:
            return person_id
        return self.add(
            models.people,
            id=person_id,
            firm_id=self.firm(firm),
            side=side,
            vendor_id=self.vendor(vendor, firm) if side == "vendor" else None,
            email_index=person_id.encode(),
        )

    def engagement(self, name: str = "deal", firm: str = "firm", lead: str = "lead", **values: Any) -> str:
        engagement_id = an_id("eng", f"{firm} {name}")
        if engagement_id in self._rows:
            return engagement_id
        return self.add(
            models.engagements,
            id=engagement_id,
            firm_id=self.firm(firm),
            vendor_id=self.vendor(firm=firm),
            number=name,
            lead_id=self.person(lead, firm=firm),
            withheld=values.pop("withheld", "invisible"),
            **{"status": "running", "starts_at": NOW - 30 * DAY, "ends_at": NOW + 30 * DAY, **values},
        )

    def matter(self, name: str = "case", firm: str = "firm", **values: Any) -> str:
        matter_id = an_id("mtr", f"{firm} {name}")
        if matter_id in self._rows:
            return matter_id
        return self.add(models.matters, id=matter_id, firm_id=self.firm(firm), number=name, **values)

    def part(self, matter: str = "case", engagement: str = "deal", firm: str = "firm") -> str:
        part_id = an_id("prt", f"{firm} {engagement} {matter}")
        if part_id in self._rows:
            return part_id
        return self.add(
            models.parts,
            id=part_id,
            firm_id=self.firm(firm),
            engagement_id=self.engagement(engagement, firm),
            matter_id=self.matter(matter, firm),
        )

    def member(self, name: str, role: str, engagement: str | None = "deal", firm: str = "firm", **values: Any) -> str:
        """A membership; ``engagement=None`` is a seat for the whole house."""
        side = side_of(role).value
        membership_id = an_id("mem", f"{firm} {name} {role} {engagement}")
        if membership_id in self._rows:
            return membership_id
        return self.add(
            models.memberships,
            id=membership_id,
            firm_id=self.firm(firm),
            person_id=self.person(name, side, firm),
            engagement_id=None if engagement is None else self.engagement(engagement, firm),
            side=side,
            role=role,
            **{"starts_at": NOW - DAY, "ends_at": NOW + DAY, **values},
        )

    def actor(
        self, membership_id: str, scopes: str = EVERYTHING, token: str = "token", *, stepped_up: bool = False
    ) -> Actor:
        row = self._rows[membership_id]
        return Actor(
            firm_id=row["firm_id"],
            person_id=row["person_id"],
            membership_id=membership_id,
            token_id=an_id("tok", token),
            role=row["role"],
            side=row["side"],
            engagement_id=row["engagement_id"],
            vendor_id=self._rows[row["person_id"]]["vendor_id"],
            scopes=frozenset(scopes.split()),
            stepped_up=int(Fact.STEPPED_UP) if stepped_up else 0,
        )

    def team(self, matter: str, person: str, **values: Any) -> None:
        self.add(
            models.matter_team,
            firm_id=self.firm(),
            matter_id=self.matter(matter),
            person_id=self.person(person),
            **{"since": NOW - DAY, "until": FOREVER, **values},
        )

    def nda(self, person: str, engagement: str = "deal", text: str = "a" * 64, **values: Any) -> str:
        return self.duty(
            Duty.NDA, self.person(person, "vendor"), self.engagement(engagement), evidence_sha256=text, **values
        )

    def duty(self, kind: Duty, subject: str, engagement: str, **values: Any) -> str:
        return self.add(
            models.duties,
            id=self._next("dut"),
            firm_id=self.firm(),
            kind=int(kind),
            subject_id=subject,
            engagement_id=engagement,
            **{"valid_from": NOW - DAY, "valid_until": FOREVER, **values},
        )

    def document(
        self,
        name: str,
        added_by: str,
        matter: str = "case",
        engagement: str = "deal",
        firm: str = "firm",
        **values: Any,
    ) -> str:
        self._count += 1
        return self.add(
            models.documents,
            id=an_id("doc", name),
            firm_id=self.firm(firm),
            engagement_id=self.engagement(engagement, firm),
            part_id=self.part(matter, engagement, firm),
            matter_id=self.matter(matter, firm),
            number=self._count,
            added_by=added_by,
            revision_id=an_id("rev", name),
            **{
                "label": "exhibit",
                "sensitivity": "routine",
                "state": "confirmed",
                "added_at": NOW - HOUR,
                **values,
            },
        )

    def grant(self, membership_id: str, document_id: str, **values: Any) -> str:
        row = self._rows[membership_id]
        return self.add(
            models.grants,
            id=self._next("grt"),
            firm_id=row["firm_id"],
            engagement_id=row["engagement_id"],
            membership_id=membership_id,
            document_id=document_id,
            granted_by=membership_id,
            **{
                "abilities": ALL_ABILITIES,
                "not_before": NOW - DAY,
                "not_after": NOW + DAY,
                "revoked_at": FOREVER,
                **values,
            },
        )

    def ask(self, membership_id: str, part_id: str, label: str, **values: Any) -> str:
        row = self._rows[membership_id]
        return self.add(
            models.asks,
            id=self._next("ask"),
            firm_id=row["firm_id"],
            engagement_id=row["engagement_id"],
            membership_id=membership_id,
            part_id=part_id,
            label=label,
            asked_by=membership_id,
            **{"not_before": NOW - DAY, "not_after": NOW + DAY, "ended_at": FOREVER, **values},
        )

    def schedule(self, terms: Terms, membership_id: str | None = None, engagement: str = "deal", **values: Any) -> str:
        """Hours and networks of everybody in an engagement, or of one membership there."""
        return self.add(
            models.schedules,
            id=self._next("sch"),
            firm_id=self.firm(),
            engagement_id=self.row(membership_id)["engagement_id"] if membership_id else self.engagement(engagement),
            membership_id=membership_id,
            terms=terms.text(),
            made_by=membership_id or self.member("lead", "attorney", None),
            **{"valid_from": 0, "valid_until": FOREVER, "ended_at": FOREVER, **values},
        )

    def wall(self, person: str, matter: str = "case", side: str = "firm", **values: Any) -> str:
        return self.add(
            models.walls,
            id=self._next("wal"),
            firm_id=self.firm(),
            person_id=self.person(person, side),
            matter_id=self.matter(matter),
            **{"raised_at": NOW - DAY, "lifted_at": FOREVER, **values},
        )

    def disclaim(self, document_id: str, membership_id: str, person_id: str, until: int = FOREVER) -> str:
        """Say that a document was not meant for somebody."""
        return self.add(
            models.misdirections,
            id=self._next("msd"),
            firm_id=self.firm(),
            engagement_id=self.row(document_id)["engagement_id"],
            document_id=document_id,
            membership_id=membership_id,
            person_id=person_id,
            said_at=NOW - HOUR,
            closed_until=until,
            version=1,
        )

    def disclose(self, document_id: str, membership_id: str, **values: Any) -> str:
        """Open the title of a document to a membership."""
        return self.add(
            models.disclosures,
            id=self._next("dsc"),
            firm_id=self.firm(),
            engagement_id=self.row(document_id)["engagement_id"],
            document_id=document_id,
            membership_id=membership_id,
            made_by=membership_id,
            **{"not_before": NOW - DAY, "not_after": NOW + DAY, "ended_at": FOREVER, "version": 1, **values},
        )

    def emergency(self, membership_id: str, matter: str = "case", **values: Any) -> str:
        row = self._rows[membership_id]
        return self.add(
            models.emergencies,
            id=self._next("emg"),
            firm_id=self.firm(),
            person_id=row["person_id"],
            membership_id=membership_id,
            matter_id=self.matter(matter),
            **{"opened_at": NOW - HOUR, "closes_at": NOW + HOUR, "ended_at": FOREVER, **values},
        )

    def _next(self, kind: str) -> str:
        self._count += 1
        return an_id(kind, str(self._count))


class Ground:
    """One database with empty tables, on which worlds are made one after another."""

    def __init__(self, url: str = "sqlite://") -> None:
        self._database = Database(url)
        self._connection = self._database.connect()
        self._tx = Tx(self._database, self._connection.cursor())
        for table in metadata.sorted_tables:
            self._tx.command(str(CreateTable(table).compile(dialect=self._database.dialect)))
            for index in table.indexes:
                self._tx.command(str(CreateIndex(index).compile(dialect=self._database.dialect)))
        self._open = False

    def world(self, now: int = NOW) -> World:
        """Throw the world before away and give an empty one."""
        self.clear()
        self._tx.command("BEGIN")
        self._open = True
        return World(self._tx, now)

    def clear(self) -> None:
        """Throw the world away; an open transaction that waits for the next test is ended by the server in time."""
        if self._open:
            self._tx.command("ROLLBACK")
            self._open = False

    def close(self) -> None:
        """Throw everything away."""
        self._connection.close()


@cache
def _insert(table: Any) -> Any:
    return insert(table)

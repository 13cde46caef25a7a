"""Changing rows as somebody who owns the database can, past every trigger; and a firm's life with every kind of row."""

from __future__ import annotations

import contextlib
import sqlite3
from collections.abc import Iterator
from typing import Any

import psycopg
from sqlalchemy import Table, select

from service.brakes.marks import MARKS
from service.db.auditstore import each_log
from service.db.models import metadata
from service.db.session import EVERY_LOG, Database
from tests.world import DAY_S, Engagement, Person, World, rfc3339


def tamper(database: Database, statement: str, *values: Any) -> None:
    """Run one statement that Muniment would never run."""
    if database.is_sqlite:
        with contextlib.closing(sqlite3.connect(str(database.url.database), timeout=10)) as connection:
            drops = "SELECT 'DROP TRIGGER ' || name FROM sqlite_master WHERE type = 'trigger'"
            for (drop,) in connection.execute(drops).fetchall():
                connection.execute(drop)
            connection.execute(statement, values)
            connection.commit()
        return
    dsn = database.url.set(drivername="postgresql", username="postgres").render_as_string()
    with psycopg.connect(dsn) as connection:
        connection.execute("SET session_replication_role = replica")  # no trigger fires, no foreign key is checked
        connection.execute(statement.replace("?", "%s").encode(), values)


def row_of(database: Database, table: Table, nth: int = 0) -> dict[str, Any]:
    """One row as it stands."""
    row: dict[str, Any] = rows_of(database, table)[nth]._asdict()
    return row


def rows_of(database: Database, table: Table) -> list[Any]:
    """All rows of all firms, in the order of their keys."""
    keys = list(table.primary_key.columns)
    with database.read(EVERY_LOG) as tx:
        found = {repr(row): row for _ in each_log(tx) for row in tx.all(select(table))}
    return sorted(found.values(), key=lambda row: [getattr(row, key.name) for key in keys])


def insert(database: Database, table: str, row: dict[str, Any]) -> None:
    """Put a row in."""
    statement = f"INSERT INTO {table} ({', '.join(row)}) VALUES ({', '.join('?' * len(row))})"  # noqa: S608  # columns of ours
    tamper(database, statement, *row.values())


def delete(database: Database, table: str, row: dict[str, Any]) -> None:
    """Take a row away."""
    keys = [column.name for column in metadata.tables[table].primary_key.columns]
    where = " AND ".join(f"{key} = ?" for key in keys)
    statement = f"DELETE FROM {table} WHERE {where}"  # noqa: S608  # columns of ours
    tamper(database, statement, *(row[key] for key in keys))


@contextlib.contextmanager
def instead(database: Database, table: str, row: dict[str, Any], changed: dict[str, Any] | None) -> Iterator[None]:
    """Let another row, or none, stand in the place of this one for a while."""
    delete(database, table, row)
    if changed is not None:
        insert(database, table, changed)
    yield
    if changed is not None:
        delete(database, table, changed)
    insert(database, table, row)


async def _duties(made: Engagement, seat: Person, other: Person) -> None:
    """Demand, record, waive and end."""
    await made.demand("training", "insurance", "baa", "client_consent")
    for each in (seat, other):
        await made.evidence("training", each)
    for duty in ("insurance", "baa", "client_consent"):
        await made.evidence(duty)
    over = await made.evidence("insurance")
    made.world.sleep(1)
    await made.attorney.change("DELETE", f"/duties/{over['id']}")
    await made.demand("training", "vendor_review", "baa")
    await made.attorney.post(f"/engagements/{made.id}/waivers", {"duty": "vendor_review", "reason": "On its way."})


async def _standbys(made: Engagement, seat: Person, document_id: str) -> None:
    """Seal, withdraw, open, and close early."""
    for what in ("withdraw", "open", "close"):
        sealed = await made.standby(seat, document_id)
        path = f"/standbys/{sealed['id']}"
        if what != "withdraw":
            await seat.change("POST", f"{path}/opening", {"reason": "The clerk calls."}, match=path)
        made.world.sleep(1)
        if what == "withdraw":
            await made.attorney.change("DELETE", path)
        if what == "close":
            await seat.change("DELETE", f"{path}/opening", match=path)


async def _misdirections(made: Engagement, seat: Person) -> None:
    """Say of two papers that they were not meant for oneself; one is acknowledged."""
    for answered in (True, False):
        paper = (await made.document())["document_id"]
        await made.grant(seat, paper)
        said = await seat.post(f"/documents/{paper}/misdirection", {"note": "Not mine."})
        made.world.sleep(1)
        if answered:
            path = f"/misdirections/{said['id']}"
            await made.attorney.change("POST", f"{path}/acknowledgment", {"meant_for_him": True}, match=path)


async def _disclosures(made: Engagement) -> None:
    """Open two titles to a reviewer; one is ended."""
    world, papers = made.world, [(await made.document())["document_id"] for _ in range(2)]
    person = await world.owner.post("/people", {"email": f"r{next(world.numbers)}@firm.test", "name": "Rae Reviewer"})
    reviewer = await world.owner.post("/members", {"person_id": person["id"], "role": "reviewer"})
    body = {"membership_id": reviewer["id"], "document_ids": papers, "reason": "He compares them."}
    body["not_after"] = rfc3339(world.now + 7 * DAY_S)
    opened = await made.attorney.post(f"/engagements/{made.id}/disclosures", body)
    world.sleep(1)
    await made.attorney.change("DELETE", f"/disclosures/{opened['items'][0]['id']}")


async def _reviewed(made: Engagement, seat: Person) -> None:
    """What was not meant for a member, and what a reviewer is told."""
    await _misdirections(made, seat)
    await _disclosures(made)


async def a_full_life(made: Engagement) -> None:
    """Let everything happen to an engagement that changes a row on which a rule depends."""
    world, lead = made.world, made.attorney
    seat, other = await made.member(), await made.member("intake_specialist")
    await _duties(made, seat, other)
    [ask] = (await made.ask(other))["items"]
    await made.ask(other)
    await lead.change("DELETE", f"/asks/{ask['id']}")
    document = await made.document()
    grant = await made.grant(seat, document["document_id"])
    await lead.change("DELETE", f"/grants/{grant['id']}")
    await made.grant(seat, document["document_id"])
    await _tasks(made, seat, document["document_id"])
    await _reviewed(made, seat)
    hours = {"hours": [{"days": ["mon"], "opens": "09:00", "shuts": "17:00"}], "networks": ["203.0.113.0/24"]}
    schedule = await lead.post(f"/engagements/{made.id}/schedules", {**hours, "membership_id": seat.membership_id})
    await lead.change("DELETE", f"/schedules/{schedule['id']}")
    await lead.post(f"/engagements/{made.id}/schedules", {**hours, "membership_id": other.membership_id})
    await _shares(made, seat)
    await _moves(made)
    for path, body in (
        ("/walls", {"person_id": seat.person_id, "matter_id": made.matter_id, "reason": "He knows them."}),
        ("/holds", {"matter_id": made.matter_id, "reason": "A claim is near."}),
    ):
        first = await lead.post(path, body)
        world.sleep(1)
        await world.step_up(world.owner)
        await world.owner.change("DELETE", f"{path}/{first['id']}")
        await lead.post(path, {**body, "reason": "Again."})
    await lead.change("POST", f"/members/{seat.membership_id}/suspension", match=f"/members/{seat.membership_id}")
    await lead.change("DELETE", f"/members/{seat.membership_id}/suspension", match=f"/members/{seat.membership_id}")
    await _emergencies(made)
    leaving = await made.member()
    await lead.change("DELETE", f"/members/{leaving.membership_id}")
    world.sleep(5)
    agreement = await made.agreement()
    path = f"/agreements/{agreement['id']}"
    await lead.change("POST", f"{path}/versions", {"text": "Another text.\n"}, 201, match=path)
    await made.sign(seat)
    second, third = await world.attorney("Second"), await world.attorney("Third")
    team = f"/matters/{made.matter_id}/team"
    for each in (second, third):
        assert (await lead.ask("PUT", f"{team}/{each.person_id}")).status_code == 204
    assert (await lead.ask("DELETE", f"{team}/{third.person_id}")).status_code == 204
    place = f"/engagements/{made.id}"
    await lead.change("PATCH", place, {"deputy_id": second.person_id, "ends_at": rfc3339(world.now + 60 * DAY_S)})
    await lead.change("PATCH", place, {"name": "Another name"})
    await lead.change("PATCH", place, {"withheld": "may_be_asked_for"})
    for rows in (["*,document:download,*,*,never"], [], ["receptionist,document:view,billing,*,never"]):
        await lead.change("PUT", f"{place}/overlay", {"rows": rows})
    await lead.change("PUT", f"{place}/brakes", {**MARKS, "stop_documents": 150})
    for _ in range(2):
        duty = await lead.post(f"{place}/on-call", {"person_id": second.person_id, "ends_at": rfc3339(world.now + 9)})
        ended = await lead.ask("DELETE", f"/on-call/{duty['id']}", headers={"if-match": duty["etag"]})
        assert ended.status_code == 200
        world.sleep(1)
    disposal = await lead.post(f"{place}/disposal", status=409)  # a hold is in force
    assert disposal["code"] == "held"


async def _emergencies(made: Engagement) -> None:
    """One that is reviewed and one that goes on; the authenticator behind them is reset."""
    world, lead = made.world, made.attorney
    stranger, case = await world.attorney("Stranger"), await lead.get(f"/matters/{made.matter_id}")
    emergency = {"matter_number": case["number"], "reason": "Nobody is there.", "closes_at": rfc3339(world.now + 600)}
    await world.step_up(stranger)
    declared = await stranger.post("/emergencies", emergency)
    path = f"/emergencies/{declared['id']}"
    await lead.change("DELETE", path)
    await lead.change("POST", f"{path}/review", {"verdict": "not_justified", "note": "We were there."}, match=path)
    await stranger.post("/emergencies", emergency)
    await _authenticators(world, stranger)


async def _authenticators(world: World, other: Person) -> None:
    """One that is reset, two that are never confirmed."""
    assert (await world.owner.ask("DELETE", f"/people/{other.person_id}/authenticator")).status_code == 204
    for _ in range(2):
        await world.owner.post("/me/authenticator")


async def _moves(made: Engagement) -> None:
    """A paper of two revisions goes to another matter, and one further."""
    lead, document_id = made.attorney, (await made.document(b"as it came"))["document_id"]
    path = f"/documents/{document_id}"
    tag = {"if-match": (await lead.ask("GET", path)).headers["etag"], "content-type": "text/plain"}
    assert (await lead.ask("PUT", f"{path}/content", content=b"as it is", headers=tag)).status_code == 200
    for number in ("2027-0901", "2027-0902"):
        matter = await lead.post("/matters", {"number": number, "client": "John Doe"})
        body = {"matter_id": matter["id"], "caption": "Doe v. Acme"}
        part = await lead.post(f"/engagements/{made.id}/parts", body)
        moved = await lead.change("POST", f"{path}/move", {"part_id": part["id"]}, 201, match=path)
        path = f"/documents/{moved['id']}"


async def _shares(made: Engagement, seat: Person) -> None:
    """Two standing shares, one ended with what it handed out; and many grants in one act."""
    body = {
        "membership_id": seat.membership_id,
        "part_id": made.part_id,
        "labels": ["settlement"],
        "abilities": ["view"],
        "not_after": rfc3339(made.world.now + DAY_S),
        "purpose": "Keep the file.",
    }
    path = f"/engagements/{made.id}"
    shares = [await made.attorney.post(f"{path}/standing-shares", body) for _ in range(2)]
    await made.document(label="settlement")
    await made.attorney.change("DELETE", f"/standing-shares/{shares[1]['id']}")
    shown = await made.attorney.post(f"{path}/grants", {**body, "dry_run": True}, 200)
    await made.attorney.post(f"{path}/grants", {**body, "digest": shown["digest"]}, 200)


async def _tasks(made: Engagement, seat: Person, paper: str) -> None:
    """One task that is returned and accepted, one that is cancelled, one that is under way."""
    await _standbys(made, seat, paper)
    lead = made.attorney
    for end in ("acceptance", "cancellation", ""):
        task = await made.task(seat, (paper,), preset="work")
        path, label = f"/tasks/{task['id']}", "correspondence"
        draft = (await seat.upload(made.id, made.part_id, b"my draft", label=label))["document_id"]
        submission = {"documents": [{"document_id": draft}]}
        await seat.change("POST", f"{path}/submission", submission, match=path)
        if end == "cancellation":
            await lead.change("POST", f"{path}/{end}", match=path)
        if end != "acceptance":
            continue
        due = rfc3339(made.world.now + 9 * DAY_S)
        await lead.change("POST", f"{path}/return", {"note": "Again.", "due_at": due}, match=path)
        await seat.change("POST", f"{path}/submission", submission, match=path)
        named = {"document_id": draft, "revision_id": (await lead.get(f"/documents/{draft}"))["revision_id"]}
        await lead.change("POST", f"{path}/{end}", {"documents": [named]}, match=path)

"""The log against the rows: whatever somebody who owns the database changes, the doctor names the row and the entry."""

from __future__ import annotations

import itertools
from collections.abc import AsyncIterator
from dataclasses import replace
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Table

from service import asks, checkpoints, doctor, tasks
from service.brakes.marks import NOT_BRAKED
from service.db.models import FOREVER, engagements, holds, memberships, metadata, walls
from service.db.session import Database
from service.doctor import Finding
from service.doctor import replay as replaying
from service.doctor.replay import KINDS, Kind
from tests.doctor.tampering import a_full_life, delete, insert, instead, row_of, rows_of, tamper
from tests.logs import entries_of
from tests.world import Engagement, World, a_world

TABLES = {
    "grant": "grants",
    "ask": "asks",
    "task": "tasks",
    "schedule": "schedules",
    "duty": "duties",
    "matter": "matters",
    "standby": "standbys",
    "wall": "walls",
    "emergency": "emergencies",
    "hold": "holds",
    "membership": "memberships",
    "token": "tokens",
    "authenticator": "authenticators",
    "seat": "matter_team",
    "person": "people",
    "part": "parts",
    "document": "documents",
    "revision": "revisions",
    "move": "moves",
    "engagement": "engagements",
    "disclosure": "disclosures",
    "misdirection": "misdirections",
    "on_call": "on_calls",
    "standing_share": "standing_shares",
}
UNIQUE = {  # what no two rows may share
    "secret_hash": b"x",
    "email_index": b"x",
    "number": 1_000_000,
    "from_document_id": "doc_forged",
    "to_document_id": "doc_forged",
}
OTHER_WORDS = {
    "side": "firm",
    "role": "reviewer",
    "status": "closing",
    "withheld": "invisible",
    "overlay": "",
    "label": "medical_record",
    "scopes": "me",
    "state": "destroyed",
    "preset": "read",
    "labels": "medical_record",
    "sensitivity": "routine",
}


@pytest.fixture
async def lived(tmp_path: Path, migrated_url: str) -> AsyncIterator[Engagement]:
    """An engagement to which everything has happened."""
    async with a_world(tmp_path / "var", migrated_url) as world:
        made = await world.engagement()
        await a_full_life(made)
        yield made


def _table(kind: Kind) -> Table:
    return metadata.tables[TABLES[kind.word]]


def _columns(kind: Kind) -> list[str]:
    return [column.name for column in kind.first.selected_columns if column.name != "id"]


def _id(kind: Kind, row: dict[str, Any]) -> str:
    return f"{row['matter_id']}:{row['person_id']}" if kind.word == "seat" else row["id"]


def _other(name: str, value: Any) -> Any:
    """Another value of a column, which the database would take."""
    if name == "side" and value == "firm":
        return "vendor"
    if name == "state" and value in {"accepted", "cancelled", "submitted"}:
        return "open"  # a task's
    if name == "suspended":
        return 1 - value
    if name == "owed":
        return 0  # something is demanded
    if name == "waived":
        return None if value else 1
    if isinstance(value, int):
        return value + (8 if name == "abilities" else 1)
    return 1 if name in {"opened_at", "closes_at", *NOT_BRAKED} else OTHER_WORDS.get(name, "eng_other")


def _as_logged(name: str, value: Any) -> Any:
    """A value as the log knows it: of a schedule's terms it has the digest alone."""
    return sha256(value.encode()).hexdigest() if name == "terms" else value


def _row(database: Database, kind: Kind) -> dict[str, Any]:
    """A row of this kind; of memberships one of a vendor's person."""
    rows = (row_of(database, _table(kind), nth) for nth in itertools.count())
    return next(row for row in rows if row.get("side") != "firm")


async def _found(world: World) -> list[Finding]:
    return await doctor.examine(world.services)


async def test_a_full_life_leaves_rows_that_are_what_the_log_says(lived: Engagement) -> None:
    assert await _found(lived.world) == []


def test_every_table_that_rules_read_is_replayed() -> None:
    assert {kind.word for kind in KINDS} == set(TABLES)


async def test_a_changed_column_of_any_kind_is_found_with_its_entry(lived: Engagement) -> None:
    database, seen = lived.world.services.database, 0
    for kind in KINDS:
        row = _row(database, kind)
        for name in _columns(kind):
            if (kind.word, name) in {("person", "side"), ("standing_share", "role")}:
                continue  # the database itself holds side and vendor together, and either a role or a member
            with instead(database, TABLES[kind.word], row, {**row, name: _other(name, row[name])}):
                [found] = [each for each in await _found(lived.world) if each.code == f"{kind.word}_changed"]
                assert found.ids == (_id(kind, row),), name
                there, said = (_as_logged(name, value) for value in (_other(name, row[name]), row[name]))
                assert found.differs == (f"{name}: row {there}, log {said}",)
                entry = entries_of(database, lived.world.firm_id)[int(found.entry.partition(":")[2])]
                named = _id(kind, row).partition(":")[0] in {*(entry.subjects or {}).values()}
                assert named or entry.type in {"agreement.published", "engagement.changed"}, name
                seen += 1
    assert seen > 40
    assert await _found(lived.world) == []


async def test_a_forged_row_of_any_kind_is_found(lived: Engagement) -> None:
    database = lived.world.services.database
    for kind in KINDS:
        row = row_of(database, _table(kind), -1)
        forged = {**row, "person_id": "per_forged"} if kind.word == "seat" else {**row, "id": "forged"}
        forged |= {name: other for name, other in UNIQUE.items() if name in row}
        forged |= {"matter_id": "mtr_forged"} if kind.word == "part" else {}
        insert(database, TABLES[kind.word], forged)
        [found] = [each for each in await _found(lived.world) if each.code.startswith(f"{kind.word}_")]
        assert (found.code, found.ids, found.entry) == (f"{kind.word}_forged", (_id(kind, forged),), "")
        delete(database, TABLES[kind.word], forged)


async def test_a_row_of_any_kind_that_was_taken_away_is_found(lived: Engagement) -> None:
    database = lived.world.services.database
    for kind in KINDS:
        row = row_of(database, _table(kind), -1)
        with instead(database, TABLES[kind.word], row, None):
            found = {each.code: each for each in await _found(lived.world)}
        assert found[f"{kind.word}_missing"].ids == (_id(kind, row),)
        assert found[f"{kind.word}_missing"].entry


async def test_a_forged_grant_without_an_id_is_found(lived: Engagement) -> None:
    database = lived.world.services.database
    insert(database, "grants", {**row_of(database, metadata.tables["grants"]), "id": ""})
    assert [(each.code, each.ids) for each in await _found(lived.world)] == [("grant_forged", ("",))]


@pytest.mark.parametrize(("table", "kind"), [(walls, "wall"), (holds, "hold")])
async def test_what_was_lifted_and_came_back_or_stands_and_was_lifted_is_found(
    lived: Engagement, table: Table, kind: str
) -> None:
    database = lived.world.services.database
    for row in rows_of(database, table):
        moved = FOREVER if row.lifted_at < FOREVER else row.lifted_at - FOREVER + 1
        with instead(database, table.name, row._asdict(), {**row._asdict(), "lifted_at": moved}):
            [found] = await _found(lived.world)
            assert (found.code, found.ids) == (f"{kind}_changed", (row.id,))


async def test_a_row_given_to_another_firm_is_missed_where_it_belongs(lived: Engagement) -> None:
    services = lived.world.services
    row = row_of(services.database, metadata.tables["walls"], -1)
    tamper(services.database, "UPDATE walls SET firm_id = 'frm_other' WHERE id = ?", row["id"])
    assert [(each.code, each.ids) for each in await _found(lived.world)] == [("wall_missing", (row["id"],))]


async def test_a_forged_role_does_not_become_true_when_the_member_is_suspended_and_resumed(lived: Engagement) -> None:
    """The entries of both acts repeat the forged role from the row."""
    services = lived.world.services
    seat = await lived.member()
    tamper(services.database, "UPDATE memberships SET role = 'reviewer' WHERE id = ?", seat.membership_id)
    path = f"/members/{seat.membership_id}"
    await lived.attorney.change("POST", f"{path}/suspension", match=path)
    await lived.attorney.change("DELETE", f"{path}/suspension", match=path)
    [found] = await _found(lived.world)
    assert (found.code, found.differs) == ("membership_changed", ("role: row reviewer, log paralegal",))


async def test_a_forged_lead_does_not_become_true_when_the_engagement_is_renamed(lived: Engagement) -> None:
    services = lived.world.services
    stranger = await lived.world.attorney("Stranger")
    tamper(services.database, "UPDATE engagements SET lead_id = ? WHERE id = ?", stranger.person_id, lived.id)
    await stranger.change("PATCH", f"/engagements/{lived.id}", {"name": "Renamed"})
    [found] = await _found(lived.world)
    assert found.code == "engagement_changed"
    assert found.differs == (f"lead_id: row {stranger.person_id}, log {lived.attorney.person_id}",)


async def test_findings_are_cut_where_too_many_rows_differ(lived: Engagement, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(replaying, "MOST", 2)
    tamper(lived.world.services.database, "UPDATE memberships SET starts_at = starts_at - 1")
    assert [each.code for each in await _found(lived.world)] == ["membership_changed"] * 2 + ["replay_cut"]


async def test_rows_beyond_a_page_are_compared_too(lived: Engagement) -> None:
    """Pages are cut small: the kinds are made again with two rows a page."""
    small = [replace(kind, first=kind.first.limit(2), more=kind.more.limit(2)) for kind in KINDS]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(replaying, "KINDS", small)
        assert await _found(lived.world) == []
        last = row_of(lived.world.services.database, memberships, -1)
        tamper(lived.world.services.database, "UPDATE memberships SET role = 'reviewer' WHERE id = ?", last["id"])
        assert [each.ids for each in await _found(lived.world)] == [(last["id"],)]


async def test_a_log_that_does_not_recompute_is_not_held_against_the_rows(lived: Engagement) -> None:
    world = lived.world
    await checkpoints.sign_head(world.services, world.firm_id)
    tamper(
        world.services.database, "UPDATE log_entries SET body = ? WHERE log_id = ? AND idx = 9", b"{}", world.firm_id
    )
    tamper(world.services.database, "UPDATE engagements SET ends_at = ends_at + 1")
    assert [each.code for each in await _found(world)] == ["log_broken"]


async def test_a_finished_disposal_leaves_rows_that_are_what_the_log_says(tmp_path: Path, migrated_url: str) -> None:
    from tests.disposal.ending import an_ending  # noqa: PLC0415  # only here

    async with a_world(tmp_path / "var", migrated_url) as world:
        ending = await an_ending(world)
        await ending.request()
        assert await _found(world) == []
        await world.owner.ask("DELETE", ending.path)
        assert await _found(world) == []
        await ending.returned()
        await ending.run()
        assert await _found(world) == []
        assert row_of(world.services.database, engagements)["status"] == "disposed"


@pytest.mark.parametrize(("table", "end", "code"), [("grants", "revoked_at", "grant"), ("asks", "ended_at", "ask")])
async def test_what_outlives_its_task_is_found_although_the_log_agrees(
    lived: Engagement, table: str, end: str, code: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    world = lived.world
    monkeypatch.setattr(tasks.handing, "take_in", lambda *_: None)
    monkeypatch.setattr(asks, "end_of_task", lambda *_: None)
    seat, paper = await lived.member(), (await lived.document())["document_id"]
    task = await lived.task(seat, (paper,), preset="work")
    path = f"/tasks/{task['id']}"
    await lived.attorney.change("POST", f"{path}/cancellation", match=path)
    [row] = [each for each in rows_of(world.services.database, metadata.tables[table]) if each.task_id == task["id"]]
    assert getattr(row, end) == FOREVER
    found = {each.code: each for each in await _found(world)}
    assert set(found) == {"grant_outlives_task", "ask_outlives_task"}
    assert found[f"{code}_outlives_task"].ids == (row.id,)
    assert found[f"{code}_outlives_task"].engagements == ()
    await lived.attorney.change("DELETE", f"/{table}/{row.id}")
    assert f"{code}_outlives_task" not in {each.code for each in await _found(world)}

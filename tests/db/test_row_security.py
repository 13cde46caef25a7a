"""Row-level security, asked as the service's own role: a query that forgets its filter finds one firm's rows only.

Every table holds one row of each of three firms. The statements here name no firm: the transaction does.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from importlib import import_module
from typing import Any

import psycopg
import pytest
from sqlalchemy import Table, create_engine, delete, insert, literal_column, select, text, update

from service.db.auditstore import each_log
from service.db.models import logs, metadata, vendors
from service.db.session import EVERY_LOG, Database, Tx
from service.errors import UnavailableError
from tests.fakes.database import FaultyDatabase
from tests.migrated import owner_of
from tests.migrations.rows import FIRMS, a_row, fill
from tests.postgres import PostgresServer

MIGRATION: Any = import_module("migrations.versions.0004_row_security")
# Revisions with further tables.
LATER: Any = tuple(
    import_module(f"migrations.versions.{name}")
    for name in (
        "0005_emergencies",
        "0006_tasks",
        "0007_schedules",
        "0008_access_requests",
        "0009_duties",
        "0010_brakes_and_step_up",
        "0011_overlays",
        "0012_sharing_many",
        "0013_moving",
        "0014_reviewing",
        "0015_hidden_things",
        "0016_signins",
        "0017_disclosures",
        "0018_matter_seats",
    )
)
FIRM_COLUMNS = {name: column for each in (MIGRATION, *LATER) for name, column in each.FIRM_COLUMNS.items()}
TABLES = tuple(metadata.tables.values())
NOBODY = ("", "logs_9", "firm", "%", "logs_0' OR '1'='1", "logs_0 ")


@pytest.fixture(scope="module")
def url(postgres_server: PostgresServer, migrated_template: str) -> Iterator[str]:
    """A database with rows of three firms, for the role ``app``; no test here leaves anything in it."""
    name = postgres_server.create_database(migrated_template)
    app = postgres_server.url(name)
    engine = create_engine(owner_of(app))
    fill(engine)
    engine.dispose()
    _assert_that_it_stands_before_the_walls(app)
    yield app
    postgres_server.drop_database(name)


def _assert_that_it_stands_before_the_walls(url: str) -> None:
    """A superuser, an exempt role or the tables' owner would make every test here say nothing."""
    engine = create_engine(url)
    with engine.connect() as connection:
        role = connection.execute(
            text("SELECT current_user, rolsuper, rolbypassrls FROM pg_roles WHERE rolname = current_user")
        ).one()
        owners = connection.execute(text("SELECT DISTINCT tableowner FROM pg_tables WHERE schemaname = 'public'")).all()
    engine.dispose()
    assert tuple(role) == ("app", False, False)
    assert [tuple(row) for row in owners] == [("owner",)]


@pytest.fixture
def database(url: str) -> Iterator[FaultyDatabase]:
    """The service's connections to it: one, which everybody borrows."""
    made = FaultyDatabase(url, connections=1)
    yield made
    made.close()


def _firm_of(table: Table) -> Any:
    return literal_column(FIRM_COLUMNS[table.name])


def _all_firms(tx: Tx, table: Table) -> list[str]:
    """Whose rows a query without a filter finds."""
    return sorted(row[0] for row in tx.all(select(_firm_of(table)).select_from(table)))


def test_every_table_is_walled() -> None:
    assert set(FIRM_COLUMNS) == set(metadata.tables)


@pytest.mark.parametrize("firm", FIRMS)
def test_a_query_without_a_filter_finds_the_rows_of_one_firm(database: Database, firm: str) -> None:
    with database.read(firm) as tx:
        assert {table.name: _all_firms(tx, table) for table in TABLES} == {key: [firm] for key in metadata.tables}


@pytest.mark.parametrize("nobody", NOBODY)
def test_who_names_no_firm_finds_nothing(database: Database, nobody: str) -> None:
    with database.read(nobody) as tx:
        assert {table.name: _all_firms(tx, table) for table in TABLES} == {key: [] for key in metadata.tables}


def test_outside_of_a_transaction_of_a_firm_nothing_is_found(url: str) -> None:
    engine = create_engine(url)
    with engine.connect() as connection:
        for table in TABLES:
            assert connection.execute(table.select()).all() == []
    engine.dispose()


def test_whoever_looks_after_all_sees_the_list_of_logs_and_no_more(database: Database) -> None:
    with database.read(EVERY_LOG) as tx:
        found = {table.name: _all_firms(tx, table) for table in TABLES}
        assert found == {**{key: [] for key in metadata.tables}, "logs": list(FIRMS)}
        assert [(log.id, _all_firms(tx, vendors)) for log in each_log(tx)] == [(firm, [firm]) for firm in FIRMS]


def test_a_connection_that_another_firm_borrowed_carries_nothing_over(database: FaultyDatabase) -> None:
    for before, after in ((a, b) for a in (*FIRMS, EVERY_LOG) for b in FIRMS if a != b):
        with database.read(before) as tx:
            tx.all(select(vendors.c.id))
        with database.read(after) as tx:
            assert {_firm for table in TABLES for _firm in _all_firms(tx, table)} == {after}
        with pytest.raises(ZeroDivisionError), database.read(before):
            raise ZeroDivisionError
        lent = database.pool.borrow()
        cursor = lent.connection.cursor()
        cursor.execute("SELECT id FROM vendors")  # somebody who forgot even to begin
        assert cursor.fetchall() == []
        database.pool.give_back(lent, healthy=True)
    assert database.connections == 1


def test_firms_that_read_at_once_through_few_connections_see_each_their_own(url: str) -> None:
    database, wrong = Database(url, connections=2), []

    def reading(firm: str) -> None:
        for _ in range(30):
            with database.read(firm) as tx:
                if (found := _all_firms(tx, vendors)) != [firm]:
                    wrong.append((firm, found))

    threads = [threading.Thread(target=reading, args=(firm,)) for firm in FIRMS * 2]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert wrong == []
    database.close()


def test_the_setting_ends_with_the_transaction_however_it_ends(database: Database) -> None:
    connection = database.connect()
    for ending in ("COMMIT", "ROLLBACK"):
        tx = database.begin(connection, database.begin_write, FIRMS[0])
        assert _all_firms(tx, vendors) == [FIRMS[0]]
        tx.command(ending)
        tx.command("BEGIN")
        assert _all_firms(tx, vendors) == []
        tx.command("ROLLBACK")
    connection.close()


# Changing -----------------------------------------------------------------------------------------------------------


@pytest.fixture
def writing(database: Database) -> Iterator[Tx]:
    """A writing transaction of the first firm, undone at the end."""
    connection = database.connect()
    tx = database.begin(connection, database.begin_write, FIRMS[0])
    yield tx
    tx.command("ROLLBACK")
    connection.close()


def _tables_with(verb: str) -> list[Table]:
    """The tables that the application may ... as a whole."""
    return [table for table in TABLES if table.name in _given(MIGRATION.APP, verb)]


def _given(group: str, verb: str) -> list[str]:
    """What the migrations give a group, as they write it."""
    return [entry for each in (MIGRATION, *LATER) for entry in each.RIGHTS.get(group, {}).get(verb, ())]


def _refused(tx: Tx, statement: Any, **values: Any) -> str:
    """Try a statement that must be refused; returns the database's own words."""
    tx.command("SAVEPOINT trying")
    with pytest.raises(psycopg.errors.InsufficientPrivilege) as error:
        tx.run(statement, **values)
    tx.command("ROLLBACK TO SAVEPOINT trying")
    return str(error.value)


def test_a_change_without_a_filter_touches_the_rows_of_one_firm(writing: Tx) -> None:
    tables = _tables_with("UPDATE")
    assert len(tables) > 10
    for table in tables:
        column = next(column for column in table.columns if not column.primary_key)
        assert writing.run(update(table).values({column.name: column})) == 1, table.name
    ending = _tables_with("DELETE")
    children_first = [table for table in reversed(metadata.sorted_tables) if table in ending]
    assert [writing.run(delete(table)) for table in children_first] == [1] * len(ending)


def test_a_row_of_another_firm_can_be_neither_added_nor_handed_over(writing: Tx) -> None:
    for table in _tables_with("INSERT"):
        assert "row-level security" in _refused(writing, insert(table), **a_row(table, 1)), table.name
    for table in _tables_with("UPDATE"):
        if "firm_id" in table.columns:
            assert "row-level security" in _refused(writing, update(table).values(firm_id=FIRMS[1])), table.name


def test_the_list_of_logs_can_be_read_and_neither_locked_nor_changed(writing: Tx) -> None:
    writing.turn_to(EVERY_LOG)
    assert len(writing.all(select(logs.c.id))) == len(FIRMS)
    assert writing.all(select(logs.c.id).with_for_update()) == []
    assert writing.run(update(logs).values(size=0)) == 0


def test_a_read_never_changes_anything(database: Database) -> None:
    with pytest.raises(UnavailableError), database.read(FIRMS[0]) as tx:
        tx.run(update(vendors).values(created_at=0))


# Rights -------------------------------------------------------------------------------------------------------------

WRITTEN_ONCE = import_module("migrations.versions.0001_initial").WRITTEN_ONCE
_OF_COLUMNS = text("SELECT has_any_column_privilege(:group, :table, :verb)")
_OF_TABLES = text("SELECT has_table_privilege(:group, :table, :verb)")
ON_COLUMNS = ("SELECT", "INSERT", "UPDATE", "REFERENCES")
VERBS = ("SELECT", "INSERT", "UPDATE", "DELETE", "TRUNCATE", "REFERENCES", "TRIGGER")


def _held(url: str, group: str) -> dict[str, set[str]]:
    """The rights that a group holds, by verb; those to columns count."""
    held: dict[str, set[str]] = {verb: set() for verb in VERBS}
    engine = create_engine(url)
    with engine.connect() as connection:
        for table in metadata.tables:
            for verb in VERBS:
                if connection.execute(
                    _OF_COLUMNS if verb in ON_COLUMNS else _OF_TABLES, {"group": group, "table": table, "verb": verb}
                ).scalar():
                    held[verb].add(table)
    engine.dispose()
    return held


@pytest.mark.parametrize("group", MIGRATION.GROUPS)
def test_each_group_holds_what_the_migration_gave_it_and_no_more(url: str, group: str) -> None:
    given = {verb: {entry.partition(" ")[0] for entry in _given(group, verb)} for verb in VERBS}
    assert _held(url, group) == given


def test_nobody_who_serves_changes_or_deletes_what_is_written_once(url: str) -> None:
    held = _held(url, "app")  # a member of all three
    for verb in ("UPDATE", "DELETE", "TRUNCATE"):
        assert held[verb].isdisjoint(WRITTEN_ONCE)
    assert held["TRUNCATE"] == held["REFERENCES"] == held["TRIGGER"] == set()
    # What is on its way, and ends; and who sits where, which is kept no longer than it serves.
    assert held["DELETE"] == {"log_intents", "uploads", "upload_pieces", "openings", "seats", "signins"}


@pytest.mark.parametrize(
    ("group", "statement"),
    [
        ("muniment_app", insert(metadata.tables["certificates"])),
        ("muniment_app", insert(metadata.tables["log_checkpoints"])),
        ("muniment_app", update(logs).values(verifier_key="mine")),
        ("muniment_app", update(metadata.tables["emergencies"]).values(closes_at=1)),
        ("muniment_app", update(metadata.tables["schedules"]).values(terms="")),
        ("muniment_disposer", insert(metadata.tables["grants"])),
        ("muniment_disposer", update(metadata.tables["documents"]).values(part_id="parts_0")),
        ("muniment_disposer", insert(metadata.tables["log_checkpoints"])),
        ("muniment_signer", insert(metadata.tables["log_entries"])),
        ("muniment_signer", insert(metadata.tables["certificates"])),
        ("muniment_signer", select(metadata.tables["people"])),
    ],
)
def test_one_kind_of_work_gives_no_right_to_another(writing: Tx, group: str, statement: Any) -> None:
    writing.command({each: f"SET LOCAL ROLE {each}" for each in MIGRATION.GROUPS}[group])
    values = a_row(statement.table, 0) if statement.is_insert else {}
    assert "permission denied" in _refused(writing, statement, **values)

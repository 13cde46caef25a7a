"""What a PostgreSQL must be: each way in which it is not is refused, with a sentence that says what to change."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from psycopg import sql
from sqlalchemy import create_engine, make_url, text

from service import wiring
from service.config import Settings
from service.db import schema
from service.db.models import metadata
from service.db.safety import Server, TableWall, faults_of_server, faults_of_walls, require_safe, require_verified
from service.db.session import Database
from service.errors import UnavailableError, UnsafeError
from tests.fakes.database import FaultyDatabase
from tests.migrated import owner_of
from tests.postgres import PostgresServer

SAFE = Server(150_004, "on", "on", "on", "UTF8", is_superuser=False, bypasses=False, row_security="on")
TABLES = tuple(metadata.tables)
WALLS = {
    name: TableWall(name, True, False, ("firm", "list", "owner") if name == "logs" else ("firm", "owner"))
    for name in (*TABLES, "alembic_version")
}


def test_a_safe_server_has_no_faults() -> None:
    assert list(faults_of_server(SAFE)) == []
    assert list(faults_of_walls(WALLS, TABLES)) == []


@pytest.mark.parametrize("level", ["on", "local", "remote_write", "remote_apply"])
def test_every_way_of_committing_that_waits_for_the_disk_will_do(level: str) -> None:
    assert list(faults_of_server(replace(SAFE, synchronous_commit=level))) == []


@pytest.mark.parametrize(
    ("fault", "word"),
    [
        ({"version": 149_999}, "PostgreSQL 15"),
        ({"fsync": "off"}, "fsync off"),
        ({"full_page_writes": "off"}, "full_page_writes off"),
        ({"synchronous_commit": "off"}, "synchronous_commit off"),
        ({"encoding": "SQL_ASCII"}, "UTF8"),
        ({"is_superuser": True}, "NOSUPERUSER"),
        ({"bypasses": True}, "NOBYPASSRLS"),
        ({"row_security": "off"}, "row_security is off"),
    ],
)
def test_each_fault_of_a_server_is_refused_and_named(fault: dict[str, Any], word: str) -> None:
    [sentence] = faults_of_server(replace(SAFE, **fault))
    assert word in sentence


@pytest.mark.parametrize(
    ("fault", "word"),
    [
        ({"is_owned": True}, "owns the tables"),
        ({"forced": False}, "Row-level security"),
        ({"policies": ("firm", "open", "owner")}, "Row-level security"),
        ({"policies": ("owner",)}, "Row-level security"),
    ],
)
@pytest.mark.parametrize("table", ["grants", "logs"])
def test_each_hole_in_a_wall_is_refused_and_its_table_named(table: str, fault: dict[str, Any], word: str) -> None:
    [sentence] = faults_of_walls({**WALLS, table: replace(WALLS[table], **fault)}, TABLES)
    assert word in sentence
    assert table in sentence or "owns" in sentence


def test_a_table_that_is_missing_is_refused() -> None:
    without = {name: wall for name, wall in WALLS.items() if name != "grants"}
    assert "grants" in next(faults_of_walls(without, TABLES))


# TLS ----------------------------------------------------------------------------------------------------------------

HERE = [
    "postgresql+psycopg://app@/db?host=/var/run/postgresql",
    "postgresql+psycopg://app@localhost/db",
    "postgresql+psycopg://app@127.0.0.1:5433/db",
    "postgresql+psycopg://app@[::1]/db",
    "postgresql+psycopg://app@/db?host=/tmp/a&host=/tmp/b",
    "postgresql+psycopg://app@db.example/db?sslmode=verify-full",
    "postgresql+psycopg://app@db.example/db?sslmode=verify-full&sslrootcert=system",
]
ACROSS = [
    "postgresql+psycopg://app@db.example/db",
    "postgresql+psycopg://app@10.0.0.7/db",
    "postgresql+psycopg://app@localhost.example/db",
    *(
        f"postgresql+psycopg://app@db.example/db?sslmode={mode}"
        for mode in ("disable", "allow", "prefer", "require", "verify-ca", "VERIFY-FULL")
    ),
    "postgresql+psycopg://app@localhost/db?host=db.example",
    "postgresql+psycopg://app@localhost/db?hostaddr=10.0.0.7",
    "postgresql+psycopg://app@/db?host=/tmp/a&host=db.example:5432",
    "postgresql+psycopg://app@/db?host=localhost,db.example",
]


@pytest.mark.parametrize("url", HERE)
def test_this_machine_and_verified_tls_are_allowed(url: str) -> None:
    require_verified(make_url(url))


@pytest.mark.parametrize("url", ACROSS)
def test_a_network_without_verified_tls_is_refused_before_anything_is_sent(url: str) -> None:
    with pytest.raises(UnsafeError, match="sslmode=verify-full"):
        Database(url)


@pytest.mark.parametrize("url", ["postgresql+psycopg://app@/db", "postgresql+psycopg:///db?service=prod&host=/tmp"])
def test_a_url_that_leaves_the_place_to_others_is_refused(url: str) -> None:
    with pytest.raises(UnsafeError, match="MUNIMENT_DATABASE_URL must name"):
        Database(url)


# A real server ------------------------------------------------------------------------------------------------------


def _as_owner(url: str, statement: str) -> None:
    engine = create_engine(owner_of(url))
    with engine.begin() as connection:
        connection.execute(text(statement))
    engine.dispose()


def test_the_tests_own_server_is_safe(migrated_url: str) -> None:
    schema.require_safe(Database(migrated_url))


def test_the_owner_may_not_serve(migrated_postgres_url: str) -> None:
    with pytest.raises(UnsafeError, match="owns the tables"):
        schema.require_safe(Database(owner_of(migrated_postgres_url)))


def test_a_superuser_may_not_serve(migrated_postgres_url: str) -> None:
    with pytest.raises(UnsafeError, match="NOSUPERUSER"):
        schema.require_safe(Database(migrated_postgres_url.replace("//app@", "//postgres@")))


@pytest.fixture
def other_role(postgres_server: PostgresServer) -> Iterator[str]:
    """A login role of one's own, in the groups that the service is in."""
    postgres_server.run(sql.SQL("CREATE ROLE other LOGIN IN ROLE muniment_app, muniment_disposer, muniment_signer"))
    yield "other"
    postgres_server.run(sql.SQL("DROP ROLE other"))


@pytest.mark.parametrize(
    ("change", "word"),
    [
        ("ALTER ROLE other BYPASSRLS", "NOBYPASSRLS"),
        ("GRANT owner TO other", "owns the tables"),
        ("ALTER ROLE other SET synchronous_commit TO off", "synchronous_commit off"),
        ("ALTER ROLE other SET row_security TO off", "row_security is off"),
    ],
)
def test_a_role_that_was_changed_is_refused(
    postgres_server: PostgresServer, migrated_postgres_url: str, other_role: str, change: str, word: str
) -> None:
    database = Database(migrated_postgres_url.replace("//app@", f"//{other_role}@"))
    schema.require_safe(database)
    postgres_server.run(sql.SQL(change))
    with pytest.raises(UnsafeError, match=word):
        schema.require_safe(database)


@pytest.mark.parametrize(
    "change",
    [
        "ALTER TABLE grants DISABLE ROW LEVEL SECURITY",
        "ALTER TABLE grants NO FORCE ROW LEVEL SECURITY",
        "CREATE POLICY open ON grants USING (true)",
        "DROP POLICY firm ON grants",
    ],
)
def test_an_installation_with_a_hole_in_a_wall_does_not_open(
    tmp_path: Path, migrated_postgres_url: str, change: str
) -> None:
    settings = Settings(home=tmp_path / "var", database_url=migrated_postgres_url)
    wiring.prepare(settings)
    _as_owner(migrated_postgres_url, change)
    with pytest.raises(UnsafeError, match="Row-level security is not as the migrations left it on grants"):
        wiring.wire(settings)


def test_a_server_that_goes_away_while_it_is_asked_is_unavailable(migrated_postgres_url: str) -> None:
    database = FaultyDatabase(migrated_postgres_url)
    database.faults.plan("execute", database.error)
    with pytest.raises(UnavailableError):
        schema.require_safe(database)


def test_a_refusal_tells_where_to_read_on(migrated_postgres_url: str) -> None:
    connection = Database(owner_of(migrated_postgres_url)).connect()
    with pytest.raises(UnsafeError, match=r"docs/operations\.md"):
        require_safe(connection.cursor(), TABLES)
    connection.close()

"""Revision 0004 with data, up and down; the groups it makes, which belong to the whole cluster."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine, create_engine, text
from sqlalchemy.exc import ProgrammingError

from service.db import schema
from service.db.models import metadata
from service.db.session import Database
from service.errors import UnsafeError
from tests.migrated import owner_of
from tests.migrations.rows import FIRMS, content, fill
from tests.postgres import PostgresServer, running_postgres

ROOT = Path(__file__).parent.parent.parent
MIGRATION: Any = import_module("migrations.versions.0004_row_security")
_WALLS = """
SELECT relname, relrowsecurity, relforcerowsecurity, relacl::text,
       ARRAY(SELECT polname::text FROM pg_policy WHERE polrelid = c.oid ORDER BY polname)
  FROM pg_class c WHERE relnamespace = 'public'::regnamespace AND relkind = 'r' ORDER BY relname"""


@pytest.fixture
def filled(migrated_url: str) -> Iterator[Engine]:
    """A database of this revision with three rows in every table, as its owner has it."""
    schema.downgrade(Database(owner_of(migrated_url)), "0004")
    engine = create_engine(owner_of(migrated_url))
    fill(engine)
    engine.dispose()
    yield engine
    engine.dispose()


def _walls(engine: Engine) -> list[tuple[Any, ...]]:
    with engine.connect() as connection:
        return [tuple(row) for row in connection.execute(text(_WALLS))]


def test_with_data_it_goes_down_and_up_and_no_row_changes(filled: Engine, migrated_url: str) -> None:
    before, database = content(filled), Database(owner_of(migrated_url))
    assert {len(rows) for rows in before.values()} == {len(FIRMS)}
    schema.downgrade(database, "0003")
    assert schema.current(database) == "0003"
    assert content(filled) == before
    schema.upgrade(database, "0004")
    assert content(filled) == before


def test_it_goes_down_to_open_tables_without_rights_and_up_to_the_same_walls(migrated_postgres_url: str) -> None:
    owner, app = create_engine(owner_of(migrated_postgres_url)), create_engine(migrated_postgres_url)
    schema.downgrade(Database(owner_of(migrated_postgres_url)), "0004")
    fill(owner)
    walls = _walls(owner)
    schema.downgrade(Database(owner_of(migrated_postgres_url)), "0003")
    assert [row[1:3] + row[4:] for row in _walls(owner)] == [(False, False, [])] * len(walls)
    with app.connect() as connection, pytest.raises(ProgrammingError, match="permission denied"):
        connection.execute(text("SELECT id FROM vendors"))
    schema.upgrade(Database(owner_of(migrated_postgres_url)), "0004")
    assert _walls(owner) == walls
    owner.dispose()
    app.dispose()


def test_the_owner_too_sees_nothing_unless_it_asks_for_all(migrated_postgres_url: str) -> None:
    everything = create_engine(owner_of(migrated_postgres_url))
    fill(everything)
    forgetful = create_engine(everything.url.difference_update_query(["options"]))
    with forgetful.connect() as connection:
        assert {name: connection.execute(t.select()).all() for name, t in metadata.tables.items()} == {
            name: [] for name in metadata.tables
        }
    everything.dispose()
    forgetful.dispose()


def test_on_sqlite_there_is_nothing_to_do(migrated_sqlite_url: str) -> None:
    engine, database = create_engine(migrated_sqlite_url), Database(migrated_sqlite_url)
    schema.downgrade(database, "0004")
    with engine.connect() as connection:
        before = connection.execute(text("SELECT sql FROM sqlite_master ORDER BY name")).all()
    schema.downgrade(database, "0003")
    with engine.connect() as connection:
        assert connection.execute(text("SELECT sql FROM sqlite_master ORDER BY name")).all() == before
    engine.dispose()


# A cluster in which nobody has made the groups ----------------------------------------------------------------------

_ROLES = "CREATE ROLE owner LOGIN CREATEROLE; CREATE ROLE app LOGIN; CREATE ROLE poor LOGIN"


@pytest.fixture(scope="module")
def bare() -> Iterator[PostgresServer]:
    """A cluster whose ``owner`` may make roles, as on managed servers, and whose ``poor`` may not."""
    with running_postgres(_ROLES) as server:
        yield server


def _groups(server: PostgresServer) -> list[tuple[Any, ...]]:
    engine = create_engine(server.url("postgres", "owner"))
    query = "SELECT rolname, rolcanlogin, rolsuper, rolbypassrls FROM pg_roles WHERE rolname ~ '^muniment' ORDER BY 1"
    with engine.connect() as connection:
        found = [tuple(row) for row in connection.execute(text(query))]
    engine.dispose()
    return found


def test_the_groups_are_made_once_for_databases_that_migrate_at_once_and_stay_when_one_goes_down(
    bare: PostgresServer,
) -> None:
    urls = [bare.url(bare.create_database(), "owner") for _ in range(4)]
    program = (
        "import sys; from service.db import schema; from service.db.session import Database;"
        "schema.upgrade(Database(sys.argv[1]))"
    )
    running = [subprocess.Popen([sys.executable, "-c", program, url], cwd=ROOT) for url in urls]
    assert [each.wait(60) for each in running] == [0] * len(urls)
    wanted = [(group, False, False, False) for group in sorted(MIGRATION.GROUPS)]
    assert _groups(bare) == wanted
    schema.downgrade(Database(urls[0]), "base")
    assert _groups(bare) == wanted
    schema.require_head(Database(urls[1]))


def test_who_may_not_migrate_is_told_what_is_missing(bare: PostgresServer) -> None:
    url = bare.url(bare.create_database(), "poor")
    with pytest.raises(UnsafeError, match="muniment_app, muniment_disposer and muniment_signer must be there"):
        schema.upgrade(Database(url))
    assert schema.current(Database(url)) is None

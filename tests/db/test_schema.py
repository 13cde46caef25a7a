"""Revisions: where the database is, where it must be, and how it gets there."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import CheckConstraint, create_engine, text

from service import wiring
from service.config import Settings
from service.db import schema
from service.db.models import metadata
from service.db.session import Database
from service.errors import UnavailableError, WrongRevisionError
from tests.migrated import owner_of

ROOT = Path(__file__).parent.parent.parent


def test_head_is_what_the_models_say(migrated_url: str) -> None:
    engine = create_engine(migrated_url)
    with engine.connect() as connection:
        options = {"compare_type": True, "compare_server_default": True}
        found = compare_metadata(MigrationContext.configure(connection, opts=options), metadata)
    engine.dispose()
    assert found == []


def test_checks_of_the_models_are_in_the_database(migrated_url: str) -> None:
    """The comparison above does not look at CHECK constraints."""
    wanted = {
        str(check.name)
        for table in metadata.tables.values()
        for check in table.constraints
        if isinstance(check, CheckConstraint)
    }
    engine = create_engine(migrated_url)
    with engine.connect() as connection:
        if engine.dialect.name == "sqlite":
            found = "\n".join(connection.execute(text("SELECT sql FROM sqlite_master WHERE type = 'table'")).scalars())
        else:
            found = "\n".join(connection.execute(text("SELECT conname FROM pg_constraint")).scalars())
    engine.dispose()
    assert wanted
    assert [name for name in wanted if name not in found] == []


def test_only_the_three_column_types_are_used() -> None:
    types = {type(column.type).__name__ for table in metadata.tables.values() for column in table.columns}
    assert types == {"Text", "BigInteger", "LargeBinary"}


def test_every_row_names_its_firm_or_its_log() -> None:
    owned = {name for name, table in metadata.tables.items() if {"firm_id", "log_id"} & set(table.columns.keys())}
    assert set(metadata.tables) - owned == {"logs", "firms"}


def test_it_goes_up_down_and_up_again(database_url: str) -> None:
    database = Database(database_url)
    assert schema.current(database) is None
    schema.upgrade(database)
    schema.require_head(database)
    schema.upgrade(database)  # nothing to do
    assert schema.current(database) == schema.head()
    schema.downgrade(database, "base")
    assert schema.current(database) is None
    schema.move(database, "head")
    schema.move(database, "head")
    schema.require_head(database)
    schema.move(database, "base")
    assert schema.current(database) is None


def test_two_processes_that_migrate_at_once_end_at_the_same_revision(database_url: str) -> None:
    program = (
        "import sys; from service.db import schema; from service.db.session import Database;"
        "schema.upgrade(Database(sys.argv[1]))"
    )
    both = [subprocess.Popen([sys.executable, "-c", program, database_url], cwd=ROOT) for _ in range(2)]
    assert [each.wait(60) for each in both] == [0, 0]
    schema.require_head(Database(database_url))


def test_a_revision_that_is_not_known_is_refused(migrated_url: str) -> None:
    with pytest.raises(WrongRevisionError, match="no such revision"):
        schema.move(Database(migrated_url), "9999")
    _set_revision(migrated_url, "9999")
    with pytest.raises(WrongRevisionError):
        schema.move(Database(migrated_url), "head")


def test_an_installation_at_another_revision_refuses_to_start_and_says_what_to_do(
    tmp_path: Path, migrated_url: str
) -> None:
    settings = Settings(home=tmp_path / "var", database_url=migrated_url)
    wiring.prepare(settings)
    _set_revision(migrated_url, "9999")
    with (
        pytest.raises(WrongRevisionError, match=r"Run `muniment migrate` with this version, then start again\."),
        wiring.open_installation(settings),
    ):
        pass


def test_an_empty_database_refuses_to_start(tmp_path: Path, migrated_url: str) -> None:
    settings = Settings(home=tmp_path / "var", database_url=migrated_url)
    wiring.prepare(settings)
    schema.downgrade(Database(owner_of(migrated_url)), "base")
    with pytest.raises(WrongRevisionError), wiring.open_installation(settings):
        pass


def test_a_database_that_is_away_cannot_be_asked_for_its_revision() -> None:
    with pytest.raises(UnavailableError):
        schema.current(Database("sqlite:////nowhere/at/all.db"))


def _set_revision(url: str, revision: str) -> None:
    engine = create_engine(owner_of(url))
    with engine.begin() as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = :revision"), {"revision": revision})
    engine.dispose()

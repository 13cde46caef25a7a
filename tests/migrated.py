"""Fixtures: databases at the newest revision, as copies of one that was migrated once a run.

tests/conftest.py hands them to all tests. `migrated_url` is like ``database_url`` (a test runs on both kinds of
database), only that all tables are there already, and that on PostgreSQL it is for the role ``app``, who serves and
owns nothing. `owner_of` gives the same database as its owner has it.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from service.db import schema
from service.db.session import Database
from tests.postgres import PostgresServer


def owner_of(url: str) -> str:
    """The URL of the same database for whoever owns its tables and sees all firms; SQLite knows no owner."""
    return url if url.startswith("sqlite") else f"{url.replace('//app@', '//owner@')}&options=-cmuniment.firm%3D%2A"


def new_migrated(server: PostgresServer) -> str:
    """Make a PostgreSQL database at the newest revision, as its owner; return its name."""
    name = server.create_database()
    with closing(Database(server.url(name, "owner"))) as database:
        schema.upgrade(database)
    return name


@pytest.fixture(scope="session")
def migrated_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A SQLite file at the newest revision, to be copied."""
    path = tmp_path_factory.mktemp("migrated") / "migrated.db"
    schema.upgrade(Database(f"sqlite:///{path}"))
    return path


@pytest.fixture(scope="session")
def migrated_template(postgres_server: PostgresServer) -> str:
    """The name of a PostgreSQL database at the newest revision, to be copied."""
    return new_migrated(postgres_server)


@pytest.fixture(scope="module", params=["sqlite", "postgres"])
def module_url(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A database that the tests of one module share; they run on both kinds."""
    if request.param == "sqlite":
        path = tmp_path_factory.mktemp("module") / "muniment.db"
        shutil.copyfile(request.getfixturevalue("migrated_file"), path)
        yield f"sqlite:///{path}"
        return
    server: PostgresServer = request.getfixturevalue("postgres_server")
    name = server.create_database(request.getfixturevalue("migrated_template"))
    yield server.url(name)
    server.drop_database(name)


@pytest.fixture
def migrated_sqlite_url(tmp_path: Path, migrated_file: Path) -> str:
    """A SQLite database of one's own."""
    path = tmp_path / "muniment.db"
    shutil.copyfile(migrated_file, path)
    return f"sqlite:///{path}"


@pytest.fixture
def migrated_postgres_url(postgres_server: PostgresServer, migrated_template: str) -> Iterator[str]:
    """A PostgreSQL database of one's own."""
    name = postgres_server.create_database(migrated_template)
    yield postgres_server.url(name)
    postgres_server.drop_database(name)


@pytest.fixture(params=["sqlite", "postgres"])
def migrated_url(request: pytest.FixtureRequest) -> str:
    """A database at the newest revision; a test that asks for it runs on both kinds."""
    url: str = request.getfixturevalue(f"migrated_{request.param}_url")
    return url

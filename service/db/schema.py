"""The database's revision: what it is, what it must be, and how to get there (Alembic, folder migrations/).

Two processes that migrate at once: the second waits for the first and then finds nothing to do (SQLite has one writer;
on PostgreSQL a transaction-level advisory lock is taken).
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import Any, Final

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from alembic.script.revision import RevisionError
from alembic.util.exc import CommandError
from sqlalchemy import Connection, NullPool, create_engine, event, text
from sqlalchemy.exc import ProgrammingError, SQLAlchemyError

from service.db import safety
from service.db.models import metadata
from service.db.session import DRIVER_ERRORS, Database
from service.errors import UnavailableError, UnsafeError, WrongRevisionError

FOLDER: Final = Path(__file__).parent.parent.parent / "migrations"
LOCK: Final = 0x6D756E69  # "muni"
INSUFFICIENT_PRIVILEGE: Final = "42501"


@cache
def head() -> str:
    """Return the revision that this version of the service needs; its scripts are read once a process."""
    revision = ScriptDirectory.from_config(_config()).get_current_head()
    if revision is None:
        raise WrongRevisionError
    return revision


def current(database: Database) -> str | None:
    """Return the revision the database is at; None when it is empty."""
    with _connection(database) as connection, _rights_needed():
        return MigrationContext.configure(connection).get_current_revision()


def require_head(database: Database) -> None:
    """Raise `WrongRevisionError` unless the database is exactly at `head`."""
    if current(database) != head():
        raise WrongRevisionError


def require_safe(database: Database) -> None:
    """Refuse a server, or a role on it, that the promises cannot rest on; SQLite's settings are the connection's own.

    Raises:
        UnsafeError: it is not safe; the sentence says what to change.
    """
    if database.is_sqlite:
        return
    connection = database.connect()
    try:
        safety.require_safe(connection.cursor(), tuple(metadata.tables))
    except DRIVER_ERRORS as error:
        raise UnavailableError from error
    finally:
        connection.close()


def upgrade(database: Database, revision: str = "head") -> None:
    """Bring the database to a revision, by default the newest."""
    if revision == "head" and current(database) == head():
        return
    _migrate(database, command.upgrade, revision)


def downgrade(database: Database, revision: str) -> None:
    """Take the database back to a revision; ``base`` empties it."""
    _migrate(database, command.downgrade, revision)


def move(database: Database, revision: str) -> None:
    """Bring the database to a revision, up or down, whichever way it lies; ``base`` empties it.

    Raises:
        WrongRevisionError: there is no such revision, or the database is at one that this version does not know.
    """
    script, at = ScriptDirectory.from_config(_config()), current(database)
    try:
        behind = {step.revision for step in script.iterate_revisions(at or "base", "base")}
        target = revision if revision == "base" else script.get_revision(revision).revision
    except (CommandError, RevisionError) as error:
        raise WrongRevisionError("There is no such revision in this version.") from error
    (downgrade if target in behind | {"base"} and target != at else upgrade)(database, target)


def _migrate(database: Database, action: Any, revision: str) -> None:
    with _connection(database) as connection, _rights_needed():
        if not database.is_sqlite:
            connection.execute(text("SELECT pg_advisory_lock(:lock)"), {"lock": LOCK})
            connection.commit()
        config = _config()
        config.attributes["connection"] = connection
        action(config, revision)
        connection.commit()


@contextmanager
def _rights_needed() -> Iterator[None]:
    """Say in words which rights a role lacks."""
    try:
        yield
    except ProgrammingError as error:
        if getattr(error.orig, "sqlstate", None) != INSUFFICIENT_PRIVILEGE:
            raise
        raise UnsafeError(
            "This database role lacks rights: tables are migrated by their owner, the groups muniment_app, "
            "muniment_disposer and muniment_signer must be there, and the service's role is a member of them. "
            "See docs/operations.md, On PostgreSQL."
        ) from error


def _config() -> Config:
    config = Config()
    config.set_main_option("script_location", str(FOLDER))
    return config


def _connection(database: Database) -> Connection:
    engine = create_engine(database.url, poolclass=NullPool)
    if database.is_sqlite:
        event.listen(engine, "connect", _prepare_sqlite)
        event.listen(engine, "begin", _begin_sqlite)
    try:
        return engine.connect()
    except SQLAlchemyError as error:
        raise UnavailableError from error


def _prepare_sqlite(connection: Any, _record: object) -> None:
    connection.isolation_level = None  # else the driver commits before DDL by itself
    connection.execute("PRAGMA busy_timeout=10000")


def _begin_sqlite(connection: Connection) -> None:
    connection.exec_driver_sql("BEGIN IMMEDIATE")

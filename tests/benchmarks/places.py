"""Where an installation that is measured lies: on SQLite and folders, or on PostgreSQL and S3 from their wheels."""

from __future__ import annotations

import os
import re
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import psycopg

from service.config import Settings
from service.db.session import Database
from service.services import Services
from tests.buckets import Buckets, made_buckets
from tests.migrated import new_migrated
from tests.postgres import PostgresServer, running_postgres
from tests.seaweed import REGION, Seaweed, running_seaweed

_NAMED = re.compile(r"(?<!:):([a-z]+)")


class Place(Protocol):
    """Where installations are made; each call of `settings` means a new one."""

    def settings(self, home: Path) -> dict[str, str]:
        """What the settings of an installation in this folder say beyond it, by their names."""
        ...

    def bare(self, home: Path) -> Any:
        """A connection that commits each statement, to an empty database in which a table may be made."""
        ...

    def bulk(self, services: Services) -> Any:
        """A connection in a transaction to an installation's database, on which nobody checks keys and rights."""
        ...

    def sql(self, text: str) -> str:
        """A statement with ``:named`` values, as the driver takes it."""
        ...


class OnFiles:
    """SQLite and folders."""

    def settings(self, home: Path) -> dict[str, str]:
        """See `Place.settings`."""
        return {"database_url": f"sqlite:///{home / 'muniment.db'}"}

    def bare(self, home: Path) -> Any:
        """See `Place.bare`."""
        return Database(f"sqlite:///{home / 'bare.db'}").connect()

    def bulk(self, services: Services) -> Any:
        """See `Place.bulk`."""
        connection = services.database.connect()
        connection.execute("PRAGMA foreign_keys=OFF")
        connection.execute("BEGIN IMMEDIATE")
        return connection

    def sql(self, text: str) -> str:
        """See `Place.sql`."""
        return text


@dataclass(frozen=True, slots=True)
class OnServers:
    """Rows in PostgreSQL; contents, anchors and keys in buckets."""

    postgres: PostgresServer
    buckets: Buckets

    def settings(self, home: Path) -> dict[str, str]:
        """See `Place.settings`. A database and a prefix that nothing else has."""
        prefix = f"{os.urandom(8).hex()}/"
        return {
            "database_url": self.postgres.url(new_migrated(self.postgres)),
            "blobs": f"s3://{self.buckets.documents}/{prefix}",
            "anchors": f"s3://{self.buckets.anchors}/{prefix}",
            "key_places": f"s3://{self.buckets.keys}/{prefix},{home / 'keys'}",
            "s3_endpoint": self.buckets.endpoint,
            "aws_region": REGION,
        }

    def bare(self, home: Path) -> Any:
        """See `Place.bare`."""
        return Database(self.postgres.url(self.postgres.create_database(), "owner")).connect()

    def bulk(self, services: Services) -> Any:
        """See `Place.bulk`."""
        connection = psycopg.connect(
            host=str(self.postgres.folder), user="postgres", dbname=services.database.url.database
        )
        connection.execute("SET session_replication_role = replica")  # no foreign keys, no triggers
        return connection

    def sql(self, text: str) -> str:
        """See `Place.sql`."""
        return _NAMED.sub(r"%(\1)s", text)


FILES = OnFiles()


@contextmanager
def on_servers() -> Iterator[OnServers]:
    """Start both servers, from their wheels; they end with the context.

    Raises:
        PostgresMissingError, SeaweedMissingError: a wheel is not there.
    """
    with (
        running_postgres() as postgres,
        tempfile.TemporaryDirectory(prefix="muniment-s3-") as folder,
        running_seaweed(Path(folder)) as seaweed,
        keys_of(seaweed),
        made_buckets(seaweed) as buckets,
    ):
        yield OnServers(postgres, buckets)


@contextmanager
def keys_of(server: Seaweed) -> Iterator[None]:
    """Put a server's keys into the environment, where boto3 and our service look for them."""
    given = {
        "AWS_ACCESS_KEY_ID": server.access_key,
        "AWS_SECRET_ACCESS_KEY": server.secret_key,
        "AWS_DEFAULT_REGION": REGION,
        "AWS_EC2_METADATA_DISABLED": "true",
    }
    before = {name: os.environ.get(name) for name in given}
    os.environ.update(given)
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                del os.environ[name]
            else:
                os.environ[name] = value


def settings_of(place: Place, home: Path) -> tuple[Settings, dict[str, str]]:
    """Settings of a new installation, and the environment that says the same to a process."""
    given: dict[str, Any] = place.settings(home)
    environment = {f"MUNIMENT_{name.upper()}": value for name, value in given.items()}
    return Settings(home=home, **given), {"MUNIMENT_HOME": str(home), **environment}

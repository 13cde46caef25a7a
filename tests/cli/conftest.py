"""A way to run commands, and one service for all those that speak HTTP."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from json import loads
from pathlib import Path
from typing import Any

import pytest

from service.cli import main
from service.cli.client import Client
from service.cli.demo.machine import Machine


@dataclass(frozen=True, slots=True)
class Ran:
    """How a command ended."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        """What it printed, as JSON."""
        return loads(self.out)


Run = Callable[..., Ran]


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path) -> Run:
    """Run a command in this process; MUNIMENT_HOME is a folder of the test's own."""
    monkeypatch.setenv("MUNIMENT_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("COLUMNS", "200")

    def run_command(*arguments: str) -> Ran:
        monkeypatch.setattr(sys, "argv", ["muniment", *arguments])
        capsys.readouterr()
        try:
            main()
            code = 0
        except SystemExit as end:
            code = end.code if isinstance(end.code, int) else int(end.code is not None)
        printed = capsys.readouterr()
        return Ran(code, printed.out, printed.err)

    return run_command


@dataclass(frozen=True, slots=True)
class Service:
    """A service that runs, and what its founding printed."""

    machine: Machine
    founded: dict[str, str]


@pytest.fixture(scope="session")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    """One service in a process of its own, with one firm."""
    machine = Machine(tmp_path_factory.mktemp("serving"))
    founded = machine.run("init", "--firm", "Harbor & Vale LLP", "--owner", "ruth@harborvale.example")
    machine.start()
    yield Service(machine, founded)
    machine.stop()


def engage(service: Service) -> dict[str, str]:
    """Begin an engagement with one part, an attorney who has a token, and a paralegal with a seat."""

    def make(client: Client, path: str, /, **body: Any) -> dict[str, Any]:
        made: dict[str, Any] = client.ask("POST", f"/api/v1{path}", body=body).json()
        return made

    owner = Client(service.machine.url, service.founded["owner_token"], trust_env=False)
    vendor = make(owner, "/vendors", name="Northwind")["id"]
    lead = make(owner, "/people", email="dana@firm.example", name="Dana Whitfield")["id"]
    clerk = make(owner, "/people", email="sofia@vendor.example", name="Sofia Reyes", vendor_id=vendor)["id"]
    house = make(owner, "/members", person_id=lead, role="attorney")["id"]
    times = {"starts_at": "2020-01-01T00:00:00Z", "ends_at": "2099-01-01T00:00:00Z"}
    terms = {"vendor_id": vendor, "number": "E-1", "name": "Intake", "lead_id": lead, **times}
    engagement = make(owner, "/engagements", **terms)["id"]
    seat = make(owner, f"/engagements/{engagement}/members", person_id=clerk, role="paralegal")["id"]
    owner.close()
    token = service.machine.run("token", "create", "--membership", house)["items"][0]["token"]
    attorney = Client(service.machine.url, token, trust_env=False)
    matter = make(attorney, "/matters", number="M-1", client="Maria Delgado")["id"]
    part = make(attorney, f"/engagements/{engagement}/parts", matter_id=matter, caption="Delgado")["id"]
    attorney.close()
    return {"engagement": engagement, "part": part, "token": token, "seat": seat}


@pytest.fixture(scope="session")
def world(service: Service) -> dict[str, str]:
    """An engagement on the shared service."""
    return engage(service)


@pytest.fixture
def ask(run: Run, service: Service, monkeypatch: pytest.MonkeyPatch) -> Run:
    """Run a command as the owner of that firm."""
    monkeypatch.setenv("MUNIMENT_URL", service.machine.url)
    monkeypatch.setenv("MUNIMENT_TOKEN", service.founded["owner_token"])
    monkeypatch.setenv("MUNIMENT_HOME", str(service.machine.home))
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    return run

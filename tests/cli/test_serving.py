from __future__ import annotations

import io
import os
import socket
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from service.cli.client import Client
from service.cli.demo.machine import Machine
from service.cli.demo.proof import UnprovenError
from tests.cli.conftest import Run, Service, engage

FOUND = ("init", "--firm", "Harbor & Vale LLP", "--owner", "ruth@harborvale.example")


@pytest.fixture
def machine(tmp_path: Path) -> Machine:
    made = Machine(tmp_path / "home")
    made.run(*FOUND)
    return made


def test_a_service_answers_and_ends_in_good_order_when_it_is_told_to(machine: Machine) -> None:
    machine.start()
    client = Client(machine.url, "", trust_env=False)
    try:
        assert client.read("/healthz") == {"status": "alive"}
        assert client.read("/readyz") == {"status": "ready"}
    finally:
        client.close()
    machine.stop()  # raises unless it ended with 0
    log = (machine.home / "server.log").read_text(encoding="utf-8")
    assert "healthz" not in log


def test_a_download_in_flight_is_finished_before_the_service_ends(tmp_path: Path) -> None:
    machine = Machine(tmp_path / "home")
    founded = machine.run(*FOUND)
    machine.start()
    world = engage(Service(machine, founded))
    client, content = Client(machine.url, world["token"], trust_env=False), os.urandom(48 * 1024 * 1024)
    where = {"part_id": world["part"], "label": "exhibit", "sensitivity": "routine"}
    path = f"/api/v1/engagements/{world['engagement']}/documents"
    said = {"Muniment-Title": "UTF-8''large"}
    document = client.ask("POST", path, query=where, content=content, headers=said).json()["document_id"]

    arrived = io.BytesIO()
    stopping: list[threading.Thread] = []

    def slowly(pieces: Iterator[bytes], _total: int | None) -> Iterator[bytes]:
        for piece in pieces:
            if not stopping:
                stopping.append(threading.Thread(target=machine.stop))  # SIGTERM, then waits
                stopping[0].start()
                time.sleep(0.5)
            yield piece

    client.fetch("GET", f"/api/v1/documents/{document}/content", arrived, slowly)
    client.close()
    stopping[0].join()
    assert arrived.getvalue() == content
    assert not (machine.home / "server.log").read_text(encoding="utf-8").count("fault")


def test_two_services_on_one_folder_are_refused(machine: Machine) -> None:
    machine.start()
    second = Machine(machine.home)
    try:
        with pytest.raises(UnprovenError, match="did not start"):
            second.start()
    finally:
        with pytest.raises(UnprovenError, match="ended with 8"):
            second.stop()
        machine.stop()
    assert "Stop it first" in (machine.home / "server.log").read_text(encoding="utf-8")


def test_a_port_that_is_taken_is_said(run: Run, tmp_path: Path) -> None:
    run(*FOUND)
    with socket.create_server(("127.0.0.1", 0)) as taken:
        refused = run("serve", "--port", str(taken.getsockname()[1]))
    assert refused.code == 8
    assert "--port" in refused.err


def test_nothing_is_served_before_init(run: Run) -> None:
    refused = run("serve", "--port", "0")
    assert refused.code == 8
    assert "muniment init" in refused.err

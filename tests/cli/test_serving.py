from __future__ import annotations

import http.client
import io
import itertools
import json
import os
import socket
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from sqlalchemy import select

from service.cli.client import Client
from service.cli.demo.machine import Machine
from service.cli.demo.proof import UnprovenError
from service.db.models import firms, log_intents
from service.db.session import EVERY_LOG, Database
from tests.cli.conftest import Run, Service, engage
from tests.logs import entries_of
from tests.scale import count

MIB = 1024 * 1024

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


def _line(machine: Machine) -> socket.socket:
    address = urlsplit(machine.url)
    assert address.hostname is not None
    assert address.port is not None
    return socket.create_connection((address.hostname, address.port), timeout=30)


def test_what_goes_on_for_too_long_is_broken_off_and_recorded_when_the_service_ends(tmp_path: Path) -> None:
    machine = Machine(tmp_path / "home", drain_s="1")
    founded = machine.run(*FOUND)
    machine.start()
    world = engage(Service(machine, founded))
    client = Client(machine.url, world["token"], trust_env=False)
    where = {"part_id": world["part"], "label": "exhibit", "sensitivity": "routine"}
    path, said = f"/api/v1/engagements/{world['engagement']}/documents", {"Muniment-Title": "UTF-8''large"}
    content = os.urandom(32 * 1024 * 1024)
    document = client.ask("POST", path, query=where, content=content, headers=said).json()["document_id"]
    client.close()

    head = f"Host: 127.0.0.1\r\nAuthorization: Bearer {world['token']}\r\n"
    with _line(machine) as reading, _line(machine) as writing:
        reading.sendall(f"GET /api/v1/documents/{document}/content HTTP/1.1\r\n{head}\r\n".encode())
        assert reading.recv(12) == b"HTTP/1.1 200"  # and takes no more
        query = "&".join(f"{name}={value}" for name, value in where.items())
        begun = f"POST {path}?{query} HTTP/1.1\r\n{head}Muniment-Title: UTF-8''x\r\nContent-Length: 1000\r\n\r\nsome"
        writing.sendall(begun.encode())  # and sends no more
        time.sleep(0.5)
        began = time.monotonic()
        machine.stop()
        assert time.monotonic() - began < 15

    database = Database(f"sqlite:///{machine.home / 'muniment.db'}")
    with database.read(EVERY_LOG) as tx:
        firm_id = tx.value(select(firms.c.id))
        assert tx.all(select(log_intents.c.idx)) == []
    entries = entries_of(database, firm_id)
    database.close()
    ended = {entry.type: entry for entry in entries if entry.outcome == "aborted"}
    assert set(ended) == {"document.opened", "document.added"}
    sent = (ended["document.opened"].data or {})["bytes"]
    assert isinstance(sent, int)
    assert 0 < sent < len(content)
    assert [finding["code"] for finding in machine.run("doctor")["items"]] == []


def _is_open(machine: Machine, token: str, forwarded: str | None) -> bool:
    """Whether the caller is where he should be, when this is said of where he comes from."""
    address = urlsplit(machine.url)
    line = http.client.HTTPConnection(str(address.hostname), address.port, timeout=30)
    headers = {"Authorization": f"Bearer {token}"} | ({"X-Forwarded-For": forwarded} if forwarded else {})
    line.request("GET", "/api/v1/me", headers=headers)
    answer = json.loads(line.getresponse().read())
    line.close()
    return bool(answer["window"]["open"])


def test_only_a_proxy_that_is_named_says_where_somebody_comes_from(tmp_path: Path) -> None:
    machine = Machine(tmp_path / "home")
    founded = machine.run(*FOUND)
    machine.start()
    world = engage(Service(machine, founded))
    client = Client(machine.url, world["token"], trust_env=False)
    client.ask("POST", f"/api/v1/engagements/{world['engagement']}/schedules", body={"networks": ["203.0.113.0/24"]})
    client.close()
    token = machine.run("token", "create", "--membership", world["seat"])["items"][0]["token"]
    assert not _is_open(machine, token, None)
    assert not _is_open(machine, token, "203.0.113.9")  # whoever runs on this machine could say so
    machine.stop()

    behind = Machine(tmp_path / "home", trusted_proxies="127.0.0.1")
    behind.start()
    assert not _is_open(behind, token, None)
    assert _is_open(behind, token, "203.0.113.9")
    assert _is_open(behind, token, "198.51.100.7, 203.0.113.9")
    assert not _is_open(behind, token, "203.0.113.9, 198.51.100.7")  # the client said the first, the proxy the last
    behind.stop()


def _memory_kib(machine: Machine, what: str) -> int:
    status = Path(f"/proc/{machine.pid}/status").read_text(encoding="ascii")
    return int(status.split(f"{what}:")[1].split()[0])


@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="/proc is Linux's")
def test_memory_is_bounded_however_large_a_file_is(tmp_path: Path) -> None:
    machine = Machine(tmp_path / "home")
    founded = machine.run(*FOUND)
    machine.start()
    world = engage(Service(machine, founded))
    client, piece, pieces = Client(machine.url, world["token"], trust_env=False), os.urandom(MIB), count(10 * 1024)
    where = f"part_id={world['part']}&label=exhibit&sensitivity=routine"
    headers = {"Authorization": f"Bearer {world['token']}", "Muniment-Title": "UTF-8''x"}
    path = f"/api/v1/engagements/{world['engagement']}/documents?{where}"

    def carry(pieces: int) -> None:
        line = http.client.HTTPConnection(urlsplit(machine.url).netloc, timeout=600)
        line.request("POST", path, itertools.repeat(piece, pieces), {**headers, "Content-Length": f"{pieces * MIB}"})
        document = json.loads(line.getresponse().read())["document_id"]
        line.close()
        taken = 0

        def watch(arriving: Iterator[bytes], _total: int | None) -> Iterator[bytes]:
            nonlocal taken
            for each in arriving:
                taken += len(each)
                yield b""

        client.fetch("GET", f"/api/v1/documents/{document}/content", io.BytesIO(), watch)
        assert taken == pieces * MIB

    try:
        carry(2)
        before = _memory_kib(machine, "VmRSS")
        carry(pieces)
        assert _memory_kib(machine, "VmHWM") - before < 64 * 1024
    finally:
        client.close()
        machine.stop()


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

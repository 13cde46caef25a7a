"""Access that ends while eight clients rush in: one serving process on PostgreSQL, after the acknowledgement nothing.

Each race has a member of its own who downloads and lists without pause over eight connections while a large body is
open, and an attorney who takes the access away: by revoking, by a new NDA text that bites at once, by suspending, by a
wall. A request that was begun after the attorney had his answer must get nothing (0 of so many), and the open body must
break off within a second or so (DESIGN 11, rule 15). A server that keeps the first answer of each decision (a mutant)
shows that this test can see the fault.

One server a database is what an installation allows today, so the two sides meet in one process and in PostgreSQL.
"""

from __future__ import annotations

import asyncio
import http.client
import itertools
import json
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from service.config import Settings
from tests.benchmarks.serving import a_world
from tests.scale import LONG
from tests.scoping.mutants import MUTANTS, ROOT, copied, put_in
from tests.world import Engagement, Person

CLIENTS = 8
ENDINGS = ("revoked", "new NDA", "suspended", "walled")
NEW_REQUESTS = (10_000 if LONG else 500) // len(ENDINGS)
KIB = 1024
LARGE_BYTES = 24 * KIB * KIB  # several times what a socket's buffers hold
LATE_BYTES = KIB * KIB + 8 * KIB * KIB  # rule 15, and what lay in buffers between the two
LATE_S = 1.0 + 2.0  # rule 15, and room for a machine with much else to do
PATIENCE_S = 120
KEPT = next(mutant for mutant in MUTANTS if mutant.name == "the first decision is kept")


@dataclass(frozen=True)
class Race:
    """A member with a paper to fetch and one to hold open, and how the access ends: one request of an attorney's."""

    engagement_id: str
    token: str
    small: str
    large: str
    end: tuple[str, str, dict[str, Any] | None, str, str]  # method, path, body, where to read the ETag, whose token


@dataclass(frozen=True)
class Raced:
    """What came of it."""

    before: int  # requests that were allowed before the end
    late: int  # requests begun after the acknowledgement that got something
    asked: int  # of so many
    open_bytes: int  # of the open body, after the acknowledgement
    open_s: float  # how long it went on, after the acknowledgement
    is_whole: bool


class Line:
    """One client's connection; opened again where the server closed it."""

    def __init__(self, port: int, token: str) -> None:
        self._line = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
        self._token = token

    def ask(
        self, method: str, path: str, body: Any = None, **headers: str
    ) -> tuple[int, bytes, http.client.HTTPMessage]:
        """Ask and read the whole answer."""
        given = {"authorization": f"Bearer {self._token}", "content-type": "application/json", **headers}
        text = None if body is None else json.dumps(body)
        self._line.request(method, f"/api/v1{path}", text, given)
        answer = self._line.getresponse()
        return answer.status, answer.read(), answer.headers

    def close(self) -> None:
        self._line.close()


async def furnished(settings: Settings) -> list[Race]:
    """Make an installation with a race for each ending; no two share anything that one of them ends."""
    async with a_world(settings) as world:
        return [await _race(await world.engagement(), ending) for ending in ENDINGS]


async def _race(engagement: Engagement, ending: str) -> Race:
    seat, attorney, owner = await engagement.member(), engagement.attorney, engagement.world.owner
    small, large = await engagement.document(b"small"), await engagement.document(b"\0" * LARGE_BYTES)
    grant = await engagement.grant(seat, small["document_id"])
    held = await engagement.grant(seat, large["document_id"])
    agreement = (await engagement.agreement())["id"]
    member, person = f"/members/{seat.membership_id}", seat.person_id
    ends: dict[str, tuple[str, str, dict[str, Any] | None, str, Person]] = {
        "revoked": ("DELETE", f"/grants/{grant['id']} /grants/{held['id']}", None, "", attorney),
        "new NDA": (
            "POST",
            f"/agreements/{agreement}/versions",
            {"text": "Another text.\n", "at_once": True},
            f"/agreements/{agreement}",
            attorney,
        ),
        "suspended": ("POST", f"{member}/suspension", None, member, attorney),
        "walled": (
            "POST",
            "/walls",
            {"person_id": person, "matter_id": engagement.matter_id, "reason": "x"},
            "",
            owner,
        ),
    }
    method, path, body, match, who = ends[ending]
    end = (method, path, body, match, who.token)
    return Race(engagement.id, seat.token, small["document_id"], large["document_id"], end)


@contextmanager
def serving(folder: Path, environment: Mapping[str, str]) -> Iterator[int]:
    """Serve an installation from the code in a folder, in a process of its own; yields the port."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("MUNIMENT_", "COV_"))}
    command = [sys.executable, "-m", "service.cli", "serve"]
    with subprocess.Popen(
        command,
        env={**kept, **environment, "MUNIMENT_PORT": "0"},
        cwd=folder,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    ) as process:
        try:
            assert process.stdout is not None
            yield int(process.stdout.readline().rpartition(":")[2])
        finally:
            process.send_signal(signal.SIGTERM)
            try:
                process.wait(timeout=30)
            except subprocess.TimeoutExpired:
                process.kill()


def run(port: int, race: Race) -> Raced:
    """Let the clients rush in, end the access in their midst, and count."""
    started, ended, enough = threading.Barrier(CLIENTS + 2), threading.Event(), threading.Event()
    acknowledged: list[float] = []
    counts: list[tuple[float, bool]] = []

    def rush(number: int) -> None:
        line = Line(port, race.token)
        started.wait(PATIENCE_S)
        for turn in itertools.count(number):
            begun = time.monotonic()
            counts.append((begun, _gets_something(line, race, turn)))
            if enough.is_set():
                break
            if acknowledged and sum(at > acknowledged[0] for at, _ in counts[-2 * NEW_REQUESTS :]) >= NEW_REQUESTS:
                enough.set()
        line.close()

    with ThreadPoolExecutor(CLIENTS + 1) as pool:
        clients = [pool.submit(rush, number) for number in range(CLIENTS)]
        body = pool.submit(_hold_open, port, race, started, ended)
        started.wait(PATIENCE_S)
        time.sleep(0.5)
        _end(port, race)
        acknowledged.append(time.monotonic())
        ended.set()
        open_bytes, finished_at, is_whole = body.result(PATIENCE_S)
        for client in clients:
            client.result(PATIENCE_S)
    after = [allowed for begun, allowed in counts if begun > acknowledged[0]]
    before = sum(allowed for begun, allowed in counts if begun <= acknowledged[0])
    return Raced(before, sum(after), len(after), open_bytes, finished_at - acknowledged[0], is_whole)


def _gets_something(line: Line, race: Race, turn: int) -> bool:
    """Whether this request shows the paper: its bytes, its card, or its id on the list."""
    if turn % 4 == 0:
        status, body, _ = line.ask("GET", f"/engagements/{race.engagement_id}/documents")
        assert status in {200, 403}, (status, body)
        return race.small.encode() in body
    what = f"/documents/{race.small}" + ("" if turn % 4 == 1 else "/content")
    status, body, _ = line.ask("GET", what)
    assert status in {200, 404}, (status, body)
    return status == 200


def _hold_open(port: int, race: Race, started: threading.Barrier, ended: threading.Event) -> tuple[int, float, bool]:
    """Take a large body slowly until the access has ended, then as fast as it comes."""
    with socket.socket() as line:
        line.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 64 * KIB)  # before connecting: how much it may announce
        line.settimeout(60)
        line.connect(("127.0.0.1", port))
        head = f"GET /api/v1/documents/{race.large}/content HTTP/1.1\r\nHost: localhost\r\n"
        line.sendall(f"{head}Authorization: Bearer {race.token}\r\n\r\n".encode())
        taken = len(line.recv(64 * KIB))
        started.wait(PATIENCE_S)
        while not ended.is_set():
            taken += len(line.recv(16 * KIB))
            time.sleep(0.02)
        late, gone = 0, False
        while not gone and taken + late < LARGE_BYTES:
            try:
                more = len(line.recv(64 * KIB))
            except ConnectionResetError:
                more = 0
            late, gone = late + more, more == 0
    return late, time.monotonic(), taken + late >= LARGE_BYTES


def _end(port: int, race: Race) -> None:
    """Take the access away, and return when that was acknowledged."""
    method, paths, body, match, token = race.end
    line = Line(port, token)
    for path in paths.split(" "):
        _, _, headers = line.ask("GET", match or (path if method == "DELETE" else "/me"))
        etag = headers.get("etag")
        status, said, _ = line.ask(method, path, body, **({"if-match": etag} if etag else {}))
        assert status in {200, 201}, (status, said)
    line.close()


@pytest.fixture
def installation(tmp_path: Path, migrated_postgres_url: str) -> tuple[list[Race], dict[str, str]]:
    """An installation on PostgreSQL that nobody serves yet."""
    home = tmp_path / "var"
    races = asyncio.run(furnished(Settings(home=home, database_url=migrated_postgres_url)))
    return races, {"MUNIMENT_HOME": str(home), "MUNIMENT_DATABASE_URL": migrated_postgres_url}


def test_after_the_acknowledgement_nothing_new_is_allowed_and_open_bodies_stop(
    installation: tuple[list[Race], dict[str, str]], record_property: Callable[[str, object], None]
) -> None:
    races, environment = installation
    with serving(ROOT, environment) as port:
        raced = {ending: run(port, race) for ending, race in zip(ENDINGS, races, strict=True)}
    for ending, found in raced.items():
        assert found.before > 0, (ending, found)
        assert (found.late, found.asked >= NEW_REQUESTS) == (0, True), (ending, found)
        assert not found.is_whole, (ending, found)
        assert found.open_s <= LATE_S, (ending, found)
        assert found.open_bytes <= LATE_BYTES, (ending, found)
    late, asked = sum(each.late for each in raced.values()), sum(each.asked for each in raced.values())
    slowest = max(each.open_s for each in raced.values())
    record_property("figure", f"races: {late} of {asked} requests after an end; open bodies stopped in {slowest:.2f} s")


def test_a_server_that_keeps_its_first_answers_is_seen(
    installation: tuple[list[Race], dict[str, str]], tmp_path: Path
) -> None:
    races, environment = installation
    folder = copied(tmp_path / "kept")
    put_in(folder, KEPT)
    with serving(folder, environment) as port:
        found = run(port, races[ENDINGS.index("suspended")])
    assert found.late > NEW_REQUESTS // 4, found

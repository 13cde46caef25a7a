"""A read over HTTP: authorised, announced, opened, sent, its outcome recorded; beside a route that returns bytes.

Both servers are processes of their own, one worker each, started as a user starts them; both answer the same load
generator, which is a third process. The installation holds a firm, an engagement and eight paralegals who signed; each
of 32 clients reads one of 32 sealed documents of 4 KiB that were granted to him. Every answer is two log entries.
"""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import ExitStack, asynccontextmanager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import httpx2

from service import firms, wiring
from service.app import create_app
from service.config import Settings
from tests.benchmarks.places import FILES, Place, settings_of
from tests.benchmarks.plain import SIZE
from tests.benchmarks.rounds import Better, Measured, by_turns
from tests.world import Clock, Person, World

CLIENTS: Final = 32
PEOPLE: Final = 8
SECONDS: Final = 3.0
ROUNDS: Final = 5


def request(folder: Path, seconds: float = SECONDS, rounds: int = ROUNDS, place: Place = FILES) -> Measured:
    """Load both servers by turns, so long each time."""
    settings, environment = settings_of(place, folder)
    clients = asyncio.run(_furnish(settings))
    ours_env = {**environment, "MUNIMENT_PORT": "0"}
    with ExitStack() as stack:
        ours = stack.enter_context(serving(["-m", "service.cli", "serve"], ours_env))
        peer = stack.enter_context(serving(["-m", "tests.benchmarks.plain"], {}))
        return by_turns(
            lambda: _loaded(ours.port, clients, seconds),
            lambda: _loaded(peer.port, ["/content\t"] * CLIENTS, seconds),
            "requests/s",
            Better.MORE,
            rounds,
        )


async def _furnish(settings: Settings) -> list[str]:
    """Make the installation; return each client's path and token."""
    async with a_world(settings) as world:
        engagement = await world.engagement()
        people = [await engagement.member() for _ in range(PEOPLE)]
        lines = []
        for number in range(CLIENTS):
            document = await engagement.document(os.urandom(SIZE).hex()[:SIZE].encode(), title=f"Paper {number}")
            person = people[number % PEOPLE]
            await engagement.grant(person, document["document_id"])
            lines.append(f"/api/v1/documents/{document['document_id']}/content\t{person.token}")
        return lines


@asynccontextmanager
async def a_world(settings: Settings) -> AsyncIterator[World]:
    """As `tests.world.a_world`, but in the present: a server is going to write on from here."""
    clock = Clock(wiring.clock_ms())
    wiring.prepare(settings)
    with wiring.open_installation(settings, serving=True, clock=clock) as services:
        founded = await firms.found(services, "Hale & Partners", "owner@firm.example", "Olive Owner", "UTC", 300)
        app = create_app(services)
        transport = httpx2.ASGITransport(app=app, raise_app_exceptions=False)
        async with httpx2.AsyncClient(transport=transport, base_url="http://localhost") as http:
            owner = Person(http, founded.owner_person_id, founded.owner_membership_id, founded.owner_token.text)
            yield World(services, app, http, clock, founded.firm_id, owner, founded.verifier_key)


@dataclass(frozen=True, slots=True)
class Server:
    """A server that is a process of its own."""

    port: int
    pid: int


@contextmanager
def serving(arguments: list[str], environment: Mapping[str, str]) -> Iterator[Server]:
    """Start a server; it ends with its context."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("MUNIMENT_")}
    with subprocess.Popen(
        [sys.executable, *arguments],
        env={**kept, **environment},
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    ) as process:
        try:
            assert process.stdout is not None
            said = process.stdout.readline()
            yield Server(int(said.rpartition(":")[2]), process.pid)
        finally:
            process.send_signal(signal.SIGTERM)
            try:
                process.wait(timeout=30)
            except subprocess.TimeoutExpired:
                process.kill()


def _loaded(port: int, clients: list[str], seconds: float) -> float:
    command = [sys.executable, "-m", "tests.benchmarks.load", "127.0.0.1", str(port), str(seconds)]
    done = subprocess.run(command, input="\n".join(clients), capture_output=True, text=True, check=False)
    if done.returncode:
        raise RuntimeError(done.stderr)
    return float(done.stdout)

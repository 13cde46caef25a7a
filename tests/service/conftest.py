"""An installation a run on each kind of database, and firms in it."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import httpx2
import pytest

from service import wiring
from service.app import create_app
from service.config import Settings
from service.services import Services
from tests.postgres import PostgresServer
from tests.service.house import Clock, House


@pytest.fixture(scope="session")
def ticking() -> Clock:
    """The clock of the installations."""
    return Clock()


@pytest.fixture
def clock(ticking: Clock) -> Iterator[Clock]:
    """The clock, to be set forward by a test; set back after it. Only firms founded in that test see it move."""
    yield ticking
    ticking.ahead_ms = 0


@pytest.fixture(scope="session", params=["sqlite", "postgres"])
def services(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory, ticking: Clock
) -> Iterator[Services]:
    """A running installation; tests that ask for it run on both kinds of database."""
    url, home = "", tmp_path_factory.mktemp("home")
    if request.param == "postgres":
        server: PostgresServer = request.getfixturevalue("postgres_server")
        url = server.url(server.create_database(request.getfixturevalue("migrated_template")))
    settings = Settings(home=Path(home), database_url=url)
    wiring.prepare(settings)
    with wiring.open_installation(settings, serving=True, clock=ticking) as running:
        yield running


@pytest.fixture
async def client(services: Services) -> AsyncIterator[httpx2.AsyncClient]:
    """A client of the application."""
    transport = httpx2.ASGITransport(app=create_app(services))
    async with httpx2.AsyncClient(transport=transport, base_url="http://localhost") as opened:
        yield opened


@pytest.fixture
async def house(services: Services, client: httpx2.AsyncClient) -> House:
    """A firm of one's own."""
    return await House.found(services, client)


@pytest.fixture
async def other_house(services: Services, client: httpx2.AsyncClient) -> House:
    """Another firm, which must never be seen."""
    return await House.found(services, client)

"""What every test gets: no way out but loopback, databases of both kinds, and the time each area took.

What a test has counted it shows by ``record_property("figure", "so many of so many")``; figures stand at the end.

Fixtures: ``database_url`` (runs the test twice: an empty SQLite file, an empty PostgreSQL database), ``sqlite_url``,
``postgres_url``, ``postgres_server``; ``seaweed`` (an S3 server for the run) and ``buckets`` (its buckets, as an
installation wants them); ``migrated_url`` (tests/migrated.py) is a database with all tables there; ``stack``
(tests/stacks.py) is that and the places beside it, of both kinds. Random order comes from pytest-randomly, which prints
its seed (``--randomly-seed=N`` repeats a run); a failing property prints the line that replays it.
"""

from __future__ import annotations

import tempfile
from collections import Counter, defaultdict
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import hypothesis
import pytest

from tests import memory
from tests.buckets import Buckets, made_buckets
from tests.guards import guard_sockets
from tests.migrated import (
    migrated_file,
    migrated_postgres_url,
    migrated_sqlite_url,
    migrated_template,
    migrated_url,
    module_url,
)
from tests.postgres import PostgresMissingError, PostgresServer, running_postgres
from tests.scale import LONG, count
from tests.seaweed import Seaweed, SeaweedMissingError, running_seaweed
from tests.stacks import stack

__all__ = [
    "migrated_file",
    "migrated_postgres_url",
    "migrated_sqlite_url",
    "migrated_template",
    "migrated_url",
    "module_url",
    "stack",
]

_FULL_EXAMPLES = 1000


def pytest_configure(config: pytest.Config) -> None:
    """Close the way out, put tests' folders into memory, and choose how hard properties are tried."""
    guard_sockets()
    if config.option.basetemp is None and not hasattr(config, "workerinput"):  # workers get folders within this one
        _write_to_memory(config)
    hypothesis.settings.register_profile("muniment", max_examples=count(_FULL_EXAMPLES), deadline=None, print_blob=True)
    hypothesis.settings.load_profile("muniment")


def _write_to_memory(config: pytest.Config) -> None:
    """Let ``tmp_path`` lie in memory. It is gone with the run: ``--basetemp=FOLDER`` keeps what a failed test wrote."""
    run = ExitStack()
    place = run.enter_context(memory.folder("muniment-tests-"))
    if place is not None:
        config.option.basetemp = place / "run"
    config.add_cleanup(run.close)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Leave out what is marked long, unless the long run was asked for."""
    if not LONG:
        for item in items:
            if item.get_closest_marker("long"):
                item.add_marker(pytest.mark.skip(reason="long: runs in `make test-long`"))


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Print the figures that tests have counted, and the seconds that each folder of tests/ took."""
    seconds: defaultdict[str, float] = defaultdict(float)
    tests: Counter[str] = Counter()
    figures: list[str] = []
    for reports in terminalreporter.stats.values():
        for report in reports:
            if isinstance(report, pytest.TestReport):
                area = _area(report.nodeid)
                seconds[area] += report.duration
                tests[area] += report.when == "call"
                figures += [str(each) for name, each in report.user_properties if name == "figure"]
    if figures:
        terminalreporter.section("figures")
        for figure in sorted(set(figures)):  # setup, call and teardown report the same ones
            terminalreporter.write_line(figure)
    if seconds:
        terminalreporter.section("time by area")
        for area, taken in sorted(seconds.items(), key=lambda item: -item[1]):
            terminalreporter.write_line(f"{taken:8.1f} s  {tests[area]:6d} tests  {area}")


def _area(nodeid: str) -> str:
    """The folder of tests/ that a test lies in."""
    parts = nodeid.partition("::")[0].split("/")
    return parts[1] if len(parts) > 2 else "(top)"


@pytest.fixture
def sqlite_url(tmp_path: Path) -> str:
    """The URL of a SQLite file that does not exist yet."""
    return f"sqlite:///{tmp_path / 'muniment.db'}"


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[PostgresServer]:
    """One PostgreSQL for the run (one a worker under xdist), gone at its end."""
    try:
        with running_postgres() as server:
            yield server
    except PostgresMissingError as missing:
        pytest.skip(str(missing))


@pytest.fixture(scope="session")
def seaweed() -> Iterator[Seaweed]:
    """One SeaweedFS for the run (one a worker under xdist), gone at its end.

    Tests take buckets or prefixes of their own. Its administrator's keys are in the environment meanwhile, where
    boto3's own chain finds them. It lies on the disk: it takes as many volumes as there is room for, and the memory may
    have too little.
    """
    try:
        with (
            tempfile.TemporaryDirectory(prefix="muniment-s3-") as folder,
            running_seaweed(Path(folder)) as server,
            pytest.MonkeyPatch.context() as patch,
        ):
            patch.setenv("AWS_ACCESS_KEY_ID", server.access_key)
            patch.setenv("AWS_SECRET_ACCESS_KEY", server.secret_key)
            patch.setenv("AWS_EC2_METADATA_DISABLED", "true")
            yield server
    except SeaweedMissingError as missing:
        pytest.skip(str(missing))


@pytest.fixture(scope="session")
def buckets(seaweed: Seaweed) -> Iterator[Buckets]:
    """Buckets on SeaweedFS that the start-up check accepts; each test takes a prefix of its own."""
    with made_buckets(seaweed) as made:
        yield made


@pytest.fixture
def postgres_url(postgres_server: PostgresServer) -> Iterator[str]:
    """The URL of an empty PostgreSQL database, for the role ``owner``, who owns it and is no superuser."""
    name = postgres_server.create_database()
    yield postgres_server.url(name, "owner")
    postgres_server.drop_database(name)


@pytest.fixture(params=["sqlite", "postgres"])
def database_url(request: pytest.FixtureRequest) -> str:
    """The URL of an empty database; a test that asks for it runs on both kinds."""
    url: str = request.getfixturevalue(f"{request.param}_url")
    return url

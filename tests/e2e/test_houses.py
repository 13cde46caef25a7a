r"""The service over HTTP against the reference model: random histories of two firms, the same answers after each step.

After each step a random person asks for a random paper (card, bytes and now and then text), for his whole list in pages
of 1, 5, 16 or 100, for his own counts, asks, tasks and what he may ask for; each answer is compared with the model in
both directions. Whoever has more or less than before the step, by the model, or was named by it, asks at once, and an
attorney who has the paper. Time also goes on to the very second in which something ends or begins. Cursors are kept and
followed later, whatever happened in between. Each history begins on a copy of one installation.

A thousandth of the histories in the suite, 10,000 of 50 steps in the long run, in 40 shards so that processes can share
them (xdist); a shard is seeded by its number and the run's seed. Over a whole shard every kind of act must have been
done at least once. The seventh shard of the long run alone::

    MUNIMENT_TEST_LONG=1 python -m pytest -n 0 --randomly-seed=1 \
        "tests/e2e/test_houses.py::test_every_history_of_two_firms_answers_as_the_model_says[6]"
"""

from __future__ import annotations

import asyncio
import shutil
import tempfile
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, seed, settings
from hypothesis.stateful import run_state_machine_as_test

from tests.e2e.houses import Houses, furnished, share_what_is_dear
from tests.e2e.machine import Machine
from tests.scale import LONG

HISTORIES, STEPS = 10_000, 50
SHARDS = 40 if LONG else 1
IN_A_SHARD = HISTORIES // 40 if LONG else 12
MEMORY = Path("/dev/shm")  # noqa: S108  # a folder of our own in it, made by mkdtemp


@pytest.fixture(scope="module")
def template() -> Iterator[tuple[Houses, Path, asyncio.AbstractEventLoop]]:
    """The furnished installation, closed, in memory where there is some."""
    folder = Path(tempfile.mkdtemp(prefix="muniment-houses-", dir=MEMORY if MEMORY.is_dir() else None))
    try:
        with asyncio.Runner() as runner, pytest.MonkeyPatch.context() as patch:
            houses = runner.run(furnished(folder / "furnished"))
            share_what_is_dear(patch, houses)
            yield houses, folder / "furnished", runner.get_loop()
    finally:
        shutil.rmtree(folder)


@pytest.mark.parametrize("shard", range(SHARDS))
def test_every_history_of_two_firms_answers_as_the_model_says(
    shard: int,
    template: tuple[Houses, Path, asyncio.AbstractEventLoop],
    request: pytest.FixtureRequest,
    record_property: Any,
) -> None:
    houses, folder, loop = template
    run_seed = request.config.getoption("randomly_seed", 0)

    class Sharded(Machine):
        pass

    Sharded.loop, Sharded.template, Sharded.compared, Sharded.allowed = loop, (houses, folder), 0, 0
    Sharded.acts = Counter()
    seed(f"{run_seed} {shard}")(Sharded)
    run_state_machine_as_test(
        Sharded,
        settings=settings(
            max_examples=IN_A_SHARD,
            stateful_step_count=STEPS,
            deadline=None,
            database=None,
            suppress_health_check=list(HealthCheck),
            phases=[Phase.generate, Phase.shrink],
        ),
    )
    assert Sharded.allowed * 16 > Sharded.compared, "histories in which hardly anything is open show little"
    done = {act: times for act, times in sorted(Sharded.acts.items()) if not act.startswith("-")}
    never = sorted({act.removeprefix("-") for act in Sharded.acts} - {act for act, times in done.items() if times})
    assert not LONG or never == [], "over a whole shard these were never allowed"
    record_property("figure", f"houses, shard {shard}: {Sharded.compared} answers of {IN_A_SHARD} histories compared")
    record_property("figure", f"houses, shard {shard}: done {done}; never {never}")

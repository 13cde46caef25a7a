"""Twelve kinds of caller in ten states ask for everything that can be read; each answer is the one of states.csv.

The suite asks in some states, drawn by the run's seed; the long run in all of them, on both kinds of database.
"""

from __future__ import annotations

import asyncio
import random
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import pytest

from tests.api.requests import is_id
from tests.api.states import Told, ask_in_every_state, expected, reading
from tests.api.town import CALLERS, NAMES, STATES, VENDOR_SIDE, Town
from tests.scale import LONG
from tests.world import a_world

SOME = 2  # states, in the suite
ABSENT = frozenset({"other engagement", "other firm", "expired", "revoked", "walled", "disposed"})
"""States in which no vendor's person may know that a paper is there."""
OVER = ("expired", "revoked")
SHUT = frozenset({*ABSENT, "unsigned", "outside hours", "suspended"})
"""States in which none of them gets a name or a content."""
HIS_OWN = frozenset(
    {
        # What he was asked to do stays readable to him when the papers are gone.
        *((operation, state) for operation in ("list_asks", "read_ask", "list_tasks", "read_task") for state in OVER),
        # He asks about another place; of his own he is told what is due.
        ("read_me", "other engagement"),
        ("read_me", "other firm"),
    }
)
"""Where instructions do reach him: those of his own asks and tasks."""


Record = Callable[[str, object], None]


class Heard(NamedTuple):
    """All that was answered, where, and what can be asked."""

    told: list[Told]
    town: Town
    operations: frozenset[str]

    @property
    def of_vendor(self) -> list[Told]:
        """What a vendor's people were answered."""
        return [each for each in self.told if each.caller in VENDOR_SIDE]


@pytest.fixture(scope="module")
def heard(tmp_path_factory: pytest.TempPathFactory, request: pytest.FixtureRequest) -> Heard:
    """The answers on SQLite."""
    home = tmp_path_factory.mktemp("states")
    return asyncio.run(_heard(home / "var", f"sqlite:///{home / 'muniment.db'}", _drawn(request)))


def _drawn(request: pytest.FixtureRequest) -> tuple[str, ...]:
    if LONG:
        return STATES
    seed = request.config.getoption("randomly_seed", 0)  # printed at the head of the run
    return tuple(random.Random(str(seed)).sample(STATES, SOME))


async def _heard(home: Path, url: str, states: tuple[str, ...]) -> Heard:
    async with a_world(home, url) as world:
        town = await Town.build(world, states)
        told = await ask_in_every_state(town, states)
        return Heard(told, town, frozenset(reading(world.app.openapi())))


def _wrong(heard: Heard) -> list[tuple[str, ...]]:
    words = expected()
    return [
        (each.operation, each.state, each.caller, each.word, words.get(each[:3], "no row"))
        for each in heard.told
        if each.word != words.get(each[:3])
    ]


def test_every_operation_that_reads_has_its_rows_and_there_is_no_other(heard: Heard) -> None:
    wanted = {(operation, state, caller) for operation in heard.operations for state in STATES for caller in CALLERS}
    assert set(expected()) == wanted


def test_everybody_gets_the_answers_that_are_expected(heard: Heard, record_property: Record) -> None:
    assert _wrong(heard) == []
    states = ", ".join(dict.fromkeys(each.state for each in heard.told))
    record_property("figure", f"states: {len(heard.told)} answers, all as expected ({states})")


def test_what_one_may_not_know_answers_as_what_never_was(heard: Heard) -> None:
    hidden = [each for each in heard.of_vendor if each.state in ABSENT and each.of_nothing is not None]
    assert not [
        each[:3]
        for each in hidden
        if each.of_nothing is None or each.answer.status < 400 or each.answer.text != each.of_nothing.text
    ]


def test_no_name_gets_to_a_vendors_person_for_whom_it_is_shut(heard: Heard) -> None:
    leaks = {
        (each.operation, each.state)
        for each in heard.of_vendor
        if each.state in SHUT and any(name in each.answer.text for name in NAMES)
    }
    assert leaks - HIS_OWN == set()


def test_nobody_is_told_an_id_of_another_engagement_or_firm(heard: Heard) -> None:
    for each in heard.of_vendor:
        if each.state in {"other engagement", "other firm"}:
            ids = {thing for thing in heard.town.cells[each.state, each.caller].things.values() if is_id(thing)}
            assert not [thing for thing in ids if thing in each.answer.text], each[:3]


@pytest.mark.long
def test_the_answers_are_the_same_on_postgresql(tmp_path: Path, migrated_postgres_url: str) -> None:
    assert _wrong(asyncio.run(_heard(tmp_path / "var", migrated_postgres_url, STATES))) == []

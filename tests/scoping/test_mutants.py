"""The suite sees every fault of `tests.scoping.mutants`: each is killed, and what was not touched passes."""

from __future__ import annotations

import random

import pytest

from tests.scale import LONG, count
from tests.scoping.mutants import ALL_PASSED, MUTANTS, ROOT, TESTS_FAILED, Mutant, MutantError, mutated, try_mutant

TURNS = max(2, count(len(MUTANTS)) // 2)  # each costs a run of the suite until its first failure


def test_there_are_enough_mutants_and_no_two_are_the_same() -> None:
    assert len(MUTANTS) >= 30
    assert len({mutant.name for mutant in MUTANTS}) == len(MUTANTS)
    assert len({mutant[1:] for mutant in MUTANTS}) == len(MUTANTS)


@pytest.mark.parametrize("mutant", MUTANTS, ids=lambda mutant: mutant.name)
def test_what_a_mutant_changes_stands_in_the_source_once(mutant: Mutant) -> None:
    source = (ROOT / mutant.path).read_text(encoding="utf-8")
    assert mutated(source, mutant) != source


def test_a_mutant_whose_text_is_gone_says_so_in_a_sentence() -> None:
    mutant = Mutant("gone", "service/door.py", "what was rewritten", "")
    with pytest.raises(MutantError, match=r"'what was rewritten', which stands 0 times in service/door.py: say in"):
        mutated("something else", mutant)
    with pytest.raises(MutantError, match="stands 2 times"):
        mutated("what was rewritten and what was rewritten", mutant)
    with pytest.raises(MutantError, match="is no Python"):
        mutated("what was rewritten", Mutant("gone", "service/door.py", "what was rewritten", "("))


@pytest.mark.long
def test_a_copy_without_a_fault_passes() -> None:
    """Or every mutant would count as killed. In the short run these tests pass as themselves, in this same tree."""
    trial = try_mutant(None)
    assert trial.code == ALL_PASSED, trial.output[-3000:]


@pytest.mark.parametrize("turn", range(len(MUTANTS) if LONG else TURNS))
def test_a_mutant_is_killed(turn: int, request: pytest.FixtureRequest) -> None:
    seed = request.config.getoption("randomly_seed", 0)  # printed at the head of the run; the same in each process
    mutant = random.Random(str(seed)).sample(MUTANTS, len(MUTANTS))[turn]
    trial = try_mutant(mutant)
    assert trial.code == TESTS_FAILED, f"{mutant.name!r} survived: write the test that misses it, near {mutant.path}."

"""Every call that leaves the service fails once, in both ways, in every workflow; nothing comes to lie in between."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import pytest

from service import disposal
from service.errors import LedgerUnavailableError
from tests.fakes.failpoints import CURSOR_CALLS, PROTOCOLS, REGISTRY, UNCALLED, Failpoints, cursor_methods, methods
from tests.fakes.failpoints import watching as watching_points
from tests.faults.house import Scene, Shape, copied, opened, prepare, require_no_plaintext, require_whole, settle, shape
from tests.faults.workflows import WORKFLOWS, Workflow
from tests.scale import LONG, count

Figure = Callable[[str, object], None]


@dataclass(frozen=True, slots=True)
class Case:
    """One call of one workflow, failing in one way; calls of one kind are numbered, as threads change places."""

    workflow: Workflow
    number: int
    call: str
    stored: bool

    def __str__(self) -> str:
        how = "failed but done" if self.stored else "failed"
        return f"{self.workflow.name}: {self.call} number {self.number}, {how}"


@dataclass(frozen=True, slots=True)
class Run:
    """What a workflow does without faults: its calls in their order, and what it leaves."""

    calls: tuple[str, ...]
    new: Shape


@pytest.fixture
async def scene(tmp_path: Path) -> Scene:
    return await prepare(tmp_path / "home")


@pytest.fixture
def points() -> Iterator[Failpoints]:
    made = Failpoints()
    with watching_points(made):
        yield made


def test_every_method_of_every_protocol_has_a_failpoint() -> None:
    found = {f"{name}.{method}" for name, protocol in PROTOCOLS.items() for method in methods(protocol)}
    assert cursor_methods() == set(CURSOR_CALLS)
    connections = {
        f"{owner}.{CURSOR_CALLS.get(call, call)}"
        for owner, last in (("Ledger", "commit"), ("Reads", "rollback"))
        for call in (*CURSOR_CALLS, "connect", "begin", last)
    }
    assert set(REGISTRY) == (found - set(UNCALLED)) | connections
    assert set(UNCALLED) <= found


def test_a_call_without_a_failpoint_is_refused() -> None:
    with pytest.raises(AssertionError, match="has no failpoint"):
        Failpoints().before("BlobStore.rename")


def test_the_call_that_was_armed_fails_once_and_no_other() -> None:
    points = Failpoints()
    points.arm(1, stored=False, only=("KeyPlace.put", "KeyPlace.get"))
    asked = ["KeyPlace.put", "RootKey.wrap", "KeyPlace.get", "KeyPlace.get"]
    assert [(points.before(call), points.after(call)) for call in asked] == [
        (False, False),
        (False, False),
        (True, False),
        (False, False),
    ]
    points.arm(1, stored=True)
    assert [(points.before(call), points.after(call)) for call in asked[:3]] == [
        (False, False),
        (False, True),
        (False, False),
    ]
    assert (points.hit, points.visited["RootKey.wrap", True]) == ("RootKey.wrap", 1)


async def test_whichever_call_fails_the_answer_is_right_or_clean_and_the_state_old_or_new(
    scene: Scene, points: Failpoints, tmp_path: Path, record_property: Figure
) -> None:
    runs = {workflow.name: await _rehearse(workflow, scene, points, tmp_path) for workflow in WORKFLOWS}
    cases = [
        Case(workflow, number, call, stored)
        for workflow in WORKFLOWS
        for call, times in Counter(runs[workflow.name].calls).items()
        for number in range(times)
        for stored in (False, True)
    ]
    seed = random.getrandbits(32)
    chosen = _chosen(cases, random.Random(seed))
    violations = []
    for case in chosen:
        try:
            await _fail(case, runs[case.workflow.name].new, scene, points, tmp_path)
        except AssertionError as violation:
            violations.append(f"{case}: {violation}")
    assert not violations, f"seed {seed}, {len(violations)} of {len(chosen)}:\n" + "\n".join(violations)
    wanted = {(call, stored) for call in REGISTRY for stored in (False, True)}
    assert set(points.visited) == wanted, "a failpoint is on nobody's way"
    record_property("figure", f"failpoints visited {len(points.visited)} of {len(wanted)}, violations 0")
    record_property("figure", f"calls that failed: {len(chosen):,} of {len(cases):,}, in {len(WORKFLOWS)} workflows")


def _chosen(cases: list[Case], chance: random.Random) -> list[Case]:
    """All cases in the long run; else a twentieth, and in any case each failpoint in both ways."""
    if LONG:
        return cases
    shuffled = chance.sample(cases, len(cases))
    first = {(case.call, case.stored): case for case in shuffled}
    rest = shuffled[: max(0, count(len(cases)) - len(first))]
    return [*first.values(), *(case for case in rest if case not in first.values())]


async def _rehearse(workflow: Workflow, scene: Scene, points: Failpoints, folder: Path) -> Run:
    """Run without faults: see its calls and what it leaves."""
    with copied(scene, folder / "copy") as home:
        async with opened(scene, home) as house:
            points.trace = []
            answer = await workflow.run(house)
            await settle(house.services)
            calls, points.trace = tuple(points.trace), None
            assert workflow.require_right_or_clean(answer, scene)
            new = shape(house.services.database, scene.known)
            again = await workflow.run(house)
            assert again.status in {workflow.status, *workflow.again}
            assert shape(house.services.database, scene.known) == new, "asking again changed something"
    return Run(calls, new)


async def _fail(case: Case, new: Shape, scene: Scene, points: Failpoints, folder: Path) -> None:
    workflow = case.workflow
    with copied(scene, folder / "copy") as home:
        async with opened(scene, home) as house:
            points.arm(case.number, stored=case.stored, only=(case.call,))
            answer = await workflow.run(house)
            with suppress(LedgerUnavailableError):  # it may be the outcome posted last that fails
                await settle(house.services)
            points.disarm()
            done = workflow.require_right_or_clean(answer, scene)
            await disposal.resume_all(house.services)
            left = shape(house.services.database, scene.known)
            if not workflow.in_parts:
                assert left in ({new} if done else {scene.old, new}), sorted(left ^ new)
            again = await workflow.run(house)
            if again.status not in workflow.again or shape(house.services.database, scene.known) != new:
                assert workflow.require_right_or_clean(again, scene), (again.status, again.body)
            assert shape(house.services.database, scene.known) == new, "asking again did not end well"
        async with opened(scene, home) as house:
            assert shape(house.services.database, scene.known) == new, "opening it again changed something"
            await require_whole(house)
        require_no_plaintext(home)

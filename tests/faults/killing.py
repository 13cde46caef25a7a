"""Kills processes at work, over and over, and looks at what they leave: a program, for no thread may run at a fork.

    python -m tests.faults.killing FOLDER RUNS SEED      # one line of JSON: runs, killed, violations, seconds

A process that has done every workflow once, and has nothing open and no other thread, forks for each run. The child
opens a copy of a prepared installation, does one workflow, and dies by SIGKILL: at a call that leaves the service
(before it, or after it has happened), or at any instant (the parent's timer). A second child opens what is left as a
server does, which recovers it, and sometimes dies over that as well; the last one looks at everything and asks again.
"""

from __future__ import annotations

import asyncio
import json
import os
import random
import signal
import sys
import threading
import time
import traceback
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, NoReturn

import pytest

from service import wiring
from tests.fakes.database import FaultyDatabase
from tests.fakes.failpoints import Failpoints, watching
from tests.faults.house import (
    Scene,
    Shape,
    copied,
    opened,
    prepare,
    require_no_plaintext,
    require_whole,
    settle,
    shape,
)
from tests.faults.workflows import WORKFLOWS, Workflow

KILLED: Final = -signal.SIGKILL
TRIED: Final = tuple(workflow for workflow in WORKFLOWS if workflow.name != "doctor")
_RECOVERY_KILLED: Final = 0.25
_BEYOND: Final = 1.0


@dataclass(frozen=True, slots=True)
class Rehearsed:
    """What a workflow does when nobody kills it."""

    calls: int
    seconds: float
    new: Shape


@dataclass(slots=True)
class Death:
    """How one process dies: at a call, or at an instant after it began."""

    call: int | None
    stored: bool
    after_s: float

    def __str__(self) -> str:
        if self.call is None:
            return f"killed after {1000 * self.after_s:.1f} ms"
        return f"killed {'after' if self.stored else 'before'} call {self.call}"


def main(folder: Path, runs: int, seed: int) -> dict[str, Any]:
    """Prepare, rehearse, kill and look."""
    with remembering():
        scene = asyncio.run(prepare(folder / "home"))
        rehearsed = {}
        for workflow in TRIED:
            with copied(scene, folder / "copy") as home:
                rehearsed[workflow.name] = asyncio.run(_rehearse(scene, home, workflow))
        if threading.active_count() > 1:
            raise SystemExit("a thread is left over, and would not live on in a child")
        return _runs(scene, rehearsed, folder, runs, seed)


@contextmanager
def remembering() -> Iterator[None]:
    """Let all installations of this process and its children share the statements that one of them has compiled."""
    statements: dict[Any, Any] = {}

    class Remembering(FaultyDatabase):
        def __init__(self, url: str, *connections: int) -> None:
            super().__init__(url, *connections)
            self._prepared = statements

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(wiring, "Database", Remembering)
        yield


def _runs(scene: Scene, rehearsed: Mapping[str, Rehearsed], folder: Path, runs: int, seed: int) -> dict[str, Any]:
    chance, began = random.Random(seed), time.monotonic()
    violations, killed = [], 0
    for run in range(runs):
        workflow = TRIED[run % len(TRIED)]
        about = rehearsed[workflow.name]
        death = Death(
            chance.randrange(about.calls) if chance.random() < 1 / 2 else None,
            chance.random() < 1 / 2,
            chance.uniform(0, about.seconds * _BEYOND),
        )
        with copied(scene, folder / "copy") as home:
            ended, wrong = _one_run(scene, home, workflow, about.new, death, chance)
        killed += ended == KILLED
        if wrong:
            violations.append(f"{workflow.name}, {death}: {wrong}")
    return {"runs": runs, "killed": killed, "violations": violations, "seconds": time.monotonic() - began}


def _one_run(
    scene: Scene, home: Path, workflow: Workflow, new: Shape, death: Death, chance: random.Random
) -> tuple[int, str]:
    child = fork(lambda: asyncio.run(_work(scene, home, workflow, death)))
    ended = child.wait() if death.call is not None else child.kill(death.after_s)
    if ended not in (KILLED, 0):
        return ended, child.said()
    try:
        require_no_plaintext(home)
    except AssertionError as error:
        return ended, str(error)
    if chance.random() < _RECOVERY_KILLED:
        fork(lambda: asyncio.run(_recover(scene, home))).kill(chance.uniform(0, 0.05))
    looking = fork(lambda: asyncio.run(_look(scene, home, workflow, new)))
    return ended, looking.said() if looking.wait() else ""


# In the children ------------------------------------------------------------------------------------------------------


async def _rehearse(scene: Scene, home: Path, workflow: Workflow) -> Rehearsed:
    points = Failpoints()
    with watching(points):
        async with opened(scene, home) as house:
            points.arm(-1, stored=False)
            began = time.monotonic()
            answer = await workflow.run(house)
            await settle(house.services)
            seconds, calls = time.monotonic() - began, points.count
            assert workflow.require_right_or_clean(answer, scene)
            new = shape(house.services.database, scene.known)
    return Rehearsed(calls, seconds, new)


async def _work(scene: Scene, home: Path, workflow: Workflow, death: Death) -> None:
    points = Failpoints()
    with watching(points):
        async with opened(scene, home) as house:
            if death.call is not None:
                points.arm(death.call, stored=death.stored, deadly=True)
            _ready()
            answer = await workflow.run(house)
            assert workflow.require_right_or_clean(answer, scene)


async def _recover(scene: Scene, home: Path) -> None:
    _ready()
    async with opened(scene, home):
        pass


async def _look(scene: Scene, home: Path, workflow: Workflow, new: Shape) -> None:
    """Old or new; asked again it is new; everything is whole and the log goes on."""
    async with opened(scene, home) as house:
        left = shape(house.services.database, scene.known)
        assert workflow.in_parts or left in (scene.old, new), sorted(left ^ new)
        await require_whole(house)
        again = await workflow.run(house)
        if again.status not in workflow.again or left != new:
            assert workflow.require_right_or_clean(again, scene), (again.status, again.body)
        await settle(house.services)
        assert shape(house.services.database, scene.known) == new, "asking again did not end well"
        await require_whole(house)
    require_no_plaintext(home)


# Processes ------------------------------------------------------------------------------------------------------------


class Child:
    """A forked process, and the pipe in which it says that it is ready and what was wrong."""

    def __init__(self, pid: int, said: int) -> None:
        self._pid, self._pipe = pid, os.fdopen(said, "rb")
        self._words = b""

    def wait(self) -> int:
        """Wait for its end; returns its exit code, or minus the signal."""
        self._words += self._pipe.read()
        self._pipe.close()
        return os.waitstatus_to_exitcode(os.waitpid(self._pid, 0)[1])

    def kill(self, after_s: float) -> int:
        """Kill it so many seconds after it was ready, unless it has ended by then."""
        self._words += self._pipe.read(1)
        time.sleep(after_s)
        os.kill(self._pid, signal.SIGKILL)
        return self.wait()

    def said(self) -> str:
        """What was wrong, in its own words."""
        return self._words.lstrip(READY).decode()


READY: Final = b"!"
_OUT: Final = 3


def fork(work: Callable[[], object]) -> Child:
    """Do something in a process of its own."""
    out, said = os.pipe()
    pid = os.fork()
    if pid == 0:
        os.close(out)
        _be_child(work, said)
    os.close(said)
    return Child(pid, out)


def _be_child(work: Callable[[], object], said: int) -> NoReturn:
    """Work, tell what went wrong, and end without the parent's own endings."""
    os.dup2(said, _OUT)
    os.dup2(os.open(os.devnull, os.O_WRONLY), 2)  # what a dying batch logs
    code = 1
    try:
        work()
        code = 0
    except BaseException:  # noqa: BLE001  # all of it is told to the parent
        os.write(_OUT, traceback.format_exc(limit=-4).encode()[-4_000:])
    finally:
        os._exit(code)


def _ready() -> None:
    os.write(_OUT, READY)


if __name__ == "__main__":
    result = main(Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3]))
    sys.stdout.write(json.dumps(result) + "\n")

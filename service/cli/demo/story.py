"""The demo from beginning to end: the order of its steps, how it is told, and the table at its end."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from contextlib import nullcontext
from pathlib import Path
from typing import Final

from rich.console import Console

from service.cli.demo import (
    changing,
    ending,
    guarding,
    handing,
    opening,
    papers,
    proving,
    righting,
    seating,
    sharing,
    understanding,
    working,
)
from service.cli.demo.machine import Machine, begin_home
from service.cli.demo.people import CAST, NEXT_JOB, OWNER
from service.cli.demo.proof import UnprovenError
from service.cli.demo.stage import Stage
from service.cli.demo.where import Folders, Where
from service.cli.output import print_table
from service.errors import MunimentError

Step = Callable[[Stage], str]

STEPS: Final[tuple[Step, ...]] = (
    opening.found_firm,
    opening.bring_people,
    opening.open_matters,
    opening.refuse_without_nda,
    opening.sign_nda,
    sharing.take_in,
    sharing.nothing_in_the_clear,
    sharing.share_out,
    sharing.see_only_that,
    sharing.refuse_above_ceiling,
    sharing.read_granted,
    sharing.bring_in,
    working.give_task,
    working.accept_task,
    working.ask_for_access,
    understanding.who_can_see,
    understanding.simulate,
    understanding.compare_policies,
    handing.share_what_comes,
    handing.share_many,
    handing.open_at_night,
    guarding.demand_training,
    guarding.narrow,
    guarding.lift_wall,
    righting.read_text,
    righting.put_right,
    seating.choose_seat,
    changing.change_nda,
    changing.revoke,
    changing.expire,
    proving.export,
    proving.tamper,
    ending.back_up,
    ending.request_end,
    ending.destroy,
    ending.certify,
    ending.open_copy,
    ending.verify_again,
)
EXIT_UNPROVEN: Final = 1


def tell(*, docs: Path | None, serve: bool, keep: bool, home: Path, where: Where | None = None) -> int:
    """Run the demo and return its exit code: 0 when every claim was proved.

    Args:
        docs: folder of papers; None: they are drawn.
        serve: leave the server running afterwards.
        keep: do not empty the folder first.
        home: folder of the installation.
        where: what keeps its rows, blobs, keys and anchors; None: folders in ``home``.
    """
    console = Console(highlight=False, soft_wrap=True)
    begin_home(home, keep=keep)
    where = where or Folders(home)
    stage = Stage(Machine(home, **where.settings), where, papers.drawn() if docs is None else papers.of_folder(docs))
    stage.blobs_before = where.blobs()
    stage.figures["runs on"] = where.name
    start = time.monotonic()
    try:
        for step in STEPS:
            _take(console, step, stage)
        _sum_up(stage, time.monotonic() - start)
        if serve:
            _leave_running(console, stage)
        stage.leave()
        stage.machine.stop()
    except UnprovenError as error:
        console.print(f"✗ {error}", markup=False)
        return EXIT_UNPROVEN
    finally:
        stage.leave()
        stage.machine.abandon()
    return 0


def _take(console: Console, step: Step, stage: Stage) -> None:
    """Take one step and tell it in one line; on a terminal, say meanwhile what is being done."""
    doing = (step.__doc__ or "").partition("\n")[0]
    try:
        with console.status(doing) if console.is_terminal else nullcontext():
            told = step(stage)
    except MunimentError as error:
        raise UnprovenError(f"{doing} It was answered {error.code}: {error.message}") from error
    console.print(f"✓ {told}", markup=False)
    sys.stdout.flush()


def _sum_up(stage: Stage, took_s: float) -> None:
    rows = [*stage.figures.items(), ("left to look at", f"{stage.out('')}: bundles and checkpoint")]
    print_table(("What was proved", ""), [*rows, ("time", f"{took_s:.1f} s")])


def _leave_running(console: Console, stage: Stage) -> None:
    """Begin another engagement to look around in, and leave the server running until Ctrl-C, with tokens made anew."""
    stage.turn_to(NEXT_JOB)
    opening.engage(stage)
    opening.open_matters(stage)
    opening.publish_nda(stage)
    opening.sign_all(stage)
    sharing.take_in(stage)
    sharing.share_out(stage)
    names = {person.key: f"{person.name}, {person.role.value.replace('_', ' ')}" for person in CAST}
    rows = [(names.get(key.partition("@")[0], OWNER[1] + ", owner"), key, token) for key, token in stage.tokens.items()]
    print_table(("who", "acts as", "token"), rows)
    console.print("A new engagement with the same people and papers is open. In another terminal:", markup=False)
    console.print(f"  export MUNIMENT_URL={stage.machine.url} MUNIMENT_TOKEN=…", markup=False)
    console.print(f"  .venv/bin/muniment documents list {stage.engagement}", markup=False)
    try:
        console.print("The service runs until Ctrl-C.", markup=False)
        sys.stdout.flush()
        stage.machine.wait()
    except KeyboardInterrupt:
        console.print("Stopping.")

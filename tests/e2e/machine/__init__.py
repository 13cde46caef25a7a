"""The state machine that drives the real HTTP API of two firms beside the reference model (tests/e2e/test_houses.py).

`floor` is what all rules stand on; `papers`, `people`, `terms`, `tasks`, `ahead`, `asking` and `changing` hold the
rules, by noun, and `passing` how time goes on; `looking` what must hold after each step.
"""

from __future__ import annotations

from tests.e2e.machine.ahead import Ahead
from tests.e2e.machine.asking import Asking
from tests.e2e.machine.changing import Changing
from tests.e2e.machine.floor import Floor
from tests.e2e.machine.passing import Passing
from tests.e2e.machine.people import People
from tests.e2e.machine.tasks import Tasks
from tests.e2e.machine.terms import Terms


class Machine(Tasks, People, Terms, Ahead, Asking, Changing, Passing):
    """Two firms: everything that opens and closes access, and every surface that shows it."""


__all__ = ["Floor", "Machine"]

"""What a policy change means for everybody, over a million grants.

The row has no peer but an absolute bound. The change lowers the one role's ceiling so that every grant in the world
loses three acts, the dearest change there is.
"""

from __future__ import annotations

import shutil
import tempfile
import time
from pathlib import Path
from statistics import median
from typing import Final, NamedTuple

from service import policy
from service.scoping.comparing import Comparison
from service.scoping.matrix import Matrix
from tests.benchmarks.deciding import ENGAGEMENTS
from tests.benchmarks.grants import DOCUMENTS, GRANTS, a_world_of
from tests.benchmarks.rounds import Better, Measured, ratio_of

MOST_S: Final = 10.0
"""For 1 M grants, policy files read and compared included."""
ROUNDS: Final = 3

SHIPPED: Final = Path(__file__).parents[2] / "policies"
HIGH: Final = "paralegal,document:download document:list document:text document:view,*,privileged,"
ASKING: Final = "paralegal,access_request:"
LOW: Final = HIGH.replace("privileged", "routine")


class Differed(NamedTuple):
    """What came out, and how long it took."""

    seconds: float
    grants: int
    people: int
    lost: int  # people × documents × acts


def differ(kept: Path, engagements: int = ENGAGEMENTS, documents: int = DOCUMENTS) -> Differed:
    """Compare the shipped policy with one whose ceiling for paralegals is lower, over everybody in a world."""
    with a_world_of(kept, engagements, documents) as world, tempfile.TemporaryDirectory() as scratch:
        lower = Path(shutil.copytree(SHIPPED, Path(scratch) / "policies"))
        text = (lower / "policy.csv").read_text(encoding="utf-8")
        assert HIGH in text
        # What nobody may see nobody may ask for: the loader would refuse it.
        rest = "".join(row for row in text.splitlines(keepends=True) if not row.startswith(ASKING))
        (lower / "policy.csv").write_text(rest.replace(HIGH, LOW), encoding="utf-8")
        start = time.perf_counter()
        comparison = Comparison(Matrix.load(SHIPPED), Matrix.load(lower))
        (shifts,) = policy.people_changed(world.services, comparison, lambda _done, _of: None).values()
        seconds = time.perf_counter() - start
    people = len({shift.membership_id for shift in shifts})
    return Differed(seconds, engagements * documents * GRANTS, people, sum(shift.lost for shift in shifts))


def policy_diff(
    kept: Path, engagements: int = ENGAGEMENTS, documents: int = DOCUMENTS, rounds: int = ROUNDS
) -> Measured:
    """Measure it beside its bound."""
    seconds = median(differ(kept, engagements, documents).seconds for _ in range(rounds))
    return Measured(seconds, MOST_S, "s", ratio_of(seconds, MOST_S, Better.LESS))

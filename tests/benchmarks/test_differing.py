"""A policy change is told over everybody in seconds: at a twentieth of the size, with room for a busy machine."""

from __future__ import annotations

from pathlib import Path

from tests.benchmarks.deciding import ENGAGEMENTS
from tests.benchmarks.differing import MOST_S, differ


def test_a_policy_change_over_many_grants_is_counted_quickly(tmp_path: Path) -> None:
    found = differ(tmp_path, ENGAGEMENTS // 20)
    assert found.people == 50
    assert found.lost == 3 * found.grants  # list, view and download of every grant
    assert found.seconds < MOST_S / 2  # ten times what is promised for all of it

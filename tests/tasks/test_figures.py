"""Counting tasks: what is overdue, what a median is of, what rework is a share of."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

from service.tasks.figures import Count, count

NOW = 1000


def _task(task_id: str, state: str = "open", due_at: int = NOW + 1) -> Any:
    return SimpleNamespace(id=task_id, state=state, due_at=due_at, given_at=100)


def _round(submitted_at: int, answer: str | None = None, answered_at: int | None = None) -> Any:
    return SimpleNamespace(submitted_at=submitted_at, answer=answer, answered_at=answered_at)


def test_of_no_tasks_there_is_no_median_and_no_share() -> None:
    assert count([], {}, NOW) == Count(0, 0, 0, 0, None, None, None)


@pytest.mark.parametrize(
    ("state", "due_at", "overdue"),
    [
        ("open", NOW, 1),
        ("open", NOW + 1, 0),
        ("returned", NOW, 1),
        ("submitted", NOW, 0),
        ("accepted", NOW, 0),
        ("cancelled", NOW, 0),
    ],
)
def test_what_waits_for_the_member_is_overdue_from_the_second_on_that_it_is_due(
    state: str, due_at: int, overdue: int
) -> None:
    assert count([_task("a", state, due_at)], {}, NOW).overdue == overdue


def test_turnaround_counts_first_submissions_alone_and_response_each_answer() -> None:
    rounds = {
        "a": [_round(110, "returned", 115), _round(500, "accepted", 507)],
        "b": [_round(130)],
        "c": [_round(150, "accepted", 151)],
    }
    found = count([_task(name) for name in "abcd"], rounds, NOW)
    assert (found.turnaround_s, found.response_s) == (30, 5)


def test_a_median_between_two_is_a_whole_number_of_seconds() -> None:
    rounds = {"a": [_round(101)], "b": [_round(104)]}
    assert count([_task("a"), _task("b")], rounds, NOW).turnaround_s == 2


def test_rework_is_a_share_of_what_was_accepted() -> None:
    back, straight = [_round(1, "returned", 2), _round(3, "accepted", 4)], [_round(1, "accepted", 2)]
    some = [_task("a", "accepted"), _task("b", "accepted"), _task("c", "accepted"), _task("d", "returned")]
    rounds = {"a": back, "b": straight, "c": straight, "d": [_round(1, "returned", 2)]}
    assert count(some, rounds, NOW).rework == 0.3333
    assert count(some[3:], rounds, NOW).rework is None

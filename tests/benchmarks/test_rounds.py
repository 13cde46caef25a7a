"""Which of two figures is better, and which round speaks for all."""

from __future__ import annotations

from collections.abc import Callable

from tests.benchmarks.rounds import Better, by_turns, ratio_of


def told(*figures: float) -> Callable[[], float]:
    return iter(figures).__next__


def test_a_rate_twice_as_high_and_a_time_half_as_long_are_both_two() -> None:
    assert ratio_of(10, 5, Better.MORE) == 2
    assert ratio_of(5, 10, Better.LESS) == 2


def test_the_row_is_the_round_with_the_median_ratio_and_the_first_go_does_not_count() -> None:
    ours, peer = told(999, 10, 40, 60), told(1, 10, 10, 20)
    row = by_turns(ours, peer, "things", Better.MORE, rounds=3)
    assert (row.ours, row.peer, row.ratio) == (60, 20, 3)


def test_both_sides_take_turns_at_being_first() -> None:
    order: list[str] = []

    def side(name: str) -> Callable[[], float]:
        def measure() -> float:
            order.append(name)
            return 1.0

        return measure

    by_turns(side("ours"), side("peer"), "things", Better.LESS, rounds=2)
    assert order == ["ours", "peer", "ours", "peer", "peer", "ours"]

from __future__ import annotations

import pytest

from service.brakes.marks import LEAST_DELAY_S, MARKS, MOST_DELAY_S, Load, Marks, delay_s, is_too_much

HERE = Marks(slow_documents=10, slow_bytes=1000, stop_documents=20, stop_bytes=3000)


@pytest.mark.parametrize(
    ("documents", "size_bytes", "expected"),
    [
        (10, 1000, 0.0),
        (11, 0, 1 + 19 * 0.1),
        (20, 0, MOST_DELAY_S),
        (0, 1001, 1 + 19 / 2000),
        (15, 3000, MOST_DELAY_S),
        (99, 9999, MOST_DELAY_S),
    ],
)
def test_a_delay_grows_from_the_lower_mark_to_the_higher(documents: int, size_bytes: int, expected: float) -> None:
    assert delay_s(Load(documents, size_bytes), HERE) == pytest.approx(expected)


def test_it_never_shrinks_as_more_is_opened() -> None:
    found = [delay_s(Load(documents, 0), HERE) for documents in range(40)]
    assert found == sorted(found)
    assert {each for each in found if each} <= {each for each in found if LEAST_DELAY_S <= each <= MOST_DELAY_S}


def test_marks_that_meet_suspend_without_slowing() -> None:
    marks = Marks(5, 100, 5, 100)
    assert delay_s(Load(5, 100), marks) == 0.0
    assert is_too_much(Load(6, 0), marks)
    assert is_too_much(Load(0, 101), marks)
    assert not is_too_much(Load(5, 100), marks)


def test_an_engagement_begins_with_marks_in_order() -> None:
    marks = Marks(**MARKS)
    assert marks.slow_documents < marks.stop_documents
    assert marks.slow_bytes < marks.stop_bytes

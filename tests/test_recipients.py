"""From when to when something may be handed out: never beyond the membership and its engagement."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.errors import BadInputError
from service.recipients import Recipient, term

SECONDS = st.integers(0, 4_000_000_000)


def _recipient(opens_at: int, closes_at: int) -> Recipient:
    return Recipient("mem_x", "per_x", "paralegal", opens_at, closes_at)


@given(SECONDS, SECONDS, SECONDS, st.none() | SECONDS, SECONDS)
def test_what_is_given_lies_within_the_membership_ahead_of_now_and_is_not_empty(
    opens_at: int, closes_at: int, now: int, not_before: int | None, not_after: int
) -> None:
    try:
        begins, ends = term(_recipient(opens_at, closes_at), now, not_before, not_after)
    except BadInputError:
        fits = not_after <= closes_at and not_after > max(now, opens_at if not_before is None else not_before)
        assert not fits or max(now, not_before or 0) < opens_at
    else:
        assert max(opens_at, now) <= begins < ends == not_after <= closes_at
        assert not_before is None or begins == max(not_before, now)


def test_left_out_it_begins_as_soon_as_may_be() -> None:
    assert term(_recipient(100, 200), 150, None, 160) == (150, 160)
    assert term(_recipient(100, 200), 50, None, 160) == (100, 160)


def test_a_beginning_in_the_past_is_now() -> None:
    assert term(_recipient(100, 200), 150, 120, 160) == (150, 160)


@pytest.mark.parametrize(
    ("not_before", "not_after", "field"),
    [
        (None, 201, "not_after"),  # a second too long
        (120, 120, "not_after"),  # empty
        (170, 160, "not_after"),  # the wrong way round
        (None, 90, "not_after"),  # before it can begin
        (99, 200, "not_before"),  # a second too early
    ],
)
def test_a_refused_time_comes_with_the_earliest_and_latest_that_would_do(
    not_before: int | None, not_after: int, field: str
) -> None:
    with pytest.raises(BadInputError) as refused:
        term(_recipient(100, 200), 50, not_before, not_after)
    assert refused.value.extra == {
        "field": field,
        "earliest": "1970-01-01T00:01:40Z",
        "latest": "1970-01-01T00:03:20Z",
    }


def test_the_last_second_is_still_given() -> None:
    assert term(_recipient(100, 200), 150, None, 200) == (150, 200)

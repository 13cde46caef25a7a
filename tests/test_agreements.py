"""When a text bites, and which texts can be published: pure functions, so tried widely."""

from __future__ import annotations

import hashlib
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.agreements import NOTICE_DAYS, TEXT_CHARACTERS, digest_of, end_of_notice
from service.errors import BadInputError

NEW_YORK = ZoneInfo("America/New_York")
ZONES = ("America/New_York", "America/Sao_Paulo", "Africa/Cairo", "Asia/Kolkata", "Pacific/Auckland", "UTC")
DAY_S = 86_400


def _at(text: str, zone: ZoneInfo = NEW_YORK) -> int:
    return int(datetime.fromisoformat(text).replace(tzinfo=zone).timestamp())


@pytest.mark.parametrize(
    ("published", "bites"),
    [
        ("2031-01-06T10:00:00", "2031-01-10T00:00:00"),  # Monday: Tuesday, Wednesday and Thursday are left
        ("2031-01-06T00:00:00", "2031-01-10T00:00:00"),  # its first second
        ("2031-01-06T23:59:59", "2031-01-10T00:00:00"),  # its last second
        ("2031-01-08T10:00:00", "2031-01-14T00:00:00"),  # Wednesday: Thursday, Friday, Monday
        ("2031-01-10T17:00:00", "2031-01-16T00:00:00"),  # Friday: Monday to Wednesday
        ("2031-01-11T09:00:00", "2031-01-16T00:00:00"),  # Saturday: the same
        ("2031-01-12T23:00:00", "2031-01-16T00:00:00"),  # Sunday: the same
        ("2030-12-30T10:00:00", "2031-01-03T00:00:00"),  # over the year's end, which is a working day here
    ],
)
def test_a_text_bites_at_the_end_of_the_third_working_day_after_publication(published: str, bites: str) -> None:
    assert end_of_notice(_at(published), NEW_YORK) == _at(bites)


@pytest.mark.parametrize(
    ("published", "seconds"),
    [
        ("2031-03-06T12:00:00", 12 * 3600 + 5 * DAY_S - 3600),  # Thursday; clocks go forward on Sunday 9 March
        ("2031-10-30T12:00:00", 12 * 3600 + 5 * DAY_S + 3600),  # Thursday; clocks go back on Sunday 2 November
    ],
)
def test_a_night_on_which_clocks_change_moves_the_second_and_not_the_day(published: str, seconds: int) -> None:
    assert end_of_notice(_at(published), NEW_YORK) - _at(published) == seconds


def test_where_clocks_jump_over_midnight_the_day_begins_with_the_jump() -> None:
    zone = ZoneInfo("America/Sao_Paulo")  # Sunday 4 November 2018: 00:00 became 01:00
    bites = end_of_notice(_at("2018-10-30T12:00:00", zone), zone)  # Tuesday: Wednesday, Thursday, Friday
    assert bites == _at("2018-11-03T00:00:00", zone)
    jump = end_of_notice(_at("2018-11-02T12:00:00", zone), zone, working_days=0) + DAY_S
    assert datetime.fromtimestamp(jump, zone).date() == date(2018, 11, 4)
    assert datetime.fromtimestamp(jump - 1, zone).date() == date(2018, 11, 3)


def test_the_firm_s_zone_decides_which_day_it_is() -> None:
    published = _at("2031-01-06T20:00:00")  # Monday evening in New York, Tuesday in Auckland
    auckland = ZoneInfo("Pacific/Auckland")
    assert end_of_notice(published, NEW_YORK) == _at("2031-01-10T00:00:00")
    assert end_of_notice(published, auckland) == _at("2031-01-11T00:00:00", auckland)


@given(now=st.integers(0, 4_000_000_000), name=st.sampled_from(ZONES))
def test_whoever_is_given_notice_has_exactly_three_whole_working_days(now: int, name: str) -> None:
    zone = ZoneInfo(name)
    bites = end_of_notice(now, zone)
    first, last = datetime.fromtimestamp(now, zone).date(), datetime.fromtimestamp(bites - 1, zone).date()
    days = [first + timedelta(days=step) for step in range(1, (last - first).days + 1)]
    assert sum(day.weekday() < 5 for day in days) == NOTICE_DAYS
    assert last.weekday() < 5
    assert datetime.fromtimestamp(bites, zone).date() == last + timedelta(days=1)


def test_a_text_is_hashed_exactly_as_it_was_sent() -> None:
    composed, decomposed = "Caf\u00e9\n", "Cafe\u0301\n"
    assert digest_of(composed) == hashlib.sha256(composed.encode()).hexdigest()
    assert digest_of(decomposed) != digest_of(composed)
    assert digest_of("  spaces stay  \n\tand tabs\n") != digest_of("spaces stay\n\tand tabs")


@pytest.mark.parametrize(
    "text",
    [
        "",
        " \n\t",
        "a" * (TEXT_CHARACTERS + 1),
        "line\r\nline",
        "bell\x07",
        "nul\x00",
        "\x9b31m",
        "\u202egnp",
        "\u2066hidden\u2069",
        "half \ud83d",
    ],
)
def test_a_text_that_could_read_otherwise_than_it_was_hashed_is_refused(text: str) -> None:
    with pytest.raises(BadInputError) as refused:
        digest_of(text)
    assert refused.value.extra == {"field": "text"}


def test_the_longest_text_is_kept() -> None:
    assert len(digest_of("ß" * TEXT_CHARACTERS)) == 64

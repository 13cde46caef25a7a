"""What one schedule says: its one form, the clock on the wall, the day that has an hour too few or too many."""

from __future__ import annotations

import json
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from service.errors import BadInputError
from service.ledger import Place
from service.scoping import hours
from service.scoping.hours import (
    AHEAD_S,
    DAYS,
    MOST_NETWORKS,
    MOST_SPANS,
    Bound,
    Span,
    all_open,
    make,
    next_opening,
    read,
)
from tests.scoping.schedules import HOME, MONTHS, OFFICE, SALT, any_minute, any_terms, is_hour, terms

NEW_YORK = ZoneInfo("America/New_York")
ALL = ("00:00", "24:00", DAYS)


def at(text: str, zone: ZoneInfo = NEW_YORK, fold: int = 0) -> int:
    """UTC seconds of what a clock shows; of the second time with ``fold=1``."""
    return int(datetime.fromisoformat(text).replace(tzinfo=zone, fold=fold).timestamp())


# Hours ----------------------------------------------------------------------------------------------------------------


def test_hours_open_with_their_first_second_and_are_shut_with_their_last() -> None:
    said = terms("09:00", "17:00")
    opens, shuts = at("2027-01-15T09:00"), at("2027-01-15T17:00")  # a Friday
    found = [said.is_hour(second) for second in (opens - 1, opens, shuts - 1, shuts)]
    assert found == [False, True, True, False]


def test_a_day_that_is_not_named_stays_shut() -> None:
    assert not terms().is_hour(at("2027-01-16T12:00"))  # a Saturday
    assert terms(days=("sat",)).is_hour(at("2027-01-16T12:00"))


def test_hours_past_midnight_belong_to_the_evening_they_begin_in() -> None:
    said = terms("22:00", "02:00", days=("fri",))
    assert said.is_hour(at("2027-01-15T22:00"))
    assert said.is_hour(at("2027-01-16T01:59:59"))  # Saturday morning, Friday's shift
    assert not said.is_hour(at("2027-01-16T02:00"))
    assert not said.is_hour(at("2027-01-15T01:00"))  # Friday morning would be Thursday's
    assert not said.is_hour(at("2027-01-16T22:00"))
    over_the_week = terms("22:00", "02:00", days=("sun",))
    assert over_the_week.is_hour(at("2027-01-18T01:00"))


def test_a_whole_day_ends_where_the_next_begins() -> None:
    said = terms("00:00", "24:00", days=("fri",))
    assert said.is_hour(at("2027-01-15T00:00"))
    assert said.is_hour(at("2027-01-15T23:59:59"))
    assert not said.is_hour(at("2027-01-16T00:00"))


def test_a_zone_is_that_of_the_clock_on_the_wall_not_of_the_server() -> None:
    assert terms(zone="Asia/Kathmandu").is_hour(at("2027-01-15T09:00", ZoneInfo("Asia/Kathmandu")))
    assert not terms(zone="Asia/Kathmandu").is_hour(at("2027-01-15T09:00"))


def test_an_hour_that_the_clock_skips_is_nobodys() -> None:
    """14 March 2027, New York: after 01:59:59 comes 03:00:00."""
    jump = at("2027-03-14T03:00")
    skipped = terms("02:00", "03:00", days=("sun",))
    assert not any(skipped.is_hour(jump + minute * 60) for minute in range(-240, 240))
    around = terms("02:30", "03:30", days=("sun",))
    found = [around.is_hour(jump + seconds) for seconds in (-1, 0, 30 * 60 - 1, 30 * 60)]
    assert found == [False, True, True, False]  # it opens late, with the jump


def test_an_hour_that_the_clock_shows_twice_counts_twice() -> None:
    """7 November 2027, New York: after 01:59:59 comes 01:00:00 again."""
    said = terms("01:00", "02:00", days=("sun",))
    first, second, end = (at("2027-11-07T01:00"), at("2027-11-07T01:00", fold=1), at("2027-11-07T02:00"))
    assert end - first == 2 * 3600
    assert [said.is_hour(each) for each in (first - 1, first, second - 1, second, end - 1, end)] == [
        *(False, True, True, True, True, False)
    ]
    half = terms("01:30", "03:00", days=("sun",))
    assert half.is_hour(second - 1)  # 01:59:59 for the first time
    assert not half.is_hour(second)  # 01:00:00 again: the clock says that it is too early
    assert half.is_hour(second + 1800)


@given(any_terms, any_minute, st.integers(0, 59))
@settings(max_examples=600)
def test_a_minute_is_open_when_the_wall_says_so(said: hours.Terms, minute: int, second: int) -> None:
    assert said.is_hour(minute + second) == is_hour(said, minute + second) == is_hour(said, minute)


def test_every_minute_of_every_day_on_which_a_clock_jumps() -> None:
    said = [
        make([Span(DAYS, "01:30", "02:15"), Span(("sat", "sun"), "23:45", "00:30")], zone, (), SALT)
        for zone in ("America/New_York", "Australia/Lord_Howe", "America/Santiago", "Africa/Cairo")
    ]
    for each in said:
        for start in MONTHS:
            for second in range(start, start + 3 * 86_400, 60):
                assert each.is_hour(second) == is_hour(each, second)


# Networks -------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("networks", "address", "is_inside"),
    [
        (("203.0.113.0/24",), OFFICE, True),
        (("203.0.113.0/24",), HOME, False),
        (("203.0.113.0/24", "198.51.100.7/32"), HOME, True),
        (("203.0.113.0/24",), "203.0.114.0", False),
        (("203.0.113.0/24",), "203.0.113.255", True),
        (("203.0.113.0/24",), "::ffff:203.0.113.9", True),  # as a socket for both kinds names it
        (("2001:db8::/32",), "2001:db8:7::1", True),
        (("2001:db8::/32",), "2001:db9::1", False),
        (("2001:db8::/32",), OFFICE, False),
        (("fe80::/10",), "fe80::1%eth0", True),
        (("0.0.0.0/0",), "::1", False),
        (("0.0.0.0/0", "::/0"), None, False),  # nobody knows from where
        (("0.0.0.0/0", "::/0"), "", False),
        (("0.0.0.0/0", "::/0"), "testclient", False),
        (("0.0.0.0/0",), "203.0.113.009", False),  # octal to some: no address to us
        (("203.0.113.0/24",), Place.INSIDE, True),
        ((), None, True),
    ],
)
def test_an_address_is_inside_or_it_is_not(networks: tuple[str, ...], address: Any, is_inside: bool) -> None:
    said = make([Span(DAYS, "00:00", "24:00")], "UTC", networks, SALT)
    assert said.is_from(address) == is_inside
    assert said.is_open(MONTHS[0], address) == is_inside


def test_hours_and_networks_must_both_be_open() -> None:
    said = terms(networks=("203.0.113.0/24",))
    noon, night = at("2027-01-15T12:00"), at("2027-01-15T23:00")
    found = [said.is_open(now, address) for now in (noon, night) for address in (OFFICE, HOME)]
    assert found == [True, False, False, False]


# The one form ---------------------------------------------------------------------------------------------------------


def test_what_is_said_in_another_order_is_the_same_text() -> None:
    spans = [Span(("fri", "mon"), "09:00", "12:00"), Span(("mon",), "08:00", "09:00")]
    networks = ("2001:DB8:0::/32", "203.0.113.0/24", "10.0.0.0/8", "203.0.113.0/24")
    one, other = make(spans, "UTC", networks, SALT), make(spans[::-1], "UTC", networks[::-1], SALT)
    assert one.text() == other.text()
    assert json.loads(one.text()) == {
        "hours": [
            {"days": ["mon"], "opens": "08:00", "shuts": "09:00"},
            {"days": ["mon", "fri"], "opens": "09:00", "shuts": "12:00"},
        ],
        "networks": ["10.0.0.0/8", "203.0.113.0/24", "2001:db8::/32"],
        "salt": SALT,
        "zone": "UTC",
    }
    assert read(one.text()) == one


@given(any_terms)
def test_what_was_written_reads_as_what_was_said(said: hours.Terms) -> None:
    assert read(said.text()) == said
    assert hours.SEPARATOR not in said.text()


def _changed(**parts: Any) -> str:
    said = json.loads(terms(networks=("10.0.0.0/8",)).text())
    return json.dumps({**said, **parts}, sort_keys=True, separators=(",", ":"))


DAMAGED = (
    "",
    "null",
    "[]",
    "{}",
    "x",
    "[" * 100_000,
    terms().text() + " ",
    terms().text() + hours.SEPARATOR,
    json.dumps(json.loads(terms().text())),  # with spaces
    _changed(more=1),
    _changed(hours=[], networks=[]),
    _changed(hours=None),
    _changed(hours=[{"days": ["mon"], "opens": "09:00"}]),
    _changed(hours=[{"days": "mon", "opens": "09:00", "shuts": "10:00"}]),
    _changed(hours=[{"days": ["mon", "mon"], "opens": "09:00", "shuts": "10:00"}]),
    _changed(hours=[{"days": [["mon"]], "opens": "09:00", "shuts": "10:00"}]),
    _changed(hours=[{"days": ["mon"], "opens": 9, "shuts": "10:00"}]),
    _changed(hours=[{"days": ["mon"], "opens": "9:00", "shuts": "10:00"}]),
    _changed(hours=[{"days": ["mon"], "opens": "09:00\n", "shuts": "10:00"}]),
    _changed(hours=[{"days": ["mon"], "opens": "09:00", "shuts": "10:00", "more": 1}]),
    _changed(networks=["10.0.0.1/8"]),
    _changed(networks=[167772160]),
    _changed(networks=["192.0.2.0/24", "10.0.0.0/8"]),
    _changed(zone="Mars/Olympus"),
    _changed(zone="../../etc/passwd"),
    _changed(zone=""),
    _changed(zone=1),
    _changed(salt="0"),
    _changed(salt=None),
)


@pytest.mark.parametrize("text", DAMAGED, ids=range(len(DAMAGED)))
def test_a_text_that_is_not_the_one_form_of_anything_is_shut(text: str) -> None:
    with pytest.raises(ValueError, match=r"no terms|one form"):
        read(text)
    assert hours.readable(text) is None
    everything = terms(*ALL).text()
    assert all_open(everything, MONTHS[0], HOME)
    assert not all_open(text, MONTHS[0], Place.INSIDE)
    assert not all_open(everything + hours.SEPARATOR + text, MONTHS[0], Place.INSIDE)


BAD: tuple[tuple[str, dict[str, Any]], ...] = (
    ("hours", {"spans": [], "networks": ()}),
    (
        "hours",
        {"spans": [Span(("mon",), "09:00", f"1{minute // 60}:{minute % 60:02}") for minute in range(MOST_SPANS + 1)]},
    ),
    ("hours", {"networks": tuple(f"10.{n}.0.0/16" for n in range(MOST_NETWORKS + 1))}),
    ("hours", {"spans": [Span((), "09:00", "10:00")]}),
    ("hours", {"spans": [Span(("monday",), "09:00", "10:00")]}),
    ("hours", {"spans": [Span(("mon", "mon"), "09:00", "10:00")]}),
    ("hours", {"spans": [Span(("mon",), "09:00", "09:00")]}),
    ("hours", {"spans": [Span(("mon",), "24:00", "09:00")]}),
    ("hours", {"spans": [Span(("mon",), "09:00", "24:01")]}),
    ("hours", {"spans": [Span(("mon",), "09:60", "10:00")]}),
    ("hours", {"spans": [Span(("mon",), "٠٩:00", "10:00")]}),
    ("zone", {"zone": "Mars/Olympus"}),
    ("zone", {"zone": "/etc/localtime"}),
    ("zone", {"zone": "\0"}),
    ("zone", {"zone": "America"}),
    ("networks", {"networks": ("office",)}),
    ("networks", {"networks": ("10.0.0.1/8",)}),
    ("networks", {"networks": ("10.0.0.0/33",)}),
    ("networks", {"networks": ("fe80::%1/64",)}),
    ("networks", {"networks": ("::ffff:10.0.0.0/104",)}),
)


@pytest.mark.parametrize(("field", "said"), BAD, ids=range(len(BAD)))
def test_what_is_said_wrongly_is_refused_and_its_field_named(field: str, said: dict[str, Any]) -> None:
    spans = said.get("spans", [Span(("mon",), "09:00", "17:00")])
    with pytest.raises(BadInputError) as error:
        make(spans, said.get("zone", "UTC"), said.get("networks", ()), SALT)
    assert error.value.extra["field"] == field


def test_an_entry_tells_hours_and_zone_and_of_networks_only_how_many() -> None:
    said = terms(networks=("203.0.113.0/24", "2001:db8::/32"))
    assert hours.shown(said) == {
        "hours": ["mon tue wed thu fri 09:00-17:00"],
        "zone": "America/New_York",
        "networks": 2,
    }


# The next opening -----------------------------------------------------------------------------------------------------


def _ahead(now: int, *said: hours.Terms) -> int | None:
    return next_opening([Bound(each, 0, 10**12) for each in said], now, now + AHEAD_S)


def test_after_friday_evening_comes_monday_morning() -> None:
    assert _ahead(at("2027-01-15T17:00"), terms()) == at("2027-01-18T09:00")


def test_who_is_in_has_no_opening_ahead_of_him() -> None:
    assert _ahead(at("2027-01-15T12:34:56"), terms()) == at("2027-01-15T12:34:56")


def test_two_schedules_open_when_both_do() -> None:
    early, late = terms("06:00", "10:00"), terms("09:30", "17:00", zone="America/Chicago")  # 10:30 in New York
    assert _ahead(at("2027-01-15T05:00"), early, late) is None
    assert _ahead(at("2027-01-15T05:00"), early, terms("09:30", "17:00")) == at("2027-01-15T09:30")


def test_an_opening_in_the_hour_that_is_skipped_is_the_jump() -> None:
    said = terms("02:30", "04:00", days=("sun",))
    assert _ahead(at("2027-03-14T01:00"), said) == at("2027-03-14T03:00")


def test_beyond_fourteen_days_nothing_is_said() -> None:
    now = at("2027-01-15T12:00")
    bound = [Bound(terms(), 0, 10**12)]
    assert next_opening(bound, now + 8 * 3600, now + 9 * 3600) is None
    shut = [*bound, Bound(terms(days=("sun",)), 0, now + 15 * 86_400)]
    assert next_opening(shut, now, now + AHEAD_S) is None
    assert next_opening(shut, now, now + 30 * 86_400) == at("2027-02-01T09:00")  # the Monday after it ended


@given(st.lists(st.tuples(any_terms, any_minute, any_minute), min_size=1, max_size=3), any_minute)
@settings(max_examples=150, deadline=None)
def test_the_next_opening_is_the_first_minute_in_which_all_are_open(
    drawn: list[tuple[hours.Terms, int, int]], now: int
) -> None:
    bound = [Bound(said, min(one, other), max(one, other) + 60) for said, one, other in drawn]
    end = now + 2 * 86_400
    open_minutes = (
        minute
        for minute in range(now, end, 60)
        if all(is_hour(each.terms, minute) for each in bound if each.since <= minute < each.until)
    )
    assert next_opening(bound, now, end) == next(open_minutes, None)

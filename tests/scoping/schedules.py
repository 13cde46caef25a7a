"""Schedules for tests: drawn at random, and read a second time by somebody who knows only a clock on a wall."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from hypothesis import strategies as st

from service.scoping.hours import DAYS, Span, Terms, make

SALT = "0" * 32
WEEKDAYS = DAYS[:5]
HOME, OFFICE = "198.51.100.7", "203.0.113.9"
# Zones whose clocks jump in different ways: forward and back by an hour, by half an hour, at midnight, never; and on
# both sides of the date line.
ZONES = (
    "UTC",
    "America/New_York",
    "Australia/Lord_Howe",
    "America/Santiago",
    "Asia/Kathmandu",
    "Pacific/Auckland",
    "Pacific/Pago_Pago",
    "Africa/Cairo",
)
# The days of 2027 on which some of them jump, and plain ones.
MONTHS = tuple(
    int(datetime(2027, month, day, tzinfo=UTC).timestamp())
    for month, day in ((3, 13), (11, 6), (4, 3), (10, 2), (9, 25), (4, 29), (1, 15), (12, 30))
)


def terms(
    opens: str = "09:00",
    shuts: str = "17:00",
    days: tuple[str, ...] = WEEKDAYS,
    zone: str = "America/New_York",
    networks: tuple[str, ...] = (),
) -> Terms:
    """Terms of one span."""
    return make([Span(days, opens, shuts)], zone, networks, SALT)


_clocks = st.builds(
    "{:02}:{:02}".format, st.sampled_from([*range(24), 1, 2, 2, 2, 3, 23, 0]), st.sampled_from([0, 0, 15, 30, 59])
)
_spans = st.builds(
    Span, st.sets(st.sampled_from(DAYS), min_size=1).map(lambda days: tuple(sorted(days))), _clocks, _clocks
).filter(lambda span: span.opens != span.shuts)
any_terms = st.builds(
    lambda spans, zone, networks: make(spans, zone, networks, SALT),
    st.lists(_spans, min_size=1, max_size=3),
    st.sampled_from(ZONES),
    st.sampled_from([(), (), (), ("203.0.113.0/24",), ("2001:db8::/32",), ("198.51.100.0/24", "203.0.113.0/24")]),
)
any_minute = st.builds(lambda start, minutes: start + 60 * minutes, st.sampled_from(MONTHS), st.integers(0, 4 * 1440))


def is_hour(said: Terms, at: int) -> bool:
    """Whether the hours are open, as somebody tells who looks at a clock and a calendar on the wall alone."""
    wall = datetime.fromtimestamp(at, UTC).astimezone(ZoneInfo(said.zone))
    shows, today = wall.strftime("%H:%M"), wall.strftime("%a").lower()
    yesterday = (wall.replace(tzinfo=None) - timedelta(days=1)).strftime("%a").lower()
    for span in said.spans:
        if span.opens < span.shuts:
            if today in span.days and span.opens <= shows < span.shuts:
                return True
        elif (today in span.days and shows >= span.opens) or (yesterday in span.days and shows < span.shuts):
            return True
    return not said.spans

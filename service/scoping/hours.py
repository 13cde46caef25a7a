"""Hours and networks: what one schedule says, and whether it is open at a time and from an address.

Rules kept here:

* hours are what a clock on the wall of the named zone shows: days of the week, ``opens`` (included) to ``shuts`` (not
  included), past midnight where ``shuts`` is the earlier. An hour that the clock skips is nobody's; an hour
  that it shows twice counts twice;
* networks are IPv4 and IPv6 prefixes. An address that cannot be told is in none of them;
* a schedule with hours and networks is open when both are; what cannot be read is shut;
* the text has one form (sorted, no spaces), checked when it is written and each time it is read: a row that was
  changed into something else opens nothing.

The salt makes the text's digest in the log say nothing about the networks in it.

It reads no rows: service/scoping/windows.py does.

Source: RFC 4291, section 2.5.5.2 (IPv4-mapped addresses); docs/adr/0019-schedules.md.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, date, datetime, timedelta
from functools import lru_cache
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network
from typing import Any, Final, NamedTuple
from zoneinfo import ZoneInfo, available_timezones

from service.errors import BadInputError
from service.ledger import Address, Place

DAYS: Final = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
MOST_SPANS: Final = 7
MOST_NETWORKS: Final = 32
SEPARATOR: Final = "\n"  # between the texts of several schedules; no text has one
AHEAD_S: Final = 14 * 24 * 3600  # how far ahead the next opening is looked for
_DAY_MINUTES: Final = 24 * 60
_DAY_S: Final = _DAY_MINUTES * 60
_CLOCK: Final = re.compile(r"([01][0-9]|2[0-3]):([0-5][0-9])|24:00")
_SALT: Final = re.compile(r"[0-9a-f]{32}")

Network = IPv4Network | IPv6Network


class Span(NamedTuple):
    """Hours of some days, in words: ``Span(("mon", "tue"), "09:00", "17:30")``. ``24:00`` may stand for the end."""

    days: tuple[str, ...]
    opens: str
    shuts: str


class Terms(NamedTuple):
    """What one schedule says. `make` and `read` are the ways to get one."""

    spans: tuple[Span, ...]  # none: any hour
    zone: str
    networks: tuple[Network, ...]  # none: from anywhere
    salt: str
    clock: ZoneInfo
    minutes: tuple[tuple[int, int, int], ...]  # day of the week, first minute of that day, first no more (past 24 h)

    def is_open(self, now: int, address: Address) -> bool:
        """Say whether this schedule is open at a time (UTC seconds) and from an address."""
        return self.is_hour(now) and self.is_from(address)

    def is_hour(self, now: int) -> bool:
        """Say whether a time lies within the hours."""
        if not self.minutes:
            return True
        wall = datetime.fromtimestamp(now, self.clock)
        day, minute = wall.weekday(), wall.hour * 60 + wall.minute
        return any(
            (day == opened and first <= minute < end)
            or (day == (opened + 1) % 7 and minute < end - _DAY_MINUTES)  # begun the evening before
            for opened, first, end in self.minutes
        )

    def is_from(self, address: Address) -> bool:
        """Say whether an address lies within the networks."""
        if not self.networks or address is Place.INSIDE:
            return True
        found = _parsed(address)
        return found is not None and any(found in network for network in self.networks)

    def text(self) -> str:
        """The one form in which the terms are stored."""
        hours = [{"days": list(span.days), "opens": span.opens, "shuts": span.shuts} for span in self.spans]
        said = {"hours": hours, "networks": list(map(str, self.networks)), "salt": self.salt, "zone": self.zone}
        return json.dumps(said, sort_keys=True, separators=(",", ":"))


class Bound(NamedTuple):
    """Terms and when they bind: UTC seconds, half-open."""

    terms: Terms
    since: int
    until: int


# Making and reading -------------------------------------------------------------------------------------------------


def make(spans: Sequence[Span], zone: str, networks: Sequence[str], salt: str) -> Terms:
    """Check what was said and put it into its one form.

    Args:
        zone: IANA name.
        networks: prefixes, such as ``203.0.113.0/24``.
        salt: 32 hexadecimal digits.

    Raises:
        BadInputError: a word, time, zone or network is not of its form, or nothing was said.
    """
    if not spans and not networks:
        raise _bad("hours", "name hours, networks, or both.")
    if len(spans) > MOST_SPANS or len(networks) > MOST_NETWORKS:
        raise _bad("hours", f"at most {MOST_SPANS} spans of hours and {MOST_NETWORKS} networks.")
    if not _SALT.fullmatch(salt):
        raise ValueError("a salt is 32 hexadecimal digits")
    ordered = tuple(sorted({_span(span) for span in spans}, key=lambda span: (_minutes(span), span.shuts)))
    minutes = tuple(each for span in ordered for each in _minutes(span))
    return Terms(ordered, zone, _networks(networks), salt, _clock(zone), minutes)


@lru_cache(maxsize=1024)
def read(text: str) -> Terms:
    """Read terms as they are stored. A decision reads them each time, so what was read is remembered by its text.

    Raises:
        ValueError: it is not the one form of any terms.
    """
    try:
        said = json.loads(text)
        spans = [Span(tuple(hours["days"]), hours["opens"], hours["shuts"]) for hours in said["hours"]]
        terms = make(spans, said["zone"], said["networks"], said["salt"])
    except (BadInputError, ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise ValueError("no terms") from error
    if terms.text() != text:
        raise ValueError("not in their one form")
    return terms


def readable(text: str) -> Terms | None:
    """Read terms for showing them; None where they cannot be read."""
    try:
        return read(text)
    except (ValueError, OSError):
        return None


def all_open(texts: str, now: int, address: Address) -> bool:
    """Say whether every one of several schedules, as a query joins their texts, is open; what cannot be read is not."""
    try:
        return all(read(text).is_open(now, address) for text in texts.split(SEPARATOR))
    except (ValueError, OSError):  # OSError: the zone's file cannot be read
        return False


def known_zones() -> set[str]:
    """The zones that this machine knows. Slow: looks through its files."""
    return available_timezones()


def _span(span: Span) -> Span:
    days = tuple(day for day in DAYS if day in span.days)
    if not days or len(days) != len(span.days):
        raise _bad("hours", f"days: name each day once, of {', '.join(DAYS)}.")
    if not all(_CLOCK.fullmatch(clock) for clock in (span.opens, span.shuts)):
        raise _bad("hours", "opens, shuts: send times such as 09:00; shuts may be 24:00.")
    if span.opens in ("24:00", span.shuts):
        raise _bad("hours", "opens, shuts: send two times that differ; a whole day is 00:00 to 24:00.")
    return Span(days, span.opens, span.shuts)


def _minutes(span: Span) -> tuple[tuple[int, int, int], ...]:
    first, end = _minute(span.opens), _minute(span.shuts)
    end = end if end > first else end + _DAY_MINUTES
    return tuple((DAYS.index(day), first, end) for day in span.days)


def _minute(clock: str) -> int:
    hour, _, minute = clock.partition(":")
    return int(hour) * 60 + int(minute)


def _clock(name: str) -> ZoneInfo:
    try:
        return ZoneInfo(name)
    except (ValueError, TypeError, OSError, KeyError):  # KeyError: no such zone; the others: not even a zone's name
        raise _bad("zone", "name an IANA time zone, such as America/New_York.") from None


def _networks(named: Iterable[str]) -> tuple[Network, ...]:
    found = {_network(text) for text in named}
    return tuple(sorted(found, key=lambda network: (network.version, int(network.network_address), network.prefixlen)))


def _network(text: str) -> Network:
    try:
        network = ip_network(text if "%" not in text else "")  # no link of one machine
    except ValueError:
        advice = "send prefixes without host bits, such as 203.0.113.0/24 or 2001:db8::/32."
        raise _bad("networks", advice) from None
    if isinstance(network, IPv6Network) and network.network_address.ipv4_mapped is not None:
        raise _bad("networks", "send an IPv4 prefix as such, not mapped into IPv6.")
    return network


def _parsed(address: Address) -> IPv4Address | IPv6Address | None:
    """The address, without the zone of a link and with IPv4 in IPv6 taken out; None where it is none."""
    try:
        found = ip_address(str(address).partition("%")[0])
    except ValueError:
        return None
    return found if isinstance(found, IPv4Address) else found.ipv4_mapped or found


def _bad(field: str, sentence: str) -> BadInputError:
    return BadInputError(f"{field}: {sentence}", extra={"field": field})


# Looking ahead ------------------------------------------------------------------------------------------------------


def next_opening(bound: Sequence[Bound], now: int, end: int) -> int | None:
    """Return the first second from `now` on, and before `end`, at which every schedule then in force has open hours.

    None where there is none. From where is not asked: which network somebody will be in nobody knows.
    """
    # Doors open at the beginning of hours, where the clock jumps into them, or where a schedule ends: at no other time.
    changes = {
        now,
        *(each.until for each in bound),
        *(at for each in bound for at in _beginnings(each.terms, now, end)),
    }
    return next((at for at in sorted(changes) if now <= at < end and _are_open(bound, at)), None)


def _are_open(bound: Sequence[Bound], at: int) -> bool:
    return all(each.terms.is_hour(at) for each in bound if each.since <= at < each.until)


def _beginnings(terms: Terms, now: int, end: int) -> Iterator[int]:
    if not terms.spans:
        return
    zone = terms.clock
    day: date = datetime.fromtimestamp(now, zone).date()
    last = datetime.fromtimestamp(end, zone).date()
    while day <= last:
        for opened, first, _ in terms.minutes:
            if opened == day.weekday():
                wall = datetime(day.year, day.month, day.day, *divmod(first, 60), tzinfo=zone)
                # The clock may show it twice; where it never shows it, the jump below is when it opens.
                yield from (int(wall.replace(fold=fold).timestamp()) for fold in (0, 1))
        day += timedelta(days=1)
    for at in range(now, end, _DAY_S):
        if _offset(zone, at) != _offset(zone, at + _DAY_S):
            yield _jump(zone, at, at + _DAY_S)


def _offset(zone: ZoneInfo, at: int) -> timedelta | None:
    return datetime.fromtimestamp(at, UTC).astimezone(zone).utcoffset()


def _jump(zone: ZoneInfo, before: int, after: int) -> int:
    """The first second with the later offset, of two moments between which it changes once."""
    old = _offset(zone, before)
    while after - before > 1:
        middle = (before + after) // 2
        before, after = (middle, after) if _offset(zone, middle) == old else (before, middle)
    return after


def shown(terms: Terms) -> dict[str, Any]:
    """The terms as an entry tells them: hours and zone in words, of networks only how many."""
    hours = [f"{' '.join(span.days)} {span.opens}-{span.shuts}" for span in terms.spans]
    return {"hours": hours, "zone": terms.zone, "networks": len(terms.networks)}

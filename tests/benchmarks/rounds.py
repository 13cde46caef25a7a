"""How two things are compared on a machine that is never quiet."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum
from typing import Final

ROUNDS: Final = 7

Measure = Callable[[], float]


class Better(Enum):
    """Which of two figures is the better one."""

    MORE = "more"  # rates
    LESS = "less"  # times


@dataclass(frozen=True, slots=True)
class Measured:
    """One row's figures, both of the same round."""

    ours: float
    peer: float
    unit: str
    ratio: float
    rss_mib: float | None = None


def ratio_of(ours: float, peer: float, better: Better) -> float:
    """How good ours is beside the peer: 2.0 is twice as good."""
    return ours / peer if better is Better.MORE else peer / ours


def by_turns(ours: Measure, peer: Measure, unit: str, better: Better, rounds: int = ROUNDS) -> Measured:
    """Measure both once unheard (caches fill, code is loaded), then by turns, changing who is first.

    Returns:
        The round with the median ratio.
    """
    ours(), peer()
    found: list[Measured] = []
    for number in range(rounds):
        if number % 2:
            other, own = peer(), ours()
        else:
            own, other = ours(), peer()
        found.append(Measured(own, other, unit, ratio_of(own, other, better)))
    return sorted(found, key=lambda one: one.ratio)[len(found) // 2]

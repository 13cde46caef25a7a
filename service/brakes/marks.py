"""The marks of an engagement, and what follows from them and a load: how long a body waits, whether it is too much.

Rules kept here:

* a delay grows from `LEAST_DELAY_S` to `MOST_DELAY_S` on the way from the lower mark to the higher, by whichever of
  documents and bytes is nearer to its end; below the lower marks there is none;
* who would go over a higher mark is suspended.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, Final, NamedTuple

MIB: Final = 1024 * 1024
WINDOW_MINUTES: Final = 60
LEAST_DELAY_S: Final = 1.0
MOST_DELAY_S: Final = 20.0
MOST_DOCUMENTS: Final = 1_000_000
MOST_BYTES: Final = 1 << 50

MARKS: Final[Mapping[str, int]] = MappingProxyType(
    {"slow_documents": 60, "slow_bytes": 1024 * MIB, "stop_documents": 200, "stop_bytes": 4096 * MIB}
)
"""What an engagement begins with. These numbers stay: logs of before the brakes are replayed with them."""

NOT_BRAKED: Final[Mapping[str, None]] = MappingProxyType(
    {"braked_at": None, "braked_documents": None, "braked_bytes": None, "contained_at": None}
)
"""What the row of a membership says that neither the brake nor a containment of its person has suspended."""


class Marks(NamedTuple):
    """From how many documents, or bytes, within an hour a member is slowed; over how many he is suspended."""

    slow_documents: int
    slow_bytes: int
    stop_documents: int
    stop_bytes: int


class Load(NamedTuple):
    """What a member opened within an hour, with what he is about to open."""

    documents: int  # each revision once an hour
    size_bytes: int


def is_too_much(load: Load, marks: Marks) -> bool:
    """Say whether a member is to be suspended."""
    return load.documents > marks.stop_documents or load.size_bytes > marks.stop_bytes


def delay_s(load: Load, marks: Marks) -> float:
    """Return how long a body waits before its first byte, in seconds; 0 below the lower marks."""
    if load.documents <= marks.slow_documents and load.size_bytes <= marks.slow_bytes:
        return 0.0
    way = max(
        _way(load.documents, marks.slow_documents, marks.stop_documents),
        _way(load.size_bytes, marks.slow_bytes, marks.stop_bytes),
    )
    return LEAST_DELAY_S + (MOST_DELAY_S - LEAST_DELAY_S) * way


def _way(found: int, slow: int, stop: int) -> float:
    """How far somebody is from the lower mark to the higher, from 0 to 1."""
    return min(1.0, max(0, found - slow) / max(1, stop - slow))


class Brake(NamedTuple):
    """What a member had opened within an hour when the brake suspended him."""

    at: int  # UTC seconds
    documents: int
    size_bytes: int


def brake_of(row: Any) -> Brake | None:
    """Read a membership's row: None unless it was the brake that suspended him, and nobody has resumed him since."""
    return None if row.braked_at is None else Brake(row.braked_at, row.braked_documents, row.braked_bytes)

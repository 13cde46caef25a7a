"""Opaque ids: a three-letter kind, an underscore and 32 hexadecimal digits of a UUIDv7.

An id says what kind of thing it names and when it was made, never what it is called. It is no secret and opens
nothing: whether somebody may know that the thing exists is decided on each request.

Source: RFC 9562, section 5.7 (UUID version 7).
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Final

KINDS: Final = frozenset(
    {
        *(
            "acr",
            "agr",
            "ask",
            "aut",
            "bak",
            "blb",
            "blk",
            "crt",
            "doc",
            "dsc",
            "dsp",
            "dut",
            "emg",
            "eng",
            "frm",
            "grt",
        ),
        *("hld", "key", "log", "mem", "mov", "msd", "mtr", "onc", "pce", "per", "prt", "req", "rev", "sby"),
        *("sch", "sea", "sgn", "sig", "stn", "sub", "tok", "tsk", "upl", "ver", "vnd", "wal"),
    }
)
_SHAPE: Final = re.compile(r"\A([a-z]{3})_[0-9a-f]{32}\Z")

Random = Callable[[int], bytes]


def new_id(kind: str, now_ms: int, random: Random) -> str:
    """Make a new id.

    Args:
        kind: one of `KINDS`.
        now_ms: UTC milliseconds, 48 bits.
        random: returns that many random bytes (`os.urandom` in the running service).

    Returns: 36 characters, sortable by time of making within a kind.
    """
    if kind not in KINDS:
        raise ValueError(kind)
    tail = int.from_bytes(random(10), "big")
    rand_a, rand_b = (tail >> 62) & 0xFFF, tail & ((1 << 62) - 1)
    value = (now_ms & ((1 << 48) - 1)) << 80 | 0x7 << 76 | rand_a << 64 | 0b10 << 62 | rand_b
    return f"{kind}_{value:032x}"


def is_id(text: str, kind: str) -> bool:
    """Say whether ``text`` has the shape of an id of this kind (nothing about whether such a thing exists)."""
    match = _SHAPE.match(text)
    return match is not None and match[1] == kind


def made_ms(text: str) -> int:
    """When an id was made, in UTC milliseconds of the clock that made it."""
    return int(text.partition("_")[2], 16) >> 80

"""Brakes: how much a vendor's member may open within an hour before he is slowed, then suspended."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

MIB: Final = 1024 * 1024
MARKS: Final[Mapping[str, int]] = MappingProxyType(
    {"slow_documents": 60, "slow_bytes": 1024 * MIB, "stop_documents": 200, "stop_bytes": 4096 * MIB}
)
"""What an engagement begins with."""

NOT_BRAKED: Final[Mapping[str, None]] = MappingProxyType(
    {"braked_at": None, "braked_documents": None, "braked_bytes": None}
)
"""What the row of a membership says that no brake has suspended."""

"""Findings: what the doctor says. They name ids and say what to do; they never name titles or people."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Severity(StrEnum):
    """How bad a finding is."""

    BROKEN = "broken"  # a promise is not kept: stop and mend
    WARNING = "warning"  # something is left over, or soon in the way


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that is not as it should be."""

    severity: Severity
    code: str
    sentence: str
    ids: tuple[str, ...] = ()

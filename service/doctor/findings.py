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
    """One thing that is not as it should be.

    Args:
        ids: what it is about.
        differs: where a row and the log differ: a column and both values; ids, words and numbers only.
        entry: the entry that says otherwise, ``log:index``; empty where no entry speaks of the row.
        log_id: whose rows they are, where they are one firm's.
        engagements: those that are to be blocked until it is mended (`service.doctor.block`).
        memberships: those for the whole house that are to be suspended until then.
    """

    severity: Severity
    code: str
    sentence: str
    ids: tuple[str, ...] = ()
    differs: tuple[str, ...] = ()
    entry: str = ""
    log_id: str = ""
    engagements: tuple[str, ...] = ()
    memberships: tuple[str, ...] = ()

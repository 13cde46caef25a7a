"""What the log says of brakes and suspensions: marks, and who is shut out. See `service.doctor.events`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from service.brakes.marks import MARKS, NOT_BRAKED
from service.doctor.scratch import Entry, Scratch


def first_marks(data: Mapping[str, Any]) -> dict[str, int]:
    """The marks that an engagement began with; before there were brakes, those that it got with them."""
    return {name: data.get(name, mark) for name, mark in MARKS.items()}


def brakes_set(scratch: Scratch, entry: Entry, data: Mapping[str, Any], subjects: Mapping[str, str]) -> None:
    """Take over what the act changed; what it only repeated from the row is not believed."""
    changed = {name: data[name] for name in MARKS if data[name] != data[f"{name}_before"]}
    scratch.change("engagement", subjects["engagement"], entry["index"], **changed)


def member_braked(scratch: Scratch, entry: Entry, data: Mapping[str, Any], subjects: Mapping[str, str]) -> None:
    """The service suspended him, by the figures that the row tells his attorney."""
    figures = {"braked_documents": data["documents"], "braked_bytes": data["bytes"]}
    at = {"braked_at": entry["time"] // 1000}
    scratch.change("membership", subjects["membership"], entry["index"], suspended=1, **at, **figures)


def member_suspended(scratch: Scratch, entry: Entry, data: Mapping[str, Any], subjects: Mapping[str, str]) -> None:
    """Somebody suspended him: this membership, or the person in all that he has."""
    contained_at = entry["time"] // 1000 if data.get("contained") else None
    scratch.change("membership", subjects["membership"], entry["index"], suspended=1, contained_at=contained_at)


def member_resumed(scratch: Scratch, entry: Entry, _data: Mapping[str, Any], subjects: Mapping[str, str]) -> None:
    """He is as if nobody and nothing had suspended him."""
    scratch.change("membership", subjects["membership"], entry["index"], suspended=0, **NOT_BRAKED)

"""What the log says of brakes: the marks of an engagement. See `service.doctor.events`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from service.brakes.marks import MARKS
from service.doctor.scratch import Entry, Scratch


def first_marks(data: Mapping[str, Any]) -> dict[str, int]:
    """The marks that an engagement began with; before there were brakes, those that it got with them."""
    return {name: data.get(name, mark) for name, mark in MARKS.items()}


def brakes_set(scratch: Scratch, entry: Entry, data: Mapping[str, Any], subjects: Mapping[str, str]) -> None:
    """Take over what the act changed; what it only repeated from the row is not believed."""
    changed = {name: data[name] for name in MARKS if data[name] != data[f"{name}_before"]}
    scratch.change("engagement", subjects["engagement"], entry["index"], **changed)

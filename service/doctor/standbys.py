"""What the log says of standby shares. See `service.doctor.events`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from service.db.models import FOREVER
from service.doctor.scratch import Entry, Said, Scratch
from service.scoping.actions import Ability


def sealed(scratch: Scratch, entry: Entry, data: Mapping[str, Any], subjects: Mapping[str, str]) -> None:
    """An attorney sealed it ahead."""
    terms = {
        "engagement_id": subjects["engagement"],
        "membership_id": subjects["membership"],
        "part_id": subjects["part"],
        "documents": " ".join(data["documents"]),
        "abilities": sum(int(Ability[word.upper()]) for word in data["abilities"]),
        "lasts_s": data["lasts_s"],
        "valid_until": data["valid_until"],
        "sealed_by": entry["actor"]["membership"],
        "ended_at": FOREVER,
        "opened_at": None,
        "closes_at": None,
    }
    scratch.add("standby", Said(subjects["standby"], "", terms, entry["index"]))


def opened(scratch: Scratch, entry: Entry, data: Mapping[str, Any], subjects: Mapping[str, str]) -> None:
    """The member opened it."""
    times = {name: data[name] for name in ("opened_at", "closes_at")}
    scratch.change("standby", subjects["standby"], entry["index"], **times)


def ended(scratch: Scratch, entry: Entry, data: Mapping[str, Any], subjects: Mapping[str, str]) -> None:
    """It was withdrawn, or closed before its time."""
    scratch.change("standby", subjects["standby"], entry["index"], ended_at=data["ended_at"])

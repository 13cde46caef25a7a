"""What events say of standing shares; the grants that they made are said of one by one."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from service.db.models import FOREVER
from service.doctor.scratch import Entry, Said, Scratch
from service.scoping.actions import Ability


def standing_created(scratch: Scratch, entry: Entry, data: Mapping[str, Any], subjects: Mapping[str, str]) -> None:
    """A standing share is as it was made; whose word it is stands as the entry's actor."""
    terms = {
        "engagement_id": subjects["engagement"],
        "part_id": subjects["part"],
        "membership_id": subjects.get("membership"),
        "role": data.get("role"),
        "labels": " ".join(data["labels"]),
        "sensitivity": data["sensitivity"],
        "abilities": int(sum(Ability.__members__.get(word.upper(), 0) for word in data["abilities"])),
        "not_before": data["not_before"],
        "not_after": data["not_after"],
        "ended_at": FOREVER,
        "made_by": entry["actor"]["membership"],
    }
    scratch.add("standing_share", Said(subjects["standing"], "", terms, entry["index"]))


def standing_ended(scratch: Scratch, entry: Entry, data: Mapping[str, Any], subjects: Mapping[str, str]) -> None:
    """Of it only its end is written later."""
    scratch.change("standing_share", subjects["standing"], entry["index"], ended_at=data["ended_at"])

"""What the log says of matters that decides: demands, walls, holds, emergencies. See `service.doctor.events`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from service.doctor.duties import bits
from service.doctor.scratch import Entry, Said, Scratch


def wall_raised(scratch: Scratch, entry: Entry, data: Mapping[str, Any], subjects: Mapping[str, str]) -> None:
    """A wall between a person and a matter."""
    terms = {"person_id": subjects["person"], "matter_id": subjects["matter"], **data}
    scratch.add("wall", Said(subjects["wall"], subjects["matter"], terms, entry["index"]))


def wall_lifted(scratch: Scratch, entry: Entry, data: Mapping[str, Any], subjects: Mapping[str, str]) -> None:
    """It stands no more."""
    scratch.change("wall", subjects["wall"], entry["index"], lifted_at=data["lifted_at"])


def hold_placed(scratch: Scratch, entry: Entry, data: Mapping[str, Any], subjects: Mapping[str, str]) -> None:
    """A legal hold on a matter."""
    scratch.add("hold", Said(subjects["hold"], "", {"matter_id": subjects["matter"], **data}, entry["index"]))


def hold_lifted(scratch: Scratch, entry: Entry, data: Mapping[str, Any], subjects: Mapping[str, str]) -> None:
    """It is in force no more."""
    scratch.change("hold", subjects["hold"], entry["index"], lifted_at=data["lifted_at"])


def emergency_declared(scratch: Scratch, entry: Entry, data: Mapping[str, Any], subjects: Mapping[str, str]) -> None:
    """A matter that an attorney opened in an emergency."""
    terms = {"membership_id": subjects["membership"], "person_id": subjects["person"], "matter_id": subjects["matter"]}
    scratch.add("emergency", Said(subjects["emergency"], subjects["matter"], {**terms, **data}, entry["index"]))


def emergency_ended(scratch: Scratch, entry: Entry, data: Mapping[str, Any], subjects: Mapping[str, str]) -> None:
    """It was ended before its time."""
    scratch.change("emergency", subjects["emergency"], entry["index"], ended_at=data["ended_at"])


def emergency_reviewed(scratch: Scratch, entry: Entry, data: Mapping[str, Any], subjects: Mapping[str, str]) -> None:
    """Somebody else said whether it was one."""
    scratch.change("emergency", subjects["emergency"], entry["index"], **data)


def matter_created(scratch: Scratch, entry: Entry, data: Mapping[str, Any], subjects: Mapping[str, str]) -> None:
    """A matter and what it demands; before matters could demand anything, nothing was said of it."""
    scratch.add("matter", Said(subjects["matter"], "", {"owed": bits(data.get("owed", ()))}, entry["index"]))


def matter_changed(scratch: Scratch, entry: Entry, data: Mapping[str, Any], subjects: Mapping[str, str]) -> None:
    """It demands other duties; what the act only repeated from the row is not believed."""
    if data["owed"] != data["owed_before"]:
        scratch.change("matter", subjects["matter"], entry["index"], owed=bits(data["owed"]))

"""What the log says of duties: signed, recorded, waived, ended by hand or a newer text. See `service.doctor.events`."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from service.doctor.scratch import Entry, Said, Scratch
from service.scoping.actions import Duty


def bits(words: Iterable[str]) -> int:
    """The bits of duties that an entry names."""
    return sum(int(Duty[word.upper()]) for word in words)


def signed(scratch: Scratch, entry: Entry, data: Mapping[str, Any], subjects: Mapping[str, str]) -> None:
    """A signature put a duty in force."""
    terms = {
        "kind": bits([data["duty"]]),
        "subject_id": subjects["person"],
        "engagement_id": subjects["engagement"],
        "evidence_id": subjects["signature"],
        "evidence_sha256": data["sha256"],
        "valid_from": data["valid_from"],
        "valid_until": data["valid_until"],
        "waived": None,
    }
    scratch.add("duty", Said(subjects["duty"], subjects["agreement"], terms, entry["index"]))


def published(scratch: Scratch, entry: Entry, data: Mapping[str, Any], subjects: Mapping[str, str]) -> None:
    """A newer text ends what was signed before, where it bites."""
    for said in scratch.at("duty", subjects["agreement"]):
        if said.terms["valid_until"] > data["bites_at"]:
            scratch.change("duty", said.id, entry["index"], valid_until=data["bites_at"])


def recorded(scratch: Scratch, entry: Entry, data: Mapping[str, Any], subjects: Mapping[str, str]) -> None:
    """The firm recorded evidence."""
    _written(scratch, entry, data, subjects, waived=None)


def waived(scratch: Scratch, entry: Entry, data: Mapping[str, Any], subjects: Mapping[str, str]) -> None:
    """The firm waived it for a while."""
    _written(scratch, entry, data, subjects, waived=1)


def ended(scratch: Scratch, entry: Entry, data: Mapping[str, Any], subjects: Mapping[str, str]) -> None:
    """It counts no more."""
    scratch.change("duty", subjects["duty"], entry["index"], valid_until=data["valid_until"])


def _written(
    scratch: Scratch, entry: Entry, data: Mapping[str, Any], subjects: Mapping[str, str], *, waived: int | None
) -> None:
    terms = {
        "kind": bits([data["duty"]]),
        "subject_id": subjects.get("person") or subjects.get("matter") or subjects["vendor"],
        "engagement_id": subjects["engagement"],
        "evidence_id": subjects["duty"],
        "evidence_sha256": entry["payload"],
        "valid_from": data["valid_from"],
        "valid_until": data["valid_until"],
        "waived": waived,
    }
    scratch.add("duty", Said(subjects["duty"], "", terms, entry["index"]))

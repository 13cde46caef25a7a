"""What the log says of misdirections, and of titles that reviewers were told. See `service.doctor.events`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from service.db.models import FOREVER
from service.doctor.scratch import Entry, Said, Scratch
from service.events import EventType


def _misdirected(scratch: Scratch, entry: Entry, data: Mapping[str, Any], subjects: Mapping[str, str]) -> None:
    """A member said that a paper was not meant for him: it is closed to him."""
    terms = {
        "engagement_id": subjects["engagement"],
        "document_id": subjects["document"],
        "membership_id": subjects["membership"],
        "person_id": subjects["person"],
        "said_at": data["said_at"],
        "closed_until": FOREVER,
        "acknowledged_by": None,
        "acknowledged_at": None,
    }
    scratch.add("misdirection", Said(subjects["misdirection"], "", terms, entry["index"]))


def _acknowledged(scratch: Scratch, entry: Entry, data: Mapping[str, Any], subjects: Mapping[str, str]) -> None:
    """An attorney has seen it, and may have said that it was meant for him."""
    terms = {name: data[name] for name in ("acknowledged_at", "closed_until")}
    by = entry["actor"]["membership"]
    scratch.change("misdirection", subjects["misdirection"], entry["index"], acknowledged_by=by, **terms)


def _disclosed(scratch: Scratch, entry: Entry, data: Mapping[str, Any], subjects: Mapping[str, str]) -> None:
    """An attorney opened the title of a paper to a reviewer."""
    terms = {
        "engagement_id": subjects["engagement"],
        "document_id": subjects["document"],
        "membership_id": subjects["membership"],
        "not_before": data["not_before"],
        "not_after": data["not_after"],
        "ended_at": FOREVER,
        "made_by": entry["actor"]["membership"],
    }
    scratch.add("disclosure", Said(subjects["disclosure"], "", terms, entry["index"]))


def _ended(scratch: Scratch, entry: Entry, data: Mapping[str, Any], subjects: Mapping[str, str]) -> None:
    """An attorney ended it before its time."""
    scratch.change("disclosure", subjects["disclosure"], entry["index"], ended_at=data["ended_at"])


APPLY: Final = (
    (EventType.DISCLOSURE_CREATED, _disclosed),
    (EventType.DISCLOSURE_ENDED, _ended),
    (EventType.MISDIRECTION_ACKNOWLEDGED, _acknowledged),
    (EventType.MISDIRECTION_CREATED, _misdirected),
)

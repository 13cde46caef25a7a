"""What the log says of documents that went elsewhere. See `service.doctor.events`.

The two ends of a move are in two entries, often of two engagements, and only the move's id binds them: the first makes
it, the second completes it.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from service.doctor.scratch import Entry, Said, Scratch
from service.events import EventType

_DONE: Final = "done"


def _moved(scratch: Scratch, entry: Entry, _data: Mapping[str, Any], subjects: Mapping[str, str]) -> None:
    """It ended here."""
    if entry["outcome"] != _DONE:
        return
    scratch.change("document", subjects["document"], entry["index"], state="moved")
    terms = {
        "from_document_id": subjects["document"],
        "to_document_id": "",
        "moved_by": entry["actor"].get("membership"),
        "moved_at": entry["time"] // 1000,
    }
    scratch.add("move", Said(subjects["move"], "", terms, entry["index"]))


def _brought(scratch: Scratch, entry: Entry, data: Mapping[str, Any], subjects: Mapping[str, str]) -> None:
    """It began there, confirmed as it was."""
    terms = {
        "engagement_id": subjects["engagement"],
        "part_id": subjects["part"],
        "matter_id": subjects["matter"],
        "label": data["label"],
        "sensitivity": data["sensitivity"],
        "state": "confirmed",
        "revision_id": subjects["revision"],
    }
    scratch.add("document", Said(subjects["document"], subjects["engagement"], terms, entry["index"]))
    scratch.change("move", subjects["move"], entry["index"], to_document_id=subjects["document"])


def _revision_brought(scratch: Scratch, entry: Entry, _data: Mapping[str, Any], subjects: Mapping[str, str]) -> None:
    terms = {"document_id": subjects["document"]}
    scratch.add("revision", Said(subjects["revision"], "", terms, entry["index"]))


APPLY: Final = (
    (EventType.DOCUMENT_BROUGHT, _brought),
    (EventType.DOCUMENT_MOVED, _moved),
    (EventType.REVISION_BROUGHT, _revision_brought),
)

"""Whether what was given was opened meanwhile: by which acts, when, and how many bytes left; from the log alone.

It reads the engagement's entries since the oldest grant asked about, in a snapshot that holds nobody up. An entry of an
opening names member and document, not the grant: where two grants gave the same, both are told of it.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final, NamedTuple

from service.db.session import Tx
from service.events import EventType
from service.usage import NEEDLES, is_opening, newest_first

_OPENING: Final = EventType.DOCUMENT_OPENING.value
_CLOSING: Final = (EventType.DOCUMENT_OPENED.value, EventType.INTENT_ABANDONED.value)
_WANTED: Final = (*NEEDLES, *(f'"type":"{kind}"'.encode() for kind in _CLOSING))


class Opening(NamedTuple):
    """One act on a document by the grant's holder."""

    act: str  # document:view (its card was read), document:text or document:download (bytes were sent)
    at: int  # UTC seconds
    entry: int  # its index in the log
    outcome: str | None  # of bytes: done, aborted, failed, unknown; None: on their way, or none were asked for
    bytes_sent: int | None


def of_grants(tx: Tx, firm_id: str, engagement_id: str, grants: Sequence[Any]) -> dict[str, list[Opening]]:
    """Return what each grant's holder did with its document since it was given, newest first, by the grant's id.

    Args:
        grants: rows with id, membership_id, document_id and granted_at (UTC seconds).
    """
    found: dict[str, list[Opening]] = {row.id: [] for row in grants}
    if not grants:
        return found
    wanted: dict[tuple[str, str], list[Any]] = {}
    for row in grants:
        wanted.setdefault((row.membership_id, row.document_id), []).append(row)
    oldest = min(row.granted_at for row in grants)
    ends: dict[int, tuple[str, int]] = {}  # newest first: how an opening ended is read before it
    for entry in newest_first(tx, firm_id, engagement_id, _WANTED):
        second = entry["time"] // 1000
        if second < oldest:
            break
        if entry["type"] in _CLOSING:
            ends[entry["data"]["of"]] = (entry["outcome"], entry["data"].get("bytes", 0))
        elif is_opening(entry):
            opening = _opening(entry, second, ends)
            key = (entry["actor"].get("membership", ""), entry["subjects"].get("document", ""))
            for row in wanted.get(key, ()):
                if second >= row.granted_at:
                    found[row.id].append(opening)
    return found


def _opening(entry: dict[str, Any], second: int, ends: dict[int, tuple[str, int]]) -> Opening:
    is_sent = entry["type"] == _OPENING
    outcome, sent = ends.get(entry["index"], (None, None)) if is_sent else (None, None)
    return Opening(entry["action"], second, entry["index"], outcome, sent)

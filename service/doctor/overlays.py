"""Overlays: what the log says of them, and those that this version cannot read.

A row that was changed is found by the replay, as every other (`service.doctor.replay`). One that agrees with the log
and still cannot be read (it was saved by another version, with words that this one does not know) shuts its engagement
for the vendor's people: that is told here, so that somebody saves it anew.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final

from sqlalchemy import bindparam, select

from service.db.models import engagements
from service.db.session import Tx
from service.doctor.findings import Finding, Severity
from service.doctor.scratch import Entry, Scratch
from service.errors import PolicyError
from service.scoping.overlays import Overlay

_OVERLAYS: Final = (
    select(engagements.c.id, engagements.c.overlay)
    .where(engagements.c.firm_id == bindparam("firm"), engagements.c.overlay != "")
    .order_by(engagements.c.id)
)


def changed(scratch: Scratch, entry: Entry, data: Mapping[str, Any], subjects: Mapping[str, str]) -> None:
    """How an engagement is stricter than the policy, whole."""
    scratch.change("engagement", subjects["engagement"], entry["index"], overlay="\n".join(data["rows"]))


def unreadable(tx: Tx, log_id: str) -> Iterator[Finding]:
    """Tell the engagements of a firm whose overlay cannot be read, and which are shut by that."""
    ids = tuple(row.id for row in tx.all(_OVERLAYS, firm=log_id) if not _is_readable(row.overlay))
    if ids:
        sentence = "The overlays of these cannot be read, so they are shut for the vendor's people: save them anew."
        yield Finding(Severity.BROKEN, "overlay_unreadable", sentence, ids, log_id=log_id)


def _is_readable(text: str) -> bool:
    try:
        Overlay.stored(text)
    except PolicyError:
        return False
    return True

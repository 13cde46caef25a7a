"""Retired keys: those that a rotation replaced. The log names each, so that none outlives what it opened.

Source: docs/adr/0014-rotation.md.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from typing import Any, Final

from sqlalchemy import bindparam, select

from service.db.models import log_entries
from service.db.session import Tx
from service.events import EventType

_MARKER: Final = b'"key.rotated"'
_OF_ENGAGEMENT = (
    select(log_entries.c.body)
    .where(log_entries.c.log_id == bindparam("log"), log_entries.c.engagement_id == bindparam("engagement"))
    .order_by(log_entries.c.idx)
)


def retired_of(tx: Tx, log_id: str, engagement_id: str) -> tuple[str, ...]:
    """The keys that an engagement and its parts had before, oldest first; they may be destroyed already."""
    return tuple(named_in(tx.all(_OF_ENGAGEMENT, log=log_id, engagement=engagement_id)))


def named_in(rows: Iterable[Any]) -> Iterator[str]:
    """The keys that were replaced, by entries of a log (rows with a body)."""
    for row in rows:
        if _MARKER in bytes(row.body):
            entry = json.loads(row.body)
            if entry["type"] == EventType.KEY_ROTATED:
                yield entry["subjects"]["old_key"]

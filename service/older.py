"""Are these rows older than the world? Asked at every start, of what no restore can take back.

Two things are known outside of the database: checkpoints, which say how large a log has been, and tombstones, which
say what was destroyed. Rows that know less were restored, or set back; whatever was revoked, walled off or destroyed
since would come back with them.

Source: docs/adr/0016-backup.md.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import bindparam, select

from service.checkpoints import anchor_name
from service.db.auditstore import each_log
from service.db.models import disposals, engagements
from service.db.session import EVERY_LOG, Tx
from service.errors import OlderCopyError
from service.services import Services
from service.tombstones import Tombstone, standing

_STATUS: Final = select(engagements.c.status).where(engagements.c.id == bindparam("engagement"))
_STATE: Final = select(disposals.c.state).where(disposals.c.id == bindparam("disposal"))
_BEGUN: Final = frozenset({"destroying", "keys_destroyed", "objects_deleted", "verified", "certified", "reconciled"})


@dataclass(frozen=True, slots=True)
class Older:
    """A log that knows less than what is anchored.

    Args:
        size: entries that it has.
        anchored: size and note of the largest checkpoint of its origin; None where that is not what is missing.
        undone: tombstones of engagements that are not disposed in the rows, with their notes.
    """

    log_id: str
    origin: str
    size: int
    anchored: tuple[int, bytes] | None
    undone: tuple[tuple[Tombstone, bytes], ...]


def older(services: Services) -> list[Older]:
    """Return the logs that know less than what is anchored; empty when nothing was set back.

    Raises:
        UnavailableError: the anchors cannot be reached, so nothing is known.
        UnsafeError: something among the tombstones is none.
    """
    with services.database.read(EVERY_LOG) as tx:
        return [found for log in each_log(tx) if (found := _older(services, tx, log)) is not None]


def refuse_older(services: Services) -> None:
    """Refuse to serve rows that know less than what is anchored.

    Raises:
        OlderCopyError: they do.
    """
    if older(services):
        raise OlderCopyError


def following(origin: str, log_id: str) -> Iterator[str]:
    """Yield the origins that can follow this one, nearest first."""
    number = int(origin.rpartition("/")[2]) if origin != f"muniment/{log_id}" else 1
    while True:
        number += 1
        yield f"muniment/{log_id}/{number}"


def _older(services: Services, tx: Tx, log: Any) -> Older | None:
    anchored = services.anchors.newest(anchor_name(log.origin))
    later = services.anchors.newest(anchor_name(next(following(log.origin, log.id))))
    is_behind = later is not None or (anchored is not None and anchored[0] > log.size)
    undone = tuple(each for each in standing(services, log.id) if _is_undone(tx, each[0])) if log.kind == "firm" else ()
    return Older(log.id, log.origin, log.size, anchored, undone) if is_behind or undone else None


def _is_undone(tx: Tx, stone: Tombstone) -> bool:
    status = tx.value(_STATUS, engagement=stone.engagement_id)
    if status in {None, "disposed"}:
        return False  # None: begun after the copy, so the rows hold nothing of it
    return tx.value(_STATE, disposal=stone.disposal_id) not in _BEGUN

"""A look at the stores beside the rows: what `examine` tells and `repair` puts right, found in one way by both."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from service.blobs.store import LeavesAside
from service.db.session import EVERY_LOG
from service.doctor.blobs import Blobs, compare_blobs, listed
from service.doctor.keys import Keys, compare_keys
from service.doctor.scratch import Scratch
from service.services import Services

GRACE_S: Final = 86_400
"""What belongs to nobody yet may be under way for so long (seconds): far longer than any upload takes between its last
byte and its row, and than clocks of a store and of this machine differ."""


@dataclass(frozen=True, slots=True)
class Seen:
    """What was found; `aside` counts what crashes left half written."""

    blobs: Blobs
    keys: Keys
    aside: int


async def look(services: Services, grace_s: int) -> Seen:
    """Compare blobs and keys with the rows.

    Raises:
        KeyPlaceError, StoreUnavailableError: one of the stores does not answer.
    """
    older_than = services.clock() // 1000 - grace_s
    with Scratch() as scratch:
        await listed(services.blobs, scratch)
        with services.database.read(EVERY_LOG) as tx:
            blobs = compare_blobs(tx, scratch, older_than)
            keys = compare_keys(services, tx, older_than)
    aside = await services.blobs.aside(grace_s) if isinstance(services.blobs, LeavesAside) else 0
    return Seen(blobs, keys, aside)

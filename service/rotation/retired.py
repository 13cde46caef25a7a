"""Destroying what a rotation replaced, once nothing hangs on it.

A retired key is one that the log names as replaced, that no row has and that a place still holds. It dies when no other
key's object hangs on it any more: a part of an engagement that closed in the middle of a rotation keeps the old
engagement key alive until it is moved or destroyed itself.
"""

from __future__ import annotations

import asyncio

from sqlalchemy import bindparam, select, union_all

from service.db.models import engagements, log_entries, logs, parts, people
from service.disposal.retired import named_in
from service.errors import KeyMissingError
from service.services import Services

_LOGS = select(logs.c.id)
_ENTRIES = select(log_entries.c.body).where(log_entries.c.log_id == bindparam("log")).order_by(log_entries.c.idx)
_BELOW = union_all(select(people.c.key_id), select(parts.c.key_id))
_OWNED = union_all(select(logs.c.key_id), select(people.c.key_id), select(engagements.c.key_id), select(parts.c.key_id))


async def destroy_retired(services: Services) -> int:
    """Destroy every retired key on which nothing hangs. Returns how many there were.

    Raises:
        KeyPlaceError: a place did not confirm; run it again.
        SealError: a key object does not open, so what it hangs on is not known.
    """
    found = await asyncio.to_thread(_free, services)
    for key_id in found:
        await asyncio.to_thread(services.keys.destroy, key_id)
    return len(found)


def _free(services: Services) -> list[str]:
    """Retired keys that a place still holds and no key hangs on; blocks."""
    there = services.keys.all_ids()
    with services.database.read() as tx:
        there -= {row.key_id for row in tx.all(_OWNED)}
        if not there:  # the usual case: no log needs to be read
            return []
        retired = [key for log in tx.all(_LOGS) for key in named_in(tx.all(_ENTRIES, log=log.id)) if key in there]
        below = [row.key_id for row in tx.all(_BELOW)] if retired else []
    in_use = {_parent(services, key_id) for key_id in below}
    return [key_id for key_id in retired if key_id not in in_use]


def _parent(services: Services, key_id: str) -> str | None:
    try:
        return services.keys.parent_of(key_id)
    except KeyMissingError:
        return None

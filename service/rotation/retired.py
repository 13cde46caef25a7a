"""Destroying what a rotation replaced, once nothing hangs on it.

A retired key is one that the log names as replaced, that no row has and that a place still holds. It dies when no other
key's object hangs on it any more: a part of an engagement that closed in the middle of a rotation keeps the old
engagement key alive until it is moved or destroyed itself.
"""

from __future__ import annotations

import asyncio

from sqlalchemy import Executable, bindparam, select, union_all

from service.db.auditstore import each_log
from service.db.models import engagements, log_entries, logs, parts, people
from service.db.session import EVERY_LOG, Tx
from service.disposal.retired import named_in
from service.errors import KeyMissingError
from service.services import Services

_ENTRIES = select(log_entries.c.body).where(log_entries.c.log_id == bindparam("log")).order_by(log_entries.c.idx)
_PEOPLE = select(people.c.key_id).where(people.c.firm_id == bindparam("log"))
_PARTS = select(parts.c.key_id).where(parts.c.firm_id == bindparam("log"))
_ENGAGEMENTS = select(engagements.c.key_id).where(engagements.c.firm_id == bindparam("log"))
_BELOW = union_all(_PEOPLE, _PARTS)
_OWNED = union_all(select(logs.c.key_id).where(logs.c.id == bindparam("log")), _PEOPLE, _ENGAGEMENTS, _PARTS)


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
    with services.database.read(EVERY_LOG) as tx:
        there -= _keys(tx, _OWNED)
        if not there:  # the usual case: no log needs to be read
            return []
        named = [key for log in each_log(tx) for key in named_in(tx.all(_ENTRIES, log=log.id))]
        retired = [key for key in named if key in there]
        below = _keys(tx, _BELOW) if retired else set()
    in_use = {_parent(services, key_id) for key_id in below}
    return [key_id for key_id in retired if key_id not in in_use]


def _keys(tx: Tx, statement: Executable) -> set[str]:
    return {row.key_id for log in each_log(tx) for row in tx.all(statement, log=log.id)}


def _parent(services: Services, key_id: str) -> str | None:
    try:
        return services.keys.parent_of(key_id)
    except KeyMissingError:
        return None

"""What the log says: the entries of a world's firm, newest last."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

from sqlalchemy import bindparam, select

from service import firms
from service.db.models import log_entries
from tests.world import Person, World

_ENTRIES = (
    select(log_entries.c.body, log_entries.c.payload_holder)
    .where(log_entries.c.log_id == bindparam("log"))
    .order_by(log_entries.c.idx)
)


def entries(world: World, kind: str | None = None) -> list[dict[str, Any]]:
    """The firm's entries, of one type where that is given; `holder` is added: whose key seals the names beside it."""
    with world.services.database.read(world.firm_id) as tx:
        rows = tx.all(_ENTRIES, log=world.firm_id)
    found = [{**json.loads(row.body), "holder": row.payload_holder} for row in rows]
    return [entry for entry in found if kind is None or entry["type"] == kind]


async def another_firm(world: World) -> World:
    """A second firm in the same installation."""
    founded = await firms.found(world.services, "Reed LLP", "owner@reed.example", "Oscar Owner", "UTC", 300)
    owner = Person(world.http, founded.owner_person_id, founded.owner_membership_id, founded.owner_token.text)
    return replace(world, firm_id=founded.firm_id, owner=owner, verifier_key=founded.verifier_key)

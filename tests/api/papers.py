"""Many papers at once: rows as an attorney's uploads leave them, without the thousand uploads."""

from __future__ import annotations

from typing import Any

from sqlalchemy import bindparam, func, insert, select

from service.crypto import fields
from service.db.ids import new_id
from service.db.models import documents, parts, revisions
from service.door import Holder, field_key
from service.ledger import Moment, Outcome
from tests.world import Engagement

_MODEL = select(documents).where(documents.c.id == bindparam("document"))
_REVISION = select(revisions).where(revisions.c.id == bindparam("revision"))
_PART = select(parts.c.id, parts.c.key_id, parts.c.field_key).where(parts.c.id == bindparam("part"))
_LAST = select(func.max(documents.c.number)).where(documents.c.engagement_id == bindparam("engagement"))
_ADD, _ADD_REVISION = insert(documents), insert(revisions)


async def many_like(engagement: Engagement, document_id: str, count: int) -> list[str]:
    """Write so many copies of a paper's rows, each with a title of its own; they are in the log as nobody's."""
    world = engagement.world
    services = world.services

    def job(tx: Any, _moment: Moment) -> Outcome[list[str]]:
        model = tx.one(_MODEL, document=document_id)
        revision = tx.one(_REVISION, revision=model.revision_id)
        key = field_key(services.keys, Holder(*tx.one(_PART, part=model.part_id)), wait=True)
        last = tx.value(_LAST, engagement=engagement.id)
        rows, contents = [], []
        for number in range(last + 1, last + 1 + count):
            paper, content = (new_id(kind, world.clock(), services.random) for kind in ("doc", "rev"))
            title = fields.seal(key, "documents", "title", paper, f"Paper {number}", services.random)
            rows.append({**model._asdict(), "id": paper, "number": number, "title": title, "revision_id": content})
            contents.append({**revision._asdict(), "id": content, "document_id": paper})
        tx.run_many(_ADD, rows)
        tx.run_many(_ADD_REVISION, contents)
        return Outcome([row["id"] for row in rows])

    return (await services.ledger.submit(world.firm_id, job)).result

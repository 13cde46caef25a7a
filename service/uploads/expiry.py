"""Expiry: resumable uploads that stood still for too long, or whose engagement has ended, and what they left.

Rows go first, and with them the keys of the pieces; then the objects. A crash in between leaves objects without rows,
which nothing opens any more and the doctor names.
"""

from __future__ import annotations

import asyncio
import logging
from typing import Any, Final

from sqlalchemy import bindparam, delete, or_, select

from service import events
from service.db.auditstore import each_log
from service.db.models import engagements, uploads
from service.db.session import EVERY_LOG, Tx
from service.errors import MunimentError
from service.ledger import Moment, Outcome
from service.services import Services
from service.uploads.resumable import delete_quietly, forget_pieces

EVERY_S: Final = 60.0

logger = logging.getLogger(__name__)

_OVER = (
    select(
        uploads.c.id,
        uploads.c.firm_id,
        uploads.c.engagement_id,
        uploads.c.received_bytes,
        uploads.c.expires_at,
        uploads.c.document_id,
    )
    .join_from(uploads, engagements, engagements.c.id == uploads.c.engagement_id)
    .where(uploads.c.firm_id == bindparam("firm"))
    .where(or_(uploads.c.expires_at <= bindparam("now"), engagements.c.status != "running"))
    .order_by(uploads.c.id)
)
_STILL = _OVER.where(uploads.c.id == bindparam("upload"))
_FORGET = delete(uploads).where(uploads.c.id == bindparam("upload"))


async def keep_collecting(services: Services) -> None:
    """Collect each minute, until cancelled: the task of a running server."""
    while True:
        try:
            await collect(services)
        except MunimentError as error:
            logger.warning("uploads could not be collected", extra={"code": error.code})
        await asyncio.sleep(EVERY_S)


async def collect(services: Services) -> int:
    """End every upload that is over and delete its pieces; returns how many there were."""
    now = services.clock() // 1000
    with services.database.read(EVERY_LOG) as tx:
        over = [row for log in each_log(tx) for row in tx.all(_OVER, firm=log.id, now=now)]
    for row in over:
        recorded = await services.ledger.submit(row.firm_id, _ending(row.firm_id, row.id))
        await delete_quietly(services, recorded.result)
    return len(over)


def _ending(firm_id: str, upload_id: str) -> Any:
    def job(tx: Tx, moment: Moment) -> Outcome[tuple[str, ...]]:
        row = tx.one(_STILL, firm=firm_id, upload=upload_id, now=moment.s)
        if row is None:
            return Outcome(())  # it went on meanwhile, or somebody was first
        gone = forget_pieces(tx, upload_id)
        tx.run(_FORGET, upload=upload_id)
        if row.document_id is not None:
            return Outcome(gone)  # its end was recorded when it became a document
        data: events.Data = {"bytes": row.received_bytes, "expired": row.expires_at <= moment.s}
        who = events.system("uploads", {"engagement": row.engagement_id})
        return Outcome(gone, (events.upload_ended(who, upload_id, "aborted", data),))

    return job

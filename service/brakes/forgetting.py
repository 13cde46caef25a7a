"""Counts of the brakes that are older than their hour: deleted, so that nobody's habits are kept beside the log."""

from __future__ import annotations

import asyncio
import logging
from typing import Final

from sqlalchemy import bindparam, delete, exists, select

from service.brakes.marks import WINDOW_MINUTES
from service.db.auditstore import each_log
from service.db.models import openings
from service.db.session import EVERY_LOG, Tx
from service.errors import MunimentError
from service.ledger import Moment, Outcome
from service.services import Services

EVERY_S: Final = 600.0

logger = logging.getLogger(__name__)

_OLD: Final = (openings.c.firm_id == bindparam("firm"), openings.c.minute <= bindparam("until"))
_ANY: Final = select(exists().where(*_OLD).label("found"))
_FORGET: Final = delete(openings).where(*_OLD)


async def keep_forgetting(services: Services) -> None:
    """Forget now and then, until cancelled: a task of a running server."""
    while True:
        try:
            await forget(services)
        except MunimentError as error:
            logger.warning("counts could not be deleted", extra={"code": error.code})
        await asyncio.sleep(EVERY_S)


async def forget(services: Services) -> None:
    """Delete what no decision looks at any more."""
    until = services.clock() // 60_000 - WINDOW_MINUTES
    with services.database.read(EVERY_LOG) as tx:
        firms = [log.id for log in each_log(tx) if tx.value(_ANY, firm=log.id, until=until)]
    for firm_id in firms:

        def job(tx: Tx, _moment: Moment, firm_id: str = firm_id) -> Outcome[None]:
            tx.run(_FORGET, firm=firm_id, until=until)
            return Outcome(None)

        await services.ledger.submit(firm_id, job)

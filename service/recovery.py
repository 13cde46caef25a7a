"""After a crash: every intent gets its outcome, and what was left half done is found.

An intent says that bytes will flow; its outcome says how that went. A process that dies in between leaves a row in
``log_intents`` under its instance name. At the next start each such row becomes an entry ``intent.abandoned`` with the
outcome ``unknown``: nothing is guessed.
"""

from __future__ import annotations

from sqlalchemy import bindparam, select

from service import events
from service.db.auditstore import each_log
from service.db.models import log_intents
from service.db.session import EVERY_LOG, Tx
from service.ledger import Ledger, Moment, Outcome
from service.services import Services

_ORPHANS = select(log_intents.c.log_id, log_intents.c.idx, log_intents.c.engagement_id).where(
    log_intents.c.log_id == bindparam("log"), log_intents.c.instance != bindparam("instance")
)
_STILL = select(log_intents.c.idx).where(
    log_intents.c.log_id == bindparam("log"), log_intents.c.idx == bindparam("idx")
)


def close_intents(services: Services, instance: str) -> int:
    """Give every intent of another, dead process its outcome; returns how many there were.

    On one machine only one process serves at a time (`service.wiring` holds the lock), so every other name is dead.
    """
    with services.database.read(EVERY_LOG) as tx:
        orphans = [orphan for log in each_log(tx) for orphan in tx.all(_ORPHANS, log=log.id, instance=instance)]
    for orphan in orphans:
        _close(services.ledger, orphan.log_id, orphan.idx, orphan.engagement_id)
    return len(orphans)


def _close(ledger: Ledger, log_id: str, index: int, engagement_id: str) -> None:
    def job(tx: Tx, _moment: Moment) -> Outcome[None]:
        if tx.one(_STILL, log=log_id, idx=index) is None:
            return Outcome(None)  # somebody closed it meanwhile
        return Outcome(None, (events.intent_abandoned(index, engagement_id),))

    ledger.run(log_id, job)

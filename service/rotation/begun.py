"""What was begun: a rotation's start and end stand in the deployment's log, so that a run that was cut short goes on.

Without a start that is recorded a second run could not tell the keys that the first one made from those it had not come
to, and would begin anew each time.
"""

from __future__ import annotations

import json
from typing import Final

from sqlalchemy import bindparam, select

from service import events
from service.db.models import log_entries
from service.db.session import EVERY_LOG, Tx
from service.errors import NotInitialisedError
from service.events import EventType
from service.firms import deployment_log
from service.ledger import Moment, Outcome
from service.services import Services

WORD: Final = "cli"
_PAGE: Final = 1_000
_NEWEST = (
    select(log_entries.c.idx, log_entries.c.body)
    .where(log_entries.c.log_id == bindparam("log"), log_entries.c.idx < bindparam("before"))
    .order_by(log_entries.c.idx.desc())
    .limit(_PAGE)
)
_MARKER: Final = b'"key.rotation_'
_BIGGEST: Final = 2**62


async def begin(services: Services, level: str) -> tuple[int, bool]:
    """Record that a level's rotation starts, unless one is under way.

    Returns: the time before which keys are to be replaced (UTC milliseconds), and whether this goes on with a run that
        was cut short.
    """
    started = _unfinished(services, level)
    if started is not None:
        return started, True
    return await _record(services, EventType.KEY_ROTATION_STARTED, level), False


async def finish(services: Services, level: str) -> None:
    """Record that a level's rotation is complete."""
    await _record(services, EventType.KEY_ROTATION_FINISHED, level)


async def _record(services: Services, kind: EventType, level: str) -> int:
    def job(_tx: Tx, moment: Moment) -> Outcome[int]:
        return Outcome(moment.ms, (events.changed(kind, events.system(WORD), data={"level": level}),))

    return (await services.ledger.submit(require_deployment(services), job)).result


def require_deployment(services: Services) -> str:
    """The id of the deployment's log.

    Raises:
        NotInitialisedError: there is none yet.
    """
    with services.database.read(EVERY_LOG) as tx:
        log_id = deployment_log(tx)
    if log_id is None:
        raise NotInitialisedError
    return log_id


def _unfinished(services: Services, level: str) -> int | None:
    """When the newest rotation of this level began, where it has not ended."""
    log_id, before = require_deployment(services), _BIGGEST
    with services.database.read(log_id) as tx:
        while rows := tx.all(_NEWEST, log=log_id, before=before):
            for row in rows:
                if _MARKER in bytes(row.body):
                    entry = json.loads(row.body)
                    if entry["data"]["level"] == level:
                        return int(entry["time"]) if entry["type"] == EventType.KEY_ROTATION_STARTED else None
            before = rows[-1].idx
    return None

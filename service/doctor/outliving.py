"""Grants and asks that outlive the task or the standing share they were made with.

Either ends them in its own transaction and their entries agree with the rows, so that the replay of the log would not
see one that was forgotten: it is a fault of ours, and what it opens is to be shut by hand.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from sqlalchemy import BigInteger, Text, bindparam, or_, select

from service.db.models import asks, grants, standing_shares, tasks
from service.db.session import Tx
from service.doctor.findings import Finding, Severity

_FIRM: Final = bindparam("firm", type_=Text)
_NOW: Final = bindparam("now", type_=BigInteger)
_OVER: Final = or_(tasks.c.state == "accepted", tasks.c.state == "cancelled")
_GRANTS: Final = (
    select(grants.c.id)
    .join_from(grants, tasks, tasks.c.id == grants.c.task_id)
    .where(grants.c.firm_id == _FIRM, _OVER, grants.c.revoked_at > _NOW, grants.c.not_after > _NOW)
    .order_by(grants.c.id)
)
_STANDING: Final = (
    select(grants.c.id)
    .join_from(grants, standing_shares, standing_shares.c.id == grants.c.standing_id)
    .where(
        grants.c.firm_id == _FIRM,
        standing_shares.c.ended_at <= _NOW,
        grants.c.revoked_at > _NOW,
        grants.c.not_after > _NOW,
    )
    .order_by(grants.c.id)
)
_ASKS: Final = (
    select(asks.c.id)
    .join_from(asks, tasks, tasks.c.id == asks.c.task_id)
    .where(asks.c.firm_id == _FIRM, _OVER, asks.c.ended_at > _NOW, asks.c.not_after > _NOW)
    .order_by(asks.c.id)
)


def outliving(tx: Tx, log_id: str, now: int) -> Iterator[Finding]:
    """Tell the grants and asks of a firm that are live although their task or standing share is over.

    Args:
        now: UTC seconds.
    """
    for code, statement, sentence in (
        ("grant_outlives_task", _GRANTS, "The task of these grants is over: revoke them (`muniment grants revoke`)."),
        (
            "grant_outlives_standing_share",
            _STANDING,
            "The standing share of these grants was ended: revoke them (`muniment grants revoke`).",
        ),
        ("ask_outlives_task", _ASKS, "The task of these asks is over: end them (`muniment asks end`)."),
    ):
        ids = tuple(row.id for row in tx.all(statement, firm=log_id, now=now))
        if ids:
            yield Finding(Severity.BROKEN, code, sentence, ids, log_id=log_id)

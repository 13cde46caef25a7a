"""The log against the rows: what rules depend on must be what the events made."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from sqlalchemy import bindparam, select

from service.db.models import FOREVER, grants, log_entries, logs
from service.db.session import Tx
from service.doctor.findings import Finding, Severity
from service.events import EventType
from service.scoping.actions import Ability, words_of

_LOGS = select(logs.c.id, logs.c.size)
_GRANTS = select(
    grants.c.id,
    grants.c.membership_id,
    grants.c.document_id,
    grants.c.abilities,
    grants.c.not_before,
    grants.c.not_after,
    grants.c.revoked_at,
).where(grants.c.firm_id == bindparam("firm"))
_EVENTS = (
    select(log_entries.c.body)
    .where(log_entries.c.log_id == bindparam("log"), log_entries.c.engagement_id != "")
    .order_by(log_entries.c.idx)
)


def forged_grants(tx: Tx) -> Iterator[Finding]:
    """Grants whose row is not what the log says was granted."""
    for log in tx.all(_LOGS):
        granted, revoked = {}, {}
        for row in tx.all(_EVENTS, log=log.id):
            entry = json.loads(row.body)
            if entry["type"] == EventType.GRANT_CREATED:
                granted[entry["subjects"]["grant"]] = entry
            elif entry["type"] == EventType.GRANT_REVOKED:
                revoked[entry["subjects"]["grant"]] = entry["data"]["revoked_at"]
        forged = tuple(
            row.id
            for row in tx.all(_GRANTS, firm=log.id)
            if row.revoked_at != revoked.get(row.id, FOREVER) or not _matches(row, granted.get(row.id))
        )
        if forged:
            yield Finding(Severity.BROKEN, "grant_forged", "Rows of grants that the log does not know.", forged)


def _matches(row: Any, entry: Any) -> bool:
    if entry is None:
        return False
    data, subjects = entry.get("data", {}), entry["subjects"]
    return bool(
        subjects.get("document") == row.document_id
        and subjects.get("membership") == row.membership_id
        and data.get("not_before") == row.not_before
        and data.get("not_after") == row.not_after
        and data.get("abilities") == list(words_of(Ability(row.abilities)))
    )

"""Keys and their owners: keys that are gone, in all places or in some, and keys that nobody owns."""

from __future__ import annotations

from collections.abc import Iterator

from sqlalchemy import select, union_all

from service.db.models import engagements, firms, logs, parts, people
from service.db.session import Tx
from service.doctor.findings import Finding, Severity
from service.services import Services

_KEYS = union_all(
    select(logs.c.key_id, logs.c.id),
    select(firms.c.key_id, firms.c.id),
    select(people.c.key_id, people.c.id),
    select(engagements.c.key_id, engagements.c.id).where(engagements.c.status != "disposed"),
    select(parts.c.key_id, parts.c.id)
    .join_from(parts, engagements, engagements.c.id == parts.c.engagement_id)
    .where(engagements.c.status != "disposed"),
)


def compare_keys(services: Services, tx: Tx) -> Iterator[Finding]:
    """Compare the owners of keys with what the key places hold."""
    owners = {row.key_id: row.id for row in tx.all(_KEYS)}
    lost, half = [], []
    for key_id, owner in owners.items():
        answers = services.keys.exists(key_id).values()
        if not any(answers):
            lost.append(owner)
        elif not all(answers):
            half.append(owner)
    if lost:
        yield Finding(Severity.BROKEN, "key_missing", "No key place holds the keys of these: restore one.", tuple(lost))
    if half:
        yield Finding(Severity.BROKEN, "key_place_behind", "A key place lacks keys of these: copy them.", tuple(half))
    stray = tuple(sorted(services.keys.all_ids() - owners.keys()))
    if stray:
        yield Finding(Severity.WARNING, "key_without_owner", "Keys that open nothing: delete them.", stray)

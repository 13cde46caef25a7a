"""Keys and their owners: keys that are gone, in all places or in some, and keys that nobody owns.

Every table that has a column ``key_id`` owns keys; a table that comes later cannot be forgotten here. The keys of an
engagement whose destruction has begun are neither missed nor copied: a copy would bring back what is being erased.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import ColumnElement, Select, Text, and_, bindparam, exists, literal, or_, select, union_all

from service.db.auditstore import each_log
from service.db.models import disposals, engagements, firms, logs, metadata, parts, people
from service.db.session import Tx
from service.doctor.findings import Finding, Severity
from service.door import Holder, field_key
from service.errors import KeyMissingError, SealError
from service.services import Services

_TIME_DIGITS: Final = slice(4, 16)  # of an id: when it was made, 48 bits of UTC milliseconds
_DYING: Final = exists().where(
    disposals.c.engagement_id == engagements.c.id,
    or_(*(disposals.c.state == state for state in ("destroying", "keys_destroyed", "objects_deleted", "verified"))),
)
_OWNED: Final = and_(engagements.c.status != "disposed", ~_DYING)
_RUNNING: Final = and_(_OWNED, engagements.c.status == "running")


_FIRM: Final = bindparam("firm", type_=Text)


def _owners(of_house: ColumnElement[bool], of_engagement: ColumnElement[bool]) -> Any:
    """Keys with their owners and the log that tells of them; those of engagements by a condition of their own."""
    in_engagement = parts.join(engagements, engagements.c.id == parts.c.engagement_id)
    return union_all(
        select(logs.c.key_id, logs.c.id.label("owner_id"), logs.c.id.label("log_id")).where(
            logs.c.id == _FIRM, of_house
        ),
        select(firms.c.key_id, firms.c.id, firms.c.id).where(firms.c.id == _FIRM, of_house),
        select(people.c.key_id, people.c.id, people.c.firm_id).where(people.c.firm_id == _FIRM, of_house),
        select(engagements.c.key_id, engagements.c.id, engagements.c.firm_id).where(
            engagements.c.firm_id == _FIRM, of_engagement
        ),
        select(parts.c.key_id, parts.c.id, parts.c.firm_id)
        .select_from(in_engagement)
        .where(parts.c.firm_id == _FIRM, of_engagement),
    )


_LIVING: Final = _owners(literal(1) == 1, _OWNED)
_DYING_KEYS: Final = _owners(literal(1) == 0, _DYING)
_COPIED: Final = _owners(literal(1) == 1, _RUNNING)
_HOLDERS: Final = union_all(
    select(firms.c.id, firms.c.key_id, firms.c.field_key).where(firms.c.id == _FIRM),
    select(people.c.id, people.c.key_id, people.c.field_key).where(people.c.firm_id == _FIRM),
    select(engagements.c.id, engagements.c.key_id, engagements.c.field_key).where(
        engagements.c.firm_id == _FIRM, _OWNED
    ),
    select(parts.c.id, parts.c.key_id, parts.c.field_key)
    .join_from(parts, engagements, engagements.c.id == parts.c.engagement_id)
    .where(parts.c.firm_id == _FIRM, _OWNED),
)
_OTHERS: Final[tuple[Select[Any], ...]] = tuple(
    select(table.c.key_id).where(table.c.firm_id == _FIRM)
    for table in metadata.sorted_tables
    if "key_id" in table.c and table not in (logs, firms, people, engagements, parts)
)


@dataclass(frozen=True, slots=True)
class Keys:
    """What was found.

    Args:
        lost: owners whose key no place holds.
        behind: keys that some place lacks, to their owners.
        stray: keys that nobody owns.
        unopened: owners whose key does not open what it must.
    """

    lost: tuple[str, ...]
    behind: dict[str, str]
    stray: tuple[str, ...]
    unopened: tuple[str, ...]


def compare_keys(services: Services, tx: Tx, older_than: int) -> Keys:
    """Compare the owners of keys with what the key places hold.

    Args:
        older_than: UTC seconds; younger keys may belong to an act that is under way.
    """
    owners = owned(tx)
    others = {row.key_id for each in (_DYING_KEYS, *_OTHERS) for row in _all(tx, each)}
    held = services.keys.ids_by_place()
    anywhere = frozenset().union(*held.values())
    everywhere = frozenset.intersection(*map(frozenset, held.values()))
    now = services.clock() // 1000
    stray = anywhere - owners.keys() - others
    if stray:
        stray -= _hung_on(services, anywhere & (owners.keys() | others))
    return Keys(
        tuple(owner for key_id, owner in owners.items() if key_id not in anywhere),
        {key_id: owner for key_id, owner in owners.items() if key_id in anywhere and key_id not in everywhere},
        tuple(sorted(each for each in stray if not older_than < _made_at(each) <= now)),
        unopened(services, tx),
    )


def _hung_on(services: Services, key_ids: Iterable[str]) -> set[str]:
    """The keys that these hang on. A rotation that was cut short leaves a part on a key that nobody owns any more."""
    found = set()
    for key_id in key_ids:
        with suppress(KeyMissingError, SealError):  # told by itself, and nothing is repaired then
            found.add(services.keys.parent_of(key_id) or "")
    return found


def owned(tx: Tx) -> dict[str, str]:
    """The keys of everybody and everything whose destruction has not begun, with their owners."""
    return {row.key_id: row.owner_id for row in _all(tx, _LIVING)}


def unopened(services: Services, tx: Tx) -> tuple[str, ...]:
    """Owners whose key is there and does not open what it must: changed bytes, or the row names a foreign key."""
    return tuple(row.id for row in _all(tx, _HOLDERS) if not _opens(services, row))


def _opens(services: Services, row: Any) -> bool:
    try:
        field_key(services.keys, Holder(row.id, row.key_id, row.field_key), wait=True)
    except KeyMissingError:
        return True  # told as missing
    except SealError:
        return False
    return True


def copied(tx: Tx, key_ids: dict[str, str]) -> dict[str, str]:
    """Of these keys, those whose owner lives on, with the log that tells of it."""
    return {row.key_id: row.log_id for row in _all(tx, _COPIED) if row.key_id in key_ids}


def key_findings(found: Keys) -> Iterator[Finding]:
    """Say what was found."""
    if found.lost:
        yield Finding(Severity.BROKEN, "key_missing", "No key place holds the keys of these: restore one.", found.lost)
    if found.behind:
        sentence = "A key place lacks keys of these: `muniment keys mend` copies them."
        yield Finding(Severity.BROKEN, "key_place_behind", sentence, tuple(found.behind.values()))
    if found.unopened:
        sentence = "The keys of these are there and do not open: restore the key places, or the rows."
        yield Finding(Severity.BROKEN, "key_unopened", sentence, found.unopened)
    if found.stray:
        sentence = "Keys that open nothing: `muniment doctor --repair` destroys them."
        yield Finding(Severity.WARNING, "key_without_owner", sentence, found.stray)


def _all(tx: Tx, statement: Any) -> Iterator[Any]:
    """The rows of every firm, one firm after another."""
    for log in each_log(tx):
        yield from tx.all(statement, firm=log.id)


def _made_at(key_id: str) -> int:
    """When an id says that it was made, UTC seconds."""
    return int(key_id[_TIME_DIGITS], 16) // 1000

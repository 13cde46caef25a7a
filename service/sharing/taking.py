"""Taking many: grants revoked by person, matter or label in one act; and undoing what was given by mistake.

Rules kept here:

* the set is what the policy lets the caller revoke (`service.scoping.takeable`), in force or to come, whoever gave it
  and with whatever it was made;
* the act names the digest of a dry run, as giving many does;
* undoing ends the grants and takes nothing out of the record. Access ends first and is durable; then the log is read,
  so that no opening is missed: what was still on its way is told as that;
* undoing again changes nothing and tells the same: an answer that was lost can be had once more.

What a member who saw a paper must do about it is not said here.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import bindparam, select

from service import asks, grants
from service.acts import Act, Caller, perform
from service.db.ids import is_id
from service.db.models import bulk_grants
from service.errors import BadInputError, NotFoundError
from service.origins import Origin
from service.scoping import takeable
from service.scoping.actions import Ability, Action, words_of
from service.scoping.decide import Subject
from service.scoping.takeable import Which
from service.services import Services
from service.sharing.looking import MOST, digest, dry_run, require_same
from service.sharing.openings import Opening, of_grants

_RUN: Final = select(bulk_grants.c.id, bulk_grants.c.engagement_id, bulk_grants.c.membership_id).where(
    bulk_grants.c.id == bindparam("bulk"), bulk_grants.c.firm_id == bindparam("firm")
)


@dataclass(frozen=True, slots=True)
class Wanted:
    """Whose grants, of which matter, on papers of which labels; all that is said counts at once."""

    person_id: str | None = None
    matter_id: str | None = None
    labels: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Taken:
    """A grant that would be revoked, or was. Times are UTC seconds."""

    id: str
    document_id: str
    number: int
    label: str
    membership_id: str
    person_id: str
    abilities: tuple[str, ...]
    not_after: int
    made_with: Origin


@dataclass(frozen=True, slots=True)
class TakenAll:
    """All of them."""

    digest: str | None  # None: they are revoked, or there are none
    grants: tuple[Taken, ...]
    by_label: Mapping[str, int]


@dataclass(frozen=True, slots=True)
class Undone:
    """A grant that was undone, and what its holder had done with the document by then."""

    grant: Taken
    revoked_at: int  # UTC seconds; where it had ended by itself, FOREVER
    openings: tuple[Opening, ...]  # newest first


async def show(services: Services, caller: Caller, engagement_id: str, wanted: Wanted) -> TakenAll:
    """Say which grants would be revoked; nothing is written but that it was asked.

    Raises: as `take`, but for the digest.
    """
    labels = _checked(wanted)

    def tell(act: Act, found: list[Any]) -> tuple[TakenAll, list[str]]:
        named = _digest(act, engagement_id, wanted, labels, found)
        return _all(found, named), [row.id for row in found]

    def find(act: Act) -> list[Any]:
        return _find(act, engagement_id, wanted, labels)

    subject = Subject(engagement=engagement_id)
    done = await dry_run(services, caller, Action.ENGAGEMENT_SHRINK, subject, find, tell)
    shown: TakenAll = done.result
    return shown


async def take(services: Services, caller: Caller, engagement_id: str, wanted: Wanted, named: str | None) -> TakenAll:
    """Revoke what the dry run showed, all of it or nothing.

    Args:
        named: the digest of the dry run.

    Raises:
        BadInputError: nothing is said of whose, where and what, or the set is too large.
        BadStateError: there is nothing to revoke.
        SetChangedError: what would be revoked is not what the digest is of.
    """
    labels = _checked(wanted)

    def change(act: Act) -> TakenAll:
        found = _find(act, engagement_id, wanted, labels)
        require_same(named, _digest(act, engagement_id, wanted, labels, found))
        end(act, found)
        return _all(found, None)

    done = await perform(services, caller, Action.ENGAGEMENT_SHRINK, Subject(engagement=engagement_id), change)
    taken: TakenAll = done.result
    return taken


async def undo_grant(services: Services, caller: Caller, grant_id: str) -> Undone:
    """Revoke a grant, whatever its version, and say what it was used for."""

    def change(act: Act) -> list[Any]:
        return _undo(act, _all_of(act, Which(act.decision.row.engagement_id, grant=grant_id)))

    subject = Subject(via=grant_id if is_id(grant_id, "grt") else "")
    done = await perform(services, caller, Action.GRANT_REVOKE, subject, change)
    (undone,) = await asyncio.to_thread(_told, services, caller, done.result)
    return undone


async def undo_bulk(services: Services, caller: Caller, bulk_id: str) -> list[Undone]:
    """Revoke what one act gave, as far as the caller may revoke it, and say what it was used for."""

    def change(act: Act) -> list[Any]:
        run = act.tx.one(_RUN, bulk=bulk_id, firm=act.firm_id)
        rows = _all_of(act, Which(run.engagement_id, membership=run.membership_id, bulk=bulk_id))
        return _undo(act, rows)

    subject = Subject(via=bulk_id if is_id(bulk_id, "blk") else "")
    done = await perform(services, caller, Action.ENGAGEMENT_SHRINK, subject, change)
    return await asyncio.to_thread(_told, services, caller, done.result)


def end(act: Act, rows: Sequence[Any]) -> None:
    """Revoke grants, each with its entry.

    Args:
        rows: of `takeable`.
    """
    grants.end_all(act, {row.id: _subjects(row) for row in rows})


def _checked(wanted: Wanted) -> list[str | None]:
    if wanted.person_id is None and wanted.matter_id is None and not wanted.labels:
        raise BadInputError("person_id, matter_id, labels: send at least one of them.", extra={"field": "person_id"})
    return [*asks.ordered(wanted.labels)] if wanted.labels else [None]


def _find(act: Act, engagement_id: str, wanted: Wanted, labels: Sequence[str | None]) -> list[Any]:
    found: list[Any] = []
    for label in labels:
        which = Which(engagement_id, person=wanted.person_id, matter=wanted.matter_id, label=label)
        found += _listed(act, which, over=False)
        if len(found) > MOST:
            raise BadInputError(
                f"This would revoke more than {MOST} grants. Make it smaller: one person, one matter or fewer labels. "
                "To shut out a member at once, suspend the member.",
                extra={"field": "labels", "most": MOST},
            )
    return sorted(found, key=lambda row: str(row.id))


def _all_of(act: Act, which: Which) -> list[Any]:
    return _listed(act, which, over=True)


def _listed(act: Act, which: Which, *, over: bool) -> list[Any]:
    matrix = act.services.matrix.current
    return takeable.grants(act.tx, matrix, act.moment, act.actor, which, most=MOST + 1, over=over)


def _undo(act: Act, rows: Sequence[Any]) -> list[Any]:
    """End what has not ended; return the rows as they are now."""
    if not rows:
        raise NotFoundError
    now = act.moment.s
    live = [row for row in rows if min(row.revoked_at, row.not_after) > now]
    end(act, live)
    ended = {row.id for row in live}
    return [row._replace(revoked_at=now) if row.id in ended else row for row in rows]


def _told(services: Services, caller: Caller, rows: Sequence[Any]) -> list[Undone]:
    firm_id = caller.credential.firm_id
    with services.database.read(firm_id) as tx:
        found = of_grants(tx, firm_id, rows[0].engagement_id, rows)
    return [Undone(_shown(row), row.revoked_at, tuple(found[row.id])) for row in rows]


def _digest(
    act: Act, engagement_id: str, wanted: Wanted, labels: Sequence[str | None], found: Sequence[Any]
) -> str | None:
    said = (engagement_id, wanted.person_id, wanted.matter_id, list(labels))
    return digest(act, "bulk revocation", found, *said)


def _subjects(row: Any) -> dict[str, str | None]:
    made_with = Origin(row.task_id, row.bulk_id, row.standing_id, row.standby_id)
    return {
        "engagement": row.engagement_id,
        "part": row.part_id,
        "matter": row.matter_id,
        "document": row.document_id,
        "membership": row.membership_id,
        "person": row.person_id,
        **made_with.ids(),
    }


def _all(rows: Sequence[Any], named: str | None) -> TakenAll:
    return TakenAll(named, tuple(map(_shown, rows)), Counter(row.label for row in rows))


def _shown(row: Any) -> Taken:
    return Taken(
        id=row.id,
        document_id=row.document_id,
        number=row.number,
        label=row.label,
        membership_id=row.membership_id,
        person_id=row.person_id,
        abilities=words_of(Ability(row.abilities)),
        not_after=row.not_after,
        made_with=Origin(row.task_id, row.bulk_id, row.standing_id, row.standby_id),
    )

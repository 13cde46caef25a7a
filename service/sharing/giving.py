"""Giving many: documents of a part or a matter, chosen by label, handed to one member in one act, as of now.

Rules kept here:

* the set is what the policy lets the caller share (`service.scoping.listing`), of it what is confirmed, not too
  sensitive, within the recipient's role and not walled from him; papers to come are never in it;
* what is privileged goes to nobody by its label: such a paper needs a grant of its own, by name;
* the act names the digest of a dry run: where what would be given is no longer what was shown, nothing is written;
* each grant is an ordinary one, with its own entry, and knows the act (`bulk_id`), so that all can be undone at once.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Final, NamedTuple

from sqlalchemy import bindparam, insert, select

from service import asks, grants, names, recipients
from service.acts import Act, Caller, perform
from service.db.models import bulk_grants, documents
from service.db.models import grants as grants_table
from service.door import Holder, NameReader
from service.errors import BadInputError
from service.events import EventType
from service.origins import Origin
from service.paging import START
from service.scoping import listing
from service.scoping.actions import SENSITIVITY_RANK, Ability, Action, Sensitivity
from service.scoping.decide import Subject
from service.scoping.statements import Where
from service.services import Services
from service.sharing.looking import MOST, digest, dry_run, require_same

LOOKED_AT: Final = 10_000  # documents that one act looks at
AT_ROWS: Final = 1000  # fetched at a time
BY_LABEL: Final = (Sensitivity.ROUTINE, Sensitivity.CONFIDENTIAL)
"""What may be shared by its label alone."""

_HELD: Final = select(grants_table.c.document_id).where(
    grants_table.c.membership_id == bindparam("membership"),
    grants_table.c.task_id.is_(None),
    grants_table.c.standing_id.is_(None),
    grants_table.c.standby_id.is_(None),
    grants_table.c.not_after > bindparam("now"),
    grants_table.c.revoked_at > bindparam("now"),
)
_ADD: Final = insert(bulk_grants)
_OF_ACT: Final = (
    select(
        grants_table.c.id, grants_table.c.document_id, documents.c.number, documents.c.label, documents.c.sensitivity
    )
    .join_from(grants_table, documents, documents.c.id == grants_table.c.document_id)
    .where(
        grants_table.c.membership_id == bindparam("membership"),
        grants_table.c.bulk_id == bindparam("bulk"),
    )
    .order_by(grants_table.c.document_id)
)


class Reason(StrEnum):
    """Why a document is left out, in the order in which it is asked."""

    WALLED = "walled"
    NOT_CONFIRMED = "not_confirmed"
    TOO_SENSITIVE = "too_sensitive"  # above what was asked for; the privileged always
    ABOVE_CEILING = "above_ceiling"  # of the recipient's role
    NOT_MEANT = "not_meant"  # the recipient said so: it takes an attorney's grant by name
    ALREADY_GRANTED = "already_granted"  # by hand, in force or to come


@dataclass(frozen=True, slots=True)
class NewGrants:
    """What is handed to whom. Times are UTC seconds.

    Args:
        part_id, matter_id: where the documents lie; one of the two.
        numbers: the first and the last number that a document may have, where a set is too large.
    """

    membership_id: str
    part_id: str | None
    matter_id: str | None
    labels: tuple[str, ...]
    sensitivity: str  # at most
    abilities: tuple[str, ...]  # words; `view` is always included
    not_before: int | None  # None: at once
    not_after: int
    purpose: str
    numbers: tuple[int | None, int | None] = (None, None)


class Paper(NamedTuple):
    """A document of the set: its title where the caller may see it, its grant where it was given."""

    id: str
    number: int
    label: str
    sensitivity: str
    title: str | None
    grant_id: str | None


@dataclass(frozen=True, slots=True)
class Given:
    """What would be given, or was."""

    bulk_id: str | None  # None: a dry run
    digest: str | None  # None: it was given, or there is nothing to give
    papers: tuple[Paper, ...]
    by_label: Mapping[str, int]
    left_out: Mapping[str, tuple[str, ...]]  # reason -> ids of documents


class _Set(NamedTuple):
    recipient: recipients.Recipient
    term: tuple[int, int]
    given: list[Any]  # rows of documents
    left_out: dict[str, list[Any]]
    titled: frozenset[str]  # whose titles the caller may see


async def show(services: Services, caller: Caller, engagement_id: str, new: NewGrants) -> Given:
    """Say what would be given, what is left out and why; nothing is written but that it was asked.

    Raises: as `give`, but for the digest.
    """
    labels, abilities, _purpose = _checked(new)

    def find(act: Act) -> _Set:
        return _find(act, engagement_id, new, labels, abilities, with_titles=True)

    def tell(act: Act, found: _Set) -> tuple[tuple[_Set, str | None], list[str]]:
        ids = [row.id for row in found.given]
        act.show(found.titled)
        return (found, _digest(act, engagement_id, new, abilities, found)), ids

    subject = Subject(engagement=engagement_id)
    done = await dry_run(services, caller, Action.ENGAGEMENT_SHARE, subject, find, tell)
    reader, (found, named) = NameReader(services.keys, done.authorised), done.result
    return Given(
        bulk_id=None,
        digest=named,
        papers=tuple(_paper(reader, row, found.titled) for row in found.given),
        by_label=Counter(row.label for row in found.given),
        left_out={reason: tuple(row.id for row in rows) for reason, rows in found.left_out.items()},
    )


async def give(services: Services, caller: Caller, engagement_id: str, new: NewGrants, named: str | None) -> Given:
    """Give what the dry run showed, all of it or nothing.

    Args:
        named: the digest of the dry run.

    Raises:
        NotFoundError: the membership does not belong to this engagement, or is not one that is handed things.
        BadInputError: labels, abilities, purpose or times are not of their form, or the set is too large.
        BadStateError: the membership has ended, or there is nothing to give.
        SetChangedError: what would be given is not what the digest is of.
    """
    labels, abilities, purpose = _checked(new)

    def make(act: Act) -> str:
        found = _find(act, engagement_id, new, labels, abilities, with_titles=False)
        require_same(named, _digest(act, engagement_id, new, abilities, found))
        return _write(act, engagement_id, found, labels, abilities, purpose)

    def change(act: Act) -> tuple[str, list[Any]]:
        request = {"engagement": engagement_id, "digest": named, "purpose": purpose}
        bulk_id = act.once("bulk_grant", request, lambda: make(act))
        made = act.tx.all(_OF_ACT, membership=new.membership_id, bulk=bulk_id)
        act.show([row.id for row in made])
        return bulk_id, made

    done = await perform(services, caller, Action.ENGAGEMENT_SHARE, Subject(engagement=engagement_id), change)
    bulk_id, made = done.result
    papers = tuple(Paper(row.document_id, row.number, row.label, row.sensitivity, None, row.id) for row in made)
    return Given(bulk_id, None, papers, Counter(paper.label for paper in papers), {})


def _checked(new: NewGrants) -> tuple[list[str], Ability, str]:
    if (new.part_id is None) == (new.matter_id is None):
        raise BadInputError("part_id, matter_id: send one of the two.", extra={"field": "part_id"})
    require_by_label(new.sensitivity)
    return asks.ordered(new.labels), grants.bits(new.abilities), names.text(new.purpose, "purpose")


def require_by_label(sensitivity: str) -> None:
    """Insist that papers may be shared up to this sensitivity by their label alone.

    Raises:
        BadInputError: they may not.
    """
    if sensitivity not in BY_LABEL:
        raise BadInputError(
            "sensitivity: by its label no paper above confidential is shared. Share a privileged paper by itself.",
            extra={"field": "sensitivity"},
        )


# The set --------------------------------------------------------------------------------------------------------------


def _find(
    act: Act, engagement_id: str, new: NewGrants, labels: Sequence[str], abilities: Ability, *, with_titles: bool
) -> _Set:
    now = act.moment.s
    recipient = recipients.of_engagement(
        act.tx, now, firm_id=act.firm_id, engagement_id=engagement_id, membership_id=new.membership_id
    )
    term = recipients.term(recipient, now, new.not_before, new.not_after)
    places = [Where(engagement=engagement_id, part=new.part_id, matter=new.matter_id, label=label) for label in labels]
    rows = [row for row in _listed(act, Action.GRANT_CREATE, places) if _is_numbered(row, new.numbers)]
    given, left_out = _sorted_out(act, recipient, abilities, new, rows)
    if len(given) > MOST:
        raise _too_many(len(given))
    titled = _listed(act, Action.DOCUMENT_LIST, places) if with_titles else ()
    wanted = {row.id for row in given}
    return _Set(recipient, term, given, left_out, frozenset(row.id for row in titled if row.id in wanted))


def _listed(act: Act, action: Action, places: Sequence[Where]) -> list[Any]:
    """All that the caller may do this with, in some places.

    Raises:
        BadInputError: more than one act looks at.
    """
    found: list[Any] = []
    for place in places:
        after = START
        while True:
            matrix = act.services.matrix.current
            rows = listing.page(act.tx, matrix, act.moment, act.actor, action, after=after, most=AT_ROWS, where=place)
            found += rows
            if len(found) > LOOKED_AT:
                raise _too_many(len(found))
            if len(rows) < AT_ROWS:
                break
            after = rows[-1].id
    return found


def _is_numbered(row: Any, numbers: tuple[int | None, int | None]) -> bool:
    first, last = numbers
    return (first is None or row.number >= first) and (last is None or row.number <= last)


def _too_many(count: int) -> BadInputError:
    return BadInputError(
        f"This would look at or give {count} papers; one act gives at most {MOST}. Make it smaller: fewer labels, one "
        "part, or first_number and last_number, and do it in several acts.",
        extra={"field": "labels", "count": count, "most": MOST},
    )


def _sorted_out(
    act: Act, recipient: recipients.Recipient, abilities: Ability, new: NewGrants, rows: Sequence[Any]
) -> tuple[list[Any], dict[str, list[Any]]]:
    """Part what is given from what is left out, and say why."""
    now, highest = act.moment.s, SENSITIVITY_RANK[new.sensitivity]
    held = {row.document_id for row in act.tx.all(_HELD, membership=recipient.membership_id, now=now)}
    walled = {
        matter_id
        for matter_id in {row.matter_id for row in rows}
        if recipients.is_walled(act.tx, now, recipient, matter_id)
    }
    above: dict[tuple[str, str, str], bool] = {}

    def reasons(row: Any) -> Iterator[Reason]:
        if row.matter_id in walled:
            yield Reason.WALLED
        if row.state != grants.CONFIRMED:
            yield Reason.NOT_CONFIRMED
        if SENSITIVITY_RANK[row.sensitivity] > highest:
            yield Reason.TOO_SENSITIVE
        cell = (row.engagement_id, row.label, row.sensitivity)
        if cell not in above:
            above[cell] = grants.above_ceiling(act, row, recipient.role, abilities) is not None
        if above[cell]:
            yield Reason.ABOVE_CEILING
        if recipients.has_disclaimed(act.tx, now, recipient, row.id):
            yield Reason.NOT_MEANT
        if row.id in held:
            yield Reason.ALREADY_GRANTED

    given: list[Any] = []
    left_out: dict[str, list[Any]] = {}
    for row in rows:
        reason = next(reasons(row), None)
        (given if reason is None else left_out.setdefault(reason.value, [])).append(row)
    return sorted(given, key=lambda row: str(row.id)), left_out


def _digest(act: Act, engagement_id: str, new: NewGrants, abilities: Ability, found: _Set) -> str | None:
    said = (engagement_id, new.membership_id, int(abilities), new.not_before, new.not_after)
    return digest(act, "bulk grant", found.given, *said)


# Giving it ------------------------------------------------------------------------------------------------------------


def _write(act: Act, engagement_id: str, found: _Set, labels: Sequence[str], abilities: Ability, purpose: str) -> str:
    bulk_id, recipient = act.new_id("blk"), found.recipient
    act.tx.run(
        _ADD,
        id=bulk_id,
        firm_id=act.firm_id,
        engagement_id=engagement_id,
        membership_id=recipient.membership_id,
        grants=len(found.given),
        made_by=act.actor.membership_id,
        made_at=act.moment.s,
    )
    subjects = {"bulk": bulk_id, "membership": recipient.membership_id, "person": recipient.person_id}
    act.record(EventType.BULK_CREATED, subjects, {"grants": len(found.given), "labels": list(labels)})
    grants.write_many(act, found.given, recipient, abilities, found.term, purpose, Origin(bulk_id=bulk_id))
    return bulk_id


def _paper(reader: NameReader, row: Any, titled: frozenset[str]) -> Paper:
    part = Holder(row.part_id, row.part_key_id, row.part_field_key)
    title = reader.open(part, "documents", "title", row.id, row.title) if row.id in titled else None
    return Paper(str(row.id), row.number, row.label, row.sensitivity, title, None)

"""The log against the rows: what rules depend on must be what the events made.

For each log, once its entries have been followed (`service.doctor.events`): every row of every kind below is looked up
among what was said, and struck out. A row of which nothing was said is forged; one that says otherwise was changed;
what is left at the end was taken away. Rows come a page at a time, and the log is read once, while it is verified.

What no entry carries cannot be compared: a token's secret, an engagement's number, what is sealed, where bytes and keys
lie.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import islice
from typing import Any, Final

from sqlalchemy import ColumnElement, Select, Table, bindparam, select

from service.brakes.marks import MARKS, NOT_BRAKED
from service.db.models import (
    asks,
    authenticators,
    disclosures,
    documents,
    duties,
    emergencies,
    engagements,
    grants,
    holds,
    matter_team,
    matters,
    memberships,
    misdirections,
    moves,
    on_calls,
    parts,
    people,
    revisions,
    schedules,
    standbys,
    standing_shares,
    tasks,
    tokens,
    walls,
)
from service.db.session import Tx
from service.doctor.findings import Finding, Severity
from service.doctor.scratch import Said, Scratch
from service.schedules import terms_digest
from service.scoping.actions import Role

PAGE: Final = 1000  # rows fetched at a time
MOST: Final = 1000  # differences told of one log: one is enough to stop, and a million would not be read


@dataclass(frozen=True, slots=True)
class Kind:
    """Rows of one table that events make.

    Args:
        word: how findings call it.
        first: the first page of them, as ``id`` and the columns that the log speaks of.
        more: the page after an id.
        digested: columns of which the log has a digest only.
    """

    word: str
    first: Select[Any]
    more: Select[Any]
    digested: tuple[str, ...] = ()


def _kind(
    word: str,
    table: Table,
    *columns: str,
    row_id: ColumnElement[str] | None = None,
    digested: tuple[str, ...] = (),
) -> Kind:
    named = table.c.id if row_id is None else row_id
    rows = select(named.label("id"), *(table.c[name] for name in columns))
    first = rows.where(table.c.firm_id == bindparam("firm")).order_by(named).limit(PAGE)
    return Kind(word, first, first.where(named > bindparam("after")), digested)


KINDS: Final = (
    _kind(
        "grant",
        grants,
        "engagement_id",
        "membership_id",
        "document_id",
        "abilities",
        "not_before",
        "not_after",
        "revoked_at",
        "task_id",
        "bulk_id",
        "standing_id",
        "standby_id",
    ),
    _kind(
        "standing_share",
        standing_shares,
        "engagement_id",
        "part_id",
        "membership_id",
        "role",
        "labels",
        "sensitivity",
        "abilities",
        "not_before",
        "not_after",
        "ended_at",
        "made_by",
    ),
    _kind(
        "ask",
        asks,
        "engagement_id",
        "membership_id",
        "part_id",
        "label",
        "not_before",
        "not_after",
        "ended_at",
        "task_id",
    ),
    _kind(
        "task",
        tasks,
        "engagement_id",
        "membership_id",
        "part_id",
        "preset",
        "labels",
        "state",
        "due_at",
        "not_after",
        "ended_at",
    ),
    _kind(
        "schedule",
        schedules,
        "engagement_id",
        "membership_id",
        "terms",
        "valid_from",
        "valid_until",
        "ended_at",
        digested=("terms",),
    ),
    _kind(
        "duty",
        duties,
        "kind",
        "subject_id",
        "engagement_id",
        "evidence_id",
        "evidence_sha256",
        "valid_from",
        "valid_until",
        "waived",
    ),
    _kind("matter", matters, "owed"),
    _kind(
        "standby",
        standbys,
        "engagement_id",
        "membership_id",
        "part_id",
        "documents",
        "abilities",
        "lasts_s",
        "valid_until",
        "sealed_by",
        "ended_at",
        "opened_at",
        "closes_at",
    ),
    _kind(
        "misdirection",
        misdirections,
        "engagement_id",
        "document_id",
        "membership_id",
        "person_id",
        "said_at",
        "closed_until",
        "acknowledged_by",
        "acknowledged_at",
    ),
    _kind(
        "disclosure",
        disclosures,
        "engagement_id",
        "document_id",
        "membership_id",
        "not_before",
        "not_after",
        "ended_at",
        "made_by",
    ),
    _kind("wall", walls, "person_id", "matter_id", "raised_at", "lifted_at"),
    _kind(
        "emergency",
        emergencies,
        "membership_id",
        "person_id",
        "matter_id",
        "opened_at",
        "closes_at",
        "ended_at",
        "reviewed_at",
        "reviewed_by",
        "verdict",
    ),
    _kind("hold", holds, "matter_id", "placed_at", "lifted_at"),
    _kind(
        "membership",
        memberships,
        "person_id",
        "engagement_id",
        "side",
        "role",
        "starts_at",
        "ends_at",
        "suspended",
        "matter_id",
        *NOT_BRAKED,
    ),
    _kind(
        "token",
        tokens,
        "person_id",
        "membership_id",
        "scopes",
        "created_at",
        "expires_at",
        "revoked_at",
        "stepped_up_until",
        "seat_id",
    ),
    _kind("authenticator", authenticators, "person_id", "confirmed_at", "ended_at", "last_step", "wrong_at"),
    _kind("seat", matter_team, "since", "until", row_id=matter_team.c.matter_id + ":" + matter_team.c.person_id),
    _kind("person", people, "side", "vendor_id"),
    _kind("part", parts, "engagement_id", "matter_id"),
    _kind(
        "document", documents, "engagement_id", "part_id", "matter_id", "label", "sensitivity", "state", "revision_id"
    ),
    _kind("revision", revisions, "document_id"),
    _kind("move", moves, "from_document_id", "to_document_id", "moved_by", "moved_at"),
    _kind(
        "engagement",
        engagements,
        "vendor_id",
        "status",
        "starts_at",
        "ends_at",
        "lead_id",
        "deputy_id",
        "withheld",
        "overlay",
        *MARKS,
        "owed",
    ),
    _kind("on_call", on_calls, "engagement_id", "person_id", "starts_at", "ends_at"),
)

_OF_DOCUMENT = select(documents.c.engagement_id).where(documents.c.id == bindparam("document"))
_OF_MATTER = select(parts.c.engagement_id).where(parts.c.matter_id == bindparam("matter")).distinct()
_OF_MEMBERSHIP = select(memberships.c.engagement_id).where(memberships.c.id == bindparam("membership"))
_HOUSE = select(memberships.c.id).where(
    memberships.c.person_id == bindparam("person"),
    memberships.c.engagement_id.is_(None),
    memberships.c.role != Role.OWNER.value,
)


def compare(tx: Tx, log_id: str, scratch: Scratch) -> Iterator[Finding]:
    """Tell every difference between a firm's rows and what was said of them, at most `MOST`.

    Args:
        scratch: what the whole log said; it is used up.
    """
    found = _differences(tx, log_id, scratch)
    yield from islice(found, MOST)
    if next(found, None) is not None:
        yield Finding(Severity.BROKEN, "replay_cut", f"More than {MOST} rows differ; the rest is not told.", (log_id,))


def _differences(tx: Tx, log_id: str, scratch: Scratch) -> Iterator[Finding]:
    for kind in KINDS:
        for row in _rows(tx, log_id, kind):
            terms = {name: value for name, value in row._asdict().items() if name != "id"}
            terms |= {name: terms_digest(terms[name]) for name in kind.digested}
            said = scratch.take(kind.word, row.id)
            if said is None:
                yield _finding(tx, log_id, kind, row.id, terms, None)
            elif said.terms != terms:
                yield _finding(tx, log_id, kind, row.id, terms, said)
        for said in scratch.rest(kind.word):
            yield _finding(tx, log_id, kind, said.id, None, said)


def _rows(tx: Tx, log_id: str, kind: Kind) -> Iterator[Any]:
    rows = tx.all(kind.first, firm=log_id)  # not "after nothing": a forged row may have no id at all
    while rows:
        yield from rows
        rows = tx.all(kind.more, firm=log_id, after=rows[-1].id)


_SENTENCES: Final[Mapping[str, str]] = {
    "forged": "No entry of the log made this row: take it away.",
    "changed": "The row is not what the log says: set it right.",
    "missing": "The log says that there is such a row: put it back.",
}


def _finding(
    tx: Tx, log_id: str, kind: Kind, row_id: str, terms: Mapping[str, Any] | None, said: Said | None
) -> Finding:
    fate = "forged" if said is None else "missing" if terms is None else "changed"
    both = [each for each in (terms, said.terms if said else None) if each is not None]
    return Finding(
        Severity.BROKEN,
        f"{kind.word}_{fate}",
        _SENTENCES[fate],
        (row_id,),
        tuple(
            f"{name}: row {terms[name]}, log {said.terms[name]}"
            for name in (terms if terms and said else ())
            if terms and said and terms[name] != said.terms[name]
        ),
        f"{log_id}:{said.entry}" if said else "",
        log_id,
        tuple(sorted({each for one in both for each in _engagements(tx, kind, row_id, one)})),
        tuple(sorted({each for one in both for each in _memberships(tx, kind, row_id, one, said)})),
    )


def _engagements(tx: Tx, kind: Kind, row_id: str, terms: Mapping[str, Any]) -> list[str]:
    """The engagements in which this row decides."""
    if kind.word == "engagement":
        return [row_id]
    if kind.word == "token":
        home = tx.value(_OF_MEMBERSHIP, membership=terms["membership_id"])
        return [home] if home else []
    if kind.word in {"revision", "move"}:
        ends = [terms[name] for name in ("document_id", "from_document_id", "to_document_id") if name in terms]
        found = [tx.value(_OF_DOCUMENT, document=document_id) for document_id in ends]
        return [each for each in found if each]
    if "engagement_id" in terms:
        return [terms["engagement_id"]] if terms["engagement_id"] else []
    matter_id = row_id.partition(":")[0] if kind.word in {"seat", "matter"} else terms.get("matter_id", "")
    return [row.engagement_id for row in tx.all(_OF_MATTER, matter=matter_id)]


def _memberships(tx: Tx, kind: Kind, row_id: str, terms: Mapping[str, Any], said: Said | None) -> list[str]:
    """The memberships of the whole house that live on this row; never one that the log knows as an owner's."""
    if kind.word == "seat":
        return [row.id for row in tx.all(_HOUSE, person=row_id.partition(":")[2])]
    is_owner = said is not None and said.terms.get("role") == Role.OWNER
    return [row_id] if kind.word == "membership" and terms["engagement_id"] is None and not is_owner else []

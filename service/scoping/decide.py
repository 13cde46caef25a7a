"""One decision: one query for the facts, one look-up for the answer.

Rules kept here:

* facts are read in the transaction that will record the decision, by the time that the ledger gave it;
* a thing that is not there, is another firm's, or was never shared answers alike; why it was refused stands in the
  decision for the log and `explain`, and only the refusal's own words (policies/answers.csv) reach the asker;
* what is slow (finding out why not) happens only after a no.

It changes and records nothing: `service.acts` does.

Source: policies/README.md; docs/adr/0005-policy.md.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, Final, NamedTuple

from service.db.session import Tx
from service.errors import MunimentError, OutsideWindowError
from service.ledger import Draft, Moment, Refused
from service.scoping import queries, reasons, windows
from service.scoping.abilities import ABILITY_BITS
from service.scoping.actions import (
    ASKING_ACTIONS,
    DOCUMENT_ACTIONS,
    NONE,
    OPENING_NOTHING,
    OWN_LIFE_S,
    Action,
    Fact,
    Side,
)
from service.scoping.actors import Actor
from service.scoping.answers import Kind, State
from service.scoping.authorised import NOTHING, Authorised, authorise_document, authorise_ids, authorise_title
from service.scoping.factwords import FACT_WORDS
from service.scoping.hours import all_open
from service.scoping.inforce import of_row, under
from service.scoping.matrix import NO_RULE, Answer, Matrix, cells_of
from service.scoping.subjects import KINDS, OF_THE_HOUSE, Subject, follow

__all__ = ["Authorised", "Decision", "Subject", "authorise", "decide"]

_DUTIES: Final = int(Fact.DUTIES)
_NARROWED: Final = int(Fact.NARROWED)
_WINDOW: Final = int(Fact.WINDOW)
_FIRM: Final = Side.FIRM.value
_LISTS: Final = frozenset({Action.DOCUMENT_LIST, Action.WITHHELD_LIST})
_RESOURCE: Final[Mapping[str, str]] = MappingProxyType({action: action.resource for action in Action})
_ON_DOCUMENTS: Final = frozenset(action for action, kinds in KINDS.items() if Kind.DOCUMENT in kinds)
_DOCUMENT: Final[Mapping[str, tuple[Any, Any]]] = MappingProxyType(
    {
        **dict.fromkeys(Action, (queries.DOCUMENT_FOR_VENDOR, queries.DOCUMENT_FOR_FIRM)),
        **dict.fromkeys(ASKING_ACTIONS, (queries.DOCUMENT_TO_ASK_FOR, queries.DOCUMENT_FOR_FIRM)),
        Action.DOCUMENT_INSPECT: (queries.DOCUMENT_TO_INSPECT, queries.DOCUMENT_FOR_FIRM),
        Action.ACCESS_REQUEST_ANSWER: (queries.DOCUMENT_FOR_VENDOR, queries.DOCUMENT_TO_ANSWER_FOR),
        Action.DOCUMENT_LINEAGE: (queries.DOCUMENT_FOR_VENDOR, queries.DOCUMENT_TO_TRACE),
        Action.TITLE_READ: (queries.DOCUMENT_FOR_VENDOR, queries.DOCUMENT_TO_NAME),
    }
)
_STATEMENTS: Final[Mapping[tuple[Kind, bool], Any]] = MappingProxyType(
    {
        (Kind.PART, True): queries.PART_FOR_FIRM,
        (Kind.PART, False): queries.PART_FOR_VENDOR,
        (Kind.ENGAGEMENT, True): queries.ENGAGEMENT_FOR_FIRM,
        (Kind.ENGAGEMENT, False): queries.ENGAGEMENT_FOR_VENDOR,
        (Kind.MATTER, True): queries.MATTER,
        (Kind.MATTER, False): queries.MATTER,
        (Kind.SELF, True): queries.ONE_PERSON,
        (Kind.SELF, False): queries.ONE_PERSON,
    }
)
_OF_ITS_OWN: Final[Mapping[tuple[Action, Kind, bool], Any]] = MappingProxyType(
    {
        (Action.AUDIT_CHECKPOINT, Kind.MATTER, True): queries.LOG_OF_MATTER,
        (Action.AUDIT_PROVE, Kind.MATTER, True): queries.LOG_OF_MATTER,
        (Action.AUDIT_READ, Kind.MATTER, True): queries.LOG_OF_MATTER,
        (Action.REGISTER_READ, Kind.ENGAGEMENT, True): queries.REGISTER,
    }
)
"""Acts of the firm's side (True) whose facts are not those of their kind of thing."""

REFUSED_BY_ABSENCE: Final = Answer(False, NO_RULE, 0, 0)


class Decision(NamedTuple):
    """What was decided, and everything that the log records of it."""

    action: Action
    subjects: Mapping[str, str]  # noun -> id
    allowed: bool
    rule: str  # policy.csv:<n>, none, error
    facts: tuple[str, ...]  # sorted words
    policy: str  # epoch
    nda: str | None  # hex SHA-256 of the text that binds the asker
    authorised: Authorised
    row: Any  # what the facts query saw of the thing, None when there is none
    state: State | None  # why not
    missing: tuple[str, ...]  # the fewest facts that would have opened it
    error: MunimentError | None  # what to answer; None when allowed


def decide(tx: Tx, matrix: Matrix, moment: Moment, actor: Actor, action: Action, subject: Subject) -> Decision:
    """Decide one act.

    Args:
        tx: the transaction that will record the decision.
        matrix: the policy in force, taken once; a vendor's person is decided by what his engagement's overlay leaves.
        moment: the ledger's time.
        actor: who asks, as authenticated in this transaction.
        subject: what the act is on.

    Raises:
        ValueError: this act is never about this kind of thing (a fault of ours).
    """
    if subject.document is None or action not in _ON_DOCUMENTS:
        return _decide_other(tx, matrix, moment, actor, action, subject)
    firm = actor.side == _FIRM
    row = subject.document[4:].isalnum() and tx.one(  # what is no id never reaches SQL (PostgreSQL takes no NUL)
        _DOCUMENT[action][firm],
        document=subject.document,
        firm=actor.firm_id,
        person=actor.person_id,
        membership=actor.membership_id,
        vendor=actor.vendor_id,
        now=(now := moment.ms // 1000),
        own_since=now - OWN_LIFE_S,
        ability=ABILITY_BITS[action],
    )
    if not row:
        return _refuse(tx, matrix, moment, actor, action, subject, None, 0, REFUSED_BY_ABSENCE)
    if not firm and row.overlay:
        matrix = under(matrix, row.overlay)
    cell = matrix.cell(actor.role, action, row.label, row.sensitivity)
    true = row.facts | actor.stepped_up & cell.mask  # where no rule here asks for it, it is nothing to record
    if not firm and row.hours is not None and not _is_open(row.hours, moment, subject):
        true &= ~_WINDOW
    if not cell.needs & ~row.duties:
        true |= _DUTIES
    if not actor.covers(_RESOURCE[action]):
        true |= _NARROWED
    answer = cell.answer(true)
    if not answer.allowed or not row.there:
        return _refuse(tx, matrix, moment, actor, action, subject, row, true, answer)
    return Decision(
        action,
        {
            "engagement": row.engagement_id,
            "matter": row.matter_id,
            "part": row.part_id,
            "document": row.id,
        },
        True,
        answer.rule,
        FACT_WORDS[true],
        matrix.epoch,
        row.nda or None,
        _opened(action, row),
        row,
        None,
        (),
        None,
    )


def authorise(
    tx: Tx,
    matrix: Matrix,
    moment: Moment,
    actor: Actor,
    action: Action,
    subject: Subject,
    *,
    refusal: tuple[Draft, ...] = (),
) -> Decision:
    """Decide one act, and end the job when the answer is no.

    Raises:
        Refused: with the error to answer and `refusal` for the log.
    """
    decision = decide(tx, matrix, moment, actor, action, subject)
    if decision.error is not None:
        raise Refused(decision.error, refusal)
    return decision


def _opened(action: Action, row: Any) -> Authorised:
    """What a yes opens: whoever may ask for a document, or for its past, need not see its title or its bytes."""
    if action in OPENING_NOTHING:
        return NOTHING
    if action is Action.TITLE_READ:
        return authorise_ids(frozenset((authorise_title(row.id),)))  # no door opens bytes with that
    return authorise_ids(frozenset((authorise_document(row.id), row.revision_id)))


def _is_open(hours: str, moment: Moment, subject: Subject) -> bool:
    """Whether all schedules are open: now; or for what was let in before and goes on, when it was let in."""
    return all_open(hours, moment.s if subject.begun is None else subject.begun, moment.address)


# Everything that is not on one document -----------------------------------------------------------------------------


def _decide_other(tx: Tx, matrix: Matrix, moment: Moment, actor: Actor, action: Action, asked: Subject) -> Decision:
    subject = follow(tx, actor.firm_id, asked)
    if subject is None:
        return _refuse(tx, matrix, moment, actor, action, asked, None, 0, REFUSED_BY_ABSENCE)
    kind = subject.kind
    if kind not in KINDS[action]:
        if asked.via is not None:  # an id of another kind in the path: here it is not
            return _refuse(tx, matrix, moment, actor, action, asked, None, 0, REFUSED_BY_ABSENCE)
        raise ValueError(f"{action} is never about {kind}")
    if kind is Kind.DOCUMENT:
        decision = decide(tx, matrix, moment, actor, action, subject)
        return decision._replace(subjects={**subject.ids(), **decision.subjects})
    if action is Action.DOCUMENT_LIST:
        subject = _place_of_list(actor, subject)
    row, true = _facts_of(tx, moment, actor, action, subject)
    if row is None:
        return _refuse(tx, matrix, moment, actor, action, subject, None, 0, REFUSED_BY_ABSENCE)
    matrix = of_row(tx, matrix, actor, row)
    answer, true = _answer(matrix, actor, action, subject, row, true)
    if not answer.allowed or not getattr(row, "there", 1):
        return _refuse(tx, matrix, moment, actor, action, subject, row, true, answer)
    return Decision(
        action,
        {**subject.ids(), **_places(row)},
        True,
        answer.rule,
        FACT_WORDS[true],
        matrix.epoch,
        row.nda or None,
        authorise_ids(frozenset(_shown(actor, kind, row))),
        row,
        None,
        (),
        None,
    )


def _answer(matrix: Matrix, actor: Actor, action: Action, subject: Subject, row: Any, true: int) -> tuple[Answer, int]:
    """Ask the policy, with the facts that rows cannot tell added."""
    label, sensitivity = NONE, NONE
    if action in _LISTS:
        label, sensitivity = _widest(matrix, actor, action)
        if actor.side == _FIRM:
            true |= int(Fact.ASSIGNED)  # as if one document were his: each answers for itself in listing.py
        elif true & Fact.ASSIGNED:
            true |= int(Fact.OWN | Fact.KNOWN)
    elif action in DOCUMENT_ACTIONS:
        label, sensitivity = subject.label or "", subject.sensitivity
    cell = matrix.cell(actor.role, action, label, sensitivity)
    if not cell.needs & ~row.duties:
        true |= _DUTIES
    if not actor.covers(_RESOURCE[action]):
        true |= _NARROWED
    true |= actor.stepped_up & cell.mask
    return cell.answer(true), true


def _facts_of(tx: Tx, moment: Moment, actor: Actor, action: Action, subject: Subject) -> tuple[Any, int]:
    """Read the facts of an act that is not on one document; (None, 0) when the thing is not there."""
    firm = actor.side == _FIRM
    now = moment.s
    bound = {
        "firm": actor.firm_id,
        "person": actor.person_id,
        "membership": actor.membership_id,
        "vendor": actor.vendor_id,
        "token": actor.token_id,
        "now": now,
        "label": subject.label or "",
        "part": subject.part,
        "engagement": subject.engagement,
        "matter": subject.matter,
        "other": subject.person,
        "via": subject.via or "",
    }
    kind = subject.kind
    if kind is Kind.FIRM:
        statement = queries.HOUSE if action in OF_THE_HOUSE or action is Action.DOCUMENT_LIST else queries.ALL_OF_HOUSE
    else:
        statement = _OF_ITS_OWN.get((action, kind, firm), _STATEMENTS[kind, firm])
    row = tx.one(statement, **bound)
    if row is None:
        return None, 0
    if kind is Kind.PART and subject.engagement not in (None, row.engagement_id):
        return None, 0  # that engagement has no such part
    true = row.facts
    if not firm and row.hours is not None and not _is_open(row.hours, moment, subject):
        true &= ~_WINDOW
    if kind is not Kind.ENGAGEMENT or subject.matter is None:
        return row, true
    matter = tx.one(queries.MATTER, **bound)
    if matter is None:
        return None, 0
    # Both must be the asker's, and a wall before the matter counts.
    return row, (true & ~int(Fact.ASSIGNED)) | (true & matter.facts & Fact.ASSIGNED) | (matter.facts & int(Fact.WALLED))


def _places(row: Any) -> dict[str, str]:
    """The ids of the places that a row lies in."""
    known = row._fields
    return {noun: getattr(row, f"{noun}_id") for noun in ("engagement", "matter", "part") if f"{noun}_id" in known}


def _shown(actor: Actor, kind: Kind, row: Any) -> tuple[str, ...]:
    """The ids whose names a yes lets open: the thing itself; the firm's own for acts on the firm."""
    return (actor.firm_id,) if kind is Kind.FIRM else (row.id,)


# The list itself ----------------------------------------------------------------------------------------------------


def _place_of_list(actor: Actor, subject: Subject) -> Subject:
    """Where a list is asked for.

    A vendor person's list is always of his own engagement; a firm person's list shows what is his wherever he looks,
    so a place that is not there gives an empty list and tells nothing.
    """
    if actor.side == _FIRM:
        return Subject()
    return Subject(engagement=subject.engagement or actor.engagement_id)


def _widest(matrix: Matrix, actor: Actor, action: Action) -> tuple[str, str]:
    """The question that stands for a whole list: a cell that the role may see at all, with the fewest duties.

    Each document then answers for itself (service/scoping/listing.py); here it is decided whether there is a list.
    """
    ways = matrix.alternatives(actor.role, action)
    lacking = ~actor.stepped_up & Fact.STEPPED_UP
    easiest = min(ways, key=lambda way: (way.facts & lacking, way.needs.bit_count()), default=None)
    return min(cells_of(action) if easiest is None else easiest.cells)


# No -----------------------------------------------------------------------------------------------------------------


def _refuse(
    tx: Tx,
    matrix: Matrix,
    moment: Moment,
    actor: Actor,
    action: Action,
    subject: Subject,
    row: Any,
    true: int,
    answer: Answer,
) -> Decision:
    """Make the decision of a no: why, for the log; and what the asker is told."""
    if row is None and not actor.covers(_RESOURCE[action]):
        true |= _NARROWED  # said of the token alone, so it must be said of ids that do not exist too
    matrix = of_row(tx, matrix, actor, row)
    state = reasons.state(tx, matrix, moment, actor, action, subject, row, true, answer)
    side = Side(actor.side)
    reply = matrix.answers.reply(state, subject.kind, side)
    opens_at = None
    if side is Side.VENDOR and reply.error is OutsideWindowError:
        opens_at = windows.look(tx, moment, actor).opens_at
    return Decision(
        action,
        {**subject.ids(), **(_places(row) if row is not None else {})},
        False,
        NO_RULE if answer.allowed else answer.rule,
        FACT_WORDS[true],
        matrix.epoch,
        (row.nda or None) if row is not None else None,
        NOTHING,
        row,
        state,
        FACT_WORDS[answer.missing],
        reply.raised() if opens_at is None else reply.raised(opens_at=windows.shown(opens_at)),
    )

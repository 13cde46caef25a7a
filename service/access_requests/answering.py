"""Answering: by the lead, the deputy or whoever is on call; as asked, with less, or no."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

from service import grants, names
from service.access_requests.rows import (
    AS_ASKED,
    OPEN,
    REFUSED,
    ROWS,
    WITH_LESS,
    AccessRequest,
    close,
    find,
    opened,
    require_open,
    subject_of,
    subjects,
)
from service.acts import Act, Caller, perform
from service.db.models import access_requests, engagements, memberships
from service.door import Holder, NameReader
from service.engagements import RUNNING
from service.errors import BadInputError, BadStateError
from service.events import EventType
from service.scoping import affairs, facts
from service.scoping.actions import Ability, Action, words_of
from service.scoping.decide import Subject, decide
from service.services import Services

MOST_COUNTED: Final = 100  # requests that wait for one attorney: beyond that he is told "100"


@dataclass(frozen=True, slots=True)
class Answer:
    """What an attorney says. Times are UTC seconds."""

    yes: bool
    note: str  # of a yes: the purpose of the grant; of a no: the reason
    abilities: tuple[str, ...] | None = None  # None: as asked
    not_after: int | None = None  # None: as asked


_r = access_requests
_WAITING = (
    ROWS.where(
        _r.c.state == OPEN,
        _r.c.lapses_at > facts.NOW,
        memberships.c.ends_at > facts.NOW,
        engagements.c.status == RUNNING,
        engagements.c.ends_at > facts.NOW,
        facts.on_call(),
    )
    .order_by(_r.c.id)
    .limit(MOST_COUNTED)
)


async def answer(services: Services, caller: Caller, request_id: str, said: Answer) -> AccessRequest:
    """Answer a request: as asked, with less, or no.

    Raises:
        BadInputError: more than was asked, or what `grants.create` raises.
        BadStateError: it is answered, withdrawn or has lapsed; or the member holds more than that already.
        PreconditionMissingError, StaleError: If-Match.
    """
    note = names.text(said.note, "note")

    def change(act: Act) -> Any:
        row = find(act, request_id)
        require_open(act, row)
        state, given, data = _give(act, row, said, note) if said.yes else (REFUSED, None, {})
        part = Holder(row.part_id, row.key_id, row.field_key)
        sealed = act.seal(part, "access_requests", "note", request_id, note)
        close(act, row, state, by=act.actor.membership_id, note=sealed, grant_id=given)
        about = subjects(row) if given is None else {**subjects(row), "grant": given}
        payload = act.payload(part, {"note": note})
        act.record(EventType.ACCESS_REQUEST_ANSWERED, about, {"answer": state, **data}, payload)
        return find(act, request_id)

    done = await perform(services, caller, Action.ACCESS_REQUEST_ANSWER, subject_of(request_id), change)
    return opened(NameReader(services.keys, done.authorised), done.result, done.recorded.moment.s)


def _give(act: Act, row: Any, said: Answer, note: str) -> tuple[str, str, dict[str, Any]]:
    """Make the grant of a yes; returns the request's new state, the grant's id, and what the entry says of it."""
    asked, ends = Ability(row.abilities), row.not_after if said.not_after is None else said.not_after
    abilities = asked if said.abilities is None else grants.bits(said.abilities)
    if abilities & ~asked or ends > row.not_after:
        detail = "abilities, not_after: at most what was asked for. Share the document, if more is right."
        raise BadInputError(detail, extra={"field": "abilities" if abilities & ~asked else "not_after"})
    held = grants.standing(act, row.membership_id)
    if held is not None and (Ability(held.abilities) & ~abilities or ends < held.not_after):
        raise BadStateError("The member's live grant reaches further than that. Say no, or revoke that grant first.")
    # Answering is no way around what sharing and revoking ask for.
    for action in (Action.GRANT_CREATE, Action.GRANT_REVOKE) if held is not None else (Action.GRANT_CREATE,):
        act.require(action, Subject(document=row.document_id))
    words = words_of(abilities)
    new = grants.NewGrant(row.membership_id, words, None, ends, note)
    grant_id = grants.give(act, new, abilities, note, instead=True)
    state = AS_ASKED if (abilities, ends) == (asked, row.not_after) else WITH_LESS
    return state, grant_id, {"abilities": list(words), "not_after": ends}


def waiting(act: Act) -> int:
    """Return how many open requests the actor may answer now, `MOST_COUNTED` at most: each is decided."""
    matrix, action = act.services.matrix.current, Action.ACCESS_REQUEST_ANSWER
    if not matrix.role_may(act.actor.role, action):
        return 0
    rows = act.tx.all(_WAITING, **affairs.eyes(act.actor, act.moment.s))
    about = (Subject(document=row.document_id) for row in rows)
    return sum(decide(act.tx, matrix, act.moment, act.actor, action, each).allowed for each in about)

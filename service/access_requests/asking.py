"""Asking: by a member, for what he may know of; and taking it back."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import BigInteger, Text, bindparam, insert, select

from service import grants, names, recipients
from service.access_requests.rows import (
    OPEN,
    PLACE,
    WITHDRAWN,
    AccessRequest,
    close,
    find,
    opened,
    require_open,
    subject_of,
    subjects,
)
from service.acts import Act, Caller, perform
from service.db.ids import is_id
from service.db.models import access_requests, parts
from service.db.session import Tx
from service.door import Holder, NameReader
from service.errors import (
    AboveCeilingError,
    BadInputError,
    ExistsError,
    NotFoundError,
    TooManyAccessRequestsError,
)
from service.events import EventType
from service.scoping.actions import Ability, Action, words_of
from service.scoping.actors import Actor
from service.scoping.decide import Subject
from service.services import Services

ACCESS: Final = "access"
EXTENSION: Final = "extension"
MOST_OPEN: Final = 20  # requests of one member
EXTENSION_S: Final = 30 * 60  # the least that an extension asks for
DAY_S: Final = 24 * 3600


@dataclass(frozen=True, slots=True)
class NewRequest:
    """What is asked for: access to a document, or the extension of a grant. Times are UTC seconds."""

    reason: str
    document_id: str | None = None  # of an access
    abilities: tuple[str, ...] = ()  # of an access; `view` is always included
    grant_id: str | None = None  # of an extension
    not_after: int | None = None  # None: an extension by `EXTENSION_S`


_r = access_requests
_OPEN = select(_r.c.document_id).where(
    _r.c.membership_id == bindparam("own", type_=Text),
    _r.c.state == OPEN,
    _r.c.lapses_at > bindparam("now", type_=BigInteger),
)
_PART = select(parts.c.id, parts.c.key_id, parts.c.field_key).where(parts.c.id == bindparam("part"))
_ADD = insert(_r)


async def create(services: Services, caller: Caller, new: NewRequest) -> AccessRequest:
    """Ask for access to a document, or for the extension of a grant.

    Raises:
        NotFoundError: nothing that the asker may know of.
        BadInputError: abilities, reason or time are not of their form, or the time does not fit.
        AboveCeilingError: the asker's role may never hold one of the abilities on such a document.
        ExistsError: he holds it already, or has asked for this document and waits for the answer.
        TooManyAccessRequestsError: `MOST_OPEN` of his requests wait for answers.
    """
    reason = names.text(new.reason, "reason")
    wanted = Ability.VIEW if new.document_id is None else grants.bits(new.abilities)

    def change(act: Act) -> Any:
        request = {
            "document": new.document_id,
            "grant": new.grant_id,
            "abilities": int(wanted),
            "not_after": new.not_after,
            "reason": reason,
        }
        return find(act, act.once("access_request", request, lambda: _create(act, new, wanted, reason)))

    subject = Subject(via=new.grant_id or "") if new.document_id is None else Subject(document=new.document_id)
    done = await perform(services, caller, Action.ACCESS_REQUEST_CREATE, subject, change)
    return opened(NameReader(services.keys, done.authorised), done.result, done.recorded.moment.s)


def _create(act: Act, new: NewRequest, wanted: Ability, reason: str) -> str:
    document, now = act.decision.row, act.moment.s
    recipient = recipients.find(
        act.tx,
        now,
        firm_id=act.firm_id,
        engagement_id=document.engagement_id,
        matter_id=document.matter_id,
        membership_id=act.actor.membership_id,
    )
    abilities, ends = _asked(act, new, wanted)
    word = grants.above_ceiling(act, act.decision.row, recipient.role, abilities)
    if word is not None:
        raise AboveCeilingError(
            f"The role {recipient.role} may never hold {word} on papers like this one. Ask for less.",
            extra={"role": recipient.role, "ability": word},
        )
    recipients.term(recipient, now, None, ends)
    waiting = [row.document_id for row in act.tx.all(_OPEN, own=recipient.membership_id, now=now)]
    if document.id in waiting:
        raise ExistsError("You have asked for this document already. Wait for the answer, or withdraw that request.")
    if len(waiting) >= MOST_OPEN:
        raise TooManyAccessRequestsError
    return _write(act, EXTENSION if new.document_id is None else ACCESS, abilities, ends, reason)


def _asked(act: Act, new: NewRequest, wanted: Ability) -> tuple[Ability, int]:
    """Return all that the member would hold in the end, and until when: what he has and what he asks for besides."""
    now, earliest = act.moment.s, 0
    ends = new.not_after
    if new.document_id is None:
        grant = grants.extendable(act, new.grant_id or "")
        if grant is None:
            raise NotFoundError
        wanted |= Ability(grant.abilities)
        earliest = max(now, grant.not_after) + EXTENSION_S
        ends = earliest if ends is None else ends
    if ends is None:
        raise BadInputError("not_after: say until when.", extra={"field": "not_after"})
    held = grants.standing(act, act.actor.membership_id)
    if held is not None:
        wanted |= Ability(held.abilities)
        earliest = max(earliest, held.not_after)
        if (int(wanted), ends) == (held.abilities, held.not_after):
            raise ExistsError("You hold this already, until then. Ask for more of it, or for longer.")
    if ends < earliest:
        shown = recipients.shown(earliest)
        detail = f"not_after: ask for no less than you have, an extension by 30 minutes at least. Earliest: {shown}."
        raise BadInputError(detail, extra={"field": "not_after", "earliest": shown})
    return wanted, ends


def _write(act: Act, kind: str, abilities: Ability, ends: int, reason: str) -> str:
    document, now = act.decision.row, act.moment.s
    request_id, part = act.new_id("acr"), Holder(*act.tx.one(_PART, part=document.part_id))
    lapses_at = min(ends, now + act.services.settings.access_request_days * DAY_S)
    act.tx.run(
        _ADD,
        id=request_id,
        firm_id=act.firm_id,
        engagement_id=document.engagement_id,
        membership_id=act.actor.membership_id,
        part_id=document.part_id,
        document_id=document.id,
        kind=kind,
        abilities=int(abilities),
        not_after=ends,
        reason=act.seal(part, "access_requests", "reason", request_id, reason),
        asked_at=now,
        lapses_at=lapses_at,
        state=OPEN,
        answered_by=None,
        answered_at=None,
        note=None,
        grant_id=None,
        version=1,
    )
    act.record(
        EventType.ACCESS_REQUEST_CREATED,
        {"access_request": request_id, "membership": act.actor.membership_id, "person": act.actor.person_id},
        {"kind": kind, "abilities": list(words_of(abilities)), "not_after": ends, "lapses_at": lapses_at},
        act.payload(part, {"reason": reason}),
    )
    return request_id


async def withdraw(services: Services, caller: Caller, request_id: str) -> AccessRequest:
    """Take one's own request back.

    Raises:
        BadStateError: it is answered, withdrawn or has lapsed.
        PreconditionMissingError, StaleError: If-Match.
    """

    def whose(tx: Tx, actor: Actor) -> Subject:
        place = tx.one(PLACE, request=request_id, firm=actor.firm_id) if is_id(request_id, "acr") else None
        return subject_of(request_id) if place is None else Subject(person=place.person_id)

    def change(act: Act) -> Any:
        row = find(act, request_id)
        if row.membership_id != act.actor.membership_id:
            raise NotFoundError
        require_open(act, row)
        close(act, row, WITHDRAWN)
        act.record(EventType.ACCESS_REQUEST_WITHDRAWN, subjects(row))
        return find(act, request_id)

    done = await perform(services, caller, Action.ACCESS_REQUEST_WITHDRAW, whose, change)
    return opened(NameReader(services.keys, done.authorised), done.result, done.recorded.moment.s)

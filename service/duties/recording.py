"""Evidence that a duty is met, as the firm records it; waivers; and ending either early.

Rules kept here:

* a duty is recorded of its own subject: a person who is a member, the engagement's vendor, a matter with a part in it;
  it counts in this engagement alone, from when to when the evidence holds;
* what may be waived is waived once a subject, kind and engagement, for `WAIVER_S`, with a reason, and only while the
  engagement demands it and nothing puts it in force;
* an NDA is signed, never recorded; it ends when a newer text bites, or with the membership;
* a matter's duty is an act on engagement and matter: nobody records for a matter that is not his, or behind a wall.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import BigInteger, bindparam, select, update

from service import names
from service.acts import Act, Caller, perform
from service.db.ids import is_id
from service.db.models import ANY, FOREVER, duties, engagements, memberships, parts
from service.door import NameReader
from service.duties.reading import Recorded, found, opened
from service.duties.rows import ADD, AGREEMENT_DUTIES
from service.errors import BadInputError, BadStateError, ExistsError, NotFoundError
from service.events import EventType
from service.scoping.actions import WAIVABLE, WAIVER_S, Action, Duty, Side
from service.scoping.decide import Subject
from service.scoping.duties import MATTER_DUTIES, PERSON_DUTIES
from service.scoping.facts import word
from service.services import Services


@dataclass(frozen=True, slots=True)
class NewEvidence:
    """What was shown to the firm of whom. Times are UTC seconds."""

    duty: str  # a word
    person_id: str | None  # for a person's duty
    matter_id: str | None  # for a matter's; a vendor's is the engagement's vendor's
    valid_from: int | None  # None: from now on
    valid_until: int | None  # None: no end of its own
    note: str


@dataclass(frozen=True, slots=True)
class NewWaiver:
    """What shall not be asked of whom for a while."""

    duty: str  # a word
    person_id: str | None  # for a person's duty
    reason: str


_NOW: Final = bindparam("now", type_=BigInteger)
_ENGAGEMENT: Final = select(engagements.c.vendor_id, engagements.c.owed).where(
    engagements.c.id == bindparam("engagement"), engagements.c.firm_id == bindparam("firm")
)
_MEMBER: Final = select(memberships.c.id).where(
    memberships.c.engagement_id == bindparam("engagement"),
    memberships.c.person_id == bindparam("person"),
    memberships.c.side == Side.VENDOR.value,
    memberships.c.ends_at > _NOW,
)
_PART: Final = select(parts.c.id).where(
    parts.c.engagement_id == bindparam("engagement"), parts.c.matter_id == bindparam("matter")
)
_SAME: Final = select(duties.c.waived, duties.c.valid_from, duties.c.valid_until).where(
    duties.c.engagement_id.in_([bindparam("engagement"), word(ANY)]),
    duties.c.subject_id == bindparam("subject"),
    duties.c.kind == bindparam("duty"),
)
_END: Final = (
    update(duties)
    .where(duties.c.id == bindparam("ended"))
    .values(valid_until=bindparam("end"), version=duties.c.version + 1)
)


async def record(services: Services, caller: Caller, engagement_id: str, new: NewEvidence) -> Recorded:
    """Record that a duty is met, and by what.

    Raises:
        BadInputError: no such duty, one that is signed, another subject than it has, or times that do not fit.
        NotFoundError: no such member, or no part of this matter, in this engagement.
    """
    duty, note = _duty(new.duty), names.text(new.note, "note")
    _require_form(duty, new)

    def change(act: Act) -> Any:
        request = {"engagement": engagement_id, **{field: getattr(new, field) for field in NewEvidence.__slots__}}
        return found(act, act.once("duty", request, lambda: _record(act, engagement_id, duty, new, note)))

    subject = Subject(engagement=engagement_id, matter=new.matter_id)
    done = await perform(services, caller, Action.DUTY_RECORD, subject, change)
    return opened(NameReader(services.keys, done.authorised), *done.result)


async def waive(services: Services, caller: Caller, engagement_id: str, new: NewWaiver) -> Recorded:
    """Do not ask for a duty for `WAIVER_S`, once, with a reason.

    Raises:
        BadInputError: it can never be waived, or another subject than it has.
        NotFoundError: no such member in this engagement.
        BadStateError: the engagement does not demand it, or it is in force.
        ExistsError: it was waived before.
    """
    duty, reason = _duty(new.duty), names.text(new.reason, "reason")
    if duty not in WAIVABLE:
        raise _bad("duty", f"{new.duty} is never waived. Record what shows that it is met.")
    _require_subject(duty, new.person_id, None)

    def change(act: Act) -> Any:
        request = {"engagement": engagement_id, **{field: getattr(new, field) for field in NewWaiver.__slots__}}
        return found(act, act.once("waiver", request, lambda: _waive(act, engagement_id, duty, new, reason)))

    done = await perform(services, caller, Action.DUTY_WAIVE, Subject(engagement=engagement_id), change)
    return opened(NameReader(services.keys, done.authorised), *done.result)


async def end(services: Services, caller: Caller, duty_id: str) -> Recorded:
    """End what was recorded or waived now: from this second it counts no more.

    Raises:
        BadStateError: it is over already, or rests on a signature.
        PreconditionMissingError, StaleError: If-Match.
    """

    def change(act: Act) -> Any:
        row, now = found(act, duty_id)[1], act.moment.s
        act.require_version(row.id, row.version)
        if row.evidence_id != row.id:
            raise BadStateError("A signature is not ended by hand. Publish a newer text, or suspend the member.")
        if row.valid_until <= now:
            raise BadStateError("This duty is over already.")
        act.tx.run(_END, ended=row.id, end=now)
        act.record(EventType.DUTY_ENDED, _subjects(row.id, row.engagement_id, row.subject_id), {"valid_until": now})
        return found(act, duty_id)

    subject = Subject(via=duty_id if is_id(duty_id, "dut") else "")
    done = await perform(services, caller, Action.DUTY_END, subject, change)
    return opened(NameReader(services.keys, done.authorised), *done.result)


def _record(act: Act, engagement_id: str, duty: Duty, new: NewEvidence, note: str) -> str:
    now = act.moment.s
    begins, ends = now if new.valid_from is None else new.valid_from, new.valid_until or FOREVER
    if ends <= max(begins, now):
        raise _bad("valid_until", "must lie ahead, and be later than valid_from.")
    subject_id = _subject_of(act, engagement_id, duty, new.person_id, new.matter_id)
    return _write(act, EventType.DUTY_RECORDED, engagement_id, duty, subject_id, (begins, ends), note)


def _waive(act: Act, engagement_id: str, duty: Duty, new: NewWaiver, reason: str) -> str:
    now = act.moment.s
    subject_id = _subject_of(act, engagement_id, duty, new.person_id, None)
    if not act.tx.one(_ENGAGEMENT, engagement=engagement_id, firm=act.firm_id).owed & duty:
        raise BadStateError("This engagement does not demand it: there is nothing to waive.")
    same = act.tx.all(_SAME, engagement=engagement_id, subject=subject_id, duty=int(duty))
    if any(row.waived for row in same):
        raise ExistsError("It was waived here once. Record what shows that it is met.")
    if any(row.valid_from <= now < row.valid_until for row in same):
        raise BadStateError("It is in force: there is nothing to waive.")
    return _write(act, EventType.DUTY_WAIVED, engagement_id, duty, subject_id, (now, now + WAIVER_S), reason)


def _write(
    act: Act, kind: EventType, engagement_id: str, duty: Duty, subject_id: str, term: tuple[int, int], note: str
) -> str:
    firm, duty_id = act.firm(), act.new_id("dut")
    payload = act.payload(firm, {"note": note})
    act.tx.run(
        ADD,
        id=duty_id,
        firm_id=act.firm_id,
        kind=int(duty),
        subject_id=subject_id,
        engagement_id=engagement_id,
        evidence_id=duty_id,
        evidence_sha256=payload.commitment,
        valid_from=term[0],
        valid_until=term[1],
        note=act.seal(firm, "duties", "note", duty_id, note),
        waived=1 if kind is EventType.DUTY_WAIVED else None,
        recorded_by=act.actor.membership_id,
        version=1,
    )
    data: dict[str, str | int | bool | list[str]] = {"duty": str(duty.name).lower(), "valid_from": term[0]}
    data["valid_until"] = term[1]
    act.record(kind, _subjects(duty_id, engagement_id, subject_id), data, payload)
    return duty_id


def _subjects(duty_id: str, engagement_id: str, subject_id: str) -> dict[str, str]:
    noun = {"per": "person", "mtr": "matter"}.get(subject_id[:3], "vendor")
    return {"duty": duty_id, "engagement": engagement_id, noun: subject_id}


def _subject_of(act: Act, engagement_id: str, duty: Duty, person_id: str | None, matter_id: str | None) -> str:
    """Whose duty it is: the member's, the part's matter, or the engagement's vendor."""
    row = act.tx.one(_ENGAGEMENT, engagement=engagement_id, firm=act.firm_id)
    if duty in PERSON_DUTIES:
        there = act.tx.one(_MEMBER, engagement=engagement_id, person=person_id, now=act.moment.s)
    elif duty in MATTER_DUTIES:
        there = act.tx.one(_PART, engagement=engagement_id, matter=matter_id)
    else:
        there = row
    if row is None or there is None:
        raise NotFoundError
    return str(person_id or matter_id or row.vendor_id)


def _duty(word: str) -> Duty:
    found_duty = Duty.__members__.get(word.upper()) if word == word.lower() else None
    if found_duty is None:
        raise _bad("duty", "send a word of the vocabulary (docs/words.md).")
    return found_duty


def _require_form(duty: Duty, new: NewEvidence) -> None:
    if duty in AGREEMENT_DUTIES:
        raise _bad("duty", "this one is met by signing, not by recording.")
    _require_subject(duty, new.person_id, new.matter_id)


def _require_subject(duty: Duty, person_id: str | None, matter_id: str | None) -> None:
    """Refuse a subject that is not of the duty's kind: evidence of the wrong one would count for nobody."""
    if (person_id is not None) != (duty in PERSON_DUTIES):
        raise _bad("person_id", "name a person for a duty of a person, and for no other.")
    if (matter_id is not None) != (duty in MATTER_DUTIES):
        raise _bad("matter_id", "name a matter for a duty of a matter, and for no other.")


def _bad(field: str, sentence: str) -> BadInputError:
    return BadInputError(f"{field}: {sentence}", extra={"field": field})

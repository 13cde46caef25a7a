"""Sealing a standby share ahead, and taking it back.

Rules kept here:

* each paper is decided as a share of it would be (`grant:create`), and is within the member's ceiling;
* it may be opened until `valid_until`: at most 14 days, and never beyond membership or engagement; once opened it lasts
  4 hours at most.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import bindparam, insert, select, update

from service import grants, names, recipients
from service.acts import Act, Caller, perform
from service.db.models import FOREVER, parts, standbys
from service.db.models import grants as grant_rows
from service.door import Holder, NameReader
from service.errors import BadInputError, BadStateError, NotFoundError
from service.events import EventType
from service.scoping.actions import Ability, Action, words_of
from service.scoping.decide import Subject
from service.services import Services
from service.standbys.reading import Found, Standby, found, of_part, opened, state_of

LONGEST_S: Final = 4 * 3600  # once opened
AHEAD_S: Final = 14 * 24 * 3600  # before it is opened
MOST_DOCUMENTS: Final = 20


@dataclass(frozen=True, slots=True)
class NewStandby:
    """What a member may open for himself. Times are UTC seconds."""

    membership_id: str
    part_id: str
    documents: tuple[str, ...]
    abilities: tuple[str, ...]  # words; `view` is always included
    lasts_s: int  # seconds, once opened
    valid_until: int
    note: str


_PART: Final = select(parts.c.id, parts.c.key_id, parts.c.field_key, parts.c.matter_id).where(
    parts.c.id == bindparam("part"), parts.c.engagement_id == bindparam("engagement")
)
_ADD: Final = insert(standbys)
_END: Final = (
    update(standbys)
    .where(standbys.c.id == bindparam("standby"))
    .values(ended_at=bindparam("end"), version=standbys.c.version + 1)
)
_LIVE: Final = select(grant_rows.c.id, grant_rows.c.document_id).where(
    grant_rows.c.membership_id == bindparam("membership"),
    grant_rows.c.standby_id == bindparam("standby"),
    grant_rows.c.not_after > bindparam("now"),
    grant_rows.c.revoked_at > bindparam("now"),
)


async def create(services: Services, caller: Caller, engagement_id: str, new: NewStandby) -> Standby:
    """Seal a standby share for a member.

    Raises:
        BadInputError: no papers or too many, abilities, note or times that are not of their form or reach too far.
        NotFoundError: part, membership or a paper do not belong to this engagement, or not to this part.
        BadStateError: a paper is not confirmed, the membership has ended, or a wall stands.
        AboveCeilingError: the role may never hold one of the papers with these abilities.
    """
    note, abilities = names.text(new.note, "note"), grants.bits(new.abilities)
    if not 1 <= len(set(new.documents)) == len(new.documents) <= MOST_DOCUMENTS:
        raise _bad("documents", f"name each once, and {MOST_DOCUMENTS} at most.")
    if not 1 <= new.lasts_s <= LONGEST_S:
        raise _bad("lasts_s", f"send 1 to {LONGEST_S} seconds.")

    def change(act: Act) -> Found:
        request = {"engagement": engagement_id, **{name: getattr(new, name) for name in NewStandby.__slots__}}
        return found(act, act.once("standby", request, lambda: _create(act, engagement_id, new, abilities, note)))

    subject = Subject(part=new.part_id, engagement=engagement_id)
    done = await perform(services, caller, Action.STANDBY_CREATE, subject, change)
    return opened(NameReader(services.keys, done.authorised), *done.result)


async def end(services: Services, caller: Caller, standby_id: str) -> Standby:
    """Withdraw a standby share; what was opened with it closes at once.

    Raises:
        BadStateError: it is over already.
        PreconditionMissingError, StaleError: If-Match.
    """

    def change(act: Act) -> Found:
        row, _, now = found(act, standby_id)
        act.require_version(standby_id, row.version)
        if state_of(row, now) not in {"sealed", "open"}:
            raise BadStateError("This standby share is over already.")
        finish(act, row)
        return found(act, standby_id)

    done = await perform(services, caller, Action.STANDBY_END, of_part(standby_id), change)
    return opened(NameReader(services.keys, done.authorised), *done.result)


def finish(act: Act, row: Any) -> None:
    """End a standby share now, and every grant that was made with it."""
    now = act.moment.s
    act.tx.run(_END, standby=row.id, end=now)
    act.record(EventType.STANDBY_ENDED, subjects(row), {"ended_at": now})
    live = act.tx.all(_LIVE, membership=row.membership_id, standby=row.id, now=now)
    grants.end_all(act, {grant.id: {**subjects(row), "document": grant.document_id} for grant in live})


def subjects(row: Any) -> dict[str, str]:
    """The ids of a standby share and of where it lies, as entries name them."""
    return {
        "engagement": row.engagement_id,
        "part": row.part_id,
        "matter": row.matter_id,
        "membership": row.membership_id,
        "person": row.person_id,
        "standby": row.id,
    }


def _create(act: Act, engagement_id: str, new: NewStandby, abilities: Ability, note: str) -> str:
    part, now = act.tx.one(_PART, part=new.part_id, engagement=engagement_id), act.moment.s
    if part is None:
        raise NotFoundError
    place = {"firm_id": act.firm_id, "engagement_id": engagement_id, "matter_id": part.matter_id}
    recipient = recipients.find(act.tx, now, **place, membership_id=new.membership_id)
    recipients.term(recipient, now, None, new.valid_until, "valid_until")
    if new.valid_until > now + AHEAD_S:
        raise _bad("valid_until", "at most 14 days ahead.")
    for document_id in new.documents:
        document = act.require(Action.GRANT_CREATE, Subject(document=document_id)).row
        if document.part_id != part.id:
            raise NotFoundError
        grants.require_shareable(act, document, recipient.role, abilities)
    holder, standby_id = Holder(part.id, part.key_id, part.field_key), act.new_id("sby")
    act.tx.run(
        _ADD,
        id=standby_id,
        firm_id=act.firm_id,
        engagement_id=engagement_id,
        membership_id=recipient.membership_id,
        part_id=part.id,
        documents=" ".join(new.documents),
        abilities=int(abilities),
        lasts_s=new.lasts_s,
        valid_until=new.valid_until,
        note=act.seal(holder, "standbys", "note", standby_id, note),
        sealed_by=act.actor.membership_id,
        sealed_at=now,
        ended_at=FOREVER,
        opened_at=None,
        closes_at=None,
        reason=None,
        version=1,
    )
    about = {"engagement": engagement_id, "part": part.id, "matter": part.matter_id, "standby": standby_id}
    about |= {"membership": recipient.membership_id, "person": recipient.person_id}
    data: dict[str, str | int | bool | list[str]] = {"documents": list(new.documents)}
    data |= {"abilities": list(words_of(abilities)), "lasts_s": new.lasts_s, "valid_until": new.valid_until}
    act.record(EventType.STANDBY_SEALED, about, data, act.payload(holder, {"note": note}))
    return standby_id


def _bad(field: str, sentence: str) -> BadInputError:
    return BadInputError(f"{field}: {sentence}", extra={"field": field})

"""Saying that a paper was not meant for oneself: what was granted of it ends in the same transaction."""

from __future__ import annotations

from typing import Any, Final

from sqlalchemy import bindparam, insert, select

from service import grants, names
from service.acts import Act, Caller, perform
from service.db import models
from service.db.models import FOREVER, documents, memberships, misdirections, parts
from service.door import Holder, NameReader
from service.errors import BadStateError
from service.events import EventType
from service.misdirections.rows import Misdirection, find, opened, subjects
from service.origins import Origin
from service.scoping.actions import Action
from service.scoping.decide import Subject
from service.services import Services

_g = models.grants
# Of the person, whatever membership was handed it: who has two seats in an engagement has one pair of eyes.
_LIVE: Final = (
    select(
        _g.c.id,
        _g.c.membership_id,
        _g.c.task_id,
        _g.c.bulk_id,
        _g.c.standing_id,
        _g.c.standby_id,
        memberships.c.person_id,
        documents.c.id.label("document_id"),
        documents.c.engagement_id,
        documents.c.part_id,
        documents.c.matter_id,
    )
    .select_from(
        _g.join(memberships, memberships.c.id == _g.c.membership_id).join(documents, documents.c.id == _g.c.document_id)
    )
    .where(
        _g.c.document_id == bindparam("document"),
        memberships.c.person_id == bindparam("person"),
        _g.c.not_after > bindparam("now"),
        _g.c.revoked_at > bindparam("now"),
    )
    .order_by(_g.c.id)
)
_PART: Final = select(parts.c.id, parts.c.key_id, parts.c.field_key).where(parts.c.id == bindparam("part"))
_ADD: Final = insert(misdirections)


async def say(services: Services, caller: Caller, document_id: str, note: str | None) -> Misdirection:
    """Say that a paper was not meant for the caller: from now on it is closed to him.

    Said twice, the second answers as for a paper that he was never granted.

    Raises:
        NotFoundError: he cannot see it.
        BadStateError: nobody has confirmed it: it is his own, to be taken back.
        BadInputError: the note is not of its form.
    """
    said = None if note is None else names.text(note, "note")

    def change(act: Act) -> Any:
        if act.decision.row.state != grants.CONFIRMED:
            raise BadStateError("You added this paper yourself, and nobody has confirmed it. Take it back instead.")
        return find(act, _say(act, said))

    done = await perform(services, caller, Action.MISDIRECTION_CREATE, Subject(document=document_id), change)
    return opened(NameReader(services.keys, done.authorised), done.result, None)


def _say(act: Act, note: str | None) -> str:
    document, now, made = act.decision.row, act.moment.s, act.new_id("msd")
    part = Holder(*act.tx.one(_PART, part=document.part_id))
    act.tx.run(
        _ADD,
        id=made,
        firm_id=act.firm_id,
        engagement_id=document.engagement_id,
        document_id=document.id,
        membership_id=act.actor.membership_id,
        person_id=act.actor.person_id,
        note=None if note is None else act.seal(part, "misdirections", "note", made, note),
        said_at=now,
        closed_until=FOREVER,
        acknowledged_by=None,
        acknowledged_at=None,
        answer=None,
        version=1,
    )
    row = find(act, made)
    payload = None if note is None else act.payload(part, {"note": note})
    act.record(EventType.MISDIRECTION_CREATED, subjects(row), {"said_at": now}, payload)
    live = act.tx.all(_LIVE, document=document.id, person=act.actor.person_id, now=now)
    # The misdirection is named: who reads the log sees that he closed it himself.
    grants.end_all(act, {grant.id: {**subjects(row), **_of(grant)} for grant in live})
    return made


def _of(grant: Any) -> dict[str, str | None]:
    made_with = Origin(grant.task_id, grant.bulk_id, grant.standing_id, grant.standby_id)
    return {"membership": grant.membership_id, **made_with.ids()}

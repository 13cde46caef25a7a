"""Acknowledging: an attorney of the matter has seen it, and says whether it was meant for the member after all."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import bindparam, update

from service import names
from service.acts import Act, Caller, perform
from service.db.ids import is_id
from service.db.models import misdirections
from service.door import Holder, NameReader
from service.errors import BadStateError
from service.events import EventType
from service.misdirections.reading import tell
from service.misdirections.rows import Misdirection, find, subjects
from service.scoping.actions import Action
from service.scoping.decide import Subject
from service.services import Services

_CLOSE: Final = (
    update(misdirections)
    .where(misdirections.c.id == bindparam("misdirection"))
    .values(
        acknowledged_by=bindparam("by"),
        acknowledged_at=bindparam("at"),
        answer=bindparam("sealed"),
        closed_until=bindparam("until"),
        version=misdirections.c.version + 1,
    )
)


@dataclass(frozen=True, slots=True)
class Acknowledgment:
    """What the attorney says; `answer` is told to the member.

    Args:
        meant: it was meant for him: nothing of it stands in the way of handing it to him again. A coordinator has it
            back at once; a vendor's member by a new grant, which is another act.
    """

    answer: str | None
    meant: bool


async def acknowledge(services: Services, caller: Caller, misdirection_id: str, said: Acknowledgment) -> Misdirection:
    """Close a misdirection, once.

    Raises:
        BadStateError: it was acknowledged already.
        BadInputError: the answer is not of its form.
        PreconditionMissingError, StaleError: If-Match.
    """
    answer = None if said.answer is None else names.text(said.answer, "answer")

    def change(act: Act) -> Any:
        row, now = find(act, misdirection_id), act.moment.s
        act.require_version(row.id, row.version)
        if row.acknowledged_at is not None:
            raise BadStateError("This was acknowledged already.")
        part = Holder(row.part_id, row.key_id, row.field_key)
        sealed = None if answer is None else act.seal(part, "misdirections", "answer", row.id, answer)
        until = now if said.meant else row.closed_until
        act.tx.run(_CLOSE, misdirection=row.id, by=act.actor.membership_id, at=now, sealed=sealed, until=until)
        payload = None if answer is None else act.payload(part, {"answer": answer})
        about = {"acknowledged_at": now, "closed_until": until}
        act.record(EventType.MISDIRECTION_ACKNOWLEDGED, subjects(row), about, payload)
        return find(act, misdirection_id)

    subject = Subject(via=misdirection_id if is_id(misdirection_id, "msd") else "")
    done = await perform(services, caller, Action.MISDIRECTION_ACKNOWLEDGE, subject, change)
    return (await tell(services, caller, NameReader(services.keys, done.authorised), [(done.result, True)]))[0]

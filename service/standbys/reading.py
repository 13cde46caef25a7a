"""Reading standby shares.

Rules kept here:

* a vendor person reads his own only, and of their papers label and number alone: titles open with the papers; and
  nothing of a paper that he could not see for want of a duty of its matter;
* a firm person reads those of matters that he is named on and not walled from, with the reason of an opening.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final, NamedTuple

from sqlalchemy import BigInteger, bindparam, select

from service.acts import Act, Caller, perform
from service.db.ids import is_id
from service.db.models import documents, memberships, parts, standbys
from service.db.session import Tx
from service.door import Holder, NameReader
from service.errors import NotFoundError
from service.paging import Page, Window, page
from service.scoping import affairs, facts, lacking
from service.scoping.actions import Ability, Action, Side, words_of
from service.scoping.actors import Actor
from service.scoping.decide import Subject
from service.services import Services


class Paper(NamedTuple):
    """What is told of a paper: its id, number in the engagement, and label; never its title."""

    id: str
    number: int
    label: str


@dataclass(frozen=True, slots=True)
class Standby:
    """A standby share. Times are UTC seconds.

    Args:
        state: sealed, open, closed (it was opened), withdrawn or lapsed (it never was), at the time of the answer.
        reason: why it was opened; None before.
    """

    id: str
    engagement_id: str
    membership_id: str
    person_id: str
    part_id: str
    papers: tuple[Paper, ...]
    abilities: tuple[str, ...]
    lasts_s: int  # seconds
    valid_until: int
    note: str
    sealed_by: str  # a membership
    state: str
    opened_at: int | None
    closes_at: int | None
    reason: str | None
    version: int


_s = standbys
_ROWS: Final = (
    select(_s, memberships.c.person_id, parts.c.matter_id, parts.c.key_id, parts.c.field_key)
    .select_from(
        _s.join(parts, parts.c.id == _s.c.part_id)
        .join(memberships, memberships.c.id == _s.c.membership_id)
        .join(facts.e, facts.e.c.id == _s.c.engagement_id)
    )
    .where(
        _s.c.firm_id == facts.FIRM,
        facts.e.c.status != "disposed",  # the key of what was said is destroyed
        affairs.concern(_s.c.membership_id, parts.c.matter_id),
    )
)
_ONE: Final = _ROWS.where(_s.c.id == bindparam("standby"))
_SOME: Final = (
    _ROWS.where(_s.c.engagement_id == bindparam("engagement"), _s.c.id > bindparam("after"))
    .order_by(_s.c.id)
    .limit(bindparam("most", type_=BigInteger))
)
_PLACE: Final = select(_s.c.engagement_id).where(
    _s.c.id == bindparam("standby"), _s.c.firm_id == bindparam("firm"), _s.c.membership_id == bindparam("own")
)
_PAPER: Final = select(documents.c.id, documents.c.number, documents.c.label).where(
    documents.c.id == bindparam("document"),
    documents.c.state == "confirmed",  # what was moved since is here no more
)

Found = tuple[Any, tuple[Paper, ...], int]
"""A row with its papers and the time, in UTC seconds."""


async def read(services: Services, caller: Caller, standby_id: str) -> Standby:
    """Read one standby share."""
    done = await perform(services, caller, Action.STANDBY_LIST, place(standby_id), lambda act: found(act, standby_id))
    return opened(NameReader(services.keys, done.authorised), *done.result)


async def list_all(services: Services, caller: Caller, engagement_id: str, asked: Window) -> Page[Standby]:
    """List the standby shares of an engagement that the caller may know of, oldest first, those over too."""

    def change(act: Act) -> Page[Found]:
        bounds = {"engagement": engagement_id, "after": asked.after, "most": asked.limit + 1}
        rows = page(act.tx.all(_SOME, **affairs.eyes(act.actor, act.moment.s), **bounds), asked)
        act.list_out([row.id for row in rows.items])
        told: Page[Found] = rows.map(lambda row: (row, _papers(act, row), act.moment.s))
        return told

    done = await perform(services, caller, Action.STANDBY_LIST, Subject(engagement=engagement_id), change)
    reader = NameReader(services.keys, done.authorised)
    listed: Page[Standby] = done.result.map(lambda each: opened(reader, *each))
    return listed


def place(standby_id: str) -> Any:
    """Where reading and opening are decided: a vendor person's own engagement, a firm person's matter part.

    To a vendor person somebody else's is not there: else "sign first" would tell that it is.
    """

    def find(tx: Tx, actor: Actor) -> Subject:
        if actor.side == Side.FIRM:
            return of_part(standby_id)
        known = is_id(standby_id, "sby")  # what is no id never reaches SQL
        own = known and tx.value(_PLACE, standby=standby_id, firm=actor.firm_id, own=actor.membership_id)
        return Subject(engagement=own or standby_id)

    return find


def of_part(standby_id: str) -> Subject:
    """The part of a standby share; an id of another kind stands for nothing here."""
    return Subject(via=standby_id if is_id(standby_id, "sby") else "")


def found(act: Act, standby_id: str) -> Found:
    """Return a standby share that the actor may know of.

    Raises:
        NotFoundError: there is none.
    """
    row = act.tx.one(_ONE, standby=standby_id, **affairs.eyes(act.actor, act.moment.s))
    if row is None:
        raise NotFoundError
    act.show([standby_id])
    return row, _papers(act, row), act.moment.s


def state_of(row: Any, now_s: int) -> str:
    """How a standby share stands at a time."""
    if row.opened_at is not None:
        return "open" if now_s < min(row.closes_at, row.ended_at) else "closed"
    if row.ended_at <= now_s:
        return "withdrawn"
    return "sealed" if now_s < row.valid_until else "lapsed"


def opened(reader: NameReader, row: Any, papers: tuple[Paper, ...], now_s: int) -> Standby:
    """Open note and reason of a row."""
    part = Holder(row.part_id, row.key_id, row.field_key)
    reason = None if row.reason is None else reader.open(part, "standbys", "reason", row.id, row.reason)
    return Standby(
        id=row.id,
        engagement_id=row.engagement_id,
        membership_id=row.membership_id,
        person_id=row.person_id,
        part_id=row.part_id,
        papers=papers,
        abilities=words_of(Ability(row.abilities)),
        lasts_s=row.lasts_s,
        valid_until=row.valid_until,
        note=reader.open(part, "standbys", "note", row.id, row.note),
        sealed_by=row.sealed_by,
        state=state_of(row, now_s),
        opened_at=row.opened_at,
        closes_at=None if row.closes_at is None else min(row.closes_at, row.ended_at),
        reason=reason,
        version=row.version,
    )


def _papers(act: Act, row: Any) -> tuple[Paper, ...]:
    """The papers that the actor is told of: a member of none that he could not see for want of a matter's duty."""
    each = (act.tx.one(_PAPER, document=document_id) for document_id in row.documents.split(" "))
    papers = tuple(Paper(*paper) for paper in each if paper is not None)
    if act.actor.side == Side.FIRM:
        return papers
    matrix, labels = act.services.matrix.current, {paper.label for paper in papers}
    shut = lacking.shut_labels(act.tx, matrix, act.moment, act.actor, row.part_id, labels)
    return tuple(paper for paper in papers if paper.label not in shut)

"""Disclosures: an attorney opens the titles of some papers to one reviewer, for a time and with a reason.

Rules kept here:

* one row a paper; what was opened together shares its reason, and each ends by itself. Each paper is decided, so an
  attorney opens titles of his own matters alone;
* it is for one membership, of a role that may be told titles at all (the policy says which), for 30 days at most, and
  never beyond the membership's own end. It outlives the engagement's: reviewing goes on when the work is over;
* it stays in force when the attorney leaves: it was the firm's word and has an end. Another attorney of the matter may
  end it; a paper that is taken back, moved or destroyed shows nothing any more;
* a title is told in the register alone (`told`), where each is decided as `title:read` and is an entry of its own.

Source: docs/adr/0025-reviewing.md.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final, NamedTuple

from sqlalchemy import BigInteger, bindparam, insert, or_, select, update

from service import events, names, recipients
from service.acts import Act, Caller, perform, who
from service.db.ids import is_id
from service.db.models import FOREVER, disclosures, documents, engagements, memberships, parts
from service.db.session import Tx
from service.door import Holder, NameReader
from service.errors import BadInputError, BadStateError, NotFoundError
from service.events import EventType
from service.grants.ceilings import require_told_titles
from service.paging import Page, Window, page
from service.recipients import Recipient
from service.scoping import facts
from service.scoping.actions import Action, Side
from service.scoping.actors import Actor
from service.scoping.decide import Authorised, Subject, decide
from service.services import Services

MOST_DOCUMENTS: Final = 100
MOST_S: Final = 30 * 24 * 3600
"""How long, in seconds, titles are opened at most."""


@dataclass(frozen=True, slots=True)
class NewDisclosure:
    """Which titles are opened to whom, until when (UTC seconds) and why."""

    membership_id: str
    documents: tuple[str, ...]
    reason: str
    not_after: int


@dataclass(frozen=True, slots=True)
class Disclosure:
    """The title of one paper, opened to one reviewer; the reason opened. Times are UTC seconds, half-open."""

    id: str
    engagement_id: str
    document_id: str
    membership_id: str
    person_id: str
    reason: str
    not_before: int
    not_after: int
    ended_at: int  # FOREVER: not ended by anybody
    made_by: str  # a membership
    version: int


class Titles(NamedTuple):
    """Sealed titles that the asker was decided to be told, by document, and what opens them."""

    rows: dict[str, Any]
    authorised: Authorised


_s, _d = disclosures, documents
_NOW: Final = bindparam("now", type_=BigInteger)
_ROWS: Final = (
    select(_s, memberships.c.person_id, _d.c.matter_id, _d.c.part_id, parts.c.key_id, parts.c.field_key)
    .select_from(
        _s.join(_d, _d.c.id == _s.c.document_id)
        .join(parts, parts.c.id == _d.c.part_id)
        .join(memberships, memberships.c.id == _s.c.membership_id)
        .join(engagements, engagements.c.id == _s.c.engagement_id)
    )
    .where(
        _s.c.firm_id == bindparam("firm"),
        engagements.c.status != "disposed",  # the key of the reason is destroyed
        ~facts.walled(_d.c.matter_id),
        facts.on_team(_d.c.matter_id),
    )
)
_ONE: Final = _ROWS.where(_s.c.id == bindparam("disclosure"))
_SOME: Final = (
    _ROWS.where(_s.c.engagement_id == bindparam("engagement"), _s.c.id > bindparam("after"))
    .order_by(_s.c.id)
    .limit(bindparam("most"))
)
_PLACE: Final = select(_s.c.engagement_id).where(_s.c.id == bindparam("disclosure"), _s.c.firm_id == bindparam("firm"))
_REVIEWER: Final = select(
    memberships.c.id, memberships.c.person_id, memberships.c.role, memberships.c.starts_at, memberships.c.ends_at
).where(
    memberships.c.id == bindparam("membership"),
    memberships.c.firm_id == bindparam("firm"),
    memberships.c.side == Side.FIRM.value,
    or_(memberships.c.engagement_id.is_(None), memberships.c.engagement_id == bindparam("engagement")),
    or_(memberships.c.matter_id.is_(None), memberships.c.matter_id == bindparam("matter")),
)
_PART: Final = select(parts.c.id, parts.c.key_id, parts.c.field_key).where(parts.c.id == bindparam("part"))
_ADD: Final = insert(_s)
_END: Final = update(_s).where(_s.c.id == bindparam("disclosure")).values(ended_at=_NOW, version=_s.c.version + 1)
_TITLES: Final = (
    select(
        _s.c.id, _s.c.document_id, _s.c.not_after, _d.c.title, parts.c.id.label("part_id"), parts.c.key_id,
        parts.c.field_key,
    )
    .select_from(_s.join(_d, _d.c.id == _s.c.document_id).join(parts, parts.c.id == _d.c.part_id))
    .where(
        _s.c.membership_id == bindparam("membership"),
        _s.c.engagement_id == bindparam("engagement"),
        _s.c.document_id >= bindparam("first"),
        _s.c.document_id <= bindparam("last"),
        _s.c.not_before <= _NOW,
        _s.c.not_after > _NOW,
        _s.c.ended_at > _NOW,
    )
    .order_by(_s.c.document_id, _s.c.not_after, _s.c.id)
)  # fmt: skip


async def create(services: Services, caller: Caller, engagement_id: str, new: NewDisclosure) -> list[Disclosure]:
    """Open the titles of some papers of an engagement to a reviewer; returns one disclosure a paper, in their order.

    Raises:
        BadInputError: documents, reason or end are not of their form.
        NotFoundError: no such paper in this engagement, or no such membership that reaches it.
        AboveCeilingError: the role is never told titles.
        BadStateError: the membership has ended, or a wall stands in between.
    """
    reason, wanted = names.text(new.reason, "reason"), tuple(dict.fromkeys(new.documents))
    if not 1 <= len(wanted) <= MOST_DOCUMENTS:
        raise _bad("document_ids", f"name 1 to {MOST_DOCUMENTS} papers.")

    def change(act: Act) -> list[Any]:
        request = {
            "engagement": engagement_id,
            "membership": new.membership_id,
            "documents": wanted,
            "reason": reason,
            "not_after": new.not_after,
        }
        made = act.once("disclosure", request, lambda: " ".join(_create(act, engagement_id, new, wanted, reason)))
        return [_row(act, each) for each in made.split(" ")]

    done = await perform(services, caller, Action.DISCLOSURE_CREATE, Subject(document=wanted[0]), change)
    reader = NameReader(services.keys, done.authorised)
    return [_opened(reader, row) for row in done.result]


async def read(services: Services, caller: Caller, disclosure_id: str) -> Disclosure:
    """Read one."""

    def where(tx: Tx, actor: Actor) -> Subject:
        # Only whoever could be told of one learns that it is there; to all others no id of one is.
        told = services.matrix.current.role_may(actor.role, Action.DISCLOSURE_LIST) and is_id(disclosure_id, "dsc")
        place = told and tx.value(_PLACE, disclosure=disclosure_id, firm=actor.firm_id)
        return Subject(engagement=place or disclosure_id)

    done = await perform(services, caller, Action.DISCLOSURE_LIST, where, lambda act: _row(act, disclosure_id))
    return _opened(NameReader(services.keys, done.authorised), done.result)


async def list_all(services: Services, caller: Caller, engagement_id: str, asked: Window) -> Page[Disclosure]:
    """List the disclosures of an engagement, of the caller's own matters, oldest first, ended ones too."""

    def change(act: Act) -> Page[Any]:
        bounds = {"engagement": engagement_id, "after": asked.after, "most": asked.limit + 1}
        found = page(act.tx.all(_SOME, **_eyes(act), **bounds), asked)
        act.list_out([row.id for row in found.items])
        return found

    done = await perform(services, caller, Action.DISCLOSURE_LIST, Subject(engagement=engagement_id), change)
    reader, listed = NameReader(services.keys, done.authorised), done.result
    found: Page[Disclosure] = listed.map(lambda row: _opened(reader, row))
    return found


async def end(services: Services, caller: Caller, disclosure_id: str) -> Disclosure:
    """End one now: from this second on the title is not told.

    Raises:
        BadStateError: it is over already.
        PreconditionMissingError, StaleError: If-Match.
    """

    def change(act: Act) -> Any:
        row, now = _row(act, disclosure_id), act.moment.s
        act.require_version(row.id, row.version)
        if min(row.ended_at, row.not_after) <= now:
            raise BadStateError("This disclosure is over already.")
        act.tx.run(_END, disclosure=row.id, now=now)
        act.record(EventType.DISCLOSURE_ENDED, _subjects(row), {"ended_at": now})
        return _row(act, disclosure_id)

    subject = Subject(via=disclosure_id if is_id(disclosure_id, "dsc") else "")
    done = await perform(services, caller, Action.DISCLOSURE_END, subject, change)
    return _opened(NameReader(services.keys, done.authorised), done.result)


def told(act: Act, engagement_id: str, document_ids: Sequence[str]) -> Titles:
    """Decide which titles of these papers the actor is told, and record each.

    Args:
        document_ids: in order.
    """
    rows: dict[str, Any] = {}
    authorised = act.decision.authorised
    for row in _candidates(act, engagement_id, document_ids):
        decision = decide(
            act.tx,
            act.services.matrix.current,
            act.moment,
            act.actor,
            Action.TITLE_READ,
            Subject(document=row.document_id),
        )
        if decision.allowed:
            rows[row.document_id] = row
            authorised = authorised.joined(decision.authorised)
            by = who(act.actor, decision, act.caller.request_id)
            act.drafts.append(events.changed(EventType.TITLE_OPENED, by, {"disclosure": row.id}))
    return Titles(rows, authorised)


def title(reader: NameReader, row: Any) -> str:
    """Open the title of a row of `told`."""
    part = Holder(row.part_id, row.key_id, row.field_key)
    return reader.open(part, "documents", "title", row.document_id, row.title)


def _candidates(act: Act, engagement_id: str, document_ids: Sequence[str]) -> list[Any]:
    """The row that lasts longest for each of these papers."""
    if not document_ids:
        return []
    found = act.tx.all(
        _TITLES,
        membership=act.actor.membership_id,
        engagement=engagement_id,
        first=document_ids[0],
        last=document_ids[-1],
        now=act.moment.s,
    )
    shown = frozenset(document_ids)
    return list({row.document_id: row for row in found if row.document_id in shown}.values())


def _create(act: Act, engagement_id: str, new: NewDisclosure, wanted: Sequence[str], reason: str) -> list[str]:
    papers = [act.require(Action.DISCLOSURE_CREATE, Subject(document=each)).row for each in wanted]
    if any(paper.engagement_id != engagement_id for paper in papers):
        raise NotFoundError
    reviewer, *_ = [_reviewer(act, paper, new.membership_id) for paper in papers]  # of each paper's matter
    begins, ends = _term(act, reviewer, new.not_after)
    return [_write(act, reviewer, paper, reason, begins, ends) for paper in papers]


def _reviewer(act: Act, paper: Any, membership_id: str) -> Recipient:
    """Find to whom a title is opened: a membership of the firm's side that reaches this engagement and matter."""
    place = {"engagement": paper.engagement_id, "matter": paper.matter_id}
    row = act.tx.one(_REVIEWER, membership=membership_id, firm=act.firm_id, **place)
    if row is None:
        raise NotFoundError
    if row.ends_at <= act.moment.s:
        raise BadStateError("This membership has ended. Choose somebody who is still a member.")
    closes_at = min(row.ends_at, act.moment.s + MOST_S)
    return Recipient(row.id, row.person_id, row.role, row.starts_at, closes_at)


def _term(act: Act, reviewer: Recipient, not_after: int) -> tuple[int, int]:
    if not_after > act.moment.s + MOST_S:
        raise _bad("not_after", "titles are opened for 30 days at most.")
    return recipients.term(reviewer, act.moment.s, None, not_after)


def _write(act: Act, reviewer: Recipient, paper: Any, reason: str, begins: int, ends: int) -> str:
    require_told_titles(act, paper, reviewer.role)
    if recipients.is_walled(act.tx, act.moment.s, reviewer, paper.matter_id):
        raise BadStateError("A wall stands between this person and this matter. Choose somebody else.")
    part, made = Holder(*act.tx.one(_PART, part=paper.part_id)), act.new_id("dsc")
    act.tx.run(
        _ADD,
        id=made,
        firm_id=act.firm_id,
        engagement_id=paper.engagement_id,
        document_id=paper.id,
        membership_id=reviewer.membership_id,
        reason=act.seal(part, "disclosures", "reason", made, reason),
        not_before=begins,
        not_after=ends,
        ended_at=FOREVER,
        made_by=act.actor.membership_id,
        version=1,
    )
    data = {"not_before": begins, "not_after": ends}
    payload = act.payload(part, {"reason": reason})
    act.record(EventType.DISCLOSURE_CREATED, _subjects(_row(act, made)), data, payload)
    return made


def _eyes(act: Act) -> dict[str, object]:
    """Who looks, as `_ROWS` wants to know."""
    return {"firm": act.firm_id, "person": act.actor.person_id, "now": act.moment.s}


def _row(act: Act, disclosure_id: str) -> Any:
    row = act.tx.one(_ONE, disclosure=disclosure_id, **_eyes(act)) if is_id(disclosure_id, "dsc") else None
    if row is None:
        raise NotFoundError
    act.show([row.id])
    return row


def _subjects(row: Any) -> dict[str, str]:
    return {
        "engagement": row.engagement_id,
        "part": row.part_id,
        "matter": row.matter_id,
        "document": row.document_id,
        "disclosure": row.id,
        "membership": row.membership_id,
        "person": row.person_id,
    }


def _opened(reader: NameReader, row: Any) -> Disclosure:
    part = Holder(row.part_id, row.key_id, row.field_key)
    return Disclosure(
        id=row.id,
        engagement_id=row.engagement_id,
        document_id=row.document_id,
        membership_id=row.membership_id,
        person_id=row.person_id,
        reason=reader.open(part, "disclosures", "reason", row.id, row.reason),
        not_before=row.not_before,
        not_after=row.not_after,
        ended_at=row.ended_at,
        made_by=row.made_by,
        version=row.version,
    )


def _bad(field: str, sentence: str) -> BadInputError:
    return BadInputError(f"{field}: {sentence}", extra={"field": field})

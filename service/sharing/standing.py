"""Standing shares: papers to come of a matter part, handed out by label as they are confirmed, for at most 90 days.

Rules kept here:

* the only way in which something is handed out that nobody has looked at yet (DESIGN 11, rule 4); it never reaches what
  is privileged, nor beyond the recipient's role, the membership or the engagement;
* it is for one member, or for every member with one role, those who come later too;
* what lies in the part already is not handed out by it: that is giving many (service/sharing/giving.py);
* ending it revokes what it handed out. What it hands out, and on whose word, is in service/sharing/keeping.py;
* those on the matter's team know of it; a member sees the papers and their purpose, not what is to come.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final, NamedTuple

from sqlalchemy import bindparam, insert, select, update

from service import asks, grants, names, recipients
from service.acts import Act, Caller, perform
from service.db.ids import is_id
from service.db.models import FOREVER, engagements, parts, standing_shares
from service.door import Holder, NameReader
from service.errors import BadInputError, BadStateError, NotFoundError
from service.events import Data, EventType
from service.paging import Page, Window, page
from service.scoping import facts
from service.scoping.actions import Ability, Action, Role, Sensitivity, Side, side_of, words_of
from service.scoping.decide import Subject
from service.services import Services
from service.sharing import keeping
from service.sharing.giving import require_by_label

MOST_S: Final = 90 * 86_400


@dataclass(frozen=True, slots=True)
class NewStandingShare:
    """What is handed out, and to whom: a member, or every member with a role. Times are UTC seconds."""

    part_id: str
    membership_id: str | None
    role: str | None
    labels: tuple[str, ...]
    sensitivity: str  # at most
    abilities: tuple[str, ...]  # words; `view` is always included
    not_before: int | None  # None: at once
    not_after: int
    purpose: str


@dataclass(frozen=True, slots=True)
class StandingShare:
    """A standing share, its purpose opened. Times are UTC seconds."""

    id: str
    engagement_id: str
    part_id: str
    membership_id: str | None
    role: str | None
    labels: tuple[str, ...]
    sensitivity: str
    abilities: tuple[str, ...]
    not_before: int
    not_after: int
    ended_at: int  # FOREVER: not ended by anybody
    purpose: str
    made_by: str  # a membership
    made_at: int
    version: int


class _Paper(NamedTuple):
    """A paper that may come, for asking how far a role may go."""

    engagement_id: str
    part_id: str
    matter_id: str
    label: str
    sensitivity: str


class _Recipient(NamedTuple):
    role: str
    opens_at: int
    closes_at: int
    subjects: dict[str, str]


_ROWS = (
    select(standing_shares, parts.c.matter_id, parts.c.key_id, parts.c.field_key)
    .select_from(
        standing_shares.join(parts, parts.c.id == standing_shares.c.part_id).join(
            engagements, engagements.c.id == standing_shares.c.engagement_id
        )
    )
    .where(
        standing_shares.c.firm_id == bindparam("firm"),
        engagements.c.status != "disposed",  # the key of what was said is destroyed; each alone answers 410
        ~facts.walled(parts.c.matter_id),
        facts.on_team(parts.c.matter_id),
    )
)
_ONE = _ROWS.where(standing_shares.c.id == bindparam("share"))
_SOME = (
    _ROWS.where(standing_shares.c.engagement_id == bindparam("engagement"), standing_shares.c.id > bindparam("after"))
    .order_by(standing_shares.c.id)
    .limit(bindparam("most"))
)
_PART = (
    select(
        parts.c.id,
        parts.c.key_id,
        parts.c.field_key,
        parts.c.matter_id,
        engagements.c.starts_at,
        engagements.c.ends_at,
    )
    .join_from(parts, engagements, engagements.c.id == parts.c.engagement_id)
    .where(parts.c.id == bindparam("part"), parts.c.engagement_id == bindparam("engagement"))
)
_ADD = insert(standing_shares)
_END: Final = (
    update(standing_shares)
    .where(standing_shares.c.id == bindparam("share"))
    .values(ended_at=bindparam("end"), version=standing_shares.c.version + 1)
)


async def create(services: Services, caller: Caller, engagement_id: str, new: NewStandingShare) -> StandingShare:
    """Hand out papers to come.

    Raises:
        NotFoundError: part or membership do not belong to this engagement.
        BadInputError: labels, abilities, purpose or times are not of their form; more than 90 days, or above
            confidential; both a member and a role, or neither.
        BadStateError: the membership has ended, or a wall stands in between.
        AboveCeilingError: the role may never hold one of the abilities on papers of one of these labels.
    """
    labels, abilities, purpose = (
        asks.ordered(new.labels),
        grants.bits(new.abilities),
        names.text(new.purpose, "purpose"),
    )
    _require_form(new)

    def change(act: Act) -> Any:
        request = {"engagement": engagement_id, **{field: getattr(new, field) for field in new.__slots__}}
        return _row(
            act,
            act.once("standing_share", request, lambda: _write(act, engagement_id, new, labels, abilities, purpose)),
        )

    subject = Subject(part=new.part_id, engagement=engagement_id)
    done = await perform(services, caller, Action.STANDING_SHARE_CREATE, subject, change)
    return _opened(NameReader(services.keys, done.authorised), done.result)


async def read(services: Services, caller: Caller, share_id: str) -> StandingShare:
    """Read one standing share."""
    done = await perform(
        services, caller, Action.STANDING_SHARE_LIST, _subject_of(share_id), lambda act: _row(act, share_id)
    )
    return _opened(NameReader(services.keys, done.authorised), done.result)


async def list_all(services: Services, caller: Caller, engagement_id: str, asked: Window) -> Page[StandingShare]:
    """List the standing shares of an engagement's parts that the caller is on the team of, ended ones too."""

    def change(act: Act) -> Page[Any]:
        bounds = {"engagement": engagement_id, "after": asked.after, "most": asked.limit + 1}
        found = page(act.tx.all(_SOME, **_eyes(act), **bounds), asked)
        act.list_out([row.id for row in found.items])
        return found

    subject = Subject(engagement=engagement_id)
    done = await perform(services, caller, Action.STANDING_SHARE_LIST, subject, change)
    reader, listed = NameReader(services.keys, done.authorised), done.result
    found: Page[StandingShare] = listed.map(lambda row: _opened(reader, row))
    return found


async def end(services: Services, caller: Caller, share_id: str) -> StandingShare:
    """End a standing share now, and revoke what it handed out.

    Raises:
        BadStateError: it is over already.
        PreconditionMissingError, StaleError: If-Match.
    """

    def change(act: Act) -> Any:
        row, now = _row(act, share_id), act.moment.s
        act.require_version(share_id, row.version)
        if min(row.ended_at, row.not_after) <= now:
            raise BadStateError("This standing share is over already.")
        act.tx.run(_END, share=share_id, end=now)
        subjects = {
            "engagement": row.engagement_id,
            "part": row.part_id,
            "matter": row.matter_id,
            "standing": share_id,
        }
        act.record(EventType.STANDING_SHARE_ENDED, subjects, {"ended_at": now})
        keeping.take_in(act, row.engagement_id, share_id)
        return _row(act, share_id)

    done = await perform(services, caller, Action.STANDING_SHARE_END, _subject_of(share_id), change)
    return _opened(NameReader(services.keys, done.authorised), done.result)


def _require_form(new: NewStandingShare) -> None:
    require_by_label(new.sensitivity)
    if (new.membership_id is None) == (new.role is None):
        raise BadInputError("membership_id, role: send one of the two.", extra={"field": "membership_id"})
    if new.role is not None and new.role != Role.COORDINATOR and side_of(new.role) is not Side.VENDOR:
        raise BadInputError("role: papers are handed to vendor members and coordinators.", extra={"field": "role"})


def _write(
    act: Act, engagement_id: str, new: NewStandingShare, labels: Sequence[str], abilities: Ability, purpose: str
) -> str:
    part = act.tx.one(_PART, part=new.part_id, engagement=engagement_id)
    if part is None:
        raise NotFoundError
    recipient = _recipient(act, engagement_id, part, new)
    for label in labels:
        paper = _Paper(engagement_id, part.id, part.matter_id, label, Sensitivity.ROUTINE.value)
        grants.require_below_ceiling(act, paper, recipient.role, abilities)
    begins, ends = _term(act, recipient, new)
    share_id, holder = act.new_id("stn"), Holder(part.id, part.key_id, part.field_key)
    act.tx.run(
        _ADD,
        id=share_id,
        firm_id=act.firm_id,
        engagement_id=engagement_id,
        part_id=part.id,
        membership_id=new.membership_id,
        role=new.role,
        labels=" ".join(labels),
        sensitivity=new.sensitivity,
        abilities=int(abilities),
        not_before=begins,
        not_after=ends,
        ended_at=FOREVER,
        purpose=act.seal(holder, "standing_shares", "purpose", share_id, purpose),
        made_by=act.actor.membership_id,
        made_at=act.moment.s,
        version=1,
    )
    subjects = {
        "engagement": engagement_id,
        "part": part.id,
        "matter": part.matter_id,
        "standing": share_id,
        **recipient.subjects,
    }
    said = _said(new, labels, abilities, (begins, ends))
    act.record(EventType.STANDING_SHARE_CREATED, subjects, said, act.payload(holder, {"purpose": purpose}))
    return share_id


def _said(new: NewStandingShare, labels: Sequence[str], abilities: Ability, term: tuple[int, int]) -> Data:
    """All that rules depend on, whole."""
    said: Data = {
        "labels": list(labels),
        "sensitivity": new.sensitivity,
        "abilities": list(words_of(abilities)),
        "not_before": term[0],
        "not_after": term[1],
    }
    return said if new.role is None else {**said, "role": new.role}


def _recipient(act: Act, engagement_id: str, part: Any, new: NewStandingShare) -> _Recipient:
    if new.membership_id is None:
        return _Recipient(new.role or "", part.starts_at, part.ends_at, {})
    found = recipients.find(
        act.tx,
        act.moment.s,
        firm_id=act.firm_id,
        engagement_id=engagement_id,
        matter_id=part.matter_id,
        membership_id=new.membership_id,
    )
    subjects = {"membership": found.membership_id, "person": found.person_id}
    return _Recipient(found.role, found.opens_at, found.closes_at, subjects)


def _term(act: Act, recipient: _Recipient, new: NewStandingShare) -> tuple[int, int]:
    now = act.moment.s
    bounds = recipients.Recipient("", "", recipient.role, recipient.opens_at, recipient.closes_at)
    term = recipients.term(bounds, now, new.not_before, new.not_after)
    if term[1] > now + MOST_S:
        latest = recipients.shown(min(now + MOST_S, recipient.closes_at))
        raise BadInputError(
            f"not_after: a standing share runs for at most 90 days. Latest possible: {latest}. Make another one then.",
            extra={"field": "not_after", "latest": latest},
        )
    return term


def _subject_of(share_id: str) -> Subject:
    return Subject(via=share_id if is_id(share_id, "stn") else "")


def _eyes(act: Act) -> dict[str, object]:
    return {"firm": act.firm_id, "person": act.actor.person_id, "now": act.moment.s}


def _row(act: Act, share_id: str) -> Any:
    row = act.tx.one(_ONE, share=share_id, **_eyes(act))
    if row is None:
        raise NotFoundError
    act.show([share_id])
    return row


def _opened(reader: NameReader, row: Any) -> StandingShare:
    part = Holder(row.part_id, row.key_id, row.field_key)
    return StandingShare(
        id=row.id,
        engagement_id=row.engagement_id,
        part_id=row.part_id,
        membership_id=row.membership_id,
        role=row.role,
        labels=tuple(row.labels.split(" ")),
        sensitivity=row.sensitivity,
        abilities=words_of(Ability(row.abilities)),
        not_before=row.not_before,
        not_after=row.not_after,
        ended_at=row.ended_at,
        purpose=reader.open(part, "standing_shares", "purpose", row.id, row.purpose),
        made_by=row.made_by,
        made_at=row.made_at,
        version=row.version,
    )

"""Keeping standing shares: the grants that they make when a paper is confirmed or a member comes, and their end.

Rules kept here:

* whoever confirms a paper, or adds a member, need not be who made the share: the grant is made on the maker's word, and
  the policy is asked whether he could make it now. Where he could not (he left, was taken off the team, walled or
  suspended), the engagement's lead or deputy stands in; where none of them could, nothing is made;
* what is made is an ordinary grant with an entry of its own: no decision looks at standing shares;
* a grant that somebody took away is not made again, nor one of a paper that its recipient said was not meant for
  him; none is made where one made by hand reaches as far;
* somebody who cannot be handed the paper (a wall, his role) is passed over: the act that brought the paper goes on;
* what was moved here is handed out by no share: who has it in its new place is said anew (docs/adr/0024-moving.md).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, Final, NamedTuple

from sqlalchemy import BigInteger, bindparam, exists, or_, select

from service import grants, recipients
from service.acts import Act
from service.db import models
from service.db.models import documents, engagements, memberships, moves, parts, standing_shares
from service.door import Holder, NameReader
from service.origins import Origin
from service.scoping import explain
from service.scoping.actions import SENSITIVITY_RANK, Ability, Action, Role, Side
from service.scoping.actors import as_actor
from service.scoping.authorised import Authorised
from service.scoping.decide import Subject, decide

_g, _m = models.grants, memberships
_NOW: Final = bindparam("now", type_=BigInteger)
_SHARES = (
    select(
        standing_shares,
        _m.c.person_id.label("maker_id"),
        engagements.c.lead_id,
        engagements.c.deputy_id,
        parts.c.matter_id,
        parts.c.key_id,
        parts.c.field_key,
    )
    .select_from(
        standing_shares.join(_m, _m.c.id == standing_shares.c.made_by)
        .join(engagements, engagements.c.id == standing_shares.c.engagement_id)
        .join(parts, parts.c.id == standing_shares.c.part_id)
    )
    .where(standing_shares.c.not_before <= _NOW, standing_shares.c.not_after > _NOW, standing_shares.c.ended_at > _NOW)
    .order_by(standing_shares.c.id)
)
_OF_PAPER = _SHARES.where(
    standing_shares.c.part_id
    == select(documents.c.part_id).where(documents.c.id == bindparam("document")).scalar_subquery(),
    # What was moved here was never among the papers to come that whoever made the share thought of.
    ~exists().where(moves.c.to_document_id == bindparam("document")),
)
_OF_ROLE = _SHARES.where(
    standing_shares.c.engagement_id == bindparam("engagement"), standing_shares.c.role == bindparam("role")
)
_PAPERS = select(
    documents.c.id,
    documents.c.engagement_id,
    documents.c.part_id,
    documents.c.matter_id,
    documents.c.label,
    documents.c.sensitivity,
    documents.c.state,
)
_PAPER = _PAPERS.where(documents.c.id == bindparam("document"))
# What a share hands to whoever comes later: what was added since it began, and what it gave to others. In the very
# second in which it began nobody can say which came first: that is left out.
_COVERED = _PAPERS.where(
    documents.c.part_id == bindparam("part"),
    documents.c.state == grants.CONFIRMED,
    ~exists().where(moves.c.to_document_id == documents.c.id),
    or_(
        documents.c.added_at > bindparam("since"),
        exists().where(_g.c.document_id == documents.c.id, _g.c.standing_id == bindparam("share")),
    ),
).order_by(documents.c.id)
_WITH_ROLE = select(_m.c.id).where(
    _m.c.engagement_id == bindparam("engagement"),
    _m.c.role == bindparam("role"),
    _m.c.ends_at > _NOW,
    or_(_m.c.side == Side.VENDOR.value, _m.c.role == Role.COORDINATOR.value),
)
_ALIVE = select(_m.c.id).where(_m.c.id == bindparam("membership"), _m.c.ends_at > _NOW)
_MADE = select(_g.c.id).where(
    _g.c.membership_id == bindparam("membership"),
    _g.c.document_id == bindparam("document"),
    _g.c.standing_id == bindparam("share"),
)
_LIVE = (
    select(
        _g.c.id,
        _g.c.document_id,
        _g.c.membership_id,
        _m.c.person_id,
        documents.c.engagement_id,
        documents.c.part_id,
        documents.c.matter_id,
    )
    .select_from(_g.join(_m, _m.c.id == _g.c.membership_id).join(documents, documents.c.id == _g.c.document_id))
    .where(
        _m.c.engagement_id == bindparam("engagement"),
        _g.c.standing_id == bindparam("share"),
        _g.c.not_after > _NOW,
        _g.c.revoked_at > _NOW,
    )
    .order_by(_g.c.id)
)


class _Word(NamedTuple):
    """Whose word it is that a paper is handed out, and the proof of the decision."""

    giver: str  # a membership
    authorised: Authorised


def hand_out(act: Act, document_id: str) -> None:
    """Grant a paper that was just confirmed to those whom a standing share promises it."""
    for share in act.tx.all(_OF_PAPER, document=document_id, now=act.moment.s):
        paper = act.tx.one(_PAPER, document=document_id)
        if not covers(share, paper):
            continue
        found = (_recipient(act, share, row.id) for row in _members(act, share))
        due = [each for each in found if each is not None and _is_due(act, share, paper, *each)]
        word = _word(act, share, paper) if due else None
        if word is not None:
            for recipient, term in due:
                _write(act, share, [paper], recipient, term, word)


def welcome(act: Act, engagement_id: str, membership_id: str, role: str) -> None:
    """Grant a member who has just come what the standing shares for his role cover so far; he holds nothing yet."""
    for share in act.tx.all(_OF_ROLE, engagement=engagement_id, role=role, now=act.moment.s):
        found = _recipient(act, share, membership_id)
        if found is None:
            continue
        recipient, term = found
        spoken: dict[str, tuple[_Word, list[Any]]] = {}
        for paper in act.tx.all(_COVERED, part=share.part_id, since=share.not_before, share=share.id):
            if covers(share, paper) and _is_within(act, share, paper, recipient):
                word = _word(act, share, paper)
                if word is not None:
                    spoken.setdefault(word.giver, (word, []))[1].append(paper)
        for word, papers in spoken.values():
            _write(act, share, papers, recipient, term, word)


def take_in(act: Act, engagement_id: str, share_id: str) -> None:
    """Revoke what a standing share handed out and is live."""
    now = act.moment.s
    rows = act.tx.all(_LIVE, engagement=engagement_id, share=share_id, now=now)
    subjects = {
        row.id: {
            "engagement": row.engagement_id,
            "part": row.part_id,
            "matter": row.matter_id,
            "document": row.document_id,
            "membership": row.membership_id,
            "person": row.person_id,
            "standing": share_id,
        }
        for row in rows
    }
    grants.end_all(act, subjects)


def covers(share: Any, paper: Any) -> bool:
    """Say whether a share is for such a paper: confirmed, of its labels, at most so sensitive."""
    return (
        paper.state == grants.CONFIRMED
        and paper.label in share.labels.split(" ")
        and SENSITIVITY_RANK[paper.sensitivity] <= SENSITIVITY_RANK[share.sensitivity]
    )


def _members(act: Act, share: Any) -> list[Any]:
    """The memberships that a share is for and that have not ended."""
    if share.role is None:
        return act.tx.all(_ALIVE, membership=share.membership_id, now=act.moment.s)
    return act.tx.all(_WITH_ROLE, engagement=share.engagement_id, role=share.role, now=act.moment.s)


def _recipient(act: Act, share: Any, membership_id: str) -> tuple[recipients.Recipient, tuple[int, int]] | None:
    """Somebody whom a share is for, from when to when it may give to him; None where it may not."""
    now = act.moment.s
    recipient = recipients.of_engagement(
        act.tx, now, firm_id=act.firm_id, engagement_id=share.engagement_id, membership_id=membership_id
    )
    term = max(now, recipient.opens_at), min(share.not_after, recipient.closes_at)
    if term[0] >= term[1] or recipients.is_walled(act.tx, now, recipient, share.matter_id):
        return None
    return recipient, term


def _is_within(act: Act, share: Any, paper: Any, recipient: recipients.Recipient) -> bool:
    """Whether a share may give somebody a paper: within his role, and he never said that it was not meant for him."""
    return grants.above_ceiling(
        act, paper, recipient.role, Ability(share.abilities)
    ) is None and not recipients.has_disclaimed(act.tx, act.moment.s, recipient, paper.id)


def _is_due(act: Act, share: Any, paper: Any, recipient: recipients.Recipient, term: tuple[int, int]) -> bool:
    """Whether a paper is due to somebody: within his role, not given by the share before, nor as far by hand."""
    whose = {"membership": recipient.membership_id, "document": paper.id}
    return (
        _is_within(act, share, paper, recipient)
        and act.tx.one(_MADE, **whose, share=share.id) is None
        and not any(
            one.abilities & share.abilities == share.abilities
            and one.not_before <= term[0]
            and one.not_after >= term[1]
            for one in act.tx.all(grants.LIVE_BY_HAND, **whose, now=act.moment.s)
        )
    )


def _word(act: Act, share: Any, paper: Any) -> _Word | None:
    """On whose word a paper is handed out: a membership that could grant it now."""
    matrix = act.services.matrix.current
    for seat in _speakers(act, share):
        actor = as_actor(act.firm_id, seat)
        decision = decide(act.tx, matrix, act.moment, actor, Action.GRANT_CREATE, Subject(document=paper.id))
        if decision.allowed:
            return _Word(seat.id, decision.authorised)
    return None


def _write(
    act: Act,
    share: Any,
    papers: Sequence[Any],
    recipient: recipients.Recipient,
    term: tuple[int, int],
    word: _Word,
) -> None:
    part = Holder(share.part_id, share.key_id, share.field_key)
    act.field_key(part)  # open by now, or the job steps back: opening the purpose must not wait
    reader = NameReader(act.services.keys, word.authorised.also({share.id}))
    purpose = reader.open(part, "standing_shares", "purpose", share.id, share.purpose)
    made_with = Origin(standing_id=share.id, giver=word.giver)
    grants.write_many(act, papers, recipient, Ability(share.abilities), term, purpose, made_with)


def _speakers(act: Act, share: Any) -> Iterator[Any]:
    """Who may speak for a share: who made it, then who leads and who deputises the engagement."""
    for person_id in (share.maker_id, share.lead_id, share.deputy_id):
        if person_id is not None:
            yield from explain.seats_of(act.tx, act.firm_id, share.engagement_id, person_id)

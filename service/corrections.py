"""Corrections: an attorney changes label, sensitivity or title of a paper that was confirmed, and what hung on them.

Rules kept here, in the transaction that changes the paper:

* a grant whose holder's role may not look at such a paper ends; one that gives more than the role may hold of it loses
  that and keeps the rest. Each has an entry of its own;
* what was handed out by its label alone (a standing share, many at once) ends where it could not be handed out so now;
  what an attorney named (by hand, with a task, from a standby share) stays as far as the role goes;
* then standing shares hand it out to whom they promise such papers; what was taken away once they do not make again;
* duties that a label owes bite by themselves, and so do the ceilings of an engagement's overlay.

A correction never gives anybody more than a standing share promised him: the ceilings ask the policy.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import bindparam, select, update

from service import documents, grants, names
from service.acts import Act, Caller, perform
from service.db import models
from service.db.models import memberships, standing_shares
from service.documents import Document
from service.door import Holder, NameReader
from service.errors import BadInputError, BadStateError
from service.events import EventType
from service.origins import Origin
from service.scoping.actions import Ability, Action, words_of
from service.scoping.decide import Subject
from service.services import Services
from service.sharing import keeping
from service.sharing.giving import BY_LABEL

_g = models.grants
_LIVE: Final = (
    select(
        _g.c.id,
        _g.c.membership_id,
        _g.c.abilities,
        _g.c.task_id,
        _g.c.bulk_id,
        _g.c.standing_id,
        _g.c.standby_id,
        memberships.c.person_id,
        memberships.c.role,
        standing_shares.c.labels,
        standing_shares.c.sensitivity,
    )
    .select_from(
        _g.join(memberships, memberships.c.id == _g.c.membership_id).outerjoin(
            standing_shares, standing_shares.c.id == _g.c.standing_id
        )
    )
    .where(
        _g.c.document_id == bindparam("document"),
        _g.c.not_after > bindparam("now"),
        _g.c.revoked_at > bindparam("now"),
    )
    .order_by(_g.c.id)
)
_NARROW: Final = (
    update(_g).where(_g.c.id == bindparam("grant")).values(abilities=bindparam("left"), version=_g.c.version + 1)
)
_CORRECT: Final = (
    update(models.documents)
    .where(models.documents.c.id == bindparam("document"))
    .values(
        label=bindparam("new_label"),
        sensitivity=bindparam("new_sensitivity"),
        title=bindparam("new_title"),
        version=models.documents.c.version + 1,
    )
)


@dataclass(frozen=True, slots=True)
class Correction:
    """What a paper is from now on; None leaves it as it is."""

    label: str | None = None
    sensitivity: str | None = None
    title: str | None = None


@dataclass(frozen=True, slots=True)
class Corrected:
    """The paper as it is now, and how many grants that took away or made less."""

    document: Document
    grants_ended: int
    grants_narrowed: int


async def correct(services: Services, caller: Caller, document_id: str, wanted: Correction) -> Corrected:
    """Correct a confirmed paper.

    Raises:
        BadInputError: nothing is sent that could differ, or not a word of the vocabulary.
        BadStateError: nobody has confirmed it: confirming says what it is.
        PreconditionMissingError, StaleError: If-Match.
    """
    documents.require_words(wanted.label, wanted.sensitivity)
    title = None if wanted.title is None else names.title(wanted.title)

    def change(act: Act) -> tuple[Any, int, int]:
        row = documents.row_of(act.tx, document_id)
        act.require_version(document_id, row.version)
        if row.state != grants.CONFIRMED:
            raise BadStateError("Nobody has confirmed this paper. Confirm it: that says what it is.")
        label, sensitivity = wanted.label or row.label, wanted.sensitivity or row.sensitivity
        if title is None and (label, sensitivity) == (row.label, row.sensitivity):
            raise BadInputError(
                "Send a label, a sensitivity or a title that it does not have.", extra={"field": "label"}
            )
        _correct(act, row, label, sensitivity, title)
        # What it is now must be the asker's to correct as well: nobody puts a paper where he may not follow it.
        now = act.require(Action.DOCUMENT_CORRECT, Subject(document=document_id)).row
        ended, narrowed = (0, 0) if (label, sensitivity) == (row.label, row.sensitivity) else _tidy(act, now)
        return documents.row_of(act.tx, document_id), ended, narrowed

    done = await perform(services, caller, Action.DOCUMENT_CORRECT, Subject(document=document_id), change)
    row, ended, narrowed = done.result
    return Corrected(documents.opened(NameReader(services.keys, done.authorised), row), ended, narrowed)


def _correct(act: Act, row: Any, label: str, sensitivity: str, title: str | None) -> None:
    part = Holder(row.part_id, row.part_key_id, row.part_field_key)
    sealed = row.title if title is None else act.seal(part, "documents", "title", row.id, title)
    act.tx.run(_CORRECT, document=row.id, new_label=label, new_sensitivity=sensitivity, new_title=sealed)
    data = {"label": label, "sensitivity": sensitivity, "label_was": row.label, "sensitivity_was": row.sensitivity}
    payload = None if title is None else act.payload(part, {"title": title})
    act.record(EventType.DOCUMENT_CORRECTED, {"document": row.id}, data, payload)


def _tidy(act: Act, paper: Any) -> tuple[int, int]:
    """Take from grants what the paper, as it is now, does not let them give; then hand out what was promised.

    Returns: how many ended, and how many were narrowed.
    """
    ended = narrowed = 0
    for grant in act.tx.all(_LIVE, document=paper.id, now=act.moment.s):
        left = _left(act, paper, grant)
        if not left & Ability.VIEW:
            grants.end_all(act, {grant.id: _subjects(paper, grant)})
            ended += 1
        elif left != grant.abilities:
            act.tx.run(_NARROW, grant=grant.id, left=int(left))
            act.record(EventType.GRANT_NARROWED, _subjects(paper, grant), {"abilities": list(words_of(left))})
            narrowed += 1
    keeping.hand_out(act, paper.id)
    return ended, narrowed


def _left(act: Act, paper: Any, grant: Any) -> Ability:
    """What a grant may go on giving; without `VIEW` it gives nothing."""
    if grant.standing_id is not None and not keeping.covers(grant, paper):
        return Ability(0)
    if grant.bulk_id is not None and paper.sensitivity not in BY_LABEL:
        return Ability(0)  # nobody shared a privileged paper by its label
    kept = (each for each in Ability(grant.abilities) if grants.above_ceiling(act, paper, grant.role, each) is None)
    return Ability(sum(kept))


def _subjects(paper: Any, grant: Any) -> dict[str, str | None]:
    made_with = Origin(grant.task_id, grant.bulk_id, grant.standing_id, grant.standby_id)
    return {
        "engagement": paper.engagement_id,
        "part": paper.part_id,
        "matter": paper.matter_id,
        "document": paper.id,
        "grant": grant.id,
        "membership": grant.membership_id,
        "person": grant.person_id,
        **made_with.ids(),
    }

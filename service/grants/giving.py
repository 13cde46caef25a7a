"""Handing documents out: by hand, and for whatever makes grants of its own."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import bindparam, insert, select

from service import names, recipients
from service.acts import Act, Caller, perform
from service.db.models import FOREVER, grants, parts
from service.door import Holder, NameReader
from service.errors import ExistsError
from service.events import EventType
from service.grants.ceilings import bits, require_confirmed, require_shareable
from service.grants.ending import end
from service.grants.rows import Grant, opened, row_of, subjects_of
from service.origins import BY_HAND, Origin
from service.scoping.actions import Ability, Action, words_of
from service.scoping.decide import Subject
from service.services import Services


@dataclass(frozen=True, slots=True)
class NewGrant:
    """What is handed to whom. Times are UTC seconds."""

    membership_id: str
    abilities: tuple[str, ...]  # words; `view` is always included
    not_before: int | None  # None: at once
    not_after: int
    purpose: str


LIVE_BY_HAND: Final = select(grants.c.id, grants.c.abilities, grants.c.not_before, grants.c.not_after).where(
    grants.c.membership_id == bindparam("membership"),
    grants.c.document_id == bindparam("document"),
    grants.c.task_id.is_(None),
    grants.c.standing_id.is_(None),
    grants.c.standby_id.is_(None),
    grants.c.not_after > bindparam("now"),
    grants.c.revoked_at > bindparam("now"),
)
_PART = select(parts.c.id, parts.c.key_id, parts.c.field_key).where(parts.c.id == bindparam("part"))
_ADD = insert(grants)


async def create(services: Services, caller: Caller, document_id: str, new: NewGrant) -> Grant:
    """Hand a document to a member.

    Raises:
        BadInputError: abilities, purpose or times are not of their form, or reach beyond membership or engagement.
        BadStateError: the document is not confirmed, the membership has ended, or a wall stands in between.
        NotFoundError: the membership does not belong to the document's engagement.
        AboveCeilingError: the role may never hold one of the abilities on such a document.
        ExistsError: the member has a live grant on it.
    """
    purpose, abilities = names.text(new.purpose, "purpose"), bits(new.abilities)

    def change(act: Act) -> Any:
        request = {
            "document": document_id,
            "membership": new.membership_id,
            "abilities": int(abilities),
            "not_before": new.not_before,
            "not_after": new.not_after,
            "purpose": purpose,
        }
        return row_of(act, act.once("grant", request, lambda: give(act, new, abilities, purpose)))

    done = await perform(services, caller, Action.GRANT_CREATE, Subject(document=document_id), change)
    return opened(NameReader(services.keys, done.authorised), done.result)


def standing(act: Act, membership_id: str) -> Any:
    """Return the row of a member's grant, in force or to come, on the document that was decided; None without one."""
    return act.tx.one(LIVE_BY_HAND, membership=membership_id, document=act.decision.row.id, now=act.moment.s)


def give(act: Act, new: NewGrant, abilities: Ability, purpose: str, *, instead: bool = False) -> str:
    """Write a grant on the document that was decided; returns its id.

    Args:
        abilities, purpose: those of `new`, checked.
        instead: end the member's live grant, and give this one in its place.

    Raises: as `create`.
    """
    document, now = act.decision.row, act.moment.s
    require_confirmed(document)
    recipient = recipients.find(
        act.tx,
        now,
        firm_id=act.firm_id,
        engagement_id=document.engagement_id,
        matter_id=document.matter_id,
        membership_id=new.membership_id,
    )
    require_shareable(act, document, recipient.role, abilities)
    term = recipients.term(recipient, now, new.not_before, new.not_after)
    live = standing(act, recipient.membership_id)
    if live is not None and not instead:
        raise ExistsError("This member has a live grant on this document. Revoke it first, then share anew.")
    if live is not None:
        end(act, document, live.id, recipient.membership_id, recipient.person_id)
    return write(act, document, recipient, abilities, term, purpose)


def write(
    act: Act,
    document: Any,
    recipient: recipients.Recipient,
    abilities: Ability,
    term: tuple[int, int],
    purpose: str,
    made_with: Origin = BY_HAND,
) -> str:
    """Write a grant and its entry; return its id. `document` is the row of a decision that it may be granted."""
    return write_many(act, [document], recipient, abilities, term, purpose, made_with)[0]


def write_many(
    act: Act,
    shared: Sequence[Any],
    recipient: recipients.Recipient,
    abilities: Ability,
    term: tuple[int, int],
    purpose: str,
    made_with: Origin = BY_HAND,
) -> list[str]:
    """Write a grant and an entry for each of several documents; return the grants' ids in the same order.

    `shared`: rows of decisions that this caller may grant them, or of a list of what he may.
    """
    holders = {part_id: Holder(*act.tx.one(_PART, part=part_id)) for part_id in {each.part_id for each in shared}}
    rows = []
    for document in shared:
        grant_id, part = act.new_id("grt"), holders[document.part_id]
        rows.append(
            {
                "id": grant_id,
                "firm_id": act.firm_id,
                "engagement_id": document.engagement_id,
                "membership_id": recipient.membership_id,
                "document_id": document.id,
                "abilities": int(abilities),
                "not_before": term[0],
                "not_after": term[1],
                "revoked_at": FOREVER,
                "purpose": act.seal(part, "grants", "purpose", grant_id, purpose),
                "granted_by": made_with.giver or act.actor.membership_id,
                "granted_at": act.moment.s,
                "version": 1,
                "task_id": made_with.task_id,
                "bulk_id": made_with.bulk_id,
                "standing_id": made_with.standing_id,
                "standby_id": made_with.standby_id,
            }
        )
        act.record(
            EventType.GRANT_CREATED,
            {**subjects_of(document, recipient.membership_id, recipient.person_id, grant_id), **made_with.ids()},
            {"abilities": list(words_of(abilities)), "not_before": term[0], "not_after": term[1]},
            act.payload(part, {"purpose": purpose}),
        )
    act.tx.run_many(_ADD, rows)
    return [str(row["id"]) for row in rows]

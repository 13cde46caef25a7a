"""Grants: a document handed to one member, for some abilities, a time and a purpose.

Rules kept here:

* only what an attorney has confirmed is shared, and only with a vendor member or coordinator of the same engagement;
* a grant never gives more than the recipient's role may ever hold: the policy is asked for each ability when the grant
  is made, and again at every use;
* it never outlives membership or engagement; made by hand there is one live grant a member and document (whoever is
  given more of it gets another in the place of the first), and each task or standing share brings its own where that
  one does not reach as far, and ends it with itself (service/tasks/handing.py, service/sharing/standing.py);
* who else has a document is told to the matter's attorneys and coordinators, never to a vendor; everybody is told what
  he himself was given (service/holdings.py), on the card of the document that it opens.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import bindparam, insert, select, update

from service import names, recipients
from service.acts import Act, Caller, perform
from service.db.ids import is_id
from service.db.models import FOREVER, documents, grants, memberships, parts
from service.door import Holder, NameReader
from service.errors import AboveCeilingError, BadInputError, BadStateError, ExistsError, NotFoundError
from service.events import EventType
from service.origins import BY_HAND, Origin
from service.paging import Page, Window, page
from service.scoping.actions import ABILITY_OF, EXTENSION_GRACE_S, Ability, Action, Fact, words_of
from service.scoping.decide import Subject
from service.scoping.inforce import of_engagement
from service.services import Services

CONFIRMED: Final = "confirmed"
_OPENERS: Final = Fact.ASSIGNED | Fact.OWN | Fact.ASKED | Fact.BREAK_GLASS


@dataclass(frozen=True, slots=True)
class NewGrant:
    """What is handed to whom. Times are UTC seconds."""

    membership_id: str
    abilities: tuple[str, ...]  # words; `view` is always included
    not_before: int | None  # None: at once
    not_after: int
    purpose: str


@dataclass(frozen=True, slots=True)
class Grant:
    """A grant, its purpose opened. Times are UTC seconds."""

    id: str
    document_id: str
    engagement_id: str
    membership_id: str
    person_id: str
    role: str
    abilities: tuple[str, ...]
    not_before: int
    not_after: int
    revoked_at: int  # FOREVER: not revoked
    purpose: str
    granted_by: str  # a membership
    granted_at: int
    made_with: Origin  # a task, standing or standby share ends it again
    version: int


_ROWS = (
    select(
        grants,
        memberships.c.person_id,
        memberships.c.role,
        documents.c.part_id,
        documents.c.matter_id,
        parts.c.key_id,
        parts.c.field_key,
    )
    .select_from(
        grants.join(memberships, memberships.c.id == grants.c.membership_id)
        .join(documents, documents.c.id == grants.c.document_id)
        .join(parts, parts.c.id == documents.c.part_id)
    )
    .where(grants.c.document_id == bindparam("document"))
)
_ONE = _ROWS.where(grants.c.id == bindparam("grant"))
_SOME = _ROWS.where(grants.c.id > bindparam("after")).order_by(grants.c.id).limit(bindparam("most"))
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
REVOKE: Final = (
    update(grants)
    .where(grants.c.id == bindparam("grant"))
    .values(revoked_at=bindparam("end"), version=grants.c.version + 1)
)


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
        return _row(act, act.once("grant", request, lambda: give(act, new, abilities, purpose)))

    done = await perform(services, caller, Action.GRANT_CREATE, Subject(document=document_id), change)
    return _opened(NameReader(services.keys, done.authorised), done.result)


async def read(services: Services, caller: Caller, grant_id: str) -> Grant:
    """Read one grant."""
    done = await perform(services, caller, Action.GRANT_LIST, _subject_of(grant_id), lambda act: _row(act, grant_id))
    return _opened(NameReader(services.keys, done.authorised), done.result)


async def list_all(services: Services, caller: Caller, document_id: str, asked: Window) -> Page[Grant]:
    """List the grants of a document, oldest first, revoked and expired ones too."""

    def change(act: Act) -> Page[Any]:
        rows = act.tx.all(_SOME, document=act.decision.row.id, after=asked.after, most=asked.limit + 1)
        found = page(rows, asked)
        act.list_out([row.id for row in found.items])
        return found

    done = await perform(services, caller, Action.GRANT_LIST, Subject(document=document_id), change)
    reader, listed = NameReader(services.keys, done.authorised), done.result
    found: Page[Grant] = listed.map(lambda row: _opened(reader, row))
    return found


async def revoke(services: Services, caller: Caller, grant_id: str) -> Grant:
    """End a grant now.

    Raises:
        BadStateError: it is over already.
        PreconditionMissingError, StaleError: If-Match.
    """

    def change(act: Act) -> Any:
        row, now = _row(act, grant_id), act.moment.s
        act.require_version(grant_id, row.version)
        if min(row.revoked_at, row.not_after) <= now:
            raise BadStateError("This grant is over already.")
        _end(act, act.decision.row, grant_id, row.membership_id, row.person_id)
        return _row(act, grant_id)

    done = await perform(services, caller, Action.GRANT_REVOKE, _subject_of(grant_id), change)
    return _opened(NameReader(services.keys, done.authorised), done.result)


def extendable(act: Act, grant_id: str) -> Any:
    """Return the actor's own grant on the document that was decided, live or ended by itself just now; None else."""
    document, now = act.decision.row.id, act.moment.s
    row = act.tx.one(_ONE, grant=grant_id, document=document)
    if row is None or row.membership_id != act.actor.membership_id or row.revoked_at <= now:
        return None
    return row if row.not_before <= now < row.not_after + EXTENSION_GRACE_S else None


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
    _require_confirmed(document)
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
        _end(act, document, live.id, recipient.membership_id, recipient.person_id)
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
            {**_subjects(document, recipient.membership_id, recipient.person_id, grant_id), **made_with.ids()},
            {"abilities": list(words_of(abilities)), "not_before": term[0], "not_after": term[1]},
            act.payload(part, {"purpose": purpose}),
        )
    act.tx.run_many(_ADD, rows)
    return [str(row["id"]) for row in rows]


def _end(act: Act, document: Any, grant_id: str, membership_id: str, person_id: str) -> None:
    act.tx.run(REVOKE, grant=grant_id, end=act.moment.s)
    subjects = _subjects(document, membership_id, person_id, grant_id)
    act.record(EventType.GRANT_REVOKED, subjects, {"revoked_at": act.moment.s})


def _subjects(document: Any, membership_id: str, person_id: str, grant_id: str) -> dict[str, str]:
    return {
        "engagement": document.engagement_id,
        "part": document.part_id,
        "matter": document.matter_id,
        "document": document.id,
        "grant": grant_id,
        "membership": membership_id,
        "person": person_id,
    }


def _require_confirmed(document: Any) -> None:
    if document.state != CONFIRMED:
        raise BadStateError("Confirm the document's label and sensitivity first; then it can be shared.")


def require_shareable(act: Act, document: Any, role: str, abilities: Ability) -> None:
    """Ask the policy whether a grant could ever open each of the acts that the abilities are for.

    What a role may do with its own unconfirmed papers only does not count: a grant opens nothing there.

    Raises:
        BadStateError: nobody has confirmed the document.
        AboveCeilingError: the role may never hold one of the abilities on such a document.
    """
    _require_confirmed(document)
    require_below_ceiling(act, document, role, abilities)


def require_below_ceiling(act: Act, document: Any, role: str, abilities: Ability) -> None:
    """Ask the same of a paper that may be still to come.

    Raises:
        AboveCeilingError: as `require_shareable`.
    """
    word = above_ceiling(act, document, role, abilities)
    if word is not None:
        raise AboveCeilingError(
            f"The role {role} may never hold {word} on papers labelled {document.label} that are "
            f"{document.sensitivity}. Share less, or share it with somebody whose role may.",
            extra={
                "role": role,
                "label": document.label,
                "sensitivity": document.sensitivity,
                "ability": word,
            },
        )


def above_ceiling(act: Act, document: Any, role: str, abilities: Ability) -> str | None:
    """Return the first of these abilities that a role may never hold on a document, in its engagement."""
    matrix = of_engagement(act.tx, act.services.matrix.current, document.engagement_id)
    for action, ability in ABILITY_OF.items():
        ways = matrix.cell(role, action, document.label, document.sensitivity).ways()
        if ability in abilities and not any(way & _OPENERS == Fact.ASSIGNED for way in ways):
            return str(ability.name).lower()
    return None


def bits(abilities: Iterable[str]) -> Ability:
    """Return the mask of ability words, `view` always among them.

    Raises:
        BadInputError: none, or a word that is no ability.
    """
    wanted = {word: Ability.__members__.get(word.upper()) for word in abilities if word == word.lower()}
    if not wanted or None in wanted.values() or len(wanted) < len(set(abilities)):
        known = ", ".join(words_of(Ability(sum(Ability))))
        raise BadInputError(f"abilities: send at least one of {known}.", extra={"field": "abilities"})
    mask = Ability.VIEW
    for ability in wanted.values():
        mask |= ability or Ability(0)
    return mask


def _subject_of(grant_id: str) -> Subject:
    return Subject(via=grant_id if is_id(grant_id, "grt") else "")


def _row(act: Act, grant_id: str) -> Any:
    row = act.tx.one(_ONE, grant=grant_id, document=act.decision.row.id)
    if row is None:
        raise NotFoundError
    act.show([grant_id])
    return row


def _purpose(reader: NameReader, row: Any) -> str:
    return reader.open(Holder(row.part_id, row.key_id, row.field_key), "grants", "purpose", row.id, row.purpose)


def _opened(reader: NameReader, row: Any) -> Grant:
    return Grant(
        id=row.id,
        document_id=row.document_id,
        engagement_id=row.engagement_id,
        membership_id=row.membership_id,
        person_id=row.person_id,
        role=row.role,
        abilities=words_of(Ability(row.abilities)),
        not_before=row.not_before,
        not_after=row.not_after,
        revoked_at=row.revoked_at,
        purpose=_purpose(reader, row),
        granted_by=row.granted_by,
        granted_at=row.granted_at,
        made_with=Origin(row.task_id, row.bulk_id, row.standing_id, row.standby_id),
        version=row.version,
    )

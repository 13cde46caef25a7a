"""Facts about (asker, act, thing, moment) as SQL: written once here, used by every decision and every list.

Rules kept here:

* each fact is one expression over rows; `decide` computes it for one thing, `listing` for all of them, so the two agree
  by construction (and a property over random worlds proves it);
* a decision reads its facts in one query, by primary keys and indexed look-ups, in the transaction that records it;
* a thing of another firm, or of another engagement than a vendor person's own, has no row here: it does not exist;
* times are UTC seconds, half-open ``[from, until)``; `now` is the ledger's, taken once.

Duties are in service/scoping/duties.py. It does not decide: the facts go to service/scoping/matrix.py.

Source: policies/README.md (what each fact means).
"""

from __future__ import annotations

from typing import Any, Final

from sqlalchemy import (
    BigInteger,
    ColumnElement,
    Exists,
    FromClause,
    Text,
    and_,
    bindparam,
    case,
    exists,
    func,
    literal_column,
    or_,
    select,
)

from service.db import models
from service.scoping.actions import EXTENSION_GRACE_S, Fact, Role, Withheld
from service.scoping.hours import SEPARATOR

# What the caller binds. Each expression below uses these names and no others.
FIRM: Final = bindparam("firm", type_=Text)
PERSON: Final = bindparam("person", type_=Text)
MEMBERSHIP: Final = bindparam("membership", type_=Text)
ENGAGEMENT: Final = bindparam("engagement", type_=Text)
VENDOR: Final = bindparam("vendor", type_=Text)
TOKEN: Final = bindparam("token", type_=Text)
NOW: Final = bindparam("now", type_=BigInteger)
OWN_SINCE: Final = bindparam("own_since", type_=BigInteger)  # added before: own no more
ABILITY: Final = bindparam("ability", type_=BigInteger)
LABEL: Final = bindparam("label", type_=Text)

Truth = ColumnElement[bool]

d, e, m = models.documents, models.engagements, models.memberships


def word(word: str) -> ColumnElement[str]:
    """A word of our vocabulary as a constant of the statement: it never varies, so it is not bound each time.

    Raises:
        ValueError: anything but lower-case letters and underscores, which could be more than a word to SQL.
    """
    if word.strip("abcdefghijklmnopqrstuvwxyz_"):
        raise ValueError(word)
    return literal_column("'" + word + "'", Text)


def number(value: int) -> ColumnElement[int]:
    """A number of ours as a constant of the statement."""
    return literal_column(str(int(value)), BigInteger)


def there_is(*wanted: Truth) -> Exists:
    """Say whether there is such a row; of a constant, so that an index with all that is asked is enough."""
    return exists(number(1)).where(*wanted)


def mask(**conditions: Truth) -> ColumnElement[int]:
    """Return the `Fact` bits of named conditions (``live=…, window=…``) as one number."""
    total = number(0)
    for name, truth in conditions.items():
        total = total + case((truth, number(Fact[name.upper()])), else_=number(0))
    return total


# The asker's membership ---------------------------------------------------------------------------------------------


def is_membership() -> Truth:
    """The asker's own membership row, in the asker's firm."""
    return and_(m.c.id == MEMBERSHIP, m.c.person_id == PERSON, m.c.firm_id == FIRM)


def window() -> Truth:
    """`WINDOW`, as far as rows can tell it: within the membership's own dates. `hours` are read beside it."""
    return and_(m.c.starts_at <= NOW, m.c.ends_at > NOW)


def hours(engagement: ColumnElement[Any]) -> ColumnElement[str | None]:
    """Return the terms of every schedule that binds the asker in this engagement now, joined; NULL where none does.

    What they say of a time and an address is no matter of SQL: service/scoping/hours.py reads them.
    """
    schedule = models.schedules
    between: Any = literal_column("'" + SEPARATOR + "'", Text)  # a constant of ours, like `word`
    joined = func.aggregate_strings(schedule.c.terms, between)
    return select(joined).where(binds(schedule, engagement), schedule.c.valid_from <= NOW).scalar_subquery()


def binds(schedule: FromClause, engagement: ColumnElement[Any]) -> Truth:
    """A schedule of the whole engagement or of the asker's membership that is not over yet."""
    return and_(
        schedule.c.engagement_id == engagement,
        or_(schedule.c.membership_id.is_(None), schedule.c.membership_id == MEMBERSHIP),
        schedule.c.valid_until > NOW,
        schedule.c.ended_at > NOW,
    )


def suspended() -> Truth:
    """`SUSPENDED`: the membership is suspended or has ended (a departed attorney needs no window, but has left)."""
    return or_(m.c.suspended != number(0), m.c.ends_at <= NOW)


# The engagement -----------------------------------------------------------------------------------------------------


def live_for_vendor() -> Truth:
    """`LIVE` for vendor people: running, within its dates."""
    return and_(e.c.status == word("running"), e.c.starts_at <= NOW, e.c.ends_at > NOW)


def live_for_firm() -> Truth:
    """`LIVE` for firm people: not closed; the dates bind the vendor."""
    return e.c.status == word("running")


def engagement_is_own() -> Truth:
    """`ASSIGNED` of an engagement, vendor side: the membership belongs to it and has not ended."""
    return and_(m.c.engagement_id == e.c.id, m.c.ends_at > NOW)


def engagement_is_led() -> Truth:
    """`ASSIGNED` of an engagement, firm side.

    The membership belongs to it; or it is one for the whole house and the person leads or deputises, has a seat in the
    engagement besides, or runs or reviews the house.
    """
    seat = models.memberships.alias("seat")
    sits = there_is(
        seat.c.person_id == PERSON,
        seat.c.engagement_id == e.c.id,
        seat.c.role == m.c.role,
        seat.c.suspended == number(0),
        seat.c.starts_at <= NOW,
        seat.c.ends_at > NOW,
    )
    whole = and_(whole_house(), or_(runs_house(), e.c.lead_id == PERSON, e.c.deputy_id == PERSON, sits))
    return and_(window(), or_(m.c.engagement_id == e.c.id, whole))


def engagement_is_reviewed() -> Truth:
    """`ASSIGNED` of an engagement's register, and its line in the list, for a seat in one matter: it has a part of it.

    Of nothing else there: what else an engagement tells, it tells of other matters too.
    """
    part = models.parts.alias("reviewed_part")
    has_part = there_is(part.c.engagement_id == e.c.id, part.c.matter_id == m.c.matter_id)
    return and_(window(), m.c.engagement_id.is_(None), runs_house(), has_part, ~walled(m.c.matter_id))


def engagement_is_named() -> Truth:
    """`NAMED` of an engagement: it has a part of a matter on whose team the asker is, and no wall stands before that.

    Only with a membership for the whole house: a seat in one engagement sees nothing of another.
    """
    part = models.parts.alias("named_part")
    named = there_is(part.c.engagement_id == e.c.id, on_team(part.c.matter_id), ~walled(part.c.matter_id))
    return and_(window(), whole_house(), named)


def on_call() -> Truth:
    """`ON_CALL`: the asker leads or deputises the engagement, or is on call for it now."""
    call = models.on_calls
    named = there_is(
        call.c.engagement_id == e.c.id, call.c.person_id == PERSON, call.c.starts_at <= NOW, call.c.ends_at > NOW
    )
    return or_(e.c.lead_id == PERSON, e.c.deputy_id == PERSON, named)


def whole_house() -> Truth:
    """The membership is for all of the house: neither for one engagement nor, a reviewer's, for one matter."""
    return and_(m.c.engagement_id.is_(None), m.c.matter_id.is_(None))


def runs_house() -> Truth:
    """The membership's role looks at all of the house: owner, reviewer."""
    return m.c.role.in_([word(Role.OWNER.value), word(Role.REVIEWER.value)])


def second_person() -> Truth:
    """`SECONDED`: a disposal of this engagement was requested by another person with another token, and stands.

    However far it is: whether it still waits for a second person is the step's own to say, in its own words.
    """
    asked = models.disposals
    return there_is(
        asked.c.engagement_id == e.c.id,
        asked.c.state != word("withdrawn"),
        asked.c.requested_by != PERSON,
        asked.c.requested_token != TOKEN,
    )


# The matter ---------------------------------------------------------------------------------------------------------


def matter_is_reviewed(matter: ColumnElement[str]) -> Truth:
    """`ASSIGNED` of what the log says of a matter: who runs or reviews the house, or this matter; never its team."""
    reaches = or_(m.c.matter_id.is_(None), m.c.matter_id == matter)
    return and_(window(), m.c.engagement_id.is_(None), runs_house(), reaches)


def on_team(matter: ColumnElement[str]) -> Truth:
    """The asker is named on the matter's team now."""
    team = models.matter_team
    return there_is(team.c.matter_id == matter, team.c.person_id == PERSON, team.c.since <= NOW, team.c.until > NOW)


def walled(matter: ColumnElement[str]) -> Truth:
    """`WALLED`: a wall stands between the asker and the matter."""
    return there_is(models.walls.c.matter_id == matter, _stands())


def walled_in_list(matter: ColumnElement[str]) -> Truth:
    """Say the same of many matters in one query: as a set that is found once, for a person has few walls or none."""
    return matter.in_(select(models.walls.c.matter_id).where(_stands()))


def _stands() -> Truth:
    wall = models.walls
    return and_(wall.c.person_id == PERSON, wall.c.raised_at <= NOW, wall.c.lifted_at > NOW)


def glass_broken(matter: ColumnElement[str]) -> Truth:
    """`BREAK_GLASS`: the asker's membership, within its dates, opened the matter in an emergency that has not ended."""
    return and_(window(), there_is(models.emergencies.c.matter_id == matter, opens(models.emergencies)))


def opens(emergency: FromClause) -> Truth:
    """An emergency row of the asker's membership that has not ended."""
    return and_(
        emergency.c.membership_id == MEMBERSHIP,
        emergency.c.opened_at <= NOW,
        emergency.c.closes_at > NOW,
        emergency.c.ended_at > NOW,
    )


# The document -------------------------------------------------------------------------------------------------------


def is_there() -> Truth:
    """The document has not been taken back, moved or destroyed."""
    return and_(d.c.state.in_([word("to_look_at"), word("confirmed")]), e.c.status != word("disposed"))


def leaves_trace() -> Truth:
    """It is there; or it was moved: then the end of its engagement did not reach it, and its lineage goes on."""
    return or_(is_there(), d.c.state == word("moved"))


def own() -> Truth:
    """`OWN`: added by this membership, still to look at, less than 72 hours ago."""
    return and_(d.c.added_by == MEMBERSHIP, d.c.state == word("to_look_at"), d.c.added_at > OWN_SINCE)


def drafted() -> Truth:
    """`OWN` of what its adder himself made: asked of him with a task (of which only *work* and *make* bring papers).

    Where papers of this label were also asked of him by themselves, it may be a client's that he passed on: then it is
    not his.
    """
    ask = models.asks
    wanted = (
        ask.c.membership_id == MEMBERSHIP,
        ask.c.part_id == d.c.part_id,
        ask.c.label == d.c.label,
        ask.c.not_before <= d.c.added_at,
        ask.c.not_after > d.c.added_at,
        ask.c.ended_at > d.c.added_at,
    )
    lasting = there_is(*wanted, ask.c.not_after > NOW, ask.c.ended_at > NOW)
    return and_(own(), lasting, ~there_is(*wanted, ask.c.task_id.is_(None)))


def gives(grant: FromClause) -> Truth:
    """A grant row of the asker's membership that is live and carries the ability."""
    return and_(
        grant.c.membership_id == MEMBERSHIP,
        grant.c.abilities.bitwise_and(ABILITY) == ABILITY,
        grant.c.not_before <= NOW,
        grant.c.not_after > NOW,
        grant.c.revoked_at > NOW,
    )


def is_shareable() -> Truth:
    """An attorney has looked at it: before that, grants on it give nothing."""
    return d.c.state == word("confirmed")


def granted() -> Truth:
    """`ASSIGNED` of a document, vendor side: a live grant that carries the ability."""
    grant = models.grants
    return and_(is_shareable(), there_is(grant.c.document_id == d.c.id, gives(grant)))


def granted_lately() -> Truth:
    """`ASSIGNED` of a document, vendor side, to ask for more of it: also by a grant that has just ended by itself.

    One that was revoked counts no more: what was taken away is not there.
    """
    grant = models.grants
    lately = there_is(
        grant.c.document_id == d.c.id,
        grant.c.membership_id == MEMBERSHIP,
        grant.c.abilities.bitwise_and(ABILITY) == ABILITY,
        grant.c.not_before <= NOW,
        grant.c.not_after > NOW - number(EXTENSION_GRACE_S),
        grant.c.revoked_at > NOW,
    )
    return and_(is_shareable(), lately)


def known() -> Truth:
    """`KNOWN`: may be asked for unseen: confirmed, in an engagement that declares so, no grant to come or in force."""
    grant = models.grants
    held = there_is(
        grant.c.document_id == d.c.id,
        grant.c.membership_id == MEMBERSHIP,
        grant.c.not_after > NOW,
        grant.c.revoked_at > NOW,
    )
    return and_(is_shareable(), e.c.withheld == word(Withheld.MAY_BE_ASKED_FOR.value), ~held)


def theirs(matter_is_theirs: Truth) -> Truth:
    """`ASSIGNED` of a document, firm side: named on the team.

    For attorneys only: what is still to look at, and what the asker said was not meant for him. To a coordinator no
    grant opened it, so none can be ended: the row itself shuts him out.
    """
    others = and_(is_shareable(), ~disclaimed())
    return and_(window(), or_(m.c.role == word(Role.ATTORNEY.value), others), matter_is_theirs)


def disclaimed() -> Truth:
    """The asker said of the document that it was not meant for him, and no attorney said otherwise."""
    said = models.misdirections
    return there_is(said.c.document_id == d.c.id, said.c.person_id == PERSON, said.c.closed_until > NOW)


def disclosed() -> Truth:
    """`DISCLOSED`: the title of the document was opened to this very membership, and that has not ended.

    Whoever opened it need not be there any more: it was the firm's word, and has an end.
    """
    opening = models.disclosures
    return there_is(
        opening.c.document_id == d.c.id,
        opening.c.membership_id == MEMBERSHIP,
        opening.c.not_before <= NOW,
        opening.c.not_after > NOW,
        opening.c.ended_at > NOW,
    )


def reaches_document() -> Truth:
    """The membership can be about this document at all: a seat in one engagement or matter sees nothing of another."""
    return and_(
        or_(m.c.engagement_id.is_(None), m.c.engagement_id == d.c.engagement_id),
        or_(m.c.matter_id.is_(None), m.c.matter_id == d.c.matter_id),
    )


def asked(*, for_label: bool) -> Truth:
    """`ASKED`: a live ask for papers in this part, of the bound label or of any."""
    ask = models.asks
    wanted = there_is(
        ask.c.membership_id == MEMBERSHIP,
        ask.c.part_id == models.parts.c.id,
        ask.c.not_before <= NOW,
        ask.c.not_after > NOW,
        ask.c.ended_at > NOW,
    )
    return wanted.where(ask.c.label == LABEL) if for_label else wanted

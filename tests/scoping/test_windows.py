"""Schedules in decisions, lists and explanations: all in force must be open, for vendor people, now and from here."""

from __future__ import annotations

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from service.db import models
from service.ledger import Moment
from service.scoping import explain, listing, windows
from service.scoping.actions import Action
from service.scoping.actors import Actor
from service.scoping.answers import State
from service.scoping.decide import Subject, decide
from service.scoping.hours import DAYS, Terms
from service.scoping.matrix import Matrix
from tests.scoping import schedules
from tests.scoping.policies import POLICIES
from tests.scoping.schedules import HOME, MONTHS, OFFICE, terms
from tests.scoping.world import DAY, HOUR, NOW, Ground, World

MATRIX = Matrix.load(POLICIES)
YEARS = 10**9
FRIDAY_8 = NOW  # 2027-01-15T08:00:00Z, a Friday
OPEN = terms("08:00", "17:00", zone="UTC")
SHUT = terms("09:00", "17:00", zone="UTC")
READS = (Action.DOCUMENT_VIEW, Action.DOCUMENT_DOWNLOAD, Action.DOCUMENT_LIST)


@pytest.fixture
def ready(world: World) -> tuple[World, Actor, str]:
    """A paralegal with an NDA, a grant and a paper."""
    return world, *a_paralegal(world)


def a_paralegal(world: World) -> tuple[Actor, str]:
    vera = world.member("vera", "paralegal", starts_at=0, ends_at=NOW + YEARS)
    world.change(models.engagements, world.engagement(), starts_at=0, ends_at=NOW + YEARS)
    world.nda("vera", valid_from=0)
    paper = world.document("paper", world.member("lead", "attorney", None, starts_at=0, ends_at=NOW + YEARS))
    world.grant(vera, paper, not_before=0, not_after=NOW + YEARS)
    return world.actor(vera), paper


def _sees(world: World, actor: Actor, paper: str, moment: Moment | None = None) -> bool:
    """What every way of asking says; they must all say the same."""
    moment = moment or world.moment
    found = {decide(world.tx, MATRIX, moment, actor, action, Subject(document=paper)).allowed for action in READS}
    rows = listing.page(world.tx, MATRIX, moment, actor, after="", most=9)
    found |= {[row.id for row in rows] == [paper], listing.count(world.tx, MATRIX, moment, actor) == 1}
    found.add(decide(world.tx, MATRIX, moment, actor, Action.ENGAGEMENT_READ, _engagement(actor)).allowed)
    found.add(decide(world.tx, MATRIX, moment, actor, Action.DOCUMENT_LIST, _engagement(actor)).allowed)
    (answer,) = found
    return answer


def _engagement(actor: Actor) -> Subject:
    return Subject(engagement=actor.engagement_id)


# Whom what binds ------------------------------------------------------------------------------------------------------


def test_without_a_schedule_every_hour_is_open(ready: tuple[World, Actor, str]) -> None:
    world, actor, paper = ready
    assert _sees(world, actor, paper)


@pytest.mark.parametrize("own", [True, False])
def test_outside_the_hours_a_document_does_not_exist(ready: tuple[World, Actor, str], own: bool) -> None:
    world, actor, paper = ready
    world.schedule(SHUT, actor.membership_id if own else None)
    assert not _sees(world, actor, paper)
    assert _sees(world, actor, paper, Moment((FRIDAY_8 + HOUR) * 1000))
    decision = decide(world.tx, MATRIX, world.moment, actor, Action.DOCUMENT_VIEW, Subject(document=paper))
    assert decision.state is State.OUTSIDE_WINDOW
    assert decision.missing == ("window",)
    assert "window" not in decision.facts
    assert decision.error is not None
    assert decision.error.status == 404
    assert decision.error.extra == {}


def test_the_engagement_says_when_it_opens(ready: tuple[World, Actor, str]) -> None:
    world, actor, _paper = ready
    world.schedule(SHUT)
    decision = decide(world.tx, MATRIX, world.moment, actor, Action.ENGAGEMENT_READ, _engagement(actor))
    assert decision.state is State.OUTSIDE_WINDOW
    assert decision.error is not None
    assert (decision.error.status, decision.error.code) == (403, "outside_window")
    assert decision.error.extra == {"opens_at": "2027-01-15T09:00:00Z"}


def test_one_more_schedule_only_takes_away(ready: tuple[World, Actor, str]) -> None:
    world, actor, paper = ready
    world.schedule(OPEN)
    world.schedule(OPEN, actor.membership_id)
    assert _sees(world, actor, paper)
    world.schedule(SHUT, actor.membership_id)
    assert not _sees(world, actor, paper)


def test_a_schedule_of_another_member_or_engagement_binds_nobody_else(ready: tuple[World, Actor, str]) -> None:
    world, actor, paper = ready
    world.schedule(SHUT, world.member("vito", "paralegal"))
    world.schedule(SHUT, engagement="second")
    assert _sees(world, actor, paper)


def test_a_schedule_binds_from_its_first_second_to_before_its_last(ready: tuple[World, Actor, str]) -> None:
    world, actor, paper = ready
    schedule = world.schedule(SHUT)
    for dates, binds in (
        ({"valid_from": NOW}, True),
        ({"valid_from": NOW + 1}, False),
        ({"valid_from": NOW - 9, "valid_until": NOW + 1}, True),
        ({"valid_until": NOW}, False),
        ({"valid_until": NOW + 1, "ended_at": NOW + 1}, True),
        ({"ended_at": NOW}, False),
    ):
        world.change(models.schedules, schedule, **dates)
        assert _sees(world, actor, paper) != binds, dates


@pytest.mark.parametrize("role", ["attorney", "coordinator", "reviewer"])
def test_firm_people_are_bound_by_no_schedule(world: World, role: str) -> None:
    actor = world.actor(world.member("fay", role, "deal"))
    world.team("case", "fay")
    paper = world.document("paper", actor.membership_id)
    world.schedule(SHUT)
    action, on = (
        (Action.AUDIT_READ, _engagement(actor))
        if role == "reviewer"
        else (Action.DOCUMENT_VIEW, Subject(document=paper))
    )
    assert decide(world.tx, MATRIX, world.moment, actor, action, on).allowed
    assert not windows.is_shut(world.tx, world.moment, actor)


@pytest.mark.parametrize("text", ["", "{}", "x\ny", OPEN.text() + " "])
def test_a_row_that_cannot_be_read_shuts(ready: tuple[World, Actor, str], text: str) -> None:
    world, actor, paper = ready
    world.change(models.schedules, world.schedule(OPEN), terms=text)
    assert not _sees(world, actor, paper)
    found = windows.look(world.tx, world.moment, actor)
    assert (found.is_open, found.opens_at) == (False, None)


def test_from_another_network_it_does_not_exist(ready: tuple[World, Actor, str]) -> None:
    world, actor, paper = ready
    world.schedule(terms("00:00", "24:00", DAYS, networks=("203.0.113.0/24",)))
    now = world.moment.ms
    assert not _sees(world, actor, paper)
    assert not _sees(world, actor, paper, Moment(now, HOME))
    assert _sees(world, actor, paper, Moment(now, OFFICE))
    found = windows.look(world.tx, Moment(now, HOME), actor)
    assert (found.is_open, found.opens_at, found.is_elsewhere) == (False, None, True)
    assert not windows.look(world.tx, Moment(now, OFFICE), actor).is_elsewhere


def test_a_suspended_member_is_told_so_whatever_the_hour(ready: tuple[World, Actor, str]) -> None:
    world, actor, _paper = ready
    world.schedule(SHUT)
    world.change(models.memberships, actor.membership_id, suspended=1)
    found = decide(world.tx, MATRIX, world.moment, actor, Action.ENGAGEMENT_READ, _engagement(actor))
    assert found.state is State.SUSPENDED
    world.change(models.memberships, actor.membership_id, suspended=0, ends_at=NOW)
    found = decide(world.tx, MATRIX, world.moment, actor, Action.AGREEMENT_READ, _engagement(actor))
    assert found.state is not State.SUSPENDED


def test_what_needs_no_window_is_open_at_any_hour(ready: tuple[World, Actor, str]) -> None:
    world, actor, _paper = ready
    world.schedule(SHUT)
    for action, on in (
        (Action.ME_READ, Subject(person=actor.person_id)),
        (Action.AGREEMENT_SIGN, _engagement(actor)),
    ):
        assert decide(world.tx, MATRIX, world.moment, actor, action, on).allowed


def test_what_was_let_in_may_go_on_and_nothing_else_is_forgiven(ready: tuple[World, Actor, str]) -> None:
    world, actor, _paper = ready
    schedule = world.schedule(terms("06:00", "08:00", zone="UTC"))
    ask = world.ask(actor.membership_id, world.part(), "exhibit")
    on = Subject(part=world.part(), label="exhibit")

    def adds(subject: Subject) -> bool:
        return decide(world.tx, MATRIX, world.moment, actor, Action.DOCUMENT_ADD, subject).allowed

    assert not adds(on)
    assert adds(on._replace(begun=NOW - 1))
    assert not adds(on._replace(begun=NOW))
    assert not adds(on._replace(begun=NOW - 3 * HOUR))
    world.change(models.schedules, schedule, terms=terms("06:00", "08:00", zone="UTC", networks=("10.0.0.0/8",)).text())
    assert not adds(on._replace(begun=NOW - 1))
    world.change(models.schedules, schedule, ended_at=NOW)
    world.change(models.asks, ask, ended_at=NOW)
    assert not adds(on._replace(begun=NOW - 1))


# When it opens --------------------------------------------------------------------------------------------------------


def test_an_opening_lies_within_membership_and_engagement(ready: tuple[World, Actor, str]) -> None:
    world, actor, _paper = ready
    world.schedule(SHUT)
    nine = FRIDAY_8 + HOUR

    def opens_at() -> int | None:
        return windows.look(world.tx, world.moment, actor).opens_at

    assert opens_at() == nine
    for table, row in ((models.memberships, actor.membership_id), (models.engagements, world.engagement())):
        world.change(table, row, ends_at=nine)
        assert opens_at() is None
        world.change(table, row, ends_at=nine + 1)
        assert opens_at() == nine
        world.change(table, row, starts_at=nine + HOUR, ends_at=NOW + YEARS)
        assert opens_at() == nine + HOUR
        world.change(table, row, starts_at=0)
    world.change(models.engagements, world.engagement(), status="closing")
    assert opens_at() is None


def test_a_membership_that_has_not_begun_says_when_it_does(ready: tuple[World, Actor, str]) -> None:
    world, actor, _paper = ready
    world.change(models.memberships, actor.membership_id, starts_at=NOW + 100)
    found = windows.look(world.tx, world.moment, actor)
    assert (found.is_open, found.opens_at) == (False, NOW + 100)
    world.change(models.memberships, actor.membership_id, starts_at=NOW + 14 * DAY)
    assert windows.look(world.tx, world.moment, actor).opens_at is None


def test_a_member_is_told_of_what_binds_him_and_of_nothing_else(ready: tuple[World, Actor, str]) -> None:
    world, actor, _paper = ready
    everybodys, own = world.schedule(OPEN), world.schedule(SHUT, actor.membership_id, valid_from=NOW + DAY)
    world.schedule(SHUT, world.member("vito", "paralegal"))
    world.schedule(SHUT, ended_at=NOW)
    world.schedule(SHUT, valid_until=NOW)
    world.schedule(SHUT, engagement="second")
    found = windows.look(world.tx, world.moment, actor)
    assert {(each.id, each.own) for each in found.schedules} == {(everybodys, False), (own, True)}
    assert found.is_open


# Explanations ---------------------------------------------------------------------------------------------------------


def _explained(world: World, actor: Actor, paper: str, moment: Moment) -> explain.Access:
    row = decide(world.tx, MATRIX, moment, actor, Action.DOCUMENT_VIEW, Subject(document=paper)).row
    (found,) = explain.for_person(world.tx, MATRIX, moment, actor.firm_id, row, actor.person_id)
    return found


def test_an_explanation_says_that_a_schedule_shuts_the_window(ready: tuple[World, Actor, str]) -> None:
    world, actor, paper = ready
    world.schedule(SHUT)
    world.schedule(OPEN, actor.membership_id)
    world.schedule(SHUT, valid_from=NOW + 1)
    found = _explained(world, actor, paper, world.moment)
    assert not found.sees
    assert found.reasons[0].missing == ("window",)
    assert found.reasons[0].state is State.OUTSIDE_WINDOW
    assert sorted(found.schedules) == [(False, False), (True, False)]
    later = _explained(world, actor, paper, Moment((NOW + HOUR) * 1000))
    assert later.sees
    assert all(each.is_open for each in later.schedules)


def test_a_network_is_explained_as_if_from_there_and_told(ready: tuple[World, Actor, str]) -> None:
    world, actor, paper = ready
    world.schedule(terms("08:00", "17:00", zone="UTC", networks=("203.0.113.0/24",)))
    found = _explained(
        world, actor, paper, Moment(world.moment.ms, HOME)
    )  # the attorney's own address is nobody else's
    assert found.sees
    assert found.schedules == (explain.Hours(is_open=True, has_networks=True),)


# Everything at once ---------------------------------------------------------------------------------------------------

_minutes = st.sampled_from([-YEARS, -60, 0, 60, YEARS])
_drawn = st.tuples(schedules.any_terms, st.sampled_from(["own", "all", "other"]), _minutes, _minutes, _minutes)


@given(
    st.lists(_drawn, max_size=4),
    st.lists(schedules.any_minute, min_size=1, max_size=4),
    st.sampled_from([None, HOME, OFFICE, "2001:db8::7"]),
)
@settings(max_examples=200, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_lists_decisions_and_the_wall_agree_at_any_time_and_place(
    ground: Ground, drawn: list[tuple[Terms, str, int, int, int]], times: list[int], address: str | None
) -> None:
    world = ground.world(MONTHS[0])
    actor, paper = a_paralegal(world)
    other = world.member("vito", "paralegal")
    whose = {"own": actor.membership_id, "all": None, "other": other}
    rows = [
        (said, whom, times[0] + min(one, two), times[0] + max(one, two) + 60, times[0] + end)
        for said, whom, one, two, end in drawn
    ]
    for said, whom, since, until, end in rows:
        world.schedule(said, whose[whom], valid_from=since, valid_until=until, ended_at=end)
    for now in times:
        expected = all(
            schedules.is_hour(said, now) and (not said.networks or _inside(said, address))
            for said, whom, since, until, end in rows
            if whom != "other" and since <= now < until and now < end
        )
        moment = Moment(now * 1000 + 999, address)
        assert _sees(world, actor, paper, moment) == expected
        assert windows.is_shut(world.tx, moment, actor) != expected
        assert windows.look(world.tx, moment, actor).is_open == expected


def _inside(said: Terms, address: str | None) -> bool:
    """By text: all networks that are drawn end at a dot or colon."""
    firsts = {"203.0.113.0/24": "203.0.113.", "198.51.100.0/24": "198.51.100.", "2001:db8::/32": "2001:db8:"}
    return address is not None and any(address.startswith(firsts[str(network)]) for network in said.networks)

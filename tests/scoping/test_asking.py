"""Asking for access: what may be known of it, how long an ended grant still counts, and who answers."""

from __future__ import annotations

from typing import Any

import pytest

from service.db import models
from service.db.models import FOREVER
from service.scoping import listing
from service.scoping.actions import EXTENSION_GRACE_S, Action
from service.scoping.answers import State
from service.scoping.decide import Decision, Subject, decide
from service.scoping.matrix import Matrix
from tests.scoping.world import DAY, NOW, World, an_id


class Scene:
    """An engagement that declares a word, its lead on the team, a paralegal who signed, a paper she was not given."""

    def __init__(self, world: World, matrix: Matrix, word: str = "may_be_asked_for") -> None:
        self.world, self.matrix = world, matrix
        self.engagement = world.engagement(withheld=word)
        self.lead = world.member("lead", "attorney", None)
        self.vera = world.member("vera", "paralegal")
        world.team("case", "lead")
        world.nda("vera")
        self.paper = world.document("paper", self.lead, sensitivity="confidential")

    def ask(self, action: Action = Action.ACCESS_REQUEST_CREATE, member: str = "", document: str = "") -> Decision:
        actor, about = self.world.actor(member or self.vera), Subject(document=document or self.paper)
        return decide(self.world.tx, self.matrix, self.world.moment, actor, action, about)

    def listed(self) -> list[str]:
        actor, world = self.world.actor(self.vera), self.world
        found = listing.withheld(
            world.tx, self.matrix, world.moment, actor, engagement=self.engagement, after="", most=9
        )
        return [item.id for item in found]


@pytest.fixture
def scene(world: World, matrix: Matrix) -> Scene:
    return Scene(world, matrix)


def test_what_may_be_asked_for_is_known_and_nothing_of_it_is_opened(scene: Scene) -> None:
    for action in (Action.ACCESS_REQUEST_CREATE, Action.WITHHELD_LIST):
        decision = scene.ask(action)
        assert decision.allowed
        assert decision.facts == ("duties", "known", "live", "window")
        assert list(decision.authorised) == []
    assert scene.listed() == [scene.paper]
    (item,) = listing.withheld(
        scene.world.tx,
        scene.matrix,
        scene.world.moment,
        scene.world.actor(scene.vera),
        engagement=scene.engagement,
        after="",
        most=9,
    )
    assert type(item.id) is str  # no door opens a title with it


def test_what_is_invisible_is_not_there(world: World, matrix: Matrix) -> None:
    scene = Scene(world, matrix, "invisible")
    assert scene.ask().state is State.NEVER_GRANTED
    assert scene.ask().error.status == 404  # type: ignore[union-attr]  # a refusal has one
    assert scene.listed() == []


@pytest.mark.parametrize(
    "paper",
    [
        {"sensitivity": "privileged"},
        {"sensitivity": "attorney_only"},
        {"state": "to_look_at"},
        {"state": "taken_back"},
        {"state": "destroyed"},
        {"engagement": "second"},
        {"matter": "walled"},
    ],
)
def test_what_could_not_be_handed_over_is_not_known(scene: Scene, paper: dict[str, Any]) -> None:
    scene.world.engagement("second", withheld="may_be_asked_for")
    scene.world.wall("vera", "walled", "vendor")
    other = scene.world.document("other", scene.lead, **paper)
    decision = scene.ask(document=other)
    assert (decision.allowed, decision.error.status) == (False, 404)  # type: ignore[union-attr]  # as above
    assert scene.listed() == [scene.paper]


@pytest.mark.parametrize("term", [(NOW - DAY, NOW + 1), (NOW + DAY, NOW + 2 * DAY)])
def test_what_is_held_or_will_be_is_not_withheld(scene: Scene, term: tuple[int, int]) -> None:
    scene.world.grant(scene.vera, scene.paper, not_before=term[0], not_after=term[1])
    assert not scene.ask(Action.WITHHELD_LIST).allowed
    assert scene.listed() == []


@pytest.mark.parametrize(("ago", "counts"), [(0, True), (EXTENSION_GRACE_S - 1, True), (EXTENSION_GRACE_S, False)])
def test_a_grant_that_ended_by_itself_counts_for_a_quarter_of_an_hour(
    world: World, matrix: Matrix, ago: int, counts: bool
) -> None:
    scene = Scene(world, matrix, "invisible")
    world.grant(scene.vera, scene.paper, not_before=NOW - DAY, not_after=NOW - ago)
    assert scene.ask().allowed is counts
    assert not scene.ask(Action.DOCUMENT_VIEW).allowed
    assert not scene.ask(Action.DOCUMENT_LIST).allowed


def test_a_grant_that_was_revoked_counts_no_more(world: World, matrix: Matrix) -> None:
    scene = Scene(world, matrix, "invisible")
    world.grant(scene.vera, scene.paper, revoked_at=NOW)
    assert scene.ask().state is State.REVOKED


def test_a_grant_that_does_not_even_let_view_is_none_to_ask_with(world: World, matrix: Matrix) -> None:
    scene = Scene(world, matrix, "invisible")
    world.grant(scene.vera, scene.paper, abilities=4)
    assert not scene.ask().allowed


def _on_call(world: World, name: str, starts_at: int, ends_at: int, engagement: str = "deal") -> None:
    world.add(
        models.on_calls,
        id=an_id("onc", f"{name} {starts_at}"),
        firm_id=world.firm(),
        engagement_id=world.engagement(engagement),
        person_id=world.person(name),
        starts_at=starts_at,
        ends_at=ends_at,
    )


@pytest.mark.parametrize(
    ("term", "allowed"),
    [
        ((NOW, NOW + 1), True),
        ((NOW - 1, NOW), False),
        ((NOW + 1, NOW + 2), False),
        ((NOW - DAY, FOREVER), True),
        (None, False),
    ],
)
def test_who_is_on_call_now_answers(scene: Scene, term: tuple[int, int] | None, allowed: bool) -> None:
    member = scene.world.member("otto", "attorney", None)
    scene.world.team("case", "otto")
    if term is not None:
        _on_call(scene.world, "otto", *term)
    decision = scene.ask(Action.ACCESS_REQUEST_ANSWER, member)
    assert decision.allowed is allowed
    assert decision.state is (None if allowed else State.NOT_ON_CALL)
    assert scene.ask(Action.ACCESS_REQUEST_ANSWER, scene.lead).allowed


def test_a_duty_in_another_engagement_answers_nothing_here(scene: Scene) -> None:
    member = scene.world.member("otto", "attorney", None)
    scene.world.team("case", "otto")
    _on_call(scene.world, "otto", NOW - DAY, FOREVER, "second")
    assert scene.ask(Action.ACCESS_REQUEST_ANSWER, member).state is State.NOT_ON_CALL


@pytest.mark.parametrize("befalls", ["walled", "off the team", "of another engagement"])
def test_on_call_opens_no_other_door(scene: Scene, befalls: str) -> None:
    world = scene.world
    member = world.member("otto", "attorney", "second" if befalls == "of another engagement" else None)
    _on_call(world, "otto", NOW - DAY, FOREVER)
    if befalls != "off the team":
        world.team("case", "otto")
    if befalls == "walled":
        world.wall("otto")
    decision = scene.ask(Action.ACCESS_REQUEST_ANSWER, member)
    assert (decision.allowed, decision.error.status) == (False, 404)  # type: ignore[union-attr]  # a refusal has one

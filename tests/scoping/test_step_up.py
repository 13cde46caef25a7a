"""The fact `stepped_up`: what a fresh proof opens, what is said without one, and that lists agree with decisions."""

from __future__ import annotations

from pathlib import Path

import pytest

from service.db import models
from service.scoping import listing, together
from service.scoping.actions import Action
from service.scoping.actors import as_actor
from service.scoping.answers import State
from service.scoping.decide import Decision, Subject, decide
from service.scoping.explain import for_person
from service.scoping.matrix import Matrix
from service.scoping.statements import EVERYWHERE
from service.scoping.together import Asker
from tests.scoping.policies import policy_folder
from tests.scoping.world import World

SENSITIVE = (Action.DISPOSAL_APPROVE, Action.EMERGENCY_DECLARE, Action.HOLD_LIFT, Action.WALL_LIFT)
PARALEGAL = (
    "paralegal,document:download document:list document:text document:view,*,privileged,"
    "live duties assigned window,allow"
)
UNKNOWN = f"mtr_{'0' * 32}"


class Scene:
    """A matter with its lead, an owner, a paralegal with papers of two sensitivities."""

    def __init__(self, world: World, matrix: Matrix) -> None:
        self.world, self.matrix = world, matrix
        self.engagement, self.matter = world.engagement(), world.matter()
        self.lead, self.owner = world.member("lead", "attorney", None), world.member("olga", "owner", None)
        self.other = world.member("otto", "attorney", None)
        self.vera = world.member("vera", "paralegal")
        world.team("case", "lead")
        world.nda("vera")
        self.plain = world.document("plain", self.lead, sensitivity="confidential")
        self.close = world.document("close", self.lead, sensitivity="privileged")
        for paper in (self.plain, self.close):
            world.grant(self.vera, paper)

    def ask(self, member: str, action: Action, subject: Subject, *, stepped_up: bool = False) -> Decision:
        actor = self.world.actor(member, stepped_up=stepped_up)
        return decide(self.world.tx, self.matrix, self.world.moment, actor, action, subject)


@pytest.fixture
def scene(world: World, matrix: Matrix) -> Scene:
    return Scene(world, matrix)


@pytest.fixture
def strict(world: World, tmp_path: Path) -> Scene:
    """A policy by which a paralegal looks at privileged papers with a fresh proof alone."""
    split = PARALEGAL.replace("privileged", "confidential") + "\n" + PARALEGAL.replace("window", "window stepped_up")
    folder = policy_folder(tmp_path / "strict", policy=lambda text: text.replace(PARALEGAL, split))
    return Scene(world, Matrix.load(folder))


@pytest.mark.parametrize("action", [Action.HOLD_LIFT, Action.EMERGENCY_DECLARE])
def test_a_token_alone_is_not_enough_and_the_record_names_the_proof(scene: Scene, action: Action) -> None:
    on = Subject(matter=scene.matter)
    refused = scene.ask(scene.lead, action, on)
    assert (refused.state, refused.missing) == (State.STEP_UP_NEEDED, ("stepped_up",))
    assert refused.error is not None
    assert (refused.error.code, refused.error.status) == ("step_up_needed", 403)
    allowed = scene.ask(scene.lead, action, on, stepped_up=True)
    assert allowed.allowed
    assert "stepped_up" in allowed.facts


def test_where_no_rule_asks_for_the_proof_it_is_not_recorded(scene: Scene) -> None:
    for action in (Action.HOLD_PLACE, Action.MATTER_READ):
        decision = scene.ask(scene.lead, action, Subject(matter=scene.matter), stepped_up=True)
        assert decision.allowed
        assert "stepped_up" not in decision.facts


@pytest.mark.parametrize("action", SENSITIVE)
def test_each_sensitive_act_needs_it_of_every_role_that_may(scene: Scene, action: Action) -> None:
    for role in ("attorney", "owner"):
        ways = scene.matrix.alternatives(role, action)
        assert all(way.facts & 64 for way in ways)
    assert any(scene.matrix.role_may(role, action) for role in ("attorney", "owner"))


def test_without_the_proof_what_is_there_and_what_is_not_answer_alike(scene: Scene) -> None:
    scene.world.wall("otto")
    answers = set()
    for action in (Action.EMERGENCY_DECLARE, Action.HOLD_LIFT):
        for member in (scene.lead, scene.other):
            for matter in (scene.matter, UNKNOWN):
                error = scene.ask(member, action, Subject(matter=matter)).error
                assert error is not None
                answers.add((error.code, error.message))
    assert {code for code, _ in answers} == {"step_up_needed"}
    assert len(answers) == 1
    for matter in (scene.matter, UNKNOWN):  # with it, as if it had never been asked for
        told = scene.ask(scene.other, Action.EMERGENCY_DECLARE, Subject(matter=matter), stepped_up=True)
        assert told.error is not None
        assert told.error.code == "not_found"


def test_who_may_never_do_it_hears_of_his_role_and_who_is_suspended_of_that(scene: Scene) -> None:
    assert scene.ask(scene.vera, Action.HOLD_LIFT, Subject(matter=scene.matter)).state is State.ROLE
    scene.world.change(models.memberships, scene.lead, suspended=1)
    assert scene.ask(scene.lead, Action.HOLD_LIFT, Subject(matter=scene.matter)).state is State.SUSPENDED


def test_the_owner_resets_anybodys_authenticator_but_his_own(scene: Scene) -> None:
    vera, olga = scene.world.person("vera", "vendor"), scene.world.person("olga")
    reset = Action.AUTHENTICATOR_RESET
    assert scene.ask(scene.owner, reset, Subject(person=vera)).state is State.STEP_UP_NEEDED
    assert scene.ask(scene.owner, reset, Subject(person=vera), stepped_up=True).allowed
    own = scene.ask(scene.owner, reset, Subject(person=olga), stepped_up=True)
    assert own.state is State.SECOND_NEEDED
    assert scene.ask(scene.lead, reset, Subject(person=vera), stepped_up=True).state is State.ROLE


def test_a_second_authenticator_is_for_who_proves_it_with_the_first(scene: Scene) -> None:
    on = Subject(person=scene.world.person("vera", "vendor"))
    assert scene.ask(scene.vera, Action.AUTHENTICATOR_ENROL, on).allowed
    assert scene.ask(scene.vera, Action.AUTHENTICATOR_REPLACE, on).state is State.STEP_UP_NEEDED
    assert scene.ask(scene.vera, Action.AUTHENTICATOR_REPLACE, on, stepped_up=True).allowed
    elsewhere = Subject(person=scene.world.person("lead"))
    assert not scene.ask(scene.vera, Action.AUTHENTICATOR_ENROL, elsewhere).allowed


# Documents: where a house's own policy asks for it --------------------------------------------------------------------


def test_lists_and_counts_are_what_is_decided_with_the_proof_and_without(strict: Scene) -> None:
    world = strict.world
    for stepped_up in (False, True, False):  # what was compiled for one does not serve the other
        actor = world.actor(strict.vera, stepped_up=stepped_up)
        decided = {
            paper
            for paper in (strict.plain, strict.close)
            if strict.ask(strict.vera, Action.DOCUMENT_LIST, Subject(document=paper), stepped_up=stepped_up).allowed
        }
        rows = listing.page(world.tx, strict.matrix, world.moment, actor, after="", most=9)
        assert {row.id for row in rows} == decided
        assert listing.count(world.tx, strict.matrix, world.moment, actor) == len(decided) == 1 + stepped_up
        assert strict.ask(strict.vera, Action.DOCUMENT_LIST, Subject(), stepped_up=stepped_up).allowed


def test_a_document_that_needs_the_proof_is_not_there_without(strict: Scene) -> None:
    for action in (Action.DOCUMENT_VIEW, Action.DOCUMENT_LIST):
        refused = strict.ask(strict.vera, action, Subject(document=strict.close))
        assert refused.state is State.STEP_UP_NEEDED
        assert refused.error is not None
        assert refused.error.code == "not_found"
    assert strict.ask(strict.vera, Action.DOCUMENT_VIEW, Subject(document=strict.close), stepped_up=True).allowed


def test_explaining_and_simulating_count_on_the_proof_that_somebody_can_bring(strict: Scene) -> None:
    world, person = strict.world, strict.world.person("vera", "vendor")
    document = strict.ask(strict.lead, Action.DOCUMENT_ACCESS, Subject(document=strict.close)).row
    [access] = for_person(world.tx, strict.matrix, world.moment, world.firm(), document, person)
    assert access.sees
    assert "stepped_up" in access.reasons[0].facts
    asker = Asker(world.actor(strict.lead), world.moment)
    seen = as_actor(world.firm(), _row(strict))
    args = (world.tx, strict.matrix, asker, world.moment, seen, Action.DOCUMENT_LIST)
    assert {row.id for row in together.page(*args, after="", most=9, where=EVERYWHERE)} == {strict.plain, strict.close}
    assert together.count(*args, where=EVERYWHERE) == 2


def _row(scene: Scene) -> object:
    class Row:
        id = scene.vera
        person_id = scene.world.person("vera", "vendor")
        role = "paralegal"
        side = "vendor"
        engagement_id = scene.engagement
        vendor_id = scene.world.vendor()

    return Row()

"""An explanation says what would happen, for everybody concerned and nobody else."""

from __future__ import annotations

from service.db import models
from service.scoping import explain
from service.scoping.actions import Action
from service.scoping.answers import State
from service.scoping.decide import Subject, decide
from service.scoping.matrix import Matrix
from tests.scoping.world import NOW, World


def test_everybody_who_can_see_a_document_is_named_with_rule_facts_and_grant(world: World, matrix: Matrix) -> None:
    lead, vera, vito = (
        world.member("lead", "attorney", None),
        world.member("vera", "paralegal"),
        world.member("vito", "paralegal"),
    )
    world.member("otto", "attorney", None)
    world.member("olga", "owner", None)
    world.team("case", "lead")
    world.nda("vera")
    paper = world.document("paper", lead)
    grant = world.grant(vera, paper, abilities=1)
    world.grant(vera, paper, revoked_at=NOW)
    world.grant(vito, paper)  # no NDA
    row = decide(world.tx, matrix, world.moment, world.actor(lead), Action.DOCUMENT_ACCESS, Subject(document=paper)).row
    found = {
        access.membership_id: access
        for access in explain.who_can_see(world.tx, matrix, world.moment, world.firm(), row)
    }
    assert set(found) == {lead, vera}
    view, text, download, revise = found[vera].reasons
    assert [each.allowed for each in (view, text, download, revise)] == [True, False, False, False]
    assert view.facts == ("assigned", "duties", "live", "window")
    assert view.rule.startswith("policy.csv:")
    assert download.state is State.ABILITY_MISSING
    assert found[vera].grants == (explain.Given(grant, vera, None),)
    assert found[lead].grants == ()
    assert all(reason.allowed for reason in found[lead].reasons)


def test_for_one_person_it_says_what_is_missing(world: World, matrix: Matrix) -> None:
    vito = world.member("vito", "paralegal")
    paper = world.document("paper", vito)
    world.grant(vito, paper)
    nda = world.nda("vito")
    person = world.person("vito", "vendor")
    row = decide(world.tx, matrix, world.moment, world.actor(vito), Action.DOCUMENT_VIEW, Subject(document=paper)).row
    world.change(models.duties, nda, valid_until=NOW)
    (access,) = explain.for_person(world.tx, matrix, world.moment, world.firm(), row, person)
    assert not access.sees
    assert access.grants == ()
    assert [reason.action for reason in access.reasons] == list(explain.LOOKED_AT)
    assert {reason.state for reason in access.reasons} == {State.DUTY_MISSING}
    assert access.reasons[0].missing == ("duties",)
    assert explain.for_person(world.tx, matrix, world.moment, world.firm(), row, "per_nobody") == []

"""Grants are told of exactly where they are live and the asker could ask about their document."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from service.scoping import held
from service.scoping.actions import Action
from service.scoping.decide import Subject, decide
from service.scoping.matrix import Matrix
from service.scoping.together import Asker
from tests.scoping.test_listing import BOTH, ENGAGEMENTS, MATRIX, random_world
from tests.scoping.world import NOW, Ground, World, an_id


@given(st.data())
@BOTH
def test_grants_that_are_told_are_live_and_on_papers_of_the_askers(ground: Ground, data: st.DataObject) -> None:
    world, actors, _ids = random_world(data.draw, ground)
    for asker in actors:
        for name in ENGAGEMENTS:
            engagement = an_id("eng", f"firm {name}")
            found = held.live(world.tx, MATRIX, Asker(asker, world.moment), engagement, after="", most=100)
            assert [row.id for row in found] == sorted(
                grant["id"]
                for grant in world.rows("grt")
                if grant["engagement_id"] == engagement
                and grant["not_before"] <= NOW < grant["not_after"]
                and grant["revoked_at"] > NOW
                and decide(
                    world.tx,
                    MATRIX,
                    world.moment,
                    asker,
                    Action.DOCUMENT_ACCESS,
                    Subject(document=grant["document_id"]),
                ).allowed
            )


def test_grants_come_with_holder_and_version_page_by_page(world: World, matrix: Matrix) -> None:
    lead, vera = world.member("lead", "attorney", None), world.member("vera", "paralegal")
    world.team("case", "lead")
    made = sorted(world.grant(vera, world.document(f"paper {n}", lead), version=n + 1) for n in range(3))
    asker, found, after = Asker(world.actor(lead), world.moment), [], ""
    while rows := held.live(world.tx, matrix, asker, world.engagement(), after=after, most=2):
        found += rows
        after = rows[-1].id
    assert [row.id for row in found] == made
    assert {(row.membership_id, row.person_id, row.role) for row in found} == {
        (vera, world.person("vera", "vendor"), "paralegal")
    }
    assert sorted(row.version for row in found) == [1, 2, 3]


def test_who_may_not_be_told_is_told_nothing(world: World, matrix: Matrix) -> None:
    lead, vera, owner = (
        world.member("lead", "attorney", None),
        world.member("vera", "paralegal"),
        world.member("olga", "owner", None),
    )
    world.team("case", "lead")
    world.grant(vera, world.document("paper", lead))
    for asker in (world.actor(owner), world.actor(vera), world.actor(lead, "engagement")):
        asked = Asker(asker, world.moment)
        assert held.live(world.tx, matrix, asked, world.engagement(), after="", most=9) == []

"""Grants that may be taken are exactly those whose documents' grants the asker may revoke, one decision each."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from service.scoping import takeable
from service.scoping.actions import Action
from service.scoping.decide import Subject, decide
from service.scoping.matrix import Matrix
from service.scoping.takeable import Which
from tests.scoping.test_listing import BOTH, ENGAGEMENTS, MATRIX, MATTERS, random_world
from tests.scoping.world import NOW, Ground, World, an_id


@given(st.data(), st.booleans(), st.sampled_from(["any", "person", "matter", "label"]))
@BOTH
def test_grants_that_may_be_taken_are_those_that_each_may_be_revoked(
    ground: Ground, data: st.DataObject, over: bool, by: str
) -> None:
    world, actors, _ids = random_world(data.draw, ground)
    seats = {row["id"]: row for row in world.rows("mem")}
    papers = {row["id"]: row for row in world.rows("doc")}
    wanted = {
        "any": {},
        "person": {"person": actors[0].person_id},
        "matter": {"matter": an_id("mtr", f"firm {MATTERS[0]}")},
        "label": {"label": next(iter(papers.values()))["label"] if papers else "billing"},
    }[by]
    for asker in actors:
        for name in ENGAGEMENTS:
            engagement = an_id("eng", f"firm {name}")
            which = Which(engagement, **wanted)
            found = takeable.grants(world.tx, MATRIX, world.moment, asker, which, most=100, over=over)
            assert [row.id for row in found] == sorted(
                grant["id"]
                for grant in world.rows("grt")
                if grant["engagement_id"] == engagement
                and (over or min(grant["not_after"], grant["revoked_at"]) > NOW)
                and wanted.get("person") in {None, seats[grant["membership_id"]]["person_id"]}
                and wanted.get("matter") in {None, papers[grant["document_id"]]["matter_id"]}
                and wanted.get("label") in {None, papers[grant["document_id"]]["label"]}
                and decide(
                    world.tx,
                    MATRIX,
                    world.moment,
                    asker,
                    Action.GRANT_REVOKE,
                    Subject(document=grant["document_id"]),
                ).allowed
            )


def test_who_may_revoke_nothing_is_told_nothing(world: World, matrix: Matrix) -> None:
    lead, vera, owner = (
        world.member("lead", "attorney", None),
        world.member("vera", "paralegal"),
        world.member("olga", "owner", None),
    )
    world.team("case", "lead")
    grant = world.grant(vera, world.document("paper", lead))
    which = Which(world.engagement())
    for asker, told in (
        (world.actor(lead), [grant]),
        (world.actor(lead, "grant"), [grant]),
        (world.actor(lead, "engagement"), []),  # the token is for less
        (world.actor(owner), []),
        (world.actor(vera), []),
    ):
        found = takeable.grants(world.tx, matrix, world.moment, asker, which, most=9)
        assert [row.id for row in found] == told

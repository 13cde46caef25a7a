"""What somebody is told of another's list is exactly what both may, the one then and the asker now."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from service.ledger import Moment
from service.scoping import together
from service.scoping.actions import Action
from service.scoping.decide import Subject, decide
from service.scoping.matrix import Matrix
from service.scoping.statements import Where
from service.scoping.together import TOLD, Asker
from tests.scoping.test_listing import BOTH, ENGAGEMENTS, MATRIX, MATTERS, random_world
from tests.scoping.world import Ground, World, an_id

ACTS = (Action.DOCUMENT_VIEW, Action.DOCUMENT_DOWNLOAD)


@given(
    st.data(),
    st.sampled_from([0, 1, 10, 3600]),
    st.sampled_from(
        [
            Where(),
            Where(engagement=an_id("eng", f"firm {ENGAGEMENTS[0]}")),
            Where(matter=an_id("mtr", f"firm {MATTERS[0]}")),
        ]
    ),
)
@BOTH
def test_what_is_told_is_what_both_may(ground: Ground, data: st.DataObject, ahead: int, where: Where) -> None:
    world, actors, ids = random_world(data.draw, ground)
    then = Moment(world.moment.ms + ahead * 1000)
    for asker in actors[2:]:
        for actor in actors:
            for action in ACTS:
                both = [
                    document
                    for document in sorted(ids)
                    if decide(world.tx, MATRIX, then, actor, action, Subject(document=document)).allowed
                    and decide(world.tx, MATRIX, world.moment, asker, TOLD, Subject(document=document)).allowed
                    and where.engagement in (None, world.row(document)["engagement_id"])
                    and where.matter in (None, world.row(document)["matter_id"])
                ]
                asked = (world.tx, MATRIX, Asker(asker, world.moment), then, actor, action)
                found = together.page(*asked, after="", most=100, where=where)
                assert [row.id for row in found] == both
                assert together.count(*asked, where=where) == len(both)


def test_pages_follow_one_another(world: World, matrix: Matrix) -> None:
    lead, vera = world.member("lead", "attorney", None), world.member("vera", "paralegal")
    world.team("case", "lead")
    world.nda("vera")
    papers = sorted(world.document(f"paper {n}", lead) for n in range(5))
    for paper in papers:
        world.grant(vera, paper)
    other = world.document("of another matter", lead, "other")
    world.grant(vera, other)
    asker, found, after = Asker(world.actor(lead), world.moment), [], ""
    while True:
        rows = together.page(
            world.tx,
            matrix,
            asker,
            world.moment,
            world.actor(vera),
            Action.DOCUMENT_VIEW,
            after=after,
            most=2,
            where=Where(),
        )
        if not rows:
            break
        found += [row.id for row in rows]
        after = rows[-1].id
    assert found == papers  # the other matter's is not the asker's to know


def test_an_asker_whose_token_is_for_less_is_told_nothing(world: World, matrix: Matrix) -> None:
    lead = world.member("lead", "attorney", None)
    world.team("case", "lead")
    world.document("paper", lead)
    narrow = Asker(world.actor(lead, "person matter"), world.moment)
    asked = (world.tx, matrix, narrow, world.moment, world.actor(lead), Action.DOCUMENT_VIEW)
    assert together.count(*asked, where=Where()) == 0
    assert together.page(*asked, after="", most=9, where=Where()) == []


def test_who_may_never_see_or_be_told_is_answered_without_a_query(world: World, matrix: Matrix) -> None:
    lead, owner = world.member("lead", "attorney", None), world.member("olga", "owner", None)
    world.team("case", "lead")
    world.document("paper", lead)
    for asker, actor in ((lead, owner), (owner, lead)):
        asked = (world.tx, matrix, Asker(world.actor(asker), world.moment), world.moment, world.actor(actor), ACTS[0])
        assert together.count(*asked, where=Where()) == 0

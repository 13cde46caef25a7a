"""Asks, tasks and the like concern whoever they are for, and the firm's people of their matter; nobody past a wall."""

from __future__ import annotations

import pytest
from sqlalchemy import select

from service.db.models import asks, parts
from service.scoping import affairs, facts
from tests.scoping.world import DAY, NOW, World

_CONCERN = (
    select(asks.c.id)
    .select_from(asks.join(parts, parts.c.id == asks.c.part_id))
    .where(asks.c.firm_id == facts.FIRM, affairs.concern(asks.c.membership_id, parts.c.matter_id))
)


def _concerned(world: World, membership_id: str) -> list[str]:
    eyes = affairs.eyes(world.actor(membership_id), NOW)
    return [row.id for row in world.tx.all(_CONCERN, **eyes)]


@pytest.fixture
def ask(world: World) -> str:
    """What vera is asked for, in the matter of which the lead is."""
    world.member("lead", "attorney", None)
    world.team("case", "lead")
    return world.ask(world.member("vera", "paralegal"), world.part(), "correspondence")


def test_it_concerns_whose_it_is_and_who_is_of_its_matter(world: World, ask: str) -> None:
    assert _concerned(world, world.member("vera", "paralegal")) == [ask]
    assert _concerned(world, world.member("lead", "attorney", None)) == [ask]
    assert _concerned(world, world.member("vic", "paralegal")) == []
    assert _concerned(world, world.member("anna", "attorney", None)) == []


@pytest.mark.parametrize(("until", "seen"), [(NOW, False), (NOW + 1, True)])
def test_who_was_of_the_matter_is_concerned_no_more(world: World, ask: str, until: int, *, seen: bool) -> None:
    anna = world.member("anna", "attorney", None)
    world.team("case", "anna", until=until)
    assert _concerned(world, anna) == [ask] * seen


def test_being_named_on_a_matter_lets_a_vendors_person_see_no_more(world: World, ask: str) -> None:
    vic = world.member("vic", "paralegal")
    world.team("case", "vic")
    assert ask
    assert _concerned(world, vic) == []


@pytest.mark.parametrize(
    ("raised", "lifted", "seen"),
    [(NOW, NOW + DAY, False), (NOW + 1, NOW + DAY, True), (NOW - DAY, NOW, True), (NOW - DAY, NOW + 1, False)],
)
def test_a_wall_hides_even_ones_own_as_long_as_it_stands(
    world: World, ask: str, raised: int, lifted: int, *, seen: bool
) -> None:
    vera, lead = world.member("vera", "paralegal"), world.member("lead", "attorney", None)
    world.wall("vera", side="vendor", raised_at=raised, lifted_at=lifted)
    assert _concerned(world, vera) == [ask] * seen
    assert _concerned(world, lead) == [ask]

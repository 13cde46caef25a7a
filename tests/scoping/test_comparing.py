"""A difference between two policies is exactly what deciding every document under both gives."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from pathlib import Path
from tempfile import mkdtemp

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from service.db import models
from service.scoping import windows
from service.scoping.actions import Duty
from service.scoping.comparing import COMPARED, Comparison, Shift
from service.scoping.decide import Subject, decide
from service.scoping.matrix import Matrix
from tests.scale import count
from tests.scoping.policies import policy_folder
from tests.scoping.test_listing import BOTH, random_world
from tests.scoping.world import Ground, World

PARALEGAL = (
    "paralegal,document:download document:list document:text document:view,*,privileged,"
    "live duties assigned window,allow\n"
)
OWN = (
    "paralegal,document:download document:inspect document:list document:revise document:take_back document:text "
    "document:view,*,confidential,live duties own window,allow\n"
)
ATTORNEY = (
    "attorney,document:access document:download document:inspect document:lineage document:list document:text "
    "document:view,*,*,assigned,allow\n"
)
COORDINATOR = (
    "coordinator,document:download document:inspect document:list document:text document:view,*,confidential,"
    "assigned,allow\n"
)


def _without(line: str) -> Callable[[str], str]:
    def change(text: str) -> str:
        assert line in text
        return text.replace(line, "")

    return change


def _instead(line: str, other: str) -> Callable[[str], str]:
    def change(text: str) -> str:
        assert line in text
        # Nobody may ask for what he could never see: the loader would refuse it.
        asking = "paralegal,access_request:"
        kept = "".join(row for row in text.splitlines(keepends=True) if line != PARALEGAL or not row.startswith(asking))
        return kept.replace(line, other)

    return change


def untrained(text: str) -> str:
    """The duties without training."""
    assert ",training " in text
    return text.replace(",training ", ",")


VERSIONS: dict[str, dict[str, Callable[[str], str]]] = {
    "as it is": {},
    "lower ceiling": {"policy": _instead(PARALEGAL, PARALEGAL.replace("privileged", "routine"))},
    "fewer labels": {"policy": _instead(PARALEGAL, PARALEGAL.replace("*", "exhibit billing"))},
    "no papers of one's own": {"policy": _without(OWN)},
    "no grants": {"policy": _instead(PARALEGAL, "")},
    "attorneys need a running engagement": {
        "policy": _instead(ATTORNEY, ATTORNEY.replace(",assigned", ",live assigned"))
    },
    "coordinators see all": {"policy": _instead(COORDINATOR, COORDINATOR.replace("confidential", "*"))},
    "no training": {"duties": untrained},
    "training for exhibits": {"duties": lambda text: untrained(text) + "paralegal,document:view,exhibit,training\n"},
}


@cache
def version(name: str) -> Matrix:
    return Matrix.load(policy_folder(Path(mkdtemp()), **VERSIONS[name]))


@cache
def comparison(before: str, after: str) -> Comparison:
    return Comparison(version(before), version(after))


@pytest.mark.parametrize("after", [name for name in VERSIONS if name != "as it is"])
@given(st.data(), st.booleans())
@settings(BOTH, max_examples=max(6, count(1000) // len(VERSIONS)))
def test_a_difference_is_what_deciding_under_both_gives(
    ground: Ground, after: str, data: st.DataObject, backwards: bool
) -> None:
    names = (after, "as it is") if backwards else ("as it is", after)
    world, actors, ids = random_world(data.draw, ground)
    compared = comparison(*names)
    looked_at = {actor.membership_id for actor in compared.seats(world.tx, world.firm())}
    for actor in actors:
        if windows.is_shut(world.tx, world.moment, actor):
            continue  # what a policy changes is told whatever the hour: a decision of this hour says no to both
        found = list(compared.shifts(world.tx, world.moment, actor))
        plain = _plain(world, actor.membership_id, version(names[0]), version(names[1]), ids)
        assert found == plain
        assert actor.membership_id in looked_at or not plain


def _plain(world: World, membership_id: str, before: Matrix, after: Matrix, ids: list[str]) -> list[Shift]:
    """The same by deciding each document under each policy."""
    # Nobody's token is asked about: as if each had just proved that it is he.
    actor, found = world.actor(membership_id, stepped_up=True), []
    for action in COMPARED:
        old, new = (
            {one for one in ids if decide(world.tx, each, world.moment, actor, action, Subject(document=one)).allowed}
            for each in (before, after)
        )
        if old != new:
            found.append(
                Shift(actor.person_id, membership_id, actor.role, action.value, len(new - old), len(old - new))
            )
    return found


def test_only_seats_whose_role_is_answered_otherwise_are_looked_at(world: World) -> None:
    paralegal = world.member("vera", "paralegal")
    world.member("lead", "attorney", None)
    assert [seat.membership_id for seat in comparison("as it is", "no grants").seats(world.tx, world.firm())] == [
        paralegal
    ]
    assert comparison("as it is", "as it is").seats(world.tx, world.firm()) == []


def test_gains_and_losses_of_one_change_are_told_apart(world: World, tmp_path: Path) -> None:
    paralegal = world.member("vera", "paralegal")
    world.nda("vera")
    for name, label in (("one", "exhibit"), ("two", "exhibit"), ("three", "billing")):
        world.grant(paralegal, world.document(name, paralegal, label=label))
    world.change(models.engagements, world.engagement(), owed=int(Duty.TRAINING))
    trained = Matrix.load(
        policy_folder(tmp_path, duties=lambda text: untrained(text) + "paralegal,document:view,billing,training\n")
    )
    narrow = version("fewer labels")
    actor = world.actor(paralegal)
    (lost,) = Comparison(version("no training"), trained).shifts(world.tx, world.moment, actor)
    assert (lost.action, lost.gained, lost.lost) == ("document:view", 0, 1)
    world.duty(Duty.TRAINING, world.person("vera", "vendor"), world.engagement())
    assert list(Comparison(version("no training"), trained).shifts(world.tx, world.moment, actor)) == []
    assert list(Comparison(version("as it is"), narrow).shifts(world.tx, world.moment, actor)) == []

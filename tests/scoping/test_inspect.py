"""Who is told what lies hidden in a paper: attorneys, coordinators, and the author of a draft while it is one."""

from __future__ import annotations

from typing import Any

import pytest

from service.db import models
from service.scoping.actions import OWN_LIFE_S, Action
from service.scoping.decide import Subject
from service.scoping.matrix import Matrix
from tests.scoping.test_decide import Scene
from tests.scoping.world import DAY, NOW, World

LABEL = "correspondence"
INSPECT = Action.DOCUMENT_INSPECT


@pytest.fixture
def scene(world: World, matrix: Matrix) -> Scene:
    return Scene(world, matrix)


def added(scene: Scene, **values: Any) -> Subject:
    """A paper that the paralegal added and nobody has confirmed."""
    given = {"state": "to_look_at", "sensitivity": "confidential", "added_at": NOW, "label": LABEL, **values}
    return Subject(document=scene.world.document(f"own {values}", scene.paralegal, **given))


def asked(scene: Scene, task: str | None = "tsk_1", label: str = LABEL, **values: Any) -> str:
    """Papers of a label asked of the paralegal, with a task or by themselves."""
    return scene.world.ask(scene.paralegal, scene.part, label, task_id=task, **values)


def is_told(scene: Scene, paper: Subject) -> bool:
    return scene.vera(INSPECT, paper).allowed


def test_the_author_of_a_draft_is_told(scene: Scene) -> None:
    asked(scene)
    assert is_told(scene, added(scene))


def test_who_passed_a_paper_on_is_not_told(scene: Scene) -> None:
    asked(scene, None)
    paper = added(scene)
    assert scene.vera(Action.DOCUMENT_VIEW, paper).allowed
    assert not is_told(scene, paper)
    assert scene.ask(scene.lead, INSPECT, paper).allowed


def test_where_both_were_asked_for_nobody_can_tell(scene: Scene) -> None:
    asked(scene)
    by_itself = asked(scene, None)
    paper = added(scene)
    assert not is_told(scene, paper)
    scene.world.change(models.asks, by_itself, ended_at=NOW)  # it was asked for until now: the paper was added at NOW
    assert is_told(scene, paper)


@pytest.mark.parametrize("end", [{"ended_at": NOW}, {"not_after": NOW}])
def test_a_draft_is_one_while_its_task_lasts(scene: Scene, end: dict[str, int]) -> None:
    task = asked(scene)
    paper = added(scene, added_at=NOW - 60)
    assert is_told(scene, paper)
    scene.world.change(models.asks, task, **end)
    assert not is_told(scene, paper)
    assert scene.vera(Action.DOCUMENT_VIEW, paper).allowed


def test_only_what_was_added_for_the_task_is_a_draft(scene: Scene) -> None:
    asked(scene, not_before=NOW - 60)
    assert is_told(scene, added(scene, added_at=NOW - 60))
    assert not is_told(scene, added(scene, added_at=NOW - 61))
    assert not is_told(scene, added(scene, label="exhibit"))


def test_a_draft_is_its_authors_for_72_hours_and_until_it_is_confirmed(scene: Scene) -> None:
    asked(scene, not_before=NOW - 9 * DAY)
    assert is_told(scene, added(scene, added_at=NOW - OWN_LIFE_S + 1))
    assert not is_told(scene, added(scene, added_at=NOW - OWN_LIFE_S))
    assert not is_told(scene, added(scene, state="confirmed"))


def test_a_grant_tells_nothing_of_what_lies_hidden(scene: Scene) -> None:
    assert scene.vera(Action.DOCUMENT_DOWNLOAD).allowed
    assert not scene.vera(INSPECT).allowed


def test_a_draft_is_nobody_elses(scene: Scene) -> None:
    asked(scene)
    paper = added(scene)
    other = scene.world.member("vito", "paralegal")
    scene.world.nda("vito")
    scene.world.ask(other, scene.part, LABEL, task_id="tsk_2")
    assert not scene.ask(other, INSPECT, paper).allowed


def test_the_firms_people_of_the_matter_are_told_as_far_as_they_may_look(scene: Scene) -> None:
    scene.world.team("case", "cora")
    coordinator = scene.world.member("cora", "coordinator", None)
    secret = Subject(document=scene.world.document("secret", scene.lead, sensitivity="privileged"))
    assert scene.ask(coordinator, INSPECT).allowed
    assert not scene.ask(coordinator, INSPECT, secret).allowed
    assert scene.ask(scene.lead, INSPECT, secret).allowed
    assert not scene.ask(scene.world.member("otto", "attorney", None), INSPECT).allowed
    for role in ("owner", "reviewer"):
        assert not scene.ask(scene.world.member(role, role, None), INSPECT).allowed

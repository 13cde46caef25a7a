"""Rows that are older than what is anchored are found at the start; rows that are not are served."""

from __future__ import annotations

from collections.abc import AsyncIterator
from itertools import islice
from pathlib import Path

import pytest

from service import checkpoints, older
from service.checkpoints import anchor_name
from service.errors import OlderCopyError, UnavailableError
from tests.disposal.ending import an_ending
from tests.doctor.tampering import tamper
from tests.world import World, a_world, folder


@pytest.fixture
async def world(tmp_path: Path, migrated_url: str) -> AsyncIterator[World]:
    """A house with an anchored log."""
    async with a_world(tmp_path / "var", migrated_url) as made:
        await made.owner.post("/vendors", {"name": "First"})
        await checkpoints.sign_head(made.services, made.firm_id)
        yield made


def _set_size(world: World, size: int) -> None:
    tamper(world.services.database, "UPDATE logs SET size = ? WHERE id = ?", size, world.firm_id)


async def test_rows_that_go_on_from_what_is_anchored_are_served(world: World) -> None:
    await world.owner.post("/vendors", {"name": "Second"})
    older.refuse_older(world.services)


async def test_a_log_that_is_shorter_than_its_anchor_is_refused(world: World) -> None:
    newest = world.services.anchors.newest(world.firm_id)
    assert newest is not None
    _set_size(world, newest[0] - 1)
    [found] = older.older(world.services)
    assert (found.log_id, found.size, found.anchored) == (world.firm_id, newest[0] - 1, newest)
    with pytest.raises(OlderCopyError):
        older.refuse_older(world.services)
    _set_size(world, newest[0])
    older.refuse_older(world.services)


async def test_rows_of_an_origin_that_has_a_follower_are_refused(world: World) -> None:
    """The same copy was restored and reconciled somewhere else before."""
    newest = world.services.anchors.newest(world.firm_id)
    assert newest is not None
    world.services.anchors.put(f"{world.firm_id}_2", 1, newest[1])
    with pytest.raises(OlderCopyError):
        older.refuse_older(world.services)


async def test_a_disposal_that_a_crash_cut_short_is_not_taken_for_an_older_copy(world: World) -> None:
    ending = await an_ending(world)
    await ending.returned()
    anchors, keys = folder(world.services.settings.anchors), folder(world.services.settings.key_places[0])
    keys.rename(keys.with_name("away"))
    await ending.run(status=503)  # its tombstone stands, no key is gone
    keys.with_name("away").rename(keys)
    assert list((anchors / f"{world.firm_id}_ended").rglob("*.note"))
    older.refuse_older(world.services)


async def test_where_the_anchors_are_away_nothing_is_known(world: World) -> None:
    anchors = folder(world.services.settings.anchors)
    anchors.rename(anchors.with_name("away"))
    with pytest.raises(UnavailableError):
        older.refuse_older(world.services)
    anchors.with_name("away").rename(anchors)


def test_each_origin_has_a_place_of_its_own_and_a_follower() -> None:
    first, second = islice(older.following("muniment/frm_1", "frm_1"), 2)
    assert (first, second) == ("muniment/frm_1/2", "muniment/frm_1/3")
    assert next(older.following(second, "frm_1")) == "muniment/frm_1/4"
    assert [anchor_name(each) for each in ("muniment/frm_1", first)] == ["frm_1", "frm_1_2"]

"""Tombstones: placed before the first key dies, signed, and never taken for anything else."""

from __future__ import annotations

import shutil
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from audit.checkpoint import parse
from audit.errors import CheckpointError
from service import older, tombstones
from service.errors import UnsafeError
from tests.disposal.ending import Ending, an_ending
from tests.world import a_world, folder


@pytest.fixture
async def ending(tmp_path: Path, migrated_sqlite_url: str) -> AsyncIterator[Ending]:
    """An engagement that was returned, ready to be destroyed."""
    async with a_world(tmp_path / "var", migrated_sqlite_url) as world:
        made = await an_ending(world)
        await made.returned()
        yield made


async def test_a_disposal_leaves_a_signed_tombstone_that_names_its_keys(ending: Ending) -> None:
    services, firm_id = ending.world.services, ending.world.firm_id
    keys = set(ending.key_ids())
    await ending.run()
    [(stone, note)] = tombstones.standing(services, firm_id)
    assert (stone.engagement_id, stone.disposal_id) == (ending.engagement.id, ending.disposal["id"])
    assert set(stone.key_ids) == keys
    tombstones.require_signed(services, stone, note)
    assert older.older(services) == []


async def test_no_key_dies_before_its_tombstone_stands(ending: Ending) -> None:
    services = ending.world.services
    anchors = folder(services.settings.anchors)
    shutil.move(anchors, anchors.with_name("away"))
    await ending.run(status=503)
    assert all(all(services.keys.exists(key_id).values()) for key_id in ending.key_ids())
    shutil.move(anchors.with_name("away"), anchors)
    assert (await ending.run())["state"] == "certified"
    assert len(list(tombstones.standing(services, ending.world.firm_id))) == 1


async def test_a_disposal_that_is_run_again_places_no_second_one(ending: Ending) -> None:
    world = ending.world
    given = (world.firm_id, ending.engagement.id, ending.disposal["id"])
    await tombstones.bury(world.services, *given, ["key_" + "1" * 32])
    await tombstones.bury(world.services, *given, ["key_" + "2" * 32])
    [(stone, _)] = tombstones.standing(world.services, world.firm_id)
    assert stone.key_ids == ("key_" + "1" * 32,)


async def test_a_tombstone_is_no_checkpoint(ending: Ending) -> None:
    await ending.run()
    [(_, note)] = tombstones.standing(ending.world.services, ending.world.firm_id)
    with pytest.raises(CheckpointError):
        parse(note)


@pytest.mark.parametrize("change", [(b"eng_", b"egn_"), (b"dsp_", b"dps_"), (b"=", b"A"), (b"key_", b"kye_")])
async def test_a_changed_tombstone_is_refused(ending: Ending, change: tuple[bytes, bytes]) -> None:
    await ending.run()
    services, firm_id = ending.world.services, ending.world.firm_id
    [(_, note)] = tombstones.standing(services, firm_id)
    forged = note.replace(*change, 1)
    assert forged != note
    _, engagement_id, disposal_id, *ids = forged.decode().partition("\n\n")[0].split("\n")
    stone = tombstones.Tombstone(firm_id, engagement_id, disposal_id, tuple(ids))
    with pytest.raises(UnsafeError):
        tombstones.require_signed(services, stone, forged)


async def test_what_is_none_among_tombstones_is_refused(ending: Ending) -> None:
    services, firm_id = ending.world.services, ending.world.firm_id
    services.anchors.put(f"{firm_id}_ended", 1, b"muniment/frm_other/tombstone\nx\n")
    with pytest.raises(UnsafeError):
        older.older(services)

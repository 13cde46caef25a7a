"""Repairs: orphans go, keys come back, each is recorded; and nothing that somebody needs is ever touched."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from service import doctor, firms
from service.blobs.local import LocalBlobs
from service.db.ids import new_id
from service.db.models import engagements, parts, revisions
from service.db.session import EVERY_LOG
from service.errors import LedgerUnavailableError, StoreUnavailableError, UnsafeError
from service.services import Services
from tests.api.places import blobs, fake_stores, faulty, rows
from tests.disposal.ending import Ending, an_ending
from tests.doctor.tampering import row_of, rows_of, tamper
from tests.logs import check_logs, entries_of
from tests.world import START_MS, Engagement, World, a_world, folder

DAY_MS = 86_400_000


@pytest.fixture
async def engagement(tmp_path: Path, migrated_url: str) -> AsyncIterator[Engagement]:
    """An engagement with a document, in an installation with two key places."""
    home = tmp_path / "var"
    async with a_world(home, migrated_url, key_places=(home / "keys", home / "keys2")) as world:
        made = await world.engagement()
        await made.document()
        yield made


async def _stray_blob(services: Services) -> str:
    blob_id = new_id("blb", START_MS - 2 * DAY_MS, services.random)
    writer = await services.blobs.create(blob_id)
    await writer.write(b"x")
    await writer.commit()
    return blob_id


def _stray_key(services: Services, age_ms: int = 2 * DAY_MS) -> str:
    key_id = new_id("key", START_MS - age_ms, services.random)
    services.keys.create(key_id, "engagement", None)
    return key_id


def _told(world: World, kind: str, log_id: str | None = None) -> list[Any]:
    with world.services.database.read(EVERY_LOG) as tx:
        deployment = firms.deployment_log(tx)
    assert deployment is not None
    return [entry.data for entry in entries_of(world.services.database, log_id or deployment, kind)]


def _part_key(services: Services) -> str:
    key_id: str = row_of(services.database, parts)["key_id"]
    return key_id


async def test_planning_changes_nothing_and_says_what_would_be_done(engagement: Engagement) -> None:
    services = engagement.world.services
    blob_id, key_id = await _stray_blob(services), _stray_key(services)
    before = rows(services.database, log=True)
    planned = {(str(each.kind), each.ids) for each in await doctor.plan(services)}
    assert planned == {("repair.blobs_deleted", (blob_id,)), ("repair.keys_destroyed", (key_id,))}
    assert rows(services.database, log=True) == before
    assert blob_id in await blobs(engagement.world)
    assert key_id in services.keys.all_ids()


async def test_orphans_are_collected_and_the_log_says_so(engagement: Engagement) -> None:
    world, services = engagement.world, engagement.world.services
    kept, blob_id, key_id = await blobs(world), await _stray_blob(services), _stray_key(services)
    await doctor.repair(services)
    assert await blobs(world) == kept
    assert key_id not in services.keys.all_ids()
    assert _told(world, "repair.blobs_deleted") == [{"count": 1, "ids": [blob_id]}]
    assert _told(world, "repair.keys_destroyed") == [{"count": 1, "ids": [key_id]}]
    assert await doctor.examine(services) == []
    assert await doctor.repair(services) == []
    check_logs(services.database)


async def test_a_key_that_a_place_lost_comes_back_and_the_firms_log_says_so(engagement: Engagement) -> None:
    world, services = engagement.world, engagement.world.services
    key_id, place = _part_key(services), folder(services.settings.key_places[0])
    whole = (place / f"{key_id}.key").read_bytes()
    (place / f"{key_id}.key").unlink()
    assert [each.code for each in await doctor.examine(services)] == ["key_place_behind"]
    await doctor.repair(services)
    assert (place / f"{key_id}.key").read_bytes() == whole
    assert _told(world, "repair.keys_copied", world.firm_id) == [{"count": 1, "ids": [key_id]}]
    assert await doctor.examine(services) == []


async def test_what_is_young_stays(engagement: Engagement) -> None:
    """It may be an upload or an act that is under way: its row is still to come."""
    services = engagement.world.services
    key_id = _stray_key(services, age_ms=0)
    assert await doctor.plan(services) == []
    engagement.world.sleep(2 * DAY_MS / 1000)
    assert [each.ids for each in await doctor.plan(services)] == [(key_id,)]


async def test_what_lies_half_written_is_swept_and_what_is_being_written_is_not(engagement: Engagement) -> None:
    world, services = engagement.world, engagement.world.services
    assert isinstance(services.blobs, LocalBlobs)
    writer = await services.blobs.create("blb_" + "1" * 32)
    assert [each.code for each in await doctor.examine(services)] == []
    await doctor.repair(services)
    await writer.write(b"x")
    await writer.commit()  # nobody took the file away under its writer
    await services.blobs.delete(["blb_" + "1" * 32])
    left = folder(services.settings.blobs) / "tmp" / "blb_left"
    left.write_bytes(b"half")
    import os  # noqa: PLC0415  # only here

    os.utime(left, (0, 0))
    assert [each.code for each in await doctor.examine(services)] == ["left_aside"]
    await doctor.repair(services)
    assert not left.exists()
    assert len(_told(world, "repair.aside_swept")) == 1


async def test_keys_of_what_is_being_destroyed_are_not_brought_back(tmp_path: Path, migrated_url: str) -> None:
    """One place has confirmed that its key is gone, the other is away: the doctor must not copy it back."""
    home = tmp_path / "var"
    async with a_world(home, migrated_url, key_places=(home / "keys", home / "keys2")) as world:
        ending: Ending = await an_ending(world)
        await ending.returned()
        away = home / "keys2"
        away.rename(home / "away")
        await ending.run(status=503)
        (home / "away").rename(away)
        assert [each.code for each in await doctor.examine(world.services)] == ["disposal_unfinished"]
        assert await doctor.repair(world.services) == []
        assert not any((home / "keys" / f"{key_id}.key").exists() for key_id in ending.key_ids()[1:])
        await ending.run()
        assert await doctor.examine(world.services) == []


async def test_an_object_that_outlived_its_disposal_is_collected(tmp_path: Path, migrated_sqlite_url: str) -> None:
    with fake_stores() as fakes:
        async with a_world(tmp_path / "var", migrated_sqlite_url) as world:
            ending = await an_ending(world)
            await ending.returned()
            [blob_id, *_] = ending.blob_ids()
            sealed = fakes.blobs.blobs[blob_id]
            await ending.run()
            fakes.blobs.blobs[blob_id] = sealed  # a replica of the store that came back
            assert [each.code for each in await doctor.examine(world.services)] == ["blob_of_ended"]
            await doctor.repair(world.services)
            assert blob_id not in fakes.blobs.blobs


@pytest.mark.parametrize(
    "hidden",
    [
        "DELETE FROM parts",
        "DELETE FROM revisions",
        "UPDATE engagements SET status = 'disposed'",
        "UPDATE documents SET state = 'taken_back'",
        "UPDATE parts SET key_id = (SELECT key_id FROM engagements)",
    ],
)
async def test_nothing_is_repaired_beside_rows_that_were_changed(engagement: Engagement, hidden: str) -> None:
    """Else whoever owns the database could let a key or an object die by hiding the row that names it."""
    world, services = engagement.world, engagement.world.services
    keys, kept = services.keys.all_ids(), await blobs(world)
    tamper(services.database, hidden)
    world.sleep(3 * DAY_MS / 1000)
    with pytest.raises(UnsafeError):
        await doctor.repair(services)
    assert (services.keys.all_ids(), await blobs(world)) == (keys, kept)


async def test_what_cannot_be_recorded_is_not_done(tmp_path: Path, migrated_sqlite_url: str) -> None:
    with fake_stores() as fakes:
        async with a_world(tmp_path / "var", migrated_sqlite_url) as world:
            fakes.blobs.blobs["blb_" + "1" * 32] = b"x"
            faulty(world).faults.plan("commit", faulty(world).error)
            with pytest.raises(LedgerUnavailableError):
                await doctor.repair(world.services)
            assert "blb_" + "1" * 32 in fakes.blobs.blobs


@pytest.mark.parametrize("stored", [False, True], ids=["failed", "failed-but-stored"])
async def test_a_store_that_fails_is_told_and_the_repair_is_done_again(
    tmp_path: Path, migrated_sqlite_url: str, stored: bool
) -> None:
    with fake_stores() as fakes:
        async with a_world(tmp_path / "var", migrated_sqlite_url) as world:
            fakes.blobs.blobs["blb_" + "1" * 32] = b"x"
            fakes.blobs.faults.plan("delete", StoreUnavailableError, stored=stored)
            with pytest.raises(StoreUnavailableError):
                await doctor.repair(world.services)
            await doctor.repair(world.services)
            assert fakes.blobs.blobs == {}
            assert await doctor.examine(world.services) == []


async def test_a_blob_committed_after_the_list_was_made_is_not_missed(engagement: Engagement) -> None:
    from service.doctor.blobs import Blobs, still_missing  # noqa: PLC0415  # its inside

    services = engagement.world.services
    [row] = rows_of(services.database, revisions)
    found = Blobs(missing={row.id: row.blob_id, "rev_gone": "blb_" + "0" * 32})
    assert await still_missing(services.blobs, found) == ("rev_gone",)


async def test_a_key_that_was_changed_in_its_place_is_told(engagement: Engagement) -> None:
    services = engagement.world.services
    [row] = rows_of(services.database, engagements)
    for place in map(folder, services.settings.key_places):
        path = place / f"{row.key_id}.key"
        path.write_bytes(path.read_bytes().replace(b'"wrapped":"', b'"wrapped":"AAAA', 1)[:-5])
    services.keys.forget(row.key_id)
    codes = {each.code for each in await doctor.examine(services)}
    assert "key_unopened" in codes


async def test_a_key_that_a_living_one_hangs_on_is_no_orphan(
    engagement: Engagement, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A rotation that was cut short: the old key has no owner any more, and a part still hangs on it."""
    from service.doctor import keys  # noqa: PLC0415  # its inside

    services = engagement.world.services
    above = _stray_key(services)
    below = new_id("key", START_MS - 2 * DAY_MS, services.random)
    services.keys.create(below, "part", above)
    assert {above, below} <= {key_id for each in await doctor.plan(services) for key_id in each.ids}
    before = keys.owned
    monkeypatch.setattr(keys, "owned", lambda tx: {**before(tx), below: engagement.part_id})
    assert not any(above in each.ids or below in each.ids for each in await doctor.plan(services))

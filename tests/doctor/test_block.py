"""Blocking: a forged row gives nobody anything from then on, until somebody who may has looked and resumed."""

from __future__ import annotations

import logging
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from service import doctor
from service.db.models import memberships, metadata
from service.db.session import Database
from tests.doctor.tampering import insert, row_of, tamper
from tests.logs import check_logs, entries_of
from tests.world import Engagement, Person, World, a_world


@pytest.fixture
async def engagement(tmp_path: Path, migrated_url: str) -> AsyncIterator[Engagement]:
    """A running engagement."""
    async with a_world(tmp_path / "var", migrated_url) as world:
        yield await world.engagement()


async def _block(world: World) -> list[str]:
    return await doctor.block(world.services, await doctor.examine(world.services))


async def _forge(engagement: Engagement, seat: Person) -> dict[str, Any]:
    """Share a second document with somebody by putting in a row."""
    shared, secret = await engagement.document(), await engagement.document(b"secret")
    await engagement.grant(seat, shared["document_id"])
    database = engagement.world.services.database
    forged = {
        **row_of(database, metadata.tables["grants"]),
        "id": "grt_" + "f" * 32,
        "document_id": secret["document_id"],
    }
    insert(database, "grants", forged)
    return forged


async def test_a_forged_grant_opens_nothing_once_the_doctor_has_blocked_its_engagement(engagement: Engagement) -> None:
    world, seat = engagement.world, await engagement.member()
    forged = await _forge(engagement, seat)
    await seat.get(f"/documents/{forged['document_id']}/content")
    assert await _block(world) == [seat.membership_id]
    await seat.get(f"/documents/{forged['document_id']}/content", status=404)
    await engagement.attorney.get(f"/documents/{forged['document_id']}/content")  # he must look what happened


async def test_what_is_blocked_is_recorded_and_told_without_a_name(
    engagement: Engagement, caplog: pytest.LogCaptureFixture
) -> None:
    world, seat = engagement.world, await engagement.member()
    forged = await _forge(engagement, seat)
    with caplog.at_level(logging.ERROR):
        await _block(world)
    [entry] = entries_of(world.services.database, world.firm_id, "doctor.blocked")
    assert entry.actor == {"system": "doctor"}
    assert entry.subjects == {"engagement": engagement.id}
    assert entry.data == {"suspended": 1, "count": 1, "rows": [forged["id"]]}
    assert [record.message for record in caplog.records] == ["blocked: rows are not what the log says"]
    assert "Vera" not in caplog.text


async def test_blocking_again_changes_nothing(engagement: Engagement) -> None:
    world, seat = engagement.world, await engagement.member()
    await _forge(engagement, seat)
    await _block(world)
    size = len(entries_of(world.services.database, world.firm_id))
    assert await _block(world) == []
    assert len(entries_of(world.services.database, world.firm_id)) == size


async def test_once_the_row_is_right_and_the_member_resumed_all_is_well(engagement: Engagement) -> None:
    world, seat = engagement.world, await engagement.member()
    forged = await _forge(engagement, seat)
    await _block(world)
    tamper(world.services.database, "DELETE FROM grants WHERE id = ?", forged["id"])
    path = f"/members/{seat.membership_id}"
    await engagement.attorney.change("DELETE", f"{path}/suspension", match=path)
    assert await doctor.examine(world.services) == []
    await seat.get(f"/documents/{forged['document_id']}/content", status=404)
    check_logs(world.services.database)


async def test_a_vendor_person_cannot_lift_it(engagement: Engagement) -> None:
    world, seat = engagement.world, await engagement.member()
    await _forge(engagement, seat)
    await _block(world)
    refused = await seat.ask("DELETE", f"/members/{seat.membership_id}/suspension")
    assert refused.status_code in {403, 404}
    assert (await engagement.attorney.get(f"/members/{seat.membership_id}"))["state"] == "suspended"


async def test_other_engagements_go_on(engagement: Engagement) -> None:
    world = engagement.world
    other = await world.engagement()
    elsewhere, seat = await other.member(), await engagement.member()
    await _forge(engagement, seat)
    assert await _block(world) == [seat.membership_id]
    assert (await elsewhere.get(f"/engagements/{other.id}"))["id"] == other.id


async def test_a_lifted_wall_blocks_every_engagement_of_its_matter(engagement: Engagement) -> None:
    world, lead = engagement.world, engagement.attorney
    seat = await engagement.member()
    body = {"person_id": seat.person_id, "matter_id": engagement.matter_id, "reason": "He knows them."}
    wall = await lead.post("/walls", body)
    tamper(world.services.database, "UPDATE walls SET lifted_at = raised_at WHERE id = ?", wall["id"])
    assert await _block(world) == [seat.membership_id]


def _is_owner(database: Database, nth: int) -> bool:
    return bool(row_of(database, memberships, nth)["role"] == "owner")


async def test_a_forged_seat_in_the_house_is_suspended_and_the_log_still_does_not_know_it(
    engagement: Engagement,
) -> None:
    """Whoever owns the database makes an attorney an owner: the entry of the suspension must not make that true."""
    world = engagement.world
    database = world.services.database
    [owner] = [row_of(database, memberships, nth) for nth in range(2) if _is_owner(database, nth)]
    forged = {**owner, "id": "mem_" + "f" * 32, "person_id": engagement.attorney.person_id}
    insert(database, "memberships", forged)
    assert await _block(world) == [forged["id"]]
    assert [each.code for each in await doctor.examine(world.services)] == ["membership_forged"]


async def test_a_forged_place_on_a_team_suspends_who_sits_there(engagement: Engagement) -> None:
    world, stranger = engagement.world, await engagement.world.attorney("Stranger")
    database = world.services.database
    insert(
        database, "matter_team", {**row_of(database, metadata.tables["matter_team"]), "person_id": stranger.person_id}
    )
    document = await engagement.document()
    await stranger.get(f"/documents/{document['document_id']}")
    assert stranger.membership_id in await _block(world)
    await stranger.get(f"/documents/{document['document_id']}", status=403)


async def test_the_last_owner_is_not_shut_out(engagement: Engagement) -> None:
    """Else whoever owns the database could leave the house without anybody who lets others in."""
    world = engagement.world
    owner = world.owner.membership_id
    tamper(world.services.database, "UPDATE memberships SET starts_at = starts_at - 1 WHERE id = ?", owner)
    assert await _block(world) == []
    await world.owner.get("/members")

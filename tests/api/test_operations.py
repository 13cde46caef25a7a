"""What the operator's machines ask: alive, ready, figures; and readiness that tells the truth."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from service.db import schema
from tests.api.places import faulty, faulty_databases
from tests.world import Engagement, World, a_world, folder


async def test_alive_and_ready_need_no_token_and_say_nothing_else(world: World) -> None:
    for path, body in (("/healthz", {"status": "alive"}), ("/readyz", {"status": "ready"})):
        answer = await world.http.get(path)
        assert (answer.status_code, answer.json()) == (200, body)


async def test_it_is_not_ready_without_its_key_place_or_its_blobs(world: World) -> None:
    settings = world.services.settings
    for place in (folder(each) for each in (settings.key_places[0], settings.blobs) if isinstance(each, Path)):
        shutil.move(place, place.with_name("away"))
        answer = await world.http.get("/readyz")
        assert answer.status_code == 503
        assert (await world.http.get("/healthz")).status_code == 200
        shutil.move(place.with_name("away"), place)
        assert (await world.http.get("/readyz")).status_code == 200


async def test_it_is_not_ready_when_nothing_can_be_recorded(tmp_path: Path, migrated_url: str) -> None:
    with faulty_databases():
        async with a_world(tmp_path / "var", migrated_url) as world:
            faulty(world).fail_commit()
            answer = await world.http.get("/readyz")
            assert (answer.status_code, answer.json()["code"]) == (503, "ledger_unavailable")
            assert answer.headers["retry-after"]
            assert (await world.http.get("/readyz")).status_code == 200


async def test_it_is_not_ready_on_another_revision(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(schema, "head", lambda: "9999")
    answer = await world.http.get("/readyz")
    assert (answer.status_code, answer.json()["code"]) == (500, "wrong_revision")


async def test_figures_hold_no_id_and_no_name(world: World, engagement: Engagement) -> None:
    document = await engagement.document(title="Canary")
    await engagement.attorney.get(f"/documents/{document['document_id']}")
    await world.http.get("/api/v1/canary")
    text = (await world.http.get("/metrics")).text
    for hidden in ("Canary", "canary", document["document_id"], engagement.id, world.firm_id, "firm.example"):
        assert hidden not in text

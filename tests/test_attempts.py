"""Requests without a credential: limited by source, counted, and told once a minute without naming anybody."""

from __future__ import annotations

import base64
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import select

from service import attempts as module
from service.attempts import MOST_KEYS, Attempts, record
from service.db.models import logs
from service.db.session import EVERY_LOG
from tests.logs import entries_of
from tests.world import START_MS, Clock, World, a_world

MINUTE = START_MS // 60_000 * 60


def test_a_source_has_so_many_attempts_a_minute() -> None:
    attempts = Attempts(3, Clock())
    assert [attempts.note("a", "/me") for _ in range(5)] == [True, True, True, False, False]
    assert attempts.note("b", "/me")  # another source is not punished


@given(st.lists(st.tuples(st.sampled_from("ab"), st.sampled_from(["/me", "/x"]), st.integers(0, 90_000)), max_size=30))
def test_every_attempt_is_counted_once_in_its_minute(noted: list[tuple[str, str, int]]) -> None:
    clock = Clock()
    attempts = Attempts(1000, clock)
    for source, route, passed in noted:
        clock.now_ms += passed
        attempts.note(source, route)
    over = attempts.take()
    assert all(minute < clock.now_ms // 60_000 * 60 for minute, *_ in over)
    rest = attempts.take(all_minutes=True)
    assert sum(count for *_, count in over + rest) == len(noted)
    assert len({row[:3] for row in over + rest}) == len(over + rest)
    assert attempts.take(all_minutes=True) == []


def test_memory_is_bounded_whoever_asks() -> None:
    attempts = Attempts(1, Clock())
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(module, "MOST_KEYS", 5)
        for number in range(50):
            attempts.note(f"10.0.0.{number}", "/me")
    counted = attempts.take(all_minutes=True)
    assert len(counted) <= 6
    assert sum(count for *_, count in counted) == 50
    assert MOST_KEYS == 10_000


@pytest.fixture
def deployment(tmp_path: Path) -> Path:
    return tmp_path / "var"


async def test_the_deployments_log_tells_source_route_and_minute_once(deployment: Path, migrated_url: str) -> None:
    async with a_world(deployment, migrated_url) as world:
        for _ in range(3):
            await world.http.get("/api/v1/me")
        await world.http.get("/api/v1/documents/doc_" + "7" * 32, headers={"authorization": "Bearer mun_" + "A" * 64})
        await _record(world)
        assert _told(world) == []  # the minute is not over
        world.sleep(60)
        await _record(world)
        await _record(world)
        told = _told(world)
        assert sorted((str(e["route"]).removeprefix("/api/v1"), e["count"], e["minute"]) for e in told) == [
            ("/documents/{document_id}", 1, MINUTE),
            ("/me", 3, MINUTE),
        ]
        assert len({e["source"] for e in told}) == 1
        assert "127.0.0.1" not in str(told)
        assert "7" * 32 not in str(told)
        assert all(len(str(e["source"])) == 64 for e in told)


async def test_the_firms_log_does_not_grow_by_a_strangers_hand(deployment: Path, migrated_url: str) -> None:
    async with a_world(deployment, migrated_url) as world:
        before = len(entries_of(world.services.database, world.firm_id))
        firm = bytes.fromhex(world.firm_id.removeprefix("frm_"))
        made_up = "mun_" + base64.urlsafe_b64encode(firm + bytes(32)).decode()
        for text in (made_up, "mun_" + "A" * 64, "x"):
            answer = await world.http.get("/api/v1/me", headers={"authorization": f"Bearer {text}"})
            assert answer.status_code == 401
        assert len(entries_of(world.services.database, world.firm_id)) == before


async def test_too_many_from_one_source_are_refused_outright_and_a_valid_token_is_not(
    deployment: Path, migrated_url: str
) -> None:
    async with a_world(deployment, migrated_url) as world:
        world.app.state.attempts = Attempts(5, world.clock)
        answers = [await world.http.get("/api/v1/me") for _ in range(7)]
        assert [answer.status_code for answer in answers] == [401] * 5 + [429] * 2
        assert answers[0].headers["www-authenticate"] == "Bearer"
        assert answers[-1].headers["retry-after"] == "60"
        assert answers[-1].json()["code"] == "too_many_attempts"
        assert (await world.owner.get("/me"))["membership"]["role"] == "owner"


async def _record(world: World) -> None:
    await record(world.services, world.app.state.attempts)


def _told(world: World) -> list[dict[str, object]]:
    with world.services.database.read(EVERY_LOG) as tx:
        log_id = tx.value(select(logs.c.id).where(logs.c.kind == "deployment"))
    return [dict(e.data or {}) for e in entries_of(world.services.database, log_id, "attempt.failed")]

"""Errors over HTTP: one shape, every header, nothing of the inside; and 503 for all that cannot be recorded."""

from __future__ import annotations

import contextlib
import logging
import random
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx2
import pytest

from service import errors, house
from service.app import create_app
from service.httpdeps import SECURITY_HEADERS
from tests.api.places import blobs, faulty, faulty_databases, rows, settle
from tests.api.requests import answers, operations
from tests.api.routes import CASES
from tests.api.scene import Scene
from tests.scale import LONG
from tests.world import Engagement, World, a_world

PROBLEM = {"type", "title", "status", "detail", "instance", "code"}


def _check_headers(answer: httpx2.Response) -> None:
    for name, value in SECURITY_HEADERS:
        assert answer.headers.get_list(name.decode()) == [value.decode()], (answer.request.url, name)
    assert answer.headers["muniment-request"].startswith("req_")


def _check_problem(answer: httpx2.Response, status: int, code: str) -> dict[str, Any]:
    _check_headers(answer)
    assert answer.headers["content-type"] == "application/problem+json"
    body: dict[str, Any] = answer.json()
    assert set(body) >= PROBLEM
    assert (answer.status_code, body["status"], body["code"]) == (status, status, code)
    assert body["instance"] == f"urn:muniment:request:{answer.headers['muniment-request']}"
    assert body["detail"].endswith(".")
    return body


async def test_every_kind_of_refusal_has_one_shape_and_every_header(world: World, engagement: Engagement) -> None:
    owner, http = world.owner, world.http
    json = {"content-type": "application/json"}
    large = b'{"name":"' + b"a" * 1_100_000 + b'"}'
    for answer, status, code in (
        (await http.get("/api/v1/me"), 401, "unauthenticated"),
        (await http.post("/api/v1/vendors", content=b"{", headers=json), 401, "unauthenticated"),
        (await owner.ask("GET", "/nothing"), 404, "not_found"),
        (await engagement.attorney.ask("GET", "/documents/doc_" + "0" * 32), 404, "not_found"),
        (await owner.ask("PATCH", "/me"), 405, "method_not_allowed"),
        (await owner.ask("POST", "/vendors", json={"nam": 1}), 422, "bad_input"),
        (await owner.ask("POST", "/vendors", content=b"{", headers=json), 422, "bad_input"),
        (await owner.ask("POST", "/vendors", content=large, headers=json), 413, "too_large"),
        (await owner.ask("GET", "/vendors?cursor=x"), 422, "bad_cursor"),
        (await owner.ask("GET", "/vendors?limit=0"), 422, "bad_input"),
        (await owner.ask("GET", "/me", headers={"host": "evil.example"}), 422, "bad_input"),
        (await owner.ask("POST", "/audit/exports", json={}), 403, "forbidden"),
        (await engagement.attorney.ask("POST", "/matters", json={"number": "1", "client": ""}), 422, "bad_input"),
    ):
        _check_problem(answer, status, code)


async def test_every_answer_that_is_no_refusal_has_every_header_too(world: World, engagement: Engagement) -> None:
    document = await engagement.document()
    for path in (
        "/me",
        "/vendors",
        f"/documents/{document['document_id']}",
        f"/documents/{document['document_id']}/content",
    ):
        _check_headers(await engagement.attorney.ask("GET", path))
    for path in ("/healthz", "/readyz", "/metrics", "/api/v1/openapi.json"):
        answer = await world.http.get(path)
        assert answer.status_code == 200
        _check_headers(answer)


async def test_a_fault_of_ours_says_nothing_of_the_inside(
    world: World, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    async def broken(*_args: object) -> None:
        raise RuntimeError("SELECT canary FROM secrets")

    monkeypatch.setattr(house, "firm", broken)
    with caplog.at_level(logging.DEBUG):
        answer = await world.owner.ask("GET", "/firm")
    _check_problem(answer, 500, "internal")
    assert "canary" not in answer.text + caplog.text
    assert "Traceback" not in answer.text + caplog.text
    assert [r.__dict__["kind"] for r in caplog.records if r.getMessage() == "a request failed"] == ["RuntimeError"]


async def test_an_answer_names_its_request_and_two_requests_differ(world: World) -> None:
    ids = {(await world.owner.ask("GET", "/me")).headers["muniment-request"] for _ in range(20)}
    assert len(ids) == 20


def test_every_error_has_a_code_a_status_and_a_sentence_of_its_own() -> None:
    found = list(errors.all_errors())
    assert len({error.code for error in found}) == len(found)
    for error in found:
        assert 400 <= error.status < 600
        assert error.detail.endswith(".")
        assert error.title
        assert not error.title.endswith(".")
        assert 1 <= error.exit_code < 126


# Nothing without its record ------------------------------------------------------------------------------------------


@pytest.fixture
async def scene(tmp_path: Path, migrated_url: str) -> AsyncIterator[Scene]:
    """Everybody, and something of everything, on a database that fails when told to."""
    with faulty_databases():
        async with a_world(tmp_path / "var", migrated_url) as world:
            yield await Scene.build(world)


def _allowed(case: str) -> str:
    """Somebody to whom this is allowed."""
    return next(caller for caller, answer in answers()[case].items() if answer.startswith("2"))


async def test_what_cannot_be_recorded_is_503_with_no_byte_and_no_change(scene: Scene) -> None:
    """Every operation of the API, as somebody who may do it, while nothing can be committed."""
    world, database, failed = scene.world, faulty(scene.world), []
    described = operations(create_app(world.services).openapi())
    keys = world.services.keys
    allowed = [case for case in CASES if any(answer.startswith("2") for answer in answers()[case].values())]
    assert len(allowed) > 70
    some = len(allowed) // (3 if database.is_sqlite else 10)
    for case in allowed if LONG else random.sample(allowed, some):  # by the run's seed, which is printed
        request = await CASES[case](scene)
        await settle(world)
        before = rows(world.services.database, log=True), await blobs(world), keys.all_ids()
        database.faults.plan("commit", database.error, times=100)
        operation = described[case.partition(" ")[0]]
        answer = await operation.ask(world.http, scene.seats[_allowed(case)].token, request)
        await _settled(world)
        database.faults._planned.clear()
        after = rows(world.services.database, log=True), await blobs(world), keys.all_ids()
        if (
            answer.status_code != 503
            or answer.headers["muniment-error"] != "ledger_unavailable"
            or after[:2] != before[:2]
        ):
            failed.append((case, answer.status_code, after[:2] == before[:2]))
    assert failed == []
    assert (await world.owner.get("/me"))["membership"]["role"] == "owner"  # it recovers by itself


async def _settled(world: World) -> None:
    """Let the ledger fail at whatever was posted to it meanwhile."""
    with contextlib.suppress(errors.LedgerUnavailableError):
        await settle(world)

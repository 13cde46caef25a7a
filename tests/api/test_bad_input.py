"""Bad input of every kind: refused in one clear sentence, nothing changed, nothing of it repeated."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from service import firms
from tests.api.places import rows
from tests.logs import entries_of
from tests.world import Engagement, World, a_world

pytestmark = pytest.mark.asyncio(loop_scope="module")


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def world(tmp_path_factory: pytest.TempPathFactory, module_url: str) -> AsyncIterator[World]:
    """One installation for all of them: what is refused changes nothing."""
    async with a_world(tmp_path_factory.mktemp("home") / "var", module_url) as made:
        yield made


@pytest_asyncio.fixture(loop_scope="module")
async def engagement(world: World) -> Engagement:
    """A running engagement of one's own."""
    return await world.engagement()


async def _vendors(world: World) -> list[str]:
    page = await world.owner.get("/vendors?limit=100")
    return [item["id"] for item in page["items"]]


JSON = {"content-type": "application/json"}

BODIES = {
    "twice the same member": b'{"name":"canary","name":"b"}',
    "twice, written differently": b'{"name":"canary","n\\u0061me":"b"}',
    "twice, deep inside": b'{"name":{"a":1,"a":2}}',
    "NaN": b'{"name":NaN}',
    "infinity": b'{"name":-Infinity}',
    "cut": b'{"name":"canary',
    "two values": b'{"name":"canary"}{"name":"b"}',
    "a list": b'["canary"]',
    "a text": b'"canary"',
    "nothing": b"",
    "null": b"null",
    "no UTF-8": b'{"name":"\xff"}',
    "UTF-16": '{"name":"canary"}'.encode("utf-16"),
    "a mark before": b'\xef\xbb\xbf{"name":"canary"}',
    "a lone surrogate": b'{"name":"\\ud800"}',
    "a lone surrogate as a member": b'{"name":"a","\\ud800":1}',
    "too deep": b"[" * 100_000,
    "a number as text": b'{"name":7}',
    "an unknown member": b'{"name":"a","tenant_canary":1}',
    "a NUL": b'{"name":"canary\\u0000"}',
    "hidden direction": '{"name":"canary\u202e"}'.encode(),
    "too long": b'{"name":"' + b"canary" * 100 + b'"}',
    "only spaces": b'{"name":"  "}',
}


async def test_a_body_that_cannot_be_read_is_refused_and_not_repeated(world: World) -> None:
    before, size = rows(world.services.database), len(entries_of(world.services.database, world.firm_id))
    for what, body in BODIES.items():
        answer = await world.owner.ask("POST", "/vendors", content=body, headers=JSON)
        assert answer.status_code == 422, what
        problem = answer.json()
        assert problem["code"] == "bad_input", what
        said = str(problem).replace("tenant_canary", "")  # which member is unknown is told by its name
        assert not any(word in said for word in ("canary", "Traceback", "json", "pydantic", "SELECT")), what
        assert len(answer.content) < 2000, what
    assert rows(world.services.database) == before
    after = entries_of(world.services.database, world.firm_id)
    # Those that could be read, and were refused by the use case, are on record; all others never came so far.
    assert all(entry.type in {"access.failed", "access.refused"} for entry in after[size:])


async def test_names_of_unknown_members_are_cut_short(world: World) -> None:
    body = {"name": "a", **{f"x{number}" * 200: 1 for number in range(100)}}
    answer = await world.owner.ask("POST", "/vendors", json=body)
    assert answer.status_code == 422
    assert len(answer.content) < 5000


@pytest.mark.parametrize("media_type", ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data", ""])
async def test_json_must_say_that_it_is_json(world: World, media_type: str) -> None:
    answer = await world.owner.ask(
        "POST", "/vendors", content=b'{"name":"canary"}', headers={"content-type": media_type}
    )
    assert answer.status_code == 422
    assert "canary" not in answer.text


async def test_a_body_beyond_the_limit_is_not_read_to_its_end(world: World) -> None:
    read = 0

    async def body() -> AsyncIterator[bytes]:
        nonlocal read
        for _ in range(1000):
            read += 100_000
            yield b" " * 100_000

    answer = await world.owner.ask("POST", "/vendors", content=body(), headers=JSON)
    assert answer.status_code == 413
    assert read <= 2_000_000
    announced = {**JSON, "content-length": "1048577"}
    assert (await world.owner.ask("POST", "/vendors", content=b"{}", headers=announced)).status_code == 413


HOSTS = (
    "evil.example",
    "localhost.evil.example",
    "evil.example:80",
    "localhost@evil.example",
    "localhost, evil.example",
    "",
    "localhost:80:80",
    "127.0.0.1.evil.example",
    "[::2]",
    "LOCALHOST\t",
    "testserver",
)


async def test_a_forged_host_is_refused_and_never_repeated(world: World) -> None:
    for host in HOSTS:
        answer = await world.owner.ask("GET", "/me", headers={"host": host})
        assert answer.status_code == 422, host
        assert "evil" not in answer.text
    for host in ("localhost", "localhost:8420", "127.0.0.1:1", "[::1]", "[::1]:8420"):
        assert (await world.owner.ask("GET", "/me", headers={"host": host})).status_code == 200, host


async def test_what_a_proxy_might_say_of_the_host_is_not_believed(world: World) -> None:
    for _ in range(2):
        await world.owner.post("/vendors", {"name": "V"})
    forged = {"x-forwarded-host": "evil.example", "forwarded": "host=evil.example", "x-original-url": "/evil"}
    answer = await world.owner.ask("GET", "/vendors?limit=1", headers=forged)
    assert answer.status_code == 200
    assert "evil" not in answer.text + str(answer.headers)
    assert answer.headers["link"].startswith("</api/v1/vendors?")


async def test_no_header_and_no_parameter_makes_somebody_else_of_a_caller(world: World, engagement: Engagement) -> None:
    seat = await engagement.member()
    forged = {
        name: value
        for value in (world.owner.person_id, world.owner.membership_id, "owner")
        for name in ("x-user", "x-role", "x-person-id", "x-membership-id", "remote-user", "x-forwarded-user", "cookie")
    }
    me = await seat.ask("GET", f"/me?role=owner&person_id={world.owner.person_id}", headers=forged)
    if me.status_code == 200:
        assert me.json()["membership"]["role"] == "paralegal"
    else:
        assert me.status_code == 422  # parameters that are not offered are refused
    assert (await seat.ask("GET", "/people", headers=forged)).status_code == 403


async def test_a_method_that_is_not_there_is_405_and_names_those_that_are(world: World) -> None:
    for method, path in (
        ("PUT", "/me"),
        ("DELETE", "/vendors"),
        ("PUT", "/documents/doc_" + "0" * 32),
        ("TRACE", "/me"),
    ):
        answer = await world.owner.ask(method, path)
        assert answer.status_code == 405
        assert answer.headers["allow"]


async def test_if_match_is_asked_for_and_must_be_of_the_newest_version(world: World, engagement: Engagement) -> None:
    seat = await engagement.member("intake_specialist")
    await engagement.ask(seat)
    paper = await seat.upload(engagement.id, engagement.part_id, b"x", label="intake_form")
    path, body = f"/documents/{paper['document_id']}", {"label": "intake_form", "sensitivity": "confidential"}
    attorney, confirmation = engagement.attorney, f"{path}/confirmation"
    before = rows(world.services.database)
    assert (await attorney.post(confirmation, body, status=428))["code"] == "precondition_missing"
    tag = (await attorney.ask("GET", path)).headers["etag"]
    for wrong in ("*", '"x"', tag.strip('"'), f"W/{tag}", f"{tag}, {tag}", tag.replace("-1", "-2"), '""'):
        refused = await attorney.post(confirmation, body, status=412, headers={"if-match": wrong})
        assert refused["code"] == "stale"
    assert rows(world.services.database) == before
    await attorney.post(confirmation, body, status=200, headers={"if-match": tag})
    assert (await attorney.post(confirmation, body, status=412, headers={"if-match": tag}))["code"] == "stale"


async def test_a_key_used_again_makes_nothing_twice_and_nothing_else(world: World) -> None:
    key = {"idempotency-key": "k-1"}
    before = await _vendors(world)
    first = await world.owner.post("/vendors", {"name": "Vendor"}, headers=key)
    again = await world.owner.post("/vendors", {"name": "Vendor"}, headers=key)
    assert again["id"] == first["id"]
    other = await world.owner.post("/vendors", {"name": "Other"}, status=422, headers=key)
    assert other["code"] == "idempotency_mismatch"
    assert "Vendor" not in str(other)
    assert set(await _vendors(world)) == {*before, first["id"]}
    second = await world.sign_in(world.owner.person_id, world.owner.membership_id)
    assert (await second.post("/vendors", {"name": "Vendor"}, headers=key))["id"] == first["id"]  # it is the member's


async def test_a_key_is_kept_as_a_digest_only(world: World) -> None:
    await world.owner.post("/vendors", {"name": "Vendor"}, headers={"idempotency-key": "canary-key-canary"})
    assert "canary" not in str(rows(world.services.database, log=True))


@pytest.mark.parametrize("key", ["", " " * 201, "k" * 201, "é", "a\x7fb"])
async def test_a_key_of_another_form_is_refused(world: World, key: str) -> None:
    before = await _vendors(world)
    headers = {b"authorization": f"Bearer {world.owner.token}".encode(), b"idempotency-key": key.encode("latin-1")}
    answer = await world.http.post("/api/v1/vendors", json={"name": "V"}, headers=headers)
    assert answer.status_code == 422
    assert await _vendors(world) == before


async def test_cursors_and_limits_are_checked_and_a_cursor_opens_nothing(world: World, engagement: Engagement) -> None:
    owner = world.owner
    for number in range(3):
        await owner.post("/vendors", {"name": f"V{number}"})
    page = await owner.get("/vendors?limit=2")
    assert len(page["items"]) == 2
    assert (
        len((await owner.get(f"/vendors?limit=2&cursor={page['next_cursor']}"))["items"]) == 2
    )  # the engagement's too
    for query in (
        "cursor=x",
        "cursor=%00",
        "cursor=" + "A" * 300,
        f"cursor={page['next_cursor']}x",
        "limit=0",
        "limit=101",
        "limit=-1",
        "limit=1e3",
        "limit=99999999999999999999",
        "limit=",
    ):
        assert (await owner.ask("GET", f"/vendors?{query}")).status_code == 422, query
    assert (await owner.ask("GET", f"/people?cursor={page['next_cursor']}")).status_code == 422  # of another list
    assert engagement.id


async def test_ids_of_every_wrong_form_are_not_there(world: World, engagement: Engagement) -> None:
    document = await engagement.document()
    right = document["document_id"]
    for wrong in (
        "x",
        "doc_" + "0" * 32,
        right.upper(),
        right + "0",
        right[:-1],
        right.replace("doc_", "rev_"),
        right + "%00",
        "%00",
        "..",
        "%2e%2e",
        right + "%0a",
        "' OR '1'='1",
        "1;DROP TABLE documents",
        "%F0%9F%92%A9",
        "a" * 64,
        document["revision_id"],
    ):
        for path in (f"/documents/{wrong}", f"/documents/{wrong}/content", f"/documents/{wrong}/access"):
            answer = await engagement.attorney.ask("GET", path)
            assert answer.status_code in (404, 422), path
            assert answer.status_code == 404 or "/content" not in path or len(wrong) > 64, path
    assert (await engagement.attorney.get(f"/documents/{right}"))["id"] == right
    assert world.firm_id


async def test_one_bad_request_does_not_harm_its_neighbours(world: World) -> None:
    """On PostgreSQL a NUL once failed every request of the batch."""
    answers = await asyncio.gather(
        *(world.owner.ask("GET", "/me" if n % 2 else "/disposals/dsp_%00") for n in range(20)),
        *(world.owner.ask("GET", f"/audit/entries?engagement_id=%00{n}") for n in range(5)),
    )
    assert [answer.status_code for answer in answers] == [404, 200] * 10 + [422] * 5


async def test_expired_and_revoked_tokens_and_those_of_other_firms_open_nothing(
    world: World, engagement: Engagement
) -> None:
    member = engagement.attorney
    short = await world.token(member.person_id, member.membership_id, ttl_s=60)
    gone = await member.post("/tokens", {"scopes": ["*"], "days": 1})
    assert (await member.ask("DELETE", f"/tokens/{gone['id']}")).status_code == 204

    async def status(token: str) -> int:
        answer = await world.http.get("/api/v1/me", headers={"authorization": f"Bearer {token}"})
        return answer.status_code

    assert await status(short) == 200
    world.sleep(59)
    assert await status(short) == 200
    world.sleep(1)
    assert await status(short) == 401
    assert await status(gone["token"]) == 401
    other = await firms.found(world.services, "Other", "o@other.example", "O", "UTC", 30)
    foreign = other.owner_token.text
    assert await status(foreign) == 200
    assert await status(foreign[:26] + member.token[26:]) == 401  # that firm's name, this firm's secret
    answer = await world.http.get(
        f"/api/v1/engagements/{engagement.id}", headers={"authorization": f"Bearer {foreign}"}
    )
    assert answer.status_code == 404

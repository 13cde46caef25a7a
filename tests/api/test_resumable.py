"""Resumable uploads over HTTP, as tus 1.0 asks for them: bound to who began them, sealed piece by piece."""

from __future__ import annotations

import asyncio
import base64
import hashlib
import random
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select

from service.db.models import log_intents, upload_pieces
from service.errors import StoreFullError, StoreUnavailableError
from service.uploads import expiry, resumable, storing
from tests.api.places import blobs, columns_with, files_with, rows, settle
from tests.api.wire import Answer, Client, ask
from tests.logs import check_logs, entries_of
from tests.uploads.purposes import write_purpose
from tests.world import DAY_S, Engagement, Person, World, a_world, findings

KIB = 1024
CONTENT = random.Random(23).randbytes(300 * KIB + 7)
TITLE = "Ünïted “paper”, unerhört geheim.pdf"
TUS = {"Tus-Resumable": "1.0.0"}
PIECE = {**TUS, "Content-Type": "application/offset+octet-stream"}


def purpose(engagement: Engagement, **more: str) -> str:
    """What an upload to this engagement says of itself."""
    said = {"engagement_id": engagement.id, "part_id": engagement.part_id, "label": "correspondence", "title": TITLE}
    return write_purpose(said | {"sensitivity": "confidential", "filetype": "text/plain"} | more)


async def begin(engagement: Engagement, size: int = len(CONTENT), seat: Person | None = None, **more: str) -> str:
    """Begin an upload and return where it goes."""
    headers = {**TUS, "Upload-Length": str(size), "Upload-Metadata": purpose(engagement, **more)}
    answer = await (seat or engagement.attorney).ask("POST", "/uploads", headers=headers)
    assert answer.status_code == 201, answer.text
    assert answer.headers["tus-resumable"] == "1.0.0"
    return str(answer.headers["location"].removeprefix("/api/v1"))


async def send(seat: Person, path: str, offset: int, content: bytes, **more: str) -> Any:
    headers = {**PIECE, "Upload-Offset": str(offset), **{name.replace("_", "-"): text for name, text in more.items()}}
    return await seat.ask("PATCH", path, content=content, headers=headers)


async def stands(seat: Person, path: str) -> int:
    answer = await seat.ask("HEAD", path, headers=TUS)
    assert answer.status_code == 200, answer.headers
    return int(answer.headers["upload-offset"])


async def cut(
    world: World, seat: Person, path: str, offset: int, pieces: list[bytes], after: int | None = None, **more: str
) -> Answer:
    """Send some pieces of a body and go away."""
    client = Client(stops_sending_after=after)
    how: dict[str, Any] = {"tus_resumable": "1.0.0", "content_type": PIECE["Content-Type"], **more}
    return await ask(seat, world.app, "PATCH", path, pieces, client=client, upload_offset=str(offset), **how)


async def types(world: World, kind: str = "") -> list[str]:
    await settle(world)
    found = [entry.type for entry in entries_of(world.services.database, world.firm_id)]
    return [each for each in found if each.startswith(kind or "")]


# All of it ------------------------------------------------------------------------------------------------------------


async def test_pieces_become_the_document_they_are_parts_of(world: World, engagement: Engagement) -> None:
    path, at = await begin(engagement), 0
    for size in (1, 100_000, 0, 16 * KIB):
        answer = await send(engagement.attorney, path, at, CONTENT[at : at + size])
        at += size
        assert (answer.status_code, answer.headers["upload-offset"]) == (204, str(at))
        assert "muniment-document" not in answer.headers
    last = await send(engagement.attorney, path, at, CONTENT[at:])
    assert (last.status_code, last.headers["upload-offset"]) == (204, str(len(CONTENT)))
    document = last.headers["muniment-document"]
    card = await engagement.attorney.get(f"/documents/{document}")
    assert (card["title"], card["state"], card["size_bytes"]) == (TITLE, "confirmed", len(CONTENT))
    read = await engagement.attorney.ask("GET", f"/documents/{document}/content")
    assert read.content == CONTENT
    assert len(await blobs(world)) == 1  # the pieces are gone
    told = [kind for kind in await types(world) if kind.startswith(("upload.", "document.add"))]
    stored = ["upload.receiving", "upload.stored", "upload.received"]
    assert told[:4] == ["upload.created", *stored]
    # An empty body stores nothing; the last piece's outcome is posted without waiting, beside the document's intent.
    assert sorted(told[4:]) == sorted([*stored * 3, "upload.receiving", "upload.received", "document.adding",
                                       "document.added", "upload.ended"])  # fmt: skip
    with world.services.database.read(world.firm_id) as tx:
        assert tx.all(select(log_intents.c.idx)) == []
        assert tx.all(select(upload_pieces.c.id)) == []
    assert await findings(world.services) == []
    check_logs(world.services.database)


async def test_an_upload_of_no_bytes_is_a_document_at_once(engagement: Engagement) -> None:
    headers = {**TUS, "Upload-Length": "0", "Upload-Metadata": purpose(engagement)}
    answer = await engagement.attorney.ask("POST", "/uploads", headers=headers)
    assert answer.status_code == 201
    card = await engagement.attorney.get(f"/documents/{answer.headers['muniment-document']}")
    assert card["condition"] == "empty"


async def test_its_receipt_is_that_of_any_other_upload(world: World, engagement: Engagement) -> None:
    path = await begin(engagement)
    await send(engagement.attorney, path, 0, CONTENT)
    receipt = (await engagement.attorney.get("/me/receipts"))["items"][-1]
    assert receipt["sha256"] == hashlib.sha256(CONTENT).hexdigest()


async def test_asking_again_after_the_end_answers_the_same_and_makes_nothing_new(
    world: World, engagement: Engagement
) -> None:
    path = await begin(engagement)
    first = await send(engagement.attorney, path, 0, CONTENT)
    before = rows(world.services.database)
    again = await send(engagement.attorney, path, len(CONTENT), b"")
    head = await engagement.attorney.ask("HEAD", path, headers=TUS)
    assert {each.headers["muniment-document"] for each in (first, again, head)} == {first.headers["muniment-document"]}
    assert head.headers["upload-length"] == str(len(CONTENT))
    assert rows(world.services.database) == before


async def test_what_was_cut_short_before_the_document_is_finished_once_however_often_it_is_asked_for(
    world: World, engagement: Engagement, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def crash(*_: Any) -> Any:
        raise StoreUnavailableError

    path = await begin(engagement)
    with monkeypatch.context() as patch:
        patch.setattr(resumable, "add", crash)
        assert (await send(engagement.attorney, path, 0, CONTENT)).status_code == 503
    before = len(rows(world.services.database)["documents"])
    heads = await asyncio.gather(*(engagement.attorney.ask("HEAD", path, headers=TUS) for _ in range(3)))
    made = {head.headers.get("muniment-document") for head in heads if head.status_code == 200}
    assert len(made) == 1  # whoever loses the race for the pieces asks again
    again = await engagement.attorney.ask("HEAD", path, headers=TUS)
    assert {again.headers["muniment-document"]} == made
    assert len(rows(world.services.database)["documents"]) == before + 1
    assert len(await blobs(world)) == 1
    with world.services.database.read(world.firm_id) as tx:
        assert tx.all(select(log_intents.c.idx)) == []
    read = await engagement.attorney.ask("GET", f"/documents/{again.headers['muniment-document']}/content")
    assert read.content == CONTENT


async def test_what_is_said_of_it_comes_back_to_its_owner_alone(engagement: Engagement) -> None:
    path = await begin(engagement)
    head = await engagement.attorney.ask("HEAD", path, headers=TUS)
    assert head.headers["upload-metadata"] == purpose(engagement)
    assert head.headers["upload-expires"] == "Sat, 16 Jan 2027 08:00:00 GMT"
    assert head.headers["cache-control"] == "no-store"


async def test_what_the_server_can_is_said_without_a_token(world: World) -> None:
    answer = await world.http.request("OPTIONS", "/api/v1/uploads")
    assert (answer.status_code, answer.headers["tus-version"]) == (204, "1.0.0")
    assert answer.headers["tus-extension"] == "creation,expiration,checksum,termination"
    assert answer.headers["tus-max-size"] == str(world.services.settings.max_upload_bytes)
    assert answer.headers["tus-checksum-algorithm"] == "sha256,sha1"


# Going on -------------------------------------------------------------------------------------------------------------


async def test_what_came_before_the_line_broke_is_kept(world: World, engagement: Engagement) -> None:
    path, pieces = await begin(engagement), [CONTENT[at : at + 50_000] for at in range(0, len(CONTENT), 50_000)]
    await cut(world, engagement.attorney, path, 0, pieces, 3)
    assert await stands(engagement.attorney, path) == 150_000
    outcome = entries_of(world.services.database, world.firm_id, "upload.received")[-1]
    assert (outcome.outcome, (outcome.data or {})["bytes"]) == ("aborted", 150_000)
    await cut(world, engagement.attorney, path, 150_000, pieces[3:], 0)  # nothing came: nothing is kept
    assert await stands(engagement.attorney, path) == 150_000
    answer = await send(engagement.attorney, path, 150_000, CONTENT[150_000:])
    read = await engagement.attorney.ask("GET", f"/documents/{answer.headers['muniment-document']}/content")
    assert read.content == CONTENT


async def test_a_long_request_counts_piece_by_piece(
    world: World, engagement: Engagement, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(storing, "PIECE_BYTES", 70_000)
    path = await begin(engagement)
    seen: list[int] = []

    async def body() -> AsyncIterator[bytes]:
        for at in range(0, len(CONTENT), 40_000):
            seen.append(await stands(engagement.attorney, path))
            yield CONTENT[at : at + 40_000]

    headers = {**PIECE, "Upload-Offset": "0"}
    answer = await engagement.attorney.ask("PATCH", path, content=body(), headers=headers)
    assert answer.status_code == 204
    assert seen == [0, 0, 70_000, 70_000, 140_000, 140_000, 210_000, 210_000]
    read = await engagement.attorney.ask("GET", f"/documents/{answer.headers['muniment-document']}/content")
    assert read.content == CONTENT


async def test_bytes_from_anywhere_else_than_the_last_ended_are_refused(world: World, engagement: Engagement) -> None:
    path = await begin(engagement)
    await send(engagement.attorney, path, 0, CONTENT[:1000])
    before = rows(world.services.database)
    for offset in (0, 999, 1001, len(CONTENT)):
        answer = await send(engagement.attorney, path, offset, CONTENT[offset : offset + 10])
        assert (answer.status_code, answer.json()["code"], answer.json()["offset"]) == (409, "wrong_offset", 1000)
        assert answer.headers["tus-resumable"] == "1.0.0"
    assert rows(world.services.database) == before


async def test_of_two_who_send_the_same_bytes_at_once_one_is_refused_and_leaves_nothing(
    world: World, engagement: Engagement
) -> None:
    path, both = await begin(engagement), asyncio.Barrier(2)

    async def body() -> AsyncIterator[bytes]:
        yield CONTENT[:1000]
        await both.wait()
        yield CONTENT[1000:2000]

    headers = {**PIECE, "Upload-Offset": "0"}
    answers = await asyncio.gather(
        *(engagement.attorney.ask("PATCH", path, content=body(), headers=headers) for _ in range(2))
    )
    assert sorted(answer.status_code for answer in answers) == [204, 409]
    assert await stands(engagement.attorney, path) == 2000
    assert len(await blobs(world)) == 1


async def test_more_bytes_than_were_announced_are_refused(world: World, engagement: Engagement) -> None:
    path = await begin(engagement, size=1000)
    answer = await send(engagement.attorney, path, 0, CONTENT[:1001])
    assert (answer.status_code, answer.json()["code"]) == (413, "too_large")
    streamed = await cut(world, engagement.attorney, path, 0, [CONTENT[:600]] * 2)
    assert streamed.status == 413
    assert await stands(engagement.attorney, path) == 0
    assert await blobs(world) == []


async def test_a_file_larger_than_is_accepted_is_refused_at_its_beginning(engagement: Engagement) -> None:
    most = engagement.world.services.settings.max_upload_bytes
    headers = {**TUS, "Upload-Length": str(most + 1), "Upload-Metadata": purpose(engagement)}
    answer = await engagement.attorney.ask("POST", "/uploads", headers=headers)
    assert (answer.status_code, answer.json()["code"]) == (413, "too_large")


def _checksum(kind: str, content: bytes) -> str:
    return f"{kind} {base64.b64encode(hashlib.new(kind, content).digest()).decode()}"


async def test_what_was_changed_on_its_way_is_not_kept(world: World, engagement: Engagement) -> None:
    path, changed = await begin(engagement), bytes([CONTENT[0] ^ 1]) + CONTENT[1:1000]
    for kind in ("sha1", "sha256"):
        answer = await send(engagement.attorney, path, 0, changed, Upload_Checksum=_checksum(kind, CONTENT[:1000]))
        assert (answer.status_code, answer.json()["code"]) == (460, "checksum_mismatch")
    assert await stands(engagement.attorney, path) == 0
    assert await blobs(world) == []
    outcome = entries_of(world.services.database, world.firm_id, "upload.received")[-1]
    assert (outcome.outcome, (outcome.data or {})["bytes"]) == ("failed", 0)
    at = 0
    for kind, stop in (("sha1", 1000), ("sha256", len(CONTENT))):
        right = _checksum(kind, CONTENT[at:stop])
        answer = await send(engagement.attorney, path, at, CONTENT[at:stop], Upload_Checksum=right)
        assert answer.status_code == 204
        assert ("muniment-document" in answer.headers) == (stop == len(CONTENT))
        at = stop


@pytest.mark.parametrize("header", ["md5 AAAA", "sha256", "sha256 AAAA", "sha1 ***", "sha256  ", "SHA256 AAAA"])
async def test_a_checksum_that_cannot_be_checked_is_refused(engagement: Engagement, header: str) -> None:
    path = await begin(engagement)
    answer = await send(engagement.attorney, path, 0, CONTENT[:10], Upload_Checksum=header)
    assert (answer.status_code, answer.json()["code"]) == (400, "checksum_unknown")
    assert await stands(engagement.attorney, path) == 0


async def test_what_is_to_be_checked_is_kept_whole_or_not_at_all(world: World, engagement: Engagement) -> None:
    path = await begin(engagement)
    checksum = _checksum("sha1", CONTENT)
    await cut(world, engagement.attorney, path, 0, [CONTENT[:9], CONTENT[9:]], 1, upload_checksum=checksum)
    assert await stands(engagement.attorney, path) == 0
    assert await blobs(world) == []


# Whose it is ----------------------------------------------------------------------------------------------------------


async def test_to_everybody_else_it_is_not_there(world: World, engagement: Engagement) -> None:
    path, other = await begin(engagement), await world.attorney("Otto Other")
    named = await engagement.attorney.ask("PUT", f"/matters/{engagement.matter_id}/team/{other.person_id}")
    assert named.status_code == 204
    nothing = path[:-4] + ("0000" if not path.endswith("0000") else "1111")
    for seat in (other, await engagement.member()):
        for method, how in (("HEAD", {}), ("DELETE", {}), ("PATCH", {"content": b"x"})):
            headers = {**PIECE, "Upload-Offset": "0"}
            theirs, none = await _both(seat, method, headers, how, path, nothing)
            assert theirs == none == (404, "not_found")
    assert await stands(engagement.attorney, path) == 0


async def _both(seat: Person, method: str, headers: Any, how: Any, *paths: str) -> list[tuple[int, str]]:
    answers = [await seat.ask(method, path, headers=headers, **how) for path in paths]
    return [(answer.status_code, answer.headers["muniment-error"]) for answer in answers]


async def test_who_may_not_add_begins_no_upload(world: World, engagement: Engagement) -> None:
    stranger = await engagement.member()
    headers = {**TUS, "Upload-Length": "5", "Upload-Metadata": purpose(engagement)}
    before = rows(world.services.database)
    assert (await stranger.ask("POST", "/uploads", headers=headers)).status_code == 404
    assert (await types(world))[-1] == "access.refused"
    assert rows(world.services.database) == before


async def test_who_was_asked_adds_and_an_attorney_looks_at_it(engagement: Engagement) -> None:
    seat = await engagement.member()
    await engagement.ask(seat)
    path = await begin(engagement, seat=seat, label="intake_form")
    answer = await send(seat, path, 0, CONTENT)
    card = await engagement.attorney.get(f"/documents/{answer.headers['muniment-document']}")
    assert (card["state"], card["sensitivity"]) == ("to_look_at", "confidential")


Ends = Callable[[Engagement, Person, Any], Any]


async def _revoke(engagement: Engagement, seat: Person, asked: Any) -> None:
    await engagement.attorney.change("DELETE", f"/asks/{asked['id']}")


async def _suspend(engagement: Engagement, seat: Person, asked: Any) -> None:
    member = f"/members/{seat.membership_id}"
    await engagement.attorney.change("POST", f"{member}/suspension", match=member)


@pytest.mark.parametrize("end", [_revoke, _suspend])
async def test_when_the_right_to_add_ends_so_does_the_upload(world: World, engagement: Engagement, end: Ends) -> None:
    seat = await engagement.member()
    asked = (await engagement.ask(seat))["items"][0]
    path = await begin(engagement, seat=seat, label="intake_form")
    await send(seat, path, 0, CONTENT[:1000])

    async def body() -> AsyncIterator[bytes]:
        yield CONTENT[1000:2000]
        await end(engagement, seat, asked)
        yield CONTENT[2000:]

    headers = {**PIECE, "Upload-Offset": "1000"}
    answer = await seat.ask("PATCH", path, content=body(), headers=headers)
    assert answer.status_code in {403, 404}
    assert (await seat.ask("HEAD", path, headers=TUS)).status_code in {403, 404}
    await settle(world)
    outcome = entries_of(world.services.database, world.firm_id, "upload.received")[-1]
    assert (outcome.outcome, (outcome.data or {})["bytes"]) == ("failed", 0)
    assert len(await blobs(world)) == 1  # the piece that came before
    assert "document.added" not in await types(world)


# Ends -----------------------------------------------------------------------------------------------------------------


async def test_one_that_is_given_up_leaves_nothing(world: World, engagement: Engagement) -> None:
    path = await begin(engagement)
    await send(engagement.attorney, path, 0, CONTENT[:1000])
    assert (await engagement.attorney.ask("DELETE", path, headers=TUS)).status_code == 204
    assert (await engagement.attorney.ask("HEAD", path, headers=TUS)).status_code == 404
    assert await blobs(world) == []
    assert rows(world.services.database)["uploads"] == []
    ended = entries_of(world.services.database, world.firm_id, "upload.ended")[-1]
    assert (ended.outcome, ended.data) == ("aborted", {"bytes": 1000})


async def test_giving_up_after_the_end_leaves_the_document(engagement: Engagement) -> None:
    path = await begin(engagement)
    document = (await send(engagement.attorney, path, 0, CONTENT)).headers["muniment-document"]
    assert (await engagement.attorney.ask("DELETE", path, headers=TUS)).status_code == 204
    read = await engagement.attorney.ask("GET", f"/documents/{document}/content")
    assert read.content == CONTENT


async def test_one_that_stands_still_expires_and_is_collected(world: World, engagement: Engagement) -> None:
    path = await begin(engagement)
    world.sleep(DAY_S - 1)
    await send(engagement.attorney, path, 0, CONTENT[:1000])  # begins the wait anew
    world.sleep(DAY_S - 1)
    assert await expiry.collect(world.services) == 0
    assert await stands(engagement.attorney, path) == 1000
    world.sleep(1)
    for answer in (
        await engagement.attorney.ask("HEAD", path, headers=TUS),
        await send(engagement.attorney, path, 1000, CONTENT[1000:]),
    ):
        assert (answer.status_code, answer.headers["muniment-error"]) == (410, "upload_expired")
    assert await expiry.collect(world.services) == 1
    assert await expiry.collect(world.services) == 0
    assert await blobs(world) == []
    assert rows(world.services.database)["uploads"] == []
    ended = entries_of(world.services.database, world.firm_id, "upload.ended")[-1]
    assert (ended.outcome, ended.data) == ("aborted", {"bytes": 1000, "expired": True})
    assert (await engagement.attorney.ask("HEAD", path, headers=TUS)).status_code == 404
    assert await findings(world.services) == []


async def test_the_end_of_the_engagement_is_the_end_of_what_was_on_its_way(
    world: World, engagement: Engagement
) -> None:
    path = await begin(engagement)
    await send(engagement.attorney, path, 0, CONTENT[:1000])
    await engagement.attorney.post(f"/engagements/{engagement.id}/disposal")
    assert await expiry.collect(world.services) == 1
    assert await blobs(world) == []
    assert rows(world.services.database)["uploads"] == []


async def test_one_member_has_a_bounded_number_open(tmp_path: Path, migrated_sqlite_url: str) -> None:
    async with a_world(tmp_path / "var", migrated_sqlite_url, max_open_uploads=2) as world:
        engagement = await world.engagement()
        first = await begin(engagement)
        await begin(engagement)
        headers = {**TUS, "Upload-Length": "5", "Upload-Metadata": purpose(engagement)}
        answer = await engagement.attorney.ask("POST", "/uploads", headers=headers)
        assert (answer.status_code, answer.json()["code"]) == (429, "too_many_uploads")
        assert answer.headers["retry-after"] == "60"
        await send(engagement.attorney, first, 0, CONTENT)
        await begin(engagement)


async def test_begun_twice_with_one_key_is_one_upload(world: World, engagement: Engagement) -> None:
    headers = {**TUS, "Upload-Length": "5", "Upload-Metadata": purpose(engagement), "Idempotency-Key": "once"}
    answers = [await engagement.attorney.ask("POST", "/uploads", headers=headers) for _ in range(2)]
    assert len({answer.headers["location"] for answer in answers}) == 1
    headers["Upload-Length"] = "6"
    assert (await engagement.attorney.ask("POST", "/uploads", headers=headers)).status_code == 422


# What lies where ------------------------------------------------------------------------------------------------------


async def test_neither_names_nor_bytes_are_anywhere_in_the_clear(world: World, engagement: Engagement) -> None:
    content = b"a sentence nobody else may read " * 4000
    path = await begin(engagement, size=len(content))
    await send(engagement.attorney, path, 0, content[:70_000])
    needles = (b"a sentence nobody", TITLE.encode(), base64.b64encode(TITLE.encode()), b"unerh")
    await settle(world)
    assert files_with(world.services.settings.home, *needles) == []
    assert columns_with(world.services.database, *needles) == []


async def test_a_piece_that_was_tampered_with_makes_no_document(tmp_path: Path, migrated_sqlite_url: str) -> None:
    async with a_world(tmp_path / "var", migrated_sqlite_url) as world:
        engagement = await world.engagement()
        path = await begin(engagement)
        await send(engagement.attorney, path, 0, CONTENT[:100_000])
        [piece] = [*(tmp_path / "var" / "blobs").rglob("blb_*")]
        good = piece.read_bytes()
        piece.chmod(0o600)
        piece.write_bytes(good[:500] + bytes([good[500] ^ 1]) + good[501:])
        answer = await send(engagement.attorney, path, 100_000, CONTENT[100_000:])
        assert (answer.status_code, answer.json()["code"]) == (500, "seal_broken")
        assert (await types(world, "document.added"))[-1:] == ["document.added"]
        assert entries_of(world.services.database, world.firm_id, "document.added")[-1].outcome == "failed"
        piece.write_bytes(good)
        # All bytes are there: asking where it stands finishes what was cut short.
        head = await engagement.attorney.ask("HEAD", path, headers=TUS)
        read = await engagement.attorney.ask("GET", f"/documents/{head.headers['muniment-document']}/content")
        assert read.content == CONTENT


async def test_a_store_that_fails_keeps_the_upload_where_it_was(
    world: World, engagement: Engagement, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = await begin(engagement)
    await send(engagement.attorney, path, 0, CONTENT[:1000])

    async def full(_id: str) -> Any:
        raise StoreFullError

    with monkeypatch.context() as patch:
        patch.setattr(type(world.services.blobs), "create", lambda _self, blob_id: full(blob_id))
        answer = await send(engagement.attorney, path, 1000, CONTENT[1000:])
    assert answer.status_code == 507
    assert await stands(engagement.attorney, path) == 1000
    await settle(world)
    with world.services.database.read(world.firm_id) as tx:
        assert tx.all(select(log_intents.c.idx)) == []


# What is said wrongly -------------------------------------------------------------------------------------------------


async def test_another_version_of_the_protocol_is_refused(engagement: Engagement) -> None:
    path = await begin(engagement)
    for headers in ({}, {"Tus-Resumable": "0.2.0"}):
        for method in ("HEAD", "PATCH", "DELETE"):
            answer = await engagement.attorney.ask(method, path, headers={**PIECE, "Tus-Resumable": "", **headers})
            assert (answer.status_code, answer.headers["tus-version"]) == (412, "1.0.0")


async def test_a_piece_of_another_type_is_refused(engagement: Engagement) -> None:
    path = await begin(engagement)
    headers = {**TUS, "Upload-Offset": "0", "Content-Type": "application/octet-stream"}
    answer = await engagement.attorney.ask("PATCH", path, content=b"x", headers=headers)
    assert (answer.status_code, answer.json()["code"]) == (415, "unsupported_media_type")


@pytest.mark.parametrize(
    ("headers", "more"),
    [
        ({"Upload-Length": "5"}, False),
        ({"Upload-Length": "5", "Upload-Metadata": "x"}, False),
        ({"Upload-Length": "-1"}, True),
        ({"Upload-Length": "1" * 30}, True),
        ({"Upload-Defer-Length": "1"}, True),
    ],
)
async def test_a_beginning_that_lacks_something_is_refused(
    engagement: Engagement, headers: dict[str, str], more: bool
) -> None:
    said = {"Upload-Metadata": purpose(engagement)} if more else {}
    answer = await engagement.attorney.ask("POST", "/uploads", headers={**TUS, **said, **headers})
    assert (answer.status_code, answer.json()["code"]) == (422, "bad_input")
    assert answer.headers["tus-resumable"] == "1.0.0"

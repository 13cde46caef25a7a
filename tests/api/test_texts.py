"""Texts over HTTP: for those who hold the ability, announced and accounted for as downloads are, and kept nowhere."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest

from service import downloads, texts
from service.render.reading import BusyError, text_of
from tests.api.entries import entries
from tests.api.places import columns_with, files_with, settle
from tests.api.wire import Client, ask
from tests.render import samples
from tests.world import Engagement, Person, World

KIB = 1024
PIECE = 256 * KIB
PDF = samples.pdf_with(samples.line("The first page"), samples.line("The second"))
LONG = ("All work and no play. " * 40_000).encode()
TEXT = ("view", "text")


def _text(document: Any) -> str:
    return f"/documents/{document['document_id']}/text"


async def _handed(engagement: Engagement, body: bytes = PDF, abilities: tuple[str, ...] = TEXT) -> tuple[Person, str]:
    """A paralegal, and the path of the text of a paper that he was handed."""
    seat, document = await engagement.member(), await engagement.document(body)
    await engagement.grant(seat, document["document_id"], abilities)
    return seat, _text(document)


async def _last(world: World) -> tuple[str, int]:
    """How the last body ended, and the bytes that left."""
    await settle(world)
    entry = entries(world, "document.opened")[-1]
    return entry["outcome"], entry["data"]["bytes"]


async def test_a_text_is_announced_before_and_accounted_for_after(world: World, engagement: Engagement) -> None:
    seat, path = await _handed(engagement)
    answer = await seat.ask("GET", path)
    assert answer.status_code == 200
    assert answer.text == "The first page\fThe second"
    assert answer.headers["content-type"] == "text/plain; charset=utf-8"
    assert answer.headers["content-disposition"] == 'attachment; filename="document.txt"'
    assert answer.headers["cache-control"] == "no-store"
    assert await _last(world) == ("done", len(answer.content))
    opening, opened = entries(world, "document.opening")[-1], entries(world, "document.opened")[-1]
    assert (opening["action"], opening["rule"][:11]) == ("document:text", "policy.csv:")
    assert opened["data"]["of"] == opening["index"]


@pytest.mark.parametrize(
    ("body", "text"),
    [
        (samples.word(samples.paragraph("Dear client")), "Dear client\n"),
        (samples.show({"One": "", "Two": ""}), "One\n\fTwo\n"),
        ("Grüße".encode("utf-16"), "Grüße"),
        (LONG, LONG.decode()),
    ],
)
async def test_papers_of_each_kind_are_read(engagement: Engagement, body: bytes, text: str) -> None:
    assert (await engagement.attorney.ask("GET", _text(await engagement.document(body)))).text == text


@pytest.mark.parametrize(
    ("body", "reason", "announced"),
    [
        (samples.pdf(3), "scanned", True),
        (samples.word(""), "empty", True),
        (samples.locked_pdf(), "locked", False),
        (samples.png(), "type", False),
        (samples.docx()[:-30], "unreadable", False),
        (b"", "empty", False),
    ],
)
async def test_a_paper_without_text_says_why_and_what_to_do(
    world: World, engagement: Engagement, body: bytes, reason: str, announced: bool
) -> None:
    document = await engagement.document(body)
    answer = await engagement.attorney.ask("GET", _text(document))
    assert (answer.status_code, answer.json()["code"], answer.json()["reason"]) == (422, "no_text", reason)
    assert answer.json()["detail"].endswith(".")
    await settle(world)
    assert bool(entries(world, "document.opening")) is announced
    if announced:
        assert await _last(world) == ("failed", 0)


async def test_a_file_that_is_too_large_is_refused_before_it_is_opened(
    engagement: Engagement, monkeypatch: pytest.MonkeyPatch
) -> None:
    document = await engagement.document(b"x" * 100)
    monkeypatch.setattr(texts, "MAX_EXAMINED_BYTES", 99)
    assert (await engagement.attorney.get(_text(document), 422))["reason"] == "too_large"


async def test_a_file_that_was_left_unexamined_is_tried(
    world: World, engagement: Engagement, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def unexamined(*_: object) -> None:
        raise OSError("no process left")

    with monkeypatch.context() as patch:
        patch.setattr(world.services.probes, "start", unexamined)
        read, unread = await engagement.document(PDF), await engagement.document(samples.package({"a": b"a"}))
        assert (read["condition"], unread["condition"]) == ("unexamined", "unexamined")
        assert (await engagement.attorney.get(_text(read), 422))["reason"] == "failed"
    assert (await engagement.attorney.ask("GET", _text(read))).text.startswith("The first")
    assert (await engagement.attorney.get(_text(unread), 422))["reason"] == "type"


# Who may --------------------------------------------------------------------------------------------------------------


async def test_the_ability_is_its_own(engagement: Engagement) -> None:
    for abilities in (("view",), ("view", "download")):
        seat, path = await _handed(engagement, abilities=abilities)
        assert (await seat.get(path, 403))["code"] == "ability_missing"
    seat, path = await _handed(engagement)
    assert (await seat.get(path.replace("/text", "/content"), 403))["code"] == "ability_missing"


async def test_who_was_handed_nothing_learns_nothing(world: World, engagement: Engagement) -> None:
    document = await engagement.document(PDF)
    stranger = await engagement.member()
    of_nothing = await stranger.ask("GET", f"/documents/doc_{'0' * 26}/text")
    told = await stranger.ask("GET", _text(document))
    assert (told.status_code, told.json()["detail"]) == (404, of_nothing.json()["detail"])
    assert (await (await world.attorney()).get(_text(document), 404))["code"] == "not_found"
    assert entries(world, "document.opening") == []


@pytest.mark.parametrize("role", ["vendor_manager"])
async def test_roles_without_documents_have_no_texts(world: World, engagement: Engagement, role: str) -> None:
    document = await engagement.document(PDF)
    for nobody in (await engagement.member(role), world.owner):
        assert (await nobody.get(_text(document), 403))["code"] == "forbidden"


async def test_the_role_bounds_what_may_be_handed_over(engagement: Engagement) -> None:
    seat = await engagement.member("receptionist")
    sheet = await engagement.document(b"+1 202 555 0101", label="contact_sheet")
    bill = await engagement.document(PDF, label="billing")
    body = {"membership_id": seat.membership_id, "abilities": ["text"], "not_after": "2099-01-01T00:00:00Z"}
    refused = await engagement.attorney.post(f"/documents/{bill['document_id']}/grants", {**body, "purpose": "x"}, 403)
    assert refused["code"] == "above_ceiling"
    await engagement.grant(seat, sheet["document_id"], TEXT)
    assert (await seat.ask("GET", _text(sheet))).text == "+1 202 555 0101"


@pytest.mark.parametrize("word", ["document:view", "document:text", "document:list"])
async def test_an_overlay_takes_it_away_and_download_with_it(engagement: Engagement, word: str) -> None:
    seat, path = await _handed(engagement, abilities=("view", "text", "download"))
    body = {"rows": [f"*,{word},*,*,never"]}
    await engagement.attorney.change("PUT", f"/engagements/{engagement.id}/overlay", body)
    status = 403 if word == "document:text" else 404
    for each in (path, path.replace("/text", "/content")):
        assert (await seat.ask("GET", each)).status_code in {403, status}
    rows = {"rows": ["*,document:download,*,*,never"]}
    await engagement.attorney.change("PUT", f"/engagements/{engagement.id}/overlay", rows)
    assert (await seat.ask("GET", path)).status_code == 200


# While it flows -------------------------------------------------------------------------------------------------------


async def test_an_open_text_stops_when_access_ends_and_the_client_can_tell(
    world: World, engagement: Engagement
) -> None:
    seat, document = await engagement.member(), await engagement.document(LONG)
    grant = await engagement.grant(seat, document["document_id"], TEXT)

    async def watch(count: int) -> None:
        if count == 1:
            await engagement.attorney.change(
                "POST", f"/grants/{grant['id']}/revoke", {}, match=f"/grants/{grant['id']}"
            )

    answer = await ask(seat, world.app, "GET", _text(document), client=Client(watch=watch))
    assert (answer.status, answer.complete) == (200, False)
    assert PIECE <= len(answer.body) < len(LONG)
    outcome, sent = await _last(world)
    assert outcome == "aborted"
    assert len(answer.body) <= sent < len(LONG)


async def test_access_that_ends_while_it_is_read_lets_no_byte_leave(
    world: World, engagement: Engagement, monkeypatch: pytest.MonkeyPatch
) -> None:
    seat, path = await _handed(engagement)
    read = text_of

    async def slowly(*given: Any) -> Any:
        found = await read(*given)
        member = f"/members/{seat.membership_id}"
        await engagement.attorney.change("POST", f"{member}/suspension", match=member)
        return found

    monkeypatch.setattr(texts, "text_of", slowly)
    answer = await seat.ask("GET", path)
    assert answer.status_code == 403
    assert b"first" not in answer.content
    assert await _last(world) == ("aborted", 0)


async def test_a_request_that_is_given_up_is_accounted_for(
    world: World, engagement: Engagement, monkeypatch: pytest.MonkeyPatch
) -> None:
    reached = asyncio.Event()

    async def hangs(*_: object) -> None:
        reached.set()
        await asyncio.sleep(60)

    monkeypatch.setattr(texts, "text_of", hangs)
    seat, path = await _handed(engagement)
    task = asyncio.create_task(ask(seat, world.app, "GET", path))
    await reached.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert await _last(world) == ("aborted", 0)


async def test_who_comes_when_others_read_is_asked_to_come_again(
    world: World, engagement: Engagement, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def busy(*_: object) -> None:
        raise BusyError

    monkeypatch.setattr(texts, "text_of", busy)
    seat, path = await _handed(engagement)
    answer = await seat.ask("GET", path)
    assert (answer.status_code, answer.headers["retry-after"]) == (503, "5")
    assert await _last(world) == ("failed", 0)


# Brakes ---------------------------------------------------------------------------------------------------------------


async def _brakes(engagement: Engagement, **marks: int) -> None:
    wide = {"slow_documents": 1000, "slow_bytes": 1 << 40, "stop_documents": 2000, "stop_bytes": 1 << 41}
    await engagement.attorney.change("PUT", f"/engagements/{engagement.id}/brakes", {**wide, **marks})


async def test_texts_are_slowed_and_then_suspend_their_reader(
    world: World, engagement: Engagement, monkeypatch: pytest.MonkeyPatch
) -> None:
    waited: list[float] = []

    async def pause(seconds: float) -> None:
        waited.append(seconds)

    monkeypatch.setattr(downloads, "pause", pause)
    seat = await engagement.member()
    papers = [await engagement.document(PDF) for _ in range(4)]
    for each in papers:
        await engagement.grant(seat, each["document_id"], TEXT)
    await _brakes(engagement, slow_documents=1, stop_documents=3)
    assert [(await seat.ask("GET", _text(each))).status_code for each in papers] == [200, 200, 200, 404]
    assert len(waited) == 2
    assert entries(world, "member.braked")


async def test_a_text_counts_as_what_left_of_it(world: World, engagement: Engagement) -> None:
    packed = samples.word(samples.paragraph("Dear client. " * 5_000))
    assert len(packed) < 5_000
    seat, path = await _handed(engagement, packed)
    size = len((await seat.ask("GET", path)).content)
    assert size > 60_000
    await settle(world)
    other = await engagement.document(b"x" * 10_000)
    await engagement.grant(seat, other["document_id"])
    await _brakes(engagement, slow_bytes=60_000, stop_bytes=size + 9_999)
    assert (await seat.ask("GET", f"/documents/{other['document_id']}/content")).status_code == 404


# Nothing stays --------------------------------------------------------------------------------------------------------


async def test_nothing_of_a_text_is_kept(
    world: World,
    engagement: Engagement,
    tmp_path: Path,
    caplog: pytest.LogCaptureFixture,
    capfd: pytest.CaptureFixture[str],
) -> None:
    seat, path = await _handed(engagement, samples.pdf_with(samples.line("Waxwing Canary")))
    assert (await seat.ask("GET", path)).text == "Waxwing Canary"
    assert (await seat.ask("GET", path.replace("/text", "/content"))).status_code == 403
    await settle(world)
    assert files_with(tmp_path, b"Waxwing", b"Canary") == []
    assert columns_with(world.services.database, b"Waxwing", b"Canary") == []
    assert "Waxwing" not in caplog.text + "".join(capfd.readouterr())


async def test_reading_a_text_is_a_use_of_the_grant(engagement: Engagement) -> None:
    seat, path = await _handed(engagement, abilities=("view", "text", "download"))
    await seat.ask("GET", path)
    await settle(engagement.world)
    found = await engagement.attorney.get(f"/engagements/{engagement.id}/least-privilege")
    assert found["percent"] == 66  # viewed and read, not downloaded

"""Documents over HTTP: what is listed is what is granted; confirming, taking back, and saying who can see what."""

from __future__ import annotations

import logging
import tempfile
from pathlib import Path

import pytest
from sqlalchemy import select

from service.db.models import documents, revisions
from tests.api.places import blobs, columns_with, files_with, settle
from tests.disposal.ending import an_ending
from tests.logs import entries_of
from tests.world import Engagement, World, a_world, findings

HOURS_72 = 72 * 3600


async def _papers(engagement: Engagement, count: int) -> list[str]:
    return [(await engagement.document(b"paper %d" % n, title=f"Paper {n}"))["document_id"] for n in range(count)]


async def test_a_list_is_exactly_what_was_granted_page_by_page(engagement: Engagement) -> None:
    seat, papers = await engagement.member(), await _papers(engagement, 7)
    for document_id in papers[::2]:
        await engagement.grant(seat, document_id)
    path, seen, cursor = f"/engagements/{engagement.id}/documents?limit=3", [], ""
    while True:
        page = await seat.get(path + cursor)
        assert len(page["items"]) <= 3
        seen += [item["id"] for item in page["items"]]
        if page["next_cursor"] is None:
            break
        cursor = f"&cursor={page['next_cursor']}"
    assert seen == sorted(papers[::2])
    assert [item["id"] for item in (await engagement.attorney.get(path.partition("?")[0]))["items"]] == sorted(papers)


async def test_a_list_is_recorded_with_its_count_and_the_log_it_had_seen(world: World, engagement: Engagement) -> None:
    await _papers(engagement, 2)
    size = len(entries_of(world.services.database, world.firm_id))
    await engagement.attorney.get(f"/engagements/{engagement.id}/documents")
    entry = entries_of(world.services.database, world.firm_id, "list.read")[-1]
    data = entry.data or {}
    assert (data["count"], data["log_size"]) == (2, size)
    assert len(str(data["ids_sha256"])) == 64


async def test_a_page_mark_kept_across_a_revoke_shows_only_what_may_still_be_seen(engagement: Engagement) -> None:
    seat, papers = await engagement.member(), sorted(await _papers(engagement, 4))
    grants = {document_id: await engagement.grant(seat, document_id) for document_id in papers}
    path = f"/engagements/{engagement.id}/documents"
    page = await seat.get(f"{path}?limit=2")
    gone = grants[papers[2]]
    match = {"if-match": gone["etag"]}
    assert (await engagement.attorney.ask("DELETE", f"/grants/{gone['id']}", headers=match)).status_code == 200
    rest = await seat.get(f"{path}?limit=2&cursor={page['next_cursor']}")
    assert [item["id"] for item in rest["items"]] == [papers[3]]


async def test_lists_can_be_narrowed_to_a_label_or_a_part(engagement: Engagement) -> None:
    one = await engagement.document(label="exhibit")
    await engagement.document(label="billing")
    path = f"/engagements/{engagement.id}/documents"
    found = await engagement.attorney.get(f"{path}?label=exhibit")
    assert [item["id"] for item in found["items"]] == [one["document_id"]]
    assert len((await engagement.attorney.get(f"{path}?part_id={engagement.part_id}"))["items"]) == 2
    assert (await engagement.attorney.get(f"{path}?part_id=prt_{'0' * 32}"))["items"] == []
    await engagement.attorney.get(f"{path}?label=nonsense", status=422)
    await engagement.attorney.get(f"{path}?part_id=nonsense", status=422)


async def test_confirming_makes_label_sensitivity_and_title_an_attorneys_word(engagement: Engagement) -> None:
    seat = await engagement.member("intake_specialist")
    await engagement.ask(seat)
    added = await seat.upload(engagement.id, engagement.part_id, b"x", label="intake_form", title="As scanned")
    path, attorney = f"/documents/{added['document_id']}", engagement.attorney
    assert (await seat.get(path))["state"] == "to_look_at"
    body = {"label": "medical_record", "sensitivity": "privileged", "title": "Discharge letter"}
    confirmed = await attorney.change("POST", f"{path}/confirmation", body, match=path)
    assert {name: confirmed[name] for name in body} == body
    assert confirmed["state"] == "confirmed"
    await seat.get(path, status=404)  # only the receipt is left to the adder
    assert [each["document_id"] for each in (await seat.get("/me/receipts"))["items"]] == [added["document_id"]]
    again = await attorney.ask("POST", f"{path}/confirmation", json=body, headers={"if-match": confirmed["etag"]})
    assert again.status_code == 409
    for wrong in (
        {**body, "label": "x"},
        {**body, "sensitivity": "x"},
        {**body, "title": "a\u202eb"},
        {**body, "a": 1},
    ):
        answer = await attorney.ask("POST", f"{path}/confirmation", json=wrong, headers={"if-match": confirmed["etag"]})
        assert answer.status_code == 422


async def test_an_adder_sees_his_own_for_72_hours_at_most(engagement: Engagement) -> None:
    seat = await engagement.member("intake_specialist")
    await engagement.ask(seat)
    added = await seat.upload(engagement.id, engagement.part_id, b"x", label="intake_form")
    path = f"/documents/{added['document_id']}"
    engagement.world.sleep(HOURS_72 - 1)
    assert await seat.get(f"{path}/content") == b"x"
    engagement.world.sleep(1)
    await seat.get(path, status=404)
    await seat.get(f"{path}/content", status=404)
    other = await engagement.member("intake_specialist")
    await other.get(path, status=404)


async def test_what_is_taken_back_is_destroyed_and_only_ones_own_can_be(world: World, engagement: Engagement) -> None:
    seat, other = await engagement.member("intake_specialist"), await engagement.member("intake_specialist")
    await engagement.ask(seat)
    added = await seat.upload(engagement.id, engagement.part_id, b"x", label="intake_form")
    path = f"/documents/{added['document_id']}"
    tag = {"if-match": (await seat.ask("GET", path)).headers["etag"]}
    assert (await other.ask("DELETE", path, headers=tag)).status_code == 404
    assert (await seat.ask("DELETE", path)).status_code == 428
    assert (await seat.ask("DELETE", path, headers={"if-match": '"x"'})).status_code == 412
    assert (await seat.ask("DELETE", path, headers=tag)).status_code == 204
    await seat.get(path, status=404)
    await engagement.attorney.get(f"{path}/content", status=404)
    assert await blobs(world) == []
    with world.services.database.read(world.firm_id) as tx:
        assert tx.value(select(revisions.c.wrapped_key)) == b""
        assert tx.value(select(documents.c.state)) == "taken_back"
    assert await findings(world.services) == []


async def test_an_attorney_learns_who_can_see_a_document_and_why_not(engagement: Engagement) -> None:
    shared, unsigned = await engagement.member(), await engagement.member(signed=False)
    document = (await engagement.document())["document_id"]
    for seat in (shared, unsigned):
        await engagement.grant(seat, document)
    path = f"/documents/{document}/access"
    found = {item["person_id"]: item for item in (await engagement.attorney.get(path))["items"]}
    assert found[shared.person_id]["sees"]
    one = (await engagement.attorney.get(f"{path}?person_id={unsigned.person_id}"))["items"][0]
    assert not one["sees"]
    assert "duty_missing" in {reason["why_not"] for reason in one["reasons"]}
    assert (await shared.ask("GET", path)).status_code in (403, 404)
    assert (await engagement.world.owner.ask("GET", path)).status_code == 403


# No plaintext ---------------------------------------------------------------------------------------------------------

CANARIES = {
    "content": "Waxwing-content",
    "title": "Waxwing-title",
    "client": "Waxwing-client",
    "person": "Waxwing-person",
    "address": "waxwing.example",
    "agreement": "Waxwing-agreement",
    "purpose": "Waxwing-purpose",
    "caption": "Waxwing-caption",
    "waiver": "Waxwing-waiver",
}


async def test_no_name_and_no_content_is_ever_in_the_clear_on_disk_in_rows_or_in_logs(
    tmp_path: Path, migrated_url: str, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """Uploads, downloads, exports and the end, and then every byte that is there is looked through."""
    spool = tmp_path / "spool"
    spool.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(spool))
    c = CANARIES
    async with a_world(tmp_path / "var", migrated_url) as world:
        with caplog.at_level(logging.DEBUG):
            attorney = await world.attorney(c["person"])
            engagement = await _canary_engagement(world, c)
            seat = await engagement.member()
            body = c["content"].encode() * 100_000  # large enough to be spooled by whoever spools
            document = await engagement.document(body, title=c["title"])
            grant = {
                "membership_id": seat.membership_id,
                "abilities": ["view", "download"],
                "not_after": "2027-01-20T00:00:00Z",
                "purpose": c["purpose"],
            }
            await engagement.attorney.post(f"/documents/{document['document_id']}/grants", grant)
            assert await seat.get(f"/documents/{document['document_id']}/content") == body
            await _export(world)
            _look_through(world, tmp_path)
            ending = await an_ending(world, engagement)
            await ending.request()
            await ending.approve()
            await ending.give_back(waiver=c["waiver"])
            await ending.run()
            await settle(world)
            _look_through(world, tmp_path)
        assert attorney.person_id
        said = caplog.text + "".join(str(record.__dict__) for record in caplog.records)
        assert [word for word in CANARIES.values() if word in said] == []
    assert list(spool.rglob("*")) == []


def _look_through(world: World, folder: Path) -> None:
    words = [word.encode() for word in CANARIES.values()]
    assert files_with(folder, *words) == []
    assert columns_with(world.services.database, *words) == []


async def _canary_engagement(world: World, c: dict[str, str]) -> Engagement:
    """An engagement all of whose names are canaries."""
    plain = await world.engagement()
    attorney = plain.attorney
    vendor = await world.owner.post("/vendors", {"name": c["person"]})
    matter = await attorney.post("/matters", {"number": "W-1", "client": c["client"]})
    body = {
        "vendor_id": vendor["id"],
        "number": "W-1",
        "name": c["caption"],
        "starts_at": "2027-01-15T08:00:00Z",
        "ends_at": "2027-03-15T08:00:00Z",
        "lead_id": attorney.person_id,
    }
    made = await world.owner.post("/engagements", body)
    part = await attorney.post(f"/engagements/{made['id']}/parts", {"matter_id": matter["id"], "caption": c["caption"]})
    person = {"email": f"x@{c['address']}", "name": c["person"], "vendor_id": vendor["id"]}
    await world.owner.post("/people", person)
    engagement = Engagement(world, made["id"], vendor["id"], matter["id"], part["id"], attorney)
    await attorney.post(f"/engagements/{made['id']}/agreements", {"kind": "nda", "text": c["agreement"]})
    return engagement


async def _export(world: World) -> None:
    person = await world.owner.post("/people", {"email": "r@firm.example", "name": "Rita"})
    member = await world.owner.post("/members", {"person_id": person["id"], "role": "reviewer"})
    reviewer = await world.sign_in(person["id"], member["id"])
    answer = await reviewer.ask("POST", "/audit/exports", json={})
    assert CANARIES["person"].encode() in answer.content  # people are named to a reviewer
    assert CANARIES["title"].encode() not in answer.content

"""Certificates: what they say, what they do not say, and that the log holds their digest."""

from __future__ import annotations

import hashlib
import json
from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from tests.disposal.ending import FORM, LETTER, Ending, an_ending
from tests.logs import entries_of
from tests.world import START_MS, World, a_world

START_S = START_MS // 1000


pytestmark = pytest.mark.asyncio(loop_scope="module")


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def ended(tmp_path_factory: pytest.TempPathFactory, module_url: str) -> AsyncIterator[Ending]:
    """An engagement that was ended; its papers had been downloaded, one of them in part."""
    async with a_world(tmp_path_factory.mktemp("home") / "var", module_url, key_cache_s=30, backup_days=3) as world:
        made = await an_ending(world)
        seat = await made.engagement.member()
        await made.engagement.grant(seat, made.letter["document_id"])
        await seat.get(f"/documents/{made.letter['document_id']}/content")
        await made.attorney.get(f"/documents/{made.form['document_id']}/content")
        await made.seat.get(f"/documents/{made.letter['document_id']}/content", status=404)
        made.seat = seat
        await made.request()
        world.sleep(3600)
        await made.approve()
        world.sleep(3600)
        await made.give_back()
        world.sleep(3600)
        await made.run()
        yield made


async def _certificate(ended: Ending) -> dict[str, object]:
    [row] = ended.certificates()
    found: dict[str, object] = await ended.attorney.get(f"/certificates/{row.id}")
    return found


async def test_its_digest_is_of_its_text_and_stands_in_the_log(ended: Ending) -> None:
    found = await _certificate(ended)
    text = str(found["text"])
    assert hashlib.sha256(text.encode()).hexdigest() == found["sha256"]
    body = json.loads(text)
    assert body == found["body"]
    assert text == json.dumps(body, sort_keys=True, separators=(",", ":"))
    entry = entries_of(ended.world.services.database, ended.world.firm_id)[body["log_index"]]
    assert (entry.type, (entry.data or {})["sha256"]) == ("certificate.issued", found["sha256"])
    assert (entry.subjects or {})["certificate"] == found["id"]


async def test_it_tells_both_times_the_counts_the_places_and_who_agreed(ended: Ending) -> None:
    body = (await _certificate(ended))["body"]
    assert isinstance(body, dict)
    assert body["access_ended_at"] == START_S
    assert body["approved_at"] == START_S + 3600
    assert body["returned_at"] == START_S + 7200
    destroyed_at = START_S + 10_800
    assert body["key_places"] == {"keys": destroyed_at}
    assert body["irrecoverable_at"] == destroyed_at + 30 + 3 * 86_400
    assert body["issued_at"] == destroyed_at
    assert (body["keys_destroyed"], body["objects_deleted"]) == (2, 2)
    assert sorted(body["key_ids"]) == sorted(ended.key_ids())
    assert sorted(body["revisions"]) == sorted([ended.letter["revision_id"], ended.form["revision_id"]])
    assert body["verification"]["opened"] == 0
    assert body["verification"]["tried"] == 4
    assert body["requested_by"] == ended.attorney.person_id
    assert body["approved_by"] == ended.world.owner.person_id
    assert body["manifest_sha256"] == ended.disposal["manifest_sha256"]
    assert body["sanitization"]["technique"] == "cryptographic erase"


async def test_it_lists_every_download_that_left_and_whose_attestation_is_missing(ended: Ending) -> None:
    body = (await _certificate(ended))["body"]
    assert isinstance(body, dict)
    left = {(each["person"], each["document"], each["bytes"]) for each in body["downloads_that_left"]}
    assert left == {
        (ended.seat.person_id, ended.letter["document_id"], len(LETTER)),
        (ended.attorney.person_id, ended.form["document_id"], len(FORM)),
    }
    assert body["attestations_missing"] == sorted([ended.seat.person_id, ended.attorney.person_id])


async def test_it_names_nobody_and_claims_nothing_about_memory(ended: Ending) -> None:
    text = str((await _certificate(ended))["text"]).lower()
    for word in ("canary", "delgado", "vera ", "ada ", "example", "hale", "memory", "ram ", "in our file", "acme"):
        assert word not in text, word


async def test_only_who_may_read_it_can_and_to_all_others_it_is_not_there(ended: Ending) -> None:
    [row] = ended.certificates()
    path = f"/certificates/{row.id}"
    owner = await ended.world.owner.get("/certificates")
    assert [each["id"] for each in owner["items"]] == [row.id]
    assert (await ended.world.owner.get(path))["id"] == row.id
    stranger = await ended.world.attorney("Not on the team")
    await stranger.get(path, status=404)
    for refused in (await ended.seat.ask("GET", path), await ended.seat.ask("GET", "/certificates")):
        assert refused.status_code in (403, 404)
    await ended.attorney.get("/certificates/crt_" + "0" * 32, status=404)
    await ended.attorney.get("/certificates/nonsense", status=404)


async def test_a_reviewer_reads_certificates(ended: Ending) -> None:
    world: World = ended.world
    person = await world.owner.post("/people", {"email": "r@firm.example", "name": "Rita"})
    member = await world.owner.post("/members", {"person_id": person["id"], "role": "reviewer"})
    reviewer = await world.sign_in(person["id"], member["id"])
    listed = await reviewer.get("/certificates")
    assert [each["sha256"] for each in listed["items"]] == [ended.certificates()[0].sha256]


async def test_a_seat_in_one_matter_reads_none_for_each_names_all_matters(ended: Ending) -> None:
    world, matter_id = ended.world, ended.engagement.matter_id
    person = await world.owner.post("/people", {"email": "m@firm.example", "name": "Rob"})
    body = {"person_id": person["id"], "role": "reviewer", "matter_id": matter_id}
    seat = await world.sign_in(person["id"], (await world.owner.post("/members", body))["id"])
    await seat.get("/certificates", status=403)
    nothing = await seat.get("/certificates/crt_" + "0" * 32, status=404)
    refused = await seat.get(f"/certificates/{ended.certificates()[0].id}", status=404)
    assert {**refused, "instance": ""} == {**nothing, "instance": ""}
    await seat.get(f"/certificates?engagement_id={ended.engagement.id}", status=404)
    await seat.get(ended.path, status=404)
    assert (await seat.get(f"/engagements/{ended.engagement.id}/register"))["items"]

"""The log over HTTP: entries as written, proofs that verify, checkpoints to keep."""

from __future__ import annotations

import base64
import json

import pytest

from audit.checkpoint import verify
from audit.entry import decode, encode
from audit.merkle import leaf_hash, verify_inclusion
from tests.api.places import settle
from tests.logs import entries_of
from tests.world import DAY_S, Engagement, Person, World, rfc3339


@pytest.fixture
async def reviewer(world: World) -> Person:
    """Somebody who reads the log and nothing else."""
    person = await world.owner.post("/people", {"email": "r@firm.example", "name": "Rita"})
    member = await world.owner.post("/members", {"person_id": person["id"], "role": "reviewer"})
    return await world.sign_in(person["id"], member["id"])


async def test_entries_come_back_as_written_page_by_page(
    world: World, engagement: Engagement, reviewer: Person
) -> None:
    await engagement.document()
    await settle(world)
    seen, after = [], 0
    while True:
        page = await reviewer.get(f"/audit/entries?after={after}&limit=7")
        seen += page["items"]
        if page["next"] is None:
            break
        assert page["next"] == after + 7
        after = page["next"]
    kept = entries_of(world.services.database, world.firm_id)
    assert [entry["index"] for entry in seen] == list(range(len(seen)))
    assert len(seen) <= len(kept)
    written = [encode(entry) for entry in kept[: len(seen)]]
    assert [json.dumps(e, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode() for e in seen] == written


async def test_entries_of_one_engagement_are_its_chain(world: World, engagement: Engagement, reviewer: Person) -> None:
    await world.engagement()
    page = await reviewer.get(f"/audit/entries?engagement_id={engagement.id}&limit=1000")
    assert [entry["eseq"] for entry in page["items"]] == list(range(len(page["items"])))
    assert {entry["subjects"]["engagement"] for entry in page["items"]} == {engagement.id}


async def test_every_proof_verifies_against_a_checkpoint_of_the_firm(world: World, reviewer: Person) -> None:
    size = (await reviewer.get("/audit/entries"))["size"]
    for index in (0, 1, size // 2, size):
        proof = await reviewer.get(f"/audit/proofs/{index}")
        body = base64.b64decode(proof["entry_base64"])
        signed = verify(proof["checkpoint"].encode(), world.verifier_key)
        hashes = [base64.b64decode(each) for each in proof["proof"]]
        verify_inclusion(leaf_hash(body), index, signed.size, hashes, signed.root)
        assert decode(body).index == proof["entry"]["index"] == index


async def test_what_is_not_in_the_log_has_no_proof(reviewer: Person) -> None:
    for index in ("-1", "100000", "9" * 30):
        await reviewer.get(f"/audit/proofs/{index}", status=404)
    for index in ("x", "1.5", "0x1", "", "9" * 5000):
        assert (await reviewer.ask("GET", f"/audit/proofs/{index}")).status_code in (404, 422)


async def test_a_checkpoint_covers_the_act_of_asking_for_it(world: World, reviewer: Person) -> None:
    for _ in range(3):
        answer = await reviewer.ask("GET", "/audit/checkpoint")
        assert answer.headers["content-type"].startswith("text/plain")
        signed = verify(answer.content, world.verifier_key)
        assert signed.size == len(entries_of(world.services.database, world.firm_id))
        assert signed.origin == f"muniment/{world.firm_id}"


async def test_who_works_on_papers_does_not_read_the_log(engagement: Engagement) -> None:
    seat = await engagement.member()
    for path in ("/audit/entries", "/audit/checkpoint", "/audit/proofs/0"):
        assert (await seat.ask("GET", path)).status_code == 403
    assert (await seat.ask("POST", "/audit/exports", json={})).status_code == 403


async def test_a_reviewers_seat_ends_with_its_dates(world: World, engagement: Engagement) -> None:
    person = await world.owner.post("/people", {"email": "d@firm.example", "name": "Dora"})
    body = {"person_id": person["id"], "role": "reviewer", "ends_at": rfc3339(world.now + DAY_S)}
    member = await world.owner.post(f"/engagements/{engagement.id}/members", body)
    seat = await world.sign_in(person["id"], member["id"])
    path = f"/audit/entries?engagement_id={engagement.id}"
    await seat.get(path)
    world.sleep(DAY_S)
    assert (await seat.ask("GET", path)).status_code in (401, 403, 404)


async def test_the_log_holds_no_name(world: World, engagement: Engagement, reviewer: Person) -> None:
    await engagement.document(title="Canary title")
    text = (await reviewer.ask("GET", "/audit/entries?limit=1000")).text
    for name in ("Canary", "Delgado", "Rita", "firm.example", "Vendor ", "Olive", 'intake"'):
        assert name not in text, name
    assert world.firm_id in text

"""Bundles that the service makes, checked by the auditors' program as a stranger would run it."""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
import zipfile
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
from sqlalchemy import select

from service import exports, tokens
from service.acts import Caller
from service.db.models import people
from tests.api.places import settle
from tests.audit.logs import repack
from tests.disposal.ending import an_ending
from tests.world import Engagement, Person, World, a_world

ROOT = Path(__file__).parent.parent


def _ran(bundle: Path, *options: str) -> tuple[int, Any]:
    """Run the verifier in a process of its own that has nothing of ours but the folder it lies in."""
    command = [sys.executable, "-m", "audit", "verify", str(bundle), "--json", *options]
    ran = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    return ran.returncode, json.loads(ran.stdout or ran.stderr)


async def _verify(bundle: Path, *options: str) -> tuple[int, Any]:
    return await asyncio.to_thread(_ran, bundle, *options)


async def _reviewer(world: World, engagement: Engagement | None = None) -> Person:
    person = await world.owner.post("/people", {"email": f"r{next(world.numbers)}@firm.example", "name": "Rita Canary"})
    path = "/members" if engagement is None else f"/engagements/{engagement.id}/members"
    member = await world.owner.post(path, {"person_id": person["id"], "role": "reviewer"})
    return await world.sign_in(person["id"], member["id"])


pytestmark = pytest.mark.asyncio(loop_scope="module")


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def world(tmp_path_factory: pytest.TempPathFactory, module_url: str) -> AsyncIterator[World]:
    """A firm with a lively engagement, one that was ended, and one beside."""
    async with a_world(tmp_path_factory.mktemp("home") / "var", module_url) as made:
        ending = await an_ending(made)
        await ending.attorney.get(f"/documents/{ending.letter['document_id']}/content")
        await ending.returned()
        await ending.run()
        await settle(made)
        yield made


async def _export(world: World, reviewer: Person, folder: Path, engagement_id: str | None = None) -> Path:
    body = {} if engagement_id is None else {"engagement_id": engagement_id}
    answer = await reviewer.ask("POST", "/audit/exports", json=body)
    assert answer.status_code == 200
    assert answer.headers["content-type"] == "application/zip"
    path = folder / f"{engagement_id or 'log'}.zip"
    path.write_bytes(answer.content)
    return path


async def test_a_bundle_of_the_log_verifies_with_the_firms_key_and_one_changed_byte_fails_by_name(
    world: World, tmp_path: Path
) -> None:
    reviewer = await _reviewer(world)
    bundle = await _export(world, reviewer, tmp_path)
    code, report = await _verify(bundle, "--key", world.verifier_key)
    assert code == 0, report
    with zipfile.ZipFile(bundle) as archive:
        assert {info.compress_type for info in archive.infolist()} == {zipfile.ZIP_STORED}
        lines = {info.filename: archive.read(info) for info in archive.infolist()}
    [entries] = [name for name in lines if "entries" in name]
    last = json.loads(lines[entries].splitlines()[-1])
    assert (last["type"], last["actor"]["membership"]) == ("export.made", reviewer.membership_id)
    assert report["entries"] == report["size"] == last["index"] + 1
    without, told = await _verify(bundle)
    assert without == 2, told  # consistent in itself, its origin not established
    foreign = world.verifier_key.replace(world.verifier_key[-6:], "AAAAA=")
    assert (await _verify(bundle, "--key", foreign))[0] != 0
    bodies = lines[entries].splitlines(keepends=True)
    digit = bodies[7].index(b'"request":"req_') + 40
    bodies[7] = bodies[7][:digit] + (b"0" if bodies[7][digit : digit + 1] != b"0" else b"1") + bodies[7][digit + 1 :]
    (tmp_path / "tampered.zip").write_bytes(repack(bundle.read_bytes(), {entries: b"".join(bodies)}))
    broken, evidence = await _verify(tmp_path / "tampered.zip", "--key", world.verifier_key)
    assert (broken, evidence["first_bad_index"]) == (1, 7)


@pytest.mark.parametrize("whole", [True, False])
async def test_decisions_under_an_overlay_are_known_to_a_verifier(world: World, tmp_path: Path, *, whole: bool) -> None:
    engagement = await world.engagement()
    seat, paper = await engagement.member(), (await engagement.document())["document_id"]
    await engagement.grant(seat, paper)
    path, rows = f"/engagements/{engagement.id}/overlay", ["*,document:download,*,*,never"]
    epoch = (await engagement.attorney.change("PUT", path, {"rows": rows}))["epoch"]
    await seat.get(f"/documents/{paper}")
    await settle(world)
    bundle = await _export(world, await _reviewer(world), tmp_path, None if whole else engagement.id)
    policies = str(ROOT / "policies")
    code, report = await _verify(bundle, "--key", world.verifier_key, "--policy", policies)
    assert code == 0, report
    assert epoch in report["policies"]
    assert epoch in report["policies_shown"]
    assert not any(epoch in line for line in report["not_checked"])


async def test_an_engagements_bundle_holds_its_whole_chain_and_nothing_else(world: World, tmp_path: Path) -> None:
    engagement = await world.engagement()
    await engagement.document()
    reviewer = await _reviewer(world)
    await settle(world)
    bundle = await _export(world, reviewer, tmp_path, engagement.id)
    code, report = await _verify(bundle, "--key", world.verifier_key)
    assert code == 0, report
    with zipfile.ZipFile(bundle) as archive:
        [name] = [each for each in archive.namelist() if "entries" in each]
        text = archive.read(name)
    assert engagement.id.encode() in text
    rest = text.replace(engagement.id.encode(), b"")
    assert b"eng_" not in rest  # of no other engagement
    assert b'"export.made"' in text.splitlines()[-1]


async def test_a_bundle_names_people_for_a_reviewer_and_never_a_title_or_client(world: World, tmp_path: Path) -> None:
    reviewer = await _reviewer(world)
    content = (await _export(world, reviewer, tmp_path)).read_bytes()
    assert b"Rita Canary" in content
    assert b"Olive Owner" in content
    for hidden in (b"Canary letter", b"Canary form", b"Delgado", b"The client's form, please", b"All is in our file"):
        assert hidden not in content


async def test_people_whose_key_is_gone_stay_a_commitment_and_it_still_verifies(world: World, tmp_path: Path) -> None:
    somebody = await world.owner.post("/people", {"email": "f@firm.example", "name": "Forgotten Canary"})
    with world.services.database.read(world.firm_id) as tx:
        key_id = tx.value(select(people.c.key_id).where(people.c.id == somebody["id"]))
    world.services.keys.destroy(key_id)
    reviewer = await _reviewer(world)
    bundle = await _export(world, reviewer, tmp_path)
    assert b"Forgotten Canary" not in bundle.read_bytes()
    assert (await _verify(bundle, "--key", world.verifier_key))[0] == 0


async def test_a_seat_limited_to_an_engagement_exports_no_other_and_not_the_log(world: World) -> None:
    mine, other = await world.engagement(), await world.engagement()
    seat = await _reviewer(world, mine)
    assert (await seat.ask("POST", "/audit/exports", json={"engagement_id": mine.id})).status_code == 200
    for body in ({}, {"engagement_id": other.id}, {"engagement_id": "eng_" + "0" * 32}):
        assert (await seat.ask("POST", "/audit/exports", json=body)).status_code in (403, 404)


async def test_no_connection_is_held_while_an_export_waits_for_its_reader(world: World) -> None:
    reviewer = await _reviewer(world)
    caller = _caller(reviewer)
    for _ in range(3):
        pieces = await exports.bundle(world.services, caller, None)
        for _ in range(5):
            next(pieces)
            assert world.services.database.pool.lent() == 0
        pieces.close()  # type: ignore[attr-defined]  # it is a generator


def _caller(person: Person) -> Caller:
    return Caller(tokens.parse(person.token), "req_" + "0" * 32)

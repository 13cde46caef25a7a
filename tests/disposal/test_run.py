"""The steps that Muniment takes by itself: what is gone afterwards, and that no fault leaves it half or twice done."""

from __future__ import annotations

import asyncio
import json
import os
import shutil
import subprocess
import sys
from collections import Counter
from collections.abc import AsyncIterator
from dataclasses import replace
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select

from service import disposal
from service.crypto import fields
from service.crypto.wrapping import unwrap
from service.db.models import documents, engagements, parts, people, revisions
from service.door import Holder, field_key, revision_key_context
from service.errors import KeyMissingError, KeyPlaceError, StoreUnavailableError
from tests.api.places import Fakes, fake_stores, settle
from tests.disposal.ending import Ending, an_ending
from tests.fakes.failpoints import Failpoints, watching
from tests.logs import check_logs, entries_of
from tests.stacks import Stack
from tests.world import START_MS, Person, World, a_world, findings, folder

ROOT = Path(__file__).parent.parent.parent
FAILING = ("KeyPlace.delete", "BlobStore.delete", "BlobStore.open", "Ledger.commit")
OWN_STEPS = ("disposal.keys_destroyed", "disposal.objects_deleted", "disposal.verified", "certificate.issued")


@pytest.fixture
async def ending(tmp_path: Path, stack: Stack) -> AsyncIterator[Ending]:
    """An engagement that was returned, ready to be destroyed."""
    async with a_world(tmp_path / "var", stack.url, **stack.settings) as world:
        made = await an_ending(world)
        await made.returned()
        yield made


def _steps(ending: Ending) -> Counter[str]:
    entries = entries_of(ending.world.services.database, ending.world.firm_id)
    of_it = [e for e in entries if (e.subjects or {}).get("disposal") == ending.disposal["id"]]
    return Counter(e.type for e in of_it if e.type in OWN_STEPS)


async def _assert_over(ending: Ending) -> None:
    """Keys and objects are gone, there is one certificate, each step was recorded once, all is whole."""
    world = ending.world
    assert ending.row().state == "certified"
    assert [c.disposal_id for c in ending.certificates()].count(ending.disposal["id"]) == 1
    assert not any(answer for key_id in ending.key_ids() for answer in world.services.keys.exists(key_id).values())
    mine = {row.blob_id for row in _revisions(ending)}
    assert mine
    assert not mine & {info.blob_id async for info in world.services.blobs.list()}
    assert _steps(ending) == Counter(OWN_STEPS)
    check_logs(world.services.database)


def _revisions(ending: Ending) -> list[Any]:
    with ending.world.services.database.read(ending.world.firm_id) as tx:
        return tx.all(
            select(revisions.c.blob_id, revisions.c.wrapped_key)
            .join_from(revisions, documents, documents.c.id == revisions.c.document_id)
            .where(documents.c.engagement_id == ending.engagement.id)
        )


async def test_keys_and_objects_are_gone_and_the_installation_is_whole(ending: Ending) -> None:
    done = await ending.run()
    assert done["state"] == "certified"
    await _assert_over(ending)
    assert all(row.wrapped_key == b"" for row in _revisions(ending))
    await settle(ending.world)
    assert await findings(ending.world.services) == []


async def _replace(ending: Ending, who: Person, document_id: str, content: bytes) -> None:
    path = f"/documents/{document_id}"
    tag = {"if-match": (await who.ask("GET", path)).headers["etag"]}
    answer = await who.ask("PUT", f"{path}/content", content=content, headers=tag)
    assert answer.status_code == 200, answer.text


async def test_what_was_asked_is_gone_from_its_list_as_from_its_own_address(ending: Ending) -> None:
    """Its instructions are destroyed with the part's key: a list that still tried to open them would answer 503."""
    path = f"/engagements/{ending.engagement.id}/asks"
    [ask] = (await ending.attorney.get(path))["items"]
    await ending.run()
    assert (await ending.attorney.get(path))["items"] == []
    await ending.attorney.get(f"/asks/{ask['id']}", 410)


async def test_every_revision_ends_and_the_current_one_alone_is_read_back(ending: Ending) -> None:
    engagement = ending.engagement
    path = f"/engagements/{engagement.id}/disposal"
    await ending.attorney.change("DELETE", ending.path, status=204)
    added = await ending.seat.upload(engagement.id, engagement.part_id, b"first", label="intake_form")
    document_id = added["document_id"]
    await _replace(ending, ending.seat, document_id, b"second")
    body = {"label": "intake_form", "sensitivity": "confidential"}
    match = f"/documents/{document_id}"
    await ending.attorney.change("POST", f"{match}/confirmation", body, match=match)
    await ending.request()
    shown = await ending.attorney.get(path)
    assert set(shown["only_copies"]) == {ending.form["document_id"], document_id}
    assert shown["revisions"] == 4
    await ending.attorney.change("DELETE", ending.path, status=204)
    await _replace(ending, ending.attorney, document_id, b"the firm's own")
    await ending.request()
    shown = await ending.attorney.get(path)
    assert (shown["only_copies"], shown["revisions"]) == ([ending.form["document_id"]], 5)
    await ending.approve()
    await ending.give_back()
    assert (await ending.run())["state"] == "certified"
    await _assert_over(ending)
    assert [row.wrapped_key for row in _revisions(ending)] == [b""] * 5
    [certificate] = ending.certificates()
    assert len(json.loads(certificate.body)["revisions"]) == 5
    await settle(ending.world)
    assert await findings(ending.world.services) == []


async def test_no_name_and_no_byte_opens_from_a_copy_made_before(ending: Ending) -> None:
    """What the database held before, whole, and every key there still is."""
    services = ending.world.services
    with services.database.read(ending.world.firm_id) as tx:
        [engagement], [part] = tx.all(select(engagements)), tx.all(select(parts))
        titles, wrapped = tx.all(select(documents)), tx.all(select(revisions))
        somebody = tx.all(select(people))[0]
    names = [
        (
            Holder(engagement.id, engagement.key_id, engagement.field_key),
            "engagements",
            "name",
            engagement.id,
            engagement.name,
        ),
        (Holder(part.id, part.key_id, part.field_key), "parts", "caption", part.id, part.caption),
        *((Holder(part.id, part.key_id, part.field_key), "documents", "title", d.id, d.title) for d in titles),
        *((Holder(part.id, part.key_id, part.field_key), "revisions", "sha256", r.id, r.sha256) for r in wrapped),
    ]
    for holder, table, column, row_id, sealed in names:
        assert fields.open(field_key(services.keys, holder, wait=True), table, column, row_id, sealed)
    for row in wrapped:
        unwrap(services.keys.open(part.key_id), row.wrapped_key, revision_key_context(row.id))
    await ending.run()
    for holder, *_ in names:
        with pytest.raises(KeyMissingError):
            field_key(services.keys, holder, wait=True)
    with pytest.raises(KeyMissingError):
        services.keys.open(part.key_id)
    person = Holder(somebody.id, somebody.key_id, somebody.field_key)
    name = fields.open(field_key(services.keys, person, wait=True), "people", "name", person.id, somebody.name)
    assert name  # people outlive engagements


async def test_the_firms_people_learn_of_the_certificate_and_nobody_else_of_anything(ending: Ending) -> None:
    stranger = await ending.world.attorney("Not on the team")
    await ending.run()
    for document in (ending.letter, ending.form):
        path = f"/documents/{document['document_id']}"
        for each in (path, f"{path}/content"):
            gone = await ending.attorney.get(each, status=410)
            assert gone["code"] == "disposed"
            for person in (ending.seat, stranger, ending.world.owner):
                assert (await person.ask("GET", each)).status_code in (403, 404)
            assert (await ending.seat.ask("GET", each)).status_code == 404
    assert (await ending.attorney.get(f"/engagements/{ending.engagement.id}/documents"))["items"] == []
    receipts = (await ending.seat.ask("GET", "/me/receipts")).json()
    assert "Canary" not in str(receipts)


# Faults ---------------------------------------------------------------------------------------------------------------


@pytest.fixture
def points() -> Failpoints:
    """What can fail in `shaky`."""
    return Failpoints()


@pytest.fixture
async def shaky(tmp_path: Path, migrated_url: str, points: Failpoints) -> AsyncIterator[tuple[World, Fakes]]:
    """An installation on two key places, a blob store and a database that all fail when told to."""
    with fake_stores() as fakes, watching(points):
        home = tmp_path / "var"
        async with a_world(home, migrated_url, key_places=(home / "first", home / "second")) as world:
            yield world, fakes


async def test_whichever_call_fails_it_is_finished_once_by_running_it_again(
    shaky: tuple[World, Fakes], points: Failpoints
) -> None:
    """Each outside call in its turn, failed and failed-but-done: nothing is left over and nothing happens twice."""
    world, _ = shaky
    tried = Counter[str]()
    stride = 1 if world.services.database.is_sqlite else 3
    for stored in (False, True):
        target = 0
        while True:
            ending = await an_ending(world)
            await ending.returned()
            points.arm(target, stored=stored, only=FAILING)
            answer = await ending.attorney.ask("POST", f"{ending.path}/run")
            hit = points.hit
            points.disarm()
            found_done = stored and hit == "Ledger.commit"  # the writer looks what became of a commit
            assert answer.status_code == (503 if hit and not found_done else 200), (target, stored, hit)
            await disposal.resume_all(world.services)
            if ending.row().state == "returned":  # the very first commit: nothing had begun
                await ending.run()
            await _assert_over(ending)
            tried[hit] += 1
            if not hit:
                break
            target += stride
    # Two places × two keys and the objects; one commit for the start, one for each step and one for the answer.
    assert tried["KeyPlace.delete"] + tried["BlobStore.delete"] >= 2 * 5 // stride
    assert tried["Ledger.commit"] >= 2 * 5 // stride


async def test_a_place_that_does_not_confirm_stops_it_short_of_any_claim(shaky: tuple[World, Fakes]) -> None:
    world, fakes = shaky
    ending = await an_ending(world)
    await ending.returned()
    fakes.places["second"].faults.plan("delete", KeyPlaceError, times=3)
    refused = await ending.run(status=503)
    assert refused["code"] == "key_place_unavailable"
    assert (ending.row().state, ending.certificates()) == ("destroying", [])
    assert (await ending.attorney.ask("DELETE", ending.path)).status_code == 409  # there is no way back
    await ending.run(status=503)
    await ending.run(status=503)
    assert (await ending.run())["state"] == "certified"
    await _assert_over(ending)


async def test_what_could_still_be_opened_is_not_certified(shaky: tuple[World, Fakes]) -> None:
    """A copy of a key that comes back between destruction and verification is found out."""
    world, fakes = shaky
    ending = await an_ending(world)
    await ending.returned()
    [part_key] = [key_id for key_id in ending.key_ids() if key_id in fakes.places["first"].objects][:1]
    kept = fakes.places["first"].objects[part_key]
    fakes.blobs.faults.plan("delete", StoreUnavailableError)
    await ending.run(status=503)
    assert ending.row().state == "keys_destroyed"
    fakes.places["second"].objects[part_key] = kept
    await ending.run(status=503)
    assert (ending.row().state, ending.certificates()) == ("objects_deleted", [])
    del fakes.places["second"].objects[part_key]
    world.services.keys.forget(part_key)  # else it stays open here for the rest of a minute
    assert (await ending.run())["state"] == "certified"


_KILLED = """
import asyncio, os, signal, sys
from pathlib import Path
from service import disposal, wiring
from service.blobs.local import LocalBlobs
from service.config import Settings
from service.crypto.places import FolderKeyPlace
from service.ledger import Ledger

home, url, clock_ms, left = Path(sys.argv[1]), sys.argv[2], int(sys.argv[3]), int(sys.argv[4])

def counted(owner, name):
    act = getattr(owner, name)
    def deadly(*args, **named):
        global left
        result = act(*args, **named)
        left -= 1
        if left == 0:
            os.kill(os.getpid(), signal.SIGKILL)
        return result
    setattr(owner, name, deadly)

counted(FolderKeyPlace, "delete")
counted(LocalBlobs, "_delete")
counted(Ledger, "_put")
settings = Settings(home=home, database_url=url)
with wiring.open_installation(settings, serving=True, clock=lambda: clock_ms) as services:
    asyncio.run(disposal.resume_all(services))
"""


async def test_killed_again_and_again_it_ends_with_one_certificate(tmp_path: Path, migrated_url: str) -> None:
    """SIGKILL after the first, second, third … outside call, always on what the last kill left."""
    home = tmp_path / "var"
    async with a_world(home, migrated_url) as world:
        ending = await an_ending(world)
        await ending.returned()
        faults = iter((RuntimeError,))
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(import_module("service.disposal.run"), "finish", lambda *_args: _raise(next(faults)))
            assert (await ending.attorney.ask("POST", f"{ending.path}/run")).status_code == 500
        assert ending.row().state == "destroying"
    exits = []
    for calls_left in (1, 2, 3, 2, 0) if migrated_url.startswith("sqlite") else (2, 3, 0):
        command = [sys.executable, "-c", _KILLED, str(home), migrated_url, str(START_MS + 1000), str(calls_left)]
        exits.append(await asyncio.to_thread(_ran, command))
    assert exits == [-9] * (len(exits) - 1) + [0]
    async with a_world(tmp_path / "other", migrated_url) as again:  # another firm on the same rows, to look
        ending.engagement.world = replace(again, firm_id=ending.world.firm_id)
        assert ending.row().state == "certified"
        assert [c.disposal_id for c in ending.certificates()] == [ending.disposal["id"]]
        logs = check_logs(again.services.database)
        steps = Counter(e.type for entries in logs.values() for e in entries if e.type in OWN_STEPS)
        assert steps == Counter(OWN_STEPS)
        assert not list((home / "blobs").glob("??/*"))
        assert not [key_id for key_id in ending.key_ids() if (home / "keys" / f"{key_id}.key").exists()]


def _ran(command: list[str]) -> int:
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    return subprocess.run(command, cwd=ROOT, env=environment, check=False, capture_output=True).returncode


def _raise(error: type[Exception]) -> None:
    raise error


async def test_a_key_place_that_is_not_mounted_confirms_nothing(ending: Ending) -> None:
    place = folder(ending.world.services.settings.key_places[0])
    shutil.move(place, place.with_name("unmounted"))
    place.mkdir(mode=0o700)
    await ending.run(status=503)
    assert (ending.row().state, ending.certificates()) == ("destroying", [])
    place.rmdir()
    shutil.move(place.with_name("unmounted"), place)
    await disposal.resume_all(ending.world.services)
    await _assert_over(ending)

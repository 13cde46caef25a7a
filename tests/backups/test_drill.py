"""The drill: a copy made while people work, the house lost, the copy put back: nothing that had ended comes back."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path
from typing import Any

import pytest

from audit import verify_bundle
from audit.errors import AuditError
from service import backups, checkpoints
from service.backups import making
from service.db.models import engagements, parts
from service.errors import OlderCopyError, UnauthenticatedError, UnsafeError
from tests.api.places import settle
from tests.backups.places import Elsewhere, NewDatabase, again, elsewhere, same
from tests.disposal.ending import FORM, LETTER, Ending
from tests.doctor.tampering import rows_of
from tests.logs import check_logs, entries_of
from tests.world import Engagement, Person


async def _backup(ending: Ending, folder: Path, *, with_keys: bool = True) -> backups.Made:
    return await backups.backup(ending.world.services, folder, with_keys=with_keys)


async def _other(ending: Ending) -> tuple[Engagement, Any]:
    """A second engagement of the house, with a paper; it goes on."""
    other = await ending.world.engagement()
    return other, await other.document(b"goes on", title="Canary that lives")


async def _dispose(ending: Ending) -> None:
    await ending.returned()
    await ending.run()
    await checkpoints.sign_head(ending.world.services, ending.world.firm_id)


async def test_a_copy_made_while_the_house_serves_opens_whole_in_an_empty_place(
    ending: Ending, empty: Elsewhere, tmp_path: Path
) -> None:
    made = await _backup(ending, tmp_path / "backup")
    assert (made.blobs, made.ended) == (2, 0)
    assert await empty.restore(tmp_path / "backup") == []
    async with empty.serving() as (services, http):
        attorney = same(http, ending.attorney)
        for document, body in ((ending.letter, LETTER), (ending.form, FORM)):
            path = f"/documents/{document['document_id']}"
            assert await attorney.get(f"{path}/content") == body
            assert (await attorney.get(path))["title"].startswith("Canary")
        check_logs(services.database)


async def test_what_was_disposed_of_after_the_copy_is_never_served_again(
    ending: Ending, empty: Elsewhere, tmp_path: Path
) -> None:
    world = ending.world
    other, paper = await _other(ending)
    await _backup(ending, tmp_path / "backup")
    lost_from = len(entries_of(world.services.database, world.firm_id))
    await _dispose(ending)
    dead, revoked = ending.key_ids(), world.owner.token
    lost_to = len(entries_of(world.services.database, world.firm_id))

    found = await empty.restore(tmp_path / "backup")  # the keys of the copy come with it
    assert "log_rolled_back" in [each.code for each in found]
    assert any("--reconcile" in each.sentence for each in found)
    with pytest.raises(OlderCopyError):
        async with empty.serving():
            pass

    done = {each.log_id: each for each in await empty.reconcile()}
    mine = done[world.firm_id]
    assert mine.ended == (ending.engagement.id,)
    assert (mine.lost_from, mine.lost_to) == (lost_from, lost_to)
    assert await empty.examine() == []
    async with empty.serving() as (services, http):
        assert not any(answer for key_id in dead for answer in services.keys.exists(key_id).values())
        assert (await Person(http, "", "", revoked).ask("GET", "/me")).status_code == 401
        attorney = await again(services, http, ending.attorney)
        for document in (ending.letter, ending.form):
            path = f"/documents/{document['document_id']}"
            assert (await attorney.ask("GET", f"{path}/content")).status_code in {404, 410}
            assert (await attorney.ask("GET", path)).status_code in {404, 410}
        lead = await again(services, http, other.attorney)
        assert await lead.get(f"/documents/{paper['document_id']}/content") == b"goes on"
        await settle(world)


async def test_the_log_goes_on_under_a_new_origin_and_says_what_is_lost(
    ending: Ending, empty: Elsewhere, tmp_path: Path
) -> None:
    world = ending.world
    await _backup(ending, tmp_path / "backup")
    await _dispose(ending)
    await empty.restore(tmp_path / "backup")
    [_, mine] = sorted(await empty.reconcile(), key=lambda each: each.log_id == world.firm_id)
    assert mine.origin == f"muniment/{world.firm_id}/2"
    async with empty.serving() as (services, http):
        [entry] = entries_of(services.database, world.firm_id, "log.restored")
        assert (entry.data or {})["origin_before"] == f"muniment/{world.firm_id}"
        assert (entry.data or {})["anchored_size"] == mine.lost_to
        owner = await again(services, http, world.owner)
        person = await owner.post("/people", {"email": "r@firm.example", "name": "Rita"})
        member = await owner.post("/members", {"person_id": person["id"], "role": "reviewer"})
        reviewer = await again(services, http, Person(http, person["id"], member["id"], ""))
        bundle = tmp_path / "bundle.zip"
        bundle.write_bytes(await _exported(reviewer))
        assert verify_bundle(bundle, key=mine.verifier_key).exit_code == 0
        with pytest.raises(AuditError):
            verify_bundle(bundle, key=world.verifier_key)
        anchored = dict(services.anchors.all(world.firm_id))
        assert max(anchored) == mine.lost_to  # nothing was added to, or taken from, what the old origin had signed


async def _exported(reviewer: Person) -> bytes:
    answer = await reviewer.ask("POST", "/audit/exports", json={})
    assert answer.status_code in {200, 201}, answer.text
    return answer.content


async def test_reconciling_again_changes_nothing(ending: Ending, empty: Elsewhere, tmp_path: Path) -> None:
    await _backup(ending, tmp_path / "backup")
    await _dispose(ending)
    await empty.restore(tmp_path / "backup")
    await empty.reconcile()
    assert await empty.reconcile() == []


async def test_the_same_copy_restored_a_second_time_takes_yet_another_origin(
    ending: Ending, empty: Elsewhere, tmp_path: Path, new_database: NewDatabase
) -> None:
    await _backup(ending, tmp_path / "backup")
    await _dispose(ending)
    await empty.restore(tmp_path / "backup")
    await empty.reconcile()
    async with empty.serving() as (services, _http):
        await checkpoints.sign_head(services, ending.world.firm_id)
    third = elsewhere(ending.world, tmp_path / "third", new_database())
    await third.restore(tmp_path / "backup")
    with pytest.raises(OlderCopyError):
        async with third.serving():
            pass
    done = {each.log_id: each.origin for each in await third.reconcile()}
    assert done[ending.world.firm_id] == f"muniment/{ending.world.firm_id}/3"
    assert await third.examine() == []


async def test_a_disposal_while_the_copy_is_made_is_not_in_it(
    ending: Ending, empty: Elsewhere, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It happens after the rows were copied, and before the blobs and keys are."""
    await ending.returned()
    dead, copy_blobs = ending.key_ids(), making._copy_blobs

    async def dispose_first(*given: Any) -> Any:
        await ending.run()
        return await copy_blobs(*given)

    monkeypatch.setattr(making, "_copy_blobs", dispose_first)
    made = await _backup(ending, tmp_path / "backup")
    assert made.ended == 2 + len(dead)
    assert not [path for path in (tmp_path / "backup").rglob("*.key") if path.stem in dead]
    await empty.restore(tmp_path / "backup")
    with pytest.raises(OlderCopyError):
        async with empty.serving():
            pass
    await empty.reconcile()
    assert await empty.examine() == []


async def test_uploads_during_the_copy_are_whole_in_it_or_not_there(
    ending: Ending, empty: Elsewhere, tmp_path: Path
) -> None:
    async def work() -> None:
        for number in range(6):
            await ending.engagement.document(f"paper {number}".encode() * 5000)

    made, _ = await asyncio.gather(_backup(ending, tmp_path / "backup"), work())
    assert made.blobs >= 2
    found = await empty.restore(tmp_path / "backup")
    assert {each.code for each in found} <= {"intent_open", "upload_unfinished", "log_rolled_back"}


async def test_nothing_is_served_from_before_a_revocation_either(
    ending: Ending, empty: Elsewhere, tmp_path: Path
) -> None:
    """The tombstones know nothing of it; the anchored checkpoints do."""
    world, seat = ending.world, await ending.engagement.member()
    await _backup(ending, tmp_path / "backup")
    await ending.attorney.change("DELETE", f"/members/{seat.membership_id}")
    await checkpoints.sign_head(world.services, world.firm_id)
    await empty.restore(tmp_path / "backup")
    with pytest.raises(OlderCopyError):
        async with empty.serving():
            pass
    [*done] = await empty.reconcile()
    assert sum(each.tokens for each in done) > 0
    async with empty.serving() as (_services, http):
        assert (await same(http, seat).ask("GET", "/me")).status_code == UnauthenticatedError.status


async def test_a_tombstone_that_the_firm_did_not_sign_destroys_nothing(
    ending: Ending, empty: Elsewhere, tmp_path: Path
) -> None:
    """Whoever can write to the anchor store would else let a restored house destroy its own keys."""
    world = ending.world
    await _backup(ending, tmp_path / "backup")
    text = f"muniment/{world.firm_id}/tombstone\n{ending.engagement.id}\ndsp_{'1' * 32}\n"
    world.services.anchors.put(f"{world.firm_id}_ended", 1, f"{text}\n\u2014 forged AAAA\n".encode())
    await empty.restore(tmp_path / "backup")
    with pytest.raises(UnsafeError):
        await empty.reconcile()
    with empty.opened() as services:
        for table in (engagements, parts):
            for row in rows_of(services.database, table):
                assert all(services.keys.exists(row.key_id).values())


async def test_a_house_moves_from_one_kind_of_database_to_the_other(
    ending: Ending, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    was_sqlite = ending.world.services.database.is_sqlite
    url = request.getfixturevalue("migrated_postgres_url" if was_sqlite else "migrated_file")
    if not was_sqlite:
        import shutil  # noqa: PLC0415  # only here

        url = f"sqlite:///{shutil.copyfile(url, tmp_path / 'moved.db')}"
    await _backup(ending, tmp_path / "backup")
    moved = elsewhere(ending.world, tmp_path / "moved", url)
    assert await moved.restore(tmp_path / "backup") == []
    async with moved.serving() as (_services, http):
        content = f"/documents/{ending.letter['document_id']}/content"
        assert await same(http, ending.attorney).get(content) == LETTER


async def test_every_log_tells_of_the_copy_and_the_copy_holds_that_entry(ending: Ending, tmp_path: Path) -> None:
    made = await _backup(ending, tmp_path / "backup")
    [entry] = entries_of(ending.world.services.database, ending.world.firm_id, "backup.made")
    assert entry.data == {"backup": made.backup_id, "keys": True, "days": 7}
    lines = (tmp_path / "backup" / "rows" / "log_entries.jsonl").read_text(encoding="utf-8").splitlines()
    columns = json.loads(lines[0])
    indexes = [json.loads(line)[columns.index("idx")] for line in lines[1:]]
    assert entry.index in indexes

"""Checkpoints: what is signed continues what was signed, is anchored, and goes on when nothing happens."""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import sqlite3
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import pytest
from sqlalchemy import bindparam, select

from audit.checkpoint import parse, verify
from audit.errors import SigningError
from audit.log import consistency_proof
from audit.merkle import verify_consistency
from service import checkpoints
from service.db.auditstore import SqlLeafStore, each_log
from service.db.models import log_checkpoints, log_signers, logs
from service.db.session import EVERY_LOG, Database
from service.errors import LedgerUnavailableError, UnavailableError, UnsafeError
from tests.api.places import faulty, faulty_databases
from tests.logs import entries_of
from tests.stacks import Stack
from tests.world import World, a_world


@pytest.fixture
async def world(tmp_path: Path, stack: Stack) -> AsyncIterator[World]:
    """An installation whose commits can fail."""
    with faulty_databases():
        async with a_world(tmp_path / "var", stack.url, **stack.settings) as made:
            yield made


def _notes(world: World) -> list[tuple[int, bytes]]:
    with world.services.database.read(world.firm_id) as tx:
        rows = tx.all(select(log_checkpoints).where(log_checkpoints.c.log_id == world.firm_id))
    return sorted((row.size, row.note) for row in rows)


async def _grow(world: World, entries: int = 1) -> None:
    for _ in range(entries):
        await world.owner.get("/me")


def _check_chain(world: World) -> None:
    """Every note is signed by the firm's key, anchored, and each continues the one before."""
    notes = _notes(world)
    assert list(world.services.anchors.all(world.firm_id)) == notes
    with world.services.database.read(world.firm_id) as tx:
        size = tx.value(select(logs.c.size).where(logs.c.id == world.firm_id))
        store = SqlLeafStore(tx, world.firm_id, size)
        signed = [verify(note, world.verifier_key) for _, note in notes]
        for older, newer in itertools.pairwise(signed):
            proof = consistency_proof(store, older.size, newer.size)
            verify_consistency(older.size, newer.size, older.root, newer.root, proof)


async def test_each_head_continues_the_one_before_and_is_anchored(world: World) -> None:
    for entries in (0, 1, 7, 2):
        await _grow(world, entries)
        newest = await checkpoints.sign_head(world.services, world.firm_id)
        assert newest is not None
        assert newest.size == len(entries_of(world.services.database, world.firm_id))
    assert len(_notes(world)) == 4
    _check_chain(world)


async def test_a_head_that_is_signed_already_is_not_signed_again(world: World) -> None:
    first = await checkpoints.sign_head(world.services, world.firm_id)
    assert await checkpoints.sign_head(world.services, world.firm_id) == first
    assert len(_notes(world)) == 1


async def test_many_signers_make_one_chain(world: World) -> None:
    async def sign_and_grow() -> None:
        for _ in range(4):
            await _grow(world)
            await checkpoints.sign_head(world.services, world.firm_id)

    await asyncio.gather(*(sign_and_grow() for _ in range(4)))
    await checkpoints.sign_head(world.services, world.firm_id)
    _check_chain(world)


async def test_no_two_checkpoints_lie_further_apart_than_allowed(world: World) -> None:
    await _grow(world, 10)
    settings = world.services.settings.model_copy(update={"checkpoint_every_entries": 4})
    newest = await checkpoints.sign_head(replace(world.services, settings=settings), world.firm_id)
    assert newest is not None
    assert newest.size == len(entries_of(world.services.database, world.firm_id))
    assert len(_notes(world)) > 3
    _check_chain(world)


@pytest.mark.parametrize("stored", [False, True])
async def test_a_signature_whose_commit_failed_leaves_one_chain(world: World, *, stored: bool) -> None:
    await checkpoints.sign_head(world.services, world.firm_id)
    await _grow(world)
    faulty(world).fail_commit(stored=stored)
    with pytest.raises(LedgerUnavailableError):
        await checkpoints.sign_head(world.services, world.firm_id)
    await checkpoints.sign_head(world.services, world.firm_id)
    await _grow(world)
    await checkpoints.sign_head(world.services, world.firm_id)
    _check_chain(world)


async def test_a_note_that_was_not_anchored_is_anchored_by_the_next_run(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The crash between the signer's memory and the anchor."""
    await checkpoints.sign_head(world.services, world.firm_id)
    await _grow(world)

    def away(*_: object) -> None:
        raise UnavailableError

    with monkeypatch.context() as patched:
        patched.setattr(type(world.services.anchors), "put", away)
        with pytest.raises(UnavailableError):
            await checkpoints.sign_head(world.services, world.firm_id)
    await checkpoints.sign_head(world.services, world.firm_id)
    _check_chain(world)


async def test_a_database_older_than_its_anchor_is_not_signed(tmp_path: Path, migrated_sqlite_url: str) -> None:
    async with a_world(tmp_path / "var", migrated_sqlite_url) as world:
        file = Path(migrated_sqlite_url.removeprefix("sqlite:///"))
        backup = file.with_name("backup.db")
        with contextlib.closing(sqlite3.connect(file)) as source, contextlib.closing(sqlite3.connect(backup)) as copy:
            source.backup(copy)
        await _grow(world)
        await checkpoints.sign_head(world.services, world.firm_id)
        older = Database(f"sqlite:///{backup}")
        with pytest.raises(UnsafeError, match="older copy"):
            await checkpoints.sign_head(replace(world.services, database=older), world.firm_id)
        older.close()


async def test_entries_that_do_not_continue_what_was_signed_are_not_signed(
    tmp_path: Path, migrated_sqlite_url: str
) -> None:
    async with a_world(tmp_path / "var", migrated_sqlite_url) as world:
        await checkpoints.sign_head(world.services, world.firm_id)
        await _grow(world)
        with contextlib.closing(sqlite3.connect(migrated_sqlite_url.removeprefix("sqlite:///"))) as connection:
            connection.execute("DROP TRIGGER log_entries_no_update")
            connection.execute(
                "UPDATE log_entries SET body = CAST(replace(CAST(body AS TEXT), 'allowed', 'refused') AS BLOB)"
                " WHERE log_id = :log AND idx = (SELECT MAX(idx) FROM log_entries WHERE log_id = :log)",
                {"log": world.firm_id},
            )
            connection.commit()
        with pytest.raises(SigningError):
            await checkpoints.sign_head(world.services, world.firm_id)
        assert len(_notes(world)) == 1


async def test_an_idle_log_has_its_heartbeat_and_a_busy_one_is_signed_in_time(world: World) -> None:
    await checkpoints.sign_due(world.services)
    signed = _notes(world)
    assert len(signed) == 1
    await checkpoints.sign_due(world.services)
    assert _notes(world) == signed  # not due yet
    world.sleep(30)
    await checkpoints.sign_due(world.services)
    assert entries_of(world.services.database, world.firm_id)[-1].type == "log.heartbeat"
    assert len(_notes(world)) == 2
    await _grow(world)
    await checkpoints.sign_due(world.services)
    assert len(_notes(world)) == 2
    world.sleep(30)
    await checkpoints.sign_due(world.services)
    assert len(_notes(world)) == 3
    assert [e.type for e in entries_of(world.services.database, world.firm_id)].count("log.heartbeat") == 1
    _check_chain(world)


async def test_many_entries_are_signed_before_their_minute_is_over(tmp_path: Path, migrated_sqlite_url: str) -> None:
    async with a_world(tmp_path / "var", migrated_sqlite_url, checkpoint_every_entries=10) as world:
        await checkpoints.sign_due(world.services)
        await _grow(world, 5)
        await checkpoints.sign_due(world.services)
        assert len(_notes(world)) == 2


async def test_one_logs_trouble_does_not_stop_the_others(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    sign_head, asked = checkpoints.sign_head, []

    async def failing(services: object, log_id: str) -> object:
        asked.append(log_id)
        if log_id == world.firm_id:
            raise UnavailableError
        return await sign_head(world.services, log_id)

    monkeypatch.setattr(checkpoints, "sign_head", failing)
    await checkpoints.sign_due(world.services)
    one = select(log_signers.c.log_id).where(log_signers.c.log_id == bindparam("log"))
    with world.services.database.read(EVERY_LOG) as tx:
        signed = {log.id: tx.value(one, log=log.id) is not None for log in each_log(tx)}
    everything = list(signed)
    assert signed == {log_id: log_id != world.firm_id for log_id in everything}
    assert set(asked) == set(everything)


async def test_the_note_is_of_the_logs_own_origin(world: World) -> None:
    newest = await checkpoints.sign_head(world.services, world.firm_id)
    assert newest is not None
    assert parse(newest.note).origin == f"muniment/{world.firm_id}"

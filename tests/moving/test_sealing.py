"""Sealing anew: of any size the same bytes come out, bound to their new place, and nothing else is taken for them."""

from __future__ import annotations

import hashlib
import tempfile
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import select

from service.crypto import fields
from service.crypto.streams import CHUNK_BYTES
from service.crypto.wrapping import wrap
from service.db import schema
from service.db.models import parts
from service.db.session import Database
from service.door import Holder, field_key, open_content, opened_key, revision_key_context
from service.downloads import REVISION
from service.errors import NotFoundError, SealError
from service.moving.sealing import Sealed, seal_anew
from service.scoping.authorised import authorise_ids
from service.uploads.receiving import Place
from tests.api.places import blobs
from tests.world import World, a_world

EDGES = (0, 1, CHUNK_BYTES - 1, CHUNK_BYTES, CHUNK_BYTES + 1, 16 * CHUNK_BYTES, 16 * CHUNK_BYTES + 1)


async def _anew(world: World, body: bytes, change: Any = None) -> tuple[Any, Sealed, Any]:
    """A paper's revision as it lies, sealed anew into a second engagement's part; `change` is done to its row first."""
    here, there = await world.engagement(), await world.engagement()
    added = await here.document(body)
    with world.services.database.read(world.firm_id) as tx:
        before = tx.one(REVISION, document=added["document_id"])
        target = tx.one(select(parts).where(parts.c.id == there.part_id))
    holder = Holder(before.part_id, before.part_key_id, before.part_field_key)
    place = Place("doc_new", "rev_new", "blb_01a3185c50007faba2cca72fea227055", target, None)  # type: ignore[arg-type]
    yes = authorise_ids(frozenset((before.document_id, before.id)))
    sealed = await seal_anew(world.services, yes, before if change is None else change(before), holder, place)
    key = await opened_key(world.services.keys, target.key_id)
    wrapped = wrap(key, sealed.key, revision_key_context("rev_new"), world.services.random)
    after = before._replace(
        id="rev_new",
        document_id="doc_new",
        engagement_id=target.engagement_id,
        matter_id=target.matter_id,
        part_key_id=target.key_id,
        wrapped_key=wrapped,
        header=sealed.header,
        blob_id=place.blob,
    )
    return before, sealed, after


async def _opened(world: World, revision: Any) -> bytes:
    yes = authorise_ids(frozenset((revision.document_id,)))
    return b"".join([piece async for piece in open_content(world.services.keys, world.services.blobs, yes, revision)])


@given(size=st.one_of(st.sampled_from(EDGES), st.integers(0, 40 * CHUNK_BYTES)), fill=st.binary(min_size=1, max_size=9))
@settings(max_examples=15, deadline=None)
async def test_of_any_size_the_same_bytes_open_there_and_under_no_other_context(size: int, fill: bytes) -> None:
    body = (fill * (size // len(fill) + 1))[:size]
    with tempfile.TemporaryDirectory() as folder:
        url = f"sqlite:///{folder}/rows.db"
        schema.upgrade(Database(url))
        async with a_world(Path(folder) / "var", url) as world:
            before, sealed, after = await _anew(world, body)
            assert await _opened(world, after) == await _opened(world, before) == body
            assert sealed.header != before.header
            assert sealed.place.blob in await blobs(world)
            crossed = (
                after._replace(blob_id=before.blob_id),  # the old message under the new key and context
                after._replace(blob_id=before.blob_id, header=before.header),
                before._replace(blob_id=after.blob_id, header=after.header),
                after._replace(engagement_id=before.engagement_id, matter_id=before.matter_id),  # in the old place
            )
            for wrong in crossed:
                with pytest.raises(SealError):
                    await _opened(world, wrong)


@pytest.fixture
async def world(tmp_path: Path, migrated_sqlite_url: str) -> Any:
    """An installation with one firm."""
    async with a_world(tmp_path / "var", migrated_sqlite_url) as made:
        yield made


async def test_what_is_not_as_its_receipt_says_is_not_sealed_anew(world: World) -> None:
    for change in (
        lambda row: row._replace(size_bytes=row.size_bytes + 1),
        lambda row: row._replace(header=bytes(56)),
        lambda row: row._replace(sha256=row.sha256[:-1] + bytes([row.sha256[-1] ^ 1])),
    ):
        before = len(await blobs(world))
        with pytest.raises(SealError):
            await _anew(world, b"a paper", change)
        assert len(await blobs(world)) == before + 1  # the paper itself, and nothing new


async def test_it_opens_nothing_that_was_not_authorised_in_this_request(world: World) -> None:
    with pytest.raises(NotFoundError):
        await _anew(world, b"a paper", lambda row: row._replace(document_id="doc_other"))


async def test_a_right_message_with_another_digest_than_its_receipt_is_refused(world: World) -> None:
    """Who can write rows may put another paper's receipt beside a message that opens: the digests are compared."""
    services, here = world.services, await world.engagement()
    added = [await here.document(body) for body in (b"one paper", b"other one")]
    with services.database.read(world.firm_id) as tx:
        one, other = (tx.one(REVISION, document=each["document_id"]) for each in added)
        part = tx.one(select(parts).where(parts.c.id == here.part_id))
    holder = Holder(part.id, part.key_id, part.field_key)
    lie = fields.seal(
        field_key(services.keys, holder, wait=True),
        "revisions",
        "sha256",
        one.id,
        hashlib.sha256(b"other one").hexdigest(),
        services.random,
    )
    yes = authorise_ids(frozenset((one.document_id, one.id, other.document_id)))
    place = Place("doc_new", "rev_new", "blb_01a3185c50007faba2cca72fea227055", part, None)  # type: ignore[arg-type]
    assert one.size_bytes == other.size_bytes
    with pytest.raises(SealError):
        await seal_anew(services, yes, one._replace(sha256=lie), holder, place)
    assert place.blob not in await blobs(world)

"""The one door: nothing opens without having been authorised in this very request."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path
from types import SimpleNamespace

import pytest
from sqlalchemy import select

from service.crypto.wrapping import wrap
from service.db.models import documents, parts, people
from service.door import (
    Holder,
    KeyNotOpenError,
    NameReader,
    field_key,
    open_content,
    open_piece,
    piece_key_context,
    try_to_open,
)
from service.downloads import REVISION
from service.errors import KeyPlaceError, NotFoundError, SealError, StoreUnavailableError
from service.scoping.authorised import authorise_ids, authorise_title
from service.uploads.pieces import begin_piece
from tests.fakes.blobs import MemoryBlobs
from tests.world import Engagement, World, a_world, folder

NOBODY = authorise_ids(frozenset())


@pytest.fixture
async def world(tmp_path: Path, migrated_url: str) -> AsyncIterator[World]:
    """An installation with one firm."""
    async with a_world(tmp_path / "var", migrated_url) as made:
        yield made


@pytest.fixture
async def engagement(world: World) -> Engagement:
    """A running engagement."""
    return await world.engagement()


async def _revision(engagement: Engagement) -> object:
    document = await engagement.document(b"the paper", title="The title")
    with engagement.world.services.database.read(engagement.world.firm_id) as tx:
        return tx.one(REVISION, document=document["document_id"])


async def test_bytes_open_for_the_document_that_was_authorised_and_for_no_other(
    world: World, engagement: Engagement
) -> None:
    services, revision = world.services, await _revision(engagement)
    yes = authorise_ids(frozenset((revision.document_id,)))  # type: ignore[attr-defined]
    opened = [piece async for piece in open_content(services.keys, services.blobs, yes, revision)]
    assert b"".join(opened) == b"the paper"
    for no in (NOBODY, authorise_ids(frozenset((revision.id, engagement.id)))):  # type: ignore[attr-defined]
        with pytest.raises(NotFoundError):
            _ = [piece async for piece in open_content(services.keys, services.blobs, no, revision)]


async def test_whoever_is_told_a_title_opens_neither_bytes_nor_anything_else(
    world: World, engagement: Engagement
) -> None:
    services, revision = world.services, await _revision(engagement)
    paper = revision.document_id  # type: ignore[attr-defined]
    titled = authorise_ids(frozenset((authorise_title(paper),)))
    with services.database.read(world.firm_id) as tx:
        row = tx.one(select(documents.c.title, documents.c.part_id).where(documents.c.id == paper))
        part = Holder(*tx.one(select(parts.c.id, parts.c.key_id, parts.c.field_key).where(parts.c.id == row.part_id)))
    reader = NameReader(services.keys, titled)
    assert reader.open(part, "documents", "title", paper, row.title) == "The title"
    for place in (("documents", "note"), ("grants", "title")):
        with pytest.raises(NotFoundError):
            reader.open(part, *place, paper, row.title)
    with pytest.raises(NotFoundError):
        NameReader(services.keys, NOBODY).open(part, "documents", "title", paper, row.title)
    with pytest.raises(NotFoundError):
        _ = [piece async for piece in open_content(services.keys, services.blobs, titled, revision)]


async def test_a_row_that_was_moved_to_other_ids_opens_nothing(world: World, engagement: Engagement) -> None:
    """Whoever can write rows cannot make one document's bytes open as another's."""
    services, revision = world.services, await _revision(engagement)
    other = await _revision(engagement)
    for name in ("document_id", "id", "engagement_id", "matter_id", "firm_id", "wrapped_key", "header"):
        moved = revision._replace(**{name: getattr(other, name)})  # type: ignore[attr-defined]
        if moved == revision:
            moved = revision._replace(**{name: "eng_" + "0" * 32})  # type: ignore[attr-defined]
        yes = authorise_ids(frozenset((moved.document_id,)))
        with pytest.raises(SealError):
            _ = [piece async for piece in open_content(services.keys, services.blobs, yes, moved)]


async def test_a_piece_opens_for_the_upload_that_was_authorised_and_for_no_other(
    world: World, engagement: Engagement
) -> None:
    services = world.services
    with services.database.read(world.firm_id) as tx:
        part = tx.one(select(parts))
    places = {"firm_id": world.firm_id, "engagement_id": engagement.id, "matter_id": part.matter_id}
    upload = SimpleNamespace(id="upl_" + "1" * 32, part_key_id=part.key_id, **places)
    made = await begin_piece(services, upload, 0)
    await made.write(b"half of a paper")
    await made.commit()
    wrapped = wrap(services.keys.open(part.key_id), made.key, piece_key_context(made.id), services.random)
    row = {"id": made.id, "upload_id": upload.id, "part_key_id": part.key_id, "wrapped_key": wrapped, **places}
    piece = SimpleNamespace(header=made.header, blob_id=made.blob_id, **row)
    yes = authorise_ids(frozenset((upload.id,)))
    assert (
        b"".join([each async for each in open_piece(services.keys, services.blobs, yes, piece)]) == b"half of a paper"
    )
    for no in (NOBODY, authorise_ids(frozenset((made.id, engagement.id)))):
        with pytest.raises(NotFoundError):
            _ = [each async for each in open_piece(services.keys, services.blobs, no, piece)]


async def test_a_name_opens_for_the_row_that_was_authorised_and_for_no_other(
    world: World, engagement: Engagement
) -> None:
    await _revision(engagement)
    with world.services.database.read(world.firm_id) as tx:
        row, part = tx.one(select(documents)), tx.one(select(parts))
        person = tx.one(select(people).where(people.c.id == world.owner.person_id))
    holder = Holder(part.id, part.key_id, part.field_key)
    reader = NameReader(world.services.keys, authorise_ids(frozenset((row.id,))))
    assert reader.open(holder, "documents", "title", row.id, row.title) == "The title"
    with pytest.raises(NotFoundError):
        NameReader(world.services.keys, NOBODY).open(holder, "documents", "title", row.id, row.title)
    with pytest.raises(SealError):
        reader.open(holder, "documents", "label", row.id, row.title)
    with pytest.raises(SealError):
        reader.open(Holder(person.id, person.key_id, person.field_key), "documents", "title", row.id, row.title)
    with pytest.raises(NotFoundError):
        reader.open_payload(Holder(person.id, person.key_id, person.field_key), "0" * 64, b"")


async def test_a_field_key_is_not_waited_for_inside_of_a_job(world: World) -> None:
    with world.services.database.read(world.firm_id) as tx:
        row = tx.one(select(people).where(people.c.id == world.owner.person_id))
    holder = Holder(row.id, row.key_id, row.field_key)
    world.services.keys.forget(row.key_id)
    with pytest.raises(KeyNotOpenError):
        field_key(world.services.keys, holder, wait=False)
    opened = field_key(world.services.keys, holder, wait=True)
    assert field_key(world.services.keys, holder, wait=False).reveal() == opened.reveal()


async def test_trying_to_open_counts_what_is_still_there_and_proves_nothing_where_it_cannot_ask(
    world: World, engagement: Engagement
) -> None:
    services = world.services
    with services.database.read(world.firm_id) as tx:
        key_id = tx.value(select(parts.c.key_id).where(parts.c.id == engagement.part_id))
    store = MemoryBlobs()
    writer = await store.create("blb_" + "1" * 32)
    await writer.commit()
    gone_key, gone_blob = "key_" + "9" * 32, "blb_" + "9" * 32
    assert await try_to_open(services.keys, store, [gone_key], [gone_blob]) == 0
    assert await try_to_open(services.keys, store, [key_id], [gone_blob]) >= 1
    assert await try_to_open(services.keys, store, [gone_key], ["blb_" + "1" * 32]) == 1
    store.faults.plan("open", StoreUnavailableError)
    with pytest.raises(StoreUnavailableError):
        await try_to_open(services.keys, store, [], [gone_blob])
    place = folder(services.settings.key_places[0])
    place.rename(place.with_name("away"))
    with pytest.raises(KeyPlaceError):
        await try_to_open(services.keys, store, [gone_key], [])
    place.with_name("away").rename(place)

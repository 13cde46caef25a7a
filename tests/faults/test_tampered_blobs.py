"""Whoever can write the store can withhold a paper, and cannot have another byte read in its place."""

from __future__ import annotations

import os
import random
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from service.crypto.contexts import message_context
from service.crypto.keys import KeyStore
from service.crypto.kms import LocalRootKey
from service.crypto.streams import HEADER_BYTES, SEALED_CHUNK_BYTES, encrypt
from service.crypto.wrapping import SecretKey, generate_key, wrap
from service.door import PIECE_BYTES, open_content, read_content, revision_key_context
from service.errors import SealError
from service.scoping.authorised import authorise_ids
from tests.fakes.blobs import MemoryBlobs, MemoryReader
from tests.fakes.keyplaces import MemoryKeyPlace
from tests.scale import count

CASES = 210_000
PART_KEY, BLOB = "key_" + "1" * 32, "blb_" + "1" * 32
SIZES = (0, 1, 100, 100, 100, 5_000, 16_368, 16_384, 16_385, 40_000)
Figure = Callable[[str, object], None]


@dataclass(frozen=True, slots=True)
class Revision:
    """A row as `service.door` asks for it."""

    id: str
    document_id: str
    wrapped_key: bytes
    header: bytes
    firm_id: str = "frm_1"
    engagement_id: str = "eng_1"
    matter_id: str = "mtr_1"
    part_key_id: str = PART_KEY
    blob_id: str = BLOB


@dataclass(frozen=True, slots=True)
class Paper:
    """A revision, what it is, and what the store should hold of it."""

    row: Revision
    plain: bytes
    sealed: bytes


class Held(MemoryBlobs):
    """A store that holds under every id what its owner likes, and says of its size what he likes."""

    held = b""
    said_bytes = 0

    async def open(self, blob_id: str) -> MemoryReader:
        reader = MemoryReader(self.held, self.faults)
        reader.size = self.said_bytes
        return reader


class Vault:
    """Keys, and a store whose one blob is whatever a test puts there."""

    def __init__(self, folder: Path) -> None:
        root = LocalRootKey.create(folder / "root.key")
        self.keys = KeyStore(root, [MemoryKeyPlace("memory")], lambda: 0, os.urandom, cache_ttl_s=10_000)
        self.part_key = self.keys.create(PART_KEY, "part", None)
        self.keys.open(PART_KEY)
        self.blobs = Held()

    def seal(self, document: str, revision: str, plain: bytes, key: SecretKey | None = None) -> Paper:
        key = key or generate_key(os.urandom)
        context = message_context("frm_1", "eng_1", "mtr_1", document, revision, "original")
        sealed = b"".join(encrypt(key, context, [plain]))
        wrapped = wrap(self.part_key, key, revision_key_context(revision), os.urandom)
        return Paper(Revision(revision, document, wrapped, sealed[:HEADER_BYTES]), plain, sealed)

    async def read(self, row: Revision, held: bytes, said_bytes: int | None = None) -> tuple[bytes, bool]:
        """Open what the store holds as this revision: what was released, and whether it was refused in the end."""
        self.blobs.held, self.blobs.said_bytes = held, len(held) if said_bytes is None else said_bytes
        authorised, released = authorise_ids(frozenset((row.document_id,))), b""
        try:
            if self.blobs.said_bytes < PIECE_BYTES:
                return await read_content(self.keys, self.blobs, authorised, row), False
            async for piece in open_content(self.keys, self.blobs, authorised, row):
                released += piece
        except SealError:
            return released, True
        return released, False


@pytest.fixture
def vault(tmp_path: Path) -> Vault:
    return Vault(tmp_path)


# Changes --------------------------------------------------------------------------------------------------------------


def _flip(sealed: bytes, _others: list[bytes], chance: random.Random) -> bytes:
    at = chance.randrange(len(sealed))
    return sealed[:at] + bytes([sealed[at] ^ 1 << chance.randrange(8)]) + sealed[at + 1 :]


def _overwrite(sealed: bytes, _others: list[bytes], chance: random.Random) -> bytes:
    start = chance.randrange(len(sealed))
    stop = min(len(sealed), start + chance.randrange(1, 100))
    return sealed[:start] + chance.randbytes(stop - start) + sealed[stop:]


def _truncate(sealed: bytes, _others: list[bytes], chance: random.Random) -> bytes:
    return sealed[: chance.randrange(len(sealed))]


def _extend(sealed: bytes, others: list[bytes], chance: random.Random) -> bytes:
    more = (b"\0", chance.randbytes(chance.randrange(1, 50)), sealed[HEADER_BYTES:], chance.choice(others))
    return sealed + chance.choice(more)


def _splice(sealed: bytes, others: list[bytes], chance: random.Random) -> bytes:
    """The beginning of one message and the end of another, cut at the same place."""
    other = chance.choice(others)
    at = chance.choice((24, HEADER_BYTES, chance.randrange(len(sealed))))
    return chance.choice((sealed[:at] + other[at:], other[:at] + sealed[at:]))


def _rearrange(sealed: bytes, others: list[bytes], chance: random.Random) -> bytes:
    """Chunks of this message and of another in some other order, number or mixture."""
    mine, foreign = _chunks(sealed), _chunks(chance.choice(others))
    picked = [chance.choice(chance.choice((mine, mine, foreign)) or [b""]) for _ in range(len(mine) + 1)]
    return sealed[:HEADER_BYTES] + b"".join(picked[: chance.randrange(len(picked) + 1)])


def _replace(_sealed: bytes, others: list[bytes], chance: random.Random) -> bytes:
    return chance.choice(others)


def _chunks(sealed: bytes) -> list[bytes]:
    body = sealed[HEADER_BYTES:]
    return [body[start : start + SEALED_CHUNK_BYTES] for start in range(0, len(body), SEALED_CHUNK_BYTES)]


CHANGES = (_flip, _flip, _overwrite, _truncate, _extend, _splice, _rearrange, _replace)


async def test_no_changed_blob_is_accepted(vault: Vault, record_property: Figure) -> None:
    """Each case is the blob of a revision, changed by somebody who has all blobs of its document and of others."""
    seed = random.getrandbits(32)
    chance = random.Random(seed)
    papers = [vault.seal("doc_1", f"rev_{number}", chance.randbytes(size)) for number, size in enumerate(SIZES)]
    papers += [vault.seal("doc_2", f"rev_2{number}", chance.randbytes(size)) for number, size in enumerate(SIZES)]
    tried = accepted = 0
    while tried < count(CASES):
        paper, change = chance.choice(papers), chance.choice(CHANGES)
        held = change(paper.sealed, [each.sealed for each in papers if each is not paper], chance)
        if held == paper.sealed:
            continue
        released, refused = await vault.read(paper.row, held)
        accepted += not refused or not paper.plain.startswith(released)
        tried += 1
    assert accepted == 0, f"seed {seed}"
    assert all([await vault.read(paper.row, paper.sealed) == (paper.plain, False) for paper in papers])
    record_property("figure", f"ciphertext tampering through the store: {tried:,} cases, accepted {accepted}")


async def test_of_a_large_changed_blob_only_an_authentic_beginning_is_released(vault: Vault) -> None:
    chance = random.Random(random.getrandbits(32))
    paper, other = (vault.seal("doc_1", f"rev_{each}", chance.randbytes(3 * PIECE_BYTES)) for each in "12")
    for _ in range(count(2_000)):
        change = chance.choice(CHANGES)
        held = change(paper.sealed, [other.sealed], chance)
        if held != paper.sealed:
            released, refused = await vault.read(paper.row, held)
            assert refused
            assert paper.plain.startswith(released)
            assert len(released) < len(paper.plain)


# Rollback -------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("size", [0, 100, 40_000, 2 * PIECE_BYTES])
async def test_an_older_valid_version_does_not_open_in_a_newer_ones_place(vault: Vault, size: int) -> None:
    older, newer = vault.seal("doc_1", "rev_1", bytes(size)), vault.seal("doc_1", "rev_2", b"\1" * size)
    foreign = vault.seal("doc_2", "rev_3", bytes(size))
    for paper, swapped in ((newer, older), (older, newer), (newer, foreign), (older, foreign)):
        assert await vault.read(paper.row, swapped.sealed) == (b"", True)
        # Nor when its wrapped key was put back into the row as well, with or without its header.
        with_key = replace(paper.row, wrapped_key=swapped.row.wrapped_key)
        for row in (with_key, replace(with_key, header=swapped.row.header)):
            assert await vault.read(row, swapped.sealed) == (b"", True)


@pytest.mark.parametrize("size", [0, 100, 40_000, 2 * PIECE_BYTES])
async def test_an_older_message_under_the_very_same_key_and_revision_does_not_open(vault: Vault, size: int) -> None:
    """What a repeated upload may leave: valid in all but the header that the row and the log hold."""
    key = generate_key(os.urandom)
    older, newer = (vault.seal("doc_1", "rev_1", bytes([each]) * size, key) for each in (1, 2))
    assert await vault.read(newer.row, older.sealed) == (b"", True)
    assert await vault.read(newer.row, newer.sealed) == (newer.plain, False)


async def test_a_store_that_lies_about_a_size_has_the_right_bytes_read_or_none(vault: Vault) -> None:
    """One that says too much is asked until nothing more comes, and no longer."""
    paper = vault.seal("doc_1", "rev_1", bytes(100))
    for by in (-1, -16, -len(paper.sealed)):
        assert await vault.read(paper.row, paper.sealed, len(paper.sealed) + by) == (b"", True)
    for by in (1, 16, PIECE_BYTES, 10 * PIECE_BYTES):
        assert await vault.read(paper.row, paper.sealed, len(paper.sealed) + by) == (paper.plain, False)
    for size in (1, PIECE_BYTES, 10 * PIECE_BYTES):
        assert await vault.read(paper.row, b"", size) == (b"", True)

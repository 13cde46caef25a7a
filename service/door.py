"""The one door: the only code that opens a sealed name or a revision's bytes.

Rules kept here:

* both ways in take an `Authorised` that this very request was given, and the id of the row must be in it;
* every page, list, receipt, export and certificate that shows a name or a byte comes through here; lint/ refuses any
  other caller of the opening functions of service/crypto;
* what does not open is one error and shows nothing.

Source: docs/adr/0006-one-door.md.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Iterable
from contextlib import suppress
from typing import Any, Final, NamedTuple

from service.blobs.store import BlobReader, BlobStore
from service.crypto.contexts import message_context
from service.crypto.fields import FieldReader
from service.crypto.keys import KeyStore
from service.crypto.streams import HEADER_BYTES, SEALED_CHUNK_BYTES, Opener, RangeOpener, sealed_size
from service.crypto.wrapping import SecretKey, unwrap
from service.errors import BlobMissingError, KeyMissingError, KeyPlaceError, NotFoundError, SealError
from service.scoping.authorised import title_of
from service.scoping.decide import Authorised

PIECE_BYTES: Final = 16 * SEALED_CHUNK_BYTES  # opens to 256 KiB


class Holder(NamedTuple):
    """A firm, person, engagement or matter part: whose field key seals names."""

    id: str
    key_id: str
    field_key: bytes  # wrapped by key_id


class KeyNotOpenError(Exception):
    """A job needs a key object that is not open; the job steps back until it is."""

    def __init__(self, key_id: str) -> None:
        super().__init__(key_id)
        self.key_id = key_id


def field_key_context(holder_id: str) -> bytes:
    """What a wrapped field key is bound to."""
    return f"field key of {holder_id}".encode()


def revision_key_context(revision_id: str) -> bytes:
    """What a wrapped revision key is bound to."""
    return f"revision key of {revision_id}".encode()


def piece_key_context(piece_id: str) -> bytes:
    """What the wrapped key of a piece of an upload is bound to."""
    return f"upload piece key of {piece_id}".encode()


def piece_context(part: Any, upload_id: str, piece_id: str) -> bytes:
    """What the sealed message of such a piece is bound to; its part has firm_id, engagement_id and matter_id."""
    return message_context(part.firm_id, part.engagement_id, part.matter_id, upload_id, piece_id, "upload piece")


def field_key(keys: KeyStore, holder: Holder, *, wait: bool) -> SecretKey:
    """Unwrap a holder's field key; with `wait` its key object may be fetched, else it must be open already.

    Raises:
        KeyNotOpenError: it is not open, and `wait` is False.
        KeyMissingError, KeyPlaceError, SealError: it cannot be opened.
    """
    key = keys.open(holder.key_id) if wait else keys.peek(holder.key_id)
    if key is None:
        raise KeyNotOpenError(holder.key_id)
    return unwrap(key, holder.field_key, field_key_context(holder.id))


class NameReader:
    """Opens the names of one answer; a holder's key is unwrapped once.

    Args:
        keys: where key objects are opened.
        authorised: what this request may see.
    """

    def __init__(self, keys: KeyStore, authorised: Authorised) -> None:
        self._keys = keys
        self._authorised = authorised
        self._readers: dict[str, FieldReader] = {}

    def open(self, holder: Holder, table: str, column: str, row_id: str, sealed: bytes) -> str:
        """Open one name.

        Raises:
            NotFoundError: this request was not authorised for the row.
            SealError, KeyMissingError: it does not open.
        """
        of_title = (table, column) == ("documents", "title") and title_of(row_id) in self._authorised
        if row_id not in self._authorised and not of_title:
            raise NotFoundError
        return self._reader(holder).open(table, column, row_id, sealed)

    def open_payload(self, holder: Holder, commitment: str, sealed: bytes) -> str:
        """Open the payload beside an entry: 64 hexadecimal digits of salt, then canonical JSON.

        Raises:
            NotFoundError: this request was not authorised for the person whose names they are.
            SealError, KeyMissingError: it does not open, or was erased.
        """
        if holder.id not in self._authorised:
            raise NotFoundError
        return self._reader(holder).open("log_entries", "payload", commitment, sealed)

    def _reader(self, holder: Holder) -> FieldReader:
        reader = self._readers.get(holder.id)
        if reader is None:
            reader = self._readers[holder.id] = FieldReader(field_key(self._keys, holder, wait=True))
        return reader


async def opened_key(keys: KeyStore, key_id: str) -> SecretKey:
    """The key of a key object, fetched in a thread where it is not open already.

    Raises:
        KeyMissingError, KeyPlaceError, SealError: it cannot be opened.
    """
    key = keys.peek(key_id)
    return key if key is not None else await asyncio.to_thread(keys.open, key_id)


async def open_content(
    keys: KeyStore, blobs: BlobStore, authorised: Authorised, revision: Any
) -> AsyncGenerator[bytes, None]:
    """Open the bytes of a revision, in pieces of at most 256 KiB, each after its tags were checked.

    Args:
        revision: a row with id, document_id, firm_id, engagement_id, matter_id, part_key_id, wrapped_key, header and
            blob_id.

    Raises:
        NotFoundError: this request was not authorised for the document.
        SealError: the stored bytes are not what the row and the log say was sealed.
    """
    opener = await _opener(keys, authorised, revision)
    reader = await blobs.open(revision.blob_id)
    try:
        async for piece in _opened(reader, opener):
            yield piece
    finally:
        await reader.close()


async def read_content(keys: KeyStore, blobs: BlobStore, authorised: Authorised, revision: Any) -> bytes:
    """Open the bytes of a revision that is at most one piece long, all at once.

    Raises: as `open_content`.
    """
    opener = await _opener(keys, authorised, revision)
    reader = await blobs.open(revision.blob_id)
    try:
        return opener.update(await reader.read_at(0, reader.size)) + opener.finish()
    finally:
        await reader.close()


async def open_range(
    keys: KeyStore, blobs: BlobStore, authorised: Authorised, revision: Any, start: int, stop: int
) -> AsyncGenerator[bytes, None]:
    """Open the bytes [start, stop) of a revision, reading only what that needs, in pieces of at most 128 KiB.

    Args:
        revision: as in `open_content`, with size_bytes.

    Raises:
        NotFoundError: this request was not authorised for the document.
        SealError: the stored bytes are not what the row and the log say was sealed, or not as many.
    """
    key, context = await _key_and_context(keys, authorised, revision)
    reader = await blobs.open(revision.blob_id)
    try:
        if reader.size != sealed_size(revision.size_bytes):
            raise SealError  # the client is told of a length: it must be the message's own
        opener = RangeOpener(key, context, reader.size, start, stop, header=revision.header)
        while (asked := opener.next_read()) is not None:
            if plain := opener.feed(await reader.read_at(*asked)):
                yield plain
    finally:
        await reader.close()


async def open_piece(
    keys: KeyStore, blobs: BlobStore, authorised: Authorised, piece: Any
) -> AsyncGenerator[bytes, None]:
    """Open a piece of a file on its way, as `open_content` opens a revision.

    Args:
        piece: a row with id, upload_id, firm_id, engagement_id, matter_id, part_key_id, wrapped_key, header, blob_id.

    Raises:
        NotFoundError: this request was not authorised for the upload.
        SealError: the stored bytes are not what the row and the log say was sealed.
    """
    if piece.upload_id not in authorised:
        raise NotFoundError
    key = unwrap(await opened_key(keys, piece.part_key_id), piece.wrapped_key, piece_key_context(piece.id))
    context = piece_context(piece, piece.upload_id, piece.id)
    reader = await blobs.open(piece.blob_id)
    try:
        async for plain in _opened(reader, Opener(key, context, header=piece.header)):
            yield plain
    finally:
        await reader.close()


async def _opener(keys: KeyStore, authorised: Authorised, revision: Any) -> Opener:
    key, context = await _key_and_context(keys, authorised, revision)
    # The header in the row and the log refuses an older message under the same key.
    return Opener(key, context, header=revision.header)


async def _key_and_context(keys: KeyStore, authorised: Authorised, revision: Any) -> tuple[SecretKey, bytes]:
    if revision.document_id not in authorised:
        raise NotFoundError
    key = unwrap(await opened_key(keys, revision.part_key_id), revision.wrapped_key, revision_key_context(revision.id))
    context = message_context(
        revision.firm_id, revision.engagement_id, revision.matter_id, revision.document_id, revision.id, "original"
    )
    return key, context


async def _opened(reader: BlobReader, opener: Opener) -> AsyncIterator[bytes]:
    """Read a sealed message from its start to its end."""
    offset = 0
    while offset < reader.size:
        wanted = PIECE_BYTES if offset else HEADER_BYTES + PIECE_BYTES
        sealed = await reader.read_at(offset, min(wanted, reader.size - offset))
        if not sealed:
            break  # the store said that there is more: what came does not end as it was sealed
        offset += len(sealed)
        plain = opener.update(sealed)
        if plain:
            yield plain
    last = opener.finish()
    if last:
        yield last


def signing_key(keys: KeyStore, key_id: str, wrapped: bytes, log_id: str) -> SecretKey:
    """Unwrap the signing key of a log; blocks.

    Raises:
        KeyMissingError, KeyPlaceError, SealError: it cannot be opened.
    """
    return unwrap(keys.open(key_id), wrapped, signing_key_context(log_id))


def signing_key_context(log_id: str) -> bytes:
    """What a log's wrapped signing key is bound to."""
    return f"signing key of {log_id}".encode()


async def try_to_open(keys: KeyStore, blobs: BlobStore, key_ids: Iterable[str], blob_ids: Iterable[str]) -> int:
    """Ask for keys and objects that must be gone; returns how many were there after all.

    Raises:
        KeyPlaceError, StoreUnavailableError: a place could not be asked, so nothing is proved.
    """
    found = 0
    for key_id in key_ids:
        answers = await asyncio.to_thread(keys.exists, key_id)
        if None in answers.values():
            raise KeyPlaceError
        with suppress(KeyMissingError):
            await asyncio.to_thread(keys.open, key_id)
            found += 1
        found += sum(answer is True for answer in answers.values())
    for blob_id in blob_ids:
        with suppress(BlobMissingError):
            reader = await blobs.open(blob_id)
            await reader.close()
            found += 1
    return found

"""Sealing anew: a revision is opened at the one door and sealed under another part's key as it passes by.

Nothing is decided or recorded here.
"""

from __future__ import annotations

import asyncio
import hashlib
import hmac
from contextlib import aclosing
from dataclasses import dataclass
from typing import Any

from service.blobs.store import BlobWriter
from service.crypto.streams import HEADER_BYTES, Sealer
from service.crypto.wrapping import SecretKey, generate_key
from service.door import Holder, NameReader, open_content, opened_key
from service.errors import SealError
from service.scoping.decide import Authorised
from service.services import Services
from service.uploads.receiving import Place, context_of


@dataclass(frozen=True, slots=True)
class Sealed:
    """A revision as it was, and sealed anew in its place."""

    before: Any  # its row
    place: Place
    header: bytes
    key: SecretKey
    sha256: str  # hex, of the plaintext, compared


async def seal_anew(services: Services, authorised: Authorised, before: Any, holder: Holder, place: Place) -> Sealed:
    """Seal a revision into the object of its new place.

    Args:
        authorised: what this request may open: the document, and the revision's SHA-256.
        before: its row, as `service.door.open_content` wants it.
        holder: the part in which it lies.

    Raises:
        SealError: what is there is not what was sealed there, or not what its receipt says.
        KeyMissingError, KeyPlaceError, BlobMissingError, StoreFullError, StoreUnavailableError: it cannot be done.
    """
    reader = NameReader(services.keys, authorised)
    sha256 = await asyncio.to_thread(reader.open, holder, "revisions", "sha256", before.id, before.sha256)
    await opened_key(services.keys, place.part.key_id)  # before a byte is opened: without it nothing could be kept
    key = generate_key(services.random)
    writer = await services.blobs.create(place.blob)
    try:
        header = await _pour(services, authorised, before, sha256, Sealer(key, context_of(place)), writer)
        await writer.commit()
    except BaseException:
        await writer.abort()
        raise
    return Sealed(before, place, header, key, sha256)


async def _pour(
    services: Services, authorised: Authorised, before: Any, sha256: str, sealer: Sealer, writer: BlobWriter
) -> bytes:
    """Seal all that comes through the door; return the new message's header."""
    size, digest, header = 0, hashlib.sha256(), b""
    async with aclosing(open_content(services.keys, services.blobs, authorised, before)) as content:
        async for plain in content:
            size += len(plain)
            digest.update(plain)
            sealed = sealer.update(plain)
            header = header or sealed[:HEADER_BYTES]
            await writer.write(sealed)
    sealed = sealer.finish()
    header = header or sealed[:HEADER_BYTES]
    await writer.write(sealed)
    # Whoever can write rows and objects could put another message under a right key: the receipt tells.
    if size != before.size_bytes or not hmac.compare_digest(digest.hexdigest(), sha256):
        raise SealError
    return header

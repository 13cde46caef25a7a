"""Sealed messages: the contents of documents, sealed and opened as they pass by.

The format is C2SP chunked-encryption with AES-256-GCM (Cobblestone-256), made by the ``cryptography`` package. Ours is
what surrounds it: iterators and push-style objects over pieces of any size, one error for all that can be wrong, and
opening a range without reading the rest.

Rules kept here:

* no byte of plaintext is released before the tag of its chunk was found right, and nothing after a broken chunk;
* a message is whole only when the end was reached without an error: whoever stops earlier has an authentic beginning;
* memory stays bounded: pieces of 112 KiB, whatever the source gives;
* nothing is written anywhere, and a source's own errors pass through unchanged.

Source: https://c2sp.org/chunked-encryption; service/crypto/FORMAT.md, section 2.
"""

from __future__ import annotations

import hmac
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from typing import Final

from cryptography.cobblestone import Cobblestone256Decryptor, Cobblestone256Encryptor
from cryptography.exceptions import AlreadyFinalized, InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA512
from cryptography.hazmat.primitives.kdf.hkdf import HKDFExpand

from service.crypto.wrapping import KEY_BYTES, NONCE_BYTES, TAG_BYTES, BytesLike, SecretKey, raw_key
from service.errors import SealError

HEADER_BYTES: Final = 56  # salt 24, commitment 32
CHUNK_BYTES: Final = 16_384
SEALED_CHUNK_BYTES: Final = CHUNK_BYTES + TAG_BYTES
MAX_CHUNKS: Final = 2**38
# Seven chunks at a time: what comes out stays below 128 KiB, from which on malloc asks the kernel for each piece anew
# and every page of it must be cleared. Measured: larger pieces seal no faster, and of 256 KiB at half the speed.
PIECE_CHUNKS: Final = 7
PIECE_BYTES: Final = PIECE_CHUNKS * CHUNK_BYTES

_SALT_BYTES: Final = 24
_NONCE_END: Final = KEY_BYTES + NONCE_BYTES
_COMMITMENT_END: Final = _NONCE_END + 32
_LABEL: Final = b"c2sp.org/chunked-encryption@v1+AEAD_AES_256_GCM\x00"

# What the library says when something is wrong; none of it leaves this module.
_LIBRARY_ERRORS: Final = (InvalidTag, AlreadyFinalized, ValueError)

Key = SecretKey | BytesLike
ReadAt = Callable[[int, int], BytesLike]


def sealed_size(plain: int) -> int:
    """Return how long the sealed message of ``plain`` bytes is.

    Raises:
        SealError: no message is that long (or the number is negative).
    """
    chunks = plain // CHUNK_BYTES + 1
    if not 1 <= chunks <= MAX_CHUNKS:
        raise SealError
    return HEADER_BYTES + plain + TAG_BYTES * chunks


def plain_size(sealed: int) -> int:
    """Return how many bytes a sealed message of ``sealed`` bytes holds.

    The answer is believed only once the last chunk has opened: see `decrypt_range`.

    Raises:
        SealError: no message has that length. A message cut at a chunk edge has none, nor one cut within a tag.
    """
    full, last = divmod(sealed - HEADER_BYTES, SEALED_CHUNK_BYTES)
    if not 0 <= full < MAX_CHUNKS or last < TAG_BYTES:
        raise SealError
    return full * CHUNK_BYTES + last - TAG_BYTES


class Sealer:
    """Seals one message, piece by piece, for callers that are handed their bytes.

    Salt and key are new for each Sealer; a message cannot be continued by another one.
    """

    __slots__ = ("_inner",)

    def __init__(self, key: Key, context: bytes) -> None:
        """Begin a message.

        Args:
            key: 32 bytes that seal nothing else.
            context: which message this is, from `service.crypto.contexts.message_context`.

        Raises:
            SealError: the key has not 32 bytes.
        """
        self._inner = Cobblestone256Encryptor(raw_key(key), context)

    def update(self, data: BytesLike) -> bytes:
        """Take contiguous bytes; return what is sealed by now: the header first, then whole chunks, often nothing.

        Raises:
            SealError: the message was finished already, or would be longer than 4 PiB.
        """
        try:
            return self._inner.update(data)
        except _LIBRARY_ERRORS:
            raise SealError from None

    def finish(self) -> bytes:
        """Return the rest, with the short last chunk that ends every message.

        Raises:
            SealError: the message was finished already.
        """
        try:
            return self._inner.finalize()
        except _LIBRARY_ERRORS:
            raise SealError from None


class Opener:
    """Opens one message, piece by piece. After an error every further call is refused."""

    __slots__ = ("_awaited", "_inner")

    def __init__(self, key: Key, context: bytes, header: bytes | None = None) -> None:
        """Begin to open a message.

        Args:
            key: the key it was sealed with.
            context: the context it was sealed with.
            header: its first 56 bytes, where a trusted row or the log holds them: then only this very message opens,
                and not an older one that was sealed with the same key and context.

        Raises:
            SealError: the key has not 32 bytes, or the header not 56.
        """
        if header is not None and len(header) != HEADER_BYTES:
            raise SealError
        self._awaited = memoryview(header or b"")
        self._inner = Cobblestone256Decryptor(raw_key(key), context)

    def update(self, data: BytesLike) -> bytes:
        """Take contiguous sealed bytes; return the plaintext of the chunks that are authentic by now.

        Raises:
            SealError: a chunk, the commitment or the header is not right. Nothing of this call is released.
        """
        if self._awaited:
            self._compare_header(data)
        try:
            return self._inner.update(data)
        except _LIBRARY_ERRORS:
            raise SealError from None

    def finish(self) -> bytes:
        """Return the last chunk's plaintext: only now is the message known to be whole.

        Raises:
            SealError: the message was cut, or its last chunk is not right.
        """
        try:
            return self._inner.finalize()
        except _LIBRARY_ERRORS:
            raise SealError from None

    def _compare_header(self, data: BytesLike) -> None:
        with memoryview(data) as view, view.cast("B") as raw:
            count = min(len(raw), len(self._awaited))
            if not hmac.compare_digest(raw[:count], self._awaited[:count]):
                with suppress(SealError):
                    self.finish()  # ends the library's context: every later call is refused as well
                raise SealError
        self._awaited = self._awaited[count:]


def encrypt(key: Key, context: bytes, source: Iterable[BytesLike]) -> Iterator[bytes]:
    """Seal all that ``source`` gives as one message.

    Args:
        key: 32 bytes that seal nothing else.
        context: which message this is.
        source: contiguous bytes-like items of any size, also none at all; each is used before the next is asked for,
            so a source may fill the same buffer again and again.

    Yields:
        The message, in pieces of at most 112 KiB of plaintext with their tags.

    Raises:
        SealError: the key has not 32 bytes, or the message is too long. Errors of the source pass unchanged.
    """
    sealer = Sealer(key, context)
    for piece in _pieces(source):
        if sealed := sealer.update(piece):
            yield sealed
    yield sealer.finish()


def decrypt(key: Key, context: bytes, source: Iterable[BytesLike], header: bytes | None = None) -> Iterator[bytes]:
    """Open the message that ``source`` gives.

    What was yielded before an error is an authentic beginning of the message, and no more than that: a caller that
    must not act upon a part waits for the end.

    Args:
        key: the key it was sealed with.
        context: the context it was sealed with.
        source: contiguous bytes-like items of any size.
        header: as in `Opener`.

    Yields:
        Plaintext whose tags were found right, in pieces of at most 128 KiB.

    Raises:
        SealError: the message is cut, changed, moved, foreign, or too long. Errors of the source pass unchanged.
    """
    opener = Opener(key, context, header)
    for piece in _pieces(source):
        if plain := opener.update(piece):
            yield plain
    if plain := opener.finish():
        yield plain


class RangeOpener:
    """Opens a part of a message without doing any I/O: says what to read next, takes it, gives plaintext.

    The header comes first, with the commitment to key and context; then the last chunk, which proves the length: the
    size comes from whoever keeps the message, and nothing is released on his word. Then the chunks of the range.
    """

    __slots__ = (
        "_base",
        "_cipher",
        "_context",
        "_header",
        "_key",
        "_last",
        "_next",
        "_size",
        "_start",
        "_stop",
        "_tail",
    )

    def __init__(self, key: Key, context: bytes, size: int, start: int, stop: int, header: bytes | None = None) -> None:
        """Plan to open the plaintext bytes [start, stop) of a message of ``size`` sealed bytes.

        Args:
            key, context, header: as in `Opener`.
            size: of the sealed message, as its store says.
            start, stop: of the plaintext, 0 <= start <= stop <= its length.

        Raises:
            SealError: no message has this size, the range does not lie within it (which is also how a cut message
                shows itself to a caller who trusts his own length), or the key or header has a wrong length.
        """
        plain = plain_size(size)
        if not 0 <= start <= stop <= plain or (header is not None and len(header) != HEADER_BYTES):
            raise SealError
        self._key, self._context, self._header = raw_key(key), context, header
        self._size, self._start, self._stop = size, start, stop
        self._cipher: AESGCM | None = None
        self._base = 0
        self._last = plain // CHUNK_BYTES
        self._tail: bytes | None = None
        self._next = start // CHUNK_BYTES

    def next_read(self) -> tuple[int, int] | None:
        """Return (offset, length) of the sealed bytes that `feed` needs next; None when all was released."""
        if self._cipher is None:
            return 0, HEADER_BYTES
        if self._tail is None:
            offset = _chunk_offset(self._last)
            return offset, self._size - offset
        count = min(PIECE_CHUNKS, self._full_chunks_left())
        return (_chunk_offset(self._next), count * SEALED_CHUNK_BYTES) if count else None

    def feed(self, data: BytesLike) -> bytes:
        """Take exactly what `next_read` asked for; return the plaintext of the range that it gives, often none.

        Raises:
            SealError: it is not what was sealed there, or not as long as was asked for. Nothing of it is released.
        """
        asked = self.next_read()
        if asked is None or len(data) != asked[1]:
            raise SealError
        if self._cipher is None:
            self._cipher = self._open_header(bytes(data))
            return b""
        if self._tail is None:
            self._tail = self._open_chunk(self._cipher, self._last, data)
            return b"" if self._full_chunks_left() else self._cut(self._last, self._tail)
        return self._open_chunks(self._cipher, data, self._tail)

    def _full_chunks_left(self) -> int:
        """How many chunks of the range, without the message's last one, are still to be opened."""
        if self._start == self._stop:
            return 0
        past = min(-(-self._stop // CHUNK_BYTES), self._last)
        return max(0, past - self._next)

    def _open_header(self, header: bytes) -> AESGCM:
        info = _LABEL + header[:_SALT_BYTES] + self._context
        derived = HKDFExpand(SHA512(), _COMMITMENT_END, info).derive(self._key)
        if not hmac.compare_digest(derived[_NONCE_END:], header[_SALT_BYTES:]):
            raise SealError
        if self._header is not None and not hmac.compare_digest(self._header, header):
            raise SealError
        self._base = int.from_bytes(derived[KEY_BYTES:_NONCE_END], "big")
        return AESGCM(derived[:KEY_BYTES])

    def _open_chunk(self, cipher: AESGCM, number: int, sealed: BytesLike) -> bytes:
        nonce = (self._base ^ number).to_bytes(NONCE_BYTES, "big")
        try:
            return cipher.decrypt(nonce, sealed, None)
        except InvalidTag:
            raise SealError from None

    def _open_chunks(self, cipher: AESGCM, data: BytesLike, tail: bytes) -> bytes:
        first, plain = self._next, []
        with memoryview(data) as view:
            for number, at in enumerate(range(0, len(view), SEALED_CHUNK_BYTES), first):
                opened = self._open_chunk(cipher, number, view[at : at + SEALED_CHUNK_BYTES])
                plain.append(self._cut(number, opened))
        self._next = first + len(plain)
        if not self._full_chunks_left():
            plain.append(self._cut(self._last, tail))
        return b"".join(plain)

    def _cut(self, number: int, plain: bytes) -> bytes:
        """The part of chunk ``number`` that lies in the range."""
        first = number * CHUNK_BYTES
        return plain[max(0, self._start - first) : max(0, self._stop - first)]


def decrypt_range(
    key: Key, context: bytes, read_at: ReadAt, size: int, start: int, stop: int, header: bytes | None = None
) -> Iterator[bytes]:
    """Open the plaintext bytes [start, stop) of a sealed message, reading only what that needs.

    Args:
        key: the key it was sealed with.
        context: the context it was sealed with.
        read_at: ``read_at(offset, length)`` returns exactly ``length`` sealed bytes from ``offset``.
        size: of the sealed message, as its store says; it is not believed before the last chunk opened.
        start, stop: of the plaintext, 0 <= start <= stop <= its length.
        header: as in `Opener`.

    Yields:
        The plaintext of the range, in pieces of at most eight chunks. An empty range yields nothing, yet header and
        last chunk are proved.

    Raises:
        SealError: see `RangeOpener`; also for a read that is shorter or longer than asked. Errors of ``read_at`` pass
            unchanged. A size or range that cannot be is refused before the first read.
    """
    opener = RangeOpener(key, context, size, start, stop, header)
    while (asked := opener.next_read()) is not None:
        if plain := opener.feed(read_at(*asked)):
            yield plain


def _chunk_offset(number: int) -> int:
    """Where chunk ``number`` begins in the sealed message."""
    return HEADER_BYTES + number * SEALED_CHUNK_BYTES


def _pieces(source: Iterable[BytesLike]) -> Iterator[BytesLike]:
    """Yield the items of ``source``, cut so that none is larger than a piece."""
    for item in source:
        with memoryview(item) as view, view.cast("B") as whole:
            for start in range(0, len(whole), PIECE_BYTES):
                with whole[start : start + PIECE_BYTES] as piece:
                    yield piece

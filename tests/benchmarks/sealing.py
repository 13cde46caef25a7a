"""Sealing and opening a stream: ours, the AWS Encryption SDK and Tink, from memory into nothing, on one core.

The peers are what `make bench` installs. Each gets its bytes in the way it likes best: ours and Tink in pieces of
128 KiB (Tink is no faster with 1 MiB), the SDK as a file that it reads by itself. The SDK takes so long for a GiB
that it is given a sixteenth and compared as a rate.
"""

from __future__ import annotations

import io
import os
import time
from collections.abc import Callable, Iterable, Iterator
from typing import Any, Final

from service.crypto import streams
from service.crypto.wrapping import generate_key
from tests.benchmarks.rounds import Better, Measured, by_turns

MIB: Final = 1 << 20
PIECE_BYTES: Final = 128 * 1024
CONTEXT: Final = b"bench"
ROUNDS: Final = 5


class Sink(io.RawIOBase):
    """A file that takes everything and keeps nothing."""

    def writable(self) -> bool:
        return True

    def write(self, data: Any, /) -> int:
        return len(data)


class Spring(io.RawIOBase):
    """A file of so many bytes, the same piece again and again."""

    def __init__(self, size: int, piece: bytes) -> None:
        super().__init__()
        self._left = size
        self._piece = memoryview(piece)

    def readable(self) -> bool:
        return True

    def read(self, size: int = -1, /) -> bytes:
        length = min(self._left if size < 0 else size, self._left, len(self._piece))
        self._left -= length
        return bytes(self._piece[:length])


class Pieces(io.RawIOBase):
    """A file over pieces that lie in memory."""

    def __init__(self, pieces: Iterable[bytes]) -> None:
        super().__init__()
        self._pieces = iter(pieces)
        self._rest = memoryview(b"")

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any, /) -> int:
        if not self._rest:
            self._rest = memoryview(next(self._pieces, b""))
        length = min(len(buffer), len(self._rest))
        buffer[:length] = self._rest[:length]
        self._rest = self._rest[length:]
        return length


def seal_esdk(size: int = 1024 * MIB) -> Measured:
    """Seal a stream beside the AWS Encryption SDK."""
    peer = _esdk()
    peer_size = max(size // 16, MIB)
    piece = os.urandom(MIB)
    return by_turns(
        lambda: _rate(size, lambda: _seal_ours(size)),
        lambda: _rate(peer_size, lambda: peer(Spring(peer_size, piece))),
        "MB/s",
        Better.MORE,
        ROUNDS,
    )


def seal_tink(size: int = 1024 * MIB) -> Measured:
    """Seal a stream beside Tink."""
    primitive = _tink()

    def peer() -> None:
        with primitive.new_encrypting_stream(Sink(), CONTEXT) as stream:
            for piece in _source(size):
                stream.write(piece)

    return by_turns(
        lambda: _rate(size, lambda: _seal_ours(size)), lambda: _rate(size, peer), "MB/s", Better.MORE, ROUNDS
    )


def open_tink(size: int = 1024 * MIB) -> Measured:
    """Open four messages, together of this size, beside Tink."""
    primitive, key, message = _tink(), generate_key(os.urandom), size // 4
    sealed = list(streams.encrypt(key, CONTEXT, _source(message)))
    sealed_by_tink = _Kept()
    with primitive.new_encrypting_stream(sealed_by_tink, CONTEXT) as stream:
        for piece in _source(message):
            stream.write(piece)

    def ours() -> None:
        for _ in range(4):
            opened = sum(map(len, streams.decrypt(key, CONTEXT, sealed)))
            assert opened == message

    def peer() -> None:
        for _ in range(4):
            opened = 0
            with primitive.new_decrypting_stream(Pieces(sealed_by_tink.pieces), CONTEXT) as stream:
                while piece := stream.read(PIECE_BYTES):
                    opened += len(piece)
            assert opened == message

    return by_turns(lambda: _rate(size, ours), lambda: _rate(size, peer), "MB/s", Better.MORE, ROUNDS)


class _Kept(Sink):
    """A file that keeps what it is given, also after it is closed."""

    def __init__(self) -> None:
        super().__init__()
        self.pieces: list[bytes] = []

    def write(self, data: Any, /) -> int:
        self.pieces.append(bytes(data))
        return len(data)


def _seal_ours(size: int) -> None:
    key = generate_key(os.urandom)
    for _piece in streams.encrypt(key, CONTEXT, _source(size)):
        pass


def _source(size: int) -> Iterator[memoryview]:
    piece = memoryview(os.urandom(PIECE_BYTES))
    for start in range(0, size, PIECE_BYTES):
        yield piece[: size - start]


def _tink() -> Any:
    import tink  # noqa: PLC0415  # a peer, there only after `make bench`
    from tink import cleartext_keyset_handle, streaming_aead  # noqa: F401, PLC0415  # the same

    streaming_aead.register()
    template = streaming_aead.streaming_aead_key_templates.AES256_GCM_HKDF_4KB
    return tink.new_keyset_handle(template).primitive(streaming_aead.StreamingAead)


def _esdk() -> Callable[[io.RawIOBase], None]:
    """The SDK with a raw AES key, its default frames, and the suite without a signature, for we do not sign either."""
    import aws_encryption_sdk as sdk  # noqa: PLC0415  # a peer, there only after `make bench`
    from aws_encryption_sdk.identifiers import (  # noqa: PLC0415  # the same
        Algorithm,
        EncryptionKeyType,
        WrappingAlgorithm,
    )
    from aws_encryption_sdk.internal.crypto.wrapping_keys import WrappingKey  # noqa: PLC0415  # the same
    from aws_encryption_sdk.key_providers.raw import RawMasterKeyProvider  # noqa: PLC0415  # the same

    class Provider(RawMasterKeyProvider):  # type: ignore[misc]  # untyped upstream
        provider_id = "bench"

        def _get_raw_key(self, _key_id: str) -> WrappingKey:
            return WrappingKey(
                wrapping_algorithm=WrappingAlgorithm.AES_256_GCM_IV12_TAG16_NO_PADDING,
                wrapping_key=bytes(32),
                wrapping_key_type=EncryptionKeyType.SYMMETRIC,
            )

    provider = Provider()
    provider.add_master_key("bench")
    client = sdk.EncryptionSDKClient()

    def seal(source: io.RawIOBase) -> None:
        with client.stream(
            mode="e", source=source, key_provider=provider, algorithm=Algorithm.AES_256_GCM_HKDF_SHA512_COMMIT_KEY
        ) as stream:
            while stream.read(PIECE_BYTES):
                pass

    return seal


def _rate(size: int, act: Callable[[], None]) -> float:
    """Return MB (millions of bytes) a second."""
    start = time.perf_counter()
    act()
    return size / (time.perf_counter() - start) / 1e6

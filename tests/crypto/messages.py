"""What the tests of sealed messages share: the vectors, and a reader that keeps what was released before an error."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from functools import cache
from typing import Any

from service.crypto import streams
from service.errors import SealError
from tests.vectors.crypto.make import HERE, plaintext

CHUNK = streams.CHUNK_BYTES
SEALED = streams.SEALED_CHUNK_BYTES
HEADER = streams.HEADER_BYTES


@dataclass(frozen=True, slots=True)
class Message:
    """A sealed message of the vectors."""

    name: str
    key: bytes
    context: bytes
    plain: bytes
    sealed: bytes


@cache
def vectors() -> dict[str, Any]:
    made: dict[str, Any] = json.loads((HERE / "streams.json").read_text())
    return made


@cache
def messages() -> dict[str, Message]:
    return {
        each["name"]: Message(
            each["name"],
            bytes.fromhex(each["key"]),
            bytes.fromhex(each["context"]),
            plaintext(each["name"], each["length"]),
            base64.b64decode(each["sealed"]),
        )
        for each in vectors()["messages"]
    }


@dataclass(frozen=True, slots=True)
class Attempt:
    """A message to try, and what may become of it."""

    key: bytes
    context: bytes
    sealed: bytes
    header: bytes | None
    released_at_most: int
    truth: bytes


def attempt(refusal: dict[str, Any]) -> Attempt:
    """Put a refusal of the vectors together."""
    truth = messages()[refusal["slices"][0][0]] if refusal["slices"] else messages()["empty"]
    sealed = bytearray(b"".join(messages()[name].sealed[start:stop] for name, start, stop in refusal["slices"]))
    for at, bits in refusal.get("xor", []):
        sealed[at] ^= bits
    return Attempt(
        key=bytes.fromhex(refusal.get("key", truth.key.hex())),
        context=bytes.fromhex(refusal.get("context", truth.context.hex())),
        sealed=bytes(sealed),
        header=base64.b64decode(refusal["header"]) if "header" in refusal else None,
        released_at_most=refusal["released_at_most"],
        truth=truth.plain,
    )


def in_pieces(data: bytes | bytearray, length: int) -> Iterator[bytes | bytearray]:
    for start in range(0, len(data), length):
        yield data[start : start + length]


def released(opening: Iterable[bytes]) -> tuple[bytes, bool]:
    """Read until the end or the refusal; what was released, and whether it was refused."""
    plain = bytearray()
    try:
        for piece in opening:
            plain += piece
    except SealError:
        return bytes(plain), True
    return bytes(plain), False


def reader(sealed: bytes) -> Callable[[int, int], bytes]:
    """A ``read_at`` over ``sealed``."""
    return lambda offset, length: sealed[offset : offset + length]

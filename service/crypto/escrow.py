"""Escrow of a root key in two shares: both together are the key, one alone is nothing.

A share is a random pad, or the key XOR that pad: each by itself has the same distribution whatever the key is, and
neither carries the key's fingerprint. A checksum finds damage, and a set's id keeps shares of different escrows apart.

Source: one-time pad; service/crypto/FORMAT.md, section 10.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import re
from dataclasses import dataclass
from typing import Final

from service.crypto.wrapping import KEY_BYTES, Random, SecretKey
from service.errors import BadInputError

_SET_BYTES: Final = 8
_COMMENT: Final = (
    b"# One of two shares of a Muniment root key. Both together open everything. Keep each with somebody else.\n"
)
_FILE: Final = re.compile(
    re.escape(_COMMENT) + rb"(muniment-root-key-share v1 ([12]) ([0-9a-f]{16}) ([A-Za-z0-9+/]{43}=)) ([0-9a-f]{16})\n"
)
_LABEL: Final = b"muniment root key share v1\x00"
MAX_SHARE_BYTES: Final = 1_024


@dataclass(frozen=True, slots=True)
class _Share:
    number: int
    set_id: bytes
    raw: bytes


def split(key: SecretKey, random: Random) -> tuple[bytes, bytes]:
    """Split a root key.

    Args:
        key: the root key.
        random: gives the pad, 32 bytes, and the set's id, 8 bytes.

    Returns: the texts of two files.
    """
    pad, set_id = random(KEY_BYTES), random(_SET_BYTES).hex().encode()
    return _write(1, set_id, pad), _write(2, set_id, _xor(key.reveal(), pad))


def join(first: bytes, second: bytes) -> SecretKey:
    """Make the key of two shares again, in either order.

    Raises:
        BadInputError: one is damaged or no share, both are the same one, or they are of different sets.
    """
    shares = sorted((_read(first), _read(second)), key=lambda share: share.number)
    if shares[0].set_id != shares[1].set_id:
        raise BadInputError("These shares belong to different escrows. Take two of the same.")
    if [share.number for share in shares] != [1, 2]:
        raise BadInputError("This is one share twice. The other one is needed.")
    return SecretKey(_xor(shares[0].raw, shares[1].raw))


def _write(number: int, set_id: bytes, raw: bytes) -> bytes:
    line = b"muniment-root-key-share v1 %d %s %s" % (number, set_id, base64.b64encode(raw))
    return _COMMENT + line + b" " + _checksum(line) + b"\n"


def _read(text: bytes) -> _Share:
    found = _FILE.fullmatch(text)
    if found is None or not hmac.compare_digest(_checksum(found[1]), found[5]):
        raise BadInputError("A share is damaged, or is none. Put its copy back.")
    raw = base64.b64decode(found[4])
    if base64.b64encode(raw) != found[4]:
        raise BadInputError("A share is damaged, or is none. Put its copy back.")
    return _Share(int(found[2]), found[3], raw)


def _checksum(line: bytes) -> bytes:
    return hashlib.sha256(_LABEL + line).hexdigest()[:16].encode()


def _xor(one: bytes, other: bytes) -> bytes:
    return bytes(a ^ b for a, b in zip(one, other, strict=True))

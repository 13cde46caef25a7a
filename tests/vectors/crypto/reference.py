"""A second, plain implementation of service/crypto/FORMAT.md, written from that page and the public documents alone.

It shares no code with service/crypto/: HKDF is spelled out with the standard library, messages are put together from
single AES-GCM calls, and salts and nonces are given by the caller, so that vectors can be made again bit by bit. It is
slow, holds everything in memory, and checks nothing that is not needed for that.

Source: https://c2sp.org/chunked-encryption, RFC 5869 section 2.3, RFC 8452.
"""

from __future__ import annotations

import base64
import hashlib
import hmac

from cryptography.hazmat.primitives.ciphers.aead import AESGCM, AESGCMSIV

CHUNK = 16_384


def hkdf_expand(digest: str, key: bytes, info: bytes, length: int) -> bytes:
    """RFC 5869 section 2.3: T(n) = HMAC(key, T(n-1) | info | n)."""
    made, block, number = b"", b"", 0
    while len(made) < length:
        number += 1
        block = hmac.new(key, block + info + bytes([number]), digest).digest()
        made += block
    return made[:length]


def derive(digest: str, key: bytes, salt: bytes, context: bytes) -> tuple[bytes, bytes, bytes]:
    """The message key, base nonce and commitment of a message."""
    info = b"c2sp.org/chunked-encryption@v1+" + b"AEAD_AES_256_GCM" + b"\x00" + salt + context
    made = hkdf_expand(digest, key, info, 32 + 12 + 32)
    return made[:32], made[32:44], made[44:]


def seal_message(key: bytes, context: bytes, salt: bytes, plain: bytes, digest: str = "sha512") -> bytes:
    """Seal ``plain`` as one message with a salt of the caller's."""
    message_key, base, commitment = derive(digest, key, salt, context)
    cipher = AESGCM(message_key)
    sealed = [salt, commitment]
    for number in range(len(plain) // CHUNK + 1):
        chunk = plain[number * CHUNK : (number + 1) * CHUNK]
        sealed.append(cipher.encrypt(_nonce(base, number), chunk, None))
    return b"".join(sealed)


def open_message(key: bytes, context: bytes, sealed: bytes, digest: str = "sha512") -> bytes:
    """Open a message, or raise: ValueError for its form, InvalidTag for a chunk."""
    if len(key) != 32 or len(sealed) < 56 + 16:
        raise ValueError
    message_key, base, commitment = derive(digest, key, sealed[:24], context)
    if commitment != sealed[24:56]:
        raise ValueError
    plain, rest, number = b"", sealed[56:], 0
    while True:
        chunk, rest = rest[: CHUNK + 16], rest[CHUNK + 16 :]
        plain += AESGCM(message_key).decrypt(_nonce(base, number), chunk, None)
        if len(chunk) < CHUNK + 16:
            return plain
        number += 1


def _nonce(base: bytes, number: int) -> bytes:
    return bytes(a ^ b for a, b in zip(base, number.to_bytes(12, "big"), strict=True))


def join(*fields: str | bytes) -> bytes:
    """FORMAT.md section 1."""
    joined = b""
    for field in fields:
        raw = field.encode() if isinstance(field, str) else field
        joined += len(raw).to_bytes(4, "big") + raw
    return joined


def wrap_key(wrapping: bytes, key: bytes, context: bytes, nonce: bytes) -> bytes:
    """FORMAT.md section 3."""
    return b"\x01" + nonce + AESGCMSIV(wrapping).encrypt(nonce, key, join("muniment key v1", context))


def seal_field(key: bytes, table: str, column: str, row: str, text: str, nonce: bytes) -> bytes:
    """FORMAT.md section 4."""
    aad = join("muniment field v1", table, column, row)
    return b"\x01" + nonce + AESGCMSIV(key).encrypt(nonce, text.encode(), aad)


def blind_index(key: bytes, purpose: str, text: str) -> bytes:
    """FORMAT.md section 5."""
    index_key = hkdf_expand("sha256", key, join("muniment index key v1"), 32)
    return hmac.new(index_key, join("muniment index v1", purpose, text), "sha256").digest()


def key_object(wrapping: bytes, key: bytes, key_id: str, kind: str, parent: str, nonce: bytes) -> bytes:
    """FORMAT.md section 6."""
    wrapped = wrap_key(wrapping, key, join("muniment key object v1", key_id, kind, parent), nonce)
    line = '{"muniment_key":1,"id":"%s","kind":"%s","parent":"%s","wrapped":"%s"}\n'
    return (line % (key_id, kind, parent, base64.b64encode(wrapped).decode())).encode()


def shares(key: bytes, pad: bytes, set_id: bytes) -> tuple[bytes, bytes]:
    """FORMAT.md section 10."""
    made = []
    for number, raw in ((1, pad), (2, bytes(a ^ b for a, b in zip(key, pad, strict=True)))):
        line = f"muniment-root-key-share v1 {number} {set_id.hex()} {base64.b64encode(raw).decode()}"
        checksum = hashlib.sha256(b"muniment root key share v1\x00" + line.encode()).hexdigest()[:16]
        comment = (
            "# One of two shares of a Muniment root key. Both together open everything. Keep each with somebody else."
        )
        made.append(f"{comment}\n{line} {checksum}\n".encode())
    return made[0], made[1]


def root_key_file(key: bytes) -> bytes:
    """FORMAT.md section 7."""
    name = hashlib.sha256(b"muniment root key id v1\x00" + key).hexdigest()[:16]
    return (
        b"# Muniment root key. Whoever has this file and a key place can open everything. "
        b"Keep a copy apart from both.\n" + f"muniment-root-key v1 {base64.b64encode(key).decode()} {name}\n".encode()
    )

"""Secret keys, and wrapping one under another.

Rules kept here: every key has 256 bits; a key never shows itself in a repr, a log or a pickle; what is wrapped is bound
to its context; a wrapped key has one form, told by its first byte. Nothing here stores a key.

Source: RFC 8452 (AES-GCM-SIV); service/crypto/FORMAT.md, section 3.
"""

from __future__ import annotations

import hmac
import os
from collections.abc import Callable
from typing import Final, NoReturn

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCMSIV

from service.crypto.contexts import wrap_context
from service.errors import SealError

KEY_BYTES: Final = 32
NONCE_BYTES: Final = 12
TAG_BYTES: Final = 16
VERSION: Final = b"\x01"
WRAPPED_KEY_BYTES: Final = len(VERSION) + NONCE_BYTES + KEY_BYTES + TAG_BYTES  # 61

Random = Callable[[int], bytes]
BytesLike = bytes | bytearray | memoryview


class SecretKey:
    """256 bits that open something.

    Its repr is redacted, it cannot be pickled or hashed, and comparing two takes the same time whatever they hold.
    Python cannot wipe memory, so nothing is claimed about what becomes of the bytes.
    """

    __slots__ = ("_raw",)

    def __init__(self, raw: BytesLike) -> None:
        """Take over 32 bytes.

        Raises:
            SealError: there are not 32.
        """
        if len(raw) != KEY_BYTES:
            raise SealError
        self._raw = bytes(raw)

    def reveal(self) -> bytes:
        """Return the 32 bytes, for a cipher and nothing else."""
        return self._raw

    def __repr__(self) -> str:
        return "SecretKey(redacted)"

    def __eq__(self, other: object) -> bool:
        return isinstance(other, SecretKey) and hmac.compare_digest(self._raw, other._raw)

    __hash__ = None  # type: ignore[assignment]  # a key in a dict would be compared byte by byte

    def __reduce__(self) -> NoReturn:
        message = "a key does not leave the process"
        raise TypeError(message)


def generate_key(random: Random) -> SecretKey:
    """Make a new key from 32 bytes of ``random``."""
    return SecretKey(random(KEY_BYTES))


def raw_key(key: SecretKey | BytesLike) -> bytes:
    """Return the 32 bytes of a key that is given either way.

    Raises:
        SealError: there are not 32.
    """
    return key.reveal() if isinstance(key, SecretKey) else SecretKey(key).reveal()


def wrap(wrapping: SecretKey, key: SecretKey, context: bytes, random: Random = os.urandom) -> bytes:
    """Seal ``key`` under ``wrapping``, bound to ``context``.

    Args:
        wrapping: a key that wraps keys and nothing else.
        key: the key to seal.
        context: what the key is for, joined by `service.crypto.contexts.join`.
        random: gives the 12-byte nonce; a repeated nonce shows equal keys under equal contexts and nothing more.

    Returns:
        61 bytes: version, nonce, sealed key, tag.
    """
    nonce = random(NONCE_BYTES)
    return VERSION + nonce + AESGCMSIV(wrapping.reveal()).encrypt(nonce, key.reveal(), wrap_context(context))


def unwrap(wrapping: SecretKey, wrapped: bytes, context: bytes) -> SecretKey:
    """Open what `wrap` sealed.

    Raises:
        SealError: the bytes are not a wrapped key, or belong to another key or context, or were changed.
    """
    if len(wrapped) != WRAPPED_KEY_BYTES or wrapped[:1] != VERSION:
        raise SealError
    nonce, sealed = wrapped[1 : 1 + NONCE_BYTES], wrapped[1 + NONCE_BYTES :]
    try:
        return SecretKey(AESGCMSIV(wrapping.reveal()).decrypt(nonce, sealed, wrap_context(context)))
    except InvalidTag:
        raise SealError from None


def rewrap(old: SecretKey, new: SecretKey, wrapped: bytes, context: bytes, random: Random = os.urandom) -> bytes:
    """Wrap under ``new`` what `wrap` sealed under ``old``; what is inside stays the same and is not given out.

    Returns: 61 bytes.

    Raises:
        SealError: see `unwrap`.
    """
    return wrap(new, unwrap(old, wrapped, context), context, random)

"""Sealed fields: titles, file names, client names, notes; and blind indexes to find people by.

Rules kept here: a field opens only in the table, column and row it was sealed for, so nobody with the database can show
one person's name in another's place; a blind index says that two texts are equal, and nothing else, to whoever has no
key. The length of a text shows. Callers normalise what they index.

Source: service/crypto/FORMAT.md, sections 4 and 5.
"""

from __future__ import annotations

import hmac
from typing import Final

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCMSIV
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDFExpand

from service.crypto.contexts import encode_text, field_context, join
from service.crypto.wrapping import KEY_BYTES, NONCE_BYTES, TAG_BYTES, VERSION, Random, SecretKey
from service.errors import BadInputError, SealError

MAX_TEXT_BYTES: Final = 1_048_576
INDEX_BYTES: Final = 32
OVERHEAD_BYTES: Final = len(VERSION) + NONCE_BYTES + TAG_BYTES  # 29


def seal(field_key: SecretKey, table: str, column: str, row: str, text: str, random: Random) -> bytes:
    """Seal ``text`` for one column of one row.

    Args:
        field_key: a key that seals fields and nothing else.
        table, column, row: where it will stand; ``row`` is the row's id.
        text: at most 1 MiB as UTF-8; may be empty.
        random: gives the 12-byte nonce.

    Returns:
        29 bytes more than the text.

    Raises:
        BadInputError: the text is too long or not valid Unicode.
    """
    raw = encode_text(text)
    if len(raw) > MAX_TEXT_BYTES:
        raise BadInputError("A text is too long: at most 1 MiB.")
    nonce = random(NONCE_BYTES)
    return VERSION + nonce + AESGCMSIV(field_key.reveal()).encrypt(nonce, raw, field_context(table, column, row))


class FieldReader:
    """Opens many fields of one key: setting up the cipher costs as much as opening a title."""

    __slots__ = ("_cipher",)

    def __init__(self, field_key: SecretKey) -> None:
        """Read fields that were sealed with ``field_key``."""
        self._cipher = AESGCMSIV(field_key.reveal())

    def open(self, table: str, column: str, row: str, sealed: bytes) -> str:
        """Open what `seal` sealed for this very place.

        Raises:
            SealError: it is empty, foreign, changed, or was sealed for another place or with another key.
        """
        if not OVERHEAD_BYTES <= len(sealed) <= OVERHEAD_BYTES + MAX_TEXT_BYTES or sealed[:1] != VERSION:
            raise SealError
        nonce, body = sealed[1 : 1 + NONCE_BYTES], sealed[1 + NONCE_BYTES :]
        try:
            return self._cipher.decrypt(nonce, body, field_context(table, column, row)).decode()
        except (InvalidTag, UnicodeDecodeError):
            raise SealError from None


def open(field_key: SecretKey, table: str, column: str, row: str, sealed: bytes) -> str:  # noqa: A001  # fields.open reads well and is never imported bare
    """Open one field, as `FieldReader` does."""
    return FieldReader(field_key).open(table, column, row, sealed)


def blind_index(key: SecretKey, purpose: str, text: str) -> bytes:
    """Return 32 bytes that are equal for equal texts of one purpose under one key.

    Args:
        key: the firm's key; the index has a key of its own, derived from it.
        purpose: what is indexed, such as ``"person e-mail"``; indexes of different purposes cannot be compared.
        text: normalised by the caller.

    Raises:
        BadInputError: the text is not valid Unicode.
    """
    index_key = HKDFExpand(SHA256(), KEY_BYTES, join("muniment index key v1")).derive(key.reveal())
    return hmac.digest(index_key, join("muniment index v1", purpose, text), "sha256")

"""The checksum of one request's bytes, as tus sends it."""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any, Final

from service.uploads.errors import ChecksumError, ChecksumUnknownError


def _sha1() -> Any:
    """Tus asks every server for it. It finds what a bad line changed; what an attacker changes, the seal finds."""
    return hashlib.sha1(usedforsecurity=False)


ALGORITHMS: Final[Mapping[str, Callable[[], Any]]] = MappingProxyType({"sha256": hashlib.sha256, "sha1": _sha1})


class Checksum:
    """Compares the bytes of one request with what its sender says of them.

    Source: tus resumable upload protocol 1.0, extension Checksum.
    """

    def __init__(self, header: str) -> None:
        """Read Upload-Checksum: a kind, a space, the digest in Base64.

        Raises:
            ChecksumUnknownError: the kind is not computed here, or the digest is none of its.
        """
        kind, _, digest = header.partition(" ")
        make = ALGORITHMS.get(kind)
        if make is None:
            raise ChecksumUnknownError
        self._hash = make()
        try:
            self._expected = base64.b64decode(digest, validate=True)
        except (binascii.Error, ValueError):
            raise ChecksumUnknownError from None
        if len(self._expected) != self._hash.digest_size:
            raise ChecksumUnknownError

    def update(self, data: bytes) -> None:
        """Take the next bytes."""
        self._hash.update(data)

    def compare(self) -> None:
        """Look at all that came.

        Raises:
            ChecksumError: it is not what was sent.
        """
        if not hmac.compare_digest(self._hash.digest(), self._expected):
            raise ChecksumError

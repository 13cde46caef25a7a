"""Signing keys: Ed25519 seeds, made and loaded. What is signed, and how, is the log's business (audit/checkpoint.py).

Source: RFC 8032; service/crypto/FORMAT.md, section 8.
"""

from __future__ import annotations

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from service.crypto.wrapping import BytesLike, Random, SecretKey, generate_key, raw_key


def new_signing_key(random: Random) -> SecretKey:
    """Make the 32-byte seed of a new signing key, ready to be wrapped."""
    return generate_key(random)


def load_signing_key(seed: SecretKey | BytesLike) -> Ed25519PrivateKey:
    """Return the private key of a seed.

    Raises:
        SealError: the seed has not 32 bytes.
    """
    return Ed25519PrivateKey.from_private_bytes(raw_key(seed))

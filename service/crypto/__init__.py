"""Sealing: the only code in service/ that imports ``cryptography``.

Contents are C2SP chunked-encryption messages (`streams`), names are sealed fields (`fields`), keys wrap keys
(`wrapping`), and the keys that can be destroyed live as key objects in key places (`keys`, `places`) under a root key
(`kms`). FORMAT.md in this folder is the byte-for-byte description; tests/vectors/crypto/ holds its vectors.

Rules kept here: no algorithm parameters, a version byte decides; every sealed thing is bound to its meaning by an
injective context; one error, `service.errors.SealError`, for every way a sealed thing can be wrong; bytes in, bytes
out, with time and randomness as arguments. Nothing here decides who may open what, and nothing here logs.
"""

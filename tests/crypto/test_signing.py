from __future__ import annotations

import os

import pytest

from service.crypto.signing import load_signing_key, new_signing_key
from service.crypto.wrapping import SecretKey, generate_key, unwrap, wrap
from service.errors import SealError


def test_a_signing_key_that_was_wrapped_signs_as_before() -> None:
    seed, firm = new_signing_key(os.urandom), generate_key(os.urandom)
    again = unwrap(firm, wrap(firm, seed, b"log key"), b"log key")
    signature = load_signing_key(seed).sign(b"checkpoint")
    load_signing_key(again).public_key().verify(signature, b"checkpoint")


def test_the_seed_decides_the_key() -> None:
    # RFC 8032, section 7.1, test 1.
    seed = bytes.fromhex("9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60")
    public = "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a"
    for given in (seed, SecretKey(seed)):
        assert load_signing_key(given).public_key().public_bytes_raw().hex() == public


@pytest.mark.parametrize("length", [0, 31, 33, 64])
def test_a_seed_of_another_length_is_refused(length: int) -> None:
    with pytest.raises(SealError):
        load_signing_key(bytes(length))

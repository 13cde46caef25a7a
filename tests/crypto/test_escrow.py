from __future__ import annotations

import base64
import os
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.crypto import escrow
from service.crypto.kms import LocalRootKey
from service.crypto.wrapping import SecretKey, generate_key
from service.errors import BadInputError
from tests.scale import count


def raw(share: bytes) -> bytes:
    """The secret part of a share, as written."""
    return share.split()[-2]


@given(st.binary(min_size=32, max_size=32))
def test_both_shares_are_the_key_in_either_order(secret: bytes) -> None:
    first, second = escrow.split(SecretKey(secret), os.urandom)
    assert escrow.join(first, second) == escrow.join(second, first) == SecretKey(secret)


@given(st.binary(min_size=32, max_size=32), st.binary(min_size=32, max_size=32), st.binary(min_size=8, max_size=8))
def test_every_share_goes_with_every_key_so_one_alone_says_nothing(one: bytes, other: bytes, set_id: bytes) -> None:
    """For each share of one key there is a pad that makes it a share of any other, and pads are equally likely."""

    def drawn(pad: bytes) -> Callable[[int], bytes]:
        return lambda length: pad if length == 32 else set_id

    pad = os.urandom(32)
    shares = escrow.split(SecretKey(one), drawn(pad))
    assert escrow.split(SecretKey(other), drawn(pad))[0] == shares[0]
    moved = bytes(a ^ b ^ c for a, b, c in zip(pad, one, other, strict=True))
    assert escrow.split(SecretKey(other), drawn(moved))[1] == shares[1]


def test_the_bits_of_either_share_of_one_key_are_evenly_spread() -> None:
    key, rounds = SecretKey(bytes(32)), count(20_000)
    ones: Counter[int] = Counter()
    for _ in range(rounds):
        for number, share in enumerate(escrow.split(key, os.urandom)):
            ones[number] += int.from_bytes(base64.b64decode(raw(share))).bit_count()
    # 256 · rounds fair coins each: six standard deviations are 3 · 16 · sqrt(rounds).
    assert all(abs(found - 128 * rounds) < 48 * rounds**0.5 for found in ones.values())


def test_a_share_does_not_carry_the_keys_fingerprint(tmp_path: Path) -> None:
    root = LocalRootKey.create(tmp_path / "root.key")
    fingerprint = root.describe().split()[-1].encode()
    assert all(fingerprint not in share for share in root.share(os.urandom))


def test_shares_of_two_escrows_of_one_key_are_not_joined() -> None:
    key = generate_key(os.urandom)
    (first, _), (_, second) = escrow.split(key, os.urandom), escrow.split(key, os.urandom)
    with pytest.raises(BadInputError, match="different escrows"):
        escrow.join(first, second)


def test_one_share_twice_is_not_a_key() -> None:
    for share in escrow.split(generate_key(os.urandom), os.urandom):
        with pytest.raises(BadInputError, match="twice"):
            escrow.join(share, share)


def test_whatever_is_changed_in_a_share_is_found_and_nothing_of_it_is_shown() -> None:
    first, second = escrow.split(generate_key(os.urandom), os.urandom)
    for position in range(len(second)):
        for changed in (second[:position] + bytes([second[position] ^ 1]) + second[position + 1 :], second[:position]):
            with pytest.raises(BadInputError) as caught:
                escrow.join(first, changed)
            assert raw(second).decode() not in str(caught.value)


def test_a_share_in_another_spelling_is_refused() -> None:
    """The last base64 digit of 32 bytes carries two spare bits."""
    first, second = escrow.split(SecretKey(bytes(32)), bytes)
    spelled = second.replace(b"AAA= ", b"AAB= ")
    line = spelled.splitlines()[1].rsplit(b" ", 1)[0]
    forged = spelled.replace(spelled.split()[-1], escrow._checksum(line))
    with pytest.raises(BadInputError):
        escrow.join(first, forged)

from __future__ import annotations

import copy
import logging
import os

import pytest

from service.crypto.contexts import join
from service.crypto.wrapping import SecretKey, generate_key, raw_key, rewrap, unwrap, wrap
from service.errors import SealError

CONTEXT = join("a place")


@pytest.fixture
def key() -> SecretKey:
    return generate_key(os.urandom)


@pytest.fixture
def outer() -> SecretKey:
    return generate_key(os.urandom)


def test_a_key_shows_itself_nowhere(key: SecretKey, caplog: pytest.LogCaptureFixture) -> None:
    raw = key.reveal()
    with caplog.at_level(logging.INFO):
        logging.getLogger(__name__).info("%s %r", key, {"key": key})
    shown = [repr(key), str(key), f"{key}", caplog.text]
    for text in shown:
        assert raw.hex() not in text
        assert repr(raw) not in text
        assert "redacted" in text


def test_a_key_is_not_pickled_copied_or_hashed(key: SecretKey) -> None:
    with pytest.raises(TypeError, match="does not leave"):
        copy.deepcopy(key)  # asks as pickling does
    with pytest.raises(TypeError):
        hash(key)


def test_keys_are_equal_when_their_bytes_are(key: SecretKey) -> None:
    assert key == SecretKey(bytearray(key.reveal()))
    assert key != generate_key(os.urandom)
    assert key != key.reveal()


@pytest.mark.parametrize("length", [0, 16, 31, 33, 64])
def test_a_key_has_256_bits(length: int) -> None:
    with pytest.raises(SealError):
        SecretKey(bytes(length))
    with pytest.raises(SealError):
        raw_key(bytes(length))


def test_a_wrapped_key_opens_with_its_wrapping_key_and_context(outer: SecretKey, key: SecretKey) -> None:
    wrapped = wrap(outer, key, CONTEXT)
    assert len(wrapped) == 61
    assert wrapped[0] == 1
    assert unwrap(outer, wrapped, CONTEXT) == key


def test_wrapping_twice_gives_different_bytes(outer: SecretKey, key: SecretKey) -> None:
    assert wrap(outer, key, CONTEXT) != wrap(outer, key, CONTEXT)


def test_a_wrapped_key_does_not_open_elsewhere(outer: SecretKey, key: SecretKey) -> None:
    wrapped = wrap(outer, key, CONTEXT)
    for context in (b"", join("another place"), CONTEXT + b"\x00"):
        with pytest.raises(SealError):
            unwrap(outer, wrapped, context)
    with pytest.raises(SealError):
        unwrap(key, wrapped, CONTEXT)


def test_every_changed_bit_and_every_other_length_is_refused(outer: SecretKey, key: SecretKey) -> None:
    wrapped = wrap(outer, key, CONTEXT)
    for bit in range(8 * len(wrapped)):
        changed = bytearray(wrapped)
        changed[bit // 8] ^= 1 << bit % 8
        with pytest.raises(SealError):
            unwrap(outer, bytes(changed), CONTEXT)
    for length in range(len(wrapped)):
        with pytest.raises(SealError):
            unwrap(outer, wrapped[:length], CONTEXT)


def test_what_is_rewrapped_opens_with_the_new_key_alone_and_in_its_context() -> None:
    old, new, inner = (generate_key(os.urandom) for _ in range(3))
    wrapped = rewrap(old, new, wrap(old, inner, b"context"), b"context")
    assert unwrap(new, wrapped, b"context") == inner
    for key, context in ((old, b"context"), (new, b"another")):
        with pytest.raises(SealError):
            unwrap(key, wrapped, context)
    with pytest.raises(SealError):
        rewrap(new, old, wrap(old, inner, b"context"), b"context")

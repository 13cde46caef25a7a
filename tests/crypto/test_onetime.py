from __future__ import annotations

import base64
from urllib.parse import parse_qs, urlsplit

import pytest

from service.crypto import onetime

# RFC 6238, appendix B: the SHA-1 rows, of which six digits are the last six of eight.
RFC_SECRET = base64.b32encode(b"12345678901234567890").decode()
VECTORS = [
    (59, "287082"),
    (1_111_111_109, "081804"),
    (1_111_111_111, "050471"),
    (1_234_567_890, "005924"),
    (2_000_000_000, "279037"),
    (20_000_000_000, "353130"),
]


@pytest.mark.parametrize(("seconds", "code"), VECTORS)
def test_codes_are_those_of_the_rfc(seconds: int, code: str) -> None:
    step = seconds // onetime.STEP_S
    assert onetime.code(RFC_SECRET, step) == code
    assert onetime.step_of(RFC_SECRET, code, seconds, 0) == step


def test_a_secret_has_160_random_bits_in_base32() -> None:
    asked: list[int] = []

    def random(size: int) -> bytes:
        asked.append(size)
        return bytes(range(size))

    secret = onetime.new_secret(random)
    assert (asked, len(secret), base64.b32decode(secret)) == ([20], 32, bytes(range(20)))


@pytest.mark.parametrize(("shown", "counts"), [(-2, False), (-1, True), (0, True), (1, True), (2, False)])
def test_a_code_counts_for_one_step_before_and_after(shown: int, *, counts: bool) -> None:
    now = 60_000_000
    said = onetime.code(RFC_SECRET, now + shown)
    assert onetime.step_of(RFC_SECRET, said, now * 30 + 29, 0) == (now + shown if counts else None)


@pytest.mark.parametrize("last", [0, 1])
def test_the_last_step_and_earlier_ones_count_no_more(last: int) -> None:
    now = 60_000_000
    said = onetime.code(RFC_SECRET, now)
    assert onetime.step_of(RFC_SECRET, said, now * 30, now - 1) == now
    assert onetime.step_of(RFC_SECRET, said, now * 30, now + last) is None


@pytest.mark.parametrize("said", ["", "000000", "28708", "2870822", "abcdef", "٢٨٧٠٨٢"])
def test_anything_else_is_wrong(said: str) -> None:
    assert onetime.step_of(RFC_SECRET, said, 59, 0) is None


def test_the_address_tells_an_authenticator_all_it_needs() -> None:
    parts = urlsplit(onetime.uri(RFC_SECRET, "ana@firm.example", "Muniment"))
    assert (parts.scheme, parts.netloc, parts.path) == ("otpauth", "totp", "/Muniment:ana%40firm.example")
    assert parse_qs(parts.query) == {
        "secret": [RFC_SECRET],
        "issuer": ["Muniment"],
        "algorithm": ["SHA1"],
        "digits": ["6"],
        "period": ["30"],
    }

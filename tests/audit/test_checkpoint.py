"""Checkpoints: signed as others sign them, read in one way only."""

from __future__ import annotations

from base64 import b64decode, b64encode
from collections.abc import Callable

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from hypothesis import given
from hypothesis import strategies as st

from audit.checkpoint import (
    NOTE_BYTES,
    VerifierKey,
    parse,
    parse_verifier_key,
    sign,
    verifier_key,
    verify,
)
from audit.errors import CheckpointError, OriginError, SignatureError, VerifierKeyError
from audit.merkle import EMPTY_ROOT
from tests.audit.logs import KEY, ORIGIN, OTHER_KEY, VERIFIER_KEY, note

ROOT = bytes(range(32))
GOOD = sign(ORIGIN, 7, ROOT, KEY)
TEXT = f"{ORIGIN}\n7\n{b64encode(ROOT).decode()}\n"

# The example in the documentation of golang.org/x/mod/sumdb/note, and the key of Go's checksum database.
GO_KEY = "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW"
GO_SIGNATURE = "x08go/ZJkuBS9UG/SffcvIAQxVBtiFupLLr8pAcElZInNIuGUgYN1FFYC2pZSNXgKvqfqdngotpRZb6KE6RyyBwJnAM="
SUM_KEY = "sum.golang.org+033de0ae+Ac4zctda0e5eza+HJyk9SxEdh+s3Ux18htTTAD8OuAn8"


def test_a_signed_checkpoint_verifies_and_says_what_was_signed() -> None:
    checkpoint = verify(GOOD, VERIFIER_KEY)
    assert (checkpoint.origin, checkpoint.size, checkpoint.root) == (ORIGIN, 7, ROOT)
    assert checkpoint.text.decode() == TEXT
    assert note(TEXT) == GOOD


def test_signing_twice_gives_the_same_bytes() -> None:
    assert sign(ORIGIN, 7, ROOT, KEY) == GOOD


@given(
    size=st.integers(1, 2**53 - 1), root=st.binary(min_size=32, max_size=32), seed=st.binary(min_size=32, max_size=32)
)
def test_every_size_and_root_comes_back(size: int, root: bytes, seed: bytes) -> None:
    key = Ed25519PrivateKey.from_private_bytes(seed)
    checkpoint = verify(sign(ORIGIN, size, root, key), verifier_key(ORIGIN, key.public_key()))
    assert (checkpoint.size, checkpoint.root) == (size, root)


def test_the_empty_log_has_a_checkpoint() -> None:
    assert verify(sign(ORIGIN, 0, EMPTY_ROOT, KEY), VERIFIER_KEY).size == 0


@pytest.mark.parametrize(
    ("origin", "size", "root"),
    [
        ("", 1, ROOT),
        ("a b", 1, ROOT),
        ("a+b", 1, ROOT),
        (ORIGIN, -1, ROOT),
        (ORIGIN, 2**53, ROOT),
        (ORIGIN, 1, ROOT[:31]),
        (ORIGIN, 0, ROOT),
    ],
)
def test_what_could_not_be_read_is_not_signed(origin: str, size: int, root: bytes) -> None:
    with pytest.raises(CheckpointError):
        sign(origin, size, root, KEY)


@given(place=st.integers(0, len(GOOD) - 1), value=st.integers(0, 255))
def test_one_changed_byte_is_refused(place: int, value: int) -> None:
    changed = bytearray(GOOD)
    changed[place] = value
    if bytes(changed) != GOOD:
        with pytest.raises(CheckpointError):
            verify(bytes(changed), VERIFIER_KEY)


@given(cut=st.integers(0, len(GOOD) - 1))
def test_a_truncated_checkpoint_is_refused(cut: int) -> None:
    with pytest.raises(CheckpointError):
        verify(GOOD[:cut], VERIFIER_KEY)


B64_ROOT = b64encode(ROOT).decode()
BAD_TEXTS = {
    "leading zeros": TEXT.replace("\n7\n", "\n007\n"),
    "a plus sign": TEXT.replace("\n7\n", "\n+7\n"),
    "a size below zero": TEXT.replace("\n7\n", "\n-7\n"),
    "digits of another script": TEXT.replace("\n7\n", "\n\u0667\n"),
    "no size": TEXT.replace("\n7\n", "\n\n"),
    "a size of 2**53": TEXT.replace("\n7\n", f"\n{2**53}\n"),
    "a size of 40 digits": TEXT.replace("\n7\n", "\n" + "9" * 40 + "\n"),
    "an extension line": TEXT + "extension\n",
    "two extension lines": TEXT + "a\nb\n",
    "a blank line more": TEXT + "\n",
    "a blank line before": "\n" + TEXT,
    "a root of 31 bytes": TEXT.replace(B64_ROOT, b64encode(ROOT[:31]).decode()),
    "a root of 33 bytes": TEXT.replace(B64_ROOT, b64encode(ROOT + b"\0").decode()),
    "a root with spare bits": TEXT.replace(B64_ROOT, B64_ROOT[:-2] + "9="),
    "a root without padding": TEXT.replace(B64_ROOT, B64_ROOT[:-1]),
    "a root in hex": TEXT.replace(B64_ROOT, ROOT.hex()),
    "a root in base64 for addresses": TEXT.replace(B64_ROOT, "_" + B64_ROOT[1:]),
    "a root that is no text": TEXT.replace(B64_ROOT, "é" * 44),
    "a carriage return": TEXT.replace("\n7", "\r\n7"),
    "a tab": TEXT.replace("\n7", "\t\n7"),
    "an origin with a blank": TEXT.replace("firm", "our firm"),
    "an origin with a no-break space": TEXT.replace("firm", "our\u00a0firm"),
    "an origin with a plus": TEXT.replace("firm", "our+firm"),
    "no origin": TEXT.replace(ORIGIN, ""),
    "a long origin": TEXT.replace(ORIGIN, "o" * 256),
    "the empty log with another root": TEXT.replace("\n7\n", "\n0\n"),
    "two lines": "\n".join(TEXT.split("\n")[:2]) + "\n",
}


@pytest.mark.parametrize("text", [pytest.param(text, id=name) for name, text in BAD_TEXTS.items()])
def test_a_text_of_another_form_is_refused_though_it_is_signed(text: str) -> None:
    with pytest.raises(CheckpointError):
        verify(note(text), VERIFIER_KEY)
    with pytest.raises(CheckpointError):
        parse(note(text))


SIGNATURE = GOOD[len(TEXT) + 1 :].decode()
ENCODED = SIGNATURE.split(" ")[2].strip()


@pytest.mark.parametrize(
    "signatures",
    [
        pytest.param("", id="none"),
        pytest.param(SIGNATURE[:-1], id="no newline"),
        pytest.param(SIGNATURE + "\n", id="a blank line behind"),
        pytest.param(SIGNATURE + "more\n", id="a line behind"),
        pytest.param(SIGNATURE.replace("\u2014", "-"), id="another dash"),
        pytest.param(SIGNATURE.replace("\u2014 ", "\u2014"), id="no blank after the dash"),
        pytest.param(SIGNATURE.replace(" ", "  "), id="two blanks"),
        pytest.param(f"\u2014 {ORIGIN}\n", id="no signature in the line"),
        pytest.param(f"\u2014  {ENCODED}\n", id="no name"),
        pytest.param(f"\u2014 a+b {ENCODED}\n", id="a plus in the name"),
        pytest.param(f"\u2014 {ORIGIN} {ENCODED[:-1]}\n", id="base64 without padding"),
        pytest.param(f"\u2014 {ORIGIN} AAAAAA==\n", id="a key id alone"),
        pytest.param(f"\u2014 {ORIGIN} {ENCODED} x\n", id="a word behind"),
        pytest.param(SIGNATURE * 17, id="17 signatures"),
    ],
)
def test_signature_lines_of_another_form_are_refused(signatures: str) -> None:
    with pytest.raises(CheckpointError):
        parse(f"{TEXT}\n{signatures}".encode())


@pytest.mark.parametrize("data", [b"\xff" + GOOD, GOOD.replace(b"firm", b"fi\xc3"), GOOD + b"x" * NOTE_BYTES])
def test_what_is_not_text_or_too_long_is_refused(data: bytes) -> None:
    with pytest.raises(CheckpointError):
        parse(data)


def test_sixteen_signatures_are_read_and_unknown_ones_passed_over() -> None:
    witness = SIGNATURE.replace(ORIGIN, "witness.example")
    checkpoint = verify(f"{TEXT}\n{SIGNATURE}{witness * 15}".encode(), VERIFIER_KEY)
    assert len(checkpoint.signatures) == 16


def test_a_witness_with_our_name_or_our_id_only_is_passed_over() -> None:
    same_name = note(TEXT, key=OTHER_KEY)[len(TEXT.encode()) + 1 :]
    same_id = SIGNATURE.replace(ORIGIN, "witness.example").encode()
    assert verify(GOOD + same_name + same_id, VERIFIER_KEY).size == 7


def test_a_signature_by_nobody_we_know_is_not_enough() -> None:
    with pytest.raises(SignatureError):
        verify(note(TEXT, key=OTHER_KEY), VERIFIER_KEY)


def test_a_colliding_key_id_does_not_pass_for_the_key() -> None:
    # Four bytes of id collide in seconds; what counts is the key that the verifier brought along.
    forged = note(TEXT, key=OTHER_KEY, claimed=parse_verifier_key(VERIFIER_KEY))
    with pytest.raises(SignatureError) as refusal:
        verify(forged, VERIFIER_KEY)
    assert "note" in refusal.value.evidence


def test_one_bad_signature_in_the_keys_name_refuses_the_note_beside_a_good_one() -> None:
    forged = note(TEXT, key=OTHER_KEY, claimed=parse_verifier_key(VERIFIER_KEY))[len(TEXT.encode()) + 1 :]
    with pytest.raises(SignatureError):
        verify(GOOD + forged, VERIFIER_KEY)


def test_a_checkpoint_of_another_log_under_the_same_key_is_refused() -> None:
    foreign = note(TEXT.replace(ORIGIN, "firm.example/other"), claimed=parse_verifier_key(VERIFIER_KEY))
    with pytest.raises(OriginError):
        verify(foreign, VERIFIER_KEY)


def test_a_signature_over_another_text_is_refused() -> None:
    with pytest.raises(SignatureError):
        verify(GOOD.replace(b"\n7\n", b"\n8\n"), VERIFIER_KEY)


# Verifier keys --------------------------------------------------------------------------------------------------------


SHORT_KEY = b64encode(b"\x01" + bytes(31)).decode()


@pytest.mark.parametrize("text", [VERIFIER_KEY, GO_KEY, SUM_KEY])
def test_verifier_keys_of_others_are_read_and_written_back(text: str) -> None:
    assert str(parse_verifier_key(text)) == text


def test_a_signature_made_by_another_program_verifies() -> None:
    key = parse_verifier_key(GO_KEY)
    data = b64decode(GO_SIGNATURE)
    assert data[:4] == key.key_id
    text = "If you think cryptography is the answer to your problem,\nthen you don't know what your problem is.\n"
    Ed25519PublicKey.from_public_bytes(key.public_key).verify(data[4:], text.encode())


@pytest.mark.parametrize(
    "change",
    [
        pytest.param(lambda key: key.replace("+", " "), id="no plus signs"),
        pytest.param(lambda key: "+" + key.partition("+")[2], id="no name"),
        pytest.param(lambda key: "a " + key, id="a blank in the name"),
        pytest.param(lambda key: key.replace("firm", "form"), id="another name"),
        pytest.param(lambda key: key[:-4], id="cut off"),
        pytest.param(lambda key: key + "\n", id="a newline"),
        pytest.param(
            lambda key: key.split("+")[0] + "+" + key.split("+")[1].upper() + "+" + key.split("+", 2)[2],
            id="id in capitals",
        ),
        pytest.param(lambda _: f"{ORIGIN}+00000000+{b64encode(bytes(33)).decode()}", id="another algorithm"),
        pytest.param(lambda _: f"{ORIGIN}+00000000+{SHORT_KEY}", id="a short key"),
        pytest.param(lambda _: "", id="nothing"),
    ],
)
def test_malformed_verifier_keys_are_refused(change: Callable[[str], str]) -> None:
    with pytest.raises(VerifierKeyError):
        parse_verifier_key(change(VERIFIER_KEY))
    with pytest.raises(VerifierKeyError):
        verify(GOOD, change(VERIFIER_KEY))


@pytest.mark.parametrize("name", ["", "a b", "a+b", "a\nb", "a" * 256, "a\u2003b"])
def test_a_key_gets_no_name_that_could_not_be_read(name: str) -> None:
    with pytest.raises(VerifierKeyError):
        verifier_key(name, KEY.public_key())


def test_a_parsed_key_verifies_like_its_text() -> None:
    assert verify(GOOD, VerifierKey(ORIGIN, KEY.public_key().public_bytes_raw())).size == 7

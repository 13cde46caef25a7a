from __future__ import annotations

import base64
import hashlib
import json
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import cryptography_vectors
import pytest
from cryptography.exceptions import InvalidTag

from service.crypto import contexts, escrow, fields, keyobjects, wrapping
from service.crypto.contexts import message_context
from service.crypto.kms import LocalRootKey
from service.crypto.streams import decrypt, decrypt_range, encrypt
from service.crypto.wrapping import SecretKey
from service.errors import BadInputError, SealError, UnsafeError
from tests.crypto.messages import Message, attempt, in_pieces, messages, reader, released, vectors
from tests.vectors.crypto import make, reference

SMALL: dict[str, Any] = json.loads((make.HERE / "small.json").read_text())
INDEPENDENT = json.loads(
    (Path(cryptography_vectors.__file__).parent / "chunked-encryption" / "vectors.json").read_text()
)["vectors"]


def named(cases: list[Any]) -> pytest.MarkDecorator:
    return pytest.mark.parametrize("case", cases, ids=lambda case: case["name"])


def nonce_of(text: str) -> Callable[[int], bytes]:
    return lambda length: bytes.fromhex(text)[:length]


def test_the_vectors_on_disk_are_those_that_the_script_makes() -> None:
    for name, text in make.build().items():
        assert (make.HERE / name).read_text() == text


@named([each for each in INDEPENDENT if each["aead"] == "AEAD_AES_256_GCM"])
def test_the_reference_agrees_with_independent_vectors(case: dict[str, Any]) -> None:
    # The independent vectors derive with SHA-256, Cobblestone-256 with SHA-512; all else is the same. So they check the
    # reference, and the reference checks service/crypto/.
    key, context = bytes.fromhex(case["key"]), case["context"].encode()
    sealed = base64.b64decode(case["ciphertext"] or "")
    sealed = zlib.decompress(sealed) if case.get("compressed") else sealed
    try:
        plain = reference.open_message(key, context, sealed, "sha256")
    except (ValueError, InvalidTag):
        assert case["expect"] == "failure"
        return
    assert case["expect"] == "success"
    assert hashlib.sha256(plain).hexdigest() == case["payload_sha256"]
    assert reference.seal_message(key, context, sealed[:24], plain, "sha256") == sealed


@pytest.mark.parametrize("message", messages().values(), ids=lambda message: message.name)
def test_a_message_of_the_reference_opens(message: Message) -> None:
    for length in (1000, 16_384, 1_000_000):
        source = in_pieces(message.sealed, length)
        assert b"".join(decrypt(message.key, message.context, source, message.sealed[:56])) == message.plain
    whole = decrypt_range(
        message.key, message.context, reader(message.sealed), len(message.sealed), 0, len(message.plain)
    )
    assert b"".join(whole) == message.plain


@pytest.mark.parametrize("message", messages().values(), ids=lambda message: message.name)
def test_the_reference_opens_what_is_sealed_here(message: Message) -> None:
    sealed = b"".join(encrypt(message.key, message.context, [message.plain]))
    assert reference.open_message(message.key, message.context, sealed) == message.plain
    assert sealed == reference.seal_message(message.key, message.context, sealed[:24], message.plain)


@named(vectors()["refusals"])
@pytest.mark.parametrize("length", [1, 777, 16_400, 1_000_000])
def test_a_refused_message_releases_no_more_than_its_vector_says(case: dict[str, Any], length: int) -> None:
    tried = attempt(case)
    plain, refused = released(decrypt(tried.key, tried.context, in_pieces(tried.sealed, length), tried.header))
    assert refused
    assert len(plain) <= tried.released_at_most
    assert tried.truth.startswith(plain)


@named(vectors()["refusals"])
def test_a_refused_message_has_no_range_that_reaches_its_end(case: dict[str, Any]) -> None:
    tried = attempt(case)
    opening = decrypt_range(
        tried.key, tried.context, reader(tried.sealed), len(tried.sealed), 0, len(tried.truth), tried.header
    )
    plain, refused = released(opening)
    assert refused
    assert len(plain) <= tried.released_at_most


@pytest.mark.parametrize("case", SMALL["contexts"])
def test_fields_are_joined_as_the_vectors_say(case: dict[str, Any]) -> None:
    assert contexts.join(*case["fields"]).hex() == case["joined"]


def test_the_message_context_is_that_of_the_vectors() -> None:
    made = message_context("frm_a", "eng_b", "mtr_c", "doc_d", "rev_e", "original")
    assert made.hex() == SMALL["message_context"]


def test_a_wrapped_key_is_that_of_the_vectors() -> None:
    case = SMALL["wrapped"]
    wrapping_key, key = SecretKey(bytes.fromhex(case["wrapping"])), SecretKey(bytes.fromhex(case["key"]))
    context, wrapped = bytes.fromhex(case["context"]), bytes.fromhex(case["wrapped"])
    assert wrapping.wrap(wrapping_key, key, context, nonce_of(case["nonce"])) == wrapped
    assert wrapping.unwrap(wrapping_key, wrapped, context) == key


@named(SMALL["wrapped"]["refused"])
def test_a_wrong_wrapped_key_is_refused(case: dict[str, str]) -> None:
    vector = SMALL["wrapped"]
    with pytest.raises(SealError):
        wrapping.unwrap(
            SecretKey(bytes.fromhex(vector["wrapping"])),
            bytes.fromhex(case["sealed"]),
            bytes.fromhex(vector["context"]),
        )


@pytest.mark.parametrize("case", SMALL["fields"])
def test_a_sealed_field_is_that_of_the_vectors(case: dict[str, str]) -> None:
    key, sealed = SecretKey(bytes.fromhex(case["key"])), bytes.fromhex(case["sealed"])
    place = (case["table"], case["column"], case["row"])
    assert fields.seal(key, *place, case["text"], nonce_of(case["nonce"])) == sealed
    assert fields.open(key, *place, sealed) == case["text"]


@named(SMALL["field_refused"])
def test_a_wrong_sealed_field_is_refused(case: dict[str, str]) -> None:
    key = SecretKey(bytes.fromhex(SMALL["fields"][0]["key"]))
    with pytest.raises(SealError):
        fields.open(key, "documents", "title", "doc_1", bytes.fromhex(case["sealed"]))


@pytest.mark.parametrize("case", SMALL["blind_indexes"])
def test_a_blind_index_is_that_of_the_vectors(case: dict[str, str]) -> None:
    key = SecretKey(bytes.fromhex(case["key"]))
    assert fields.blind_index(key, case["purpose"], case["text"]).hex() == case["index"]


@pytest.mark.parametrize("case", SMALL["key_objects"])
def test_a_key_object_is_that_of_the_vectors(case: dict[str, str]) -> None:
    key_id, kind, parent = case["id"], case["kind"], case["parent"] or None
    context = contexts.key_object_context(key_id, kind, parent)
    key, wrapping_key = SecretKey(bytes.fromhex(case["key"])), SecretKey(bytes.fromhex(case["wrapping"]))
    wrapped = wrapping.wrap(wrapping_key, key, context, nonce_of(case["nonce"]))
    said = keyobjects.KeyObject(key_id, kind, parent, wrapped)
    assert keyobjects.encode(said) == case["object"].encode()
    assert keyobjects.decode(case["object"].encode()) == said


@named(SMALL["key_objects_refused"])
def test_a_key_object_in_another_form_is_refused(case: dict[str, str]) -> None:
    with pytest.raises(SealError):
        keyobjects.decode(case["object"].encode())


@pytest.mark.parametrize("case", SMALL["root_key_files"])
def test_a_root_key_file_is_that_of_the_vectors(case: dict[str, str], tmp_path: Path) -> None:
    made = tmp_path / "made.key"
    LocalRootKey.create(made, nonce_of(case["key"]))
    assert made.read_text() == case["file"]
    wrapped = LocalRootKey(made).wrap(SecretKey(bytes(32)), b"context")
    assert wrapping.unwrap(SecretKey(bytes.fromhex(case["key"])), wrapped, b"context") == SecretKey(bytes(32))


@named(SMALL["root_key_files_refused"])
def test_a_damaged_root_key_file_is_refused(case: dict[str, str], tmp_path: Path) -> None:
    damaged = tmp_path / "root.key"
    damaged.write_bytes(case["file"].encode())
    damaged.chmod(0o600)
    with pytest.raises(UnsafeError, match="damaged"):
        LocalRootKey(damaged)


@pytest.mark.parametrize("case", SMALL["shares"])
def test_shares_are_those_of_the_vectors(case: dict[str, Any]) -> None:
    drawn = {32: bytes.fromhex(case["pad"]), 8: bytes.fromhex(case["set"])}
    made = escrow.split(SecretKey(bytes.fromhex(case["key"])), lambda length: drawn[length])
    assert [share.decode() for share in made] == case["files"]
    assert escrow.join(*made) == SecretKey(bytes.fromhex(case["key"]))


@named(SMALL["shares_refused"])
def test_shares_that_make_no_key_are_refused(case: dict[str, Any]) -> None:
    first, second = (text.encode() for text in case["files"])
    with pytest.raises(BadInputError):
        escrow.join(first, second)

"""Checkpoints: the size and root of a log at one moment, signed, as C2SP signed notes.

Rules kept here:

* one text has one reading: sizes without leading zeros, roots of exactly 32 bytes in canonical base64, three lines and
  no extension lines, no control characters;
* a verifier knows the key before it looks at the note. Key ids are four bytes and easy to collide, so an id only says
  which signatures to check, never that they are good;
* signatures by unknown keys (witnesses, a next key) are passed over; one bad signature in the known key's name refuses
  the note.

A checkpoint carries no time. The time of what it covers is in the last entry.

Source: C2SP signed-note and tlog-checkpoint; RFC 8032; FORMAT.md, section 6.
"""

from __future__ import annotations

import re
from base64 import b64decode, b64encode
from binascii import Error as Base64Error
from dataclasses import dataclass
from hashlib import sha256
from typing import Final

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from audit.entry import INTEGER_LIMIT
from audit.errors import CheckpointError, OriginError, SignatureError, VerifierKeyError
from audit.merkle import EMPTY_ROOT, HASH_BYTES

NOTE_BYTES: Final = 131_072
SIGNATURES: Final = 16
ORIGIN_BYTES: Final = 255
KEY_ID_BYTES: Final = 4
ED25519: Final = b"\x01"  # signature type of C2SP signed-note
PUBLIC_KEY_BYTES: Final = 32

_DASH: Final = "\u2014 "
_CONTROL: Final = re.compile(r"[\x00-\x09\x0b-\x1f]")
_BODY: Final = re.compile(r"(.*)\n(.*)\n(.*)")
_SIZE: Final = re.compile(r"0|[1-9][0-9]{0,15}", re.ASCII)


@dataclass(frozen=True, slots=True)
class Signature:
    """One signature line of a note; who made it is not checked yet."""

    name: str
    key_id: bytes
    signature: bytes


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """A parsed checkpoint. Only what `verify` returns has been signed by anyone.

    Args:
        origin: name of the log.
        size: number of entries.
        root: tree head over them, 32 bytes.
        text: the bytes that are signed.
        signatures: all of them, in order.
    """

    origin: str
    size: int
    root: bytes
    text: bytes
    signatures: tuple[Signature, ...]


@dataclass(frozen=True, slots=True)
class VerifierKey:
    """A log's public key under its name."""

    name: str
    public_key: bytes

    @property
    def key_id(self) -> bytes:
        """Four bytes that say which signature lines to check."""
        return sha256(self.name.encode() + b"\n" + ED25519 + self.public_key).digest()[:KEY_ID_BYTES]

    def __str__(self) -> str:
        return f"{self.name}+{self.key_id.hex()}+{b64encode(ED25519 + self.public_key).decode()}"


def verifier_key(name: str, public_key: Ed25519PublicKey) -> str:
    """Write the key an auditor is given: ``name+id+key``.

    Raises:
        VerifierKeyError: the name is empty, too long, or has white space, control characters or ``+``.
    """
    if not _is_name(name):
        raise VerifierKeyError("a key name has no white space, no control characters and no plus sign")
    return str(VerifierKey(name, public_key.public_bytes_raw()))


def parse_verifier_key(text: str) -> VerifierKey:
    """Read a verifier key.

    Raises:
        VerifierKeyError: not ``name+id+key``, another algorithm than Ed25519, or another id than that of name and key.
    """
    name, _, rest = text.partition("+")
    key_id, _, encoded = rest.partition("+")
    key = _base64(encoded)
    if not _is_name(name) or key is None or key[:1] != ED25519 or len(key) != 1 + PUBLIC_KEY_BYTES:
        raise VerifierKeyError("a verifier key is name+id+key, for Ed25519")
    parsed = VerifierKey(name, key[1:])
    if key_id != parsed.key_id.hex():
        raise VerifierKeyError("the id of the verifier key is not that of its name and key; was it copied whole?")
    return parsed


def sign(origin: str, size: int, root: bytes, key: Ed25519PrivateKey) -> bytes:
    """Write and sign a checkpoint; the key signs under the name of the origin.

    Returns:
        The signed note.

    Raises:
        CheckpointError: a value that `parse` would refuse.
    """
    text = f"{origin}\n{size}\n{b64encode(root).decode()}\n".encode()
    key_id = VerifierKey(origin, key.public_key().public_bytes_raw()).key_id
    note = text + f"\n{_DASH}{origin} {b64encode(key_id + key.sign(text)).decode()}\n".encode()
    parse(note)
    return note


def parse(note: bytes) -> Checkpoint:
    """Read a checkpoint without believing it.

    Raises:
        CheckpointError: not a checkpoint in its one form.
    """
    if len(note) > NOTE_BYTES:
        raise CheckpointError(f"a note has at most {NOTE_BYTES} bytes", evidence={"bytes": len(note)})
    try:
        content = note.decode()
    except UnicodeDecodeError as error:
        raise CheckpointError("a note is UTF-8") from error
    if _CONTROL.search(content):
        raise CheckpointError("a note has no control characters but newlines")
    # The last empty line parts text and signatures, so a signature cannot be passed off as text.
    text, blank, tail = content.rpartition("\n\n")
    body = _BODY.fullmatch(text)
    if not blank or body is None or not tail.endswith("\n"):
        raise CheckpointError("a checkpoint is origin, size, root, an empty line and signatures", evidence=_shown(note))
    origin, size, root = body.groups()
    checkpoint = Checkpoint(
        origin, _size(size), _root(root), f"{text}\n".encode(), _signatures(tail.removesuffix("\n").split("\n"))
    )
    if not _is_name(origin):
        raise CheckpointError("an origin has no white space and no plus sign", evidence=_shown(note))
    if not checkpoint.size and checkpoint.root != EMPTY_ROOT:
        raise CheckpointError("an empty log has one root only", evidence=_shown(note))
    return checkpoint


def verify(note: bytes, key: VerifierKey | str) -> Checkpoint:
    """Read a checkpoint that this key signed.

    Args:
        note: the signed note.
        key: the log's verifier key, got from elsewhere than the note.

    Raises:
        CheckpointError: not a checkpoint in its one form.
        OriginError: it is that of another log.
        SignatureError: no signature by the key, or one in its name and id that is not good.
        VerifierKeyError: the key is malformed.
    """
    known = parse_verifier_key(key) if isinstance(key, str) else key
    checkpoint = parse(note)
    if checkpoint.origin != known.name:
        raise OriginError("the checkpoint is of another log than the key", evidence=_shown(note) | {"key": str(known)})
    claimed = [each for each in checkpoint.signatures if (each.name, each.key_id) == (known.name, known.key_id)]
    if not claimed:
        raise SignatureError("the checkpoint is not signed by the key", evidence=_shown(note) | {"key": str(known)})
    public_key = Ed25519PublicKey.from_public_bytes(known.public_key)
    for each in claimed:
        try:
            public_key.verify(each.signature, checkpoint.text)
        except InvalidSignature as error:
            evidence = _shown(note) | {"key": str(known)}
            raise SignatureError("a signature in the key's name is not good", evidence=evidence) from error
    return checkpoint


def _size(text: str) -> int:
    if not _SIZE.fullmatch(text) or int(text) >= INTEGER_LIMIT:
        raise CheckpointError("a size is a decimal number without leading zeros", evidence={"size": ascii(text[:40])})
    return int(text)


def _root(text: str) -> bytes:
    root = _base64(text)
    if root is None or len(root) != HASH_BYTES:
        raise CheckpointError("a root is 32 bytes in base64", evidence={"root": ascii(text[:80])})
    return root


def _signatures(lines: list[str]) -> tuple[Signature, ...]:
    if len(lines) > SIGNATURES:
        raise CheckpointError(f"a note has at most {SIGNATURES} signatures", evidence={"signatures": len(lines)})
    return tuple(_signature(line) for line in lines)


def _signature(line: str) -> Signature:
    name, _, encoded = line.removeprefix(_DASH).partition(" ")
    data = _base64(encoded)
    if not line.startswith(_DASH) or not _is_name(name) or data is None or len(data) <= KEY_ID_BYTES:
        raise CheckpointError("a signature is a dash, a name and base64", evidence={"line": ascii(line[:200])})
    return Signature(name, data[:KEY_ID_BYTES], data[KEY_ID_BYTES:])


def _base64(text: str) -> bytes | None:
    """Decode canonical base64; ``None`` for every other spelling, of which decoders accept many."""
    try:
        data = b64decode(text, validate=True)
    except (Base64Error, ValueError):
        return None
    return data if b64encode(data).decode() == text else None


def _is_name(text: str) -> bool:
    fits = 0 < len(text.encode(errors="replace")) <= ORIGIN_BYTES
    return fits and "+" not in text and not _CONTROL.search(text) and not any(each.isspace() for each in text)


def _shown(note: bytes) -> dict[str, str | int]:
    return {"note": note.decode(errors="replace")}

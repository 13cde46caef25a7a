"""Key objects: the file form of one key, wrapped under its parent or the root key.

The form is strict: one spelling for each object, so that nothing can hide in a file and two readers always agree. What
the file says about itself is believed only because the wrapped key opens with exactly that said.

Source: service/crypto/FORMAT.md, section 6.
"""

from __future__ import annotations

import base64
import json
import re
from dataclasses import dataclass
from typing import Final

from service.crypto.places import MAX_KEY_OBJECT_BYTES, check_key_id
from service.errors import BadInputError, SealError

_VERSION: Final = 1
_MEMBERS: Final = ("muniment_key", "id", "kind", "parent", "wrapped")
_KIND: Final = re.compile(r"[a-z][a-z_]{0,31}")


@dataclass(frozen=True, slots=True)
class KeyObject:
    """A wrapped key and what it is.

    Args:
        key_id: its id.
        kind: a word, such as ``engagement``.
        parent: the id of the key it is wrapped under; None for the root key.
        wrapped: the wrapped key, 61 bytes under a parent or the local root key.
    """

    key_id: str
    kind: str
    parent: str | None
    wrapped: bytes


def check_kind(kind: str) -> str:
    """Return ``kind`` when it is a word of at most 32 letters.

    Raises:
        BadInputError: it is not.
    """
    if not _KIND.fullmatch(kind):
        raise BadInputError("This is not a kind of key.")
    return kind


def encode(key: KeyObject) -> bytes:
    """Return the one spelling of ``key``."""
    wrapped = base64.b64encode(key.wrapped).decode()
    values = (_VERSION, key.key_id, key.kind, key.parent or "", wrapped)
    return json.dumps(dict(zip(_MEMBERS, values, strict=True)), separators=(",", ":")).encode() + b"\n"


def decode(data: bytes) -> KeyObject:
    """Read what `encode` wrote.

    Raises:
        SealError: it is anything else, if only by a space.
    """
    if len(data) > MAX_KEY_OBJECT_BYTES:
        raise SealError
    try:
        key = _read(json.loads(data))
    except (ValueError, TypeError, RecursionError, BadInputError):
        raise SealError from None
    if encode(key) != data:
        raise SealError
    return key


def _read(said: object) -> KeyObject:
    """Take the values out, in any spelling; `decode` compares the spelling.

    Raises:
        BadInputError, ValueError, TypeError: a value is of the wrong form.
    """
    if not isinstance(said, dict) or tuple(said) != _MEMBERS or not all(isinstance(said[m], str) for m in _MEMBERS[1:]):
        raise BadInputError
    parent = check_key_id(said["parent"]) if said["parent"] else None
    wrapped = base64.b64decode(said["wrapped"], validate=True)
    return KeyObject(check_key_id(said["id"]), check_kind(said["kind"]), parent, wrapped)

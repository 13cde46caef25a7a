"""A root key in the place of another: while the old one is rotated away both open, and the new one alone wraps.

Rules kept here: an object under the root key keeps its id, its kind and the key inside it; it is replaced place by
place, never removed and put again, and never brought back where somebody deleted it meanwhile. A crash leaves some
objects under the old root key and some under the new; each opens, and the next run goes on with those that are left.

Source: docs/adr/0014-rotation.md.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from service.crypto.contexts import key_object_context
from service.crypto.keyobjects import KeyObject, decode, encode
from service.crypto.kms import RootKey
from service.crypto.places import KeyPlace
from service.crypto.wrapping import SecretKey
from service.errors import KeyMissingError, SealError


class ChangingRoot:
    """Two root keys in one; satisfies `service.crypto.kms.RootKey`."""

    def __init__(self, new: RootKey, old: RootKey) -> None:
        """Wrap with ``new``; open with either."""
        self.new, self.old = new, old

    def wrap(self, key: SecretKey, context: bytes) -> bytes:
        """See `RootKey.wrap`."""
        return self.new.wrap(key, context)

    def unwrap(self, wrapped: bytes, context: bytes) -> SecretKey:
        """See `RootKey.unwrap`. Only a plain "not mine" of the new key sends the question to the old one."""
        try:
            return self.new.unwrap(wrapped, context)
        except SealError:
            return self.old.unwrap(wrapped, context)

    def check(self) -> tuple[str, ...]:
        """See `RootKey.check`: both are needed."""
        return (*self.new.check(), *self.old.check())

    def describe(self) -> str:
        """Name both."""
        return f"{self.new.describe()}; rotated from {self.old.describe()}"

    def __repr__(self) -> str:
        return f"ChangingRoot({self.describe()})"


def move(places: Sequence[KeyPlace], key_id: str, root: ChangingRoot) -> bool:
    """Bring one key object under the new root key, in every place that has it.

    All places get the same bytes. What hangs on another key is left as it is; so is a place that lacks the object.

    Returns: whether anything was changed.

    Raises:
        KeyPlaceError, RootKeyError: a place or a root key cannot be asked; run it again.
        SealError: an object under this id is there, and none of them opens.
    """
    held = [(place, data) for place in places if (data := _get(place, key_id)) is not None]
    read = [said for _, data in held if (said := _decode(data)) is not None]
    if any(said.parent is not None for said in read) or not held:
        return False
    fresh = _under_new(key_id, read, root)
    moved = [place.replace(key_id, data, fresh) for place, data in held if data != fresh]
    return any(moved)


def _under_new(key_id: str, read: Sequence[KeyObject], root: ChangingRoot) -> bytes:
    """The object's bytes under the new root key: those that a place has already, or new ones."""
    found: tuple[KeyObject, SecretKey] | None = None
    for said in read:
        context = key_object_context(key_id, said.kind, None)
        try:
            root.new.unwrap(said.wrapped, context)
        except SealError:
            found = found or _opened(said, context, root)
        else:
            return encode(said)
    if found is None:
        raise SealError
    said, key = found
    return encode(replace(said, wrapped=root.new.wrap(key, key_object_context(key_id, said.kind, None))))


def _opened(said: KeyObject, context: bytes, root: ChangingRoot) -> tuple[KeyObject, SecretKey] | None:
    try:
        return said, root.old.unwrap(said.wrapped, context)
    except SealError:
        return None


def _get(place: KeyPlace, key_id: str) -> bytes | None:
    try:
        return place.get(key_id)
    except KeyMissingError:
        return None


def _decode(data: bytes) -> KeyObject | None:
    try:
        return decode(data)
    except SealError:
        return None

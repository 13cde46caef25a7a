"""The keys that can be destroyed: firm, person, engagement and matter-part keys, kept in key places.

Rules kept here:

* a key is in every place before anybody uses it, and destroyed only when every place has confirmed;
* a key opens only through its whole chain, up to the root key; a file that was renamed, copied or forged opens
  nothing, and the next place is asked instead;
* an opened key is kept for at most 60 seconds, and never longer than the key it was opened with: so what was opened
  with a key that another process has destroyed is gone 60 seconds later, however deep it lies;
* keys wrap keys only. Sealing contents and names is for `streams` and `fields`, with keys wrapped under these.

Everything here blocks on files or a key service: call it from a thread. Who may open what is decided elsewhere.

Source: service/crypto/FORMAT.md, section 6.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from threading import Lock
from typing import Final

from service.crypto.contexts import key_object_context
from service.crypto.keyobjects import KeyObject, check_kind, decode, encode
from service.crypto.kms import RootKey
from service.crypto.places import FolderKeyPlace, KeyPlace, check_key_id
from service.crypto.wrapping import Random, SecretKey, generate_key, unwrap, wrap
from service.errors import (
    BadInputError,
    ExistsError,
    KeyMissingError,
    KeyPlaceError,
    MunimentError,
    SealError,
    UnsafeError,
)

__all__ = [
    "FolderKeyPlace",
    "KeyPlace",
    "KeyStore",
    "PlaceConfirmation",
    "SecretKey",
    "generate_key",
    "unwrap",
    "wrap",
]

MAX_PLACES: Final = 3
# Firm or engagement, matter part, and room for two more. A forged chain of more is refused, and so is a circle.
_MAX_DEPTH: Final = 4
# What a place may answer that sends the reader to the next one, most telling first.
_PLACE_FAILURES: Final = (KeyPlaceError, UnsafeError, SealError, KeyMissingError)


@dataclass(frozen=True, slots=True)
class PlaceConfirmation:
    """A place has confirmed that it no longer holds a key.

    Args:
        place: its name.
        confirmed_at: UTC seconds, rounded up.
    """

    place: str
    confirmed_at: int


@dataclass(frozen=True, slots=True)
class _Opened:
    """An opened key, until when it may be kept (ticks), and the ids above it."""

    key: SecretKey
    expires: float
    ancestors: tuple[str, ...]


class KeyStore:
    """Makes, opens and destroys key objects. Safe from several threads; files are touched outside the lock."""

    def __init__(
        self,
        root: RootKey,
        places: Sequence[KeyPlace],
        clock: Callable[[], float],
        random: Random,
        cache_ttl_s: float = 60,
        cache_size: int = 1000,
        ticks: Callable[[], float] = time.monotonic,
    ) -> None:
        """Use ``places``.

        Args:
            root: wraps the keys that have no parent.
            places: one to three, of different names; all are written, the first that answers is read.
            clock: UTC seconds, for confirmations.
            random: gives keys and nonces.
            cache_ttl_s: how long an opened key is kept, in seconds.
            cache_size: how many opened keys are kept.
            ticks: seconds that never go back, for the cache: a clock that is set back must not lengthen a key's life.

        Raises:
            UnsafeError: no place, more than three, or two of one name.
        """
        if not 1 <= len(places) <= MAX_PLACES or len({place.name for place in places}) != len(places):
            raise UnsafeError("Name one to three key places, each by a name of its own.")
        self._root, self._places = root, tuple(places)
        self._clock, self._random, self._ticks = clock, random, ticks
        self._ttl, self._size = cache_ttl_s, cache_size
        self._lock = Lock()
        self._cache: dict[str, _Opened] = {}
        self._forgotten = 0

    @property
    def places(self) -> tuple[KeyPlace, ...]:
        """Where the keys are; for mending and for the root key's rotation, which change objects place by place."""
        return self._places

    @property
    def root(self) -> RootKey:
        """What wraps the keys that have no parent."""
        return self._root

    def create(self, key_id: str, kind: str, parent: str | None) -> SecretKey:
        """Make a new key and write it to all places.

        After a crash between two places the object lies in some of them and was never used; a new id is taken for the
        next try, and `muniment doctor` names what is left.

        Args:
            key_id: a new id.
            kind: a word, such as ``engagement``.
            parent: the id of the key that wraps it; None for the root key.

        Raises:
            BadInputError: the id or the kind has another form, or the parent is the fourth of its chain already.
            ExistsError: a place has a key of this id; that key stays.
            KeyPlaceError: a place could not be written; the new key was taken back from the others.
            KeyMissingError, SealError: the parent does not open.
        """
        check_key_id(key_id)
        context = key_object_context(key_id, check_kind(kind), parent)
        key = generate_key(self._random)
        if parent is None:
            wrapped = self._root.wrap(key, context)
        else:
            above = self._open(check_key_id(parent), 0)
            if len(above.ancestors) + 1 == _MAX_DEPTH:
                raise BadInputError("Keys are not nested that deep.")
            wrapped = wrap(above.key, key, context, self._random)
        data = encode(KeyObject(key_id, kind, parent, wrapped))
        try:
            for place in self._places:
                place.put(key_id, data)
        except (ExistsError, KeyPlaceError, UnsafeError):
            self._take_back(key_id, data)
            raise
        return key

    def open(self, key_id: str) -> SecretKey:
        """Return the key ``key_id``, from the cache or from the first place that gives it whole.

        Raises:
            KeyMissingError: no place has it, or none has its parent: it was destroyed.
            KeyPlaceError: it was not found, and a place could not be asked.
            SealError: what the places hold under this id is not this key.
        """
        return self._open(check_key_id(key_id), 0).key

    def parent_of(self, key_id: str) -> str | None:
        """Return the id of the key that wraps this one, as its object says and proves by opening; None: the root key.

        Raises:
            KeyMissingError, KeyPlaceError, SealError: see `open`.
        """
        above = self._read(check_key_id(key_id), 0, self._ticks()).ancestors
        return above[0] if above else None

    def proves(self, key_id: str, data: bytes) -> bool:
        """Say whether ``data`` is the object of this key: whether it opens, up to the root key.

        Raises:
            KeyMissingError, KeyPlaceError, RootKeyError: what it hangs on cannot be asked, so nothing is known.
        """
        try:
            self._unwrap(key_id, decode(data), 0, self._ticks())
        except SealError:
            return False
        return True

    def peek(self, key_id: str) -> SecretKey | None:
        """Return the key ``key_id`` if it is open already, without asking a place or the root key; never blocks."""
        now = self._ticks()
        with self._lock:
            kept = self._cache.get(key_id)
        return kept.key if kept is not None and now < kept.expires else None

    def destroy(self, key_id: str) -> list[PlaceConfirmation]:
        """Destroy a key in all places. Everything that is sealed or wrapped under it is lost with it.

        It is forgotten at once, with all that was opened through it. Destroying again is no error, so a caller retries
        until this returns.

        Returns:
            One confirmation for each place.

        Raises:
            KeyPlaceError: a place did not confirm. ``extra`` has ``confirmed`` (place to UTC seconds) and
                ``unconfirmed`` (places); the key may still open from those.
        """
        self.forget(check_key_id(key_id))
        confirmed: list[PlaceConfirmation] = []
        failed: list[str] = []
        for place in self._places:
            try:
                place.delete(key_id)
                confirmed.append(PlaceConfirmation(place.name, math.ceil(self._clock())))
            except (KeyPlaceError, UnsafeError):
                failed.append(place.name)
        self.forget(key_id)  # somebody may have opened it between the first call and the last deletion
        if failed:
            extra = {"confirmed": {each.place: each.confirmed_at for each in confirmed}, "unconfirmed": failed}
            raise KeyPlaceError("A key place has not confirmed that the key is gone. Try again.", extra=extra)
        return confirmed

    def exists(self, key_id: str) -> dict[str, bool | None]:
        """Say for each place, by name, whether it has an object of this id; None where it cannot be asked."""
        return {place.name: _has(place, check_key_id(key_id)) for place in self._places}

    def all_ids(self) -> set[str]:
        """Return the ids of all keys that any place holds, for comparing them with their owners.

        Raises:
            KeyPlaceError: a place could not be asked.
        """
        return {key_id for place in self._places for key_id in place.list()}

    def ids_by_place(self) -> dict[str, set[str]]:
        """Return what each place holds, by its name: one listing a place, where `exists` asks for one key.

        Raises:
            KeyPlaceError: a place could not be asked.
        """
        return {place.name: set(place.list()) for place in self._places}

    def read_object(self, key_id: str) -> bytes:
        """Return a key object as a place keeps it, after trying that it opens: a copy of a broken one helps nobody.

        Raises:
            KeyMissingError, KeyPlaceError, SealError: as `open`.
        """
        failures: list[MunimentError] = []
        for place in self._places:
            try:
                data = place.get(check_key_id(key_id))
                self._unwrap(key_id, decode(data), 0, self._ticks())
            except _PLACE_FAILURES as failure:
                failures.append(failure)
            else:
                return data
        raise min(failures, key=_rank)

    def place_object(self, key_id: str, data: bytes) -> list[str]:
        """Put a key object into every place that lacks it; return their names. What is there stays as it is.

        Raises:
            SealError: this is not an object of that key.
            KeyPlaceError: a place could not be written; ask again.
        """
        if decode(data).key_id != check_key_id(key_id):
            raise SealError
        placed = []
        for place in self._places:
            with suppress(ExistsError):
                place.put(key_id, data)
                placed.append(place.name)
        return placed

    def forget(self, key_id: str) -> None:
        """Drop an opened key, and all that was opened through it, from memory."""
        with self._lock:
            self._forgotten += 1
            self._cache = {k: v for k, v in self._cache.items() if key_id not in (k, *v.ancestors)}

    def _open(self, key_id: str, depth: int) -> _Opened:
        if depth == _MAX_DEPTH:
            raise SealError
        now = self._ticks()
        with self._lock:
            forgotten = self._forgotten
            kept = self._cache.get(key_id)
        if kept is not None and now < kept.expires:
            return kept
        opened = self._read(key_id, depth, now)
        with self._lock:
            # Something was forgotten while we read: it may have been this key, so it is used once and not kept.
            if forgotten == self._forgotten:
                self._keep(key_id, opened)
        return opened

    def _keep(self, key_id: str, opened: _Opened) -> None:
        self._cache.pop(key_id, None)
        self._cache[key_id] = opened
        while len(self._cache) > self._size:
            del self._cache[next(iter(self._cache))]

    def _read(self, key_id: str, depth: int, now: float) -> _Opened:
        failures: list[MunimentError] = []
        for place in self._places:
            try:
                return self._unwrap(key_id, decode(place.get(key_id)), depth, now)
            except _PLACE_FAILURES as failure:
                failures.append(failure)
        raise min(failures, key=_rank)

    def _unwrap(self, key_id: str, said: KeyObject, depth: int, now: float) -> _Opened:
        # The context is made with the id that was asked for, not with the one in the file.
        context = key_object_context(key_id, said.kind, said.parent)
        expires = now + self._ttl
        if said.parent is None:
            return _Opened(self._root.unwrap(said.wrapped, context), expires, ())
        parent = self._open(said.parent, depth + 1)
        key = unwrap(parent.key, said.wrapped, context)
        return _Opened(key, min(expires, parent.expires), (said.parent, *parent.ancestors))

    def _take_back(self, key_id: str, data: bytes) -> None:
        """Delete the object we just wrote wherever it arrived, also where writing failed, and nobody else's."""
        for place in self._places:
            with suppress(KeyMissingError, KeyPlaceError, UnsafeError):
                if place.get(key_id) == data:
                    place.delete(key_id)


def _rank(failure: MunimentError) -> int:
    return [isinstance(failure, kind) for kind in _PLACE_FAILURES].index(True)


def _has(place: KeyPlace, key_id: str) -> bool | None:
    try:
        place.get(key_id)
    except KeyMissingError:
        return False
    except (KeyPlaceError, UnsafeError):
        return None
    return True

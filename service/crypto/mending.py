"""Mending key places: a place that was lost and made anew, or missed a write, gets what the others hold.

Only an object that opens, up to the root key, is copied; what does not open in a place is replaced by one that does.
Whose key it is, and whether it may live, is the caller's to know: nothing here brings back a key on its own.
"""

from __future__ import annotations

from service.crypto.keys import KeyStore
from service.crypto.places import KeyPlace
from service.errors import ExistsError, KeyMissingError


def copy_missing(keys: KeyStore, key_id: str) -> tuple[str, ...]:
    """Copy one key object to the places that lack it or hold something else under its id.

    Returns: the names of the places that were mended.

    Raises:
        KeyMissingError: no place has an object of this key that opens.
        KeyPlaceError, UnsafeError, RootKeyError: a place or the root key cannot be asked.
    """
    held = [(place, _get(place, key_id)) for place in keys.places]
    sound = {data for _, data in held if data is not None and keys.proves(key_id, data)}
    if not sound:
        raise KeyMissingError
    good = min(sound)  # of several (a rotation of the root key under way) any: each opens
    return tuple(place.name for place, data in held if data not in sound and _put(place, key_id, data, good))


def _put(place: KeyPlace, key_id: str, there: bytes | None, good: bytes) -> bool:
    if there is not None:
        return place.replace(key_id, there, good)
    try:
        place.put(key_id, good)
    except ExistsError:
        return False
    return True


def _get(place: KeyPlace, key_id: str) -> bytes | None:
    try:
        return place.get(key_id)
    except KeyMissingError:
        return None

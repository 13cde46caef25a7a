"""Rotating the root key: every object that hangs on it is wrapped anew, in every place; no row changes.

Both root keys must be in the settings while it runs, of every process: a server that knows only the old one could not
open what was moved. It ends when a whole pass over all places found nothing left to move.
"""

from __future__ import annotations

import asyncio

from service.crypto.roots import ChangingRoot, move
from service.errors import UnsafeError
from service.rotation import begun
from service.rotation.levels import Rotated, Watch
from service.services import Services

ROOT = "root"


async def rotate_root(services: Services, watch: Watch) -> Rotated:
    """Bring every key object that hangs on the old root key under the new one; goes on where a run was cut short.

    Raises:
        UnsafeError: the settings name no old root key.
        KeyPlaceError, RootKeyError: a place or a root key cannot be asked; run it again.
        SealError: an object opens under neither root key.
    """
    root = services.keys.root
    if not isinstance(root, ChangingRoot):
        raise UnsafeError("Set MUNIMENT_ROOT_KEY to the new root key and MUNIMENT_ROOT_KEY_OLD to the one in use.")
    _started, went_on = await begun.begin(services, ROOT)
    moved = 0
    # Again until nothing moved: a server may have made keys meanwhile.
    while (found := await _pass(services, root, watch)) > 0:
        moved += found
    await begun.finish(services, ROOT)
    return Rotated(ROOT, moved, moved, 0, went_on)


async def _pass(services: Services, root: ChangingRoot, watch: Watch) -> int:
    """Go over all objects once. Returns how many were moved."""
    ids = sorted(await asyncio.to_thread(services.keys.all_ids))
    moved = 0
    for done, key_id in enumerate(ids):
        watch(done, len(ids))
        moved += await asyncio.to_thread(move, services.keys.places, key_id, root)
    watch(len(ids), len(ids))
    return moved

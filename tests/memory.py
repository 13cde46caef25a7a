"""Folders in memory (``/dev/shm``), where the machine has room: what a test writes need not survive a power cut.

Syncing there costs nothing, and the service syncs a great deal: on a disk that others use too, tests take up to twice
as long. Folders are private, and gone with their block; what a killed run left, the next one removes.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import shutil
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

MEMORY = Path("/dev/shm")  # noqa: S108  # folders of our own in it, made by mkdtemp
ROOM_BYTES = 2 * 1024**3
_SETTLED_S = 60  # after which a folder's lock was surely taken


@contextlib.contextmanager
def folder(prefix: str, otherwise: Path | None = None) -> Iterator[Path | None]:
    """A folder in memory for the time of the block; `otherwise` where there is no memory for it, or too little."""
    if not os.access(MEMORY, os.W_OK) or shutil.disk_usage(MEMORY).free < ROOM_BYTES:
        yield otherwise
        return
    _sweep(prefix)
    made = Path(tempfile.mkdtemp(prefix=prefix, dir=MEMORY))
    try:
        with (made / "alive").open("w") as held:
            fcntl.flock(held, fcntl.LOCK_EX)
            yield made
    finally:
        shutil.rmtree(made)


def _sweep(prefix: str) -> None:
    """Remove the folders of runs that were killed: nobody holds their lock any more."""
    for mark in MEMORY.glob(f"{prefix}*/alive"):
        with contextlib.suppress(OSError), mark.open() as asked:
            if time.time() - mark.stat().st_mtime > _SETTLED_S:
                fcntl.flock(asked, fcntl.LOCK_EX | fcntl.LOCK_NB)
                shutil.rmtree(mark.parent)

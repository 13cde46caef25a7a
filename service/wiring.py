"""The composition root: settings in, services out. The only place that knows which part stands behind which protocol.

`open_installation` refuses to run on anything that is not whole: a missing root key, key place, blob folder or anchor
folder, a database at another revision, a policy that does not load, a second server on the same folder. Without the
log nothing can be recorded, and so nothing is served.
"""

from __future__ import annotations

import asyncio
import fcntl
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from pathlib import Path

from service.anchors.folder import AnchorFolder
from service.blobs.local import LocalBlobs
from service.config import Settings
from service.crypto.keys import FolderKeyPlace, KeyStore
from service.crypto.kms import LocalRootKey
from service.db import schema
from service.db.ids import new_id
from service.db.session import Database
from service.errors import NotInitialisedError, UnsafeError
from service.ledger import Clock, Ledger
from service.older import refuse_older
from service.recovery import close_intents
from service.scoping.matrix import MatrixHolder
from service.services import Services

PROBES = 2  # a probe may take 64 MiB and a core


def clock_ms() -> int:
    """UTC milliseconds, from the machine's clock."""
    return time.time_ns() // 1_000_000


def prepare(settings: Settings) -> None:
    """Make what an installation stands on: folders, root key, database at its revision. What is there stays."""
    for folder in (settings.home, settings.blobs, settings.anchors):
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    for place in settings.key_places:
        FolderKeyPlace.create(place)
    if not settings.root_key.exists():
        LocalRootKey.create(settings.root_key)
    schema.upgrade(Database(settings.database_url))


@contextmanager
def open_installation(
    settings: Settings, *, serving: bool = False, reconciling: bool = False, clock: Clock = clock_ms
) -> Iterator[Services]:
    """Open an installation and start its ledger; on leaving, stop in good order.

    Args:
        serving: this process will announce bytes. Only one may on one folder; it first closes what a crash left open.
            A command beside it may change and record, and is never mistaken for dead. Rows that were restored from
            before something ended are not served (docs/adr/0016-backup.md).
        reconciling: nobody may serve meanwhile, because such rows are being mended.

    Raises:
        NotInitialisedError, OlderCopyError, WrongRevisionError, PolicyError, UnsafeError, KeyPlaceError: it is not fit
            to run.
    """
    services, instance = wire(settings, clock)
    with _only_server(settings) if serving or reconciling else nullcontext():
        services.ledger.start()
        try:
            if serving:
                refuse_older(services)
                close_intents(services, instance)
            yield services
        finally:
            services.ledger.stop()
            services.database.close()


def wire(settings: Settings, clock: Clock = clock_ms) -> tuple[Services, str]:
    """Check and connect the parts; nothing runs yet. Returns them with this process's name."""
    if not settings.root_key.exists():
        raise NotInitialisedError
    for folder in (settings.blobs, settings.anchors, *settings.key_places):
        if not folder.is_dir():
            raise UnsafeError("A folder of this installation is missing: bring it back, then run `muniment doctor`.")
    database = Database(settings.database_url)
    schema.require_head(database)
    instance = new_id("req", clock(), os.urandom)
    places = [FolderKeyPlace(path) for path in settings.key_places]
    return Services(
        settings=settings,
        database=database,
        ledger=Ledger(database, clock, instance),
        matrix=MatrixHolder(settings.policies),
        keys=KeyStore(
            LocalRootKey(settings.root_key), places, lambda: clock() / 1000, os.urandom, settings.key_cache_s
        ),
        blobs=LocalBlobs(settings.blobs),
        anchors=AnchorFolder(settings.anchors),
        probes=asyncio.Semaphore(PROBES),
        clock=clock,
        random=os.urandom,
    ), instance


@contextmanager
def _only_server(settings: Settings) -> Iterator[None]:
    """Hold the installation's lock file: two servers on one folder would take each other's open intents for dead."""
    path: Path = settings.home / "serving.lock"
    settings.home.mkdir(mode=0o700, parents=True, exist_ok=True)
    with path.open("w") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            raise UnsafeError("Muniment is running on this folder already. Stop it first.") from None
        yield

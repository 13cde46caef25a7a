"""The composition root: settings in, services out. The only place that knows which part stands behind which protocol.

`open_installation` refuses to run on anything that is not whole: a missing root key, key place, blob folder or anchor
folder, a bucket that is unsafe for what it is to hold, a database at another revision or one that could lose or show
what it must not, a policy that does not load, a
second server on the same folder. Without the log nothing can be recorded, and so nothing is served.
"""

from __future__ import annotations

import fcntl
import logging
import os
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing, contextmanager
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Final

from sqlalchemy import select

from service import rootkeys
from service.anchors.bucket import AnchorBucket
from service.anchors.folder import AnchorFolder
from service.anchors.store import Anchors
from service.aws import s3_client
from service.blobs.buckets import Holds, check_bucket
from service.blobs.local import LocalBlobs
from service.blobs.s3 import CONNECTIONS, MAX_BLOB_BYTES, S3Blobs
from service.blobs.store import BlobStore
from service.config import BucketLocation, Location, Settings
from service.crypto.bucketplaces import BucketKeyPlace
from service.crypto.keys import FolderKeyPlace, KeyPlace, KeyStore
from service.db import schema
from service.db.ids import new_id
from service.db.models import logs
from service.db.session import EVERY_LOG, Database
from service.errors import BadInputError, UnsafeError
from service.ledger import Clock, Ledger
from service.older import refuse_older
from service.recovery import close_intents
from service.render.probes import Probes
from service.scoping.matrix import MatrixHolder
from service.services import Services

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

PROBES = 2  # a probe may take 64 MiB and a core
_FEW_CONNECTIONS: Final = 8
_ANY_LOG: Final = select(logs.c.id).limit(1)
Few = Callable[[], "S3Client"]

logger = logging.getLogger(__name__)


def clock_ms() -> int:
    """UTC milliseconds, from the machine's clock."""
    return time.time_ns() // 1_000_000


def prepare(settings: Settings) -> None:
    """Make what an installation stands on: folders, root key, database at its revision. What is there stays.

    Buckets are made by the operator; they are checked, and marked as this installation's.

    Raises:
        WrongRevisionError: a PostgreSQL database is not at its revision; its owner migrates it.
    """
    for folder in (settings.home, settings.blobs):
        if isinstance(folder, Path):
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    few = _few(settings)
    _check_buckets(settings, few)
    new = _is_new(settings)
    if isinstance(settings.anchors, Path) and new:  # later, an empty folder would be one whose volume is not mounted
        AnchorFolder.create(settings.anchors)
    for place in settings.key_places:
        _make_key_place(place, few)
    if new and isinstance(settings.root_key, Path):
        rootkeys.make(str(settings.root_key))
    blobs = _blobs(settings)
    if isinstance(blobs, S3Blobs):
        blobs.prepare()
        blobs.close()
    with closing(Database(settings.database_url)) as database:
        if database.is_sqlite:
            schema.upgrade(database)
        else:  # tables are their owner's, and the service is not their owner
            schema.require_head(database)


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
        NotInitialisedError, OlderCopyError, WrongRevisionError, PolicyError, UnsafeError, KeyPlaceError, RootKeyError:
            it is not fit to run.
    """
    services, instance = wire(settings, clock)
    with ExitStack() as leaving:
        leaving.callback(_let_go, services.database, services.blobs)
        leaving.callback(services.probes.close)
        if serving:
            for sentence in services.keys.root.check():
                logger.warning("the root key is not as it should be", extra={"advice": sentence})
            rootkeys.require_opening(services.keys, services.database)
        if serving or reconciling:
            leaving.enter_context(_only_server(settings))
        services.ledger.start()
        leaving.callback(services.ledger.stop)
        if serving:
            refuse_older(services)
            close_intents(services, instance)
        yield services


def _let_go(database: Database, blobs: BlobStore) -> None:
    database.close()
    if isinstance(blobs, S3Blobs):
        blobs.close()


def wire(settings: Settings, clock: Clock = clock_ms) -> tuple[Services, str]:
    """Check and connect the parts; nothing runs yet. Returns them with this process's name."""
    root = rootkeys.open_root(settings)
    for folder in (settings.blobs, settings.anchors, *settings.key_places):
        if isinstance(folder, Path) and not folder.is_dir():
            raise UnsafeError("A folder of this installation is missing: bring it back, then run `muniment doctor`.")
    few = _few(settings)
    doubts = _check_buckets(settings, few)
    places = [_key_place(place, few) for place in settings.key_places]
    instance = new_id("req", clock(), os.urandom)
    database, blobs = Database(settings.database_url, settings.database_connections), _blobs(settings)
    with ExitStack() as refused:
        refused.callback(_let_go, database, blobs)
        if isinstance(blobs, S3Blobs) and not blobs.is_prepared():
            raise UnsafeError("The bucket for documents is not this installation's: its mark is missing.")
        schema.require_head(database)
        schema.require_safe(database)
        services = Services(
            settings=settings,
            database=database,
            ledger=Ledger(database, clock, instance),
            matrix=MatrixHolder(settings.policies),
            keys=KeyStore(root, places, lambda: clock() / 1000, os.urandom, settings.key_cache_s),
            blobs=blobs,
            anchors=_anchors(settings, few, clock),
            probes=Probes(PROBES),
            clock=clock,
            random=os.urandom,
            doubts=doubts,
        )
        refused.pop_all()  # nothing was refused
    return services, instance


def _is_new(settings: Settings) -> bool:
    """Say whether nothing was ever made here: there is no root key; where that is in KMS, there is no log."""
    if isinstance(settings.root_key, Path):
        return not settings.root_key.exists()
    with closing(Database(settings.database_url)) as database:
        if schema.current(database) is None:
            return True
        with database.read(EVERY_LOG) as tx:
            return tx.one(_ANY_LOG) is None


def _blobs(settings: Settings) -> BlobStore:
    if isinstance(settings.blobs, Path):
        return LocalBlobs(settings.blobs)
    if settings.max_upload_bytes > MAX_BLOB_BYTES // 1_001 * 1_000:  # sealing adds a thousandth
        raise UnsafeError("MUNIMENT_MAX_UPLOAD_BYTES is more than a bucket can hold in one object: lower it.")
    client = s3_client(region=settings.aws_region, endpoint=settings.s3_endpoint, connections=CONNECTIONS)
    return S3Blobs(client, settings.blobs.bucket, settings.blobs.prefix)


def _anchors(settings: Settings, few: Few, clock: Clock) -> Anchors:
    if isinstance(settings.anchors, Path):
        anchors = AnchorFolder(settings.anchors)
        anchors.require_mark()
        return anchors
    place = settings.anchors
    return AnchorBucket(few(), place.bucket, place.prefix, settings.anchor_days, clock)


def _few(settings: Settings) -> Few:
    """One client for all that is asked seldom, made when it is first wanted: making one takes longer than asking."""

    @cache
    def make() -> S3Client:
        return s3_client(region=settings.aws_region, endpoint=settings.s3_endpoint, connections=_FEW_CONNECTIONS)

    return make


def _check_buckets(settings: Settings, few: Few) -> tuple[str, ...]:
    """Refuse unsafe buckets; return, and log, what could not be told about the others."""
    given = [(settings.blobs, Holds.DOCUMENTS), (settings.anchors, Holds.ANCHORS)]
    given += [(place, Holds.KEYS) for place in settings.key_places]
    buckets = [(place.bucket, holds) for place, holds in given if isinstance(place, BucketLocation)]
    if not buckets:
        return ()
    names = {holds: {bucket for bucket, each in buckets if each is holds} for holds in Holds}
    if names[Holds.KEYS] & (names[Holds.DOCUMENTS] | names[Holds.ANCHORS]):
        raise UnsafeError("Keys share a bucket with what they open: give the keys one of their own.")
    doubts = tuple(doubt for bucket, holds in buckets for doubt in check_bucket(few(), bucket, holds))
    for doubt in doubts:
        logger.warning("%s", doubt)
    return doubts


def make_key_place_anew(settings: Settings, name: str) -> None:
    """Put the mark into a key place that was lost and is empty now; what is there stays.

    Raises:
        BadInputError: the settings name no such place.
        UnsafeError, KeyPlaceError: it is not fit, or cannot be written.
    """
    few = _few(settings)
    by_name = {_key_place(place, few).name: place for place in settings.key_places}
    if name not in by_name:
        raise BadInputError(f"There is no key place of that name. There are: {', '.join(by_name)}.")
    _make_key_place(by_name[name], few)


def _key_place(place: Location, few: Few) -> KeyPlace:
    if isinstance(place, Path):
        return FolderKeyPlace(place)
    return BucketKeyPlace(few(), place.bucket, place.prefix, str(place))


def _make_key_place(place: Location, few: Few) -> None:
    if isinstance(place, Path):
        FolderKeyPlace.create(place)
    else:
        BucketKeyPlace.create(few(), place.bucket, place.prefix, str(place))


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

"""What every use case works with. `service.wiring` makes one from the settings; tests make one from fakes."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from service.anchors.store import Anchors
from service.blobs.store import BlobStore
from service.config import Settings
from service.crypto.keys import KeyStore
from service.db.session import Database
from service.ledger import Clock, Ledger
from service.render.probes import Probes
from service.scoping.matrix import MatrixHolder


@dataclass(frozen=True, slots=True)
class Services:
    """The parts of one running installation."""

    settings: Settings
    database: Database
    ledger: Ledger
    matrix: MatrixHolder
    keys: KeyStore
    blobs: BlobStore
    anchors: Anchors
    probes: Probes  # processes that look at uploads
    clock: Clock  # UTC milliseconds
    random: Callable[[int], bytes]
    doubts: tuple[str, ...] = ()  # what the start could not tell about buckets and keys, a sentence each

"""Tombstones: that an engagement's keys were destroyed, said outside of the database, where no restore takes it back.

A tombstone is a note like a checkpoint's: a text, an empty line, and the signature of the firm's log, under a name of
its own so that it can never be read as a checkpoint. It is placed in the anchor store, written once, before the first
key dies. A restored database is held against it (`service.older`).

Source: docs/adr/0016-backup.md; C2SP signed-note (the form).
"""

from __future__ import annotations

import asyncio
import hmac
from base64 import b64encode
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import bindparam, select

from audit.checkpoint import VerifierKey
from service.anchors.store import AnchorConflictError
from service.crypto.signing import load_signing_key
from service.db.models import logs
from service.door import signing_key
from service.errors import UnsafeError
from service.services import Services

MOST_KEYS: Final = 1500  # that fit into a note; the keys of more parts are found by their rows
_NUMBER: Final = slice(4, 19)  # of a disposal's id: 60 bits, below what anchors take for a size
_LOG = select(logs.c.id, logs.c.key_id, logs.c.signing_key).where(logs.c.id == bindparam("log"))


@dataclass(frozen=True, slots=True)
class Tombstone:
    """What was destroyed for good: an engagement, by a disposal, with these keys."""

    firm_id: str
    engagement_id: str
    disposal_id: str
    key_ids: tuple[str, ...]

    @property
    def text(self) -> str:
        """What is signed: one id a line, under the name."""
        lines = (_name(self.firm_id), self.engagement_id, self.disposal_id, *self.key_ids)
        return "".join(f"{line}\n" for line in lines)


async def bury(services: Services, firm_id: str, engagement_id: str, disposal_id: str, key_ids: Sequence[str]) -> None:
    """Place the tombstone of an engagement; placing it again changes nothing, the first one stands.

    Raises:
        UnavailableError: the anchors cannot be written; no key may die before they can.
    """
    stone = Tombstone(firm_id, engagement_id, disposal_id, tuple(key_ids[:MOST_KEYS]))
    await asyncio.to_thread(_place, services, stone)


def _place(services: Services, stone: Tombstone) -> None:
    number = int(stone.disposal_id[_NUMBER], 16)
    try:
        services.anchors.put(_place_of(stone.firm_id), number, _signed(services, stone))
    except AnchorConflictError:
        return  # an earlier try of the same disposal


def standing(services: Services, firm_id: str) -> Iterator[tuple[Tombstone, bytes]]:
    """Yield the tombstones of a firm with their notes, unverified, oldest first.

    Raises:
        UnsafeError: something else lies in their place.
        UnavailableError: the anchors cannot be reached.
    """
    for _, note in services.anchors.all(_place_of(firm_id)):
        yield _parsed(firm_id, note), note


def require_signed(services: Services, stone: Tombstone, note: bytes) -> None:
    """Refuse a tombstone that the firm's log did not sign: it would make us destroy what nobody disposed of.

    Raises:
        UnsafeError: it did not.
        KeyMissingError, KeyPlaceError, SealError: the signing key cannot be opened.
    """
    # Ed25519 signatures are deterministic, so the one good note can be made again and compared.
    if not hmac.compare_digest(_signed(services, stone), note):
        raise UnsafeError(
            "A tombstone in the anchor store is not signed by this firm's log. Find out who put it there."
        )


def _signed(services: Services, stone: Tombstone) -> bytes:
    with services.database.read(stone.firm_id) as tx:
        log: Any = tx.one(_LOG, log=stone.firm_id)
    key = load_signing_key(signing_key(services.keys, log.key_id, log.signing_key, log.id))
    name = _name(stone.firm_id)
    key_id = VerifierKey(name, key.public_key().public_bytes_raw()).key_id
    signature = b64encode(key_id + key.sign(stone.text.encode())).decode()
    return f"{stone.text}\n\u2014 {name} {signature}\n".encode()


def _parsed(firm_id: str, note: bytes) -> Tombstone:
    text, _, _ = note.decode(errors="replace").partition("\n\n")
    name, *ids = text.split("\n")
    if name != _name(firm_id) or len(ids) < len(("engagement", "disposal")):
        raise UnsafeError("What lies among the tombstones in the anchor store is none. Find out who put it there.")
    return Tombstone(firm_id, ids[0], ids[1], tuple(ids[2:]))


def _name(firm_id: str) -> str:
    return f"muniment/{firm_id}/tombstone"


def _place_of(firm_id: str) -> str:
    return f"{firm_id}_ended"

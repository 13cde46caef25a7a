"""From a setting to a root key: a file of our own, or a key that never leaves AWS KMS.

``MUNIMENT_ROOT_KEY`` names the one that wraps. While it is rotated ``MUNIMENT_ROOT_KEY_OLD`` names the one before: it
still opens, and wraps nothing.
"""

from __future__ import annotations

from pathlib import Path
from typing import Final

from sqlalchemy import select

from service.aws import kms_client
from service.config import Settings
from service.crypto.keys import KeyStore
from service.crypto.kms import LocalRootKey, RootKey
from service.crypto.kms_aws import KmsRootKey
from service.crypto.roots import ChangingRoot
from service.db.models import logs
from service.db.session import EVERY_LOG, Database
from service.errors import BadInputError, KeyMissingError, KeyPlaceError, SealError, UnsafeError

KMS: Final = "aws-kms:"
_LOG = select(logs.c.key_id).order_by(logs.c.id).limit(1)


def open_root(settings: Settings) -> RootKey:
    """The root key of an installation; while it is rotated, both.

    Raises:
        NotInitialisedError, UnsafeError: a file is missing, damaged, or others may read it; or both name one key.
    """
    named, before = str(settings.root_key), settings.root_key_old
    new = _open(named, settings)
    if not before:
        return new
    old = _open(before, settings)
    if old.describe() == new.describe():
        raise UnsafeError("MUNIMENT_ROOT_KEY and MUNIMENT_ROOT_KEY_OLD name the same root key. Leave out the second.")
    return ChangingRoot(new, old)


def require_opening(keys: KeyStore, database: Database) -> None:
    """Make sure that the root key is this installation's: that it opens a key of a log.

    Raises:
        UnsafeError: it does not.
        RootKeyError: it cannot be asked.
    """
    with database.read(EVERY_LOG) as tx:
        found = tx.one(_LOG)
    if found is None:
        return
    try:
        keys.open(found.key_id)
    except SealError:
        raise UnsafeError(
            "The root key does not open the keys of this installation. Set MUNIMENT_ROOT_KEY to the one in use; if it "
            "is being rotated, MUNIMENT_ROOT_KEY_OLD to the one before."
        ) from None
    except (KeyMissingError, KeyPlaceError):
        return  # a place's trouble, which the doctor names


def is_local(named: str) -> bool:
    """Say whether a setting names a file."""
    return not named.startswith(KMS)


def make(named: str) -> LocalRootKey:
    """Make the file of a new root key.

    Raises:
        BadInputError: the name is that of a key in KMS, where keys are made by whoever runs the account.
        ExistsError, UnsafeError: see `LocalRootKey.create`.
    """
    if not is_local(named):
        raise BadInputError("A root key in KMS is made in KMS. Name a file here.")
    return LocalRootKey.create(Path(named))


def _open(named: str, settings: Settings) -> RootKey:
    if is_local(named):
        return LocalRootKey(Path(named))
    client = kms_client(region=settings.aws_region, endpoint=settings.kms_endpoint)
    return KmsRootKey(client, named.removeprefix(KMS))

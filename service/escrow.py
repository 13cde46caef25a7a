"""Escrow: the root key in two shares, for two people who each hold one.

An escrow is written on purpose and recorded in the deployment's log. It opens nothing without a key place, so a key
that was destroyed in every place stays destroyed. A root key in a KMS cannot leave it.

Source: docs/adr/0014-rotation.md.
"""

from __future__ import annotations

from pathlib import Path

from service import events
from service.config import Settings
from service.crypto import files
from service.crypto.escrow import MAX_SHARE_BYTES, join
from service.crypto.kms import LocalRootKey
from service.crypto.roots import ChangingRoot
from service.crypto.wrapping import Random
from service.db.session import Tx
from service.errors import BadInputError, ExistsError, UnsafeError
from service.events import EventType
from service.ledger import Moment, Outcome
from service.rotation.begun import WORD, require_deployment
from service.services import Services


def write(services: Services, first: Path, second: Path, random: Random) -> str:
    """Write the root key as two files of mode 0600, after recording that it is done.

    Blocks. Returns the name of the key that was written.

    Raises:
        BadInputError: the root key is held in a KMS, or both files would lie in one folder.
        ExistsError, UnsafeError: a file is there, or cannot be written; none is left.
    """
    root = services.keys.root
    root = root.new if isinstance(root, ChangingRoot) else root
    if not isinstance(root, LocalRootKey):
        raise BadInputError("A root key in KMS cannot leave it: what KMS itself offers against its loss is its escrow.")
    if first.resolve().parent == second.resolve().parent:
        raise BadInputError("Two shares in one folder are one copy of the key. Name files in two folders.")
    if first.exists() or second.exists():
        raise ExistsError("A file of that name is there. A share never replaces anything.")

    def job(_tx: Tx, _moment: Moment) -> Outcome[None]:
        return Outcome(None, (events.changed(EventType.KEY_ESCROWED, events.system(WORD)),))

    services.ledger.run(require_deployment(services), job)
    one, other = root.share(random)
    _write(first, one)
    try:
        _write(second, other)
    except BaseException:
        first.unlink()
        raise
    return root.describe()


def restore(settings: Settings, first: Path, second: Path) -> LocalRootKey:
    """Make the file of the root key that the settings name from both shares.

    Raises:
        BadInputError: the settings name a key in KMS; the shares are damaged, the same one, or of different escrows.
        ExistsError, UnsafeError: there is a root key file, or it cannot be written.
    """
    if not isinstance(settings.root_key, Path):
        raise BadInputError("MUNIMENT_ROOT_KEY names a key in KMS. Name the file that the shares are to make.")
    return LocalRootKey.restore(settings.root_key, join(_read(first), _read(second)))


def _write(path: Path, text: bytes) -> None:
    try:
        with files.any_folder(path.parent) as folder:
            files.write_new(folder, path.name, text)
    except FileExistsError:
        raise ExistsError("A file of that name is there. A share never replaces anything.") from None
    except OSError as error:
        raise UnsafeError("A share cannot be written. Make its folder, and make it writable.") from error


def _read(path: Path) -> bytes:
    try:
        with files.any_folder(path.parent) as folder:
            return files.read_small(folder, path.name, MAX_SHARE_BYTES)
    except OSError as error:
        raise BadInputError("A share cannot be read. Name both files; each must be of mode 0600.") from error

"""The root key: what wraps the keys of firms and engagements.

Rules kept here: the root key wraps keys and nothing else; a key file that others may read is refused rather than used;
the key never appears in an error. A root key held elsewhere (a KMS) satisfies the same protocol.

Source: service/crypto/FORMAT.md, section 7.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import os
import re
from pathlib import Path
from typing import Final, Protocol

from service.crypto import escrow, files, wrapping
from service.crypto.wrapping import Random, SecretKey
from service.errors import ExistsError, NotInitialisedError, UnsafeError

_COMMENT: Final = (
    b"# Muniment root key. Whoever has this file and a key place can open everything. Keep a copy apart from both.\n"
)
_FILE: Final = re.compile(re.escape(_COMMENT) + rb"muniment-root-key v1 ([A-Za-z0-9+/]{43}=) ([0-9a-f]{16})\n")
_ID_LABEL: Final = b"muniment root key id v1\x00"
_MAX_FILE_BYTES: Final = 1_024


class RootKey(Protocol):
    """Wraps and unwraps keys; the key itself stays where it is.

    A context given to `wrap` must be given to `unwrap`. Safe from several threads at once.
    """

    def wrap(self, key: SecretKey, context: bytes) -> bytes:
        """Seal ``key`` bound to ``context``; at most 2,048 bytes.

        Raises:
            UnavailableError: the root key cannot be reached.
        """
        ...

    def unwrap(self, wrapped: bytes, context: bytes) -> SecretKey:
        """Open what `wrap` sealed.

        Raises:
            SealError: it was not sealed by this root key for this context, or was changed.
            UnavailableError: the root key cannot be reached.
        """
        ...

    def check(self) -> tuple[str, ...]:
        """Make sure that it can be relied upon; for the start of a server and for the doctor.

        Returns: what is not as it should be without being in the way, a sentence each.

        Raises:
            UnsafeError: it is not fit to be a root key.
            UnavailableError: it cannot be reached.
        """
        ...

    def describe(self) -> str:
        """Name the root key for an operator, without showing it."""
        ...


class LocalRootKey:
    """A root key in a file that only we may read."""

    def __init__(self, path: Path, random: Random = os.urandom) -> None:
        """Read the key.

        Args:
            path: the file.
            random: gives nonces.

        Raises:
            NotInitialisedError: there is no file.
            UnsafeError: others may read or write it, it is a link, or it is damaged.
        """
        self._random = random
        self._key = _parse(_read(path))

    @classmethod
    def create(cls, path: Path, random: Random = os.urandom) -> LocalRootKey:
        """Make a new root key at ``path``, durable when this returns, and read it back.

        Raises:
            ExistsError: the file is there; a root key is never replaced.
            UnsafeError: it cannot be written.
        """
        return cls.restore(path, SecretKey(random(wrapping.KEY_BYTES)), random)

    @classmethod
    def restore(cls, path: Path, key: SecretKey, random: Random = os.urandom) -> LocalRootKey:
        """Write the file of a root key that was kept elsewhere; see `create`."""
        raw = key.reveal()
        line = b"muniment-root-key v1 " + base64.b64encode(raw) + b" " + _identify(raw).encode() + b"\n"
        try:
            files.make_private_folder(path.parent)
            with files.any_folder(path.parent) as folder:
                files.write_new(folder, path.name, _COMMENT + line)
        except FileExistsError:
            raise ExistsError("There is a root key file already. It is never replaced.") from None
        except OSError as error:
            raise UnsafeError("The root key file cannot be written. Make its folder writable for Muniment.") from error
        return cls(path, random)

    def wrap(self, key: SecretKey, context: bytes) -> bytes:
        """See `RootKey.wrap`. 61 bytes."""
        return wrapping.wrap(self._key, key, context, self._random)

    def unwrap(self, wrapped: bytes, context: bytes) -> SecretKey:
        """See `RootKey.unwrap`."""
        return wrapping.unwrap(self._key, wrapped, context)

    def check(self) -> tuple[str, ...]:
        """See `RootKey.check`. The file was looked at when it was read."""
        return ()

    def describe(self) -> str:
        """Name the key by the first 16 hex digits of its hash."""
        return f"local file, key {_identify(self._key.reveal())}"

    def share(self, random: Random) -> tuple[bytes, bytes]:
        """Split the key for escrow; see `service.crypto.escrow.split`."""
        return escrow.split(self._key, random)

    def __repr__(self) -> str:
        return f"LocalRootKey({self.describe()})"


def _identify(raw: bytes) -> str:
    return hashlib.sha256(_ID_LABEL + raw).hexdigest()[:16]


def _read(path: Path) -> bytes:
    try:
        with files.any_folder(path.parent) as folder:
            return files.read_small(folder, path.name, _MAX_FILE_BYTES)
    except FileNotFoundError:
        raise NotInitialisedError("There is no root key file. Run `muniment init`, or put the copy back.") from None
    except OSError as error:
        raise UnsafeError("The root key file cannot be read. It must be a plain file of mode 0600.") from error


def _parse(text: bytes) -> SecretKey:
    found = _FILE.fullmatch(text)
    if found is None:
        raise UnsafeError("The root key file is damaged. Put the copy back.")
    raw = base64.b64decode(found[1])
    if not hmac.compare_digest(_identify(raw).encode(), found[2]):
        raise UnsafeError("The root key file is damaged. Put the copy back.")
    return SecretKey(raw)

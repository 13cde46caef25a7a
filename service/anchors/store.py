"""Where checkpoints are kept, each written once: what every such place promises, whatever it is made of.

Source: https://c2sp.org/tlog-checkpoint (what a note is; nothing here reads it).
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final, Protocol

from service.errors import BadInputError, UnsafeError

MAX_NOTE_BYTES: Final = 65_536
MAX_SIZE: Final = 2**63 - 1
_LOG_ID: Final = re.compile(r"[a-z0-9_]{1,64}")


class AnchorConflictError(UnsafeError):
    """Two different checkpoints of one log have the same size: the log was forked or rewritten.

    Args:
        size: of both.
        kept: the note that was here first, and stays.
        offered: the note that was refused.
    """

    code = "anchor_conflict"
    title = "The log contradicts its anchor"
    detail = (
        "Another checkpoint of this size is anchored already. Stop writing, keep the database and the anchors as they "
        "are, and compare both with `muniment audit verify`."
    )

    def __init__(self, size: int, kept: bytes, offered: bytes) -> None:
        super().__init__(extra={"size": size})
        self.size, self.kept, self.offered = size, kept, offered


class Anchors(Protocol):
    """Keeps checkpoints. Blocks; safe from several threads."""

    def put(self, log_id: str, size: int, note: bytes) -> None:
        """Keep ``note``, durable when this returns. The same note again is no error.

        Args:
            log_id: letters, digits and underscores, at most 64.
            size: the checkpoint's size, below 2**63.
            note: the signed note, 1 to 65,536 bytes.

        Raises:
            AnchorConflictError: there is another note of this size.
            UnavailableError: the place cannot be reached or written. The note may be there all the same.
            BadInputError: an argument has another form.
        """
        ...

    def newest(self, log_id: str) -> tuple[int, bytes] | None:
        """Return the largest size and its note; None where none was ever kept.

        Raises:
            AnchorConflictError: the place holds two notes of that size.
            UnavailableError: the place cannot be reached.
        """
        ...

    def all(self, log_id: str) -> Iterator[tuple[int, bytes]]:
        """Yield every (size, note) of a log, from the smallest on.

        Raises:
            AnchorConflictError: the place holds two notes of one size.
            UnavailableError: the place cannot be reached.
        """
        ...


def check_log_id(log_id: str) -> str:
    """Return ``log_id`` when it has the form of an id; a path, a dot or a slash never has.

    Raises:
        BadInputError: it has another form.
    """
    if not _LOG_ID.fullmatch(log_id):
        raise BadInputError("This is not the id of a log.")
    return log_id


def check_note(size: int, note: bytes) -> None:
    """Refuse what cannot be a checkpoint.

    Raises:
        BadInputError: the size or the note's length is out of bounds.
    """
    if not 0 <= size <= MAX_SIZE or not 1 <= len(note) <= MAX_NOTE_BYTES:
        raise BadInputError("This is not a checkpoint.")

"""What jobs are made of: the moment, the drafts of entries, the outcome and the refusal.

Named tuples, because a request makes several of each: a frozen dataclass takes four times as long to make.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import Enum
from types import MappingProxyType
from typing import Final, Generic, NamedTuple, TypeVar

from service.db.session import Tx
from service.errors import MunimentError

T = TypeVar("T")
Clock = Callable[[], int]  # UTC milliseconds
NO_SUBJECTS: Final[Mapping[str, str]] = MappingProxyType({})


class Place(Enum):
    """Where an asker is, when that is not one address."""

    INSIDE = "inside"  # any network that may be wanted: for saying what somebody could see from the right place


Address = str | Place | None
"""Where an asker's connection comes from, as the server names it; None where that cannot be said."""


class Moment(NamedTuple):
    """The one time that a job decides, changes and records by, and the place that is asked from."""

    ms: int  # UTC milliseconds: the clock, or the log's last entry where that is later
    address: Address = None  # for deciding alone: it never enters an entry, a log line or a row

    @property
    def s(self) -> int:
        """UTC seconds, as rows and rules count."""
        return self.ms // 1000


@dataclass(frozen=True, slots=True)
class SealedPayload:
    """Names that belong to an entry, sealed beside it."""

    commitment: str  # hex SHA-256, stands in the entry
    sealed: bytes
    holder: str  # id of the firm, engagement, part or person whose field key seals it


class Opening(NamedTuple):
    """A body that a vendor's member is about to be sent, for the brakes to count with its announcement."""

    membership_id: str
    minute: int  # UTC seconds divided by 60
    revision_id: str
    counted: int  # 1: as a document; 0: it was, within the hour before
    size_bytes: int


class Draft(NamedTuple):
    """An entry before the ledger gives it its place: everything but log, index, time and chain."""

    type: str
    outcome: str
    actor: Mapping[str, str]
    subjects: Mapping[str, str] = NO_SUBJECTS
    action: str | None = None
    rule: str | None = None
    facts: tuple[str, ...] | None = None
    policy: str | None = None
    nda: str | None = None
    header: bytes | None = None
    request: str | None = None
    data: Mapping[str, str | int | bool | list[str]] | None = None
    payload: SealedPayload | None = None
    announces: bool = False  # an intent: its outcome must follow
    closes: int | None = None  # index of the intent that this is the outcome of
    ends_access: bool = False  # open bodies must be decided again
    opening: Opening | None = None  # counted with this entry, or not at all


class Outcome(NamedTuple, Generic[T]):
    """What a job answers: its result and the entries to append."""

    result: T
    drafts: tuple[Draft, ...] = ()


class Recorded(NamedTuple, Generic[T]):
    """A result whose entries are durable."""

    result: T
    indexes: tuple[int, ...]
    leaf_hashes: tuple[bytes, ...]
    moment: Moment


class Refused(Exception):  # noqa: N818  # not an error of ours: the answer "no", with what to record of it
    """A job ends with an error for the caller and entries for the log; its changes are undone."""

    def __init__(self, error: MunimentError, drafts: tuple[Draft, ...] = ()) -> None:
        super().__init__(error.code)
        self.error = error
        self.drafts = drafts


Job = Callable[[Tx, Moment], Outcome[T]]

"""What a refused person is told: policies/answers.csv, read strictly, and the state that a refusal is in.

Rules kept here:

* what is not listed answers as if it did not exist: 404 with one and the same sentence, whatever the true state;
* a vendor person is told 403 about a document only when it is on his list, or when the answer is the same for every
  id that could be named (his role or his token never covers the act);
* every (state, kind, side) has exactly one answer, and every row answers something: the table is checked when it is
  loaded, so there is no default to fall into.

It does not decide: it gets a refusal and finds its words.

Source: policies/README.md; docs/adr/0007-answers.md.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum, unique
from itertools import product
from types import MappingProxyType
from typing import Final

from service.errors import MunimentError, NotFoundError, PolicyError, all_errors
from service.scoping.actions import Fact, Side
from service.scoping.rules import Row, one_of, read_rows, words

ANSWERS_FILE: Final = "answers.csv"
ANSWERS_COLUMNS: Final = ("state", "kind", "side", "listed", "status", "code", "words")
OWN_SENTENCE: Final = "-"


@unique
class Kind(StrEnum):
    """What kind of thing an act is on."""

    DOCUMENT = "document"
    PART = "part"
    ENGAGEMENT = "engagement"
    MATTER = "matter"
    FIRM = "firm"
    SELF = "self"


@unique
class State(StrEnum):
    """Why an act is refused, as the log and `explain` know it; what the asker hears is in answers.csv."""

    ABILITY_MISSING = "ability_missing"
    ABOVE_CEILING = "above_ceiling"
    ABSENT = "absent"
    DISPOSED = "disposed"
    DUTY_MISSING = "duty_missing"
    ERROR = "error"
    EXPIRED = "expired"
    MOVED = "moved"
    NARROWED = "narrowed"
    NEVER_GRANTED = "never_granted"
    NOT_ASKED = "not_asked"
    NOT_LIVE = "not_live"
    NOT_ON_CALL = "not_on_call"
    NOT_YET = "not_yet"
    OUTSIDE_WINDOW = "outside_window"
    REVOKED = "revoked"
    ROLE = "role"
    SECOND_NEEDED = "second_needed"
    STEP_UP_NEEDED = "step_up_needed"
    SUSPENDED = "suspended"
    TAKEN_BACK = "taken_back"
    TOKEN_ENDED = "token_ended"
    WALLED = "walled"


SAME_FOR_EVERY_ID: Final = frozenset({State.NARROWED, State.ROLE, State.TOKEN_ENDED})
"""States that depend on the asker and the act alone: answering them openly says nothing about any thing."""

_BY_PRECEDENCE: Final = (
    # Who has no way to the thing hears nothing of walls, dates or duties.
    (
        Fact.ASSIGNED | Fact.OWN | Fact.KNOWN | Fact.NAMED | Fact.BREAK_GLASS | Fact.DISCLOSED,
        State.NEVER_GRANTED,
    ),
    (Fact.ASKED, State.NOT_ASKED),
    (Fact.WALLED, State.WALLED),
    (Fact.SUSPENDED, State.SUSPENDED),
    (Fact.LIVE, State.NOT_LIVE),
    (Fact.WINDOW, State.OUTSIDE_WINDOW),
    (Fact.DUTIES, State.DUTY_MISSING),
    (Fact.STEPPED_UP, State.STEP_UP_NEEDED),
    (Fact.SECONDED, State.SECOND_NEEDED),
    (Fact.ON_CALL, State.NOT_ON_CALL),
)


def state_of(missing: int, blocking: int) -> State:
    """Return the state of a refusal from the facts that were missing and those that shut it.

    Args:
        missing: the smallest set of `Fact` bits that would have opened it; 0 where nothing would.
        blocking: the `Fact` bits that shut it.
    """
    if blocking & Fact.NARROWED:
        return State.NARROWED
    for facts, state in _BY_PRECEDENCE:
        if (missing | blocking) & facts:
            return state
    return State.ABOVE_CEILING


@dataclass(frozen=True, slots=True)
class Reply:
    """One row of answers.csv."""

    listed: bool
    error: type[MunimentError]
    sentence: str | None  # None: the error's own

    def raised(self, **extra: object) -> MunimentError:
        """Return the error to raise, with further safe members for the problem document."""
        return self.error(self.sentence, extra=extra)


class AnswerTable:
    """The checked rows of answers.csv."""

    __slots__ = ("_replies",)

    def __init__(self, replies: Mapping[tuple[State, Kind, Side], Reply]) -> None:
        self._replies = MappingProxyType(dict(replies))

    @classmethod
    def read(cls, data: bytes) -> AnswerTable:
        """Read the file's bytes.

        Raises:
            PolicyError: an unknown word, a status that is not the code's, a case without an answer, a row that
                answers nothing, or an answer that would tell what may not be known.
        """
        errors = {error.code: error for error in all_errors()}
        replies: dict[tuple[State, Kind, Side], Reply] = {}
        for row in read_rows(ANSWERS_FILE, data, ANSWERS_COLUMNS):
            reply = _reply(row, errors)
            cases = [case for case in _cases(row) if case not in replies]
            if not cases:
                raise PolicyError(f"{row.where}: this row answers nothing that is not answered above.")
            for case in cases:
                _check_silence(row, case, reply)
                replies[case] = reply
        for case in product(State, Kind, Side):
            if case not in replies:
                raise PolicyError(f"{ANSWERS_FILE}: no answer for {', '.join(case)}.")
        return cls(replies)

    def reply(self, state: State, kind: Kind, side: Side) -> Reply:
        """Return the answer for a refusal."""
        return self._replies[state, kind, side]


def _cases(row: Row) -> product[tuple[State, Kind, Side]]:
    state, kind, side = row.cells[:3]
    return product(
        [one_of(row, "state", state, State)],
        sorted(words(row, "kind", kind, Kind)),
        sorted(words(row, "side", side, Side)),
    )


def _reply(row: Row, errors: Mapping[str, type[MunimentError]]) -> Reply:
    listed, status, code, sentence = row.cells[3:]
    if listed not in ("yes", "no"):
        raise PolicyError(f"{row.where}: listed is neither yes nor no.")
    error = errors.get(code)
    if error is None or str(error.status) != status:
        raise PolicyError(f"{row.where}: no error has this code and this status.")
    return Reply(listed == "yes", error, None if sentence == OWN_SENTENCE else sentence)


def _check_silence(row: Row, case: tuple[State, Kind, Side], reply: Reply) -> None:
    """Refuse an answer by which two things that may not be known could be told apart."""
    state, kind, side = case
    if reply.error is NotFoundError and (reply.listed or reply.sentence is not None):
        raise PolicyError(f"{row.where}: a 404 is not listed and has the one sentence that all 404s have.")
    if state in SAME_FOR_EVERY_ID or kind not in (Kind.DOCUMENT, Kind.PART) or side is not Side.VENDOR:
        return
    if not reply.listed and reply.error is not NotFoundError:
        raise PolicyError(f"{row.where}: to a vendor, a document that is not listed does not exist.")

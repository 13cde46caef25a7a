"""Every error that Muniment can answer with: one tree, one stable code each.

Rules kept here:

* a class carries its code (stable for ever), HTTP status, CLI exit code and one safe sentence that says what to do;
* a message names no titles, keys, addresses, SQL or other people's things: whatever varies is a word of our own
  vocabulary (a role, a label, a field name) passed as ``detail``;
* what the asker may not know about is `NotFoundError`, whatever the true reason.

The table in docs/errors.md is generated from this module, and a test compares the two.

Source: RFC 9457 (problem details), docs/adr/0007-answers.md.
"""

from service.errors.asking import (
    AbilityMissingError,
    AboveCeilingError,
    AccessEndedError,
    DisposedError,
    DutyMissingError,
    ForbiddenError,
    HeldError,
    NarrowTokenError,
    NotFoundError,
    NotOnCallError,
    OutsideWindowError,
    SecondPersonNeededError,
    SuspendedError,
    TooManyAccessRequestsError,
    TooManyAttemptsError,
    UnauthenticatedError,
)
from service.errors.lacking import (
    BlobMissingError,
    ClockBehindError,
    KeyMissingError,
    KeyPlaceError,
    LedgerUnavailableError,
    OutcomeUnknownError,
    RootKeyError,
    SealError,
    StoreFullError,
    StoreUnavailableError,
    UnavailableError,
)
from service.errors.operator import NotInitialisedError, OlderCopyError, PolicyError, UnsafeError, WrongRevisionError
from service.errors.root import (
    EXIT_BAD_INPUT,
    EXIT_CONFLICT,
    EXIT_NOT_FOUND,
    EXIT_REFUSED,
    EXIT_UNAVAILABLE,
    EXIT_UNSAFE,
    MunimentError,
    all_errors,
)
from service.errors.sent import (
    BadCursorError,
    BadInputError,
    BadStateError,
    BadTitleError,
    ExistsError,
    IdempotencyMismatchError,
    IncompleteBodyError,
    MethodError,
    PreconditionMissingError,
    RangeError,
    SetChangedError,
    SlowBodyError,
    StaleError,
    TooLargeError,
)

__all__ = [
    "EXIT_BAD_INPUT",
    "EXIT_CONFLICT",
    "EXIT_NOT_FOUND",
    "EXIT_REFUSED",
    "EXIT_UNAVAILABLE",
    "EXIT_UNSAFE",
    "AbilityMissingError",
    "AboveCeilingError",
    "AccessEndedError",
    "BadCursorError",
    "BadInputError",
    "BadStateError",
    "BadTitleError",
    "BlobMissingError",
    "ClockBehindError",
    "DisposedError",
    "DutyMissingError",
    "ExistsError",
    "ForbiddenError",
    "HeldError",
    "IdempotencyMismatchError",
    "IncompleteBodyError",
    "KeyMissingError",
    "KeyPlaceError",
    "LedgerUnavailableError",
    "MethodError",
    "MunimentError",
    "NarrowTokenError",
    "NotFoundError",
    "NotInitialisedError",
    "NotOnCallError",
    "OlderCopyError",
    "OutcomeUnknownError",
    "OutsideWindowError",
    "PolicyError",
    "PreconditionMissingError",
    "RangeError",
    "RootKeyError",
    "SealError",
    "SecondPersonNeededError",
    "SetChangedError",
    "SlowBodyError",
    "StaleError",
    "StoreFullError",
    "StoreUnavailableError",
    "SuspendedError",
    "TooLargeError",
    "TooManyAccessRequestsError",
    "TooManyAttemptsError",
    "UnauthenticatedError",
    "UnavailableError",
    "UnsafeError",
    "WrongRevisionError",
    "all_errors",
]

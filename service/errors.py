"""Every error that Muniment can answer with: one tree, one stable code each.

Rules kept here:

* a class carries its code (stable for ever), HTTP status, CLI exit code and one safe sentence that says what to do;
* a message names no titles, keys, addresses, SQL or other people's things: whatever varies is a word of our own
  vocabulary (a role, a label, a field name) passed as ``detail``;
* what the asker may not know about is `NotFoundError`, whatever the true reason.

The table in docs/errors.md is generated from this module, and a test compares the two.

Source: RFC 9457 (problem details), docs/adr/0007-answers.md.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import ClassVar

EXIT_REFUSED = 3
EXIT_BAD_INPUT = 4
EXIT_NOT_FOUND = 5
EXIT_CONFLICT = 6
EXIT_UNAVAILABLE = 7
EXIT_UNSAFE = 8


class MunimentError(Exception):
    """Something was refused or failed, in a way a person can act upon.

    Args:
        detail: one sentence that may be shown to the asker; the class's own sentence where it is left out.
        extra: further safe members for the problem document (words, ids the asker already named, numbers).
    """

    code: ClassVar[str] = "internal"
    status: ClassVar[int] = 500
    exit_code: ClassVar[int] = 1
    title: ClassVar[str] = "Something went wrong on our side"
    detail: ClassVar[str] = "Nothing was changed and nothing was shown. Try again; if it stays so, tell your operator."
    retry_after_s: ClassVar[int | None] = None

    def __init__(self, detail: str | None = None, *, extra: Mapping[str, object] | None = None) -> None:
        self.message = detail or self.detail
        self.extra = dict(extra or {})
        super().__init__(f"{self.code}: {self.message}")


# Who is asking -------------------------------------------------------------------------------------------------------


class UnauthenticatedError(MunimentError):
    """The caller showed no credential that is in force."""

    code, status, exit_code = "unauthenticated", 401, EXIT_REFUSED
    title = "Not signed in"
    detail = "Send a bearer token that is in force. Ask your firm for a new one if yours has expired or was withdrawn."


class TooManyAttemptsError(MunimentError):
    """Too many requests without a valid credential came from one source."""

    code, status, exit_code = "too_many_attempts", 429, EXIT_REFUSED
    title = "Too many attempts"
    detail = "Wait a minute, then try again with a token that is in force."
    retry_after_s = 60


# What may be done ----------------------------------------------------------------------------------------------------


class NotFoundError(MunimentError):
    """There is no such thing, as far as the asker may know."""

    code, status, exit_code = "not_found", 404, EXIT_NOT_FOUND
    title = "Not found"
    detail = "There is nothing here that you may see. Check the id, or ask the attorney who assigned the work."


class ForbiddenError(MunimentError):
    """The asker may know the thing, but not do this with it."""

    code, status, exit_code = "forbidden", 403, EXIT_REFUSED
    title = "Not allowed"
    detail = "Your role does not include this. Ask the attorney who leads the engagement."


class AbilityMissingError(ForbiddenError):
    """The document is shared, but not with this ability."""

    code = "ability_missing"
    title = "Not shared in this way"
    detail = "This document is shared with you, but not for this. Ask the attorney who shared it."


class AboveCeilingError(ForbiddenError):
    """A grant would give more than the recipient's role may ever hold."""

    code = "above_ceiling"
    title = "Above the role's ceiling"
    detail = "The recipient's role may never hold this. Share less, or share it with somebody whose role may."


class DutyMissingError(ForbiddenError):
    """A duty (an NDA, say) is not in force."""

    code = "duty_missing"
    title = "A duty is missing"
    detail = "Something must be signed or recorded first: see /api/v1/me for what is missing."


class OutsideWindowError(ForbiddenError):
    """The membership or engagement is not open at this time."""

    code = "outside_window"
    title = "Outside the agreed time"
    detail = "Your access is not open at this time. Ask the attorney who leads the engagement."


class SuspendedError(ForbiddenError):
    """The membership or person is suspended."""

    code = "suspended"
    title = "Access is suspended"
    detail = "Your access is suspended. Ask the attorney who leads the engagement."


class NarrowTokenError(ForbiddenError):
    """The token was made for less than this act."""

    code = "token_too_narrow"
    title = "This token may not do that"
    detail = "The token was made for fewer things. Use one that covers this act."


class AccessEndedError(ForbiddenError):
    """Access ended while a body was open; the rest of it is not sent."""

    code = "access_ended"
    title = "Access has ended"
    detail = "Your access to this document ended while it was being sent. What you received is not the whole file."


class SecondPersonNeededError(ForbiddenError):
    """The act needs a second, different person."""

    code = "second_person_needed"
    title = "A second person must agree"
    detail = "Somebody else of the firm, with a token of their own, must do this."


class DisposedError(MunimentError):
    """The data was destroyed; a certificate says when and how."""

    code, status, exit_code = "disposed", 410, EXIT_NOT_FOUND
    title = "Destroyed"
    detail = "This was destroyed when its engagement ended. The certificate says when and how."


class HeldError(MunimentError):
    """A legal hold forbids destruction."""

    code, status, exit_code = "held", 409, EXIT_CONFLICT
    title = "A legal hold is in force"
    detail = "A matter of this engagement is under legal hold. Lift the hold first, if that is right."


# What was sent -------------------------------------------------------------------------------------------------------


class BadInputError(MunimentError):
    """The request is not of the form that is asked for."""

    code, status, exit_code = "bad_input", 422, EXIT_BAD_INPUT
    title = "The request cannot be read"
    detail = "Correct the fields named below and send it again. Nothing was changed."


class MethodError(BadInputError):
    """The address exists, but not for this method."""

    code, status = "method_not_allowed", 405
    title = "Not possible in this way"
    detail = "This address takes other methods: see the Allow header, and /api/v1/openapi.json."


class BadTitleError(BadInputError):
    """A title is empty, too long, or holds characters that could deceive a reader."""

    code = "bad_title"
    title = "This title cannot be kept"
    detail = (
        "Send 1 to 255 characters without control characters or hidden direction marks, in the header Muniment-Title "
        "(RFC 8187: UTF-8''percent-encoded)."
    )


class BadCursorError(BadInputError):
    """A page cursor was not made by this service for this list."""

    code = "bad_cursor"
    title = "This page mark is not valid"
    detail = "Start again from the first page."


class BadStateError(MunimentError):
    """The thing is not in a state in which this can be done."""

    code, status, exit_code = "bad_state", 409, EXIT_CONFLICT
    title = "Not possible now"
    detail = "Its state has moved on. Read it again and see what can be done next."


class ExistsError(MunimentError):
    """The same thing exists already."""

    code, status, exit_code = "exists", 409, EXIT_CONFLICT
    title = "Already there"
    detail = "The same thing exists already. Use that one."


class IdempotencyMismatchError(MunimentError):
    """An Idempotency-Key was used again for another request."""

    code, status, exit_code = "idempotency_mismatch", 422, EXIT_BAD_INPUT
    title = "This Idempotency-Key was used for something else"
    detail = "Use a new key for a new request; send the very same request to learn what became of the first."


class PreconditionMissingError(MunimentError):
    """A change came without If-Match."""

    code, status, exit_code = "precondition_missing", 428, EXIT_CONFLICT
    title = "If-Match is needed"
    detail = "Read the thing first and send its ETag in If-Match, so that nobody's change is lost."


class StaleError(MunimentError):
    """If-Match names an older version."""

    code, status, exit_code = "stale", 412, EXIT_CONFLICT
    title = "Changed meanwhile"
    detail = "Somebody changed it since you read it. Read it again, then decide."


class TooLargeError(MunimentError):
    """The body is larger than is accepted."""

    code, status, exit_code = "too_large", 413, EXIT_BAD_INPUT
    title = "Too large"
    detail = "The file is larger than this installation accepts. Split it, or ask your operator to raise the limit."


class RangeError(MunimentError):
    """A part of a file was asked for that begins behind its end; `extra` has `size_bytes`."""

    code, status, exit_code = "range_not_satisfiable", 416, EXIT_BAD_INPUT
    title = "The file ends before that"
    detail = "Ask for bytes within its length, which Content-Range tells, or for the whole file."


class IncompleteBodyError(MunimentError):
    """The client went away, or sent fewer bytes than it announced."""

    code, status, exit_code = "incomplete_body", 400, EXIT_BAD_INPUT
    title = "The file did not arrive whole"
    detail = "Nothing was kept. Send it again."


class SlowBodyError(IncompleteBodyError):
    """The client is there, but has sent nothing for too long."""

    code, status = "body_too_slow", 408
    title = "Nothing arrived for too long"
    detail = "Nothing of it was kept. Send it again over a better line, or resume it where uploads can be resumed."


# What is not there to do it with -------------------------------------------------------------------------------------


class UnavailableError(MunimentError):
    """A part that is needed is away; nothing happened."""

    code, status, exit_code = "unavailable", 503, EXIT_UNAVAILABLE
    title = "Not available just now"
    detail = "Nothing was changed and nothing was shown. Try again in a moment."
    retry_after_s = 5


class LedgerUnavailableError(UnavailableError):
    """The record of this act could not be written, so the act did not happen."""

    code = "ledger_unavailable"
    title = "The record cannot be written"
    detail = "Muniment does nothing that it cannot record. Nothing happened; try again in a moment."


class ClockBehindError(UnavailableError):
    """The machine's clock is behind the log's last entry."""

    code = "clock_behind"
    title = "The clock is wrong"
    detail = "The server's clock is behind its own log. Ask your operator to set it right."


class StoreUnavailableError(UnavailableError):
    """The blob store did not answer, or has lost an object."""

    code = "store_unavailable"
    title = "The store cannot be reached"


class StoreFullError(MunimentError):
    """The blob store has no room left."""

    code, status, exit_code = "store_full", 507, EXIT_UNAVAILABLE
    title = "The store is full"
    detail = "Nothing was kept. Ask your operator to make room, then send it again."


class KeyPlaceError(UnavailableError):
    """A key place cannot be reached or written."""

    code = "key_place_unavailable"
    title = "A key place cannot be reached"
    detail = "Nothing was changed and nothing was shown. Ask your operator to run `muniment doctor`."


class KeyMissingError(UnavailableError):
    """No key place holds this key: it was destroyed, or the places were lost."""

    code = "key_missing"
    title = "The key is not there"
    detail = "What it sealed cannot be opened. Ask your operator to run `muniment doctor`."


class BlobMissingError(StoreUnavailableError):
    """The store holds no such object."""

    code = "blob_missing"
    title = "The stored bytes are missing"
    detail = "Nothing was shown. Ask your operator to run `muniment doctor`."


class SealError(MunimentError):
    """A sealed message or field does not open: cut, changed, moved, foreign or made with another key.

    One type for every way a ciphertext can be wrong, so that an attacker learns nothing from the difference.
    """

    code, status, exit_code = "seal_broken", 500, EXIT_UNAVAILABLE
    title = "The seal is broken"
    detail = (
        "What is stored is not what was sealed here. Nothing was shown. Ask your operator to run `muniment doctor`."
    )


# What the operator must mend -----------------------------------------------------------------------------------------


class UnsafeError(MunimentError):
    """Muniment refuses to run like this."""

    code, status, exit_code = "unsafe", 500, EXIT_UNSAFE
    title = "Refused to start"
    detail = "Mend what is named, then start again."


class NotInitialisedError(UnsafeError):
    """There is no installation here yet."""

    code = "not_initialised"
    title = "Nothing here yet"
    detail = "Run `muniment init --firm NAME --owner EMAIL` first."


class WrongRevisionError(UnsafeError):
    """The database is not at the revision this version needs."""

    code = "wrong_revision"
    title = "The database is at another revision"
    detail = "Run `muniment migrate` with this version, then start again."


class PolicyError(UnsafeError):
    """The policy files cannot be loaded; nothing is allowed without them."""

    code = "policy_refused"
    title = "The policy cannot be loaded"
    detail = "Mend the policy files as described and try again. The previous policy stays in force where there was one."


def all_errors(root: type[MunimentError] = MunimentError) -> Iterator[type[MunimentError]]:
    """Yield every class of the tree, parents first, in the order of their definition."""
    yield root
    for child in root.__subclasses__():
        yield from all_errors(child)

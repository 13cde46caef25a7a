"""What was sent cannot be taken."""

from __future__ import annotations

from service.errors.root import EXIT_BAD_INPUT, EXIT_CONFLICT, MunimentError


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


class SetChangedError(MunimentError):
    """A dry run's digest is not that of the set as it is now."""

    code, status, exit_code = "set_changed", 409, EXIT_CONFLICT
    title = "The set has changed"
    detail = "What this would do is no longer what the dry run showed. Nothing was written. Make the dry run again."


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


class NoTextError(MunimentError):
    """A document has no text to be read; `extra` has the `reason`, a word, and the detail says what to do instead."""

    code, status, exit_code = "no_text", 422, EXIT_BAD_INPUT
    title = "No text can be read here"
    detail = "The text of this document cannot be had. Download the file itself, or ask for the ability to."


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

"""What is not there to do it with: ledger, stores, keys."""

from __future__ import annotations

from service.errors.root import EXIT_UNAVAILABLE, MunimentError


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


class OutcomeUnknownError(LedgerUnavailableError):
    """The database went away while it was told to keep this, and has not come back to say whether it did."""

    code = "outcome_unknown"
    title = "Not known whether this was recorded"
    detail = (
        "It was done with its record, or neither happened. Send it again with the same Idempotency-Key: what was done "
        "is not done twice."
    )


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


class RootKeyError(UnavailableError):
    """The root key is held elsewhere (a KMS) and cannot be used just now; there is no other to fall back to."""

    code = "root_key_unavailable"
    title = "The root key cannot be used"
    detail = "Nothing was changed and nothing was shown. Ask your operator to look at the root key in its KMS."


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

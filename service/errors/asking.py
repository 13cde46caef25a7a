"""Who asks, and what he may do."""

from __future__ import annotations

from service.errors.root import EXIT_CONFLICT, EXIT_NOT_FOUND, EXIT_REFUSED, MunimentError


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
    """The membership or engagement is not open at this time, or from this place."""

    code = "outside_window"
    title = "Outside the agreed time"
    detail = "Your access is not open now: see /api/v1/me for the hours. Ask the attorney who leads the engagement."


class StepUpNeededError(ForbiddenError):
    """The act needs a token whose holder has just proved again that it is he."""

    code = "step_up_needed"
    title = "Prove that it is you"
    detail = (
        "This act needs a fresh code of your authenticator: send it to /api/v1/me/step-up, then send this once more "
        "within 10 minutes. If you have no authenticator yet, begin at /api/v1/me/authenticator."
    )


class WrongCodeError(ForbiddenError):
    """A code was not the authenticator's, was shown too long ago, or was used already."""

    code = "wrong_code"
    title = "This code is not right"
    detail = "Send the code that your authenticator shows now. Each counts once: wait for the next if you just sent it."


class TooManyCodesError(MunimentError):
    """Too many wrong codes came for one person; even the right one does not count for a while."""

    code, status, exit_code = "too_many_codes", 429, EXIT_REFUSED
    title = "Too many wrong codes"
    detail = "Wait as long as Retry-After says. If it was not you, tell the owner of your firm at once."

    def __init__(self, wait_s: int = 900) -> None:
        super().__init__()
        self.retry_after_s = wait_s


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


class NotOnCallError(ForbiddenError):
    """Somebody else of the firm answers those who ask for access."""

    code = "not_on_call"
    title = "Somebody else answers this"
    detail = "The lead of the engagement, its deputy, or an attorney who is on call for it answers. Ask one of them."


class TooManyAccessRequestsError(MunimentError):
    """The member has as many open access requests as he may have."""

    code, status, exit_code = "too_many_access_requests", 429, EXIT_CONFLICT
    title = "Too many open requests"
    detail = "Wait for answers to what you asked for already, or withdraw what you no longer need."


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


class MovedError(MunimentError):
    """The document lies elsewhere now, under another id."""

    code, status, exit_code = "moved", 410, EXIT_NOT_FOUND
    title = "Moved"
    detail = "This document was moved. Its lineage says where, if you are named there too, and who had opened it here."


class HeldError(MunimentError):
    """A legal hold forbids destruction."""

    code, status, exit_code = "held", 409, EXIT_CONFLICT
    title = "A legal hold is in force"
    detail = "A matter of this engagement is under legal hold. Lift the hold first, if that is right."

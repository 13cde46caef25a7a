"""What the operator must mend."""

from __future__ import annotations

from service.errors.root import EXIT_UNSAFE, MunimentError


class UnsafeError(MunimentError):
    """Muniment refuses to run like this."""

    code, status, exit_code = "unsafe", 500, EXIT_UNSAFE
    title = "Refused to start"
    detail = "Mend what is named, then start again."


class OlderCopyError(UnsafeError):
    """The rows are older than what is anchored outside of them: they were restored, or set back."""

    code = "restored_from_before"
    title = "Restored from before"
    detail = (
        "The anchors know of entries or disposals that these rows do not. Nothing is served, because what has ended "
        "since would come back. Run `muniment doctor`, then `muniment restore --reconcile`."
    )


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

"""What an entry may say happened, and after which of them access may have ended."""

from __future__ import annotations

from enum import StrEnum, unique
from typing import Final


@unique
class EventType(StrEnum):
    """What an entry says happened, alphabetised; ``noun.participle``."""

    ACCESS_ALLOWED = "access.allowed"  # something was read that is neither a list nor a document's bytes
    ACCESS_FAILED = "access.failed"  # allowed, but it could not be done (wrong state, stale version, bad field)
    ACCESS_REFUSED = "access.refused"
    ACCESS_REQUEST_ANSWERED = "access_request.answered"  # yes, with less, or no; a yes comes with its grant's entry
    ACCESS_REQUEST_CREATED = "access_request.created"
    ACCESS_REQUEST_WITHDRAWN = "access_request.withdrawn"
    AGREEMENT_PUBLISHED = "agreement.published"
    AGREEMENT_SIGNED = "agreement.signed"
    ASK_CREATED = "ask.created"
    ASK_ENDED = "ask.ended"
    ATTEMPT_FAILED = "attempt.failed"  # deployment's log: requests without a valid credential
    AUTHENTICATOR_CODE_REFUSED = "authenticator.code_refused"  # wrong, too old, or used: counted
    AUTHENTICATOR_CONFIRMED = "authenticator.confirmed"  # in force from now on, in the place of the one before
    AUTHENTICATOR_ENROLLED = "authenticator.enrolled"  # it waits to be confirmed with a first code
    AUTHENTICATOR_RESET = "authenticator.reset"  # taken away by the owner, with all that was stepped up by it
    BACKUP_MADE = "backup.made"  # a copy of rows and blobs, and of keys where it says so, will leave the installation
    BULK_CREATED = "bulk.created"  # one act handed out many documents; each grant has an entry of its own
    CERTIFICATE_ISSUED = "certificate.issued"
    DISCLOSURE_CREATED = "disclosure.created"  # a title is opened to a reviewer; the reason is in the payload
    DISCLOSURE_ENDED = "disclosure.ended"
    DISPOSAL_APPROVED = "disposal.approved"
    DISPOSAL_KEYS_DESTROYED = "disposal.keys_destroyed"
    DISPOSAL_OBJECTS_DELETED = "disposal.objects_deleted"
    DISPOSAL_RECONCILED = "disposal.reconciled"  # a restored copy still held what a disposal had destroyed
    DISPOSAL_REQUESTED = "disposal.requested"
    DISPOSAL_RETURNED = "disposal.returned"
    DISPOSAL_VERIFIED = "disposal.verified"
    DISPOSAL_WITHDRAWN = "disposal.withdrawn"
    DOCTOR_BLOCKED = "doctor.blocked"  # rows that rules depend on are not what the log says: memberships are suspended
    DOCUMENT_ADDED = "document.added"  # outcome of document.adding
    DOCUMENT_ADDING = "document.adding"  # intent: bytes will be accepted
    DOCUMENT_BROUGHT = "document.brought"  # it lies here now; the payload says from where
    DOCUMENT_CONFIRMED = "document.confirmed"
    DOCUMENT_MOVED = "document.moved"  # outcome of document.moving; the payload says where to
    DOCUMENT_MOVING = "document.moving"  # intent: it will be sealed anew elsewhere, and end here
    DOCUMENT_CORRECTED = "document.corrected"  # an attorney changed label, sensitivity or title of a confirmed paper
    DOCUMENT_OPENED = "document.opened"  # outcome of document.opening, with the bytes that were sent
    DOCUMENT_OPENING = "document.opening"  # intent: bytes will be sent
    DOCUMENT_REVISED = "document.revised"  # outcome of document.revising
    DOCUMENT_REVISING = "document.revising"  # intent: bytes will be accepted in the place of those that are there
    DOCUMENT_TAKEN_BACK = "document.taken_back"
    DUTY_ENDED = "duty.ended"  # what was recorded or waived counts no more
    DUTY_RECORDED = "duty.recorded"  # the firm saw evidence; the note is in the payload
    DUTY_WAIVED = "duty.waived"  # once, for 72 hours; the reason is in the payload
    EMERGENCY_DECLARED = "emergency.declared"
    EMERGENCY_ENDED = "emergency.ended"
    EMERGENCY_REVIEWED = "emergency.reviewed"
    ENGAGEMENT_BRAKES_SET = "engagement.brakes_set"  # from how much within an hour a member is slowed, and suspended
    ENGAGEMENT_CHANGED = "engagement.changed"
    ENGAGEMENT_CREATED = "engagement.created"
    EXPORT_MADE = "export.made"
    FIRM_FOUNDED = "firm.founded"
    GRANT_CREATED = "grant.created"
    GRANT_NARROWED = "grant.narrowed"  # it carries fewer abilities than before
    GRANT_REVOKED = "grant.revoked"
    HOLD_LIFTED = "hold.lifted"
    HOLD_PLACED = "hold.placed"
    INTENT_ABANDONED = "intent.abandoned"  # recovery: the process died between an intent and its outcome
    KEY_ESCROWED = "key.escrowed"  # deployment's log: the root key was written out in two shares
    KEY_MENDED = "key.mended"  # deployment's log: key objects were copied to places that lacked them
    KEY_ROTATED = "key.rotated"  # what the old key wrapped is wrapped by the new one; the old one is destroyed after it
    KEY_ROTATION_FINISHED = "key.rotation_finished"  # deployment's log
    KEY_ROTATION_STARTED = "key.rotation_started"  # deployment's log: all keys of a level made before this are replaced
    LIST_READ = "list.read"
    LOG_HEARTBEAT = "log.heartbeat"
    LOG_OPENED = "log.opened"
    LOG_RESTORED = "log.restored"  # the log goes on from an older copy, under a new origin; what came after it is lost
    MATTER_CHANGED = "matter.changed"  # it demands other duties than before
    MATTER_CREATED = "matter.created"
    MATTER_NAMED = "matter.named"  # an attorney is on the matter's team
    MATTER_UNNAMED = "matter.unnamed"  # and is no more
    MEMBER_ADDED = "member.added"
    MEMBER_BRAKED = "member.braked"  # suspended by the service: he opened more within an hour than the engagement lets
    MEMBER_ENDED = "member.ended"
    MEMBER_RESUMED = "member.resumed"
    MEMBER_SUSPENDED = "member.suspended"
    MISDIRECTION_ACKNOWLEDGED = "misdirection.acknowledged"  # seen by an attorney; his answer is in the payload
    MISDIRECTION_CREATED = "misdirection.created"  # an alert: "not meant for me"; ended grants have their own entries
    ON_CALL_CREATED = "on_call.created"  # an attorney answers requests for access from when to when
    ON_CALL_ENDED = "on_call.ended"
    OVERLAY_CHANGED = "overlay.changed"  # how an engagement is stricter than the policy, whole; no rows: not at all
    PART_ADDED = "part.added"
    PERSON_ADDED = "person.added"
    REPAIR_ASIDE_SWEPT = "repair.aside_swept"  # what crashes left in the store while it was being written
    REPAIR_BLOBS_DELETED = "repair.blobs_deleted"  # objects that no living row names
    REPAIR_KEYS_COPIED = "repair.keys_copied"  # into the key places that lacked them
    REPAIR_KEYS_DESTROYED = "repair.keys_destroyed"  # that nobody owns
    REVISION_BROUGHT = "revision.brought"  # a revision of what was brought is sealed here; with its header
    SIGNIN_CREATED = "signin.created"  # deployment's log, as the next five; ids only, and no firm's
    SIGNIN_ENDED = "signin.ended"  # tokens that its seats made are revoked with it, an entry each in their firms' logs
    SIGNIN_FAILED = "signin.failed"  # a seat was chosen whose own token is in force no more
    SIGNIN_SEAT_ADDED = "signin.seat_added"
    SIGNIN_SEAT_REMOVED = "signin.seat_removed"
    SIGNIN_USED = "signin.used"  # a seat was chosen and gave a token
    STANDBY_ENDED = "standby.ended"  # withdrawn, or closed before its time; its grants have entries of their own
    STANDBY_OPENED = "standby.opened"  # an alert: a member opened it himself; the reason is in the payload
    STANDBY_SEALED = "standby.sealed"  # papers that a member may open once for himself
    STANDING_SHARE_CREATED = "standing_share.created"  # papers to come are handed out as they are confirmed
    STANDING_SHARE_ENDED = "standing_share.ended"  # what it handed out is revoked with it, with entries of their own
    TASK_ACCEPTED = "task.accepted"  # these exact revisions; what was made with the task has ended
    TASK_CANCELLED = "task.cancelled"  # the same; by an attorney, or with a membership or a disposal
    TASK_CREATED = "task.created"  # its grants and asks have entries of their own
    TASK_RETURNED = "task.returned"  # the note is in the payload
    TASK_SUBMITTED = "task.submitted"
    SCHEDULE_CREATED = "schedule.created"  # hours or networks bind a member, or all of an engagement
    SCHEDULE_ENDED = "schedule.ended"
    TITLE_OPENED = "title.opened"  # a reviewer was told a title that was disclosed to him
    TOKEN_CREATED = "token.created"  # noqa: S105  # the name of an event
    TOKEN_LINKED = "token.linked"  # noqa: S105  # a sign-in may make short-lived tokens with it: its seat
    TOKEN_REVOKED = "token.revoked"  # noqa: S105  # the same
    TOKEN_STEPPED_UP = "token.stepped_up"  # noqa: S105  # its holder proved with a code that it is he
    UPLOAD_CREATED = "upload.created"  # a file was announced that may come in pieces, in several requests
    UPLOAD_ENDED = "upload.ended"  # it became a document, was given up, or expired; its pieces are gone
    UPLOAD_RECEIVED = "upload.received"  # outcome of upload.receiving, with the bytes that were kept
    UPLOAD_RECEIVING = "upload.receiving"  # intent: bytes will be accepted
    UPLOAD_STORED = "upload.stored"  # a piece is whole and sealed
    VENDOR_ADDED = "vendor.added"
    WALL_LIFTED = "wall.lifted"
    WALL_RAISED = "wall.raised"


ENDS_ACCESS: Final = frozenset(
    {
        EventType.AGREEMENT_PUBLISHED,
        EventType.AUTHENTICATOR_CONFIRMED,
        EventType.AUTHENTICATOR_RESET,
        EventType.DISPOSAL_REQUESTED,
        EventType.DISPOSAL_KEYS_DESTROYED,
        EventType.DOCUMENT_CONFIRMED,
        EventType.DOCUMENT_MOVED,
        EventType.DOCUMENT_CORRECTED,
        EventType.DOCUMENT_TAKEN_BACK,
        EventType.DUTY_ENDED,
        EventType.EMERGENCY_ENDED,
        EventType.ENGAGEMENT_CHANGED,
        EventType.GRANT_NARROWED,
        EventType.GRANT_REVOKED,
        EventType.MATTER_CHANGED,
        EventType.MATTER_UNNAMED,
        EventType.MEMBER_BRAKED,
        EventType.MEMBER_ENDED,
        EventType.MEMBER_SUSPENDED,
        EventType.MISDIRECTION_CREATED,
        EventType.OVERLAY_CHANGED,
        EventType.SCHEDULE_CREATED,
        EventType.TOKEN_REVOKED,
        EventType.WALL_RAISED,
    }
)
"""Entries after which every open body is decided again at once (docs/adr/0009-open-bodies.md)."""

"""One typed function for each thing that the log can say; nothing else makes drafts of entries.

Rules kept here:

* an entry holds ids, words of our vocabulary, numbers, times and digests; names only ever travel in the sealed payload;
* what a rule of access depends on (grants, duties, walls, holds, memberships, dates) stands in ``data`` whole, so that
  the rows can be replayed from the log and compared;
* an event type, once written, keeps its meaning for ever. docs/events.md lists them, and a test compares the two.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from enum import StrEnum, unique
from typing import Final, NamedTuple

from service.ledger import NO_SUBJECTS, Draft, Opening, SealedPayload

Data = Mapping[str, str | int | bool | list[str]]


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
    DOCUMENT_CONFIRMED = "document.confirmed"
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
    ON_CALL_CREATED = "on_call.created"  # an attorney answers requests for access from when to when
    ON_CALL_ENDED = "on_call.ended"
    OVERLAY_CHANGED = "overlay.changed"  # how an engagement is stricter than the policy, whole; no rows: not at all
    PART_ADDED = "part.added"
    PERSON_ADDED = "person.added"
    REPAIR_ASIDE_SWEPT = "repair.aside_swept"  # what crashes left in the store while it was being written
    REPAIR_BLOBS_DELETED = "repair.blobs_deleted"  # objects that no living row names
    REPAIR_KEYS_COPIED = "repair.keys_copied"  # into the key places that lacked them
    REPAIR_KEYS_DESTROYED = "repair.keys_destroyed"  # that nobody owns
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
    TOKEN_CREATED = "token.created"  # noqa: S105  # the name of an event
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
        EventType.OVERLAY_CHANGED,
        EventType.SCHEDULE_CREATED,
        EventType.TOKEN_REVOKED,
        EventType.WALL_RAISED,
    }
)
"""Entries after which every open body is decided again at once (docs/adr/0009-open-bodies.md)."""


class Who(NamedTuple):
    """The decision that an entry rests on: who asked for what, in which request, and by which rule he got his answer.

    A `system` actor (``brake``, ``cli``, ``disposal``, ``doctor``, ``recovery``, ``restore``, ``signer``) has no
    decision.
    """

    actor: Mapping[str, str]
    request: str | None = None
    action: str | None = None
    subjects: Mapping[str, str] = NO_SUBJECTS
    rule: str | None = None
    facts: tuple[str, ...] | None = None
    policy: str | None = None
    nda: str | None = None


def system(name: str, subjects: Mapping[str, str] | None = None) -> Who:
    """The service itself, or its operator at the machine, acts."""
    return Who({"system": name}, subjects=subjects or NO_SUBJECTS)


def _draft(
    kind: EventType,
    outcome: str,
    who: Who,
    *,
    subjects: Mapping[str, str] | None = None,
    data: Data | None = None,
    payload: SealedPayload | None = None,
    header: bytes | None = None,
    announces: bool = False,
    closes: int | None = None,
    opening: Opening | None = None,
) -> Draft:
    return Draft(
        type=kind.value,
        outcome=outcome,
        actor=who.actor,
        subjects={**who.subjects, **(subjects or {})},
        action=who.action,
        rule=who.rule,
        facts=who.facts,
        policy=who.policy,
        nda=who.nda,
        header=header,
        request=who.request,
        data=data,
        payload=payload,
        announces=announces,
        closes=closes,
        ends_access=kind in ENDS_ACCESS,
        opening=opening,
    )


# Decisions and reads ------------------------------------------------------------------------------------------------


def access_allowed(who: Who, at: int | None = None) -> Draft:
    """Something was read: no list, no document's bytes; `at` where it was asked how it would be at that UTC second."""
    return _draft(EventType.ACCESS_ALLOWED, "allowed", who, data=None if at is None else {"at": at})


def access_refused(who: Who, code: str) -> Draft:
    """The answer was no; `code` is what the asker was told."""
    return _draft(EventType.ACCESS_REFUSED, "refused", who, data={"code": code})


def access_failed(who: Who, code: str) -> Draft:
    """The act was allowed but could not be done; nothing changed."""
    return _draft(EventType.ACCESS_FAILED, "failed", who, data={"code": code})


def code_refused(who: Who, subjects: Mapping[str, str], count: int) -> Draft:
    """A code of an authenticator did not count; `count`: how many such there were lately, with this one."""
    return _draft(EventType.AUTHENTICATOR_CODE_REFUSED, "refused", who, subjects=subjects, data={"count": count})


def list_read(who: Who, ids: Iterable[str], log_size: int | None = None, at: int | None = None) -> Draft:
    """A list was given out: how many things, the digest of their ids in order, and the log its snapshot had seen.

    Where no log size is given, the list was read in the transaction of this entry: its index is that size. `at` is
    there where it was asked what the list would be at that UTC second.
    """
    listed = list(ids)
    digest = hashlib.sha256("\n".join(listed).encode()).hexdigest()
    data: dict[str, str | int | bool | list[str]] = {"count": len(listed), "ids_sha256": digest}
    data |= {name: told for name, told in (("log_size", log_size), ("at", at)) if told is not None}
    return _draft(EventType.LIST_READ, "allowed", who, data=data)


def attempt_failed(source_index: str, route: str, count: int, minute: int) -> Draft:
    """Requests without a valid credential: their source (blinded), route, number and minute (UTC seconds)."""
    data: Data = {"source": source_index, "route": route, "count": count, "minute": minute}
    return _draft(EventType.ATTEMPT_FAILED, "refused", system("edge"), data=data)


# Documents ----------------------------------------------------------------------------------------------------------


def document_adding(who: Who, document_id: str, revision_id: str, label: str) -> Draft:
    """Intent: the body of this document will be accepted."""
    return _draft(
        EventType.DOCUMENT_ADDING,
        "allowed",
        who,
        subjects={"document": document_id, "revision": revision_id},
        data={"label": label},
        announces=True,
    )


def document_added(
    who: Who, intent: int, subjects: Mapping[str, str], header: bytes, data: Data, payload: SealedPayload
) -> Draft:
    """The body arrived whole and is sealed; the payload holds title and SHA-256."""
    return _arrived(EventType.DOCUMENT_ADDED, who, intent, subjects, header, data, payload)


def document_not_added(who: Who, intent: int, subjects: Mapping[str, str], outcome: str, received: int) -> Draft:
    """The body did not arrive, or could not be kept (`outcome` aborted or failed); nothing of it is left."""
    data: Data = {"of": intent, "bytes": received}
    return _draft(EventType.DOCUMENT_ADDED, outcome, who, subjects=subjects, data=data, closes=intent)


def document_revising(who: Who, revision_id: str) -> Draft:
    """Intent: the body of this revision will be accepted."""
    return _draft(EventType.DOCUMENT_REVISING, "allowed", who, subjects={"revision": revision_id}, announces=True)


def document_revised(
    who: Who, intent: int, subjects: Mapping[str, str], header: bytes, data: Data, payload: SealedPayload
) -> Draft:
    """The body arrived whole, is sealed, and is the document's content now; the payload holds its SHA-256."""
    return _arrived(EventType.DOCUMENT_REVISED, who, intent, subjects, header, data, payload)


def _arrived(
    kind: EventType,
    who: Who,
    intent: int,
    subjects: Mapping[str, str],
    header: bytes,
    data: Data,
    payload: SealedPayload,
) -> Draft:
    said = {"of": intent, **data}
    return _draft(kind, "done", who, subjects=subjects, header=header, data=said, payload=payload, closes=intent)


def document_not_revised(who: Who, intent: int, subjects: Mapping[str, str], outcome: str, received: int) -> Draft:
    """The body did not arrive, or could not be kept (`outcome` aborted or failed); the content is what it was."""
    data: Data = {"of": intent, "bytes": received}
    return _draft(EventType.DOCUMENT_REVISED, outcome, who, subjects=subjects, data=data, closes=intent)


def document_opening(
    who: Who,
    revision_id: str,
    header: bytes,
    span: tuple[int, int] | None = None,
    opening: Opening | None = None,
) -> Draft:
    """Intent: the bytes of this revision will be sent; with a `span`, from its first to before its second number."""
    return _draft(
        EventType.DOCUMENT_OPENING,
        "allowed",
        who,
        subjects={"revision": revision_id},
        data=None if span is None else {"start": span[0], "stop": span[1]},
        header=header,
        announces=True,
        opening=opening,
    )


def document_opened(who: Who, intent: int, revision_id: str, outcome: str, sent: int) -> Draft:
    """How it ended: done, aborted (client went away or access ended) or failed, and how many bytes left."""
    subjects = {"revision": revision_id}
    data = {"of": intent, "bytes": sent}
    return _draft(EventType.DOCUMENT_OPENED, outcome, who, subjects=subjects, data=data, closes=intent)


def intent_abandoned(log_index: int, engagement_id: str) -> Draft:
    """Recovery: nobody knows what became of an announced act, because its process died."""
    subjects = {"engagement": engagement_id} if engagement_id else {}
    return _draft(
        EventType.INTENT_ABANDONED, "unknown", system("recovery", subjects), data={"of": log_index}, closes=log_index
    )


def repairing(kind: EventType, data: Data) -> Draft:
    """The doctor will put this right; written before it does, because nothing is done that is not recorded."""
    return _draft(kind, "allowed", system("doctor"), data=data)


# Files that come in pieces --------------------------------------------------------------------------------------------


def upload_receiving(who: Who, upload_id: str, start: int) -> Draft:
    """Intent: bytes of this upload will be accepted, from this one on."""
    subjects = {"upload": upload_id}
    return _draft(EventType.UPLOAD_RECEIVING, "allowed", who, subjects=subjects, data={"start": start}, announces=True)


def upload_stored(who: Who, upload_id: str, piece_id: str, header: bytes, span: tuple[int, int]) -> Draft:
    """The bytes from the first to before the second number of `span` are sealed in an object of their own."""
    return _draft(
        EventType.UPLOAD_STORED,
        "done",
        who,
        subjects={"upload": upload_id, "piece": piece_id},
        header=header,
        data={"start": span[0], "stop": span[1]},
    )


def upload_received(who: Who, intent: int, upload_id: str, outcome: str, kept: int) -> Draft:
    """How it ended: done, aborted (the client went away) or failed, and how many of the bytes were kept."""
    data: Data = {"of": intent, "bytes": kept}
    return _draft(EventType.UPLOAD_RECEIVED, outcome, who, subjects={"upload": upload_id}, data=data, closes=intent)


def upload_ended(who: Who, upload_id: str, outcome: str, data: Data) -> Draft:
    """Done: it became a document. Aborted: it was given up, or expired."""
    return _draft(EventType.UPLOAD_ENDED, outcome, who, subjects={"upload": upload_id}, data=data)


# Changes ------------------------------------------------------------------------------------------------------------


def changed(
    kind: EventType,
    who: Who,
    subjects: Mapping[str, str] | None = None,
    data: Data | None = None,
    payload: SealedPayload | None = None,
) -> Draft:
    """A row was made or changed as `who` was allowed to; `data` holds what rules depend on, `payload` the names."""
    return _draft(kind, "done", who, subjects=subjects, data=data, payload=payload)

"""Bytes that come and go: intents and outcomes, of documents and of files that come in pieces."""

from __future__ import annotations

from collections.abc import Mapping

from service.events.drafts import Data, Who, draft
from service.events.types import EventType
from service.ledger import Draft, Opening, SealedPayload


def document_adding(who: Who, document_id: str, revision_id: str, label: str) -> Draft:
    """Intent: the body of this document will be accepted."""
    return draft(
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
    return draft(EventType.DOCUMENT_ADDED, outcome, who, subjects=subjects, data=data, closes=intent)


def document_revising(who: Who, revision_id: str) -> Draft:
    """Intent: the body of this revision will be accepted."""
    return draft(EventType.DOCUMENT_REVISING, "allowed", who, subjects={"revision": revision_id}, announces=True)


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
    return draft(kind, "done", who, subjects=subjects, header=header, data=said, payload=payload, closes=intent)


def document_not_revised(who: Who, intent: int, subjects: Mapping[str, str], outcome: str, received: int) -> Draft:
    """The body did not arrive, or could not be kept (`outcome` aborted or failed); the content is what it was."""
    data: Data = {"of": intent, "bytes": received}
    return draft(EventType.DOCUMENT_REVISED, outcome, who, subjects=subjects, data=data, closes=intent)


def document_opening(
    who: Who,
    revision_id: str,
    header: bytes,
    span: tuple[int, int] | None = None,
    opening: Opening | None = None,
) -> Draft:
    """Intent: the bytes of this revision, or its text, will be sent; with a `span`, those from its first number on."""
    return draft(
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
    return draft(EventType.DOCUMENT_OPENED, outcome, who, subjects=subjects, data=data, closes=intent)


def upload_receiving(who: Who, upload_id: str, start: int) -> Draft:
    """Intent: bytes of this upload will be accepted, from this one on."""
    subjects = {"upload": upload_id}
    return draft(EventType.UPLOAD_RECEIVING, "allowed", who, subjects=subjects, data={"start": start}, announces=True)


def upload_stored(who: Who, upload_id: str, piece_id: str, header: bytes, span: tuple[int, int]) -> Draft:
    """The bytes from the first to before the second number of `span` are sealed in an object of their own."""
    return draft(
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
    return draft(EventType.UPLOAD_RECEIVED, outcome, who, subjects={"upload": upload_id}, data=data, closes=intent)


def upload_ended(who: Who, upload_id: str, outcome: str, data: Data) -> Draft:
    """Done: it became a document. Aborted: it was given up, or expired."""
    return draft(EventType.UPLOAD_ENDED, outcome, who, subjects={"upload": upload_id}, data=data)

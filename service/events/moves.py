"""Documents that go elsewhere: an entry at either end, bound by the id of the move and by nothing else in the clear.

Whoever reads the log of one end alone learns no id, number or place of the other: those are in the sealed payloads.
"""

from __future__ import annotations

from collections.abc import Mapping

from service.events.drafts import Data, Who, draft
from service.events.types import EventType
from service.ledger import Draft, SealedPayload


def document_moving(who: Who, revisions: int) -> Draft:
    """Intent: so many revisions of this document will be sealed anew elsewhere."""
    return draft(EventType.DOCUMENT_MOVING, "allowed", who, data={"revisions": revisions}, announces=True)


def document_moved(who: Who, intent: int, move_id: str, data: Data, payload: SealedPayload) -> Draft:
    """It is elsewhere, and ended here; the payload says where."""
    said = {"of": intent, **data}
    return draft(
        EventType.DOCUMENT_MOVED, "done", who, subjects={"move": move_id}, data=said, payload=payload, closes=intent
    )


def document_not_moved(who: Who, intent: int, outcome: str) -> Draft:
    """It could not be (`outcome` aborted or failed); everything is as it was."""
    return draft(EventType.DOCUMENT_MOVED, outcome, who, data={"of": intent}, closes=intent)


def document_brought(who: Who, subjects: Mapping[str, str], data: Data, payload: SealedPayload) -> Draft:
    """It is here now, with a title of its own sealing; the payload holds that and where it came from."""
    return draft(EventType.DOCUMENT_BROUGHT, "done", who, subjects=subjects, data=data, payload=payload)


def revision_brought(who: Who, subjects: Mapping[str, str], header: bytes, data: Data, payload: SealedPayload) -> Draft:
    """One of its revisions is sealed here; the payload holds its SHA-256, what it was, and who added it when."""
    return draft(EventType.REVISION_BROUGHT, "done", who, subjects=subjects, header=header, data=data, payload=payload)

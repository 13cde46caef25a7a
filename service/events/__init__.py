"""One typed function for each thing that the log can say; nothing else makes drafts of entries.

Rules kept here:

* an entry holds ids, words of our vocabulary, numbers, times and digests; names only ever travel in the sealed payload;
* what a rule of access depends on (grants, duties, walls, holds, memberships, dates) stands in ``data`` whole, so that
  the rows can be replayed from the log and compared;
* an event type, once written, keeps its meaning for ever. docs/events.md lists them, and a test compares the two.
"""

from service.events.contents import (
    document_added,
    document_adding,
    document_not_added,
    document_not_revised,
    document_opened,
    document_opening,
    document_revised,
    document_revising,
    upload_ended,
    upload_received,
    upload_receiving,
    upload_stored,
)
from service.events.drafts import Data, Subjects, Who, changed, system
from service.events.moves import (
    document_brought,
    document_moved,
    document_moving,
    document_not_moved,
    revision_brought,
)
from service.events.reads import (
    access_allowed,
    access_failed,
    access_refused,
    attempt_failed,
    code_refused,
    intent_abandoned,
    list_read,
    repairing,
)
from service.events.types import ENDS_ACCESS, EventType

__all__ = [
    "ENDS_ACCESS",
    "Data",
    "EventType",
    "Subjects",
    "Who",
    "access_allowed",
    "access_failed",
    "access_refused",
    "attempt_failed",
    "changed",
    "code_refused",
    "document_added",
    "document_adding",
    "document_brought",
    "document_moved",
    "document_moving",
    "document_not_added",
    "document_not_moved",
    "document_not_revised",
    "document_opened",
    "document_opening",
    "document_revised",
    "document_revising",
    "intent_abandoned",
    "list_read",
    "repairing",
    "revision_brought",
    "system",
    "upload_ended",
    "upload_received",
    "upload_receiving",
    "upload_stored",
]

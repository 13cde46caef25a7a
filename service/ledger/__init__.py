"""The ledger is the only committer: facts, change and log entry are one transaction, and commits are shared.

Rules kept here:

* one writer a process: its own thread and its own connection;
* a job is a plain function ``(tx, moment) -> Outcome``; it does nothing but SQL, and may be run again from the start:
  what its last run did is what counts;
* the head row of each log concerned is locked first, so log order is decision order, also between processes;
* up to `BATCH_JOBS` waiting jobs run one after another in one transaction and are answered together after its commit.
  A job that fails is rolled back alone; raised as `Refused` it leaves its refusal in the log;
* a batch that the database undoes to keep others whole (serialization failure, deadlock) is run again, a few times;
* if the commit fails nobody is told "done": every job of the batch answers `LedgerUnavailableError`. If its reply is
  lost, the writer looks for its entries and answers what became of it; `OutcomeUnknownError` only while the database
  stays away.

What a crash leaves: either the whole batch or nothing of it. An intent (an entry that announces bytes) whose outcome
is missing has a row in ``log_intents``; `service.recovery` closes it with the outcome ``unknown``.

Source: docs/adr/0004-ledger.md.
"""

from service.ledger.drafts import (
    NO_SUBJECTS,
    Address,
    Clock,
    Draft,
    Job,
    Moment,
    Opening,
    Outcome,
    Place,
    Recorded,
    Refused,
    SealedPayload,
)
from service.ledger.ledger import Ledger
from service.ledger.writer import NO_LOG

__all__ = [
    "NO_LOG",
    "NO_SUBJECTS",
    "Address",
    "Clock",
    "Draft",
    "Job",
    "Ledger",
    "Moment",
    "Opening",
    "Outcome",
    "Place",
    "Recorded",
    "Refused",
    "SealedPayload",
]

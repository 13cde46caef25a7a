"""Duties: what must be in force before access opens, who demands it, what it rests on, and what is missing.

* `owed`: what an engagement or a matter demands, in words and as bits;
* `rows`: duties that signatures put in force;
* `recording`: evidence that the firm records, waives and ends;
* `reading`: what is in force, was, and will be;
* `missing`: what somebody lacks, and who can mend it.

It decides nothing: the fact `duties` is computed in service/scoping.

Source: docs/adr/0020-duties.md.
"""

from __future__ import annotations

from service.duties.missing import Missing, Seat, Text, missing, missing_in_matters
from service.duties.owed import bits, shown
from service.duties.reading import Recorded, list_all, read
from service.duties.recording import NewEvidence, NewWaiver, end, record, waive
from service.duties.rows import AGREEMENT_DUTIES, Evidence, begin, end_with

__all__ = [
    "AGREEMENT_DUTIES",
    "Evidence",
    "Missing",
    "NewEvidence",
    "NewWaiver",
    "Recorded",
    "Seat",
    "Text",
    "begin",
    "bits",
    "end",
    "end_with",
    "list_all",
    "missing",
    "missing_in_matters",
    "read",
    "record",
    "shown",
    "waive",
]

"""Uploads: a body becomes a sealed revision, and its adder gets a receipt.

The order, and what a crash leaves at each step:

1. decide and announce (an intent such as ``document.adding``) before a byte of the body is read; crash: an intent,
   closed as ``unknown`` at the next start;
2. seal while streaming into a new object; crash: the same, and an object without a row that `muniment doctor` names;
3. decide again, write rows and the outcome (``document.added``) in one transaction; crash: all of it or nothing.

Plaintext is never on disk: a piece is hashed, examined in memory by a process of its own, sealed and forgotten. What
does not arrive whole is taken away again, and the log says so.

A file may also come in pieces, in several requests (`service.uploads.resumable`): each piece is sealed, and all of them
then come this way as one body.
"""

from service.uploads.adding import NewDocument, add
from service.uploads.receipt import Receipt
from service.uploads.receiving import Body
from service.uploads.revising import revise

__all__ = ["Body", "NewDocument", "Receipt", "add", "revise"]

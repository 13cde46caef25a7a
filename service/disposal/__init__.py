"""Disposal: how an engagement ends, step by step, resumable at any step, with a certificate at the end.

``requested → approved → returned → destroying → keys_destroyed → objects_deleted → verified → certified``

* *requested* ends all vendor access in that second; the firm's attorneys can still read;
* *approved* by a second person with a token of their own, for exactly the manifest they were shown;
* *returned*: what exists nowhere else was confirmed by its SHA-256, the rest returned or waived in words;
* *destroying* is the point of no return: a legal hold that was placed before it wins;
* from there on each step can be done again after a crash and leaves the same state; its evidence is kept in the row.

Source: docs/adr/0010-disposal.md; NIST SP 800-88 (cryptographic erase).
"""

from service.disposal.run import destroy_again, resume_all, run
from service.disposal.steps import Disposal, approve, confirm_return, newest, read, request, withdraw

__all__ = [
    "Disposal",
    "approve",
    "confirm_return",
    "destroy_again",
    "newest",
    "read",
    "request",
    "resume_all",
    "run",
    "withdraw",
]

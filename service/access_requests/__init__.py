"""Access requests: a member asks for a document that he may know of, for more of one that he has, or to keep it longer.

Rules kept here:

* what may be asked for is decided like everything else; what one may not know of answers as if it did not exist;
* nobody asks for more than his role may ever hold, nor beyond his membership and the engagement;
* an answer gives at most what was asked, and never less than the member holds already: a yes is one grant with exactly
  the abilities and the end of the answer, in the place of the live one, made by the code that makes every grant;
* a request that nobody answers lapses, and so does one whose membership or engagement has ended: no act is needed for
  that, so none can be forgotten;
* a vendor person reads his own requests only; a firm person those of matters that he is named on and not walled from.

Who may answer is said in policies/policy.csv; who is on call in service/on_calls.py.
"""

from __future__ import annotations

from service.access_requests.answering import Answer, answer, waiting
from service.access_requests.asking import NewRequest, create, withdraw
from service.access_requests.reading import answered, list_all, read
from service.access_requests.rows import AccessRequest, opened

__all__ = [
    "AccessRequest",
    "Answer",
    "NewRequest",
    "answer",
    "answered",
    "create",
    "list_all",
    "opened",
    "read",
    "waiting",
    "withdraw",
]

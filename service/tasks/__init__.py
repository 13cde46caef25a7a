"""Tasks: what a member is asked to do, the papers he needs for it, and those that are expected back.

Rules kept here:

* a task lies in one part of an engagement, for one membership of it; what it opens is granted and asked in the
  transaction that makes it, each with an entry of its own, and revoked and ended in the one that ends it. A live grant
  or ask made by hand that reaches as far is neither made twice nor ended;
* every paper handed over is decided as if it were granted by hand, everything accepted as if it were confirmed by hand:
  a task opens nothing that its giver could not open himself;
* presets: *read* (view), *work* (view and download; a document is checked out to one open task at a time), *make*
  (papers in to view; his own draft). What comes back is a document of its own, never laid over another;
* ``open → submitted → returned (note) → submitted … → accepted``, or ``cancelled``. Nothing submitted is shareable
  until an attorney accepted its exact revision;
* a vendor person knows his own tasks only, a firm person those of matters that he is named on and not walled from;
* a task ends with its membership, and where a disposal of its engagement is asked for.

It does not remind anybody of anything.

Source: docs/adr/0018-tasks.md.
"""

from __future__ import annotations

from service.tasks.answering import Acceptance, accept, send_back
from service.tasks.ending import cancel, end_of_engagement, end_of_member
from service.tasks.figures import Figures, figures
from service.tasks.making import NewTask, create
from service.tasks.reading import Card, Paper, Round, Task, list_all, read, standing
from service.tasks.submitting import Submitted, submit

__all__ = [
    "Acceptance",
    "Card",
    "Figures",
    "NewTask",
    "Paper",
    "Round",
    "Submitted",
    "Task",
    "accept",
    "cancel",
    "create",
    "end_of_engagement",
    "end_of_member",
    "figures",
    "list_all",
    "read",
    "send_back",
    "standing",
    "submit",
]

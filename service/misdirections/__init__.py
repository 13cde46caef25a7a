"""Misdirections: a member says of a paper that it was not meant for him: it is closed to him, attorneys are told.

Rules kept here:

* whoever may look at a confirmed paper without being an attorney may say so, and asks nobody: all live grants of his on
  it end in the same transaction, also those of tasks, standing and standby shares, and bodies that are open stop;
* nothing hands it to him again by itself: standing shares, standby shares that were sealed before and sharing by label
  pass him over. A coordinator, whom the matter's team lets in and no grant, is shut out by the row itself. An attorney
  may grant it anew by hand, or say with his acknowledgment that it was meant for him after all;
* he keeps his own statement, without title, number or label: the paper is to him as if it had never been granted;
* attorneys of the matter read who, when, why, and from the log whether and when he had opened it before.

Source: ABA Model Rule 4.4(b) (whoever receives a document inadvertently sent promptly notifies the sender);
docs/adr/0025-reviewing.md.
"""

from service.misdirections.acknowledging import Acknowledgment, acknowledge
from service.misdirections.reading import list_all, read, waiting
from service.misdirections.rows import Misdirection
from service.misdirections.saying import say

__all__ = ["Acknowledgment", "Misdirection", "acknowledge", "list_all", "read", "say", "waiting"]

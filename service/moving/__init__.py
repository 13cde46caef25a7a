"""Moving: a confirmed document goes on in another matter part, of its own engagement or of another one of the firm.

The order, and what a crash leaves at each step:

1. decide at both ends and announce (``document.moving``) before a byte is opened; crash: an intent, closed as
   ``unknown`` at the next start;
2. open each revision at the one door and seal it anew, under the target part's key, into a new object; crash: the same,
   and objects without rows that `muniment doctor` names;
3. decide again at both ends; end it here (state, keys, grants, requests for access) and begin it there, in one
   transaction with the entries of both; crash: all of it or nothing;
4. delete the old objects, whose keys are gone; crash: objects without keys, which `muniment doctor` names.

Rules kept here:

* both ends are decided by the policy: `document:move` on the document, `document:add` on the part, so walls, teams and
  an end that was asked for count on either side;
* plaintext is never on disk and never whole in memory, and what was sealed has the SHA-256 of its first receipt;
* nobody is handed the document in its new place but by an act of its own: no grant, ask, task or share goes along;
* who may see one end only is told nothing of the other: neither id nor number, and not that there is one.

Source: docs/adr/0024-moving.md.
"""

from service.moving.lineage import Lineage, Opener, Stay, lineage
from service.moving.moving import move

__all__ = ["Lineage", "Opener", "Stay", "lineage", "move"]

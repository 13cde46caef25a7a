"""Grants: a document handed to one member, for some abilities, a time and a purpose.

Rules kept here:

* only what an attorney has confirmed is shared, and only with a vendor member or coordinator of the same engagement;
* a grant never gives more than the recipient's role may ever hold: the policy is asked for each ability when the grant
  is made, and again at every use;
* it never outlives membership or engagement; made by hand there is one live grant a member and document (whoever is
  given more of it gets another in the place of the first), and each task or standing share brings its own where that
  one does not reach as far, and ends it with itself (service/tasks/handing.py, service/sharing/standing.py);
* who else has a document is told to the matter's attorneys and coordinators, never to a vendor; everybody is told what
  he himself was given (service/holdings.py), on the card of the document that it opens.
"""

from service.grants.ceilings import (
    CONFIRMED,
    above_ceiling,
    bits,
    require_below_ceiling,
    require_shareable,
)
from service.grants.ending import REVOKE, end_all, revoke
from service.grants.giving import LIVE_BY_HAND, NewGrant, create, give, standing, write, write_many
from service.grants.reading import list_all, read
from service.grants.rows import Grant, extendable

__all__ = [
    "CONFIRMED",
    "LIVE_BY_HAND",
    "REVOKE",
    "Grant",
    "NewGrant",
    "above_ceiling",
    "bits",
    "create",
    "end_all",
    "extendable",
    "give",
    "list_all",
    "read",
    "require_below_ceiling",
    "require_shareable",
    "revoke",
    "standing",
    "write",
    "write_many",
]

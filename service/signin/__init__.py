"""Sign-ins: one secret for somebody who works for several firms; he chooses a seat, and acts in it alone.

Rules kept here:

* a sign-in reads nothing by itself: each of its seats was added by showing a valid token, stands for that token, and
  closes with it; what a seat tells or gives is decided in its own firm, as an act of that token, and recorded there;
* choosing a seat makes a token for exactly that membership, of 12 hours at most, made with the seat's own: it dies with
  that one, with the membership, and with the sign-in;
* the rows that say which seats are one person's stand in the deployment's own world, as ids; no firm's log, row, export
  or answer names a sign-in, another seat, or a request that two firms could compare;
* they are shown to whoever holds the secret and to nobody else, and are deleted when the sign-in is over;
* a firm that suspends, ends or revokes cuts what hangs on its own rows; it neither knows of the other seats nor reaches
  them.

Source: docs/adr/0027-sign-ins.md.
"""

from service.signin.adding import Made, add, create
from service.signin.choosing import Chosen, choose
from service.signin.ending import end, remove
from service.signin.reading import Held, Seat, read
from service.signin.rows import Signer, parse

__all__ = ["Chosen", "Held", "Made", "Seat", "Signer", "add", "choose", "create", "end", "parse", "read", "remove"]

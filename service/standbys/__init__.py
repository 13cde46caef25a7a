"""Standby shares: what a member may open for himself when it is needed, sealed ahead by an attorney.

* `sealing`: an attorney names papers, a member, abilities and how long; and takes it back;
* `opening`: the member opens it once, with a reason; grants are made then, and end within hours;
* `reading`: what waits, is open, or was.

Source: docs/adr/0020-duties.md.
"""

from __future__ import annotations

from service.standbys.opening import close, open_now
from service.standbys.reading import Paper, Standby, list_all, read
from service.standbys.sealing import NewStandby, create, end

__all__ = ["NewStandby", "Paper", "Standby", "close", "create", "end", "list_all", "open_now", "read"]

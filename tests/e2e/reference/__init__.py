"""Who sees what in Muniment, and who may do what about it: a model in DESIGN's words that the service is held to.

It shares no code with the service and knows none of its words but roles, labels, sensitivities and acts. Two firms,
engagements with parts of matters, people with a seat (or several), papers and all that opens and shuts them, a clock
and a place. Read `things`, then `access` (what is open to whom), `handing` (what is handed to whom, and what
ends it), `acts` (what else somebody may do, and what follows).
"""

from __future__ import annotations

from tests.e2e.reference.acts import Model

__all__ = ["Model"]

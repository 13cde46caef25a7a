"""What an engagement's entries say of its terms: whole, and beside them what stood there before.

So the rows can be replayed from the log, and a replay knows what an act changed and what it only repeated.
"""

from __future__ import annotations

from typing import Any, NamedTuple

from service.duties import shown

Said = dict[str, str | int | bool | list[str]]


class Terms(NamedTuple):
    """What rules depend on: who leads, from when to when, what may be asked for and what is demanded."""

    starts_at: int  # UTC seconds
    ends_at: int  # UTC seconds
    lead_id: str
    deputy_id: str | None
    withheld: str
    owed: int  # `Duty` bits

    def said(self) -> Said:
        """The terms as an entry says them."""
        terms: Said = {
            "starts_at": self.starts_at,
            "ends_at": self.ends_at,
            "lead": self.lead_id,
            "withheld": self.withheld,
            "owed": shown(self.owed),
        }
        return terms if self.deputy_id is None else {**terms, "deputy": self.deputy_id}


def said_before(row: Any) -> Said:
    """What stood in an engagement's row that an act changes."""
    before: Said = {
        "ends_at_before": row.ends_at,
        "lead_before": row.lead_id,
        "withheld_before": row.withheld,
        "owed_before": shown(row.owed),
    }
    return before if row.deputy_id is None else {**before, "deputy_before": row.deputy_id}

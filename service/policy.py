"""The policy before it is saved: what another version would change for the people of an installation.

The comparison is made in the database, from the lists of both versions (service/scoping/comparing.py). It reads numbers
only: no document is named and no title is opened, so it leaves no entry; it is for the operator at the machine.
"""

from __future__ import annotations

from collections.abc import Callable

from service import firms
from service.db.session import EVERY_LOG
from service.ledger import Moment
from service.scoping.comparing import Comparison, Shift
from service.services import Services

Watch = Callable[[int, int], None]


def people_changed(services: Services, comparison: Comparison, watch: Watch) -> dict[str, list[Shift]]:
    """Return what would change for whom now, by firm: only memberships for which something does.

    Args:
        watch: is told how many memberships are compared, and of how many.
    """
    moment = Moment(services.clock())
    with services.database.read(EVERY_LOG) as tx:
        firm_ids = firms.all_ids(tx)
    found: dict[str, list[Shift]] = {}
    for firm_id in firm_ids:
        with services.database.read(firm_id) as tx:
            shifts: list[Shift] = []
            seats = comparison.seats(tx, firm_id)
            for number, actor in enumerate(seats, 1):
                shifts += comparison.shifts(tx, moment, actor)
                watch(number, len(seats))
            found[firm_id] = shifts
    return found

"""The policy before it is saved: what another version would change for the people of an installation.

The comparison is made in the database, from the lists of both versions (service/scoping/comparing.py). It reads numbers
only: no document is named and no title is opened, so it leaves no entry; it is for the operator at the machine.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from sqlalchemy import bindparam, select

from service import firms
from service.db.models import engagements
from service.db.session import EVERY_LOG
from service.errors import NotFoundError
from service.ledger import Moment
from service.scoping.comparing import Comparison, Shift
from service.services import Services

Watch = Callable[[int, int], None]

_OVERLAY: Final = select(engagements.c.overlay).where(engagements.c.id == bindparam("engagement"))


def overlay_of(services: Services, engagement_id: str) -> str:
    """Return the text of an engagement's overlay; empty for none.

    Raises:
        NotFoundError: no firm here has such an engagement.
    """
    with services.database.read(EVERY_LOG) as tx:
        for firm_id in firms.all_ids(tx):
            tx.turn_to(firm_id)
            text: str | None = tx.value(_OVERLAY, engagement=engagement_id)
            if text is not None:
                return text
    raise NotFoundError


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

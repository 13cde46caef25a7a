"""The policy before it is saved: what another version would change for the people of an installation.

The comparison is made in the database, from the lists of both versions (service/scoping/comparing.py). It reads numbers
only: no document is named and no title is opened. The operator at the machine compares all firms, which leaves no
entry; whoever runs a house asks for his own over HTTP, which does.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final

from sqlalchemy import bindparam, select

from service import events, firms
from service.acts import Act, Caller, perform
from service.db.models import engagements, logs
from service.db.session import EVERY_LOG
from service.errors import BadInputError, NotFoundError, PolicyError, UnavailableError
from service.exports import policy_of
from service.ledger import Moment
from service.scoping.actions import Action
from service.scoping.comparing import Comparison, Shift
from service.scoping.decide import Subject, decide
from service.scoping.matrix import EPOCH_FILES, Matrix
from service.scoping.table import Change, Said, rules_changed
from service.services import Services
from service.tokens import authenticate

Watch = Callable[[int, int], None]

MOST_ANSWERS: Final = 1000

_LOG_SIZE: Final = select(logs.c.size).where(logs.c.id == bindparam("firm"))
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


@dataclass(frozen=True, slots=True)
class Preview:
    """What other policy files would change.

    Args:
        epoch: of the policy that they make.
        answers: at most `MOST_ANSWERS` of those that differ, in the order of the table.
        shifts: documents gained and lost, by membership and act.
    """

    as_of: int  # UTC seconds
    epoch: str
    rules: tuple[Said, ...]
    answers: tuple[Change, ...]
    shifts: tuple[Shift, ...]
    more: bool  # there are more answers


async def preview(services: Services, caller: Caller, files: Mapping[str, str]) -> Preview:
    """Say what other policy files would change in the caller's firm; nothing is saved.

    Args:
        files: text by name; what is not named is as it stands in force.

    Raises:
        BadInputError: the service would refuse to load them, or a name is not a policy file's.
        UnavailableError: the caller's rights changed while they were compared.
    """
    found = await asyncio.to_thread(_compare, services, caller, files)

    def record(act: Act) -> None:
        if found is None:
            raise UnavailableError
        memberships = dict.fromkeys(shift.membership_id for shift in found[0].shifts)
        act.drafts.append(events.list_read(act.who, memberships, found[1]))

    await perform(services, caller, Action.POLICY_PREVIEW, Subject(), record)
    if found is None:
        raise UnavailableError
    return found[0]


def _compare(services: Services, caller: Caller, files: Mapping[str, str]) -> tuple[Preview, int] | None:
    """Compare in a snapshot of its own, which never holds the log; None for whoever may not ask."""
    now, before = Moment(services.clock(), caller.address), services.matrix.current
    with services.database.read(caller.credential.firm_id) as tx:
        actor = authenticate(tx, now, caller.credential)
        if not decide(tx, before, now, actor, Action.POLICY_PREVIEW, Subject()).allowed:
            return None
        after = _read(services, files)
        comparison = Comparison(before, after)
        seats = comparison.seats(tx, actor.firm_id)
        shifts = tuple(shift for seat in seats for shift in comparison.shifts(tx, now, seat))
        log_size: int = tx.value(_LOG_SIZE, firm=actor.firm_id)
    answers = comparison.changes[:MOST_ANSWERS]
    more = len(comparison.changes) > MOST_ANSWERS
    rules = tuple(rules_changed(before, after))
    return Preview(now.s, after.epoch, rules, answers, shifts, more), log_size


def _read(services: Services, files: Mapping[str, str]) -> Matrix:
    unknown = sorted(files.keys() - EPOCH_FILES)
    if unknown:
        names = ", ".join(EPOCH_FILES)
        raise BadInputError(f"files: the files of a policy are {names}.", extra={"field": "files"})
    contents = {**policy_of(services.settings.policies), **{name: text.encode() for name, text in files.items()}}
    try:
        return Matrix.of([contents[name] for name in EPOCH_FILES])
    except PolicyError as error:
        raise BadInputError(f"files: {error.message}", extra={"field": "files"}) from error

"""Dry runs: what an act would do, read in a snapshot of its own, and a digest that the act itself must name.

Rules kept here:

* a dry run never holds the log: it reads beside it, and is decided and recorded before anything of it is told;
* the digest is keyed with the firm's field key: it says whether two sets are the same, and nothing of what is in them.
"""

from __future__ import annotations

import asyncio
import hmac
import json
from collections.abc import Callable, Iterable, Sequence
from typing import Any, Final, TypeVar

from sqlalchemy import bindparam, select

from service import events
from service.acts import Act, Caller, Done, NewKeys, perform
from service.db.models import logs
from service.errors import BadInputError, BadStateError, MunimentError, SetChangedError
from service.ledger import Moment
from service.scoping.actions import Action
from service.scoping.decide import Subject, decide
from service.services import Services
from service.tokens import authenticate

MOST: Final = 1000
"""Grants in one act: what is written then holds the log for less than a second (docs/adr/0023-sharing-many.md)."""

T = TypeVar("T")
_LOG_SIZE = select(logs.c.size).where(logs.c.id == bindparam("firm"))


async def dry_run(
    services: Services,
    caller: Caller,
    action: Action,
    subject: Subject,
    find: Callable[[Act], T],
    tell: Callable[[Act, T], tuple[Any, Iterable[str]]],
) -> Done:
    """Look what an act would do.

    Args:
        find: looks, and changes nothing.
        tell: makes the answer of what was found, in the transaction that decides and records; with the ids in it.
    """

    def look() -> tuple[T | MunimentError, int]:
        moment = Moment(services.clock(), caller.address)
        with services.database.read(caller.credential.firm_id) as tx:
            actor = authenticate(tx, moment, caller.credential)
            decision = decide(tx, services.matrix.current, moment, actor, action, subject)
            act = Act(services, caller, tx, moment, actor, decision, NewKeys())
            found: T | MunimentError
            try:
                found = find(act)
            except MunimentError as error:
                found = error  # whether the asker may hear it is decided first
            return found, tx.value(_LOG_SIZE, firm=actor.firm_id)

    found, log_size = await asyncio.to_thread(look)

    def change(act: Act) -> Any:
        if isinstance(found, MunimentError):
            raise found
        answer, ids = tell(act, found)
        act.drafts.append(events.list_read(act.who, ids, log_size))
        return answer

    return await perform(services, caller, action, subject, change)


def digest(act: Act, purpose: str, rows: Sequence[Any], *said: Any) -> str | None:
    """Return the digest of a set, hex: HMAC-SHA-256 under the firm's field key; None for a set of nothing.

    Args:
        purpose: digests of different purposes cannot be compared.
        rows: what is in the set, with id and version, in order.
        said: what else makes it what it is; who asks is always part of it.
    """
    if not rows:
        return None
    whole = [act.actor.membership_id, *said, [[row.id, row.version] for row in rows]]
    return act.blind_index(purpose, json.dumps(whole, sort_keys=True, separators=(",", ":"))).hex()


def require_same(named: str | None, now: str | None) -> None:
    """Refuse an act whose set is not the one that was shown.

    Args:
        named: the digest of the dry run.
        now: that of the set as it is.

    Raises:
        BadStateError: there is nothing to do.
        BadInputError: no dry run is named.
        SetChangedError: it showed another set.
    """
    if named is None and now is None:
        raise BadStateError("There is nothing to do. The dry run shows what there is, and what is left out.")
    if named is None:
        raise BadInputError(
            "digest: make the dry run first (dry_run true), look at it, and send its digest.", extra={"field": "digest"}
        )
    if now is None or not hmac.compare_digest(named, now):
        raise SetChangedError

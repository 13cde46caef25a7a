"""Performing an act: its job for the ledger, and the keys that the job may have to wait for."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable, Iterable
from typing import Any, Final, NamedTuple, TypeVar

from service import events, tokens
from service.acts.act import Act, Caller
from service.acts.newkeys import KeyWantedError, NewKeys
from service.db.ids import new_id
from service.db.session import Tx
from service.door import KeyNotOpenError
from service.errors import LedgerUnavailableError, MunimentError, NotFoundError, NotInitialisedError
from service.ledger import Job, Moment, Outcome, Recorded, Refused
from service.scoping.actions import Action
from service.scoping.actors import Actor
from service.scoping.decide import Authorised, Subject, decide
from service.services import Services

KEY_ROUNDS: Final = 8  # keys one job may have to wait for: firm, engagement, part, person, with room

T = TypeVar("T")
Find = Callable[[Tx, Actor], Subject]


class Done(NamedTuple):
    """What an act leaves for the edge: its result, and what may be opened for the answer."""

    result: Any
    authorised: Authorised
    recorded: Recorded[Any]


def decided(
    services: Services,
    caller: Caller,
    action: Action,
    subject: Subject | Find,
    change: Callable[[Act], T],
    new_keys: NewKeys,
) -> Job[tuple[T, Act]]:
    """Make the job of an act.

    Args:
        change: fills the act inside the transaction and returns the result; an act that adds no entry of its own is
            recorded as a plain read.
        new_keys: the key objects that were made for it so far.
    """

    def job(tx: Tx, time: Moment) -> Outcome[tuple[T, Act]]:
        new_keys.asked = 0
        moment = Moment(time.ms, caller.address)
        actor = tokens.authenticate(tx, moment, caller.credential)
        about = subject if isinstance(subject, Subject) else subject(tx, actor)
        decision = decide(tx, services.matrix.current, moment, actor, action, about)
        act = Act(services, caller, tx, moment, actor, decision, new_keys)
        if decision.error is not None:
            raise Refused(decision.error, (events.access_refused(act.who, decision.error.code),))
        try:
            result = change(act)
        except MunimentError as error:
            draft = (
                events.access_refused(act.who, error.code)
                if isinstance(error, NotFoundError)
                else events.access_failed(act.who, error.code)
            )
            raise Refused(error, (draft,)) from error
        return Outcome((result, act), tuple(act.drafts) or (events.access_allowed(act.who),))

    return job


async def perform(
    services: Services, caller: Caller, action: Action, subject: Subject | Find, change: Callable[[Act], Any]
) -> Done:
    """Do an act and wait until it is durable.

    Args:
        subject: what it is about; or a look-up, where the request names something that hangs on it (a grant, say). A
            look-up that finds nothing returns the id it was given in the place of the thing: the policy then says no.

    Raises: the error the policy or the use case answers with; `UnauthenticatedError`; `LedgerUnavailableError`.
    """
    new_keys = NewKeys()
    job = decided(services, caller, action, subject, change, new_keys)
    recorded = await submit(services, caller.credential.firm_id, job, new_keys)
    result, act = recorded.result
    return Done(result, act.decision.authorised.also(act.listed), recorded)


async def submit(services: Services, log_id: str, job: Job[T], new_keys: NewKeys) -> Recorded[T]:
    """Submit a job; make and open the keys it lacks outside of the transaction."""
    try:
        for _ in range(KEY_ROUNDS):
            try:
                done = await services.ledger.submit(log_id, job)
                with contextlib.suppress(MunimentError):  # it is done; the doctor finds a key that stayed
                    await _destroy(services, new_keys.unused())
                return done  # noqa: TRY300  # the loop goes on where it raised
            except KeyNotOpenError as missing:
                await asyncio.to_thread(services.keys.open, missing.key_id)
            except KeyWantedError as wanted:
                await _make_key(services, wanted, new_keys)
        raise NotInitialisedError("A key was forgotten as fast as it was opened: MUNIMENT_KEY_CACHE_S is too short.")
    except MunimentError as error:
        # Where the commit's fate is unknown the keys stay: rows may rest on them. The doctor finds keys without owners.
        if not isinstance(error, LedgerUnavailableError):
            await _destroy(services, [*new_keys.spare, *new_keys.made])
        raise


async def _destroy(services: Services, key_ids: Iterable[str]) -> None:
    for key_id in key_ids:
        await asyncio.to_thread(services.keys.destroy, key_id)


async def _make_key(services: Services, wanted: KeyWantedError, new_keys: NewKeys) -> None:
    key_id = new_id("key", services.clock(), services.random)
    await asyncio.to_thread(services.keys.create, key_id, wanted.kind, wanted.parent)
    new_keys.made.append(key_id)
    new_keys.parents.append(wanted.parent)

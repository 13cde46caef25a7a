"""An act: authenticate, decide, change, record, all in one transaction; the shape of every use case.

Rules kept here:

* whoever asks is looked up, and the policy is asked, in the very transaction that changes and records;
* a refusal is recorded, and so is an allowed act that could not be done; both leave no other trace;
* a caller without a valid credential has no firm: nothing is written for him here (see `service.httpdeps`);
* sealing inside a job uses keys that are open already; a key that is not makes the job step back, the key is opened
  outside of the transaction, and the job runs again (a KMS call must never hold the log's head).

It does not know what the acts are: that is the use cases, one module a noun.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final, NamedTuple, TypeVar

from sqlalchemy import bindparam, insert, select

from audit.entry import commitment
from service import events, tokens
from service.crypto import fields
from service.crypto.wrapping import SecretKey, generate_key, wrap
from service.db.ids import new_id
from service.db.models import firms, idempotency
from service.db.session import Tx
from service.door import Holder, KeyNotOpenError, field_key, field_key_context
from service.errors import (
    IdempotencyMismatchError,
    LedgerUnavailableError,
    MunimentError,
    NotFoundError,
    NotInitialisedError,
    PreconditionMissingError,
    StaleError,
)
from service.ledger import Draft, Job, Moment, Outcome, Recorded, Refused, SealedPayload
from service.scoping.actions import Action
from service.scoping.actors import Actor
from service.scoping.decide import Authorised, Decision, Subject, decide
from service.services import Services

SALT_BYTES: Final = 32
KEY_ROUNDS: Final = 8  # keys one job may have to wait for: firm, engagement, part, person, with room

T = TypeVar("T")
Find = Callable[[Tx, Actor], Subject]

_FIRM = select(firms.c.id, firms.c.key_id, firms.c.field_key).where(firms.c.id == bindparam("firm"))
_REPLAY = select(idempotency.c.request_index, idempotency.c.resource_id).where(
    idempotency.c.key_index == bindparam("key_index")
)
_REMEMBER = insert(idempotency)


class Caller(NamedTuple):
    """What an edge knows of a request before anything was looked up."""

    credential: tokens.Credential
    request_id: str
    idempotency_key: str | None = None
    if_match: str | None = None
    address: str | None = None  # where the connection comes from: for deciding alone, never recorded


class KeyWantedError(Exception):
    """A job needs a new key object; the job steps back until it is in all key places."""

    def __init__(self, kind: str, parent: str | None) -> None:
        super().__init__(kind)
        self.kind = kind
        self.parent = parent


def keyed(services: Services, key_id: str) -> SecretKey:
    """A key object's key, when it is open already; jobs never wait for a key.

    Raises:
        KeyNotOpenError: it is not; `submit` opens it and runs the job again.
    """
    key = services.keys.peek(key_id)
    if key is None:
        raise KeyNotOpenError(key_id)
    return key


@dataclass(slots=True)
class NewKeys:
    """Key objects made for one act, in the order in which its job asks for them.

    A key is in all places before anything it seals is written, and outside of the transaction. If the act fails in the
    end they are destroyed; a crash in between leaves a key without an owner, which `muniment doctor` finds.
    """

    made: list[str] = field(default_factory=list)
    parents: list[str | None] = field(default_factory=list)  # of those made, in the same order
    spare: list[str] = field(default_factory=list)  # made and not wanted any more
    asked: int = 0

    def next(self, kind: str, parent: str | None) -> str:
        """Return the next key's id.

        Raises:
            KeyWantedError: it is not made yet, or under a parent that was rotated since: what hangs on the old one
                would be lost with it.
        """
        if self.asked < len(self.made) and self.parents[self.asked] != parent:
            self.spare += self.made[self.asked :]
            del self.made[self.asked :], self.parents[self.asked :]
        if self.asked == len(self.made):
            raise KeyWantedError(kind, parent)
        self.asked += 1
        return self.made[self.asked - 1]

    def unused(self) -> list[str]:
        """Those that the job did not ask for in the end, when it has run."""
        return [*self.spare, *self.made[self.asked :]]


@dataclass(slots=True)
class Act:
    """One allowed act inside its transaction, for a use case to fill."""

    services: Services
    caller: Caller
    tx: Tx
    moment: Moment
    actor: Actor
    decision: Decision
    new_keys: NewKeys
    drafts: list[Draft] = field(default_factory=list)
    listed: set[str] = field(default_factory=set)
    _who: events.Who | None = None

    @property
    def firm_id(self) -> str:
        """The firm whose world this is."""
        return self.actor.firm_id

    @property
    def who(self) -> events.Who:
        """The decision, as entries tell it."""
        if self._who is None:
            self._who = who(self.actor, self.decision, self.caller.request_id)
        return self._who

    def new_id(self, kind: str) -> str:
        """Make an id of a kind."""
        return new_id(kind, self.moment.ms, self.services.random)

    def record(
        self,
        kind: events.EventType,
        subjects: Mapping[str, str] | None = None,
        data: events.Data | None = None,
        payload: SealedPayload | None = None,
    ) -> None:
        """Add the entry of a change."""
        self.drafts.append(events.changed(kind, self.who, subjects, data, payload))

    def firm(self) -> Holder:
        """The firm as a holder of a field key."""
        return Holder(*self.tx.one(_FIRM, firm=self.firm_id))

    def field_key(self, holder: Holder) -> SecretKey:
        """The field key of a holder, when its key object is open already.

        Raises:
            KeyNotOpenError: it is not; `perform` opens it and runs the job again.
        """
        return field_key(self.services.keys, holder, wait=False)

    def new_holder(self, holder_id: str, kind: str, parent: str | None) -> Holder:
        """Make a key object under `parent` (None: the root key) and a field key under it.

        Raises:
            KeyWantedError, KeyNotOpenError: see `perform`.
        """
        key_id = self.new_keys.next(kind, parent)
        key, random = keyed(self.services, key_id), self.services.random
        return Holder(holder_id, key_id, wrap(key, generate_key(random), field_key_context(holder_id), random))

    def seal(self, holder: Holder, table: str, column: str, row: str, text: str) -> bytes:
        """Seal a name for one column of one row."""
        return fields.seal(self.field_key(holder), table, column, row, text, self.services.random)

    def payload(self, holder: Holder, names: Mapping[str, str]) -> SealedPayload:
        """Seal the names that belong to an entry and commit to them with a fresh salt."""
        return seal_payload(self.services, self.field_key(holder), holder, names)

    def blind_index(self, purpose: str, text: str) -> bytes:
        """Index a text under the firm's field key, for finding it again without storing it."""
        return fields.blind_index(self.field_key(self.firm()), purpose, text)

    def once(self, route: str, request: Mapping[str, object], make: Callable[[], str]) -> str:
        """Create something once for each Idempotency-Key and return its id, old or new.

        Only HMACs of the key and of the request are kept, never the request itself.

        Raises:
            IdempotencyMismatchError: the key was used for another request.
        """
        key_index = self._key_index(route)
        if key_index is None:
            return make()
        request_index = self.blind_index("idempotent request", json.dumps(request, sort_keys=True, default=str))
        row = self.tx.one(_REPLAY, key_index=key_index)
        if row is not None:
            if row.request_index != request_index:
                raise IdempotencyMismatchError
            resource_id: str = row.resource_id
            return resource_id
        made = make()
        self.tx.run(
            _REMEMBER,
            key_index=key_index,
            firm_id=self.firm_id,
            request_index=request_index,
            resource_id=made,
            created_at=self.moment.s,
        )
        return made

    def was_sent(self, route: str) -> bool:
        """Say whether something was made with this Idempotency-Key already; `once` then compares the requests.

        For acts whose request is whole only when its body has arrived.
        """
        key_index = self._key_index(route)
        return key_index is not None and self.tx.one(_REPLAY, key_index=key_index) is not None

    def _key_index(self, route: str) -> bytes | None:
        key = self.caller.idempotency_key
        if key is None:
            return None
        return self.blind_index("idempotency key", f"{self.actor.membership_id}\n{route}\n{key}")

    def require_version(self, row_id: str, version: int) -> None:
        """Compare If-Match with the row that is about to change.

        Raises:
            PreconditionMissingError: no If-Match was sent.
            StaleError: it names another version.
        """
        if self.caller.if_match is None:
            raise PreconditionMissingError
        if self.caller.if_match != etag(row_id, version):
            raise StaleError

    def require(self, action: Action, subject: Subject) -> Decision:
        """Decide another act of the same caller, which this one brings with it; raises what the policy answers."""
        decision = decide(self.tx, self.services.matrix.current, self.moment, self.actor, action, subject)
        if decision.error is not None:
            raise decision.error
        return decision

    def list_out(self, ids: Sequence[str]) -> None:
        """Record that these rows were given out as a list, and let their names be opened for the answer."""
        self.drafts.append(events.list_read(self.who, ids))
        self.show(ids)

    def show(self, ids: Iterable[str]) -> None:
        """Note rows, found by a query bound to this act's subjects, whose names may be opened for the answer."""
        self.listed.update(ids)


def etag(row_id: str, version: int) -> str:
    """The strong ETag of a row (RFC 9110, section 8.8.3)."""
    return f'"{row_id}-{version}"'


def who(actor: Actor, decision: Decision, request_id: str) -> events.Who:
    """Tell a decision as entries tell it."""
    return events.Who(
        actor={
            "person": actor.person_id,
            "membership": actor.membership_id,
            "token": actor.token_id,
            "role": actor.role,
        },
        request=request_id,
        action=decision.action,
        subjects=decision.subjects,
        rule=decision.rule,
        facts=decision.facts,
        policy=decision.policy,
        nda=decision.nda,
    )


def seal_payload(services: Services, key: SecretKey, holder: Holder, names: Mapping[str, str]) -> SealedPayload:
    """Seal names for an entry: JSON of salt and payload, under the holder's field key."""
    salt = services.random(SALT_BYTES)
    payload = json.dumps(names, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    digest = commitment(salt, payload.encode()).hex()
    sealed = fields.seal(key, "log_entries", "payload", digest, f"{salt.hex()}{payload}", services.random)
    return SealedPayload(digest, sealed, holder.id)


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

"""One allowed act inside its transaction, and what a use case may do with it."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final, NamedTuple

from sqlalchemy import bindparam, insert, select

from audit.entry import commitment
from service import events, tokens
from service.acts.newkeys import NewKeys, keyed
from service.crypto import fields
from service.crypto.wrapping import SecretKey, generate_key, wrap
from service.db.ids import new_id
from service.db.models import firms, idempotency
from service.db.session import Tx
from service.door import Holder, field_key, field_key_context
from service.errors import IdempotencyMismatchError, PreconditionMissingError, StaleError
from service.ledger import Draft, Moment, SealedPayload
from service.scoping.actions import Action
from service.scoping.actors import Actor
from service.scoping.decide import Decision, Subject, decide
from service.services import Services

SALT_BYTES: Final = 32

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
        subjects: events.Subjects | None = None,
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

    def may(self, action: Action, subject: Subject) -> bool:
        """Ask whether the same caller may do another act too, which changes what he is told; no is no refusal."""
        return decide(self.tx, self.services.matrix.current, self.moment, self.actor, action, subject).allowed

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

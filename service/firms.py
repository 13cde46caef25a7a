"""Firms: founding one, with its log, its keys, its owner and the owner's first token.

A firm is founded by the operator at the machine (`muniment init`), before anybody could be authenticated: so these
jobs have no decision, and their entries name the actor ``cli``.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final
from zoneinfo import available_timezones

from sqlalchemy import bindparam, insert, select

from audit.checkpoint import verifier_key
from service import events, names, tokens
from service.acts import NewKeys, keyed, seal_payload, submit
from service.brakes.marks import NOT_BRAKED
from service.crypto import fields
from service.crypto.signing import load_signing_key, new_signing_key
from service.crypto.wrapping import SecretKey, generate_key, wrap
from service.db.auditstore import each_log
from service.db.ids import new_id
from service.db.models import FOREVER, firms, logs, memberships, people
from service.db.session import EVERY_LOG, Tx
from service.door import Holder, field_key, field_key_context, signing_key_context
from service.errors import BadInputError
from service.events import EventType
from service.ledger import NO_LOG, Draft, Moment, Outcome
from service.scoping.actions import Role, Side
from service.services import Services

DAY_S: Final = 86_400
DEPLOYMENT: Final = "deployment"

_ADD_LOG = insert(logs)
_ADD_FIRM = insert(firms)
_ADD_PERSON = insert(people)
_ADD_MEMBERSHIP = insert(memberships)
_DEPLOYMENT_LOG = select(logs.c.id).where(logs.c.kind == DEPLOYMENT)
_FIRM = select(firms.c.id, firms.c.key_id, firms.c.field_key).where(firms.c.id == bindparam("firm"))


@dataclass(frozen=True, slots=True)
class Founded:
    """A firm that was just founded; the token is shown this once."""

    firm_id: str
    owner_person_id: str
    owner_membership_id: str
    owner_token: tokens.NewToken
    verifier_key: str


def all_ids(tx: Tx) -> list[str]:
    """The ids of the firms here."""
    return [log.id for log in each_log(tx) if tx.one(_FIRM, firm=log.id) is not None]


def deployment_log(tx: Tx) -> str | None:
    """The id of the deployment's own log; None before `init`."""
    found: str | None = tx.value(_DEPLOYMENT_LOG)
    return found


async def open_deployment(services: Services) -> str:
    """Open the deployment's log where there is none yet, and return its id."""
    with services.database.read(EVERY_LOG) as tx:
        found = deployment_log(tx)
    if found is not None:
        return found
    log_id = new_id("log", services.clock(), services.random)
    await _open_log(services, log_id, DEPLOYMENT)
    return log_id


async def found(
    services: Services, name: str, owner_email: str, owner_name: str, zone: str, token_days: int
) -> Founded:
    """Found a firm.

    Args:
        zone: IANA time zone of the firm, for windows and working days.
        token_days: life of the owner's first token.

    Raises:
        BadInputError: a field is not of its form.
    """
    name, owner_name, owner_email = names.name(name, "name"), names.name(owner_name, "owner"), names.email(owner_email)
    if zone not in available_timezones():
        raise BadInputError("zone: name an IANA time zone, such as America/New_York.", extra={"field": "zone"})
    deployment = await open_deployment(services)
    firm_id = new_id("frm", services.clock(), services.random)
    key_id, verifier = await _open_log(services, firm_id, "firm")
    new_keys = NewKeys()

    def job(tx: Tx, moment: Moment) -> Outcome[Founded]:
        new_keys.asked = 0
        founding = _Founding(services, tx, moment, firm_id, key_id, new_keys)
        firm = founding.firm(name, zone)
        owner = founding.owner(firm, owner_email, owner_name, token_days * DAY_S, verifier)
        return Outcome(owner, tuple(founding.drafts))

    founded = (await submit(services, firm_id, job, new_keys)).result
    opened = events.changed(EventType.LOG_OPENED, events.system("cli"), {"log": firm_id})
    await services.ledger.submit(deployment, lambda _tx, _moment: Outcome(None, (opened,)))
    return founded


async def _open_log(services: Services, log_id: str, kind: str) -> tuple[str, str]:
    """Make a log's key object and signing key, and its head row; returns key id and verifier key."""
    new_keys = NewKeys()
    origin = f"muniment/{log_id}"

    def job(tx: Tx, moment: Moment) -> Outcome[tuple[str, str]]:
        new_keys.asked = 0
        key_id = new_keys.next(kind, None)
        key = keyed(services, key_id)
        seed = new_signing_key(services.random)
        verifier = verifier_key(origin, load_signing_key(seed).public_key())
        tx.turn_to(log_id)
        tx.run(
            _ADD_LOG,
            id=log_id,
            kind=kind,
            origin=origin,
            size=0,
            time_ms=0,
            verifier_key=verifier,
            key_id=key_id,
            signing_key=wrap(key, seed, signing_key_context(log_id), services.random),
            created_at=moment.s,
        )
        return Outcome((key_id, verifier))

    return (await submit(services, NO_LOG, job, new_keys)).result


@dataclass(slots=True)
class _Founding:
    """The rows and entries of one founding."""

    services: Services
    tx: Tx
    moment: Moment
    firm_id: str
    key_id: str
    new_keys: NewKeys
    drafts: list[Draft] = field(default_factory=list)

    def _holder(self, holder_id: str, key_id: str) -> tuple[Holder, SecretKey]:
        random = self.services.random
        key = generate_key(random)
        wrapped = wrap(keyed(self.services, key_id), key, field_key_context(holder_id), random)
        return Holder(holder_id, key_id, wrapped), key

    def firm(self, name: str, zone: str) -> Holder:
        holder, key = self._holder(self.firm_id, self.key_id)
        self.tx.run(
            _ADD_FIRM,
            id=self.firm_id,
            key_id=self.key_id,
            field_key=holder.field_key,
            name=fields.seal(key, "firms", "name", self.firm_id, name, self.services.random),
            zone=zone,
            created_at=self.moment.s,
        )
        payload = seal_payload(self.services, key, holder, {"name": name})
        self.drafts.append(
            events.changed(
                EventType.FIRM_FOUNDED, events.system("cli"), {"firm": self.firm_id}, {"zone": zone}, payload
            )
        )
        return holder

    def owner(self, firm: Holder, email: str, name: str, ttl_s: int, verifier: str) -> Founded:
        services, now, cli = self.services, self.moment.s, events.system("cli")
        person_id, membership_id, token_id = (self._new_id(kind) for kind in ("per", "mem", "tok"))
        person, key = self._holder(person_id, self.new_keys.next("person", self.key_id))
        firm_key = field_key(services.keys, firm, wait=False)
        self.tx.run(
            _ADD_PERSON,
            id=person_id,
            firm_id=self.firm_id,
            side=Side.FIRM.value,
            vendor_id=None,
            key_id=person.key_id,
            field_key=person.field_key,
            email_index=fields.blind_index(firm_key, "e-mail", email),
            email=fields.seal(key, "people", "email", person_id, email, services.random),
            name=fields.seal(key, "people", "name", person_id, name, services.random),
            created_at=now,
        )
        payload = seal_payload(services, key, person, {"name": name})
        self.drafts.append(
            events.changed(EventType.PERSON_ADDED, cli, {"person": person_id}, {"side": "firm"}, payload)
        )
        self._membership(membership_id, person_id)
        token = tokens.draw(token_id, self.firm_id, services.random(tokens.SECRET_BYTES))
        self.drafts.append(
            tokens.create(
                self.tx, self.moment, token, self.firm_id, person_id, membership_id, scopes="*", ttl_s=ttl_s, who=cli
            )
        )
        return Founded(self.firm_id, person_id, membership_id, token, verifier)

    def _membership(self, membership_id: str, person_id: str) -> None:
        self.tx.run(
            _ADD_MEMBERSHIP,
            id=membership_id,
            firm_id=self.firm_id,
            person_id=person_id,
            engagement_id=None,
            side=Side.FIRM.value,
            role=Role.OWNER.value,
            starts_at=self.moment.s,
            ends_at=FOREVER,
            suspended=0,
            **NOT_BRAKED,
            matter_id=None,
            created_at=self.moment.s,
            version=1,
        )
        subjects = {"membership": membership_id, "person": person_id}
        data: events.Data = {"role": Role.OWNER.value, "starts_at": self.moment.s, "ends_at": FOREVER}
        self.drafts.append(events.changed(EventType.MEMBER_ADDED, events.system("cli"), subjects, data))

    def _new_id(self, kind: str) -> str:
        return new_id(kind, self.moment.ms, self.services.random)

"""The house itself: the firm as its people see it, and the policy in force."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import bindparam, select

from service.acts import Act, Caller, perform
from service.db.models import firms, logs
from service.door import Holder, NameReader
from service.exports import policy_of
from service.scoping.actions import Action
from service.scoping.decide import Subject
from service.services import Services


@dataclass(frozen=True, slots=True)
class Firm:
    """A firm, its name opened."""

    id: str
    name: str
    zone: str
    created_at: int  # UTC seconds
    log_origin: str
    verifier_key: str


@dataclass(frozen=True, slots=True)
class Policy:
    """The policy in force."""

    epoch: str
    files: Mapping[str, str]


_FIRM = (
    select(firms, logs.c.origin, logs.c.verifier_key)
    .join_from(firms, logs, logs.c.id == firms.c.id)
    .where(firms.c.id == bindparam("firm"))
)


async def firm(services: Services, caller: Caller) -> Firm:
    """Read the firm."""

    def change(act: Act) -> Any:
        return act.tx.one(_FIRM, firm=act.firm_id)

    done = await perform(services, caller, Action.FIRM_READ, Subject(), change)
    row = done.result
    reader = NameReader(services.keys, done.authorised)
    name = reader.open(Holder(row.id, row.key_id, row.field_key), "firms", "name", row.id, row.name)
    return Firm(row.id, name, row.zone, row.created_at, row.origin, row.verifier_key)


async def policy(services: Services, caller: Caller) -> Policy:
    """Read the policy files that are in force."""
    await perform(services, caller, Action.POLICY_READ, Subject(), lambda _act: None)
    files = {name: body.decode() for name, body in policy_of(services.settings.policies).items()}
    return Policy(services.matrix.current.epoch, files)

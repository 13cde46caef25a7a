"""Signatures: a person binds himself to the SHA-256 of the exact text that he was shown.

Rules kept here:

* a signature carries the text's SHA-256, and it must be that of the newest version: nobody signs what no longer binds;
* one signature a person and version; it puts the duty in force from that second on, for that person and engagement;
* the typed name is the person's own: sealed under his key, here and beside the entry.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from sqlalchemy import bindparam, insert, select

from service import agreements, duties, names
from service.acts import Act, Caller, perform
from service.db.models import FOREVER, agreement_versions, people, signatures
from service.door import Holder, NameReader
from service.errors import BadInputError, BadStateError, ExistsError
from service.events import EventType
from service.scoping.actions import Action, Duty
from service.services import Services


@dataclass(frozen=True, slots=True)
class Signature:
    """A signature, the typed name opened."""

    id: str
    agreement_id: str
    number: int  # of the text's version
    sha256: str  # hex, of the text in UTF-8
    typed_name: str
    signed_at: int  # UTC seconds


_s, _v = signatures, agreement_versions
_ADD = insert(signatures)
_OLDER = select(_v.c.id).where(_v.c.agreement_id == bindparam("agreement"), _v.c.sha256 == bindparam("digest"))
_PERSON = select(people.c.id, people.c.key_id, people.c.field_key).where(people.c.id == bindparam("person"))
_ONE = (
    select(_s.c.id, _v.c.agreement_id, _v.c.number, _s.c.sha256, _s.c.typed_name, _s.c.signed_at)
    .join_from(_s, _v, _v.c.id == _s.c.version_id)
    .where(_s.c.id == bindparam("signature"), _s.c.person_id == bindparam("person"))
)


async def sign(services: Services, caller: Caller, agreement_id: str, sha256: str, typed_name: str) -> Signature:
    """Sign the newest text of an agreement, for oneself.

    Args:
        sha256: hex, of the text that was read.

    Raises:
        BadInputError: `sha256` is that of no text of this agreement, or the name cannot be kept.
        BadStateError: it is an older text.
        ExistsError: signed already.
    """
    typed_name = names.name(typed_name, "typed_name")

    def change(act: Act) -> tuple[Holder, Any]:
        request = {"agreement": agreement_id, "sha256": sha256, "typed_name": typed_name}
        made = act.once("signature", request, lambda: _sign(act, agreement_id, sha256, typed_name))
        row = act.tx.one(_ONE, signature=made, person=act.actor.person_id)
        act.show([row.id])
        return _signer(act), row

    done = await perform(services, caller, Action.AGREEMENT_SIGN, agreements.subject_of(agreement_id), change)
    person, row = done.result
    name = NameReader(services.keys, done.authorised).open(person, "signatures", "typed_name", row.id, row.typed_name)
    return Signature(row.id, row.agreement_id, row.number, row.sha256, name, row.signed_at)


def _sign(act: Act, agreement_id: str, sha256: str, typed_name: str) -> str:
    newest = agreements.newest_of(act, agreement_id)
    _require_newest(act, newest, sha256)
    signature_id, person, now = act.new_id("sig"), _signer(act), act.moment.s
    act.tx.run(
        _ADD,
        id=signature_id,
        firm_id=act.firm_id,
        version_id=newest.version_id,
        person_id=person.id,
        membership_id=act.actor.membership_id,
        sha256=sha256,
        typed_name=act.seal(person, "signatures", "typed_name", signature_id, typed_name),
        signed_at=now,
    )
    subjects = {
        "engagement": newest.engagement_id,
        "agreement": agreement_id,
        "version": newest.version_id,
        "signature": signature_id,
        "person": person.id,
        "duty": _begin_duty(act, newest.engagement_id, signature_id, sha256),
    }
    data = {"number": newest.number, "sha256": sha256, "duty": newest.kind, "valid_from": now, "valid_until": FOREVER}
    act.record(EventType.AGREEMENT_SIGNED, subjects, data, act.payload(person, {"typed_name": typed_name}))
    return signature_id


def _require_newest(act: Act, newest: Any, sha256: str) -> None:
    """Refuse a digest that is not the newest text's, and a second signature under it."""
    if newest.sha256 != sha256:
        if act.tx.one(_OLDER, agreement=newest.id, digest=sha256) is not None:
            raise BadStateError("A newer text has been published. Read it, then sign that.")
        raise BadInputError(
            "sha256: this is not the SHA-256 of the text. Read the agreement again and send what stands beside it.",
            extra={"field": "sha256"},
        )
    if newest.signed_at is not None:
        raise ExistsError("You have signed this text already.")


def _begin_duty(act: Act, engagement_id: str, signature_id: str, sha256: str) -> str:
    duty_id = act.new_id("dut")
    duties.begin(
        act.tx,
        act.moment,
        Duty.NDA,
        duties.Evidence(signature_id, sha256),
        duty_id=duty_id,
        firm_id=act.firm_id,
        subject_id=act.actor.person_id,
        engagement_id=engagement_id,
    )
    return duty_id


def _signer(act: Act) -> Holder:
    return Holder(*act.tx.one(_PERSON, person=act.actor.person_id))

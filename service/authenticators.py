"""Authenticators: by what a person proves again, with one token at a time, that it is he who acts.

Rules kept here:

* the secret is told once, to whom it is for, and counts only after a first code confirmed that he has it;
* a code counts once, and steps up the one token that it came with, for `STEPPED_UP_S`; what is made with that token is
  not stepped up;
* `MOST_WRONG` wrong codes within `WRONG_S` and no code counts, not even the right one, until fewer are as young: the
  count is kept in the row and every wrong one has an entry, so that no second process and no restart gives more tries;
* whoever has an authenticator enrols another only with a token stepped up by the first; only where there is none does
  the bare token do. When one is replaced or reset, nothing stays stepped up by it.

Which acts need a token that is stepped up is said in policies/policy.csv.

Source: service/crypto/onetime.py; docs/adr/0021-brakes-and-step-up.md.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final, NamedTuple

from sqlalchemy import bindparam, insert, select, update

from service import events
from service.acts import Act, Caller, perform
from service.crypto import onetime
from service.db.models import FOREVER, authenticators, people, tokens
from service.db.session import Tx
from service.door import Holder, NameReader
from service.errors import BadStateError, MunimentError, TooManyCodesError, WrongCodeError
from service.events import EventType
from service.scoping.actions import Action
from service.scoping.actors import Actor
from service.scoping.decide import Subject
from service.services import Services

STEPPED_UP_S: Final = 600
MOST_WRONG: Final = 5
WRONG_S: Final = 900
ISSUER: Final = "Muniment"

_ADD = insert(authenticators)
_PERSON = select(people.c.id, people.c.key_id, people.c.field_key, people.c.email).where(
    people.c.id == bindparam("person")
)
_STANDING = (
    select(authenticators)
    .where(authenticators.c.person_id == bindparam("person"), authenticators.c.ended_at > bindparam("now"))
    .order_by(authenticators.c.id)
)
_END = update(authenticators).where(authenticators.c.id == bindparam("authenticator")).values(ended_at=bindparam("now"))
_TAKE = (
    update(authenticators)
    .where(authenticators.c.id == bindparam("authenticator"))
    .values(last_step=bindparam("step"), confirmed_at=bindparam("confirmed"))
)
_NOTE_WRONG = (
    update(authenticators).where(authenticators.c.id == bindparam("authenticator")).values(wrong_at=bindparam("times"))
)
_STEP_UP = update(tokens).where(tokens.c.id == bindparam("token")).values(stepped_up_until=bindparam("until"))
_STEP_DOWN = (
    update(tokens)
    .where(tokens.c.person_id == bindparam("person"), tokens.c.stepped_up_until > bindparam("now"))
    .values(stepped_up_until=bindparam("now"))
)


@dataclass(frozen=True, slots=True)
class Enrolment:
    """An authenticator to be confirmed, with its secret: the only time that it is told."""

    id: str
    secret: str  # base32
    uri: str  # what its QR code says; holds the secret and the e-mail address

    def __repr__(self) -> str:
        return f"Enrolment({self.id}, redacted)"


class _Verdict(NamedTuple):
    """What came of a code: the error to answer with, or a time in UTC seconds."""

    error: MunimentError | None
    at: int = 0


async def enrol(services: Services, caller: Caller) -> Enrolment:
    """Begin with an authenticator, the first or another; until it is confirmed everything stays as it is.

    Raises:
        StepUpNeededError: there is one in force, and this token was not stepped up by it.
    """
    secret = onetime.new_secret(services.random)

    def change(act: Act) -> tuple[str, Any]:
        person_id, now = act.actor.person_id, act.moment.s
        person = act.tx.one(_PERSON, person=person_id)
        in_force, waiting = _standing(act, person_id)
        if in_force is not None:
            act.require(Action.AUTHENTICATOR_REPLACE, Subject(person=person_id))
        if waiting is not None:
            act.tx.run(_END, authenticator=waiting.id, now=now)
        new_id = act.new_id("aut")
        act.tx.run(
            _ADD,
            id=new_id,
            firm_id=act.firm_id,
            person_id=person_id,
            secret=act.seal(_holder(person), "authenticators", "secret", new_id, secret),
            enrolled_at=now,
            confirmed_at=FOREVER,
            ended_at=FOREVER,
            last_step=0,
            wrong_at="",
        )
        act.record(EventType.AUTHENTICATOR_ENROLLED, {"authenticator": new_id, "person": person_id})
        act.show([person_id])
        return new_id, person

    done = await perform(services, caller, Action.AUTHENTICATOR_ENROL, _self, change)
    new_id, person = done.result
    reader = NameReader(services.keys, done.authorised)
    email = reader.open(_holder(person), "people", "email", person.id, person.email)
    return Enrolment(new_id, secret, onetime.uri(secret, email, ISSUER))


async def confirm(services: Services, caller: Caller, code: str) -> int:
    """Confirm with a first code that the newest authenticator shows the right ones; from now on it is in force.

    Returns: since when, in UTC seconds.

    Raises:
        BadStateError: none waits to be confirmed.
        WrongCodeError, TooManyCodesError: as `step_up`.
    """

    def change(act: Act) -> _Verdict:
        person_id, now = act.actor.person_id, act.moment.s
        in_force, waiting = _standing(act, person_id)
        if waiting is None:
            raise BadStateError("No authenticator waits to be confirmed. Begin at /api/v1/me/authenticator.")
        if in_force is not None:
            act.require(Action.AUTHENTICATOR_REPLACE, Subject(person=person_id))
        step = _take(act, waiting, code, confirmed_at=now)
        if step is None:
            return _Verdict(WrongCodeError())
        if in_force is not None:
            act.tx.run(_END, authenticator=in_force.id, now=now)
        act.tx.run(_STEP_DOWN, person=person_id, now=now)
        subjects = {"authenticator": waiting.id, "person": person_id}
        act.record(EventType.AUTHENTICATOR_CONFIRMED, subjects, {"confirmed_at": now, "step": step})
        return _Verdict(None, now)

    return _told((await perform(services, caller, Action.AUTHENTICATOR_ENROL, _self, change)).result)


async def step_up(services: Services, caller: Caller, code: str) -> int:
    """Step up the token that is shown, with a code that the caller's authenticator shows now.

    Returns: until when it counts, in UTC seconds.

    Raises:
        BadStateError: he has no authenticator.
        WrongCodeError: the code is wrong, too old, or was used; recorded and counted.
        TooManyCodesError: there were too many of those.
    """

    def change(act: Act) -> _Verdict:
        actor = act.actor
        row, _ = _standing(act, actor.person_id)
        if row is None:
            raise BadStateError("You have no authenticator yet. Begin at /api/v1/me/authenticator.")
        step = _take(act, row, code, confirmed_at=row.confirmed_at)
        if step is None:
            return _Verdict(WrongCodeError())
        until = act.moment.s + STEPPED_UP_S
        act.tx.run(_STEP_UP, token=actor.token_id, until=until)
        subjects = {"authenticator": row.id, "person": actor.person_id, "token": actor.token_id}
        act.record(EventType.TOKEN_STEPPED_UP, subjects, {"until": until, "step": step})
        return _Verdict(None, until)

    return _told((await perform(services, caller, Action.AUTHENTICATOR_USE, _self, change)).result)


async def reset(services: Services, caller: Caller, person_id: str) -> None:
    """Take somebody else's authenticator away, at once, with all that was stepped up by it: he may enrol a new one.

    Raises:
        BadStateError: he has none.
    """

    def change(act: Act) -> None:
        standing = [row for row in _standing(act, person_id) if row is not None]
        if not standing:
            raise BadStateError("This person has no authenticator.")
        now = act.moment.s
        for row in standing:
            act.tx.run(_END, authenticator=row.id, now=now)
            act.record(EventType.AUTHENTICATOR_RESET, {"authenticator": row.id, "person": person_id})
        act.tx.run(_STEP_DOWN, person=person_id, now=now)

    await perform(services, caller, Action.AUTHENTICATOR_RESET, Subject(person=person_id), change)


def since(act: Act) -> int | None:
    """Return since when the actor's authenticator is in force, in UTC seconds; None where he has none."""
    row, _ = _standing(act, act.actor.person_id)
    return None if row is None else int(row.confirmed_at)


def _standing(act: Act, person_id: str) -> tuple[Any, Any]:
    """The authenticator that is in force, and the one that waits to be confirmed; None for each that is not there."""
    rows = act.tx.all(_STANDING, person=person_id, now=act.moment.s)
    return (
        next((row for row in rows if row.confirmed_at < FOREVER), None),
        next((row for row in rows if row.confirmed_at == FOREVER), None),
    )


def _take(act: Act, row: Any, code: str, *, confirmed_at: int) -> int | None:
    """Use a code up and return its step of time; None where it is wrong, which is counted and recorded.

    What is wrong must stay written, so it is returned: an act that raises leaves no trace but its refusal.
    """
    now = act.moment.s
    wrong = [at for at in map(int, row.wrong_at.split()) if at > now - WRONG_S]
    if len(wrong) >= MOST_WRONG:
        raise TooManyCodesError(wrong[-MOST_WRONG] + WRONG_S - now)
    step = onetime.step_of(_secret(act, row), code, now, row.last_step)
    if step is None:
        times = " ".join(map(str, [*wrong, now]))
        act.tx.run(_NOTE_WRONG, authenticator=row.id, times=times)
        subjects = {"authenticator": row.id, "person": row.person_id, "token": act.actor.token_id}
        act.drafts.append(events.code_refused(act.who, subjects, len(wrong) + 1))
        return None
    act.tx.run(_TAKE, authenticator=row.id, step=step, confirmed=confirmed_at)
    return step


def _secret(act: Act, row: Any) -> str:
    person = _holder(act.tx.one(_PERSON, person=row.person_id))
    act.field_key(person)  # open, or the job steps back: it never waits for a key
    reader = NameReader(act.services.keys, act.decision.authorised.also([row.id]))
    return reader.open(person, "authenticators", "secret", row.id, row.secret)


def _told(verdict: _Verdict) -> int:
    if verdict.error is not None:
        raise verdict.error
    return verdict.at


def _self(_tx: Tx, actor: Actor) -> Subject:
    """The asker himself, once he is known."""
    return Subject(person=actor.person_id)


def _holder(row: Any) -> Holder:
    return Holder(row.id, row.key_id, row.field_key)

"""What the log says of authenticators and of tokens that are stepped up. See `service.doctor.events`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from service.authenticators import WRONG_S
from service.db.models import FOREVER
from service.doctor.scratch import Entry, Said, Scratch
from service.events import EventType


def _enrolled(scratch: Scratch, entry: Entry, _data: Mapping[str, Any], subjects: Mapping[str, str]) -> None:
    """It waits to be confirmed, and one that waited before does so no more."""
    for said in scratch.at("authenticator", subjects["person"]):
        if said.terms["confirmed_at"] == FOREVER:
            _end(scratch, entry, said)
    terms = {"person_id": subjects["person"], "confirmed_at": FOREVER, "ended_at": FOREVER, "last_step": 0}
    terms |= {"wrong_at": ""}
    scratch.add("authenticator", Said(subjects["authenticator"], subjects["person"], terms, entry["index"]))


def _confirmed(scratch: Scratch, entry: Entry, data: Mapping[str, Any], subjects: Mapping[str, str]) -> None:
    """It is in force, in the place of the one before; what that one had stepped up is so no more."""
    for said in scratch.at("authenticator", subjects["person"]):
        if said.terms["confirmed_at"] < FOREVER:
            _end(scratch, entry, said)
    terms = {"confirmed_at": data["confirmed_at"], "last_step": data["step"]}
    scratch.change("authenticator", subjects["authenticator"], entry["index"], **terms)
    _step_down(scratch, entry, subjects["person"])


def _code_refused(scratch: Scratch, entry: Entry, _data: Mapping[str, Any], subjects: Mapping[str, str]) -> None:
    """One wrong code more, beside those of the minutes before: so many lock it."""
    said, now = scratch.get("authenticator", subjects["authenticator"]), entry["time"] // 1000
    if said is not None:
        times = [at for at in str(said.terms["wrong_at"]).split() if int(at) > now - WRONG_S]
        scratch.change("authenticator", said.id, entry["index"], wrong_at=" ".join([*times, str(now)]))


def _reset(scratch: Scratch, entry: Entry, _data: Mapping[str, Any], subjects: Mapping[str, str]) -> None:
    """It was taken away."""
    said = scratch.get("authenticator", subjects["authenticator"])
    if said is not None:
        _end(scratch, entry, said)
    _step_down(scratch, entry, subjects["person"])


def _stepped_up(scratch: Scratch, entry: Entry, data: Mapping[str, Any], subjects: Mapping[str, str]) -> None:
    """One token counts as proved again, and one code is used up."""
    scratch.change("token", subjects["token"], entry["index"], stepped_up_until=data["until"])
    scratch.change("authenticator", subjects["authenticator"], entry["index"], last_step=data["step"])


def _end(scratch: Scratch, entry: Entry, said: Said) -> None:
    now = entry["time"] // 1000
    if said.terms["ended_at"] > now:
        scratch.change("authenticator", said.id, entry["index"], ended_at=now)


def _step_down(scratch: Scratch, entry: Entry, person_id: str) -> None:
    now = entry["time"] // 1000
    for said in scratch.at("token", person_id):
        if said.terms["stepped_up_until"] > now:
            scratch.change("token", said.id, entry["index"], stepped_up_until=now)


APPLY: Final = (
    (EventType.AUTHENTICATOR_CODE_REFUSED, _code_refused),
    (EventType.AUTHENTICATOR_CONFIRMED, _confirmed),
    (EventType.AUTHENTICATOR_ENROLLED, _enrolled),
    (EventType.AUTHENTICATOR_RESET, _reset),
    (EventType.TOKEN_STEPPED_UP, _stepped_up),
)

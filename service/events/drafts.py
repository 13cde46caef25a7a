"""What every draft of an entry is made of, and who it is told of."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from service.events.types import ENDS_ACCESS, EventType
from service.ledger import NO_SUBJECTS, Draft, Opening, SealedPayload

Data = Mapping[str, str | int | bool | list[str]]
Subjects = Mapping[str, str | None]
"""Kind to id, beside those of the decision; None: left out, though the decision names one."""


class Who(NamedTuple):
    """The decision that an entry rests on: who asked for what, in which request, and by which rule he got his answer.

    A `system` actor (``brake``, ``cli``, ``disposal``, ``doctor``, ``recovery``, ``restore``, ``signer``,
    ``signin``) has no decision.
    """

    actor: Mapping[str, str]
    request: str | None = None
    action: str | None = None
    subjects: Mapping[str, str] = NO_SUBJECTS
    rule: str | None = None
    facts: tuple[str, ...] | None = None
    policy: str | None = None
    nda: str | None = None


def system(name: str, subjects: Mapping[str, str] | None = None) -> Who:
    """The service itself, or its operator at the machine, acts."""
    return Who({"system": name}, subjects=subjects or NO_SUBJECTS)


def draft(
    kind: EventType,
    outcome: str,
    who: Who,
    *,
    subjects: Subjects | None = None,
    data: Data | None = None,
    payload: SealedPayload | None = None,
    header: bytes | None = None,
    announces: bool = False,
    closes: int | None = None,
    opening: Opening | None = None,
) -> Draft:
    """Put a draft together; only the functions of this folder call it."""
    return Draft(
        type=kind.value,
        outcome=outcome,
        actor=who.actor,
        subjects=_named(who.subjects, subjects) if subjects else who.subjects,
        action=who.action,
        rule=who.rule,
        facts=who.facts,
        policy=who.policy,
        nda=who.nda,
        header=header,
        request=who.request,
        data=data,
        payload=payload,
        announces=announces,
        closes=closes,
        ends_access=kind in ENDS_ACCESS,
        opening=opening,
    )


def changed(
    kind: EventType,
    who: Who,
    subjects: Subjects | None = None,
    data: Data | None = None,
    payload: SealedPayload | None = None,
) -> Draft:
    """A row was made or changed as `who` was allowed to; `data` holds what rules depend on, `payload` the names."""
    return draft(kind, "done", who, subjects=subjects, data=data, payload=payload)


def _named(decided: Mapping[str, str], subjects: Subjects) -> dict[str, str]:
    return {kind: named for kind, named in {**decided, **subjects}.items() if named is not None}

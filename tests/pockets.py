"""The authenticator in somebody's pocket: tests enrol and step up for real, through the API."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any

from service.authenticators import STEPPED_UP_S
from service.crypto import onetime

Post = Callable[[str, object], Awaitable[Any]]
"""Sends a body to a path of the API and returns what was answered, which must not be a refusal."""


@dataclass
class Pocket:
    """One authenticator: the secret that was told at enrolment, and the step whose code was sent last."""

    secret: str
    step: int

    def code(self, now_s: int) -> str:
        """The next code that has not been sent; the first is of the step before, so that two more can follow it."""
        self.step = max(now_s // onetime.STEP_S, self.step + 1)
        assert self.step <= now_s // onetime.STEP_S + onetime.SKEW_STEPS, "let time pass: a code counts once"
        return onetime.code(self.secret, self.step)


@dataclass
class Pockets:
    """Everybody's, by person."""

    known: dict[str, Pocket] = field(default_factory=dict)
    until: dict[str, int] = field(default_factory=dict)  # by token
    waiting: dict[str, Pocket] = field(default_factory=dict)  # to be confirmed, by person

    async def step_up(self, person_id: str, token: str, now_s: int, post: Post) -> None:
        """Step a token up, unless it is for long enough; a person without an authenticator enrols one first."""
        if self.until.get(token, 0) >= now_s + onetime.STEP_S:
            return
        pocket = self.known.get(person_id)
        if pocket is None:
            made = await post("/me/authenticator", None)
            pocket = self.known[person_id] = Pocket(made["secret"], now_s // onetime.STEP_S - 1)
            await post("/me/authenticator/confirmation", {"code": onetime.code(pocket.secret, pocket.step)})
        await post("/me/step-up", {"code": pocket.code(now_s)})
        self.until[token] = now_s + STEPPED_UP_S

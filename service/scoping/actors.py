"""Who acts: one person in one membership, with one token. `service.tokens` makes actors; everybody else reads them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from service.scoping.actions import Fact

EVERYTHING = "*"


@dataclass(frozen=True, slots=True)
class Actor:
    """The membership that a request acts in, as its token names it in the deciding transaction.

    `scopes` holds resources (the noun before the colon of an action) or `EVERYTHING`.
    """

    firm_id: str
    person_id: str
    membership_id: str
    token_id: str
    role: str
    side: str
    engagement_id: str | None  # None: firm side, the whole house
    vendor_id: str | None  # vendor side only
    scopes: frozenset[str]
    stepped_up: int = 0  # `Fact.STEPPED_UP` where this token's holder has just proved that it is he, else no fact

    def covers(self, resource: str) -> bool:
        """Say whether the token was made for acts on this resource."""
        return EVERYTHING in self.scopes or resource in self.scopes


def as_actor(firm_id: str, row: Any) -> Actor:
    """A membership as if its person asked with a token for everything, and had just proved that it is he.

    He can do so whenever he likes, so whoever asks what he may do must be told of it.

    Args:
        row: with the columns of a membership (``id``, ``person_id``, ``role``, ``side``, ``engagement_id``) and the
            person's ``vendor_id``.
    """
    return Actor(
        firm_id=firm_id,
        person_id=row.person_id,
        membership_id=row.id,
        token_id="",
        role=row.role,
        side=row.side,
        engagement_id=row.engagement_id,
        vendor_id=row.vendor_id,
        scopes=frozenset({EVERYTHING}),
        stepped_up=int(Fact.STEPPED_UP),
    )

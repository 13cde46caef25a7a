"""Who acts: one person in one membership, with one token. `service.tokens` makes actors; everybody else reads them."""

from __future__ import annotations

from dataclasses import dataclass

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

    def covers(self, resource: str) -> bool:
        """Say whether the token was made for acts on this resource."""
        return EVERYTHING in self.scopes or resource in self.scopes

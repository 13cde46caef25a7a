"""What the answers about access look like; their routes are with the nouns that are asked about."""

from __future__ import annotations

from typing import Annotated, Any, Final

from fastapi import Query
from pydantic import WithJsonSchema

from service import access
from service.api.shapes import Output, Time, shown_time
from service.scoping.explain import Access

TIME_CHARACTERS: Final = 40
_Time = Annotated[Time, WithJsonSchema({"type": "string", "format": "date-time", "maxLength": TIME_CHARACTERS})]
At = Annotated[
    _Time | None,
    Query(
        description="What would be seen then, of rows as they are now; at most 366 days ahead. Now, unless said.",
        examples=["2027-03-01T09:00:00Z"],
    ),
]


class ReasonOut(Output):
    """What a membership is answered for one act, by which rule and facts; or why not, and what is missing.

    `duties` are those that the act needs here and that are not in force.
    """

    action: str
    allowed: bool
    rule: str
    facts: list[str]
    why_not: str | None
    missing: list[str]
    duties: list[str]


class GivenOut(Output):
    """A live grant that access rests on, and the membership that gave it, by the standing share that is named."""

    id: str
    granted_by: str
    standing_id: str | None


class BindingHoursOut(Output):
    """A schedule that binds a vendor's person then: whether its hours are open, and whether it asks for a network."""

    open: bool
    networks: bool


class AccessOut(Output):
    """One membership before one document."""

    person_id: str
    membership_id: str
    role: str
    side: str
    sees: bool
    grants: list[GivenOut]
    schedules: list[BindingHoursOut]
    reasons: list[ReasonOut]


class ToldOut(Output):
    """`at` is the time that was asked about, `as_of` the time of the rows: grants made or ended since do not count."""

    as_of: str
    at: str


class DocumentAccess(ToldOut):
    """Who can see a document, and why."""

    items: list[AccessOut]


class SeenOut(Output):
    """A document that a person sees, and why, for each of his memberships."""

    document_id: str
    engagement_id: str
    part_id: str
    matter_id: str
    number: int
    label: str
    sensitivity: str
    access: list[AccessOut]


class PersonAccess(ToldOut):
    """What a person sees of an engagement."""

    items: list[SeenOut]
    next_cursor: str | None = None


class SeesOut(Output):
    """A membership and the number of documents that it may view and download."""

    membership_id: str
    person_id: str
    engagement_id: str | None
    role: str
    side: str
    views: int
    downloads: int


class MatterAccess(ToldOut):
    """Who sees how much of a matter."""

    items: list[SeesOut]
    next_cursor: str | None = None


def times(told: access.Told) -> dict[str, Any]:
    """The two times of an answer."""
    return {"as_of": shown_time(told.as_of), "at": shown_time(told.at)}


def access_out(found: Access) -> dict[str, Any]:
    """Show one membership before one document."""
    return {
        "person_id": found.person_id,
        "membership_id": found.membership_id,
        "role": found.role,
        "side": found.side,
        "sees": found.sees,
        "grants": [given._asdict() for given in found.grants],
        "schedules": [{"open": each.is_open, "networks": each.has_networks} for each in found.schedules],
        "reasons": [
            {
                "action": reason.action.value,
                "allowed": reason.allowed,
                "rule": reason.rule,
                "facts": list(reason.facts),
                "why_not": None if reason.state is None else reason.state.value,
                "missing": list(reason.missing),
                "duties": list(reason.duties),
            }
            for reason in found.reasons
        ],
    }


def seen_out(seen: access.Seen) -> dict[str, Any]:
    """Show a document that a person sees."""
    shown = {name: getattr(seen, name) for name in SeenOut.model_fields if name not in {"document_id", "access"}}
    return {"document_id": seen.id, **shown, "access": [access_out(found) for found in seen.access]}


def sees_out(sees: access.Sees) -> dict[str, Any]:
    """Show how much a membership sees."""
    return {
        "membership_id": sees.id,
        **{name: getattr(sees, name) for name in SeesOut.model_fields if name != "membership_id"},
    }

"""Who sees what in Muniment, said once more and as small as it can be: in DESIGN's words, not in the code's.

The machine in test_houses.py holds the service to it, in both directions. It shares no code with the service and knows
none of its words but roles, labels and sensitivities. Two firms, engagements with parts of matters, people with a seat
(or several), papers, shares, asks, texts to sign, walls, suspension, ends, a clock. Times are UTC seconds, half-open.

What each role may hold is policies/README.md, "Why each role has what it has".
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Final

DAY_S: Final = 86_400
OWN_S: Final = 72 * 3600
NEVER: Final = 10**12
ORDER: Final = ("routine", "confidential", "privileged", "attorney_only")
LABELS: Final = ("contact_sheet", "correspondence", "medical_record", "pleading", "billing")
HOLDS: Final[dict[str, dict[str, str]]] = {  # role -> label -> the highest sensitivity that may be shared with it
    "paralegal": dict.fromkeys(LABELS, "privileged"),
    "case_manager": {
        "contact_sheet": "confidential",
        "correspondence": "privileged",
        "medical_record": "privileged",
        "billing": "confidential",
    },
    "legal_assistant": dict.fromkeys(("contact_sheet", "correspondence", "pleading"), "confidential"),
    "intake_specialist": dict.fromkeys(("contact_sheet", "correspondence"), "confidential"),
    "receptionist": {"contact_sheet": "confidential", "correspondence": "routine"},
    "billing_clerk": {"billing": "privileged"},
    "vendor_manager": {},
    "coordinator": dict.fromkeys(LABELS, "confidential"),
}
ADDS: Final[dict[str, tuple[str, ...]]] = {  # role -> labels that it may be asked for
    "paralegal": LABELS,
    "case_manager": ("contact_sheet", "correspondence", "medical_record", "billing"),
    "legal_assistant": ("contact_sheet", "correspondence", "pleading"),
    "intake_specialist": ("contact_sheet", "correspondence", "medical_record"),
    "receptionist": ("contact_sheet", "correspondence"),
    "billing_clerk": ("billing",),
    "vendor_manager": (),
    "coordinator": LABELS,
}
FIRM_ROLES: Final = ("owner", "attorney", "coordinator", "reviewer")
CARRIES_NOTHING_AWAY: Final = "receptionist"


@dataclass
class Deal:
    """An engagement."""

    starts: int
    ends: int
    parts: dict[str, str]  # part -> matter
    running: bool = True
    texts: list[int] = field(default_factory=list)  # when each NDA text bites


@dataclass
class Seat:
    """A membership."""

    firm: str
    person: str
    role: str
    deal: str | None  # None: the whole house
    starts: int
    ends: int = NEVER
    suspended: bool = False
    has_left: bool = False  # somebody ended it: the tokens ended with it

    @property
    def is_firm(self) -> bool:
        return self.role in FIRM_ROLES


@dataclass
class Paper:
    """A document."""

    firm: str
    deal: str
    matter: str
    label: str
    sensitivity: str
    state: str = "confirmed"
    added_by: str | None = None  # a seat; None: an attorney
    added_at: int = 0


@dataclass
class Share:
    """A grant."""

    seat: str
    paper: str
    abilities: frozenset[str]
    begins: int
    ends: int
    revoked: bool = False


@dataclass
class Ask:
    """What a member is asked for."""

    seat: str
    part: str
    label: str
    begins: int
    ends: int
    ended: bool = False


@dataclass
class Model:
    """All that is so, and what follows from it."""

    now: int
    deals: dict[str, Deal] = field(default_factory=dict)
    seats: dict[str, Seat] = field(default_factory=dict)
    papers: dict[str, Paper] = field(default_factory=dict)
    shares: dict[str, Share] = field(default_factory=dict)
    asks: dict[str, Ask] = field(default_factory=dict)
    signed: dict[tuple[str, str], int] = field(default_factory=dict)  # (person, deal) -> number of the newest text
    walls: set[tuple[str, str]] = field(default_factory=set)  # (person, matter)
    team: set[tuple[str, str]] = field(default_factory=set)  # (person, matter)

    # What must hold before anything is open --------------------------------------------------------------------------

    def in_time(self, seat: Seat) -> bool:
        """Within the membership's own dates, and not shut out."""
        return seat.starts <= self.now < seat.ends and not seat.suspended and not seat.has_left

    def has_signed(self, seat: Seat) -> bool:
        """The newest text, or one that no newer text has taken the place of yet."""
        assert seat.deal is not None
        number = self.signed.get((seat.person, seat.deal))
        return number is not None and all(self.now < bites for bites in self.deals[seat.deal].texts[number + 1 :])

    def is_open(self, seat: Seat) -> bool:
        """To a vendor's person anything at all: running, dates, signature, not suspended."""
        assert seat.deal is not None
        deal = self.deals[seat.deal]
        return deal.running and deal.starts <= self.now < deal.ends and self.in_time(seat) and self.has_signed(seat)

    def works_on(self, seat: Seat, matter: str) -> bool:
        """A person of the firm who is named on the matter, with no wall between."""
        return self.in_time(seat) and (seat.person, matter) in self.team and (seat.person, matter) not in self.walls

    # Papers ----------------------------------------------------------------------------------------------------------

    def may(self, seat_id: str, paper_id: str, ability: str) -> bool:
        """View or download."""
        seat, paper = self.seats[seat_id], self.papers[paper_id]
        if seat.firm != paper.firm or seat.deal not in {None, paper.deal} or paper.state == "taken_back":
            return False
        if seat.role == "attorney":
            return self.works_on(seat, paper.matter)
        if seat.role == "coordinator":
            return self.works_on(seat, paper.matter) and paper.state == "confirmed" and self.below(seat, paper)
        if seat.is_firm or not self.is_open(seat) or (seat.person, paper.matter) in self.walls:
            return False
        if ability == "download" and seat.role == CARRIES_NOTHING_AWAY:
            return False
        return self.is_own(seat_id, paper) or (
            paper.state == "confirmed"
            and self.below(seat, paper)
            and any(ability in share.abilities for share in self.shares_of(seat_id, paper_id))
        )

    def is_own(self, seat_id: str, paper: Paper) -> bool:
        """Added by this seat, looked at by nobody yet, 72 hours at most."""
        mine = paper.added_by == seat_id and paper.label in ADDS[self.seats[seat_id].role]
        return mine and paper.state == "to_look_at" and self.now < paper.added_at + OWN_S

    def below(self, seat: Seat, paper: Paper) -> bool:
        """As high as this role may ever hold."""
        highest = HOLDS[seat.role].get(paper.label)
        return highest is not None and ORDER.index(paper.sensitivity) <= ORDER.index(highest)

    def shares_of(self, seat_id: str, paper_id: str) -> list[Share]:
        """The live ones."""
        return [
            share
            for share in self.shares.values()
            if (share.seat, share.paper) == (seat_id, paper_id)
            and not share.revoked
            and share.begins <= self.now < share.ends
        ]

    def listed(self, seat_id: str, deal_id: str) -> list[str]:
        """The whole list, oldest first."""
        return sorted(p for p, paper in self.papers.items() if paper.deal == deal_id and self.may(seat_id, p, "view"))

    def ending_soon(self, seat_id: str) -> int:
        """How many of them close within seven days."""
        seat = self.seats[seat_id]
        if seat.deal is None:
            return 0
        soon = self.now + 7 * DAY_S
        return sum(
            any(share.ends <= soon for share in self.shares_of(seat_id, paper_id))
            for paper_id in self.listed(seat_id, seat.deal)
        )

    def told(self, seat_id: str, paper_id: str) -> tuple[int, int]:
        """What a vendor's person is answered who asks for the card and for the bytes."""
        seat = self.seats[seat_id]
        if seat.has_left:
            return 401, 401
        if seat.role == "vendor_manager":
            return 403, 403
        view, download = (self.may(seat_id, paper_id, each) for each in ("view", "download"))
        if seat.role == CARRIES_NOTHING_AWAY:
            return 200 if view else 404, 403
        return 200 if view else 404, 200 if download else 403 if view else 404

    def told_of_list(self, seat: Seat) -> int:
        """What a vendor's person is answered who asks for his list; after his membership there is no engagement."""
        if seat.has_left:
            return 401
        if seat.role == "vendor_manager":
            return 403
        return 404 if self.now >= seat.ends else 200 if self.is_open(seat) else 403

    # What an attorney of the team does --------------------------------------------------------------------------------

    def can_receive(self, seat_id: str, deal_id: str, matter: str) -> bool:
        """Somebody of this very engagement, still a member, no wall between."""
        seat = self.seats[seat_id]
        right_kind = not seat.is_firm or seat.role == "coordinator"
        there = right_kind and seat.deal == deal_id and self.now < seat.ends and not seat.has_left
        return there and (seat.person, matter) not in self.walls

    def term_fits(self, seat_id: str, begins: int | None, ends: int) -> int | None:
        """When it would begin; None where membership and engagement do not last as long, or nothing is left."""
        seat = self.seats[seat_id]
        assert seat.deal is not None
        deal = self.deals[seat.deal]
        opens = max(seat.starts, deal.starts)
        first = max(self.now, opens if begins is None else begins)
        return first if opens <= first < ends <= min(seat.ends, deal.ends) else None

    def can_share(self, seat_id: str, paper_id: str, abilities: frozenset[str], begins: int | None, ends: int) -> bool:
        """Confirmed, below the role's ceiling, to somebody who can receive it, and not shared already."""
        seat, paper = self.seats[seat_id], self.papers[paper_id]
        if not self.deals[paper.deal].running or paper.state != "confirmed":
            return False
        if not self.can_receive(seat_id, paper.deal, paper.matter) or not self.below(seat, paper):
            return False
        if "revise" in abilities or ("download" in abilities and seat.role == CARRIES_NOTHING_AWAY):
            return False
        stands = any(
            (share.seat, share.paper) == (seat_id, paper_id) and not share.revoked and self.now < share.ends
            for share in self.shares.values()
        )
        return not stands and self.term_fits(seat_id, begins, ends) is not None

    def can_ask(self, seat_id: str, deal_id: str, part: str, label: str, ends: int) -> bool:
        """Papers that this role may bring, of somebody who can receive."""
        deal = self.deals[deal_id]
        fits = deal.running and self.can_receive(seat_id, deal_id, deal.parts[part])
        return fits and label in ADDS[self.seats[seat_id].role] and self.term_fits(seat_id, None, ends) is not None

    def can_add(self, seat_id: str, deal_id: str, part: str, label: str) -> bool:
        """Who is asked for such a paper here, or works on the matter at the firm."""
        seat, deal = self.seats[seat_id], self.deals[deal_id]
        matter = deal.parts[part]
        if seat.deal not in {None, deal_id} or seat.firm != self.firm_of(deal_id):
            return False
        if seat.role in {"attorney", "coordinator"}:
            return deal.running and self.works_on(seat, matter)
        if seat.is_firm or not self.is_open(seat) or (seat.person, matter) in self.walls:
            return False
        return any(
            (ask.seat, ask.part, ask.label) == (seat_id, part, label)
            and not ask.ended
            and ask.begins <= self.now < ask.ends
            for ask in self.asks.values()
        )

    def firm_of(self, deal_id: str) -> str:
        """The firm whose engagement this is."""
        return next(seat.firm for seat in self.seats.values() if seat.deal == deal_id)

    def asked(self, seat_id: str) -> tuple[set[str], set[str]]:
        """The asks that a vendor's person may know of, and those that are due; none through a wall."""
        seat = self.seats[seat_id]
        if seat.role == "vendor_manager" or not self.is_open(seat):
            return set(), set()
        assert seat.deal is not None
        parts = self.deals[seat.deal].parts
        mine = {
            ask_id: ask
            for ask_id, ask in self.asks.items()
            if ask.seat == seat_id and (seat.person, parts[ask.part]) not in self.walls
        }
        due = {ask_id for ask_id, ask in mine.items() if not ask.ended and ask.begins <= self.now < ask.ends}
        return set(mine), due


def end_of_notice(now: int) -> int:
    """The end of the third working day after this one."""
    day, left = datetime.fromtimestamp(now, UTC).replace(hour=0, minute=0, second=0, microsecond=0), 3
    while left:
        day += timedelta(days=1)
        left -= day.isoweekday() <= 5  # Monday to Friday
    return int((day + timedelta(days=1)).timestamp())

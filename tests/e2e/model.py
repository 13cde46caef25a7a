"""What Muniment promises about who sees what, as small as it can be said. The machine in test_machine.py holds the
service to it, in both directions. It shares no code with the service.
"""

from __future__ import annotations

from dataclasses import dataclass, field

CEILINGS = {  # (role, label): the highest sensitivity that may be shared with it
    **{("paralegal", label): "privileged" for label in ("medical_record", "intake_form", "contact_sheet")},
    **{("intake_specialist", label): "confidential" for label in ("intake_form", "contact_sheet")},
    ("receptionist", "contact_sheet"): "confidential",
}
ORDER = ("routine", "confidential", "privileged", "attorney_only")
CARRIES_AWAY = {"paralegal", "intake_specialist"}  # a receptionist looks up, and downloads nothing
OWN_S = 72 * 3600


@dataclass
class Paper:
    label: str
    sensitivity: str
    added_by: str | None = None  # a seat; None: the attorney
    added_at: int = 0
    state: str = "confirmed"


@dataclass
class Share:
    seat: str
    paper: str
    abilities: frozenset[str]
    until: int
    revoked: bool = False


@dataclass
class Seat:
    role: str
    signed: int = 0  # number of the NDA text that was signed last
    suspended: bool = False
    walled: bool = False


@dataclass
class Model:
    now: int
    ends_at: int
    running: bool = True
    nda: int = 1  # number of the text in force
    seats: dict[str, Seat] = field(default_factory=dict)
    papers: dict[str, Paper] = field(default_factory=dict)
    shares: dict[str, Share] = field(default_factory=dict)

    def is_open(self, seat: Seat) -> bool:
        in_time = self.running and self.now < self.ends_at
        return in_time and seat.signed == self.nda and not (seat.suspended or seat.walled)

    def shareable(self, role: str, paper: Paper, ability: str) -> bool:
        ceiling = CEILINGS.get((role, paper.label))
        high_enough = ceiling is not None and ORDER.index(paper.sensitivity) <= ORDER.index(ceiling)
        return high_enough and (ability == "view" or role in CARRIES_AWAY)

    def may(self, seat_id: str, paper_id: str, ability: str) -> bool:
        seat, paper = self.seats[seat_id], self.papers[paper_id]
        shared = paper.state == "confirmed" and any(
            s.seat == seat_id
            and s.paper == paper_id
            and ability in s.abilities
            and not s.revoked
            and self.now < s.until
            for s in self.shares.values()
        )
        own = paper.state == "to_look_at" and paper.added_by == seat_id and self.now < paper.added_at + OWN_S
        return self.is_open(seat) and (
            (shared and self.shareable(seat.role, paper, ability)) or (own and seat.role in CARRIES_AWAY)
        )

    def listed(self, seat_id: str) -> set[str]:
        return {paper_id for paper_id in self.papers if self.may(seat_id, paper_id, "view")}

"""What is open to whom, said once more and as small as it can be: in DESIGN's words, not in the code's."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from ipaddress import ip_address, ip_network
from zoneinfo import ZoneInfo

from tests.e2e.reference.things import (
    ADDS,
    CARRIES_NOTHING_AWAY,
    DAY_S,
    DEEPER,
    HOLDS,
    MINUTE_S,
    OF_PERSON,
    OF_VENDOR,
    OVERLAYS,
    OWN_S,
    VENDOR,
    Ask,
    Deal,
    Evidence,
    Misdirection,
    Paper,
    Request,
    Schedule,
    Seat,
    Share,
    Standby,
    Standing,
    Task,
    at_most,
)


@dataclass
class Access:
    """All that is so, and what is open because of it."""

    now: int
    address: str = "127.0.0.1"  # where everybody asks from
    deals: dict[str, Deal] = field(default_factory=dict)
    seats: dict[str, Seat] = field(default_factory=dict)
    papers: dict[str, Paper] = field(default_factory=dict)
    shares: dict[str, Share] = field(default_factory=dict)
    asks: dict[str, Ask] = field(default_factory=dict)
    tasks: dict[str, Task] = field(default_factory=dict)
    evidence: dict[str, Evidence] = field(default_factory=dict)
    schedules: dict[str, Schedule] = field(default_factory=dict)
    standings: dict[str, Standing] = field(default_factory=dict)
    standbys: dict[str, Standby] = field(default_factory=dict)
    requests: dict[str, Request] = field(default_factory=dict)
    misdirections: dict[str, Misdirection] = field(default_factory=dict)
    signed: dict[tuple[str, str], int] = field(default_factory=dict)  # (person, deal) -> number of the newest text
    walls: set[tuple[str, str]] = field(default_factory=set)  # (person, matter)
    team: set[tuple[str, str]] = field(default_factory=set)  # (person, matter)
    needs_consent: set[str] = field(default_factory=set)  # matters that demand the client's consent

    # What must hold before anything is open --------------------------------------------------------------------------

    def in_time(self, seat: Seat) -> bool:
        """Within the membership's own dates, and not shut out."""
        return seat.starts <= self.now < seat.ends and not seat.suspended and not seat.has_left

    def has_signed(self, seat: Seat) -> bool:
        """The newest text, or one that no newer text has taken the place of yet."""
        assert seat.deal is not None
        number = self.signed.get((seat.person, seat.deal))
        return number is not None and all(self.now < bites for bites in self.deals[seat.deal].texts[number + 1 :])

    def in_force(self, deal: str, subject: str, duty: str) -> bool:
        """There is evidence, or a waiver, of this very engagement."""
        return any(
            (each.deal, each.subject, each.duty) == (deal, subject, duty) and each.begins <= self.now < each.ends
            for each in self.evidence.values()
        )

    def does_his_duties(self, seat: Seat) -> bool:
        """Whatever the engagement demands of person and vendor."""
        assert seat.deal is not None
        owed = self.deals[seat.deal].owed
        mine = all(self.in_force(seat.deal, seat.person, duty) for duty in OF_PERSON if duty in owed)
        return mine and all(self.in_force(seat.deal, VENDOR, duty) for duty in OF_VENDOR if duty in owed)

    def is_consented(self, deal: str, matter: str) -> bool:
        """Whatever the matter demands."""
        return matter not in self.needs_consent or self.in_force(deal, matter, "client_consent")

    def is_open_at(self, schedule: Schedule) -> bool:
        """In its hours, by the clock on the wall, and from its network."""
        if schedule.network is not None and ip_address(self.address) not in ip_network(schedule.network):
            return False
        if schedule.hours is None:
            return True
        days, opens, shuts, zone = schedule.hours
        there = datetime.fromtimestamp(self.now, ZoneInfo(zone))
        return there.weekday() in days and opens <= there.hour * 60 + there.minute < shuts

    def window(self, seat_id: str) -> bool:
        """Every schedule that binds him now is open."""
        return all(
            self.is_open_at(each)
            for each in self.schedules.values()
            if each.deal == self.seats[seat_id].deal
            and each.seat in {None, seat_id}
            and each.begins <= self.now < each.ends
        )

    def is_open(self, seat_id: str) -> bool:
        """To a vendor's person anything at all: running, dates, duties, hours and place, not suspended."""
        seat = self.seats[seat_id]
        assert seat.deal is not None
        deal = self.deals[seat.deal]
        runs = deal.running and deal.starts <= self.now < deal.ends and self.in_time(seat)
        return runs and self.has_signed(seat) and self.does_his_duties(seat) and self.window(seat_id)

    def works_on(self, seat: Seat, matter: str) -> bool:
        """A person of the firm who is named on the matter, with no wall between."""
        return self.in_time(seat) and (seat.person, matter) in self.team and (seat.person, matter) not in self.walls

    def is_open_for(self, seat_id: str, matter: str) -> bool:
        """To a vendor's person anything of a matter."""
        seat = self.seats[seat_id]
        assert seat.deal is not None
        shut = (seat.person, matter) in self.walls or not self.is_consented(seat.deal, matter)
        return not shut and self.is_open(seat_id)

    def is_there(self, paper_id: str) -> bool:
        """Nobody took it back, nor moved it away."""
        return self.papers[paper_id].state in {"to_look_at", "confirmed"}

    def is_disclaimed(self, seat_id: str, paper_id: str, since: int = 0) -> bool:
        """He said that it was not meant for him, and no attorney said otherwise."""
        pair = (self.seats[seat_id].person, paper_id)
        said = [each for each in self.misdirections.values() if (each.person, each.paper) == pair and not each.meant]
        return any(since <= each.said_at for each in said)

    # Papers ----------------------------------------------------------------------------------------------------------

    def may(self, seat_id: str, paper_id: str, act: str) -> bool:
        """Know of it (list), view it, read its text or download it."""
        seat, paper = self.seats[seat_id], self.papers[paper_id]
        if seat.firm != paper.firm or seat.deal not in {None, paper.deal} or not self.is_there(paper_id):
            return False
        if seat.role == "attorney":
            return self.works_on(seat, paper.matter)
        if seat.role == "coordinator":
            known = self.works_on(seat, paper.matter) and paper.state == "confirmed" and self.below(seat.role, paper)
            known = known and not self.is_disclaimed(seat_id, paper_id)
            return known or self.is_still_his(seat_id, paper_id)
        if seat.is_firm or not self.is_open_for(seat_id, paper.matter):
            return False
        needs = self.stricter(seat.role, paper, act)
        if "never" in needs or ("stepped_up" in needs and self.now >= seat.stepped_up_until):
            return False
        if act == "download" and seat.role == CARRIES_NOTHING_AWAY:
            return False
        ability = act if act in {"text", "download"} else "view"
        return ("assigned" not in needs and self.is_own(seat_id, paper)) or (
            paper.state == "confirmed"
            and self.below(seat.role, paper)
            and any(ability in share.abilities for share in self.shares_of(seat_id, paper_id))
        )

    def stricter(self, role: str, paper: Paper, act: str) -> set[str]:
        """What the engagement's overlay asks for besides."""
        rows = (OVERLAYS[text] for text in self.deals[paper.deal].overlay)
        return {
            row.needs
            for row in rows
            if role in row.roles
            and paper.label in row.labels
            and at_most(row.floor, paper.sensitivity)
            and DEEPER.index(row.act) <= DEEPER.index(act)
        }

    def is_own(self, seat_id: str, paper: Paper) -> bool:
        """Added by this seat, looked at by nobody yet, 72 hours at most."""
        mine = paper.added_by == seat_id and paper.label in ADDS[self.seats[seat_id].role]
        return mine and paper.state == "to_look_at" and self.now < paper.added_at + OWN_S

    def is_still_his(self, seat_id: str, paper_id: str) -> bool:
        """His own, to replace or take back: a vendor's person's, or a coordinator's while the engagement runs."""
        seat, paper = self.seats[seat_id], self.papers[paper_id]
        if seat.deal != paper.deal or not self.is_own(seat_id, paper):
            return False
        if seat.is_firm:
            shut = (seat.person, paper.matter) in self.walls
            return self.deals[paper.deal].running and self.in_time(seat) and not shut
        return self.is_open_for(seat_id, paper.matter)

    def below(self, role: str, paper: Paper) -> bool:
        """As high as this role may ever hold."""
        highest = HOLDS[role].get(paper.label)
        return highest is not None and at_most(paper.sensitivity, highest)

    def shares_of(self, seat_id: str, paper_id: str) -> list[Share]:
        """The live ones."""
        return [share for share in self.standing_shares(seat_id, paper_id) if share.begins <= self.now]

    def standing_shares(self, seat_id: str, paper_id: str) -> list[Share]:
        """The live ones, and those to come."""
        return [
            share
            for share in self.shares.values()
            if (share.seat, share.paper) == (seat_id, paper_id) and not share.revoked and self.now < share.ends
        ]

    def listed(self, seat_id: str, deal_id: str) -> list[str]:
        """The whole list, oldest first."""
        return sorted(p for p, paper in self.papers.items() if paper.deal == deal_id and self.may(seat_id, p, "list"))

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

    # What one is told ------------------------------------------------------------------------------------------------

    def told(self, seat_id: str, paper_id: str) -> tuple[int, int, int]:
        """What a vendor's person is answered who asks for the card, for the text and for the bytes."""
        seat = self.seats[seat_id]
        if seat.has_left:
            return 401, 401, 401
        if seat.role == "vendor_manager":
            return 403, 403, 403
        known, *deeper = (self.may(seat_id, paper_id, each) for each in DEEPER)
        view, text, download = (200 if each else 403 if known else 404 for each in deeper)
        return view, text, 403 if seat.role == CARRIES_NOTHING_AWAY else download

    def pressed(self, seat_id: str, paper_id: str) -> tuple[float, bool]:
        """What the brake says to a vendor's person who opens a paper: how long he waits, or that it is too much.

        A revision counts once an hour, by the clock's minutes.
        """
        seat, paper = self.seats[seat_id], self.papers[paper_id]
        brake, minute = self.deals[paper.deal].brake, self.now // MINUTE_S
        hour = [each for each in seat.opened if each[0] > minute - 60]
        is_new = all((paper_id, paper.revision) != each[1:] for each in hour)
        slow, stop = brake or (1000, 1000)
        documents = len(hour) + is_new
        if documents > stop:
            seat.suspended = True
            return 0, True
        if is_new:
            seat.opened.append((minute, paper_id, paper.revision))
        return (0 if documents <= slow else 1 + 19 * (documents - slow) / (stop - slow)), False

    def told_of_list(self, seat_id: str) -> int:
        """What a vendor's person is answered who asks for his list; after his membership there is no engagement."""
        seat = self.seats[seat_id]
        if seat.has_left:
            return 401
        if seat.role == "vendor_manager":
            return 403
        return 404 if self.now >= seat.ends else 200 if self.is_open(seat_id) else 403

    def asked(self, seat_id: str) -> tuple[set[str], set[str]]:
        """The asks that a vendor's person may know of, and those that are due; none through a wall."""
        if not self.works(seat_id):
            return set(), set()
        seat = self.seats[seat_id]
        mine = {i: ask for i, ask in self.asks.items() if ask.seat == seat_id and not self.is_walled(seat, ask.part)}
        due = {i for i, ask in mine.items() if not ask.ended and ask.begins <= self.now < ask.ends}
        return set(mine), due

    def given(self, seat_id: str) -> set[str]:
        """The tasks that a vendor's person may know of; none through a wall."""
        seat = self.seats[seat_id]
        mine = {i for i, task in self.tasks.items() if task.seat == seat_id and not self.is_walled(seat, task.part)}
        return mine if self.works(seat_id) else set()

    def withheld(self, seat_id: str) -> list[str]:
        """What a vendor's person may ask for without seeing it."""
        seat = self.seats[seat_id]
        return sorted(i for i, paper in self.papers.items() if seat.deal == paper.deal and self.is_withheld(seat_id, i))

    def is_withheld(self, seat_id: str, paper_id: str) -> bool:
        """Confirmed, at most confidential, no grant in force or to come, where the engagement declares it."""
        seat, paper = self.seats[seat_id], self.papers[paper_id]
        declared = self.deals[paper.deal].may_be_asked_for and paper.state == "confirmed"
        fits = declared and at_most(paper.sensitivity, "confidential") and self.below(seat.role, paper)
        unseen = fits and not self.standing_shares(seat_id, paper_id) and self.may_ask_at_all(seat.role, paper)
        return unseen and self.works(seat_id) and self.is_open_for(seat_id, paper.matter)

    def may_ask_at_all(self, role: str, paper: Paper) -> bool:
        """What one may never look at one cannot ask for."""
        return "never" not in self.stricter(role, paper, "view")

    def works(self, seat_id: str) -> bool:
        """A vendor's person to whom something is open, and who works with papers."""
        seat = self.seats[seat_id]
        return seat.role != "vendor_manager" and not seat.is_firm and self.is_open(seat_id)

    def is_walled(self, seat: Seat, part: str) -> bool:
        """A wall stands between a member and the matter of a part."""
        assert seat.deal is not None
        return (seat.person, self.deals[seat.deal].parts[part]) in self.walls

    def firm_of(self, deal_id: str) -> str:
        """The firm whose engagement this is."""
        return next(seat.firm for seat in self.seats.values() if seat.deal == deal_id)

    def part_of(self, paper: Paper) -> str:
        """The part that a paper lies in."""
        return next(part for part, matter in self.deals[paper.deal].parts.items() if matter == paper.matter)

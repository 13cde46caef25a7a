"""What is handed to whom, by hand, by label, and ahead of time: who can have it, until when, and what ends it again.

What is made along with something (grants, asks) is put into `made`, until the machine has read the ids that the service
gave it.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from tests.e2e.reference.access import Access
from tests.e2e.reference.things import (
    ADDS,
    BY_LABEL,
    CARRIES_NOTHING_AWAY,
    DAY_S,
    Ask,
    Paper,
    Share,
    Standby,
    Standing,
    at_most,
)

VIEW = frozenset({"view"})


@dataclass
class Handing(Access):
    """What is open, and how it is handed to somebody."""

    made: list[Share] = field(default_factory=list)  # that have no id yet
    made_asks: list[Ask] = field(default_factory=list)

    # To whom something can be handed ----------------------------------------------------------------------------------

    def can_receive(self, seat_id: str, deal_id: str, matter: str) -> bool:
        """Somebody of this very engagement, still a member, no wall between."""
        return self.is_member(seat_id, deal_id) and (self.seats[seat_id].person, matter) not in self.walls

    def is_member(self, seat_id: str, deal_id: str) -> bool:
        """Somebody of this very engagement, still a member."""
        seat = self.seats[seat_id]
        right_kind = not seat.is_firm or seat.role == "coordinator"
        return right_kind and seat.deal == deal_id and self.now < seat.ends and not seat.has_left

    def term_fits(self, seat_id: str, begins: int | None, ends: int) -> int | None:
        """When it would begin; None where membership and engagement do not last as long, or nothing is left."""
        opens, closes = self.term(seat_id)
        first = max(self.now, opens if begins is None else begins)
        return first if opens <= first < ends <= closes else None

    def term(self, seat_id: str) -> tuple[int, int]:
        """From when to when anything may be handed to him."""
        seat = self.seats[seat_id]
        assert seat.deal is not None
        deal = self.deals[seat.deal]
        return max(seat.starts, deal.starts), min(seat.ends, deal.ends)

    def can_hold(self, role: str, paper: Paper, abilities: frozenset[str]) -> bool:
        """Below the role's ceiling, as the engagement's overlay leaves it."""
        carries = "download" in abilities
        never = "never" in self.stricter(role, paper, "download" if carries else "view")
        return self.below(role, paper) and not (
            never or "revise" in abilities or (carries and role == CARRIES_NOTHING_AWAY)
        )

    def is_shareable(self, role: str, paper_id: str, abilities: frozenset[str]) -> bool:
        """Confirmed, in a running engagement, below the role's ceiling."""
        paper = self.papers[paper_id]
        runs = self.deals[paper.deal].running and paper.state == "confirmed"
        return runs and self.can_hold(role, paper, abilities)

    def by_hand(self, seat_id: str, paper_id: str) -> list[Share]:
        """Grants made by hand, in force or to come."""
        return [share for share in self.standing_shares(seat_id, paper_id) if share.made_with is None]

    # Grants and asks --------------------------------------------------------------------------------------------------

    def can_share(self, seat_id: str, paper_id: str, abilities: frozenset[str], begins: int | None, ends: int) -> bool:
        """Shareable, to somebody who can receive it, and not shared by hand already."""
        seat, paper = self.seats[seat_id], self.papers[paper_id]
        if not self.can_receive(seat_id, paper.deal, paper.matter):
            return False
        fits = self.is_shareable(seat.role, paper_id, abilities) and not self.by_hand(seat_id, paper_id)
        return fits and self.term_fits(seat_id, begins, ends) is not None

    def can_ask(self, seat_id: str, deal_id: str, part: str, label: str, ends: int) -> bool:
        """Papers that this role may bring, of somebody who can receive."""
        deal = self.deals[deal_id]
        fits = deal.running and self.can_receive(seat_id, deal_id, deal.parts[part])
        return fits and label in ADDS[self.seats[seat_id].role] and self.term_fits(seat_id, None, ends) is not None

    def end_with(self, what: str) -> None:
        """What was made with it ends with it."""
        for share in self.shares.values():
            if share.made_with == what and self.now < share.ends:
                share.revoked = True
        for ask in self.asks.values():
            if ask.made_with == what and self.now < ask.ends:
                ask.ended = True

    def can_give_many(self, seat_id: str, deal_id: str, ends: int) -> bool:
        """To this member, until then, whatever there is."""
        runs = self.deals[deal_id].running and self.is_member(seat_id, deal_id)
        return runs and self.term_fits(seat_id, None, ends) is not None

    def many(self, seat_id: str, deal_id: str, matter: str, labels: Iterable[str], highest: str) -> list[str]:
        """What is given by matter and labels, to look at: as of now, never what is privileged."""
        seat = self.seats[seat_id]
        return sorted(
            i
            for i, paper in self.papers.items()
            if (paper.deal, paper.matter) == (deal_id, matter)
            and paper.label in labels
            and at_most(paper.sensitivity, highest)
            and (seat.person, matter) not in self.walls
            and self.is_shareable(seat.role, i, VIEW)
            and not self.by_hand(seat_id, i)
            and not self.is_disclaimed(seat_id, i)
        )

    def taken(self, deal_id: str, person: str | None, matter: str | None, label: str | None) -> list[str]:
        """Grants of an engagement, in force or to come, by person, matter and label."""
        return sorted(
            i
            for i, share in self.shares.items()
            if (paper := self.papers[share.paper]).deal == deal_id
            and not share.revoked
            and self.now < share.ends
            and person in {None, self.seats[share.seat].person}
            and matter in {None, paper.matter}
            and label in {None, paper.label}
        )

    # Standing and standby shares --------------------------------------------------------------------------------------

    def can_promise(self, share: Standing, begins: int | None) -> bool:
        """To a member or a role, for labels that it may hold."""
        deal = self.deals[share.deal]
        if share.seat is not None:
            seat = self.seats[share.seat]
            fits = self.can_receive(share.seat, share.deal, deal.parts[share.part])
            fits = fits and self.term_fits(share.seat, begins, share.ends) is not None
            role = seat.role
        else:
            first = max(self.now, deal.starts if begins is None else begins)
            fits, role = deal.starts <= first < share.ends <= deal.ends, share.role or ""
        papers = (Paper("", share.deal, "", label, "routine") for label in share.labels)
        return deal.running and fits and all(self.can_hold(role, each, share.abilities) for each in papers)

    def hand_out(self, paper_id: str) -> None:
        """A paper was confirmed: whoever was promised such a one gets it, once, where none by hand reaches as far."""
        for share_id, share in self.standings.items():
            for seat_id, seat in self.seats.items():
                if seat_id == share.seat or (seat.deal, seat.role) == (share.deal, share.role):
                    self._hand_out(share_id, share, seat_id, paper_id)

    def welcome(self, seat_id: str) -> None:
        """Somebody came: he gets what was promised to his role and came since, or others were given."""
        seat = self.seats[seat_id]
        for share_id, share in self.standings.items():
            for i, paper in self.papers.items():
                given = any((s.paper, s.made_with) == (i, share_id) for s in self.shares.values())
                if (seat.deal, seat.role) == (share.deal, share.role) and (paper.added_at > share.begins or given):
                    self._hand_out(share_id, share, seat_id, i)

    def _hand_out(self, share_id: str, share: Standing, seat_id: str, paper_id: str) -> None:
        paper, seat = self.papers[paper_id], self.seats[seat_id]
        opens, closes = self.term(seat_id)
        begins, ends = max(self.now, opens), min(share.ends, closes)
        here = (paper.deal, self.part_of(paper)) == (share.deal, share.part) and not paper.was_moved
        here = here and share.begins <= self.now < share.ends and not self.is_disclaimed(seat_id, paper_id)
        fits = begins < ends and self.now < seat.ends and (seat.person, paper.matter) not in self.walls
        before = any((s.seat, s.paper, s.made_with) == (seat_id, paper_id, share_id) for s in self.shares.values())
        by_hand = any(s.reaches(share.abilities, begins, ends) for s in self.by_hand(seat_id, paper_id))
        due = self.covers(share, paper) and here and fits and not before and not by_hand
        if due and self.is_shareable(seat.role, paper_id, share.abilities):
            self.made.append(Share(seat_id, paper_id, share.abilities, begins, ends, made_with=share_id))

    def covers(self, share: Standing, paper: Paper) -> bool:
        """Of its labels, at most so sensitive."""
        return paper.label in share.labels and at_most(paper.sensitivity, share.sensitivity)

    def can_seal(self, standby: Standby) -> bool:
        """Papers of one part that could be shared with him, at most 14 days ahead."""
        matter, role = self.deals[standby.deal].parts[standby.part], self.seats[standby.seat].role
        if not self.deals[standby.deal].running or not self.can_receive(standby.seat, standby.deal, matter):
            return False
        fits = self.term_fits(standby.seat, None, standby.valid_until) is not None
        return (
            fits
            and standby.valid_until <= self.now + 14 * DAY_S
            and all(
                self.part_of(self.papers[i]) == standby.part and self.is_shareable(role, i, standby.abilities)
                for i in standby.papers
            )
        )

    def left_in(self, standby: Standby) -> list[str]:
        """What may still be shared of it."""
        role = self.seats[standby.seat].role
        there = [i for i in standby.papers if self.is_shareable(role, i, standby.abilities)]
        return [i for i in there if not self.is_disclaimed(standby.seat, i, since=standby.sealed_at)]

    def can_open(self, standby: Standby) -> bool:
        """Its member, once, in time, when he may work at all."""
        sealed = standby.closes is None and not standby.ended and self.now < standby.valid_until
        walled = self.is_walled(self.seats[standby.seat], standby.part)
        return sealed and self.works(standby.seat) and not walled and bool(self.left_in(standby))

    def open_standby(self, standby_id: str) -> None:
        """What is left of it is his for as long as was sealed, and no longer than he may have anything."""
        standby = self.standbys[standby_id]
        standby.closes = min(self.now + standby.lasts_s, self.term(standby.seat)[1])
        for i in self.left_in(standby):
            share = Share(standby.seat, i, standby.abilities, self.now, standby.closes, made_with=standby_id)
            self.made.append(share)

    def can_withdraw(self, standby: Standby) -> bool:
        """It is sealed still, or open."""
        until = standby.valid_until if standby.closes is None else standby.closes
        return not standby.ended and self.now < until

    # What takes it away again ----------------------------------------------------------------------------------------

    def correct(self, paper_id: str, label: str, sensitivity: str) -> None:
        """Grants lose what could not be given of such a paper; then whoever was promised such ones gets it."""
        paper = self.papers[paper_id]
        paper.label, paper.sensitivity = label, sensitivity
        for share in self.shares.values():
            if share.paper == paper_id and not share.revoked and self.now < share.ends:
                left = self._left(share, paper)
                share.revoked = "view" not in left
                share.abilities = share.abilities if share.revoked else left
        self.hand_out(paper_id)

    def _left(self, share: Share, paper: Paper) -> frozenset[str]:
        promise = self.standings.get(share.made_with or "")
        if promise is not None and not self.covers(promise, paper):
            return frozenset()
        if share.bulk is not None and paper.sensitivity not in BY_LABEL:
            return frozenset()
        role = self.seats[share.seat].role
        return frozenset(each for each in share.abilities if self.can_hold(role, paper, frozenset({each})))

    def move(self, paper_id: str, deal_id: str, matter: str) -> Paper:
        """It is over here, for everybody; what it is there, begun with nobody, is returned."""
        paper = self.papers[paper_id]
        for share in self.shares.values():
            if share.paper == paper_id and self.now < share.ends:
                share.revoked = True
        for request in self.requests.values():
            if request.paper == paper_id and request.state == "open":
                request.state = "answered"
        paper.state = "moved"
        return Paper(
            paper.firm,
            deal_id,
            matter,
            paper.label,
            paper.sensitivity,
            added_at=self.now,
            content=paper.content,
            was_moved=True,
        )

    def disclaim(self, seat_id: str, paper_id: str) -> None:
        """Whatever the person has of it ends."""
        person = self.seats[seat_id].person
        for share in self.shares.values():
            if share.paper == paper_id and self.seats[share.seat].person == person and self.now < share.ends:
                share.revoked = True

    def confirm(self, paper_id: str, label: str, sensitivity: str) -> None:
        """It is an attorney's word now; who was promised such papers gets it."""
        paper = self.papers[paper_id]
        paper.state, paper.label, paper.sensitivity = "confirmed", label, sensitivity
        self.hand_out(paper_id)

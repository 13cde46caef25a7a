"""What somebody may do, and what follows: the attorney who leads the engagements, their members, any adder."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from tests.e2e.reference.handing import Handing
from tests.e2e.reference.things import (
    ADDS,
    ASKED_DAYS,
    DAY_S,
    LATELY_S,
    PRESETS,
    Ask,
    Evidence,
    Request,
    Seat,
    Share,
    Task,
)


@dataclass
class Model(Handing):
    """What is open, and what may be done about it."""

    # Papers -----------------------------------------------------------------------------------------------------------

    def can_add(self, seat_id: str, deal_id: str, part: str, label: str) -> bool:
        """Who is asked for such a paper here, or works on the matter at the firm."""
        seat, deal = self.seats[seat_id], self.deals[deal_id]
        matter = deal.parts[part]
        if seat.deal not in {None, deal_id} or seat.firm != self.firm_of(deal_id):
            return False
        if seat.role in {"attorney", "coordinator"}:
            return deal.running and self.works_on(seat, matter)
        if seat.is_firm or not self.is_open_for(seat_id, matter):
            return False
        return any(
            (ask.seat, ask.part, ask.label) == (seat_id, part, label)
            and not ask.ended
            and ask.begins <= self.now < ask.ends
            for ask in self.asks.values()
        )

    def can_replace(self, seat_id: str, paper_id: str) -> bool:
        """An attorney of the matter, what is confirmed; its adder, while it is his own."""
        seat, paper = self.seats[seat_id], self.papers[paper_id]
        if seat.role == "attorney":
            running = self.deals[paper.deal].running and paper.state == "confirmed"
            return running and seat.firm == paper.firm and self.works_on(seat, paper.matter)
        return self.is_still_his(seat_id, paper_id)

    def can_correct(self, paper_id: str, label: str, sensitivity: str) -> bool:
        """What is confirmed, in an engagement that runs, to something that it is not."""
        paper = self.papers[paper_id]
        new = (label, sensitivity) != (paper.label, paper.sensitivity)
        return paper.state == "confirmed" and self.deals[paper.deal].running and new

    def can_move(self, paper_id: str, deal_id: str, part: str) -> bool:
        """What is confirmed and no task rests on, between engagements that run."""
        paper = self.papers[paper_id]
        busy = any(task.is_live and paper_id in {*task.papers, *task.ever} for task in self.tasks.values())
        run = self.deals[paper.deal].running and self.deals[deal_id].running
        return paper.state == "confirmed" and run and not busy and self.part_of(paper) != part

    def can_disclaim(self, seat_id: str, paper_id: str) -> bool:
        """Whoever may know of it, and is no attorney; what is still his own he takes back."""
        seat, paper = self.seats[seat_id], self.papers[paper_id]
        return paper.state == "confirmed" and seat.role != "attorney" and self.may(seat_id, paper_id, "list")

    # Tasks ------------------------------------------------------------------------------------------------------------

    def can_give_task(self, task: Task) -> bool:
        """Somebody who can receive all of it, until it is due and shut, and nobody else works on what he takes away."""
        deal, seat = self.deals[task.deal], self.seats[task.seat]
        if not deal.running or not self.can_receive(task.seat, task.deal, deal.parts[task.part]):
            return False
        fits = all(self.term_fits(task.seat, None, end) is not None for end in (task.due, task.ends))
        fits = fits and task.due <= task.ends and all(label in ADDS[seat.role] for label in task.labels)
        return fits and all(
            self.part_of(self.papers[i]) == task.part
            and self.is_shareable(seat.role, i, PRESETS[task.preset])
            and not (task.preset == "work" and self.is_checked_out(i))
            for i in task.papers
        )

    def is_checked_out(self, paper_id: str) -> bool:
        """Somebody works on it, who is still a member."""
        return any(
            paper_id in task.papers
            and task.preset == "work"
            and task.is_live
            and self.now < min(task.ends, self.seats[task.seat].ends)
            for task in self.tasks.values()
        )

    def give_task(self, task_id: str, task: Task) -> None:
        """Grants and asks are made with it, where none made by hand reaches as far."""
        self.tasks[task_id] = task
        begins, abilities = self.term_fits(task.seat, None, task.ends), PRESETS[task.preset]
        assert begins is not None
        for i in task.papers:
            if not any(share.reaches(abilities, begins, task.ends) for share in self.by_hand(task.seat, i)):
                self.made.append(Share(task.seat, i, abilities, begins, task.ends, made_with=task_id))
        standing = [
            ask
            for ask in self.asks.values()
            if (ask.seat, ask.part) == (task.seat, task.part) and not ask.ended and ask.made_with is None
        ]
        for label in task.labels:
            if not any(ask.label == label and ask.begins <= begins and task.ends <= ask.ends for ask in standing):
                self.made_asks.append(Ask(task.seat, task.part, label, begins, task.ends, made_with=task_id))

    def can_submit(self, task: Task, task_id: str, papers: Iterable[str]) -> bool:
        """His own turn; with papers that he added for it, nobody has confirmed and no other task has."""
        seat, named = self.seats[task.seat], tuple(papers)
        if seat.role == "coordinator":
            opened = self.deals[task.deal].running and self.in_time(seat)
        else:
            opened = self.works(task.seat)
        opened = opened and not self.is_walled(seat, task.part)
        right = bool(named) == bool(task.labels) and all(self.fits_task(task, task_id, i) for i in named)
        return opened and task.waits_for_member and right

    def fits_task(self, task: Task, task_id: str, paper_id: str) -> bool:
        """A paper that may be submitted."""
        paper = self.papers[paper_id]
        mine = paper.added_by == task.seat and paper.state == "to_look_at" and paper.label in task.labels
        elsewhere = any(
            paper_id in other.ever and other.state != "cancelled" for i, other in self.tasks.items() if i != task_id
        )
        fits = mine and self.part_of(paper) == task.part and paper.deal == task.deal
        return fits and paper.added_at >= task.given_at and not elsewhere

    def can_accept(self, task: Task, sensitivity: str | None) -> bool:
        """Exactly what was submitted; of what was confirmed meanwhile the same is to be said."""
        papers = {i: self.papers[i] for i in task.named}
        same = all(paper.revision == task.named[i] and self.is_there(i) for i, paper in papers.items())
        agreed = all(
            paper.state == "to_look_at" or sensitivity in {None, paper.sensitivity} for paper in papers.values()
        )
        return task.state == "submitted" and self.deals[task.deal].running and same and agreed

    def end_task(self, task_id: str, state: str) -> None:
        """Over, and with it all that it opened."""
        self.tasks[task_id].state = state
        self.end_with(task_id)

    def cancel_tasks(self, *, seat: str | None = None, deal: str | None = None) -> None:
        """Those of a member who leaves, or of an engagement whose end is asked for."""
        for i, task in self.tasks.items():
            if task.is_live and (task.seat == seat or task.deal == deal):
                self.end_task(i, "cancelled")

    # Asking for access ------------------------------------------------------------------------------------------------

    def wanted(self, seat_id: str, paper_id: str, abilities: frozenset[str]) -> frozenset[str]:
        """What he would hold in the end: what he has by hand, and what he asks for besides."""
        return abilities.union(*(share.abilities for share in self.by_hand(seat_id, paper_id)))

    def can_request(self, seat_id: str, paper_id: str, abilities: frozenset[str], ends: int) -> bool:
        """More of what he sees, saw a moment ago, or may ask for unseen; not what he has or waits for already."""
        seat, paper = self.seats[seat_id], self.papers[paper_id]
        if seat.deal != paper.deal or not self.works(seat_id) or not self.is_open_for(seat_id, paper.matter):
            return False
        seen = any(
            (share.seat, share.paper) == (seat_id, paper_id)
            and not share.revoked
            and share.begins <= self.now < share.ends + LATELY_S
            for share in self.shares.values()
        )
        seen = seen and paper.state == "confirmed" and self.below(seat.role, paper)
        if not (seen and self.may_ask_at_all(seat.role, paper)) and not self.is_withheld(seat_id, paper_id):
            return False
        wanted, held = self.wanted(seat_id, paper_id, abilities), self.by_hand(seat_id, paper_id)
        waits = any(
            (each.seat, each.paper) == (seat_id, paper_id) and self.waits(each) for each in self.requests.values()
        )
        more = all(ends >= share.ends and (wanted, ends) != (share.abilities, share.ends) for share in held)
        fits = self.can_hold(seat.role, paper, wanted) and self.term_fits(seat_id, None, ends) is not None
        return fits and more and not waits

    def waits(self, request: Request) -> bool:
        """Nobody has answered, and there is time."""
        return request.state == "open" and self.now < request.lapses

    def lapses(self, ends: int) -> int:
        """When a request that is made now lapses."""
        return min(ends, self.now + ASKED_DAYS * DAY_S)

    def can_answer(self, request: Request) -> bool:
        """It waits, of somebody who is a member, in an engagement that runs."""
        deal = self.deals[self.papers[request.paper].deal]
        return self.waits(request) and deal.running and self.now < min(deal.ends, self.seats[request.seat].ends)

    def can_say_yes(self, request: Request, abilities: frozenset[str], ends: int) -> bool:
        """As asked or with less; never less than he has; and only what could be shared."""
        seat, paper = self.seats[request.seat], self.papers[request.paper]
        within = abilities <= request.abilities and ends <= request.ends
        enough = all(s.abilities <= abilities and s.ends <= ends for s in self.by_hand(request.seat, request.paper))
        fits = self.can_receive(request.seat, paper.deal, paper.matter)
        fits = fits and self.is_shareable(seat.role, request.paper, abilities)
        return (
            self.can_answer(request)
            and within
            and enough
            and fits
            and (self.term_fits(request.seat, None, ends) is not None)
        )

    # Duties and schedules ---------------------------------------------------------------------------------------------

    def has_member(self, deal_id: str, person: str) -> bool:
        """He is a vendor's member of the engagement."""
        mine = (s for s in self.seats.values() if (s.person, s.deal) == (person, deal_id) and not s.is_firm)
        return any(self.now < seat.ends for seat in mine)

    def can_record(self, each: Evidence) -> bool:
        """Of somebody who is a member, while the engagement runs."""
        of_person = each.duty == "training"
        return self.deals[each.deal].running and (not of_person or self.has_member(each.deal, each.subject))

    def can_waive(self, deal_id: str, person: str) -> bool:
        """Training, once, where it is demanded and not in force."""
        once = not any(
            each.waived and (each.deal, each.subject) == (deal_id, person) for each in self.evidence.values()
        )
        lacking = "training" in self.deals[deal_id].owed and not self.in_force(deal_id, person, "training")
        return self.deals[deal_id].running and self.has_member(deal_id, person) and lacking and once

    def can_bind(self, deal_id: str, seat_id: str | None) -> bool:
        """A vendor's member or all of them; four schedules at most."""
        standing = [s for s in self.schedules.values() if (s.deal, s.seat) == (deal_id, seat_id) and self.now < s.ends]
        there = seat_id is None or (self._is_vendors(self.seats[seat_id], deal_id))
        return self.deals[deal_id].running and there and len(standing) < 4

    def _is_vendors(self, seat: Seat, deal_id: str) -> bool:
        return not seat.is_firm and seat.deal == deal_id and self.now < seat.ends

    def can_move_end(self, deal_id: str, ends: int) -> bool:
        """While it runs, to a time that lies ahead."""
        deal = self.deals[deal_id]
        return deal.running and self.now < ends and deal.starts < ends and (self.now < deal.ends or ends == deal.ends)

    def move_end(self, deal_id: str, ends: int) -> None:
        """Memberships that ended with it move with it; none outlives it."""
        deal = self.deals[deal_id]
        for seat in self.seats.values():
            if seat.deal == deal_id and self.now < seat.ends and (seat.ends == deal.ends or seat.ends > ends):
                seat.ends = ends
        deal.ends = ends

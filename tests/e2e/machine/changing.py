"""What a paper turns out to be: another label, in another place, not meant for somebody."""

from __future__ import annotations

from hypothesis import strategies as st
from hypothesis.stateful import precondition, rule

from tests.e2e.machine.floor import Floor, some
from tests.e2e.reference.things import LABELS, ORDER, Misdirection, Paper

_MOST_PAPERS = 16


class Changing(Floor):
    """What is done when somebody sees that a paper is not what, where or whose it should be."""

    @rule(which=some, label=st.sampled_from((None, *LABELS)), sensitivity=st.sampled_from((None, *ORDER, ORDER[3])))
    def attorney_corrects(self, which: int, label: str | None, sensitivity: str | None) -> None:
        """Mostly one that somebody has; now and then what it was before, so that what ended could be open again."""
        moved = [i for i, paper in self._here().items() if paper.was_moved and paper.state == "confirmed"]
        paper_id = self._fit(self._here(), which, lambda i, _: i in moved or self._is_somebodys(i))
        paper, path = self.model.papers[paper_id], f"/documents/{paper_id}"
        was, new = (paper.label, paper.sensitivity), (label or paper.label, sensitivity or paper.sensitivity)
        for label_now, sensitivity_now in (new, was) if which % 3 == 0 else (new,):
            body = {"label": label_now, "sensitivity": sensitivity_now}
            response = self._lead("PATCH", path, body, match=path)
            expected = self.model.can_correct(paper_id, label_now, sensitivity_now)
            if self._agree("attorney corrects", response, 200, expected=expected):
                self.model.correct(paper_id, label_now, sensitivity_now)
                self._file_shares(paper_id)
                self._concern_papers(paper_id)

    @precondition(lambda self: len(self.model.papers) < _MOST_PAPERS)
    @rule(which=some, where=some)
    def attorney_moves(self, which: int, where: int) -> None:
        """To another part, of the same engagement or of another one."""
        parts = {
            part: (deal_id, matter) for deal_id, deal in self._deals().items() for part, matter in deal.parts.items()
        }

        def fits(paper_id: str, _paper: Paper) -> bool:
            return self._is_somebodys(paper_id) and any(
                self.model.can_move(paper_id, deal_id, part) for part, (deal_id, _) in parts.items()
            )

        paper_id = self._fit(self._here(), which, fits)
        part_id = self._fit(parts, where, lambda part, place: self.model.can_move(paper_id, place[0], part))
        deal_id, matter = parts[part_id]
        path = f"/documents/{paper_id}"
        response = self._lead("POST", f"{path}/move", {"part_id": part_id}, match=path)
        act = "attorney moves" if deal_id == self.model.papers[paper_id].deal else "attorney moves far"
        if self._agree(act, response, 201, expected=self.model.can_move(paper_id, deal_id, part_id)):
            made = response.json()["id"]
            self.model.papers[made] = self.model.move(paper_id, deal_id, matter)
            self._file_shares(made)
            self._concern_papers(paper_id)
            self.named |= {(seat_id, made): None for seat_id, _ in list(self.named)}

    @rule(who=some, which=some)
    def member_says_not_meant_for_me(self, who: int, which: int) -> None:
        pairs = {f"{s} {i}": (s, i) for s in self._members() for i in self._here()}
        seat_id, paper_id = pairs[self._fit(pairs, 4 * who + which, lambda _, pair: self.model.can_disclaim(*pair))]
        response = self._ask(self.houses.people[seat_id], "POST", f"/documents/{paper_id}/misdirection", json={})
        expected = self.model.can_disclaim(seat_id, paper_id)
        if self._agree("member says not meant for me", response, 201, expected=expected):
            self._concern_papers(paper_id)
            self.named[seat_id, paper_id] = None
            made = Misdirection(self.model.seats[seat_id].person, paper_id, self.model.now)
            self.model.misdirections[response.json()["id"]] = made
            self.model.disclaim(seat_id, paper_id)

    @precondition(lambda self: self.model.misdirections)
    @rule(which=some, meant=st.booleans())
    def attorney_acknowledges(self, which: int, *, meant: bool) -> None:
        misdirection_id = self._fit(self.model.misdirections, which, lambda _, each: not each.acknowledged)
        said, path = self.model.misdirections[misdirection_id], f"/misdirections/{misdirection_id}"
        body = {"meant_for_him": meant}
        response = self._lead("POST", f"{path}/acknowledgment", body, match=path)
        expected = not said.acknowledged and self.model.is_there(said.paper)
        if self._agree("attorney acknowledges", response, 200, expected=expected):
            said.acknowledged, said.meant = True, meant
            seats = [i for i, seat in self._members().items() if seat.person == said.person]
            self.named |= {(seat_id, said.paper): None for seat_id in seats}

    def _is_somebodys(self, paper_id: str) -> bool:
        there = self.model.papers[paper_id].state == "confirmed"
        return there and any(self.model.standing_shares(i, paper_id) for i in self._members())

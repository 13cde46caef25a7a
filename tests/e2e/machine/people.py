"""People: what they sign, how they come, go and are shut out; walls, teams; and time."""

from __future__ import annotations

from hypothesis import strategies as st
from hypothesis.stateful import precondition, rule

from tests.e2e.machine.floor import Floor, some
from tests.e2e.reference.things import STEP_S, STEPPED_UP_S, Seat, end_of_notice
from tests.world import rfc3339


class People(Floor):
    """What is done about people."""

    @precondition(lambda self: all(len(deal.texts) < 4 for deal in self.model.deals.values()))
    @rule(where=some, at_once=st.sampled_from((True, False, False)))
    def attorney_publishes_an_nda(self, where: int, *, at_once: bool) -> None:
        deal_id = self._of(self._deals(), where)
        deal, path = self.model.deals[deal_id], f"/agreements/{self.houses.agreements[deal_id]}"
        body = {"text": f"Text number {len(deal.texts)}.\n", "at_once": at_once}
        response = self._lead("POST", f"{path}/versions", body, match=path)
        if self._agree("attorney publishes an nda", response, 201, expected=deal.running):
            deal.texts.append(self.model.now if at_once else end_of_notice(self.model.now))

    @rule(who=some, many=st.integers(1, 5))
    def members_sign(self, who: int, many: int) -> None:
        for n in range(many):
            waiting = {i: s for i, s in self._vendors().items() if not s.has_left and not self.model.has_signed(s)}
            if waiting or n == 0:
                self._sign(self._of(waiting or self._vendors(), who))

    def _sign(self, seat_id: str) -> None:
        seat, person = self.model.seats[seat_id], self.houses.people[seat_id]
        assert seat.deal is not None
        path, newest = f"/agreements/{self.houses.agreements[seat.deal]}", len(self.model.deals[seat.deal].texts) - 1
        shown = self.do(self.lead.get(path))
        body = {"sha256": shown["sha256"], "typed_name": "Vera Vendor"}
        response = self._ask(person, "POST", f"{path}/signatures", json=body)
        may_sign = self.model.now < seat.ends and not seat.suspended and not seat.has_left
        unsigned = self.model.signed.get((seat.person, seat.deal), -1) < newest
        if self._agree("member signs", response, 201, expected=may_sign and unsigned):
            self.model.signed[seat.person, seat.deal] = newest

    @rule(who=some)
    def somebody_is_suspended_or_resumed(self, who: int) -> None:
        seats = {**self._members(), self.houses.colleague: self.model.seats[self.houses.colleague]}
        suspended = {i: seat for i, seat in seats.items() if seat.suspended}
        seat_id = self._of(suspended if len(suspended) > 2 or (suspended and who % 2) else seats, who // 2)
        seat, path = self.model.seats[seat_id], f"/members/{seat_id}"
        method, runs = ("DELETE" if seat.suspended else "POST"), self.model.now < seat.ends and not seat.has_left
        match = {"if-match": self.do(self.owner.ask("GET", path)).headers["etag"]}
        response = self._ask(self.owner, method, f"{path}/suspension", headers=match)
        act = "somebody is resumed" if seat.suspended else "somebody is suspended"
        if self._agree(act, response, 200, expected=runs):
            seat.suspended, seat.opened = not seat.suspended, [] if seat.suspended else seat.opened

    @precondition(lambda self: sum(s.has_left for s in self._members().values()) < 4)
    @rule(who=some)
    def member_leaves(self, who: int) -> None:
        seat_id = self._of(self._members(), who)
        seat, path = self.model.seats[seat_id], f"/members/{seat_id}"
        response = self._lead("DELETE", path, match=path)
        expected = self.model.now < seat.ends and not seat.has_left
        if self._agree("member leaves", response, 200, expected=expected):
            self.model.cancel_tasks(seat=seat_id)
            seat.has_left, seat.ends = True, self.model.now

    @precondition(lambda self: len(self.model.seats) < 24)
    @rule(who=some, begins=st.sampled_from((0, 0, 24)), hours=st.sampled_from((None, 1, 72, 120)))
    def somebody_who_left_comes_back(self, who: int, begins: int, hours: int | None) -> None:
        gone = {i: s for i, s in self._members().items() if s.has_left or s.ends <= self.model.now}
        if not gone:
            return
        old = self.model.seats[self._fit(gone, who, lambda _, s: s.deal is not None and self._runs(s.deal))]
        assert old.deal is not None
        deal, now = self.model.deals[old.deal], self.model.now
        starts, ends = now + begins * 3600, deal.ends if hours is None else now + hours * 3600
        body = {"person_id": old.person, "role": old.role, "starts_at": rfc3339(starts), "ends_at": rfc3339(ends)}
        response = self._lead("POST", f"/engagements/{old.deal}/members", body)
        again = any(
            (s.person, s.deal, s.role) == (old.person, old.deal, old.role) and now < s.ends
            for s in self.model.seats.values()
        )
        fits = deal.running and starts < ends <= deal.ends and now < deal.ends
        if self._agree("somebody comes back", response, 201, expected=fits and not again):
            seat_id = response.json()["id"]
            self.model.seats[seat_id] = Seat(old.firm, old.person, old.role, old.deal, starts, ends)
            self.houses.people[seat_id] = self.do(self.houses.world.sign_in(old.person, seat_id))
            self.model.welcome(seat_id)
            self._file_shares(*(share.paper for share in self.model.made))

    def _runs(self, deal_id: str) -> bool:
        deal = self.model.deals[deal_id]
        return deal.running and self.model.now < deal.ends

    @rule(who=some, matter=some)
    def wall_goes_up_or_down(self, who: int, matter: int) -> None:
        seats = {**self._members(), self.houses.colleague: self.model.seats[self.houses.colleague]}
        pair = (self.model.seats[self._of(seats, who)].person, self._matter(matter))
        if len(self.walls) > 1:  # few people behind walls, or nothing is left to see
            pair = next(iter(self.walls))
        if pair in self.walls:
            path = f"/walls/{self.walls.pop(pair)}"
            self.do(self.houses.world.step_up(self.owner))
            match = {"if-match": self.do(self.owner.ask("GET", path)).headers["etag"]}
            self._agree("a wall is lifted", self._ask(self.owner, "DELETE", path, headers=match), 200, expected=True)
            self.model.walls.remove(pair)
        else:
            body = {"person_id": pair[0], "matter_id": pair[1], "reason": "apart"}
            response = self._ask(self.owner, "POST", "/walls", json=body)
            self._agree("a wall is raised", response, 201, expected=True)
            self.walls[pair] = response.json()["id"]
            self.model.walls.add(pair)

    @rule(matter=some)
    def colleague_joins_or_leaves_a_team(self, matter: int) -> None:
        pair = (self.model.seats[self.houses.colleague].person, self._matter(matter))
        method = "DELETE" if pair in self.model.team else "PUT"
        response = self._ask(self.owner, method, f"/matters/{pair[1]}/team/{pair[0]}")
        self._agree(f"colleague's team: {method}", response, 204, expected=True)
        self.model.team ^= {pair}

    @rule(where=some)
    def engagement_closes_or_goes_on(self, where: int) -> None:
        deal_id = self._fit(self._deals(), 2 * where, lambda _, deal: not deal.running)
        deal = self.model.deals[deal_id]
        if deal_id in self.disposals:
            path = f"/disposals/{self.disposals.pop(deal_id)}"
            response = self._lead("DELETE", path, match=path)
            self._agree("engagement goes on", response, 204, expected=True)
        else:
            response = self._lead("POST", f"/engagements/{deal_id}/disposal")
            self._agree("engagement closes", response, 201, expected=True)
            self.disposals[deal_id] = response.json()["id"]
            self.model.cancel_tasks(deal=deal_id)
        deal.running = deal_id not in self.disposals

    @rule(where=some, hours=st.sampled_from((72, 24 * 10, 24 * 60, 24 * 60)))
    def attorney_moves_the_end(self, where: int, hours: int) -> None:
        deal_id = self._of(self._deals(), where)
        ends, path = self.model.now + hours * 3600, f"/engagements/{deal_id}"
        act = "attorney extends" if self.model.deals[deal_id].ends < ends else "attorney shortens"
        response = self._lead("PATCH", path, {"ends_at": rfc3339(ends)}, match=path)
        if self._agree(act, response, 200, expected=self.model.can_move_end(deal_id, ends)):
            self.model.move_end(deal_id, ends)

    @rule(who=some)
    def somebody_steps_up(self, who: int) -> None:
        """He proves with his authenticator that it is he; a code counts once, so another waits for its time."""
        seat_id = self._fit(self._vendors(), who, lambda _, seat: seat.role == "paralegal" and not seat.suspended)
        seat, now = self.model.seats[seat_id], self.model.now
        pocket = self.houses.world.pockets.known.get(seat.person)
        if pocket is not None and pocket.step > now // STEP_S:
            return
        if seat.suspended or seat.ends <= now:
            refused = self._ask(self.houses.people[seat_id], "POST", "/me/step-up", json={"code": "000000"})
            self._agree("step up", refused, 200, expected=False)
        elif seat.stepped_up_until <= now:
            self.do(self.houses.world.step_up(self.houses.people[seat_id]))
            self.acts["step up"] += 1
            seat.stepped_up_until = now + STEPPED_UP_S

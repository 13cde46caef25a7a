"""Papers: added, confirmed, replaced, taken back; shared and revoked by hand; asked for."""

from __future__ import annotations

from hypothesis import strategies as st
from hypothesis.stateful import precondition, rule

from tests.e2e.machine.floor import Floor, hours, some
from tests.e2e.reference.things import LABELS, ORDER, Ask, Paper
from tests.world import Person, rfc3339

MOST_PAPERS = 10


class Papers(Floor):
    """What is done about papers."""

    @precondition(lambda self: len(self.model.papers) < MOST_PAPERS)
    @rule(where=some, label=st.sampled_from(LABELS), sensitivity=st.sampled_from(ORDER), part=some)
    def attorney_adds(self, where: int, part: int, label: str, sensitivity: str) -> None:
        """Mostly one that somebody was promised, by its label, where anybody was promised any."""
        deal_id = self._of(self._deals(), where)
        part_id = self._of(self.model.deals[deal_id].parts, part)
        promises = [each for each in self.model.standings.values() if each.begins <= self.model.now < each.ends]
        if promises and where % 4:
            promise = promises[part % len(promises)]
            deal_id, part_id, label = promise.deal, promise.part, promise.labels[where % len(promise.labels)]
        self._add("attorney adds", self.lead, deal_id, part_id, label, sensitivity)

    @precondition(lambda self: len(self.model.papers) < MOST_PAPERS and self.model.asks)
    @rule(which=some)
    def who_is_asked_adds(self, which: int) -> None:
        ask_id = self._fit(self.model.asks, which, lambda _, ask: not ask.ended and self.model.now < ask.ends)
        ask = self.model.asks[ask_id]
        person = self.houses.people[ask.seat]
        self._add("who is asked adds", person, self._deal_of(ask.seat), ask.part, ask.label)

    @precondition(lambda self: len(self.model.papers) < MOST_PAPERS)
    @rule(who=some, where=some, part=some, label=st.sampled_from(LABELS))
    def anybody_adds(self, who: int, where: int, part: int, label: str) -> None:
        deal_id = self._of(self.model.deals, where)
        part_id = self._of(self.model.deals[deal_id].parts, part)
        seat_id = self._fit(self.model.seats, who, lambda i, _: self.model.can_add(i, deal_id, part_id, label))
        self._add("anybody adds", self.houses.people[seat_id], deal_id, part_id, label)

    def _add(
        self, act: str, who: Person, deal_id: str, part_id: str, label: str, sensitivity: str | None = None
    ) -> None:
        seat_id = who.membership_id
        seat, deal = self.model.seats[seat_id], self.model.deals[deal_id]
        params = {"part_id": part_id, "label": label} | ({"sensitivity": sensitivity} if sensitivity else {})
        headers = {"muniment-title": "UTF-8''paper", "content-type": "text/plain"}
        path = f"/engagements/{deal_id}/documents"
        response = self._ask(who, "POST", path, content=b"a paper", params=params, headers=headers)
        if self._agree(act, response, 201, expected=self.model.can_add(seat_id, deal_id, part_id, label)):
            by_attorney, paper_id = seat.role == "attorney", response.json()["document_id"]
            self.model.papers[paper_id] = Paper(
                seat.firm,
                deal_id,
                deal.parts[part_id],
                label,
                sensitivity if by_attorney and sensitivity else "confidential",
                "confirmed" if by_attorney else "to_look_at",
                None if by_attorney else seat_id,
                self.model.now,
            )
            self.model.hand_out(paper_id)
            if seat.firm == "first":
                self._file_shares(paper_id)

    @rule(which=some, label=st.sampled_from(LABELS), sensitivity=st.sampled_from(ORDER))
    def attorney_confirms(self, which: int, label: str, sensitivity: str) -> None:
        paper_id = self._brought(which)
        paper, path = self.model.papers[paper_id], f"/documents/{paper_id}"
        body = {"label": label, "sensitivity": sensitivity}
        response = self._lead("POST", f"{path}/confirmation", body, match=path)
        expected = paper.state == "to_look_at" and self.model.deals[paper.deal].running
        if self._agree("attorney confirms", response, 200, expected=expected):
            self.model.confirm(paper_id, label, sensitivity)
            self._file_shares(paper_id)

    def _brought(self, which: int) -> str:
        """A paper that waits for an attorney; where there is none, mostly somebody is asked for one and brings it."""
        if not self._waiting() and which % 4 and len(self.model.papers) < MOST_PAPERS:
            asks = ((i, *self._place(i, which), label) for i in self._vendors() for label in LABELS)
            fit = [ask for ask in asks if self.model.is_open_for(ask[0], self.model.deals[ask[1]].parts[ask[2]])]
            ends = self.model.now + 3600
            fit = [ask for ask in fit if self.model.can_ask(*ask, ends)]
            if fit:
                seat_id, deal_id, part_id, label = fit[which % len(fit)]
                self._ask_for(seat_id, deal_id, part_id, label, ends)
                self._add("who is asked adds", self.houses.people[seat_id], deal_id, part_id, label)
        return self._of(self._waiting() or self._here(), which)

    def _waiting(self) -> dict[str, Paper]:
        return {i: paper for i, paper in self._here().items() if paper.state == "to_look_at"}

    @rule(which=some, who=some, adder=st.booleans())
    def somebody_takes_back(self, which: int, who: int, *, adder: bool) -> None:
        paper_id = self._brought(which)
        paper, path = self.model.papers[paper_id], f"/documents/{paper_id}"
        seat_id = paper.added_by if adder and paper.added_by else self._of(self._members(), who)
        response = self._ask(self.houses.people[seat_id], "DELETE", path, headers=self._match(path))
        expected = self.model.is_still_his(seat_id, paper_id)
        if self._agree("adder takes back", response, 204, expected=expected):
            paper.state = "taken_back"
            self._concern_papers(paper_id)

    @rule(which=some, who=some, adder=st.sampled_from((True, True, False)), content=st.text("abc", min_size=1))
    def somebody_replaces(self, which: int, who: int, content: str, *, adder: bool) -> None:
        paper_id = self._brought(which) if which % 3 else self._of(self._here(), which)
        paper, path = self.model.papers[paper_id], f"/documents/{paper_id}"
        anybody = self.lead.membership_id if who % 3 == 0 else self._of(self.model.seats, who)
        seat_id = paper.added_by if adder and paper.added_by else anybody
        seat = self.model.seats[seat_id]
        headers = {**self._match(path), "content-type": "text/plain"}
        person = self.houses.people[seat_id]
        response = self._ask(person, "PUT", f"{path}/content", content=content.encode(), headers=headers)
        act = "attorney replaces" if seat.role == "attorney" else "adder replaces"
        if self._agree(act, response, 200, expected=self.model.can_replace(seat_id, paper_id)):
            paper.revision, paper.content = paper.revision + 1, content.encode()
        if self.model.is_there(paper_id):
            assert self.do(self.lead.get(f"{path}/content")) == paper.content

    # By hand ---------------------------------------------------------------------------------------------------------

    @rule(
        who=some,
        which=some,
        more=st.sampled_from(((), ("download",), ("text",), ("text", "download"), ("revise",))),
        begins=st.sampled_from((None, None, None, 0, 24)),
        hours=hours,
    )
    def attorney_shares(self, who: int, which: int, more: tuple[str, ...], begins: int | None, hours: int) -> None:
        paper_id, now = self._of(self._here(), which), self.model.now
        abilities = frozenset(("view", *more))
        start, end = None if begins is None else now + begins * 3600, now + hours * 3600
        seat_id = self._fit(self._members(), who, lambda i, _: self.model.can_share(i, paper_id, abilities, start, end))
        self._share(seat_id, paper_id, abilities, start, end)

    @rule(which=some)
    def attorney_revokes(self, which: int) -> None:
        here = {i: s for i, s in self.model.shares.items() if self.model.papers[s.paper].firm == "first"}
        grant_id = self._fit(here, which, lambda _, share: not share.revoked and self.model.now < share.ends)
        share, path = self.model.shares[grant_id], f"/grants/{grant_id}"
        response = self._lead("DELETE", path, match=path)
        expected = not share.revoked and self.model.now < share.ends
        if self._agree("attorney revokes", response, 200, expected=expected):
            share.revoked = True
            self._concern(grant_id)

    @rule(who=some, part=some, label=st.sampled_from(LABELS), hours=hours)
    def attorney_asks(self, who: int, part: int, label: str, hours: int) -> None:
        ends = self.model.now + hours * 3600
        seat_id = self._fit(
            self._members(), who, lambda i, _: self.model.can_ask(i, *self._place(i, part), label, ends)
        )
        self._ask_for(seat_id, *self._place(seat_id, part), label, ends)

    def _ask_for(self, seat_id: str, deal_id: str, part_id: str, label: str, ends: int) -> None:
        body = {"membership_id": seat_id, "part_id": part_id, "labels": [label], "instructions": "x"}
        body["not_after"] = rfc3339(ends)
        response = self._lead("POST", f"/engagements/{deal_id}/asks", body)
        expected = self.model.can_ask(seat_id, deal_id, part_id, label, ends)
        if self._agree("attorney asks", response, 201, expected=expected):
            [made] = response.json()["items"]
            self.model.asks[made["id"]] = Ask(seat_id, part_id, label, self._begins(seat_id), ends)

    def _begins(self, seat_id: str) -> int:
        return max(self.model.now, self.model.term(seat_id)[0])

    @precondition(lambda self: self.model.asks)
    @rule(which=some)
    def attorney_ends_an_ask(self, which: int) -> None:
        ask_id = self._fit(self.model.asks, which, lambda _, each: not each.ended and self.model.now < each.ends)
        ask, path = self.model.asks[ask_id], f"/asks/{ask_id}"
        response = self._lead("DELETE", path, match=path)
        if self._agree("attorney ends an ask", response, 200, expected=not ask.ended and self.model.now < ask.ends):
            ask.ended = True

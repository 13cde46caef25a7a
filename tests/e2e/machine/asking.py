"""Asking for access: asked, answered as asked, with less or no, taken back, lapsed."""

from __future__ import annotations

from typing import Any

from hypothesis import strategies as st
from hypothesis.stateful import rule

from tests.e2e.machine.floor import Floor, hours, some
from tests.e2e.reference.handing import VIEW
from tests.e2e.reference.things import Request, Share
from tests.world import rfc3339


class Asking(Floor):
    """What is done about requests for access."""

    @rule(where=some)
    def engagement_declares(self, where: int) -> None:
        self._declare(self._of(self._deals(), where))

    def _declare(self, deal_id: str) -> None:
        """Say that what is withheld may be asked for, or no longer."""
        deal, path = self.model.deals[deal_id], f"/engagements/{deal_id}"
        word = "invisible" if deal.may_be_asked_for else "may_be_asked_for"
        response = self._lead("PATCH", path, {"withheld": word}, match=path)
        if self._agree(f"engagement declares {word}", response, 200, expected=deal.running):
            deal.may_be_asked_for = not deal.may_be_asked_for

    @rule(who=some, which=some, more=st.booleans(), hours=hours)
    def member_asks_for_access(self, who: int, which: int, hours: int, *, more: bool) -> None:
        abilities, ends = (VIEW | {"download"} if more else VIEW), self.model.now + hours * 3600
        pairs = {
            f"{seat_id} {paper_id}": (seat_id, paper_id) for seat_id in self._vendors() for paper_id in self._here()
        }
        if which % 4 and not any(self.model.can_request(*pair, abilities, ends) for pair in pairs.values()):
            for deal_id in (i for i, deal in self._deals().items() if not deal.may_be_asked_for):
                self._declare(deal_id)
        pair = self._fit(pairs, 2 * who + which % 3 // 2, lambda _, p: self.model.can_request(*p, abilities, ends))
        seat_id, paper_id = pairs[pair]
        body = {"document_id": paper_id, "abilities": sorted(abilities), "not_after": rfc3339(ends), "reason": "x"}
        response = self._ask(self.houses.people[seat_id], "POST", "/access-requests", json=body)
        expected = self.model.can_request(seat_id, paper_id, abilities, ends)
        unseen = not self.model.may(seat_id, paper_id, "view")
        act = "member asks for what he does not see" if unseen else "member asks for more"
        if self._agree(act, response, 201, expected=expected):
            wanted = self.model.wanted(seat_id, paper_id, abilities)
            made = Request(seat_id, paper_id, wanted, ends, self.model.lapses(ends))
            self.model.requests[response.json()["id"]] = made

    @rule(
        which=some, less=st.sampled_from((None, None, "abilities", "time")), more=st.sampled_from((False, False, True))
    )
    def attorney_says_yes(self, which: int, less: str | None, *, more: bool) -> None:
        def said(request: Request) -> tuple[frozenset[str], int]:
            abilities, ends = request.abilities, request.ends
            if less == "abilities":
                abilities = VIEW if not more else VIEW | {"download"}
            if less == "time":
                ends += 3600 if more else -1800
            return abilities, ends

        def fits(_: str, each: Request) -> bool:
            return self.model.can_say_yes(each, *said(each))

        if which % 4 and not any(fits("", each) for each in self.model.requests.values()):
            self.member_asks_for_access(which, which, 24, more=less is not None or which % 3 > 0)
        if not self.model.requests:
            return
        request_id = self._fit(self.model.requests, which, fits)
        request = self.model.requests[request_id]
        abilities, ends = said(request)
        body: dict[str, Any] = {"answer": "yes", "note": "x"}
        body |= {"abilities": sorted(abilities)} if less == "abilities" else {}
        body |= {"not_after": rfc3339(ends)} if less == "time" else {}
        path = f"/access-requests/{request_id}"
        response = self._lead("POST", f"{path}/answer", body, match=path)
        whole = (abilities, ends) == (request.abilities, request.ends)
        act = "attorney answers as asked" if whole else "attorney answers with less"
        if self._agree(act, response, 200, expected=self.model.can_say_yes(request, abilities, ends)):
            request.state = "answered"
            first = self.model.term_fits(request.seat, None, ends)
            assert first is not None
            for share in self.model.by_hand(request.seat, request.paper):
                share.revoked = True
            self._concern_papers(request.paper)
            made = Share(request.seat, request.paper, abilities, first, ends)
            self.model.shares[response.json()["grant_id"]] = made

    @rule(which=some)
    def attorney_says_no(self, which: int) -> None:
        if which % 4 and not any(self.model.can_answer(each) for each in self.model.requests.values()):
            self.member_asks_for_access(which, which, 24, more=which % 3 > 0)
        if not self.model.requests:
            return
        request_id = self._fit(self.model.requests, which, lambda _, each: self.model.can_answer(each))
        request, path = self.model.requests[request_id], f"/access-requests/{request_id}"
        response = self._lead("POST", f"{path}/answer", {"answer": "no", "note": "x"}, match=path)
        if self._agree("attorney answers no", response, 200, expected=self.model.can_answer(request)):
            request.state = "answered"

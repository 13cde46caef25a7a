"""The service over HTTP against the reference model: random histories of two firms, the same answers after each step.

After each step a random person asks for a random paper (card and bytes), for his whole list in pages of 1, 5, 16 or
100, for his own count and his asks; each answer is compared with the model in both directions. Cursors are kept and
followed later, whatever happened in between. Each history begins on a copy of one installation.

A thousandth of the histories in the suite, 10,000 of 50 steps in the long run, in shards so that processes can share
them (xdist); a shard is seeded by its number and the run's seed, which stands at its head.
"""

from __future__ import annotations

import asyncio
import random
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import AsyncExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

import pytest
from hypothesis import HealthCheck, Phase, seed, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from service import doctor
from tests.e2e.houses import Houses, furnished, opened, summary
from tests.e2e.reference import LABELS, ORDER, Ask, Deal, Paper, Seat, Share, end_of_notice
from tests.scale import LONG
from tests.world import Person, findings, rfc3339

HISTORIES, STEPS = 10_000, 50
SHARDS = 40 if LONG else 1
IN_A_SHARD = HISTORIES // 40 if LONG else 12
SIZES = (1, 5, 16, 100)
MOST_PAPERS = 9
MEMORY = Path("/dev/shm")  # noqa: S108  # a folder of our own in it, made by mkdtemp

_seat = st.integers(0, 10**6)  # an index into what there is: histories shrink well that way
_hours = st.sampled_from((1, 2, 24, 71, 72, 120))


@dataclass
class Kept:
    """A cursor that somebody kept."""

    seat: str
    deal: str
    size: int
    cursor: str
    last: str


class Machine(RuleBasedStateMachine):
    """Two firms: everything that opens and closes access, and every surface that shows it."""

    runner: ClassVar[asyncio.Runner]
    template: ClassVar[tuple[Houses, Path]]
    compared: ClassVar[int] = 0
    allowed: ClassVar[int] = 0

    def do(self, coroutine: Any) -> Any:
        return self.runner.run(coroutine)

    def __init__(self) -> None:
        super().__init__()
        houses, folder = self.template
        self.stack = AsyncExitStack()
        home = Path(tempfile.mkdtemp(dir=folder.parent)) / "home"
        self.houses: Houses = self.do(self.stack.enter_async_context(opened(houses, folder, home)))
        self.model, self.lead, self.owner = self.houses.model, self.houses.lead, self.houses.world.owner
        self.walls: dict[tuple[str, str], str] = {}
        self.disposals: dict[str, str] = {}
        self.kept: list[Kept] = []
        self.random = random.Random(0)

    @initialize(eyes=st.integers(0, 2**32))
    def somebody_looks(self, eyes: int) -> None:
        self.random = random.Random(eyes)

    def teardown(self) -> None:
        found = self.do(findings(self.houses.world.services))
        self.do(self.stack.aclose())
        assert [each for each in found if each.severity is doctor.Severity.BROKEN] == []  # rows are what the log says

    # Who, what, where ------------------------------------------------------------------------------------------------

    def _of(self, things: dict[str, Any], index: int) -> str:
        return list(things)[index % len(things)]

    def _deals(self) -> dict[str, Deal]:
        """The first firm's engagements: those that its attorney leads."""
        return {deal_id: deal for deal_id, deal in self.model.deals.items() if self.model.firm_of(deal_id) == "first"}

    def _members(self) -> dict[str, Seat]:
        """The first firm's members of engagements, those who left too."""
        return {i: seat for i, seat in self.model.seats.items() if seat.firm == "first" and seat.deal is not None}

    def _papers(self) -> dict[str, Paper]:
        return {i: paper for i, paper in self.model.papers.items() if paper.firm == "first"}

    def _match(self, path: str) -> dict[str, str]:
        return {"if-match": self.do(self.lead.ask("GET", path)).headers.get("etag", '"none"')}

    def _agree(self, response: Any, status: int, *, expected: bool) -> bool:
        assert (response.status_code == status) == expected, f"{summary(response)}, expected {expected}\n{self.model}"
        assert response.status_code < 500, summary(response)
        return expected

    # What people do --------------------------------------------------------------------------------------------------

    @precondition(lambda self: len(self.model.papers) < MOST_PAPERS)
    @rule(where=_seat, label=st.sampled_from(LABELS), sensitivity=st.sampled_from(ORDER), part=_seat)
    def attorney_adds(self, where: int, part: int, label: str, sensitivity: str) -> None:
        deal_id = self._of(self._deals(), where)
        part_id = self._of(self.model.deals[deal_id].parts, part)
        self._add(self.lead, deal_id, part_id, label, sensitivity)

    @precondition(lambda self: len(self.model.papers) < MOST_PAPERS and self.model.asks)
    @rule(which=_seat)
    def who_is_asked_adds(self, which: int) -> None:
        ask = self.model.asks[self._of(self.model.asks, which)]
        deal_id = self.model.seats[ask.seat].deal
        assert deal_id is not None
        self._add(self.houses.people[ask.seat], deal_id, ask.part, ask.label)

    @precondition(lambda self: len(self.model.papers) < MOST_PAPERS)
    @rule(who=_seat, where=_seat, part=_seat, label=st.sampled_from(LABELS))
    def anybody_adds(self, who: int, where: int, part: int, label: str) -> None:
        seat_id, deal_id = self._of(self.model.seats, who), self._of(self.model.deals, where)
        part_id = self._of(self.model.deals[deal_id].parts, part)
        self._add(self.houses.people[seat_id], deal_id, part_id, label)

    def _add(self, who: Person, deal_id: str, part_id: str, label: str, sensitivity: str | None = None) -> None:
        seat_id = who.membership_id
        seat, deal = self.model.seats[seat_id], self.model.deals[deal_id]
        params = {"part_id": part_id, "label": label} | ({"sensitivity": sensitivity} if sensitivity else {})
        headers = {"muniment-title": "UTF-8''paper", "content-type": "text/plain"}
        path = f"/engagements/{deal_id}/documents"
        response = self.do(who.ask("POST", path, content=b"a paper", params=params, headers=headers))
        if self._agree(response, 201, expected=self.model.can_add(seat_id, deal_id, part_id, label)):
            by_attorney = seat.role == "attorney"
            self.model.papers[response.json()["document_id"]] = Paper(
                seat.firm,
                deal_id,
                deal.parts[part_id],
                label,
                sensitivity if by_attorney and sensitivity else "confidential",
                "confirmed" if by_attorney else "to_look_at",
                None if by_attorney else seat_id,
                self.model.now,
            )

    @rule(which=_seat, label=st.sampled_from(LABELS), sensitivity=st.sampled_from(ORDER))
    def attorney_confirms(self, which: int, label: str, sensitivity: str) -> None:
        paper_id = self._waiting(which)
        paper, path = self.model.papers[paper_id], f"/documents/{paper_id}"
        body = {"label": label, "sensitivity": sensitivity}
        response = self.do(self.lead.ask("POST", f"{path}/confirmation", json=body, headers=self._match(path)))
        if self._agree(response, 200, expected=paper.state == "to_look_at" and self.model.deals[paper.deal].running):
            paper.state, paper.label, paper.sensitivity = "confirmed", label, sensitivity

    def _waiting(self, which: int) -> str:
        """A paper that waits for an attorney, where there is one."""
        waiting = {i: paper for i, paper in self._papers().items() if paper.state == "to_look_at"}
        return self._of(waiting or self._papers(), which)

    @rule(which=_seat, who=_seat, adder=st.booleans())
    def somebody_takes_back(self, which: int, who: int, *, adder: bool) -> None:
        paper_id = self._waiting(which)
        paper, path = self.model.papers[paper_id], f"/documents/{paper_id}"
        seat_id = paper.added_by if adder and paper.added_by else self._of(self._members(), who)
        seat, match = self.model.seats[seat_id], self._match(path)
        response = self.do(self.houses.people[seat_id].ask("DELETE", path, headers=match))
        own = not seat.is_firm and self.model.is_own(seat_id, paper) and self.model.may(seat_id, paper_id, "view")
        if self._agree(response, 204, expected=own):
            paper.state = "taken_back"

    @rule(
        who=_seat,
        which=_seat,
        more=st.sampled_from(((), ("download",), ("download",), ("revise",))),
        begins=st.sampled_from((None, None, None, 0, 24)),
        hours=_hours,
        fitting=st.booleans(),
    )
    def attorney_shares(
        self, who: int, which: int, more: tuple[str, ...], begins: int | None, hours: int, *, fitting: bool
    ) -> None:
        paper_id, now = self._of(self._papers(), which), self.model.now
        members = self._members()
        if fitting:  # half of the time somebody to whom it could be shared, else histories are mostly refusals
            near = {i: s for i, s in members.items() if s.deal == self.model.papers[paper_id].deal}
            members = {i: s for i, s in near.items() if self.model.below(s, self.model.papers[paper_id])} or near
        seat_id, abilities = self._of(members, who), frozenset(("view", *more))
        start, end = None if begins is None else now + begins * 3600, now + hours * 3600
        body = {"membership_id": seat_id, "abilities": sorted(abilities), "not_after": rfc3339(end), "purpose": "x"}
        if start is not None:
            body["not_before"] = rfc3339(start)
        response = self.do(self.lead.ask("POST", f"/documents/{paper_id}/grants", json=body))
        if self._agree(response, 201, expected=self.model.can_share(seat_id, paper_id, abilities, start, end)):
            first = self.model.term_fits(seat_id, start, end)
            assert first is not None
            self.model.shares[response.json()["id"]] = Share(seat_id, paper_id, abilities, first, end)

    @rule(which=_seat)
    def attorney_revokes(self, which: int) -> None:
        live = {i: s for i, s in self.model.shares.items() if self.model.papers[s.paper].firm == "first"}
        open_ones = {i: s for i, s in live.items() if not s.revoked and self.model.now < s.ends}
        grant_id = self._of(open_ones or live, which)
        share, path = self.model.shares[grant_id], f"/grants/{grant_id}"
        response = self.do(self.lead.ask("DELETE", path, headers=self._match(path)))
        gone = self.model.papers[share.paper].state == "taken_back"
        if self._agree(response, 200, expected=not share.revoked and self.model.now < share.ends and not gone):
            share.revoked = True

    @rule(who=_seat, part=_seat, label=st.sampled_from(LABELS), hours=_hours)
    def attorney_asks(self, who: int, part: int, label: str, hours: int) -> None:
        seat_id = self._of(self._members(), who)
        deal_id, ends = self.model.seats[seat_id].deal, self.model.now + hours * 3600
        assert deal_id is not None
        part_id = self._of(self.model.deals[deal_id].parts, part)
        body = {"membership_id": seat_id, "part_id": part_id, "labels": [label], "instructions": "x"}
        body["not_after"] = rfc3339(ends)
        response = self.do(self.lead.ask("POST", f"/engagements/{deal_id}/asks", json=body))
        if self._agree(response, 201, expected=self.model.can_ask(seat_id, deal_id, part_id, label, ends)):
            [made] = response.json()["items"]
            self.model.asks[made["id"]] = Ask(seat_id, part_id, label, self.model.now, ends)

    @precondition(lambda self: self.model.asks)
    @rule(which=_seat)
    def attorney_ends_an_ask(self, which: int) -> None:
        ask_id = self._of(self.model.asks, which)
        ask, path = self.model.asks[ask_id], f"/asks/{ask_id}"
        response = self.do(self.lead.ask("DELETE", path, headers=self._match(path)))
        if self._agree(response, 200, expected=not ask.ended and self.model.now < ask.ends):
            ask.ended = True

    @rule(where=_seat, at_once=st.booleans())
    def attorney_publishes_an_nda(self, where: int, *, at_once: bool) -> None:
        deal_id = self._of(self._deals(), where)
        deal, path = self.model.deals[deal_id], f"/agreements/{self.houses.agreements[deal_id]}"
        body = {"text": f"Text number {len(deal.texts)}.\n", "at_once": at_once}
        response = self.do(self.lead.ask("POST", f"{path}/versions", json=body, headers=self._match(path)))
        if self._agree(response, 201, expected=deal.running):
            deal.texts.append(self.model.now if at_once else end_of_notice(self.model.now))

    @rule(who=_seat)
    def member_signs(self, who: int) -> None:
        vendors = {i: seat for i, seat in self._members().items() if not seat.is_firm}
        waiting = {i: s for i, s in vendors.items() if not s.has_left and not self.model.has_signed(s)}
        seat_id = self._of(waiting or vendors, who)
        seat, person = self.model.seats[seat_id], self.houses.people[seat_id]
        assert seat.deal is not None
        path, newest = f"/agreements/{self.houses.agreements[seat.deal]}", len(self.model.deals[seat.deal].texts) - 1
        shown = self.do(self.lead.get(path))
        body = {"sha256": shown["sha256"], "typed_name": "Vera Vendor"}
        response = self.do(person.ask("POST", f"{path}/signatures", json=body))
        may_sign = self.model.now < seat.ends and not seat.suspended and not seat.has_left
        unsigned = self.model.signed.get((seat.person, seat.deal), -1) < newest
        if self._agree(response, 201, expected=may_sign and unsigned):
            self.model.signed[seat.person, seat.deal] = newest

    @rule(who=_seat)
    def somebody_is_suspended_or_resumed(self, who: int) -> None:
        seats = {**self._members(), self.houses.colleague: self.model.seats[self.houses.colleague]}
        seat_id = self._of(seats, who)
        seat, path = self.model.seats[seat_id], f"/members/{seat_id}"
        method, runs = ("DELETE" if seat.suspended else "POST"), self.model.now < seat.ends and not seat.has_left
        match = {"if-match": self.do(self.owner.ask("GET", path)).headers["etag"]}
        response = self.do(self.owner.ask(method, f"{path}/suspension", headers=match))
        if self._agree(response, 200, expected=runs):
            seat.suspended = not seat.suspended

    @rule(who=_seat)
    def member_leaves(self, who: int) -> None:
        seat_id = self._of(self._members(), who)
        seat, path = self.model.seats[seat_id], f"/members/{seat_id}"
        response = self.do(self.lead.ask("DELETE", path, headers=self._match(path)))
        if self._agree(response, 200, expected=self.model.now < seat.ends and not seat.has_left):
            seat.has_left, seat.ends = True, self.model.now

    @precondition(lambda self: len(self.model.seats) < 24)
    @rule(who=_seat, begins=st.sampled_from((0, 0, 24)), hours=st.sampled_from((None, 1, 72, 120)))
    def somebody_who_left_comes_back(self, who: int, begins: int, hours: int | None) -> None:
        gone = {i: s for i, s in self._members().items() if s.has_left or s.ends <= self.model.now}
        if not gone:
            return
        old = self.model.seats[self._of(gone, who)]
        assert old.deal is not None
        deal, now = self.model.deals[old.deal], self.model.now
        starts, ends = now + begins * 3600, deal.ends if hours is None else now + hours * 3600
        body = {"person_id": old.person, "role": old.role, "starts_at": rfc3339(starts), "ends_at": rfc3339(ends)}
        response = self.do(self.lead.ask("POST", f"/engagements/{old.deal}/members", json=body))
        again = any(
            (s.person, s.deal, s.role) == (old.person, old.deal, old.role) and now < s.ends
            for s in self.model.seats.values()
        )
        fits = deal.running and starts < ends <= deal.ends and now < deal.ends
        if self._agree(response, 201, expected=fits and not again):
            seat_id = response.json()["id"]
            self.model.seats[seat_id] = Seat(old.firm, old.person, old.role, old.deal, starts, ends)
            self.houses.people[seat_id] = self.do(self.houses.world.sign_in(old.person, seat_id))

    @rule(who=_seat, matter=_seat)
    def wall_goes_up_or_down(self, who: int, matter: int) -> None:
        seats = {**self._members(), self.houses.colleague: self.model.seats[self.houses.colleague]}
        pair = (self.model.seats[self._of(seats, who)].person, self._matter(matter))
        if pair in self.walls:
            path = f"/walls/{self.walls.pop(pair)}"
            self.do(self.houses.world.step_up(self.owner))
            match = {"if-match": self.do(self.owner.ask("GET", path)).headers["etag"]}
            self._agree(self.do(self.owner.ask("DELETE", path, headers=match)), 200, expected=True)
            self.model.walls.remove(pair)
        else:
            body = {"person_id": pair[0], "matter_id": pair[1], "reason": "apart"}
            self.walls[pair] = self.do(self.owner.post("/walls", body))["id"]
            self.model.walls.add(pair)

    def _matter(self, index: int) -> str:
        matters: list[str] = sorted({m for deal in self._deals().values() for m in deal.parts.values()})
        return matters[index % 2]

    @rule(matter=_seat)
    def colleague_joins_or_leaves_a_team(self, matter: int) -> None:
        pair = (self.model.seats[self.houses.colleague].person, self._matter(matter))
        method = "DELETE" if pair in self.model.team else "PUT"
        path = f"/matters/{pair[1]}/team/{pair[0]}"
        self._agree(self.do(self.owner.ask(method, path)), 204, expected=True)
        self.model.team ^= {pair}

    @rule(where=_seat)
    def engagement_closes_or_goes_on(self, where: int) -> None:
        deal_id = self._of(self._deals(), where)
        deal = self.model.deals[deal_id]
        if deal_id in self.disposals:
            path = f"/disposals/{self.disposals.pop(deal_id)}"
            response = self.do(self.lead.ask("DELETE", path, headers=self._match(path)))
            self._agree(response, 204, expected=True)
        else:
            self.disposals[deal_id] = self.do(self.lead.post(f"/engagements/{deal_id}/disposal"))["id"]
        deal.running = deal_id not in self.disposals

    @rule(hours=_hours)
    def time_passes(self, hours: int) -> None:
        self.houses.sleep(hours * 3600)

    @rule(seconds=st.sampled_from((1, 3599)))
    def a_moment_passes(self, seconds: int) -> None:
        self.houses.sleep(seconds)

    # What must hold --------------------------------------------------------------------------------------------------

    @invariant()
    def everybody_is_told_what_the_model_says(self) -> None:
        choose = self.random.choice
        seat_id, paper_id = choose(list(self.model.seats)), choose(list(self.model.papers))
        if self.random.random() < 0.5:  # few of all pairs are open: half of the time one of those is asked
            open_ones = [(s, p) for s in self.model.seats for p in self.model.papers if self.model.may(s, p, "view")]
            seat_id, paper_id = choose(open_ones or [(seat_id, paper_id)])
        self._one_paper(seat_id, paper_id)
        self._whole_list(choose([*self.model.seats, *self._interested()]), choose(SIZES))
        if self.kept:
            self._follow(self.kept[self.random.randrange(len(self.kept))])
        self._own_affairs(choose(list(self._members())))
        narrow = self.do(self.houses.narrow.ask("GET", f"/documents/{paper_id}"))
        left = self.model.seats[self.houses.narrow.membership_id].has_left
        assert narrow.status_code == (401 if left else 403), summary(narrow)

    def _interested(self) -> list[str]:
        """Whose lists are worth a look: something is shared with them, or they added something, whatever shuts it."""
        shared = [share.seat for share in self.model.shares.values() if not share.revoked]
        return 3 * (shared + [paper.added_by for paper in self.model.papers.values() if paper.added_by])

    def _one_paper(self, seat_id: str, paper_id: str) -> None:
        person, seat = self.houses.people[seat_id], self.model.seats[seat_id]
        card = self.do(person.ask("GET", f"/documents/{paper_id}"))
        content = self.do(person.ask("GET", f"/documents/{paper_id}/content"))
        type(self).compared += 2
        if seat.is_firm:
            self._agree(card, 200, expected=self.model.may(seat_id, paper_id, "view"))
            self._agree(content, 200, expected=self.model.may(seat_id, paper_id, "download"))
        else:
            answers = (card.status_code, content.status_code)
            assert answers == self.model.told(seat_id, paper_id), f"{seat_id} {paper_id}: {answers}\n{self.model}"
        if card.status_code == 200:
            type(self).allowed += 1
            shown = [held["until"] for held in card.json()["my_grants"]]
            assert len(shown) == (0 if seat.deal is None else len(self.model.shares_of(seat_id, paper_id)))
        assert content.status_code != 200 or content.content == b"a paper"

    def _whole_list(self, seat_id: str, size: int) -> None:
        """Every page of a list, with nothing missing and nothing too much; some cursors are kept."""
        seat = self.model.seats[seat_id]
        deal_id = seat.deal or self.random.choice(list(self.model.deals))
        expected, shown, cursor = self.model.listed(seat_id, deal_id), list[str](), None
        while True:
            page = self._page(seat_id, deal_id, size, cursor)
            if page is None:
                assert expected == [], f"{seat_id} is refused a list\n{self.model}"
                return
            shown += [item["id"] for item in page["items"]]
            cursor = page["next_cursor"]
            if cursor is None:
                break
            if self.random.random() < 0.5 and len(self.kept) < 5:
                self.kept.append(Kept(seat_id, deal_id, size, cursor, shown[-1]))
        assert shown == expected, f"{seat_id} {seat} in pages of {size}\n{self.model}"

    def _page(self, seat_id: str, deal_id: str, size: int, cursor: str | None) -> Any:
        """One page; None where there is no list for him, which is only so where he may see nothing at all."""
        params: dict[str, Any] = {"limit": size} | ({} if cursor is None else {"cursor": cursor})
        response = self.do(self.houses.people[seat_id].ask("GET", f"/engagements/{deal_id}/documents", params=params))
        type(self).compared += 1
        seat = self.model.seats[seat_id]
        if not seat.is_firm:
            assert response.status_code == self.model.told_of_list(seat), f"{summary(response)} {seat}\n{self.model}"
        assert response.status_code in {200, 401, 403, 404}, summary(response)
        return response.json() if response.status_code == 200 else None

    def _follow(self, kept: Kept) -> None:
        """A cursor kept across whatever happened shows what may be seen now, from where it was."""
        page = self._page(kept.seat, kept.deal, kept.size, kept.cursor)
        rest = [paper_id for paper_id in self.model.listed(kept.seat, kept.deal) if paper_id > kept.last]
        shown = [] if page is None else [item["id"] for item in page["items"]]
        assert shown == rest[: kept.size], f"{kept}\n{self.model}"
        assert page is None or (page["next_cursor"] is not None) == (len(rest) > kept.size)

    def _own_affairs(self, seat_id: str) -> None:
        """His own count of papers that close soon, and what he is asked for."""
        person, seat = self.houses.people[seat_id], self.model.seats[seat_id]
        me = self.do(person.ask("GET", "/me"))
        assert me.status_code == (401 if seat.has_left else 200), summary(me)
        if seat.has_left:
            return
        assert me.json()["ending_soon"] == self.model.ending_soon(seat_id), f"{seat_id}\n{self.model}"
        if not seat.is_firm:
            known, due = self.model.asked(seat_id)
            assert {ask["id"] for ask in me.json()["due"]} == due, f"{seat_id}\n{self.model}"
            asks = self.do(person.ask("GET", f"/engagements/{seat.deal}/asks", params={"limit": 100}))
            shown = {ask["id"] for ask in asks.json()["items"]} if asks.status_code == 200 else set()
            assert shown == known, f"{seat_id}\n{self.model}"


@pytest.fixture(scope="module")
def template() -> Iterator[tuple[Houses, Path, asyncio.Runner]]:
    """The furnished installation, closed, in memory where there is some."""
    folder = Path(tempfile.mkdtemp(prefix="muniment-houses-", dir=MEMORY if MEMORY.is_dir() else None))
    try:
        with asyncio.Runner() as runner:
            houses = runner.run(furnished(folder / "furnished"))
            yield houses, folder / "furnished", runner
    finally:
        shutil.rmtree(folder)


@pytest.mark.parametrize("shard", range(SHARDS))
def test_every_history_of_two_firms_answers_as_the_model_says(
    shard: int,
    template: tuple[Houses, Path, asyncio.Runner],
    request: pytest.FixtureRequest,
    record_property: Any,
) -> None:
    houses, folder, runner = template
    run_seed = request.config.getoption("randomly_seed", 0)

    class Sharded(Machine):
        pass

    Sharded.runner, Sharded.template, Sharded.compared, Sharded.allowed = runner, (houses, folder), 0, 0
    seed(f"{run_seed} {shard}")(Sharded)
    run_state_machine_as_test(
        Sharded,
        settings=settings(
            max_examples=IN_A_SHARD,
            stateful_step_count=STEPS,
            deadline=None,
            database=None,
            suppress_health_check=list(HealthCheck),
            phases=[Phase.generate, Phase.shrink],
        ),
    )
    assert Sharded.allowed * 12 > Sharded.compared, "histories in which hardly anything is open show little"
    record_property("figure", f"houses, shard {shard}: {Sharded.compared} answers of {IN_A_SHARD} histories compared")

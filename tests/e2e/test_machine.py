"""The service over HTTP against the model: random histories, the same answers after each step, in both directions."""

from __future__ import annotations

import asyncio
import tempfile
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any, ClassVar

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from service import doctor
from tests.e2e.model import CARRIES_AWAY, CEILINGS, ORDER, Model, Paper, Seat, Share
from tests.scale import count
from tests.world import DAY_S, NDA, Engagement, Person, World, a_world, rfc3339

LABELS = sorted({label for _, label in CEILINGS})
ROLES = ("paralegal", "intake_specialist", "receptionist")


class Exchange(RuleBasedStateMachine):
    """One engagement with a member of each role, papers, shares, and everything that opens and closes access."""

    runner: ClassVar[asyncio.Runner]
    world: ClassVar[World]
    stack: ClassVar[AsyncExitStack]

    def do(self, coroutine: Any) -> Any:
        return self.runner.run(coroutine)

    @initialize()
    def begin(self) -> None:
        self.engagement: Engagement = self.do(self.world.engagement())
        self.model = Model(self.world.now, self.world.now + 90 * DAY_S)
        self.people: dict[str, Person] = {}
        self.contents: dict[str, bytes] = {}
        self.walls: dict[str, str] = {}
        self.texts = {1: NDA}
        self.disposal: str | None = None
        for role in ROLES:
            seat = self.do(self.engagement.member(role))
            self.people[seat.membership_id] = seat
            self.model.seats[seat.membership_id] = Seat(role, signed=1)
        self.do(self.engagement.ask(self._of("intake_specialist"), ("intake_form",), days=90))

    def _of(self, role: str) -> Person:
        return next(self.people[seat_id] for seat_id, seat in self.model.seats.items() if seat.role == role)

    def _seat(self, data: st.DataObject) -> str:
        return data.draw(st.sampled_from(list(self.model.seats)))

    def _paper(self, data: st.DataObject) -> str:
        return data.draw(st.sampled_from(list(self.model.papers)))

    # What people do --------------------------------------------------------------------------------------------------

    @precondition(lambda self: self.model.running and len(self.model.papers) < 6)
    @rule(label=st.sampled_from(LABELS), sensitivity=st.sampled_from(ORDER))
    def attorney_adds(self, label: str, sensitivity: str) -> None:
        made = self.do(self.engagement.document(label=label, sensitivity=sensitivity))
        self.model.papers[made["document_id"]] = Paper(label, sensitivity)
        self.contents[made["document_id"]] = b"a paper"

    @precondition(lambda self: len(self.model.papers) < 6)
    @rule()
    def intake_adds(self) -> None:
        seat = self._of("intake_specialist")
        allowed = self.model.is_open(self.model.seats[seat.membership_id])
        path = f"/engagements/{self.engagement.id}/documents"
        params = {"part_id": self.engagement.part_id, "label": "intake_form"}
        headers = {"muniment-title": "UTF-8''form", "content-type": "text/plain"}
        response = self.do(seat.ask("POST", path, content=b"form", params=params, headers=headers))
        assert (response.status_code == 201) == allowed, response.text
        if allowed:
            paper = Paper("intake_form", "confidential", seat.membership_id, self.model.now, "to_look_at")
            self.model.papers[response.json()["document_id"]] = paper
            self.contents[response.json()["document_id"]] = b"form"

    @precondition(lambda self: self.model.papers)
    @rule(data=st.data(), content=st.binary(max_size=9))
    def somebody_replaces(self, data: st.DataObject, content: bytes) -> None:
        paper_id, attorney = self._paper(data), self.engagement.attorney
        seat_id = data.draw(st.sampled_from([None, *self.model.seats]))
        paper = self.model.papers[paper_id]
        tag = self.do(attorney.ask("GET", f"/documents/{paper_id}")).headers["etag"]
        who = attorney if seat_id is None else self.people[seat_id]
        path = f"/documents/{paper_id}/content"
        response = self.do(who.ask("PUT", path, content=content, headers={"if-match": tag}))
        confirmed = paper.state == "confirmed" and self.model.running
        allowed = (
            confirmed if seat_id is None else self.model.may(seat_id, paper_id, "replace")
        )  # no share carries that
        assert (response.status_code == 200) == allowed, (response.text, self.model)
        self.contents[paper_id] = content if allowed else self.contents[paper_id]
        assert self.do(attorney.get(path)) == self.contents[paper_id]

    @precondition(lambda self: self.model.papers)
    @rule(data=st.data(), sensitivity=st.sampled_from(ORDER))
    def attorney_confirms(self, data: st.DataObject, sensitivity: str) -> None:
        paper_id = self._paper(data)
        paper = self.model.papers[paper_id]
        if paper.state != "to_look_at" or not self.model.running:
            return
        path = f"/documents/{paper_id}"
        body = {"label": paper.label, "sensitivity": sensitivity}
        self.do(self.engagement.attorney.change("POST", f"{path}/confirmation", body, match=path))
        paper.state, paper.sensitivity = "confirmed", sensitivity

    @precondition(lambda self: self.model.papers and self.model.running)
    @rule(data=st.data(), download=st.booleans(), days=st.integers(1, 5))
    def attorney_shares(self, data: st.DataObject, download: bool, days: int) -> None:
        seat_id, paper_id = self._seat(data), self._paper(data)
        paper, seat, model = self.model.papers[paper_id], self.model.seats[seat_id], self.model
        abilities = frozenset({"view", "download"} if download else {"view"})
        until = model.now + days * DAY_S
        body = {
            "membership_id": seat_id,
            "abilities": sorted(abilities),
            "not_after": rfc3339(until),
            "purpose": "work",
        }
        response = self.do(self.engagement.attorney.ask("POST", f"/documents/{paper_id}/grants", json=body))
        if response.status_code == 201:
            assert all(model.shareable(seat.role, paper, each) for each in abilities), (seat, paper, abilities)
            assert paper.state == "confirmed"
            model.shares[response.json()["id"]] = Share(seat_id, paper_id, abilities, until)
        elif (
            paper.state == "confirmed"
            and not (seat.suspended or seat.walled)
            and not all(model.shareable(seat.role, paper, each) for each in abilities)
        ):
            assert response.json()["code"] == "above_ceiling", response.text

    @precondition(lambda self: self.model.shares)
    @rule(data=st.data())
    def attorney_revokes(self, data: st.DataObject) -> None:
        grant_id = data.draw(st.sampled_from(list(self.model.shares)))
        share = self.model.shares[grant_id]
        if not share.revoked and self.model.now < share.until and self.model.running:
            self.do(self.engagement.attorney.change("DELETE", f"/grants/{grant_id}"))
            share.revoked = True

    @precondition(lambda self: self.model.running and self.model.nda < 4)
    @rule()
    def attorney_publishes_an_nda(self) -> None:
        agreement = self.do(self.engagement.agreement())
        self.model.nda += 1
        text = f"Text number {self.model.nda}.\n"
        body = {"text": text, "at_once": True}
        path = f"/agreements/{agreement['id']}"
        self.do(self.engagement.attorney.change("POST", f"{path}/versions", body, status=201, match=path))

    @rule(data=st.data())
    def member_signs(self, data: st.DataObject) -> None:
        seat_id = self._seat(data)
        seat = self.model.seats[seat_id]
        if seat.signed < self.model.nda and not seat.suspended and self.model.running:
            self.do(self.engagement.sign(self.people[seat_id]))
            seat.signed = self.model.nda

    @rule(data=st.data())
    def attorney_suspends_or_resumes(self, data: st.DataObject) -> None:
        seat_id = self._seat(data)
        seat = self.model.seats[seat_id]
        if not self.model.running:
            return
        path = f"/members/{seat_id}"
        method = "DELETE" if seat.suspended else "POST"
        self.do(self.engagement.attorney.change(method, f"{path}/suspension", match=path))
        seat.suspended = not seat.suspended

    @rule(data=st.data())
    def wall_goes_up_or_down(self, data: st.DataObject) -> None:
        seat_id = self._seat(data)
        seat, owner = self.model.seats[seat_id], self.world.owner
        if seat_id in self.walls:
            self.do(self.world.step_up(owner))
            self.do(owner.change("DELETE", f"/walls/{self.walls.pop(seat_id)}"))
        else:
            person_id = self.people[seat_id].person_id
            body = {"person_id": person_id, "matter_id": self.engagement.matter_id, "reason": "apart"}
            self.walls[seat_id] = self.do(owner.post("/walls", body))["id"]
        seat.walled = not seat.walled

    @rule(hours=st.sampled_from((1, 24, 71, 100)))
    def time_passes(self, hours: int) -> None:
        self.world.sleep(hours * 3600)
        self.model.now += hours * 3600

    @precondition(lambda self: self.model.now < self.model.ends_at)
    @rule()
    def engagement_closes_or_goes_on(self) -> None:
        attorney = self.engagement.attorney
        if self.disposal is None:
            self.disposal = self.do(attorney.post(f"/engagements/{self.engagement.id}/disposal"))["id"]
        else:
            self.do(attorney.change("DELETE", f"/disposals/{self.disposal}", status=204))
            self.disposal = None
        self.model.running = self.disposal is None

    # What must hold --------------------------------------------------------------------------------------------------

    @precondition(lambda self: self.model.papers)
    @rule(data=st.data())
    def one_paper_answers_as_the_model_says(self, data: st.DataObject) -> None:
        seat_id, paper_id = self._seat(data), self._paper(data)
        seat = self.people[seat_id]
        card = self.do(seat.ask("GET", f"/documents/{paper_id}"))
        content = self.do(seat.ask("GET", f"/documents/{paper_id}/content"))
        view, download = (self.model.may(seat_id, paper_id, each) for each in ("view", "download"))
        assert (card.status_code == 200) == view, (card.status_code, self.model)
        assert (content.status_code == 200) == download, (content.status_code, self.model)
        assert not download or content.content == self.contents[paper_id]
        assert card.status_code in {200, 403, 404}
        assert view or card.status_code in {403, 404}

    @invariant()
    def lists_are_what_the_model_says(self) -> None:
        for seat_id in getattr(self, "people", {}):
            path = f"/engagements/{self.engagement.id}/documents"
            response = self.do(self.people[seat_id].ask("GET", path))
            shown = {item["id"] for item in response.json()["items"]} if response.status_code == 200 else set()
            assert shown == self.model.listed(seat_id), (response.status_code, self.model)


assert set(ROLES) > CARRIES_AWAY


def test_every_history_answers_as_the_model_says() -> None:
    from hypothesis.stateful import run_state_machine_as_test  # noqa: PLC0415  # only here

    async def open_world(home: Path) -> None:
        Exchange.stack = AsyncExitStack()
        Exchange.world = await Exchange.stack.enter_async_context(a_world(home, f"sqlite:///{home / 'm.db'}"))

    with tempfile.TemporaryDirectory() as folder, asyncio.Runner() as Exchange.runner:
        home = Path(folder)
        Exchange.runner.run(open_world(home))
        try:
            run_state_machine_as_test(
                Exchange,
                settings=settings(
                    max_examples=count(400),
                    stateful_step_count=25,
                    deadline=None,
                    suppress_health_check=list(HealthCheck),
                ),
            )
            # After all those histories every row is what replaying the log says.
            found = Exchange.runner.run(doctor.examine(Exchange.world.services))
            assert [each for each in found if each.severity is doctor.Severity.BROKEN] == []
        finally:
            Exchange.runner.run(Exchange.stack.aclose())

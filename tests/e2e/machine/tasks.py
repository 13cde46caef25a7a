"""Tasks: given, submitted, returned, accepted, cancelled."""

from __future__ import annotations

from typing import Any

from hypothesis import strategies as st
from hypothesis.stateful import precondition, rule

from tests.e2e.machine.floor import hours, some
from tests.e2e.machine.papers import Papers
from tests.e2e.reference.things import ADDS, LABELS, ORDER, PRESETS, Seat, Task
from tests.world import rfc3339

_NEVER_WAS = "rev_" + "0" * 32


class Tasks(Papers):
    """What is done about tasks."""

    @rule(
        who=some,
        part=some,
        which=some,
        papers=st.integers(0, 2),
        preset=st.sampled_from(tuple(PRESETS)),
        label=st.sampled_from(LABELS),
        due=hours,
        ends=st.sampled_from((None, None, 72, 240)),
    )
    def attorney_gives_a_task(
        self, who: int, part: int, which: int, papers: int, preset: str, label: str, due: int, ends: int | None
    ) -> None:
        labels = () if preset == "read" else (label,)

        def fits(seat_id: str, seat: Seat) -> bool:
            deal_id, part_id = self._place(seat_id, part)
            able = (seat.is_firm or self._is_able(seat_id, part_id)) and self.model.now < seat.ends
            there = preset == "make" or bool(self._near(seat_id, deal_id, part_id, preset))
            return able and there and (not labels or label in ADDS[seat.role])

        seat_id = self._fit(self._members(), who, fits)
        deal_id, part_id = self._place(seat_id, part)
        handed = self._handed(seat_id, deal_id, part_id, preset, which, papers)
        now, closes = self.model.now, self.model.term(seat_id)[1]
        not_after = closes if ends is None else now + ends * 3600
        task = Task(seat_id, deal_id, part_id, preset, labels, handed, now, now + due * 3600, not_after)
        body: dict[str, Any] = {
            "membership_id": seat_id,
            "part_id": part_id,
            "preset": preset,
            "instructions": "x",
            "documents": list(handed),
            "labels": list(labels),
            "due_at": rfc3339(task.due),
        }
        body |= {} if ends is None else {"not_after": rfc3339(not_after)}
        response = self._lead("POST", f"/engagements/{deal_id}/tasks", body)
        if self._agree(f"attorney gives a task to {preset}", response, 201, expected=self.model.can_give_task(task)):
            self.model.give_task(response.json()["id"], task)
            self._file_shares(*handed)
            self._file_asks(deal_id)

    def _handed(self, seat_id: str, deal_id: str, part_id: str, preset: str, which: int, count: int) -> tuple[str, ...]:
        """Papers of this part that could be handed to him, mostly."""
        near, count = self._near(seat_id, deal_id, part_id, preset), max(count, preset != "make")
        if which % 4 and not near and preset == "make":
            return ()
        papers = (near if which % 4 else None) or list(self._here())
        return tuple(dict.fromkeys(papers[(which // 4 + n) % len(papers)] for n in range(count)))

    def _near(self, seat_id: str, deal_id: str, part_id: str, preset: str) -> list[str]:
        place, role = (deal_id, self.model.deals[deal_id].parts[part_id]), self.model.seats[seat_id].role
        near = [i for i, paper in self._here().items() if (paper.deal, paper.matter) == place]
        near = [i for i in near if self.model.is_shareable(role, i, PRESETS[preset])]
        return [i for i in near if preset != "work" or not self.model.is_checked_out(i)]

    @rule(which=some)
    def member_works_on_his_task(self, which: int) -> None:
        """He adds what is asked for, where anything is, and submits it; where nobody has a task, somebody gets one."""
        for n in range(3):  # to one who can do it
            if any(task.waits_for_member and self._can_work(task) for task in self.model.tasks.values()):
                break
            preset, label = tuple(PRESETS)[(which + n) % 3], LABELS[(which + n) % len(LABELS)]
            self.attorney_gives_a_task(4 * (which + n) + 1, which + n, 4 * which + 1, 1, preset, label, 24, None)
        if not self.model.tasks:
            return
        task_id = self._fit(self.model.tasks, which, lambda _, task: task.waits_for_member and self._can_work(task))
        task, person = self.model.tasks[task_id], self.houses.people[self.model.tasks[task_id].seat]
        if task.labels and len(self.model.papers) < 14:
            self._add("who has a task adds", person, task.deal, task.part, task.labels[0])
        fitting = [i for i in self.model.papers if self.model.fits_task(task, task_id, i)]
        mine = [i for i, paper in self.model.papers.items() if paper.added_by == task.seat]
        self._submit(task_id, fitting[:2] if which % 5 else mine[:2])

    def _can_work(self, task: Task) -> bool:
        """A member of the vendor who may submit it, and may add what it asks for."""
        firm = self.model.seats[task.seat].is_firm
        able = not firm and self.model.deals[task.deal].running and self._is_able(task.seat, task.part)
        return able and all(self.model.can_add(task.seat, task.deal, task.part, label) for label in task.labels)

    def _is_able(self, seat_id: str, part_id: str) -> bool:
        deal_id = self._deal_of(seat_id)
        return self.model.works(seat_id) and self.model.is_open_for(seat_id, self.model.deals[deal_id].parts[part_id])

    def _submit(self, task_id: str, named: list[str]) -> None:
        task, path = self.model.tasks[task_id], f"/tasks/{task_id}"
        sent = [{"document_id": i, "from_document_id": task.papers[0] if task.papers else None} for i in named]
        response = self._ask(
            self.houses.people[task.seat],
            "POST",
            f"{path}/submission",
            json={"documents": sent},
            headers=self._match(path),
        )
        expected = self.model.can_submit(task, task_id, named)
        if self._agree("member submits", response, 200, expected=expected):
            task.state, task.named = "submitted", {i: self.model.papers[i].revision for i in named}
            task.ever |= set(named)

    def _submitted(self, which: int) -> None:
        """Mostly let somebody submit something, where nobody has."""
        if which % 4 and not any(task.state == "submitted" for task in self.model.tasks.values()):
            self.member_works_on_his_task(which // 4 * 4 + 1)

    @precondition(lambda self: self.model.tasks)
    @rule(which=some)
    def attorney_returns_a_task(self, which: int) -> None:
        self._submitted(which)
        task_id = self._fit(self.model.tasks, which, lambda _, task: task.state == "submitted")
        task, path = self.model.tasks[task_id], f"/tasks/{task_id}"
        response = self._lead("POST", f"{path}/return", {"note": "x"}, match=path)
        expected = task.state == "submitted" and self.model.deals[task.deal].running
        if self._agree("attorney returns a task", response, 200, expected=expected):
            task.state = "returned"

    @rule(which=some, sensitivity=st.sampled_from((None, None, *ORDER)))
    def attorney_accepts_a_task(self, which: int, sensitivity: str | None) -> None:
        self._submitted(which)
        if not self.model.tasks:
            return
        task_id = self._fit(self.model.tasks, which, lambda _, task: self.model.can_accept(task, sensitivity))
        task, path = self.model.tasks[task_id], f"/tasks/{task_id}"
        shown = {each["document_id"]: each["revision_id"] for each in self.do(self.lead.get(path))["documents"]}
        accepted = [
            {"document_id": i, "revision_id": shown.get(i, _NEVER_WAS), "sensitivity": sensitivity} for i in task.named
        ]
        response = self._lead("POST", f"{path}/acceptance", {"documents": accepted}, match=path)
        expected = self.model.can_accept(task, sensitivity)
        if self._agree("attorney accepts a task", response, 200, expected=expected):
            for i in task.named:
                if (paper := self.model.papers[i]).state == "to_look_at":
                    self.model.confirm(i, paper.label, sensitivity or "confidential")
            self.model.end_task(task_id, "accepted")
            self._file_shares(*task.named)
            self._concern_made_with(task_id)

    @precondition(lambda self: self.model.tasks)
    @rule(which=some)
    def attorney_cancels_a_task(self, which: int) -> None:
        task_id = self._fit(self.model.tasks, which, lambda _, task: task.is_live and task.state != "submitted")
        task, path = self.model.tasks[task_id], f"/tasks/{task_id}"
        response = self._lead("POST", f"{path}/cancellation", match=path)
        if self._agree("attorney cancels a task", response, 200, expected=task.is_live):
            self.model.end_task(task_id, "cancelled")
            self._concern_made_with(task_id)

"""What must hold after each step: every surface shows somebody exactly what the model says.

Looked at are, at random, anybody and anything; and at once whoever has more or less than before the step, by the model,
or was named by an act that takes or gives (`concern` in floor.py): what an act ends is asked for where it ended.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from hypothesis.stateful import invariant

from tests.e2e.houses import summary
from tests.e2e.machine.floor import INSIDE, OUTSIDE, Floor, seconds
from tests.e2e.reference.things import DAY_S, DEEPER

SIZES = (1, 5, 16, 100)
_TEXTS_READ = 0.1  # of those that may be: each takes a process of its own
Open = dict[tuple[str, str], tuple[int, ...]]
"""Who and what -> whether it may be listed, seen and so on, and how many grants are in force."""


@dataclass
class Kept:
    """A cursor that somebody kept."""

    seat: str
    deal: str
    size: int
    cursor: str
    last: str


class Looking(Floor):
    """Who looks, and at what."""

    def __init__(self) -> None:
        super().__init__()
        self.kept: list[Kept] = []
        self.before = self._all_open()

    @invariant()
    def everybody_is_told_what_the_model_says(self) -> None:
        choose = self.random.choice
        self.model.address = INSIDE
        self._look_where_it_changed()
        self.model.address = OUTSIDE if self.random.random() < 0.15 else INSIDE
        seat_id, paper_id = choose(list(self.model.seats)), choose(list(self.model.papers))
        if self.random.random() < 0.6:  # few of all pairs are open: most of the time one of those is asked, if there is
            seat_id, paper_id = self._something_open() or (seat_id, paper_id)
        self._one_paper(seat_id, paper_id)
        for deal_id in (i for i, deal in self._deals().items() if deal.brake and self.random.random() < 0.2):
            self._all_that_he_has(deal_id)
        self._whole_list(choose([*self.model.seats, *self._interested()]), choose(SIZES))
        if self.kept:
            self._follow(self.kept[self.random.randrange(len(self.kept))])
        self._own_affairs(choose([*self._members(), *self._interested()]))
        narrow = self._ask(self.houses.narrow, "GET", f"/documents/{paper_id}")
        left = self.model.seats[self.houses.narrow.membership_id].has_left
        assert narrow.status_code == (401 if left else 403), summary(narrow)

    def _all_open(self) -> Open:
        """What is open of whatever was shared with somebody or added by him, or lies where the firm's people work."""
        pairs = {(share.seat, share.paper) for share in self.model.shares.values()}
        pairs |= {(paper.added_by, i) for i, paper in self.model.papers.items() if paper.added_by}
        pairs |= {(i, paper_id) for i, seat in self.model.seats.items() if seat.is_firm for paper_id in self._here()}
        return {
            pair: (*(self.model.may(*pair, act) for act in DEEPER), len(self.model.shares_of(*pair)))
            for pair in sorted(pairs)
        }

    def _look_where_it_changed(self, most: int = 2) -> None:
        """Ask for papers that opened or shut since the last look, or that an act named, and for a list of them."""
        now, nothing = self._all_open(), (False,) * len(DEEPER)
        changed = [pair for pair in now if now[pair] != self.before.get(pair, (*nothing, 0))]
        changed = [pair for pair in changed if not self.model.seats[pair[0]].is_firm] or changed
        named = [pair for pair in self.named if pair not in changed]
        looked = [*self._some(changed, most), *self._some(named, most)]
        for pair in looked:
            self._one_paper(*pair)
        for seat_id, paper_id in looked[:1]:
            if self.random.random() < 0.5:
                self._whole_list(seat_id, self.random.choice(SIZES[1:]))
            elif self.model.seats[seat_id].deal is not None:
                self._own_affairs(seat_id)
            self._who_has_it(paper_id)
        self.named.clear()
        self.before = self._all_open() if looked else now  # who looks may be braked

    def _some(self, pairs: list[tuple[str, str]], most: int) -> list[tuple[str, str]]:
        return self.random.sample(pairs, min(most, len(pairs)))

    def _who_has_it(self, paper_id: str) -> None:
        """An attorney of the matter is told which grants of a paper are live, and no others."""
        if self.model.papers[paper_id].firm != "first":
            return
        response = self._ask(self.lead, "GET", f"/documents/{paper_id}/grants", params={"limit": 100})
        type(self).compared += 1
        assert (response.status_code == 200) == self.model.is_there(paper_id), summary(response)
        if response.status_code == 200:
            now = self.model.now
            rows = [each for each in response.json()["items"] if each["revoked_at"] is None]
            shown = {each["id"] for each in rows if now < seconds(each["not_after"])}
            live = {i for i, share in self.model.shares.items() if share.paper == paper_id and not share.revoked}
            expected = {i for i in live if now < self.model.shares[i].ends}
            assert shown == expected, f"grants of {paper_id}: {shown} are not {expected}\n{self.model}"

    def _all_that_he_has(self, deal_id: str) -> None:
        """Where there is a brake: the member who has most opens one paper after the other."""

        def his(seat_id: str) -> list[str]:
            return [i for i in self._here() if self.model.may(seat_id, i, "download")]

        seat_id = max((i for i, s in self._vendors().items() if s.deal == deal_id), key=lambda i: len(his(i)))
        for paper_id in his(seat_id):
            self._one_paper(seat_id, paper_id)

    def _something_open(self) -> tuple[str, str] | None:
        pairs = [(share.seat, share.paper) for share in self.model.shares.values()]
        pairs += [(paper.added_by or self.lead.membership_id, i) for i, paper in self.model.papers.items()]
        self.random.shuffle(pairs)
        if self.random.random() < 0.4:  # who opens one after the other comes near to the brake
            pairs.sort(key=lambda pair: not self.model.seats[pair[0]].opened)
        return next((pair for pair in pairs[:12] if self.model.may(*pair, "list")), None)

    def _interested(self) -> list[str]:
        """Whose lists are worth a look: something is shared with them, or they added something, whatever shuts it."""
        shared = [share.seat for share in self.model.shares.values() if not share.revoked]
        return 2 * (shared + [paper.added_by for paper in self.model.papers.values() if paper.added_by])

    def _one_paper(self, seat_id: str, paper_id: str) -> None:
        person, seat, paper = self.houses.people[seat_id], self.model.seats[seat_id], self.model.papers[paper_id]
        card = self._ask(person, "GET", f"/documents/{paper_id}")
        expected = self._told(seat_id, paper_id)
        if card.status_code == 200:
            type(self).allowed += 1
            shown = [held["until"] for held in card.json()["my_grants"]]
            assert len(shown) == (0 if seat.deal is None else len(self.model.shares_of(seat_id, paper_id)))
        waited, is_over = 0.0, False
        if expected[2] == 200 and not seat.is_firm:
            waited, is_over = self.model.pressed(seat_id, paper_id)
            self.acts["a member waits"] += waited > 0
            self.acts["a member is braked"] += is_over
        self.houses.waits.clear()
        content = self._ask(person, "GET", f"/documents/{paper_id}/content")
        type(self).compared += 2
        answers = (card.status_code, content.status_code)
        wanted = (expected[0], 404 if is_over else expected[2])
        if seat.is_firm:  # why not is somebody else's test
            answers, wanted = _allowed(answers), _allowed(wanted)
        assert answers == wanted, f"{seat_id} {paper_id}: {answers} is not {wanted}\n{self.model}"
        assert content.status_code != 200 or content.content == paper.content
        assert self.houses.waits == ([] if waited == 0 else [waited])
        if self.random.random() < (_TEXTS_READ if self.model.may(seat_id, paper_id, "text") else 0.5):
            self._text(seat_id, paper_id)

    def _text(self, seat_id: str, paper_id: str) -> None:
        """Ask for its text: the same word, for an ability of its own."""
        expected, is_over = self._told(seat_id, paper_id)[1], False
        if expected == 200 and not self.model.seats[seat_id].is_firm:
            _, is_over = self.model.pressed(seat_id, paper_id)
        response = self._ask(self.houses.people[seat_id], "GET", f"/documents/{paper_id}/text")
        type(self).compared += 1
        self.acts["a text is read"] += response.status_code == 200
        answer, wanted = response.status_code, 404 if is_over else expected
        if self.model.seats[seat_id].is_firm:
            answer, wanted = answer == 200, wanted == 200
        assert answer == wanted, f"{summary(response)} {seat_id}, expected {wanted}\n{self.model}"
        assert response.status_code != 200 or response.content == self.model.papers[paper_id].content

    def _told(self, seat_id: str, paper_id: str) -> tuple[int, int, int]:
        if not self.model.seats[seat_id].is_firm:
            return self.model.told(seat_id, paper_id)
        view, text, download = (200 if self.model.may(seat_id, paper_id, each) else 404 for each in DEEPER[1:])
        return view, text, download

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
        assert shown == expected, f"{seat_id} {seat} in pages of {size}: {shown} is not {expected}\n{self.model}"

    def _page(self, seat_id: str, deal_id: str, size: int, cursor: str | None) -> Any:
        """One page; None where there is no list for him, which is only so where he may see nothing at all."""
        params: dict[str, Any] = {"limit": size} | ({} if cursor is None else {"cursor": cursor})
        path = f"/engagements/{deal_id}/documents"
        response = self._ask(self.houses.people[seat_id], "GET", path, params=params)
        type(self).compared += 1
        if not self.model.seats[seat_id].is_firm:
            told = self.model.told_of_list(seat_id)
            assert response.status_code == told, f"{summary(response)} {seat_id}, expected {told}\n{self.model}"
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
        """His own counts, and one of his lists: what he is asked for, his tasks, what he may ask for."""
        seat = self.model.seats[seat_id]
        response = self._ask(self.houses.people[seat_id], "GET", "/me")
        type(self).compared += 1
        assert response.status_code == (401 if seat.has_left else 200), summary(response)
        if seat.has_left:
            return
        me, now = response.json(), self.model.now
        assert me["ending_soon"] == self.model.ending_soon(seat_id), f"{seat_id}\n{self.model}"
        if seat.is_firm:
            return
        (known, due), given = self.model.asked(seat_id), self.model.given(seat_id)
        turn = [self.model.tasks[i] for i in given if self.model.tasks[i].waits_for_member]
        soon = [task for task in turn if task.due <= now + 7 * DAY_S]
        assert {ask["id"] for ask in me["due"]} == due, f"{seat_id}\n{self.model}"
        assert (me["tasks_open"], me["tasks_due"]) == (len(turn), len(soon)), f"{seat_id}\n{self.model}"
        noun = self.random.choice(("asks", "tasks", "withheld"))
        expected = {"asks": known, "tasks": given, "withheld": set(self.model.withheld(seat_id))}[noun]
        path = f"/engagements/{seat.deal}/{noun}"
        listed = self._ask(self.houses.people[seat_id], "GET", path, params={"limit": 100})
        type(self).compared += 1
        shown = {each["id"] for each in listed.json()["items"]} if listed.status_code == 200 else set()
        assert shown == expected, f"{noun} of {seat_id}: {shown} is not {expected}\n{self.model}"


def _allowed(answers: tuple[int, int]) -> tuple[int, int]:
    return answers[0] == 200, answers[1] == 200

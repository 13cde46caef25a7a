"""What the rules of the machine stand on: who is there, asking, comparing, and reading ids of what was made."""

from __future__ import annotations

import asyncio
import random
import tempfile
from collections import Counter
from collections.abc import Callable, Mapping
from contextlib import AsyncExitStack
from datetime import datetime
from pathlib import Path
from typing import Any, ClassVar, TypeVar

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize
from sqlalchemy import BigInteger, bindparam, select

from service import doctor
from service.db.models import grants
from service.db.session import EVERY_LOG
from tests.e2e.houses import Houses, opened, summary
from tests.e2e.reference import Model
from tests.e2e.reference.things import Deal, Paper, Seat, Share
from tests.world import Person, findings, rfc3339

T = TypeVar("T")
INSIDE, OUTSIDE = "10.1.2.3", "192.0.2.9"
some = st.integers(0, 10**6)
"""An index into what there is: histories shrink well that way."""
hours = st.sampled_from((1, 2, 24, 24, 71, 72, 120))


class Floor(RuleBasedStateMachine):
    """An open copy of the installation, and the model of it."""

    loop: ClassVar[asyncio.AbstractEventLoop]
    template: ClassVar[tuple[Houses, Path]]
    compared: ClassVar[int] = 0
    allowed: ClassVar[int] = 0
    acts: ClassVar[Counter[str]] = Counter()
    """How often each kind of act was done, and how often it was refused (named with a minus before it)."""

    def do(self, coroutine: Any) -> Any:
        # Not Runner.run: setting up its handler of interrupts costs as much as some requests do.
        return self.loop.run_until_complete(coroutine)

    def __init__(self) -> None:
        super().__init__()
        houses, folder = self.template
        self.stack = AsyncExitStack()
        home = Path(tempfile.mkdtemp(dir=folder.parent)) / "home"
        self.houses: Houses = self.do(self.stack.enter_async_context(opened(houses, folder, home)))
        self.model: Model = self.houses.model
        self.lead, self.owner = self.houses.lead, self.houses.world.owner
        self.walls: dict[tuple[str, str], str] = {}
        self.disposals: dict[str, str] = {}
        self.random = random.Random(0)
        self.named: dict[tuple[str, str], None] = {}
        self.model.address = INSIDE

    @initialize(eyes=st.integers(0, 2**32))
    def somebody_looks(self, eyes: int) -> None:
        self.random = random.Random(eyes)

    def teardown(self) -> None:
        found, live = self.do(findings(self.houses.world.services)), self._live_rows()
        self.do(self.stack.aclose())
        assert [each for each in found if each.severity is doctor.Severity.BROKEN] == []  # rows are what the log says
        shares, now = self.model.shares.items(), self.model.now
        # Also of papers that are gone, where nobody would notice: what could come to life again must be over.
        assert live == {i for i, share in shares if not share.revoked and now < share.ends}, self.model

    def _live_rows(self) -> set[str]:
        """The grants that are in force, or to come."""
        now = bindparam("now", type_=BigInteger)
        query = select(grants.c.id).where(grants.c.not_after > now, grants.c.revoked_at > now)
        with self.houses.world.services.database.read(EVERY_LOG) as tx:
            return {row.id for row in tx.all(query, now=self.model.now)}

    # Who, what, where ------------------------------------------------------------------------------------------------

    def _of(self, things: Mapping[str, Any], index: int) -> str:
        return list(things)[index % len(things)]

    def _fit(self, things: Mapping[str, T], index: int, fits: Callable[[str, T], bool]) -> str:
        """One that fits, where there is any, three times of four: else histories are mostly refusals."""
        fitting = {i: each for i, each in things.items() if fits(i, each)} if index % 4 else {}
        return self._of(fitting or things, index // 4)

    def _deals(self) -> dict[str, Deal]:
        """The first firm's engagements: those that its attorney leads."""
        return {deal_id: deal for deal_id, deal in self.model.deals.items() if self.model.firm_of(deal_id) == "first"}

    def _members(self) -> dict[str, Seat]:
        """The first firm's members of engagements, those who left too."""
        return {i: seat for i, seat in self.model.seats.items() if seat.firm == "first" and seat.deal is not None}

    def _vendors(self) -> dict[str, Seat]:
        return {i: seat for i, seat in self._members().items() if not seat.is_firm}

    def _here(self) -> dict[str, Paper]:
        """The first firm's papers."""
        return {i: paper for i, paper in self.model.papers.items() if paper.firm == "first"}

    def _deal_of(self, seat_id: str) -> str:
        deal_id = self.model.seats[seat_id].deal
        assert deal_id is not None
        return deal_id

    def _place(self, seat_id: str, part: int) -> tuple[str, str]:
        """A member's engagement, and a part of it."""
        deal_id = self._deal_of(seat_id)
        return deal_id, self._of(self.model.deals[deal_id].parts, part)

    def _matter(self, index: int) -> str:
        matters: list[str] = sorted({m for deal in self._deals().values() for m in deal.parts.values()})
        return matters[index % 2]

    # Asking ----------------------------------------------------------------------------------------------------------

    def _ask(self, who: Person, method: str, path: str, **how: Any) -> Any:
        """Ask from where everybody is now."""
        return self.do(who.ask(method, path, address=self.model.address, **how))

    def _lead(self, method: str, path: str, body: Any = None, match: str | None = None) -> Any:
        """What the attorney who leads does; `match`: where to read the ETag."""
        return self._ask(self.lead, method, path, json=body, headers=self._match(match) if match else {})

    def _match(self, path: str) -> dict[str, str]:
        return {"if-match": self.do(self.lead.ask("GET", path)).headers.get("etag", '"none"')}

    def _agree(self, act: str, response: Any, status: int, *, expected: bool) -> bool:
        """The service did it exactly if the model says so."""
        assert (response.status_code == status) == expected, f"{summary(response)}, expected {expected}\n{self.model}"
        assert response.status_code < 500, summary(response)
        self.acts[act if expected else f"-{act}"] += 1
        return expected

    def _concern(self, *grant_ids: str) -> None:
        """Let somebody look, after this step, at what these grants open or opened."""
        for share in (self.model.shares[i] for i in grant_ids):
            self.named[share.seat, share.paper] = None

    def _concern_made_with(self, what: str) -> None:
        """The same of what was made with a task, a standing or standby share."""
        self._concern(*(i for i, share in self.model.shares.items() if share.made_with == what))

    def _concern_papers(self, *paper_ids: str) -> None:
        """Let everybody look, after this step, who was ever given these papers."""
        self._concern(*(i for i, share in self.model.shares.items() if share.paper in paper_ids))

    def _share(self, seat_id: str, paper_id: str, abilities: frozenset[str], start: int | None, end: int) -> None:
        body = {"membership_id": seat_id, "abilities": sorted(abilities), "not_after": rfc3339(end), "purpose": "x"}
        if start is not None:
            body["not_before"] = rfc3339(start)
        response = self._lead("POST", f"/documents/{paper_id}/grants", body)
        expected = self.model.can_share(seat_id, paper_id, abilities, start, end)
        if self._agree("attorney shares", response, 201, expected=expected):
            first = self.model.term_fits(seat_id, start, end)
            assert first is not None
            self.model.shares[response.json()["id"]] = Share(seat_id, paper_id, abilities, first, end)

    def _share_something(self, seat_id: str, hours: int) -> None:
        """Let a member have something for so long, so that what shuts and opens it again is seen."""
        ends, abilities = self.model.now + hours * 3600, frozenset({"view", "download"})
        for paper_id in self._here():
            if self.model.can_share(seat_id, paper_id, abilities, None, ends):
                return self._share(seat_id, paper_id, abilities, None, ends)
        return None

    # What was made along with something ------------------------------------------------------------------------------

    def _file_shares(self, *paper_ids: str) -> None:
        """Read the grants on these papers: those that the model expects are new, and no others."""
        for paper_id in dict.fromkeys(paper_ids):
            rows = self.do(self.lead.get(f"/documents/{paper_id}/grants", params={"limit": 100}))["items"]
            new = {
                (
                    row["membership_id"],
                    frozenset(row["abilities"]),
                    seconds(row["not_before"]),
                    seconds(row["not_after"]),
                    row["task_id"] or row["standing_id"] or row["standby_id"],
                    row["bulk_id"],
                ): row["id"]
                for row in rows
                if row["id"] not in self.model.shares
            }
            made = {
                (share.seat, share.abilities, share.begins, share.ends, share.made_with, share.bulk): share
                for share in self.model.made
                if share.paper == paper_id
            }
            assert new.keys() == made.keys(), f"{new}\nand expected were {made}\n{self.model}"
            self.model.shares |= {new[each]: share for each, share in made.items()}
        left = [share for share in self.model.made if share.paper not in paper_ids]
        assert left == [], left
        self.model.made.clear()

    def _file_asks(self, deal_id: str) -> None:
        """Read the asks of an engagement in the same way."""
        rows = self.do(self.lead.get(f"/engagements/{deal_id}/asks", params={"limit": 100}))["items"]
        new = {
            (
                row["membership_id"],
                row["part_id"],
                row["label"],
                seconds(row["not_before"]),
                seconds(row["not_after"]),
            ): (row["id"])
            for row in rows
            if row["id"] not in self.model.asks
        }
        made = {(ask.seat, ask.part, ask.label, ask.begins, ask.ends): ask for ask in self.model.made_asks}
        assert new.keys() == made.keys(), f"{new}\nand expected were {made}\n{self.model}"
        self.model.asks |= {new[each]: ask for each, ask in made.items()}
        self.model.made_asks.clear()


def seconds(shown: str) -> int:
    """UTC seconds of a time that the API shows."""
    return int(datetime.fromisoformat(shown).timestamp())

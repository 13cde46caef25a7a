"""Time: hours, moments, and the very second in which something ends or begins."""

from __future__ import annotations

from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from hypothesis import strategies as st
from hypothesis.stateful import rule

from tests.e2e.machine.floor import some
from tests.e2e.machine.looking import Looking
from tests.e2e.reference.things import DAY_S, OWN_S, Schedule

_AHEAD_S = 10 * DAY_S
_TRIED = 4
_USUAL = {"grant", "own", "membership", "engagement", "task"}


class Passing(Looking):
    """How time passes."""

    @rule(hours=st.sampled_from((1, 2, 8, 24, 24, 72)))
    def time_passes(self, hours: int) -> None:
        """It stops at some of what ends on the way, the rare first."""
        end, edges = self.model.now + hours * 3600, self._edges()
        for _ in range(2):
            way = {t: name for name, times in edges.items() for t in times if self.model.now < t <= end}
            found = next((each for each in self._some_first(way) if self._changed_at(each)), None)
            if found is not None:
                self._land(way[found], found, self._changed_at(found))
        self.houses.sleep(end - self.model.now)

    def _some_first(self, way: dict[int, str]) -> list[int]:
        chosen = self.random.sample(sorted(way), len(way))
        return sorted(chosen, key=lambda each: way[each] in _USUAL)[: 2 * _TRIED]

    @rule(seconds=st.sampled_from((1, 60, 599, 3599)))
    def a_moment_passes(self, seconds: int) -> None:
        self.houses.sleep(seconds)

    @rule(kind=some, late=st.sampled_from((0, 0, 1)))
    def something_ends_or_begins(self, kind: int, late: int) -> None:
        """Look one second before and then; who is concerned by it looks. Kinds take turns, as some ends are rare."""
        edges = {name: sorted({t for t in times if self.model.now < t}) for name, times in self._edges().items()}
        near = {name: [t for t in times if t <= self.model.now + _AHEAD_S] for name, times in edges.items()}
        names = [name for name, times in near.items() if times]
        if not names:
            return
        first = kind % len(names)
        turns = names[first:] + names[:first]
        for name in sorted(turns, key=lambda each: each in _USUAL) if kind % 4 else turns:
            found = next(((t, pairs) for t in near[name][:_TRIED] if (pairs := self._changed_at(t))), None)
            if found is not None:
                break
        else:
            name, found = names[first], (near[names[first]][0], [])
        self._land(name, *found)
        if late:
            self._look_where_it_changed()
            self.houses.sleep(1)

    def _land(self, name: str, edge: int, pairs: list[tuple[str, str]]) -> None:
        """Be there one second before, and then; these look both times."""
        self.houses.sleep(edge - 1 - self.model.now)
        self.named |= dict.fromkeys(pairs)
        self._look_where_it_changed()
        self.houses.sleep(1)
        self._look_where_it_changed()
        self.acts[f"then: {name}"] += 1

    def _changed_at(self, edge: int) -> list[tuple[str, str]]:
        """Who has more or less in that second than in the one before, and of what."""
        now = self.model.now
        self.model.now = edge - 1
        before = self._all_open()
        self.model.now = edge
        after = self._all_open()
        self.model.now = now
        return [pair for pair in after if after[pair] != before[pair]]

    def _edges(self) -> dict[str, list[int]]:
        """When something begins or ends, by kind."""
        model, members = self.model, self._vendors().values()
        duties, schedules = model.evidence.values(), model.schedules.values()
        return {
            "grant": [t for each in model.shares.values() if not each.revoked for t in (each.begins, each.ends)],
            "waiver": [each.ends for each in duties if each.waived],
            "evidence": [each.ends for each in duties if not each.waived],
            "schedule": [t for each in schedules for t in (each.begins, each.ends)],
            "hours": [t for each in schedules if each.ends > model.now for t in self._opening_hours(each)],
            "standby": [each.closes or each.valid_until for each in model.standbys.values() if not each.ended],
            "task": [t for each in model.tasks.values() if each.is_live for t in (each.due, each.ends)],
            "own": [each.added_at + OWN_S for each in model.papers.values() if each.state == "to_look_at"],
            "membership": [t for each in members if not each.has_left for t in (each.starts, each.ends)],
            "engagement": [each.ends for each in self._deals().values()],
            "text": [bites for each in self._deals().values() for bites in each.texts],
            "stepped up": [each.stepped_up_until for each in members],
        }

    def _opening_hours(self, each: Schedule) -> list[int]:
        """When it opens and shuts, today and tomorrow."""
        if each.hours is None:
            return []
        days, opens, shuts, zone = each.hours
        midnight = datetime.fromtimestamp(self.model.now, ZoneInfo(zone)).replace(hour=0, minute=0, second=0)
        there = [midnight + timedelta(days=n) for n in range(3)]
        return [
            int((day + timedelta(minutes=m)).timestamp())
            for day in there
            if day.weekday() in days
            for m in (opens, shuts)
        ]

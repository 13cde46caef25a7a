"""What an engagement or a matter asks for besides: duties, hours and places, an overlay, brakes."""

from __future__ import annotations

from typing import Any

from hypothesis import strategies as st
from hypothesis.stateful import initialize, precondition, rule

from tests.e2e.machine.floor import Floor, seconds, some
from tests.e2e.reference.things import NEVER, OVERLAYS, VENDOR, WAIVER_S, Evidence, Schedule, Seat
from tests.world import rfc3339

_LASTS = st.sampled_from((None, None, 1, 72))
_DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
_HOURS = (  # days, from and to which minute, zone
    None,
    (frozenset(range(7)), 6 * 60, 22 * 60, "UTC"),
    (frozenset(range(5)), 0, 24 * 60, "America/New_York"),
    (frozenset({0, 2, 4}), 2 * 60 + 30, 14 * 60, "America/New_York"),
    (frozenset({6}), 0, 60, "UTC"),  # hardly ever
)
_ELSEWHERE = "192.0.2.0/24"  # nobody is there, most of the time


class Terms(Floor):
    """What is done about terms."""

    @initialize(braked=st.integers(0, 11), more=st.integers(0, 1))
    def an_engagement_is_braked(self, braked: int, more: int) -> None:
        """In some histories: members who open too many papers within an hour wait, then are suspended."""
        deal_id, slow, most = next(iter(self._deals())), 1, 1 << 40
        if braked % 3 == 1:
            body = {"slow_documents": slow, "stop_documents": slow + more, "slow_bytes": most, "stop_bytes": most}
            path = f"/engagements/{deal_id}/brakes"
            self._agree("brakes are set", self._lead("PUT", path, body, match=path), 200, expected=True)
            self.model.deals[deal_id].brake = (slow, slow + more)

    # Duties ----------------------------------------------------------------------------------------------------------

    @rule(
        where=some,
        owed=st.sampled_from(((), ("training",), ("vendor_agreement",), ("training", "vendor_agreement"))),
        met=st.integers(0, 5),
    )
    def engagement_demands(self, where: int, owed: tuple[str, ...], met: int) -> None:
        """Most of the time the vendor has shown what is demanded of him, and so have some members."""
        deal_id = self._of(self._deals(), where)
        seats = [s for s in self._vendors().values() if s.deal == deal_id and self.model.now < s.ends][:met]
        for person in dict.fromkeys(seat.person for seat in seats if "training" in owed):
            self._record(deal_id, "training", person, None)
        if met and "vendor_agreement" in owed:
            self._record(deal_id, "vendor_agreement", VENDOR, 72)
        self._demand(deal_id, owed)

    def _demand(self, deal_id: str, owed: tuple[str, ...]) -> None:
        deal, path = self.model.deals[deal_id], f"/engagements/{deal_id}"
        response = self._lead("PATCH", path, {"owed": list(owed)}, match=path)
        if self._agree("engagement demands", response, 200, expected=deal.running):
            deal.owed = frozenset(owed)

    @rule(which=some, met=st.integers(0, 3))
    def matter_demands(self, which: int, met: int) -> None:
        """Most of the time its client has consented."""
        matter = self._matter(which)
        for deal_id, deal in self._deals().items():
            if met and matter in deal.parts.values() and matter not in self.model.needs_consent:
                self._record(deal_id, "client_consent", matter, None if met == 1 else 24 * met)
        owed = [] if matter in self.model.needs_consent else ["client_consent"]
        path = f"/matters/{matter}"
        self._agree("matter demands", self._lead("PATCH", path, {"owed": owed}, match=path), 200, expected=True)
        self.model.needs_consent ^= {matter}

    @rule(where=some, who=some, duty=st.sampled_from(("training", "vendor_agreement", "client_consent")), hours=_LASTS)
    def attorney_records(self, where: int, who: int, duty: str, hours: int | None) -> None:
        deal_id, seat_id = self._subject(where, who)
        matter = self._of(dict.fromkeys(self.model.deals[deal_id].parts.values()), who)
        subjects = {"training": self.model.seats[seat_id].person, "client_consent": matter}
        self._record(deal_id, duty, subjects.get(duty, VENDOR), hours)

    def _record(self, deal_id: str, duty: str, subject: str, hours: int | None) -> None:
        ends = NEVER if hours is None else self.model.now + hours * 3600
        body: dict[str, Any] = {"duty": duty, "note": "x"}
        body |= {} if hours is None else {"valid_until": rfc3339(ends)}
        body |= {"training": {"person_id": subject}, "client_consent": {"matter_id": subject}}.get(duty, {})
        response = self._lead("POST", f"/engagements/{deal_id}/duties", body)
        made = Evidence(deal_id, subject, duty, self.model.now, ends)
        if self._agree(f"attorney records {duty}", response, 201, expected=self.model.can_record(made)):
            self.model.evidence[response.json()["id"]] = made

    @rule(where=some, who=some)
    def attorney_waives(self, where: int, who: int) -> None:
        waived = {(each.deal, each.subject) for each in self.model.evidence.values() if each.waived}

        def fits(seat_id: str, seat: Seat) -> bool:
            trained = self.model.in_force(seat.deal or "", seat.person, "training")
            return self.model.works(seat_id) and (seat.deal, seat.person) not in waived and not trained

        deal_id, seat_id = self._subject(where, who, fits)
        person, now = self.model.seats[seat_id].person, self.model.now
        if who % 4 and "training" not in self.model.deals[deal_id].owed:
            self._demand(deal_id, ("training",))
        body = {"duty": "training", "person_id": person, "reason": "x"}
        response = self._lead("POST", f"/engagements/{deal_id}/waivers", body)
        if self._agree("attorney waives", response, 201, expected=self.model.can_waive(deal_id, person)):
            made = Evidence(deal_id, person, "training", now, now + WAIVER_S, waived=True)
            self.model.evidence[response.json()["id"]] = made
            if who % 4:
                self._share_something(seat_id, 96)

    @precondition(lambda self: self.model.evidence)
    @rule(which=some)
    def attorney_ends_evidence(self, which: int) -> None:
        duty_id = self._fit(self.model.evidence, which, lambda _, each: self.model.now < each.ends)
        each, path = self.model.evidence[duty_id], f"/duties/{duty_id}"
        response = self._lead("DELETE", path, match=path)
        if self._agree("attorney ends evidence", response, 200, expected=self.model.now < each.ends):
            each.ends = self.model.now

    def _subject(self, where: int, who: int, fits: Any = lambda _i, _s: True) -> tuple[str, str]:
        """A member and his engagement; now and then another one."""
        seat_id = self._fit(self._vendors(), who, fits)
        return (self._deal_of(seat_id) if where % 4 else self._of(self._deals(), where // 4)), seat_id

    # Hours and places ------------------------------------------------------------------------------------------------

    @rule(
        where=some,
        who=st.none() | some,
        hours=st.sampled_from(_HOURS),
        network=st.sampled_from((None, "10.0.0.0/8", _ELSEWHERE)),
        begins=st.sampled_from((None, None, 3600)),
        lasts=st.sampled_from((7200, 86_400, None)),
    )
    def attorney_binds(
        self,
        where: int,
        who: int | None,
        hours: tuple[frozenset[int], int, int, str] | None,
        network: str | None,
        begins: int | None,
        lasts: int | None,
    ) -> None:
        seat_id = None if who is None else self._fit(self._members(), who, lambda i, s: self.model.works(i))
        deal_id = self._of(self._deals(), where) if seat_id is None or where % 4 == 0 else self._deal_of(seat_id)
        body: dict[str, Any] = {"membership_id": seat_id}
        if hours is not None:
            days, opens, shuts, body["zone"] = hours
            body["hours"] = [{"days": [_DAYS[n] for n in sorted(days)], "opens": _clock(opens), "shuts": _clock(shuts)}]
        if network is not None or hours is None:
            network = network or "10.0.0.0/8"
            body["networks"] = [network]
        if network == _ELSEWHERE or hours == _HOURS[-1]:  # it shuts him out: not for ever, or little is left to see
            lasts = lasts or 86_400
        now = self.model.now
        first = now + (begins or 0)
        last = NEVER if lasts is None else first + lasts
        body |= {} if begins is None else {"valid_from": rfc3339(first)}
        body |= {} if lasts is None else {"valid_until": rfc3339(last)}
        response = self._lead("POST", f"/engagements/{deal_id}/schedules", body)
        if self._agree("attorney binds to hours", response, 201, expected=self.model.can_bind(deal_id, seat_id)):
            made = response.json()
            assert seconds(made["valid_from"]) == first
            self.model.schedules[made["id"]] = Schedule(deal_id, seat_id, hours, network, first, last)
            if seat_id is not None and where % 4:
                self._share_something(seat_id, 48)

    @rule(which=some)
    def attorney_ends_a_schedule(self, which: int) -> None:
        if which % 4 and not any(self.model.now < each.ends for each in self.model.schedules.values()):
            self.attorney_binds(which, which, _HOURS[1], None, None, 86_400)
        if not self.model.schedules:
            return
        schedule_id = self._fit(self.model.schedules, which, lambda _, each: self.model.now < each.ends)
        each, path = self.model.schedules[schedule_id], f"/schedules/{schedule_id}"
        response = self._lead("DELETE", path, match=path)
        if self._agree("attorney ends a schedule", response, 200, expected=self.model.now < each.ends):
            each.ends = self.model.now

    # Overlay ---------------------------------------------------------------------------------------------------------

    @rule(
        where=some,
        rows=st.sampled_from(((), *((each,) for each in OVERLAYS), tuple(OVERLAYS)[:2], tuple(OVERLAYS)[1:3])),
    )
    def attorney_sets_an_overlay(self, where: int, rows: tuple[str, ...]) -> None:
        deal_id = self._of(self._deals(), where)
        deal, path = self.model.deals[deal_id], f"/engagements/{deal_id}/overlay"
        response = self._lead("PUT", path, {"rows": list(rows)}, match=path)
        act = "overlay is set" if rows else "overlay is taken away"
        if self._agree(act, response, 200, expected=deal.running):
            deal.overlay = rows


def _clock(minute: int) -> str:
    return f"{minute // 60:02}:{minute % 60:02}"

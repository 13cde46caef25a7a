"""Many at once, and ahead of time: bulk grants and revocations, standing shares, standby shares."""

from __future__ import annotations

from typing import Any

from hypothesis import strategies as st
from hypothesis.stateful import precondition, rule

from tests.e2e.machine.floor import Floor, hours, some
from tests.e2e.reference.handing import VIEW
from tests.e2e.reference.things import HOLDS, LABELS, Share, Standby, Standing
from tests.world import rfc3339

_LABELS = st.sampled_from((*((each,) for each in LABELS), LABELS[:2], LABELS))
_ABILITIES = st.sampled_from((VIEW, VIEW | {"download"}, VIEW | {"text"}))


class Ahead(Floor):
    """What is done with many papers, or with papers to come."""

    # Many at once ----------------------------------------------------------------------------------------------------

    @rule(who=some, part=some, labels=_LABELS, highest=st.sampled_from(("routine", "confidential")), hours=hours)
    def attorney_shares_many(self, who: int, part: int, labels: tuple[str, ...], highest: str, hours: int) -> None:
        """Looked at first; then exactly that is given, if there is anything."""
        ends = self.model.now + hours * 3600

        def found(seat_id: str) -> list[str]:
            deal_id, part_id = self._place(seat_id, part)
            matter = self.model.deals[deal_id].parts[part_id]
            can = self.model.can_give_many(seat_id, deal_id, ends)
            return self.model.many(seat_id, deal_id, matter, labels, highest) if can else []

        seat_id = self._fit(self._members(), who, lambda i, _: bool(found(i)))
        deal_id, part_id = self._place(seat_id, part)
        body: dict[str, Any] = {
            "membership_id": seat_id,
            "part_id": part_id,
            "labels": list(labels),
            "sensitivity": highest,
            "abilities": ["view"],
            "not_after": rfc3339(ends),
            "purpose": "x",
        }
        path, given = f"/engagements/{deal_id}/grants", found(seat_id)
        shown = self._lead("POST", path, {**body, "dry_run": True})
        can = self.model.can_give_many(seat_id, deal_id, ends)
        digest = None
        if self._agree("attorney looks at many", shown, 200, expected=can):
            assert sorted(each["document_id"] for each in shown.json()["items"]) == given, self.model
            digest = shown.json()["digest"]
        response = self._lead("POST", path, {**body, "digest": digest})
        if self._agree("attorney shares many", response, 200, expected=bool(given)):
            first = self.model.term_fits(seat_id, None, ends)
            assert first is not None
            bulk = response.json()["bulk_id"]
            self.model.made += [Share(seat_id, i, VIEW, first, ends, bulk=bulk) for i in given]
            self._file_shares(*given)

    @rule(which=some, by=st.sampled_from(((1, 0, 0), (1, 1, 0), (0, 0, 1), (1, 0, 1), (0, 1, 1), (0, 1, 0))), do=some)
    def attorney_revokes_many(self, which: int, by: tuple[int, int, int], do: int) -> None:
        """By person, matter and label of some grant, or some of these."""
        here = {i: s for i, s in self.model.shares.items() if self.model.papers[s.paper].firm == "first"}
        share = here[self._fit(here, which, lambda _, share: not share.revoked and self.model.now < share.ends)]
        paper = self.model.papers[share.paper]
        deal_id, person = paper.deal, self.model.seats[share.seat].person if by[0] else None
        matter_id, label = paper.matter if by[1] else None, paper.label if by[2] else None
        wanted = {"person_id": person, "matter_id": matter_id, "labels": [] if label is None else [label]}
        path, taken = f"/engagements/{deal_id}/revocations", self.model.taken(deal_id, person, matter_id, label)
        shown = self._lead("POST", path, {**wanted, "dry_run": True})
        self._agree("attorney looks at grants", shown, 200, expected=True)
        assert sorted(each["id"] for each in shown.json()["items"]) == taken, self.model
        if do % 4 == 0 and len(taken) > 1:  # else little is left to see
            return
        response = self._lead("POST", path, {**wanted, "digest": shown.json()["digest"]})
        if self._agree("attorney revokes many", response, 200, expected=bool(taken)):
            for i in taken:
                self.model.shares[i].revoked = True
            self._concern(*taken)

    @rule(which=some)
    def attorney_undoes_many(self, which: int) -> None:
        if which % 4 and not any(share.bulk for share in self.model.shares.values()):
            self.attorney_shares_many(which, which, LABELS, "confidential", 24)
        if not any(share.bulk for share in self.model.shares.values()):
            return
        runs = {share.bulk: i for i, share in self.model.shares.items() if share.bulk}
        bulk = self._of(runs, which)
        given = {i for i, share in self.model.shares.items() if share.bulk == bulk}
        here = {
            i for i in given if self.model.papers[self.model.shares[i].paper].state != "moved"
        }  # else its lineage tells
        response = self._lead("POST", f"/bulk-grants/{bulk}/undo")
        if self._agree("attorney undoes many", response, 200, expected=bool(here)):
            assert {each["grant"]["id"] for each in response.json()["items"]} == here, self.model
            for i in here:
                share = self.model.shares[i]
                share.revoked = share.revoked or self.model.now < share.ends
            self._concern(*given)

    # Papers to come --------------------------------------------------------------------------------------------------

    @precondition(lambda self: len(self.model.standings) < 6)
    @rule(
        who=some,
        part=some,
        labels=_LABELS,
        highest=st.sampled_from(("routine", "confidential")),
        abilities=_ABILITIES,
        for_role=st.booleans(),
        begins=st.sampled_from((None, None, 24)),
        hours=hours,
    )
    def attorney_promises(
        self,
        who: int,
        part: int,
        labels: tuple[str, ...],
        highest: str,
        abilities: frozenset[str],
        begins: int | None,
        hours: int,
        *,
        for_role: bool,
    ) -> None:
        seat_id = self._fit(
            self._members(), who, lambda _, s: self.model.now < s.ends and set(labels) <= set(HOLDS.get(s.role, ()))
        )
        (deal_id, part_id), role = self._place(seat_id, part), self.model.seats[seat_id].role
        start = None if begins is None else self.model.now + begins * 3600
        ends = self.model.now + hours * 3600
        first = max(self.model.now, self.model.deals[deal_id].starts if for_role else self.model.term(seat_id)[0])
        made = Standing(
            deal_id,
            part_id,
            None if for_role else seat_id,
            role if for_role else None,
            labels,
            highest,
            abilities,
            first if start is None else start,
            ends,
        )
        body: dict[str, Any] = {
            "part_id": part_id,
            "membership_id": made.seat,
            "role": made.role,
            "labels": list(labels),
            "sensitivity": highest,
            "abilities": sorted(abilities),
            "not_after": rfc3339(ends),
            "purpose": "x",
        }
        body |= {} if start is None else {"not_before": rfc3339(start)}
        response = self._lead("POST", f"/engagements/{deal_id}/standing-shares", body)
        act = f"attorney promises to a {'role' if for_role else 'member'}"
        if self._agree(act, response, 201, expected=self.model.can_promise(made, start)):
            self.model.standings[response.json()["id"]] = made

    @rule(which=some)
    def attorney_ends_a_promise(self, which: int) -> None:
        if which % 4 and not any(self.model.now < each.ends for each in self.model.standings.values()):
            self.attorney_promises(which, which, LABELS[:1], "confidential", VIEW, None, 24, for_role=which % 3 == 0)
        if not self.model.standings:
            return
        share_id = self._fit(self.model.standings, which, lambda _, each: self.model.now < each.ends)
        share, path = self.model.standings[share_id], f"/standing-shares/{share_id}"
        response = self._lead("DELETE", path, match=path)
        if self._agree("attorney ends a promise", response, 200, expected=self.model.now < share.ends):
            share.ends = self.model.now
            self.model.end_with(share_id)
            self._concern_made_with(share_id)

    # Standby ---------------------------------------------------------------------------------------------------------

    @rule(
        who=some, which=some, more=st.booleans(), abilities=_ABILITIES, lasts_s=st.sampled_from((60, 3600)), hours=hours
    )
    def attorney_seals(
        self, who: int, which: int, abilities: frozenset[str], lasts_s: int, hours: int, *, more: bool
    ) -> None:
        paper_id = self._of(self._here(), which)
        paper = self.model.papers[paper_id]
        papers = dict.fromkeys((paper_id, *((self._of(self._here(), which + 1),) if more else ())))
        until = self.model.now + hours * 3600

        def sealed(seat_id: str) -> Standby:
            part_id = self.model.part_of(paper)
            return Standby(seat_id, paper.deal, part_id, tuple(papers), abilities, lasts_s, until, self.model.now)

        seat_id = self._fit(self._members(), who, lambda i, s: not s.is_firm and self.model.can_seal(sealed(i)))
        made = sealed(seat_id)
        body = {
            "membership_id": seat_id,
            "part_id": made.part,
            "documents": list(papers),
            "abilities": sorted(abilities),
            "lasts_s": lasts_s,
            "valid_until": rfc3339(until),
            "note": "x",
        }
        response = self._lead("POST", f"/engagements/{paper.deal}/standbys", body)
        if self._agree("attorney seals", response, 201, expected=self.model.can_seal(made)):
            self.model.standbys[response.json()["id"]] = made

    @rule(which=some)
    def member_opens_a_standby(self, which: int) -> None:
        if which % 4 and not any(self.model.can_open(each) for each in self.model.standbys.values()):
            self.attorney_seals(which, which, VIEW, 3600, 24, more=which % 3 > 0)
        if not self.model.standbys:
            return
        standby_id = self._fit(self.model.standbys, which, lambda _, each: self.model.can_open(each))
        standby, path = self.model.standbys[standby_id], f"/standbys/{standby_id}"
        person = self.houses.people[standby.seat]
        response = self._ask(person, "POST", f"{path}/opening", json={"reason": "x"}, headers=self._match(path))
        if self._agree("member opens a standby", response, 200, expected=self.model.can_open(standby)):
            self.model.open_standby(standby_id)
            self._file_shares(*(i for i in standby.papers if self.model.papers[i].state != "moved"))

    @rule(which=some)
    def attorney_withdraws_a_standby(self, which: int) -> None:
        if which % 4 and not any(self.model.can_withdraw(each) for each in self.model.standbys.values()):
            self.attorney_seals(which, which, VIEW, 3600, 24, more=which % 3 > 0)
        if not self.model.standbys:
            return
        standby_id = self._fit(self.model.standbys, which, lambda _, each: self.model.can_withdraw(each))
        standby, path = self.model.standbys[standby_id], f"/standbys/{standby_id}"
        response = self._lead("DELETE", path, match=path)
        expected = self.model.can_withdraw(standby)
        if self._agree("attorney withdraws a standby", response, 200, expected=expected):
            standby.ended = True
            self.model.end_with(standby_id)
            self._concern_made_with(standby_id)

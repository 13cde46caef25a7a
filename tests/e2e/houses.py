"""Two firms with all their people in one installation, made once; each history begins on a copy of it.

`furnished` makes it over HTTP and tells the reference model the same. `opened` opens a copy: the same ids and tokens,
the clock where it was, one at a time. A copy in memory is open in some 50 ms: ten thousand histories can begin alike.
"""

from __future__ import annotations

import copy
import shutil
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, cast

import httpx2
import pytest

from service import downloads, wiring
from service.config import Settings
from service.db.session import Database
from tests.api.entries import another_firm
from tests.e2e.inprocess import InProcess
from tests.e2e.reference import Model
from tests.e2e.reference.things import DAY_S, NEVER, Deal, Paper, Seat, Share
from tests.world import Clock, Engagement, Person, World, a_world, rfc3339

VENDOR_ROLES = (
    "paralegal",
    "case_manager",
    "legal_assistant",
    "intake_specialist",
    "receptionist",
    "billing_clerk",
    "vendor_manager",
)
UNSIGNED = "legal_assistant"
_DATABASE = "m.db"


@dataclass
class Houses:
    """An open installation, what the model says of it, and who acts in it.

    Args:
        people: seat -> who asks in it.
        lead: the attorney who leads the first firm's engagements; nobody shuts her out, so that she can always act.
        colleague: another attorney there, named on no team to begin with.
        narrow: the paralegal again, with a token for less than documents.
    """

    world: World
    model: Model
    people: dict[str, Person]
    lead: Person
    colleague: str
    narrow: Person
    agreements: dict[str, str]  # deal -> its NDA
    waits: list[float] = field(default_factory=list)  # how long bodies were held back, in seconds; nobody really waits

    def sleep(self, seconds: int) -> None:
        """Let time pass, here and in the model."""
        self.world.sleep(seconds)
        self.model.now += seconds


async def furnished(home: Path) -> Houses:
    """Make the installation, over HTTP, in an empty folder."""
    async with a_world(home, _url(home)) as world:
        first = await world.engagement(days=30)
        houses = await _first_firm(world, first)
        await _second_firm(houses)
    return houses


async def _first_firm(world: World, first: Engagement) -> Houses:
    model, lead, now = Model(world.now), first.attorney, world.now
    matter = await lead.post("/matters", {"number": "2027-0100", "client": "Juan Ortega"})
    part = await lead.post(f"/engagements/{first.id}/parts", {"matter_id": matter["id"], "caption": "Ortega"})
    short = await world.owner.post(
        "/engagements",
        {
            "vendor_id": first.vendor_id,
            "number": "E-0100",
            "name": "Ortega",
            "starts_at": rfc3339(now),
            "ends_at": rfc3339(now + 6 * DAY_S),
            "lead_id": lead.person_id,
        },
    )
    second = Engagement(world, short["id"], first.vendor_id, matter["id"], "", lead)
    other = await lead.post(f"/engagements/{second.id}/parts", {"matter_id": matter["id"], "caption": "Ortega"})
    second.part_id = other["id"]
    model.deals[first.id] = Deal(now, now + 30 * DAY_S, {first.part_id: first.matter_id, part["id"]: matter["id"]})
    model.deals[second.id] = Deal(now, now + 6 * DAY_S, {second.part_id: matter["id"]})
    colleague = await world.attorney("Abe Attorney")
    people = {seat.membership_id: seat for seat in (world.owner, lead, colleague)}
    model.seats[world.owner.membership_id] = Seat("first", world.owner.person_id, "owner", None, now)
    for attorney in (lead, colleague):
        model.seats[attorney.membership_id] = Seat("first", attorney.person_id, "attorney", None, now)
    model.team |= {(lead.person_id, first.matter_id), (lead.person_id, matter["id"])}
    houses = Houses(world, model, people, lead, colleague.membership_id, lead, {})
    await _of_the_firm(houses, first)
    for engagement in (first, second):
        houses.agreements[engagement.id] = (await engagement.agreement())["id"]
        model.deals[engagement.id].texts.append(now)
    seats = {role: await first.member(role, signed=role != UNSIGNED) for role in VENDOR_ROLES}
    for role, seat in seats.items():
        _note(houses, seat, role, first.id, signed=role != UNSIGNED)
    houses.narrow = await world.sign_in(seats["paralegal"].person_id, seats["paralegal"].membership_id, "me audit")
    await _again_in(houses, second, seats["paralegal"])
    _note(houses, await second.member("case_manager"), "case_manager", second.id, signed=True)
    await _papers(houses, first, seats)
    return houses


async def _of_the_firm(houses: Houses, first: Engagement) -> None:
    """A reviewer of the house, and a coordinator of the first engagement who is named on its first matter."""
    world, owner = houses.world, houses.world.owner
    for role, path in (("reviewer", "/members"), ("coordinator", f"/engagements/{first.id}/members")):
        person = await owner.post("/people", {"email": f"{role}@firm.example", "name": role})
        member = await owner.post(path, {"person_id": person["id"], "role": role})
        seat = await world.sign_in(person["id"], member["id"])
        deal = first.id if role == "coordinator" else None
        houses.people[seat.membership_id] = seat
        ends = houses.model.deals[first.id].ends if deal else NEVER
        houses.model.seats[seat.membership_id] = Seat("first", seat.person_id, role, deal, world.now, ends)
        if deal:
            await owner.ask("PUT", f"/matters/{first.matter_id}/team/{seat.person_id}")
            houses.model.team.add((seat.person_id, first.matter_id))


def _note(houses: Houses, seat: Person, role: str, deal: str, *, signed: bool) -> None:
    model = houses.model
    houses.people[seat.membership_id] = seat
    model.seats[seat.membership_id] = Seat("first", seat.person_id, role, deal, model.now, model.deals[deal].ends)
    if signed:
        model.signed[seat.person_id, deal] = 0


async def _again_in(houses: Houses, second: Engagement, seat: Person) -> None:
    """The paralegal works in both engagements: one person, two seats."""
    member = await houses.lead.post(
        f"/engagements/{second.id}/members", {"person_id": seat.person_id, "role": "paralegal"}
    )
    again = await houses.world.sign_in(seat.person_id, member["id"])
    await second.sign(again)
    _note(houses, again, "paralegal", second.id, signed=True)


async def _papers(houses: Houses, first: Engagement, seats: dict[str, Person]) -> None:
    """Three papers of the first matter, of which some members have some, for one day or five."""
    for label, sensitivity, days, roles in (
        ("contact_sheet", "routine", 1, ("paralegal",)),
        ("medical_record", "privileged", 5, ("paralegal", "case_manager")),
        ("contact_sheet", "confidential", 5, ("paralegal", "intake_specialist")),
    ):
        made = await first.document(label=label, sensitivity=sensitivity)
        paper = Paper("first", first.id, first.matter_id, label, sensitivity)
        houses.model.papers[made["document_id"]] = paper
        for role in roles:
            await _hand(houses, seats[role], made["document_id"], houses.model.now + days * DAY_S)


async def _hand(houses: Houses, seat: Person, paper_id: str, ends: int) -> None:
    """A paper that is his to carry away."""
    body = {"membership_id": seat.membership_id, "abilities": ["download"], "not_after": rfc3339(ends), "purpose": "x"}
    grant = await houses.lead.post(f"/documents/{paper_id}/grants", body)
    abilities = frozenset({"view", "download"})
    houses.model.shares[grant["id"]] = Share(seat.membership_id, paper_id, abilities, houses.model.now, ends)


async def _second_firm(houses: Houses) -> None:
    """An owner, an attorney, an engagement with a paralegal, and a paper that is shared with him."""
    world, model = await another_firm(houses.world), houses.model
    deal = await world.engagement(days=60)
    seat = await deal.member("paralegal")
    made = await deal.document(label="correspondence", sensitivity="confidential")
    grant = await deal.grant(seat, made["document_id"])
    model.deals[deal.id] = Deal(model.now, model.now + 60 * DAY_S, {deal.part_id: deal.matter_id}, texts=[model.now])
    model.team.add((deal.attorney.person_id, deal.matter_id))
    model.signed[seat.person_id, deal.id] = 0
    for who, role, place in (
        (world.owner, "owner", None),
        (deal.attorney, "attorney", None),
        (seat, "paralegal", deal.id),
    ):
        ends = NEVER if place is None else model.deals[deal.id].ends
        model.seats[who.membership_id] = Seat("second", who.person_id, role, place, model.now, ends)
        houses.people[who.membership_id] = who
    paper = Paper("second", deal.id, deal.matter_id, "correspondence", "confidential")
    model.papers[made["document_id"]] = paper
    ends = model.now + 14 * DAY_S
    abilities = frozenset({"view", "download"})
    model.shares[grant["id"]] = Share(seat.membership_id, made["document_id"], abilities, model.now, ends)


def share_what_is_dear(patch: pytest.MonkeyPatch, houses: Houses) -> None:
    """Let every copy have what costs most to make and is the same for all.

    That is the policy with what was asked of it so far, and the statements in the database's tongue. Neither says
    anything of rows.
    """
    services = houses.world.services
    patch.setattr(wiring, "MatrixHolder", lambda _folder: services.matrix)
    prepare, prepared = Database.prepare, services.database

    def prepare_once(database: Database, statement: Any) -> Any:
        return prepare(prepared, statement) if database.is_sqlite else prepare(database, statement)

    patch.setattr(Database, "prepare", prepare_once)

    async def pause(seconds: float) -> None:
        houses.waits.append(seconds)

    patch.setattr(downloads, "pause", pause)


@asynccontextmanager
async def opened(houses: Houses, folder: Path, home: Path) -> AsyncIterator[Houses]:
    """Open a copy of an installation that was furnished in `folder`; the copy is made at `home` and removed again."""
    shutil.copytree(folder, home)
    clock = Clock(houses.world.clock.now_ms)
    settings = Settings(home=home, database_url=_url(home), failed_attempts_per_minute=100_000)
    try:
        with wiring.open_installation(settings, serving=True, clock=clock) as services:
            app = houses.world.app  # the routes are the same for all
            app.state.services = services
            http = cast("httpx2.AsyncClient", InProcess(app))
            owner = replace(houses.world.owner, http=http)
            pockets = copy.deepcopy(houses.world.pockets)
            world = replace(houses.world, services=services, http=http, clock=clock, owner=owner, pockets=pockets)
            yield replace(
                houses,
                world=world,
                model=copy.deepcopy(houses.model),
                people={seat_id: replace(person, http=http) for seat_id, person in houses.people.items()},
                lead=replace(houses.lead, http=http),
                narrow=replace(houses.narrow, http=http),
                agreements=dict(houses.agreements),
            )
    finally:
        shutil.rmtree(home)


def _url(home: Path) -> str:
    return f"sqlite:///{home / _DATABASE}"


def summary(response: Any) -> str:
    """What a divergence shows."""
    return f"{response.method} {response.path}: {response.status_code} {response.text[:400]}"

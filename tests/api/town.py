"""Twelve kinds of caller in ten states each, and for each of them things of its own to ask about.

A *state* is how somebody stands to one engagement: his own, another one of the same firm, another firm's, one that his
grant or seat in it has ended, and so on (`STATES`). Each has a house of its own: an engagement with a matter, papers,
tasks, and twelve people (`CALLERS`) to whom it happened. `Town.cells` says for each state and caller with which token
he asks, and which ids stand in the addresses that he asks for.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Collection, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any, Final, NamedTuple

from tests.api.entries import another_firm
from tests.uploads.purposes import write_purpose
from tests.world import DAY_S, Engagement, Person, World, rfc3339

STATES: Final = (
    "own engagement",
    "other engagement",
    "other firm",
    "expired",
    "revoked",
    "unsigned",
    "outside hours",
    "walled",
    "suspended",
    "disposed",
)
FIRM_SIDE: Final = ("owner", "attorney", "off_team", "coordinator", "reviewer")
VENDOR_SIDE: Final = (
    "vendor_manager",
    "legal_assistant",
    "receptionist",
    "intake_specialist",
    "paralegal",
    "case_manager",
    "billing_clerk",
)
CALLERS: Final = (*FIRM_SIDE, *VENDOR_SIDE)
"""`attorney` is on the matter's team, `off_team` an attorney of the house who is named nowhere."""

TITLE, CONTENT, CLIENT = "Tanager", b"Waxwing", "Maria Delgado"
NAMES: Final = (TITLE, CONTENT.decode(), CLIENT, "Draft the letter.", "The client's form, please.", "Draft the answer")
"""What must not get about: title, content, client, purpose of a grant, instructions of an ask and of a task."""

LABELS: Final[Mapping[str, str]] = MappingProxyType({"billing_clerk": "billing"})  # everybody else: correspondence
SUNDAYS: Final = MappingProxyType({"hours": [{"days": ["sun"], "opens": "00:00", "shuts": "24:00"}], "zone": "UTC"})
"""Shut when the tests' clock begins, on a Friday."""


class Cell(NamedTuple):
    """Somebody in a state."""

    token: str
    things: Mapping[str, str]  # ids by the names of parameters


@dataclass
class House:
    """One engagement and the people around it."""

    engagement: Engagement
    seats: dict[str, Person] = field(default_factory=dict)
    shared: dict[str, str] = field(default_factory=dict)  # what is the same for everybody
    own: dict[str, dict[str, str]] = field(default_factory=dict)  # by caller

    def things(self, caller: str) -> dict[str, str]:
        """What this caller asks about: his own where there is such a thing, else the paralegal's."""
        seat = self.seats[caller]
        his = {"person_id": seat.person_id, "member_id": seat.membership_id}
        return {**self.shared, **self.own["paralegal"], **his, **self.own.get(caller, {})}


@dataclass
class Town:
    """The world with its houses."""

    world: World
    cells: dict[tuple[str, str], Cell] = field(default_factory=dict)

    @classmethod
    async def build(cls, world: World, states: Collection[str] = STATES) -> Town:
        """Make what these states need."""
        town = cls(world)
        here = await _house(world)
        for state in states:
            stands = await town._stands(state, here)
            asked = here if state in {"other engagement", "other firm"} else stands
            for caller in CALLERS:
                town.cells[state, caller] = Cell(stands.seats[caller].token, asked.things(caller))
        return town

    async def _stands(self, state: str, here: House) -> House:
        """Where those of a state sit."""
        if state == "own engagement":
            return here
        if state == "expired":
            return await _at_once(self.world)
        house = await _house(
            await another_firm(self.world) if state == "other firm" else self.world, signed=state != "unsigned"
        )
        if state in _BEFALLING:
            await _BEFALLING[state](house)
        return house


# Houses ---------------------------------------------------------------------------------------------------------------


async def _house(world: World, *, signed: bool = True, life_s: int = 14 * DAY_S) -> House:
    """Make a house; what is given out in it, and the seats of those who are given nothing, end after `life_s`."""
    engagement = await world.engagement()
    house, ends_at = House(engagement), rfc3339(world.now + life_s)
    at_home, seated = "/members", f"/engagements/{engagement.id}/members"
    await engagement.agreement()
    house.seats["owner"] = world.owner
    for caller in ("attorney", "off_team", "coordinator", "reviewer"):
        role = "attorney" if caller == "off_team" else caller
        path = seated if caller == "reviewer" else at_home
        house.seats[caller] = await _sit(world, path, role, ends_at=ends_at)
    for caller in ("attorney", "coordinator"):
        await _name(house, "PUT", caller)
    manager = await _sit(world, seated, "vendor_manager", vendor_id=engagement.vendor_id, ends_at=ends_at)
    house.seats["vendor_manager"] = manager
    if signed:
        await engagement.sign(manager)
    papers = {label: await _paper(engagement, label) for label in ("correspondence", "billing")}
    for caller in VENDOR_SIDE[1:]:
        house.seats[caller] = await engagement.member(caller, signed=signed)
        await _hand_out(house, caller, papers[LABELS.get(caller, "correspondence")], ends_at)
    house.shared = await _shared(house)
    return house


async def _sit(world: World, path: str, role: str, *, ends_at: str, vendor_id: str | None = None) -> Person:
    number = next(world.numbers)
    body = {"email": f"t{number}@town.example", "name": f"Tess {number}", "vendor_id": vendor_id}
    person = await world.owner.post("/people", body)
    member = await world.owner.post(path, {"person_id": person["id"], "role": role, "ends_at": ends_at})
    return await world.sign_in(person["id"], member["id"])


async def _name(house: House, method: str, caller: str) -> None:
    path = f"/matters/{house.engagement.matter_id}/team/{house.seats[caller].person_id}"
    assert (await house.engagement.attorney.ask(method, path)).status_code == 204


async def _paper(engagement: Engagement, label: str) -> str:
    # Routine: what every role may be handed.
    made = await engagement.document(CONTENT, title=TITLE, label=label, sensitivity="routine")
    return str(made["document_id"])


async def _hand_out(house: House, caller: str, paper: str, ends_at: str) -> None:
    """A paper, something to bring, something to do, and a request for more."""
    engagement, seat, lead = house.engagement, house.seats[caller], house.engagement.attorney
    label = LABELS.get(caller, "correspondence")
    given = {"membership_id": seat.membership_id, "not_after": ends_at}
    abilities = ["view"] if caller == "receptionist" else ["view", "download"]
    grant = {**given, "abilities": abilities, "purpose": "Draft the letter."}
    wish = {"document_id": paper, "abilities": ["text"], "not_after": ends_at, "reason": "To copy a line."}
    ask = {**given, "part_id": engagement.part_id, "labels": [label], "instructions": "The client's form, please."}
    house.own[caller] = own = {"document_id": paper}
    own["grant_id"] = (await lead.post(f"/documents/{paper}/grants", grant))["id"]
    own["ask_id"] = (await lead.post(f"/engagements/{engagement.id}/asks", ask))["items"][0]["id"]
    sealed = await engagement.standby(seat, paper, abilities=abilities, valid_until=ends_at)
    own["standby_id"] = sealed["id"]
    own["duty_id"] = (await engagement.evidence("training", seat))["id"]
    own["task_id"] = (await engagement.task(seat, labels=[label], due_at=ends_at, not_after=ends_at))["id"]
    asked = await seat.ask("POST", "/access-requests", json=wish)
    begun = await seat.ask("POST", "/uploads", headers=_upload(engagement, label))
    if asked.status_code == 201:  # who has not signed asks for nothing
        own["request_id"] = asked.json()["id"]
    if begun.status_code == 201:  # and sends nothing
        own["upload_id"] = begun.headers["location"].rpartition("/")[2]


def _upload(engagement: Engagement, label: str) -> dict[str, str]:
    said = {"engagement_id": engagement.id, "part_id": engagement.part_id, "label": label, "title": TITLE}
    return {"Tus-Resumable": "1.0.0", "Upload-Length": "9", "Upload-Metadata": write_purpose(said)}


async def _shared(house: House) -> dict[str, str]:
    """What is there once in a house; what only an end brings is named by ids that never were."""
    engagement, lead, world = house.engagement, house.engagement.attorney, house.engagement.world
    about = {"matter_id": engagement.matter_id, "reason": "They are related."}
    stranger, rescuer = await engagement.member("paralegal"), await world.attorney()
    misdirected = await _misdirected(engagement, stranger)  # before the wall
    begun = await lead.ask("POST", "/uploads", headers=_upload(engagement, "correspondence"))
    call = {"person_id": house.seats["attorney"].person_id, "ends_at": rfc3339(world.now + DAY_S)}
    await lead.post(f"/engagements/{engagement.id}/on-call", call)
    await world.step_up(rescuer)
    await world.step_up(rescuer)
    number = (await lead.get(f"/matters/{engagement.matter_id}"))["number"]
    share = {
        "role": "paralegal",
        "part_id": engagement.part_id,
        "labels": ["exhibit"],
        "abilities": ["view"],
        "not_after": rfc3339(world.now + DAY_S),
        "purpose": "Draft the letter.",
    }
    emergency = {"matter_number": number, "reason": "A hearing.", "closes_at": rfc3339(world.now + 3600)}
    return {
        "engagement_id": engagement.id,
        "matter_id": engagement.matter_id,
        "vendor_id": engagement.vendor_id,
        "agreement_id": (await engagement.agreement())["id"],
        "number": "1",
        "index": "1",
        "request_id": "acr_" + "0" * 32,
        "disposal_id": "dsp_" + "0" * 32,
        "certificate_id": "crt_" + "0" * 32,
        "upload_id": begun.headers["location"].rpartition("/")[2],
        "share_id": (await lead.post(f"/engagements/{engagement.id}/standing-shares", share))["id"],
        "schedule_id": (await lead.post(f"/engagements/{engagement.id}/schedules", _always()))["id"],
        "wall_id": (await lead.post("/walls", {**about, "person_id": stranger.person_id}))["id"],
        "hold_id": (await lead.post("/holds", about))["id"],
        "misdirection_id": misdirected,
        "disclosure_id": await _disclosed(engagement),
        "emergency_id": (await rescuer.post("/emergencies", emergency))["id"],
    }


async def _misdirected(engagement: Engagement, seat: Person) -> str:
    """A paper that somebody else was handed, and that was not meant for him."""
    lead, ends = engagement.attorney, rfc3339(engagement.world.now + DAY_S)
    paper = (await engagement.document(title=TITLE))["document_id"]
    grant = {"membership_id": seat.membership_id, "abilities": ["view"], "purpose": "To look.", "not_after": ends}
    await lead.post(f"/documents/{paper}/grants", grant)
    return str((await seat.post(f"/documents/{paper}/misdirection", {}))["id"])


async def _disclosed(engagement: Engagement) -> str:
    """A title that was opened to somebody else, who reviews the house."""
    lead, world, number = engagement.attorney, engagement.world, next(engagement.world.numbers)
    person = await world.owner.post("/people", {"email": f"t{number}@town.example", "name": f"Tess {number}"})
    reviewer = await world.owner.post("/members", {"person_id": person["id"], "role": "reviewer"})
    paper = (await engagement.document(title=TITLE))["document_id"]
    body = {"membership_id": reviewer["id"], "document_ids": [paper], "reason": "He compares them."}
    body["not_after"] = rfc3339(world.now + DAY_S)
    return str((await lead.post(f"/engagements/{engagement.id}/disclosures", body))["items"][0]["id"])


def _always() -> dict[str, Any]:
    days = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"]
    return {"hours": [{"days": days, "opens": "00:00", "shuts": "24:00"}], "zone": "UTC"}


# What makes a state ---------------------------------------------------------------------------------------------------


async def _at_once(world: World) -> House:
    """A house in which all that can end has ended."""
    house = await _house(world, life_s=1)
    world.sleep(2)
    return house


async def _take_away(house: House) -> None:
    """Grants, asks and tasks are taken back, seats ended, people taken off the team."""
    lead = house.engagement.attorney
    for caller in VENDOR_SIDE[1:]:
        own = house.own[caller]
        task = f"/tasks/{own['task_id']}"
        for path in (f"/grants/{own['grant_id']}", f"/asks/{own['ask_id']}", f"/standbys/{own['standby_id']}"):
            await lead.change("DELETE", path)
        await lead.change("POST", f"{task}/cancellation", match=task)
    for caller in ("vendor_manager", "reviewer"):
        await lead.change("DELETE", f"/members/{house.seats[caller].membership_id}")
    for caller in ("attorney", "coordinator"):
        await _name(house, "DELETE", caller)


async def _shut(house: House) -> None:
    await house.engagement.attorney.post(f"/engagements/{house.engagement.id}/schedules", dict(SUNDAYS))


async def _wall_off(house: House) -> None:
    about = {"matter_id": house.engagement.matter_id, "reason": "They are related."}
    for caller in CALLERS:
        await house.engagement.attorney.post("/walls", {**about, "person_id": house.seats[caller].person_id})


async def _suspend(house: House) -> None:
    """Everybody but the owner, who would be the last one."""
    for caller in CALLERS[1:]:
        member = f"/members/{house.seats[caller].membership_id}"
        await house.engagement.world.owner.change("POST", f"{member}/suspension", match=member)


async def _dispose(house: House) -> None:
    engagement, owner, lead = house.engagement, house.engagement.world.owner, house.engagement.attorney
    await engagement.world.step_up(lead)
    await lead.change("DELETE", f"/holds/{house.shared['hold_id']}")
    made = await owner.post(f"/engagements/{engagement.id}/disposal")
    path = f"/disposals/{made['id']}"
    await lead.post(f"{path}/approval", {"manifest_sha256": made["manifest_sha256"]}, status=200)
    await lead.post(f"{path}/return", {"waiver": "All is in our file."}, status=200)
    await owner.post(f"{path}/run", status=200)
    listed = await lead.get(f"/certificates?engagement_id={engagement.id}")
    house.shared |= {"disposal_id": made["id"], "certificate_id": listed["items"][0]["id"]}


_BEFALLING: Final[Mapping[str, Callable[[House], Awaitable[None]]]] = MappingProxyType(
    {
        "revoked": _take_away,
        "outside hours": _shut,
        "walled": _wall_off,
        "suspended": _suspend,
        "disposed": _dispose,
    }
)

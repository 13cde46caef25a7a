"""A firm with one seat for every kind of caller, things for them to ask about, and names that must not get about.

`Scene.build` makes it; `Scene.seats` holds who asks, by the word that heads his column in answers.csv. What an act uses
up (a paper to confirm, a member to suspend) is made anew by the methods below, for `tests.api.routes`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any

from tests.api.entries import another_firm
from tests.world import DAY_S, Engagement, Person, World, rfc3339

CANARIES = MappingProxyType(
    {
        "title": "Tanager",
        "content": "Waxwing",
        "client": "Bunting",
        "caption": "Dunnock",
        "engagement name": "Redstart",
        "firm person": "Plover",
        "vendor person": "Whimbrel",
        "address": "fieldfare.example",
        "vendor": "Nuthatch",
        "purpose": "Siskin",
        "instructions": "Linnet",
        "reason": "Firecrest",
        "note": "Wagtail",
        "answer": "Serin",
        "wall": "Brambling",
        "hold": "Goldcrest",
        "emergency": "Bullfinch",
        "review": "Hawfinch",
        "waiver": "Wheatear",
        "evidence": "Dotterel",
        "standby": "Whinchat",
        "opening": "Chiffchaff",
        "misdirection": "Stonechat",
        "acknowledgment": "Twite",
        "typed name": "Treecreeper",
        "disclosure": "Ptarmigan",
    }
)
"""Each stands in every name of its kind in the firm, and nowhere else."""

ALWAYS = MappingProxyType(
    {
        "hours": [
            {"days": ["mon", "tue", "wed", "thu", "fri", "sat", "sun"], "opens": "00:00", "shuts": "24:00"},
        ],
        "zone": "America/New_York",
    }
)
"""Hours that keep nobody out."""

PLAIN = MappingProxyType(dict.fromkeys(CANARIES, "Sparrow"))
"""The names of the other firm."""

FIRM_SIDE = (
    "owner",
    "lead",
    "team",
    "seat",
    "off_team",
    "walled_attorney",
    "coordinator",
    "reviewer",
    "seat_reviewer",
    "other_reviewer",
)
VENDOR_SIDE = (
    "manager",
    "granted",
    "viewer",
    "ungranted",
    "unsigned",
    "revoked",
    "expired",
    "walled",
    "suspended",
    "elsewhere",
)
GONE = ("ended",)
FOREIGN = ("foreign_owner", "foreign_attorney", "foreign_paralegal")
CALLERS = (*FIRM_SIDE, *VENDOR_SIDE, *GONE, *FOREIGN)
"""Everybody who asks.

`lead` leads the engagement and is on the matter's team; `team` is on it too and leads nothing; `seat` is an attorney on
the team with a seat in that engagement alone; `off_team` an attorney of the house who is named nowhere; `seat_reviewer`
reviews this engagement alone, `other_reviewer` another. All paralegals were handed the paper, and then befell them what
their word says, but `viewer` (who may not download), `ungranted`, and `elsewhere`, who is in another engagement of the
same vendor. The foreign ones are another firm's."""


@dataclass
class Scene:
    """One world with everybody in it."""

    world: World
    main: Engagement
    other: Engagement  # of the same firm with the same vendor, another attorney's
    side_matter: str  # the lead's, with no hold on it
    seats: dict[str, Person] = field(default_factory=dict)
    things: dict[str, str] = field(default_factory=dict)  # ids by noun
    foreign: dict[str, str] = field(default_factory=dict)  # the same of another firm
    foreign_firm: str = ""

    @classmethod
    async def build(cls, world: World) -> Scene:
        """Make it all."""
        lead = await _of_firm(world, "attorney")
        main = await _engagement(world, lead)
        other = await _engagement(world, await _of_firm(world, "attorney"), vendor_id=main.vendor_id)
        scene = cls(world, main, other, await _matter(world, lead, CANARIES))
        await scene._take_seats()
        await scene._hand_out()
        await scene._at_the_firm()
        await scene._end_one()
        await world.step_up(*scene.seats.values())  # before something befalls them
        await scene._befall()
        await scene._abroad()
        return scene

    @property
    def lead(self) -> Person:
        """Who leads the engagement."""
        return self.seats["lead"]

    # How it is made ---------------------------------------------------------------------------------------------------

    async def _take_seats(self) -> None:
        main, world, seats = self.main, self.world, self.seats
        await main.demand("training")
        seats |= {"owner": world.owner, "lead": main.attorney, "off_team": await _of_firm(world, "attorney")}
        seats["team"] = await _of_firm(world, "attorney")
        seats["seat"] = await _of_firm(world, "attorney", main)
        seats["walled_attorney"] = await _of_firm(world, "attorney")
        seats["coordinator"] = await _of_firm(world, "coordinator")
        seats["reviewer"] = await _of_firm(world, "reviewer")
        seats["seat_reviewer"] = await _of_firm(world, "reviewer", main)
        seats["other_reviewer"] = await _of_firm(world, "reviewer", self.other)
        for word in ("team", "seat", "walled_attorney", "coordinator"):
            named = await self.lead.ask("PUT", f"/matters/{main.matter_id}/team/{seats[word].person_id}")
            assert named.status_code == 204, named.text
        agreement = await main.agreement()
        self.things |= {"engagement": main.id, "matter": main.matter_id, "part": main.part_id}
        self.things |= {"vendor": main.vendor_id, "agreement": agreement["id"]}
        seats["manager"] = await _of_vendor(main, "vendor_manager")
        for word in (*VENDOR_SIDE[1:-1], *GONE):
            seats[word] = await _of_vendor(main, "paralegal", signed=word != "unsigned")
        seats["elsewhere"] = await _of_vendor(self.other, "paralegal")
        self.things |= {"person": seats["granted"].person_id, "member": seats["granted"].membership_id}
        self.things["firm_member"] = seats["seat"].membership_id

    async def _hand_out(self) -> None:
        paper = await self.paper()
        self.things["document"] = paper
        self.things["grant"] = (await self.grant("granted", paper))["id"]
        await self.grant("viewer", paper, ["view"])
        for word in ("unsigned", "walled", "suspended", "ended"):
            await self.grant(word, paper)
        revoked = await self.grant("revoked", paper)
        await self.lead.change("DELETE", f"/grants/{revoked['id']}")
        await self.grant("expired", paper, not_after=rfc3339(self.world.now + 1))
        self.world.sleep(2)
        self.things["ask"] = (await self.ask("granted"))["id"]
        self.things["task"] = (await self.task("granted"))["id"]
        self.things["own"] = await self.own_paper()
        self.things["request"] = await self.request("granted", paper)
        refused = await self.requested()
        no, tag = {"answer": "no", "note": CANARIES["answer"]}, await self.tag(f"/access-requests/{refused}")
        await self.lead.post(f"/access-requests/{refused}/answer", no, 200, headers=tag)
        self.things["attorney_only"] = await self.paper(sensitivity="attorney_only")
        self.things["side_part"] = await self.side_part()
        self.things["moved"] = await self.moved()

    async def _at_the_firm(self) -> None:
        self.things["wall"] = await self.wall(self.seats["walled"].person_id)
        await self.wall(self.seats["walled_attorney"].person_id)
        self.things["hold"] = await self.hold(self.main.matter_id)
        self.things["emergency"] = await self.emergency(ended=True)
        self.things["token"] = await self.token("granted")
        self.things["schedule"] = (await self.schedule())["id"]
        self.things["standing_share"] = (await self.standing_share())["id"]
        self.things["misdirection"] = await self.misdirection()
        path, seen = f"/misdirections/{await self.misdirection()}", {"answer": CANARIES["acknowledgment"]}
        await self.lead.post(f"{path}/acknowledgment", seen, 200, headers=await self.tag(path))
        self.things["disclosure"] = await self.disclosure()
        self.things["standby"] = (await self.standby())["id"]
        self.things["standby_opened"] = await self.standby_opened()
        self.things["duty"] = (await self.main.evidence("insurance", note=CANARIES["evidence"]))["id"]
        self.things["matter_duty"] = (await self.main.evidence("client_consent", note=CANARIES["evidence"]))["id"]

    async def _end_one(self) -> None:
        ending = await self.ending("returned")
        await self.world.owner.post(f"/disposals/{ending['id']}/run", status=200)
        listed = await self.lead.get(f"/certificates?engagement_id={ending['engagement_id']}")
        self.things |= {"disposal": ending["id"], "certificate": listed["items"][0]["id"]}
        self.things |= {"disposed": ending["document_id"], "disposed_engagement": ending["engagement_id"]}

    async def _befall(self) -> None:
        await self.lead.change(
            "POST", f"/members/{self.seats['suspended'].membership_id}/suspension", match=self._member("suspended")
        )
        await self.lead.change("DELETE", self._member("ended"))

    def _member(self, word: str) -> str:
        return f"/members/{self.seats[word].membership_id}"

    async def _abroad(self) -> None:
        """Another firm, with one of each thing."""
        world = await another_firm(self.world)
        lead = await _of_firm(world, "attorney", names=PLAIN)
        away = await _engagement(world, lead, names=PLAIN)
        paralegal = await _of_vendor(away, "paralegal", names=PLAIN)
        self.foreign_firm = world.firm_id
        self.seats |= {"foreign_owner": world.owner, "foreign_attorney": lead, "foreign_paralegal": paralegal}
        await world.step_up(world.owner, lead, paralegal)
        document = (await away.document(title="Sparrow"))["document_id"]
        wall = {"person_id": paralegal.person_id, "matter_id": away.matter_id, "reason": "Sparrow"}
        hold = {"matter_id": away.matter_id, "reason": "Sparrow"}
        self.foreign |= {
            "engagement": away.id,
            "matter": away.matter_id,
            "part": away.part_id,
            "vendor": away.vendor_id,
            "agreement": (await away.agreement())["id"],
            "person": paralegal.person_id,
            "member": paralegal.membership_id,
            "document": document,
            "grant": (await away.grant(paralegal, document))["id"],
            "ask": (await away.ask(paralegal))["items"][0]["id"],
            "task": (await away.task(paralegal, instructions="Sparrow"))["id"],
            "schedule": (await lead.post(f"/engagements/{away.id}/schedules", dict(ALWAYS)))["id"],
            "standby": (await away.standby(paralegal, document, note="Sparrow"))["id"],
            "misdirection": await self.misdirected(away, paralegal, "Sparrow"),
            "disclosure": await self.disclosed(
                away, await _of_firm(world, "reviewer", names=PLAIN), document, "Sparrow"
            ),
            "duty": (await away.evidence("client_consent", note="Sparrow"))["id"],
            "on_call": (await lead.post(f"/engagements/{away.id}/on-call", self.calling(lead.person_id)))["id"],
            "token": (await paralegal.post("/tokens", {"scopes": ["me"], "days": 1}))["id"],
        }
        asking = {**self.requesting(document), "reason": "Sparrow"}
        self.foreign["request"] = (await paralegal.post("/access-requests", asking))["id"]
        self.foreign["wall"] = (await lead.post("/walls", wall))["id"]
        self.foreign["disposal"] = (await lead.post(f"/engagements/{away.id}/disposal"))["id"]
        abroad, number = await _of_firm(world, "attorney", names=PLAIN), f"2027-{next(world.numbers):04}"
        await lead.post("/matters", {"number": number, "client": "Sparrow"})
        emergency = {**self.declaring(number), "reason": "Sparrow"}
        await world.step_up(abroad)
        self.foreign["emergency"] = (await abroad.post("/emergencies", emergency))["id"]
        self.foreign["hold"] = (await lead.post("/holds", hold))["id"]

    # What acts use up -------------------------------------------------------------------------------------------------

    async def tag(self, path: str, who: str = "lead") -> dict[str, str]:
        """The header that changes a thing as it stands."""
        read = await self.seats[who].ask("GET", path)
        assert read.status_code == 200, read.text
        return {"If-Match": read.headers["etag"]}

    async def person(self, vendor_id: str | None = None) -> str:
        """Somebody nobody knows yet."""
        return await _person(self.world, vendor_id, CANARIES)

    async def member(self) -> Person:
        """A member of the engagement to whom things may be done."""
        return await _of_vendor(self.main, "paralegal", signed=False)

    async def paper(self, sensitivity: str = "confidential") -> str:
        """A paper that the lead added."""
        made = await self.main.document(CANARIES["content"].encode(), sensitivity=sensitivity, title=CANARIES["title"])
        return str(made["document_id"])

    async def own_paper(self) -> str:
        """A paper that the paralegal was asked for and added, and nobody has confirmed."""
        made = await self.seats["granted"].upload(
            self.main.id,
            self.main.part_id,
            CANARIES["content"].encode(),
            title=CANARIES["title"],
            label="intake_form",
        )
        return str(made["document_id"])

    async def side_part(self) -> str:
        """A part of the lead's other matter in the same engagement."""
        body = {"matter_id": self.side_matter, "caption": CANARIES["caption"]}
        return str((await self.lead.post(f"/engagements/{self.main.id}/parts", body))["id"])

    async def moved(self) -> str:
        """The id that a paper had which was handed out, and then moved."""
        paper = await self.paper()
        await self.grant("granted", paper)
        body = {"part_id": self.things["side_part"]}
        await self.lead.change("POST", f"/documents/{paper}/move", body, status=201, match=f"/documents/{paper}")
        return paper

    async def grant(self, word: str, document_id: str, abilities: list[str] | None = None, **more: str) -> Any:
        """Hand a paper to somebody."""
        body = {
            "membership_id": self.seats[word].membership_id,
            "abilities": abilities or ["view", "download"],
            "not_after": rfc3339(self.world.now + DAY_S),
            "purpose": CANARIES["purpose"],
            **more,
        }
        return await self.lead.post(f"/documents/{document_id}/grants", body)

    async def ask(self, word: str, label: str = "intake_form") -> Any:
        """Ask somebody for papers."""
        body = self.asking(self.seats[word].membership_id, label)
        return (await self.lead.post(f"/engagements/{self.main.id}/asks", body))["items"][0]

    def asking(self, membership_id: str, label: str) -> dict[str, object]:
        """What is sent to ask somebody."""
        return {
            "membership_id": membership_id,
            "part_id": self.main.part_id,
            "labels": [label],
            "instructions": CANARIES["instructions"],
            "not_after": rfc3339(self.world.now + DAY_S),
        }

    async def task(self, word: str, *, submitted: bool = False, returned: bool = False) -> Any:
        """A task of somebody's to make a form, as it was given, submitted, or returned with a note."""
        made = await self.lead.post(f"/engagements/{self.main.id}/tasks", self.tasking(self.seats[word].membership_id))
        path = f"/tasks/{made['id']}"
        if submitted or returned:
            body = {"documents": [{"document_id": await self.own_paper()}]}
            made = await self.seats[word].change("POST", f"{path}/submission", body, match=path)
        if returned:
            made = await self.lead.change("POST", f"{path}/return", {"note": CANARIES["note"]}, match=path)
        return made

    def tasking(self, membership_id: str) -> dict[str, object]:
        """What is sent to give somebody a task."""
        return {
            "membership_id": membership_id,
            "part_id": self.main.part_id,
            "preset": "make",
            "instructions": CANARIES["instructions"],
            "documents": [self.things["document"]],
            "labels": ["intake_form"],
            "due_at": rfc3339(self.world.now + DAY_S),
        }

    def sharing(self, membership_id: str) -> dict[str, object]:
        """What is sent to hand somebody the papers of a part."""
        return {
            "membership_id": membership_id,
            "part_id": self.main.part_id,
            "labels": ["correspondence"],
            "abilities": ["view"],
            "not_after": rfc3339(self.world.now + DAY_S),
            "purpose": CANARIES["purpose"],
        }

    async def bulk(self) -> str:
        """An act that handed the papers of the part to somebody whom nobody knows yet."""
        body = self.sharing((await self.member()).membership_id)
        path = f"/engagements/{self.main.id}/grants"
        shown = await self.lead.post(path, {**body, "dry_run": True}, 200)
        return str((await self.lead.post(path, {**body, "digest": shown["digest"]}, 200))["bulk_id"])

    def standing(self, membership_id: str) -> dict[str, object]:
        """What is sent to hand somebody papers to come: of a label that none here has."""
        return {**self.sharing(membership_id), "labels": ["settlement"]}

    async def standing_share(self) -> Any:
        """A standing share for somebody whom nobody knows yet."""
        body = self.standing((await self.member()).membership_id)
        return await self.lead.post(f"/engagements/{self.main.id}/standing-shares", body)

    async def schedule(self, membership_id: str | None = None) -> Any:
        """Hours for all members of the engagement, or for one."""
        return await self.lead.post(
            f"/engagements/{self.main.id}/schedules", {**ALWAYS, "membership_id": membership_id}
        )

    async def misdirection(self) -> str:
        """A paper of which the paralegal said that it was not meant for her."""
        return await self.misdirected(self.main, self.seats["granted"], CANARIES["misdirection"])

    async def misdirected(self, engagement: Engagement, seat: Person, note: str) -> str:
        """The same in any engagement."""
        paper = (await engagement.document(title=CANARIES["title"] if engagement is self.main else note))["document_id"]
        told, ends = CANARIES["purpose"] if engagement is self.main else note, rfc3339(self.world.now + DAY_S)
        body = {"membership_id": seat.membership_id, "abilities": ["view"], "purpose": told, "not_after": ends}
        await engagement.attorney.post(f"/documents/{paper}/grants", body)
        return str((await seat.post(f"/documents/{paper}/misdirection", {"note": note}))["id"])

    async def disclosure(self) -> str:
        """The paper's title, opened to the house's reviewer."""
        return await self.disclosed(self.main, self.seats["reviewer"], self.things["document"], CANARIES["disclosure"])

    async def disclosed(self, engagement: Engagement, reviewer: Person, document_id: str, reason: str) -> str:
        """The same in any engagement."""
        body = self.disclosing(reviewer.membership_id, document_id, reason)
        made = await engagement.attorney.post(f"/engagements/{engagement.id}/disclosures", body)
        return str(made["items"][0]["id"])

    def disclosing(self, membership_id: str, document_id: str, reason: str) -> dict[str, Any]:
        """What opens a title."""
        ends = rfc3339(self.world.now + DAY_S)
        return {"membership_id": membership_id, "document_ids": [document_id], "reason": reason, "not_after": ends}

    async def standby(self) -> Any:
        """A paper sealed for the paralegal."""
        return await self.main.standby(self.seats["granted"], self.things["document"], note=CANARIES["standby"])

    async def standby_opened(self) -> str:
        """One that he opened."""
        path = f"/standbys/{(await self.standby())['id']}"
        body = {"reason": CANARIES["opening"]}
        return str((await self.seats["granted"].change("POST", f"{path}/opening", body, match=path))["id"])

    def requesting(self, document_id: str, ability: str = "text") -> dict[str, object]:
        """What is sent to ask for more of a paper."""
        until = rfc3339(self.world.now + 20 * DAY_S)
        return {"document_id": document_id, "abilities": [ability], "not_after": until, "reason": CANARIES["reason"]}

    async def request(self, word: str, document_id: str) -> str:
        """Somebody's request for more of a paper that he was handed."""
        return str((await self.seats[word].post("/access-requests", self.requesting(document_id)))["id"])

    async def requested(self) -> str:
        """The paralegal's request for a paper of its own."""
        paper = await self.paper()
        await self.grant("granted", paper)
        return await self.request("granted", paper)

    def calling(self, person_id: str) -> dict[str, object]:
        """What is sent to put somebody on call."""
        return {"person_id": person_id, "ends_at": rfc3339(self.world.now + DAY_S)}

    async def on_call(self) -> Any:
        """A duty of an attorney whom nobody knows yet."""
        person_id = await self.caller()
        return await self.lead.post(f"/engagements/{self.main.id}/on-call", self.calling(person_id))

    async def caller(self) -> str:
        """An attorney on the matter's team whom nobody knows yet."""
        person_id = await self.person()
        await self.world.owner.post("/members", {"person_id": person_id, "role": "attorney"})
        named = await self.lead.ask("PUT", f"/matters/{self.main.matter_id}/team/{person_id}")
        assert named.status_code == 204, named.text
        return person_id

    async def wall(self, person_id: str) -> str:
        """A wall between somebody and the matter."""
        body = {"person_id": person_id, "matter_id": self.main.matter_id, "reason": CANARIES["wall"]}
        return str((await self.lead.post("/walls", body))["id"])

    async def hold(self, matter_id: str) -> str:
        """A hold on a matter."""
        body = {"matter_id": matter_id, "reason": CANARIES["hold"]}
        return str((await self.lead.post("/holds", body))["id"])

    async def emergency(self, *, ended: bool = False) -> str:
        """An emergency in which an attorney whom nobody knows yet opened the matter."""
        attorney = await _of_firm(self.world, "attorney")
        number = (await self.lead.get(f"/matters/{self.main.matter_id}"))["number"]
        await self.world.step_up(attorney)
        declared = await attorney.post("/emergencies", self.declaring(number))
        if ended:
            tag = await self.tag(f"/emergencies/{declared['id']}")
            assert (await self.lead.ask("DELETE", f"/emergencies/{declared['id']}", headers=tag)).status_code == 200
        return str(declared["id"])

    def declaring(self, number: str) -> dict[str, object]:
        """What is sent to open a matter in an emergency."""
        closes_at = rfc3339(self.world.now + 3600)
        return {"matter_number": number, "reason": CANARIES["emergency"], "closes_at": closes_at}

    async def token(self, word: str) -> str:
        """A further token of somebody."""
        return str((await self.seats[word].post("/tokens", {"scopes": ["me"], "days": 1}))["id"])

    async def aside(self) -> Engagement:
        """A further engagement of the lead's, with nobody in it."""
        return await _engagement(self.world, self.lead, vendor_id=self.main.vendor_id, matter_id=self.side_matter)

    async def ending(self, state: str = "requested") -> Any:
        """A disposal of such an engagement, in this state, with the id of the paper in it."""
        aside = await self.aside()
        paper = await aside.document(CANARIES["content"].encode(), title=CANARIES["title"])
        found = await self.world.owner.post(f"/engagements/{aside.id}/disposal")
        path, body = f"/disposals/{found['id']}", {"manifest_sha256": found["manifest_sha256"]}
        if state in {"approved", "returned"}:
            await self.world.step_up(self.lead)
            await self.lead.post(f"{path}/approval", body, status=200)
        if state == "returned":
            await self.lead.post(f"{path}/return", {"waiver": CANARIES["waiver"]}, status=200)
        return {**found, "document_id": paper["document_id"]}


async def _person(world: World, vendor_id: str | None, names: Mapping[str, str]) -> str:
    number = next(world.numbers)
    name = names["firm person" if vendor_id is None else "vendor person"]
    body = {"email": f"p{number}@{names['address']}", "name": f"{name} {number}", "vendor_id": vendor_id}
    return str((await world.owner.post("/people", body))["id"])


async def _of_firm(
    world: World, role: str, engagement: Engagement | None = None, names: Mapping[str, str] = CANARIES
) -> Person:
    person_id = await _person(world, None, names)
    path = "/members" if engagement is None else f"/engagements/{engagement.id}/members"
    member = await world.owner.post(path, {"person_id": person_id, "role": role})
    return await world.sign_in(person_id, member["id"])


async def _of_vendor(
    engagement: Engagement, role: str, *, signed: bool = True, names: Mapping[str, str] = CANARIES
) -> Person:
    person_id = await _person(engagement.world, engagement.vendor_id, names)
    body = {"person_id": person_id, "role": role}
    member = await engagement.attorney.post(f"/engagements/{engagement.id}/members", body)
    seat = await engagement.world.sign_in(person_id, member["id"])
    if signed:
        await engagement.evidence("training", Person(engagement.world.http, person_id, member["id"], ""))
        agreement = await engagement.agreement()
        signature = {"sha256": agreement["sha256"], "typed_name": names["typed name"]}
        await seat.post(f"/agreements/{agreement['id']}/signatures", signature)
    return seat


async def _matter(world: World, lead: Person, names: Mapping[str, str]) -> str:
    body = {"number": f"2027-{next(world.numbers):04}", "client": names["client"]}
    return str((await lead.post("/matters", body))["id"])


async def _engagement(
    world: World,
    lead: Person,
    *,
    vendor_id: str | None = None,
    matter_id: str | None = None,
    names: Mapping[str, str] = CANARIES,
) -> Engagement:
    if vendor_id is None:
        vendor_id = str((await world.owner.post("/vendors", {"name": names["vendor"]}))["id"])
    matter_id = matter_id or await _matter(world, lead, names)
    body = {
        "vendor_id": vendor_id,
        "number": f"E-{next(world.numbers):04}",
        "name": names["engagement name"],
        "starts_at": rfc3339(world.now),
        "ends_at": rfc3339(world.now + 90 * DAY_S),
        "lead_id": lead.person_id,
    }
    made = await world.owner.post("/engagements", body)
    part = {"matter_id": matter_id, "caption": names["caption"]}
    part = await lead.post(f"/engagements/{made['id']}/parts", part)
    return Engagement(world, made["id"], vendor_id, matter_id, part["id"], lead)
